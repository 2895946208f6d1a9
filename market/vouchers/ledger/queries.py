"""Balances, read from the accounts alone: never a sum over lines."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from market.core.db import db
from market.vouchers.ledger.models import LedgerAccount, LedgerEntry, LedgerLine
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


def accounts(scheme_id: int) -> Sequence[LedgerAccount]:
    """All accounts of a scheme, by year and region."""
    query = select(LedgerAccount).where(LedgerAccount.scheme_id == scheme_id)
    order = (LedgerAccount.year, LedgerAccount.region_id, LedgerAccount.id)
    return db.session.scalars(query.order_by(*order)).all()


def entries_of(kind: str, object_id: int) -> Sequence[LedgerEntry]:
    """What was moved for a subject, oldest first."""
    query = select(LedgerEntry).where(
        LedgerEntry.subject_kind == kind, LedgerEntry.subject_id == object_id
    )
    return db.session.scalars(query.order_by(LedgerEntry.id)).all()


def lines_of(account_id: int, before: int | None = None, most: int = 50) -> Sequence[LedgerLine]:
    """Lines of an account, newest first; `before`: an entry's id, for the next page."""
    query = select(LedgerLine).where(LedgerLine.account_id == account_id)
    if before is not None:
        query = query.where(LedgerLine.entry_id < before)
    return db.session.scalars(query.order_by(LedgerLine.entry_id.desc()).limit(most)).all()
