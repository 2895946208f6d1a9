"""Fields of a scheme's content as offices type them: yuan, per cent, fractions, days of the year."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from market.core.fields import Choice, Choices, Day, Line, Reading, Whole, YesNo, Yuan, as_text
from market.core.text import clean_line
from market.vouchers.codes import (
    BAND_MODES,
    CAP_SCOPES,
    DAY_UNITS,
    PAYER_MODELS,
    PAYERS,
    RESERVE_AT,
    REVIEW_LEVELS,
    ROSTER_YEARS,
    ROUNDING_MODES,
    ROUNDING_UNITS,
    STARTS,
)

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)\s*%?")
_SHARE = re.compile(r"(\d{1,9})\s*/\s*(\d{1,9})")
_MONTH_DAY = re.compile(r"(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*日?")


def _plain(value: Any) -> str:
    return unicodedata.normalize("NFKC", as_text(value)).strip()


class Percent(Reading):
    """A rate in per cent from 0 to 100 (`30`, `2.5 %`); the value is basis points."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> int:
        found = _PERCENT.fullmatch(_plain(value))
        points = int(Decimal(found[1]) * 100) if found else -1
        if not 0 <= points <= 10_000:
            text = clean_line(as_text(value))[:20]
            raise ValidationError(f"「{text}」不是 0 到 100 的百分比，请写成 30 或 2.5 %。")
        return points

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> str | None:
        if value is None:
            return None
        whole, rest = divmod(value, 100)
        return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)


class Share(Reading):
    """A part of the whole as a fraction (`2/3`) or per cent (`40 %`); kept as a fraction in lowest terms."""

    def __init__(self, most: int = 1, **more: Any) -> None:
        self.most = most
        super().__init__(**more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        text = _plain(value)
        found, percent = _SHARE.fullmatch(text), _PERCENT.fullmatch(text)
        part = Fraction(-1)
        if found and int(found[2]):
            part = Fraction(int(found[1]), int(found[2]))
        elif percent and text.endswith("%"):
            part = Fraction(percent[1]) / 100
        elif text == "1":
            part = Fraction(1)
        if not 0 <= part <= self.most:
            raise ValidationError(f"「{clean_line(text)[:20]}」不是份额，请写成 2/3 或 40 %。")
        return f"{part.numerator}/{part.denominator}"


class MonthDay(Reading):
    """A day of every year (`07-01`, `7月1日`); the value is `07-01`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        text = _plain(value)
        found = _MONTH_DAY.fullmatch(text)
        try:
            if not found:
                raise ValueError
            day = date(2000, int(found[1]), int(found[2]))
        except ValueError:
            raise ValidationError(
                f"「{clean_line(text)[:20]}」不是日期，请写成 07-01 或 7月1日。"
            ) from None
        return f"{day.month:02}-{day.day:02}"


class Code(Choice):
    """One of a list; shown and kept by its code."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> Any:
        return value


class Codes(Choices):
    """Several of a list; shown and kept by their codes. None: open; an empty list: none at all."""

    def deserialize(self, value: Any, attr: Any = None, data: Any = None, **more: Any) -> Any:
        return [] if value == [] else super().deserialize(value, attr, data, **more)

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> Any:
        return value


class Flag(YesNo):
    """是 or 否; shown and kept as true or false."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> Any:
        return value


class Row(Schema):
    """Base of the rows of a content."""

    class Meta:
        unknown = EXCLUDE


def amounts_by(labels: Mapping[str, str], what: str) -> fields.Nested:
    """One amount for each code of a list."""
    schema = Row.from_dict(
        {code: Yuan(metadata={"label": f"{label}{what}"}) for code, label in labels.items()}
    )
    return fields.Nested(schema, allow_none=True, metadata={"label": what})


def rows(schema: type[Schema], most: int, label: str) -> fields.List:
    """A list of rows, at most so many."""

    def few(found: list[Any]) -> None:
        if len(found) > most:
            raise ValidationError(f"最多 {most} 行。")

    return fields.List(
        fields.Nested(schema), validate=few, allow_none=True, metadata={"label": label}
    )


class BandSchema(Row):
    """A band. from_fen: where it begins, the end of the one before if blank; upto_fen blank: no end."""

    from_fen = Yuan(metadata={"label": "起"})
    upto_fen = Yuan(metadata={"label": "止"})
    rate_bp = Percent(metadata={"label": "补助比例（%）"})
    rate_max_bp = Percent(metadata={"label": "最高比例（%）"})


class ServiceSchema(Row):
    """A service of the catalogue."""

    code = Line(40, required=True, metadata={"label": "代码"})
    label = Line(100, required=True, metadata={"label": "服务名称"})
    rate_bp = Percent(metadata={"label": "补助比例（%）", "note": "办法写明确切比例的填这里"})
    rate_max_bp = Percent(metadata={"label": "最高比例（%）", "note": "办法写“不超过”的填这里"})
    bands = rows(BandSchema, 10, "分档")
    band_mode = Code(BAND_MODES, metadata={"label": "分档算法"})
    cap_fen = Yuan(metadata={"label": "单项上限"})
    unit_cap_fen = Yuan(metadata={"label": "每单位上限"})
    unit = Line(10, metadata={"label": "单位", "note": "如 人、件"})
    source = Line(300, metadata={"label": "出处"})


class PayerSchema(Row):
    """Who bears the money: the buyer's or the provider's place, or a place by its code."""

    payer = Line(
        20, required=True, metadata={"label": "出资方", "note": "、".join(PAYERS.values())}
    )
    label = Line(60, metadata={"label": "名称"})
    share = Share(metadata={"label": "分担份额"})
    share_max_bp = Percent(metadata={"label": "最高分担（%）"})
    rate_max_bp = Percent(metadata={"label": "最高承担费用的（%）"})
    cap_year_fen = Yuan(metadata={"label": "年度承担上限"})


class TopUpSchema(Row):
    """What another payer adds on top. ratio: 1 for 1:1."""

    payer = Line(20, required=True, metadata={"label": "出资方"})
    label = Line(60, metadata={"label": "名称"})
    ratio = Share(10, metadata={"label": "配套比例", "note": "1:1 写 1"})


class AwardSchema(Row):
    """What providers are awarded beside the price."""

    rate_bp = Percent(metadata={"label": "奖励比例（%）"})
    rate_max_bp = Percent(metadata={"label": "最高奖励比例（%）"})
    cap_year_fen = Yuan(metadata={"label": "奖励年度上限"})
    words = Line(200, metadata={"label": "奖励说明"})


class BudgetSchema(Row):
    """The budget of a year."""

    year = Whole(2000, 2200, required=True, metadata={"label": "年度"})
    amount_fen = Yuan(required=True, metadata={"label": "年度预算"})


class WindowSchema(Row):
    """Days of each year between which something is accepted, both included."""

    opens = MonthDay(required=True, metadata={"label": "开始"})
    closes = MonthDay(required=True, metadata={"label": "截止"})


class StepSchema(Row):
    """A level of the review chain. days and unit: time limit, where the sheet gives one."""

    level = Code(REVIEW_LEVELS, required=True, metadata={"label": "审核层级"})
    label = Line(60, metadata={"label": "审核单位"})
    days = Whole(1, 365, metadata={"label": "审核时限"})
    unit = Code(DAY_UNITS, metadata={"label": "时限单位"})


class SetsSchema(Row):
    """What a way to read the sheet sets, in the scheme or in all its services."""

    rate_bp = Percent(metadata={"label": "补助比例（%）"})
    rate_max_bp = Percent(metadata={"label": "最高比例（%）"})
    band_mode = Code(BAND_MODES, metadata={"label": "分档算法"})
    payer_model = Code(PAYER_MODELS, metadata={"label": "兑付方式"})
    reserve_at = Code(RESERVE_AT, metadata={"label": "占用额度的时点"})
    claims_without_voucher = Flag(metadata={"label": "可不申领直接兑付"})
    roster_year = Code(ROSTER_YEARS, metadata={"label": "名单年度"})
    cap_scope = Code(CAP_SCOPES, metadata={"label": "上限的口径"})
    cap_claim_fen = Yuan(metadata={"label": "单次兑付上限"})
    cap_year_fen = Yuan(metadata={"label": "年度上限"})
    validity_starts = Code(STARTS, metadata={"label": "有效期起算"})
    rounding_unit = Code(ROUNDING_UNITS, metadata={"label": "取整单位"})
    rounding_mode = Code(ROUNDING_MODES, metadata={"label": "取整方法"})


class OptionSchema(Row):
    """One way to read a passage."""

    code = Line(40, required=True, metadata={"label": "代码"})
    label = Line(100, required=True, metadata={"label": "读法"})
    sets = fields.Nested(SetsSchema, allow_none=True, metadata={"label": "含义"})


class ReadingSchema(Row):
    """A passage that can be read in several ways, and the office's choice."""

    code = Line(40, required=True, metadata={"label": "代码"})
    question = Line(300, required=True, metadata={"label": "问题"})
    options = rows(OptionSchema, 6, "读法")
    chosen = Line(40, metadata={"label": "选定的读法"})
    source = Line(300, metadata={"label": "出处"})


class SourceSchema(Row):
    """Where fields come from. fields_: names of the fields; read_on: the day it was read."""

    fields_ = fields.List(
        Line(40), data_key="fields", attribute="fields", metadata={"label": "要素"}
    )
    words = Line(300, required=True, metadata={"label": "出处"})
    url = Line(300, metadata={"label": "网址"})
    read_on = Day(metadata={"label": "查阅日期"})
