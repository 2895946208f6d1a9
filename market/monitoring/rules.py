"""Rules of desks, without a database: ages, remaining days, who covers a place, messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from market.core.calendar import add_working_days, is_working_day
from market.core.languages import N_
from market.core.messages import MessageKind

SOON = 3  # working days within which a case counts as 即将到期
UNDO = timedelta(minutes=10)
AGES = (("0", "3 天内", 0, 3), ("4", "4 至 10 天", 4, 10), ("11", "11 天以上", 11, None))

ASSIGNED = MessageKind(
    "desk.assigned",
    N_("同事把一件事分配给您"),
    N_("分配给您：%(title)s"),
    N_("%(by)s把「%(title)s」（%(no)s）分配给您办理。下一步：%(next)s。"),
)
REMINDED = MessageKind(
    "desk.reminded",
    N_("主管部门提醒您办理"),
    N_("请尽快办理：%(title)s"),
    N_("%(by)s提醒：「%(title)s」（%(no)s）还在等您办理。下一步：%(next)s。"),
)


@dataclass(frozen=True)
class Term:
    """How a due date stands: its words, and "late", "soon" or ""."""

    words: str
    tone: str


def last_soon_day(today: date, overrides: Mapping[date, bool]) -> date:
    """The last day that counts as 即将到期."""
    return add_working_days(today, SOON, overrides).day


def terms(dues: Iterable[date], today: date, overrides: Mapping[date, bool]) -> dict[date, Term]:
    """Words for each due date; walks the calendar once for all of them."""
    wanted = set(dues)
    found: dict[date, Term] = {}
    day, left = today, 0
    while day <= max(wanted, default=today):
        if day > today:
            left += is_working_day(day, overrides)
        if day in wanted:
            words = "今天到期" if day == today else f"剩余 {left} 个工作日"
            found[day] = Term(words, "soon" if left <= SOON else "")
        day += timedelta(days=1)
    day, late = today, 0
    while day > min(wanted, default=today):
        late += is_working_day(day, overrides)
        day -= timedelta(days=1)
        if day in wanted:
            found[day] = Term(f"已逾期 {late} 个工作日", "late")
    return found


def covers(office: str, place: str | None) -> bool:
    """Whether an office of region `office` looks after a case that lies at `place`."""
    return place is not None and place.startswith(office)


def week_of(day: date) -> tuple[date, date]:
    """Monday and Sunday of the week of a day."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)
