"""What programs of firms and providers send about vouchers; money in whole fen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import fields, validate

from market.core.api_schemas import Answer, Input, Query, Text, page_number, per_page
from market.core.fields import Line, LongText
from market.core.money import HIGHEST_FEN
from market.core.pagination import ROWS_PER_PAGE
from market.vouchers.claim_models import CHECK_RESULTS
from market.vouchers.codes import EXCLUSIONS, SIZES
from market.vouchers.evidence import PURPOSES
from market.vouchers.firm_pages.schemas import PARTIES
from market.vouchers.models import STARS

ORDER_ACTS = ("confirm", "refuse", "deliver", "accept", "dispute", "cancel", "end")


def _one_of(choices: Iterable[Any]) -> validate.OneOf:
    known = list(choices)
    return validate.OneOf(known, error=f"应为 {'、'.join(map(str, known))} 之一。")


def _fen(words: str = "", least: int = 0, **more: Any) -> fields.Integer:
    """An amount in whole fen."""
    limits = validate.Range(
        least, HIGHEST_FEN, error=f"应为 {least} 到 {HIGHEST_FEN} 的整数，单位分。"
    )
    if not more.get("required"):
        more.setdefault("allow_none", True)
    about = {"description": f"{words}，单位分".lstrip("，")}
    return fields.Integer(strict=True, validate=limits, metadata=about, **more)


def _count(**more: Any) -> fields.Integer:
    limits = validate.Range(1, 100_000, error="应为 1 到 100000 的整数。")
    return fields.Integer(strict=True, allow_none=True, validate=limits, **more)


class VoucherFactsInput(Input):
    """What a firm declares of itself, where the scheme asks."""

    size = fields.String(allow_none=True, validate=_one_of(SIZES))
    revenue_fen = _fen("上年营业收入")
    clean_record = fields.Boolean(allow_none=True)
    no_accident = fields.Boolean(allow_none=True)
    core_members = _count()
    incubated = fields.Boolean(allow_none=True)


class VoucherPageQuery(Query):
    """Which page of a list."""

    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class NewVoucherApplication(Input):
    """An application for vouchers."""

    scheme = Line(20, required=True, metadata={"description": "创新券办法的编号"})
    asked_fen = _fen("申领金额", 1, required=True)
    purpose = Line(300, metadata={"description": "打算用来做什么"})
    facts = fields.Nested(VoucherFactsInput, load_default=dict)


class NewVoucherOrder(Input):
    """An order: with a voucher, or under a scheme that needs none."""

    voucher = Line(30, metadata={"description": "创新券编号；不写就写 scheme"})
    scheme = Line(20, metadata={"description": "创新券办法的编号"})
    provider = Line(
        200, required=True, metadata={"description": "服务机构：名称、统一社会信用代码或单位编号"}
    )
    service = Line(40, required=True, metadata={"description": "服务目录里的代码"})
    title = Line(200, required=True, metadata={"description": "服务内容"})
    price_fen = _fen("价款", 1, required=True)
    voucher_fen = _fen("用券金额")
    units = _count()
    contract_no = Line(100)
    service_from = fields.Date(allow_none=True)
    service_to = fields.Date(allow_none=True)
    note = LongText(2000)
    facts = fields.Nested(VoucherFactsInput, load_default=dict)


class VoucherOrderAct(Input):
    """A step of an order."""

    action = fields.String(required=True, validate=_one_of(ORDER_ACTS))
    reason = LongText(1000, metadata={"description": "不接单、退回重做、取消、终止的原因"})


class VoucherRatingInput(Input):
    """How a service was."""

    stars = fields.Integer(strict=True, required=True, validate=_one_of(STARS))
    words = LongText(500)


class VoucherClaimItemInput(Input):
    """A service that was bought."""

    service = Line(40, required=True)
    cost_fen = _fen("费用", 1, required=True)
    paid_fen = _fen("已付金额")
    units = _count()
    exclusions = fields.List(
        fields.String(validate=_one_of(EXCLUSIONS)), validate=validate.Length(max=6)
    )


class VoucherInvoiceInput(Input):
    """An invoice: twenty digits have no code."""

    number = Line(30, required=True)
    code = Line(20)
    day = fields.Date(required=True)
    amount_fen = _fen("价税合计", 1, required=True)
    currency = Line(3)
    own_result = fields.String(allow_none=True, validate=_one_of(CHECK_RESULTS))
    own_on = fields.Date(allow_none=True)


class VoucherBankInput(Input):
    """Where the money goes; it is kept sealed and shown masked."""

    holder = Line(200, required=True)
    bank = Line(200, required=True)
    account = Line(40, required=True)


class VoucherClaimInput(Input):
    """The fields of a claim; what is not sent is empty, but the account stays."""

    items = fields.List(
        fields.Nested(VoucherClaimItemInput),
        required=True,
        validate=validate.Length(1, 30, error="请给出 1 到 30 项。"),
    )
    invoices = fields.List(
        fields.Nested(VoucherInvoiceInput), validate=validate.Length(max=60, error="最多 60 张。")
    )
    bank = fields.Nested(VoucherBankInput, allow_none=True)
    contract_no = Line(100)
    service_from = fields.Date(allow_none=True)
    service_to = fields.Date(allow_none=True)
    asked_fen = _fen("申请金额；不写就按办法算出的金额", 1)
    facts = fields.Nested(VoucherFactsInput, load_default=dict)


class NewVoucherClaim(Input):
    """A claim to begin: from an order, or with a voucher or scheme and what was bought."""

    order = Line(20, metadata={"description": "已验收的服务订单"})
    voucher = Line(30)
    scheme = Line(20)
    provider = Line(200, metadata={"description": "服务机构：名称、统一社会信用代码或单位编号"})
    service = Line(40)
    cost_fen = _fen("费用", 1)


class VoucherClaimAct(Input):
    """Sending a claim in, or taking it back. promise: 承诺 of the claimant, needed to send."""

    action = fields.String(required=True, validate=_one_of(("submit", "withdraw")))
    promise = fields.Boolean(load_default=False, metadata={"description": "提交时须为 true"})


class VoucherAnswersInput(Input):
    """How each thing was mended: field of the reason → words."""

    answers = fields.Dict(keys=fields.String(), values=LongText(500), required=True)


class VoucherUploadQuery(Query):
    """What is uploaded."""

    name = Text(200, required=True, metadata={"description": "文件名"})
    purpose = Text(
        30, required=True, metadata={"description": "是什么材料", "enum": list(PURPOSES)}
    )


VoucherPartiesInput: Any = Input.from_dict(
    {
        kind: fields.List(
            Line(200), validate=validate.Length(max=200), metadata={"description": label}
        )
        for kind, label in PARTIES.items()
    },
    name="VoucherPartiesInput",
)
VoucherPartiesSchema: Any = Answer.from_dict(
    {
        kind: fields.List(fields.String(), metadata={"description": f"{label}，已遮盖"})
        for kind, label in PARTIES.items()
    },
    name="VoucherPartiesSchema",
)
