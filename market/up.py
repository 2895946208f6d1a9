"""`market up`: the web server and the worker as children of one supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from types import FrameType

import structlog

from market.core import lifeline
from market.core.lifeline import GRACE

log = structlog.get_logger(__name__)

GUNICORN = ["gunicorn", "-c", "python:market.gunicorn_conf", "market.app:create_app()"]
WORKER = ["market.cli", "worker"]


def supervise(lock: int) -> int:
    """Run both until a signal or until one dies; ends both. Returns the exit status.

    Args:
        lock: the descriptor that says the site of this instance runs (`metrics.prepare`).
    """
    reading_end, _writing_end = os.pipe()  # see lifeline: open as long as this process lives
    environment = os.environ | {lifeline.VARIABLE: str(reading_end)}
    stop = threading.Event()
    told: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        told.append(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)
    # Sessions of their own: Ctrl-C reaches the supervisor alone, which then ends both in order.
    children = [
        subprocess.Popen(
            [sys.executable, "-m", *command],
            start_new_session=True,
            env=environment,
            pass_fds=(reading_end, *locks),
        )
        # The web server keeps the lock too: the counters are its own, should it live longer.
        for command, locks in ((GUNICORN, [lock]), (WORKER, []))
    ]
    for child in children:
        threading.Thread(target=_watch, args=(child, stop), daemon=True).start()
    stop.wait()
    if not told:
        log.error("a child ended", codes=[child.poll() for child in children])
    _end(children)
    return 0 if told else 1


def _watch(child: subprocess.Popen[bytes], stop: threading.Event) -> None:
    child.wait()
    stop.set()


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
    for child in children:
        try:
            child.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
