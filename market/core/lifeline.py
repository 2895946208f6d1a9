"""The lifeline: children of `market up` end with it, even when it is killed outright.

The supervisor alone holds the writing end of a pipe. The system closes it when the supervisor
ends, however that happens, and the children read the end of the file.
"""

from __future__ import annotations

import os
import signal
import threading
import time

VARIABLE = "SUPERVISOR_FD"  # number of the reading end, in a child's environment
GRACE = 15.0  # seconds a child gets to end


def hold() -> None:
    """End this process with its supervisor, if it has one. Call it once signals are handled."""
    if number := os.environ.get(VARIABLE, ""):
        threading.Thread(target=_wait, args=(int(number),), daemon=True).start()


def _wait(reading_end: int) -> None:
    os.read(reading_end, 1)  # nothing is ever written: this returns when the supervisor is gone
    # To the main thread itself: there it interrupts whatever the process waits for.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(GRACE)
    # A child of the supervisor leads a session of its own.
    os.killpg(os.getpgrp(), signal.SIGKILL)
