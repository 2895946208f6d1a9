"""How soon searches follow what changes, while the worker runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from sqlalchemy import select

from market.catalogue import service
from market.catalogue.models import Listing
from market.catalogue.publishing import life
from market.catalogue.publishing import service as publishing
from market.core.db import db
from market.core.permissions import PUBLIC, SYSTEM
from market.discovery import queries
from market.discovery.forms import SearchForm
from tests import lived, people
from tests.bench.figures import Figure, at_most
from tests.bench.instance import BenchError, Instance

SLOWEST = 2.0  # seconds until a change is found
LONGEST_WAIT = 120.0  # seconds for a change before it counts as lost


def figures(instance: Instance, count: int) -> Iterator[Figure]:
    """The slowest of some edits, publications and withdrawals to be found."""
    with instance.worker(), instance.app.app_context():
        query = select(Listing.no).where(Listing.kind == "achievement", Listing.demo.is_(False))
        numbers = db.session.scalars(query.order_by(Listing.id).limit(count + 1)).all()
        edits = [_edit(no, f"qx{place:03}zvw") for place, no in enumerate(numbers)]
        words = [f"qy{place:03}zvw" for place in range(count)]
        shown = [_publish(word) for word in words]
        hidden = [_withdraw(word) for word in words]
    # The first one waits for the worker to start.
    yield at_most(f"edit found, slowest of {count}", max(edits[1:]), SLOWEST, "s", 2)
    yield at_most(f"publish found, slowest of {count}", max(shown), SLOWEST, "s", 2)
    yield at_most(f"withdraw followed, slowest of {count}", max(hidden), SLOWEST, "s", 2)


def _edit(no: str, word: str) -> float:
    started = time.perf_counter()
    service.revise(SYSTEM, no, {"title": f"改名后的成果 {word}"})
    return _wait(started, lambda: _found(word) == [no], f"the edit of {no}")


def _publish(word: str) -> float:
    """A firm's demand, published by the office of its county."""
    writer, officer = lived.actor("firm.editor"), lived.actor("county.dongpo")
    owner, place = lived.organisation(lived.FIRM).id, people.region(lived.HERE).id
    values = {"title": f"难题 {word}", "summary": "人工看灯，慢。", "cleared": "1"}
    no = publishing.create_draft(writer, "demand", owner, values, region_id=place)
    publishing.act(writer, no, "submit")
    started = time.perf_counter()
    publishing.act(officer, no, "publish")
    return _wait(started, lambda: len(_found(word)) == 1, f"the publication of {no}")


def _withdraw(word: str) -> float:
    owner, [no] = lived.actor("firm.owner"), _found(word)
    started = time.perf_counter()
    life.listing_act(owner, no, "withdraw", "写错了")
    return _wait(started, lambda: _found(word) == [], f"the withdrawal of {no}")


def _wait(started: float, done: Callable[[], bool], what: str) -> float:
    while not done():
        if time.perf_counter() - started > LONGEST_WAIT:
            raise BenchError(f"{what} was not followed in time")
        time.sleep(0.01)
    return time.perf_counter() - started


def _found(word: str) -> list[str]:
    """The numbers of the listings that a search for exactly this word finds."""
    page = queries.search(PUBLIC, SearchForm(q=word))
    db.session.remove()
    return [item.no for item in page.page.items[: page.exact]]
