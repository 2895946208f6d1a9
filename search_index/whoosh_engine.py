"""The engine without binary parts: whoosh, pure Python, for small markets.

What shaped it (whoosh 2.7.4, the last of 2016): its readers must not be shared by threads, so
that the searches of a process run one after the other (Python would not run them at the same time
anyway; more processes help); a commit replaces its table of contents in one step, and a process
killed before leaves files that the next commit removes; what is read often is kept in memory up
to a limit (`whoosh_store.CACHE_BYTES`), everything else is read from mapped files.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from search_index import generations, spelling, suggesting, word_file
from search_index.cutter import prepared
from search_index.fields import SEPARATOR
from search_index.folder_engine import FolderEngine
from search_index.model import (
    Document,
    IndexSchema,
    IndexStats,
    Page,
    SearchRequest,
)
from search_index.whoosh_search import Search
from search_index.whoosh_sets import members
from search_index.whoosh_store import Cache, Segment, Store
from search_index.whoosh_writing import Change

_MOST_EXPRESSIONS = 3_000  # looked at for one beginning: rarely more begin with one character


@dataclass(frozen=True, slots=True)
class _Opened:
    """A commit opened for reading."""

    store: Store
    commit: int
    segments: list[Segment]

    def close(self) -> None:
        for segment in self.segments:
            segment.close()


class WhooshEngine(FolderEngine):
    """`search_index.model.Engine` over whoosh."""

    name = "whoosh"

    def __init__(
        self,
        folder: Path,
        schema: IndexSchema,
        *,
        synonyms: Sequence[Sequence[str]] = (),
        writable: bool = False,
    ) -> None:
        """Open the index in `folder`; see `FolderEngine`."""
        self._cache = Cache()
        self._opened: _Opened | None = None
        super().__init__(folder, schema, synonyms=synonyms, writable=writable)

    def _create(self, path: Path) -> None:
        Store(path).create()

    # Reading

    def search(self, request: SearchRequest) -> Page:
        """Answer a search; see `Engine.search`."""
        with self._reading() as opened:
            return self._search(opened).run(request)

    def suggest(self, prefix: str, limit: int = 8) -> list[str]:
        """Return expressions of live documents that complete `prefix`; see `Engine.suggest`."""
        found: dict[str, None] = {}
        with self._reading() as opened:
            for beginning in suggesting.lookups(prefix) if limit > 0 else ():
                found.update(dict.fromkeys(_expressions(opened.segments, beginning)))
                if len(found) >= limit:
                    break
        return list(found)[: max(0, limit)]

    def correct(self, query: str, limit: int = 3) -> list[str]:
        """Return corrected queries; see `Engine.correct`."""
        with self._reading() as opened:

            def documents_with(term: str) -> int:
                sets = (segment.documents("text", term) for segment in opened.segments)
                return sum(found.bit_count() for found in sets)

            return spelling.correct(
                opened.store.path,
                query,
                limit,
                count=self._search(opened).count,
                documents_with=documents_with,
            )

    def _versions(self) -> dict[str, str]:
        found: dict[str, str] = {}
        with self._reading() as opened:
            for segment in opened.segments:
                column = segment.column("check")
                for document in members(segment.live):
                    text = column[document].decode("utf-8", "surrogatepass")
                    key, _, version = text.partition(SEPARATOR)
                    found[key] = version
        return found

    def stats(self) -> IndexStats:
        """Return figures about the index; see `Engine.stats`."""
        with self._reading() as opened:
            path = opened.store.path
            documents = sum(segment.live.bit_count() for segment in opened.segments)
            count = len(opened.segments)
        size = generations.size(path)
        return IndexStats(self.name, documents, count, size, path.name)

    def _search(self, opened: _Opened) -> Search:
        return Search(opened.segments, self._schema, self._synonyms)

    @contextmanager
    def _reading(self) -> Iterator[_Opened]:
        """The newest commit, for one thread at a time."""
        with self._read_lock:
            try:
                opened = self._newest()
            except OSError:  # a rebuild took its place while it was being opened
                opened = self._newest()
            yield opened

    def _newest(self) -> _Opened:
        """Return the last commit, opened anew if there is one since."""
        path = self._folder / generations.current(self._folder)
        before = self._opened
        if before is not None and before.store.path == path:
            if before.store.latest() == before.commit:
                return before
        else:
            self._check_format(path)
        store = Store(path)
        self._opened = _Opened(store, *store.open(self._cache))
        if before is not None:
            before.close()
        return self._opened

    # Writing

    def apply(self, upserts: Iterable[Document], deletes: Iterable[str] = ()) -> None:
        """Delete and upsert in one commit; see `Engine.apply`.

        Raises:
            ValueError: a document that cannot be indexed; then nothing of the call is applied.
            ReadOnly: the engine was not opened for writing.
            IndexOutdated: the index must be rebuilt first.
        """
        with self._write_lock:
            self._require_lock()
            path = self._folder / generations.current(self._folder)
            self._check_format(path)
            with Change(Store(path)) as change:
                for key, values in prepared(self._schema, upserts):
                    change.put(key, values)
                for key in deletes:
                    if key not in change.written:
                        change.delete(key)
                change.merge()
                change.commit()

    def _fill(self, path: Path, documents: Iterable[Document]) -> int:
        store = Store(path)
        store.create()
        with Change(store) as change:
            for key, values in prepared(self._schema, documents):
                change.put(key, values)
            change.commit()
            return len(change.written)

    def refresh_words(self) -> int:
        """Write the words that `correct` knows anew; see `Engine.refresh_words`."""
        self._require_lock()
        path = self._folder / generations.current(self._folder)
        self._check_format(path)
        return _write_words(Store(path))

    def _stop_reading(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _drop(self) -> None:
        self._opened = None
        self._cache = Cache()


def _expressions(segments: Sequence[Segment], beginning: str) -> list[str]:
    """Expressions whose term begins so, those of more live documents first.

    Of more than _MOST_EXPRESSIONS in a segment those that come first in the order of their
    characters are looked at.
    """
    counts: dict[str, int] = {}
    for segment in segments:
        for seen, (term, postings) in enumerate(segment.terms("suggest", beginning)):
            if seen == _MOST_EXPRESSIONS:
                break
            if count := (segment.set_of(postings) & segment.live).bit_count():
                counts[term] = counts.get(term, 0) + count
    return [suggesting.shown(term) for term in sorted(counts, key=lambda term: -counts[term])]


def _write_words(store: Store) -> int:
    """Write the words of the last commit into their file."""
    _, segments = store.open(Cache())
    try:
        return word_file.write(store.path / word_file.NAME, _words(segments))
    finally:
        for segment in segments:
            segment.close()


def _words(segments: Sequence[Segment]) -> Iterator[tuple[str, int]]:
    """The terms of the ranking field with their documents, over all segments."""
    each = [((term, len(held)) for term, held in one.terms("text")) for one in segments]
    for term, group in groupby(heapq.merge(*each), key=itemgetter(0)):
        yield term, sum(count for _, count in group)
