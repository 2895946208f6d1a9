"""What saved searches keep of a person, for the export of his own data."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from market.core.db import db
from market.discovery.saved.models import SavedSearch


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """The searches that a person keeps, the newest first; there is a limit to their number."""
    query = select(SavedSearch).where(SavedSearch.person_id == person_id)
    return {
        "订阅的搜索": [
            {
                "名称": one.name,
                "搜索": one.said,
                "网址": one.search_url,
                "多久一次": one.rhythm_label,
                "语言": one.language,
                "暂停": one.paused_at.isoformat() if one.paused_at else None,
                "时间": one.created_at.isoformat(),
            }
            for one in db.session.scalars(query.order_by(SavedSearch.id.desc()))
        ]
    }
