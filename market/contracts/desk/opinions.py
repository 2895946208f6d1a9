"""What experts said about a contract, and who may have their papers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from market.contracts.models import Contract
from market.contracts.office_models import ContractOpinion
from market.contracts.workflow import DESK
from market.core.db import db
from market.core.models import StoredFile
from market.core.permissions import Actor, policy

OPINION = "contract_opinion"  # the kind of object that an expert's paper is attached to


def opinions(contract: Contract) -> Sequence[ContractOpinion]:
    """What experts said, oldest first."""
    query = select(ContractOpinion).where(ContractOpinion.contract_id == contract.id)
    return db.session.scalars(query.order_by(ContractOpinion.id)).all()


def may_have_paper(actor: Actor, row: StoredFile) -> bool:
    """Whether an actor may have an expert's paper: who handles the contract."""
    opinion = db.session.get(ContractOpinion, row.object_id)
    contract = db.session.get(Contract, opinion.contract_id) if opinion is not None else None
    return contract is not None and policy.allows(actor, DESK, contract)
