"""When two organisations become one, their calls and answers become one's."""

from __future__ import annotations

from sqlalchemy import func, or_, select, update

from market.core.db import db
from market.core.models import WorkItem
from market.matching.calls.models import Call, CallAnswer
from market.matching.calls.workflow import CALL, CALL_ANSWER


def move(source_id: int, target_id: int) -> None:
    """Give what belongs to the one that ends to the one that stays. Inside a unit of work."""
    for model, column in ((Call, Call.owner_id), (CallAnswer, CallAnswer.organisation_id)):
        db.session.execute(
            update(model)
            .where(column == source_id)
            .values({column.key: target_id})
            .execution_options(synchronize_session=False)
        )
    db.session.execute(
        update(WorkItem)
        .where(
            WorkItem.kind.in_((CALL.name, CALL_ANSWER.name)), WorkItem.organisation_id == source_id
        )
        .values(organisation_id=target_id)
        .execution_options(synchronize_session=False)
    )


def would_move(source_id: int) -> tuple[str, int]:
    """What a merger would move, and how many."""
    calls = select(func.count()).select_from(Call).where(or_(Call.owner_id == source_id))
    answers = (
        select(func.count()).select_from(CallAnswer).where(CallAnswer.organisation_id == source_id)
    )
    return "揭榜与应答", (db.session.scalar(calls) or 0) + (db.session.scalar(answers) or 0)
