"""When two organisations become one, their inquiries, templates and reply times become one too."""

from __future__ import annotations

from sqlalchemy import delete, func, or_, select, update

from market.core.db import db
from market.core.models import WorkItem
from market.matching import reply_times
from market.matching.models import Inquiry, OwnerReply, ReplyTemplate
from market.matching.workflow import INQUIRY


def move(source_id: int, target_id: int) -> None:
    """Give what belongs to the one that ends to the one that stays. Inside a unit of work."""
    for model, column in (
        (Inquiry, Inquiry.owner_id),
        (Inquiry, Inquiry.asker_id),
        (Inquiry, Inquiry.outcome_with_id),
        (ReplyTemplate, ReplyTemplate.organisation_id),
    ):
        db.session.execute(
            update(model)
            .where(column == source_id)
            .values({column.key: target_id})
            .execution_options(synchronize_session=False)
        )
    of_source = (WorkItem.kind == INQUIRY.name) & (WorkItem.organisation_id == source_id)
    db.session.execute(
        update(WorkItem)
        .where(of_source)
        .values(organisation_id=target_id)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(delete(OwnerReply).where(OwnerReply.organisation_id == source_id))
    reply_times.count_again(target_id)


def would_move(source_id: int) -> tuple[str, int]:
    """What a merger would move, and how many."""
    theirs = or_(Inquiry.owner_id == source_id, Inquiry.asker_id == source_id)
    count = db.session.scalar(select(func.count()).select_from(Inquiry).where(theirs))
    return "对接咨询", count or 0
