"""What goes into an index, what one may ask of it and what comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self

TITLE = "title"  # the part name of a document's title in highlights and reasons
EXACT_TOTAL = 10_000  # totals are exact up to here, and offsets reach no further
MAX_LIMIT = 200  # most hits on one page

Number = int | None
Matched = Literal["all", "any"]


class SearchIndexError(Exception):
    """Something about the index itself, never about what a reader typed."""


class WriterBusy(SearchIndexError):
    """Another process (or engine) holds the one writer of this index."""


class ReadOnly(SearchIndexError):
    """A change was asked of an engine that was opened for reading."""


class IndexMissing(SearchIndexError):
    """There is no index in the folder yet; build one."""


class IndexOutdated(SearchIndexError):
    """The index was built for other fields or by another version of this package; rebuild it."""


class BadCursor(SearchIndexError, ValueError):
    """An `after` cursor that this search did not give out."""


@dataclass(frozen=True)
class IndexSchema:
    """The fields of an index.

    filters: multi-valued exact fields, usable as filters and facets. numbers: signed 64-bit
    fields for ranges and sorting. parts: text parts besides the title, in order of display.
    """

    filters: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for names in (self.filters, self.numbers, self.parts):
            if len(set(names)) != len(names) or not all(name.isidentifier() for name in names):
                raise ValueError(f"field names must be distinct identifiers: {names}")
        if TITLE in self.parts:
            raise ValueError("the title is not among the parts")


@dataclass(frozen=True)
class Document:
    """One searchable thing.

    key: unique. version: any text that changes when the document does (`Engine.check`).
    parts: searchable text by part name. names: proper names, also found by pinyin and initials.
    codes: identifiers (patent number, credit code, public number), normalised by the engine.
    phrases: short expressions to suggest while typing (keywords), besides title and names.
    filters, numbers: values of the schema's fields. stored: JSON handed back with the hit.
    """

    key: str
    version: str
    title: str
    parts: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    stored: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Range:
    """A closed range; None leaves a side open. Documents without the number are outside."""

    gte: Number = None
    lte: Number = None


@dataclass(frozen=True)
class FacetRequest:
    """Count the values of a filter field.

    size: most values returned (those with most documents; chosen values always come along).
    values: count only these values (for a tree: the children of the region shown).
    """

    field: str
    size: int = 50
    values: tuple[str, ...] | None = None


@dataclass(frozen=True)
class SearchRequest:
    """One search.

    filters: OR between the values of a field, AND between fields. sort: "relevance", or a number
    field for ascending, with a leading minus for descending order; documents without the number
    come last both ways, ties follow an order fixed by the key. after: `Page.next_after` of the
    page before (then `offset` is ignored); it reaches beyond the first 10,000.
    match: "auto" loosens a search that (almost) nothing matches entirely, see `Page.matched`;
    "all" and "any" decide it.
    """

    query: str = ""
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    facets: Sequence[FacetRequest] = ()
    sort: str = "relevance"
    offset: int = 0
    limit: int = 20
    after: str | None = None
    highlight: bool = True
    match: Literal["auto", "all", "any"] = "auto"


@dataclass(frozen=True)
class Reason:
    """Why a document was found.

    kind: "words" (the words asked for stand there), "synonym" (`words` stand there for `asked`),
    "code" or "name" (found by number, or by pinyin). part: where; "codes" and "names" are not
    parts of the text. words: as written in the document.
    """

    kind: Literal["words", "synonym", "code", "name"]
    part: str
    words: tuple[str, ...]
    asked: str = ""


@dataclass(frozen=True)
class Highlight:
    """A fragment of a part around the matched words, HTML-escaped, the words in <mark>."""

    part: str
    html: str


@dataclass(frozen=True)
class Hit:
    """A document found. Without `highlight`, the title is only escaped and the lists are empty."""

    key: str
    score: float
    stored: Mapping[str, object]
    title_html: str
    highlights: tuple[Highlight, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Page:
    """A page of hits with the figures of the whole list it belongs to.

    total: exact up to 10,000, beyond that 10,000 with total_is "at_least". matched: "all" when
    every document of the list contains all words, "any" when the search was loosened; then
    `total_all` of them contain all words (first in order of relevance). facets: per field
    (value, count), by count. next_after: cursor of the next page, None at the end.
    """

    total: int
    total_is: Literal["exact", "at_least"]
    hits: tuple[Hit, ...]
    facets: Mapping[str, list[tuple[str, int]]]
    matched: Matched
    total_all: int
    next_after: str | None = None


@dataclass(frozen=True)
class CheckReport:
    """What differs between the index and the (key, version) pairs it should hold."""

    expected: int
    missing: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True when nothing differs."""
        return not (self.missing or self.stale or self.surplus)


@dataclass(frozen=True)
class IndexStats:
    """Figures of an index: live documents, segments, bytes on disk, generation name."""

    engine: str
    documents: int
    segments: int
    bytes: int
    generation: str


class Engine(Protocol):
    """A search engine over one folder; safe to use from several threads."""

    def apply(self, upserts: Iterable[Document], deletes: Iterable[str] = ()) -> None:
        """Delete and upsert by key in one commit; safe to repeat. Of equal keys the last wins."""

    def search(self, request: SearchRequest) -> Page:
        """Answer a search. Any text is a query; unknown field names raise ValueError."""

    def use_synonyms(self, groups: Sequence[Sequence[str]]) -> None:
        """Search with these groups of expressions that mean the same from now on."""

    def suggest(self, prefix: str, limit: int = 8) -> list[str]:
        """Return titles, names and phrases of live documents that complete what is being typed.

        First those that begin with `prefix` as written, in pinyin or in initials, then names and
        phrases of which a later word does; each group by its number of documents. What is indexed
        and looked up for it is made by `search_index.suggesting`, the same for all engines.
        """

    def correct(self, query: str, limit: int = 3) -> list[str]:
        """Return whole queries that a reader may have meant, best first; any text is a query.

        Empty when all words are known and found, or when no other spelling finds more. Each one
        returned matches, with all its words, more documents than `query` does. The candidates
        come from `search_index.spelling`, the same for all engines; right after a change words
        may be missing until `refresh_words`, and what is not found any more is not offered.
        """

    def refresh_words(self) -> int:
        """Write the words that `correct` knows anew; return how many there are.

        They are read from the term dictionary of the current generation and kept in a file of its
        folder (`search_index.word_file.write`). `rebuild` does this by itself, `apply` does not:
        it takes seconds at 100,000 documents. May run in another thread beside `apply`.

        Raises:
            ReadOnly: the engine was not opened for writing.
        """

    def rebuild(self, documents: Iterable[Document]) -> int:
        """Build a new generation, swap it in and return the number of documents."""

    def check(self, expected: Iterable[tuple[str, str]]) -> CheckReport:
        """Compare the index with all (key, version) pairs it should hold, both ways."""

    def stats(self) -> IndexStats:
        """Return figures about the index."""

    def close(self) -> None:
        """Let go of files, threads and the writer lock; may be called twice."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
