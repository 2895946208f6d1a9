"""What dispatches keep of a person, for the export of his own data."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from market.core.db import db
from market.matching.dispatch.models import ContactLine, ContactOfficer, Dispatch
from market.matching.dispatch.workflow import DISPATCH
from market.matching.queries import MOST_EXPORTED


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """Dispatches that he sent or that ask himself, firms he looks after, contacts he noted."""
    sent = select(Dispatch).where(Dispatch.sent_by_id == person_id)
    asked = select(Dispatch).where(Dispatch.recipient_person_id == person_id)
    firms = select(ContactOfficer).where(ContactOfficer.person_id == person_id)
    lines = select(ContactLine).where(ContactLine.by_id == person_id)
    return {
        "发出的推荐": [_dispatch(one) for one in _newest(sent, Dispatch)],
        "请本人答复的推荐": [_dispatch(one) for one in _newest(asked, Dispatch)],
        "联系的企业": [
            {"企业": one.owner.name, "起": one.created_at.isoformat(), "指定人": one.assigned_by}
            for one in _newest(firms, ContactOfficer)
        ],
        "写的联系记录": [
            {"日期": one.day.isoformat(), "署名": one.by, "内容": one.text}
            for one in _newest(lines, ContactLine)
        ],
    }


def _dispatch(one: Dispatch) -> dict[str, Any]:
    return {"编号": one.no, "状态": DISPATCH.states[one.state], "时间": one.created_at.isoformat()}


def _newest(query: Any, model: Any) -> Any:
    return db.session.scalars(query.order_by(model.id.desc()).limit(MOST_EXPORTED))
