"""The database: one SQLAlchemy object, SQLite or PostgreSQL, and the guards around it.

Writes are possible only inside `unit_of_work`: every other transaction is a reading one, and
an INSERT, UPDATE or DELETE in it is a programming error.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import structlog
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    String,
    TypeDecorator,
    event,
)
from sqlalchemy.dialects.postgresql import JSONB, VARCHAR
from sqlalchemy.orm import DeclarativeBase

from market.core.settings import Settings

SLOW = 1.0  # seconds; a statement that takes longer is logged
BUSY_TIMEOUT_MS = 30_000  # with 5 s and 64 writers there were errors, with 30 s none
WRITE_OPTION = "market_write"
_WRITES = ("INSERT", "UPDATE", "DELETE")
log = structlog.get_logger(__name__)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment; kept as naive UTC, since SQLite has no zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


# A row number: SQLite counts up only columns of type INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")
# A JSON document; binary on PostgreSQL.
Document = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def path_column() -> String:
    """Text that compares byte by byte on every engine, for prefix ranges."""
    return String(200).with_variant(VARCHAR(200, collation="C"), "postgresql")


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(model_class=Base, disable_autonaming=True)


def under(column: Any, path: str) -> Any:
    """SQL condition: a materialised path (`/1/23/`) lies at or below `path`; uses the index."""
    return (column >= path) & (column < path[:-1] + "0")  # "0" follows "/" in ASCII


def init_db(app: Flask, settings: Settings) -> None:
    """Bind the database to the application and set up each connection."""
    app.config["SQLALCHEMY_DATABASE_URI"] = driver_url(settings.database_url)
    if settings.is_sqlite:
        settings.instance.mkdir(parents=True, exist_ok=True)
        # isolation_level None: the driver leaves BEGIN to us.
        options: dict[str, Any] = {"connect_args": {"isolation_level": None, "timeout": 30}}
    else:
        # Works behind a pooler in transaction mode, which has no prepared statements.
        options = {"connect_args": {"prepare_threshold": None}, "pool_pre_ping": True}
    # Errors are logged, and what is written may be personal: the statement is named, not its values.
    options |= {"pool_size": settings.web_threads + 2, "hide_parameters": True}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    with app.app_context():
        _listen(db.engine)


def driver_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _listen(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "before_cursor_execute", _guard_writes)
    event.listen(engine, "before_cursor_execute", _note_start)
    event.listen(engine, "after_cursor_execute", _tell_slow)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # The timeout first: switching to WAL itself needs the lock.
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A read transaction that later writes fails at once when another has written meanwhile,
    # whatever the timeout: writers say so at the start.
    writing = connection.get_execution_options().get(WRITE_OPTION)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _guard_writes(
    connection: Any, _cursor: Any, statement: str, _parameters: Any, _context: Any, _many: bool
) -> None:
    if not statement.lstrip()[:6].upper().startswith(_WRITES):
        return
    work = connection.get_execution_options().get(WRITE_OPTION)
    if work is None:
        raise RuntimeError(f"write outside a unit of work: {statement[:80]}")
    work.wrote = True


def _note_start(
    _connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool
) -> None:
    context.market_started = time.monotonic()


def _tell_slow(
    _connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool
) -> None:
    """Log a slow statement: its text alone, which holds no values."""
    seconds = time.monotonic() - context.market_started
    if seconds > SLOW:
        words = " ".join(statement.split())
        log.warning("slow statement", seconds=round(seconds, 2), statement=words[:300])
