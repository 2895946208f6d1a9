"""What a reader may ask of the search: one schema for the page and the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from market.core.pagination import EXACT_UP_TO, LISTINGS_PER_PAGE, MOST_PER_PAGE
from market.core.text import clean_line

SORTS = {
    "relevance": "相关度",
    "newest": "最新发布",
    "price": "价格从低到高",
}
SORT_NOTES = {
    "relevance": "按与搜索词的符合程度排列，名称中出现的词更重要。",
    "newest": "按发布日期排列，新的在前。",
    "price": "按价格或预算排列，低的在前；面议的在后。",
}
ENGINE_SORTS = {"relevance": "relevance", "newest": "-date", "price": "price"}
FILTERS = ("kind", "region", "field", "industry", "stage", "mode")
MOST_VALUES = 50  # of one filter in an address
LONGEST_QUERY = 400


@dataclass(frozen=True)
class SearchForm:
    """A search as it stands in the address."""

    q: str = ""
    kind: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    field: tuple[str, ...] = ()
    industry: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    mode: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    sort: str = ""
    page: int = 1
    per_page: int = LISTINGS_PER_PAGE
    after: str | None = None

    @property
    def order(self) -> str:
        """The sort in force: by relevance with words, by date without."""
        return self.sort or ("relevance" if self.q else "newest")

    def address(self, **changes: Any) -> str:
        """The address of this search with some values changed; the page starts anew."""
        changed = replace(self, **{"page": 1, "after": None, **changes})
        pairs = [("q", changed.q)] if changed.q else []
        pairs += [(name, value) for name in FILTERS for value in getattr(changed, name)]
        if changed.sort:
            pairs.append(("sort", changed.sort))
        if changed.page > 1:
            pairs.append(("page", str(changed.page)))
        return "/search" + (f"?{urlencode(pairs)}" if pairs else "")


def read(args: MultiDict[str, str]) -> SearchForm:
    """The search in an address; whatever makes no sense is left out, never refused."""
    values: dict[str, Any] = {name: _several(args, name) for name in FILTERS}
    page, per_page = args.get("page", "1"), args.get("per_page", "")
    most_pages = EXACT_UP_TO // LISTINGS_PER_PAGE
    return SearchForm(
        q=clean_line(args.get("q", ""))[: LONGEST_QUERY * 4],
        sort=args.get("sort", "") if args.get("sort") in SORTS else "",
        page=_within(page, most_pages, 1),
        per_page=_within(per_page, MOST_PER_PAGE, LISTINGS_PER_PAGE),
        **values,
    )


def _within(text: str, highest: int, default: int) -> int:
    fits = text.isascii() and text.isdecimal() and len(text) < 6
    return min(max(int(text), 1), highest) if fits else default


def _several(args: Mapping[str, str], name: str) -> tuple[str, ...]:
    values = args.getlist(name) if isinstance(args, MultiDict) else []
    cleaned = (clean_line(value)[:40] for value in values)
    return tuple(dict.fromkeys(value for value in cleaned if value))[:MOST_VALUES]
