"""Which counties' leading industries a text belongs to: those whose keyword or name stands in it.

Asked for each listing that is indexed, so the work must not grow with the number of counties:
of all keywords only those are tried whose first two characters stand in the text.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence

from flask import current_app

from market.regions import queries as regions
from market.regions.queries import LeadingIndustryView
from search_index.text import fold


class Leading:
    """Leading industries by their folded keywords."""

    def __init__(self, industries: Iterable[LeadingIndustryView] = ()) -> None:
        # first two characters → keywords that begin so; keyword → what it belongs to
        self._heads: dict[str, list[str]] = {}
        self._values: dict[str, set[str]] = {}
        for industry in industries:
            for word in (industry.name, *industry.keywords):
                folded = fold(word).strip()
                if folded not in self._values:
                    self._values[folded] = set()
                    self._heads.setdefault(folded[:2], []).append(folded)
                self._values[folded] |= {industry.value, industry.name}

    def values_of(self, texts: Sequence[str]) -> list[str]:
        """`<code>:<name>` and `<name>` of every industry that the texts belong to, sorted.

        Args:
            texts: title, keywords and the like, as typed.
        """
        if not self._values:
            return []
        text = fold("\n".join(texts))
        found: set[str] = set()
        for head in self._heads.keys() & set(map(operator.add, text, text[1:])):
            for word in self._heads[head]:
                if stands_in(word, text):
                    found |= self._values[word]
        return sorted(found)


def stands_in(word: str, text: str) -> bool:
    """Whether a folded word stands in folded text; of letters and digits only as a whole word."""
    start = text.find(word)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(word) : start + len(word) + 1]
        if not (_joined(before, word[0]) or _joined(word[-1], after)):
            return True
        start = text.find(word, start + 1)
    return False


def _joined(left: str, right: str) -> bool:
    return left.isascii() and right.isascii() and left.isalnum() and right.isalnum()


def current() -> Leading:
    """The leading industries of the database; read again only after they were imported anew."""
    version = regions.industries_version()
    held: tuple[str | None, Leading] | None = current_app.extensions.get("leading_industries")
    if held is None or held[0] != version:
        made = Leading(regions.all_leading_industries() if version else ())
        held = current_app.extensions["leading_industries"] = (version, made)
    return held[1]
