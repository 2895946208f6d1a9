"""Caps of an organisation: guarded counters, so that two claims at once cannot pass one cap."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from market.core.db import db
from market.core.errors import Conflict
from market.core.money import show_yuan
from market.vouchers.models import CapUse, Scheme
from market.vouchers.sheet import Sheet

EVER = 0  # the year of the counter over all years


def scope_of(sheet: Sheet, scheme: Scheme, *, award: bool = False) -> str:
    """What a cap counts over: this scheme, or all of its owner where the sheet says so.

    Args:
        award: of a provider's awards, which have a cap of their own.
    """
    if award:
        return f"award:{scheme.id}"
    return f"owner:{scheme.region_id}" if sheet.cap_scope == "owner" else f"scheme:{scheme.id}"


def used(scope: str, organisation_id: int, year: int) -> CapUse:
    """The counters as they stand; zeros when nothing was counted."""
    found = db.session.scalar(
        select(CapUse)
        .where(
            CapUse.scope == scope, CapUse.organisation_id == organisation_id, CapUse.year == year
        )
        .execution_options(populate_existing=True)
    )
    return found or CapUse(
        scope=scope,
        organisation_id=organisation_id,
        year=year,
        held_fen=0,
        issued_fen=0,
        claimed_fen=0,
    )


def count(
    scope: str, organisation_id: int, year: int, column: str, fen: int, most: int | None, words: str
) -> None:
    """Add to a counter (below zero: take back) unless that passes the cap.

    Args:
        column: held_fen, issued_fen or claimed_fen. most: the cap; None: there is none.

    Raises:
        Conflict: the cap would be passed.
    """
    key = {"scope": scope, "organisation_id": organisation_id, "year": year}
    engine = db.session.get_bind().dialect.name
    insert: Any = (postgresql if engine == "postgresql" else sqlite).insert(CapUse)
    row = {**key, "held_fen": 0, "issued_fen": 0, "claimed_fen": 0}
    db.session.execute(insert.values(row).on_conflict_do_nothing())
    counter = getattr(CapUse, column)
    guard = [counter + fen >= 0]
    if most is not None and fen > 0:
        guard.append(counter + fen <= most)
    done = db.session.execute(
        update(CapUse)
        .where(*(getattr(CapUse, name) == value for name, value in key.items()), *guard)
        .values({column: counter + fen})
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        raise Conflict(f"超过{words}{show_yuan(most or 0)}，没有办理。")
