"""Changes of a whoosh index: new segments, deletions in old ones, merging, one commit."""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from search_index.fields import Values
from search_index.whoosh_fields import terms_and_columns
from search_index.whoosh_files import OrderedHashWriter, W3Codec, W3Segment
from search_index.whoosh_sets import members
from search_index.whoosh_store import (
    COUNT_BITS,
    MOST_COUNT,
    NAME,
    TERMS,
    Cache,
    Segment,
    Store,
    column_of,
    term_key,
)

# Documents of a segment that is written or merged. Its terms are held in memory until it is
# finished: about 120 MB for these many abstracts.
MOST_DOCUMENTS = 4_000

# Segments of about the same size that are merged into one: each document is then written again
# a few times in its life, and a search asks some ten segments.
_MERGED = 4


class Builder:
    """A segment being written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.found = W3Segment(W3Codec(), NAME)
        self._columns = W3Codec().per_document_writer(store.storage, self.found)
        self._postings: dict[str, dict[str, int | array[int]]] = {}
        self.count = 0

    def add(self, terms: Mapping[str, Mapping[str, int]], columns: Mapping[str, object]) -> int:
        """Add a document: how often it has each term of each field. Returns its number."""
        document, self.count = self.count, self.count + 1
        self._columns.start_doc(document)
        for name, value in columns.items():
            self._columns.add_column_value(name, column_of(name), value)
        self._columns.finish_doc()
        number = document << COUNT_BITS
        for field, counts in terms.items():
            held = self._postings.setdefault(field, {})
            for term, count in counts.items():
                posting = number | min(count, MOST_COUNT)
                before = held.get(term)
                if before is None:
                    held[term] = posting
                elif isinstance(before, int):
                    held[term] = array("I", (before, posting))
                else:
                    before.append(posting)
        return document

    def merge(self, segment: Segment) -> None:
        """Add the live documents of a segment."""
        renumbered: dict[int, int] = {}
        columns = [name for name in segment.column_names() if not name.startswith("_")]
        for document in members(segment.live):
            renumbered[document] = self.count
            self._columns.start_doc(self.count)
            self.count += 1
            for name in columns:
                value = segment.column(name)[document]
                self._columns.add_column_value(name, column_of(name), value)
            self._columns.finish_doc()
        for field, term, found in segment.all_postings():
            moved = array(
                "I",
                (
                    renumbered[one >> COUNT_BITS] << COUNT_BITS | one & MOST_COUNT
                    for one in found
                    if one >> COUNT_BITS in renumbered
                ),
            )
            if moved:
                held = self._postings.setdefault(field, {})
                before = held.get(term)
                if isinstance(before, int):
                    moved.insert(0, before)
                elif before is not None:
                    moved = before + moved
                held[term] = moved

    def cancel(self) -> None:
        """Close what is open; the files are removed by the next commit."""
        self._columns.close()

    def finish(self) -> W3Segment:
        """Write the segment's file; it counts from the next commit on."""
        storage = self._store.storage
        self._columns.close()
        table = OrderedHashWriter(self.found.create_file(storage, TERMS))
        for field in sorted(self._postings):
            held = self._postings.pop(field)
            for term in sorted(held):
                found = held[term]
                value = array("I", (found,)) if isinstance(found, int) else found
                table.add(term_key(field, term), value.tobytes())
        table.close()
        self.found.set_doc_count(self.count)
        self.found.create_compound_file(storage)
        return self.found


class Change:
    """One commit in the making; what is not committed never was."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._commit, self._old = store.open(Cache())
        self._new: list[Builder] = []
        self._open: Builder | None = None
        self.written: dict[str, tuple[Builder, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._open is not None:
            self._open.cancel()
        for segment in self._old:
            segment.close()

    def put(self, key: str, values: Values) -> None:
        """Add a document in place of any that has its key."""
        terms, columns = terms_and_columns(values)
        self.delete(key)
        if self._open is None:
            self._open = Builder(self._store)
        self.written[key] = self._open, self._open.add(terms, columns)
        if self._open.count >= MOST_DOCUMENTS:
            self._finish()

    def delete(self, key: str) -> None:
        """Delete the document with this key, if there is one."""
        if key in self.written:
            builder, document = self.written.pop(key)
            builder.found.delete_document(document)
            return
        for segment in self._old:
            for document in members(segment.documents("key", key)):
                segment.delete(document)

    def merge(self) -> None:
        """Merge old segments where many are small or deleted documents prevail."""
        sizes = defaultdict(list)
        for segment in self._old:
            sizes[_level(segment.found.doc_count())].append(segment)
        chosen = [
            segment
            for level in sizes.values()
            for segment in level
            if len(level) >= _MERGED or segment.found.deleted_count() > segment.found.doc_count()
        ]
        for segment in chosen:
            count = segment.found.doc_count()
            if count >= MOST_DOCUMENTS and segment.found.deleted_count() <= count:
                continue
            if self._open is None:
                self._open = Builder(self._store)
            self._open.merge(segment)
            self._old.remove(segment)
            segment.close()
            if self._open.count >= MOST_DOCUMENTS:
                self._finish()

    def commit(self) -> None:
        """Make the change valid."""
        self._finish()
        segments = [segment.found for segment in self._old if segment.found.doc_count()]
        segments += [builder.found for builder in self._new if builder.found.doc_count()]
        self._store.commit(self._commit + 1, segments)

    def _finish(self) -> None:
        if self._open is not None:
            builder, self._open = self._open, None
            builder.finish()
            self._new.append(builder)


def _level(count: int) -> int:
    return int(math.log(max(1, count), _MERGED))
