"""The outbox: effects written with the change and carried out after the commit, at least once.

A row is per consumer. Search nodes each have their own (`index:<node>`), so that a node that
was away catches up by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, literal, or_, select, update

from market.core import clock
from market.core.db import db
from market.core.models import Node, OutboxRow

SILENT_NODE = timedelta(days=1)
REBUILD = "rebuild"  # the kind of a row that asks search nodes for a new index


def index_consumer(node: str) -> str:
    """The consumer name of a node's search index."""
    return f"index:{node}"


def announce(kind: str, object_id: int, payload: dict[str, Any] | None = None) -> None:
    """Add one row per registered search node. Call inside a unit of work."""
    rows = select(
        literal("index:") + Node.name,
        literal(kind),
        literal(object_id),
        literal(payload, OutboxRow.payload.type),
        literal(clock.now(), OutboxRow.created_at.type),
    )
    columns = ["consumer", "kind", "object_id", "payload", "created_at"]
    db.session.execute(insert(OutboxRow).from_select(columns, rows))


def read(consumer: str, limit: int) -> Sequence[OutboxRow]:
    """The oldest due rows of a consumer, at most `limit`."""
    due = or_(OutboxRow.not_before.is_(None), OutboxRow.not_before <= clock.now())
    query = select(OutboxRow).where(OutboxRow.consumer == consumer, due)
    return db.session.scalars(query.order_by(OutboxRow.id).limit(limit)).all()


def remove(ids: Sequence[int]) -> None:
    """Delete rows that were carried out. Call inside a unit of work."""
    db.session.execute(delete(OutboxRow).where(OutboxRow.id.in_(ids)))


def postpone(ids: Sequence[int], until: datetime) -> None:
    """Try rows again later, after a failure. Call inside a unit of work."""
    db.session.execute(
        update(OutboxRow)
        .where(OutboxRow.id.in_(ids))
        .values(not_before=until, attempts=OutboxRow.attempts + 1)
    )


def pending(consumer: str) -> int:
    """How many rows a consumer still has to carry out."""
    query = select(func.count()).select_from(OutboxRow).where(OutboxRow.consumer == consumer)
    return db.session.scalar(query) or 0


def forget_silent_nodes() -> list[str]:
    """Drop nodes without a sign of life for a day, with their rows. Inside a unit of work."""
    silent = list(
        db.session.scalars(select(Node.name).where(Node.heartbeat < clock.now() - SILENT_NODE))
    )
    for name in silent:
        db.session.execute(delete(OutboxRow).where(OutboxRow.consumer == index_consumer(name)))
        db.session.execute(delete(Node).where(Node.name == name))
    return silent


def forget_all_nodes() -> None:
    """Drop every node with its rows: each registers anew and builds its index. In a unit of work."""
    db.session.execute(delete(OutboxRow).where(OutboxRow.consumer.startswith(index_consumer(""))))
    db.session.execute(delete(Node))
