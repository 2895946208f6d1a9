"""How a message reads, what tells one from another, and when sending is tried again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from market.core.clock import SHANGHAI, local
from market.core.languages import in_language
from market.core.text import clean_line, without_controls

LONGEST_SUBJECT = 200  # characters
LONGEST_TEXT = 4000
LONGEST_SMS = 300  # characters; longer ones are cut into many parts and paid for each
# After a failure; the last one is followed by giving up.
PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
    timedelta(hours=24),
)
DIGEST_HOUR = 8
_NAME = re.compile(r"%%|%\((\w+)\)s")
_MOBILE = re.compile(r"1\d{10}")


@dataclass(frozen=True)
class Content:
    """What one delivery says. `stop`: where just this is stopped; "" where its kind is."""

    subject: str
    text: str
    url: str
    stop: str = ""

    def packed(self) -> str:
        """As one text, for sealing."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def unpacked(cls, packed: str) -> Content:
        """What `packed` wrote."""
        return cls(**json.loads(packed))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in for `%(name)s`; a name without a value stays as written."""
    if "%(" not in text:
        return text

    def put(found: re.Match[str]) -> str:
        return "%" if found[0] == "%%" else values.get(found[1], found[0])

    return _NAME.sub(put, text)


def render(subject: str, text: str, values: Mapping[str, str], language: str) -> tuple[str, str]:
    """Subject and text of a kind in a language: "zh" or "en"; the Chinese is the key.

    A value that is one of the site's own words (a state, a role) is said in that language too.
    """
    values = {name: in_language(value, language) for name, value in values.items()}
    said = fill(in_language(subject, language), values)
    told = fill(in_language(text, language), values)
    return clean_line(said)[:LONGEST_SUBJECT], without_controls(told).strip()[:LONGEST_TEXT]


def key(*parts: object) -> str:
    """The key of a delivery: the same parts give the same."""
    return hashlib.sha256(json.dumps([str(one) for one in parts]).encode()).hexdigest()


def event_key(event: str) -> str:
    """An event's word as it is kept: long ones as their hash."""
    return event if len(event) <= 64 else hashlib.sha256(event.encode()).hexdigest()


def channel_of(contact: str) -> str | None:
    """How a contact is reached; None for a telephone that takes no SMS."""
    if "@" in contact:
        return "mail"
    return "sms" if _MOBILE.fullmatch(contact.removeprefix("+86")) else None


def sms_text(site: str, text: str, language: str, link: str = "") -> str:
    """A text as one SMS, with the signature that carriers ask for.

    Args:
        link: an address without which the message is of no use; it is never cut.
    """
    sign = f"[{site}] " if language == "en" else f"【{site}】"
    end = f" {link}" if link else ""
    return (sign + " ".join(text.split()))[: LONGEST_SMS - len(end)] + end


def pause_after(tries: int) -> timedelta | None:
    """How long to wait after so many tries; None: give up."""
    return PAUSES[tries - 1] if tries <= len(PAUSES) else None


def digest_day(moment: datetime) -> date:
    """The day whose morning mail carries what was told at this moment."""
    return local(moment).date() + timedelta(days=1)


def digest_moment(day: date) -> datetime:
    """When the morning mail of a day goes out."""
    return datetime.combine(day, time(DIGEST_HOUR), SHANGHAI)
