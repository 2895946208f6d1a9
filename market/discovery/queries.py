"""Finding listings: one engine request a page, at most a handful of SQL statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from market.accounts import queries as accounts
from market.accounts.queries import Contact
from market.catalogue.models import KINDS
from market.catalogue.queries import vocabulary
from market.core import clock
from market.core.pagination import PageOf
from market.core.permissions import Actor, Always, policy
from market.discovery.cards import Card, card
from market.discovery.engine import ask
from market.discovery.forms import ENGINE_SORTS, FILTERS, SearchForm
from market.regions import queries as regions
from market.regions.models import Region
from market.regions.queries import RegionView
from search_index import FacetRequest, Page, SearchRequest

SEARCH = policy.declare("discovery:listing:search", public=Always())

LEGENDS = {
    "kind": "按类别筛选",
    "region": "按地区筛选",
    "field": "按技术领域筛选",
    "stage": "按所处阶段筛选",
    "mode": "按合作方式筛选",
}
MOST_WAYS = 5
NAMES = {
    "kind": "类别",
    "region": "地区",
    "field": "技术领域",
    "industry": "行业",
    "stage": "所处阶段",
    "mode": "合作方式",
}


@dataclass(frozen=True)
class FacetValue:
    """A value to choose. `depth` is 0 for provinces, 1 and 2 for what lies below a chosen one."""

    value: str
    label: str
    count: int
    chosen: bool
    depth: int = 0


@dataclass(frozen=True)
class FacetView:
    """A group of values; `name` is the parameter in the address."""

    name: str
    legend: str
    values: Sequence[FacetValue]


@dataclass(frozen=True)
class Way:
    """A concrete way out when nothing was found."""

    label: str
    url: str
    note: str = ""


@dataclass(frozen=True)
class SearchPage:
    """Everything a search page shows."""

    form: SearchForm
    page: PageOf[Card]
    facets: Sequence[FacetView]
    chosen: Sequence[tuple[str, str]]
    sentence: str
    loosened: bool
    exact: int
    ways: Sequence[Way]
    telephone: Contact | None


@dataclass(frozen=True)
class _Places:
    """Regions that a search names, and the families a reader may choose from next."""

    chosen: Mapping[str, Region]
    families: Sequence[tuple[int, str, str, int | None]]

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids to filter by: a region inside another chosen one narrows it."""
        paths = [region.path for region in self.chosen.values()]
        return tuple(
            str(region.id)
            for region in self.chosen.values()
            if not any(path != region.path and path.startswith(region.path) for path in paths)
        )

    @property
    def innermost(self) -> Region | None:
        """The chosen region that lies deepest."""
        return max(self.chosen.values(), key=lambda one: len(one.path_ids), default=None)


_EVERYWHERE = _Places({}, ())


def _regions(codes: Sequence[str]) -> dict[str, Region]:
    return {region.code: region for region in regions.by_codes(codes)} if codes else {}


def _places(form: SearchForm) -> _Places:
    chosen = _regions(form.region)
    above = {key for region in chosen.values() for key in region.path_ids}
    return _Places(chosen, regions.families(above))


def request_for(form: SearchForm, places: _Places, *, facets: bool = True) -> SearchRequest:
    """What the engine is asked for a page."""
    filters: dict[str, Sequence[str]] = {
        name: getattr(form, name) for name in FILTERS if name != "region" and getattr(form, name)
    }
    if form.region:
        # An unknown code finds nothing rather than everything.
        filters["region"] = places.ids or ("0",)
    if form.owner:
        filters["owner"] = form.owner
    asked = [FacetRequest("kind"), FacetRequest("field"), FacetRequest("stage")]
    asked.append(FacetRequest("mode"))
    asked.append(FacetRequest("region", 400, tuple(str(row[0]) for row in places.families)))
    return SearchRequest(
        query=form.q,
        filters=filters,
        facets=asked if facets else (),
        sort=ENGINE_SORTS[form.order],
        offset=(form.page - 1) * form.per_page,
        limit=form.per_page,
        after=form.after,
    )


def search(actor: Actor, form: SearchForm) -> SearchPage:
    """Search published listings.

    Args:
        form: words, filters, order and page.

    Raises:
        IndexMissing: there is no index yet.
    """
    policy.require(actor, SEARCH)
    places = _places(form)
    found = ask(request_for(form, places))
    page = _page(form, found)
    chosen = _chosen(form, places)
    nothing = not found.total
    return SearchPage(
        form=form,
        page=page,
        facets=_facets(form, found, places),
        chosen=chosen,
        sentence=_sentence(page, form, places),
        loosened=found.matched == "any" and bool(form.q) and found.total > 0,
        exact=found.total_all,
        ways=_ways(form, places) if nothing else (),
        telephone=_telephone(places) if nothing else None,
    )


def cards(actor: Actor, form: SearchForm) -> PageOf[Card]:
    """A page of cards alone, without facets: for lists outside the search page."""
    policy.require(actor, SEARCH)
    places = _Places(_regions(form.region), ())
    return _page(form, ask(request_for(form, places, facets=False)))


def owned_by(actor: Actor, owner_id: int, page: int) -> tuple[PageOf[Card], dict[str, int]]:
    """A page of an owner's listings, newest first, and how many there are of each kind."""
    policy.require(actor, SEARCH)
    form = SearchForm(owner=(str(owner_id),), sort="newest", page=page)
    request = replace(request_for(form, _EVERYWHERE, facets=False), facets=[FacetRequest("kind")])
    found = ask(request)
    return _page(form, found), dict(found.facets["kind"])


def _page(form: SearchForm, found: Page) -> PageOf[Card]:
    today = clock.today()
    items = [card(hit, today) for hit in found.hits]
    return PageOf(items, found.total, form.page, form.per_page, found.total_is, found.next_after)


def _label(name: str, value: str, places: _Places) -> str:
    if name == "region":
        return places.chosen[value].full_name if value in places.chosen else value
    return vocabulary(name).get(value, value)


def _chosen(form: SearchForm, places: _Places) -> list[tuple[str, str]]:
    """Each chosen filter in words, with the address that removes it."""
    pairs = []
    for name in FILTERS[1:]:  # the kind is chosen by the tabs above the list
        values = getattr(form, name)
        for value in values:
            rest = tuple(other for other in values if other != value)
            label = f"{NAMES[name]}：{_label(name, value, places)}"
            pairs.append((label, form.address(**{name: rest})))
    return pairs


def _sentence(page: PageOf[Card], form: SearchForm, places: _Places) -> str:
    """What is shown, as a plain sentence."""
    count = f"{page.total:,} 项" if page.total_is == "exact" else "1 万项以上"
    parts = [f"含「{form.q}」"] if form.q else []
    for name in FILTERS:
        if values := getattr(form, name):
            words = "或".join(_label(name, value, places) for value in values)
            parts.append(f"{NAMES[name]}为{words}")
    return f"显示 {count}" + (f"：{'，'.join(parts)}" if parts else "")


def _facets(form: SearchForm, found: Page, places: _Places) -> list[FacetView]:
    views = []
    for name in ("kind", "region", "field", "stage", "mode"):
        counts = dict(found.facets.get(name, ()))
        if name == "region":
            values = _region_values(form, counts, places)
        else:
            by_count = name in {"field", "mode"}
            values = _values(getattr(form, name), counts, vocabulary(name), by_count=by_count)
        if values:
            views.append(FacetView(name, LEGENDS[name], values))
    return views


def _values(
    chosen: Sequence[str], counts: Mapping[str, int], labels: Mapping[str, str], *, by_count: bool
) -> list[FacetValue]:
    values = [
        FacetValue(code, label, counts.get(code, 0), code in chosen)
        for code, label in labels.items()
        if counts.get(code) or code in chosen
    ]
    return sorted(values, key=lambda one: -one.count) if by_count else values


def _region_values(
    form: SearchForm, counts: Mapping[str, int], places: _Places
) -> list[FacetValue]:
    """Provinces, and below a chosen region its children, indented."""
    below: dict[int | None, list[tuple[int, str, str]]] = {}
    for key, code, name, parent in places.families:
        below.setdefault(parent, []).append((key, code, name))
    codes = {*form.region, *places.chosen}
    values: list[FacetValue] = []

    def add(parent: int | None, depth: int) -> None:
        shown = sorted(below.get(parent, ()), key=lambda row: -counts.get(str(row[0]), 0))
        for key, code, name in shown:
            count = counts.get(str(key), 0)
            if count or code in codes or key in below:
                values.append(FacetValue(code, name, count, code in codes, depth))
                add(key, depth + 1)

    add(None, 0)
    return values


def _telephone(places: _Places) -> Contact | None:
    """Who can be rung up when nothing was found: the office nearest to the chosen place."""
    place = places.innermost
    return accounts.contact_for(place.path_ids) if place else None


def _wider(form: SearchForm, places: _Places, inner: Region) -> tuple[str, SearchForm, _Places]:
    """The search in the region around, or in the whole country."""
    parent = inner.path_ids[-2:-1]
    around = _regions([code for key, code, *_ in places.families if [key] == parent])
    label = "扩大到上一级地区" if around else "扩大到全国"
    return label, replace(form, page=1, region=tuple(around)), _Places(around, ())


def _ways(form: SearchForm, places: _Places) -> list[Way]:
    """Concrete ways out of an empty list; those with listings behind them say how many."""
    tried: list[tuple[str, SearchForm, _Places]] = []
    narrowed = [name for name in FILTERS if getattr(form, name)]
    if form.q and narrowed:
        freed = replace(form, page=1, **dict.fromkeys(narrowed, ()))  # type: ignore[arg-type]
        tried.append(("去掉全部筛选，只按搜索词找", freed, _EVERYWHERE))
    if inner := places.innermost:
        tried.append(_wider(form, places, inner))
    words = form.q.split()
    if len(words) > 1:
        tried.append((f"只找「{words[0]}」", replace(form, page=1, q=words[0]), places))
    if form.kind:
        tried.append(("成果和需求一起找", replace(form, page=1, kind=()), places))
    ways = []
    for label, other, where in tried:
        request = request_for(other, where, facets=False)
        total = ask(replace(request, limit=0, after=None, highlight=False)).total
        if total:
            ways.append(Way(label, other.address(), f"{total:,} 项"))
    place = places.innermost
    market = Way(f"看看{place.name}的市场", f"/regions/{place.code}") if place else None
    return [
        *ways,
        Way("发布需求", "/post/demand", "请县里的科技管理部门帮您找"),
        market or Way("看看本县的市场", "/regions", "有接洽电话"),
        Way("换一种说法再找", "/search", "写产品、毛病或工艺，两三个词就够"),
        Way("看看最新成果", "/search?kind=achievement&sort=newest"),
        Way("按单位找", "/organisations"),
    ][: max(MOST_WAYS, len(ways) + 1)]


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
        [card(hit, today) for hit in lists["achievement"].hits],
        [card(hit, today) for hit in lists["demand"].hits],
        figures,
        [
            (one.code, one.short_name if region is None else one.name, counts[str(one.id)])
            for one in below
            if counts.get(str(one.id))
        ],
    )
