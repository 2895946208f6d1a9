"""What programs send and are answered about calls and answers."""

from __future__ import annotations

from marshmallow import fields, validate

from market.core.api_schemas import Answer, Input, ListAnswer, Query, page_number, per_page
from market.core.fields import Day, LongText
from market.core.money import HIGHEST_FEN
from market.core.pagination import ROWS_PER_PAGE
from market.matching.calls import rules
from market.matching.calls.models import ANSWER_STATES, STATES


class CallQuery(Query):
    """Which calls or answers."""

    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class CallRowSchema(Answer):
    """A call."""

    no = fields.String(metadata={"example": "JB2026000001"})
    state = fields.String(metadata={"enum": list(STATES)})
    state_label = fields.String(metadata={"example": "揭榜中"})
    demand = fields.String(metadata={"description": "需求的编号", "example": "XQ2026000001"})
    title = fields.String()
    owner = fields.String(metadata={"description": "需求方"})
    deadline = fields.Date(metadata={"description": "截止日，当天 24:00（北京时间）"})
    conditions = fields.String(allow_none=True, metadata={"description": "补充条件"})
    shows_result = fields.Boolean(metadata={"description": "选定后公开结果"})
    wants_notice = fields.Boolean(metadata={"description": "选定前先公示"})
    notice = fields.String(
        allow_none=True, metadata={"description": "结果公示的编号", "example": "GS2026000001"}
    )
    decision = fields.String(allow_none=True, metadata={"description": "选定或流榜的理由"})
    lock_version = fields.Integer(metadata={"description": "第几次改动，同 ETag"})
    url = fields.String(metadata={"description": "本站页面"})


class CallListSchema(ListAnswer):
    """Calls found."""

    items = fields.List(fields.Nested(CallRowSchema))


class CallAnswerSchema(Answer):
    """An answer as it was sent last."""

    no = fields.String(metadata={"example": "YD0123456789"})
    call = fields.String(metadata={"example": "JB2026000001"})
    state = fields.String(metadata={"enum": list(ANSWER_STATES)})
    state_label = fields.String()
    organisation = fields.String(metadata={"description": "应答单位"})
    version = fields.Integer(metadata={"description": "最后发送的是第几版，0 为没有发送"})
    approach = fields.String(allow_none=True, metadata={"description": "技术方案"})
    price_fen = fields.Integer(allow_none=True, metadata={"description": "报价，null 为面议"})
    months = fields.Integer(allow_none=True, metadata={"description": "所需时间（月）"})
    team = fields.String(allow_none=True, metadata={"description": "团队与基础"})
    sent_at = fields.DateTime(allow_none=True)
    ties = fields.List(fields.String(), metadata={"description": "两家单位可能的关联"})
    lock_version = fields.Integer(metadata={"description": "第几次改动，同 ETag"})
    url = fields.String(metadata={"description": "本站页面"})


class CallAnswerListSchema(ListAnswer):
    """Answers found."""

    items = fields.List(fields.Nested(CallAnswerSchema))


class CallContent(Input):
    """What a draft of a call says."""

    deadline = Day(required=True, metadata={"description": "截止日", "example": "2026-12-31"})
    conditions = LongText(rules.LONGEST_CONDITIONS, metadata={"description": "补充条件"})
    shows_result = fields.Boolean(load_default=False, metadata={"description": "公开结果"})
    wants_notice = fields.Boolean(
        load_default=False, metadata={"description": "选定前先公示结果；结果随之公开"}
    )


class NewCall(CallContent):
    """A call to begin."""

    demand = fields.String(required=True, metadata={"example": "XQ2026000001"})


class CallAct(Input):
    """An act on a call."""

    action = fields.String(
        required=True,
        validate=validate.OneOf(rules.ACTIONS, error=f"应为 {'、'.join(rules.ACTIONS)} 之一。"),
        metadata={
            "description": "open 发布；extend 延长截止日；choose 选定（要公示的为拟选定，公示随之"
            "起草）；confirm 公示后确定结果；rechoose 重新选定；fail 流榜；finish 办结（需求"
            "随之已解决）；withdraw 撤回"
        },
    )
    reason = LongText(
        rules.LONGEST_REASON, metadata={"description": "choose、rechoose、fail、withdraw 必填"}
    )
    deadline = Day(metadata={"description": "extend：新的截止日"})
    answers = fields.List(
        fields.String(),
        metadata={"description": "choose：应答的编号"},
        validate=validate.Length(max=200),
    )
    shows_price = fields.Boolean(
        load_default=False, metadata={"description": "choose：公示中写明报价"}
    )


class CallAnswerContent(Input):
    """What an answer says."""

    approach = LongText(rules.LONGEST_APPROACH, required=True, metadata={"description": "技术方案"})
    price_fen = fields.Integer(
        strict=True,
        allow_none=True,
        validate=validate.Range(0, HIGHEST_FEN, error="应为不小于 0 的整数，单位分。"),
        metadata={"description": "报价，单位分；不写为面议"},
    )
    months = fields.Integer(
        strict=True,
        required=True,
        validate=validate.Range(1, rules.LONGEST_MONTHS, error="应为 1 到 120 的整数。"),
        metadata={"description": "所需时间（月）"},
    )
    team = LongText(rules.LONGEST_TEAM, required=True, metadata={"description": "团队与基础"})


class NewCallAnswer(CallAnswerContent):
    """An answer to send, or to keep until its files are there."""

    call = fields.String(required=True, metadata={"example": "JB2026000001"})
    draft = fields.Boolean(
        load_default=False,
        metadata={"description": "先存草稿，不发送：添好附件再用 editCallAnswer 发送"},
    )
