"""Giving and ending roles at an organisation: the one place that writes grants of members."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from market.accounts.models import Organisation
from market.accounts.people.models import Person, RoleGrant
from market.accounts.people.sessions import in_force
from market.accounts.roles import MEMBERS, OFFICES, ROLES
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict
from market.core.unit_of_work import UnitOfWork


def offered(organisation: Organisation) -> dict[str, str]:
    """The roles that an owner may give, with their words.

    A verified office also gives the role of its own region's level, and no other.
    """
    roles = [*MEMBERS]
    if organisation.kind == "office" and organisation.verified_at is not None:
        level = organisation.region.level
        roles += [code for code in OFFICES if ROLES[code].level == level]
    return {code: ROLES[code].label for code in roles}


def held(organisation_id: int, person_id: int | None = None) -> Sequence[RoleGrant]:
    """Grants of an organisation that hold today, of one person or of all."""
    query = select(RoleGrant).where(RoleGrant.organisation_id == organisation_id, in_force())
    if person_id is not None:
        query = query.where(RoleGrant.person_id == person_id)
    return db.session.scalars(query.order_by(RoleGrant.id)).all()


def lock(organisation_id: int) -> Organisation:
    """The organisation, held against others who change its staff. Inside a unit of work."""
    query = select(Organisation).where(Organisation.id == organisation_id)
    return db.session.scalars(query.with_for_update()).one()


def give(
    work: UnitOfWork, person_id: int, role: str, organisation: Organisation, by: str = ""
) -> None:
    """Give a role. Inside a unit of work; the caller has asked the policy.

    Args:
        by: who gave it, where that is not the one who acts (an invitation was taken up).

    Raises:
        Conflict: the person has it, or is an administrator, who may hold no other role.
    """
    others = db.session.scalars(
        select(RoleGrant.role).where(RoleGrant.person_id == person_id, in_force())
    )
    if any(ROLES[one].alone for one in others):
        raise Conflict("系统、安全、审计管理员不能兼任其他角色，请换一个账号。")
    if any(grant.role == role for grant in held(organisation.id, person_id)):
        raise Conflict(f"已经是{organisation.name}的{ROLES[role].label}。")
    db.session.add(
        RoleGrant(
            person_id=person_id,
            role=role,
            organisation_id=organisation.id,
            region_id=organisation.region_id if ROLES[role].scope == "region" else None,
            valid_from=clock.today(),
            granted_at=clock.now(),
            granted_by=by or work.actor.label,
        )
    )
    db.session.flush()
    after = {"role": role, "organisation": organisation.no}
    work.record("grant.given", "person", person_id, after=after)


def end(work: UnitOfWork, grant: RoleGrant) -> None:
    """End a role. Inside a unit of work; the caller has asked the policy."""
    grant.ended_at, grant.ended_by = clock.now(), work.actor.label
    db.session.flush()
    before = {"role": grant.role, "organisation_id": grant.organisation_id}
    work.record("grant.ended", "person", grant.person_id, before=before)


def require_owner(organisation: Organisation) -> None:
    """Refuse to leave an organisation without anybody who manages it.

    Raises:
        Conflict: there is no owner any more.
    """
    active = {person.id for person in _people(organisation.id) if person.state == "active"}
    owners = {grant.person_id for grant in held(organisation.id) if grant.role == "owner"}
    if not owners & active:
        raise Conflict("这是最后一位单位管理员：请先把另一位同事设为单位管理员。")


def _people(organisation_id: int) -> Sequence[Person]:
    query = select(Person).join(RoleGrant, RoleGrant.person_id == Person.id)
    return db.session.scalars(
        query.where(RoleGrant.organisation_id == organisation_id, in_force()).distinct()
    ).all()
