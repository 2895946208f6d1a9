"""Spans of time as sets of years, months and days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.discovery import periods


def _days(part):
    """All days of a year, a month or a day of the index."""
    first = date.fromisoformat(f"{part}-01-01"[:10] if len(part) < 10 else part)
    day, found = first, []
    while day.isoformat().startswith(part):
        found.append(day)
        if day == date.max:
            break
        day += timedelta(days=1)
    return found


@given(
    st.sampled_from(sorted(periods.WINDOWS)),
    st.dates(date(1990, 1, 1), date(2100, 12, 31)),
)
def test_a_window_is_covered_exactly_and_by_few_parts(window, today):
    parts = periods.covering(window, today)
    days = [day for part in parts for day in _days(part)]
    length = periods.WINDOWS[window][1]
    assert sorted(days) == [today - timedelta(days=back) for back in reversed(range(length))]
    assert len(parts) <= 75


def test_years_and_what_means_nothing():
    today = date(2026, 11, 20)
    assert periods.covering("2025", today) == ["2025"]
    assert periods.covering("365d", date(2026, 12, 31)) == [
        f"2026-{month:02}" for month in range(1, 13)
    ]
    for nonsense in ("", "0000", "31d", "20260", "二〇二六", "２０２６"):
        assert not periods.is_known(nonsense)
        assert periods.covering(nonsense, today) == []
    assert periods.offered(today)[:5] == ["30d", "90d", "365d", "2026", "2025"]
    assert "1999" in periods.offered(today, ("1999", "30d", "x"))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        ("2026/3/1", date(2026, 3, 1)),
        ("2024-02-29", date(2024, 2, 29)),
        ("0001-01-01", date(1, 1, 1)),
        ("0000-01-01", None),
        ("2026-02-29", None),
        ("2026-13-01", None),
        ("99999-01-01", None),
        ("去年", None),
        ("", None),
    ],
)
def test_days_as_typed(text, day):
    assert periods.read_day(text) == day


def test_midnight_is_that_of_china():
    assert periods.midnight(date(1970, 1, 1)) == -8 * 3600
    assert periods.midnight(date(2026, 11, 21)) - periods.midnight(date(2026, 11, 20)) == 86_400
    assert periods.midnight(date.min) < periods.midnight(date.max)
