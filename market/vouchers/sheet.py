"""A scheme's content in types: what `content.load` made, read for calculating.

A value of None is open: the rule sheet does not say, or was not read so far.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from fractions import Fraction
from itertools import product
from typing import Any


@dataclass(frozen=True)
class Band:
    """A part of the cost up to an amount (None: without end) and its rate."""

    upto_fen: int | None = None
    rate_bp: int | None = None
    rate_max_bp: int | None = None


@dataclass(frozen=True)
class Service:
    """A service of the catalogue. rate_bp: exact; rate_max_bp: the sheet says "up to"."""

    code: str
    label: str
    rate_bp: int | None = None
    rate_max_bp: int | None = None
    bands: tuple[Band, ...] = ()
    band_mode: str | None = None
    cap_fen: int | None = None
    unit_cap_fen: int | None = None
    unit: str = ""
    source: str = ""


@dataclass(frozen=True)
class Payer:
    """Who bears the money. share: exact part; share_max_bp: at most; rate_max_bp: of the cost."""

    payer: str
    label: str = ""
    share: Fraction | None = None
    share_max_bp: int | None = None
    rate_max_bp: int | None = None
    cap_year_fen: int | None = None


@dataclass(frozen=True)
class TopUp:
    """What another payer adds on top, as a ratio of the amount."""

    payer: str
    label: str = ""
    ratio: Fraction | None = None


@dataclass(frozen=True)
class Award:
    """What a provider gets beside the price, of the volume it was redeemed with."""

    rate_bp: int | None = None
    rate_max_bp: int | None = None
    cap_year_fen: int | None = None
    words: str = ""


@dataclass(frozen=True)
class Option:
    """One way to read a passage: what it sets in the scheme, or in its services."""

    code: str
    label: str
    sets: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """A passage that can be read in several ways. chosen: the office's option, None until then."""

    code: str
    question: str
    options: tuple[Option, ...]
    chosen: str | None = None
    source: str = ""


@dataclass(frozen=True)
class Window:
    """Days of each year, as (month, day), both included; may lead over the year's end."""

    opens: tuple[int, int]
    closes: tuple[int, int]


@dataclass(frozen=True)
class Step:
    """A level of the review chain."""

    level: str
    label: str = ""
    days: int | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Sheet:
    """Everything that a scheme's content says. Names as in `content.SchemeSchema`."""

    title: str = ""
    owner_region: str | None = None
    level: str | None = None
    document: str | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    budget_total_fen: int | None = None
    budget_by_year: Mapping[int, int] = field(default_factory=dict)
    budget_public: bool | None = None
    exhaustion: str | None = None
    reserve_at: str | None = None
    claims_without_voucher: bool | None = None
    payer_model: str | None = None
    applicant_kinds: tuple[str, ...] = ()
    applicant_regions: tuple[str, ...] = ()
    applicant_rosters: tuple[str, ...] = ()
    roster_year: str | None = None
    applicant_sizes: tuple[str, ...] = ()
    revenue_max_fen: int | None = None
    clean_record: bool | None = None
    no_accident: bool | None = None
    conditions: str | None = None
    team_min_core: int | None = None
    team_incubated: bool | None = None
    services: tuple[Service, ...] = ()
    uncapped: bool | None = None
    cap_apply_fen: int | None = None
    cap_claim_fen: int | None = None
    cap_held_fen: int | None = None
    cap_year_fen: int | None = None
    cap_year_by_size: Mapping[str, int] = field(default_factory=dict)
    cap_year_by_kind: Mapping[str, int] = field(default_factory=dict)
    cap_total_fen: int | None = None
    cap_provider_year_fen: int | None = None
    cap_scope: str = "scheme"
    lifetime_once: bool | None = None
    once_per_provider_per_year: bool | None = None
    reapply: bool | None = None
    validity_length: int | None = None
    validity_unit: str | None = None
    validity_starts: str | None = None
    void_at_year_end: bool | None = None
    auto_reclaim: bool | None = None
    award: Award | None = None
    payers: tuple[Payer, ...] = ()
    top_ups: tuple[TopUp, ...] = ()
    exclusions: tuple[str, ...] = ()
    related_tests: tuple[str, ...] = ()
    apply_windows: tuple[Window, ...] = ()
    claim_windows: tuple[Window, ...] = ()
    invoice_from: date | None = None
    invoice_to: date | None = None
    invoice_year: str | None = None
    contract_done_by: tuple[int, int] | None = None
    evidence: tuple[str, ...] | None = None
    review_chain: tuple[Step, ...] | None = None
    notice_days: int | None = None
    notice_unit: str | None = None
    random_check_bp: int | None = None
    rhythm: str | None = None
    unused_threshold_bp: int | None = None
    unused_effect: str | None = None
    bar_years: int | None = None
    recovery_interest: bool | None = None
    credit_record: bool | None = None
    rounding_unit: str | None = None
    rounding_mode: str | None = None
    readings: tuple[Reading, ...] = ()
    sources: tuple[Mapping[str, Any], ...] = ()
    gaps: tuple[str, ...] = ()

    def service(self, code: str) -> Service | None:
        """The service of a code."""
        return next((one for one in self.services if one.code == code), None)


Content = Mapping[str, Any] | Sheet
_NAMES = tuple(one.name for one in fields(Sheet))
_DATES = {"effective_from", "effective_to", "invoice_from", "invoice_to"}
_SERVICE_FIELDS = {"rate_bp", "rate_max_bp", "bands", "band_mode", "cap_fen", "unit_cap_fen"}


def read(content: Mapping[str, Any]) -> Sheet:
    """The typed form of a stored content (JSON); what it lacks is open."""
    values: dict[str, Any] = {}
    for name in _NAMES:
        if (value := content.get(name)) is not None:
            values[name] = _typed(name, value)
    return Sheet(**values)


def _typed(name: str, value: Any) -> Any:
    if name in _DATES:
        return date.fromisoformat(value)
    if name == "contract_done_by":
        return _month_day(value)
    if name == "budget_by_year":
        return {int(row["year"]): row["amount_fen"] for row in value}
    if name == "award":
        return Award(**_given(value))
    if name in _ROWS:
        return tuple(_ROWS[name](row) for row in value)
    return tuple(value) if isinstance(value, list) else value


def _given(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not None}


def _month_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)


def _service(row: Mapping[str, Any]) -> Service:
    values = _given(row)
    if "bands" in values:
        values["bands"] = tuple(Band(**_given(band)) for band in values["bands"])
    return Service(**values)


def _payer(row: Mapping[str, Any]) -> Payer:
    values = _given(row)
    if "share" in values:
        values["share"] = Fraction(values["share"])
    return Payer(**values)


def _top_up(row: Mapping[str, Any]) -> TopUp:
    values = _given(row)
    if "ratio" in values:
        values["ratio"] = Fraction(values["ratio"])
    return TopUp(**values)


def _reading(row: Mapping[str, Any]) -> Reading:
    values = _given(row)
    return Reading(**values | {"options": tuple(Option(**_given(o)) for o in row["options"])})


def _window(row: Mapping[str, Any]) -> Window:
    return Window(_month_day(row["opens"]), _month_day(row["closes"]))


_ROWS = {
    "services": _service,
    "payers": _payer,
    "top_ups": _top_up,
    "readings": _reading,
    "apply_windows": _window,
    "claim_windows": _window,
    "review_chain": lambda row: Step(**_given(row)),
}


def choose(sheet: Sheet, choices: Mapping[str, str]) -> Sheet:
    """The scheme as read in one way. choices: question → option; others stay as they are."""
    if not choices:
        return sheet
    values = {name: getattr(sheet, name) for name in _NAMES}
    for reading in sheet.readings:
        code = choices.get(reading.code)
        option = next((one for one in reading.options if one.code == code), None)
        for name, value in (option.sets if option else {}).items():
            if name in _SERVICE_FIELDS:
                values["services"] = tuple(
                    _with(service, name, value) for service in values["services"]
                )
            else:
                values[name] = _typed(name, value)
    return Sheet(**values)


def settled(content: Content) -> Sheet:
    """The sheet, as the office chose to read it where it chose."""
    sheet = content if isinstance(content, Sheet) else read(content)
    return choose(sheet, {one.code: one.chosen for one in sheet.readings if one.chosen})


def _with(service: Service, name: str, value: Any) -> Service:
    values = {one.name: getattr(service, one.name) for one in fields(Service)}
    return Service(**values | {name: value})


def ways(sheet: Sheet) -> Iterator[dict[str, str]]:
    """Every way to read the scheme, where the office's choices stand; one, if nothing is open."""
    options = [
        [reading.chosen] if reading.chosen else [one.code for one in reading.options]
        for reading in sheet.readings
    ]
    for codes in product(*options):
        yield {
            reading.code: code for reading, code in zip(sheet.readings, codes, strict=True) if code
        }
