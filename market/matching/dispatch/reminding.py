"""What the worker does when a recipient has not answered by the day it was asked for."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.matching.dispatch import messages
from market.matching.dispatch.models import Dispatch
from market.matching.dispatch.workflow import DISPATCH, REMIND

_AT_ONCE = 50


def remind() -> bool:
    """Remind recipients once, and tell the clerks who sent it; True when more wait."""
    over = (
        Dispatch.state == "sent",
        Dispatch.reminded_at.is_(None),
        Dispatch.due < clock.today(),
    )
    ids = list(
        db.session.scalars(
            select(Dispatch.id).where(*over).order_by(Dispatch.due, Dispatch.id).limit(_AT_ONCE)
        )
    )
    if not ids:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(REMIND)
        # Asked again: somebody may have answered meanwhile.
        query = select(Dispatch).where(Dispatch.id.in_(ids), *over)
        query = query.options(joinedload(Dispatch.region)).with_for_update(of=Dispatch)
        for row in db.session.scalars(query).all():
            row.reminded_at = clock.now()
            flow.add_event(work, DISPATCH.name, row.id, "remind")
            messages.tell_recipient(messages.REMINDED, row, event="due")
            messages.tell_office(messages.OVERDUE, row, event="due")
        work.record("dispatch.reminded", DISPATCH.name, 0, after={"dispatches": len(ids)})
    return len(ids) == _AT_ONCE
