"""The database as it was at one moment, as a file, while the site goes on writing."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import make_url

from market.core.backups.archive import BackupRefused
from market.core.settings import Settings

# What belongs to the running of one machine, not to the record.
PASSING = {"outbox", "node", "lease", "alembic_version"}
Ask = Callable[[str], Sequence[tuple[Any, ...]]]


@dataclass(frozen=True)
class Facts:
    """What is told of a database: schema revision, rows of each table, the newest seal."""

    schema: str
    counts: Mapping[str, int]
    seals: int
    head: str


def sqlite_path(settings: Settings) -> Path:
    """Where the SQLite database lies."""
    return Path(make_url(settings.database_url).database or "").absolute()


def take(settings: Settings, target: Path) -> Facts:
    """Write the database as of this moment to the file `target`.

    Raises:
        BackupRefused: there is none, or PostgreSQL's programs are missing or too old.
    """
    if settings.is_sqlite:
        return _take_sqlite(sqlite_path(settings), target)
    return _take_postgres(settings.database_url, target)


def size(settings: Settings) -> int:
    """Bytes of the database, about."""
    if settings.is_sqlite:
        path = sqlite_path(settings)
        parts = (path, path.with_name(path.name + "-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())
    with psycopg.connect(settings.database_url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0


def _take_sqlite(path: Path, target: Path) -> Facts:
    if not path.exists():
        raise BackupRefused(f"没有可备份的数据库：{path} 不存在。请核对 MARKET_INSTANCE。")
    try:
        return _copy_sqlite(path, target)
    except sqlite3.OperationalError:
        raise  # a full disk, a lock: not the fault of what is in the file
    except sqlite3.DatabaseError as error:
        raise _broken(str(error)) from error


def _broken(verdict: str) -> BackupRefused:
    return BackupRefused(f"数据库已损坏（{verdict}）：没有制作备份，请从较早的备份恢复。")


def _copy_sqlite(path: Path, target: Path) -> Facts:
    with (
        closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=30)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        # All pages in one step, under one reading transaction: writers are not held up, and
        # what they write meanwhile does not make it start again.
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        if (verdict := copy.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise _broken(verdict)
        return facts_of_sqlite(copy)


def facts_of_sqlite(connection: sqlite3.Connection) -> Facts:
    """The facts of an open database."""

    def ask(query: str) -> Sequence[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    return _facts(
        ask,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    )


def facts_of_postgres(connection: psycopg.Connection[Any]) -> Facts:
    """The facts as this connection's transaction sees them."""

    def ask(query: str) -> Sequence[tuple[Any, ...]]:
        return connection.execute(query.encode()).fetchall()

    return _facts(ask, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")


def _facts(ask: Ask, tables: str) -> Facts:
    names = sorted(name for (name,) in ask(tables))
    if "alembic_version" not in names or "audit_seal" not in names:
        raise BackupRefused("数据库还没有建立，没有可备份的内容：请核对 MARKET_INSTANCE。")
    [(schema,)] = ask("SELECT version_num FROM alembic_version")
    counts = {
        name: ask(f'SELECT count(*) FROM "{name}"')[0][0] for name in names if name not in PASSING
    }
    last = ask("SELECT no, hash FROM audit_seal ORDER BY no DESC LIMIT 1")
    seals, head = last[0] if last else (0, "")
    return Facts(schema, counts, seals, head)


def _take_postgres(url: str, target: Path) -> Facts:
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        program = _program("pg_dump", connection)
        facts = facts_of_postgres(connection)
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        # Not packed here: the whole backup is.
        options = ["--format=custom", "--compress=0", "--no-owner", "--no-privileges"]
        _run(program, url, [*options, f"--snapshot={row[0] if row else ''}", f"--file={target}"])
        return facts


def put_postgres(url: str, source: Path) -> None:
    """Bring a dump into an empty database, as one transaction."""
    with psycopg.connect(url) as connection:
        program = _program("pg_restore", connection)
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    _run(program, url, [*options, str(source)])


def _program(name: str, connection: psycopg.Connection[Any]) -> str:
    """A program of PostgreSQL's client, not older than the server."""
    server = connection.info.server_version // 10_000
    path = shutil.which(name)
    if path is None:
        raise BackupRefused(
            f"没有找到 {name}：请安装 PostgreSQL {server} 的客户端程序"
            f"（Debian：apt-get install postgresql-client-{server}）。"
        )
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\) (\d+)", said)
    if found is None or int(found[1]) < server:
        raise BackupRefused(
            f"{name} 是 {said.strip()}，比服务器（PostgreSQL {server}）旧："
            f"请安装 postgresql-client-{server}。"
        )
    return path


def _run(program: str, url: str, options: Sequence[str]) -> None:
    """Run a program on a database; the password goes by the environment, unseen by others."""
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    password = parts.pop("password", "")
    secret = {"PGPASSWORD": password} if password else {}
    done = subprocess.run(
        [program, f"--dbname={make_conninfo(**parts)}", *options],
        env=os.environ | secret,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupRefused(f"{Path(program).name} 没有成功：{done.stderr.strip()[-500:]}")
