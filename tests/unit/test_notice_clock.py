"""The clock of a notice against an independent count, day by day, over all announced years."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.core import calendar
from market.notices import rules
from market.notices.rules import RULE_SETS, end_of, period

FIRST, LAST = date(2018, 1, 1), date(2026, 12, 31)
EVERY = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
# Whether people work, asked once of the package, not of our own calendar.
WORKS = {day: chinese_calendar.is_workday(day) for day in EVERY}


def slow(start, days, unit, rule, changed):
    """Walk the calendar one day at a time, putting a mark on each day that counts."""

    def works(day):
        return changed.get(day, WORKS[day])

    marks, day = [], start if rule == "first_day_counts" else start + timedelta(days=1)
    while len(marks) < days:
        if unit == "natural" or works(day):
            marks.append(day)
        day += timedelta(days=1)
    last = marks[-1]
    if rule == "civil_code":
        while not works(last):  # a last day on which nobody works is none
            last += timedelta(days=1)
    return marks[0], last


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(
    start=st.dates(FIRST, date(2026, 10, 1)),
    days=st.integers(1, 40),
    unit=st.sampled_from(("natural", "working")),
    rule=st.sampled_from(tuple(RULE_SETS)),
    flips=st.lists(st.integers(0, 60), max_size=3),
)
def test_clock_equals_a_slow_count(start, days, unit, rule, flips):
    changed = {start + timedelta(days=n): not WORKS[start + timedelta(days=n)] for n in flips}
    found = period(start, days, unit, RULE_SETS[rule], changed)
    assert (found.first, found.last) == slow(start, days, unit, rule, changed)
    assert not found.provisional
    left = rules.days_left(start, found.last, unit, changed)
    between = [start + timedelta(days=n + 1) for n in range((found.last - start).days)]
    assert left == sum(unit == "natural" or changed.get(one, WORKS[one]) for one in between)


@pytest.mark.parametrize(
    ("start", "days", "unit", "rule", "last"),
    [
        # 荣成: 27 April to 6 May are ten natural days with the first one counted.
        (date(2021, 4, 27), 10, "natural", "first_day_counts", date(2021, 5, 6)),
        # 15 natural days from 16 September 2026 end on 1 October, a holiday: 8 October is worked.
        (date(2026, 9, 16), 15, "natural", "civil_code", date(2026, 10, 8)),
        # A Saturday that is worked in exchange counts: 10 October 2026.
        (date(2026, 9, 30), 3, "working", "civil_code", date(2026, 10, 10)),
        # Started on a day of rest, with the first day counted: the first working day is the first.
        (date(2026, 10, 4), 1, "working", "first_day_counts", date(2026, 10, 8)),
    ],
)
def test_known_periods(start, days, unit, rule, last):
    assert period(start, days, unit, RULE_SETS[rule]).last == last


def test_an_end_in_an_unannounced_year_is_provisional():
    year = next(one for one in range(2026, 2100) if not calendar.is_announced(one))
    eve = date(year - 1, 12, 28)
    assert period(eve, 15, "working", RULE_SETS["civil_code"]).provisional
    assert period(eve, 15, "natural", RULE_SETS["civil_code"]).provisional
    assert not period(eve, 15, "natural", RULE_SETS["first_day_counts"]).provisional
    assert not period(eve - timedelta(days=40), 15, "working", RULE_SETS["civil_code"]).provisional


def test_a_notice_ends_at_midnight_in_china():
    assert end_of(date(2026, 3, 17)) == datetime(2026, 3, 17, 16, tzinfo=UTC)


@pytest.mark.parametrize("days", [0, -1, 366])
def test_no_period(days):
    with pytest.raises(ValueError, match="period of a notice"):
        period(FIRST, days, "natural", RULE_SETS["civil_code"])


def test_the_fingerprint_depends_on_every_word_and_on_the_order_of_fields():
    said = {"title": "甲", "content": [["名称", "一"], ["价格", "二"]]}
    same = {"content": [["名称", "一"], ["价格", "二"]], "title": "甲"}
    turned = {"title": "甲", "content": [["价格", "二"], ["名称", "一"]]}
    assert rules.fingerprint(said) == rules.fingerprint(same) != rules.fingerprint(turned)
    assert rules.canonical(same) == '{"content":[["名称","一"],["价格","二"]],"title":"甲"}'
