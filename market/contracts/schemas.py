"""What a contract says: the fields of the registration form, as programs send and versions keep them.

Field list: the registration form of technology contracts (技术合同登记表) in its present order.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

from market.contracts.codes import (
    AIMS,
    CLASSES,
    FIELDS,
    IP_KINDS,
    LICENCE_KINDS,
    NATURES,
    OWNERSHIP,
    PAYMENTS,
    PLANS,
    ROYALTY_BASES,
    SUBCLASSES,
)
from market.core.fields import Choice, Day, Line, LongText, Whole, YesNo, Yuan
from market.core.reading import Reading, as_text
from market.core.text import clean_line

MOST_PARTIES = 20  # on one side
MOST_RIGHTS = 20
MOST_INSTALMENTS = 24
LONGEST = 4000  # characters of what the contract is about
SUBCLASS_LABELS = {code: label for code, (_, label) in SUBCLASSES.items()}
_RATE = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)\s*%?")
_COUNTRY = re.compile(r"[A-Z]{3}")


class Rate(Reading):
    """A rate in per cent as people type it (`2`, `2.5 %`); the value is basis points."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> int:
        text = unicodedata.normalize("NFKC", as_text(value)).strip()
        found = _RATE.fullmatch(text)
        points = int(Decimal(found[1]) * 100) if found else 0
        if not 0 < points <= 10_000:
            raise ValidationError(f"「{clean_line(text)[:20]}」不是比例，请写成 2 或 2.5 %。")
        return points


class Country(Line):
    """A country by the three letters of ISO 3166, e.g. CHN."""

    def __init__(self, **more: Any) -> None:
        super().__init__(3, **more)

    def clean(self, text: str) -> str:
        found = super().clean(text).upper()
        if not _COUNTRY.fullmatch(found):
            raise ValidationError("国别请写三个字母的代码，如 CHN。")
        return found


class PartySchema(Schema):
    """A party. uscc: its credit code; people and foreign parties have none."""

    class Meta:
        unknown = EXCLUDE

    name = Line(200, required=True, metadata={"label": "名称"})
    uscc = Line(18, metadata={"label": "统一社会信用代码"})
    country = Country(metadata={"label": "国别"})
    region_code = Line(12, metadata={"label": "行政区划"})
    nature = Choice(NATURES, metadata={"label": "单位性质"})
    legal_person = Line(60, metadata={"label": "法定代表人"})
    contact = Line(60, metadata={"label": "经办人"})
    telephone = Line(40, metadata={"label": "电话"})
    address = Line(200, metadata={"label": "地址"})


class RightSchema(Schema):
    """An intellectual property right. ends: its last day."""

    class Meta:
        unknown = EXCLUDE

    kind = Choice(IP_KINDS, required=True, metadata={"label": "知识产权类别"})
    number = Line(60, metadata={"label": "专利号或登记号"})
    holder = Line(200, metadata={"label": "权利人"})
    ends = Day(metadata={"label": "有效期止"})


class InstalmentSchema(Schema):
    """A row of the payment plan. amount_fen: yuan as typed, kept as whole fen."""

    class Meta:
        unknown = EXCLUDE

    when = Day(metadata={"label": "日期"})
    what = Line(100, metadata={"label": "付款条件"})
    amount_fen = Yuan(required=True, metadata={"label": "金额"})


def _rows(schema: type[Schema], most: int, label: str) -> fields.List:
    def few(rows: list[Any]) -> None:
        if len(rows) > most:
            raise ValidationError(f"最多 {most} 行。")

    return fields.List(
        fields.Nested(schema), validate=few, allow_none=True, metadata={"label": label}
    )


class ContentSchema(Schema):
    """All fields of the form; each may be empty in a draft. Dates by ISO, money in yuan as typed."""

    class Meta:
        unknown = EXCLUDE

    title = Line(300, metadata={"label": "项目名称"})
    contract_class = Choice(CLASSES, metadata={"label": "合同类别"})
    subclass = Choice(SUBCLASS_LABELS, metadata={"label": "二级类别"})
    licence_kind = Choice(LICENCE_KINDS, metadata={"label": "许可方式"})
    signed_on = Day(metadata={"label": "签订日期"})
    signed_at = Line(100, metadata={"label": "签订地点"})
    effective_on = Day(metadata={"label": "生效日期"})
    valid_from = Day(metadata={"label": "有效期起"})
    valid_to = Day(metadata={"label": "有效期止"})
    is_foreign = YesNo(metadata={"label": "涉外合同"})
    is_related = YesNo(metadata={"label": "关联交易"})
    secrecy = Line(200, metadata={"label": "保密要求"})
    sellers = _rows(PartySchema, MOST_PARTIES, "卖方")
    buyers = _rows(PartySchema, MOST_PARTIES, "买方")
    thirds = _rows(PartySchema, 3, "中介方或服务机构")
    broker = Line(60, metadata={"label": "技术经理人"})
    plan_source = Choice(PLANS, metadata={"label": "计划来源"})
    field = Choice(FIELDS, metadata={"label": "技术领域"})
    aim = Choice(AIMS, metadata={"label": "社会经济目标"})
    industry = Line(10, metadata={"label": "国民经济行业"})
    rights = _rows(RightSchema, MOST_RIGHTS, "知识产权")
    total_fen = Yuan(metadata={"label": "合同成交额"})
    technical_fen = Yuan(metadata={"label": "技术交易额"})
    non_technical_fen = Yuan(metadata={"label": "非技术性费用"})
    non_technical_words = Line(300, metadata={"label": "非技术性费用说明"})
    payment = Choice(PAYMENTS, metadata={"label": "支付方式"})
    entry_fen = Yuan(metadata={"label": "入门费"})
    royalty_bp = Rate(metadata={"label": "提成比例"})
    royalty_base = Choice(ROYALTY_BASES, metadata={"label": "提成基数"})
    plan = _rows(InstalmentSchema, MOST_INSTALMENTS, "付款计划")
    currency = Line(3, metadata={"label": "币种"})
    exchange = Line(60, metadata={"label": "折算汇率"})
    new_input_fen = Yuan(metadata={"label": "预计新增投入"})
    new_output_fen = Yuan(metadata={"label": "预计新增产值"})
    subject = LongText(LONGEST, metadata={"label": "标的内容与要求"})
    ownership = Choice(OWNERSHIP, metadata={"label": "成果归属"})
    acceptance = LongText(2000, metadata={"label": "验收标准"})
    dispute = LongText(1000, metadata={"label": "违约责任与争议解决"})
    term_months = Whole(1, 600, metadata={"label": "履行期限（月）"})
    price_notice = Line(20, metadata={"label": "价格公示编号"})

    @validates_schema(skip_on_field_errors=True)
    def one_unit(self, values: Mapping[str, Any], **_more: Any) -> None:
        """Money is kept in yuan; another currency needs its rate (amounts are then converted)."""
        if (values.get("currency") or "CNY").upper() != "CNY" and not values.get("exchange"):
            raise ValidationError("外币合同请写明折算汇率和日期，金额按人民币填写。", "exchange")


# What has to be there before it can be sent in; the label of each stands in the schema.
NEEDED = (
    "title",
    "contract_class",
    "subclass",
    "signed_on",
    "valid_from",
    "valid_to",
    "sellers",
    "buyers",
    "field",
    "rights",
    "total_fen",
    "technical_fen",
    "payment",
    "subject",
)
LABELS: dict[str, str] = {
    name: one.metadata["label"] for name, one in ContentSchema().fields.items()
}
# Values about people: kept sealed, shown masked.
PERSONAL = ("legal_person", "contact", "telephone")
PARTY_LISTS = {"sellers": "seller", "buyers": "buyer", "thirds": "third"}
