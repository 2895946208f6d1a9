"""Telephone numbers, what is doubtful, what a draft is called: plain functions."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Collection
from datetime import datetime, timedelta

from market.core.text import clean_line, fold

MOST_OPEN = 3  # cases of one telephone that are open at once without a doubt
LEAST_SECONDS = 4  # from opening the form to sending it; nobody fills six fields faster
LONGEST_TITLE = 60  # characters of a title made from what the caller said

# Numbering plan: mobile numbers have eleven digits (1[3-9]…); landlines an area code (010, 02x,
# else four digits) and seven or eight digits, with an extension perhaps; 400 numbers ten digits.
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"(0(?:10|2\d)|0[3-9]\d{2})(\d{7,8})")
_SERVICE = re.compile(r"400\d{7}")
_EXTENSION = re.compile(r"(?:转|分机号?|ext\.?|x|#|[,，])[:：]?(\d{1,6})$")
_DASHED_EXTENSION = re.compile(r"(0\d{2,3}-\d{7,8})-(\d{1,6})$")
_LINK = re.compile(
    r"https?:|www\.|[a-z0-9][a-z0-9-]+\.(?:com|cn|net|org|top|xyz|vip|cc|ru|info|shop|site)\b"
    r"|\[url|<a\s|t\.me/",
    re.IGNORECASE,
)
_HAN = re.compile("[\u3400-\u9fff]")


class NotATelephone(ValueError):
    """Nobody can be rung up at this; says why: "letters", "area" (code missing) or "length"."""


def read_telephone(text: str) -> str:
    """A telephone number in one form: `13800001234`, `028-38160000`, `028-38160000转805`.

    Raises:
        NotATelephone: other signs, too few or too many digits, a landline without its area code.
    """
    folded = unicodedata.normalize("NFKC", clean_line(text)).casefold()
    compact = re.sub(r"[\s.()]+", "", folded)
    compact = re.sub(r"[‐-―−–—]", "-", compact)
    compact, abroad = re.subn(r"^(?:\+|00)86-?", "", compact)
    compact, extension = _without_extension(compact)
    digits = compact.replace("-", "")
    if not digits.isascii() or not digits.isdecimal():
        raise NotATelephone("letters")
    if not extension and (_MOBILE.fullmatch(digits) or _SERVICE.fullmatch(digits)):
        return digits
    landline = _LANDLINE.fullmatch(f"0{digits}" if abroad and digits[0] != "0" else digits)
    if landline:
        number = f"{landline[1]}-{landline[2]}"
        return f"{number}转{extension}" if extension else number
    raise NotATelephone("area" if 7 <= len(digits) <= 8 else "length")


def _without_extension(text: str) -> tuple[str, str]:
    """The number, and its extension or ""."""
    dashed = _DASHED_EXTENSION.search(text)
    if dashed:
        return dashed[1], dashed[2]
    found = _EXTENSION.search(text)
    return (text[: found.start()], found[1]) if found else (text, "")


def is_mobile(telephone: str) -> bool:
    """Whether a number in the form of `read_telephone` receives short messages."""
    return bool(_MOBILE.fullmatch(telephone))


def line_of(telephone: str) -> str:
    """The number without its extension: what tells one caller from another."""
    return telephone.partition("转")[0]


def masked_telephone(telephone: str) -> str:
    """138****1234; of a landline the area code and the last two digits."""
    if "-" in telephone:
        area, number = line_of(telephone).split("-")
        return f"{area}-{'*' * (len(number) - 2)}{number[-2:]}"
    return f"{telephone[:3]}****{telephone[-4:]}"


def masked_name(name: str) -> str:
    """张*"""
    return f"{name[:1]}*"


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


RECEIPT_KEPT = timedelta(days=30)
NETWORK_KEPT = timedelta(days=2)
PEOPLE_KEPT = timedelta(days=180)  # of cases that were not taken up
