"""推荐对接 with 20,000 open dispatches beside the same page with 50."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import insert

from market.catalogue.models import Listing
from market.core import clock
from market.core.db import db
from market.core.models import WorkItem
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from market.matching.dispatch.models import Dispatch
from market.matching.dispatch.queries import TABS
from tests import people
from tests.bench.figures import Figure, at_most, interleaved, plain, timed
from tests.bench.instance import BenchError, Instance
from tests.bench.pages import MOST_STATEMENTS, statements

OPEN, FEW = 20_000, 50
MOST_TIMES = 3.0  # as long as the page with few dispatches
REQUESTS = 60  # in a round
HERE = "511402"
FILL = policy.declare("bench:dispatch:fill")
DEFINITIONS = """\
Two instances hold 20,000 and 50 open dispatches of one county to as many institutes, half of them
waiting for an answer, half for the office; some are overdue. The request goes through the whole
application, in process, the two taking turns; p50 and p95 are medians of five rounds. The tab that
opens first is told, the worst of the others apart."""


class _Desk:
    """An instance with dispatches and a clerk who is signed in."""

    def __init__(self, folder: Path, count: int) -> None:
        self.instance = Instance(folder)
        self.app = self.instance.app
        with self.app.app_context():
            clerk = people.person(("county", None, HERE), name="李经办")
            institute = people.organisation("甲研究院（演示）", kind="institute", code="510107")
            owner = people.organisation("青禾合作社（演示）", code=HERE)
            _fill(count, institute, owner, clerk.id)
            self.client: FlaskClient = people.sign_in(self.app.test_client(), clerk)
            db.session.remove()

    def get(self, address: str) -> None:
        """Get a page. Raises BenchError when it does not come."""
        answer = self.client.get(address)
        if answer.status_code != 200:
            raise BenchError(f"{address}: {answer.status}")


def _fill(count: int, institute: int, owner: int, clerk: int) -> None:
    """Plain rows: a demand each, since one demand goes to a recipient once."""
    now, today, place = clock.now(), clock.today(), people.region(HERE)
    region_id, path = place.id, place.path
    with unit_of_work(SYSTEM, may_be_long=True) as work:
        work.require(FILL)
        for begin in range(1, count + 1, 1000):
            numbers = range(begin, min(begin + 1000, count + 1))
            demands, cases, items = [], [], []
            for n in numbers:
                waits, due = n % 2 == 0, today + timedelta(days=n % 40 - 10)
                demands.append(
                    {
                        "id": n,
                        "no": f"XQ{n:08d}",
                        "kind": "demand",
                        "owner_id": owner,
                        "region_id": region_id,
                        "folded_title": f"第{n}项需求",
                        "state": "draft",
                        "demo": False,
                        "created_at": now,
                    }
                )
                cases.append(
                    {
                        "id": n,
                        "no": f"TJ{n:08d}",
                        "listing_id": n,
                        "title": f"第 {n} 项需求",
                        "region_id": region_id,
                        "recipient_id": institute,
                        "recipient_label": "甲研究院（演示）",
                        "sent_by": "李经办",
                        "days": 5,
                        "due": due,
                        "provisional": False,
                        "state": "sent" if waits else "interested",
                        "answered_at": None if waits else now,
                        "answered_on": None if waits else today,
                        "last_word": "约好下周再谈",
                        "last_word_on": today,
                        "demo": False,
                        "lock_version": 1,
                        "created_at": now,
                        "updated_at": now,
                    }
                )
                items.append(
                    {
                        "room": "matching",
                        "kind": "dispatch",
                        "object_id": n,
                        "no": f"TJ{n:08d}",
                        "title": f"第 {n} 项需求",
                        "url": f"/dispatches/TJ{n:08d}",
                        "state": "sent" if waits else "interested",
                        "side": "owner" if waits else "office",
                        "next_step": "答复推荐对接",
                        "organisation_id": institute,
                        "region_path": path,
                        "assignee_id": clerk,
                        "due": due,
                        "provisional": False,
                        "returned": False,
                        "urgent": False,
                        "opened_at": now - timedelta(hours=n % 700),
                        "updated_at": now,
                    }
                )
            for model, rows in ((Listing, demands), (Dispatch, cases), (WorkItem, items)):
                db.session.execute(insert(model), rows)


def run(folder: Path, scale: float) -> Iterator[Figure]:
    """All figures; `scale`: share of the 20,000 dispatches."""
    count = max(FEW, int(OPEN * scale))
    with ExitStack() as opened:
        many, few = _Desk(folder / "many", count), _Desk(folder / "few", FEW)
        opened.callback(many.instance.close)
        opened.callback(few.instance.close)
        yield plain("open dispatches", f"{count:,} / {FEW}")
        yield _statements(many)
        yield from _pages(many, few, max(20, int(REQUESTS * min(1, scale * 10))))


def _addresses() -> list[str]:
    return [f"/desk/dispatches?tab={tab}" for tab in TABS]


def _statements(desk: _Desk) -> Figure:
    counts = {}
    for address in [*_addresses(), "/desk/dispatches?tab=waiting&q=TJ&page=3"]:
        with statements(desk.app) as seen:
            desk.get(address)
        counts[address] = len(seen)
    worst = max(counts, key=lambda address: counts[address])
    figure = at_most("SQL statements of the page, at most", counts[worst], MOST_STATEMENTS, "")
    return Figure(figure.name, figure.asked, f"{counts[worst]} ({worst})", figure.ok)


def _pages(many: _Desk, few: _Desk, requests: int) -> Iterator[Figure]:
    def way(desk: _Desk, address: str) -> Callable[[int], float]:
        return lambda _number: timed(lambda: desk.get(address))

    ratios = {}
    for address in _addresses():
        times = interleaved({"many": way(many, address), "few": way(few, address)}, requests)
        ratios[address] = times["many"].p95 / times["few"].p95
        if len(ratios) == 1:
            yield plain("page with all dispatches p50 / p95", times["many"])
            yield plain(f"page with {FEW} dispatches p50 / p95", times["few"])
            name = f"p95 with all dispatches / with {FEW}"
            yield at_most(name, ratios[address], MOST_TIMES, "times", 2)
    worst = max(ratios, key=lambda address: ratios[address])
    figure = at_most("the same, worst tab", ratios[worst], MOST_TIMES, "times", 2)
    yield Figure(figure.name, figure.asked, f"{figure.measured} ({worst})", figure.ok)
