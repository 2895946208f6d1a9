"""The folder of an index: generations, the pointer to the current one, the writer lock.

folder/lock            flock of the one writer; the system frees it when the process dies
folder/current         name of the current generation, replaced atomically
folder/gen-000007/     an index; format.json says what it was built for
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from search_index.model import IndexMissing, WriterBusy

_PREFIX = "gen-"


class WriterLock:
    """The right to write, held until `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            WriterBusy: another engine holds it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._file: int | None = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 32, 0).decode(errors="replace").strip()
            self._close()
            raise WriterBusy(
                f"the index in {folder} already has a writer (process {holder or 'unknown'})"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Give the lock back; may be called twice."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            self._close()

    def forget(self) -> None:
        """Close a copy inherited by a fork: the parent goes on holding the lock."""
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def current(folder: Path) -> str:
    """Return the name of the current generation.

    Raises:
        IndexMissing: there is none yet.
    """
    try:
        name = (folder / "current").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        name = ""
    if not name.startswith(_PREFIX):
        raise IndexMissing(f"there is no index in {folder} yet; rebuild it")
    return name


def begin(folder: Path) -> Path:
    """Make and return the empty folder of the next generation."""
    numbers = [int(path.name.removeprefix(_PREFIX)) for path in _all(folder)]
    new = folder / f"{_PREFIX}{max(numbers, default=0) + 1:06d}"
    new.mkdir(parents=True)
    return new


def publish(generation: Path, form: Mapping[str, object]) -> None:
    """Make a finished generation the current one and clear away those no reader can hold.

    The generation before stays until the next swap: a reader may be about to open it.
    """
    folder = generation.parent
    _write(generation / "format.json", json.dumps(form, sort_keys=True))
    try:
        previous = current(folder)
    except IndexMissing:
        previous = ""
    _write(folder / "current", generation.name)
    clean(folder, keep={generation.name, previous})


def clean(folder: Path, keep: set[str]) -> None:
    """Remove all generations but those named."""
    for path in _all(folder):
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)


def abandoned(folder: Path) -> set[str]:
    """Return generations newer than the current one: a rebuild that never came to its end."""
    try:
        name = current(folder)
    except IndexMissing:
        return {path.name for path in _all(folder)}
    return {path.name for path in _all(folder) if path.name > name}


def discard(folder: Path, names: set[str]) -> None:
    """Remove the generations named."""
    clean(folder, keep={path.name for path in _all(folder)} - names)


def read_format(generation: Path) -> object:
    """Return what a generation was built for."""
    return json.loads((generation / "format.json").read_text(encoding="utf-8"))


def _all(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.glob(f"{_PREFIX}*")
        if path.is_dir() and path.name.removeprefix(_PREFIX).isdigit()
    ]


def _write(path: Path, text: str) -> None:
    """Write a small file so that after a crash it is either the old or the new one."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def size(path: Path) -> int:
    """Bytes of a generation's files; one that vanishes meanwhile (a writer works) counts nothing."""
    total = 0
    for entry in list(path.iterdir()):
        with suppress(FileNotFoundError):
            total += entry.stat().st_size
    return total
