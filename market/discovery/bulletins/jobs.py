"""The task that tells subscribers of a new bulletin, some at a time; safe to repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import joinedload

from market.accounts.people.models import Person
from market.core.db import db
from market.core.messages import tell
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.discovery.bulletins import queries
from market.discovery.bulletins.content import Line
from market.discovery.bulletins.messages import ISSUED, stop_word
from market.discovery.bulletins.models import Bulletin, BulletinSubscription
from market.discovery.bulletins.workflow import FORGET, TELL
from market.regions import queries as regions

PIECE = 200  # subscribers of one transaction
NAMED = 15  # listings that a message names
ROWS = 200


def tell_subscribers() -> bool:
    """Tell some subscribers of the oldest bulletin that was not told to all; True when more wait."""
    query = select(Bulletin.id).where(Bulletin.told_through.is_not(None)).order_by(Bulletin.id)
    key = db.session.scalar(query.limit(1))
    db.session.rollback()
    if key is None:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(TELL)
        _tell_some(key)
    return True


def _tell_some(key: int) -> None:
    row = db.session.scalar(
        select(Bulletin)
        .where(Bulletin.id == key, Bulletin.told_through.is_not(None))
        .options(joinedload(Bulletin.region))
        .with_for_update(of=Bulletin)
    )
    if row is None:  # another process was faster
        return
    found = db.session.scalars(
        select(BulletinSubscription)
        .where(
            BulletinSubscription.region_id == row.region_id,
            BulletinSubscription.id > row.told_through,
            BulletinSubscription.created_at <= row.issued_at,
        )
        .order_by(BulletinSubscription.id)
        .limit(PIECE)
    ).all()
    lines = [one for one in queries.lines(row) if not one.hidden]
    english = regions.english_names([row.region.code]).get(row.region.code)
    names = {"zh": row.region.full_name, "en": english or row.region.full_name}
    for one in found:
        _tell_one(row, one, lines, names)
    through = found[-1].id if len(found) == PIECE else None
    db.session.execute(
        update(Bulletin)
        .where(Bulletin.id == row.id)
        .values(told_through=through)
        .execution_options(synchronize_session=False)
    )


def _tell_one(
    row: Bulletin, to: BulletinSubscription, lines: Sequence[Line], names: Mapping[str, str]
) -> None:
    text = [f"· {one.title}" for one in lines[:NAMED]]
    if len(lines) > NAMED:
        text.append("……")
    tell(
        ISSUED,
        about=("bulletin", row.id),
        url=f"/bulletins/{row.no}",
        values={
            "place": names[to.language],
            "year": row.year,
            "number": row.number,
            "n": len(lines),
            "lines": "\n".join(text),
        },
        people=[to.person_id],
        spoken=to.language,
        stop=f"/bulletins/stop/{stop_word(to.id)}",
        event="issued",
    )


def forget_closed() -> bool:
    """Delete the subscriptions of closed accounts; True when more wait."""
    closed = select(Person.id).where(Person.state == "closed")
    query = select(BulletinSubscription.id).where(BulletinSubscription.person_id.in_(closed))
    keys = list(db.session.scalars(query.limit(ROWS)))
    if keys:
        with unit_of_work(SYSTEM) as work:
            work.require(FORGET)
            db.session.execute(
                delete(BulletinSubscription).where(BulletinSubscription.id.in_(keys))
            )
    return len(keys) == ROWS
