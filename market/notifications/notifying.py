"""The task that carries messages from the outbox into inboxes and deliveries, in one transaction."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import structlog
from flask import current_app
from sqlalchemy import select, tuple_

from market.core import clock, leases, outbox
from market.core.db import db
from market.core.messages import CONSUMER
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from market.notifications.models import Delivery, InboxMessage
from market.notifications.planning import Asked, Plan, plan

ROWS = 100  # outbox rows a batch
LEASE = timedelta(seconds=60)  # how long others wait for a process that was killed
PATIENCE = timedelta(minutes=5)  # before a row that could not be understood is looked at again
WRITE = policy.declare("notifications:message:write")
log = structlog.get_logger(__name__)


def holder() -> str:
    """The name of this process, for leases."""
    return f"{current_app.extensions['market'].settings.node}:{os.getpid()}"


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Hold a lease meanwhile; False when another process has it. It is let go at the end."""
    held = leases.hold(name, holder(), LEASE)
    try:
        yield held
    finally:
        if held:
            leases.hold(name, holder(), timedelta(0))


def notify() -> bool:
    """Carry out a batch of what rooms asked to tell; True when more waits."""
    rows = [
        Asked(row.id, row.kind, row.object_id, row.payload or {})
        for row in outbox.read(CONSUMER, ROWS)
    ]
    db.session.rollback()
    if not rows:
        return False
    with alone(CONSUMER) as held:
        if not held:
            return False
        try:
            _carry_out(rows)
        except (KeyError, TypeError, ValueError):
            _one_by_one(rows)
    return len(rows) == ROWS


def _one_by_one(rows: Sequence[Asked]) -> None:
    """One row that nobody understands must not hold up the others."""
    for row in rows:
        try:
            _carry_out([row])
        except (KeyError, TypeError, ValueError):
            log.exception("message not understood", kind=row.kind, row=row.id)
            with unit_of_work(SYSTEM) as work:
                work.require(WRITE)
                outbox.postpone([row.id], clock.now() + PATIENCE)


def _carry_out(rows: Sequence[Asked]) -> None:
    made = plan(rows)
    with unit_of_work(SYSTEM) as work:
        work.require(WRITE)
        write(made)
        outbox.remove([row.id for row in rows])


def write(made: Plan) -> None:
    """Add what is not there yet; unique keys guard it. Call inside a unit of work."""
    told = _told_before([message for message, _ in made.inbox])
    sent = _keys([one.key for one in made.deliveries])
    for message, deliveries in made.inbox:
        if (identity := _identity(message)) in told:
            continue
        told.add(identity)
        db.session.add(message)
        _add_new(deliveries, sent)
    _add_new(made.contacts, sent)


def _add_new(deliveries: Sequence[Delivery], sent: set[str]) -> None:
    for one in deliveries:
        if one.key not in sent:
            sent.add(one.key)
            db.session.add(one)


def _identity(one: InboxMessage) -> tuple[int, str, str, int, str]:
    return one.person_id, one.kind, one.about, one.about_id, one.event


def _told_before(messages: Sequence[InboxMessage]) -> set[tuple[int, str, str, int, str]]:
    """Which of these messages are in their inboxes already."""
    columns = (
        InboxMessage.person_id,
        InboxMessage.kind,
        InboxMessage.about,
        InboxMessage.about_id,
        InboxMessage.event,
    )
    named = [_identity(one) for one in messages]
    found: set[tuple[int, str, str, int, str]] = set()
    for start in range(0, len(named), ROWS):
        query = select(*columns).where(tuple_(*columns).in_(named[start : start + ROWS]))
        found |= {(a, b, c, d, e) for a, b, c, d, e in db.session.execute(query)}
    return found


def _keys(keys: Sequence[str]) -> set[str]:
    """Which of these deliveries were made already."""
    found: set[str] = set()
    for start in range(0, len(keys), ROWS):
        some = keys[start : start + ROWS]
        found |= set(db.session.scalars(select(Delivery.key).where(Delivery.key.in_(some))))
    return found
