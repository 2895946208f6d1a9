"""What became visible lately, in a small index of its own that is thrown away afterwards.

A listing is new from the moment when readers could first find it: when it was published, or, for
one that came with an import, when that import was done. Its later edits, and coming back after it
was withdrawn, do not make it new.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from market.catalogue.models import Listing
from market.catalogue.queries import synonym_groups
from market.core.db import db
from market.core.models import ImportRun
from market.core.ports import Market
from market.discovery.asking import Places, by_codes, request_for
from market.discovery.engine import schema
from market.discovery.forms import SearchForm
from search_index import Document, Engine, Page, Range, SearchRequest, open_engine
from search_index.model import MAX_LIMIT

FOLDER = "fresh"  # below the instance; what a killed process left there is removed
BATCH = 500


def first_seen(since: datetime) -> dict[int, datetime]:
    """Public listings that could first be found after a moment, each with when."""
    published = select(Listing.id, Listing.published_at).where(
        Listing.state == "published", Listing.published_at > since
    )
    found = {key: at for key, at in db.session.execute(published) if at is not None}
    # What an import staged bears the time at which it was read; it was seen when the import ended.
    imported = (
        select(Listing.id, ImportRun.finished_at)
        .join(ImportRun, ImportRun.id == Listing.import_id)
        .where(
            Listing.state == "published",
            ImportRun.finished_at > since,
            Listing.created_at >= ImportRun.started_at,
        )
    )
    for key, at in db.session.execute(imported):
        if at is not None:
            found[key] = max(at, found.get(key, at))
    return found


@contextmanager
def opened(since: datetime, alive: Callable[[], object]) -> Iterator[Engine]:
    """An index of what could first be found after a moment; `date` in it is that moment.

    Args:
        alive: called now and then while it is filled.
    """
    market: Market = current_app.extensions["market"]
    folder = Path(market.settings.instance) / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    seen = first_seen(since)
    db.session.rollback()
    try:
        with open_engine(
            market.settings.search_engine,
            folder,
            schema(market),
            synonyms=synonym_groups(),
            writable=True,
        ) as engine:
            engine.rebuild(_documents(market, seen, alive))
            yield engine
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _documents(
    market: Market, seen: Mapping[int, datetime], alive: Callable[[], object]
) -> Iterator[Document]:
    ids = sorted(seen)
    for start in range(0, len(ids), BATCH):
        alive()
        found = market.searchables["listing"].load(ids[start : start + BATCH])
        db.session.rollback()  # no transaction is held while the engine works
        db.session.expunge_all()
        for key, document in found.items():
            numbers = {**document.numbers, "date": int(seen[key].timestamp())}
            yield replace(document, numbers=numbers)


def places_for(form: SearchForm) -> Places:
    """The places of a search, as far as finding needs them."""
    return Places(by_codes(form.region))


def only_all_terms(request: SearchRequest, limit: int) -> SearchRequest:
    """The request of the page, but for what holds all words: parts of them are no news."""
    return replace(request, match="all", limit=limit, offset=0, highlight=False)


def news(
    engine: Engine, form: SearchForm, places: Places, after: datetime, until: datetime
) -> Page:
    """What a search finds among what could first be found in a time, best first, at most 200."""
    request = only_all_terms(request_for(form, places, ()), MAX_LIMIT)
    seconds = Range(int(after.timestamp()) + 1, int(until.timestamp()))
    return engine.search(replace(request, ranges={**request.ranges, "date": seconds}))
