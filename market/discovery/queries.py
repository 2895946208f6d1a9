"""Finding listings: one engine request a page, at most a handful of SQL statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from market.accounts.queries import Contact
from market.catalogue.models import KINDS
from market.core import clock
from market.core.pagination import PageOf
from market.core.permissions import Actor, Always, policy
from market.discovery import facets, ways
from market.discovery.asking import (
    EVERYWHERE,
    Places,
    by_codes,
    facet_request,
    places_of,
    request_for,
)
from market.discovery.cards import Card, cards_of
from market.discovery.engine import ask
from market.discovery.facets import FacetValue, FacetView
from market.discovery.forms import FILTERS, SearchForm
from market.discovery.near import find
from market.discovery.ways import Way
from market.regions import queries as regions
from market.regions.queries import RegionView
from search_index import FacetRequest, Page, SearchRequest

SEARCH = policy.declare("discovery:listing:search", public=Always())

MOST_VALUES = 100  # of a group on one page of its own


@dataclass(frozen=True)
class SearchPage:
    """Everything a search page shows."""

    form: SearchForm
    page: PageOf[Card]
    facets: Sequence[FacetView]
    chosen: Sequence[tuple[str, str]]
    sentence: str
    notes: Sequence[str]
    loosened: bool
    exact: int
    ways: Sequence[Way]
    telephone: Contact | None


@dataclass(frozen=True)
class FacetPage:
    """All values of one group. `within`: the words looked for among them; `kept`: values that
    are chosen but not on this page."""

    form: SearchForm
    facet: FacetView
    page: PageOf[FacetValue]
    within: str
    kept: Sequence[str]
    chosen: Sequence[tuple[str, str]]
    sentence: str
    notes: Sequence[str]


def search(actor: Actor, form: SearchForm, shown: int = facets.SHOWN) -> SearchPage:
    """Search published listings.

    Args:
        form: words, filters, order and page.
        shown: most values of each level of a group of filters.

    Raises:
        IndexMissing: there is no index yet.
    """
    policy.require(actor, SEARCH)
    places = places_of(form)
    found = find(form, places, tuple(FILTERS))
    page = _page(form, found)
    nothing = not found.total
    loosened = found.matched == "any" and bool(form.q) and not nothing
    return SearchPage(
        form=form,
        page=page,
        facets=facets.views(form, found, places, shown),
        chosen=facets.chosen_filters(form, places),
        sentence=facets.sentence(page, form, places, loosened=facets.holds_parts(form, found)),
        notes=facets.notes(form, found, places),
        loosened=loosened,
        exact=found.total_all,
        ways=ways.ways_out(facets.known(form, found, places), form, places) if nothing else (),
        telephone=ways.telephone(places) if nothing else None,
    )


def facet_page(actor: Actor, form: SearchForm, name: str, within: str = "") -> FacetPage:
    """All values of one group of filters, with counts; `form.page` is the page of values.

    Args:
        name: one of FILTERS.
        within: only values whose name holds these words.

    Raises:
        IndexMissing: there is no index yet.
    """
    policy.require(actor, SEARCH)
    places = places_of(form)
    nodes = facets.matching(name, within) if within else None
    counted = facet_request(name, places, None if nodes is None else [one.key for one in nodes])
    found = ask(replace(request_for(form.but(), places, ()), facets=[counted], limit=0))
    view = facets.full_view(name, form, found, places, nodes, within)
    first = (form.page - 1) * MOST_VALUES
    shown = view.values[first : first + MOST_VALUES]
    here = {value.value for value in shown}
    listed: PageOf[Card] = PageOf((), found.total, 1, form.per_page, found.total_is)
    return FacetPage(
        form=form,
        facet=replace(view, values=shown),
        page=PageOf(shown, len(view.values), form.page, MOST_VALUES),
        within=within,
        kept=[value for value in getattr(form, name) if value not in here],
        chosen=facets.chosen_filters(form, places),
        sentence=facets.sentence(listed, form, places),
        notes=form.notes,
    )


def cards(actor: Actor, form: SearchForm) -> PageOf[Card]:
    """A page of cards alone, without facets: for lists outside the search page."""
    policy.require(actor, SEARCH)
    places = places_of(form) if form.order == "near" else Places(by_codes(form.region))
    return _page(form, find(form, places))


def owned_by(actor: Actor, owner_id: int, page: int) -> tuple[PageOf[Card], dict[str, int]]:
    """A page of an owner's listings, newest first, and how many there are of each kind."""
    policy.require(actor, SEARCH)
    form = SearchForm(owner=(str(owner_id),), sort="newest", page=page)
    found = ask(request_for(form, EVERYWHERE, ("kind",)))
    return _page(form, found), dict(found.facets["kind"])


def _page(form: SearchForm, found: Page) -> PageOf[Card]:
    today = clock.today()
    items = cards_of(found.hits, today)
    return PageOf(items, found.total, form.page, form.per_page, found.total_is, found.next_after)


@dataclass(frozen=True)
class Overview:
    """The newest of a place; figures as (label, number, address); places as (code, name, count)."""

    newest_achievements: Sequence[Card]
    newest_demands: Sequence[Card]
    figures: Sequence[tuple[str, int, str]]
    places: Sequence[tuple[str, str, int]]


def overview(actor: Actor, region: RegionView | None = None, newest: int = 5) -> Overview:
    """The newest listings and the figures of a region, or of the whole market."""
    policy.require(actor, SEARCH)
    codes = (region.code,) if region else ()
    within = {"region": (str(region.id),)} if region else {}
    below = regions.children(region.id) if region else regions.provinces()
    lists = {}
    for kind in KINDS:
        request = SearchRequest(
            filters={"kind": (kind,), **within}, sort="-date", limit=newest, highlight=False
        )
        lists[kind] = ask(request)
    counted = ask(
        SearchRequest(
            filters=within,
            facets=[FacetRequest("region", 400, tuple(str(one.id) for one in below))],
            limit=0,
        )
    )
    counts = dict(counted.facets.get("region", ()))
    figures = [
        (label, lists[kind].total, SearchForm(kind=(kind,), region=codes).address())
        for kind, label in KINDS.items()
    ]
    today = clock.today()
    return Overview(
        cards_of(lists["achievement"].hits, today),
        cards_of(lists["demand"].hits, today),
        figures,
        [
            (one.code, one.short_name if region is None else one.name, counts[str(one.id)])
            for one in below
            if counts.get(str(one.id))
        ],
    )
