"""The audit: rows written with the change, chained by one sealer within seconds.

A seal is the hash of the seal before and of a batch of committed rows. The order is given when
sealing, never by row number: a row with a lower number may be committed later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import func, select

from market.core import clock
from market.core.db import db
from market.core.models import AuditEntry, AuditSeal
from market.core.permissions import Actor

BATCH = 500
START = "0" * 64
_SEALED = [
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "actor_label",
    "action",
    "object_kind",
    "object_id",
    "object_no",
    "before",
    "after",
    "request_id",
]


def add(
    actor: Actor,
    action: str,
    kind: str,
    object_id: int,
    *,
    no: str | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add an unsealed row to the open transaction."""
    entry = AuditEntry(
        at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        action=action,
        object_kind=kind,
        object_id=object_id,
        object_no=no,
        before=before,
        after=after,
        request_id=structlog.contextvars.get_contextvars().get("request_id"),
    )
    db.session.add(entry)


def _hash(previous: str, entries: Sequence[AuditEntry]) -> str:
    digest = hashlib.sha256(previous.encode())
    for entry in entries:
        values = {name: getattr(entry, name) for name in _SEALED}
        values["at"] = entry.at.isoformat()
        digest.update(json.dumps(values, sort_keys=True, ensure_ascii=False).encode())
    return digest.hexdigest()


def seal_batch() -> int:
    """Chain up to 500 committed rows; returns how many. Call inside a unit of work, alone."""
    waiting = select(AuditEntry).where(AuditEntry.seal_no.is_(None))
    entries = db.session.scalars(waiting.order_by(AuditEntry.id).limit(BATCH)).all()
    if not entries:
        return 0
    last = db.session.scalar(select(AuditSeal).order_by(AuditSeal.no.desc()).limit(1))
    previous = last.hash if last else START
    seal = AuditSeal(
        no=(last.no if last else 0) + 1,
        previous=previous,
        hash=_hash(previous, entries),
        rows=len(entries),
        sealed_at=clock.now(),
    )
    db.session.add(seal)
    db.session.flush()
    for position, entry in enumerate(entries):
        entry.seal_no, entry.seal_position = seal.no, position
    return len(entries)


@dataclass(frozen=True)
class Verdict:
    """What `verify` found. `broken` is the number of the first seal that does not hold."""

    seals: int
    rows: int
    tail: int
    broken: int | None = None


def verify() -> Verdict:
    """Recompute the whole chain; tells the first broken seal and the unsealed tail's length."""
    tail = select(func.count()).select_from(AuditEntry).where(AuditEntry.seal_no.is_(None))
    unsealed = db.session.scalar(tail) or 0
    previous, seals, rows = START, 0, 0
    for seal in db.session.scalars(select(AuditSeal).order_by(AuditSeal.no)).yield_per(100):
        query = select(AuditEntry).where(AuditEntry.seal_no == seal.no)
        entries = db.session.scalars(query.order_by(AuditEntry.seal_position)).all()
        whole = (seal.no, seal.previous, seal.rows) == (seals + 1, previous, len(entries))
        if not whole or seal.hash != _hash(previous, entries):
            return Verdict(seals, rows, unsealed, broken=seals + 1)
        previous, seals, rows = seal.hash, seals + 1, rows + len(entries)
    return Verdict(seals, rows, unsealed)
