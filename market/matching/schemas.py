"""What forms and programs send about inquiries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from market.core.fields import Choice, Line, LongText, Whole, YesNo, Yuan
from market.core.languages import N_
from market.core.languages import translate as _
from market.core.reading import Reading, as_text
from market.matching.models import OUTCOMES
from market.matching.rules import reachable

LONGEST_NEED = 1000  # characters: two or three sentences, and room to spare
LONGEST_MESSAGE = 2000


class Reachable(Reading):
    """A telephone number or an e-mail address."""

    knows_nothing = False

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        found = reachable(as_text(value))
        if found is None:
            raise ValidationError(
                _("请写 11 位手机号、带区号的座机（如 028-38160000）或邮箱，只写一个。")
            )
        return found


def _absent(sent: Mapping[str, Any], sentences: Mapping[str, str]) -> dict[str, list[str]]:
    """Messages for the fields that came empty; what came and is wrong has its own message."""
    return {name: [words] for name, words in sentences.items() if not sent.get(name)}


def _refuse(messages: dict[str, list[str]]) -> None:
    if messages:
        raise ValidationError(messages)


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


class NeedSchema(_Form):
    """What one needs, and when to be reached: all that somebody signed in is asked."""

    text = LongText(LONGEST_NEED, metadata={"label": N_("想解决什么？")})
    reach = Line(100, metadata={"label": N_("什么时候方便联系")})
    asker = Line(20)  # the number of the organisation that asks, where one has several
    firm = Line(100, metadata={"label": N_("单位或合作社")})

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, _values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """What one needs must be said."""
        _refuse(_absent(sent, {"text": _("请用两三句话写明想解决什么，对方才好答复。")}))


class VisitorSchema(_Form):
    """What a visitor fills in."""

    name = Line(30, metadata={"label": N_("怎么称呼您")})
    firm = Line(100, metadata={"label": N_("单位或合作社")})
    contact = Reachable(metadata={"label": N_("电话或邮箱")})
    text = LongText(LONGEST_NEED, metadata={"label": N_("想解决什么？")})
    reach = Line(100, metadata={"label": N_("什么时候方便联系")})
    consent = YesNo()
    # People do not see this field; what fills in every field gives itself away.
    website = Line(200)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """Without these nobody can answer."""
        sentences = {
            "name": _("请写怎么称呼您，例如：张先生。"),
            "contact": _("请留一个电话或邮箱，不然对方联系不到您。"),
            "text": _("请用两三句话写明想解决什么，对方才好答复。"),
        }
        messages = _absent(sent, sentences)
        if values.get("consent") is not True:
            messages["consent"] = [_("要勾选同意，我们才能把您的联系方式交给对方。")]
        if sent.get("website"):
            messages["website"] = [_("请把这一格清空：它是用来识别自动程序的。")]
        _refuse(messages)


class MessageSchema(_Form):
    """A word in a thread. version: of the case as the writer saw it."""

    text = LongText(LONGEST_MESSAGE)
    version = Whole(1, 10**9)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, _values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """An empty message says nothing."""
        _refuse(_absent(sent, {"text": _("请写点什么再发送。")}))


class OutcomeSchema(_Form):
    """How it ended."""

    outcome = Choice(OUTCOMES)
    outcome_with = Line(200)
    amount = Yuan()
    version = Whole(1, 10**9)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """An outcome is needed; solved elsewhere, also with whom."""
        messages = _absent(sent, {"outcome": _("请选择结果。")})
        if values.get("outcome") == "elsewhere" and not sent.get("outcome_with"):
            messages["outcome_with"] = [_("请写明与谁解决的（单位或个人）。")]
        if values.get("outcome") == "unsolved" and sent.get("amount"):
            messages["amount"] = [_("没有解决的不用填金额，请清空。")]
        _refuse(messages)


class ReasonSchema(_Form):
    """Why."""

    reason = LongText(1000)
    version = Whole(1, 10**9)


class AssignSchema(_Form):
    """To whom a case is given within the organisation; nobody when empty."""

    person = Whole(1, 10**12)


class TemplateSchema(_Form):
    """A reply template; with `id` one that is there is changed."""

    title = Line(40)
    text = LongText(LONGEST_MESSAGE)
    id = Whole(1, 10**12)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, _values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """Both are needed."""
        sentences = {
            "title": "请写一个短标题，挑选时认得出。",
            "text": "请写模板的内容。",
        }
        _refuse(_absent(sent, sentences))
