"""Balances, read from the accounts alone: never a sum over lines."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from market.core.db import db
from market.vouchers.ledger.models import LedgerAccount, LedgerEntry
from market.vouchers.ledger.posting import Pot


def balances(pot: Pot) -> dict[str, int]:
    """Fen by kind of account; empty when the pot has no budget."""
    found = db.session.execute(
        select(LedgerAccount.kind, LedgerAccount.balance_fen).where(
            LedgerAccount.scheme_id == pot.scheme_id,
            LedgerAccount.year == pot.year,
            LedgerAccount.region_id == pot.region_id,
        )
    )
    return {str(kind): int(value) for kind, value in found}


def entries_of(kind: str, object_id: int) -> Sequence[LedgerEntry]:
    """What was moved for a subject, oldest first."""
    query = select(LedgerEntry).where(
        LedgerEntry.subject_kind == kind, LedgerEntry.subject_id == object_id
    )
    return db.session.scalars(query.order_by(LedgerEntry.id)).all()
