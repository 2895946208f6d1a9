"""联系企业制度: which officer looks after which firm of the area, and the log of a firm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import joinedload

from market.accounts import queries as accounts
from market.accounts.models import Organisation
from market.accounts.people.models import Person, RoleGrant
from market.accounts.people.sessions import in_force
from market.accounts.roles import OFFICES
from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.models import WorkItem
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.text import fold
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching.dispatch import queries
from market.matching.dispatch.models import ContactLine, ContactOfficer, Dispatch
from market.matching.dispatch.service import new_line, told_of
from market.matching.dispatch.workflow import ASSIGN, FIRM, LOG, OFFICERS
from market.regions.models import Region, path_ids

FIRMS = ("enterprise", "cooperative")
TABS = {"mine": "我联系的", "assigned": "已有联系人", "open": "还没有联系人"}


@dataclass(frozen=True)
class Row:
    """A firm in the list."""

    firm: Organisation
    officer: str
    next_call: date | None
    late: bool


@dataclass(frozen=True)
class Firm:
    """A firm with who looks after it, its log, and what was sent to it."""

    firm: Organisation
    officer: ContactOfficer | None
    lines: Sequence[ContactLine]
    dispatches: Sequence[Dispatch]
    colleagues: Sequence[tuple[int, str]]


def _current() -> Any:
    return and_(
        ContactOfficer.organisation_id == Organisation.id, ContactOfficer.state == "current"
    )


def listed(actor: Actor, tab: str, q: str = "", page: int = 1) -> PageOf[Row]:
    """Firms of the area: those to be rung next come first."""
    wanted = [
        policy.where(actor, FIRM, Organisation),
        Organisation.state == "active",
        Organisation.kind.in_(FIRMS),
    ]
    if q:
        wanted.append(
            or_(
                Organisation.folded_name.contains(fold(q), autoescape=True),
                accounts.with_code(q.strip().upper()),
            )
        )
    elif tab == "mine":
        wanted.append(ContactOfficer.person_id == (actor.id if actor.kind == "person" else 0))
    elif tab == "assigned":
        wanted.append(ContactOfficer.id.is_not(None))
    else:
        wanted.append(ContactOfficer.id.is_(None))
    ids = select(Organisation.id).outerjoin(ContactOfficer, _current()).where(*wanted)
    total = (
        db.session.scalar(select(func.count()).select_from(ids.limit(EXACT_UP_TO + 1).subquery()))
        or 0
    )
    query = (
        select(Organisation, ContactOfficer.next_call, Person.name)
        .outerjoin(ContactOfficer, _current())
        .outerjoin(Person, Person.id == ContactOfficer.person_id)
        .where(*wanted)
        .order_by(
            ContactOfficer.next_call.is_(None),
            ContactOfficer.next_call,
            Organisation.folded_name,
            Organisation.id,
        )
    )
    today = clock.today()
    rows = [
        Row(firm, name or "", call, call is not None and call < today)
        for firm, call, name in db.session.execute(
            query.limit(ROWS_PER_PAGE).offset((page - 1) * ROWS_PER_PAGE)
        )
    ]
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    return PageOf(rows, min(total, EXACT_UP_TO), page, ROWS_PER_PAGE, total_is)


def find(actor: Actor, no: str) -> Organisation:
    """An organisation of the area. Raises NotFound."""
    return accounts.find(actor, FIRM, no)


def officer_of(organisation_id: int) -> ContactOfficer | None:
    """Who looks after a firm now."""
    query = select(ContactOfficer).where(
        ContactOfficer.organisation_id == organisation_id, ContactOfficer.state == "current"
    )
    return db.session.scalar(query.options(joinedload(ContactOfficer.person)))


def get(actor: Actor, no: str) -> Firm:
    """A firm's page. Raises NotFound."""
    firm = find(actor, no)
    area = policy.where(actor, FIRM, ContactLine)
    sent = select(Dispatch).where(
        Dispatch.recipient_id == firm.id, policy.where(actor, FIRM, Dispatch)
    )
    return Firm(
        firm=firm,
        officer=officer_of(firm.id),
        lines=queries.lines_of((ContactLine.organisation_id == firm.id) & area),
        dispatches=db.session.scalars(sent.order_by(Dispatch.id.desc()).limit(20)).all(),
        colleagues=colleagues(firm.region.path),
    )


def colleagues(path: str) -> list[tuple[int, str]]:
    """Officers whose area holds a place: the nearest offices first."""
    query = (
        select(Person.id, Person.name, Region.short_name)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .join(Region, Region.id == RoleGrant.region_id)
        .where(
            RoleGrant.role.in_(OFFICES),
            in_force(),
            Person.state == "active",
            RoleGrant.region_id.in_(path_ids(path)),
        )
        .order_by(Region.path.desc(), Person.name, Person.id)
        .limit(100)
    )
    found: dict[int, str] = {}
    for key, name, place in db.session.execute(query):
        found.setdefault(key, f"{name}（{place}）")
    return list(found.items())


def assign(actor: Actor, no: str, person_id: int | None) -> None:
    """Say who looks after a firm from now on; None: nobody.

    Raises:
        NotFound: no such firm in the area. Invalid: that is no officer of its place.
    """
    with unit_of_work(actor) as work:
        firm = find(actor, no)
        work.require(ASSIGN, firm)
        if person_id is not None and person_id not in dict(colleagues(firm.region.path)):
            raise Invalid({"person": ["请从本地区科技管理部门的人员中选一位。"]})
        before = officer_of(firm.id)
        if before is not None and before.person_id == person_id:
            return
        plan = before.next_call if before else None
        if before is not None:
            now = clock.now()
            changed = {"ended_at": now, "updated_at": now, "next_call": None}
            flow.fire(work, OFFICERS, before, "end", values=changed)
        if person_id is not None:
            _begin(work, firm, person_id, plan)


def _begin(work: UnitOfWork, firm: Organisation, person_id: int, plan: date | None) -> None:
    now = clock.now()
    row = ContactOfficer(
        organisation_id=firm.id,
        region_id=firm.region_id,
        person_id=person_id,
        state="current",
        next_call=plan,
        assigned_by=work.actor.label,
        created_at=now,
        updated_at=now,
    )
    db.session.add(row)
    db.session.flush()
    flow.begin(work, OFFICERS, row, note=row.person.name)
    _give_item(row)


def _give_item(row: ContactOfficer) -> None:
    """The officer who looks after a firm has its row on the desk."""
    item = (WorkItem.kind == OFFICERS.name) & (WorkItem.object_id == row.id)
    db.session.execute(update(WorkItem).where(item).values(assignee_id=row.person_id))


def log(actor: Actor, no: str, values: Mapping[str, Any]) -> None:
    """Note a call, a message, a visit or a remark about a firm, and when to ring again.

    Raises:
        NotFound: no such firm in the area. Invalid: a day that cannot be.
        Conflict: the next call has nobody who would make it.
    """
    with unit_of_work(actor) as work:
        firm = find(actor, no)
        work.require(LOG, firm)
        line = new_line(actor, values, region_id=firm.region_id, organisation_id=firm.id)
        officer = officer_of(firm.id)
        if line.next_call is not None and officer is None:
            raise Conflict("还没有指定联系人，下次联系没有人办：请先指定，您填的还在。")
        if officer is not None and (line.kind != "note" or line.next_call is not None):
            officer.next_call, officer.updated_at = line.next_call, clock.now()
            db.session.flush()
            flow.show_on_desks(OFFICERS, officer)
            _give_item(officer)
        work.record("firm.log", "organisation", firm.id, no=firm.no, after=told_of(line))
