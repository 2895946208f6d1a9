"""A scheme tried on examples before it is in force, and on past cases: what each would get.

Pure: past cases come as facts from whoever keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from market.core.money import show_yuan
from market.vouchers.codes import APPLICANTS, ROSTERS, SIZES
from market.vouchers.facts import Facts, Firm, Item, Outcome
from market.vouchers.rules import compute
from market.vouchers.sheet import Content, Sheet, settled

# Costs that people try: below and above usual bands, and one that reaches usual caps.
COSTS_FEN = (800_000, 1_800_000, 6_000_000, 100_000_000)
MOST_SERVICES = 8


@dataclass(frozen=True)
class Case:
    """An example or a past case. paid_fen: what it got then, for comparing."""

    label: str
    facts: Facts
    paid_fen: int | None = None


@dataclass(frozen=True)
class Tried:
    """What a case would get. words: the result for reading; differs: other than it got then."""

    case: Case
    outcome: Outcome
    words: str
    differs: bool


def preview(content: Content, cases: Iterable[Case]) -> list[Tried]:
    """Each case by this content, exactly as a claim would be calculated."""
    sheet = settled(content)
    tried = []
    for case in cases:
        outcome = compute(sheet, case.facts)
        differs = case.paid_fen is not None and case.paid_fen != outcome.amount_fen
        tried.append(Tried(case, outcome, result_words(outcome), differs))
    return tried


def result_words(outcome: Outcome) -> str:
    """The result in a few words: the amount, 最高 …, both readings, 待定 or 不予兑付."""
    if not outcome.eligible:
        return "不予兑付"
    if outcome.alternatives:
        shown = [
            f"{_bound(one.amount_fen, one.ceiling_fen)}（{one.label}）"
            for one in outcome.alternatives
        ]
        return " 或 ".join(shown) + "，读法待定"
    return _bound(outcome.amount_fen, outcome.ceiling_fen)


def _bound(amount_fen: int | None, ceiling_fen: int | None) -> str:
    if amount_fen is not None:
        return show_yuan(amount_fen)
    return "待定" if ceiling_fen is None else f"最高 {show_yuan(ceiling_fen)}"


def examples(content: Content, day: date) -> list[Case]:
    """Cases made for a sheet: a firm that fits for each service and cost, and some that do not fit."""
    sheet = settled(content)
    firm = fitting_firm(sheet, day)
    base = Facts(day=day, firm=firm, stage="order")
    cases = [
        Case(f"{service.label}，{show_yuan(cost)}", replace(base, items=[Item(service.code, cost, 1)]))
        for service in sheet.services[:MOST_SERVICES]
        for cost in COSTS_FEN
    ]  # fmt: skip
    if not sheet.services:
        return cases
    one = replace(base, items=[Item(sheet.services[0].code, COSTS_FEN[1], 1)])
    cases += [Case(label, replace(one, firm=other)) for label, other in _misfits(sheet, firm, day)]
    for code in sheet.exclusions[:1]:
        item = replace(one.items[0], exclusions=frozenset({code}))
        cases.append(Case("不予支持的服务", replace(one, items=[item])))
    for code in sheet.related_tests[:1]:
        cases.append(Case("企业与服务机构有关联", replace(one, relations=frozenset({code}))))
    return cases


def fitting_firm(sheet: Sheet, day: date) -> Firm:
    """A firm that meets what the sheet asks of applicants."""
    kind = sheet.applicant_kinds[0] if sheet.applicant_kinds else "enterprise"
    return Firm(
        kind=kind,
        size=sheet.applicant_sizes[0] if sheet.applicant_sizes else "small",
        rosters={one: frozenset({day.year, day.year - 1}) for one in sheet.applicant_rosters[:1]},
        region_codes=tuple(sheet.applicant_regions[:1]) or (sheet.owner_region or "",),
        revenue_fen=0,
        clean_record=True,
        no_accident=True,
        core_members=sheet.team_min_core,
        incubated=True,
    )


def _misfits(sheet: Sheet, firm: Firm, day: date) -> Sequence[tuple[str, Firm]]:
    found: list[tuple[str, Firm]] = [("在停止申领资格期间的企业", replace(firm, barred_until=day))]
    if sheet.applicant_rosters:
        names = "、".join(ROSTERS[one] for one in sheet.applicant_rosters)
        found.append((f"不在名单上的企业（{names}）", replace(firm, rosters={})))
    for label, codes, name in (
        ("规模", SIZES, "applicant_sizes"),
        ("类型", APPLICANTS, "applicant_kinds"),
    ):
        asked = getattr(sheet, name)
        other = next((code for code in codes if code not in asked), None)
        if asked and other:
            changed = (
                replace(firm, size=other)
                if name == "applicant_sizes"
                else replace(firm, kind=other)
            )
            found.append((f"{label}不符：{codes[other]}", changed))
    if sheet.applicant_regions:
        found.append(("外地企业", replace(firm, region_codes=("000000",))))
    return found
