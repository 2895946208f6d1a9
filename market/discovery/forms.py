"""What a reader may ask of the search: one schema for the page and the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date as Day
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from market.core.languages import N_
from market.core.languages import translate as _
from market.core.pagination import EXACT_UP_TO, LISTINGS_PER_PAGE, MOST_PER_PAGE
from market.core.text import clean_line
from market.discovery import periods

SORTS = {
    "relevance": N_("相关度"),
    "newest": N_("最新发布"),
    "price": N_("价格从低到高"),
    "near": N_("由近到远"),
}
SORT_NOTES = {
    "relevance": N_("按与搜索词的符合程度排列，名称中出现的词更重要。"),
    "newest": N_("按发布日期排列，新的在前。"),
    "price": N_("按价格或预算排列，低的在前；面议的在后。"),
    "near": N_("先是所选的县，再是同市（州）、同省，最后是其他省；一样近的按相关度或发布日期。"),
}
ENGINE_SORTS = {"relevance": "relevance", "newest": "-date", "price": "price"}
# Filters of which several values may be chosen, with their names, in the order of the page.
FILTERS = {
    "kind": N_("类别"),
    "call": N_("揭榜"),
    "region": N_("地区"),
    "leading": N_("主导产业"),
    "industry": N_("行业"),
    "field": N_("技术领域"),
    "stage": N_("所处阶段"),
    "mode": N_("合作方式"),
    "price_band": N_("价格"),
    "owner_kind": N_("单位类型"),
    "date": N_("发布时间"),
}
MOST_VALUES = 50  # of one filter in an address
LONGEST_VALUE = 80
LONGEST_QUERY = 400


@dataclass(frozen=True)
class SearchForm:
    """A search as it stands in the address."""

    q: str = ""
    kind: tuple[str, ...] = ()
    call: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    leading: tuple[str, ...] = ()
    industry: tuple[str, ...] = ()
    field: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    mode: tuple[str, ...] = ()
    price_band: tuple[str, ...] = ()
    owner_kind: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    since: Day | None = None
    until: Day | None = None
    owner: tuple[str, ...] = ()
    sort: str = ""
    near: str = ""
    page: int = 1
    per_page: int = LISTINGS_PER_PAGE
    after: str | None = None
    # What was left out of the address, a sentence each.
    notes: tuple[str, ...] = ()

    @property
    def order(self) -> str:
        """The sort in force."""
        knows_where = self.sort != "near" or self.near or self.region
        return (self.sort if knows_where else "") or self.usual_order

    @property
    def usual_order(self) -> str:
        """The sort when none is asked for: by relevance with words, by date without."""
        return "relevance" if self.q else "newest"

    @property
    def narrowed(self) -> list[str]:
        """The names of the filters in use, days included."""
        return [name for name in (*FILTERS, "since", "until") if getattr(self, name)]

    def pairs(self, *without: str) -> list[tuple[str, str]]:
        """Names and values for an address or a form, the page left out."""
        pairs = [("q", self.q)] if self.q else []
        pairs += [(name, value) for name in FILTERS for value in getattr(self, name)]
        pairs += [(name, getattr(self, name).isoformat()) for name in self.narrowed if name in DAYS]
        pairs += [(name, getattr(self, name)) for name in ("sort", "near") if getattr(self, name)]
        return [(name, value) for name, value in pairs if name not in without]

    def but(self, **changes: Any) -> SearchForm:
        """This search with some values changed; the page starts anew."""
        return replace(self, **{"page": 1, "after": None, "notes": (), **changes})

    def free(self) -> SearchForm:
        """This search without any filter."""
        cleared: dict[str, Any] = dict.fromkeys(FILTERS, ())
        return self.but(**cleared, since=None, until=None)

    def address(self, **changes: Any) -> str:
        """The address of this search with some values changed; the page starts anew."""
        changed = self.but(**changes)
        pairs = changed.pairs()
        if changed.page > 1:
            pairs.append(("page", str(changed.page)))
        return "/search" + (f"?{urlencode(pairs)}" if pairs else "")


DAYS = {"since": N_("起始日期"), "until": N_("截止日期")}


def read(args: MultiDict[str, str]) -> SearchForm:
    """The search in an address; whatever makes no sense is left out and noted, never refused."""
    notes: list[str] = []
    values: dict[str, Any] = {name: _several(args, name, notes) for name in FILTERS}
    values |= {name: _day(args, name, notes) for name in DAYS}
    page, per_page = args.get("page", "1"), args.get("per_page", "")
    most_pages = EXACT_UP_TO // LISTINGS_PER_PAGE
    return SearchForm(
        q=clean_line(args.get("q", ""))[: LONGEST_QUERY * 4],
        sort=args.get("sort", "") if args.get("sort") in SORTS else "",
        near=clean_line(args.get("near", ""))[:LONGEST_VALUE],
        page=_within(page, most_pages, 1),
        per_page=_within(per_page, MOST_PER_PAGE, LISTINGS_PER_PAGE),
        notes=tuple(notes),
        **values,
    )


def _within(text: str, highest: int, default: int) -> int:
    fits = text.isascii() and text.isdecimal() and len(text) < 6
    return min(max(int(text), 1), highest) if fits else default


def _several(args: Mapping[str, str], name: str, notes: list[str]) -> tuple[str, ...]:
    given = args.getlist(name) if isinstance(args, MultiDict) else []
    cleaned = (clean_line(value)[:LONGEST_VALUE] for value in given)
    values = tuple(dict.fromkeys(value for value in cleaned if value))
    if len(values) > MOST_VALUES:
        notes.append(
            _(
                "「%(name)s」一次最多选 %(most)s 个，只按前 %(most)s 个查找。",
                name=_(FILTERS[name]),
                most=MOST_VALUES,
            )
        )
    return values[:MOST_VALUES]


def _day(args: Mapping[str, str], name: str, notes: list[str]) -> Day | None:
    text = clean_line(args.get(name, ""))[:LONGEST_VALUE]
    day = periods.read_day(text)
    if text and day is None:
        notes.append(
            _(
                "没有按%(name)s「%(text)s」筛选：没有这一天。请写成 2026-03-01 这样。",
                name=_(DAYS[name]),
                text=text,
            )
        )
    return day
