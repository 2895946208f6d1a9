"""Money divided among payers, so that the parts add up to the fen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from market.vouchers.facts import Part
from market.vouchers.sheet import Payer, Sheet


def divide(amount_fen: int, shares: Sequence[tuple[int, int]]) -> list[int]:
    """An amount by shares (numerator, denominator) that sum to 1.

    Each gets its share down to the fen; the fen left over go to the largest remainders, the
    earlier one first.
    """
    parts = [amount_fen * up // down for up, down in shares]
    left = amount_fen - sum(parts)
    over = [Fraction(amount_fen * up % down, down) for up, down in shares]
    order = sorted(range(len(shares)), key=lambda one: (-over[one], one))
    for one in order[:left]:
        parts[one] += 1
    return parts


def parts_of(
    sheet: Sheet,
    fen: int | None,
    most: bool,
    cost_fen: int | None,
    used: Mapping[str, int],
) -> list[Part]:
    """What each payer bears; where a share is open, only the most it can be."""
    payers = sheet.payers
    if not payers or fen is None:
        return []
    shares = [one.share for one in payers if one.share is not None]
    if len(shares) == len(payers):
        amounts = divide(fen, [(one.numerator, one.denominator) for one in shares])
        return [
            Part(one.payer, one.label, None if most else part, part if most else None, one.share)
            for one, part in zip(payers, amounts, strict=True)
        ]
    return [
        Part(one.payer, one.label, None, _most(one, fen, cost_fen, used.get(one.payer, 0)))
        for one in payers
    ]


def _most(payer: Payer, fen: int, cost_fen: int | None, used_fen: int) -> int:
    bounds = [fen]
    if payer.share_max_bp is not None:
        bounds.append(fen * payer.share_max_bp // 10_000)
    if payer.rate_max_bp is not None and cost_fen is not None:
        bounds.append(cost_fen * payer.rate_max_bp // 10_000)
    if payer.cap_year_fen is not None:
        bounds.append(max(payer.cap_year_fen - used_fen, 0))
    return min(bounds)


def top_ups_of(sheet: Sheet, fen: int | None, most: bool) -> list[Part]:
    """What others add on top of an amount, by ratio; without an amount where the ratio is open."""
    found = []
    for one in sheet.top_ups:
        part = None
        if fen is not None and one.ratio is not None:
            part = fen * one.ratio.numerator // one.ratio.denominator
        found.append(
            Part(one.payer, one.label, None if most else part, part if most else None, one.ratio)
        )
    return found
