"""Whose turn it is follows the owner's staff: who has no account yet is answered for by its office."""

from __future__ import annotations

from sqlalchemy import and_, or_, select

from market.core.db import db
from market.core.models import WorkItem
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.core.workflow import show_on_desks
from market.matching.models import Inquiry
from market.matching.workflow import FOLLOW_OWNERS, INQUIRY, has_answerers

_AT_ONCE = 100


def follow_owners() -> bool:
    """Move inquiries to the office's desk or from it, where their owner's staff changed.

    Roles come and go by themselves too (their period ends, an account is suspended), so this is
    looked up again and again rather than told.

    Returns:
        Whether more may wait.
    """
    staffed = has_answerers(Inquiry.owner_id)
    misplaced = (
        select(Inquiry.id)
        .join(WorkItem, and_(WorkItem.kind == INQUIRY.name, WorkItem.object_id == Inquiry.id))
        .where(
            Inquiry.state == "new",
            or_(
                and_(WorkItem.side == "office", staffed),
                and_(WorkItem.side == "owner", ~staffed),
            ),
        )
        .order_by(Inquiry.id)
        .limit(_AT_ONCE)
    )
    ids = list(db.session.scalars(misplaced))
    if not ids:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(FOLLOW_OWNERS)
        for inquiry in db.session.scalars(select(Inquiry).where(Inquiry.id.in_(ids))).all():
            show_on_desks(INQUIRY, inquiry)
    return len(ids) == _AT_ONCE
