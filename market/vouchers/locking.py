"""Holding the rows of voucher money until the commit, and what changes with every step."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

from sqlalchemy import select

from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, NotFound
from market.core.permissions import Actor, policy
from market.vouchers.ledger.models import LedgerEntry
from market.vouchers.models import Scheme

Row = TypeVar("Row")


def locked(
    model: type[Row], actor: Actor, permission: str, no: str, version: int | None = None
) -> Row:
    """A row by its number, held until the commit.

    Args:
        version: `lock_version` as the actor saw it; None: not asked.

    Raises:
        NotFound: none that the actor may know. Conflict: it moved since it was seen.
    """
    table: Any = model
    hold_money(table, table.no == no)
    found = db.session.scalar(
        select(table)
        .where(table.no == no, policy.where(actor, permission, table))
        .with_for_update(of=table)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的记录。")
    if version is not None and version != found.lock_version:
        raise Conflict("刚有新的改动，请先看新内容；您写的还在，仍要提交请再点一次。")
    row: Row = found
    return row


def hold_money(table: Any, condition: Any) -> None:
    """Wait for the money of a case's scheme, always first: who moves it comes one after another.

    Counters, accounts, vouchers and cases are then locked in any order without two waiting for
    each other. SQLite has one writer anyway.
    """
    if db.session.get_bind().dialect.name == "sqlite":
        return
    if table is not Scheme:
        condition = Scheme.id == select(table.scheme_id).where(condition).scalar_subquery()
    db.session.execute(select(Scheme.id).where(condition).with_for_update(key_share=True))


def moved(model: Any, **values: Any) -> dict[str, Any]:
    """Columns that change with every step."""
    return {"updated_at": clock.now(), "lock_version": model.lock_version + 1, **values}


def seen(model: type[Row], actor: Actor, permission: str, no: str) -> Row:
    """A row by its number, not held: many may read it at once.

    Raises:
        NotFound: none that the actor may know.
    """
    table: Any = model
    found: Row | None = db.session.scalar(
        select(table).where(table.no == no, policy.where(actor, permission, table))
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的记录。")
    return found


def today() -> date:
    """Today; never before the day of the last entry, so that a clock set back opens no door."""
    last = db.session.scalar(select(LedgerEntry.at).order_by(LedgerEntry.id.desc()).limit(1))
    day = clock.today()
    return day if last is None else max(day, clock.local(last).date())
