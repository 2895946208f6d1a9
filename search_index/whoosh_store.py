"""A whoosh index on disk: its segments, and the table of contents that says which are valid.

Of whoosh 2.7.4 this uses what lies on disk: sorted hash tables, columns, segments and the table of
contents, which is replaced in one step. Its writer and its matchers are not used: with them a page
of 100,000 documents took 40 ms (p50) and 245 ms (p95), the beginning of a word up to four seconds.

    _MAIN_7.toc         table of contents of commit 7: segments and the documents deleted in them
    MAIN_<letters>.seg  one segment: a table of terms with their postings, and columns by document
"""

from __future__ import annotations

import os
import shutil
import sys
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from search_index.whoosh_files import (
    TOC,
    Column,
    CompressedBytesColumn,
    Files,
    NumericColumn,
    OrderedHashReader,
    Schema,
    Storage,
    VarBytesColumn,
    W3Codec,
    W3Segment,
)
from search_index.whoosh_sets import bits, members

NAME = "MAIN"
TERMS = ".trm"
_COLUMN = ".col"
COUNT_BITS = 8  # of a posting: the rest is the number of the document in its segment
MOST_COUNT = (1 << COUNT_BITS) - 1

CACHE_BYTES = 64_000_000

_NUMBER = NumericColumn("q")

# Columns by document, besides the numbers of the schema.
COLUMNS: Mapping[str, Column] = {
    "payload": CompressedBytesColumn(),
    "check": VarBytesColumn(),
    "chars": VarBytesColumn(),
    "tie": _NUMBER,
    "length": _NUMBER,
}


class Cache:
    """What was read of segments, up to CACHE_BYTES; what was not used for longest goes first."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[object, ...], tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[object, ...]) -> Any:
        """Return what is held under a key, or None."""
        held = self._held.get(key)
        if held is None:
            return None
        self._held.move_to_end(key)
        return held[0]

    def put(self, key: tuple[object, ...], value: Any, size: int) -> None:
        """Hold a value of about `size` bytes."""
        size += 200  # of the key and its place
        self._held[key] = value, size
        self._bytes += size
        while self._bytes > CACHE_BYTES:
            _, (_, freed) = self._held.popitem(last=False)
            self._bytes -= freed


class Segment:
    """A segment opened for reading. Documents are numbered; sets of them are the bits of an int."""

    def __init__(self, store: Store, found: W3Segment, cache: Cache) -> None:
        self.found = found
        self.name: str = found.segment_id()
        self.count: int = found.doc_count_all()
        self._cache = cache
        file = store.storage.open_file(found.make_filename(W3Segment.COMPOUND_EXT))
        try:
            self._files = Files(file)
        except BaseException:
            file.close()
            raise
        terms = self._files.open_file(found.make_filename(TERMS))
        self._terms = OrderedHashReader(terms, len(terms._buf))
        self._columns = W3Codec().per_document_reader(self._files, found)
        self._opened: dict[str, Any] = {}
        self.live = ((1 << self.count) - 1) ^ bits(found.deleted_docs(), self.count)

    def kept(self, name: tuple[object, ...], make: Callable[[], Any]) -> Any:
        """Return what is kept of this segment under a name, made when it is not there any more."""
        key = (self.name, *name)
        held = self._cache.get(key)
        if held is None:
            held = make()
            self._cache.put(key, held, _size(held))
        return held

    def postings(self, field: str, term: str) -> array[int]:
        """Return the postings of a term by document: its number, COUNT_BITS for how often."""
        found: array[int] = self.kept(
            (field, term), lambda: _postings(self._terms.get(term_key(field, term), b""))
        )
        return found

    def documents(self, field: str, term: str) -> int:
        """Return the set of documents that have a term."""
        return self.remembered(
            ("set", field, term), lambda: self.set_of(self.postings(field, term))
        )

    def remembered(self, name: tuple[object, ...], make: Callable[[], int]) -> int:
        """Return the set of documents that is kept under a name; see `kept`."""
        found: int = self.kept(name, make)
        return found

    def set_of(self, postings: array[int]) -> int:
        """Return the documents of postings as a set."""
        return bits((posting >> COUNT_BITS for posting in postings), self.count)

    def terms(self, field: str, prefix: str = "") -> Iterator[tuple[str, array[int]]]:
        """Yield the terms of a field that begin so, with their postings, in order."""
        start = term_key(field, prefix)
        skip = len(term_key(field, ""))
        for key, value in self._terms.items_from(start):
            if not key.startswith(start):
                return
            yield key[skip:].decode("utf-8", "surrogatepass"), _postings(value)

    def all_postings(self) -> Iterator[tuple[str, str, array[int]]]:
        """Yield field, term and postings of all terms."""
        for key, value in self._terms.items():
            field, _, term = key.partition(b"\0")
            yield field.decode(), term.decode("utf-8", "surrogatepass"), _postings(value)

    def sets(self, field: str) -> list[tuple[str, int]]:
        """Return the terms of a field with the sets of documents that have them."""
        found: list[tuple[str, int]] = self.kept(
            ("sets", field),
            lambda: [(term, self.set_of(held)) for term, held in self.terms(field)],
        )
        return found

    def order(self, name: str) -> array[int]:
        """Return the documents that have a number, by it and by their ties; "tie": all."""

        def make() -> array[int]:
            numbers, ties = self.numbers(name), self.numbers("tie")
            having = range(self.count) if name == "tie" else members(self.documents("has", name))
            return array("I", sorted(having, key=lambda at: (numbers[at], ties[at])))

        found: array[int] = self.kept(("order", name), make)
        return found

    def column(self, name: str) -> Any:
        """Return the column of a field, to be asked for a document's value."""
        if name not in self._opened:
            column = column_of(name)
            self._opened[name] = self._columns.column_reader(name, column)
        return self._opened[name]

    def column_names(self) -> list[str]:
        """Return the names of all columns."""
        names = [name.removeprefix(f"{self.name}.") for name in self._files.list()]
        return [name.removesuffix(_COLUMN) for name in names if name.endswith(_COLUMN)]

    def numbers(self, name: str) -> array[int]:
        """Return all values of a number column; 0 where a document has none."""

        def make() -> array[int]:
            found = array("q")
            if name in self.column_names():  # whoosh would unpack the values one by one
                found.frombytes(self._files.open_file(f"{self.name}.{name}{_COLUMN}").get(0, None))
                if sys.byteorder == "little":
                    found.byteswap()
            found.extend([0] * (self.count - len(found)))  # zeros at the end are left out
            return found

        numbers: array[int] = self.kept(("numbers", name), make)
        return numbers

    def delete(self, document: int) -> None:
        """Note that a document is deleted; it counts from the next commit on."""
        self.found.delete_document(document)
        self.live &= ~(1 << document)

    def close(self) -> None:
        """Let go of the files."""
        self._files.close()


class Store:
    """The index in the folder of one generation."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.storage = Storage(str(path))

    def create(self) -> None:
        """Write an empty index."""
        TOC.create(self.storage, Schema(), NAME)

    def latest(self) -> int:
        """Return the number of the last commit, or -1."""
        return int(TOC._latest_generation(self.storage, NAME))

    def read(self) -> tuple[int, list[W3Segment]]:
        """Return the last commit and its segments.

        Raises:
            OSError: it was replaced meanwhile; ask again.
        """
        commit = self.latest()
        if commit < 0:
            raise FileNotFoundError(f"no index in {self.path}")
        toc = TOC.read(self.storage, NAME, gen=commit, schema=Schema())
        return commit, list(toc.segments)

    def open(self, cache: Cache) -> tuple[int, list[Segment]]:
        """Open the last commit for reading: its number and its segments.

        Raises:
            OSError: it was replaced again and again while it was being opened.
        """
        for attempt in range(5):
            segments: list[Segment] = []
            try:
                commit, found = self.read()
                for one in found:
                    segments.append(Segment(self, one, cache))
            except OSError:
                for segment in segments:
                    segment.close()
                if attempt == 4:
                    raise
            else:
                return commit, segments
        raise AssertionError("unreachable")

    def commit(self, commit: int, segments: Sequence[W3Segment]) -> None:
        """Make these the segments of the index and remove all other files."""
        TOC(Schema(), list(segments), commit).write(self.storage, NAME)
        self.clean(commit, segments)

    def clean(self, commit: int, segments: Sequence[W3Segment]) -> None:
        """Remove what no valid segment needs, also what a killed process left behind."""
        valid = {TOC._filename(NAME, commit)}
        valid |= {found.make_filename(W3Segment.COMPOUND_EXT) for found in segments}
        for entry in os.scandir(self.path):
            if entry.is_dir():
                shutil.rmtree(entry.path, ignore_errors=True)
            elif entry.name.startswith((NAME, f"_{NAME}")) and entry.name not in valid:
                os.remove(entry.path)


def _size(held: Any) -> int:
    """About how many bytes something kept takes."""
    if isinstance(held, int):
        return held.bit_length() // 8
    if isinstance(held, array):
        return len(held) * held.itemsize
    return sum(150 + found.bit_length() // 8 for _, found in held)


def _postings(value: bytes) -> array[int]:
    found = array("I")
    found.frombytes(value)
    return found


def column_of(name: str) -> Column:
    """Return the kind of column that holds a field; what is not listed is a number."""
    return COLUMNS.get(name, _NUMBER)


def term_key(field: str, term: str) -> bytes:
    return f"{field}\0{term}".encode("utf-8", "surrogatepass")
