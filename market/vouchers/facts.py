"""What a calculation needs to know, and what it finds. Money is whole fen, rates are basis points.

Everything that is not known is None; a rule that would need it says so instead of guessing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from fractions import Fraction
from typing import Any

REFUSE, OPEN, WARN = "refuse", "open", "warn"


@dataclass(frozen=True)
class Firm:
    """Who applies or claims.

    kind: a code of `codes.APPLICANTS`; size: of `codes.SIZES`.
    rosters: kind of list → years in which it stands on it.
    region_codes: from the province down to its own region.
    barred_until: last day of a bar.
    unused_bp: share of last year's vouchers that lapsed.
    """

    kind: str = "enterprise"
    name: str = ""
    size: str | None = None
    rosters: Mapping[str, frozenset[int]] = field(default_factory=dict)
    region_codes: Sequence[str] = ()
    revenue_fen: int | None = None
    clean_record: bool | None = None
    no_accident: bool | None = None
    core_members: int | None = None
    incubated: bool | None = None
    barred_until: date | None = None
    unused_bp: int | None = None


@dataclass(frozen=True)
class Item:
    """A service that was bought. units: persons, samples …, where a cap counts by them.

    exclusions: codes of `codes.EXCLUSIONS` that hold for it.
    """

    service: str
    cost_fen: int
    units: int | None = None
    exclusions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Invoice:
    """An invoice that is claimed with. red: it was red-lettered or voided."""

    number: str
    day: date
    amount_fen: int
    code: str = ""
    currency: str = "CNY"
    red: bool = False


@dataclass(frozen=True)
class Facts:
    """One claim, or what is known of it when a firm applies or orders.

    stage: apply, order or claim; what belongs to a later stage is not asked yet.
    day: of the claim. year: whose caps and budget count, that of `day` when not given.
    voucher_left_fen: what the firm's vouchers are still worth; None without voucher.
    voucher_ends: last day of the voucher. done_on: when the service was finished.
    reserved_fen: what is held of the budget for this claim already; then the budget is not asked.
    used_year_fen: approved or claimed by the firm this year, within the scheme's `cap_scope`.
    payer_used_fen: payer → what it paid for the firm this year.
    decided: service code → rate that an office decided for the batch, where a sheet says "up to";
        for a band of a service its number stands behind a colon (`testing:2`).
    asked_fen: what the firm asks for; it bounds the amount before a cut.
    cut_bp: share of the amount that is paid where the budget is shared pro rata (10000: all).
    relations: codes of `codes.RELATIONS` that hold between firm and provider.
    """

    day: date
    stage: str = "claim"
    items: Sequence[Item] = ()
    firm: Firm = field(default_factory=Firm)
    year: int | None = None
    invoices: Sequence[Invoice] | None = None
    evidence: frozenset[str] | None = None
    voucher_left_fen: int | None = None
    voucher_ends: date | None = None
    done_on: date | None = None
    reserved_fen: int | None = None
    budget_left_fen: int | None = None
    used_year_fen: int = 0
    used_total_fen: int = 0
    provider_used_year_fen: int = 0
    payer_used_fen: Mapping[str, int] = field(default_factory=dict)
    decided: Mapping[str, int] = field(default_factory=dict)
    asked_fen: int | None = None
    cut_bp: int | None = None
    relations: frozenset[str] = frozenset()
    claims_before: int = 0
    claims_with_provider_this_year: int = 0


@dataclass(frozen=True)
class Reason:
    """Why something is refused, unclear or to be looked at. weight: REFUSE, OPEN or WARN."""

    code: str
    weight: str
    words: str
    source: str = ""


@dataclass(frozen=True)
class Line:
    """A line of the trace: what it is, the formula in words, and the amount after it.

    most: the amount is the most there can be (最高), not what will be paid.
    """

    label: str
    formula: str
    amount_fen: int | None = None
    most: bool = False


@dataclass(frozen=True)
class Part:
    """What one payer bears. amount and ceiling as in an Outcome."""

    payer: str
    label: str
    amount_fen: int | None = None
    ceiling_fen: int | None = None
    share: Fraction | None = None


@dataclass(frozen=True)
class Alternative:
    """What a reading of the sheet gives. choices: question → option."""

    label: str
    amount_fen: int | None
    ceiling_fen: int | None
    choices: Mapping[str, str]
    trace: Sequence[Line] = ()


@dataclass(frozen=True)
class Outcome:
    """What a scheme gives for facts.

    amount_fen: exact, or None; ceiling_fen: the most there can be (最高), or None.
    alternatives: one for each reading, where they differ and no office has chosen.
    """

    eligible: bool
    amount_fen: int | None = None
    ceiling_fen: int | None = None
    alternatives: Sequence[Alternative] = ()
    reasons: Sequence[Reason] = ()
    trace: Sequence[Line] = ()
    parts: Sequence[Part] = ()
    top_ups: Sequence[Part] = ()


def as_json(value: Any) -> Any:
    """An outcome (or a part of it) as plain JSON, as it is kept with a claim."""
    if is_dataclass(value):
        return {one.name: as_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(one) for one in value]
    return str(value) if isinstance(value, (Fraction, date)) else value
