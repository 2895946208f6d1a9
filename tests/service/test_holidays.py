"""Entered days win over the official calendar."""

from datetime import date

from market.core.calendar import add_working_days
from market.core.db import db
from market.core.holidays import overrides
from market.core.models import CalendarDay
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.core.worker import NODES


def test_an_entered_day_off_moves_a_due_date(app):
    with unit_of_work(SYSTEM) as work:
        work.require(NODES)
        day = CalendarDay(day=date(2026, 11, 23), works=False, source="县政府通知")
        db.session.add(day)
    entered = overrides(date(2026, 11, 1), date(2026, 11, 30))
    assert entered == {date(2026, 11, 23): False}
    assert add_working_days(date(2026, 11, 20), 1, entered).day == date(2026, 11, 24)
