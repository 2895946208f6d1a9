"""When two organisations become one, so do their contracts and what is asked of these."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, func, select, update

from market.contracts.changes.models import ContractChange
from market.contracts.changes.workflow import CHANGE
from market.contracts.models import Contract, ContractParty
from market.contracts.workflow import CONTRACT
from market.core.db import db
from market.core.models import WorkItem


def move(source_id: int, target_id: int) -> None:
    """Give what belongs to the one that ends to the one that stays. Inside a unit of work.

    What versions say stays as it was signed; admissions of bodies and points move by their room.
    """
    for model, column in (
        (Contract, Contract.filer_id),
        (Contract, Contract.seller_id),
        (Contract, Contract.buyer_id),
        (ContractParty, ContractParty.organisation_id),
        (ContractChange, ContractChange.asker_id),
    ):
        _write(update(model).where(column == source_id).values({column.key: target_id}))
    kinds = (CONTRACT.name, CHANGE.name)
    theirs = and_(WorkItem.kind.in_(kinds), WorkItem.organisation_id == source_id)
    _write(update(WorkItem).where(theirs).values(organisation_id=target_id))


def _write(statement: Any) -> None:
    db.session.execute(statement.execution_options(synchronize_session=False))


def would_move(source_id: int) -> tuple[str, int]:
    """What a merger would move, and how many."""
    theirs = Contract.of_party(source_id)
    count = db.session.scalar(select(func.count()).select_from(Contract).where(theirs))
    return "技术合同", count or 0
