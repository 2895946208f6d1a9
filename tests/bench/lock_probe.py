"""How long another writer waits for SQLite's write lock; ends with a line on standard input.

python -m tests.bench.lock_probe market.db
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
import time

PAUSE = 0.1  # seconds between attempts
STEP = 0.001  # seconds between looks at a lock that is held


def main() -> None:
    """Take the lock and give it back again and again; print the longest wait in seconds."""
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
    # No busy timeout: SQLite's own waiting looks only every 100 ms after a while.
    connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
    longest, count = 0.0, 0
    while not stop.wait(PAUSE):
        started = time.perf_counter()
        while not _tried(connection) and not stop.is_set():
            time.sleep(STEP)
        longest, count = max(longest, time.perf_counter() - started), count + 1
    print(json.dumps({"longest": longest, "attempts": count}))


def _tried(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    connection.execute("ROLLBACK")
    return True


if __name__ == "__main__":
    main()
