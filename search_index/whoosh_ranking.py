"""The order of relevance: BM25 over the one combined field, with the weights all engines share.

As `tantivy_query.QueryBuilder.ranking` states it, with one difference: the length of a document
is that of its `text` for triples and characters too.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from search_index import query as q
from search_index.ranking import (
    CODE_SCORE,
    MAX_TOKENS,
    NAME_SCORE,
    SYNONYM_WEIGHT,
    TRIPLE_WEIGHT,
    query_tokens,
)
from search_index.text import bigrams, characters, tokens, trigrams
from search_index.whoosh_query import Conditions
from search_index.whoosh_sets import members
from search_index.whoosh_store import COUNT_BITS, MOST_COUNT, Segment

_K1, _B = 1.2, 0.75  # as in tantivy

_Weighed = tuple[str, str, float]  # field, term, weight


@dataclass(frozen=True, slots=True)
class _Synonym:
    text: str
    weighed: list[_Weighed]


class Ranking:
    """Scores documents for one query over all segments."""

    def __init__(self, segments: Sequence[Segment], tree: q.Node) -> None:
        self._segments = segments
        self._documents = sum(segment.count for segment in segments)
        length = sum(sum(segment.numbers("length")) for segment in segments)
        self._average = length / max(1, self._documents) or 1.0
        found = q.terms(tree)
        self._codes = q.codes(tree)
        self._names = [term.text for term in found if q.is_pinyin(term)]
        self._weighed = self._weigh(_asked(found))
        self._synonyms = [
            _Synonym(text, self._weigh(("text", token, SYNONYM_WEIGHT) for token in parts))
            for term in found
            for unit in term.units
            for text in unit.synonyms
            for parts in [dict.fromkeys(tokens(text))]
        ]
        self.ranks = bool(found or self._codes)

    def scores(self, segment: Segment) -> list[float]:
        """Return the score of each document of a segment."""
        scores = [0.0] * segment.count
        norms = self._norms(segment)
        for field, term, weight in self._weighed:
            _add(scores, segment.postings(field, term), weight, norms)
        conditions = Conditions(segment)
        for synonym in self._synonyms:
            inside = set(members(conditions.substring(synonym.text)))
            for field, term, weight in synonym.weighed if inside else ():
                found = segment.postings(field, term)
                held = array("I", (one for one in found if one >> COUNT_BITS in inside))
                _add(scores, held, weight, norms)
        fixed = [(conditions.name(letters), NAME_SCORE) for letters in self._names]
        fixed += [(conditions.code(code), CODE_SCORE) for code in self._codes]
        for documents, score in fixed:
            for document in members(documents):
                scores[document] += score
        return scores

    def _weigh(self, asked: Iterable[_Weighed]) -> list[_Weighed]:
        """Multiply weights by how rare the terms are; leave out what stands nowhere."""
        weighed: list[_Weighed] = []
        for field, term, weight in asked:
            held = sum(len(segment.postings(field, term)) for segment in self._segments)
            if held:
                rarity = math.log(1 + (self._documents - held + 0.5) / (held + 0.5))
                weighed.append((field, term, weight * rarity * (_K1 + 1)))
        return weighed

    def _norms(self, segment: Segment) -> array[float]:
        def make() -> array[float]:
            fixed, slope = _K1 * (1 - _B), _K1 * _B / self._average
            return array("d", (fixed + slope * length for length in segment.numbers("length")))

        norms: array[float] = segment.kept(("norms", self._average), make)
        return norms


def _asked(found: Sequence[q.Term]) -> Iterable[_Weighed]:
    for token in query_tokens(found):
        yield "text", token, 1.0
    for term in found:
        for triple in trigrams(term.text)[:MAX_TOKENS]:
            yield "triples", triple, TRIPLE_WEIGHT
        if not bigrams(term.text):
            yield "chars", characters(term.text)[0], 1.0


def _add(scores: list[float], postings: array[int], weight: float, norms: array[float]) -> None:
    for posting in postings:
        document, count = posting >> COUNT_BITS, posting & MOST_COUNT
        scores[document] += weight * count / (count + norms[document])
