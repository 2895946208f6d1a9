"""The worker's part: telling organisations in time that their place in the directory runs out."""

from __future__ import annotations

from sqlalchemy import or_, select, update

from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.service_points import messages, rules
from market.service_points.models import Admission
from market.service_points.workflow import REMIND

BATCH = 100


def remind() -> bool:
    """Tell those whose validity ends within 30 days, once for each end; True when more wait."""
    today = clock.today()
    due = (
        Admission.state != "ended",
        Admission.valid_to.between(today, today + rules.WARNED),
        or_(Admission.reminded.is_(None), Admission.reminded != Admission.valid_to),
    )
    ids = list(
        db.session.scalars(select(Admission.id).where(*due).order_by(Admission.id).limit(BATCH))
    )
    if not ids:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(REMIND)
        for key in ids:
            # Of two workers one writes the mark, and he alone tells.
            marked = db.session.execute(
                update(Admission)
                .where(Admission.id == key, *due)
                .values(reminded=Admission.valid_to)
                .execution_options(synchronize_session=False)
            )
            if marked.rowcount:  # type: ignore[attr-defined]
                row = db.session.get_one(Admission, key, populate_existing=True)
                messages.tell_staff(messages.EXPIRING, row, f"{row.valid_to}")
    return len(ids) == BATCH
