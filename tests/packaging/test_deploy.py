"""The files of docs/deploy fit the program and one another."""

import configparser
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import click
import html5lib
import pytest

from market.app import LARGEST_REQUEST
from market.cli import cli
from market.core.settings import DECLARED, load

FOLDER = Path(__file__).parents[2] / "docs" / "deploy"
UNITS = sorted(FOLDER.glob("market*.service"))


def _environment():
    """The settings as systemd and the shell read them."""
    lines = (FOLDER / "market.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _unit(path):
    parser = configparser.RawConfigParser(strict=False, delimiters="=")
    parser.optionxform = str
    parser.read_string(path.read_text())
    return parser


def test_settings_are_known_and_good(tmp_path):
    known = {one.variable for one in DECLARED}
    for path in FOLDER.iterdir():
        assert set(re.findall(r"MARKET_[A-Z_]+", path.read_text())) <= known, path.name
    load(_environment() | {"MARKET_INSTANCE": str(tmp_path)})


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_run_commands_that_exist(path):
    service = _unit(path)["Service"]
    program, *words = shlex.split(service["ExecStart"])
    assert program == "/opt/market/bin/market"
    command, name = cli, ""
    while isinstance(command, click.Group):
        name, command, words = command.resolve_command(click.Context(command), words)
    command.make_context(name, words)
    assert service["EnvironmentFile"] == "/etc/market.env"
    assert service["ProtectSystem"] == "strict"
    written = [service.get("ReadWritePaths", ""), f"/var/lib/{service.get('StateDirectory', '')}"]
    assert _environment()["MARKET_INSTANCE"] in " ".join(written).split()
    assert all(word in " ".join(written) for word in words if word.startswith("/"))


def test_the_timer_starts_the_backup():
    timer = _unit(FOLDER / "market-backup.timer")
    assert timer["Timer"]["OnCalendar"]
    assert (FOLDER / "market-backup.service").exists()


def test_nginx_fits_the_settings():
    text = (FOLDER / "nginx.conf").read_text()
    code = re.sub(r"#.*", "", text)
    assert code.count("{") == code.count("}")
    environment = _environment()
    assert f"server {environment['MARKET_BIND']};" in code
    host = urlsplit(environment["MARKET_BASE_URL"]).hostname
    assert set(re.findall(r"server_name (.+);", code)) == {host}
    assert int(re.search(r"client_max_body_size (\d+)m;", code)[1]) * 1024**2 >= LARGEST_REQUEST
    # Overwritten, not appended: the program believes the last one.
    assert re.search(r"X-Forwarded-For\s+\$remote_addr;", code)
    assert re.search(r"location = /metrics \{\s+return 404;", code)


def test_the_page_for_a_site_that_is_away():
    page = (FOLDER / "unavailable.html").read_text()
    html5lib.HTMLParser(strict=True).parse(page)
    assert "://" not in page


def test_the_document_names_every_file():
    text = (FOLDER.parent / "operators.md").read_text()
    assert {path.name for path in FOLDER.iterdir()} == set(
        re.findall(r"\(deploy/([\w.-]+)\)", text)
    )
