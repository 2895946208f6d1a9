"""The search engine of this process: opened when first needed, after any fork."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path

from flask import current_app

from market.catalogue.documents import SCHEMA
from market.core.settings import Settings
from search_index import Engine, IndexMissing, IndexOutdated, open_engine

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


def open_for(settings: Settings, *, writable: bool) -> Engine:
    """Open the index of an instance.

    Raises:
        WriterBusy: another process writes to it (writable only).
    """
    return open_engine(
        settings.search_engine,
        folder(settings),
        SCHEMA,
        synonyms=synonyms(),
        writable=writable,
    )


def reader() -> Engine:
    """The engine of this application, for searching."""
    extensions = current_app.extensions
    if "search" not in extensions:
        with _opening:
            if "search" not in extensions:
                settings = extensions["market"].settings
                extensions["search"] = open_for(settings, writable=False)
    engine: Engine = extensions["search"]
    return engine


def ready() -> bool:
    """Whether there is an index to search."""
    try:
        reader().stats()
    except (IndexMissing, IndexOutdated):
        return False
    return True
