"""Organisations of an office's area, for its desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from market.accounts.members.merging import OVERSEE
from market.accounts.members.queries import Member, requests_of, staff
from market.accounts.models import FormerUscc, Organisation
from market.accounts.people.models import RoleGrant
from market.accounts.people.sessions import in_force
from market.accounts.queries import (
    OrganisationView,
    find,
    former_names,
    view,
    with_code,
    with_name,
)
from market.accounts.rosters import queries as rosters
from market.accounts.rosters.queries import Entry
from market.accounts.verification import queries as verifications
from market.accounts.verification.models import OPEN, Verification
from market.accounts.verification.models import STATES as VERIFICATION_STATES
from market.accounts.verification.queries import CaseView
from market.core.db import db
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy

FILTERS = {
    "unverified": "未核验",
    "verified": "已核验",
    "waiting": "待核验",
    "unstaffed": "没有成员",
}


@dataclass(frozen=True)
class DeskRow:
    """An organisation on the desk. `case`: number and state in words of an open verification."""

    organisation: OrganisationView
    members: int
    case: tuple[str, str] | None


@dataclass(frozen=True)
class DeskView:
    """All that an office sees of one organisation."""

    organisation: OrganisationView
    former_codes: Sequence[str]
    former_names: Sequence[str]
    supervisor: OrganisationView | None
    members: Sequence[Member]
    requests: Sequence[tuple[str, str]]
    case: CaseView | None
    rosters: Sequence[Entry]


def _staffed() -> object:
    mine = select(RoleGrant.id).where(RoleGrant.organisation_id == Organisation.id, in_force())
    return mine.exists()


def page(
    actor: Actor,
    *,
    q: str = "",
    only: str = "",
    page: int = 1,
    per_page: int = ROWS_PER_PAGE,
) -> PageOf[DeskRow]:
    """Organisations of the area by name.

    Args:
        q: words of the name, present or former, a number, or a credit code, present or former.
        only: of `FILTERS`.
    """
    query = select(Organisation).where(
        Organisation.state == "active", policy.where(actor, OVERSEE, Organisation)
    )
    if q:
        code = q.strip().upper()
        query = query.where(or_(with_name(q), Organisation.no == code, with_code(code)))
    if only in {"verified", "unverified"}:
        done = Organisation.verified_at.is_not(None)
        query = query.where(done if only == "verified" else ~done)
    if only == "unstaffed":
        query = query.where(~_staffed())  # type: ignore[operator]
    if only == "waiting":
        open_ = select(Verification.organisation_id).where(Verification.state == "submitted")
        query = query.where(Organisation.id.in_(open_))
    limited = query.with_only_columns(Organisation.id).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(limited)) or 0
    rows = db.session.scalars(
        query.options(joinedload(Organisation.region))
        .order_by(Organisation.folded_name, Organisation.id)
        .limit(per_page)
        .offset((page - 1) * per_page)
    ).all()
    items = _with_facts(rows)
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    return PageOf(items, min(total, EXACT_UP_TO), page, per_page, total_is)


def _with_facts(rows: Sequence[Organisation]) -> list[DeskRow]:
    """The rows with their staff and open verifications, two statements for all."""
    ids = [row.id for row in rows]
    people = func.count(RoleGrant.person_id.distinct())
    grants = select(RoleGrant.organisation_id, people).where(
        RoleGrant.organisation_id.in_(ids), in_force()
    )
    rows_of_staff = db.session.execute(grants.group_by(RoleGrant.organisation_id))
    members = {row[0]: row[1] for row in rows_of_staff}
    waiting = select(Verification.organisation_id, Verification.no, Verification.state).where(
        Verification.organisation_id.in_(ids), Verification.state.in_(OPEN)
    )
    cases = {
        key: (no, VERIFICATION_STATES[state]) for key, no, state in db.session.execute(waiting)
    }
    return [DeskRow(view(row), members.get(row.id, 0), cases.get(row.id)) for row in rows]


def get(actor: Actor, no: str) -> DeskView:
    """One organisation of the area, with staff, verification and rosters. Raises NotFound."""
    row = find(actor, OVERSEE, no)
    former = select(FormerUscc.code).where(FormerUscc.organisation_id == row.id)
    supervisor = db.session.get(Organisation, row.supervisor_id) if row.supervisor_id else None
    return DeskView(
        view(row),
        list(db.session.scalars(former.order_by(FormerUscc.ended_at))),
        former_names(row.id),
        view(supervisor) if supervisor else None,
        staff(row.id),
        requests_of(row.id),
        verifications.latest(actor, row.id),
        rosters.of_organisation(actor, row.uscc),
    )
