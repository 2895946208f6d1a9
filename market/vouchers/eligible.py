"""Whether a firm may use a scheme for what it bought: reasons in sentences, with their source.

What the sheet leaves open is not asked. What it asks and nobody knows of the firm is OPEN: neither
refused nor taken for granted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from market.core.money import show_yuan
from market.vouchers.codes import (
    APPLICANTS,
    EVIDENCE,
    EXCLUSIONS,
    RELATIONS,
    ROSTERS,
    SIZES,
)
from market.vouchers.facts import OPEN, REFUSE, WARN, Facts, Reason
from market.vouchers.sheet import Sheet, Window

Check = Callable[[Sheet, Facts], Iterator[Reason]]


def source_of(sheet: Sheet, *names: str) -> str:
    """Where the sheet's fields come from, in words; empty for what an office wrote itself."""
    found = [
        one["words"]
        for one in sheet.sources
        if not names or set(names) & set(one.get("fields", ()))
    ]
    return "；".join(dict.fromkeys(found))


def _labels(codes: Sequence[str], labels: dict[str, str]) -> str:
    return "、".join(labels.get(code, code) for code in codes)


def _applicant(sheet: Sheet, facts: Facts) -> Iterator[Reason]:
    firm = facts.firm
    kinds, sizes, regions = sheet.applicant_kinds, sheet.applicant_sizes, sheet.applicant_regions
    if kinds and firm.kind not in kinds:
        yield Reason(
            "kind", REFUSE,
            f"{_labels([firm.kind], APPLICANTS)}不在申领范围内：本办法面向{_labels(kinds, APPLICANTS)}。",
            source_of(sheet, "applicant_kinds"),
        )  # fmt: skip
    if sizes and firm.size not in sizes:
        words = f"申领企业须为{_labels(sizes, SIZES)}企业"
        if firm.size is None:
            yield Reason(
                "size", OPEN, f"{words}，请补充企业规模。", source_of(sheet, "applicant_sizes")
            )
        else:
            yield Reason(
                "size", REFUSE, f"{words}，这家是{_labels([firm.size], SIZES)}企业。",
                source_of(sheet, "applicant_sizes"),
            )  # fmt: skip
    if regions and not set(regions) & set(firm.region_codes):
        weight, words = REFUSE, "企业不在本办法实施的地区内。"
        if not firm.region_codes:
            weight, words = OPEN, "请补充企业所在地：本办法限定地区。"
        yield Reason("region", weight, words, source_of(sheet, "applicant_regions"))


def _rosters(sheet: Sheet, facts: Facts) -> Iterator[Reason]:
    if not sheet.applicant_rosters:
        return
    year = facts.year or facts.day.year
    years = {"last": {year - 1}, "either": {year, year - 1}}.get(sheet.roster_year or "", {year})
    held = facts.firm.rosters
    source = source_of(sheet, "applicant_rosters", "roster_year")
    if any(years & held.get(kind, frozenset()) for kind in sheet.applicant_rosters):
        return
    names = _labels(sheet.applicant_rosters, ROSTERS)
    near = {one for kind in sheet.applicant_rosters for one in held.get(kind, ())}
    if sheet.roster_year is None and year - 1 in near:
        yield Reason(
            "roster", OPEN,
            f"企业只在 {year - 1} 年的名单上，办法没有写明按哪一年的名单（{names}）。", source,
        )  # fmt: skip
        return
    if years & held.get("other", frozenset()):
        words = f"企业在其他名单上，请核实是否符合名单要求：{names}。"
        yield Reason("roster", OPEN, words, source)
        return
    shown = "、".join(str(one) for one in sorted(years))
    yield Reason("roster", REFUSE, f"企业不在 {shown} 年的名单上：{names}。", source)


def _standing(sheet: Sheet, facts: Facts) -> Iterator[Reason]:
    firm = facts.firm
    if firm.barred_until and facts.day <= firm.barred_until:
        yield Reason("barred", REFUSE, f"已停止申领资格，到 {firm.barred_until} 为止。")
    asked = (
        ("clean_record", "没有失信记录", "企业有失信记录，不能享受。"),
        ("no_accident", "没有安全、环保等事故", "企业有安全、环保等事故记录，不能享受。"),
    )
    for name, words, refusal in asked:
        if getattr(sheet, name) and not getattr(firm, name):
            known = getattr(firm, name) is False
            yield Reason(
                name, REFUSE if known else OPEN, refusal if known else f"请核实企业{words}。",
                source_of(sheet, name),
            )  # fmt: skip
    most = sheet.revenue_max_fen
    if most is not None and firm.revenue_fen is None:
        yield Reason(
            "revenue", OPEN, f"请补充营业收入：上限 {show_yuan(most)}。",
            source_of(sheet, "revenue_max_fen"),
        )  # fmt: skip
    elif most is not None and firm.revenue_fen is not None and firm.revenue_fen > most:
        yield Reason(
            "revenue", REFUSE,
            f"营业收入 {show_yuan(firm.revenue_fen)}，超过上限 {show_yuan(most)}。",
            source_of(sheet, "revenue_max_fen"),
        )  # fmt: skip


def _team(sheet: Sheet, facts: Facts) -> Iterator[Reason]:
    if facts.firm.kind != "team":
        return
    members, least = facts.firm.core_members, sheet.team_min_core
    if least is not None and (members is None or members < least):
        yield Reason(
            "team", OPEN if members is None else REFUSE, f"团队核心成员不少于 {least} 人。",
            source_of(sheet, "team_min_core"),
        )  # fmt: skip
    if sheet.team_incubated and not facts.firm.incubated:
        yield Reason(
            "incubated", OPEN if facts.firm.incubated is None else REFUSE,
            "团队须入驻孵化器或众创空间。", source_of(sheet, "team_incubated"),
        )  # fmt: skip


def _history(sheet: Sheet, facts: Facts) -> Iterator[Reason]:
    lapsed, most = facts.firm.unused_bp, sheet.unused_threshold_bp
    if most is not None and lapsed is not None and lapsed > most:
        refused = sheet.unused_effect == "no_vouchers_next_year"
        yield Reason(
            "unused", REFUSE if refused else WARN,
            f"上年作废的创新券占 {show_bp(lapsed)}，超过 {show_bp(most)}"
            + ("，本年度不得申领。" if refused else "，请按办法处理。"),
            source_of(sheet, "unused_threshold_bp"),
        )  # fmt: skip
    if sheet.lifetime_once and facts.claims_before:
        yield Reason(
            "once", REFUSE, "每家只能享受一次，已经享受过。", source_of(sheet, "lifetime_once")
        )
    if sheet.once_per_provider_per_year and facts.claims_with_provider_this_year:
        yield Reason(
            "once_per_provider", REFUSE, "同一服务机构每年只补助一次，今年已经补助过。",
            source_of(sheet, "once_per_provider_per_year"),
        )  # fmt: skip


def _relations(sheet: Sheet, facts: Facts) -> Iterator[Reason]:
    for code in sorted(facts.relations):
        label = RELATIONS.get(code, code)
        if code in sheet.related_tests:
            yield Reason(
                "related", REFUSE, f"企业与服务机构{label}，属于关联方，不予兑付。",
                source_of(sheet, "related_tests"),
            )  # fmt: skip
        else:
            yield Reason("related", WARN, f"企业与服务机构{label}，请核实是否为关联方。")


def _dates(sheet: Sheet, facts: Facts) -> Iterator[Reason]:
    day, source = facts.day, source_of(sheet, "effective_from", "effective_to")
    if sheet.effective_from and day < sheet.effective_from:
        yield Reason("not_yet", REFUSE, f"办法自 {sheet.effective_from} 起施行。", source)
    if sheet.effective_to and day > sheet.effective_to:
        yield Reason("over", REFUSE, f"办法已于 {sheet.effective_to} 到期。", source)
    last = sheet.contract_done_by
    if last and facts.done_on and facts.done_on > date(facts.year or day.year, *last):
        words = f"服务须在 {last[0]} 月 {last[1]} 日前完成，这项在 {facts.done_on} 才完成。"
        yield Reason("done_by", REFUSE, words, source_of(sheet, "contract_done_by"))
    name = {"apply": "apply_windows", "claim": "claim_windows"}.get(facts.stage)
    windows = getattr(sheet, name) if name else ()
    if name and windows and not any(within(one, day) for one in windows):
        shown = "、".join(_window_words(one) for one in windows)
        yield Reason(
            "window", REFUSE, f"现在不在受理时间内：每年 {shown}。", source_of(sheet, name)
        )


def within(window: Window, day: date) -> bool:
    """Whether a day lies in a yearly window; both ends count, it may lead over the year's end."""
    at = (day.month, day.day)
    if window.opens <= window.closes:
        return window.opens <= at <= window.closes
    return at >= window.opens or at <= window.closes


def _window_words(window: Window) -> str:
    (month, day), (last_month, last_day) = window.opens, window.closes
    return f"{month} 月 {day} 日至 {last_month} 月 {last_day} 日"


def _voucher(sheet: Sheet, facts: Facts) -> Iterator[Reason]:
    if facts.stage != "claim":
        return
    if facts.voucher_left_fen is None:
        source = source_of(sheet, "claims_without_voucher")
        if sheet.claims_without_voucher is False:
            yield Reason("no_voucher", REFUSE, "须先申领创新券，才能申请兑付。", source)
        elif sheet.claims_without_voucher is None:
            yield Reason("no_voucher", OPEN, "办法没有写明能否不申领直接兑付（待定）。", source)
    elif facts.voucher_ends and facts.day > facts.voucher_ends:
        yield Reason(
            "expired", REFUSE, f"创新券已于 {facts.voucher_ends} 过期。",
            source_of(sheet, "validity_length", "void_at_year_end"),
        )  # fmt: skip


def _invoices(sheet: Sheet, facts: Facts) -> Iterator[Reason]:
    if facts.invoices is None or facts.stage != "claim":
        return
    source = source_of(sheet, "invoice_from", "invoice_to", "invoice_year")
    year = facts.year or facts.day.year
    wanted = {"same": year, "last": year - 1}.get(sheet.invoice_year or "")
    for one in facts.invoices:
        if one.currency != "CNY":
            yield Reason("currency", REFUSE, f"发票 {one.number} 不是人民币发票，不能兑付。")
        if one.red:
            yield Reason("red", REFUSE, f"发票 {one.number} 已红冲或作废。")
        early = sheet.invoice_from and one.day < sheet.invoice_from
        late = sheet.invoice_to and one.day > sheet.invoice_to
        if early or late or (wanted and one.day.year != wanted):
            shown = (
                f"{wanted} 年内"
                if wanted
                else f"{sheet.invoice_from or '…'} 至 {sheet.invoice_to or '…'}"
            )
            yield Reason(
                "invoice_day", REFUSE,
                f"发票 {one.number} 开具于 {one.day}，不在规定的日期内（{shown}）。", source,
            )  # fmt: skip
    cost = sum(one.cost_fen for one in facts.items)
    total = sum(one.amount_fen for one in facts.invoices if not one.red)
    if facts.items and total < cost:
        yield Reason(
            "invoice_sum", REFUSE, f"发票合计 {show_yuan(total)}，少于服务费用 {show_yuan(cost)}。"
        )


def _evidence(sheet: Sheet, facts: Facts) -> Iterator[Reason]:
    if facts.evidence is None or facts.stage != "claim":
        return
    for code in sheet.evidence or ():
        if code not in facts.evidence:
            yield Reason(
                "evidence", REFUSE, f"缺少佐证材料：{EVIDENCE.get(code, code)}。",
                source_of(sheet, "evidence"),
            )  # fmt: skip


def _items(sheet: Sheet, facts: Facts) -> Iterator[Reason]:
    """Only where nothing that was bought can be paid; single items get 0 and a line of the trace."""
    refusals = [item_refusal(sheet, item.service, item.exclusions) for item in facts.items]
    if refusals and all(refusals):
        for words in dict.fromkeys(refusals):
            yield Reason("service", REFUSE, words, source_of(sheet, "services", "exclusions"))


def item_refusal(sheet: Sheet, service: str, exclusions: frozenset[str]) -> str:
    """Why an item gets nothing; empty if it may get something."""
    barred = [code for code in sheet.exclusions if code in exclusions]
    if barred:
        return f"{_labels(barred, EXCLUSIONS)}，不在支持范围内。"
    if sheet.services and sheet.service(service) is None:
        return "这项服务不在本办法的服务目录内。"
    return ""


def show_bp(points: int) -> str:
    """A rate of basis points for reading: `30 %`, `2.5 %`."""
    whole, rest = divmod(points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %" if rest else f"{whole} %"


CHECKS: tuple[Check, ...] = (
    _applicant,
    _rosters,
    _team,
    _standing,
    _history,
    _relations,
    _dates,
    _voucher,
    _invoices,
    _evidence,
    _items,
)


def check(sheet: Sheet, facts: Facts) -> list[Reason]:
    """All reasons, what refuses first, then what is open, then what is to be looked at."""
    found = [reason for one in CHECKS for reason in one(sheet, facts)]
    return sorted(found, key=lambda reason: (REFUSE, OPEN, WARN).index(reason.weight))
