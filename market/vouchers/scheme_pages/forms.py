"""Short forms of an office's pages."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema

from market.core.fields import Day, Line, LongText, Whole, Yuan
from market.vouchers.schemas import Percent


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


class BeginForm(_Form):
    """Beginning a scheme."""

    region = Line(12, metadata={"label": "地区"})
    base = Line(80, metadata={"label": "从哪里开始"})
    title = Line(200, metadata={"label": "办法名称"})


class CopyForm(_Form):
    """Writing the next version from an older one."""

    version = Whole(1, 10_000, required=True, metadata={"label": "版本"})
    seen = Whole(0, 2_000_000_000)


class PublishForm(_Form):
    """Putting the draft in force."""

    effective_from = Day(required=True, metadata={"label": "施行日期"})
    seen = Whole(0, 2_000_000_000)


class ReadingForm(_Form):
    """Choosing how a passage is read."""

    reading = Line(40, required=True, metadata={"label": "问题"})
    option = Line(40, metadata={"label": "读法"})
    seen = Whole(0, 2_000_000_000)


class BudgetForm(_Form):
    """The budget of a year and payer's region."""

    year = Whole(2000, 2200, required=True, metadata={"label": "年度"})
    region = Line(12, metadata={"label": "出资方"})
    amount_fen = Yuan(required=True, metadata={"label": "年度预算"})
    before = Whole(0, 10**15)


class CloseForm(_Form):
    """Taking no more applications, or taking them again."""

    reason = LongText(1000, required=True, metadata={"label": "原因"})


def rates_form(keys: list[str]) -> Schema:
    """A rate for each of the keys; blank ones are not decided."""
    made: type[Schema] = _Form.from_dict(
        {f"rate-{key}": Percent(metadata={"label": "审定比例（%）"}) for key in keys}
    )
    return made()
