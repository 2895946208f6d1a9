"""The only writer of the ledger: guarded balances, in order of account, safe to repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from market.core import clock
from market.core.db import db
from market.core.errors import Conflict
from market.core.unit_of_work import UnitOfWork
from market.regions.models import Region
from market.vouchers.ledger.models import KINDS, LedgerAccount, LedgerEntry, LedgerLine


class Overdrawn(Conflict):
    """An account does not hold what is to be taken from it."""


@dataclass(frozen=True)
class Pot:
    """Where money lies: a scheme, a year, the region that pays."""

    scheme_id: int
    year: int
    region_id: int


@dataclass(frozen=True)
class Move:
    """What is added to an account; below zero: taken from it."""

    account_id: int
    amount_fen: int


@dataclass(frozen=True)
class Subject:
    """What an entry is about: a budget, a voucher, an order, a claim."""

    kind: str
    id: int


def _insert(model: Any) -> Any:
    """An INSERT that can pass over what is there already."""
    engine = db.session.get_bind().dialect.name
    return (postgresql if engine == "postgresql" else sqlite).insert(model)


def open_pot(pot: Pot) -> dict[str, int]:
    """The accounts of a pot by kind, made if they are not there yet."""
    rows = [
        {
            "scheme_id": pot.scheme_id,
            "year": pot.year,
            "region_id": pot.region_id,
            "kind": kind,
            "balance_fen": 0,
        }
        for kind in KINDS
    ]
    db.session.execute(_insert(LedgerAccount).values(rows).on_conflict_do_nothing())
    return accounts_of(pot)


def accounts_of(pot: Pot) -> dict[str, int]:
    """Ids of the accounts of a pot by kind; empty when no budget was ever set for it."""
    found = db.session.execute(
        select(LedgerAccount.kind, LedgerAccount.id).where(
            LedgerAccount.scheme_id == pot.scheme_id,
            LedgerAccount.year == pot.year,
            LedgerAccount.region_id == pot.region_id,
        )
    )
    return {str(kind): int(value) for kind, value in found}


def between(pot: Pot, source: str, target: str, fen: int) -> list[Move]:
    """The moves that bring money of a pot from one kind of account to another.

    Raises:
        Overdrawn: the pot has no budget.
    """
    accounts = accounts_of(pot)
    if not accounts:
        payer = db.session.get_one(Region, pot.region_id).full_name
        raise Overdrawn(f"{payer} {pot.year} 年没有下达预算，不能占用额度。")
    return [Move(accounts[source], -fen), Move(accounts[target], fen)]


def post(
    work: UnitOfWork,
    key: str,
    kind: str,
    moves: Sequence[Move],
    subject: Subject,
    reverses: LedgerEntry | None = None,
) -> LedgerEntry:
    """Move money. Call inside a unit of work that has asked the policy.

    The same key with the same moves gives back the entry that is there: nothing happens twice.

    Raises:
        ValueError: the moves do not sum to zero, or the key stands for other moves.
        Overdrawn: an account does not hold as much.
    """
    sums = _summed(moves)
    entry_id = db.session.execute(
        _insert(LedgerEntry)
        .values(
            key=key,
            kind=kind,
            subject_kind=subject.kind,
            subject_id=subject.id,
            reverses_id=reverses.id if reverses else None,
            actor_kind=work.actor.kind,
            actor_id=work.actor.id,
            actor_label=work.actor.label,
            at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(LedgerEntry.id)
    ).scalar_one_or_none()
    if entry_id is None:
        return _same(key, kind, sums, subject)
    for account_id, fen in sums.items():
        _shift(account_id, fen)
    rows = [
        {"entry_id": entry_id, "account_id": account, "amount_fen": fen}
        for account, fen in sums.items()
    ]
    db.session.execute(_insert(LedgerLine).values(rows))
    return db.session.get_one(LedgerEntry, entry_id)


def reverse(work: UnitOfWork, entry: LedgerEntry, key: str) -> LedgerEntry:
    """Take an entry back by one that says the opposite; an entry is reversed once at most."""
    moves = [Move(one.account_id, -one.amount_fen) for one in entry.lines]
    return post(
        work, key, "reverse", moves, Subject(entry.subject_kind, entry.subject_id), reverses=entry
    )


def _summed(moves: Sequence[Move]) -> dict[int, int]:
    """Account → amount in order of account, which is the order of locks."""
    sums: dict[int, int] = {}
    for one in moves:
        if type(one.amount_fen) is not int:
            raise ValueError("money is whole fen")
        sums[one.account_id] = sums.get(one.account_id, 0) + one.amount_fen
    if not sums or sum(sums.values()) != 0:
        raise ValueError("the lines of an entry sum to zero")
    return {account: sums[account] for account in sorted(sums) if sums[account]}


def _shift(account_id: int, fen: int) -> None:
    """Change a balance where it stays above zero: of two who want the last of it one succeeds."""
    guard = (LedgerAccount.kind == "funding") | (LedgerAccount.balance_fen + fen >= 0)
    done = db.session.execute(
        update(LedgerAccount)
        .where(LedgerAccount.id == account_id, guard)
        .values(balance_fen=LedgerAccount.balance_fen + fen)
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        kind = db.session.scalar(select(LedgerAccount.kind).where(LedgerAccount.id == account_id))
        raise Overdrawn(f"{KINDS[kind or 'available']}不足，没有办理；请刷新后再看。")


def _same(key: str, kind: str, sums: dict[int, int], subject: Subject) -> LedgerEntry:
    entry = db.session.scalars(select(LedgerEntry).where(LedgerEntry.key == key)).one()
    there = {one.account_id: one.amount_fen for one in entry.lines}
    about = (entry.kind, entry.subject_kind, entry.subject_id)
    if there != sums or about != (kind, subject.kind, subject.id):
        raise ValueError(f"the key {key} stands for another movement")
    return entry
