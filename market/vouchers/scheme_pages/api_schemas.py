"""What programs send and get about schemes."""

from __future__ import annotations

from marshmallow import fields, validate

from market.core.api_schemas import Answer, Input, ListAnswer, Query, Text
from market.core.fields import Day, Line, LongText
from market.core.money import HIGHEST_FEN
from market.vouchers.api_answers import VoucherOutcomeSchema
from market.vouchers.codes import APPLICANTS, ROSTERS, SIZES
from market.vouchers.models import SCHEME_STATES, VERSION_STATES
from market.vouchers.scheme_pages.api_content import VoucherContentInput, VoucherContentSchema
from market.vouchers.scheme_pages.checks import NOWHERE
from market.vouchers.shipped import KINDS

_FEN = validate.Range(0, HIGHEST_FEN, error="应为不小于 0 的整数，单位分。")


def _one_of(choices: dict[str, str]) -> validate.OneOf:
    return validate.OneOf(list(choices), error=f"应为 {'、'.join(choices)} 之一。")


class VoucherSchemeQuery(Query):
    """Of which place."""

    region = Text(12, load_default="", metadata={"description": "行政区划代码；含其上级的办法"})


class VoucherBudgetSchema(Answer):
    """What lies in the pots of a year and payer's region."""

    year = fields.Integer()
    region = fields.String(attribute="region_code", metadata={"description": "出资方的区划代码"})
    region_name = fields.String(attribute="region")
    total_fen = fields.Integer(metadata={"description": "年度预算"})
    available_fen = fields.Integer(metadata={"description": "可用额度"})
    reserved_fen = fields.Integer(metadata={"description": "已占用额度"})
    approved_fen = fields.Integer(metadata={"description": "已审定待拨付"})
    paid_fen = fields.Integer(metadata={"description": "已拨付"})
    recovered_fen = fields.Integer(metadata={"description": "已追回"})
    bound_fen = fields.Integer(metadata={"description": "已占用、审定和拨付：预算不能低于它"})


class VoucherBudgetListSchema(ListAnswer):
    """The budgets of a scheme."""

    items = fields.List(fields.Nested(VoucherBudgetSchema))


class VoucherSchemeSchema(Answer):
    """A scheme in a list."""

    no = fields.String(metadata={"example": "QB202600001"})
    title = fields.String()
    region = fields.String(attribute="region_code", metadata={"description": "行政区划代码"})
    region_name = fields.String(attribute="region")
    state = fields.String(metadata={"enum": list(SCHEME_STATES)})
    version = fields.Integer(metadata={"description": "施行的版本；0 是还没有"})
    has_draft = fields.Boolean(metadata={"description": "新版编写中"})
    open_points = fields.Integer(metadata={"description": "待定几处"})
    budget = fields.Nested(
        VoucherBudgetSchema, allow_none=True, metadata={"description": "今年的；没有公布的为 null"}
    )
    demo = fields.Boolean()
    url = fields.String(metadata={"description": "本站页面"})


class VoucherSchemeListSchema(ListAnswer):
    """Schemes found."""

    items = fields.List(fields.Nested(VoucherSchemeSchema))


class VoucherOpenPointSchema(Answer):
    """What a sheet leaves open."""

    field = fields.String()
    words = fields.String()
    blocking = fields.Boolean(metadata={"description": "付钱以前必须定"})


class VoucherEntrySchema(Answer):
    """A field in words."""

    field = fields.String()
    label = fields.String()
    words = fields.String()
    source = fields.String()
    is_open = fields.Boolean()


class VoucherChangeSchema(Answer):
    """What a version says otherwise than the one before."""

    label = fields.String()
    before = fields.String()
    after = fields.String()


class VoucherVersionSchema(Answer):
    """A version of a scheme."""

    version = fields.Integer()
    state = fields.String(metadata={"enum": list(VERSION_STATES)})
    from_day = fields.String(metadata={"description": "施行日期；没有写的为空"})
    published_at = fields.DateTime(allow_none=True)
    changes = fields.List(fields.Nested(VoucherChangeSchema))


class VoucherSchemeWholeSchema(VoucherSchemeSchema):
    """A scheme with its content, in codes and in words."""

    lock_version = fields.Integer()
    content = fields.Nested(VoucherContentSchema)
    content_version = fields.Integer(metadata={"description": "content 是第几版"})
    entries = fields.List(fields.Nested(VoucherEntrySchema))
    open = fields.List(fields.Nested(VoucherOpenPointSchema))
    versions = fields.List(fields.Nested(VoucherVersionSchema))
    budgets = fields.List(fields.Nested(VoucherBudgetSchema))


class VoucherSheetSchema(Answer):
    """A rule sheet that came with the site."""

    code = fields.String()
    kind = fields.String(metadata={"enum": list(KINDS)})
    title = fields.String()
    region = fields.String(allow_none=True, metadata={"description": "行政区划代码"})
    url = fields.String()


class VoucherSheetListSchema(ListAnswer):
    """Rule sheets."""

    items = fields.List(fields.Nested(VoucherSheetSchema))


class VoucherSheetWholeSchema(VoucherSheetSchema):
    """A rule sheet with all it says."""

    content = fields.Nested(VoucherContentSchema)
    entries = fields.List(fields.Nested(VoucherEntrySchema))
    open = fields.List(fields.Nested(VoucherOpenPointSchema))


class VoucherCheckQuery(Query):
    """The answers to the check; what a sheet does not depend on is passed over."""

    kind = fields.String(
        validate=_one_of(APPLICANTS), metadata={"description": "您是：申领对象的代码"}
    )
    size = fields.String(validate=_one_of(SIZES), metadata={"description": "企业规模"})
    region = Line(100, metadata={"description": "在哪里：代码或全名"})
    rosters = fields.List(
        fields.String(validate=_one_of({**ROSTERS, NOWHERE: ""})),
        metadata={"description": "在哪些名单上；都不在写 nowhere"},
    )
    service = Line(40, required=True, metadata={"description": "服务的代码"})
    cost_fen = fields.Integer(
        required=True,
        validate=_FEN,
        metadata={"description": "费用，单位分"},
    )


class VoucherTriedSchema(Answer):
    """A case by the version in force and by the one that is written."""

    label = fields.String()
    past = fields.Boolean(metadata={"description": "以往的案件，不是例子"})
    paid_fen = fields.Integer(allow_none=True, metadata={"description": "当时审定的"})
    now = fields.Nested(VoucherOutcomeSchema, allow_none=True)
    new = fields.Nested(VoucherOutcomeSchema)
    differs = fields.Boolean()


class VoucherTriedListSchema(ListAnswer):
    """A preview."""

    items = fields.List(fields.Nested(VoucherTriedSchema))


class NewVoucherScheme(Input):
    """Beginning a scheme."""

    region = Line(12, required=True, metadata={"description": "行政区划代码"})
    base = Line(
        80, metadata={"description": "从哪里开始：sheet:收录的代码，或 scheme:编号；不写就是空白"}
    )
    title = Line(200, metadata={"description": "办法名称；从一份办法开始的可以不写"})
    content = fields.Nested(
        VoucherContentInput, allow_none=True, metadata={"description": "写了就取代开始的内容"}
    )


class VoucherDraftInput(Input):
    """The content of the next version."""

    content = fields.Nested(VoucherContentInput, required=True)


class VoucherVersionInput(Input):
    """From which version the next is written."""

    version = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, 10_000, error="没有这个版本。"),
    )


class VoucherSchemeAct(Input):
    """Publishing the draft, taking no more applications, or taking them again."""

    action = fields.String(
        required=True,
        validate=_one_of({"publish": "", "close": "", "reopen": ""}),
        metadata={"description": "办什么"},
    )
    effective_from = Day(metadata={"description": "publish 时：施行日期，不写是今天"})
    reason = LongText(1000, metadata={"description": "close、reopen 时：原因"})


class VoucherChoiceInput(Input):
    """How a passage is read."""

    option = Line(40, required=True, metadata={"description": "选定的读法"})


class VoucherBudgetInput(Input):
    """A budget, raised or cut to an amount."""

    year = fields.Integer(
        required=True, strict=True, validate=validate.Range(2000, 2200, error="年度不对。")
    )
    region = Line(12, metadata={"description": "出资方的区划代码；不写是办法所在地"})
    amount_fen = fields.Integer(
        required=True, strict=True, validate=_FEN, metadata={"description": "年度预算，单位分"}
    )


class VoucherRateInput(Input):
    """A rate that is decided."""

    key = Line(60, required=True, metadata={"description": "服务的代码；分档的写 代码:第几档"})
    rate_bp = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(0, 10_000, error="应为 0 到 10000 的整数，万分之几。"),
    )


class VoucherRatesInput(Input):
    """Rates for all claims under review."""

    rates = fields.List(
        fields.Nested(VoucherRateInput),
        required=True,
        validate=validate.Length(min=1, max=100, error="至少写一项。"),
    )
