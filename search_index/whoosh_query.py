"""From the query tree to sets of documents, and to what they are ranked by, in one segment.

The same conditions as `tantivy_query` states, carried out here: a set of documents is an int with
a bit for each, so that "and", "or" and counting are single steps in C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import and_, or_

from search_index import query as q
from search_index.codes import PREFIX_FROM
from search_index.model import IndexSchema, Range
from search_index.ranking import MOST_CHARACTERS, is_latin_beginning, query_tokens
from search_index.text import WHOLE_WORD, bigrams, characters, trigrams
from search_index.whoosh_fields import phrase_text
from search_index.whoosh_sets import bits, members
from search_index.whoosh_store import Segment


def check_filter(schema: IndexSchema, name: str) -> None:
    """Raise ValueError unless the schema has this filter."""
    if name not in schema.filters:
        raise ValueError(f"unknown filter {name!r}")


def check_number(schema: IndexSchema, name: str) -> None:
    """Raise ValueError unless the schema has this number."""
    if name not in schema.numbers:
        raise ValueError(f"unknown number {name!r}")


class Conditions:
    """Finds documents in one segment; deleted ones too, which the caller takes away."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self._all = (1 << segment.count) - 1

    def strict(self, node: q.Node) -> int:
        """Return the documents that fulfil the whole tree."""
        match node:
            case q.Term():
                return self._term(node)
            case q.Code():
                return self.code(node.code)
            case q.Not():
                return self._all & ~self.strict(node.child)
            case q.AnyOf():
                return _any(map(self.strict, node.children))
            case q.AllOf():
                return reduce(and_, map(self.strict, node.children), self._all)
            case q.Nothing():
                return 0

    def loose(self, node: q.Node) -> int:
        """Return the documents that hold any word of the tree.

        Exclusions and quoted phrases stay as strict as they were asked for; beside a phrase
        words only rank.
        """
        children = node.children if isinstance(node, q.AllOf) else (node,)
        found = self._all
        phrases = False
        for child in children:
            phrase = isinstance(child, q.Term) and child.phrase
            if phrase or isinstance(child, q.Not):
                found &= self.strict(child)
            phrases = phrases or phrase
        return found if phrases else found & self._any_word(node)

    def _any_word(self, node: q.Node) -> int:
        terms = loosened(node)
        found = _any(self.segment.documents("text", token) for token in query_tokens(terms))
        found |= _any(self.strict(term) for term in terms if term.code or q.is_pinyin(term))
        found |= _any(map(self.code, q.codes(node)))
        for unit in (unit for term in terms for unit in term.units):
            found |= _any(map(self.substring, unit.synonyms))
            if not bigrams(unit.text):  # whatever else a unit may be is found by its tokens
                found |= self.substring(unit.text)
        return found

    def narrowed(
        self,
        filters: Mapping[str, Sequence[str]],
        ranges: Mapping[str, Range],
        without: str = "",
    ) -> int:
        """Return the documents within filters and ranges, leaving out the filter `without`."""
        found = self._all
        for name, values in filters.items():
            if values and name != without:
                found &= _any(self.segment.documents(f"f_{name}", value) for value in values)
        for name, limits in ranges.items():
            if limits.gte is not None or limits.lte is not None:
                found &= self._between(f"n_{name}", limits)
        return found

    def _between(self, field: str, limits: Range) -> int:
        segment = self.segment

        def make() -> int:
            low = float("-inf") if limits.gte is None else limits.gte
            high = float("inf") if limits.lte is None else limits.lte
            within = (at for at, one in enumerate(segment.numbers(field)) if low <= one <= high)
            return bits(within, segment.count) & segment.documents("has", field)

        return segment.remembered(("range", field, limits), make)

    def _term(self, term: q.Term) -> int:
        found = reduce(and_, (self._unit(unit, term.phrase) for unit in term.units), self._all)
        if term.code:
            found |= self.code(term.code)
        if q.is_pinyin(term):
            found |= self.name(term.text)
        return found

    def _unit(self, unit: q.Unit, phrase: bool) -> int:
        found = _any(self.substring(text, phrase) for text in (unit.text, *unit.synonyms))
        stream = characters(unit.text)
        if not phrase and len(stream) == 1 and is_latin_beginning(stream[0]):
            longer = self._beginning("chars", stream[0], lambda rest: rest.isalpha())
            found |= longer
        return found

    def substring(self, text: str, exact: bool = False) -> int:
        """Return the documents with a substring, whatever stands between its runs.

        Candidates are found by pairs or triples of Han characters; those of what mixes scripts,
        and of phrases when `exact`, are looked at.
        """
        stream = characters(text)[:MOST_CHARACTERS]
        if not stream:
            return 0
        if len(stream) == 1:
            return self.segment.documents("chars", stream[0])
        pairs = bigrams(text)
        one_run = len(pairs) == len(stream) - 1
        wanted = [("triples", triple) for triple in trigrams(text)] or [
            ("text", pair) for pair in pairs
        ]
        wanted = list(dict.fromkeys(wanted))[-MOST_CHARACTERS:]
        if not one_run:
            wanted += [("chars", piece) for piece in dict.fromkeys(stream)]
        found = self._all
        for field, term in wanted:
            found &= self.segment.documents(field, term)
            if not found:
                return 0
        if not one_run or (exact and len(stream) > WHOLE_WORD):
            return self._with_phrase(" ".join(stream), found)
        return found

    def _with_phrase(self, stream: str, candidates: int) -> int:
        segment = self.segment
        needle = phrase_text(stream).encode()

        def make() -> int:
            texts = segment.column("chars")
            return bits((at for at in members(candidates) if needle in texts[at]), segment.count)

        return segment.remembered(("phrase", stream), make)

    def name(self, letters: str) -> int:
        """Return the documents with a name whose pinyin or initials begin so."""
        return self._beginning("pinyin", letters)

    def code(self, code: str) -> int:
        """Return the documents with this identifier, or from some length on one that begins so."""
        if len(code) < PREFIX_FROM:
            return self.segment.documents("codes", code)
        return self._beginning("codes", code)

    def _beginning(
        self, field: str, start: str, accept: Callable[[str], bool] = lambda rest: True
    ) -> int:
        segment = self.segment

        def make() -> int:
            rests = (
                found
                for term, found in segment.terms(field, start)
                if term == start or accept(term[len(start) :])
            )
            return _any(segment.set_of(found) for found in rests)

        return segment.remembered(("begins", field, start), make)


def loosened(node: q.Node) -> list[q.Term]:
    """Return the terms of which any is enough in a loosened search."""
    return [term for term in q.terms(node) if not term.phrase]


def _any(sets: Iterable[int]) -> int:
    return reduce(or_, sets, 0)
