"""One search in a whoosh index: which documents, in which order, and the figures beside them."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NamedTuple

from search_index import query as q
from search_index.cursors import read_cursor, write_cursor
from search_index.fields import read_payload
from search_index.highlight import Marker
from search_index.model import (
    EXACT_TOTAL,
    MAX_LIMIT,
    FacetRequest,
    Hit,
    IndexSchema,
    Page,
    SearchRequest,
)
from search_index.ranking import ALL_FIRST, LOOSEN_BELOW
from search_index.whoosh_query import Conditions, check_filter, check_number, loosened
from search_index.whoosh_ranking import Ranking
from search_index.whoosh_sets import as_bytes, members
from search_index.whoosh_store import Segment


@dataclass(frozen=True, slots=True)
class _Part:
    """The documents of a list that lie in one segment."""

    segment: Segment
    members: int  # by all conditions
    strict: int  # by the text asked for, unloosened
    text: int  # by the text asked for, as decided


@dataclass(frozen=True, slots=True)
class _List:
    """The list a request describes."""

    parts: list[_Part]
    loosened: bool
    total: int
    total_all: int


class _Place(NamedTuple):
    """A document in an order: by number (None: it has none), then tie; or by score, then tie."""

    number: Any
    tie: int
    part: int
    document: int


class Search:
    """Runs requests against the segments of one commit."""

    def __init__(
        self, segments: Sequence[Segment], schema: IndexSchema, synonyms: q.Synonyms
    ) -> None:
        self._segments = segments
        self._conditions = [Conditions(segment) for segment in segments]
        self._schema = schema
        self._synonyms = synonyms

    def run(self, request: SearchRequest) -> Page:
        """Answer a request; see `Engine.search`."""
        self._check(request)
        tree = q.parse(request.query, self._synonyms)
        found = self._decide(tree, request)
        limit = max(0, min(request.limit, MAX_LIMIT))
        page = self._page(found, tree, request, limit + 1)
        more = len(page) > limit > 0
        return Page(
            total=min(found.total, EXACT_TOTAL),
            total_is="exact" if found.total <= EXACT_TOTAL else "at_least",
            hits=tuple(self._hits(page[:limit], found, tree, request)),
            facets={one.field: self._facet(one, found, request) for one in request.facets},
            matched="all" if found.total == found.total_all > 0 or not found.loosened else "any",
            total_all=min(found.total_all, EXACT_TOTAL),
            next_after=_cursor(page[limit - 1], request, limit) if more else None,
        )

    def count(self, text: str) -> int:
        """Return how many documents match all of a query."""
        tree = q.parse(text, self._synonyms)
        return _total(one.strict(tree) & one.segment.live for one in self._conditions)

    def _check(self, request: SearchRequest) -> None:
        for name in chain(request.filters, (one.field for one in request.facets)):
            check_filter(self._schema, name)
        for name in request.ranges:
            check_number(self._schema, name)
        if request.sort != "relevance":
            check_number(self._schema, request.sort.removeprefix("-"))

    # Which documents

    def _decide(self, tree: q.Node, request: SearchRequest) -> _List:
        strict = [one.strict(tree) & one.segment.live for one in self._conditions]
        narrowed = [one.narrowed(request.filters, request.ranges) for one in self._conditions]
        total = total_all = _total(a & b for a, b in zip(strict, narrowed, strict=True))
        text = strict
        loose = request.match == "any" or (
            request.match == "auto" and self._is_rare(tree, strict, total_all)
        )
        if loose := loose and bool(loosened(tree)):
            text = [
                (one.loose(tree) | exact) & one.segment.live
                for one, exact in zip(self._conditions, strict, strict=True)
            ]
            total = _total(a & b for a, b in zip(text, narrowed, strict=True))
        columns = zip(self._segments, strict, text, narrowed, strict=True)
        parts = [_Part(segment, b & c, a, b) for segment, a, b, c in columns]
        return _List(parts, loose, total, total_all)

    def _is_rare(self, tree: q.Node, strict: Sequence[int], found: int) -> bool:
        if found >= LOOSEN_BELOW or _total(strict) >= LOOSEN_BELOW:
            return False
        return not any(
            one.code(code) & one.segment.live for code in q.codes(tree) for one in self._conditions
        )

    # In which order

    def _page(self, found: _List, tree: q.Node, request: SearchRequest, limit: int) -> list[_Place]:
        """Return up to `limit` places of the page asked for."""
        after = read_cursor(request.after, request.sort) if request.after else None
        offset = max(0, request.offset)
        if request.sort != "relevance":
            if after is None and offset >= EXACT_TOTAL:
                return []
            places = self._by_number(found, request.sort, after)
            return list(islice(places, 0 if after else offset, (0 if after else offset) + limit))
        if after is not None:
            offset = after[0]
        elif offset >= EXACT_TOTAL:
            return []
        if offset >= found.total:
            return []
        ranking = Ranking(self._segments, tree)
        if not ranking.ranks:
            places = _in_order(found, [part.members for part in found.parts], "tie")
            return list(islice(places, offset, offset + limit))
        return heapq.nsmallest(offset + limit, _by_score(found, ranking))[offset:]

    def _by_number(
        self, found: _List, sort: str, after: Sequence[int | None] | None
    ) -> Iterator[_Place]:
        """Documents by a number field: those that have it, then the others by their ties."""
        name = f"n_{sort.removeprefix('-')}"
        descending = sort.startswith("-")
        held = [part.segment.documents("has", name) for part in found.parts]
        having = [part.members & one for part, one in zip(found.parts, held, strict=True)]
        lacking = [part.members & ~one for part, one in zip(found.parts, held, strict=True)]
        first = _in_order(found, having, name, descending)
        last = (
            _Place(None, one.tie, one.part, one.document)
            for one in _in_order(found, lacking, "tie")
        )
        if after is None:
            return chain(first, last)
        number, tie = after
        if number is None:
            return (one for one in last if one.tie > (tie or 0))
        start = (number, tie)
        if descending:
            return chain((one for one in first if (one.number, one.tie) < start), last)
        return chain((one for one in first if (one.number, one.tie) > start), last)

    # What is shown of them

    def _hits(
        self, page: Sequence[_Place], found: _List, tree: q.Node, request: SearchRequest
    ) -> Iterable[Hit]:
        marker = Marker(tree if request.highlight else q.EVERYTHING)
        for place in page:
            segment = found.parts[place.part].segment
            shown: dict[str, Any] = read_payload(segment.column("payload")[place.document])
            title, fragments, reasons = marker.explain(
                shown["t"],
                shown["p"].items() if request.highlight else (),
                shown.get("n", {}),
                shown.get("c", ()),
            )
            score = -place.number if isinstance(place.number, float) else 0.0
            yield Hit(shown["k"], score, shown["s"], title, fragments, reasons)

    # The figures beside them

    def _facet(
        self, wanted: FacetRequest, found: _List, request: SearchRequest
    ) -> list[tuple[str, int]]:
        """Count the values of a field; the field's own filter is left out of its counts."""
        chosen = request.filters.get(wanted.field, ())
        sets = [part.members for part in found.parts]
        if chosen:
            sets = [
                part.text & one.narrowed(request.filters, request.ranges, wanted.field)
                for part, one in zip(found.parts, self._conditions, strict=True)
            ]
        counts: Counter[str] = Counter()
        field = f"f_{wanted.field}"
        for segment, inside in zip(self._segments, sets, strict=True):
            values = _sets(segment, field, wanted.values, chosen) if inside else ()
            for value, documents in values:
                if count := (documents & inside).bit_count():
                    counts[value] += count
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if wanted.values is not None:
            ordered = [item for item in ordered if item[0] in wanted.values]
        kept = dict(ordered[: max(1, wanted.size)])
        kept |= {value: counts[value] for value in chosen}
        return sorted(kept.items(), key=lambda item: (-item[1], item[0]))


def _sets(
    segment: Segment, field: str, values: Sequence[str] | None, chosen: Sequence[str]
) -> Iterable[tuple[str, int]]:
    if values is None:
        return segment.sets(field)
    wanted = dict.fromkeys((*values, *chosen))
    return [(value, segment.documents(field, value)) for value in wanted]


def _total(sets: Iterable[int]) -> int:
    return sum(found.bit_count() for found in sets)


def _by_score(found: _List, ranking: Ranking) -> Iterator[_Place]:
    """The documents of a list, those of the best score being the smallest."""
    for index, part in enumerate(found.parts):
        if not part.members:
            continue
        scores = ranking.scores(part.segment)
        if found.loosened:
            for document in members(part.members & part.strict):
                scores[document] += ALL_FIRST
        ties = part.segment.numbers("tie")
        for document in members(part.members):
            yield _Place(-scores[document], ties[document], index, document)


def _in_order(
    found: _List, sets: Sequence[int], name: str, descending: bool = False
) -> Iterator[_Place]:
    """Documents of sets, one for each part of a list, by a number column and their ties."""

    def of_part(index: int, inside: int) -> Iterator[_Place]:
        segment = found.parts[index].segment
        held = as_bytes(inside, segment.count)
        numbers, ties, order = segment.numbers(name), segment.numbers("tie"), segment.order(name)
        for at in reversed(order) if descending else order:
            if held[at >> 3] >> (at & 7) & 1:
                yield _Place(numbers[at], ties[at], index, at)

    each = [of_part(index, inside) for index, inside in enumerate(sets) if inside]
    return heapq.merge(*each, reverse=descending)


def _cursor(last: _Place, request: SearchRequest, limit: int) -> str:
    if request.sort != "relevance":
        return write_cursor(request.sort, last.number, last.tie)
    start = max(0, request.offset)
    if request.after:
        start = read_cursor(request.after, request.sort)[0]
    return write_cursor(request.sort, start + limit)
