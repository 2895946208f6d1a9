"""The examination desk with 20,000 open cases and 200,000 registered ones beside 50 and 1,000."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import insert

from market.contracts.desk.schemas import TABS
from market.contracts.models import Contract
from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from tests import people
from tests.bench.figures import Figure, at_most, interleaved, plain, timed
from tests.bench.instance import BenchError, Instance
from tests.bench.pages import MOST_STATEMENTS, statements

OPEN, REGISTERED = 20_000, 200_000
FEW_OPEN, FEW_REGISTERED = 50, 1_000
MOST_TIMES = 3.0  # as long as the page with few cases
REQUESTS = 60  # in a round
HERE = "511402"
STATES = ("submitted", "accepted", "returned", "examined", "cleared")
FILL = policy.declare("tests:contract:fill")
DEFINITIONS = """\
Two instances hold 20,000 open contracts and 200,000 registered ones, and 50 and 1,000, all of one
county and examined by its office; registrations lie up to ten years back. The request goes through
the whole application, in process, the two taking turns; p50 and p95 are medians of five rounds. The
tab of what waits for acceptance is told first, the worst of the others and the register apart."""


def fill(count: int, registered: int, *, office: int, filer: int) -> None:
    """Plain rows of contracts: open ones in turns of their states, registered ones a while ago."""
    now = clock.now()
    made = [_open(number, now, office, filer) for number in range(count)]
    made += [_registered(number, now, office, filer) for number in range(registered)]
    with unit_of_work(SYSTEM) as work:
        work.require(FILL)
        for begin in range(0, len(made), 2000):
            db.session.execute(insert(Contract), made[begin : begin + 2000])
    db.session.rollback()


def _row(number: int, prefix: str, office: int, filer: int) -> dict[str, Any]:
    return {
        "no": f"{prefix}{number:06d}",
        "mode": "external",
        "filer_id": filer,
        "office_region_id": office,
        "title": f"第 {number} 份技术开发合同",
        "contract_class": "development",
        "subclass": "commissioned",
        "seller_name": f"研究所{number % 500}",
        "buyer_name": f"企业{number % 3000}",
        "seller_region_id": office,
        "buyer_region_id": office,
        "total_fen": 10_000_000 + number,
        "technical_fen": 9_000_000 + number,
        "shows": {},
        "version": 1,
        "due_provisional": False,
        "demo": False,
        "lock_version": 1,
    }


def _open(number: int, now: Any, office: int, filer: int) -> dict[str, Any]:
    sent = now - timedelta(hours=number % 900)
    state = STATES[number % len(STATES)]
    due = (sent + timedelta(days=30)).date() if number % 2 and state != "submitted" else None
    more = {
        "state": state,
        "submitted_at": sent,
        "due": due,
        "created_at": sent,
        "updated_at": sent,
    }
    result = dict.fromkeys(
        ("registration_no", "registered_on", "registered_by", "effective", "accepted_on")
    )
    accepted = {"accepted_on": sent.date()} if state != "submitted" else {}
    return _row(number, "HT2026", office, filer) | more | result | accepted


def _registered(number: int, now: Any, office: int, filer: int) -> dict[str, Any]:
    then = now - timedelta(hours=number * 87_600 // REGISTERED + number % 24)
    return _row(number, "HT2016", office, filer) | {
        "state": "registered",
        "submitted_at": then,
        "due": None,
        "created_at": then,
        "updated_at": then,
        "registration_no": f"2016{HERE}{number:06d}",
        "registered_on": then.date(),
        "registered_by": "登记处（演示）",
        "effective": 1,
        "accepted_on": then.date(),
    }


class _Desk:
    """An instance with contracts and a clerk who is signed in."""

    def __init__(self, folder: Path, count: int, registered: int) -> None:
        self.instance = Instance(folder)
        self.app = self.instance.app
        with self.app.app_context():
            clerk = people.person(("county", None, HERE), name="李经办")
            filer = people.organisation("青禾研究所（演示）", code=HERE)
            fill(count, registered, office=people.region(HERE).id, filer=filer)
            self.client: FlaskClient = people.sign_in(self.app.test_client(), clerk)
            db.session.remove()

    def get(self, address: str) -> None:
        """Get a page. Raises BenchError when it does not come."""
        answer = self.client.get(address)
        if answer.status_code != 200:
            raise BenchError(f"{address}: {answer.status}")


PATHS = [*(f"/desk/contracts?tab={tab}" for tab in TABS), "/desk/contracts/register"]


def run(folder: Path, scale: float) -> Iterator[Figure]:
    """All figures; `scale`: share of the 20,000 open and 200,000 registered ones."""
    count, registered = (
        max(FEW_OPEN, int(OPEN * scale)),
        max(FEW_REGISTERED, int(REGISTERED * scale)),
    )
    with ExitStack() as opened:
        many = _Desk(folder / "many", count, registered)
        opened.callback(many.instance.close)
        few = _Desk(folder / "few", FEW_OPEN, FEW_REGISTERED)
        opened.callback(few.instance.close)
        yield plain("open / registered", f"{count:,} / {registered:,}")
        yield _statements(many)
        yield from _pages(many, few, max(20, int(REQUESTS * min(1, scale * 10))))


def _statements(desk: _Desk) -> Figure:
    counts = {}
    for address in [*PATHS, "/desk/contracts?tab=accepted&q=12"]:
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
    for address in PATHS:
        ways = {"many": way(many, address), "few": way(few, address)}
        times = interleaved(ways, requests)
        ratios[address] = times["many"].p95 / times["few"].p95
        if len(ratios) == 1:
            yield plain("desk with all contracts p50 / p95", times["many"])
            yield plain("desk with few contracts p50 / p95", times["few"])
            yield at_most("p95 with all / with few", ratios[address], MOST_TIMES, "times", 2)
    worst = max(ratios, key=lambda address: ratios[address])
    figure = at_most("the same, worst tab or register", ratios[worst], MOST_TIMES, "times", 2)
    yield Figure(figure.name, figure.asked, f"{figure.measured} ({worst})", figure.ok)
