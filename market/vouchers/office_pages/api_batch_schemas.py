"""What programs send of batches and bars, and what they are told of them and of the figures."""

from __future__ import annotations

from marshmallow import fields, validate

from market.core.api_schemas import Answer, Input, ListAnswer, Query, Text
from market.core.fields import Line, LongText
from market.vouchers.claim_models import BATCH_STATES, CHECK_RESULTS, CLAIM_STATES
from market.vouchers.office_pages.api_schemas import (
    OfficeVoucherFullAccountSchema,
    OfficeVoucherPaidSchema,
    one_of,
)


class OfficeVoucherOpenBatchInput(Input):
    """A new batch."""

    scheme = Line(20, required=True)
    title = Line(200, required=True)
    claims = fields.List(
        fields.String(), required=True,
        validate=validate.Length(1, 500, error="应为 1 到 500 个编号。"),
    )  # fmt: skip
    notice = fields.Boolean(load_default=True)


class _OfficeVoucherBatchClaimSchema(Answer):
    no = fields.String()
    state = fields.String(metadata={"enum": list(CLAIM_STATES)})
    payee = fields.String()
    amount_fen = fields.Integer(allow_none=True)
    top_up_fen = fields.Integer(metadata={"description": "另行配套，一并拨付"})
    account = fields.String(allow_none=True)
    drawn = fields.Boolean(allow_none=True)
    payments = fields.List(fields.Nested(OfficeVoucherPaidSchema))


class VoucherBatchSchema(Answer):
    """A batch with its claims."""

    no = fields.String()
    title = fields.String()
    state = fields.String(metadata={"enum": list(BATCH_STATES)})
    scheme = fields.String()
    meeting_no = fields.String(allow_none=True)
    meeting_on = fields.Date(allow_none=True)
    fund_no = fields.String(allow_none=True)
    fund_on = fields.Date(allow_none=True)
    total_fen = fields.Integer()
    paid_fen = fields.Integer()
    payers = fields.List(fields.Dict(), metadata={"description": "有几个出资方的，各出多少"})
    claims = fields.List(fields.Nested(_OfficeVoucherBatchClaimSchema))
    notices = fields.Dict(metadata={"description": "公示的编号 → 进展"})
    said = fields.Dict(metadata={"description": "公示的编号 → 写明的收款单位和金额"})
    papers = fields.Dict()
    actions = fields.List(fields.String())


class OfficeVoucherDecideBatchInput(Input):
    """The office meeting and the fund document."""

    meeting_no = Line(60, required=True)
    meeting_on = fields.Date(required=True)
    fund_no = Line(60, required=True)
    fund_on = fields.Date(required=True)


class _OfficeVoucherBatchInvoiceInput(Input):
    claim = Line(20, required=True)
    number = Line(30, required=True)
    result = one_of(CHECK_RESULTS, required=True)


class OfficeVoucherBatchInvoicesInput(Input):
    """The second check of a batch's invoices."""

    on = fields.Date(required=True)
    results = fields.List(
        fields.Nested(_OfficeVoucherBatchInvoiceInput), required=True,
        validate=validate.Length(1, 2_000, error="应为 1 到 2,000 张发票。"),
    )  # fmt: skip


class _OfficeVoucherBatchAccountSchema(OfficeVoucherFullAccountSchema):
    no = fields.String()


class OfficeVoucherBatchAccountsSchema(Answer):
    """The accounts of a batch in full."""

    items = fields.List(fields.Nested(_OfficeVoucherBatchAccountSchema))


class OfficeVoucherBooksQuery(Query):
    """Which figures."""

    year = fields.Integer(load_default=None, metadata={"description": "年度，不写为全部"})
    scheme = Text(20, load_default="", metadata={"description": "办法的编号"})


class _OfficeVoucherFigureSchema(Answer):
    account = fields.Integer()
    fen = fields.Integer()


class _OfficeVoucherPotSchema(Answer):
    scheme = fields.String()
    title = fields.String()
    year = fields.Integer()
    payer = fields.String(metadata={"description": "出资地区的行政区划代码"})
    figures = fields.Dict(
        keys=fields.String(), values=fields.Nested(_OfficeVoucherFigureSchema),
        metadata={"description": "funding 年度预算、available、reserved、approved、paid、recovered"},
    )  # fmt: skip


class OfficeVoucherBooksSchema(ListAnswer):
    """Figures by scheme, year and payer."""

    items = fields.List(fields.Nested(_OfficeVoucherPotSchema))


class OfficeVoucherEntriesQuery(Query):
    """From where on: the key of the page before."""

    before = fields.Integer(
        load_default=None, metadata={"description": "上一页最后一条的号，不写从最新的起"}
    )


class _OfficeVoucherEntrySchema(Answer):
    id = fields.Integer()
    kind = fields.String()
    subject = fields.String()
    fen = fields.Integer()
    by = fields.String()
    at = fields.DateTime()


class OfficeVoucherEntriesSchema(Answer):
    """Lines of an account, the newest first; `older`: `before` of the next page."""

    figure = fields.String()
    fen = fields.Integer()
    items = fields.List(fields.Nested(_OfficeVoucherEntrySchema))
    older = fields.Integer(allow_none=True)


class OfficeVoucherBarSchema(Answer):
    """A bar."""

    id = fields.Integer()
    organisation = fields.String()
    region = fields.String()
    begins_on = fields.Date()
    ends_on = fields.Date()
    reason = fields.String()
    lifted_at = fields.DateTime(allow_none=True)


class OfficeVoucherBarListSchema(ListAnswer):
    """Bars."""

    items = fields.List(fields.Nested(OfficeVoucherBarSchema))


class OfficeVoucherBarInput(Input):
    """Stopping an organisation, found by number, credit code or whole name."""

    scheme = Line(20, required=True)
    organisation = Line(200, required=True)
    until = fields.Date(required=True)
    reason = LongText(1000, required=True)
