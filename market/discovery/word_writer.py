"""Keeps the words that corrections know up to date: beside the indexer, never in its way."""

from __future__ import annotations

import threading
import time

import structlog

from search_index import Engine

LEAST_PAUSE = 60.0  # seconds between two writings
PAUSE = 100  # times what the last one took, so that a large index is read for 1 % of the time

log = structlog.get_logger(__name__)


class WordWriter:
    """Writes the words anew some time after changes, in a thread: it takes seconds at 100,000."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._changed = False
        self._due = time.monotonic() + LEAST_PAUSE
        self._thread: threading.Thread | None = None

    def changed(self) -> None:
        """Note that documents were written."""
        self._changed = True

    def tend(self) -> None:
        """Start writing when it is due and something changed; returns at once."""
        if self._changed and time.monotonic() >= self._due:
            self._changed = False
            self._due = float("inf")
            self._thread = threading.Thread(target=self._write, name="words", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Let a writing come to its end."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _write(self) -> None:
        started = time.monotonic()
        try:
            count = self._engine.refresh_words()
            log.info("words written", words=count, seconds=round(time.monotonic() - started, 1))
        except Exception:
            # The words of before stay in place; the next change leads to the next try.
            log.exception("words not written")
        now = time.monotonic()
        self._due = now + max(LEAST_PAUSE, PAUSE * (now - started))
