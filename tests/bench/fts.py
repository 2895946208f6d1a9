"""A yardstick: the same listings and searches in SQLite FTS5, tokenised by the same functions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from market.core import clock
from market.discovery.forms import SearchForm
from market.discovery.periods import covering
from search_index import Document
from search_index.text import fold, tokens

FACETS = (
    "kind",
    "region",
    "leading",
    "industry",
    "field",
    "stage",
    "mode",
    "price_band",
    "owner_kind",
    "published",
)
_PAGE = 20


class Fts:
    """One column of tokens, and a table of values per facet."""

    def __init__(self, path: Path, regions: dict[str, str]) -> None:
        """Open an empty one.

        Args:
            regions: code → id, since documents hold ids.
        """
        self._regions = regions
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
            "CREATE VIRTUAL TABLE listing USING fts5(text, content='', tokenize='unicode61');"
            "CREATE TEMP TABLE hit (id INTEGER PRIMARY KEY, score REAL);"
        )
        for name in FACETS:
            self._db.execute(
                f"CREATE TABLE {name} (id INTEGER, value TEXT, PRIMARY KEY (id, value)) "
                "WITHOUT ROWID"
            )

    def fill(self, documents: Iterable[Document]) -> int:
        """Add documents; returns how many."""
        count = 0
        self._db.execute("BEGIN")
        for document in documents:
            count += 1
            title = tokens(fold(document.title))
            parts = tokens(fold("\n".join([*document.parts.values(), *document.codes])))
            text = " ".join([*title * 3, *parts])
            self._db.execute("INSERT INTO listing (rowid, text) VALUES (?, ?)", (count, text))
            for name in FACETS:
                self._db.executemany(
                    f"INSERT OR IGNORE INTO {name} VALUES (?, ?)",
                    [(count, value) for value in document.filters.get(name, ())],
                )
        self._db.execute("COMMIT")
        for name in FACETS:
            self._db.execute(f"CREATE INDEX ix_{name} ON {name} (value, id)")
        self._db.execute("INSERT INTO listing (listing) VALUES ('optimize')")
        self._db.execute("ANALYZE")
        return count

    def search(self, form: SearchForm) -> int:
        """The first page and all facets of a search; returns how many were found.

        The plus before rowid and CROSS JOIN keep the planner from reading whole tables.
        """
        found = dict.fromkeys(tokens(fold(form.q)))
        match = " ".join(f'"{token}"' for token in found)
        # Without a word (an emoji, a lone mark) there is nothing to match or to rank by.
        conditions, values = (["listing MATCH ?"], [match]) if match else (["true"], [])
        rank = "rank" if match else "0"
        for name in FACETS:
            if chosen := self._chosen(name, form):
                marks = ", ".join("?" * len(chosen))
                conditions.append(f"+rowid IN (SELECT id FROM {name} WHERE value IN ({marks}))")
                values += chosen
        self._db.execute("DELETE FROM hit")
        self._db.execute(
            f"INSERT INTO hit SELECT rowid, {rank} FROM listing WHERE {' AND '.join(conditions)}",
            values,
        )
        self._db.execute(f"SELECT id FROM hit ORDER BY score LIMIT {_PAGE}").fetchall()
        for name in FACETS:
            self._db.execute(
                f"SELECT value, count(*) FROM hit CROSS JOIN {name} USING (id) GROUP BY value"
            ).fetchall()
        return int(self._db.execute("SELECT count(*) FROM hit").fetchone()[0])

    def _chosen(self, name: str, form: SearchForm) -> Sequence[str]:
        """Values of a filter as documents hold them."""
        if name == "region":
            return [self._regions.get(value, "0") for value in form.region]
        if name == "published":
            today = clock.today()
            return [part for value in form.date for part in covering(value, today)]
        return getattr(form, name)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
