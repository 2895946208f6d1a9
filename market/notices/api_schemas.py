"""What programs send and are told about notices."""

from __future__ import annotations

from marshmallow import fields, validate

from market.core.api_schemas import Answer, Input, ListAnswer, Query, Text, page_number, per_page
from market.core.fields import Line, LongText
from market.core.pagination import ROWS_PER_PAGE
from market.notices.models import FINDINGS, HELD, KINDS, OBJECTION_STATES, OUTCOMES, STATES
from market.notices.rules import MOST_DAYS, RULE_SETS, UNITS
from market.notices.schemas import LONGEST_LABEL, LONGEST_TEXT, MOST_FIELDS

ACTIONS = ("start", "withdraw", "conclude", "discard")


class NoticeQuery(Query):
    """Which notices."""

    tab = Text(
        10, load_default="running", metadata={"description": "running：公示中；ended：已结束"}
    )
    kind = Text(20, load_default="", metadata={"description": "类别代码", "example": "price"})
    region = Text(12, load_default="", metadata={"description": "行政区划代码，含下级"})
    q = Text(60, load_default="", metadata={"description": "标题中的字"})
    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class OwnNoticeQuery(Query):
    """Which page of the own notices."""

    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class NoticeField(Answer):
    """A field of the content."""

    label = fields.String(metadata={"description": "名称"})
    text = fields.String(metadata={"description": "内容"})


class NoticeSchema(Answer):
    """A notice in a list."""

    no = fields.String(metadata={"example": "GS2026000001"})
    kind = fields.String(metadata={"enum": list(KINDS)})
    kind_label = fields.String(metadata={"example": "价格公示"})
    title = fields.String()
    owner = fields.String(metadata={"description": "公示单位"})
    region_code = fields.String()
    state = fields.String(metadata={"enum": list(STATES)})
    state_label = fields.String(metadata={"description": "状态；有结果的为结果"})
    days = fields.Integer(allow_none=True)
    unit = fields.String(allow_none=True, metadata={"enum": [*UNITS, None]})
    start_on = fields.Date(allow_none=True, metadata={"description": "开始的一天"})
    first_on = fields.Date(allow_none=True, metadata={"description": "计为第一日的一天"})
    end_on = fields.Date(allow_none=True, metadata={"description": "最后一日，24:00 结束"})
    provisional = fields.Boolean(metadata={"description": "最后一日是暂定的：当年放假安排尚未公布"})
    objections = fields.Integer(metadata={"description": "收到的异议"})
    open_objections = fields.Integer(metadata={"description": "待答复的异议"})
    outcome = fields.String(allow_none=True, metadata={"enum": [*OUTCOMES, None]})
    demo = fields.Boolean(metadata={"description": "演示数据"})
    url = fields.String(metadata={"description": "本站页面"})


class NoticeListSchema(ListAnswer):
    """Notices found."""

    items = fields.List(fields.Nested(NoticeSchema))


class PublicObjection(Answer):
    """What the owner published of an objection."""

    finding = fields.String(metadata={"enum": list(FINDINGS)})
    text = fields.String()


class NoticeWholeSchema(NoticeSchema):
    """A notice with its content."""

    content = fields.List(fields.Nested(NoticeField))
    rule = fields.String(allow_none=True, metadata={"enum": [*RULE_SETS, None]})
    held = fields.String(metadata={"enum": list(HELD)})
    place = fields.String(allow_none=True)
    channels = fields.List(fields.List(fields.String()))
    contact_name = fields.String(allow_none=True)
    contact_telephone = fields.String(allow_none=True)
    contact_address = fields.String(allow_none=True)
    outcome_text = fields.String(allow_none=True)
    withdrawn_reason = fields.String(allow_none=True)
    answers = fields.List(fields.Nested(PublicObjection))
    hash = fields.String(
        allow_none=True,
        metadata={"description": "frozen 的 SHA-256：键排序、无空格、UTF-8 的 JSON"},
    )
    frozen = fields.Dict(
        allow_none=True, metadata={"description": "公示开始时固定的全部内容；撤回后为 null"}
    )
    lock_version = fields.Integer(metadata={"description": "第几次改动，同 ETag"})


class NewNoticeField(Input):
    """A field of the content."""

    label = Line(LONGEST_LABEL, required=True)
    text = LongText(LONGEST_TEXT, required=True)


class NoticeText(Input):
    """What a draft says; all of it, each time."""

    title = Line(200, required=True)
    content = fields.List(
        fields.Nested(NewNoticeField),
        required=True,
        validate=validate.Length(1, MOST_FIELDS, error=f"应有 1 到 {MOST_FIELDS} 项。"),
    )
    days = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, MOST_DAYS, error=f"应为 1 到 {MOST_DAYS} 的整数。"),
    )
    unit = fields.String(
        required=True,
        validate=validate.OneOf(list(UNITS), error="应为 natural 或 working。"),
        metadata={"description": "natural 自然日；working 工作日：须写明，没有默认"},
    )
    rule = fields.String(
        required=True,
        validate=validate.OneOf(list(RULE_SETS), error=f"应为 {'、'.join(RULE_SETS)} 之一。"),
        metadata={"description": "；".join(f"{c} {r.label}" for c, r in RULE_SETS.items())},
    )
    own_place = Line(300, metadata={"description": "本单位的公示栏或网站"})
    others = LongText(2000, metadata={"description": "其他地方，每行一处"})
    contact_name = Line(60, required=True)
    contact_telephone = Line(60, required=True)
    contact_address = Line(300, required=True)
    anonymous_ok = fields.Boolean(metadata={"description": "也接受匿名异议"})


class NewNotice(NoticeText):
    """A draft to begin."""

    kind = fields.String(
        required=True,
        validate=validate.OneOf(list(KINDS), error=f"应为 {'、'.join(KINDS)} 之一。"),
    )


class NoticeAct(Input):
    """One of the acts."""

    action = fields.String(
        required=True,
        validate=validate.OneOf(ACTIONS, error=f"应为 {'、'.join(ACTIONS)} 之一。"),
        metadata={
            "description": "start 开始公示；withdraw 撤回；conclude 公布结果；discard 作废草稿"
        },
    )
    reason = LongText(1000, metadata={"description": "原因，withdraw 必填"})
    provisional_ok = fields.Boolean(
        metadata={"description": "start：知道最后一日可能因放假安排顺延"}
    )
    outcome = fields.String(
        validate=validate.OneOf(list(OUTCOMES), error=f"应为 {'、'.join(OUTCOMES)} 之一。"),
        metadata={"description": "conclude 必填"},
    )
    text = LongText(2000, metadata={"description": "conclude 的说明，会公开"})


class ObjectionSchema(Answer):
    """An objection as the owner sees it; who objected is masked."""

    no = fields.String(metadata={"example": "YY2026000001"})
    state = fields.String(metadata={"enum": list(OBJECTION_STATES)})
    label = fields.String(metadata={"description": "提出人，只显示姓"})
    anonymous = fields.Boolean()
    text = fields.String()
    received_at = fields.DateTime()
    finding = fields.String(allow_none=True, metadata={"enum": [*FINDINGS, None]})
    answer = fields.String(allow_none=True)
    published = fields.String(allow_none=True)
    answered_at = fields.DateTime(allow_none=True)
    lock_version = fields.Integer()


class ObjectionListSchema(ListAnswer):
    """The objections against a notice."""

    items = fields.List(fields.Nested(ObjectionSchema))


class NewObjectionAnswer(Input):
    """An answer to an objection."""

    finding = fields.String(
        required=True,
        validate=validate.OneOf(list(FINDINGS), error="应为 upheld 或 not_upheld。"),
        metadata={"description": "upheld 成立；not_upheld 不成立"},
    )
    answer = LongText(2000, required=True, metadata={"description": "理由，提出人会看到"})
    published = LongText(2000, metadata={"description": "公开的内容"})


class AnnouncementSchema(Answer):
    """An announcement."""

    no = fields.String(metadata={"example": "GG2026000001"})
    title = fields.String()
    text = fields.String(allow_none=True, metadata={"description": "撤回后为 null"})
    owner = fields.String()
    region_code = fields.String()
    state = fields.String(metadata={"enum": ["published", "withdrawn"]})
    withdrawn_reason = fields.String(allow_none=True)
    published_at = fields.DateTime()
    demo = fields.Boolean()
    url = fields.String()


class AnnouncementListSchema(ListAnswer):
    """Announcements found."""

    items = fields.List(fields.Nested(AnnouncementSchema))
