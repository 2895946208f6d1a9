"""What people and programs send of a claim: amounts typed in yuan, kept in fen."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from market.core.fields import Choice, Choices, Day, Line, Whole, Yuan
from market.vouchers.claim_models import CHECK_RESULTS
from market.vouchers.codes import EVIDENCE, EXCLUSIONS


class _Part(Schema):
    class Meta:
        unknown = EXCLUDE


class ItemSchema(_Part):
    """A service that was bought."""

    service = Line(40, required=True, metadata={"label": "服务"})
    cost_fen = Yuan(required=True, metadata={"label": "费用"})
    units = Whole(1, 100_000, metadata={"label": "数量"})
    paid_fen = Yuan(metadata={"label": "已付金额"})
    exclusions = Choices(EXCLUSIONS, metadata={"label": "不予支持的情形"})


class InvoiceSchema(_Part):
    """An invoice; twenty digits have no code. Foreign currencies are typed and then refused."""

    code = Line(20, metadata={"label": "发票代码"})
    number = Line(30, required=True, metadata={"label": "发票号码"})
    day = Day(required=True, metadata={"label": "开票日期"})
    amount_fen = Yuan(required=True, metadata={"label": "价税合计"})
    currency = Line(3, metadata={"label": "币种"})
    own_result = Choice(CHECK_RESULTS, metadata={"label": "本单位查验结果"})
    own_on = Day(metadata={"label": "查验日期"})


class AccountNumber(Line):
    """A bank account: 8 to 32 digits; blanks and dashes between them are dropped."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str | None:
        text = super()._deserialize(value, attr, data, **more)
        digits = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text or ""))
        if not re.fullmatch(r"[0-9]{8,32}", digits):
            raise ValidationError("账号是 8 到 32 位数字，请对照开户许可或网银核对。")
        return digits


class BankSchema(_Part):
    """Where the money goes."""

    holder = Line(200, required=True, metadata={"label": "户名"})
    bank = Line(200, required=True, metadata={"label": "开户银行"})
    account = AccountNumber(40, required=True, metadata={"label": "账号"})


class ClaimSchema(_Part):
    """A claim: `order` and `voucher` are numbers; without an order the firm names a provider."""

    scheme = Line(20, metadata={"label": "创新券办法"})
    order = Line(20, metadata={"label": "服务订单"})
    voucher = Line(30, metadata={"label": "创新券"})
    provider_id = fields.Integer(allow_none=True)
    items = fields.List(
        fields.Nested(ItemSchema), required=True, validate=validate.Length(min=1, max=30)
    )
    invoices = fields.List(fields.Nested(InvoiceSchema), validate=validate.Length(max=60))
    evidence = Choices(EVIDENCE, metadata={"label": "佐证材料"})
    asked_fen = Yuan(metadata={"label": "申请兑付金额"})
    contract_no = Line(100, metadata={"label": "合同编号"})
    service_from = Day(metadata={"label": "服务开始"})
    service_to = Day(metadata={"label": "服务完成"})
    bank = fields.Nested(BankSchema, allow_none=True)
    facts = fields.Dict(metadata={"label": "企业情况"})


class PaymentSchema(_Part):
    """A line of the treasury: which claim, which voucher of the treasury, when, how much."""

    claim_no = Line(20, required=True, metadata={"label": "兑付编号"})
    treasury_no = Line(60, required=True, metadata={"label": "国库凭证号"})
    paid_on = Day(required=True, metadata={"label": "拨付日期"})
    amount_fen = Yuan(required=True, metadata={"label": "拨付金额"})
