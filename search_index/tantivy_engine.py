"""The engine for one machine: tantivy, a library with its index in files.

What shaped it (tantivy 0.27): one writer in any process; an index opened before a fork never
sees commits, so everything is opened lazily and dropped in a forked child; tokenizers cannot
be written in Python, so text comes in as tokens joined with blanks; segments deleted under a
reader stay readable as long as it holds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import tantivy

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
from search_index.tantivy_fields import tantivy_schema
from search_index.tantivy_search import Search

# Of memory for documents not yet written, used as they come. With less, a large import makes
# many segments, and merging them takes as long again as writing them.
_WRITER_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class _Opened:
    """A generation opened for reading, with what the files looked like then."""

    path: Path
    index: tantivy.Index
    searcher: tantivy.Searcher
    pointer: tuple[int, ...]
    meta: tuple[int, ...]


class TantivyEngine(FolderEngine):
    """`search_index.model.Engine` over tantivy."""

    name = "tantivy"

    def __init__(
        self,
        folder: Path,
        schema: IndexSchema,
        *,
        synonyms: Sequence[Sequence[str]] = (),
        writable: bool = False,
    ) -> None:
        """Open the index in `folder`; see `FolderEngine`."""
        self._native = tantivy_schema(schema)
        self._opened: _Opened | None = None
        self._writer: tantivy.IndexWriter | None = None
        super().__init__(folder, schema, synonyms=synonyms, writable=writable)

    def _create(self, path: Path) -> None:
        tantivy.Index(self._native, path=str(path))

    # Reading

    def search(self, request: SearchRequest) -> Page:
        """Answer a search; see `Engine.search`."""
        return Search(self._searcher(), self._schema, self._native, self._synonyms).run(request)

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
        return IndexStats(self.name, searcher.num_docs, searcher.num_segments, size, path.name)

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

    def _stop_writing(self) -> None:
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None

    def _stop_reading(self) -> None:
        self._opened = None

    def _drop(self) -> None:
        self._opened = None
        if self._writer is not None:
            _left_to_parent.append(self._writer)
            self._writer = None


# Writers seen by a forked child. Never freed: their threads exist in the parent only, and
# freeing one would wait for them.
_left_to_parent: list[tantivy.IndexWriter] = []


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
