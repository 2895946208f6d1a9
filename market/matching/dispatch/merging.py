"""When two organisations become one, what was sent to them and who looks after them become one too."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import aliased

from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.models import WorkItem
from market.core.permissions import SYSTEM
from market.core.unit_of_work import UnitOfWork
from market.matching.dispatch.firms import officer_of
from market.matching.dispatch.models import OPEN, ContactLine, ContactOfficer, Dispatch
from market.matching.dispatch.workflow import DISPATCH, OFFICERS

_REASON = "两家单位合并，同一需求合并后的单位另有一件"


def move(source_id: int, target_id: int) -> None:
    """Give what belongs to the one that ends to the one that stays. Inside a unit of work."""
    _end_doubles(source_id, target_id)
    for model, column in (
        (Dispatch, Dispatch.recipient_id),
        (Dispatch, Dispatch.referral_id),
        (ContactOfficer, ContactOfficer.organisation_id),
        (ContactLine, ContactLine.organisation_id),
    ):
        _change(model, column == source_id, {column.key: target_id})
    for kind in (DISPATCH.name, OFFICERS.name):
        theirs = (WorkItem.kind == kind) & (WorkItem.organisation_id == source_id)
        _change(WorkItem, theirs, {"organisation_id": target_id})
    db.session.expire_all()
    officer = officer_of(target_id)
    if officer is not None:
        flow.show_on_desks(OFFICERS, officer)


def _change(model: Any, which: Any, values: dict[str, Any]) -> None:
    db.session.execute(
        update(model).where(which).values(**values).execution_options(synchronize_session=False)
    )


def _end_doubles(source_id: int, target_id: int) -> None:
    """Of two open dispatches of one demand, and of two officers of one firm, one stays.

    The system does it: the officer who merges may not be of the demand's area.
    """
    work, other = UnitOfWork(SYSTEM), aliased(Dispatch)
    both = (
        select(Dispatch)
        .join(other, (other.listing_id == Dispatch.listing_id) & (other.recipient_id == target_id))
        .where(Dispatch.recipient_id == source_id, Dispatch.state.in_(OPEN), other.state.in_(OPEN))
    )
    now = clock.now()
    for row in db.session.scalars(both).all():
        changed = {"updated_at": now, "lock_version": Dispatch.lock_version + 1}
        flow.fire(work, DISPATCH, row, "withdraw", reason=_REASON, values=changed)
    ending = officer_of(source_id)
    if ending is not None and officer_of(target_id) is not None:
        flow.fire(work, OFFICERS, ending, "end", values={"ended_at": now, "next_call": None})


def would_move(source_id: int) -> tuple[str, int]:
    """What a merger would move, and how many."""
    theirs = select(func.count()).select_from(Dispatch).where(Dispatch.recipient_id == source_id)
    return "推荐对接", db.session.scalar(theirs) or 0
