"""Terms, limits and masking of inquiries: plain functions."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from market.core.languages import translate as _
from market.core.languages import translate_plural
from market.core.limits import Limit

TARGET_DAYS = 3  # working days in which an owner should answer
ADDRESS_OPENS = timedelta(days=30)  # a visitor's page, since the last word of the other side
REOPENED_WITHIN = timedelta(days=90)
COUNTED = timedelta(days=365)  # answers that make an owner's usual time
FEWEST_CASES = 3  # below this an owner's usual time says nothing
CONTACT_KEPT = timedelta(days=180)  # after the end (Personal Information Protection Law art. 19)
BLOCKED = timedelta(days=90)  # how long a removed inquiry counts against its sender
MOST_REMOVED = 3  # removed inquiries of one sender, anywhere, after which no more are taken
SAME_AGAIN = timedelta(minutes=10)  # in which the same words are one message sent twice

# A whole office may sit behind one network address, so that limit is wider.
BY_NETWORK = Limit("inquiry.network", 10, timedelta(hours=1))
BY_SENDER = Limit("inquiry.sender", 5, timedelta(days=1))
BY_MEMBER = Limit("inquiry.member", 60, timedelta(days=1))
MESSAGES = Limit("inquiry.message", 20, timedelta(hours=1))

MOBILE = re.compile(r"1[3-9]\d{9}")
LANDLINE = re.compile(r"0\d{2,3}-?[2-8]\d{6,7}(?:(?:转|-)\d{1,6})?")
EMAIL = re.compile(r"[^\s@<>,;:\"'()]{1,64}@[\w-]+(?:\.[\w-]+)+")


def network_of(address: str) -> str:
    """What counts as one network: of IPv6 the first 64 bits (RFC 4291), else the address."""
    with suppress(ValueError):
        found = ip_address(address)
        if found.version == 6:
            return str(ip_network((int(found) >> 64 << 64, 64)))
    return address


def reachable(text: str) -> str | None:
    """A telephone number or an e-mail address in one form; None when it is neither."""
    plain = re.sub(r"[\s\u3000]", "", text).replace("－", "-").replace("＠", "@")
    digits = re.sub(r"^(?:\+?86|0086)-?", "", plain).replace("-", "")
    if MOBILE.fullmatch(digits):
        return digits
    if LANDLINE.fullmatch(plain):
        return plain
    return plain.lower() if len(plain) <= 100 and EMAIL.fullmatch(plain) else None


def minutes_between(asked: datetime, answered: datetime) -> int:
    """Whole minutes that the asker waited, by the clock (nights and weekends included)."""
    return max(0, int((answered - asked).total_seconds() // 60))


def usual_time(minutes: int) -> str:
    """A median in words, rounded up: 1 小时, 5 小时, 2 天."""
    hours = max(1, -(-minutes // 60))
    if hours <= 24:
        return translate_plural("%(num)s 小时", "%(num)s 小时", hours)
    return _("%(n)s 天", n=-(-hours // 24))
