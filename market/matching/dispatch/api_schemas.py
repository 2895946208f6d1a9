"""What programs send and are answered about dispatches."""

from __future__ import annotations

from marshmallow import fields, validate

from market.catalogue.intake.schemas import Telephone
from market.core.api_schemas import Answer, Input, ListAnswer, Query, Text, page_number, per_page
from market.core.fields import Day, Line, LongText
from market.core.pagination import ROWS_PER_PAGE
from market.matching.dispatch.models import (
    ANSWERS,
    LINE_KINDS,
    MOST_DAYS,
    MOST_RECIPIENTS,
    OUTCOMES,
    STATES,
)
from market.matching.dispatch.rules import LABELS
from market.matching.dispatch.schemas import LONGEST

ACTIONS = ("talk", "miss", "withdraw")


class DispatchQuery(Query):
    """Which dispatches."""

    side = Text(
        10,
        load_default="",
        metadata={"description": "received：本单位收到的；area：本地区的；不写为两者"},
    )
    state = Text(12, load_default="", metadata={"description": "状态代码", "example": "sent"})
    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class PartSchema(Answer):
    """A part of a score."""

    code = fields.String(metadata={"enum": list(LABELS)})
    points = fields.Integer()
    words = fields.String(metadata={"example": "胀袋、复合调味"})


class DispatchSchema(Answer):
    """A dispatch in a list."""

    no = fields.String(metadata={"example": "TJ2026000001"})
    side = fields.String(
        metadata={"description": "本单位是哪一方", "enum": ["recipient", "office"]}
    )
    state = fields.String(metadata={"enum": list(STATES)})
    state_label = fields.String(metadata={"description": "状态名称", "example": "待对方答复"})
    demand_no = fields.String(metadata={"example": "XQ2026000001"})
    title = fields.String(metadata={"description": "推荐时那项需求的名称"})
    recipient = fields.String(metadata={"description": "推荐给谁"})
    recipient_no = fields.String(metadata={"example": "DW2026000001"})
    sent_by = fields.String(metadata={"description": "谁推荐的"})
    words = fields.String(allow_none=True, metadata={"description": "给对方的话"})
    due = fields.Date(metadata={"description": "请对方在哪天以前答复"})
    answer = fields.String(allow_none=True, metadata={"description": "对方的话"})
    answered_on = fields.Date(allow_none=True)
    late = fields.Boolean(metadata={"description": "是否迟答"})
    recorded = fields.Boolean(metadata={"description": "是否由科技管理部门代录"})
    referral = fields.String(allow_none=True, metadata={"description": "另荐谁"})
    next_call = fields.Date(allow_none=True, metadata={"description": "下次联系，只给科技管理部门"})
    outcome = fields.String(allow_none=True, metadata={"enum": [*OUTCOMES, None]})
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    url = fields.String(metadata={"description": "本站页面"})


class DispatchListSchema(ListAnswer):
    """Dispatches found."""

    items = fields.List(fields.Nested(DispatchSchema))


class DispatchLineSchema(Answer):
    """A line of the log."""

    kind = fields.String(metadata={"enum": list(LINE_KINDS)})
    day = fields.Date()
    person_shown = fields.String(allow_none=True, metadata={"description": "联系了谁，已遮盖"})
    text = fields.String()
    next_call = fields.Date(allow_none=True)
    by = fields.String()
    at = fields.DateTime()


class DispatchActionSchema(Answer):
    """What may be done now."""

    action = fields.String(metadata={"example": "talk"})
    label = fields.String(metadata={"description": "按钮上的字", "example": "开始洽谈"})
    url = fields.String(metadata={"description": "向这里 POST"})
    needs_reason = fields.Boolean()


class DispatchCaseSchema(DispatchSchema):
    """A dispatch with its points, its log and what may be done with it."""

    lock_version = fields.Integer(metadata={"description": "第几次改动，同 ETag"})
    score = fields.Integer(allow_none=True, metadata={"description": "只给科技管理部门"})
    parts = fields.List(fields.Nested(PartSchema))
    contact_shown = fields.String(allow_none=True, metadata={"description": "找谁联系，已遮盖"})
    outcome_text = fields.String(allow_none=True)
    lines = fields.List(fields.Nested(DispatchLineSchema))
    actions = fields.List(fields.Nested(DispatchActionSchema))


class DispatchProposalSchema(Answer):
    """Somebody to whom a demand may be sent."""

    no = fields.String()
    name = fields.String()
    kind = fields.String(metadata={"example": "高校院所"})
    place = fields.String()
    reachable = fields.Boolean(metadata={"description": "能否在本站答复；否则打电话代录"})
    score = fields.Integer(metadata={"description": "各部分之和"})
    parts = fields.List(fields.Nested(PartSchema))
    listings = fields.List(fields.String(), metadata={"description": "对路成果的编号"})


class DispatchProposalListSchema(ListAnswer):
    """Those whom the search proposes."""

    items = fields.List(fields.Nested(DispatchProposalSchema))


class RecommendationSchema(Answer):
    """An own demand was sent to somebody."""

    recipient = fields.String(metadata={"description": "推荐给谁"})
    recipient_no = fields.String(metadata={"description": "单位或专家的编号；不公开的专家为空"})
    state = fields.String(metadata={"enum": list(STATES)})
    state_label = fields.String(metadata={"description": "状态名称", "example": "有意向"})
    sent_on = fields.Date()
    due = fields.Date(metadata={"description": "最迟哪天答复"})
    answered_on = fields.Date(allow_none=True)
    late = fields.Boolean(metadata={"description": "过了时限才答复"})
    answer = fields.String(allow_none=True, metadata={"description": "对方的话"})
    referral = fields.String(allow_none=True, metadata={"description": "另荐谁"})


class RecommendationListSchema(ListAnswer):
    """To whom an own demand was sent."""

    items = fields.List(fields.Nested(RecommendationSchema))


class NewDispatches(Input):
    """To whom a demand goes."""

    to = fields.List(
        fields.String(),
        required=True,
        validate=validate.Length(1, MOST_RECIPIENTS, error=f"应为 1 到 {MOST_RECIPIENTS} 个编号。"),
        metadata={"description": "单位或专家的编号"},
    )
    days = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, MOST_DAYS, error=f"应为 1 到 {MOST_DAYS} 的整数。"),
        metadata={"description": "几个工作日内答复"},
    )
    words = LongText(LONGEST, metadata={"description": "给对方的话"})


class SentSchema(Answer):
    """What was sent."""

    dispatches = fields.List(fields.String(), metadata={"description": "推荐对接的编号"})


class NewAnswer(Input):
    """An answer."""

    answer = fields.String(
        required=True,
        validate=validate.OneOf(list(ANSWERS), error="应为 interested、declined 或 referred。"),
        metadata={"description": "interested 有意向；declined 不对口；referred 另荐他人"},
    )
    text = LongText(LONGEST, metadata={"description": "有意向、不对口必填"})
    contact = Line(30, metadata={"description": "找谁联系；有意向必填"})
    telephone = Telephone(metadata={"description": "电话；有意向必填"})
    referral = Line(200, metadata={"description": "另荐的单位（编号、信用代码或名称）或专家"})
    day = Day(metadata={"description": "代录时：对方哪天答复的"})


class NewLine(Input):
    """A line of the log."""

    kind = fields.String(
        required=True,
        validate=validate.OneOf(list(LINE_KINDS), error=f"应为 {'、'.join(LINE_KINDS)} 之一。"),
        metadata={"description": "call 电话；message 微信或短信；visit 走访；note 备注"},
    )
    text = LongText(LONGEST, required=True, metadata={"description": "说了什么"})
    day = Day(metadata={"description": "哪天；不写为今天"})
    contact = Line(30, metadata={"description": "联系了谁"})
    telephone = Telephone(metadata={"description": "电话"})
    next_call = Day(metadata={"description": "下次联系"})


class DispatchOutcome(Input):
    """What came of it."""

    outcome = fields.String(
        required=True,
        validate=validate.OneOf(list(OUTCOMES), error="应为 matched 或 failed。"),
        metadata={"description": "matched 已对接；failed 未成"},
    )
    text = LongText(LONGEST, required=True, metadata={"description": "对接成什么，或为什么没成"})


class DispatchAct(Input):
    """One of the other actions."""

    action = fields.String(
        required=True,
        validate=validate.OneOf(ACTIONS, error=f"应为 {'、'.join(ACTIONS)} 之一。"),
        metadata={"description": "talk 开始洽谈；miss 记为未答复；withdraw 撤回推荐"},
    )
    reason = LongText(1000, metadata={"description": "原因，withdraw 必填"})


class DispatchReason(Input):
    """Why."""

    reason = LongText(300, metadata={"description": "为什么要看，必填"})


class DispatchContactSchema(Answer):
    """Whom to ask, in full."""

    name = fields.String(metadata={"description": "没有时为空"})
    telephone = fields.String(metadata={"description": "没有时为空"})


class NewEscalation(Input):
    """Why a demand is passed up."""

    words = LongText(
        LONGEST, required=True, metadata={"description": "已经做了什么，想请对方做什么"}
    )


class EscalationSchema(Answer):
    """What was passed up."""

    no = fields.String(metadata={"example": "SB2026000001"})
    url = fields.String()
