"""What public notices keep of a person, for the export of his own data."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from market.core.db import db
from market.notices.models import Notice, Objection
from market.notices.workflow import NOTICE, OBJECTION

_MOST = 1_000  # of a kind, the newest


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """Objections that he made under his name, and notices that he filled in last.

    What was objected without a name is tied to nobody (`Objection.person_id` is empty).
    """
    made = (
        select(Objection)
        .where(Objection.person_id == person_id)
        .options(joinedload(Objection.notice))
        .order_by(Objection.id.desc())
        .limit(_MOST)
    )
    filled = select(Notice).where(Notice.edited_by_id == person_id).order_by(Notice.id.desc())
    return {
        "提出的异议": [
            {
                "编号": one.no,
                "公示": one.notice.title,
                "署名": one.label,
                "联系方式": one.contact_shown,
                "内容": one.text,
                "状态": OBJECTION.states[one.state],
                "答复": one.answer,
                "时间": one.received_at.isoformat(),
            }
            for one in db.session.scalars(made)
        ],
        "填写的公示": [
            {"编号": one.no, "标题": one.title, "状态": NOTICE.states[one.state]}
            for one in db.session.scalars(filled.limit(_MOST))
        ],
    }
