"""Changes to inboxes and choices, and what is deleted after its time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from flask import current_app
from sqlalchemy import ColumnElement, delete, select, update

from market.accounts.people.models import Person
from market.core import clock
from market.core.db import db
from market.core.permissions import PUBLIC, SYSTEM, Actor, Always, Mine, policy
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.notifications import channels, queries
from market.notifications.models import CHANNELS, Delivery, InboxMessage, MessageChoice

MARK = policy.declare("notifications:message:mark", person=Mine())
CHOOSE = policy.declare("notifications:choice:write", person=Mine())
UNSUBSCRIBE = policy.declare("notifications:choice:unsubscribe", public=Always())
FORGET = policy.declare("notifications:message:forget")
KEPT = timedelta(days=180)
FILES_KEPT = timedelta(days=30)
ROWS = 500  # rows deleted at once


def mark_read(actor: Actor, key: int) -> str:
    """Mark a message as read; returns the address it leads to, "" when it leads nowhere.

    Raises:
        NotFound: there is none of this id, or it is somebody else's.
    """
    found = queries.message(actor, key)
    target = found.url
    if found.read_at is None:
        with unit_of_work(actor) as work:
            work.require(MARK)
            _mark(actor, InboxMessage.id == key)
    return target if target.startswith("/") and not target.startswith("//") else ""


def mark_all_read(actor: Actor) -> None:
    """Mark all of the actor's messages as read."""
    with unit_of_work(actor) as work:
        work.require(MARK)
        _mark(actor)


def _mark(actor: Actor, *conditions: ColumnElement[bool]) -> None:
    db.session.execute(
        update(InboxMessage)
        .where(policy.where(actor, MARK, InboxMessage), InboxMessage.read_at.is_(None), *conditions)
        .values(read_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def choose(actor: Actor, *, sms: Collection[str], mail: Collection[str], daily: bool) -> None:
    """Keep what a person wants by SMS and mail; kinds that must come are not asked.

    Args:
        sms, mail: the names of the kinds that are wanted that way.
        daily: mail comes once a day.
    """
    assert actor.id is not None
    wanted = {"sms": set(sms), "mail": set(mail)}
    with unit_of_work(actor) as work:
        work.require(CHOOSE)
        for kind in queries.kinds().values():
            for channel in CHANNELS:
                if getattr(kind, channel) and not kind.must:
                    _keep(actor.id, kind.name, channel, kind.name in wanted[channel])
        _keep(actor.id, "", "digest", daily)
        _record(work, actor.id)


def _keep(person_id: int, kind: str, channel: str, wanted: bool) -> None:
    row = db.session.get(MessageChoice, (person_id, kind, channel))
    if row is None:
        row = MessageChoice(person_id=person_id, kind=kind, channel=channel)
        db.session.add(row)
    row.wanted = wanted


def _record(work: UnitOfWork, person_id: int) -> None:
    db.session.flush()
    off = db.session.execute(
        select(MessageChoice.channel, MessageChoice.kind)
        .where(MessageChoice.person_id == person_id, MessageChoice.wanted.is_(False))
        .order_by(MessageChoice.channel, MessageChoice.kind)
    )
    after = {"off": [f"{channel}:{kind}" for channel, kind in off if kind]}
    work.record("message.choose", "person", person_id, after=after)


def stop(person_id: int, kinds: Sequence[str]) -> None:
    """Stop the mail of these kinds, as a signed address asks; kinds that must come stay.

    The address is the proof, so no sign-in is asked: mail programs send this by themselves (RFC 8058).
    """
    with unit_of_work(PUBLIC) as work:
        work.require(UNSUBSCRIBE)
        if db.session.get(Person, person_id) is None:
            return
        for name in kinds:
            kind = queries.kinds().get(name)
            if kind is not None and kind.mail and not kind.must:
                _keep(person_id, name, "mail", False)
        _record(work, person_id)


def forget_old() -> bool:
    """Delete messages after 180 days, and those of closed accounts; True when more wait."""
    old = clock.now() - KEPT
    closed = select(Person.id).where(Person.state == "closed")
    ripe: list[tuple[type[InboxMessage] | type[Delivery], ColumnElement[bool]]] = [
        (InboxMessage, InboxMessage.created_at < old),
        (InboxMessage, InboxMessage.person_id.in_(closed)),
        (Delivery, Delivery.ended_at < old),
    ]
    more = False
    for model, condition in ripe:
        ids = db.session.scalars(select(model.id).where(condition).limit(ROWS)).all()
        if ids:
            with unit_of_work(SYSTEM) as work:
                work.require(FORGET)
                db.session.execute(delete(model).where(model.id.in_(ids)))
        more = more or len(ids) == ROWS
    return more


def forget_files() -> bool:
    """Delete the files of mails and SMS after 30 days."""
    instance = current_app.extensions["market"].settings.instance
    channels.prune(instance, clock.today() - FILES_KEPT)
    return False
