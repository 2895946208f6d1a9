"""工作台 with 20,000 open cases beside the same page with 50, and acts on 500 cases."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from flask.testing import FlaskClient

from market.accounts.people.sessions import actor_of
from market.core import unit_of_work as units
from market.core.db import db
from market.monitoring import service
from market.monitoring.schemas import MOST_ROWS, TABS
from tests import cases, people
from tests.bench.figures import Figure, at_most, interleaved, plain, timed
from tests.bench.instance import BenchError, Instance
from tests.bench.pages import MOST_STATEMENTS, statements

OPEN, FEW = 20_000, 50
MOST_TIMES = 3.0  # as long as the page with few cases
REQUESTS = 60  # in a round
HERE = "511402"
DEFINITIONS = """\
Two instances hold 20,000 and 50 open cases of one county, a quarter given to the clerk who looks
at them, due and overdue. The request goes through the whole application, in process, the two
taking turns; p50 and p95 are medians of five rounds. Tabs: the list that opens first is the one
with all open cases, since it is the longest; the worst of the others is told apart."""


class _Desk:
    """An instance with cases and a clerk who is signed in."""

    def __init__(self, folder: Path, count: int) -> None:
        self.instance = Instance(folder)
        self.app = self.instance.app
        with self.app.app_context():
            clerk = people.person(("county", None, HERE), name="李经办")
            owner = people.organisation("青禾合作社（演示）", code=HERE)
            path = people.region(HERE).path
            given = count // 4
            more = {"path": path, "organisation_id": owner}
            self.ids = cases.fill(count - given, **more)
            cases.fill(given, start=count, assignee_id=clerk.id, **more)
            self.actor = actor_of(clerk)
            self.client: FlaskClient = people.sign_in(self.app.test_client(), clerk)
            db.session.remove()
        self.paths = [f"/desk?tab={tab}" for tab in TABS]

    def get(self, address: str) -> None:
        """Get a page. Raises BenchError when it does not come."""
        answer = self.client.get(address)
        if answer.status_code != 200:
            raise BenchError(f"{address}: {answer.status}")


def run(folder: Path, scale: float) -> Iterator[Figure]:
    """All figures; `scale`: share of the 20,000 cases."""
    count = max(FEW, int(OPEN * scale))
    with ExitStack() as opened:
        many, few = _Desk(folder / "many", count), _Desk(folder / "few", FEW)
        opened.callback(many.instance.close)
        opened.callback(few.instance.close)
        yield plain("open cases", f"{count:,} / {FEW}")
        yield _statements(many)
        yield from _pages(many, few, max(20, int(REQUESTS * min(1, scale * 10))))
        yield from _acts(many)


def _statements(desk: _Desk) -> Figure:
    counts = {}
    for address in [*desk.paths, f"/desk?tab=open&place={HERE}&q=SL&kind=tried&page=3", "/my"]:
        with statements(desk.app) as seen:
            desk.get(address)
        counts[address] = len(seen)
    worst = max(counts, key=lambda address: counts[address])
    figure = at_most("SQL statements of the desk, at most", counts[worst], MOST_STATEMENTS, "")
    return Figure(figure.name, figure.asked, f"{counts[worst]} ({worst})", figure.ok)


def _pages(many: _Desk, few: _Desk, requests: int) -> Iterator[Figure]:
    def way(desk: _Desk, address: str) -> Callable[[int], float]:
        return lambda _number: timed(lambda: desk.get(address))

    ratios = {}
    for address in ["/desk?tab=open", *(one for one in many.paths if one != "/desk?tab=open")]:
        ways = {"many": way(many, address), "few": way(few, address)}
        times = interleaved(ways, requests)
        ratios[address] = times["many"].p95 / times["few"].p95
        if len(ratios) == 1:
            yield plain("desk with all cases p50 / p95", times["many"])
            yield plain(f"desk with {FEW} cases p50 / p95", times["few"])
            name = f"p95 with all cases / with {FEW}"
            yield at_most(name, ratios[address], MOST_TIMES, "times", 2)
    worst = max(ratios, key=lambda address: ratios[address])
    figure = at_most("the same, worst tab", ratios[worst], MOST_TIMES, "times", 2)
    yield Figure(figure.name, figure.asked, f"{figure.measured} ({worst})", figure.ok)


def _acts(desk: _Desk) -> Iterator[Figure]:
    """Give 500 cases to a colleague and take it back, as request and worker do it."""
    held: list[float] = []
    with desk.app.app_context():
        colleague = people.person(("county", None, HERE), name="王同事").id
        begun, begin = [0.0], units._begin

        def note(work: units.UnitOfWork) -> None:
            begin(work)
            begun[0] = time.monotonic()

        units._begin = note
        try:
            ids = desk.ids[:MOST_ROWS]
            started = time.perf_counter()
            number = _counted(
                held, begun, lambda: service.start(desk.actor, "assign", ids, {"to": colleague})
            )
            while _counted(held, begun, service.run_waiting):
                pass
            done = time.perf_counter() - started
            started = time.perf_counter()
            _counted(held, begun, lambda: service.undo(desk.actor, number))
            while _counted(held, begun, service.run_waiting):
                pass
            undone = time.perf_counter() - started
        finally:
            units._begin = begin
        db.session.remove()
    yield plain(f"{MOST_ROWS} cases assigned / undone", f"{done:.1f} / {undone:.1f} s")
    yield at_most("longest transaction of these", max(held), units.LONGEST_WRITE, "s", 2)


def _counted(held: list[float], begun: list[float], work: Callable[[], int]) -> int:
    """Do something, and note how long its last transaction held the write lock."""
    result = work()
    held.append(time.monotonic() - begun[0])
    return result
