"""Days on which an office says that work differs from the official calendar."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from market.core.db import db
from market.core.models import CalendarDay


def overrides(start: date, end: date) -> dict[date, bool]:
    """Whether people work, by day, for entered days from `start` to `end`; for `core.calendar`."""
    query = select(CalendarDay.day, CalendarDay.works)
    rows = db.session.execute(query.where(CalendarDay.day.between(start, end)))
    return {day: works for day, works in rows.all()}  # noqa: C416  (rows are not pairs to mypy)
