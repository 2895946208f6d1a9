"""Proving the ledger: every balance once more from the lines, every entry summed to zero."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from market.core.db import db
from market.regions.models import Region
from market.vouchers.ledger.models import LedgerAccount, LedgerLine


@dataclass(frozen=True)
class Checked:
    """An account as it stands (`balance_fen`) and as its lines make it (`lines_fen`)."""

    account_id: int
    scheme_id: int
    year: int
    region_code: str
    kind: str
    balance_fen: int
    lines_fen: int

    @property
    def true(self) -> bool:
        """Whether both agree."""
        return self.balance_fen == self.lines_fen


@dataclass(frozen=True)
class Report:
    """What reconciling found. unbalanced: ids of entries whose lines do not sum to zero."""

    accounts: tuple[Checked, ...]
    unbalanced: tuple[int, ...]

    @property
    def true(self) -> bool:
        """Whether every account and every entry is right."""
        return not self.unbalanced and all(one.true for one in self.accounts)


def reconcile() -> Report:
    """Recompute all balances from the lines, in one reading transaction."""
    summed = (
        select(LedgerLine.account_id, func.sum(LedgerLine.amount_fen).label("fen"))
        .group_by(LedgerLine.account_id)
        .subquery()
    )
    rows = db.session.execute(
        select(
            LedgerAccount.id,
            LedgerAccount.scheme_id,
            LedgerAccount.year,
            Region.code,
            LedgerAccount.kind,
            LedgerAccount.balance_fen,
            func.coalesce(summed.c.fen, 0),
        )
        .join(Region, Region.id == LedgerAccount.region_id)
        .outerjoin(summed, summed.c.account_id == LedgerAccount.id)
        .order_by(LedgerAccount.id)
    )
    accounts = tuple(
        Checked(account, scheme, year, code, kind, fen, int(lines))
        for account, scheme, year, code, kind, fen, lines in rows
    )
    unbalanced = db.session.scalars(
        select(LedgerLine.entry_id)
        .group_by(LedgerLine.entry_id)
        .having(func.sum(LedgerLine.amount_fen) != 0)
    )
    return Report(accounts, tuple(unbalanced))
