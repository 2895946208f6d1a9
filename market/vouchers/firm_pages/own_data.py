"""What vouchers keep of a person, for the export of his own data: the steps he made.

What organisations declare of their owners belongs to the organisation and is sealed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from market.core.db import db
from market.core.models import CaseEvent
from market.vouchers.workflow import APPLICATION, BATCH, CLAIM, ORDER, SCHEME, VOUCHER

MOST = 1_000  # rows of a kind, the newest


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """What a person did with applications, vouchers, orders, claims, batches and schemes."""
    flows = (APPLICATION, VOUCHER, ORDER, CLAIM, BATCH, SCHEME)
    return {f"办理的{one.label}": _steps(one, person_id) for one in flows}


def _steps(workflow: Any, person_id: int) -> list[dict[str, Any]]:
    model = workflow.model
    query = (
        select(CaseEvent, model.no)
        .join(model, model.id == CaseEvent.object_id)
        .where(
            CaseEvent.kind == workflow.name,
            CaseEvent.actor_kind == "person",
            CaseEvent.actor_id == person_id,
        )
        .order_by(CaseEvent.id.desc())
        .limit(MOST)
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
