"""The search engine of this process: opened when first needed, after any fork."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path

from flask import current_app

from market.core.ports import Market
from market.core.settings import Settings
from search_index import (
    Engine,
    IndexMissing,
    IndexOutdated,
    IndexSchema,
    Page,
    SearchRequest,
    open_engine,
)

# Groups of words that mean the same, one group a line; from the field's usage.
SYNONYMS = Path(__file__).parent / "data" / "synonyms.txt"
_opening = threading.Lock()


@cache
def synonyms() -> tuple[tuple[str, ...], ...]:
    """The groups of words that mean the same."""
    lines = SYNONYMS.read_text(encoding="utf-8").splitlines()
    return tuple(tuple(line.split("|")) for line in lines if line)


def folder(settings: Settings) -> Path:
    """Where this node's index lies."""
    return settings.instance / "search"


def schema(market: Market) -> IndexSchema:
    """The fields of everything searchable, one after the other."""
    parts = [one.schema for one in market.searchables.values()]
    return IndexSchema(
        filters=tuple(dict.fromkeys(name for one in parts for name in one.filters)),
        numbers=tuple(dict.fromkeys(name for one in parts for name in one.numbers)),
        parts=tuple(dict.fromkeys(name for one in parts for name in one.parts)),
    )


def open_for(market: Market, *, writable: bool) -> Engine:
    """Open the index of an instance.

    Raises:
        WriterBusy: another process writes to it (writable only).
    """
    return open_engine(
        market.settings.search_engine,
        folder(market.settings),
        schema(market),
        synonyms=synonyms(),
        writable=writable,
    )


def reader() -> Engine:
    """The engine of this application, for searching."""
    extensions = current_app.extensions
    if "search" not in extensions:
        with _opening:
            if "search" not in extensions:
                extensions["search"] = open_for(extensions["market"], writable=False)
    engine: Engine = extensions["search"]
    return engine


def ready() -> bool:
    """Whether there is an index to search, and not an empty one before its first filling."""
    try:
        if reader().stats().documents:
            return True
    except (IndexMissing, IndexOutdated):
        return False
    searchables = current_app.extensions["market"].searchables.values()
    return not any(next(one.versions(), None) for one in searchables)


def ask(request: SearchRequest) -> Page:
    """Search.

    Raises:
        IndexMissing: there is no index yet, or it is just being filled for the first time.
    """
    page = reader().search(request)
    if not page.total and not ready():
        raise IndexMissing("the index is being built")
    return page
