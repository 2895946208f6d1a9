"""Chinese working days; holidays of 2026 by the official notice."""

from datetime import date

import pytest

from market.core.calendar import add_natural_days, add_working_days, working_days_between


def test_national_day_is_skipped():
    # 1 to 7 October 2026 are holidays, Saturday 10 October is worked.
    assert add_working_days(date(2026, 9, 30), 3).day == date(2026, 10, 10)
    assert working_days_between(date(2026, 9, 30), date(2026, 10, 10)) == 3
    assert working_days_between(date(2026, 10, 10), date(2026, 9, 30)) == -3


def test_an_entered_day_wins():
    closed = {date(2026, 11, 23): False}
    assert add_working_days(date(2026, 11, 20), 1, closed).day == date(2026, 11, 24)


def test_unannounced_years_are_provisional():
    due = add_working_days(date(2040, 1, 2), 5)
    assert (due.day, due.provisional) == (date(2040, 1, 9), True)
    assert not add_working_days(date(2026, 11, 16), 4).provisional


def test_natural_days():
    assert add_natural_days(date(2026, 4, 27), 10).day == date(2026, 5, 7)


@pytest.mark.parametrize("count", [-1, 5000])
def test_absurd_periods(count):
    with pytest.raises(ValueError, match="legal period"):
        add_working_days(date(2026, 1, 1), count)
