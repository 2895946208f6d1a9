"""The wheel, built without network and installed alone, renders a page and migrates."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from the files that git tracks or would track, as a release is."""
    source = tmp_path_factory.mktemp("source")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--no-index", "-w", str(out), str(source)], check=True)
    return next(out.glob("*.whl"))


def test_no_template_or_migration_is_forgotten(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "migrations"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"market/{path.relative_to(ROOT)}" in names
    for path in (ROOT / "market").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert str(path.relative_to(ROOT)) in names


def test_the_installed_wheel_serves(wheel, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    script = (
        "from market.app import create_app; from market.core import migrate;"
        "from market.core.settings import load; import market;"
        f"assert market.__file__.startswith({str(site)!r}), market.__file__;"
        "migrate.upgrade(load()); client = create_app().test_client();"
        "page = client.get('/no-such-page'); assert page.status_code == 404, page.status_code;"
        "assert '没有找到' in page.text"
    )
    libraries = sysconfig.get_path("purelib")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{site}:{libraries}",
        "MARKET_INSTANCE": str(tmp_path / "instance"),
        "MARKET_LOG_LEVEL": "CRITICAL",
    }
    # -S: without the environment's own .pth files, which would find the checkout.
    command = [sys.executable, "-S", "-W", "error", "-c", script]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
