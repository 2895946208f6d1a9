"""Conditions of the policy that only changes of contracts know: who asked, for whom, was it sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, select

from market.contracts.changes.models import ContractChange
from market.contracts.models import Contract
from market.contracts.policies import AtPoint
from market.core.db import db
from market.core.models import CaseEvent
from market.core.permissions import Actor, Condition, Grant


@dataclass(frozen=True)
class Authorised(AtPoint):
    """Holds for contracts whose filer let this point ask for changes: a paper given after registration.

    What was authorised for the filing ends with it. As for filings until its last day, while the
    point is in force, and by its powers.
    """

    def _holds(self, contract: Contract, own: int) -> bool:
        given = _GIVEN.where(CaseEvent.object_id == contract.id)
        return super()._holds(contract, own) and bool(db.session.scalar(select(given.exists())))

    def _sql(self, own: int) -> ColumnElement[bool]:
        return super()._sql(own) & Contract.id.in_(_GIVEN)


_GIVEN = select(CaseEvent.object_id).where(
    CaseEvent.kind == "contract", CaseEvent.action == "authorise", CaseEvent.before == "registered"
)


class ForFiler(Condition):
    """Holds for changes that were asked for the filer of the contract, by itself or on its behalf."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        if target is None:
            return True
        return target.asker_id is not None and target.asker_id == target.contract.filer_id

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        filers = select(Contract.filer_id).where(Contract.id == ContractChange.contract_id)
        return ContractChange.asker_id == filers.scalar_subquery()


class Asker(Condition):
    """Holds for changes that the organisation of the grant asked for."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        own = grant.organisation_id
        return own is not None and (target is None or target.asker_id == own)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        own = grant.organisation_id
        return false() if own is None else ContractChange.asker_id == own


class ByOffice(Condition):
    """Holds for changes that a body or an office began on its own."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or target.asker_id is None

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        return ContractChange.asker_id.is_(None)


class Sent(Condition):
    """Holds for changes that were sent in once: drafts, given up or not, concern nobody else."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or target.submitted_at is not None

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        return ContractChange.submitted_at.is_not(None)
