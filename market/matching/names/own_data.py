"""What consents to tell a firm's name keep of a person, for the export of his own data."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from market.catalogue.models import CONSENT_MEANS, NameConsent
from market.core.db import db
from market.matching.queries import MOST_EXPORTED


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """Consents that a person gave, and those by which he was told a name; the newest first."""
    mine = or_(NameConsent.given_by_id == person_id, NameConsent.person_id == person_id)
    query = select(NameConsent).where(mine).order_by(NameConsent.id.desc()).limit(MOST_EXPORTED)
    return {
        "告知单位名称的同意": [
            {
                "办件": one.given_in,
                "同意人": one.given_by,
                "告知谁": one.receiver,
                "方式": CONSENT_MEANS[one.means],
                "时间": one.given_at.isoformat(),
                "撤回": one.withdrawn_at.isoformat() if one.withdrawn_at else None,
            }
            for one in db.session.scalars(query)
        ]
    }
