"""The search engine of this process: opened when first needed, after any fork."""

from __future__ import annotations

import threading
from pathlib import Path

from flask import current_app

from market.catalogue.queries import synonym_groups
from market.core.ports import Market
from market.core.settings import Settings
from search_index import (
    Engine,
    IndexMissing,
    IndexOutdated,
    IndexSchema,
    Page,
    SearchRequest,
    WriterBusy,
    open_engine,
)
from search_index.generations import WriterLock

_opening = threading.Lock()


def folder(settings: Settings) -> Path:
    """Where this node's index lies."""
    return settings.instance / "search"


def is_written(settings: Settings) -> bool:
    """Whether a process is the writer of the index; a worker is, from its start to its end."""
    if not (folder(settings) / "lock").exists():
        return False
    try:
        WriterLock(folder(settings)).release()
    except WriterBusy:
        return True
    return False


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
        synonyms=synonym_groups(),
        writable=writable,
    )


def reader() -> Engine:
    """The engine of this application, for searching, with the synonyms now in force."""
    extensions = current_app.extensions
    groups = synonym_groups()
    if "search" not in extensions:
        with _opening:
            if "search" not in extensions:
                extensions["search"] = open_for(extensions["market"], writable=False)
                extensions["search_synonyms"] = groups
    engine: Engine = extensions["search"]
    if extensions["search_synonyms"] != groups:
        engine.use_synonyms(groups)
        extensions["search_synonyms"] = groups
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


def documents() -> int | None:
    """How many documents the index holds; None while there is none."""
    try:
        return reader().stats().documents
    except (IndexMissing, IndexOutdated):
        return None


def ask(request: SearchRequest) -> Page:
    """Search.

    Raises:
        IndexMissing: there is no index yet, or it is just being filled for the first time.
    """
    page = reader().search(request)
    if not page.total and not ready():
        raise IndexMissing("the index is being built")
    return page
