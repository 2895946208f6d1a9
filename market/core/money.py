"""Money is whole fen. Reading what people type, and writing it back in yuan."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from market.core.languages import N_, is_english, translate

FEN_PER_YUAN = 100
HIGHEST_FEN = 10**15  # ten trillion yuan: above this it is a typing slip
_UNITS = {
    "": 1,
    "千": 10**3,
    "万": 10**4,
    "w": 10**4,
    "十万": 10**5,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
}
_AMOUNT = re.compile(
    r"(?:人民币|RMB|CNY|¥)?([+-]?)(\d+(?:,\d{3})*(?:\.\d+)?)(\D*?)(?:元(?:整|正)?)?(?:人民币)?",
    re.IGNORECASE,
)
_SHOWN = re.compile(r"([\d,.]+) (万元|元)")
_ENTRY = re.compile(r"入门费 (.+) \+ 提成")


class NotMoney(ValueError):
    """The text is not an amount of money; the message says why, to follow the quoted text."""


@lru_cache(1_000)
def parse_yuan(text: str) -> int:
    """Fen of an amount as people type it: `120000`, `12万`, `¥1,200.50`, full-width digits.

    Raises:
        NotMoney: no amount, below zero, parts of a fen, or beyond any real sum.
    """
    folded = unicodedata.normalize("NFKC", text).replace(" ", "").replace("，", ",")
    match = _AMOUNT.fullmatch(folded)
    if match is None or match[3].lower() not in _UNITS:
        raise NotMoney(N_("不是金额"))
    if match[1] == "-":
        raise NotMoney(N_("是负数"))
    fen = Decimal(match[2].replace(",", "")) * _UNITS[match[3].lower()] * FEN_PER_YUAN
    if fen > HIGHEST_FEN:
        raise NotMoney(N_("大得不合情理，请核对单位"))
    if fen != fen.to_integral_value():
        raise NotMoney(N_("小数太多，最多写到分"))
    return int(fen)


def format_yuan(fen: int) -> str:
    """Plain yuan for a file or an input: `120000`, `1200.50`; no separators."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    yuan, rest = divmod(fen, FEN_PER_YUAN)
    return f"{sign}{yuan}.{rest:02d}" if rest else f"{sign}{yuan}"


def yuan_number(fen: int) -> int | float:
    """An amount in yuan as a number, for cells that are added up: 120000 or 1200.5."""
    yuan, rest = divmod(fen, FEN_PER_YUAN)
    return fen / FEN_PER_YUAN if rest else yuan


@lru_cache(1_000)
def show_yuan(fen: int) -> str:
    """An amount for reading: `12 万元`, `3.5 万元`, `1,200.50 元`. Exact, never rounded."""
    wan = Decimal(fen) / (10_000 * FEN_PER_YUAN)
    if abs(fen) >= 10_000 * FEN_PER_YUAN and wan == wan.quantize(Decimal("0.01")):
        digits = f"{wan:,.2f}".rstrip("0").rstrip(".")
        return f"{digits} 万元"
    yuan, rest = divmod(abs(fen), FEN_PER_YUAN)
    sign = "-" if fen < 0 else ""
    return f"{sign}{yuan:,}.{rest:02d} 元" if rest else f"{sign}{yuan:,} 元"


def price(text: str) -> str:
    """A price in words, as the index keeps it, in the language of the page.

    `12 万元` → 120,000 yuan, also in ranges and beside a royalty; `面议` by its translation.
    """
    if not is_english():
        return text
    if entry := _ENTRY.fullmatch(text):
        return translate("入门费 %(amount)s + 提成", amount=price(entry[1]))
    amounts = [
        Decimal(digits.replace(",", "")) * (10_000 if unit == "万元" else 1)
        for digits, unit in _SHOWN.findall(text)
    ]
    return " – ".join(
        f"{amount:,.2f}".removesuffix(".00") + " yuan" for amount in amounts
    ) or translate(text)
