"""What is published, for machines that look again and again: feeds of news, maps of the site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from market.catalogue import queries as catalogue
from market.core import clock
from market.core.pagination import PageOf
from market.core.permissions import Actor, Always, policy
from market.discovery import facets
from market.discovery.asking import places_of, request_for
from market.discovery.cards import Card, card
from market.discovery.engine import ask
from market.discovery.forms import SearchForm
from market.regions import queries as regions
from search_index import FacetRequest, SearchRequest

FOLLOW = policy.declare("discovery:feed:read", public=Always())
ENTRIES = 30
PART = 10_000  # listings of one part of the map, by their row numbers
_MOST_REGIONS = 10_000
# A tag URI (RFC 4151) names a day on which the site had its name.
_TAGGED = "2026"
_NEVER = datetime(2026, 1, 1, tzinfo=UTC)  # a feed without entries has to say something


@dataclass(frozen=True)
class Entry:
    """A listing in a feed. `id` never changes, `updated` only when the listing was revised."""

    id: str
    card: Card
    published: datetime
    updated: datetime


@dataclass(frozen=True)
class Feed:
    """The newest listings of a search."""

    id: str
    sentence: str
    address: str
    page: str
    updated: datetime
    entries: Sequence[Entry]


def pairs_of(form: SearchForm) -> str:
    """The filters of a search for an address, with the question mark; the order is a feed's own."""
    found = urlencode(form.pairs("sort"))
    return f"?{found}" if found else ""


def feed(actor: Actor, form: SearchForm, base_url: str) -> Feed:
    """The newest listings that a search finds, at most thirty.

    Args:
        form: the search; its page and order do not matter.
        base_url: the site's own, for ids.

    Raises:
        IndexMissing: there is no index yet.
    """
    policy.require(actor, FOLLOW)
    newest = form.but(sort="newest", per_page=ENTRIES)
    places = places_of(form)
    found = ask(replace(request_for(newest, places, ()), highlight=False))
    listed: PageOf[Card] = PageOf((), found.total, 1, ENTRIES, found.total_is)
    tag = f"tag:{urlsplit(base_url).hostname},{_TAGGED}:"
    entries = _entries([card(hit, clock.today()) for hit in found.hits], tag)
    asked = pairs_of(form)
    return Feed(
        id=f"{tag}feed{asked}",
        sentence=facets.sentence(listed, form, places),
        address=f"/feed.atom{asked}",
        page=f"/search{asked}",
        updated=max((one.updated for one in entries), default=_NEVER),
        entries=entries,
    )


def _entries(found: Sequence[Card], tag: str) -> list[Entry]:
    moments = catalogue.moments([one.no for one in found])
    return [Entry(tag + one.no, one, *moments[one.no]) for one in found if one.no in moments]


def parts(actor: Actor) -> int:
    """How many parts the map of listings has; one more after every 10,000 row numbers."""
    policy.require(actor, FOLLOW)
    return -(-catalogue.last_id(actor) // PART)


def part(actor: Actor, number: int) -> list[tuple[str, datetime]]:
    """Addresses of the public listings of a part (from 1), each with its last change."""
    policy.require(actor, FOLLOW)
    return catalogue.addresses(actor, (number - 1) * PART, number * PART)


def pages(actor: Actor) -> list[str]:
    """Addresses of the fixed pages, and of all places that have a listing."""
    policy.require(actor, FOLLOW)
    fixed = ["/", "/search?kind=achievement", "/search?kind=demand", "/regions", "/organisations"]
    counted = ask(SearchRequest(facets=[FacetRequest("region", _MOST_REGIONS)], limit=0))
    # Beside ids there are other marks of a place.
    ids = [int(key) for key, _ in counted.facets["region"] if key.isdecimal()]
    return fixed + sorted(f"/regions/{code}" for code, _ in regions.short_names(ids).values())
