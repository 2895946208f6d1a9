"""What intents keep of a person, for the export of his own data."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from market.core.db import db
from market.matching.intents.models import Intent, IntentMessage, Offer, Outcome
from market.matching.queries import MOST_EXPORTED


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """What a person wrote in intents: messages, offers, outcomes; the newest first."""
    return {
        "对接意向里写的话": [
            {"意向": no, "署名": one.author, "内容": one.text, "时间": one.at.isoformat()}
            for one, no in _rows(IntentMessage, person_id)
        ],
        "提出的方案": [
            {"意向": no, "署名": one.author, "版次": one.version}
            for one, no in _rows(Offer, person_id)
        ],
        "填报的对接结果": [
            {"意向": no, "署名": one.author, "结果": one.outcome}
            for one, no in _rows(Outcome, person_id)
        ],
    }


def _rows(model: Any, person_id: int) -> Any:
    query = (
        select(model, Intent.no)
        .join(Intent, Intent.id == model.intent_id)
        .where(model.person_id == person_id)
    )
    return db.session.execute(query.order_by(model.id.desc()).limit(MOST_EXPORTED))
