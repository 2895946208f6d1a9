"""Spans of time as a reader chooses them, and as the index holds them: years, months, days."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

from market.core.languages import N_

WINDOWS = {
    "30d": (N_("近 30 天"), 30),
    "90d": (N_("近 90 天"), 90),
    "365d": (N_("近一年"), 365),
}
YEARS_SHOWN = 8  # calendar years offered, the present one first
_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_YEAR = re.compile(r"[12]\d{3}")
_CHINA = 8 * 3600  # seconds that China's clock is ahead of UTC
_EPOCH = date(1970, 1, 1).toordinal()


def read_day(text: str) -> date | None:
    """A day as typed, `2026-03-01`; None where there is no such day (a year 0, a 31st of April)."""
    match = _DAY.fullmatch(text)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def midnight(day: date) -> int:
    """The second, counted from 1970 in UTC, at which a day begins in China."""
    return (day.toordinal() - _EPOCH) * 86_400 - _CHINA


def is_known(value: str) -> bool:
    """Whether a value of the filter `date` means a time."""
    return value in WINDOWS or _YEAR.fullmatch(value) is not None


def offered(today: date, chosen: Iterable[str] = ()) -> list[str]:
    """The values to choose from: the last days, then calendar years, the present one first."""
    years = [str(today.year - back) for back in range(YEARS_SHOWN)]
    others = sorted((one for one in chosen if _YEAR.fullmatch(one)), reverse=True)
    return list(dict.fromkeys([*WINDOWS, *years, *others]))


def covering(value: str, today: date) -> list[str]:
    """The fewest years, months and days of the index that together are a value, none twice.

    Args:
        value: of the filter `date`; one that means nothing is covered by nothing.
        today: the last day of a window; 「近 30 天」 is today and the 29 days before.
    """
    if value not in WINDOWS:
        return [value] if is_known(value) else []
    found = []
    day = today - timedelta(days=WINDOWS[value][1] - 1)
    while day <= today:
        following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        if day.day == 1 and following <= today + timedelta(days=1):
            found.append(day.isoformat()[:7])
            day = following
        else:
            found.append(day.isoformat())
            day += timedelta(days=1)
    return found
