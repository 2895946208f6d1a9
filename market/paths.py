"""Where templates and migrations lie: inside the wheel, or at the top level of a checkout."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def _beside(name: str) -> Path:
    """The folder `name` inside the installed package, else beside it in the checkout."""
    installed = PACKAGE / name
    return installed if installed.is_dir() else PACKAGE.parent / name


TEMPLATES = _beside("templates")
MIGRATIONS = _beside("migrations")
STATIC = PACKAGE / "static"
TRANSLATIONS = PACKAGE / "translations"
