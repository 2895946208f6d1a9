"""The sums of registered contracts: entries that are written with each step, and what they add up to.

A registration counts on the day of its registration (登记日期); what ends or changes it is taken
off on the day of that decision, so that what was reported for a past period stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import case, func, select

from market.contracts.entry_models import ContractEntry
from market.contracts.models import Contract
from market.core import clock
from market.core.db import db, under
from market.core.unit_of_work import UnitOfWork
from market.regions.models import Region

# Below this number of contracts an amount would tell what one firm paid.
SMALL = 3
SMALL_NOTE = "不足 3 份，对外不单列金额，以免推知某一单位的成交额。"
# Columns of a contract that an entry repeats.
_SAME = (
    "total_fen",
    "technical_fen",
    "contract_class",
    "seller_region_id",
    "buyer_region_id",
)


def counts(work: UnitOfWork, contract: Contract, _fired: Any) -> None:
    """An effect of registering: from this day on it counts."""
    assert contract.registered_on is not None
    _write(contract, 1, "registered", contract.registered_on)


def counts_no_more(work: UnitOfWork, contract: Contract, _fired: Any) -> None:
    """An effect of cancelling and annulling: what counts is taken off."""
    assert contract.void_on is not None
    take_off(contract, contract.state, contract.void_on)


def counts_anew(contract: Contract, what: str, day: date) -> None:
    """Count a contract as its columns say now, instead of as before. In a unit of work.

    Args:
        what: of `entry_models.ENTRIES`.
    """
    take_off(contract, what, day)
    _write(contract, 1, what, day)


def take_off(contract: Contract, what: str, day: date) -> None:
    """Take off what counts of a contract; nothing where nothing does."""
    query = select(ContractEntry).where(ContractEntry.contract_id == contract.id)
    last = db.session.scalars(query.order_by(ContractEntry.id.desc()).limit(1)).first()
    if last is not None and last.contracts > 0:
        _write(last, -1, what, max(day, last.day))


def _write(source: Contract | ContractEntry, sign: int, what: str, day: date) -> None:
    values = {name: getattr(source, name) for name in _SAME}
    values |= {name: sign * values[name] for name in ("total_fen", "technical_fen")}
    contract_id = source.id if isinstance(source, Contract) else source.contract_id
    db.session.add(
        ContractEntry(
            contract_id=contract_id,
            day=day,
            what=what,
            contracts=sign,
            created_at=clock.now(),
            **values,
        )
    )
    db.session.flush()


@dataclass(frozen=True)
class Sums:
    """What a period counts: net figures, and how much of them was taken off.

    taken_off counts contracts that ended; what a change took off and added again is in the
    amounts alone.
    """

    contracts: int
    total_fen: int
    technical_fen: int
    taken_off: int
    taken_off_total_fen: int
    taken_off_technical_fen: int

    @property
    def small(self) -> bool:
        """Whether so few contracts count that their amounts should not be shown outside."""
        return 0 < self.contracts < SMALL

    @property
    def note(self) -> str:
        """What to say beside a figure that is too small; empty where it is not."""
        return SMALL_NOTE if self.small else ""


@dataclass(frozen=True)
class Counted:
    """输出技术 by the seller's place, 吸纳技术 by the buyer's; within one region both count."""

    output: Sums
    input: Sums


def counted(region: Region, since: date, until: date) -> Counted:
    """What a region with all below it sold and took in, by day of registration.

    Asks no policy: sums of a region are shown to its own offices by the rooms above.

    Args:
        since, until: first and last day, both included.
    """
    return Counted(
        _sums(ContractEntry.seller_region_id, region.path, since, until),
        _sums(ContractEntry.buyer_region_id, region.path, since, until),
    )


def _sums(column: Any, path: str, since: date, until: date) -> Sums:
    ended = ContractEntry.what.in_(("cancelled", "annulled"))

    def of(value: Any) -> tuple[Any, Any]:
        return func.sum(value), func.sum(case((ended, value), else_=0))

    figures = [ContractEntry.contracts, ContractEntry.total_fen, ContractEntry.technical_fen]
    both = [of(one) for one in figures]
    query = select(*(net for net, _ in both), *(-off for _, off in both)).where(
        column.in_(select(Region.id).where(under(Region.path, path))),
        ContractEntry.day >= since,
        ContractEntry.day <= until,
    )
    found = db.session.execute(query).one()
    return Sums(*(int(one or 0) for one in found))
