"""What is published already: listings with a title like one to be imported, or with its number."""

from __future__ import annotations

import re

from market.core.ports import Finder, Known
from market.discovery.engine import reader
from search_index import Hit, IndexMissing, IndexOutdated, Page, SearchRequest
from search_index.codes import normalise_code

MOST = 10  # listings looked at for a title or a number
_SIGNS = re.compile(r"[\W_]+")  # in a search, some would exclude words or bind them together


def by_title(kind: str, title: str) -> list[Known]:
    """Listings of a kind that a search for the title finds, best first."""
    words = _SIGNS.sub(" ", title).casefold()
    request = SearchRequest(words, {"kind": (kind,)}, limit=MOST, highlight=False, match="any")
    page = _ask(request)
    return [_known(hit) for hit in page.hits] if page else []


def by_number(number: str) -> list[Known]:
    """Listings that bear this number: of a patent, a variety, a registration."""
    wanted = normalise_code(number)
    page = _ask(SearchRequest(wanted, limit=MOST))
    return [_known(hit) for hit in page.hits if _bears(hit, wanted)] if page else []


def _ask(request: SearchRequest) -> Page | None:
    """The answer; None while there is no index, which must not stop an import."""
    try:
        return reader().search(request)
    except (IndexMissing, IndexOutdated):
        return None


def _bears(hit: Hit, wanted: str) -> bool:
    return any(
        normalise_code(word) == wanted
        for reason in hit.reasons
        if reason.kind == "code"
        for word in reason.words
    )


def _known(hit: Hit) -> Known:
    return Known(str(hit.stored["no"]), str(hit.stored["title"]), str(hit.stored["owner"]))


FINDER = Finder(by_title, by_number)
