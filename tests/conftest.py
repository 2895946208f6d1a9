"""Ground of all tests: a prepared database that is copied, an application, blocked sockets.

`pytest --postgres` runs the same tests on a PostgreSQL server that the run starts itself.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from market.app import create_app
from market.core import migrate
from market.core.db import db
from market.core.settings import Settings
from tests import postgres
from tests.stores import Postgres, Sqlite, settings_in

__all__ = ["lacking", "settings_in"]
CI = os.environ.get("CI") == "true"

# Each test has an application of its own, with some six hundred rules; what werkzeug compiles
# of a rule depends on its text and defaults alone, and takes a third of an application's start.
_compile_rule, _compiled = Rule._compile_builder, {}


def _compile_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    key = (rule.rule, repr(rule.defaults), rule.subdomain, append_unknown)
    if key not in _compiled:
        _compiled[key] = _compile_rule(rule, append_unknown)
    return _compiled[key]


Rule._compile_builder = _compile_once


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", action="store_true", help="run on PostgreSQL")


def lacking(what: str, how: str) -> None:
    """Skip a test that needs `what`; on the CI machine that is a failure."""
    sentence = f"{what} is missing: {how}"
    if CI:
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@pytest.fixture(autouse=True)
def _no_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only tests marked `net` may open internet sockets, and those only to this machine."""
    if request.node.get_closest_marker("net"):
        return

    def refuse(_self: socket.socket, address: object) -> None:
        if isinstance(address, tuple):
            raise AssertionError(f"this test opens a socket to {address}")
        return original(_self, address)

    original = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def store(request: pytest.FixtureRequest) -> Iterator[Sqlite | Postgres]:
    """Where databases of this run come from."""
    if not request.config.getoption("--postgres"):
        yield Sqlite()
        return
    if not postgres.available():
        lacking("PostgreSQL 15", postgres.HOW)
    with postgres.server() as address:
        yield Postgres(address)


def let_go(app: Flask) -> None:
    """Close what an application holds open."""
    db.session.remove()
    db.engine.dispose()
    if "search" in app.extensions:
        app.extensions["search"].close()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, store: Sqlite | Postgres) -> Settings:
    """An instance with the schema and the reference data, made once per test process."""
    settings = store.fresh(tmp_path_factory.mktemp("prepared"))
    migrate.upgrade(settings)
    app = create_app(settings)
    with app.app_context():
        for room in app.extensions["market"].rooms:
            for seed in room.seeds:
                seed()
        let_go(app)
    return settings


def filled(
    store: Sqlite | Postgres, prepared: Settings, folder: Path, load: Callable[[], Iterator[str]]
) -> Settings:
    """An instance with the demonstration data that `load` brings, and its index."""
    from market.discovery.indexer import Indexer

    settings = store.clone(prepared, folder)
    app = create_app(settings)
    with app.app_context():
        assert all(list(load()))
        indexer = Indexer()
        indexer.run()
        indexer.close()
        let_go(app)
    return settings


@pytest.fixture(scope="session")
def prepared_demo(
    tmp_path_factory: pytest.TempPathFactory, store: Sqlite | Postgres, prepared: Settings
) -> Settings:
    """An instance with the demonstration data, cases at work among it."""
    from market.demo.load import load_demo

    return filled(store, prepared, tmp_path_factory.mktemp("demo"), load_demo)


@pytest.fixture(scope="session")
def prepared_quiet(
    tmp_path_factory: pytest.TempPathFactory, store: Sqlite | Postgres, prepared: Settings
) -> Settings:
    """The demonstration market before anything happened.

    For files of tests that look for the one case they made: they name it `prepared_demo`.
    """
    from market.demo.load import load_market

    return filled(store, prepared, tmp_path_factory.mktemp("quiet"), load_market)


@pytest.fixture
def settings(tmp_path: Path, store: Sqlite | Postgres, prepared: Settings) -> Iterator[Settings]:
    """Settings of an instance with a copy of the prepared database."""
    made = store.clone(prepared, tmp_path)
    yield made
    store.drop(made)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application on a database of its own, inside an application context."""
    app = create_app(settings)
    with app.app_context():
        yield app
        let_go(app)


@pytest.fixture
def demo_settings(
    tmp_path: Path, store: Sqlite | Postgres, prepared_demo: Settings
) -> Iterator[Settings]:
    """Settings of an instance with the demonstration data and its index."""
    made = store.clone(prepared_demo, tmp_path / "demo", MARKET_DEMO="1")
    for folder in ("search", "files"):
        if (prepared_demo.instance / folder).exists():
            shutil.copytree(prepared_demo.instance / folder, tmp_path / "demo" / folder)
    yield made
    store.drop(made)


@pytest.fixture
def demo(demo_settings: Settings) -> Iterator[Flask]:
    """The application with the demonstration data, indexed, in an application context."""
    app = create_app(demo_settings)
    with app.app_context():
        yield app
        let_go(app)


@pytest.fixture
def client(app: Flask):
    """A browser without scripts."""
    return app.test_client()
