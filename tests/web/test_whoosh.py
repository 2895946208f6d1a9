"""The demonstration market with the other search engine, also where binary wheels are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from market.app import create_app
from market.discovery import indexer
from market.discovery.engine import reader
from market.discovery.indexer import Indexer
from market.doctor import findings
from tests.conftest import let_go
from tests.stores import QUIET
from tests.web.conftest import ParsingClient

ROOT = Path(__file__).parents[2]
WITHOUT_WHEELS = """
import sys
for name in ("tantivy", "rjieba", "opencc"):
    sys.modules[name] = None
from market.cli import main
main()
"""


@pytest.fixture
def switched(tmp_path, store, prepared_demo):
    """A market that had tantivy until now."""
    folder = tmp_path / "demo"
    settings = store.clone(prepared_demo, folder, MARKET_DEMO="1", MARKET_SEARCH_ENGINE="whoosh")
    shutil.copytree(prepared_demo.instance / "search", folder / "search")
    yield settings
    store.drop(settings)


@pytest.fixture
def app(switched):
    app = create_app(switched)
    app.test_client_class = ParsingClient
    with app.app_context():
        yield app
        let_go(app)


@pytest.fixture
def rebuilt(app):
    """The worker's first batch after the switch."""
    own = Indexer()
    own.run()
    own.close()
    return app.test_client()


def _index_is_well(app, settings):
    told = findings(app, settings)
    return [well for well, says in told if "检索索引" in says and "引擎 whoosh" in says]


def test_until_the_worker_has_rebuilt_the_site_says_so(app, switched):
    client = app.test_client()
    assert client.get("/readyz").json["missing"] == ["search"]
    assert client.get("/search?q=茶").status_code == 503
    assert _index_is_well(app, switched) == [False]


def test_the_market_is_found_with_whoosh(app, rebuilt, switched):
    assert rebuilt.get("/readyz").status_code == 200
    assert reader().stats().engine == "whoosh"
    assert indexer.check(reader()).ok
    assert "CG2026" in rebuilt.get("/").text
    page = rebuilt.get("/search?q=茶&region=510000").text
    assert "<mark>茶" in page
    assert "四川省" in page
    assert rebuilt.get("/search?kind=demand&sort=newest&page=2").status_code == 200
    assert rebuilt.get("/achievements/CG2026000001").status_code == 200
    assert rebuilt.get("/regions/511402").status_code == 200
    assert _index_is_well(app, switched) == [True]


@pytest.mark.long
def test_commands_run_without_binary_wheels(switched):
    environment = {
        **os.environ,
        **QUIET,
        "MARKET_INSTANCE": str(switched.instance),
        "MARKET_DATABASE_URL": switched.database_url,
        "MARKET_SEARCH_ENGINE": "whoosh",
    }

    def run(*words):
        command = [sys.executable, "-c", WITHOUT_WHEELS, *words]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
        )

    assert "market search rebuild" in run("search", "check").stderr
    assert run("search", "rebuild").stdout == "索引已重建，共 120 条。\n"
    assert run("search", "check").stdout == "索引与数据库一致，共 120 条。\n"
    assert "没有安装 rjieba，" in run("doctor").stdout
    environment["MARKET_SEARCH_ENGINE"] = "tantivy"
    refused = run("search", "stats").stderr
    assert refused.startswith("设置有误：这台机器上没有安装 tantivy")
    assert "MARKET_SEARCH_ENGINE=whoosh" in refused
