"""The instance folder: its maintenance lock, under which the site answers 503, and its notes."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from market.core.errors import Busy

_LOCK = "maintenance.lock"
_PATIENCE = 2.0  # seconds; a page that looks whether the lock is held, holds it for a moment
LAST_BACKUP = "last_backup.json"
RESTORING = "restore.incomplete"  # written first and removed last by a restore


@contextmanager
def maintenance(instance: Path) -> Iterator[None]:
    """Hold the instance alone, for an upgrade, a restore or loading demonstration data.

    Raises:
        Busy: another process holds it.
    """
    instance.mkdir(parents=True, exist_ok=True)
    lock = _take(instance / _LOCK)
    try:
        yield
    finally:
        # Removed while still held, so that nobody takes a vanished file for a held lock.
        os.unlink(instance / _LOCK)
        os.close(lock)


def _take(path: Path) -> int:
    """Lock the file that has this name when the lock is had; returns its descriptor."""
    end = time.monotonic() + _PATIENCE
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if _taken(lock) and _is_named(path, lock):
            return lock
        os.close(lock)
        if time.monotonic() > end:
            raise Busy("另一个维护命令正在运行，请等它结束。")
        time.sleep(0.02)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_named(path: Path, lock: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(lock))
    except FileNotFoundError:
        return False


def under_maintenance(instance: Path) -> bool:
    """Whether a maintenance command holds the instance; a lock left by a crash does not count."""
    try:
        with open(instance / _LOCK) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


def refuse_unfinished(instance: Path) -> None:
    """Stop when a restore into this instance did not come to its end.

    Raises:
        Busy: it did not.
    """
    if (instance / RESTORING).exists():
        raise Busy(
            "上次 market restore 没有完成，这里的数据不完整："
            "请再运行一次 market restore（可用同一个备份）。"
        )


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner alone; whole, on disk and under its name, or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def write_note(instance: Path, name: str, values: dict[str, Any]) -> None:
    """Keep a few values in a small file of the instance; whole or not at all."""
    path = instance / name
    beside = path.with_name(name + ".new")
    with open(beside, "w", encoding="utf-8") as file:
        json.dump(values, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def read_note(instance: Path, name: str) -> dict[str, Any] | None:
    """What `write_note` kept; None when there is nothing, or nothing readable."""
    try:
        values = json.loads((instance / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None
