"""The columns of a list of organisations."""

from __future__ import annotations

from datetime import date
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from market.accounts.rosters.models import KINDS
from market.accounts.schemas import Uscc
from market.core.fields import Choice, Day, Line, Whole, read_date
from market.core.reading import as_text

ALSO = {
    "科技型中小企业": "tech_sme",
    "科小": "tech_sme",
    "高企": "high_tech",
    "国家高新技术企业": "high_tech",
    "专精特新中小企业": "specialised",
    "规上": "above_scale",
    "规模以上企业": "above_scale",
    "规上工业企业": "above_scale",
    "在孵": "incubated",
}
FIRST_YEAR, LAST_YEAR = 1990, 2100


class Year(Whole):
    """A year, with or without 年."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> int:
        if isinstance(value, date):
            return value.year
        return super()._deserialize(
            as_text(value).strip().removesuffix("度").removesuffix("年"), attr, data
        )


class FirstDay(Day):
    """The day on which something begins; a month alone means its first day."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> date | None:
        year, month, day = read_date(value)
        return date(year, month, day or 1)


class RosterSchema(Schema):
    """A row: that an organisation stands on a list of a year."""

    class Meta:
        unknown = EXCLUDE

    kind = Choice(KINDS, ALSO, required=True, metadata={"label": "名单"})
    title = Line(100, metadata={"label": "名单名称", "note": "名单为「其他」时填，如 瞪羚企业"})
    uscc = Uscc(required=True, metadata={"label": "统一社会信用代码", "note": "18 位"})
    name = Line(200, shortest=2, required=True, metadata={"label": "单位名称"})
    year = Year(FIRST_YEAR, LAST_YEAR, required=True, metadata={"label": "年度", "note": "如 2025"})
    number = Line(100, metadata={"label": "编号", "note": "入库登记编号或证书编号"})
    valid_from = FirstDay(metadata={"label": "有效期起", "note": "如 2025-03-01"})
    valid_to = Day(metadata={"label": "有效期止", "note": "空着表示只按年度算"})
    source = Line(200, metadata={"label": "来源", "note": "公布名单的文件或网址"})

    @validates_schema(skip_on_field_errors=False)
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse another list without a name, and a period that ends before it begins."""
        if data.get("kind") == "other" and not data.get("title"):
            raise ValidationError("名单为「其他」时请写名单名称。", "title")
        if data.get("kind") not in {None, "other"} and data.get("title"):
            raise ValidationError(
                "只有名单为「其他」时才写名单名称，请清空或把名单改为「其他」。", "title"
            )
        begins, ends = data.get("valid_from"), data.get("valid_to")
        if begins and ends and ends < begins:
            raise ValidationError("早于有效期起。", "valid_to")


SCHEMA = RosterSchema()
HEADERS = {
    "kind": ["名单类型", "名单类别", "类型"],
    "title": ["其他名单名称"],
    "uscc": ["信用代码", "社会信用代码"],
    "name": ["企业名称", "名称"],
    "year": ["年份", "入库年度"],
    "number": ["入库编号", "入库登记编号", "证书编号"],
    "valid_from": ["发证日期"],
    "valid_to": ["有效期至"],
    "source": ["文号"],
}
