"""Databases for tests: a SQLite file that is copied, or a PostgreSQL database cloned."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import psycopg

from market.core.settings import Settings, load

QUIET = {"MARKET_LOG_LEVEL": "CRITICAL"}


def _same_key(prepared: Settings, folder: Path) -> None:
    """Sealed values of the copy are read with the key that sealed them."""
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "secret_key"
    key.touch(mode=0o600)
    key.write_text(prepared.secret_key, encoding="utf-8")


def settings_in(folder: Path, **more: str) -> Settings:
    """Settings of a throw-away instance."""
    return load({"MARKET_INSTANCE": str(folder), **QUIET, **more})


class Sqlite:
    """Each test works on a copy of a prepared file."""

    name = "sqlite"

    def fresh(self, folder: Path, **more: str) -> Settings:
        """Settings of an empty database."""
        return settings_in(folder, **more)

    def clone(self, prepared: Settings, folder: Path, **more: str) -> Settings:
        """Settings of a copy of a prepared instance's database."""
        _same_key(prepared, folder)
        shutil.copy(prepared.instance / "market.db", folder / "market.db")
        return settings_in(folder, **more)

    def drop(self, settings: Settings) -> None:
        """Remove what a test used."""
        for path in settings.instance.glob("market.db*"):
            path.unlink()


class Postgres:
    """Each test works on a database cloned from a prepared one."""

    name = "postgres"

    def __init__(self, address: str) -> None:
        self.address = address
        self._numbers = itertools.count()

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.address.format("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _named(self, folder: Path, name: str, **more: str) -> Settings:
        return settings_in(folder, MARKET_DATABASE_URL=self.address.format(name), **more)

    def fresh(self, folder: Path, **more: str) -> Settings:
        """Settings of an empty database."""
        name = f"m{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name}")
        return self._named(folder, name, **more)

    def clone(self, prepared: Settings, folder: Path, **more: str) -> Settings:
        """Settings of a clone of a prepared instance's database."""
        _same_key(prepared, folder)
        source = prepared.database_url.split("?")[0].rsplit("/", 1)[1]
        name = f"m{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")
        return self._named(folder, name, **more)

    def drop(self, settings: Settings) -> None:
        """Remove what a test used."""
        name = settings.database_url.split("?")[0].rsplit("/", 1)[1]
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
