"""The clock of a notice, the fingerprint of its content, what counts as a sender: plain functions."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from market.core import calendar
from market.core.clock import SHANGHAI
from market.core.languages import N_
from market.core.limits import Limit
from market.notices.models import MOST_DAYS, UNITS

# 促进科技成果转化法 art. 18 with 国发〔2016〕16号, 山东 art. 14, 浙江 arts. 17 and 39: 15 days for prices
# and rewards. Of the other kinds no text gives a number that holds everywhere.
SHORTEST = {"price": 15, "reward": 15}
CONTACT_KEPT = timedelta(days=180)  # after the answer (Personal Information Protection Law art. 19)
RECEIPT_OPENS = timedelta(days=180)

# A whole office may sit behind one network address, so that limit is wider.
BY_NETWORK = Limit("objection.network", 10, timedelta(hours=1))
BY_SENDER = Limit("objection.sender", 5, timedelta(days=1))

_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0\d{2,3}-?[2-8]\d{6,7}(?:(?:转|-)\d{1,6})?")


@dataclass(frozen=True)
class RuleSet:
    """How days are counted.

    Args:
        first: days from the day the notice starts to the first day that counts.
        moves: whether a last day on which nobody works moves to the next working day.
        source: the text that says so.
    """

    code: str
    label: str
    first: int
    moves: bool
    source: str


_RULE_SETS = (
    RuleSet(
        "civil_code",
        N_("开始的次日为第一日；最后一日休假的，顺延到下一个工作日"),
        1,
        True,
        "民法典第二百零一条、第二百零三条",
    ),
    RuleSet(
        "first_day_counts",
        N_("开始当日为第一日；最后一日休假的，不顺延"),
        0,
        False,
        "所依据的办法另有规定",
    ),
)
RULE_SETS: dict[str, RuleSet] = {one.code: one for one in _RULE_SETS}


@dataclass(frozen=True)
class Period:
    """The first and last day that count; `provisional` when it rests on unannounced holidays."""

    first: date
    last: date
    provisional: bool


def period(
    start: date, days: int, unit: str, rule: RuleSet, overrides: Mapping[date, bool] | None = None
) -> Period:
    """The period of a notice that starts on `start` and runs for `days` days.

    Raises:
        ValueError: that is no period.
    """
    if not 1 <= days <= MOST_DAYS or unit not in UNITS:
        raise ValueError(f"{days} {unit} days are not the period of a notice")
    eve = start + timedelta(days=rule.first - 1)
    if unit == "working":
        first = calendar.add_working_days(eve, 1, overrides)
        last = calendar.add_working_days(eve, days, overrides)
        return Period(first.day, last.day, last.provisional)
    last_day = eve + timedelta(days=days)
    if not rule.moves:
        return Period(eve + timedelta(days=1), last_day, False)
    moved = calendar.add_working_days(last_day - timedelta(days=1), 1, overrides)
    return Period(eve + timedelta(days=1), moved.day, moved.provisional)


def looks_ahead(days: int) -> timedelta:
    """How far after its start a period can reach: for looking up entered days."""
    return timedelta(days=days * 3 + 60)


def end_of(last: date) -> datetime:
    """The moment at which a notice is over: 24:00 of its last day in China (民法典 art. 203)."""
    following = last + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=SHANGHAI).astimezone(UTC)


def days_left(
    today: date, last: date, unit: str, overrides: Mapping[date, bool] | None = None
) -> int:
    """Days that remain after today, in the notice's own unit; 0 on its last day."""
    if today >= last:
        return 0
    if unit == "working":
        return calendar.working_days_between(today, last, overrides)
    return (last - today).days


def canonical(value: Any) -> str:
    """JSON in one form only: keys sorted, no blanks, characters as they are."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def fingerprint(frozen: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of what a notice says, in UTF-8."""
    return hashlib.sha256(canonical(frozen).encode()).hexdigest()


def network_of(address: str) -> str:
    """What counts as one network: of IPv6 the first 64 bits (RFC 4291), else the address."""
    with suppress(ValueError):
        found = ip_address(address)
        if found.version == 6:
            return str(ip_network((int(found) >> 64 << 64, 64)))
    return address


def telephone_of(text: str) -> str | None:
    """A telephone number in one form; None when it is none."""
    plain = re.sub(r"[\s\u3000]", "", text).replace("－", "-")
    digits = re.sub(r"^(?:\+?86|0086)-?", "", plain).replace("-", "")
    if _MOBILE.fullmatch(digits):
        return digits
    return plain if _LANDLINE.fullmatch(plain) else None


def possible_outcomes(objections: int, upheld: int) -> tuple[str, ...]:
    """The outcomes that agree with the answers given: who upheld an objection cannot say "none"."""
    if upheld:
        return ("upheld",)
    if objections:
        return ("dismissed",)
    # On paper, or where the notice hung elsewhere, there may have been some that are not here.
    return ("none", "dismissed", "upheld")
