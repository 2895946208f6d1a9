"""The engine for one machine: tantivy, a library with its index in files.

What shaped it (tantivy 0.27): one writer in any process; an index opened before a fork never
sees commits, so everything is opened lazily and dropped in a forked child; tokenizers cannot
be written in Python, so text comes in as tokens joined with blanks; segments deleted under a
reader stay readable as long as it holds them.
"""

from __future__ import annotations

import os
import shutil
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import tantivy

from search_index import generations, spelling, suggesting, word_file
from search_index.cutter import prepared
from search_index.fields import SEPARATOR, form
from search_index.model import (
    CheckReport,
    Document,
    IndexMissing,
    IndexOutdated,
    IndexSchema,
    IndexStats,
    Page,
    ReadOnly,
    SearchRequest,
)
from search_index.query import Synonyms
from search_index.tantivy_fields import tantivy_schema
from search_index.tantivy_search import Search

# Of memory for documents not yet written, used as they come. With less, a large import makes
# many segments, and merging them takes as long again as writing them.
_WRITER_BYTES = 200_000_000

_engines: weakref.WeakSet[TantivyEngine] = weakref.WeakSet()


@dataclass(frozen=True, slots=True)
class _Opened:
    """A generation opened for reading, with what the files looked like then."""

    path: Path
    index: tantivy.Index
    searcher: tantivy.Searcher
    pointer: tuple[int, ...]
    meta: tuple[int, ...]


class TantivyEngine:
    """`search_index.model.Engine` over tantivy."""

    def __init__(
        self,
        folder: Path,
        schema: IndexSchema,
        *,
        synonyms: Sequence[Sequence[str]] = (),
        writable: bool = False,
    ) -> None:
        """Open the index in `folder`; reading begins with the first request.

        Args:
            folder: of the index; made, with an empty index in it, when `writable`.
            schema: fields of the index.
            synonyms: groups of expressions that mean the same.
            writable: take the writer lock.

        Raises:
            WriterBusy: another engine is the writer.
        """
        self._folder = folder
        self._schema = schema
        self._native = tantivy_schema(schema)
        self._synonyms = Synonyms(synonyms)
        self._read_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._opened: _Opened | None = None
        self._writer: tantivy.IndexWriter | None = None
        self._lock: generations.WriterLock | None = None
        if writable:
            self._lock = generations.WriterLock(folder)
            self._prepare_folder()
        _engines.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare_folder(self) -> None:
        """Clear away an unfinished rebuild; start an empty index where there is none."""
        generations.discard(self._folder, generations.abandoned(self._folder))
        try:
            generations.current(self._folder)
        except IndexMissing:
            path = generations.begin(self._folder)
            tantivy.Index(self._native, path=str(path))
            generations.publish(path, form("tantivy", self._schema))

    # Reading

    def search(self, request: SearchRequest) -> Page:
        """Answer a search; see `Engine.search`."""
        return Search(self._searcher(), self._schema, self._native, self._synonyms).run(request)

    def use_synonyms(self, groups: Sequence[Sequence[str]]) -> None:
        """Search with other synonyms; see `Engine.use_synonyms`."""
        self._synonyms = Synonyms(groups)

    def suggest(self, prefix: str, limit: int = 8) -> list[str]:
        """Return expressions of live documents that complete `prefix`; see `Engine.suggest`."""
        found: dict[str, None] = {}
        searcher = self._searcher()
        for beginning in suggesting.lookups(prefix) if limit > 0 else ():
            for expression in self._expressions(searcher, beginning, limit):
                found.setdefault(expression)
                if len(found) == limit:
                    return list(found)
        return list(found)

    def _expressions(self, searcher: tantivy.Searcher, beginning: str, most: int) -> Iterator[str]:
        """Expressions whose term begins so, those of more documents first.

        The dictionary still counts deleted documents, so each is asked for once more.
        """
        wanted, seen = most * 2, 0
        while True:
            candidates = searcher.terms_with_prefix("suggest", beginning, limit=wanted)
            for term, _ in candidates[seen:]:
                query = tantivy.Query.term_query(self._native, "suggest", term, "basic")
                if searcher.search(query, limit=1, count=False).hits:
                    yield suggesting.shown(term)
            seen = len(candidates)
            if seen < wanted or wanted > 1_000:
                return
            wanted *= 4

    def correct(self, query: str, limit: int = 3) -> list[str]:
        """Return corrected queries; see `Engine.correct`."""
        searcher = self._searcher()
        search = Search(searcher, self._schema, self._native, self._synonyms)
        opened = self._opened
        if opened is None:  # closed by another thread
            return []
        return spelling.correct(
            opened.path,
            query,
            limit,
            count=search.count,
            documents_with=lambda term: searcher.doc_freq("text", term),
        )

    def check(self, expected: Iterable[tuple[str, str]]) -> CheckReport:
        """Compare keys and versions both ways; see `Engine.check`.

        The versions in the index are held in memory once (about 25 MB for 100,000); documents
        are not read.
        """
        indexed = self._versions()
        missing: list[str] = []
        stale: list[str] = []
        count = 0
        for key, version in expected:
            count += 1
            held = indexed.pop(key, None)
            if held is None:
                missing.append(key)
            elif held != version:
                stale.append(key)
        return CheckReport(count, tuple(missing), tuple(stale), tuple(sorted(indexed)))

    def _versions(self) -> dict[str, str]:
        everything = tantivy.Query.all_query()
        terms = self._searcher().terms_with_prefix("check", "", filter_query=everything)
        return {
            key: version for key, _, version in (term.partition(SEPARATOR) for term, _ in terms)
        }

    def stats(self) -> IndexStats:
        """Return figures about the index; see `Engine.stats`."""
        searcher = self._searcher()
        opened = self._opened
        path = self._folder if opened is None else opened.path
        size = generations.size(path)
        return IndexStats("tantivy", searcher.num_docs, searcher.num_segments, size, path.name)

    def _searcher(self) -> tantivy.Searcher:
        """Return a searcher of the newest commit; two file stamps tell whether there is one."""
        opened = self._opened
        if opened is not None and self._is_newest(opened):
            return opened.searcher
        with self._read_lock:
            opened = self._opened
            if opened is None or not self._is_newest(opened):
                opened = self._opened = self._open_newest(opened)
            return opened.searcher

    def _is_newest(self, opened: _Opened) -> bool:
        return (
            _stamp(self._folder / "current") == opened.pointer
            and _stamp(opened.path / "meta.json") == opened.meta
        )

    def _open_newest(self, before: _Opened | None) -> _Opened:
        """Open the current generation, again if it is swapped away meanwhile."""
        for attempt in range(5):
            pointer = _stamp(self._folder / "current")
            path = self._folder / generations.current(self._folder)
            meta = _stamp(path / "meta.json")
            try:
                if before is not None and before.pointer == pointer:
                    index = before.index
                    index.reload()
                else:
                    self._check_format(path)
                    index = tantivy.Index.open(str(path))
                    index.config_reader("manual")  # no watching thread: it would not survive forks
                    index.reload()
                return _Opened(path, index, index.searcher(), pointer, meta)
            except (OSError, ValueError):
                before = None
                if attempt == 4:
                    raise
        raise AssertionError("unreachable")

    def _check_format(self, path: Path) -> None:
        if generations.read_format(path) != form("tantivy", self._schema):
            raise IndexOutdated(
                f"the index in {path} was built for other fields or by another version; rebuild it"
            )

    # Writing

    def apply(self, upserts: Iterable[Document], deletes: Iterable[str] = ()) -> None:
        """Delete and upsert in one commit; see `Engine.apply`.

        Raises:
            ValueError: a document that cannot be indexed; then nothing of the call is applied.
            ReadOnly: the engine was not opened for writing.
            IndexOutdated: the index must be rebuilt first.
        """
        with self._write_lock:
            writer = self._open_writer()
            written: set[str] = set()
            try:
                # Handed over one by one: the engine's thread works while we cut the next text.
                for key, values in prepared(self._schema, upserts):
                    writer.delete_documents_by_term("key", key)
                    writer.add_document(tantivy.Document.from_dict(values, self._native))
                    written.add(key)
                for key in deletes:
                    if key not in written:
                        writer.delete_documents_by_term("key", key)
                writer.commit()
                writer.garbage_collect_files()
            except BaseException:
                writer.rollback()
                raise

    def rebuild(self, documents: Iterable[Document]) -> int:
        """Build a new generation and swap it in; see `Engine.rebuild`.

        Searches go on in the old one meanwhile; when `documents` raises, it simply stays.
        """
        with self._write_lock:
            self._require_lock()
            path = generations.begin(self._folder)
            try:
                count = self._fill(path, documents)
                self._close_writer()
                generations.publish(path, form("tantivy", self._schema))
            except BaseException:
                shutil.rmtree(path, ignore_errors=True)
                raise
            self.refresh_words()
            return count

    def _fill(self, path: Path, documents: Iterable[Document]) -> int:
        index = tantivy.Index(self._native, path=str(path))
        writer = index.writer(_WRITER_BYTES, 1)
        seen: set[str] = set()
        try:
            for key, values in prepared(self._schema, documents):
                if key in seen:
                    writer.delete_documents_by_term("key", key)
                seen.add(key)
                writer.add_document(tantivy.Document.from_dict(values, self._native))
            writer.commit()
        except BaseException:
            writer.rollback()  # else its thread writes into the folder while that is removed
            raise
        writer.garbage_collect_files()
        writer.wait_merging_threads()
        return len(seen)

    def refresh_words(self) -> int:
        """Write the words that `correct` knows anew; see `Engine.refresh_words`."""
        self._require_lock()
        searcher = self._searcher()
        opened = self._opened
        assert opened is not None
        return word_file.write(opened.path / word_file.NAME, _terms(searcher))

    def _open_writer(self) -> tantivy.IndexWriter:
        """Return the one writer, kept open: opening one per change leaves old files behind."""
        self._require_lock()
        if self._writer is None:
            path = self._folder / generations.current(self._folder)
            self._check_format(path)
            self._writer = tantivy.Index.open(str(path)).writer(_WRITER_BYTES, 1)
        return self._writer

    def _require_lock(self) -> None:
        if self._lock is None:
            raise ReadOnly(f"the engine over {self._folder} was opened for reading")

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None

    def close(self) -> None:
        """Let go of everything; see `Engine.close`."""
        with self._write_lock:
            self._close_writer()
            if self._lock is not None:
                self._lock.release()
                self._lock = None
        with self._read_lock:
            self._opened = None

    def _forget(self) -> None:
        """In a forked child: drop what belongs to the parent, which goes on writing alone."""
        self._read_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._opened = None
        if self._writer is not None:
            _left_to_parent.append(self._writer)
            self._writer = None
        if self._lock is not None:
            self._lock.forget()
            self._lock = None


# Writers seen by a forked child. Never freed: their threads exist in the parent only, and
# freeing one would wait for them.
_left_to_parent: list[tantivy.IndexWriter] = []


def _after_fork() -> None:
    for engine in list(_engines):
        engine._forget()


os.register_at_fork(after_in_child=_after_fork)


def _terms(searcher: tantivy.Searcher) -> Iterator[tuple[str, int]]:
    """The terms of the ranking field, letter by letter: all at once would take 300 MB."""
    first = sorted({term[0] for term, _ in searcher.terms_with_prefix("chars", "")})
    for letter in first:
        yield from searcher.terms_with_prefix("text", letter)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size
