"""How fast owners answer: the median of a year's first answers, kept for public pages."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, delete, func, select, text

from market.core import clock
from market.core.db import UtcDateTime, db
from market.core.languages import translate as _
from market.core.models import CaseEvent
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.matching.models import Inquiry, OwnerReply
from market.matching.rules import COUNTED, FEWEST_CASES, usual_time
from market.matching.workflow import COUNT, INQUIRY

_FRESH = timedelta(days=1)  # then answers of a year ago have left the count
_AT_ONCE = 100
_KEEP = text(
    "INSERT INTO owner_reply (organisation_id, count, median_minutes, updated_at) "
    "VALUES (:owner, :count, :median, :now) ON CONFLICT (organisation_id) DO UPDATE "
    "SET count = :count, median_minutes = :median, updated_at = :now"
).bindparams(bindparam("now", type_=UtcDateTime()))


def count_again(owner_id: int) -> None:
    """Count an owner's answers of the last year anew. Call inside a unit of work.

    Minutes by the clock, nights and weekends included; removed inquiries do not count, nor those
    that an office answered in the owner's place.
    """
    by_office = select(CaseEvent.id).where(
        CaseEvent.kind == INQUIRY.name,
        CaseEvent.object_id == Inquiry.id,
        CaseEvent.action == "answer_for",
    )
    waits = (
        select(
            Inquiry.answer_minutes.label("minutes"),
            func.row_number().over(order_by=Inquiry.answer_minutes).label("place"),
            func.count().over().label("many"),
        )
        .where(
            Inquiry.owner_id == owner_id,
            Inquiry.first_answer_at > clock.now() - COUNTED,
            Inquiry.state != "spam",
            ~by_office.exists(),
        )
        .subquery()
    )
    # The one in the middle, or the two.
    middle = (waits.c.place * 2).between(waits.c.many, waits.c.many + 2)
    query = select(func.max(waits.c.many), func.avg(waits.c.minutes)).where(middle)
    many, median = db.session.execute(query).one()
    if many is None:
        db.session.execute(delete(OwnerReply).where(OwnerReply.organisation_id == owner_id))
        return
    values = {"owner": owner_id, "count": many, "median": round(median), "now": clock.now()}
    db.session.execute(_KEEP, values)


def refresh() -> bool:
    """Count those anew that were not counted for a day; True when more wait."""
    old = select(OwnerReply.organisation_id).where(OwnerReply.updated_at < clock.now() - _FRESH)
    owners = list(db.session.scalars(old.order_by(OwnerReply.updated_at).limit(_AT_ONCE)))
    if not owners:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(COUNT)
        for owner in owners:
            count_again(owner)
    return len(owners) == _AT_ONCE


def note(owner_id: int) -> str | None:
    """The sentence for public pages; None where there are too few answers to say anything."""
    query = select(OwnerReply.count, OwnerReply.median_minutes)
    found = db.session.execute(query.where(OwnerReply.organisation_id == owner_id)).first()
    if found is None or found[0] < FEWEST_CASES:
        return None
    return _("通常 %(time)s内答复（近一年 %(n)s 件）", time=usual_time(found[1]), n=found[0])
