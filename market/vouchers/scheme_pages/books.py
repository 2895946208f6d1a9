"""Budgets of schemes as pages tell them: from the accounts alone, and what moved them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from market.core.db import db
from market.regions.models import Region
from market.vouchers.ledger.models import ENTRY_KINDS, LedgerAccount, LedgerEntry, LedgerLine
from market.vouchers.models import Scheme

MOST_MOVES = 100


@dataclass(frozen=True)
class Budget:
    """What lies in the pots of a year and payer's region."""

    year: int
    region_code: str
    region: str
    total_fen: int
    available_fen: int
    reserved_fen: int
    approved_fen: int
    paid_fen: int
    recovered_fen: int

    @property
    def bound_fen(self) -> int:
        """What it cannot be cut below."""
        return self.total_fen - self.available_fen


def budgets(scheme_ids: Sequence[int]) -> dict[int, list[Budget]]:
    """Budgets by scheme, by year and region; from the accounts alone."""
    query = (
        select(LedgerAccount, Region)
        .join(Region, Region.id == LedgerAccount.region_id)
        .where(LedgerAccount.scheme_id.in_(scheme_ids))
        .order_by(LedgerAccount.scheme_id, LedgerAccount.year.desc(), Region.code)
    )
    pots: dict[tuple[int, int, int], dict[str, int]] = {}
    places: dict[int, Region] = {}
    for account, region in db.session.execute(query):
        key = (account.scheme_id, account.year, region.id)
        pots.setdefault(key, {})[account.kind] = account.balance_fen
        places[region.id] = region
    found: dict[int, list[Budget]] = {}
    for (scheme_id, year, region_id), fen in pots.items():
        place = places[region_id]
        found.setdefault(scheme_id, []).append(
            Budget(
                year, place.code, place.full_name, -fen.get("funding", 0),
                fen.get("available", 0), fen.get("reserved", 0), fen.get("approved", 0),
                fen.get("paid", 0), fen.get("recovered", 0),
            )
        )  # fmt: skip
    return found


def budgets_of(scheme: Scheme) -> list[Budget]:
    """The budgets of a scheme, newest year first."""
    return budgets([scheme.id]).get(scheme.id, [])


def published_budgets(scheme: Scheme, content: Mapping[str, Any]) -> list[Budget]:
    """Those that the office publishes: none unless its scheme says so."""
    return budgets_of(scheme) if content.get("budget_public") else []


@dataclass(frozen=True)
class BudgetMove:
    """That a budget was raised or cut. fen: by how much, below zero where it was cut."""

    at: datetime
    year: int
    region: str
    label: str
    fen: int
    by: str


def budget_moves(scheme: Scheme) -> list[BudgetMove]:
    """What raised and cut the budgets of a scheme, newest first."""
    query = (
        select(LedgerEntry, LedgerLine.amount_fen, LedgerAccount.year, Region.full_name)
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerLine.account_id)
        .join(Region, Region.id == LedgerAccount.region_id)
        .where(
            LedgerEntry.subject_kind == "budget",
            LedgerEntry.subject_id == scheme.id,
            LedgerAccount.kind == "available",
        )
        .order_by(LedgerEntry.id.desc())
        .limit(MOST_MOVES)
    )
    return [
        BudgetMove(entry.at, year, region, ENTRY_KINDS[entry.kind], fen, entry.actor_label)
        for entry, fen, year, region in db.session.execute(query)
    ]
