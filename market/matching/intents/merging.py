"""When two organisations become one, so do their intents."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, func, or_, select, update

from market.core.db import db
from market.core.models import WorkItem
from market.matching.intents.models import Intent, IntentInvitation, Question
from market.matching.intents.workflow import INTENT, INVITATION, QUESTION


def move(source_id: int, target_id: int) -> None:
    """Give what belongs to the one that ends to the one that stays. Inside a unit of work."""
    for model, column in (
        (Intent, Intent.buyer_id),
        (Intent, Intent.seller_id),
        (IntentInvitation, IntentInvitation.organisation_id),
        (Question, Question.organisation_id),
    ):
        _write(update(model).where(column == source_id).values({column.key: target_id}))
    kinds = (INTENT.name, INVITATION.name, QUESTION.name)
    theirs = and_(WorkItem.kind.in_(kinds), WorkItem.organisation_id == source_id)
    _write(update(WorkItem).where(theirs).values(organisation_id=target_id))


def _write(statement: Any) -> None:
    db.session.execute(statement.execution_options(synchronize_session=False))


def would_move(source_id: int) -> tuple[str, int]:
    """What a merger would move, and how many."""
    theirs = or_(Intent.buyer_id == source_id, Intent.seller_id == source_id)
    count = db.session.scalar(select(func.count()).select_from(Intent).where(theirs))
    return "对接意向", count or 0
