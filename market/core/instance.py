"""The instance folder and its maintenance lock: during an upgrade the site answers 503."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from market.core.errors import Busy

_LOCK = "maintenance.lock"


@contextmanager
def maintenance(instance: Path) -> Iterator[None]:
    """Hold the instance alone, for an upgrade, a restore or loading demonstration data.

    Raises:
        Busy: another process holds it.
    """
    instance.mkdir(parents=True, exist_ok=True)
    with open(instance / _LOCK, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy("另一个维护命令正在运行，请等它结束。") from error
        try:
            yield
        finally:
            # Removed while still held, so that nobody takes a vanished file for a held lock.
            os.unlink(instance / _LOCK)


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
