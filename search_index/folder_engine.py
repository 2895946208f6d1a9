"""What the engines over a folder have in common: the lock, the format, comparing, forks."""

from __future__ import annotations

import os
import shutil
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from search_index import generations
from search_index.fields import form
from search_index.model import (
    CheckReport,
    Document,
    IndexMissing,
    IndexOutdated,
    IndexSchema,
    ReadOnly,
)
from search_index.query import Synonyms


class FolderEngine(ABC):
    """Half of `search_index.model.Engine`: an engine brings how it reads, searches and writes."""

    name: ClassVar[str]

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
        self._form = form(self.name, schema)
        self._synonyms = Synonyms(synonyms)
        self._read_lock = threading.Lock()
        self._write_lock = threading.Lock()
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
            self._create(path)
            generations.publish(path, self._form)

    @abstractmethod
    def _create(self, path: Path) -> None:
        """Put an empty index into a new folder."""

    @abstractmethod
    def _fill(self, path: Path, documents: Iterable[Document]) -> int:
        """Write all documents into a new folder; returns how many there are."""

    @abstractmethod
    def _versions(self) -> dict[str, str]:
        """Key → version of every live document."""

    @abstractmethod
    def _stop_reading(self) -> None:
        """Let go of what is open for reading."""

    def _stop_writing(self) -> None:  # noqa: B027  (an engine may keep no writer open)
        """Let go of what is open for writing."""

    @abstractmethod
    def _drop(self) -> None:
        """In a forked child: forget what is open without closing it."""

    @abstractmethod
    def refresh_words(self) -> int:
        """Write the words that `correct` knows anew; see `Engine.refresh_words`."""

    def use_synonyms(self, groups: Sequence[Sequence[str]]) -> None:
        """Search with other synonyms; see `Engine.use_synonyms`."""
        self._synonyms = Synonyms(groups)

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

    def rebuild(self, documents: Iterable[Document]) -> int:
        """Build a new generation and swap it in; see `Engine.rebuild`.

        Searches go on in the old one meanwhile; when `documents` raises, it simply stays.
        """
        with self._write_lock:
            self._require_lock()
            path = generations.begin(self._folder)
            try:
                count = self._fill(path, documents)
                self._stop_writing()
                generations.publish(path, self._form)
            except BaseException:
                shutil.rmtree(path, ignore_errors=True)
                raise
            self.refresh_words()
            return count

    def _check_format(self, path: Path) -> None:
        if generations.read_format(path) != self._form:
            raise IndexOutdated(
                f"the index in {path} was built for other fields or by another version; rebuild it"
            )

    def _require_lock(self) -> None:
        if self._lock is None:
            raise ReadOnly(f"the engine over {self._folder} was opened for reading")

    def close(self) -> None:
        """Let go of everything; see `Engine.close`."""
        with self._write_lock:
            self._stop_writing()
            if self._lock is not None:
                self._lock.release()
                self._lock = None
        with self._read_lock:
            self._stop_reading()

    def _forget(self) -> None:
        """In a forked child: drop what belongs to the parent, which goes on writing alone."""
        self._read_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._drop()
        if self._lock is not None:
            self._lock.forget()
            self._lock = None


_engines: weakref.WeakSet[FolderEngine] = weakref.WeakSet()


def _after_fork() -> None:
    for engine in list(_engines):
        engine._forget()


os.register_at_fork(after_in_child=_after_fork)
