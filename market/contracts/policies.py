"""Conditions of the policy that only contracts know: parties, the body, its point, its office."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, select

from market.contracts.models import Contract
from market.core import clock
from market.core.db import under
from market.core.permissions import Actor, Condition, Grant
from market.regions.models import Region
from market.service_points.models import Admission, AdmissionPower


def _contract(target: Any) -> Contract:
    found: Contract = target if isinstance(target, Contract) else target.contract
    return found


def was_sent(contract: Contract) -> bool:
    """Whether it was sent in once: what was given up before concerns nobody else."""
    given_up = contract.state == "withdrawn" and contract.submitted_at is None
    return contract.state != "draft" and not given_up


def _sent_rows() -> ColumnElement[bool]:
    """SQL: the same."""
    asked = Contract.submitted_at.is_not(None)
    return (Contract.state != "draft") & ((Contract.state != "withdrawn") | asked)


def _rows(model: Any, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """SQL: rows of `model` whose contract fulfils a condition."""
    if model is Contract:
        return condition
    found: ColumnElement[bool] = model.contract_id.in_(select(Contract.id).where(condition))
    return found


class _OfOrganisation(Condition):
    """Holds for contracts to which the organisation of the grant stands in some relation."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        own = grant.organisation_id
        return own is not None and (target is None or self._holds(_contract(target), own))

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        own = grant.organisation_id
        return false() if own is None else _rows(model, self._sql(own))

    def _holds(self, contract: Contract, own: int) -> bool:
        raise NotImplementedError

    def _sql(self, own: int) -> ColumnElement[bool]:
        raise NotImplementedError


class Filer(_OfOrganisation):
    """Holds for who files it, the seller as a rule."""

    def _holds(self, contract: Contract, own: int) -> bool:
        return contract.filer_id == own

    def _sql(self, own: int) -> ColumnElement[bool]:
        return Contract.filer_id == own


class Party(_OfOrganisation):
    """Holds for the filer, and for seller and buyer once it was sent in."""

    def _holds(self, contract: Contract, own: int) -> bool:
        seen = was_sent(contract) and own in contract.party_ids
        return seen or contract.filer_id == own

    def _sql(self, own: int) -> ColumnElement[bool]:
        seen = _sent_rows() & Contract.of_party(own)
        return seen | (Contract.filer_id == own)


def _run_by(column: Any, own: int) -> ColumnElement[bool]:
    """SQL: contracts whose body or point is an admission of this organisation."""
    found: ColumnElement[bool] = column.in_(
        select(Admission.id).where(Admission.organisation_id == own)
    )
    return found


class AtBody(_OfOrganisation):
    """Holds for what was sent to the registration body that the organisation runs."""

    def _holds(self, contract: Contract, own: int) -> bool:
        body = contract.body
        return was_sent(contract) and body is not None and body.organisation_id == own

    def _sql(self, own: int) -> ColumnElement[bool]:
        return _sent_rows() & _run_by(Contract.body_id, own)


@dataclass(frozen=True)
class AtPoint(_OfOrganisation):
    """Holds for cases that the filer authorised this organisation's service point to help with.

    Until the day that the authorisation names, while the point is in force, and by its powers.

    Args:
        power: of `service_points.models.POINT_POWERS`; empty: any, for reading.
    """

    power: str = ""

    def _holds(self, contract: Contract, own: int) -> bool:
        point, today = contract.point, clock.today()
        if point is None or contract.point_until is None or contract.point_until < today:
            return False
        held = {one.power for one in point.powers}
        able = point.runs_on(today) and (not self.power or self.power in held)
        return able and point.organisation_id == own

    def _sql(self, own: int) -> ColumnElement[bool]:
        today = clock.today()
        points = select(Admission.id).where(
            Admission.organisation_id == own, Admission.running(today)
        )
        if self.power:
            able = select(AdmissionPower.admission_id).where(AdmissionPower.power == self.power)
            points = points.where(Admission.id.in_(able))
        return Contract.point_id.in_(points) & (Contract.point_until >= today)


class InOffice(Condition):
    """Holds for what the office of the area handles; drafts of organisations are none of its."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        area = grant.region_path
        if area is None or target is None:
            return area is not None
        contract = _contract(target)
        visible = was_sent(contract) or contract.filer_id is None
        return visible and contract.office_region.path.startswith(area)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        area = grant.region_path
        if area is None:
            return false()
        below = select(Region.id).where(under(Region.path, area))
        visible = _sent_rows() | Contract.filer_id.is_(None)
        return _rows(model, visible & Contract.office_region_id.in_(below))


class PartyInArea(Condition):
    """Holds for decided contracts whose seller or buyer lies in the area: output and input."""

    _DECIDED = ("registered", "cancelled", "annulled")

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        area = grant.region_path
        if area is None or target is None:
            return area is not None
        contract = _contract(target)
        regions = (contract.seller_region, contract.buyer_region)
        inside = any(one is not None and one.path.startswith(area) for one in regions)
        return inside and contract.state in self._DECIDED

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        area = grant.region_path
        if area is None:
            return false()
        below = select(Region.id).where(under(Region.path, area))
        inside = Contract.seller_region_id.in_(below) | Contract.buyer_region_id.in_(below)
        return _rows(model, inside & Contract.state.in_(self._DECIDED))


class OfModes(Condition):
    """Holds for contracts that are registered in one of these ways (`models.MODES`)."""

    def __init__(self, *modes: str) -> None:
        self.modes = modes

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or _contract(target).mode in self.modes

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        return _rows(model, Contract.mode.in_(self.modes))


class Unfiled(Condition):
    """Holds for contracts that an office recorded: no organisation files them."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or _contract(target).filer_id is None

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        return _rows(model, Contract.filer_id.is_(None))
