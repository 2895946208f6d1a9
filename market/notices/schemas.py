"""What forms and programs send about notices, objections and announcements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from market.core.fields import Choice, Day, Line, LongText, Whole, YesNo
from market.core.languages import translate as _
from market.core.reading import Reading, as_text
from market.notices.models import FINDINGS, HELD, KINDS, OUTCOMES
from market.notices.rules import MOST_DAYS, RULE_SETS, UNITS, telephone_of

MOST_FIELDS = 12  # fields of a notice's content
LONGEST_LABEL, LONGEST_TEXT = 40, 4000
LONGEST_OBJECTION = 2000
LONGEST_ANNOUNCEMENT = 10_000
# With what labels a notice begins; 浙江 art. 17 names those of a price.
FIRST_LABELS = {
    "price": (
        "成果名称",
        "内容摘要",
        "转化方式",
        "拟交易价格",
        "拟受让方（被许可方）",
        "受让方是否为完成人或利害关系人",
    ),
    "reward": ("成果名称", "合同及到账金额", "净收入的计算", "奖励总额", "奖励人员与分配"),
    "challenge_list": ("榜单名称", "需求单位", "技术难题与指标", "榜额", "揭榜条件"),
    "challenge_result": ("榜单名称", "需求单位", "揭榜单位", "选定理由"),
    "voucher": ("创新券办法", "批次", "单位与金额"),
    "other": ("公示内容",),
}


class Telephone(Reading):
    """A telephone number."""

    knows_nothing = False

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        found = telephone_of(as_text(value))
        if found is None:
            raise ValidationError(_("请写 11 位手机号，或带区号的座机（如 028-38160000）。"))
        return found


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


def _need(sent: Mapping[str, Any], sentences: Mapping[str, str]) -> None:
    """Refuse what came empty; what came and is wrong has its own message. Raises."""
    messages = {name: [words] for name, words in sentences.items() if not sent.get(name)}
    if messages:
        raise ValidationError(messages)


class NewSchema(_Form):
    """A new draft."""

    kind = Choice(KINDS)
    title = Line(200)
    owner = Line(20)  # the number of the organisation, where one acts for several

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, _values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """Kind and title."""
        _need(sent, {"kind": "请选择公示什么。", "title": "请写标题，例如：××技术转让价格公示。"})


class DraftFields(_Form):
    """A draft as it is saved: anything may still be missing."""

    title = Line(200)
    held = Choice(HELD)
    days = Whole(1, MOST_DAYS)
    unit = Choice(UNITS)
    rule = Choice({code: one.label for code, one in RULE_SETS.items()})
    place = Line(300)
    start_on = Day()
    end_on = Day()
    own_place = Line(300)
    others = LongText(2000)
    contact_name = Line(60)
    contact_telephone = Line(60)
    contact_address = Line(300)
    anonymous_ok = YesNo()
    version = Whole(1, 10**9)
    then = Line(10)  # which button


# The same with its content in numbered pairs of label and text.
DraftSchema = type(
    "DraftSchema",
    (DraftFields,),
    {
        name: field
        for n in range(1, MOST_FIELDS + 1)
        for name, field in (
            (f"label_{n}", Line(LONGEST_LABEL)),
            (f"text_{n}", LongText(LONGEST_TEXT)),
        )
    },
)


def content_of(values: Mapping[str, Any]) -> list[list[str]]:
    """The content from numbered pairs; pairs without label and text are dropped."""
    pairs = [
        [values.get(f"label_{n}") or "", values.get(f"text_{n}") or ""]
        for n in range(1, MOST_FIELDS + 1)
    ]
    return [pair for pair in pairs if any(pair)]


class StartSchema(_Form):
    """Start it. provisional_ok: he knows that the last day may move."""

    provisional_ok = YesNo()
    version = Whole(1, 10**9)


class ActSchema(_Form):
    """Any other act; the reason where one is asked for."""

    reason = LongText(1000)
    version = Whole(1, 10**9)
    seen = Whole(1, 10**9)


class OutcomeSchema(_Form):
    """How the notice came out."""

    outcome = Choice(OUTCOMES)
    text = LongText(2000)
    version = Whole(1, 10**9)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """An outcome; where there were objections, also what came of them."""
        _need(sent, {"outcome": "请选择公示结果。"})
        if values.get("outcome") in {"dismissed", "upheld"}:
            _need(sent, {"text": "请写明异议的处理情况，会公开。"})


class AnswerSchema(_Form):
    """The owner's answer to an objection."""

    finding = Choice(FINDINGS)
    answer = LongText(2000)
    published = LongText(2000)
    version = Whole(1, 10**9)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, _values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """Finding and answer."""
        sentences = {
            "finding": "请选择异议是否成立。",
            "answer": "请写明理由，提出异议的人会看到。",
        }
        _need(sent, sentences)


class ReasonSchema(_Form):
    """Why."""

    reason = LongText(1000)


class ObjectionSchema(_Form):
    """An objection of somebody with or without an account."""

    text = LongText(LONGEST_OBJECTION)
    anonymous = YesNo()
    name = Line(30)
    telephone = Telephone()
    consent = YesNo()
    # People do not see this field; what fills in every field gives itself away.
    website = Line(200)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """What one objects to must be said; who one is, the service asks."""
        if sent.get("website"):
            raise ValidationError({"website": [_("请把这一格清空：它是用来识别自动程序的。")]})
        _need(sent, {"text": _("请写明对哪一项有异议、理由是什么，便于核实。")})


class AnnouncementSchema(_Form):
    """An announcement."""

    title = Line(200)
    text = LongText(LONGEST_ANNOUNCEMENT)
    version = Whole(1, 10**9)
    then = Line(10)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, _values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """Title and text."""
        _need(sent, {"title": "请写标题。", "text": "请写正文。"})


class ListForm(_Form):
    """What the public list is asked for; what makes no sense is passed over."""

    tab = Choice({"running": "公示中", "ended": "已结束", "announcements": "公告"})
    kind = Choice(KINDS)
    region = Line(12)
    q = Line(60)
    page = Whole(1, 9999)
