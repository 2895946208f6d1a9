"""What administrators change: the state of accounts, and grants. Each act is in the audit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import or_, select, update

from market.accounts.administration import queries, rules
from market.accounts.administration.permissions import (
    END,
    EXPORT_AUDIT,
    FIRST,
    GRANT,
    RESET_SECOND_FACTOR,
    SEE_GRANTS,
)
from market.accounts.administration.rules import Wanted
from market.accounts.models import Organisation
from market.accounts.people import second_factor
from market.accounts.people.models import Person, RoleGrant
from market.accounts.people.rules import Contact
from market.accounts.roles import ADMINISTRATORS, ROLES
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.languages import N_
from market.core.messages import MessageKind, tell
from market.core.models import AuditEntry
from market.core.permissions import SYSTEM, Actor, policy
from market.core.secrets import seal
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.regions import queries as regions
from market.regions.models import Region

GRANTED = MessageKind(
    "person.granted",
    N_("您得到一项授权"),
    N_("您的新角色：%(role)s"),
    N_(
        "安全管理员授予您的角色：%(role)s %(place)s，%(from)s 起生效。部门经办须先设两步验证，再打开工作台。"
    ),
    sms=True,
    must=True,
)


def _locked(person_id: int) -> Person:
    """The person, held against another administrator at the same moment. In a unit of work."""
    query = select(Person).where(Person.id == person_id).with_for_update()
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("没有这个人。")
    return found


def _held(person_id: int) -> list[RoleGrant]:
    """Grants that hold now or will hold."""
    query = select(RoleGrant).where(
        RoleGrant.person_id == person_id,
        RoleGrant.ended_at.is_(None),
        or_(RoleGrant.valid_to.is_(None), RoleGrant.valid_to >= clock.today()),
    )
    return list(db.session.scalars(query))


def give(actor: Actor, person_id: int, values: Mapping[str, Any]) -> int:
    """Give a role; returns the grant's id.

    Args:
        values: role, reason, and where given organisation (credit code or number), region (code
            or name), valid_from (today when not given), valid_to.

    Raises:
        Denied: not a security administrator, or to himself.
        Invalid: role, place and period do not fit, or roles exclude each other.
        Conflict: the person has it already, or his account is not active.
    """
    policy.require(actor, GRANT)
    organisation = _organisation(values.get("organisation"))
    region = _region(values.get("region"))
    start: date = values.get("valid_from") or clock.today()
    wanted = Wanted(
        values["role"],
        organisation is not None,
        region is not None,
        region.level if region else "",
        start,
        values.get("valid_to"),
    )
    with unit_of_work(actor) as work:
        work.require(GRANT)
        if actor.kind == "person" and actor.id == person_id:
            raise Denied("不能给自己授权，请由另一位安全管理员办理。")
        person = _locked(person_id)
        if person.state != "active":
            raise Conflict("这个账号已停用或注销，不能授权。")
        held = _held(person_id)
        if found := rules.faults(wanted, [one.role for one in held], clock.today()):
            raise Invalid(found)
        row = RoleGrant(
            person_id=person_id,
            role=wanted.role,
            organisation_id=organisation.id if organisation else None,
            region_id=region.id if region else None,
            valid_from=start,
            valid_to=wanted.valid_to,
            reason=values["reason"],
            granted_at=clock.now(),
            granted_by=actor.label,
        )
        if any(_same(one, row) for one in held):
            raise Conflict("此人已有这项授权。")
        tell(
            GRANTED,
            about=("person", person_id),
            url="/start",
            values={
                "role": ROLES[row.role].label,
                "place": region.full_name if region else organisation.name if organisation else "",
                "from": start.isoformat(),
            },
            people=[person_id],
        )
        return _add(work, row)


def _same(one: RoleGrant, other: RoleGrant) -> bool:
    names = ("role", "organisation_id", "region_id")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _add(work: UnitOfWork, row: RoleGrant) -> int:
    db.session.add(row)
    db.session.flush()
    after = {
        "person": row.person_id,
        "role": row.role,
        "organisation": row.organisation_id,
        "region": row.region_id,
        "from": row.valid_from.isoformat(),
        "to": row.valid_to.isoformat() if row.valid_to else None,
        "reason": row.reason,
    }
    told = {name: value for name, value in after.items() if value is not None}
    work.record("grant.given", "grant", row.id, after=told)
    return row.id


def _organisation(text: str | None) -> Organisation | None:
    if not text:
        return None
    code = text.strip().upper()
    query = select(Organisation).where(
        or_(Organisation.uscc == code, Organisation.no == code), Organisation.state == "active"
    )
    found = db.session.scalar(query)
    if found is None:
        raise Invalid({"organisation": ["没有这个单位：请填统一社会信用代码，或 DW 开头的编号。"]})
    return found


def _region(text: str | None) -> Region | None:
    if not text:
        return None
    found = regions.Resolver().find(text)
    if isinstance(found, str):
        raise Invalid({"region": [found]})
    return db.session.get_one(Region, found)


def end(actor: Actor, grant_id: int, reason: str) -> int:
    """End a grant now; returns whose it was.

    Raises:
        Denied: not a security administrator, or his own grant.
        NotFound: there is no such grant. Conflict: it has ended already.
    """
    with unit_of_work(actor) as work:
        work.require(END)
        row = db.session.get(RoleGrant, grant_id)
        if row is None:
            raise NotFound("没有这项授权。")
        if actor.kind == "person" and actor.id == row.person_id:
            raise Denied("不能收回自己的授权，请由另一位安全管理员办理。")
        values = {"ended_at": clock.now(), "ended_by": actor.label, "ended_reason": reason}
        ended = db.session.execute(
            update(RoleGrant)
            .where(RoleGrant.id == grant_id, RoleGrant.ended_at.is_(None))
            .values(values)
        )
        if not ended.rowcount:  # type: ignore[attr-defined]
            raise Conflict("这项授权已经收回。")
        told = {"person": row.person_id, "role": row.role, "reason": reason}
        work.record("grant.ended", "grant", grant_id, after=told)
        return row.person_id


def reset_second_factor(actor: Actor, person_id: int, reason: str) -> None:
    """Let somebody set up his second factor anew who lost the device and the recovery codes.

    Until he has, his roles that need one do not count; he signs in by his password and nothing
    else is opened by this.

    Raises:
        Denied: not a security administrator, or his own. NotFound: there is no such person.
        Conflict: he has none, or his account is closed. Invalid: no reason.
    """
    if len(reason.strip()) < 2:
        raise Invalid({"reason": ["请写明怎样核实了本人。"]})
    with unit_of_work(actor) as work:
        work.require(RESET_SECOND_FACTOR)
        if actor.kind == "person" and actor.id == person_id:
            raise Denied("不能重置自己的两步验证，请由另一位安全管理员办理。")
        person = _locked(person_id)
        if person.state == "closed":
            raise Conflict("这个账号已注销。")
        if person.totp_at is None:
            raise Conflict("此人没有设两步验证，或刚被重置过。")
        second_factor.reset(work, person)
        told = {"reason": reason.strip()[:300]}
        work.record("person.second_factor_reset", "person", person_id, after=told)


def note_export(actor: Actor, wanted: Mapping[str, Any], form: str) -> int:
    """Note in the audit that it is exported; returns the id of the last entry that goes along.

    Raises:
        Denied: not an audit administrator.
        Invalid: more entries than one file takes.
    """
    policy.require(actor, EXPORT_AUDIT)
    number = queries.count_entries(actor, wanted, rules.MOST_EXPORTED)
    if number > rules.MOST_EXPORTED:
        most = f"{rules.MOST_EXPORTED:,}"
        raise Invalid({"since": [f"符合条件的超过 {most} 条，请缩短时间分几次导出。"]})
    asked = {name: str(value) for name, value in wanted.items() if value}
    with unit_of_work(actor) as work:
        work.require(EXPORT_AUDIT)
        query = select(AuditEntry.id).order_by(AuditEntry.id.desc()).limit(1)
        last = db.session.scalar(query) or 0
        told = asked | {"format": form, "rows": number}
        work.record("audit.exported", "audit", last, after=told)
        return last


def create_administrator(role: str, name: str, contact: Contact, password_hash: str | None) -> bool:
    """Make one of the first administrators; True when the account is new.

    Args:
        password_hash: for a new account; one that is there keeps its own.

    Raises:
        Invalid: that is no administrator's role, or a new account without a password.
        Conflict: the person has another role, or the account is not active.
    """
    if role not in ADMINISTRATORS:
        raise Invalid({"--role": ["只能是：" + "、".join(ADMINISTRATORS) + "。"]})
    found = queries.find_person(SYSTEM, contact, SEE_GRANTS)
    if found is None and password_hash is None:
        raise Invalid({"password": ["请给出密码。"]})
    with unit_of_work(SYSTEM) as work:
        work.require(FIRST)
        person = _locked(found) if found is not None else _new(work, name, contact, password_hash)
        if person.state != "active":
            raise Conflict("这个账号已停用或注销。")
        held = [one.role for one in _held(person.id)]
        if role in held:
            raise Conflict(f"此人已是{ROLES[role].label}。")
        if (sentence := rules.together(ROLES[role], held)) is not None:
            raise Conflict(sentence)
        _add(
            work,
            RoleGrant(
                person_id=person.id,
                role=role,
                valid_from=clock.today(),
                reason="命令行建立",
                granted_at=clock.now(),
                granted_by=SYSTEM.label,
            ),
        )
    return found is None


def _new(work: UnitOfWork, name: str, contact: Contact, password_hash: str | None) -> Person:
    now = clock.now()
    kept: dict[str, Any] = {
        contact.kind: seal(contact.value, contact.purpose),
        f"{contact.kind}_key": contact.key,
    }
    person = Person(name=name, password_hash=password_hash, password_at=now, created_at=now, **kept)
    db.session.add(person)
    db.session.flush()
    work.record("person.created", "person", person.id, after={"by": "命令行"})
    return person
