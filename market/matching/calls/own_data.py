"""What calls and answers keep of a person, for the export of his own data."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from market.core.db import db
from market.core.models import CaseEvent
from market.matching.calls.models import Call, CallAnswer
from market.matching.calls.workflow import CALL, CALL_ANSWER
from market.matching.queries import MOST_EXPORTED


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """What a person did with calls and with answers to them, the newest first."""
    return {
        "办理的揭榜": _steps(CALL, Call, person_id),
        "办理的应答": _steps(CALL_ANSWER, CallAnswer, person_id),
    }


def _steps(workflow: Any, model: Any, person_id: int) -> list[dict[str, Any]]:
    query = (
        select(CaseEvent, model.no)
        .join(model, model.id == CaseEvent.object_id)
        .where(
            CaseEvent.kind == workflow.name,
            CaseEvent.actor_kind == "person",
            CaseEvent.actor_id == person_id,
        )
        .order_by(CaseEvent.id.desc())
        .limit(MOST_EXPORTED)
    )
    return [
        {
            "编号": no,
            "署名": one.actor_label,
            "状态": workflow.states.get(one.after, one.after),
            "原因": one.reason,
            "时间": one.at.isoformat(),
        }
        for one, no in db.session.execute(query)
    ]
