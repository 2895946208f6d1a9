"""What a scheme gives for facts: pure functions, whole fen, a trace line for every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from market.vouchers.facts import Facts, Outcome, Part, Reason
from market.vouchers.sheet import Sheet

Content = Mapping[str, Any] | Sheet


def compute(content: Content, facts: Facts) -> Outcome:
    """What a claim (or an order's estimate) gets by a scheme. content: as stored, or read already."""
    raise NotImplementedError


def eligibility(content: Content, facts: Facts) -> list[Reason]:
    """What refuses, leaves open or warns, each in a sentence with its source."""
    raise NotImplementedError


def award(content: Content, volume_fen: int, used_year_fen: int = 0) -> Outcome:
    """What a provider is awarded for a volume of redeemed services."""
    raise NotImplementedError


def split(content: Content, amount_fen: int) -> list[Part]:
    """What each payer bears of an exact amount; the parts add up to the fen."""
    raise NotImplementedError


def pro_rata(amounts: Sequence[int], budget_fen: int) -> list[int]:
    """Amounts cut to a budget in proportion; adds up to the budget where it does not suffice."""
    raise NotImplementedError
