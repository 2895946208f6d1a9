"""What programs send and get about changes of contracts, receipts and versions."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from market.contracts.changes.models import ASKERS, KINDS, OUTCOMES, RECEIPT_KINDS, STATES
from market.contracts.changes.schemas import OBJECTORS
from market.contracts.changes.workflow import ACTIONS
from market.contracts.codes import ANNULMENTS, CANCELLATIONS, CLASSES, SUBCLASSES
from market.contracts.models import VERSION_STATES
from market.core.api_schemas import Answer, Input, ListAnswer, Query, page_number, per_page
from market.core.fields import Day, Line, LongText, Whole
from market.core.money import HIGHEST_FEN
from market.core.pagination import ROWS_PER_PAGE

_CONTENT = "合同的字段，名称与登记表相同；金额是以分为单位的整数，比例是万分之几，日期按 ISO 8601"


# As `queries.TABS`.
TABS = ("open", "returned", "closed")


def _one_of(choices: Any) -> validate.OneOf:
    return validate.OneOf(list(choices), error=f"应为 {'、'.join(choices)} 之一。")


def _fen(**more: Any) -> fields.Integer:
    """An amount in whole fen."""
    limits = validate.Range(0, HIGHEST_FEN, error="应为不小于 0 的整数，单位分。")
    more.setdefault("allow_none", True)
    return fields.Integer(strict=True, validate=limits, metadata={"description": "单位分"}, **more)


class ContractChangeInput(Input):
    """What is asked and why; may be half done."""

    ground = fields.String(
        allow_none=True,
        validate=_one_of([*dict.fromkeys([*CANCELLATIONS, *ANNULMENTS])]),
        metadata={"description": "注销、撤销的理由"},
    )
    reason = LongText(1000, metadata={"description": "说明"})
    happened_on = Day(metadata={"type": "string", "format": "date", "description": "发生日期"})
    hearing = LongText(1000, metadata={"description": "撤销：当事人的陈述和申辩"})
    asked_by = fields.String(
        allow_none=True,
        validate=_one_of(OBJECTORS),
        metadata={"description": "复查由谁提出，部门代录时填"},
    )
    asked_name = Line(200, metadata={"description": "提出的部门和文号"})
    content = fields.Dict(
        keys=fields.String(),
        allow_none=True,
        metadata={"description": f"变更登记：要改的字段，没有写的不变。{_CONTENT}"},
    )


class NewContractChange(ContractChangeInput):
    """A change to begin."""

    kind = fields.String(required=True, validate=_one_of(KINDS))
    base = Whole(
        1, 10**6, metadata={"type": "integer", "description": "看到的是第几版；已被取代的回答 409"}
    )


class ContractChangeAct(Input):
    """A step. seen: `touches_mark` as it was read."""

    action = fields.String(required=True, validate=_one_of(ACTIONS))
    reason = LongText(1000, metadata={"description": "原因（补正、退回、不予办理）"})
    answer = LongText(1000, metadata={"description": "办理意见"})
    outcome = fields.String(allow_none=True, validate=_one_of(OUTCOMES))
    contract_class = fields.String(allow_none=True, validate=_one_of(CLASSES))
    subclass = fields.String(allow_none=True, validate=_one_of(SUBCLASSES))
    total_fen = _fen()
    technical_fen = _fen()
    decided_on = Day(metadata={"type": "string", "format": "date", "description": "办理日期"})
    seen = Line(64, metadata={"description": "读到的 touches_mark；涉及的事项变了的回答 409"})


class ContractChangeQuery(Query):
    """Which changes, of those that the program's body or office handles."""

    tab = fields.String(
        load_default="open",
        validate=_one_of(TABS),
        metadata={"description": "待办理、待补正或已办结", "enum": list(TABS)},
    )
    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class ContractTouchSchema(Answer):
    """Something that a change touches."""

    kind = fields.String(metadata={"example": "certificate"})
    label = fields.String()
    words = fields.String()
    url = fields.String(allow_none=True)


class ContractDifferenceSchema(Answer):
    """A field in which the new version differs, in words; personal values are masked."""

    name = fields.String(metadata={"example": "total_fen"})
    label = fields.String()
    old = fields.String()
    new = fields.String()


class ContractChangeActionSchema(Answer):
    """What may be done now."""

    action = fields.String()
    label = fields.String()
    needs_reason = fields.Boolean()


class ContractChangeSchema(Answer):
    """A change in a list."""

    no = fields.String(metadata={"example": "BG2026000001"})
    contract = fields.String(metadata={"example": "HT2026000001"})
    kind = fields.String(metadata={"enum": list(KINDS)})
    state = fields.String(metadata={"enum": list(STATES)})
    state_label = fields.String()
    asked_by = fields.String(metadata={"enum": list(ASKERS)})
    asked_name = fields.String(allow_none=True)
    ground = fields.String(allow_none=True)
    reason = fields.String()
    hearing = fields.String(allow_none=True)
    happened_on = fields.Date(allow_none=True)
    base_version = fields.Integer(allow_none=True)
    version = fields.Integer(allow_none=True)
    outcome = fields.String(allow_none=True, metadata={"enum": [*OUTCOMES, None]})
    answer = fields.String(allow_none=True)
    decided_on = fields.Date(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    url = fields.String(metadata={"description": "本站页面"})


class ContractChangeListSchema(ListAnswer):
    """Changes of a contract."""

    items = fields.List(fields.Nested(ContractChangeSchema))


class ContractChangeCaseSchema(ContractChangeSchema):
    """A change whole."""

    findings = fields.Dict(metadata={"description": "核定的类别和金额"})
    differences = fields.List(fields.Nested(ContractDifferenceSchema))
    touches = fields.List(fields.Nested(ContractTouchSchema))
    touches_mark = fields.String()
    actions = fields.List(fields.Nested(ContractChangeActionSchema))


class NewContractReceipt(Input):
    """Money that came in."""

    kind = fields.String(required=True, validate=_one_of(RECEIPT_KINDS))
    received_on = Day(required=True, metadata={"type": "string", "format": "date"})
    amount_fen = _fen(required=True, allow_none=False)
    cost_fen = _fen()
    year = fields.Integer(
        allow_none=True,
        validate=validate.Range(1980, 2200, error="年份不对。"),
        metadata={"description": "提成所属年度"},
    )
    base_fen = _fen()
    what = Line(200, metadata={"description": "说明"})


class ContractReceiptReversal(Input):
    """Why a row is taken back."""

    reason = Line(200, required=True, metadata={"description": "冲销原因"})


class ContractReceiptSchema(Answer):
    """A row."""

    id = fields.Integer()
    kind = fields.String(metadata={"enum": list(RECEIPT_KINDS)})
    received_on = fields.Date()
    amount_fen = fields.Integer(metadata={"description": "冲销的为负"})
    cost_fen = fields.Integer(allow_none=True)
    year = fields.Integer(allow_none=True)
    base_fen = fields.Integer(allow_none=True)
    what = fields.String()
    reverses = fields.Integer(allow_none=True, metadata={"description": "冲销的是哪一笔"})
    author = fields.String()


class ContractReceiptTotalsSchema(Answer):
    """What the rows add up to, in fen."""

    received_fen = fields.Integer()
    royalty_fen = fields.Integer()
    cost_fen = fields.Integer()
    net_fen = fields.Integer()
    total_fen = fields.Integer(metadata={"description": "登记的合同成交额"})
    planned_fen = fields.Integer(metadata={"description": "按付款计划到今天应到的"})
    left_fen = fields.Integer()
    late_fen = fields.Integer()
    beyond_fen = fields.Integer(metadata={"description": "超出登记成交额的，应办变更登记"})


class ContractReceiptListSchema(ListAnswer):
    """The rows of a contract and what they add up to."""

    items = fields.List(fields.Nested(ContractReceiptSchema))
    totals = fields.Nested(ContractReceiptTotalsSchema)


class RegisteredVersionSchema(Answer):
    """A version that was registered; never changed."""

    contract = fields.String()
    version = fields.Integer()
    state = fields.String(metadata={"enum": list(VERSION_STATES)})
    registered_on = fields.Date()
    content = fields.Dict(metadata={"description": f"{_CONTENT}；个人信息部分隐去"})
    findings = fields.Dict(metadata={"description": "核定的类别和金额"})
    hash = fields.String(metadata={"description": "内容的指纹（SHA-256）"})


class RegisteredVersionListSchema(ListAnswer):
    """Versions that were registered, the latest first."""

    items = fields.List(fields.Nested(RegisteredVersionSchema))
