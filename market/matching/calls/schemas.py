"""What forms and programs send about calls and answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from market.core import clock
from market.core.fields import Day, Line, LongText, Whole, Words, YesNo, Yuan
from market.matching.calls import rules


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


def refuse_day(deadline: Any) -> None:
    """Refuse a deadline that passed or lies too far off. Raises ValidationError."""
    if deadline is None:
        raise ValidationError({"deadline": ["请写明截止日。"]})
    if deadline < clock.today():
        raise ValidationError({"deadline": ["截止日已经过了，请写今天或以后的日期。"]})
    if deadline > clock.today() + timedelta(days=rules.LONGEST_OPEN):
        raise ValidationError({"deadline": ["截止日最远一年，请改近一些。"]})


class CallSchema(_Form):
    """The deadline and what the demand itself does not say."""

    deadline = Day(metadata={"label": "截止日"})
    conditions = LongText(rules.LONGEST_CONDITIONS, metadata={"label": "补充条件"})
    shows_result = YesNo(metadata={"label": "公开结果"})
    wants_notice = YesNo(metadata={"label": "公示结果"})

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """A call ends on a day that is still to come."""
        if "deadline" in values or not sent.get("deadline"):
            refuse_day(values.get("deadline"))


class ActSchema(_Form):
    """An act on a call: why, until when, which answers."""

    reason = LongText(rules.LONGEST_REASON)
    deadline = Day()
    answers = Words(200)
    shows_price = YesNo()
    seen = Whole(1, 10**9)


class DraftSchema(_Form):
    """An answer as it is typed; nothing is judged yet."""

    organisation = Line(20)


class AnswerSchema(DraftSchema):
    """An answer that is sent."""

    approach = LongText(rules.LONGEST_APPROACH, metadata={"label": "技术方案"})
    price = Yuan(metadata={"label": "报价（元）"})
    months = Whole(1, rules.LONGEST_MONTHS, metadata={"label": "所需时间（月）"})
    team = LongText(rules.LONGEST_TEAM, metadata={"label": "团队与基础"})

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, _values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """What the owner needs to choose by."""
        sentences = {
            "approach": "请写明打算怎么解决。",
            "months": "请写明大约要几个月。",
            "team": "请写明由谁来做、有什么基础。",
        }
        missing = {name: [words] for name, words in sentences.items() if not sent.get(name)}
        if missing:
            raise ValidationError(missing)


TYPED = ("approach", "price", "months", "team")
