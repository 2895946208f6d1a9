"""How often somebody may do something: rows in the database, so that all processes count alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from market.core import clock
from market.core.db import db
from market.core.errors import TooMany
from market.core.models import LimitHit
from market.core.permissions import SYSTEM, policy
from market.core.secrets import pseudonym
from market.core.unit_of_work import unit_of_work

COUNT = policy.declare("core:limit:count")
LONGEST_SPAN = timedelta(days=1)


@dataclass(frozen=True)
class Limit:
    """At most `most` times in `span`. `kind` names what is counted."""

    kind: str
    most: int
    span: timedelta


def used(limit: Limit, who: str) -> int:
    """How often this was done within the span. who: a network address, an account, a telephone."""
    query = select(func.count()).select_from(LimitHit)
    return (
        db.session.scalar(
            query.where(
                LimitHit.kind == limit.kind,
                LimitHit.who == pseudonym(who, f"limit.{limit.kind}"),
                LimitHit.at > clock.now() - limit.span,
            )
        )
        or 0
    )


def latest(limit: Limit, who: str) -> datetime | None:
    """When it was done last."""
    query = select(func.max(LimitHit.at)).where(
        LimitHit.kind == limit.kind, LimitHit.who == pseudonym(who, f"limit.{limit.kind}")
    )
    return db.session.scalar(query)


def count(limit: Limit, who: str) -> int:
    """Note one use, in a transaction of its own or in the open one; returns the row's id."""
    with unit_of_work(SYSTEM) as work:
        if work.actor is SYSTEM:
            work.require(COUNT)
        hit = LimitHit(kind=limit.kind, who=pseudonym(who, f"limit.{limit.kind}"), at=clock.now())
        db.session.add(hit)
        db.session.flush()
        return hit.id


def alone(limit: Limit, who: str) -> None:
    """Wait until nobody else counts the same, and keep it to the commit. Inside a unit of work.

    SQLite lets one write at a time anyway.
    """
    if db.engine.dialect.name == "postgresql":
        number = int(pseudonym(who, f"limit.{limit.kind}")[:15], 16)
        db.session.execute(select(func.pg_advisory_xact_lock(number)))


def take(limit: Limit, who: str, sentence: str) -> None:
    """Note one use, or refuse when there were as many as allowed.

    Raises:
        TooMany: with this sentence.
    """
    with unit_of_work(SYSTEM) as work:
        if work.actor is SYSTEM:
            work.require(COUNT)
        alone(limit, who)
        if used(limit, who) >= limit.most:
            refused = TooMany(sentence)
            refused.retry_after = int(limit.span.total_seconds())
            raise refused
        count(limit, who)


def forget(limit: Limit, who: str) -> None:
    """Forget the uses, e.g. after a sign-in that succeeded. Inside a unit of work."""
    db.session.execute(
        delete(LimitHit).where(
            LimitHit.kind == limit.kind, LimitHit.who == pseudonym(who, f"limit.{limit.kind}")
        )
    )


def forget_one(hit_id: int) -> None:
    """Forget one use, e.g. one that turned out to be allowed. Inside a unit of work."""
    db.session.execute(delete(LimitHit).where(LimitHit.id == hit_id))


def forget_old() -> bool:
    """Delete rows that count for nothing any more; True when more wait."""
    old = select(LimitHit.id).where(LimitHit.at < clock.now() - LONGEST_SPAN).limit(1000)
    ids = list(db.session.scalars(old))
    if not ids:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(COUNT)
        db.session.execute(delete(LimitHit).where(LimitHit.id.in_(ids)))
    return len(ids) == 1000
