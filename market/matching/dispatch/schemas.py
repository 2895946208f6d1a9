"""What forms and programs send about dispatches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from market.catalogue.intake.schemas import Telephone
from market.core.fields import Choice, Day, Line, LongText, Whole, Words
from market.matching.dispatch.models import (
    ANSWERS,
    LINE_KINDS,
    MOST_DAYS,
    MOST_RECIPIENTS,
    OUTCOMES,
)

LONGEST = 1000  # characters of an answer, of what was said


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


def _refuse(sent: Mapping[str, Any], sentences: Mapping[str, str]) -> None:
    """Messages for the fields that came empty; what came and is wrong has its own message."""
    messages = {name: [words] for name, words in sentences.items() if not sent.get(name)}
    if messages:
        raise ValidationError(messages)


class SendSchema(_Form):
    """To whom a demand goes, and by when the recipients should answer."""

    to = Words(MOST_RECIPIENTS, longest=20)
    days = Whole(1, MOST_DAYS)
    words = LongText(LONGEST)
    # What the clerk looks for by hand; the button 查找 finds instead of sending.
    q = Line(100)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, _values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """Somebody, and a number of days."""
        _refuse(
            sent,
            {
                "to": "请至少选一家：勾选下面的建议，或按名称查找添加。",
                "days": f"请写几个工作日内答复，1 到 {MOST_DAYS}。",
            },
        )


class AnswerSchema(_Form):
    """What a recipient answers."""

    answer = Choice(ANSWERS)
    text = LongText(LONGEST)
    contact = Line(30)
    telephone = Telephone()
    referral = Line(200)
    version = Whole(1, 10**9)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """What each of the three answers needs."""
        _refuse(sent, {"answer": "请选择：有意向、不对口，或另荐他人。"} | self.wanted(values))

    def wanted(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Sentences by field for what the chosen answer needs."""
        return {
            "interested": {
                "text": "请写两三句：能做什么、大约多久、还要了解什么。",
                "contact": "请写找谁联系。",
                "telephone": "请留一个电话，好接着谈。",
            },
            "declined": {"text": "请写为什么不对口，下次少打扰您。"},
            "referred": {"referral": "请写推荐哪家单位或哪位专家。"},
        }.get(values.get("answer", ""), {})


class RecordedSchema(AnswerSchema):
    """The same, written down by a clerk who was told it; `day`: when."""

    day = Day()

    def wanted(self, values: Mapping[str, Any]) -> dict[str, str]:
        """He knows how to reach who told him."""
        found = super().wanted(values)
        return {name: words for name, words in found.items() if name in {"text", "referral"}}


class LineSchema(_Form):
    """A line of a log."""

    kind = Choice(LINE_KINDS)
    day = Day()
    contact = Line(30)
    telephone = Telephone()
    text = LongText(LONGEST)
    next_call = Day()

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, _values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """How, and what was said."""
        _refuse(sent, {"kind": "请选择怎样联系的。", "text": "请写说了什么、约定了什么。"})


class CloseSchema(_Form):
    """What came of it."""

    outcome = Choice(OUTCOMES)
    text = LongText(LONGEST)
    version = Whole(1, 10**9)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """The outcome; the words for it in any case: they are the proof where there is no file."""
        failed = values.get("outcome") == "failed"
        words = "请写为什么没有成。" if failed else "请写对接成什么，如签了什么、约定了什么。"
        _refuse(sent, {"outcome": "请选择结果。", "text": words})


class ActSchema(_Form):
    """An act with perhaps a reason."""

    reason = LongText(1000)
    version = Whole(1, 10**9)


class UnmaskSchema(_Form):
    """Which person, and why he is looked at; `line`: of a line of the log."""

    reason = Line(300)
    line = Whole(1, 10**9)


class WordsSchema(_Form):
    """Words to another office."""

    words = LongText(LONGEST)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, _values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """They are needed."""
        _refuse(sent, {"words": "请写几句：已经做了什么，想请对方做什么。"})


class OfficerSchema(_Form):
    """Who looks after a firm; nobody when empty."""

    person = Whole(1, 10**12)


class SettingSchema(_Form):
    """The usual number of working days; none when empty."""

    usual = Whole(1, MOST_DAYS)
