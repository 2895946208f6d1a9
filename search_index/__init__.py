"""The engine room: documents in, hits out. Knows no web framework, no database, no market."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from search_index.model import (
    BadCursor,
    CheckReport,
    Document,
    Engine,
    FacetRequest,
    Highlight,
    Hit,
    IndexMissing,
    IndexOutdated,
    IndexSchema,
    IndexStats,
    Page,
    Range,
    ReadOnly,
    Reason,
    SearchIndexError,
    SearchRequest,
    WriterBusy,
)

__all__ = [
    "ENGINES",
    "BadCursor",
    "CheckReport",
    "Document",
    "Engine",
    "FacetRequest",
    "Highlight",
    "Hit",
    "IndexMissing",
    "IndexOutdated",
    "IndexSchema",
    "IndexStats",
    "Page",
    "Range",
    "ReadOnly",
    "Reason",
    "SearchIndexError",
    "SearchRequest",
    "WriterBusy",
    "open_engine",
]

ENGINES = ("tantivy", "whoosh")


def open_engine(
    name: str,
    folder: str | Path,
    schema: IndexSchema,
    *,
    synonyms: Sequence[Sequence[str]] = (),
    writable: bool = False,
) -> Engine:
    """Open the index in `folder`.

    Args:
        name: one of ENGINES.
        folder: of the index; when writable, made with an empty index if there is none.
        schema: fields of the index.
        synonyms: groups of expressions that mean the same; used when searching only.
        writable: be the one writer of this index.

    Raises:
        ValueError: no engine has this name.
        WriterBusy: another engine, in any process, is the writer.
    """
    if name == "tantivy":
        from search_index.tantivy_engine import TantivyEngine

        return TantivyEngine(Path(folder), schema, synonyms=synonyms, writable=writable)
    if name == "whoosh":
        from search_index.whoosh_engine import WhooshEngine

        return WhooshEngine(Path(folder), schema, synonyms=synonyms, writable=writable)
    raise ValueError(f"unknown search engine {name!r}; known: {', '.join(ENGINES)}")
