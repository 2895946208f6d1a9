"""A database that was never made, is older or newer than the program: sentences, never SQL."""

import sys
from dataclasses import replace

import click
import pytest
from alembic import command
from sqlalchemy import create_engine, pool, text

from market import cli as command_line
from market.app import create_app
from market.core import migrate, schema_version
from market.core.db import driver_url
from tests.conftest import let_go

SENTENCES = {
    "missing": schema_version.MISSING,
    "older": schema_version.OLDER,
    "newer": schema_version.NEWER,
}
# Each command with arguments that would be in order; {file} stands for a spreadsheet to write.
NEEDING = [
    "serve",
    "worker",
    "up",
    "db check",
    "audit verify",
    "import regions {file}",
    "undo 1",
    "export regions {file}",
    "demo load",
    "search rebuild",
    "search check",
    "search stats",
    "reports",
    "desk rebuild",
    "vouchers reconcile",
    "files encrypt",
    "token list",
    "token revoke 1",
    "token create --organisation 12510107DEM000321H --scope accounts:token --days 9",
    "admin create --role system_admin --name 王五 --mobile 13900000000",
]
# These make the database, say themselves what is wrong with it, or ask nothing of it.
OTHERS = {"db upgrade", "doctor", "backup", "restore", "template", "demo accounts"}


@pytest.fixture(params=SENTENCES)
def unfit(request, store, prepared, tmp_path):
    """What is wrong, and settings of an instance where it is so."""
    if request.param == "newer":
        settings = store.clone(prepared, tmp_path / "instance")
        _set_revision(settings, "9999")
    else:
        settings = store.fresh(tmp_path / "instance")
    if request.param == "older":
        settings.instance.mkdir(parents=True, exist_ok=True)
        command.upgrade(migrate.config(settings), "0001")
    yield request.param, settings
    store.drop(settings)


def _set_revision(settings, revision):
    engine = create_engine(driver_url(settings.database_url), poolclass=pool.NullPool)
    with engine.begin() as connection:
        statement = text("UPDATE alembic_version SET version_num = :revision")
        connection.execute(statement, {"revision": revision})


@pytest.fixture
def run(unfit, monkeypatch):
    """Runs `market …` on the unfit instance as a shell would; returns how it ended."""
    monkeypatch.setattr(command_line, "load", lambda: unfit[1])
    monkeypatch.setattr(command_line.os, "execv", lambda *_: pytest.fail("the server was started"))
    made = []

    def create(settings):
        made.append(create_app(settings))
        return made[-1]

    monkeypatch.setattr("market.app.create_app", create)

    def go(line):
        monkeypatch.setattr(sys, "argv", ["market", *line.split()])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        return ended.value.code

    yield go
    for app in made:
        with app.app_context():
            let_go(app)


def _names(group, before=""):
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from _names(one, f"{before}{name} ")
        else:
            yield before + name


def test_revisions_are_those_of_the_migrations(prepared):
    assert schema_version.revisions()[-1] == migrate.newest(prepared)
    assert all(migrate.knows(prepared, revision) for revision in schema_version.revisions())
    assert schema_version.fault(prepared) is None


def test_every_command_is_thought_of():
    from market.rooms import ROOMS

    for room in ROOMS:
        for one in room.commands:
            command_line.cli.add_command(one)
    known = {" ".join(w for w in line.split() if w.isalpha()) for line in NEEDING}
    named = set(_names(command_line.cli)) - OTHERS
    lacking = {name for name in named if not any(f"{one} ".startswith(f"{name} ") for one in known)}
    assert lacking == set(), "decide whether these need the database"


@pytest.mark.parametrize("line", NEEDING)
def test_commands_end_with_one_sentence(line, unfit, run, tmp_path):
    state, settings = unfit
    assert run(line.format(file=tmp_path / "a.xlsx")) == SENTENCES[state]
    assert not (settings.instance / "metrics").exists()


def test_an_upgrade_mends_what_it_can(unfit, run):
    state, settings = unfit
    ended = run("db upgrade")
    if state == "newer":
        assert ended == schema_version.NEWER
    else:
        assert ended == 0
        assert schema_version.fault(settings) is None


def test_the_doctor_says_it_too(unfit, run, capsys):
    assert run("doctor") == 1
    assert "market db upgrade" in capsys.readouterr().out


@pytest.mark.parametrize("address", ["/", "/search?q=水稻", "/regions", "/api/v1/search", "/none"])
def test_pages_and_the_api_answer_503(unfit, address):
    _, settings = unfit
    app = create_app(settings)
    with app.app_context():
        client = app.test_client()
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        response = client.get(address)
        if address == "/none":
            assert response.status_code == 404
        else:
            assert response.status_code == 503
            assert "网站正在准备中，请过几分钟再来。" in response.get_data(as_text=True)
            assert response.headers["Retry-After"]
            api = address.startswith("/api")
            assert response.mimetype == ("application/problem+json" if api else "text/html")
        for internal in ("SELECT", "sqlite", "alembic", "no such table"):
            assert internal not in response.get_data(as_text=True)
        let_go(app)


def test_a_database_is_asked_until_it_fits_and_no_more(prepared, store, tmp_path, monkeypatch):
    settings = store.clone(prepared, tmp_path / "instance")
    _set_revision(settings, "0001")
    app = create_app(settings)
    with app.app_context():
        client = app.test_client()
        assert client.get("/regions").status_code == 503
        _set_revision(settings, schema_version.revisions()[-1])
        assert client.get("/regions").status_code == 200
        monkeypatch.setattr(schema_version, "fault", lambda _: pytest.fail("asked again"))
        assert client.get("/regions").status_code == 200
        let_go(app)
    store.drop(settings)


def test_a_database_that_does_not_answer(prepared, tmp_path):
    broken = tmp_path / "market.db"
    broken.write_bytes(b"not a database" * 100)
    settings = replace(prepared, database_url=f"sqlite:///{broken}", instance=tmp_path)
    assert schema_version.fault(settings) == schema_version.NO_ANSWER
