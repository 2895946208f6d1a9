"""From what a reader chose to what the engine is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from market.catalogue import queries as catalogue
from market.core import clock
from market.discovery import periods
from market.discovery.forms import ENGINE_SORTS, FILTERS, SearchForm
from market.regions import queries as regions
from market.regions.models import Region
from search_index import FacetRequest, Range, SearchRequest

NOWHERE = "-"  # a value that no document has
_DAY = 86_400  # seconds
MOST_COUNTED = 1_000  # values of a code list that are counted
LEADING_COUNTED = 300  # names of leading industries, each also beside its counties
# The filter `date` is held as years, months and days.
_FIELDS = {"date": "published"}


@dataclass(frozen=True)
class Places:
    """Regions that a search names, and what a reader may choose from next.

    chosen: by code as asked, which may be a former one. families: id, code, name and parent of
    the provinces and of all that lies below a chosen region. leading: value and name of the chosen county's leading industries. near: where results
    begin that are asked for from near to far.
    """

    chosen: Mapping[str, Region]
    families: Sequence[tuple[int, str, str, int | None]] = ()
    leading: Sequence[tuple[str, str]] = ()
    near: Region | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids to filter by: a region inside another chosen one narrows it."""
        paths = {region.path: str(region.id) for region in self.chosen.values()}
        return tuple(
            key
            for path, key in paths.items()
            if not any(other != path and other.startswith(path) for other in paths)
        )

    @property
    def innermost(self) -> Region | None:
        """The chosen region that lies deepest."""
        return max(self.chosen.values(), key=lambda one: len(one.path_ids), default=None)


EVERYWHERE = Places({})


def by_codes(codes: Sequence[str]) -> dict[str, Region]:
    """Regions by the codes asked for, present or former; unknown ones are passed over."""
    found = {region.code: region for region in regions.by_codes(codes)} if codes else {}
    if missing := set(codes) - set(found):
        by_id = {region.id: region for region in found.values()}
        former = regions.former_codes(missing)
        found |= {code: by_id[key] for code, key in former.items()}
    return {code: found[code] for code in codes if code in found}


def places_of(form: SearchForm) -> Places:
    """The regions of a search, with what lies below them."""
    named = by_codes([*form.region, form.near] if form.near else form.region)
    above = {key for region in named.values() for key in region.path_ids}
    chosen = {code: region for code, region in named.items() if code in form.region}
    counties = [one for one in chosen.values() if one.level in {"county", "township"}]
    leading = []
    if counties:
        ids = {key for one in counties for key in one.path_ids}
        leading = [(one.value, one.name) for one in regions.leading_industries(ids)]
    made = Places(chosen, regions.families(above), leading)
    return replace(made, near=named.get(form.near) if form.near else made.innermost)


def filters_of(form: SearchForm, places: Places) -> dict[str, Sequence[str]]:
    """Values by field of the index. What does not exist finds nothing rather than everything."""
    filters: dict[str, Sequence[str]] = {}
    for name in FILTERS:
        if values := getattr(form, name):
            filters[_FIELDS.get(name, name)] = _held(name, values, places) or (NOWHERE,)
    if form.owner:
        filters["owner"] = form.owner
    return filters


def _held(name: str, values: Sequence[str], places: Places) -> Sequence[str]:
    """The values of the index that chosen ones stand for."""
    if name == "region":
        return places.ids
    if name == "industry":  # one inside another chosen one narrows it, as with regions
        wider = {code for value in values for code in catalogue.above("industry", value)}
        return [value for value in values if value not in wider]
    if name == "date":
        today = clock.today()
        return list(dict.fromkeys(one for v in values for one in periods.covering(v, today)))
    return values


def _ranges(form: SearchForm) -> dict[str, Range]:
    if form.since is None and form.until is None:
        return {}
    first = None if form.since is None else periods.midnight(form.since)
    last = None if form.until is None else periods.midnight(form.until) + _DAY - 1
    return {"date": Range(first, last)}


def facet_request(name: str, places: Places, values: Sequence[str] | None = None) -> FacetRequest:
    """What is counted for a filter: what its group offers, or just these values of the index."""
    if values is not None:
        return FacetRequest(name, max(1, len(values)), tuple(values))
    if name == "region":
        return FacetRequest("region", MOST_COUNTED, tuple(str(row[0]) for row in places.families))
    if name == "leading" and places.leading:
        return FacetRequest("leading", values=tuple(value for value, _ in places.leading))
    if name == "leading":
        return FacetRequest("leading", LEADING_COUNTED)
    if name == "date":
        today = clock.today()
        parts = {one for v in periods.offered(today) for one in periods.covering(v, today)}
        return FacetRequest("published", len(parts), tuple(sorted(parts)))
    return FacetRequest(name, MOST_COUNTED)


def request_for(
    form: SearchForm, places: Places, facets: Collection[str] = tuple(FILTERS)
) -> SearchRequest:
    """What the engine is asked for a page, with the counts of some filters."""
    return SearchRequest(
        query=form.q,
        filters=filters_of(form, places),
        ranges=_ranges(form),
        facets=[facet_request(name, places) for name in facets],
        # From near to far is asked for ring by ring; inside a ring it is the usual order.
        sort=ENGINE_SORTS[form.usual_order if form.order == "near" else form.order],
        offset=(form.page - 1) * form.per_page,
        limit=form.per_page,
        after=form.after,
    )


def counted(
    name: str, chosen: Sequence[str], found: Mapping[str, Sequence[tuple[str, int]]]
) -> dict[str, int]:
    """Counts by value of a filter, from the counts by field of the index."""
    counts = dict(found.get(_FIELDS.get(name, name), ()))
    if name != "date":
        return counts
    # Every listing has one day only, so the parts of a span add up.
    today = clock.today()
    return {
        value: sum(counts.get(part, 0) for part in periods.covering(value, today))
        for value in periods.offered(today, chosen)
    }
