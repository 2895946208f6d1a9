"""What administrators read: people, grants, the audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import joinedload

from market.accounts.administration.permissions import READ_AUDIT, SEE_GRANTS, SEE_PEOPLE
from market.accounts.people.models import PERSON_STATES, Person, RoleGrant
from market.accounts.people.rules import Contact, read_contact
from market.accounts.roles import ROLES
from market.core import clock
from market.core.db import db
from market.core.errors import NotFound
from market.core.masking import mask_contact
from market.core.models import AuditEntry, AuditSeal
from market.core.permissions import Actor, policy
from market.core.secrets import unseal

PER_PAGE = 50


@dataclass(frozen=True)
class PersonView:
    """A person as administrators see one: contacts masked, nothing of what he does."""

    id: int
    name: str
    mobile: str
    email: str
    state: str
    created_at: datetime
    last_seen_at: datetime | None
    second_factor: bool
    demo: bool

    @property
    def state_label(self) -> str:
        """The state in words."""
        return PERSON_STATES[self.state]


def _shown(sealed: str | None, purpose: str) -> str:
    return mask_contact(unseal(sealed, purpose) or "") if sealed else ""


def _view(person: Person) -> PersonView:
    return PersonView(
        person.id,
        person.name,
        _shown(person.mobile, "person.mobile"),
        _shown(person.email, "person.email"),
        person.state,
        person.created_at,
        person.last_seen_at,
        person.totp_at is not None,
        person.demo,
    )


def people(
    actor: Actor, state: str = "", before: int | None = None
) -> tuple[list[PersonView], int | None]:
    """Fifty people, newest first, and where the next page begins."""
    policy.require(actor, SEE_PEOPLE)
    query = select(Person).order_by(Person.id.desc()).limit(PER_PAGE + 1)
    if state in PERSON_STATES:
        query = query.where(Person.state == state)
    if before is not None:
        query = query.where(Person.id < before)
    rows = db.session.scalars(query).all()
    more = rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else None
    return [_view(row) for row in rows[:PER_PAGE]], more


def person(actor: Actor, person_id: int, permission: str = SEE_PEOPLE) -> PersonView:
    """One person.

    Raises:
        NotFound: there is none. Denied: the actor does not administer people.
    """
    policy.require(actor, permission)
    found = db.session.get(Person, person_id)
    if found is None:
        raise NotFound("没有这个人。")
    return _view(found)


def find_person(actor: Actor, contact: Contact, permission: str) -> int | None:
    """The id of the person with exactly this number or address."""
    policy.require(actor, permission)
    column = Person.mobile_key if contact.kind == "mobile" else Person.email_key
    return db.session.scalar(select(Person.id).where(column == contact.key))


@dataclass(frozen=True)
class GrantView:
    """A grant, with what it is for in words."""

    id: int
    person_id: int
    person_name: str
    role: str
    place: str
    valid_from: date
    valid_to: date | None
    granted_by: str
    reason: str | None
    ended_at: datetime | None
    ended_by: str | None
    ended_reason: str | None

    @property
    def role_label(self) -> str:
        """The role in words."""
        return ROLES[self.role].label

    @property
    def state_label(self) -> str:
        """Whether it holds now."""
        today = clock.today()
        if self.ended_at is not None:
            return "已收回"
        if self.valid_to is not None and self.valid_to < today:
            return "已到期"
        return "未开始" if self.valid_from > today else "有效"

    @property
    def open(self) -> bool:
        """Whether it can still be ended."""
        return self.state_label in {"有效", "未开始"}


def _grant_view(row: RoleGrant) -> GrantView:
    names = [row.organisation.name if row.organisation else "", ""]
    names[1] = row.region.full_name if row.region else ""
    place = " · ".join(name for name in names if name) or "全平台"
    return GrantView(
        row.id,
        row.person_id,
        row.person.name,
        row.role,
        place,
        row.valid_from,
        row.valid_to,
        row.granted_by,
        row.reason,
        row.ended_at,
        row.ended_by,
        row.ended_reason,
    )


def grants(
    actor: Actor, person_id: int | None = None, before: int | None = None
) -> tuple[list[GrantView], int | None]:
    """Fifty grants, newest first: of one person or of all; and where the next page begins."""
    policy.require(actor, SEE_GRANTS)
    query = select(RoleGrant).options(
        joinedload(RoleGrant.person),
        joinedload(RoleGrant.organisation),
        joinedload(RoleGrant.region),
    )
    if person_id is not None:
        query = query.where(RoleGrant.person_id == person_id)
    if before is not None:
        query = query.where(RoleGrant.id < before)
    rows = db.session.scalars(query.order_by(RoleGrant.id.desc()).limit(PER_PAGE + 1)).all()
    more = rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else None
    return [_grant_view(row) for row in rows[:PER_PAGE]], more


# -- the audit


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.local(clock.now()).tzinfo).astimezone(UTC)


def _conditions(wanted: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.get("since"):
        found.append(AuditEntry.at >= _midnight(wanted["since"]))
    if wanted.get("until"):
        found.append(AuditEntry.at < _midnight(wanted["until"] + timedelta(days=1)))
    if wanted.get("kind"):
        found.append(AuditEntry.object_kind == wanted["kind"])
    if wanted.get("no"):
        found.append(AuditEntry.object_no == wanted["no"])
    if wanted.get("action"):
        action = wanted["action"]
        # "person" finds person.suspended and all else of that name; both by the index.
        within = (AuditEntry.action >= f"{action}.") & (AuditEntry.action < f"{action}/")
        found.append(or_(AuditEntry.action == action, within))
    if wanted.get("actor"):
        found.append(_by(wanted["actor"]))
    return found


def _by(text: str) -> ColumnElement[bool]:
    """Entries of whoever bears this name, or this number or address."""
    contact = read_contact(text)
    if contact is None:
        return AuditEntry.actor_label == text
    column = Person.mobile_key if contact.kind == "mobile" else Person.email_key
    meant = select(Person.id).where(column == contact.key).scalar_subquery()
    return (AuditEntry.actor_kind == "person") & (AuditEntry.actor_id == meant)


def entries(
    actor: Actor, wanted: Mapping[str, Any], before: int | None = None
) -> tuple[Sequence[AuditEntry], int | None]:
    """Fifty entries of the audit, newest first, and where the next page begins."""
    policy.require(actor, READ_AUDIT)
    query = select(AuditEntry).where(*_conditions(wanted))
    if before is not None:
        query = query.where(AuditEntry.id < before)
    rows = db.session.scalars(query.order_by(AuditEntry.id.desc()).limit(PER_PAGE + 1)).all()
    more = rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else None
    return rows[:PER_PAGE], more


def count_entries(actor: Actor, wanted: Mapping[str, Any], most: int) -> int:
    """How many entries there are, at most `most` + 1."""
    policy.require(actor, READ_AUDIT)
    some = select(AuditEntry.id).where(*_conditions(wanted)).limit(most + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def entry_rows(actor: Actor, wanted: Mapping[str, Any], last: int) -> Iterator[dict[str, Any]]:
    """Entries up to the one with this id as rows of a file, oldest first."""
    policy.require(actor, READ_AUDIT)
    query = select(AuditEntry).where(*_conditions(wanted), AuditEntry.id <= last)
    for entry in db.session.scalars(query.order_by(AuditEntry.id)).yield_per(500):
        yield {
            "id": entry.id,
            "at": clock.local(entry.at).isoformat(timespec="seconds"),
            "actor_kind": entry.actor_kind,
            "actor_label": entry.actor_label,
            "action": entry.action,
            "object_kind": entry.object_kind,
            "object_id": entry.object_id,
            "object_no": entry.object_no,
            "before": in_words(entry.before),
            "after": in_words(entry.after),
            "request_id": entry.request_id,
            "seal_no": entry.seal_no,
        }


def in_words(values: Mapping[str, Any] | None) -> str:
    """What stands before or after, in one line."""
    return "；".join(f"{name}：{value}" for name, value in (values or {}).items())


@dataclass(frozen=True)
class Chain:
    """How far the audit is sealed; cheap to know, other than whether the chain holds."""

    seals: int
    sealed_at: datetime | None
    tail: int
    oldest: datetime | None


def chain(actor: Actor) -> Chain:
    """How far the audit is sealed."""
    policy.require(actor, READ_AUDIT)
    last = db.session.scalar(select(AuditSeal).order_by(AuditSeal.no.desc()).limit(1))
    waiting = select(func.count()).select_from(AuditEntry).where(AuditEntry.seal_no.is_(None))
    return Chain(
        last.no if last else 0,
        last.sealed_at if last else None,
        db.session.scalar(waiting) or 0,
        db.session.scalar(select(AuditEntry.at).order_by(AuditEntry.id).limit(1)),
    )
