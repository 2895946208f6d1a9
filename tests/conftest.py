"""Ground of all tests: a prepared database that is copied, an application, blocked sockets."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from market.app import create_app
from market.core import migrate
from market.core.db import db
from market.core.settings import Settings, load

CI = os.environ.get("CI") == "true"


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


def settings_in(folder: Path, **more: str) -> Settings:
    """Settings of a throw-away instance."""
    return load({"MARKET_INSTANCE": str(folder), "MARKET_LOG_LEVEL": "CRITICAL", **more})


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file with the reference data, made once per test process."""
    folder = tmp_path_factory.mktemp("prepared")
    settings = settings_in(folder)
    migrate.upgrade(settings)
    app = create_app(settings)
    with app.app_context():
        for room in app.extensions["market"].rooms:
            for seed in room.seeds:
                seed()
        db.engine.dispose()
    return folder / "market.db"


@pytest.fixture(scope="session")
def prepared_demo(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Path:
    """The folder of an instance with the demonstration data and its index."""
    from market.demo.load import load_demo
    from market.discovery.indexer import Indexer

    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(prepared, folder / "market.db")
    with create_app(settings_in(folder)).app_context():
        assert len(list(load_demo())) == 3
        indexer = Indexer()
        indexer.run()
        indexer.close()
        db.session.remove()
        db.engine.dispose()
    return folder


@pytest.fixture
def demo(tmp_path: Path, prepared_demo: Path):
    """The application with the demonstration data, indexed, in an application context."""
    shutil.copytree(prepared_demo, tmp_path / "demo")
    app = create_app(settings_in(tmp_path / "demo", MARKET_DEMO="1"))
    with app.app_context():
        yield app
        _let_go(app)


def _let_go(app) -> None:
    db.session.remove()
    db.engine.dispose()
    if "search" in app.extensions:
        app.extensions["search"].close()


@pytest.fixture
def settings(tmp_path: Path, prepared: Path) -> Settings:
    """Settings of an instance with a copy of the prepared database."""
    shutil.copy(prepared, tmp_path / "market.db")
    return settings_in(tmp_path)


@pytest.fixture
def app(settings):
    """The application on a database of its own, inside an application context."""
    app = create_app(settings)
    app.testing = False  # errors become pages, as for readers
    with app.app_context():
        yield app
        _let_go(app)


@pytest.fixture
def client(app):
    """A browser without scripts."""
    return app.test_client()
