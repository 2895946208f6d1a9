"""What programs send to the desk of vouchers, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import fields, validate

from market.core.api_schemas import Answer, Input, ListAnswer, Query, Text, page_number
from market.core.fields import Line, LongText
from market.vouchers.claim_models import (
    CHECK_RESULTS,
    CLAIM_STATES,
    DECISIONS,
    PAYMENT_STATES,
)
from market.vouchers.models import APPLICATION_STATES, VOUCHER_STATES
from market.vouchers.office_pages.forms import FIELDS, MOST_TICKED, TABS, VOUCHER_ACTS
from market.vouchers.typed import AccountNumber

MOST_FEN = 10**15


def one_of(codes: Iterable[str], **more: Any) -> fields.String:
    """One of a code list."""
    known = list(codes)
    words = f"应为 {'、'.join(known)} 之一。"
    return fields.String(validate=validate.OneOf(known, error=words), **more)


def _fen(**more: Any) -> fields.Integer:
    return fields.Integer(
        strict=True,
        validate=validate.Range(1, MOST_FEN, error="应为大于 0 的整数（分）。"),
        **more,
    )


class VoucherDeskQuery(Query):
    """Which cases of the desk."""

    tab = fields.String(
        load_default="claims",
        validate=validate.OneOf(list(TABS), error=f"应为 {'、'.join(TABS)} 之一。"),
        metadata={"description": "哪一类事项"},
    )
    q = Text(60, load_default="", metadata={"description": "编号、单位或办法"})
    page = page_number()


class VoucherCaseSchema(Answer):
    """A case as the desk lists it."""

    no = fields.String(metadata={"example": "DF2026000001"})
    who = fields.String(metadata={"description": "单位；批次的是名称"})
    scheme = fields.String()
    state = fields.String(metadata={"description": "状态"})
    fen = fields.Integer(
        allow_none=True, metadata={"description": "金额，以分为单位；批次的为 null"}
    )
    url = fields.String(metadata={"description": "页面的地址"})
    created_at = fields.DateTime(attribute="at")


class VoucherCaseListSchema(ListAnswer):
    """Cases of the desk."""

    items = fields.List(fields.Nested(VoucherCaseSchema))


class OfficeVoucherGrantManyInput(Input):
    """Applications to be granted as asked."""

    items = fields.List(
        fields.String(),
        required=True,
        validate=validate.Length(1, MOST_TICKED, error=f"应为 1 到 {MOST_TICKED} 个编号。"),
    )


class _OfficeVoucherGrantedSchema(Answer):
    no = fields.String()
    trouble = fields.String(metadata={"description": "没有发放的原因；发放了的为空"})


class OfficeVoucherGrantedSchema(Answer):
    """The result of each."""

    items = fields.List(fields.Nested(_OfficeVoucherGrantedSchema))


class OfficeVoucherGrantInput(Input):
    """Faces of the vouchers; left out: one over all that was asked."""

    faces_fen = fields.List(
        _fen(), load_default=None, validate=validate.Length(1, 200, error="应为 1 到 200 张。")
    )


class VoucherReasonInput(Input):
    """A reason."""

    reason = LongText(1000, required=True)


class OfficeVoucherSchema(Answer):
    """A voucher as its office sees it."""

    no = fields.String()
    state = fields.String(metadata={"enum": list(VOUCHER_STATES)})
    face_fen = fields.Integer()
    held_fen = fields.Integer()
    spent_fen = fields.Integer()
    left_fen = fields.Integer()
    issued_on = fields.Date()
    ends_on = fields.Date(allow_none=True)


class VoucherActInput(Input):
    """Freezing, thawing, releasing."""

    action = one_of(VOUCHER_ACTS, required=True)
    reason = LongText(1000, required=True)


class OfficeVoucherApplicationSchema(Answer):
    """An application as its office sees it."""

    no = fields.String()
    state = fields.String(metadata={"enum": list(APPLICATION_STATES)})
    scheme = fields.String(metadata={"description": "办法的编号"})
    scheme_version = fields.Integer()
    organisation = fields.String()
    asked_fen = fields.Integer()
    granted_fen = fields.Integer(allow_none=True)
    purpose = fields.String(allow_none=True)
    rosters = fields.Dict(metadata={"description": "名单库里的名单 → 年度"})
    barred_until = fields.Date(allow_none=True)
    outcome = fields.Dict(metadata={"description": "可申领额度的计算明细"})
    vouchers = fields.List(fields.Nested(OfficeVoucherSchema))
    actions = fields.List(fields.String())


class _OfficeVoucherEvidenceSchema(Answer):
    kind = fields.String()
    words = fields.String()
    ours = fields.String()
    theirs = fields.String()
    other = fields.String(allow_none=True, metadata={"description": "另一份兑付申请的编号"})


class _OfficeVoucherInvoiceSchema(Answer):
    number = fields.String()
    code = fields.String()
    day = fields.Date()
    amount_fen = fields.Integer()
    currency = fields.String()
    result = fields.String(allow_none=True, metadata={"enum": [*CHECK_RESULTS, None]})
    checked_on = fields.Date(allow_none=True)
    again = fields.String(allow_none=True, metadata={"enum": [*CHECK_RESULTS, None]})
    again_on = fields.Date(allow_none=True)


class _OfficeVoucherReviewSchema(Answer):
    level = fields.Integer()
    decision = fields.String(metadata={"enum": list(DECISIONS)})
    reasons = fields.Dict()
    by = fields.String()
    at = fields.DateTime()


class OfficeVoucherPaidSchema(Answer):
    """A payment."""

    treasury_no = fields.String()
    paid_on = fields.Date()
    amount_fen = fields.Integer()
    state = fields.String(metadata={"enum": list(PAYMENT_STATES)})
    reason = fields.String(allow_none=True)


class OfficeVoucherClaimSchema(Answer):
    """A claim as offices see it; the account is masked."""

    no = fields.String()
    state = fields.String(metadata={"enum": list(CLAIM_STATES)})
    scheme = fields.String()
    scheme_version = fields.Integer()
    organisation = fields.String()
    provider = fields.String(allow_none=True)
    claimant = fields.String()
    asked_fen = fields.Integer()
    amount_fen = fields.Integer(allow_none=True)
    top_up_fen = fields.Integer(metadata={"description": "另行配套，一并拨付"})
    items = fields.List(fields.Dict())
    evidence_given = fields.List(fields.String())
    outcome = fields.Dict(allow_none=True, metadata={"description": "计算明细"})
    open_rates = fields.Dict(
        metadata={"description": "待审定的比例：服务或档 → 办法的最高比例（万分比）"}
    )
    open_readings = fields.Dict(metadata={"description": "待选定的读法：编号 → 可选的读法"})
    decided = fields.Dict()
    invoices = fields.List(fields.Nested(_OfficeVoucherInvoiceSchema))
    evidence = fields.List(fields.Nested(_OfficeVoucherEvidenceSchema))
    reviews = fields.List(fields.Nested(_OfficeVoucherReviewSchema))
    payments = fields.List(fields.Nested(OfficeVoucherPaidSchema))
    account = fields.String(allow_none=True)
    level = fields.Integer()
    drawn = fields.Boolean(allow_none=True)
    checked_on = fields.Date(allow_none=True)
    notice = fields.String(allow_none=True)
    batch = fields.String(allow_none=True)
    papers = fields.Dict()
    actions = fields.List(fields.String())


class OfficeVoucherReviewInput(Input):
    """A decision; reasons by field unless it passes."""

    decision = one_of(DECISIONS, required=True)
    reasons = fields.Dict(
        keys=one_of(FIELDS), values=LongText(500), load_default=dict,
        metadata={"description": f"哪一项（{'、'.join(FIELDS)}）→ 原因"},
    )  # fmt: skip


class OfficeVoucherRatesInput(Input):
    """Rates in basis points and readings; `all`: for the other claims of the version in review too."""

    rates = fields.Dict(keys=fields.String(), values=fields.Integer(strict=True), load_default=dict)
    readings = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)
    all = fields.Boolean(load_default=False)


class OfficeVoucherInvoiceInput(Input):
    """The result of checking an invoice."""

    number = Line(30, required=True)
    result = one_of(CHECK_RESULTS, required=True)
    on = fields.Date(required=True)


class OfficeVoucherCheckInput(Input):
    """What the random check found."""

    words = LongText(1000, required=True)


class OfficeVoucherRecoverInput(Input):
    """Why money came back, and until when the firm is barred."""

    reason = LongText(1000, required=True)
    until = fields.Date(load_default=None)


class OfficeVoucherBankInput(Input):
    """An account."""

    holder = Line(200, required=True)
    bank = Line(200, required=True)
    account = AccountNumber(40, required=True)


class OfficeVoucherAccountInput(OfficeVoucherBankInput):
    """The right account after 退票, and on what ground."""

    reason = LongText(1000, required=True)


class OfficeVoucherFullAccountSchema(Answer):
    """An account in full."""

    holder = fields.String()
    bank = fields.String()
    account = fields.String()
