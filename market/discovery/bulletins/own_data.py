"""What bulletins keep of a person, for the export of his own data."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from market.core.db import db
from market.discovery.bulletins.models import BulletinSubscription


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """Of which places a person is told when a bulletin comes out."""
    query = (
        select(BulletinSubscription)
        .where(BulletinSubscription.person_id == person_id)
        .options(joinedload(BulletinSubscription.region))
        .order_by(BulletinSubscription.id.desc())
    )
    return {
        "订阅的简报": [
            {"地区": one.region.name, "语言": one.language, "时间": one.created_at.isoformat()}
            for one in db.session.scalars(query)
        ]
    }
