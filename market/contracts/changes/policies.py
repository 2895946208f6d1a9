"""Conditions of the policy that only changes of contracts know: who asked, whether it was sent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, false

from market.contracts.changes.models import ContractChange
from market.core.permissions import Actor, Condition, Grant


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
