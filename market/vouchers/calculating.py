"""The amount of a claim by one reading of a sheet, step by step, each step a line of the trace.

Σ per item of (Σ per band of the cost within it × rate), then the lowest of all limits; rounded as
the sheet says, to the fen and downwards where it says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from market.core.money import show_yuan
from market.vouchers.codes import PAYERS, ROUNDING_UNITS, SIZES, UNIT_FEN
from market.vouchers.eligible import item_refusal, show_bp
from market.vouchers.facts import Facts, Item, Line, Part
from market.vouchers.sharing import parts_of, top_ups_of
from market.vouchers.sheet import Service, Sheet

WHOLE_BP = 10_000


@dataclass
class Sums:
    """An amount on its way. fen: None when it cannot be told; most: it is a ceiling."""

    fen: int | None = 0
    most: bool = False
    trace: list[Line] = field(default_factory=list)
    parts: Sequence[Part] = ()
    top_ups: Sequence[Part] = ()

    @property
    def exact(self) -> int | None:
        return None if self.most else self.fen

    @property
    def ceiling(self) -> int | None:
        return self.fen if self.most else None

    def add(self, label: str, formula: str, fen: int | None, most: bool | None = None) -> None:
        """A line of the trace."""
        self.trace.append(Line(label, formula, fen, self.most if most is None else most))


def calculate(sheet: Sheet, facts: Facts) -> Sums:
    sums = Sums()
    if not facts.items:
        return Sums(None)
    caps_left = {one.code: one.cap_fen for one in sheet.services if one.cap_fen is not None}
    for number, item in enumerate(facts.items, start=1):
        fen, most = _item(sheet, facts, item, caps_left, sums, number)
        sums.fen = None if fen is None or sums.fen is None else sums.fen + fen
        sums.most = sums.most or most
    if sums.fen is not None and not _limited(sheet, facts):
        sums.add("上限", "办法没有写上限（待定），不计算金额", None, False)
        sums.fen = None
    if sums.fen is None:
        sums.most = False
        return sums
    if len(facts.items) > 1:
        sums.add("各项合计", f"{len(facts.items)} 项相加", sums.fen)
    for label, words, limit, certain in _limits(sheet, facts):
        sums.most = sums.most or not certain
        if limit < sums.fen:
            sums.fen = limit
            sums.add(label, words, limit)
    _finish(sheet, facts, sums)
    cost = sum(one.cost_fen for one in facts.items)
    sums.parts = parts_of(sheet, sums.fen, sums.most, cost, facts.payer_used_fen)
    sums.top_ups = top_ups_of(sheet, sums.fen, sums.most)
    for part in (*sums.parts, *sums.top_ups):
        bound = part.ceiling_fen if part.amount_fen is None else part.amount_fen
        words = f"{part.share} 的份额" if part.share is not None else "份额待定"
        label = "另由" if part in sums.top_ups else "其中"
        sums.add(
            f"{label}{part.label or PAYERS.get(part.payer, part.payer)}",
            words,
            bound,
            part.ceiling_fen is not None,
        )
    return sums


def _limited(sheet: Sheet, facts: Facts) -> bool:
    """Whether a cap on this firm is known, or that there is none."""
    caps = (
        sheet.cap_claim_fen,
        sheet.cap_total_fen,
        sheet.cap_provider_year_fen,
        *(one.cap_fen for one in sheet.services),
    )
    known = any(one is not None for one in caps) or any(year_caps(sheet, facts))
    return known or bool(sheet.uncapped)


def _finish(sheet: Sheet, facts: Facts, sums: Sums) -> None:
    """Cut pro rata, and leave no more than whole units."""
    assert sums.fen is not None
    if sheet.exhaustion == "pro_rata" and facts.cut_bp is None:
        sums.most = True
        sums.add("预算不足时", "按比例核减，比例待定", sums.fen)
    elif facts.cut_bp is not None:
        if facts.asked_fen is not None and facts.asked_fen < sums.fen:
            sums.fen = facts.asked_fen
            sums.add("申请金额", "以申请兑付的金额为限", sums.fen)
        sums.fen = sums.fen * facts.cut_bp // WHOLE_BP
        sums.add("按比例核减", f"按 {show_bp(facts.cut_bp)} 拨付", sums.fen)
    unit = UNIT_FEN[sheet.rounding_unit or "fen"]
    if sums.fen % unit:
        sums.fen -= sums.fen % unit
        sums.add("取整", f"上限内舍去不足 {show_yuan(unit)} 的尾数", sums.fen)
    sums.add("最高补助" if sums.most else "补助金额", "以上各步的结果", sums.fen)


def _item(
    sheet: Sheet,
    facts: Facts,
    item: Item,
    caps_left: dict[str, int],
    sums: Sums,
    number: int,
) -> tuple[int | None, bool]:
    """What an item gets, and whether that is a ceiling; lines go to the trace."""
    service = sheet.service(item.service)
    name = f"{number}. {service.label if service else item.service}"
    if refusal := item_refusal(sheet, item.service, item.exclusions):
        sums.add(name, f"{show_yuan(item.cost_fen)}：{refusal}", 0, False)
        return 0, False
    parts, numerator, most = _rated(service, item, facts) if service else ("", None, False)
    if service is None or numerator is None:
        sums.add(name, parts or "办法没有写补助比例（待定），不计算金额", None, False)
        return None, False
    fen = min(rounded(sheet, numerator), item.cost_fen)
    sums.add(name, parts + _rounding_words(sheet, numerator), fen, most)
    if service.unit_cap_fen is not None:
        if item.units is None:
            most = True
            sums.add(f"{name}：单位上限", f"每{service.unit}最高 {show_yuan(service.unit_cap_fen)}，数量待填", fen, True)  # fmt: skip
        elif (limit := service.unit_cap_fen * item.units) < fen:
            fen = limit
            words = f"每{service.unit}最高 {show_yuan(service.unit_cap_fen)} × {item.units}"
            sums.add(f"{name}：单位上限", words, fen, most)
    left = caps_left.get(service.code)
    if left is not None:
        if left < fen:
            fen = left
            sums.add(
                f"{name}：单项上限", f"这项服务最高 {show_yuan(service.cap_fen or 0)}", fen, most
            )
        caps_left[service.code] = left - fen
    return fen, most


def _rated(service: Service, item: Item, facts: Facts) -> tuple[str, int | None, bool]:
    """Formula in words, fen × 10,000 (None: open), whether it is a ceiling."""
    cost = item.cost_fen
    if not service.bands:
        points, most = rate_of(service.code, service.rate_bp, service.rate_max_bp, facts)
        if points is None:
            return "", None, False
        words = f"{show_yuan(cost)} × {'最高 ' if most else ''}{show_bp(points)}"
        return words, cost * points, most
    rates = [
        rate_of(f"{service.code}:{number}", band.rate_bp, band.rate_max_bp, facts)
        for number, band in enumerate(service.bands, start=1)
    ]
    if any(points is None for points, _ in rates):
        return "有一档没有写补助比例（待定），不计算金额", None, False
    if service.band_mode is None and len(service.bands) > 1:
        return "办法没有写明分段累计还是全额按档（待定），不计算金额", None, False
    terms: list[str] = []
    numerator, most, low = 0, False, 0
    for band, (points, ceiling) in zip(service.bands, rates, strict=True):
        high = cost if band.upto_fen is None else min(band.upto_fen, cost)
        inside = max(high - low, 0)
        if service.band_mode == "whole":
            inside = cost if low <= high == cost and not terms else 0
        if inside:
            most = most or ceiling
            terms.append(
                f"{show_yuan(inside)} × {'最高 ' if ceiling else ''}{show_bp(points or 0)}"
            )
            numerator += inside * (points or 0)
        low = high
    return " + ".join(terms) or show_yuan(0), numerator, most


def _rounding_words(sheet: Sheet, numerator: int) -> str:
    """What rounding did, where it did anything."""
    unit = sheet.rounding_unit or "fen"
    if numerator % (UNIT_FEN[unit] * WHOLE_BP) == 0:
        return ""
    if sheet.rounding_mode == "half_up":
        return f"，四舍五入到{ROUNDING_UNITS[unit]}"
    return f"，不足 1 {ROUNDING_UNITS[unit]}舍去" if unit != "hundred" else "，不足百元舍去"


def rate_of(key: str, exact: int | None, most: int | None, facts: Facts) -> tuple[int | None, bool]:
    """The rate that counts and whether it is a ceiling: exact, decided for the batch, or "up to".

    Args:
        key: the service's code; for a band of it with its number behind a colon (`testing:2`).
    """
    if exact is not None:
        return exact, False
    decided = facts.decided.get(key)
    if decided is not None and most is not None and 0 <= decided <= most:
        return decided, False
    return most, most is not None


def rounded(sheet: Sheet, numerator: int) -> int:
    """fen × 10,000 as fen, to the sheet's unit; downwards to the fen where it says nothing."""
    step = UNIT_FEN[sheet.rounding_unit or "fen"] * WHOLE_BP
    if sheet.rounding_mode == "half_up":
        numerator += step // 2
    return numerator // step * UNIT_FEN[sheet.rounding_unit or "fen"]


def _limits(sheet: Sheet, facts: Facts) -> Iterator[tuple[str, str, int, bool]]:
    """Label, words, what is left of it, and whether it is certain that it is the one that counts."""

    def left(most: int, used: int) -> int:
        return max(most - used, 0)

    def so_far(most: int, used: int) -> str:
        return f"{show_yuan(most)}，已用 {show_yuan(used)}"

    if sheet.cap_claim_fen is not None:
        yield (
            "单次兑付上限",
            f"每次最高 {show_yuan(sheet.cap_claim_fen)}",
            sheet.cap_claim_fen,
            True,
        )
    for label, most, certain in year_caps(sheet, facts):
        used = facts.used_year_fen
        yield label, so_far(most, used), left(most, used), certain
    if (most_ever := sheet.cap_total_fen) is not None:
        used = facts.used_total_fen
        yield "累计上限", so_far(most_ever, used), left(most_ever, used), True
    if (of_provider := sheet.cap_provider_year_fen) is not None:
        used = facts.provider_used_year_fen
        yield "服务机构年度上限", so_far(of_provider, used), left(of_provider, used), True
    if facts.voucher_left_fen is not None:
        yield "创新券余额", "以券面余额为限", max(facts.voucher_left_fen, 0), True
    if facts.reserved_fen is not None:
        yield "已占用额度", "以为这笔占用的额度为限", max(facts.reserved_fen, 0), True
    elif facts.budget_left_fen is not None:
        yield "可用额度", "以年度预算的可用额度为限", max(facts.budget_left_fen, 0), True


def year_caps(sheet: Sheet, facts: Facts) -> Iterator[tuple[str, int, bool]]:
    """Label, amount and certainty of each cap of a year that holds for this firm."""
    if sheet.cap_year_fen is not None:
        yield "年度上限", sheet.cap_year_fen, True
    if (by_kind := sheet.cap_year_by_kind.get(facts.firm.kind)) is not None:
        yield "年度上限", by_kind, True
    sizes = sheet.cap_year_by_size
    if not sizes or facts.firm.kind != "enterprise":
        return
    if (size := facts.firm.size) is None:
        yield "年度上限（企业规模待填）", max(sizes.values()), False
    elif size in sizes:
        yield f"{SIZES[size]}企业年度上限", sizes[size], True
