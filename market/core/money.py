"""Money is whole fen. Reading what people type, and writing it back in yuan."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

FEN_PER_YUAN = 100
HIGHEST_FEN = 10**15  # ten trillion yuan: above this it is a typing slip
_UNITS = {"": 1, "元": 1, "千": 10**3, "千元": 10**3, "万": 10**4, "万元": 10**4, "百万": 10**6}
_UNITS |= {"百万元": 10**6, "亿": 10**8, "亿元": 10**8}
_AMOUNT = re.compile(r"(?:人民币|RMB|CNY|¥)?(\d+(?:,\d{3})*(?:\.\d+)?)(\D*)", re.IGNORECASE)


class NotMoney(ValueError):
    """The text is not an amount of money."""


def parse_yuan(text: str) -> int:
    """Fen of an amount as people type it: `120000`, `12万`, `¥1,200.50`, full-width digits.

    Raises:
        NotMoney: no amount, more than two decimals of a yuan, or beyond any real sum.
    """
    folded = unicodedata.normalize("NFKC", text).replace(" ", "").replace("，", ",")
    match = _AMOUNT.fullmatch(folded)
    if match is None or match[2] not in _UNITS:
        raise NotMoney(text)
    fen = Decimal(match[1].replace(",", "")) * _UNITS[match[2]] * FEN_PER_YUAN
    if fen != fen.to_integral_value() or fen > HIGHEST_FEN:
        raise NotMoney(text)
    return int(fen)


def format_yuan(fen: int) -> str:
    """Plain yuan for a file or an input: `120000`, `1200.50`; no separators."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    yuan, rest = divmod(fen, FEN_PER_YUAN)
    return f"{sign}{yuan}.{rest:02d}" if rest else f"{sign}{yuan}"


def show_yuan(fen: int) -> str:
    """An amount for reading: `12 万元`, `3.5 万元`, `1,200.50 元`. Exact, never rounded."""
    wan = Decimal(fen) / (10_000 * FEN_PER_YUAN)
    if abs(fen) >= 10_000 * FEN_PER_YUAN and wan == wan.quantize(Decimal("0.01")):
        digits = f"{wan:,.2f}".rstrip("0").rstrip(".")
        return f"{digits} 万元"
    yuan, rest = divmod(abs(fen), FEN_PER_YUAN)
    sign = "-" if fen < 0 else ""
    return f"{sign}{yuan:,}.{rest:02d} 元" if rest else f"{sign}{yuan:,} 元"
