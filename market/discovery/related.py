"""What is akin to a listing: others of its kind, and of the other kind what it may fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from market.catalogue.queries import ListingView
from market.core import clock
from market.core.languages import translate as _
from market.core.permissions import Actor, policy
from market.discovery.cards import NAMED_WORDS, Card, card
from market.discovery.engine import ask
from market.discovery.queries import SEARCH
from search_index import Hit, IndexMissing, IndexOutdated, SearchRequest

MOST_SIMILAR, MOST_FITTING = 5, 3
MOST_KEYWORDS = 6
FEWEST_SHARED = 2  # words; one alone joins what has nothing to do with each other
# Words of so many names that sharing them says nothing.
_COMMON = re.compile(
    "演示|技术|方案|工艺|系统|方法|研究|应用|处理|装置|设备|控制|解决|提升|利用|开发|成套|改造|优化"
    "|关键|新型|产品|生产|加工|制造|项目|平台|服务|需求|咨询|一种|及其|基于"
)
_NO_WORD = re.compile(r"\W+")
_UNIT = re.compile(r"[a-zA-Z]{1,3}|[\d_.]+")  # kg, 500: of amounts, and short Latin finds names
# Who owns a listing, where, and where it was used say nothing about what it is.
_ABOUT_OTHERS = frozenset({"owner", "place", "adoption", "codes", "names"})
_CORE = frozenset({"title", "keywords"})
_OTHER = {"achievement": "demand", "demand": "achievement"}


@dataclass(frozen=True)
class Related:
    """Listings akin to one, each with the words that both have as its reason."""

    similar: Sequence[Card] = ()
    fitting: Sequence[Card] = ()


def of(actor: Actor, listing: ListingView) -> Related:
    """Similar listings of the same kind, and those of the other kind that may fit.

    Two engine requests, no SQL. While the index is being built there are none, since the
    listing's own page needs no index.
    """
    policy.require(actor, SEARCH)
    words = _words(listing)
    if not words:
        return Related()
    try:
        return Related(
            _akin(words, listing.kind, MOST_SIMILAR, listing.no),
            _akin(words, _OTHER[listing.kind], MOST_FITTING, listing.no),
        )
    except (IndexMissing, IndexOutdated):
        return Related()


def _words(listing: ListingView) -> str:
    """Name and keywords as a query: no signs that mean something there, no common words."""
    keywords = listing.content.get("keywords") or ()
    text = " ".join([listing.title, *keywords[:MOST_KEYWORDS]])
    words = _NO_WORD.sub(" ", _COMMON.sub(" ", text)).split()
    return " ".join(word for word in words if not _UNIT.fullmatch(word))


def fitting(actor: Actor, listing: ListingView, most: int) -> dict[str, Sequence[str]]:
    """Numbers of listings of the other kind that may fit, best first, each with the words of both.

    Raises:
        IndexMissing, IndexOutdated: the index is being built.
    """
    policy.require(actor, SEARCH)
    words = _words(listing)
    if not words:
        return {}
    found = _hits(words, _OTHER[listing.kind], most, listing.no)
    return {str(hit.stored["no"]): shared for hit, shared in found}


def _akin(words: str, kind: str, most: int, but: str) -> list[Card]:
    today = clock.today()
    found = []
    for hit, shared in _hits(words, kind, most, but):
        words = _("、").join(_("「%(word)s」", word=one) for one in shared)
        reason = _("都有%(words)s", words=words)
        found.append(replace(card(hit, today), reasons=[reason]))
    return found


def _hits(words: str, kind: str, most: int, but: str) -> list[tuple[Hit, Sequence[str]]]:
    """Listings of a kind with the words that they share."""
    request = SearchRequest(query=words, filters={"kind": (kind,)}, match="any", limit=most + 1)
    hits = [hit for hit in ask(request).hits if hit.stored["no"] != but]
    found: list[tuple[Hit, Sequence[str]]] = [(hit, _shared(hit)) for hit in hits]
    return [(hit, shared) for hit, shared in found if shared][:most]


def _shared(hit: Hit) -> list[str]:
    """The words a hit shares, those of its name first; empty when they are too few."""
    reasons = [one for one in hit.reasons if one.part not in _ABOUT_OTHERS]
    if not any(one.part in _CORE for one in reasons):
        return []
    reasons.sort(key=lambda one: one.part not in _CORE)
    shared: list[str] = []
    for word in (word for one in reasons for word in one.words):
        known = any(word in other or other in word for other in shared)
        if len(word) > 1 and not known and not _COMMON.fullmatch(word):
            shared.append(word)
    return shared[:NAMED_WORDS] if len(shared) >= FEWEST_SHARED else []
