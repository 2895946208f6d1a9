"""The schema: Alembic run from code, under the maintenance lock."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from market.core.settings import Settings
from market.paths import MIGRATIONS


def config(settings: Settings) -> Config:
    """Alembic's configuration for this instance."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    made.attributes["url"] = settings.database_url
    return made


def upgrade(settings: Settings) -> None:
    """Bring the schema to the newest version."""
    settings.instance.mkdir(parents=True, exist_ok=True)
    command.upgrade(config(settings), "head")


def newest(settings: Settings) -> str:
    """The revision of the schema that this program needs."""
    return str(ScriptDirectory.from_config(config(settings)).get_current_head())


def knows(settings: Settings, revision: str) -> bool:
    """Whether this program can work with, or upgrade, a database of this revision."""
    scripts = ScriptDirectory.from_config(config(settings)).walk_revisions()
    return any(script.revision == revision for script in scripts)


def check(settings: Settings) -> None:
    """Raise alembic's CommandError when the database differs from the models."""
    command.check(config(settings))
