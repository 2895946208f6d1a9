"""New accounts and new passwords, both by a code; nothing tells which contacts have an account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError

from market.accounts.people import codes, person_values, signing_in
from market.accounts.people.messages import CODE, KNOWN, PASSWORD_CHANGED
from market.accounts.people.models import LoginSession, Person
from market.accounts.people.passwords import hash_password
from market.accounts.people.proving import person_at
from market.accounts.people.rules import Contact, holds_account
from market.accounts.people.sessions import end_sessions, open_session
from market.core import audit, clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.languages import is_english
from market.core.languages import translate as _
from market.core.messages import tell
from market.core.permissions import PUBLIC, Actor, Always, policy
from market.core.secrets import seal, unseal
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.core.views import moment

REGISTER = policy.declare("accounts:person:register", public=Always())
RESET = policy.declare("accounts:person:reset", public=Always())
_PENDING = "person.pending"


@dataclass(frozen=True)
class Pending:
    """A registration that waits for its code: what was typed, without the password."""

    name: str
    contact: str


def begin(values: Mapping[str, Any], *, network: str) -> int:
    """First step: send a code to the contact; returns the id of the step.

    A contact that has an account already is told so in place of the code.

    Args:
        values: name, contact (a `Contact`), password.

    Raises:
        TooMany: too many codes to this contact or from this network.
    """
    contact: Contact = values["contact"]
    codes.refuse_too_many(contact, network)
    hashed = hash_password(values["password"])
    said = json.dumps({"name": values["name"], "password": hashed}, ensure_ascii=False)
    with unit_of_work(PUBLIC) as work:
        work.require(REGISTER)
        known = person_at(contact) is not None
        subject = {"sealed": seal(said, _PENDING)}
        send = KNOWN if known else CODE
        return codes.issue(work, "register", contact, network=network, subject=subject, send=send)


def pending(step: int | None) -> Pending | None:
    """What the first step of a registration holds; None when none waits."""
    row = codes.waiting(step, "register")
    contact = codes.contact_of(row) if row else None
    said = _said(row.subject) if row and row.subject else None
    return Pending(said["name"], contact.value) if said and contact else None


def _said(subject: Mapping[str, Any]) -> dict[str, Any] | None:
    text = unseal(subject.get("sealed", ""), _PENDING)
    return json.loads(text) if text else None


def finish(step: int | None, typed: str, *, session_id: int | None = None) -> str:
    """Second step: the code is right, the account is there; returns the word of a session.

    Raises:
        Invalid: the code is wrong or used up. Conflict: the contact got an account meanwhile.
    """
    word = ""
    with unit_of_work(PUBLIC) as work:
        work.require(REGISTER)
        row, sentence = codes.redeem(work, step, "register", typed)
        if row is not None:
            contact, said = codes.contact_of(row), _said(row.subject or {})
            if contact is None or said is None or person_at(contact) is not None:
                raise Conflict(_("这个号码或邮箱已经有账号了，请直接登录。"))
            person = add_person(said["name"], contact, said["password"])
            if session_id is not None:
                end_sessions(work, LoginSession.id == session_id)
            word = open_session(work, person)
    if sentence:
        raise Invalid({"code": [sentence]})
    return word


def add_person(
    name: str, contact: Contact, password_hash: str | None, *, demo: bool = False
) -> Person:
    """A new person, with an audit row of his own. Inside a unit of work that asked a permission.

    Args:
        password_hash: from `passwords.hash_password`, made before the unit of work.
    """
    now = clock.now()
    person = Person(
        name=name,
        password_hash=password_hash,
        password_at=now if password_hash else None,
        data_key=person_values.new_key(),
        language="en" if is_english() else "zh",
        demo=demo,
        created_at=now,
    )
    set_contact(person, contact)
    db.session.add(person)
    flush_contact()
    after = person_values.seal_for(person, {"name": name, contact.kind: contact.value})
    actor = Actor("person", name, person.id)
    audit.add(actor, "person.registered", "person", person.id, after=after)
    return person


def set_contact(person: Person, contact: Contact) -> None:
    """Keep a contact, sealed, with the key it is looked up by."""
    setattr(person, contact.kind, seal(contact.value, contact.purpose))
    setattr(person, f"{contact.kind}_key", contact.key)


def flush_contact() -> None:
    """Write a contact. Raises Conflict when another transaction took it at the same moment."""
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Conflict(_("这个号码或邮箱已经有账号了，请直接登录。")) from error


def begin_reset(contact: Contact, *, network: str) -> int:
    """忘记密码: send a code if the contact has an account; returns the id of the step either way.

    Raises:
        TooMany: too many codes to this contact or from this network.
    """
    with unit_of_work(PUBLIC) as work:
        work.require(RESET)
        person = person_at(contact)
        there = person is not None and person.state == "active"
        subject = {"person": person.id if person is not None and there else 0}
        send = CODE if there else None
        return codes.issue(work, "reset", contact, network=network, subject=subject, send=send)


def resetting(step: int | None) -> str | None:
    """The contact whose code is waited for; None when no new password is being set."""
    row = codes.waiting(step, "reset")
    contact = codes.contact_of(row) if row else None
    return contact.value if contact else None


def finish_reset(step: int | None, typed: str, password: str) -> None:
    """Set a new password by a code; every session of the person ends.

    Raises:
        Invalid: the code is wrong or used up, or the password holds the account.
    """
    contact = resetting(step)
    if contact is None:  # nothing is hashed for who began nothing
        raise Invalid({"code": [_("验证码已失效，请重新获取一个。")]})
    if holds_account(password, contact):
        raise Invalid({"password": [_("密码里不要含手机号、邮箱或姓名，请换一个。")]})
    hashed = hash_password(password)
    with unit_of_work(PUBLIC) as work:
        work.require(RESET)
        row, sentence = codes.redeem(work, step, "reset", typed)
        person = db.session.get(Person, (row.subject or {}).get("person", 0)) if row else None
        if person is not None and person.state == "active":
            set_password(work, person, hashed, keep=None)
            actor = Actor("person", person.name, person.id)
            audit.add(actor, "person.password_reset", "person", person.id)
        elif row is not None:
            sentence = _("验证码已失效，请重新获取一个。")
    if sentence:
        raise Invalid({"code": [sentence]})


def set_password(work: UnitOfWork, person: Person, hashed: str, *, keep: int | None) -> None:
    """Keep a new password's hash; sessions end but for `keep`, and its holder is told."""
    now = clock.now()
    person.password_hash, person.password_at = hashed, now
    end_sessions(work, LoginSession.person_id == person.id, LoginSession.id != (keep or 0))
    for kind in ("mobile", "email"):
        if (sealed := getattr(person, kind)) and (value := unseal(sealed, f"person.{kind}")):
            signing_in.forget_failures(value)
    about = ("person", person.id)
    values = {"at": moment(now)}
    tell(PASSWORD_CHANGED, about=about, url="/account", values=values, people=[person.id])


def send_again(step: int | None, purpose: str, *, network: str) -> int | None:
    """Another code for a step in place of one that did not arrive; None when no step waits.

    Raises:
        TooMany: too often.
    """
    with unit_of_work(PUBLIC) as work:
        work.require(REGISTER)
        return codes.again(work, step, purpose, network)
