"""Reading saved searches: one's own, and what was new in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from market.catalogue import queries as catalogue
from market.catalogue.models import Listing
from market.catalogue.queries import ListingView
from market.core.db import db
from market.core.errors import NotFound
from market.core.pagination import LISTINGS_PER_PAGE, PageOf
from market.core.permissions import Actor, Mine, policy
from market.discovery import facets
from market.discovery.asking import Places, request_for
from market.discovery.engine import ask
from market.discovery.forms import SearchForm
from market.discovery.saved.fresh import only_all_terms, places_for
from market.discovery.saved.messages import read_stop_word
from market.discovery.saved.models import SavedHit, SavedSearch

READ = policy.declare("discovery:saved:read", person=Mine())


@dataclass(frozen=True)
class Told:
    """A listing that a digest named; `listing` is None when it is not public any more."""

    no: str
    told_at: datetime
    listing: ListingView | None


def mine(actor: Actor) -> list[SavedSearch]:
    """One's own saved searches, the newest first; a person has few."""
    query = select(SavedSearch).where(policy.where(actor, READ, SavedSearch))
    return list(db.session.scalars(query.order_by(SavedSearch.id.desc())))


def counts(keys: Sequence[int]) -> dict[int, int]:
    """How many listings each search ever told of."""
    query = select(SavedHit.search_id, func.count()).where(SavedHit.search_id.in_(keys))
    return {key: count for key, count in db.session.execute(query.group_by(SavedHit.search_id))}  # noqa: C416


def get(actor: Actor, key: int, permission: str = READ) -> SavedSearch:
    """One of one's own.

    Raises:
        NotFound: there is none of this id, or it is somebody else's.
    """
    query = select(SavedSearch).where(SavedSearch.id == key)
    found = db.session.scalar(query.where(policy.where(actor, permission, SavedSearch)))
    if found is None:
        raise NotFound("没有这项订阅，可能已经删除。")
    return found


def news(actor: Actor, key: int, page: int) -> PageOf[Told]:
    """What the digests of a search named, the newest digest first."""
    get(actor, key)
    total = db.session.scalar(select(func.count()).where(SavedHit.search_id == key)) or 0
    query = (
        select(Listing.no, SavedHit.told_at)
        .join(Listing, Listing.id == SavedHit.listing_id)
        .where(SavedHit.search_id == key)
        .order_by(SavedHit.told_at.desc(), SavedHit.position)
        .limit(LISTINGS_PER_PAGE)
        .offset((page - 1) * LISTINGS_PER_PAGE)
    )
    rows = db.session.execute(query).all()
    public = catalogue.several(actor, [row.no for row in rows])
    items = [Told(row.no, row.told_at, public.get(row.no)) for row in rows]
    return PageOf(items, total, page, LISTINGS_PER_PAGE)


def said(form: SearchForm, places: Places | None = None) -> str:
    """A search in words."""
    places = places or places_for(form)
    parts = [f"含「{form.q}」"] if form.q else []
    parts += [facets.label_of("kind", value, places) for value in form.kind]
    parts += [words for words, _ in facets.chosen_filters(form, places)]
    return "；".join(parts) or "全部信息"


def found_now(form: SearchForm) -> int:
    """How many listings hold all words of a search today.

    Raises:
        IndexMissing: there is no index yet.
    """
    return ask(only_all_terms(request_for(form, places_for(form), ()), 0)).total


def by_stop_word(word: str) -> tuple[int, str, bool]:
    """Id and name of the search that a word stops, and whether it still tells.

    Raises:
        NotFound: nobody made this word, or the search is gone.
    """
    key = read_stop_word(word)
    row = db.session.get(SavedSearch, key) if key is not None else None
    if row is None:
        raise NotFound("没有这项订阅，可能已经删除，今后不会再发。")
    return row.id, row.name, row.paused_at is None
