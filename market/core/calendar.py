"""Chinese working days: the official holiday notices plus rows that an office enters.

Source: the State Council's yearly holiday notices, as data of the chinesecalendar package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar

LONGEST_PERIOD = 3660  # days; no legal period is longer than ten years


@dataclass(frozen=True)
class DueDate:
    """A date, and whether it rests on holidays that are not announced yet."""

    day: date
    provisional: bool


def _is_working_day(day: date, overrides: Mapping[date, bool]) -> tuple[bool, bool]:
    """Whether people work on `day`, and whether that is only a guess from the weekday."""
    if day in overrides:
        return overrides[day], False
    try:
        return chinese_calendar.is_workday(day), False
    except NotImplementedError:  # the notice for that year is not out yet
        return day.weekday() < 5, True


def is_announced(year: int) -> bool:
    """Whether the State Council's holiday notice for a year is in the data."""
    try:
        chinese_calendar.is_workday(date(year, 12, 31))
    except NotImplementedError:
        return False
    return True


def is_working_day(day: date, overrides: Mapping[date, bool] | None = None) -> bool:
    """Whether `day` is a working day in China; `overrides` wins over the official calendar."""
    return _is_working_day(day, overrides or {})[0]


def add_working_days(
    start: date, count: int, overrides: Mapping[date, bool] | None = None
) -> DueDate:
    """The last day of a period of `count` working days that begins the day after `start`.

    Raises:
        ValueError: `count` is negative or longer than ten years.
    """
    if not 0 <= count <= LONGEST_PERIOD:
        raise ValueError(f"a period of {count} days is not a legal period")
    day, provisional, left = start, False, count
    while left:
        day += timedelta(days=1)
        works, guessed = _is_working_day(day, overrides or {})
        provisional = provisional or guessed
        left -= works
    return DueDate(day, provisional)


def add_natural_days(start: date, count: int) -> DueDate:
    """The last day of a period of `count` natural days that begins the day after `start`."""
    if not 0 <= count <= LONGEST_PERIOD:
        raise ValueError(f"a period of {count} days is not a legal period")
    return DueDate(start + timedelta(days=count), False)


def working_days_between(
    start: date, end: date, overrides: Mapping[date, bool] | None = None
) -> int:
    """Working days after `start` up to and including `end`; negative when `end` is earlier."""
    if end < start:
        return -working_days_between(end, start, overrides)
    days = (start + timedelta(days=n + 1) for n in range((end - start).days))
    return sum(is_working_day(day, overrides) for day in days)
