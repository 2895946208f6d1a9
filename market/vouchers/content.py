"""What a scheme says: the schema that offices' forms and programs fill, and its stored form.

Stored is plain JSON with the same names: money in fen, rates in basis points, dates and days as
text, codes. What is left blank is not stored at all: it is open, and stays so until it is decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from marshmallow import RAISE, ValidationError, fields, validates_schema

from market.core.fields import Day, Line, LongText, Whole, Yuan
from market.core.languages import N_
from market.core.money import show_yuan
from market.vouchers.codes import (
    APPLICANTS,
    CAP_SCOPES,
    DAY_UNITS,
    EFFECTS,
    EVIDENCE,
    EXCLUSIONS,
    EXHAUSTION,
    LENGTHS,
    LEVELS,
    PAYER_MODELS,
    PAYERS,
    RELATIONS,
    RESERVE_AT,
    RHYTHMS,
    ROSTER_YEARS,
    ROSTERS,
    ROUNDING_MODES,
    ROUNDING_UNITS,
    SIZES,
    STARTS,
)
from market.vouchers.schemas import (
    AwardSchema,
    BudgetSchema,
    Code,
    Codes,
    Flag,
    MonthDay,
    PayerSchema,
    Percent,
    ReadingSchema,
    Row,
    ServiceSchema,
    SourceSchema,
    StepSchema,
    TopUpSchema,
    WindowSchema,
    amounts_by,
    rows,
)
from market.vouchers.sheet import Service, Sheet, choose, read, ways

MOST_WAYS = 64  # of reading a sheet that are calculated side by side


class SchemeSchema(Row):
    """All fields; each may stay blank. Money in yuan and rates in per cent as typed."""

    title = Line(200, required=True, metadata={"label": N_("办法名称")})
    document = Line(100, metadata={"label": N_("文号")})
    owner_region = Line(12, metadata={"label": N_("行政区划")})
    level = Code(LEVELS, metadata={"label": N_("层级")})
    effective_from = Day(metadata={"label": N_("施行日期")})
    effective_to = Day(metadata={"label": N_("有效期止")})
    currency = Code({"CNY": "人民币"}, metadata={"label": N_("币种")})

    budget_total_fen = Yuan(metadata={"label": N_("预算总额")})
    budget_by_year = rows(BudgetSchema, 20, N_("年度预算"))
    budget_public = Flag(metadata={"label": N_("公开可用额度")})
    exhaustion = Code(EXHAUSTION, metadata={"label": N_("预算用完时")})
    reserve_at = Code(RESERVE_AT, metadata={"label": N_("占用额度的时点")})

    applicant_kinds = Codes(APPLICANTS, metadata={"label": N_("申领对象")})
    applicant_regions = fields.List(Line(12), allow_none=True, metadata={"label": N_("申领地区")})
    applicant_rosters = Codes(
        ROSTERS, metadata={"label": N_("名单要求"), "note": "在其中任何一个名单上即可"}
    )
    roster_year = Code(ROSTER_YEARS, metadata={"label": N_("名单年度")})
    applicant_sizes = Codes(SIZES, metadata={"label": N_("企业规模")})
    revenue_max_fen = Yuan(metadata={"label": N_("营业收入上限")})
    clean_record = Flag(metadata={"label": N_("须无失信记录")})
    no_accident = Flag(metadata={"label": N_("须无事故记录")})
    conditions = LongText(2000, metadata={"label": N_("其他条件")})
    team_min_core = Whole(1, 100, metadata={"label": N_("团队核心成员至少")})
    team_incubated = Flag(metadata={"label": N_("团队须已入驻孵化载体")})

    services = rows(ServiceSchema, 60, N_("服务目录"))
    uncapped = Flag(metadata={"label": N_("没有上限")})
    cap_apply_fen = Yuan(metadata={"label": N_("单次申领上限")})
    cap_claim_fen = Yuan(metadata={"label": N_("单次兑付上限")})
    cap_held_fen = Yuan(metadata={"label": N_("持有上限")})
    cap_year_fen = Yuan(metadata={"label": N_("年度上限")})
    cap_year_by_size = amounts_by(SIZES, N_("企业年度上限"))
    cap_year_by_kind = amounts_by(APPLICANTS, N_("年度上限"))
    cap_total_fen = Yuan(metadata={"label": N_("累计上限")})
    cap_provider_year_fen = Yuan(metadata={"label": N_("服务机构年度上限")})
    cap_scope = Code(CAP_SCOPES, metadata={"label": N_("上限的口径")})
    lifetime_once = Flag(metadata={"label": N_("每家只享受一次")})
    once_per_provider_per_year = Flag(metadata={"label": N_("同一服务机构每年一次")})

    validity_length = Whole(1, 3650, metadata={"label": N_("有效期")})
    validity_unit = Code(
        LENGTHS, {"月": "month", "天": "day"}, metadata={"label": N_("有效期单位")}
    )
    validity_starts = Code(STARTS, metadata={"label": N_("有效期起算")})
    void_at_year_end = Flag(metadata={"label": N_("年底作废")})
    auto_reclaim = Flag(metadata={"label": N_("过期自动收回额度")})
    reapply = Flag(metadata={"label": N_("可再次申领")})
    claims_without_voucher = Flag(metadata={"label": N_("可不申领直接兑付")})

    payer_model = Code(PAYER_MODELS, metadata={"label": N_("兑付方式")})
    award = fields.Nested(AwardSchema, allow_none=True, metadata={"label": N_("服务机构奖励")})
    payers = rows(PayerSchema, 10, N_("资金分担"))
    top_ups = rows(TopUpSchema, 10, N_("另行配套"))
    exclusions = Codes(EXCLUSIONS, metadata={"label": N_("不予支持")})
    related_tests = Codes(RELATIONS, metadata={"label": N_("关联方认定")})

    apply_windows = rows(WindowSchema, 12, N_("申领受理时间"))
    claim_windows = rows(WindowSchema, 12, N_("兑付受理时间"))
    invoice_from = Day(metadata={"label": N_("发票日期起")})
    invoice_to = Day(metadata={"label": N_("发票日期止")})
    invoice_year = Code({"same": "当年", "last": "上年"}, metadata={"label": N_("发票年度")})
    contract_done_by = MonthDay(metadata={"label": N_("合同履行截止")})
    evidence = Codes(EVIDENCE, metadata={"label": N_("佐证材料")})
    review_chain = rows(StepSchema, 6, N_("审核层级"))
    notice_days = Whole(1, 60, metadata={"label": N_("公示天数")})
    notice_unit = Code(DAY_UNITS, metadata={"label": N_("公示天数单位")})
    random_check_bp = Percent(metadata={"label": N_("抽查比例（%）")})
    rhythm = Code(RHYTHMS, metadata={"label": N_("拨付周期")})

    unused_threshold_bp = Percent(metadata={"label": N_("作废比例超过（%）")})
    unused_effect = Code(EFFECTS, metadata={"label": N_("作废过多的后果")})
    bar_years = Whole(1, 20, metadata={"label": N_("停止申领资格（年）")})
    recovery_interest = Flag(metadata={"label": N_("追回时计利息")})
    credit_record = Flag(metadata={"label": N_("记入信用记录")})
    rounding_unit = Code(ROUNDING_UNITS, metadata={"label": N_("取整单位")})
    rounding_mode = Code(ROUNDING_MODES, metadata={"label": N_("取整方法")})

    readings = rows(ReadingSchema, 6, N_("待定的读法"))
    sources = rows(SourceSchema, 40, N_("出处"))
    gaps = fields.List(Line(300), allow_none=True, metadata={"label": N_("待补充")})

    @validates_schema(skip_on_field_errors=True)
    def consistent(self, values: Mapping[str, Any], **_more: Any) -> None:
        """Refuse what contradicts itself, each time beside the field, in a sentence."""
        troubles: dict[str, list[str]] = {}
        for name, words in _contradictions(values):
            troubles.setdefault(name, []).append(words)
        if troubles:
            raise ValidationError(troubles)


def _contradictions(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for number, row in enumerate(values.get("services") or (), start=1):
        for words in _band_gaps(row.get("bands") or ()):
            yield "services", f"第 {number} 项「{row['label']}」：{words}"
    yield from _pairs(values)
    yield from _budgets(values)
    yield from _payers(values)
    yield from _readings(values)


def _band_gaps(bands: Any) -> Iterator[str]:
    """Bands follow one another without overlap and gap, from nothing to without end."""
    low: int | None = 0
    for number, band in enumerate(bands, start=1):
        begins, ends = band.get("from_fen"), band.get("upto_fen")
        if low is None:
            yield f"第 {number - 1} 档没有上限，后面不能再有一档，两档重叠。"
            return
        if begins is not None and begins < low:
            yield (
                f"第 {number} 档从 {show_yuan(begins)} 起，与上一档（到 {show_yuan(low)}）重叠，"
                f"请改为从 {show_yuan(low)} 起。"
            )
        elif begins is not None and begins > low:
            yield f"第 {number} 档从 {show_yuan(begins)} 起，{show_yuan(low)} 到 {show_yuan(begins)} 之间没有比例。"
        if ends is not None and ends <= low:
            yield f"第 {number} 档到 {show_yuan(ends)} 为止，没有超过上一档的 {show_yuan(low)}，两档重叠。"
        low = ends
    if bands and low is not None:
        yield f"最后一档到 {show_yuan(low)} 为止，再高的费用没有比例：最后一档请不填上限。"


def _pairs(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for first, last, words in (
        ("effective_from", "effective_to", "有效期止早于施行日期"),
        ("invoice_from", "invoice_to", "发票日期止早于起"),
    ):
        if values.get(first) and values.get(last) and values[last] < values[first]:
            yield last, f"{words}，请核对。"
    for number, unit, words in (
        ("validity_length", "validity_unit", "有效期请选择单位（日、月、年）。"),
        ("notice_days", "notice_unit", "公示天数请选择工作日或自然日。"),
        ("rounding_unit", "rounding_mode", "请选择舍去尾数还是四舍五入。"),
    ):
        if values.get(number) is not None and values.get(unit) is None:
            yield unit, words
    claim, year = values.get("cap_claim_fen"), values.get("cap_year_fen")
    if claim is not None and year is not None and claim > year:
        yield "cap_claim_fen", f"单次上限 {show_yuan(claim)} 高于年度上限 {show_yuan(year)}。"
    caps = [name for name in values if name.startswith("cap_") and name.endswith("_fen")]
    if values.get("uncapped") and any(values[name] is not None for name in caps):
        yield "uncapped", "已写明上限，不能再选「没有上限」。"
    if values.get("invoice_year") and (values.get("invoice_from") or values.get("invoice_to")):
        yield "invoice_year", "发票年度和发票起止日期只填一种。"


def _budgets(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    budgets = values.get("budget_by_year") or ()
    years = [row["year"] for row in budgets]
    if len(set(years)) < len(years):
        yield "budget_by_year", "同一年度写了两次预算。"
    total, planned = values.get("budget_total_fen"), sum(row["amount_fen"] for row in budgets)
    if total is not None and planned > total:
        yield (
            "budget_by_year",
            f"各年度合计 {show_yuan(planned)}，超过预算总额 {show_yuan(total)}。",
        )


def _payers(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    payers = values.get("payers") or ()
    names = [row["payer"] for row in payers]
    if len(set(names)) < len(names):
        yield "payers", "同一出资方写了两次。"
    for row in payers:
        if row["payer"] not in PAYERS and not (row["payer"].isdigit() and len(row["payer"]) == 6):
            yield (
                "payers",
                f"出资方「{row['payer']}」不是行政区划代码，也不是{'或'.join(PAYERS.values())}。",
            )
    shares = [Fraction(row["share"]) for row in payers if row.get("share")]
    if shares and len(shares) < len(payers):
        yield "payers", "分担份额要么全部填写，要么都不填（待定）。"
    elif shares and sum(shares) != 1:
        yield "payers", f"分担份额合计 {sum(shares)}，应为 1。"
    if shares and any(row.get("cap_year_fen") is not None for row in payers):
        yield "payers", "已写明分担份额的，不再写承担上限。"


def _readings(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    readings = values.get("readings") or ()
    count = 1
    for row in readings:
        options = [one["code"] for one in row.get("options") or ()]
        if len(options) < 2 or len(set(options)) < len(options):
            yield "readings", f"「{row['question']}」至少要有两种不同的读法。"
            return
        if row.get("chosen") and row["chosen"] not in options:
            yield "readings", f"「{row['question']}」选定的读法不在其中。"
        count *= len(options)
    if len({row["code"] for row in readings}) < len(readings):
        yield "readings", "待定的读法代码重复。"
    elif count > MOST_WAYS:
        yield "readings", f"待定的读法太多：合起来 {count} 种，最多 {MOST_WAYS} 种。"
    else:
        sheet = read(_stored(values))
        if len({one.code for one in sheet.services}) < len(sheet.services):
            yield "services", "服务代码重复。"
        found = (_service_trouble(s) for way in ways(sheet) for s in choose(sheet, way).services)
        for words in dict.fromkeys(words for words in found if words):
            yield "services", words


def _service_trouble(service: Service) -> str:
    if service.code == "award":
        return f"「{service.label}」：代码 award 留给服务机构奖励，请换一个。"
    given = [service.rate_bp is not None, service.rate_max_bp is not None, bool(service.bands)]
    if sum(given) > 1:
        return f"「{service.label}」：补助比例、最高比例、分档只能填一种。"
    if any(None not in (band.rate_bp, band.rate_max_bp) for band in service.bands):
        return f"「{service.label}」：同一档的补助比例和最高比例只能填一种。"
    if service.unit_cap_fen is not None and not service.unit:
        return f"「{service.label}」：每单位上限请写明单位，如 人、件。"
    return ""


def load(typed: Mapping[str, Any], strict: bool = False) -> dict[str, Any]:
    """The stored form of what was typed.

    Args:
        strict: whether a name that is no field is refused rather than passed over.

    Raises:
        ValidationError: of marshmallow, with the names of fields.
    """
    schema = SchemeSchema(unknown=RAISE) if strict else SchemeSchema()
    return _stored(schema.load(typed))


def _stored(value: Any, name: str = "") -> Any:
    """Plain JSON without what is blank; where a band begins follows from the one before."""
    if isinstance(value, Mapping):
        given = {key: _stored(one, key) for key, one in value.items() if one is not None}
        given.pop("from_fen", None)
        return given
    if isinstance(value, list):
        return [_stored(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def dump(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a form shows of a stored content: yuan, per cent, codes; blank fields are left out."""
    return _stored(SchemeSchema().dump(content))


@dataclass(frozen=True)
class OpenPoint:
    """What the sheet leaves open. blocking: no money can be paid before it is decided."""

    field: str
    words: str
    blocking: bool


SHARED_AT = (
    "预算不足时按比例核减的，占用额度的时点须是审定时："
    "早占用的先得全额，后来的连申请都交不上，就不是同一个比例"
)
_TO_DECIDE = {
    "services": True,
    "reserve_at": True,
    "payer_model": True,
    "claims_without_voucher": True,
    "evidence": True,
    "review_chain": True,
    "exhaustion": False,
    "validity_length": False,
    "notice_days": False,
    "random_check_bp": False,
    "rhythm": False,
    "rounding_unit": False,
    "related_tests": False,
}


def open_points(content: Mapping[str, Any] | Sheet) -> list[OpenPoint]:
    """What is open, what blocks first: unchosen readings, missing rates and caps, blank fields."""
    sheet = content if isinstance(content, Sheet) else read(content)
    found = [
        OpenPoint("readings", f"读法待定：{one.question}", True)
        for one in sheet.readings
        if not one.chosen
    ]
    asked = {name for one in sheet.readings for option in one.options for name in option.sets}
    for name, blocking in _TO_DECIDE.items():
        value = getattr(sheet, name)
        # No evidence and no review at all are answers; no services and no tests are not.
        is_open = value is None or (value == () and name in {"services", "related_tests"})
        if is_open and name not in asked:
            found.append(OpenPoint(name, f"{LABELS[name]}：待定", blocking))
    for service in sheet.services:
        if not asked & {"rate_bp", "rate_max_bp"} and _rate_open(service):
            found.append(OpenPoint("services", f"「{service.label}」的补助比例：待定", True))
        if len(service.bands) > 1 and service.band_mode is None and "band_mode" not in asked:
            found.append(OpenPoint("services", f"「{service.label}」的分档算法：待定", True))
    if sheet.validity_length and not sheet.validity_starts and "validity_starts" not in asked:
        found.append(OpenPoint("validity_starts", f"{LABELS['validity_starts']}：待定", False))
    if sheet.exhaustion == "pro_rata" and sheet.reserve_at not in {None, "approval"}:
        found.append(OpenPoint("reserve_at", SHARED_AT, True))
    if not sheet.uncapped and not _capped(sheet):
        found.append(OpenPoint("cap_year_fen", "上限：待定", True))
    return sorted(found, key=lambda one: not one.blocking)


def _rate_open(service: Service) -> bool:
    if service.bands:
        return any(band.rate_bp is None and band.rate_max_bp is None for band in service.bands)
    return service.rate_bp is None and service.rate_max_bp is None


def _capped(sheet: Sheet) -> bool:
    names = ("cap_claim_fen", "cap_year_fen", "cap_total_fen", "cap_provider_year_fen")
    return (
        any(getattr(sheet, name) is not None for name in names)
        or bool(sheet.cap_year_by_size or sheet.cap_year_by_kind)
        or any(one.cap_fen is not None for one in sheet.services)
    )


LABELS: dict[str, str] = {
    name: one.metadata["label"] for name, one in SchemeSchema().fields.items()
}
