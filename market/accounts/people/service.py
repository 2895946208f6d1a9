"""Changing accounts: one's own data, sessions and contacts; closing; unmasking and suspending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update

from market.accounts.models import Organisation
from market.accounts.people import codes, person_values
from market.accounts.people.messages import CODE, CONTACT_CHANGED, KNOWN
from market.accounts.people.models import (
    LoginSession,
    OneTimeCode,
    Person,
    RecoveryCode,
    RoleGrant,
)
from market.accounts.people.passwords import hash_password
from market.accounts.people.proving import SELF, confirm_password, myself, person_at
from market.accounts.people.registering import flush_contact, set_contact, set_password
from market.accounts.people.rules import Contact, holds_account
from market.accounts.people.sessions import end_sessions, in_force
from market.accounts.roles import OFFICES
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.limits import Limit, take
from market.core.messages import tell
from market.core.permissions import Actor, Always, InArea, Mine, Own, policy
from market.core.secrets import seal, unseal
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.core.views import moment

END_SESSION = policy.declare("accounts:session:end", person=Mine())
UNMASK = policy.declare("accounts:person:unmask", owner=Own(), **dict.fromkeys(OFFICES, InArea()))
SUSPEND = policy.declare("accounts:person:suspend", system_admin=Always())
_UNMASKED = Limit("unmask", 30, timedelta(hours=1))
GONE = "已注销用户"  # the name that a closed account keeps


def change_profile(actor: Actor, values: Mapping[str, Any]) -> None:
    """Change one's own name and language."""
    with unit_of_work(actor) as work:
        person = myself(actor)
        work.require(SELF, person)
        before = {name: getattr(person, name) for name in ("name", "language")}
        after = {name: values[name] for name in before}
        if before == after:
            return
        person.name, person.language = after["name"], after["language"]
        work.record(
            "person.changed",
            "person",
            person.id,
            before=person_values.seal_for(person, before),
            after=person_values.seal_for(person, after),
        )


def begin_contact(actor: Actor, contact: Contact, password: str, *, network: str) -> int:
    """Another telephone or e-mail address: send it a code; returns the id of the step.

    Raises:
        Invalid: wrong password, or it is one's own already. TooMany: too many codes.
    """
    codes.refuse_too_many(contact, network)
    confirm_password(actor, password)
    with unit_of_work(actor) as work:
        person = myself(actor)
        work.require(SELF, person)
        known = person_at(contact)
        if known is not None and known.id == person.id:
            raise Invalid({"contact": ["您现在用的就是这个。"]})
        send = CODE if known is None else KNOWN
        subject = {"person": person.id}
        return codes.issue(work, "contact", contact, network=network, subject=subject, send=send)


def contact_waiting(actor: Actor, step: int | None) -> Contact | None:
    """The new contact of oneself that waits for its code."""
    row = codes.waiting(step, "contact")
    mine = row is not None and (row.subject or {}).get("person") == actor.id
    return codes.contact_of(row) if row is not None and mine else None


def finish_contact(actor: Actor, step: int | None, typed: str) -> None:
    """The code is right: sign in by the new contact from now on; the old one is told.

    Raises:
        Invalid: the code is wrong or used up. Conflict: somebody else has the contact.
    """
    if contact_waiting(actor, step) is None:
        raise Invalid({"code": ["验证码已失效，请重新获取一个。"]})
    with unit_of_work(actor) as work:
        person = myself(actor)
        work.require(SELF, person)
        row, sentence = codes.redeem(work, step, "contact", typed)
        contact = codes.contact_of(row) if row else None
        if contact is not None:
            _move_contact(work, person, contact)
    if sentence:
        raise Invalid({"code": [sentence]})


def _move_contact(work: UnitOfWork, person: Person, contact: Contact) -> None:
    if person_at(contact) is not None:
        raise Conflict("这个号码或邮箱已经有账号了。")
    sealed = getattr(person, contact.kind)
    old = unseal(sealed, contact.purpose) if sealed else None
    set_contact(person, contact)
    flush_contact()
    if old:
        tell(
            CONTACT_CHANGED,
            about=("person", person.id),
            url="/account",
            values={"at": moment(clock.now())},
            contact=seal(old, "message.contact"),
            language=person.language,
        )
    work.record(
        "person.contact_changed",
        "person",
        person.id,
        before=person_values.seal_for(person, {contact.kind: old}),
        after=person_values.seal_for(person, {contact.kind: contact.value}),
    )


def change_password(actor: Actor, password: str, new: str) -> None:
    """Another password; sessions elsewhere end.

    Raises:
        Invalid: the present one is wrong, or the new one holds the account.
    """
    person = myself(actor)
    own = [unseal(text, p) for text, p in _contacts(person) if text]
    if holds_account(new, person.name, *(text for text in own if text)):
        raise Invalid({"new_password": ["密码里不要含手机号、邮箱或姓名，请换一个。"]})
    confirm_password(actor, password)
    hashed = hash_password(new)
    with unit_of_work(actor) as work:
        person = myself(actor)
        work.require(SELF, person)
        set_password(work, person, hashed, keep=actor.session_id)
        work.record("person.password_changed", "person", person.id)


def _contacts(person: Person) -> list[tuple[str | None, str]]:
    return [(person.mobile, "person.mobile"), (person.email, "person.email")]


def end_session(actor: Actor, session_id: int) -> None:
    """Sign out one of one's own browsers.

    Raises:
        NotFound: it is not one's own, or has ended.
    """
    with unit_of_work(actor) as work:
        query = select(LoginSession).where(
            LoginSession.id == session_id,
            LoginSession.ended_at.is_(None),
            policy.where(actor, END_SESSION, LoginSession),
        )
        session = db.session.scalar(query)
        if session is None:
            raise NotFound("没有这次登录，或已经退出。")
        work.require(END_SESSION, session)
        end_sessions(work, LoginSession.id == session_id)
        work.record("person.signed_out", "person", actor.id or 0)


def end_other_sessions(actor: Actor) -> int:
    """Sign out everywhere but here; returns how many sessions ended."""
    with unit_of_work(actor) as work:
        person = myself(actor)
        work.require(SELF, person)
        mine: ColumnElement[bool] = LoginSession.person_id == person.id
        ended = end_sessions(work, mine, LoginSession.id != (actor.session_id or 0))
        if ended:
            work.record("person.signed_out", "person", person.id, after={"sessions": ended})
        return ended


def close(actor: Actor, password: str) -> None:
    """Close one's own account: contacts and name are erased, and the key of one's audit values.

    Raises:
        Invalid: wrong password. Conflict: the only owner of an organisation with colleagues.
    """
    confirm_password(actor, password)
    with unit_of_work(actor) as work:
        person = myself(actor)
        work.require(SELF, person)
        if names := left_alone(person.id):
            quoted = "、".join(f"「{name}」" for name in names)
            raise Conflict(
                f"您是{quoted}唯一的单位管理员，单位还有别的成员：请先在「本单位」把管理员交给一位同事，"
                "再注销账号。"
            )
        _erase(work, person)
        work.record("person.closed", "person", person.id)


def _erase(work: UnitOfWork, person: Person) -> None:
    now, key = clock.now(), person.id
    contacts = [one for one in (person.mobile_key, person.email_key) if one]
    codes.void(work, OneTimeCode.who.in_(contacts))
    person.state, person.name = "closed", GONE
    person.mobile = person.mobile_key = person.email = person.email_key = None
    person.password_hash = person.totp = person.totp_at = person.data_key = None
    person.totp_last_step = None
    end_sessions(work, LoginSession.person_id == key)
    # What a browser and a network tell about somebody goes too.
    db.session.execute(
        update(LoginSession).where(LoginSession.person_id == key).values(device="", network="")
    )
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == key))
    db.session.execute(
        update(RoleGrant)
        .where(RoleGrant.person_id == key, RoleGrant.ended_at.is_(None))
        .values(ended_at=now, ended_by=GONE)
    )


def left_alone(person_id: int) -> list[str]:
    """Names of organisations with members that would have no owner without this person."""
    held = select(RoleGrant.organisation_id).where(
        RoleGrant.person_id == person_id, RoleGrant.role == "owner", in_force()
    )
    # Locked, so that of two owners who leave at the same moment one sees that the other left.
    grants = db.session.scalars(
        select(RoleGrant)
        .where(RoleGrant.organisation_id.in_(held), in_force())
        .order_by(RoleGrant.id)
        .with_for_update()
    ).all()
    others = [one for one in grants if one.person_id != person_id and one.person.state == "active"]
    with_members = {one.organisation_id for one in others}
    with_owner = {one.organisation_id for one in others if one.role == "owner"}
    ids = with_members - with_owner
    query = select(Organisation.name).where(Organisation.id.in_(ids)).order_by(Organisation.id)
    return list(db.session.scalars(query)) if ids else []


@dataclass(frozen=True)
class Unmasked:
    """Who somebody is, in full."""

    name: str
    mobile: str | None
    email: str | None


def unmask(actor: Actor, person_id: int, reason: str) -> Unmasked:
    """查看完整信息: the name and the contacts of a person; the look is in the audit.

    Offices see people of organisations in their area, owners those of their own.

    Raises:
        NotFound: no such person, or none this actor may know. Invalid: no reason.
        TooMany: more than 30 within an hour.
    """
    if len(reason.strip()) < 4:
        raise Invalid({"reason": ["请写明查看的理由，至少 4 个字。"]})
    with unit_of_work(actor) as work:
        grant = db.session.scalar(
            select(RoleGrant)
            .where(
                RoleGrant.person_id == person_id,
                in_force(),
                policy.where(actor, UNMASK, RoleGrant),
            )
            .limit(1)
        )
        if grant is None or grant.person.state == "closed":
            raise NotFound("没有这个人员。")
        work.require(UNMASK, grant)
        sentence = "一小时内查看完整信息的次数太多，请稍后再试。"
        take(_UNMASKED, f"{actor.kind}:{actor.id}", sentence)
        person = grant.person
        work.record("person.unmasked", "person", person.id, after={"reason": reason.strip()[:300]})
        mobile, email = (unseal(text, p) if text else None for text, p in _contacts(person))
        return Unmasked(person.name, mobile, email)


def suspend(actor: Actor, person_id: int, reason: str) -> None:
    """停用: the person cannot sign in any more; sessions end at once.

    Raises:
        NotFound: no such person. Invalid: no reason. Conflict: oneself, or not active.
    """
    _set_state(actor, person_id, reason, "active", "suspended")


def resume(actor: Actor, person_id: int, reason: str) -> None:
    """恢复: a suspended person may sign in again.

    Raises:
        NotFound: no such person. Invalid: no reason. Conflict: not suspended.
    """
    _set_state(actor, person_id, reason, "suspended", "active")


def _set_state(actor: Actor, person_id: int, reason: str, before: str, after: str) -> None:
    if len(reason.strip()) < 4:
        raise Invalid({"reason": ["请写明理由，至少 4 个字。"]})
    with unit_of_work(actor) as work:
        work.require(SUSPEND)
        person = db.session.get(Person, person_id)
        if person is None:
            raise NotFound("没有这个人员。")
        if actor.kind == "person" and person.id == actor.id:
            raise Conflict("不能停用自己的账号。")
        fits = (Person.id == person_id) & (Person.state == before)
        moved = db.session.execute(update(Person).where(fits).values(state=after))
        if not moved.rowcount:  # type: ignore[attr-defined]
            raise Conflict("这个账号的状态刚刚变了，请刷新后再看。")
        if after == "suspended":
            end_sessions(work, LoginSession.person_id == person_id)
        said = {"state": after, "reason": reason.strip()[:300]}
        work.record(f"person.{after}", "person", person_id, before={"state": before}, after=said)
