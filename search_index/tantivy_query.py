"""From the query tree to tantivy queries.

Matching and ranking are two things here. `strict` and `loose` say which documents belong to
the list; `ranking` only orders them, by BM25 over the words and bigrams of all terms in the
one combined field, plus a little for words standing together as typed.

Measured on 1,000 abstracts (one / two / all keywords → the paper, MRR@10 of five draws): words
and bigrams as they come .793 / .954 / .997; documents with all terms first, then any .798 /
.956 / .997. What stands together as typed is lifted by triples of characters (weight .2); a
phrase query in their place ranked no better (.798 / .958 / .996) and took 8 ms for a common
word. Asking that a fifth of the tokens match makes the loose list ten times shorter but loses
.002 in the second and third figure; it was left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import tantivy
from tantivy import Occur, Query

from search_index import query as q
from search_index.codes import PREFIX_FROM
from search_index.fields import LARGEST, SMALLEST
from search_index.model import IndexSchema, Range
from search_index.ranking import (
    ALL_FIRST,
    CODE_SCORE,
    MAX_TOKENS,
    MOST_CHARACTERS,
    NAME_SCORE,
    SYNONYM_WEIGHT,
    TRIPLE_WEIGHT,
    is_latin_beginning,
    query_tokens,
)
from search_index.text import WHOLE_WORD, bigrams, characters, tokens, trigrams

_Clause = tuple[Occur, Query]


class QueryBuilder:
    """Builds the queries of one index."""

    def __init__(self, schema: IndexSchema, native: tantivy.Schema) -> None:
        self._schema = schema
        self._native = native

    def strict(self, node: q.Node) -> Query:
        """Match the documents that fulfil the whole tree."""
        match node:
            case q.Term():
                return self._term(node)
            case q.Code():
                return self.code(node.code)
            case q.Not():
                return Query.boolean_query(
                    [(Occur.Must, Query.all_query()), (Occur.MustNot, self.strict(node.child))]
                )
            case q.AnyOf():
                return _any([self.strict(child) for child in node.children])
            case q.AllOf():
                return self._all(node.children)
            case q.Nothing():
                return Query.empty_query()

    def _all(self, children: Sequence[q.Node]) -> Query:
        clauses: list[_Clause] = []
        for child in children:
            if isinstance(child, q.Not):
                clauses.append((Occur.MustNot, self.strict(child.child)))
            else:
                clauses.append((Occur.Must, self.strict(child)))
        if all(occur == Occur.MustNot for occur, _ in clauses):
            clauses.append((Occur.Must, Query.all_query()))
        return Query.boolean_query(clauses)

    def loose(self, node: q.Node) -> Query | None:
        """Match the documents that hold any word of the tree, or None if it has no words.

        Exclusions and quoted phrases stay as strict as they were asked for; beside a phrase
        words only rank.
        """
        loosened = [term for term in q.terms(node) if not term.phrase]
        if not loosened:
            return None
        children = node.children if isinstance(node, q.AllOf) else (node,)
        clauses: list[_Clause] = []
        for child in children:
            if isinstance(child, q.Not):
                clauses.append((Occur.MustNot, self.strict(child.child)))
            elif isinstance(child, q.Term) and child.phrase:
                clauses.append((Occur.Must, self.strict(child)))
        if any(occur == Occur.Must for occur, _ in clauses):
            return Query.boolean_query(clauses)
        found = [self._text(token) for token in query_tokens(loosened)]
        found += [self.strict(term) for term in loosened if term.code or q.is_pinyin(term)]
        found += [self.code(code) for code in q.codes(node)]
        found += [
            self._substring(synonym)
            for term in loosened
            for unit in term.units
            for synonym in unit.synonyms
        ]
        found += [  # whatever else a unit may be is found by its tokens
            self._substring(unit.text)
            for term in loosened
            for unit in term.units
            if not bigrams(unit.text)
        ]
        clauses.append((Occur.Must, _any(found)))
        return Query.boolean_query(clauses)

    def ranking(self, node: q.Node) -> list[Query]:
        """Return the queries whose scores, added, order the documents."""
        found = q.terms(node)
        scores = [self._text(token) for token in query_tokens(found)]
        for term in found:
            scores += [
                Query.boost_query(self._triple(triple), TRIPLE_WEIGHT)
                for triple in trigrams(term.text)[:MAX_TOKENS]
            ]
            if not bigrams(term.text):
                scores.append(self._character(characters(term.text)[0]))
            if q.is_pinyin(term):
                scores.append(Query.const_score_query(self._name(term.text), NAME_SCORE))
            for unit in term.units:
                scores += [self._synonym(synonym) for synonym in unit.synonyms]
        for code in q.codes(node):
            scores.append(Query.const_score_query(self.code(code), CODE_SCORE))
        return scores

    def narrowed(
        self,
        filters: Mapping[str, Sequence[str]],
        ranges: Mapping[str, Range],
        without: str = "",
    ) -> list[Query]:
        """Return the queries of filters and ranges, leaving out the filter `without`.

        Raises:
            ValueError: a field the schema does not name.
        """
        found = []
        for name, values in filters.items():
            self.check_filter(name)
            if values and name != without:
                found.append(_any([self._value(f"f_{name}", value) for value in values]))
        for name, limits in ranges.items():
            self.check_number(name)
            if limits.gte is not None or limits.lte is not None:
                found.append(self.between(f"n_{name}", limits.gte, limits.lte))
        return found

    def check_filter(self, name: str) -> None:
        """Raise ValueError unless the schema has this filter."""
        if name not in self._schema.filters:
            raise ValueError(f"unknown filter {name!r}")

    def check_number(self, name: str) -> None:
        """Raise ValueError unless the schema has this number."""
        if name not in self._schema.numbers:
            raise ValueError(f"unknown number {name!r}")

    def between(self, field: str, gte: int | None, lte: int | None) -> Query:
        """Match a closed range of an integer field; an empty range matches nothing."""
        low = SMALLEST if gte is None else gte
        high = LARGEST if lte is None else lte
        if low > high or low > LARGEST or high < SMALLEST:
            return Query.empty_query()
        kind = tantivy.FieldType.Integer
        return Query.range_query(self._native, field, kind, max(low, SMALLEST), min(high, LARGEST))

    def _term(self, term: q.Term) -> Query:
        parts = [self._unit(unit, term.phrase) for unit in term.units]
        whole = parts[0] if len(parts) == 1 else must(parts)
        others = [self.code(term.code)] if term.code else []
        if q.is_pinyin(term):
            others.append(self._name(term.text))
        return _any([whole, *others])

    def _unit(self, unit: q.Unit, phrase: bool) -> Query:
        found = [self._substring(text, phrase) for text in (unit.text, *unit.synonyms)]
        stream = characters(unit.text)
        if not phrase and len(stream) == 1 and is_latin_beginning(stream[0]):
            found.append(Query.regex_query(self._native, "chars", f"{re.escape(stream[0])}[a-z]*"))
        return _any(found)

    def _substring(self, text: str, exact: bool = False) -> Query:
        """Match a substring, whatever blanks and signs stand between its runs.

        A run of Han characters is looked for by its pair or its triples (four characters whose
        two triples stand in different places of a document were not met); positions are looked
        at for what mixes scripts, and for phrases when `exact`.
        """
        stream = characters(text)[:MOST_CHARACTERS]
        if not stream:
            return Query.empty_query()
        if len(stream) == 1:
            return self._character(stream[0])
        found = [self._triple(triple) for triple in dict.fromkeys(trigrams(text))]
        if not found:
            found = [self._text(pair) for pair in dict.fromkeys(bigrams(text))]
        one_run = len(bigrams(text)) == len(stream) - 1
        if not one_run or (exact and len(stream) > WHOLE_WORD):
            found.append(self._phrase(stream))
        return found[0] if len(found) == 1 else must(found[-MOST_CHARACTERS:])

    def _synonym(self, text: str) -> Query:
        scores = [self._text(token) for token in dict.fromkeys(tokens(text))]
        return Query.boolean_query(
            [
                (Occur.Must, Query.const_score_query(self._substring(text), 0.0)),
                *((Occur.Should, Query.boost_query(score, SYNONYM_WEIGHT)) for score in scores),
            ]
        )

    def _name(self, letters: str) -> Query:
        return Query.regex_query(self._native, "pinyin", f"{letters}[a-z0-9]*")

    def code(self, code: str) -> Query:
        """Match a normalised identifier, or from some length on the beginning of one."""
        if len(code) < PREFIX_FROM:
            return Query.term_query(self._native, "codes", code, index_option="basic")
        return Query.regex_query(self._native, "codes", f"{re.escape(code)}.*")

    def _phrase(self, stream: list[str]) -> Query:
        return Query.phrase_query(self._native, "chars", list(stream))

    def _value(self, field: str, value: str) -> Query:
        return Query.term_query(self._native, field, value, index_option="basic")

    def _triple(self, triple: str) -> Query:
        return Query.term_query(self._native, "triples", triple, index_option="basic")

    def _character(self, piece: str) -> Query:
        return Query.term_query(self._native, "chars", piece, index_option="freq")

    def _text(self, token: str) -> Query:
        return Query.term_query(self._native, "text", token, index_option="freq")


def must(queries: Sequence[Query]) -> Query:
    """Match what all queries match."""
    return Query.boolean_query([(Occur.Must, query) for query in queries])


def _any(queries: Sequence[Query]) -> Query:
    if len(queries) == 1:
        return queries[0]
    return Query.boolean_query([(Occur.Should, query) for query in queries])


def scored(members: Query, ranking: Sequence[Query], first: Query | None = None) -> Query:
    """Match `members`, ordered by the scores of `ranking`, those in `first` before all others."""
    clauses: list[_Clause] = [(Occur.Must, Query.const_score_query(members, 0.0))]
    clauses += [(Occur.Should, score) for score in ranking]
    if first is not None:
        clauses.append((Occur.Should, Query.const_score_query(first, ALL_FIRST)))
    return Query.boolean_query(clauses)
