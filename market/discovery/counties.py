"""A county's own market: what it recommends, what it builds on, and its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from market.catalogue import pin_queries
from market.catalogue.pin_queries import PinView
from market.core.permissions import Actor, policy
from market.discovery.engine import ask
from market.discovery.forms import SearchForm
from market.discovery.queries import SEARCH
from market.regions import queries as regions
from market.regions.queries import RegionView
from search_index import FacetRequest, SearchRequest

MOST_NEIGHBOURS = 30  # no prefecture has more counties


@dataclass(frozen=True)
class Industry:
    """A leading industry with the listings of the whole market that belong to it."""

    name: str
    keywords: Sequence[str]
    count: int
    url: str


@dataclass(frozen=True)
class County:
    """What a place's page shows beside its newest; neighbours lie in the same prefecture."""

    pins: Sequence[PinView]
    industries: Sequence[Industry]
    neighbours: Sequence[tuple[RegionView, int]]


def county(actor: Actor, place: RegionView) -> County:
    """The own market of a place.

    Raises:
        IndexMissing: there is no index yet.
    """
    policy.require(actor, SEARCH)
    leading = regions.leading_industries([place.id])
    beside = regions.siblings(place.id, MOST_NEIGHBOURS) if place.level == "county" else []
    facets = [
        FacetRequest(name, len(values), values)
        for name, values in (
            ("leading", tuple(one.value for one in leading)),
            ("region", tuple(str(one.id) for one in beside)),
        )
        if values
    ]
    found = ask(SearchRequest(facets=facets, limit=0)).facets if facets else {}
    belonging, lying = dict(found.get("leading", ())), dict(found.get("region", ()))
    return County(
        pins=pin_queries.pins(actor, place.id),
        industries=[
            Industry(
                one.name,
                one.keywords,
                belonging.get(one.value, 0),
                SearchForm(leading=(one.value,)).address(),
            )
            for one in leading
        ],
        neighbours=[(one, lying.get(str(one.id), 0)) for one in beside],
    )
