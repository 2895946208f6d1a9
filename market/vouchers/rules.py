"""What a scheme gives for facts: pure functions, whole fen, a trace line for every step.

An amount is exact only where the sheet is exact or an office decided what it left open; where it
says "up to", there is a ceiling (最高); where a rate or every cap is missing, there is neither.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta

from market.core.money import show_yuan
from market.vouchers.calculating import Sums, calculate, rounded, year_caps
from market.vouchers.eligible import check, show_bp, source_of
from market.vouchers.facts import OPEN, REFUSE, Alternative, Facts, Line, Outcome, Part, Reason
from market.vouchers.sharing import divide, parts_of
from market.vouchers.sheet import Content, Sheet, choose, settled, ways


def compute(content: Content, facts: Facts) -> Outcome:
    """What a claim (or an order's estimate) gets by a scheme.

    Args:
        content: as stored, or read already.
    """
    sheet = settled(content)
    reasons = check(sheet, facts) + _decisions(sheet, facts)
    if any(one.weight == REFUSE for one in reasons):
        lines = [Line("不予兑付", one.words, 0) for one in reasons if one.weight == REFUSE]
        return Outcome(False, 0, None, reasons=reasons, trace=lines)
    found = [(choices, calculate(choose(sheet, choices), facts)) for choices in ways(sheet)]
    telling = _telling(sheet, found)
    if not telling:
        sums = found[0][1]
        return Outcome(
            True, sums.exact, sums.ceiling, (), reasons, sums.trace, sums.parts, sums.top_ups
        )
    others = _alternatives(sheet, found, telling)
    bounds = [one.ceiling_fen if one.amount_fen is None else one.amount_fen for one in others]
    known = [one for one in bounds if one is not None]
    reasons += [
        Reason("reading", OPEN, f"读法待定：{one.question}", one.source)
        for one in sheet.readings
        if one.code in telling
    ]
    trace = [
        Line(f"「{one.label}」{line.label}", line.formula, line.amount_fen, line.most)
        for one in others
        for line in one.trace
    ]
    ceiling = max(known) if len(known) == len(bounds) else None
    return Outcome(True, None, ceiling, others, reasons, trace)


def eligibility(content: Content, facts: Facts) -> list[Reason]:
    """What refuses, leaves open or warns, each in a sentence with its source."""
    return check(settled(content), facts)


def _telling(sheet: Sheet, found: Sequence[tuple[dict[str, str], Sums]]) -> list[str]:
    """The questions whose answer changes the result."""
    results = {tuple(sorted(choices.items())): (s.fen, s.most) for choices, s in found}
    telling = []
    for reading in sheet.readings:
        by_rest: dict[tuple[tuple[str, str], ...], set[tuple[int | None, bool]]] = {}
        for choices, result in results.items():
            rest = tuple(pair for pair in choices if pair[0] != reading.code)
            by_rest.setdefault(rest, set()).add(result)
        if any(len(one) > 1 for one in by_rest.values()):
            telling.append(reading.code)
    return telling


def _alternatives(
    sheet: Sheet, found: Sequence[tuple[dict[str, str], Sums]], telling: Sequence[str]
) -> list[Alternative]:
    labels = {(r.code, o.code): o.label for r in sheet.readings for o in r.options}
    made: dict[tuple[str, ...], Alternative] = {}
    for choices, sums in found:
        key = tuple(choices[code] for code in telling)
        if key not in made:
            label = "，".join(labels[code, choices[code]] for code in telling)
            only = {code: choices[code] for code in telling}
            made[key] = Alternative(label, sums.exact, sums.ceiling, only, sums.trace)
    return list(made.values())


def _decisions(sheet: Sheet, facts: Facts) -> list[Reason]:
    """Rates decided for a batch must keep to the sheet's "up to"."""
    most = {one.code: one.rate_max_bp for one in sheet.services}
    for one in sheet.services:
        most |= {f"{one.code}:{n}": band.rate_max_bp for n, band in enumerate(one.bands, start=1)}
    found = []
    for code, points in facts.decided.items():
        highest = most.get(code)
        if highest is not None and not 0 <= points <= highest:
            words = (
                f"审定的比例 {show_bp(points)} 高于办法的最高比例 {show_bp(highest)}，没有采用。"
            )
            found.append(Reason("decided_rate", OPEN, words, source_of(sheet, "services")))
    return found


def voucher_limit(
    content: Content, facts: Facts, held_fen: int = 0, issued_year_fen: int = 0
) -> Outcome:
    """The most that a firm may apply for now; no amount where no cap on vouchers is known.

    Args:
        facts: of an application; the budget counts where vouchers reserve it.
        held_fen: unused vouchers that it holds.
        issued_year_fen: vouchers issued to it this year.
    """
    sheet = settled(content)
    reasons = check(sheet, facts)
    if any(one.weight == REFUSE for one in reasons):
        lines = [Line("不能申领", one.words, 0) for one in reasons if one.weight == REFUSE]
        return Outcome(False, 0, reasons=reasons, trace=lines)
    limits = []
    if sheet.cap_apply_fen is not None:
        limits.append(("单次申领上限", "每次最高", sheet.cap_apply_fen, 0))
    if sheet.cap_held_fen is not None:
        limits.append(("持有上限", "未使用的券合计最高", sheet.cap_held_fen, held_fen))
    for label, most, _ in year_caps(sheet, facts):
        limits.append((label, "每年最高", most, issued_year_fen))
    if facts.budget_left_fen is not None and sheet.reserve_at == "issue":
        limits.append(("可用额度", "年度预算还有", facts.budget_left_fen, 0))
    trace = [
        Line(label, f"{words} {show_yuan(most)}，已有 {show_yuan(used)}", max(most - used, 0))
        for label, words, most, used in limits
    ]
    least = min((line.amount_fen for line in trace if line.amount_fen is not None), default=None)
    trace.append(Line("可申领额度", "以上各项中最低的", least))
    return Outcome(True, least, reasons=reasons, trace=trace)


def award(
    content: Content, volume_fen: int, used_year_fen: int = 0, decided_bp: int | None = None
) -> Outcome:
    """What a provider is awarded for a volume of redeemed services.

    Args:
        used_year_fen: what it was awarded this year already.
        decided_bp: the rate that an office decided, where the sheet says "up to".
    """
    sheet = settled(content)
    terms = sheet.award
    if terms is None:
        return Outcome(False, 0, trace=[Line("服务机构奖励", "办法没有规定奖励", 0)])
    points = terms.rate_max_bp if terms.rate_bp is None else terms.rate_bp
    if points is None:
        return Outcome(True, trace=[Line("服务机构奖励", "办法没有写奖励比例（待定），不计算金额")])
    most = terms.rate_bp is None
    if most and decided_bp is not None and 0 <= decided_bp <= points:
        points, most = decided_bp, False
    fen = rounded(sheet, volume_fen * points)
    words = f"{show_yuan(volume_fen)} × {'最高 ' if most else ''}{show_bp(points)}"
    trace = [Line("服务机构奖励", words, fen, most)]
    if terms.cap_year_fen is not None and fen > max(terms.cap_year_fen - used_year_fen, 0):
        fen = max(terms.cap_year_fen - used_year_fen, 0)
        limit = f"{show_yuan(terms.cap_year_fen)}，已用 {show_yuan(used_year_fen)}"
        trace.append(Line("奖励年度上限", limit, fen, most))
    return Outcome(True, None if most else fen, fen if most else None, trace=trace)


def split(content: Content, amount_fen: int) -> list[Part]:
    """What each payer bears of an exact amount; the parts add up to the fen.

    Empty where the sheet names no payers; without amounts where their shares are open.
    """
    return parts_of(settled(content), amount_fen, False, None, {})


def pro_rata(amounts: Sequence[int], budget_fen: int) -> list[int]:
    """Amounts cut to a budget in proportion, never above any of them; to the fen."""
    total = sum(amounts)
    if total <= budget_fen:
        return list(amounts)
    return divide(max(budget_fen, 0), [(one, total) for one in amounts])


def voucher_ends(content: Content, start: date) -> date | None:
    """The last day of a voucher whose clock starts on a day; None where the sheet does not say.

    The day of the start does not count (民法典第二百零一条); a month without such a day ends it.
    """
    sheet = settled(content)
    ends = [date(start.year, 12, 31)] if sheet.void_at_year_end else []
    length, unit = sheet.validity_length, sheet.validity_unit
    if length is not None and unit == "day":
        ends.append(start + timedelta(days=length))
    elif length is not None and unit in {"month", "year"}:
        months = start.month - 1 + length * (12 if unit == "year" else 1)
        year, month = start.year + months // 12, months % 12 + 1
        ends.append(date(year, month, min(start.day, monthrange(year, month)[1])))
    return min(ends, default=None)
