"""What programs send and get about intents."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from market.catalogue.models import PRICE_MODES
from market.core.api_schemas import Answer, Input, ListAnswer, Query, Text, page_number, per_page
from market.core.fields import Line, LongText
from market.core.money import HIGHEST_FEN
from market.core.pagination import ROWS_PER_PAGE
from market.matching.intents.models import (
    BASES,
    CLASSES,
    ENDINGS,
    INVITED,
    MODES,
    OUTCOMES,
    OWNERSHIP,
    PARTIES,
    ROLES,
    SIDES,
    SOURCES,
    STATES,
)
from market.matching.intents.rules import (
    ACTIONS,
    INVITATION_ACTIONS,
    LONGEST_MESSAGE,
    LONGEST_WORDS,
    MOST_FILES,
    MOST_PLAN_ROWS,
    WHOLE,
)


def _one_of(choices: Any) -> validate.OneOf:
    return validate.OneOf(list(choices), error=f"应为 {'、'.join(choices)} 之一。")


def _fen(**more: Any) -> fields.Integer:
    """An amount in whole fen."""
    limits = validate.Range(0, HIGHEST_FEN, error="应为不小于 0 的整数，单位分。")
    return fields.Integer(strict=True, validate=limits, metadata={"description": "单位分"}, **more)


class IntentQuery(Query):
    """Which intents."""

    state = Text(10, load_default="", metadata={"description": "状态代码", "example": "talking"})
    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class IntentSchema(Answer):
    """An intent in a list."""

    no = fields.String(metadata={"example": "YX2026000001"})
    side = fields.String(metadata={"description": "本单位是哪一方", "enum": list(SIDES)})
    state = fields.String(metadata={"enum": list(STATES)})
    state_label = fields.String(metadata={"example": "洽谈中"})
    title = fields.String()
    listing_no = fields.String(metadata={"example": "CG2026000001"})
    source_kind = fields.String(metadata={"enum": list(SOURCES)})
    source_no = fields.String(metadata={"example": "DJ2026000001"})
    buyer = fields.String(metadata={"description": "买方名称"})
    seller = fields.String(metadata={"description": "卖方名称"})
    turn = fields.String(metadata={"description": "轮到哪一方", "enum": list(PARTIES)})
    contract_class = fields.String(allow_none=True, metadata={"enum": [*CLASSES, None]})
    ip = fields.String(allow_none=True, metadata={"description": "知识产权"})
    field = fields.String(allow_none=True, metadata={"description": "技术领域"})
    due = fields.Date(allow_none=True, metadata={"description": "办理时限；没有时为 null"})
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    url = fields.String(metadata={"description": "本站页面"})


class IntentListSchema(ListAnswer):
    """Intents found."""

    items = fields.List(fields.Nested(IntentSchema))


class IntentPlanSchema(Answer):
    """A row of the plan of payments."""

    when = fields.String(allow_none=True)
    what = fields.String(allow_none=True)
    fen = fields.Integer()


class IntentFileSchema(Answer):
    """A file of an offer."""

    name = fields.String()
    url = fields.String()


class IntentOfferSchema(Answer):
    """One version of the offers."""

    version = fields.Integer()
    side = fields.String(metadata={"enum": list(PARTIES)})
    author = fields.String()
    at = fields.DateTime()
    transfer_mode = fields.String(metadata={"enum": list(MODES)})
    price_mode = fields.String(metadata={"enum": list(PRICE_MODES)})
    price_min_fen = fields.Integer(allow_none=True)
    price_max_fen = fields.Integer(allow_none=True)
    entry_fen = fields.Integer(allow_none=True)
    royalty_bp = fields.Integer(
        allow_none=True, metadata={"description": "提成比例，万分之几：200 是 2 %"}
    )
    royalty_base = fields.String(allow_none=True, metadata={"enum": [*BASES, None]})
    plan = fields.List(fields.Nested(IntentPlanSchema))
    delivery_on = fields.Date(allow_none=True)
    acceptance = fields.String(allow_none=True)
    ownership = fields.String(allow_none=True, metadata={"enum": [*OWNERSHIP, None]})
    valid_until = fields.Date(allow_none=True)
    words = fields.String(allow_none=True)
    warnings = fields.List(fields.String(), metadata={"description": "请双方核对的地方"})
    files = fields.List(fields.Nested(IntentFileSchema))


class IntentMessageSchema(Answer):
    """A message of the thread."""

    side = fields.String(metadata={"enum": list(SIDES)})
    author = fields.String()
    text = fields.String()
    at = fields.DateTime()


class IntentInvitationSchema(Answer):
    """An invitation."""

    id = fields.Integer()
    organisation = fields.String()
    role = fields.String(metadata={"enum": list(ROLES)})
    by_side = fields.String(metadata={"enum": list(PARTIES)})
    state = fields.String(metadata={"enum": list(INVITED)})
    actions = fields.List(fields.String())


class IntentOutcomeSchema(Answer):
    """What one side said became of it."""

    side = fields.String(metadata={"enum": list(PARTIES)})
    outcome = fields.String(metadata={"enum": list(OUTCOMES)})
    contract_no = fields.String(allow_none=True)
    signed_on = fields.Date(allow_none=True)
    amount_fen = fields.Integer(allow_none=True)
    reason = fields.String(allow_none=True)
    at = fields.DateTime()


class IntentActionSchema(Answer):
    """What may be done now."""

    action = fields.String(metadata={"example": "accept"})
    label = fields.String()
    needs_reason = fields.Boolean()


class IntentCaseSchema(IntentSchema):
    """An intent with all that belongs to it."""

    lock_version = fields.Integer(metadata={"description": "第几次改动，同 ETag"})
    offers = fields.List(fields.Nested(IntentOfferSchema), metadata={"description": "新的在前"})
    messages = fields.List(fields.Nested(IntentMessageSchema))
    invitations = fields.List(fields.Nested(IntentInvitationSchema))
    outcomes = fields.List(fields.Nested(IntentOutcomeSchema))
    agreed = fields.Dict(
        keys=fields.String(), allow_none=True, metadata={"description": "达成意向时定下的全部内容"}
    )
    actions = fields.List(fields.Nested(IntentActionSchema))


class NewIntent(Input):
    """An inquiry, a dispatch or an answer to a call that becomes an intent: exactly one of them."""

    inquiry = fields.String(metadata={"example": "DJ2026000001", "description": "咨询的编号"})
    dispatch = fields.String(metadata={"description": "或推荐对接的编号"})
    answer = fields.String(metadata={"description": "或选定的揭榜应答的编号"})
    side = fields.String(
        required=True, validate=_one_of(PARTIES), metadata={"description": "本单位是哪一方"}
    )
    contract_class = fields.String(validate=_one_of(CLASSES))
    text = LongText(LONGEST_MESSAGE, metadata={"description": "给对方的话"})


class NewIntentPlanRow(Input):
    """A row of the plan of payments."""

    when = Line(60, metadata={"description": "什么时候"})
    what = Line(60, metadata={"description": "付什么"})
    fen = _fen(required=True)


class NewIntentOffer(Input):
    """Terms to propose."""

    transfer_mode = fields.String(required=True, validate=_one_of(MODES))
    price_mode = fields.String(required=True, validate=_one_of(PRICE_MODES))
    price_min_fen = _fen()
    price_max_fen = _fen()
    entry_fen = _fen()
    royalty_bp = fields.Integer(
        strict=True,
        validate=validate.Range(1, WHOLE, error="应为 1 到 10000 的整数，单位万分之一。"),
        metadata={"description": "提成比例，万分之几：200 是 2 %"},
    )
    royalty_base = fields.String(validate=_one_of(BASES))
    plan = fields.List(
        fields.Nested(NewIntentPlanRow),
        validate=validate.Length(max=MOST_PLAN_ROWS, error=f"最多 {MOST_PLAN_ROWS} 行。"),
    )
    delivery_on = fields.Date()
    acceptance = LongText(LONGEST_WORDS)
    ownership = fields.String(validate=_one_of(OWNERSHIP))
    valid_until = fields.Date()
    words = LongText(LONGEST_WORDS)
    files = fields.List(
        fields.String(),
        validate=validate.Length(max=MOST_FILES, error=f"最多 {MOST_FILES} 个。"),
        metadata={"description": "先上传的文件的编号"},
    )


class IntentUploadQuery(Query):
    """What a body that is the file itself cannot say."""

    name = Text(120, load_default="文件", metadata={"description": "文件名，如 条款.pdf"})


class IntentUploadSchema(Answer):
    """A file that waits for its offer."""

    no = fields.String(metadata={"description": "写进方案的 files"})


class IntentAgreement(Input):
    """Which version of the offers."""

    version = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, 10**6, error="应为方案的版本号。"),
        metadata={"description": "方案的版本号"},
    )


class NewIntentMessage(Input):
    """A message to send."""

    text = LongText(LONGEST_MESSAGE, required=True)


class IntentAct(Input):
    """One of the other actions."""

    action = fields.String(required=True, validate=_one_of((*ACTIONS, "remind")))
    ending = fields.String(
        validate=_one_of(ENDINGS), metadata={"description": "decline、end 必填：原因代码"}
    )
    reason = LongText(900, metadata={"description": "说明；ending 为 other 时必填"})


class NewIntentInvitation(Input):
    """Whom to invite."""

    organisation = Line(100, required=True, metadata={"description": "全称或统一社会信用代码"})
    role = fields.String(required=True, validate=_one_of(ROLES))
    note = Line(200)


class IntentInvitationAct(Input):
    """An answer to an invitation."""

    action = fields.String(required=True, validate=_one_of(INVITATION_ACTIONS))


class NewIntentOutcome(Input):
    """What became of it."""

    outcome = fields.String(required=True, validate=_one_of(OUTCOMES))
    contract_no = Line(60)
    signed_on = fields.Date()
    amount_fen = _fen()
    reason = LongText(1000)
