"""Who somebody is: the person behind a contact, oneself, and one's own password asked again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from market.accounts.people.models import Person
from market.accounts.people.passwords import verify
from market.accounts.people.rules import Contact
from market.core.db import db
from market.core.errors import Denied, Invalid
from market.core.limits import Limit, forget, take
from market.core.permissions import SYSTEM, Actor, Mine, policy
from market.core.unit_of_work import unit_of_work

SELF = policy.declare("accounts:self:manage", person=Mine("id"))
_GUESSES = Limit("own_password", 10, timedelta(hours=1))
_CLEAR = policy.declare("accounts:limit:clear")


def person_at(contact: Contact) -> Person | None:
    """The person with this telephone or e-mail address."""
    column = Person.mobile_key if contact.kind == "mobile" else Person.email_key
    return db.session.scalar(select(Person).where(column == contact.key))


def myself(actor: Actor) -> Person:
    """The acting person's row.

    Raises:
        Denied: the actor is nobody with an account.
    """
    query = select(Person).where(policy.where(actor, SELF, Person))
    person = db.session.scalar(query) if actor.signed_in else None
    if person is None:
        raise Denied
    return person


def confirm_password(actor: Actor, password: str) -> None:
    """Ask for one's own password again. Outside of any unit of work.

    Raises:
        Invalid: it is another. TooMany: too many guesses.
    """
    person = myself(actor)
    key, kept = str(person.id), person.password_hash
    # Counted before it is looked at, so that many at the same moment count too.
    take(_GUESSES, key, "密码输错太多次，请一小时后再试。")
    fits, _newer = verify(password, kept)
    if not fits:
        raise Invalid({"password": ["密码不对。"]})
    with unit_of_work(SYSTEM) as work:
        work.require(_CLEAR)
        forget(_GUESSES, key)
