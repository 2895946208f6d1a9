"""When two organisations become one, so do their contracts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update

from market.contracts.models import Contract, ContractChange, ContractParty
from market.contracts.workflow import CHANGE, CONTRACT
from market.core.db import db
from market.core.models import WorkItem


def move(source_id: int, target_id: int) -> None:
    """Give what belongs to the one that ends to the one that stays. Inside a unit of work.

    What contracts say, names and codes among it, stays as it was written and sealed.
    """
    for model, column in (
        (Contract, Contract.filer_id),
        (Contract, Contract.seller_id),
        (Contract, Contract.buyer_id),
        (ContractParty, ContractParty.organisation_id),
        (ContractChange, ContractChange.asker_id),
    ):
        _write(update(model).where(column == source_id).values({column.key: target_id}))
    theirs = WorkItem.kind.in_((CONTRACT.name, CHANGE.name))
    _write(
        update(WorkItem)
        .where(theirs, WorkItem.organisation_id == source_id)
        .values(organisation_id=target_id)
    )


def _write(statement: Any) -> None:
    db.session.execute(statement.execution_options(synchronize_session=False))


def would_move(source_id: int) -> tuple[str, int]:
    """What a merger would move, and how many."""
    theirs = Contract.of_party(source_id)
    count = db.session.scalar(select(func.count()).select_from(Contract).where(theirs))
    return "技术合同", count or 0
