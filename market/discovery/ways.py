"""What to do when nothing was found: concrete ways on, those with listings behind them first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import current_app

from market.accounts import queries as accounts
from market.accounts.queries import Contact
from market.core.languages import translate as _
from market.discovery.asking import EVERYWHERE, Places, by_codes, request_for
from market.discovery.engine import ask
from market.discovery.facets import label_of
from market.discovery.forms import DAYS, FILTERS, SearchForm
from market.discovery.suggestions import corrections
from market.regions import queries as regions
from market.regions.models import Region
from search_index import FacetRequest

LEAST_WAYS = 5
MOST_COUNTED = 6  # ways with listings behind them
_NEIGHBOURS = 3
_FILTERS_TRIED = 3
_QUOTES = frozenset('"“”„‟「」『』＂')


@dataclass(frozen=True)
class Way:
    """A concrete way out when nothing was found."""

    label: str
    url: str
    note: str = ""


def ways_out(form: SearchForm, typed: SearchForm, places: Places) -> list[Way]:
    """At least five ways: a looser search, another place, another spelling, asking people.

    Args:
        form: the search without values that do not exist.
        typed: the search as it was asked.
    """
    searches = list(_searches(form, places))
    if form != typed.but():
        searches.insert(0, _way(_("去掉不存在的条件"), form, places))
    tried = [way for way in searches if way is not None][:MOST_COUNTED]
    return [*tried, *_people(form, places)][: max(LEAST_WAYS, len(tried) + 2)]


def telephone(places: Places) -> Contact | None:
    """Who can be rung up: the office nearest to the chosen place, else whoever runs the site."""
    place = places.innermost
    office = accounts.contact_for(place.path_ids) if place else None
    settings = current_app.extensions["market"].settings
    if office is None and settings.telephone:
        return Contact(settings.site_name, settings.telephone, None, "/")
    return office


def _searches(form: SearchForm, places: Places) -> Iterator[Way | None]:
    """Other searches, tried one after the other; None for one that finds nothing either."""
    for other in corrections(form.q)[:1]:
        yield _way(_("换成「%(words)s」", words=other), form.but(q=other), places)
    if not _QUOTES.isdisjoint(form.q):
        bare = " ".join("".join(" " if sign in _QUOTES else sign for sign in form.q).split())
        if bare:
            yield _way(_("不加引号找：%(words)s", words=bare), form.but(q=bare), places)
    narrowed = form.narrowed
    if form.q and narrowed:
        yield _way(_("去掉全部筛选，只按搜索词找"), form.free(), EVERYWHERE)
    words = _plain_words(form.q)
    if len(words) > 1:
        either = form.but(q=" OR ".join(words))
        yield _way(_("有其中一个词就行：%(words)s", words=_("、").join(words)), either, places)
    if inner := places.innermost:
        if len(narrowed) > 1:
            label = _("仍在%(place)s，去掉其他筛选", place=inner.name)
            yield _way(label, form.free().but(region=form.region), places)
        yield from _neighbours(form, places, inner)
        yield _wider(form, places, inner)
    if len(narrowed) > 1:
        for name in [one for one in narrowed if one != "region"][-_FILTERS_TRIED:]:
            cleared: object = None if name in DAYS else ()
            title = (DAYS | FILTERS)[name]
            label = _("去掉「%(name)s」这个条件", name=_(title))
            yield _way(label, form.but(**{name: cleared}), places)
    if len(words) > 1:
        yield _way(_("只找「%(word)s」", word=words[0]), form.but(q=words[0]), places)


def _plain_words(q: str) -> list[str]:
    """The words to try one without the other; none where quotes hold them together."""
    if not _QUOTES.isdisjoint(q):
        return []
    return [word for word in q.split() if word != "OR" and not word.startswith("-")]


def _way(label: str, other: SearchForm, places: Places) -> Way | None:
    request = request_for(other, places, facets=())
    total = ask(replace(request, limit=0, highlight=False)).total
    return Way(label, other.address(), _("%(n)s 项", n=f"{total:,}")) if total else None


def _neighbours(form: SearchForm, places: Places, inner: Region) -> Iterator[Way]:
    """The places beside the chosen one where something was found, counted in one request."""
    around = {
        str(key): (code, name)
        for key, code, name, parent in places.families
        if parent == inner.parent_id and key != inner.id
    }
    if not around:
        return
    request = request_for(form.but(region=()), EVERYWHERE, facets=())
    counts = FacetRequest("region", len(around), tuple(around))
    found = ask(replace(request, limit=0, highlight=False, facets=[counts])).facets["region"]
    for key, count in found[:_NEIGHBOURS]:
        code, name = around[key]
        label = _("看邻近的%(place)s", place=name)
        yield Way(label, form.address(region=(code,)), _("%(n)s 项", n=f"{count:,}"))


def _wider(form: SearchForm, places: Places, inner: Region) -> Way | None:
    """The search in the region around, or in the whole country."""
    parent = inner.path_ids[-2:-1]
    codes = [code for key, code, *_rest in places.families if [key] == parent]
    around = Places(by_codes(codes))
    label = (
        _("扩大到%(place)s", place=label_of("region", codes[0], around))
        if codes
        else _("扩大到全国")
    )
    return _way(label, form.but(region=tuple(codes)), around)


def _people(form: SearchForm, places: Places) -> list[Way]:
    """Ways that always lead on."""
    place = places.innermost
    told = [("need", form.q), ("region", place.code if place else "")]
    asked = urlencode([(name, value) for name, value in told if value])
    market = (
        Way(_("看看%(place)s的市场", place=regions.view(place).name), f"/regions/{place.code}")
        if place
        else Way(_("看看本县的市场"), "/regions", _("有接洽电话"))
    )
    return [
        Way(
            _("发布需求"),
            "/post/demand" + (f"?{asked}" if asked else ""),
            _("把要找的写上，请县里的科技管理部门帮您找"),
        ),
        market,
        Way(_("换一种说法再找"), "/search", _("写产品、毛病或工艺，两三个词就够")),
        Way(_("看看最新成果"), "/search?kind=achievement&sort=newest"),
        Way(_("按单位找"), "/organisations"),
    ]
