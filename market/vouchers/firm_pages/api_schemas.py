"""What programs of firms and providers get about vouchers; money in whole fen."""

from __future__ import annotations

from marshmallow import fields

from market.core.api_schemas import Answer, ListAnswer
from market.core.file_api import AttachedFileSchema
from market.vouchers.api_answers import VoucherOutcomeSchema, VoucherReasonSchema
from market.vouchers.claim_models import CLAIM_STATES, PAYMENT_STATES
from market.vouchers.evidence import PURPOSES
from market.vouchers.models import APPLICATION_STATES, ORDER_STATES, VOUCHER_STATES


class VoucherActionSchema(Answer):
    """What may be done now."""

    action = fields.String()
    label = fields.String()
    needs_reason = fields.Boolean()


class _Case(Answer):
    """What all cases share."""

    no = fields.String()
    scheme = fields.String(metadata={"description": "创新券办法的编号"})
    scheme_title = fields.String()
    scheme_version = fields.Integer()
    state_label = fields.String()
    url = fields.String()
    updated_at = fields.DateTime()


class VoucherApplicationSchema(_Case):
    """An application."""

    state = fields.String(metadata={"enum": list(APPLICATION_STATES)})
    asked_fen = fields.Integer()
    granted_fen = fields.Integer(allow_none=True)
    purpose = fields.String(allow_none=True)


class VoucherApplicationListSchema(ListAnswer):
    """Applications."""

    items = fields.List(fields.Nested(VoucherApplicationSchema))


class VoucherApplicationCaseSchema(VoucherApplicationSchema):
    """An application with the rules' answer and what was issued."""

    outcome = fields.Nested(VoucherOutcomeSchema)
    vouchers = fields.List(fields.String())
    actions = fields.List(fields.Nested(VoucherActionSchema))


class OwnVoucherSchema(_Case):
    """A voucher. left_fen: what may still be used."""

    state = fields.String(metadata={"enum": list(VOUCHER_STATES)})
    face_fen = fields.Integer()
    left_fen = fields.Integer()
    held_fen = fields.Integer()
    spent_fen = fields.Integer()
    issued_on = fields.Date()
    ends_on = fields.Date(allow_none=True)


class OwnVoucherListSchema(ListAnswer):
    """Vouchers."""

    items = fields.List(fields.Nested(OwnVoucherSchema))


class VoucherOrderSchema(_Case):
    """An order."""

    state = fields.String(metadata={"enum": list(ORDER_STATES)})
    firm = fields.String()
    provider = fields.String()
    voucher = fields.String(allow_none=True)
    service = fields.String()
    title = fields.String()
    price_fen = fields.Integer()
    voucher_fen = fields.Integer()
    units = fields.Integer(allow_none=True)
    contract_no = fields.String(allow_none=True)
    service_from = fields.Date(allow_none=True)
    service_to = fields.Date(allow_none=True)


class VoucherOrderListSchema(ListAnswer):
    """Orders."""

    items = fields.List(fields.Nested(VoucherOrderSchema))


class VoucherOrderCaseSchema(VoucherOrderSchema):
    """An order with what may be done, its claim and its rating."""

    note = fields.String(allow_none=True)
    claim = fields.String(allow_none=True)
    stars = fields.Integer(allow_none=True)
    rating_words = fields.String(allow_none=True)
    actions = fields.List(fields.Nested(VoucherActionSchema))


class VoucherClaimSchema(_Case):
    """A claim."""

    state = fields.String(metadata={"enum": list(CLAIM_STATES)})
    firm = fields.String()
    provider = fields.String(allow_none=True)
    claimant = fields.String()
    order = fields.String(allow_none=True)
    voucher = fields.String(allow_none=True)
    asked_fen = fields.Integer()
    amount_fen = fields.Integer(allow_none=True)
    top_up_fen = fields.Integer(metadata={"description": "另行配套，一并拨付"})
    submitted_at = fields.DateTime(allow_none=True)


class VoucherClaimListSchema(ListAnswer):
    """Claims."""

    items = fields.List(fields.Nested(VoucherClaimSchema))


class VoucherClaimItemSchema(Answer):
    """A service that was bought."""

    service = fields.String()
    cost_fen = fields.Integer()
    paid_fen = fields.Integer(allow_none=True)
    units = fields.Integer(allow_none=True)
    exclusions = fields.List(fields.String())


class VoucherInvoiceSchema(Answer):
    """An invoice with what its checks found: the claimant's, the office's, before payment."""

    number = fields.String()
    code = fields.String()
    day = fields.Date()
    amount_fen = fields.Integer()
    currency = fields.String()
    own_result = fields.String(allow_none=True)
    own_on = fields.Date(allow_none=True)
    result = fields.String(allow_none=True)
    checked_on = fields.Date(allow_none=True)
    again = fields.String(allow_none=True)
    again_on = fields.Date(allow_none=True)


class VoucherPaymentSchema(Answer):
    """A payment of the treasury."""

    treasury_no = fields.String()
    paid_on = fields.Date()
    amount_fen = fields.Integer()
    state = fields.String(metadata={"enum": list(PAYMENT_STATES)})
    reason = fields.String(allow_none=True)


class VoucherReturnSchema(Answer):
    """What a claim was returned for, and the answer."""

    field = fields.String()
    words = fields.String()
    answer = fields.String(allow_none=True)


class VoucherClaimCaseSchema(VoucherClaimSchema):
    """A claim with all that belongs to it; the account is masked."""

    items = fields.List(fields.Nested(VoucherClaimItemSchema))
    invoices = fields.List(fields.Nested(VoucherInvoiceSchema))
    bank_shown = fields.String(allow_none=True)
    contract_no = fields.String(allow_none=True)
    service_from = fields.Date(allow_none=True)
    service_to = fields.Date(allow_none=True)
    evidence = fields.List(fields.String())
    outcome = fields.Nested(VoucherOutcomeSchema, allow_none=True)
    returned_for = fields.List(fields.Nested(VoucherReturnSchema))
    payments = fields.List(fields.Nested(VoucherPaymentSchema))
    actions = fields.List(fields.Nested(VoucherActionSchema))


class VoucherPaperSchema(Answer):
    """A line of the check list of evidence; `how` is empty where it is missing."""

    code = fields.String()
    label = fields.String()
    how = fields.String()


class VoucherClaimCheckSchema(Answer):
    """What is found before a claim is sent."""

    ready = fields.Boolean()
    outcome = fields.Nested(VoucherOutcomeSchema)
    missing = fields.List(fields.String())
    refusals = fields.List(fields.Nested(VoucherReasonSchema))
    related = fields.List(fields.Nested(VoucherReasonSchema))
    look = fields.List(fields.String())
    papers = fields.List(fields.Nested(VoucherPaperSchema))


class VoucherFileSchema(AttachedFileSchema):
    """A file of a claim."""

    purpose = fields.String(metadata={"enum": list(PURPOSES)})


class VoucherFileListSchema(ListAnswer):
    """Files of a claim."""

    items = fields.List(fields.Nested(VoucherFileSchema))
