"""The same searches five ways, in turns: engine, discovery, page, bare page, SQLite FTS5."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask, Response, render_template, request, template_rendered

from market.core.permissions import PUBLIC
from market.core.static_files import blueprint as static_files
from market.discovery import queries
from market.discovery.engine import reader
from market.discovery.forms import SearchForm
from market.paths import TEMPLATES
from search_index import Engine, Page, SearchRequest
from tests.bench.figures import Figure, Times, interleaved, plain, timed
from tests.bench.fts import Fts
from tests.bench.instance import BenchError

FLOOR = 5.0  # ms that discovery may add where three times raw is less


class Recorder:
    """Hands requests on to the engine and notes them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.requests: list[SearchRequest] = []

    def search(self, request: SearchRequest) -> Page:
        self.requests.append(request)
        return self._engine.search(request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


@dataclass(frozen=True)
class Case:
    """One search page: its form and address, its engine requests, what its template got."""

    form: SearchForm
    address: str
    requests: tuple[SearchRequest, ...]
    template: str
    context: Mapping[str, Any]
    total: int
    html: bytes


@contextlib.contextmanager
def _rendered(app: Flask) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Template names and contexts of the pages rendered meanwhile."""
    seen: list[tuple[str, dict[str, Any]]] = []

    def note(_sender: Flask, template: Any, context: dict[str, Any], **_more: Any) -> None:
        # What Flask puts in by itself, the bare application puts in again.
        own = {key: value for key, value in context.items() if key not in _FLASKS_OWN}
        seen.append((template.name, own))

    with template_rendered.connected_to(note, app):
        yield seen


_FLASKS_OWN = ("request", "session", "g")


def cases(app: Flask, forms: Iterator[SearchForm]) -> list[Case]:
    """Load each page once, and note what went on in it.

    Raises:
        BenchError: a page did not come.
    """
    client = app.test_client()
    with app.app_context():
        engine = reader()
    made = []
    try:
        for form in forms:
            recorder = Recorder(engine)
            app.extensions["search"] = recorder
            with _rendered(app) as seen:
                answer = client.get(form.address(page=form.page))
                if answer.status_code == 302:  # there is no such page: the first one then
                    form = replace(form, page=1)
                    recorder.requests.clear()
                    answer = client.get(form.address())
            if answer.status_code != 200 or len(seen) != 1:
                raise BenchError(f"{form.address()}: {answer.status}")
            template, context = seen[0]
            made.append(
                Case(
                    form,
                    form.address(page=form.page),
                    tuple(recorder.requests),
                    template,
                    context,
                    context["page"].total,
                    answer.data,
                )
            )
    finally:
        app.extensions["search"] = engine
    return made


def bare_app(app: Flask, ready: Mapping[str, Case]) -> Flask:
    """Flask without our hooks that renders the same templates from ready data.

    Args:
        app: the real application; templates are compiled and looked up in its environment.
        ready: case by address.
    """
    bare = Flask("bare", static_folder=None, template_folder=str(TEMPLATES))
    bare.extensions["market"] = app.extensions["market"]  # for the printed address
    bare.register_blueprint(static_files)
    bare.jinja_env = app.jinja_env

    @bare.get("/search")
    def search() -> str:
        case = ready[request.full_path.rstrip("?")]
        return render_template(case.template, **case.context)

    return bare


def _same(bare: Response, case: Case) -> bool:
    return bare.status_code == 200 and bytes(bare.data) == case.html


def measure(app: Flask, found: list[Case], fts: Fts, rounds: int) -> dict[str, Times]:
    """Times of the five ways over all cases.

    Raises:
        BenchError: the bare application shows something else than the real one.
    """
    client = app.test_client()
    bare = bare_app(app, {case.address: case for case in found}).test_client()
    for case in found:
        if not _same(bare.get(case.address), case):
            raise BenchError(f"the bare page of {case.address} differs from the real one")
    with app.app_context():
        engine = reader()

    def raw(number: int) -> float:
        return timed(lambda: [engine.search(one) for one in found[number].requests])

    def discovery(number: int) -> float:
        with app.app_context():  # its end returns the session's connection, as after a request
            return timed(lambda: queries.search(PUBLIC, found[number].form))

    ways = {
        "raw": raw,
        "discovery": discovery,
        "page": lambda number: timed(lambda: client.get(found[number].address)),
        "bare": lambda number: timed(lambda: bare.get(found[number].address)),
        "FTS5": lambda number: timed(lambda: fts.search(found[number].form)),
        "page gzip": lambda number: timed(
            lambda: client.get(found[number].address, headers={"Accept-Encoding": "gzip"})
        ),
    }
    return interleaved(ways, len(found), rounds)


def figures(times: Mapping[str, Times], found: list[Case]) -> list[Figure]:
    """What is asked of these times."""
    raw, bare = times["raw"], times["bare"]
    words = {
        "raw": "engine requests of the page alone (raw)",
        "bare": "same template from ready data (bare)",
        "FTS5": "SQLite FTS5, same searches",
        "page gzip": "HTML page, compressed",
    }
    made = [
        plain(
            "searches / engine requests", f"{len(found)} / {sum(len(c.requests) for c in found)}"
        ),
        plain("searches that find nothing", sum(case.total == 0 for case in found)),
    ]
    made += [plain(f"{name} p50 / p95", times[key]) for key, name in words.items()]
    for name, measured, limits in (
        (
            "discovery",
            times["discovery"],
            [max(3 * one, one + FLOOR) for one in (raw.p50, raw.p95)],
        ),
        (
            "HTML page",
            times["page"],
            [2 * (one + other) for one, other in ((bare.p50, raw.p50), (bare.p95, raw.p95))],
        ),
    ):
        rule = "3 × raw or raw + 5 ms" if name == "discovery" else "2 × (bare + raw)"
        ok = measured.p50 <= limits[0] and measured.p95 <= limits[1]
        asked = f"≤ {rule} = {limits[0]:.1f} / {limits[1]:.1f} ms"
        made.append(Figure(f"{name} p50 / p95", asked, str(measured), ok))
    return made
