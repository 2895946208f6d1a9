"""Technical tables: audit, outbox, leases, nodes, number series, calendar."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from market.core.db import Base, Document, RowId, UtcDateTime, path_column, under


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
        Index("ix_audit_entry_at", "at", "id"),
        Index("ix_audit_entry_no", "object_no", "id"),
        Index("ix_audit_entry_action", "action", "id"),
        Index("ix_audit_entry_actor", "actor_kind", "actor_id", "id"),
        Index("ix_audit_entry_label", "actor_label", "id"),
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


class CaseEvent(Base):
    """A line of a case's timeline (办理过程): who did what when, and why."""

    __tablename__ = "case_event"
    __table_args__ = (Index("ix_case_event_object", "kind", "object_id", "id"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    object_id: Mapped[int] = mapped_column(BigInteger)
    action: Mapped[str] = mapped_column(String(40))
    before: Mapped[str | None] = mapped_column(String(30))
    after: Mapped[str | None] = mapped_column(String(30))
    reason: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_label: Mapped[str] = mapped_column(String(200))
    # Of a program: the person who made its token.
    maker_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class WorkItem(Base):
    """One row per case that somebody works on; `/desk` and `/my` read only this table.

    `side` says who has to act next: "office", "owner", or "" when the case is closed. Kept by
    `workflow.show_on_desks`; only `assignee_id` (the office's handler) and `owner_assignee_id` (the
    owner's colleague who looks after it) are written elsewhere.
    """

    __tablename__ = "work_item"
    __table_args__ = (
        UniqueConstraint("kind", "object_id"),
        CheckConstraint("side IN ('office', 'owner', '')", name="side"),
        CheckConstraint("(side = '') = (closed_at IS NOT NULL)", name="closed"),
        # Holds all that the desk counts and sorts by, so that it reads no row it does not show.
        Index(
            "ix_work_item_area",
            "side",
            "region_path",
            "due",
            "assignee_id",
            "returned",
            "opened_at",
            "kind",
        ),
        Index("ix_work_item_assignee", "assignee_id", "side", "due"),
        Index("ix_work_item_owner_assignee", "owner_assignee_id", "side", "due"),
        Index("ix_work_item_organisation", "organisation_id", "side", "updated_at"),
        Index("ix_work_item_person", "person_id", "side"),
        Index("ix_work_item_closed", "closed_at"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    room: Mapped[str] = mapped_column(String(30))
    kind: Mapped[str] = mapped_column(String(30))
    object_id: Mapped[int] = mapped_column(BigInteger)
    no: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(300))
    url: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(30))
    side: Mapped[str] = mapped_column(String(10))
    next_step: Mapped[str] = mapped_column(String(200))
    organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    region_path: Mapped[str | None] = mapped_column(path_column())
    assignee_id: Mapped[int | None] = mapped_column(BigInteger)
    owner_assignee_id: Mapped[int | None] = mapped_column(BigInteger)
    due: Mapped[date | None]
    provisional: Mapped[bool] = mapped_column(default=False)
    returned: Mapped[bool] = mapped_column(default=False)
    urgent: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def organisation_of(self) -> int | None:
        """Whose case it is, for the policy."""
        return self.organisation_id

    @property
    def area_path(self) -> str | None:
        """Where it lies, for the policy."""
        return self.region_path

    @classmethod
    def owned_by(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: cases of this organisation."""
        return cls.organisation_id == organisation_id

    @classmethod
    def within(cls, path: str) -> ColumnElement[bool]:
        """SQL: cases that lie at or below this region."""
        found: ColumnElement[bool] = under(cls.region_path, path)
        return found


class LimitHit(Base):
    """One use of something that is limited (a sign-in, a message): who, as a pseudonym, and when."""

    __tablename__ = "limit_hit"
    __table_args__ = (
        Index("ix_limit_hit_who", "kind", "who", "at"),
        Index("ix_limit_hit_at", "at"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    who: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class OnceKey(Base):
    """A form or a request that was carried out, so that the same one again only repeats the answer."""

    __tablename__ = "once_key"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class KeptForm(Base):
    """A form refused for an ended session, sealed, until its sender has signed in again."""

    __tablename__ = "kept_form"
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    path: Mapped[str] = mapped_column(String(300))
    sealed: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class StoredFile(Base):
    """An uploaded file: content under its hash in the storage, attached to one object.

    `derived` holds what was made of a picture: width in pixels → hash of the smaller one.
    """

    __tablename__ = "stored_file"
    __table_args__ = (Index("ix_stored_file_object", "kind", "object_id"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    object_id: Mapped[int] = mapped_column(BigInteger)
    purpose: Mapped[str] = mapped_column(String(30))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64), index=True)
    derived: Mapped[dict[str, str] | None] = mapped_column(Document)
    caption: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200))
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
