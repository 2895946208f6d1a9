"""Reading staff, invitations and requests to join."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import joinedload

from market.accounts.members.grants import held
from market.accounts.members.models import STATES, Joining
from market.accounts.members.workflow import JOINING, LIST, READ
from market.accounts.models import Organisation
from market.accounts.people.models import Invitation, Person, RoleGrant
from market.accounts.people.sessions import hashed, in_force
from market.accounts.queries import OrganisationView, view
from market.accounts.roles import ROLES
from market.core import clock
from market.core.db import db, under
from market.core.errors import NotFound
from market.core.languages import translate
from market.core.masking import mask_email, mask_name, mask_telephone
from market.core.models import CaseEvent, WorkItem
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.secrets import unseal
from market.core.workflow import Transition, timeline

_STEPS = 10  # of each kind on /my


@dataclass(frozen=True)
class Member:
    """Somebody who acts for an organisation; the contact is masked."""

    person_id: int
    name: str
    contact: str
    roles: Sequence[str]
    since: date

    @property
    def role_labels(self) -> list[str]:
        return [ROLES[role].label for role in self.roles]


@dataclass(frozen=True)
class Invited:
    """An invitation as its organisation sees it."""

    id: int
    role: str
    contact: str
    created_by: str
    expires_at: datetime
    expired: bool

    @property
    def role_label(self) -> str:
        return ROLES[self.role].label


@dataclass(frozen=True)
class Offer:
    """An invitation as the invited sees it. state: "open", "used", "withdrawn", "expired"."""

    organisation: OrganisationView
    role: str
    contact: str
    created_by: str
    expires_at: datetime
    state: str

    @property
    def role_label(self) -> str:
        return ROLES[self.role].label


@dataclass(frozen=True)
class JoiningView:
    """A request to join."""

    no: str
    state: str
    organisation: OrganisationView
    person: str
    contact: str
    message: str | None
    role: str | None
    managed: bool
    events: Sequence[CaseEvent]
    actions: Sequence[Transition]

    @property
    def state_label(self) -> str:
        return STATES[self.state]

    @property
    def url(self) -> str:
        return f"/my/joinings/{self.no}"


def contact_of(person: Person) -> str:
    """How a person is reached, masked."""
    if person.mobile and (number := unseal(person.mobile, "person.mobile")):
        return mask_telephone(number)
    if person.email and (address := unseal(person.email, "person.email")):
        return mask_email(address)
    return "未填写"


def members(actor: Actor, organisation: Organisation) -> list[Member]:
    """The staff of an organisation, owners first, then by name.

    Raises:
        Denied: the actor does not belong to it.
    """
    policy.require(actor, LIST, organisation)
    return staff(organisation.id)


def staff(organisation_id: int) -> list[Member]:
    """The same, for whoever may know."""
    query = (
        select(RoleGrant)
        .where(RoleGrant.organisation_id == organisation_id, in_force())
        .options(joinedload(RoleGrant.person))
        .order_by(RoleGrant.id)
    )
    found: dict[int, list[RoleGrant]] = {}
    for grant in db.session.scalars(query):
        found.setdefault(grant.person_id, []).append(grant)
    rows = [
        Member(
            key,
            own[0].person.name,
            contact_of(own[0].person),
            [grant.role for grant in own],
            min(grant.valid_from for grant in own),
        )
        for key, own in found.items()
    ]
    return sorted(rows, key=lambda row: ("owner" not in row.roles, row.name, row.person_id))


def member(actor: Actor, organisation: Organisation, person_id: int) -> Member:
    """One of the staff. Raises NotFound: he is none."""
    for one in members(actor, organisation):
        if one.person_id == person_id:
            return one
    raise NotFound("本单位没有这位成员。")


def invitations(actor: Actor, organisation: Organisation) -> list[Invited]:
    """Invitations that are neither used nor withdrawn, newest first."""
    policy.require(actor, LIST, organisation)
    query = select(Invitation).where(
        Invitation.organisation_id == organisation.id,
        Invitation.used_at.is_(None),
        Invitation.withdrawn_at.is_(None),
    )
    now = clock.now()
    return [
        Invited(
            row.id,
            row.role,
            row.contact_hint,
            row.created_by,
            row.expires_at,
            row.expires_at <= now,
        )
        for row in db.session.scalars(query.order_by(Invitation.id.desc()).limit(50))
    ]


def offer(token: str) -> Offer:
    """The invitation that a link leads to.

    Raises:
        NotFound: there is none.
    """
    query = select(Invitation).where(Invitation.token_hash == hashed(token))
    row = db.session.scalar(query.options(joinedload(Invitation.organisation)))
    if row is None:
        raise NotFound(translate("没有这份邀请，请核对链接，或请对方重新邀请。"))
    return _offer(row)


def _offer(row: Invitation) -> Offer:
    return Offer(
        view(row.organisation),
        row.role,
        row.contact_hint,
        row.created_by,
        row.expires_at,
        state_of(row),
    )


def person_with(contact_key: str | None) -> int | None:
    """Whose confirmed telephone or address this is; None when nobody's."""
    query = select(Person.id).where(
        or_(Person.mobile_key == contact_key, Person.email_key == contact_key),
        Person.state == "active",
    )
    return db.session.scalar(query.limit(1)) if contact_key else None


def sent_to(person_id: int) -> ColumnElement[bool]:
    """SQL: invitations to a person's own confirmed telephone or address."""
    keys = select(Person.mobile_key).where(Person.id == person_id)
    mails = select(Person.email_key).where(Person.id == person_id)
    return or_(
        Invitation.contact_key == keys.scalar_subquery(),
        Invitation.contact_key == mails.scalar_subquery(),
    )


def offer_to(actor: Actor, key: int) -> Offer:
    """An invitation to the actor's own confirmed contact. Raises NotFound."""
    row = db.session.scalar(
        select(Invitation)
        .where(Invitation.id == key, sent_to(actor.id or 0))
        .options(joinedload(Invitation.organisation))
    )
    if actor.kind != "person" or row is None:
        raise NotFound(translate("没有这份邀请，请核对链接，或请对方重新邀请。"))
    return _offer(row)


def state_of(row: Invitation) -> str:
    """How an invitation stands."""
    if row.used_at is not None:
        return "used"
    if row.withdrawn_at is not None or row.organisation.state != "active":
        return "withdrawn"
    return "expired" if row.expires_at <= clock.now() else "open"


def load_joining(actor: Actor, no: str) -> Joining:
    """The request with this number, for who made it, who answers it, and the office. Raises NotFound."""
    query = select(Joining).where(Joining.no == no.upper(), policy.where(actor, READ, Joining))
    case = db.session.scalar(query)
    if case is None:
        raise NotFound(f"没有编号为 {no} 的申请。")
    return case


def joining(actor: Actor, no: str) -> JoiningView:
    """A request with its timeline and what the actor may do. Raises NotFound."""
    return _joining_view(actor, load_joining(actor, no))


def joinings(
    actor: Actor, *, state: str = "", page: int = 1, per_page: int = ROWS_PER_PAGE
) -> PageOf[JoiningView]:
    """Requests that the actor may see, newest first."""
    query = select(Joining).where(policy.where(actor, READ, Joining))
    if state:
        query = query.where(Joining.state == state)
    limited = query.with_only_columns(Joining.id).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(limited)) or 0
    found = query.order_by(Joining.id.desc()).limit(per_page).offset((page - 1) * per_page)
    items = [_joining_view(actor, row) for row in db.session.scalars(found).all()]
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    return PageOf(items, min(total, EXACT_UP_TO), page, per_page, total_is)


def _joining_view(actor: Actor, case: Joining) -> JoiningView:
    own = actor.kind == "person" and actor.id == case.person_id
    actions = [one for one in JOINING.actions(actor, case) if one.action != "drop"]
    return JoiningView(
        case.no,
        case.state,
        view(case.owner),
        case.person.name
        if own or actions or case.state == "accepted"
        else mask_name(case.person.name),
        contact_of(case.person),
        case.message,
        case.role,
        any(grant.role == "owner" for grant in held(case.organisation_id)),
        timeline(JOINING.name, case.id),
        actions,
    )


def own_requests(actor: Actor) -> list[tuple[str, str, str]]:
    """Open requests of a person: number, organisation's name, state in words."""
    query = (
        select(Joining)
        .where(Joining.person_id == actor.id, Joining.state == "requested")
        .options(joinedload(Joining.owner))
        .order_by(Joining.id.desc())
    )
    return [(row.no, row.owner.name, STATES[row.state]) for row in db.session.scalars(query)]


def requests_of(organisation_id: int) -> list[tuple[str, str]]:
    """Open requests to join an organisation: number and the person's name."""
    query = select(Joining).where(
        Joining.organisation_id == organisation_id, Joining.state == "requested"
    )
    query = query.options(joinedload(Joining.person)).order_by(Joining.id)
    return [(row.no, row.person.name) for row in db.session.scalars(query)]


def open_work(organisation: Organisation, person_id: int) -> ColumnElement[bool]:
    """SQL: open cases that somebody works on for an organisation; at an office also as its handler."""
    mine = owners_work(organisation, person_id)
    if organisation.kind == "office":
        mine = or_(mine, offices_work(organisation, person_id))
    return mine & WorkItem.closed_at.is_(None)


def owners_work(organisation: Organisation, person_id: int) -> ColumnElement[bool]:
    """SQL: an organisation's own cases that this colleague looks after, or began and nobody else has."""
    own = WorkItem.organisation_id == organisation.id
    began = exists().where(
        CaseEvent.kind == WorkItem.kind,
        CaseEvent.object_id == WorkItem.object_id,
        CaseEvent.action == "begin",
        CaseEvent.actor_kind == "person",
        CaseEvent.actor_id == person_id,
    )
    nobodys = WorkItem.owner_assignee_id.is_(None) & (WorkItem.side == "owner") & began
    return own & or_((WorkItem.owner_assignee_id == person_id), nobodys)


def offices_work(office: Organisation, person_id: int) -> ColumnElement[bool]:
    """SQL: cases of an office's region that this officer handles, and the office's own."""
    here = under(WorkItem.region_path, office.region.path)
    own = WorkItem.organisation_id == office.id
    return (WorkItem.assignee_id == person_id) & or_(here, own)


def some_open_work(organisation: Organisation, person_id: int) -> list[tuple[str, str, str]]:
    """Number, title and page of the first open cases that somebody would leave behind."""
    query = select(WorkItem.no, WorkItem.title, WorkItem.url)
    rows = db.session.execute(
        query.where(open_work(organisation, person_id)).order_by(WorkItem.id).limit(_STEPS)
    )
    return [(no, title, url) for no, title, url in rows]


def count_open_work(organisation: Organisation, person_id: int) -> int:
    """How many open cases somebody would leave behind."""
    query = select(func.count()).select_from(WorkItem)
    return db.session.scalar(query.where(open_work(organisation, person_id))) or 0


def of_person(person_id: int) -> dict[str, list[dict[str, object]]]:
    """A person's requests to join organisations, for the export of his own data."""
    query = select(Joining).where(Joining.person_id == person_id).options(joinedload(Joining.owner))
    return {
        "加入单位的申请": [
            {
                "编号": one.no,
                "单位": one.owner.name,
                "留言": one.message,
                "状态": STATES[one.state],
                "时间": one.created_at.isoformat(),
            }
            for one in db.session.scalars(query.order_by(Joining.id.desc()).limit(1_000))
        ]
    }
