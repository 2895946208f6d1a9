"""One search in a tantivy index: which documents, in which order, and the figures beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tantivy
from tantivy import Occur, Order, Query

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
from search_index.ranking import LOOSEN_BELOW
from search_index.tantivy_query import QueryBuilder, must, scored

_MOST_BUCKETS = 60_000  # facet values looked at per segment; exact as long as there are no more
_SLACK = 40  # hits fetched beyond a page to see where a group of equal scores ends

_Ordered = tuple[Any, tantivy.DocAddress]  # (score or sort text, where)


@dataclass(frozen=True, slots=True)
class _List:
    """The list a request describes: its members and how they are ranked."""

    members: Query  # all conditions, without scores
    strict: Query  # the part that the text asks for, unloosened
    text: Query  # the part that the text asks for, as decided
    ranking: list[Query]
    loosened: bool
    total: int
    total_all: int


class Search:
    """Runs requests against one searcher."""

    def __init__(
        self,
        searcher: tantivy.Searcher,
        schema: IndexSchema,
        native: tantivy.Schema,
        synonyms: q.Synonyms,
    ) -> None:
        self._searcher = searcher
        self._native = native
        self._queries = QueryBuilder(schema, native)
        self._synonyms = synonyms

    def run(self, request: SearchRequest) -> Page:
        """Answer a request; see `Engine.search`."""
        tree = q.parse(request.query, self._synonyms)
        found = self._decide(tree, request)
        limit = max(0, min(request.limit, MAX_LIMIT))
        page = self._page(found, request, limit + 1)
        hits = self._hits(page[:limit], tree, request.highlight)
        facets = self._facets(found, request)
        more = len(page) > limit > 0
        return Page(
            total=min(found.total, EXACT_TOTAL),
            total_is="exact" if found.total <= EXACT_TOTAL else "at_least",
            hits=tuple(hits),
            facets=facets,
            matched="all" if found.total == found.total_all > 0 or not found.loosened else "any",
            total_all=min(found.total_all, EXACT_TOTAL),
            next_after=self._cursor(page[limit - 1], request, limit) if more else None,
        )

    def count(self, text: str) -> int:
        """Return how many documents match all of a query."""
        return self._count(self._queries.strict(q.parse(text, self._synonyms)))

    # Which documents

    def _decide(self, tree: q.Node, request: SearchRequest) -> _List:
        strict = self._queries.strict(tree)
        narrowed = self._queries.narrowed(request.filters, request.ranges)
        members = must([strict, *narrowed])
        total_all = total = self._count(members)
        text, loosened = strict, False
        loose = self._queries.loose(tree) if request.match != "all" else None
        if loose is not None and (request.match == "any" or self._is_rare(tree, strict, total_all)):
            loosened = True
            text = Query.boolean_query([(Occur.Should, loose), (Occur.Should, strict)])
            members = must([text, *narrowed])
            total = self._count(members)
        ranking = self._queries.ranking(tree)
        return _List(members, strict, text, ranking, loosened, total, total_all)

    def _is_rare(self, tree: q.Node, strict: Query, found: int) -> bool:
        if found >= LOOSEN_BELOW or self._count(strict) >= LOOSEN_BELOW:
            return False
        return not any(self._count(self._queries.code(code)) for code in q.codes(tree))

    def _count(self, query: Query) -> int:
        found = self._searcher.search(query, limit=1, count=True)
        return int(found.count)  # type: ignore[attr-defined]  # missing in the library's stubs

    # In which order

    def _page(self, found: _List, request: SearchRequest, limit: int) -> list[_Ordered]:
        """Return up to `limit` hits of the page asked for."""
        after = read_cursor(request.after, request.sort) if request.after else None
        if request.sort != "relevance":
            return self._by_number(found, request, after, limit)
        offset = max(0, request.offset)
        if after is not None:
            offset = after[0] if isinstance(after[0], int) else 0
        elif offset >= EXACT_TOTAL:
            return []
        if offset >= found.total:  # a cursor comes from outside: never reserve room for its number
            return []
        if not found.ranking:
            return self._by_field(found.members, "tie", Order.Asc, offset, limit)
        first = found.strict if found.loosened else None
        return self._by_score(scored(found.members, found.ranking, first), offset, limit)

    def _by_score(self, query: Query, offset: int, limit: int) -> list[_Ordered]:
        """Hits by score; equal scores in the order of their ties, also across pages.

        The engine orders equal scores by where documents lie, which changes as segments are
        merged. So the groups that touch the page are fetched whole and ordered here.
        """
        end = offset + limit
        fetch = end + _SLACK
        while True:
            hits = self._searcher.search(query, limit=fetch, count=False).hits
            if len(hits) < fetch or hits[-1][0] < hits[end - 1][0] or fetch >= 8 * EXACT_TOTAL:
                break
            fetch *= 4
        start = offset
        while 0 < start < len(hits) and hits[start - 1][0] == hits[start][0]:
            start -= 1
        last = min(end, len(hits))
        while 0 < last < len(hits) and hits[last - 1][0] == hits[last][0]:
            last += 1
        touched = hits[start:last]
        ties = self._ties([address for _, address in touched])
        order = sorted(range(len(touched)), key=lambda i: (-touched[i][0], ties[i]))
        return [touched[i] for i in order][offset - start : end - start]

    def _by_number(
        self, found: _List, request: SearchRequest, after: list[Any] | None, limit: int
    ) -> list[_Ordered]:
        """Hits by a number field: those that have it, then the others by their ties."""
        name = request.sort.removeprefix("-")
        self._queries.check_number(name)
        descending = request.sort.startswith("-")
        having = must([found.members, Query.exists_query(f"n_{name}")])
        lacking = Query.boolean_query(
            [(Occur.Must, found.members), (Occur.MustNot, Query.exists_query(f"n_{name}"))]
        )
        offset = max(0, request.offset)
        if after is not None:
            offset = 0
            if after[0] is None:
                lacking = must([lacking, self._queries.between("tie", after[1] + 1, None)])
                return self._by_field(lacking, "tie", Order.Asc, 0, limit)
            having = must([having, self._beyond(f"n_{name}", after, descending)])
        elif offset >= EXACT_TOTAL:
            return []
        order = Order.Desc if descending else Order.Asc
        hits = self._by_field(having, f"s_{name}", order, offset, limit)
        if len(hits) < limit:
            offset = max(0, offset - self._count(having)) if not hits else 0
            hits += self._by_field(lacking, "tie", Order.Asc, offset, limit - len(hits))
        return hits

    def _beyond(self, field: str, after: list[Any], descending: bool) -> Query:
        """Match what comes after (number, tie) in this order."""
        value, tied = after
        between = self._queries.between
        if descending:
            further, same = between(field, None, value - 1), between("tie", None, tied - 1)
        else:
            further, same = between(field, value + 1, None), between("tie", tied + 1, None)
        equal = must([between(field, value, value), same])
        return Query.boolean_query([(Occur.Should, further), (Occur.Should, equal)])

    def _by_field(
        self, query: Query, field: str, order: Order, offset: int, limit: int
    ) -> list[_Ordered]:
        if limit < 1:
            return []
        found = self._searcher.search(
            query, limit=limit, count=False, order_by_field=field, order=order, offset=offset
        )
        hits: list[_Ordered] = list(found.hits)
        return hits

    def _ties(self, addresses: list[tantivy.DocAddress]) -> list[int]:
        values = self._searcher.fast_field_values("tie", addresses)
        return [int(value or 0) for value in values]

    def _cursor(self, last: _Ordered, request: SearchRequest, limit: int) -> str:
        if request.sort == "relevance":
            before = read_cursor(request.after, request.sort)[0] if request.after else None
            start = before if isinstance(before, int) else max(0, request.offset)
            place: list[int | None] = [start + limit]
        else:
            address = [last[1]]
            name = request.sort.removeprefix("-")
            value = None
            if isinstance(last[0], str):  # ordered by tie: the number is missing
                value = self._searcher.fast_field_values(f"n_{name}", address)[0]
            place = [None if value is None else int(value), *self._ties(address)]
        return write_cursor(request.sort, *place)

    # What is shown of them

    def _hits(self, page: Sequence[_Ordered], tree: q.Node, highlight: bool) -> Iterable[Hit]:
        marker = Marker(tree if highlight else q.EVERYTHING)
        for score, address in page:
            shown: dict[str, Any] = read_payload(self._searcher.doc(address)["payload"][0])
            title, fragments, reasons = marker.explain(
                shown["t"],
                shown["p"].items() if highlight else (),
                shown.get("n", {}),
                shown.get("c", ()),
            )
            number = float(score) if isinstance(score, float) else 0.0
            yield Hit(shown["k"], number, shown["s"], title, fragments, reasons)

    # The figures beside them

    def _facets(self, found: _List, request: SearchRequest) -> Mapping[str, list[tuple[str, int]]]:
        """Count facet values; a field's own filter is left out of its counts."""
        for wanted in request.facets:
            self._queries.check_filter(wanted.field)
        chosen = [wanted for wanted in request.facets if request.filters.get(wanted.field)]
        others = [wanted for wanted in request.facets if not request.filters.get(wanted.field)]
        counted = self._counted(found.members, others, {})
        for wanted in chosen:
            narrowed = self._queries.narrowed(request.filters, request.ranges, wanted.field)
            members = must([found.text, *narrowed])
            counted.update(self._counted(members, [wanted], request.filters))
        return {wanted.field: counted[wanted.field] for wanted in request.facets}

    def _counted(
        self,
        members: Query,
        wanted: Sequence[FacetRequest],
        chosen: Mapping[str, Sequence[str]],
    ) -> dict[str, list[tuple[str, int]]]:
        if not wanted:
            return {}
        asked: dict[str, Any] = {}
        for facet in wanted:
            asked[facet.field] = _terms(facet.field, max(1, facet.size), facet.values)
            if values := chosen.get(facet.field):
                asked[f"{facet.field}/chosen"] = _terms(facet.field, len(values), tuple(values))
        answer = self._searcher.aggregate(members, asked)
        counted = {}
        for facet in wanted:
            counts = _buckets(answer[facet.field])
            if values := chosen.get(facet.field):
                held = _buckets(answer[f"{facet.field}/chosen"])
                counts = {value: held.get(value, 0) for value in values} | counts
            if facet.values == ():
                counts = {value: counts[value] for value in chosen.get(facet.field, ())}
            counted[facet.field] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return counted


def _terms(field: str, size: int, values: tuple[str, ...] | None) -> dict[str, Any]:
    terms: dict[str, Any] = {"field": f"f_{field}", "size": size, "segment_size": _MOST_BUCKETS}
    if values:
        terms["include"] = list(values)
    return {"terms": terms}


def _buckets(answer: Mapping[str, Any]) -> dict[str, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in answer["buckets"]}
