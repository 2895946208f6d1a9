"""Figures for operators at /metrics, summed over the web processes."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from market.core.errors import Busy

FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def prepare(folder: Path) -> int:
    """Point all processes of an instance at one folder of counters, emptied at each start.

    Returns:
        The descriptor of a lock that says the site runs. It is held by every process that
        inherits the descriptor, until the last of them ends.

    Raises:
        Busy: a site runs on this instance already; nothing was touched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise Busy("这个数据目录的网站已在运行（另一个 market up）。") from error
    os.set_inheritable(lock, True)  # `market serve` becomes gunicorn by exec
    for old in folder.glob("*.db"):
        old.unlink(missing_ok=True)
    os.environ[FOLDER] = str(folder)
    return lock


def site_runs(folder: Path) -> bool:
    """Whether a web server of this instance runs. folder: as given to `prepare`."""
    try:
        with open(folder / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


def exposition() -> bytes:
    """All counters, and the figures of this moment, in the text format that Prometheus reads."""
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, multiprocess

    from market.core.vitals import Vitals

    now = CollectorRegistry()
    now.register(Vitals())
    if FOLDER not in os.environ:
        return generate_latest(REGISTRY) + generate_latest(now)
    multiprocess.MultiProcessCollector(now)
    return generate_latest(now)
