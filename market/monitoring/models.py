"""Acts on many cases at once, with what each case was before, so that they can be taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from market.core.db import Base, Document, RowId, UtcDateTime

BULK_STATES = {
    "running": "正在办理",
    "done": "已办完",
    "undoing": "正在撤销",
    "undone": "已撤销",
}
ROW_STATES = {
    "waiting": "等待办理",
    "done": "已办",
    "refused": "未办",
    "undone": "已撤销",
    "kept": "未能撤销",
}


class BulkAction(Base):
    """One act on up to 500 cases: who, what, when; until `undo_until` it can be undone.

    `act` is "assign", "remind" or `<workflow>.<action>`; `given` holds its reason or the id of
    the colleague.
    """

    __tablename__ = "bulk_action"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(BULK_STATES)}", name="state"),
        Index("ix_bulk_action_state", "state", "id"),
        Index("ix_bulk_action_actor", "actor_kind", "actor_id", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    act: Mapped[str] = mapped_column(String(80))
    label: Mapped[str] = mapped_column(String(100))
    given: Mapped[dict[str, Any]] = mapped_column(Document)
    state: Mapped[str] = mapped_column(String(10))
    total: Mapped[int]
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_label: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    undo_until: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BulkRow(Base):
    """One case of such an act: what became of it, and what undoing it needs.

    `before` and `after` are the values that changed; `event_id` the line of its timeline;
    `messages` the outbox rows that wait as long as the act can be undone.
    """

    __tablename__ = "bulk_row"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(ROW_STATES)}", name="state"),
        Index("ix_bulk_row_bulk", "bulk_id", "state", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    bulk_id: Mapped[int] = mapped_column(ForeignKey("bulk_action.id"))
    item_id: Mapped[int] = mapped_column(BigInteger)
    no: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(300))
    url: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10))
    before: Mapped[dict[str, Any] | None] = mapped_column(Document)
    after: Mapped[dict[str, Any] | None] = mapped_column(Document)
    event_id: Mapped[int | None] = mapped_column(BigInteger)
    messages: Mapped[list[int] | None] = mapped_column(Document)
    reason: Mapped[str | None] = mapped_column(Text)
