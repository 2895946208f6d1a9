"""Every kind of page: its SQL statements, its writes, and a real web process serving a mix."""

from __future__ import annotations

import contextlib
import http.client
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import event, func, select
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from market.accounts.models import Organisation
from market.catalogue import terms
from market.catalogue.models import KINDS, Listing
from market.catalogue.queries import PATHS
from market.core.db import db
from tests.bench.figures import Figure, at_most, memory_megabytes, plain
from tests.bench.instance import BenchError, Instance, free_port, wait_for

MOST_STATEMENTS = 12
MOST_MEMORY = 200  # MB
CLIENTS = 4
_COUNTED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


def kinds_of_pages(app: Flask) -> dict[str, str]:
    """Name → address of a page of each kind that the application has."""
    with app.app_context():
        owned = select(Listing.owner_id).group_by(Listing.owner_id)
        busiest = db.session.scalar(owned.order_by(func.count().desc()).limit(1))
        owner = db.session.scalar(select(Organisation.no).where(Organisation.id == busiest))
        last = {
            kind: db.session.scalar(
                select(Listing.no).where(Listing.kind == kind).order_by(Listing.id.desc()).limit(1)
            )
            for kind in KINDS
        }
    pages = {
        "home": "/",
        "search": _address("/search", q="水稻 种植"),
        "search all": "/search",
        "search region": _address("/search", q="秸秆", region=["510000", "511400", "511402"]),
        "search filters": _address("/search", q="茶叶", kind="demand", field="x", stage="lab"),
        "search nothing": _address("/search", q="龘靐 齉爩", kind="demand", region="511402"),
        "filters page": _address("/search", q="加工", region="510000", filters="1"),
        "organisation": f"/organisations/{owner}",
        "organisations": "/organisations",
        "organisations found": _address("/organisations", q="大学", kind="institute"),
        "region": "/regions/510000",
        "county": "/regions/511402",
        "regions": "/regions",
        "regions found": _address("/regions", q="meishan"),
        "post": "/post/demand",
        "post region": _address("/post/achievement", region="511402"),
        "API search": _address("/api/v1/search", q="水稻 种植", region="510000"),
        "API organisations": "/api/v1/organisations",
        "API organisation": f"/api/v1/organisations/{owner}",
        "API regions": "/api/v1/regions",
    }
    for kind, no in last.items():
        pages |= {
            kind: f"/{PATHS[kind]}/{no}",
            f"poster {kind}": f"/{PATHS[kind]}/{no}/poster",
            f"API {PATHS[kind]}": f"/api/v1/{PATHS[kind]}",
            f"API {kind}": f"/api/v1/{PATHS[kind]}/{no}",
        }
    pages |= {
        "compare": _address("/compare", no=[no or "" for no in last.values()]),
        "feed": _address("/feed.atom", q="水稻"),
        "feed region": "/feed.atom?region=511402",
        "map": "/sitemap.xml",
        "map pages": "/sitemap-pages.xml",
        "map part": "/sitemap-1.xml",
    }
    return {name: address for name, address in pages.items() if _exists(app, address)}


def _address(path: str, **values: str | Sequence[str]) -> str:
    return f"{path}?{urlencode(values, doseq=True)}"


def _exists(app: Flask, address: str) -> bool:
    try:
        app.url_map.bind("localhost").match(address.partition("?")[0], method="GET")
    except NotFound:
        return False
    except RequestRedirect:
        return True
    return True


@contextlib.contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """The SQL statements executed meanwhile, transactions' own apart."""
    seen: list[str] = []

    def note(_connection, _cursor, statement: str, *_more: object) -> None:
        if statement.lstrip()[:6].upper().startswith(_COUNTED):
            seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def count_statements(app: Flask, pages: dict[str, str]) -> list[Figure]:
    """The most SQL statements of a page, code lists not yet read, and all writes.

    Raises:
        BenchError: a page did not come.
    """
    client = app.test_client()
    counts: dict[str, int] = {}
    writes = 0
    for name, address in pages.items():
        terms.forget()
        with statements(app) as seen:
            answer = client.get(address)
        if answer.status_code != 200:
            raise BenchError(f"{address}: {answer.status}")
        counts[name] = len(seen)
        writes += sum(not one.lstrip().upper().startswith(("SELECT", "WITH")) for one in seen)
    worst = max(counts, key=lambda name: counts[name])
    most = at_most("SQL statements of a page, at most", counts[worst], MOST_STATEMENTS, "")
    return [
        Figure(most.name, most.asked, f"{counts[worst]} ({worst})", most.ok),
        at_most("writes of all GETs", writes, 0, ""),
        plain("kinds of pages / of these API", f"{len(pages)} / {_of_api(pages)}"),
    ]


def _of_api(pages: dict[str, str]) -> int:
    return sum(address.startswith("/api/") for address in pages.values())


def web_process_memory(instance: Instance, addresses: Sequence[str], count: int) -> list[Figure]:
    """Anonymous memory of the one web process after it answered `count` mixed requests.

    Raises:
        BenchError: the site did not start, or an answer was an error.
    """
    port = free_port()
    environment = {"MARKET_BIND": f"127.0.0.1:{port}", "MARKET_WEB_PROCESSES": "1"}
    with instance.started(instance.command("serve"), "web.log", **environment) as process:
        wait_for(lambda: _answers(port), process)
        worker = _child_of(process.pid)
        share = -(-count // CLIENTS)
        with ThreadPoolExecutor(CLIENTS) as pool:
            loads = [pool.submit(_load, port, addresses, share, n) for n in range(CLIENTS)]
            done = sum(load.result() for load in loads)
        used = memory_megabytes(worker, "RssAnon")
        if _child_of(process.pid) != worker:
            raise BenchError("the web process was replaced meanwhile")
    name = f"memory of a web process after {done:,} requests"
    return [at_most(name, used, MOST_MEMORY, "MB")]


def _answers(port: int) -> bool:
    try:
        return _get(http.client.HTTPConnection("127.0.0.1", port, timeout=10), "/readyz") == 200
    except OSError:
        return False


def _get(connection: http.client.HTTPConnection, address: str) -> int:
    connection.request("GET", address, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _load(port: int, addresses: Sequence[str], count: int, client: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    start = client * len(addresses) // CLIENTS
    rounds = itertools.islice(itertools.cycle(addresses), start, start + count)
    for address in rounds:
        if (status := _get(connection, address)) != 200:
            raise BenchError(f"{address}: {status}")
    connection.close()
    return count


def _child_of(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    if len(children) != 1:
        raise BenchError(f"{len(children)} web processes instead of one")
    return int(children[0])
