"""Reading 我的事项, and what became of acts on many cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from market.core import clock
from market.core.db import db
from market.core.models import WorkItem
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.monitoring.models import BulkAction, BulkRow
from market.monitoring.queries import MY, ItemView, counts, order_of, rows

GROUPS = {"owner": "等您办理", "office": "等对方办理", "closed": "已办结"}
_BEGINNING = 10  # cases of each group on the first page


@dataclass(frozen=True)
class MyGroup:
    """One of the three groups of 我的事项."""

    code: str
    label: str
    page: PageOf[ItemView]


def mine(actor: Actor, group: str = "", page: int = 1) -> list[MyGroup]:
    """One's own cases: the beginning of each group, or a page of one group."""
    policy.require(actor, MY)
    own = policy.where(actor, MY, WorkItem)
    sides = {
        "owner": WorkItem.side == "owner",
        "office": WorkItem.side == "office",
        "closed": WorkItem.side == "",
    }
    numbers = counts([own], sides)
    size = ROWS_PER_PAGE if group else _BEGINNING
    found = []
    for code in [group] if group else GROUPS:
        order = order_of("due", "closed" if code == "closed" else "")
        query = select(WorkItem.id).where(own, sides[code]).order_by(*order)
        ids = db.session.scalars(query.limit(size).offset((page - 1) * size)).all()
        found.append((code, ids))
    shown = {one.id: one for one in rows([key for _, ids in found for key in ids])}
    return [
        MyGroup(
            code,
            GROUPS[code],
            PageOf([shown[key] for key in ids], min(numbers[code], EXACT_UP_TO), page, size),
        )
        for code, ids in found
    ]


# Acts on many cases


@dataclass(frozen=True)
class BulkView:
    """An act on many cases, as its page shows it."""

    id: int
    label: str
    state: str
    total: int
    counts: dict[str, int]
    rows: Sequence[BulkRow]
    reason: str
    created_at: datetime
    undo_until: datetime
    undoable: bool

    @property
    def working(self) -> bool:
        """Whether the worker still goes on with it."""
        return self.state in {"running", "undoing"}

    @property
    def left(self) -> int:
        """How many cases are still to be dealt with."""
        return self.counts.get("done" if self.state == "undoing" else "waiting", 0)


def bulk(row: BulkAction) -> BulkView:
    """An act that the actor may see, with its cases: those that failed come first."""
    query = select(BulkRow).where(BulkRow.bulk_id == row.id).order_by(BulkRow.id)
    found = db.session.scalars(query).all()
    numbers: dict[str, int] = {}
    for one in found:
        numbers[one.state] = numbers.get(one.state, 0) + 1
    return BulkView(
        id=row.id,
        label=row.label,
        state=row.state,
        total=row.total,
        counts=numbers,
        rows=sorted(found, key=lambda one: one.state not in {"refused", "kept"}),
        reason=row.given.get("reason", ""),
        created_at=row.created_at,
        undo_until=row.undo_until,
        undoable=row.state in {"running", "done"}
        and clock.now() < row.undo_until
        and any(one.state in {"done", "waiting"} for one in found),
    )
