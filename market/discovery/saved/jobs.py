"""The task that tells what is new: kept searches are run against a small index of the new listings.

Which searches are due, what each finds and the words of its message are worked out without a
transaction, a piece of them at a time; then the piece is written in one: the mark of each search,
guarded by what it was, what it told, and the message. Killed anywhere, a piece is done entirely
or not at all, and what is not done is simply still due.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from flask import Flask, current_app
from sqlalchemy import Table, func, insert, select, update

from market.accounts.people.models import Person
from market.catalogue.models import Listing
from market.core import clock, leases
from market.core.db import db
from market.core.instance import under_maintenance
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from market.discovery.asking import Places
from market.discovery.saved import fresh, letters, rules
from market.discovery.saved.models import SavedHit, SavedSearch
from search_index import Engine, Hit

PIECE = 100  # searches that are written in one transaction
CHUNK = 500  # values of one statement
LEASE = timedelta(minutes=5)  # how long others wait for a process that was killed
_NAME = "saved searches"
MATCH = policy.declare("discovery:saved:match")
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Due:
    """A search whose digest is due, and the end of the time it is about."""

    row: Any
    until: datetime


@dataclass(frozen=True)
class News:
    """What a search found: how many in all, and the best."""

    total: int
    hits: Sequence[Hit]


@dataclass
class Run:
    """One run over all that is due: the index, and what was found already."""

    engine: Engine
    # Searches that ask the same of the same time are asked once.
    found: dict[tuple[str, datetime, datetime], News] = field(default_factory=dict)
    places: dict[tuple[str, ...], Places] = field(default_factory=dict)

    def news(self, due: Due) -> News:
        """What a search finds among what is new to it."""
        key = (due.row.query, due.row.told_until, due.until)
        if key not in self.found:
            form = rules.form_of(due.row.query)
            if form.region not in self.places:
                self.places[form.region] = fresh.places_for(form)
            page = fresh.news(
                self.engine, form, self.places[form.region], due.row.told_until, due.until
            )
            self.found[key] = News(page.total, page.hits)
        return self.found[key]


class Matcher:
    """Works off what is due in a thread, so that the index and the mail need not wait for it."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def run(self) -> bool:
        """Begin when something is due and nothing is being done; returns at once."""
        if (self._thread is not None and self._thread.is_alive()) or not _oldest_mark():
            return False
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=_in_thread, args=(app,), name=_NAME, daemon=True)
        self._thread.start()
        return False


def _in_thread(app: Flask) -> None:
    with app.app_context():
        try:
            match_due()
        except Exception:
            log.exception("saved searches failed")


def match_due() -> int:
    """Tell what is new of every search that is due; returns how many searches were looked at."""
    oldest = _oldest_mark()
    db.session.rollback()
    if oldest is None or not _hold():
        return 0
    done = 0
    try:
        with fresh.opened(oldest, _hold) as engine:
            run = Run(engine)
            while count := _piece(run, oldest):
                done += count
                if under_maintenance(current_app.extensions["market"].settings.instance):
                    break
                if not _hold():
                    break
    finally:
        leases.hold(_NAME, _holder(), timedelta(0))
    log.info("saved searches told", searches=done)
    return done


def _holder() -> str:
    return f"{current_app.extensions['market'].settings.node}:{os.getpid()}"


def _hold() -> bool:
    return leases.hold(_NAME, _holder(), LEASE)


def _due() -> tuple[Any, ...]:
    return (SavedSearch.next_at <= clock.now(), Person.state == "active")


def _oldest_mark() -> datetime | None:
    """From when on listings are new to a search that is due; None when none is due."""
    query = select(func.min(SavedSearch.told_until)).join(SavedSearch.person).where(*_due())
    found: datetime | None = db.session.scalar(query)
    return found


def _piece(run: Run, oldest: datetime) -> int:
    """Do some of what is due; returns how many searches that were."""
    columns = (
        SavedSearch.id,
        SavedSearch.person_id,
        SavedSearch.name,
        SavedSearch.query,
        SavedSearch.rhythm,
        SavedSearch.language,
        SavedSearch.told_until,
    )
    query = (
        select(*columns)
        .join(SavedSearch.person)
        # One whose mark lies before the index began waits for the next run.
        .where(*_due(), SavedSearch.told_until >= oldest)
        .order_by(SavedSearch.next_at, SavedSearch.id)
        .limit(PIECE)
    )
    settled = clock.now() - rules.GRACE
    rows = db.session.execute(query).all()
    due = [Due(row, rules.edition_before(row.rhythm, settled)) for row in rows]
    found = [_untold(one, run.news(one)) for one in due]
    db.session.rollback()
    if due:
        _write(found)
    return len(due)


def _untold(due: Due, news: News) -> tuple[Due, News]:
    """Leave out what the search told before; nobody else writes that while the lease is held."""
    told: set[int] = set()
    for some in _chunks([_id(hit) for hit in news.hits]):
        query = select(SavedHit.listing_id).where(
            SavedHit.search_id == due.row.id, SavedHit.listing_id.in_(some)
        )
        told |= set(db.session.scalars(query))
    return due, _without(news, [hit for hit in news.hits if _id(hit) not in told])


def _without(news: News, left: Sequence[Hit]) -> News:
    return News(news.total - len(news.hits) + len(left), left)


def _write(found: Sequence[tuple[Due, News]]) -> None:
    keys = {_id(hit) for _, news in found for hit in news.hits}
    with unit_of_work(SYSTEM) as work:
        work.require(MATCH)
        public = _still_public(keys)
        hits: list[dict[str, Any]] = []
        for due, news in found:
            if not _move(due):
                continue  # its owner paused, resumed or deleted it meanwhile
            left = _without(news, [hit for hit in news.hits if _id(hit) in public])
            if left.hits:
                _tell(due, left)
                hits += _rows(due, left)
        if hits:
            table = cast(Table, SavedHit.__table__)
            db.session.connection().execute(insert(table), hits)


def _move(due: Due) -> bool:
    moved = db.session.execute(
        update(SavedSearch)
        .where(
            SavedSearch.id == due.row.id,
            SavedSearch.told_until == due.row.told_until,
            SavedSearch.next_at <= clock.now(),
        )
        .values(
            told_until=max(due.until, due.row.told_until),
            next_at=rules.due_after(due.row.rhythm, due.until),
        )
        .execution_options(synchronize_session=False)
    )
    return bool(moved.rowcount)  # type: ignore[attr-defined]


def _tell(due: Due, news: News) -> None:
    letters.tell_news(due.row, news.total, news.hits, due.until)


def _rows(due: Due, news: News) -> list[dict[str, Any]]:
    return [
        {
            "search_id": due.row.id,
            "listing_id": _id(hit),
            "told_at": due.until,
            "position": position,
        }
        for position, hit in enumerate(news.hits)
    ]


def _id(hit: Hit) -> int:
    return int(hit.key.partition(":")[2])


def _still_public(keys: set[int]) -> set[int]:
    """Which of these listings are public now: some may have been withdrawn since the index began."""
    found: set[int] = set()
    for some in _chunks(sorted(keys)):
        query = select(Listing.id).where(Listing.id.in_(some), Listing.state == "published")
        found |= set(db.session.scalars(query))
    return found


def _chunks(values: Sequence[int]) -> list[Sequence[int]]:
    return [values[start : start + CHUNK] for start in range(0, len(values), CHUNK)]
