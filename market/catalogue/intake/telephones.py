"""Telephone numbers and names of callers: read, compared, masked."""

from __future__ import annotations

import re
import unicodedata

from market.core.text import clean_line

# Numbering plan: mobile numbers have eleven digits (1[3-9]…); landlines an area code (010, 02x,
# else four digits) and seven or eight digits, with an extension perhaps; 400 numbers ten digits.
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"(0(?:10|2\d)|0[3-9]\d{2})(\d{7,8})")
_SERVICE = re.compile(r"400\d{7}")
_EXTENSION = re.compile(r"(?:转|分机号?|ext\.?|x|#|[,，])[:：]?(\d{1,6})$")
_DASHED_EXTENSION = re.compile(r"(0\d{2,3}-\d{7,8})-(\d{1,6})$")


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
    # No local number begins with 0 or 1: that is a mobile or an area code cut off.
    local = 7 <= len(digits) <= 8 and digits[0] not in "01"
    raise NotATelephone("area" if local else "length")


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
