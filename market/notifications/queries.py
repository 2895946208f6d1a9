"""What people and operators read: the inbox, the unread, the switches, what could not be sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app
from sqlalchemy import func, select

from market.accounts.people.models import Person
from market.core import clock
from market.core.db import db
from market.core.errors import NotFound
from market.core.messages import MessageKind
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, Mine, policy
from market.notifications import receivers
from market.notifications.models import Delivery, InboxMessage

READ = policy.declare("notifications:message:read", person=Mine())
MOST_UNREAD = 99
LATELY = timedelta(days=7)


@dataclass(frozen=True)
class Switch:
    """A kind as the account shows it. sms, mail: on, off, or None where it is never sent so."""

    name: str
    label: str
    must: bool
    sms: bool | None
    mail: bool | None


@dataclass(frozen=True)
class Choices:
    """What a person chose, and by which ways the person can be reached at all."""

    switches: Sequence[Switch]
    daily: bool
    has_mobile: bool
    has_email: bool


@dataclass(frozen=True)
class Troubles:
    """Messages that were given up lately, the newest reason, and how many are tried again."""

    given_up: int
    failing: int
    reason: str


def unread(actor: Actor) -> int | str:
    """How many messages were not read yet, for the head of each page; over 99 are "99+"."""
    mine = select(InboxMessage.id).where(
        InboxMessage.person_id == actor.id, InboxMessage.read_at.is_(None)
    )
    few = mine.limit(MOST_UNREAD + 1).subquery()
    found = db.session.scalar(select(func.count()).select_from(few)) or 0
    return found if found <= MOST_UNREAD else f"{MOST_UNREAD}+"


def inbox(actor: Actor, page: int = 1) -> PageOf[InboxMessage]:
    """A page of the actor's messages: the unread first, then the newest."""
    mine = policy.where(actor, READ, InboxMessage)
    few = select(InboxMessage.id).where(mine).limit(EXACT_UP_TO).subquery()
    total = db.session.scalar(select(func.count()).select_from(few)) or 0
    rows = db.session.scalars(
        select(InboxMessage)
        .where(mine)
        .order_by(InboxMessage.read_at.is_not(None), InboxMessage.id.desc())
        .limit(ROWS_PER_PAGE)
        .offset((page - 1) * ROWS_PER_PAGE)
    ).all()
    return PageOf(rows, total, page, ROWS_PER_PAGE)


def message(actor: Actor, key: int) -> InboxMessage:
    """One of the actor's messages.

    Raises:
        NotFound: there is none of this id, or it is somebody else's.
    """
    query = select(InboxMessage).where(InboxMessage.id == key)
    found = db.session.scalar(query.where(policy.where(actor, READ, InboxMessage)))
    if found is None:
        raise NotFound
    return found


def kinds() -> dict[str, MessageKind]:
    """All kinds of messages that rooms declared."""
    found: dict[str, MessageKind] = current_app.extensions["market"].messages
    return found


def choices(actor: Actor) -> Choices:
    """The switches of the acting person."""
    assert actor.id is not None
    person = db.session.get_one(Person, actor.id)
    chosen = receivers.choices([actor.id])

    def state(kind: MessageKind, channel: str) -> bool | None:
        if not getattr(kind, channel):
            return None
        return kind.must or chosen.get((person.id, kind.name, channel), True)

    return Choices(
        [
            Switch(one.name, one.label, one.must, state(one, "sms"), state(one, "mail"))
            for one in kinds().values()
        ],
        chosen.get((person.id, "", "digest"), False),
        person.mobile_key is not None,
        person.email_key is not None,
    )


def troubles() -> Troubles:
    """What could not be sent within the last week; for the operator."""
    lately = clock.now() - LATELY
    gone = select(Delivery).where(Delivery.state == "given_up", Delivery.ended_at > lately)
    again = select(Delivery).where(Delivery.state == "failed", Delivery.next_try_at.is_not(None))
    given_up = db.session.scalar(select(func.count()).select_from(gone.subquery())) or 0
    failing = db.session.scalar(select(func.count()).select_from(again.subquery())) or 0
    reason = db.session.scalar(
        select(Delivery.error)
        .where(
            Delivery.error.is_not(None),
            (Delivery.state == "failed")
            | ((Delivery.state == "given_up") & (Delivery.ended_at > lately)),
        )
        .order_by(Delivery.id.desc())
        .limit(1)
    )
    return Troubles(given_up, failing, reason or "")


def waiting() -> float:
    """How many mails and SMS wait to be sent or are tried again."""
    query = select(func.count()).select_from(Delivery).where(Delivery.next_try_at.is_not(None))
    return float(db.session.scalar(query) or 0)


def given_up() -> float:
    """How many mails and SMS were given up within a week."""
    return float(troubles().given_up)


def of_person(person_id: int) -> dict[str, list[dict[str, object]]]:
    """The messages kept for a person, for the export of his own data."""
    query = select(InboxMessage).where(InboxMessage.person_id == person_id)
    return {
        "消息": [
            {
                "标题": one.subject,
                "内容": one.text,
                "时间": one.created_at.isoformat(),
                "读过": one.read_at.isoformat() if one.read_at else None,
            }
            for one in db.session.scalars(query.order_by(InboxMessage.id.desc()).limit(1_000))
        ]
    }
