"""Where lives of voucher money begin, kept as databases in memory: none is played a second time.

Of SQLite alone: on PostgreSQL each life is played from its first act.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Hashable
from contextlib import closing
from typing import Any

from market.core.db import db
from tests import people


class Positions:
    """The database as it was at each beginning, and what was known of it then."""

    def __init__(self, code: str) -> None:
        self._kept: dict[Hashable, tuple[sqlite3.Connection, Any]] = {}
        path = people.region(code).path
        db.session.remove()
        with closing(db.engine.raw_connection()) as connection:
            self._one: Any = connection.driver_connection
        # Copying is cheap when the database is small: no regions but these, small pages, no log.
        run = self._one.execute
        run("PRAGMA foreign_keys = OFF")
        run(f"DELETE FROM region WHERE instr('{path}', path) != 1")
        for table, number, *_ in run("PRAGMA foreign_key_check").fetchall():
            run(f"DELETE FROM {table} WHERE rowid = {number}")
        assert not run("PRAGMA foreign_key_check").fetchall()
        for words in ("journal_mode = MEMORY", "synchronous = OFF", "page_size = 1024"):
            run(f"PRAGMA {words}")
        run("VACUUM")
        run("PRAGMA foreign_keys = ON")

    def keep(self, key: Hashable, known: Any) -> None:
        """Keep the database as it stands now."""
        db.session.remove()
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        self._one.backup(copy)
        self._kept[key] = copy, known

    def back(self, key: Hashable) -> Any:
        """Make the database what it was; returns what was known. None: that was never kept."""
        if key not in self._kept:
            return None
        db.session.remove()
        copy, known = self._kept[key]
        copy.backup(self._one)
        return known

    def close(self) -> None:
        """Forget them all."""
        for copy, _ in self._kept.values():
            copy.close()
