"""What a reader may choose from, with counts; and what was chosen, in words.

The count beside a value is the number of results if it were chosen alone in its group, all else
as it is: within a group one of the values is enough, between groups all must hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from market.catalogue.queries import above, vocabulary, vocabulary_parents
from market.core.languages import N_
from market.core.languages import translate as _
from market.core.pagination import PageOf
from market.core.text import fold
from market.discovery import periods
from market.discovery.asking import Places, counted
from market.discovery.forms import DAYS, FILTERS, SearchForm
from market.regions import queries as regions
from search_index import Page

SHOWN = 8  # values of a group before 「更多」
LEGENDS = {
    "kind": N_("按类别筛选"),
    "call": N_("按揭榜筛选"),
    "region": N_("按地区筛选"),
    "leading": N_("按主导产业筛选"),
    "industry": N_("按行业筛选"),
    "field": N_("按技术领域筛选"),
    "stage": N_("按所处阶段筛选"),
    "mode": N_("按合作方式筛选"),
    "price_band": N_("按价格筛选"),
    "owner_kind": N_("按单位类型筛选"),
    "date": N_("按发布时间筛选"),
}
# Shown in the order of their code list; others by count.
_IN_ORDER = frozenset({"kind", "stage", "price_band", "date"})


@dataclass(frozen=True)
class FacetValue:
    """A value to choose. `depth` is 0 at the top, 1 and more for what lies below a chosen one."""

    value: str
    label: str
    count: int
    chosen: bool
    depth: int = 0


@dataclass(frozen=True)
class FacetView:
    """A group of values; `name` is the parameter in the address, `more` how many are left out.

    Title, legend and labels are in Chinese; the page translates those it shows.
    """

    name: str
    title: str
    legend: str
    values: Sequence[FacetValue]
    more: int = 0


class Node(NamedTuple):
    """A value before it is counted. `key` is what the index calls it; `parent` another's key."""

    key: str
    value: str
    label: str
    parent: str | None = None


def views(form: SearchForm, found: Page, places: Places, most: int) -> list[FacetView]:
    """The groups of a search page, those without any value left out.

    Each is shortened to the first `most` values of each level and those chosen.
    """
    made = []
    for name in FILTERS:
        counts = counted(name, getattr(form, name), found.facets)
        nodes = _nodes(name, form, counts, places)
        made.append(_view(name, form, nodes, counts, places, most))
    return [one for one in made if one.values]


def full_view(
    name: str,
    form: SearchForm,
    found: Page,
    places: Places,
    nodes: Sequence[Node] | None,
    within: str,
) -> FacetView:
    """One group whole, or those of its values that were looked for.

    Args:
        nodes: what `matching` found; None for all values.
        within: words that a name must hold where only the index knows the names.
    """
    counts = counted(name, getattr(form, name), found.facets)
    if nodes is None and name == "industry":
        nodes = list(_industries(tuple(vocabulary("industry"))))
    elif nodes is None:
        nodes = [
            one for one in _nodes(name, form, counts, places) if fold(within) in fold(one.label)
        ]
    return _view(name, form, nodes, counts, places, None)


def _view(
    name: str,
    form: SearchForm,
    nodes: Iterable[Node],
    counts: Mapping[str, int],
    places: Places,
    most: int | None,
) -> FacetView:
    values, more = _tree(nodes, counts, _chosen(name, form, places), name in _IN_ORDER, most)
    return FacetView(name, FILTERS[name], LEGENDS[name], values, more)


def _chosen(name: str, form: SearchForm, places: Places) -> frozenset[str]:
    present = (region.code for region in places.chosen.values()) if name == "region" else ()
    return frozenset((*getattr(form, name), *present))


def _nodes(
    name: str, form: SearchForm, counts: Mapping[str, int], places: Places
) -> Iterable[Node]:
    """The values to choose from, in order."""
    if name == "region":
        return [
            Node(str(key), code, label, None if parent is None else str(parent))
            for key, code, label, parent in places.families
        ]
    if name == "industry":
        return _industries(form.industry)
    if name == "leading":
        pairs = dict(places.leading or ((value, value) for value in counts if ":" not in value))
        pairs |= {value: label_of(name, value, places) for value in form.leading}
        return [Node(value, value, label) for value, label in pairs.items()]
    if name == "date":
        return [Node(one, one, _time(one)) for one in counts]
    return [Node(code, code, label) for code, label in vocabulary(name).items()]


def _time(value: str) -> str:
    """A value of the filter `date` in words."""
    if value in periods.WINDOWS:
        return periods.WINDOWS[value][0]
    return _("%(year)s 年", year=value) if periods.is_known(value) else value


def _industries(chosen: Sequence[str]) -> Iterable[Node]:
    """Sections, and below a chosen one its divisions."""
    opened = {*chosen, *(code for value in chosen for code in above("industry", value))}
    parents = vocabulary_parents("industry")
    for code, label in vocabulary("industry").items():
        parent = parents.get(code)
        if parent is None or parent in opened:
            yield Node(code, code, label, parent)


def _tree(
    nodes: Iterable[Node],
    counts: Mapping[str, int],
    chosen: frozenset[str],
    in_order: bool,
    most: int | None,
) -> tuple[list[FacetValue], int]:
    below: dict[str | None, list[Node]] = {}
    for node in nodes:
        below.setdefault(node.parent, []).append(node)
    left = 0

    def shown(parent: str | None, depth: int) -> Iterator[FacetValue]:
        nonlocal left
        rows = below.get(parent, [])
        place = 0
        for node in rows if in_order else sorted(rows, key=lambda one: -counts.get(one.key, 0)):
            count, picked = counts.get(node.key, 0), node.value in chosen
            inner = list(shown(node.key, depth + 1))
            if not (count or picked or inner):
                continue
            place += 1
            if most and place > most and not (picked or inner):
                left += 1
                continue
            yield FacetValue(node.value, node.label, count, picked, depth)
            yield from inner

    return list(shown(None, 0)), left


def matching(name: str, within: str) -> list[Node] | None:
    """The values of a group whose names hold the words; None where only the index knows them."""
    if name == "region":
        found = regions.search(within, limit=50)
        return [Node(str(one.id), one.code, one.full_name) for one in found]
    if name in {"leading", "date"}:
        return None
    words = fold(within)
    known = ((code, _(label)) for code, label in vocabulary(name).items())
    return [Node(code, code, label) for code, label in known if words in fold(label)]


def label_of(name: str, value: str, places: Places) -> str:
    """A value in words; one that does not exist as it was typed."""
    if name == "region":
        found = places.chosen.get(value)
        return regions.view(found).full_name if found else value
    if name == "leading":
        code, _colon, industry = value.rpartition(":")
        county = places.chosen.get(code)
        return f"{regions.view(county).short_name} {industry}" if county else industry
    if name == "date":
        return _(_time(value))
    return _(vocabulary(name).get(value, value))


def chosen_filters(form: SearchForm, places: Places) -> list[tuple[str, str]]:
    """Each chosen filter in words, with the address that removes it."""
    pairs = []
    for name in FILTERS:
        if name == "kind":  # chosen by the tabs above the list
            continue
        values = getattr(form, name)
        for value in values:
            rest = tuple(other for other in values if other != value)
            words = _(
                "%(name)s：%(value)s", name=_(FILTERS[name]), value=label_of(name, value, places)
            )
            pairs.append((words, form.address(**{name: rest})))
    for name, title in DAYS.items():
        if day := getattr(form, name):
            words = _("%(name)s：%(value)s", name=_(title), value=day.isoformat())
            pairs.append((words, form.address(**{name: None})))
    return pairs


def holds_parts(form: SearchForm, found: Page) -> bool:
    """Whether all that was found holds some of the words only."""
    return bool(form.q) and found.matched == "any" and found.total > 0 and not found.total_all


def sentence(page: PageOf[Any], form: SearchForm, places: Places, *, loosened: bool = False) -> str:
    """What is shown, as a plain sentence. loosened: parts of the words were enough."""
    count = f"{page.total:,}"
    shown = _("显示 %(n)s 项", n=count) if page.total_is == "exact" else _("显示 1 万项以上")
    holding = _("含「%(q)s」的部分词语", q=form.q) if loosened else _("含「%(q)s」", q=form.q)
    parts = [holding] if form.q else []
    for name, title in FILTERS.items():
        if values := getattr(form, name):
            words = _("或").join(label_of(name, value, places) for value in values)
            parts.append(_("%(name)s为%(value)s", name=_(title), value=words))
    if form.since:
        parts.append(_("%(day)s 起发布", day=form.since.isoformat()))
    if form.until:
        parts.append(_("%(day)s 止发布", day=form.until.isoformat()))
    return _("%(shown)s：%(what)s", shown=shown, what=_("，").join(parts)) if parts else shown


def notes(form: SearchForm, found: Page, places: Places) -> list[str]:
    """What a reader should know of his own filters, a sentence each."""
    said = list(form.notes)
    for name, title in FILTERS.items():
        for value in getattr(form, name):
            if not _exists(name, value, found, places):
                # The index alone knows the names of industries, and only those with listings.
                text = _(
                    "没有「%(value)s」这个%(name)s，按它找不到信息。", value=value, name=_(title)
                )
                other = _("没有主导产业为「%(value)s」又符合其他条件的信息。", value=value)
                said.append(other if name == "leading" else text)
    if form.near and places.near is None:
        said.append(_("没有代码为「%(code)s」的地区，不能从它开始由近到远排。", code=form.near))
    if form.since and form.until and form.since > form.until:
        said.append(_("起始日期在截止日期之后，中间没有一天。"))
    return said


def known(form: SearchForm, found: Page, places: Places) -> SearchForm:
    """The search without values that do not exist."""
    kept = {
        name: tuple(v for v in getattr(form, name) if _exists(name, v, found, places))
        for name in FILTERS
    }
    return form.but(**kept)


def _exists(name: str, value: str, found: Page, places: Places) -> bool:
    if name == "region":
        return value in places.chosen
    if name == "leading":
        return bool(dict(found.facets.get(name, ())).get(value))
    if name == "date":
        return periods.is_known(value)
    return value in vocabulary(name)
