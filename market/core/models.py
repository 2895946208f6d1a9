"""Technical tables: audit, outbox, leases, nodes, number series, calendar."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from market.core.db import Base, Document, RowId, UtcDateTime


class AuditSeal(Base):
    """One link of the chain: the hash over the seal before and a batch of audit rows."""

    __tablename__ = "audit_seal"
    no: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditEntry(Base):
    """Who did what to which object; written unsealed with the change, sealed within seconds."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_object", "object_kind", "object_id"),
        Index("ix_audit_entry_seal", "seal_no", "seal_position"),
        CheckConstraint("(seal_no IS NULL) = (seal_position IS NULL)", name="sealed_whole"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_label: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(60))
    object_kind: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[int] = mapped_column(BigInteger)
    object_no: Mapped[str | None] = mapped_column(String(40))
    before: Mapped[dict[str, Any] | None] = mapped_column(Document)
    after: Mapped[dict[str, Any] | None] = mapped_column(Document)
    request_id: Mapped[str | None] = mapped_column(String(40))
    seal_no: Mapped[int | None] = mapped_column(ForeignKey("audit_seal.no"))
    seal_position: Mapped[int | None]


class OutboxRow(Base):
    """An effect to carry out after the commit, at least once; deleted when done."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_consumer", "consumer", "id"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    consumer: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[int] = mapped_column(BigInteger)
    payload: Mapped[dict[str, Any] | None] = mapped_column(Document)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")


class Node(Base):
    """A server with a search index of its own; one silent for a day loses its outbox rows."""

    __tablename__ = "node"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    heartbeat: Mapped[datetime] = mapped_column(UtcDateTime)


class Lease(Base):
    """The right to do a job alone for a while."""

    __tablename__ = "lease"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(80))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class NumberSeries(Base):
    """The last number given in a series; numbers are never reused."""

    __tablename__ = "number_series"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


class CalendarDay(Base):
    """A day on which work differs from the official calendar, with its source."""

    __tablename__ = "calendar_day"
    day: Mapped[date] = mapped_column(primary_key=True)
    works: Mapped[bool]
    source: Mapped[str] = mapped_column(String(200))


class ImportRun(Base):
    """One import of a file: what it staged stays hidden until it is done, and can be undone."""

    __tablename__ = "import_run"
    __table_args__ = (
        CheckConstraint(
            "state IN ('staging', 'done', 'refused', 'abandoned', 'undone')", name="state"
        ),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    file_name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20))
    actor_label: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # A run whose process died is known by a heartbeat that stopped.
    heartbeat_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    imported: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)


class ReferenceData(Base):
    """Which version of a shipped data file the database holds."""

    __tablename__ = "reference_data"
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[str] = mapped_column(String(64))
