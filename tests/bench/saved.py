"""Saved searches: 10,000 of them over a day with 500 new listings, as the worker tells them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, insert, select, update

from market.catalogue.models import Listing
from market.core import clock
from market.core import unit_of_work as units
from market.core.db import db
from market.core.models import ImportRun, OutboxRow
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from market.discovery.engine import ask
from market.discovery.indexer import Indexer
from market.discovery.saved import fresh, jobs, rules
from market.discovery.saved.models import SavedHit, SavedSearch
from market.notifications.notifying import notify
from tests import people
from tests.bench.figures import Figure, at_most, plain
from tests.bench.instance import BenchError, Instance
from tests.bench.listings import World, write_jsonl

SEARCHES, NEW, OLD, SAMPLE = 10_000, 500, 9_500, 300
EACH = 5  # searches of one person
MOST_SECONDS = 300.0
FILL = policy.declare("tests:saved:fill")
DEFINITIONS = """\
A market of 10,000 listings, of which 500 became visible on the day before; 10,000 searches of 2,000
people, with words and filters as readers choose them, every tenth the same as another's. Told: the
worker's task from its first statement to its last, the small index included. Into inboxes: the
messages it asked for carried on by the task that writes inboxes and mails. Compared: 300 searches,
each searched in the whole index for all its words and restricted to the new listings."""


def run(folder: Path, scale: float) -> Iterator[Figure]:
    """All figures; `scale`: share of searches and listings."""
    searches, new = max(60, int(SEARCHES * scale)), max(20, int(NEW * scale))
    instance = Instance(folder / "market")
    try:
        with instance.app.app_context():
            fresh_ids = _listings(instance, new, max(100, int(OLD * scale)))
            keys = _searches(searches)
            yield plain("searches / new listings", f"{searches:,} / {len(fresh_ids):,}")
            longest, seconds = _tell(searches)
            told = db.session.scalar(select(func.count()).select_from(SavedHit)) or 0
            said = _said()
            yield plain("digests / listings in them", f"{len(said):,} / {told:,}")
            yield at_most("all searches told, in the worker", seconds, MOST_SECONDS, "s", 1)
            yield at_most("longest transaction of these", longest, units.LONGEST_WRITE, "s", 2)
            started = time.perf_counter()
            while notify():
                pass
            yield plain("their messages into inboxes", f"{time.perf_counter() - started:.1f} s")
            sample = random.Random(3).sample(sorted(keys), min(SAMPLE, len(keys)))
            wrong = [
                key for key in sample if not _right(key, keys[key], fresh_ids, said.get(key, 0))
            ]
            figure = at_most("digests other than searching each one", len(wrong), 0, "")
            yield Figure(figure.name, figure.asked, f"{len(wrong)} of {len(sample)}", figure.ok)
    finally:
        instance.close()


def _listings(instance: Instance, new: int, old: int) -> set[int]:
    """Import listings, let all but the last ones be old, index them; returns the new ones' ids."""
    world = World.read()
    db.session.rollback()
    for kind, rows in (
        ("organisations", world.owners),
        ("achievements", world.rows("achievement", old + new, 5)),
    ):
        path = write_jsonl(instance.folder / f"{kind}.jsonl", rows)
        instance.run("import", kind, str(path))
    edition = rules.edition_before("daily", clock.now() - rules.GRACE)
    ids = list(db.session.scalars(select(Listing.id).order_by(Listing.id)))
    if len(ids) != old + new:
        raise BenchError(f"{len(ids)} listings instead of {old + new}")
    long_ago = edition - timedelta(days=30)
    last = {key: edition - timedelta(minutes=2 * at) for at, key in enumerate(ids[-new:])}
    with unit_of_work(SYSTEM, may_be_long=True) as work:
        work.require(FILL)
        db.session.execute(update(ImportRun).values(started_at=long_ago, finished_at=long_ago))
        db.session.execute(update(Listing).values(published_at=long_ago, created_at=long_ago))
        db.session.execute(
            update(Listing), [{"id": key, "published_at": at} for key, at in last.items()]
        )
    indexer = Indexer()
    indexer.run()
    indexer.close()
    return set(last)


def _searches(count: int) -> dict[int, str]:
    """Keep searches, due now; returns their texts by id."""
    now = rules.whole_second(clock.now())
    edition = rules.edition_before("daily", now - rules.GRACE)
    chance, queries = random.Random(9), []
    for form in World.read().searches(count):
        same = queries and chance.random() < 0.1
        queries.append(chance.choice(queries) if same else rules.kept_query(form))
    db.session.rollback()
    owners = [people.person(email="x", email_key=f"x{n}").id for n in range(-(-count // EACH))]
    rows: list[Mapping[str, object]] = [
        {
            "person_id": owners[at // EACH],
            "name": f"第 {at} 个",
            "query": query,
            "said": query,
            "rhythm": "daily",
            "language": "zh" if at % 10 else "en",
            "told_until": edition - timedelta(days=1),
            "next_at": edition + rules.GRACE,
            "created_at": now,
            "lock_version": 1,
        }
        for at, query in enumerate(queries)
    ]
    with unit_of_work(SYSTEM, may_be_long=True) as work:
        work.require(FILL)
        db.session.execute(insert(SavedSearch), rows)
    found = db.session.execute(select(SavedSearch.id, SavedSearch.query))
    return {key: query for key, query in found}  # noqa: C416


def _tell(count: int) -> tuple[float, float]:
    """Let the worker's task tell all; the longest hold of the write lock and the whole time."""
    held, write = [0.0], jobs._write

    def timed_write(found: object) -> None:
        started = time.perf_counter()
        write(found)  # type: ignore[arg-type]
        held.append(time.perf_counter() - started)

    jobs._write = timed_write
    try:
        started = time.perf_counter()
        done = jobs.match_due()
        seconds = time.perf_counter() - started
    finally:
        jobs._write = write
    if done != count:
        raise BenchError(f"{done} searches told instead of {count}")
    return max(held), seconds


def _said() -> dict[int, int]:
    """How many new listings the message of each search speaks of."""
    query = select(OutboxRow.object_id, OutboxRow.payload).where(OutboxRow.consumer == "notify")
    found = db.session.execute(query)
    return {key: int((payload or {})["values"]["n"]) for key, payload in found}


def _right(key: int, query: str, new: set[int], said: int) -> bool:
    """Whether a digest counts what searching finds, and names it, up to what it can name."""
    expected = _expected(query, new)
    named = set(db.session.scalars(select(SavedHit.listing_id).where(SavedHit.search_id == key)))
    most = min(len(expected), fresh.MAX_LIMIT)
    return said == len(expected) and named <= expected and len(named) == most


def _expected(query: str, new: set[int]) -> set[int]:
    """What searching the whole index for all words finds among the new listings."""
    form = rules.form_of(query)
    request = fresh.request_for(form, fresh.places_for(form), ())
    request, found = fresh.only_all_terms(request, fresh.MAX_LIMIT), set()
    while True:
        page = ask(request)
        found |= {int(hit.key.partition(":")[2]) for hit in page.hits}
        if page.next_after is None:
            return found & new
        request = fresh.replace(request, after=page.next_after)
