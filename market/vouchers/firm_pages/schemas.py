"""What the forms of firms and providers send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from market.core.fields import Choice, Day, Line, LongText, Whole, YesNo, Yuan
from market.core.reading import Reading
from market.vouchers.codes import SIZES
from market.vouchers.models import STARS
from market.vouchers.sheet import Sheet

LONGEST_PARTIES = 4000  # characters of a list of shareholders
PARTIES = {
    "legal_person": "法定代表人",
    "controller": "实际控制人",
    "shareholder": "股东（姓名或统一社会信用代码）",
    "telephone": "联系电话",
    "address": "办公或经营地址",
    "account": "银行账户",
    "branch": "总公司、分公司（名称或统一社会信用代码）",
    "co_built": "共建的机构或实验室",
}
NONE = "无"  # what takes back what was declared


class PlainSchema(Schema):
    """Only which version was seen, and the reason where one is asked."""

    class Meta:
        unknown = EXCLUDE

    seen = Whole(1, 10**9)
    version = Whole(1, 10**9)
    reason = LongText(1000, metadata={"label": "原因"})


class FactsSchema(Schema):
    """What a firm declares of itself; only what a scheme asks is shown."""

    class Meta:
        unknown = EXCLUDE

    size = Choice(SIZES, metadata={"label": "企业规模"})
    revenue_fen = Yuan(metadata={"label": "上年营业收入", "note": "元，可写 3000万"})
    clean_record = YesNo(metadata={"label": "没有失信记录"})
    no_accident = YesNo(metadata={"label": "没有安全、环保等事故"})
    core_members = Whole(1, 10_000, metadata={"label": "团队核心成员人数"})
    incubated = YesNo(metadata={"label": "已入驻孵化器或众创空间"})


FACTS: Mapping[str, Any] = FactsSchema().fields


def asked_facts(sheet: Sheet) -> list[str]:
    """Which of them decide something in a scheme."""
    teams = "team" in sheet.applicant_kinds
    wanted = {
        "size": bool(sheet.applicant_sizes or sheet.cap_year_by_size),
        "revenue_fen": sheet.revenue_max_fen is not None,
        "clean_record": bool(sheet.clean_record),
        "no_accident": bool(sheet.no_accident),
        "core_members": teams and sheet.team_min_core is not None,
        "incubated": teams and bool(sheet.team_incubated),
    }
    return [name for name, on in wanted.items() if on]


def facts_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """The declared facts among a form's values."""
    return {name: values[name] for name in FACTS if values.get(name) is not None}


class ApplySchema(FactsSchema):
    """An application for vouchers."""

    firm = Whole(1, 10**9, metadata={"label": "单位"})
    scheme = Line(20, metadata={"label": "创新券办法"})
    asked_fen = Yuan(metadata={"label": "申领金额"})
    purpose = Line(300, metadata={"label": "打算用来做什么"})


class OrderSchema(FactsSchema):
    """An order from a provider of the directory."""

    firm = Whole(1, 10**9, metadata={"label": "单位"})
    scheme = Line(20, metadata={"label": "创新券办法"})
    voucher = Line(30, metadata={"label": "创新券"})
    provider = Line(200, metadata={"label": "服务机构"})
    service = Line(40, metadata={"label": "服务"})
    title = Line(200, metadata={"label": "服务内容"})
    price_fen = Yuan(metadata={"label": "价款"})
    units = Whole(1, 100_000, metadata={"label": "数量"})
    voucher_fen = Yuan(metadata={"label": "用券金额"})
    contract_no = Line(100, metadata={"label": "合同编号"})
    service_from = Day(metadata={"label": "服务开始"})
    service_to = Day(metadata={"label": "服务完成"})
    note = LongText(2000, metadata={"label": "要求"})

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """What no order can do without, and days in their order."""
        words = {
            "provider": "请从服务机构名录中选择服务机构。",
            "service": "请选择服务。",
            "title": "请写明要做什么，如：3 批样品的常温保质期检测。",
            "price_fen": "请填写价款。",
        }
        wrong = {name: [text] for name, text in words.items() if not sent.get(name)}
        begins, ends = values.get("service_from"), values.get("service_to")
        if begins and ends and begins > ends:
            wrong["service_to"] = ["完成日期早于开始日期。"]
        if wrong:
            raise ValidationError(wrong)


class BeginSchema(Schema):
    """How a claim begins: from an order, a voucher or a scheme, with the first thing bought."""

    class Meta:
        unknown = EXCLUDE

    firm = Whole(1, 10**9, metadata={"label": "单位"})
    order = Line(20, metadata={"label": "服务订单"})
    voucher = Line(30, metadata={"label": "创新券"})
    scheme = Line(20, metadata={"label": "创新券办法"})
    provider = Line(200, metadata={"label": "服务机构"})
    service = Line(40, metadata={"label": "服务"})
    cost_fen = Yuan(metadata={"label": "费用"})


class RateSchema(PlainSchema):
    """How a service was."""

    stars = Choice({str(one): words for one, words in STARS.items()}, metadata={"label": "评价"})
    words = LongText(500, metadata={"label": "说明"})


class SendSchema(PlainSchema):
    """Sending a claim in: with the promise."""

    promise = YesNo(metadata={"label": "承诺"})


def _parties() -> dict[str, Reading]:
    return {
        kind: LongText(LONGEST_PARTIES, metadata={"label": label})
        for kind, label in PARTIES.items()
    }


class PartiesSchema(PlainSchema):
    """What an organisation declares of itself for the test of related parties."""

    firm = Whole(1, 10**9, metadata={"label": "单位"})


DeclareSchema: type[Schema] = PartiesSchema.from_dict(_parties(), name="DeclareSchema")  # type: ignore[arg-type]


def answers_schema(names: list[str]) -> Schema:
    """Answers to the reasons of a return, one field each: `answer-<field>`."""
    cells: dict[str, Reading] = {
        f"answer-{name}": LongText(500, metadata={"label": "怎样改的"}) for name in names
    }
    made: type[Schema] = PlainSchema.from_dict(cells, name="AnswersSchema")  # type: ignore[arg-type]
    return made()
