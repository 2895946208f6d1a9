"""What is doubtful, how long things are kept, what a draft is called: plain functions."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection
from datetime import datetime, timedelta

from market.core.text import clean_line, fold

MOST_OPEN = 3  # cases of one telephone that are open at once without a doubt
LEAST_SECONDS = 4  # from opening the form to sending it; nobody fills six fields faster
RECEIPT_KEPT = timedelta(days=30)
# The shortest time needed (个人信息保护法 art. 19); the form and the privacy page name the terms.
NETWORK_KEPT = timedelta(days=2)
PEOPLE_KEPT = timedelta(days=180)  # of cases that were not taken up
LONGEST_TITLE = 60  # characters of a title made from what the caller said

_LINK = re.compile(
    r"https?:|www\.|[a-z0-9][a-z0-9-]+\.(?:com|cn|net|org|top|xyz|vip|cc|ru|info|shop|site)\b"
    r"|\[url|<a\s|t\.me/",
    re.IGNORECASE,
)
_HAN = re.compile("[\u3400-\u9fff]")


def text_key(problem: str) -> str:
    """By which the same text is found again, however it is spaced."""
    return hashlib.sha256(fold(problem).encode()).hexdigest()


def doubts(
    texts: Collection[str],
    *,
    seconds: float | None,
    trapped: bool,
    repeated: bool,
    open_cases: int,
) -> list[str]:
    """Why a demand from the open form is looked at before anybody rings; codes of `DOUBTS`.

    Args:
        texts: what the visitor wrote; seconds: from opening the form, None when that is unknown.
        trapped: a field that nobody sees was filled in.
        repeated: the same text came lately; open_cases: of this telephone.
    """
    found = {
        "link": any(_LINK.search(text) for text in texts),
        "repeated": repeated,
        "foreign": not any(_HAN.search(text) for text in texts),
        "many": open_cases > MOST_OPEN,
        "trap": trapped,
        "fast": seconds is None or seconds < LEAST_SECONDS,
    }
    return [code for code, so in found.items() if so]


def stamp(moment: datetime, key: str) -> str:
    """When a form was opened, signed."""
    text = str(int(moment.timestamp()))
    return f"{text}.{_signature(text, key)}"


def seconds_since(stamped: str, now: datetime, key: str) -> float | None:
    """Seconds since a form was opened; None when the stamp is not ours."""
    text, _, signature = stamped.partition(".")
    genuine = hmac.compare_digest(signature.encode(), _signature(text, key).encode())
    return now.timestamp() - int(text) if genuine and text.isdecimal() else None


def _signature(text: str, key: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:24]


def title_of(product: str, problem: str) -> str:
    """A first title for the draft: the product and the first clause of the problem."""
    clause = clean_line(re.split(r"[。！？；!?;\n]", problem.strip(), maxsplit=1)[0])
    said = clause if fold(product) in fold(clause) else f"{product}：{clause}"
    return said if len(said) <= LONGEST_TITLE else said[: LONGEST_TITLE - 1] + "…"
