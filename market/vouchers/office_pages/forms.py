"""What the desk's forms of vouchers hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema
from werkzeug.datastructures import MultiDict

from market.core.errors import Invalid
from market.core.fields import Choice, Day, Line, LongText, Whole, Words
from market.core.money import NotMoney, parse_yuan
from market.core.text import clean_line
from market.vouchers.claim_models import CHECK_RESULTS, DECISIONS
from market.vouchers.schemas import Percent
from market.vouchers.typed import AccountNumber, PaymentSchema

TABS = {
    "applications": "申领待审",
    "claims": "兑付待审",
    "returned": "待补正",
    "reviewed": "待列批次",
    "checks": "待抽查",
    "notice": "公示中",
    "countersign": "待会签",
    "pay": "待拨付",
    "bounced": "退票",
    "orders": "在用订单",
    "closed": "已办结",
}
# What a reviewer may find wrong, each with its reason.
FIELDS = {
    "items": "服务项目和费用",
    "invoices": "发票",
    "evidence": "佐证材料",
    "contract": "合同",
    "period": "服务时间",
    "provider": "服务机构",
    "bank": "收款账户",
    "firm": "企业情况",
    "other": "其他",
}
VOUCHER_ACTS = ("freeze", "thaw", "release")
MOST_TICKED = 100
YES = {"yes": "公示", "no": "不公示"}


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


class DeskQuery(_Form):
    """What the desk shows."""

    q = Line(60)
    page = Whole(1, 99_999)


class BulkForm(_Form):
    """The ticked applications."""

    item = Words(most=MOST_TICKED, longest=20, required=True, metadata={"label": "勾选的申领"})


class GrantForm(_Form):
    """Faces of the vouchers, one a line; empty: one voucher over all that was asked."""

    faces = LongText(2000, metadata={"label": "券面金额"})
    version = Whole(1, 999_999_999)


class ReasonForm(_Form):
    """An act with its reason. The version may come as `seen`, as buttons of cases send it."""

    reason = LongText(1000, metadata={"label": "原因"})
    version = Whole(1, 999_999_999)
    seen = Whole(1, 999_999_999)


class _ReviewFields(_Form):
    """What a level of the chain decides."""

    decision = Choice(DECISIONS, required=True, metadata={"label": "审核意见"})
    version = Whole(1, 999_999_999)


# The same with a reason for each field.
ReviewForm = type(
    "ReviewForm",
    (_ReviewFields,),
    {f"reason_{name}": LongText(500, metadata={"label": label}) for name, label in FIELDS.items()},
)


class InvoiceForm(_Form):
    """The result of checking an invoice."""

    number = Line(30, required=True, metadata={"label": "发票号码"})
    result = Choice(CHECK_RESULTS, required=True, metadata={"label": "查验结果"})
    on = Day(required=True, metadata={"label": "查验日期"})


class InvoicesForm(_Form):
    """The second check of a batch's invoices: one day, all of them as expected or some named."""

    on = Day(required=True, metadata={"label": "查验日期"})


class CheckForm(_Form):
    """What the random check found."""

    words = LongText(1000, required=True, metadata={"label": "抽查情况"})


class RecoverForm(_Form):
    """Why money came back, and until when the firm is barred."""

    reason = LongText(1000, required=True, metadata={"label": "追回的原因"})
    until = Day(metadata={"label": "停止申领资格到"})


class AccountForm(_Form):
    """The right account after 退票."""

    holder = Line(200, required=True, metadata={"label": "户名"})
    bank = Line(200, required=True, metadata={"label": "开户银行"})
    account = AccountNumber(40, required=True, metadata={"label": "账号"})
    reason = LongText(1000, required=True, metadata={"label": "依据"})


class CutForm(_Form):
    """The claims that are cut, the share that was shown, and why."""

    year = Whole(2000, 2200, required=True, metadata={"label": "年度"})
    item = Words(most=500, longest=20, required=True, metadata={"label": "核减的申请"})
    share = Whole(0, 10_000, required=True, metadata={"label": "比例"})
    reason = LongText(500, required=True, metadata={"label": "核减的依据"})


class AwardForm(_Form):
    """The award of a provider; no account: that of its last claim."""

    year = Whole(2000, 2200, required=True, metadata={"label": "年度"})
    provider = Line(20, required=True, metadata={"label": "服务机构"})
    holder = Line(200, metadata={"label": "户名"})
    bank = Line(200, metadata={"label": "开户银行"})
    account = Line(40, metadata={"label": "账号"})


class OpenForm(_Form):
    """A new batch."""

    scheme = Line(20, required=True, metadata={"label": "创新券办法"})
    title = Line(200, required=True, metadata={"label": "批次名称"})
    item = Words(most=500, longest=20, required=True, metadata={"label": "列入的申请"})
    notice = Choice(YES, metadata={"label": "公示"})


class DecideForm(_Form):
    """The office meeting and the fund document."""

    meeting_no = Line(60, required=True, metadata={"label": "会议纪要编号"})
    meeting_on = Day(required=True, metadata={"label": "会议日期"})
    fund_no = Line(60, required=True, metadata={"label": "资金文件文号"})
    fund_on = Day(required=True, metadata={"label": "文件日期"})


class PressForm(_Form):
    """A button."""

    version = Whole(1, 999_999_999)
    seen = Whole(1, 999_999_999)


class BarForm(_Form):
    """Stopping an organisation."""

    scheme = Line(20, required=True, metadata={"label": "创新券办法"})
    organisation = Line(200, required=True, metadata={"label": "单位"})
    until = Day(required=True, metadata={"label": "停止到"})
    reason = LongText(1000, required=True, metadata={"label": "原因"})


class PaymentRow(PaymentSchema):
    """A line of the treasury as a form or a file brings it."""

    @validates_schema(skip_on_field_errors=True)
    def given(self, values: Mapping[str, Any], **_more: Any) -> None:
        """A day without an end (长期) is none."""
        if values.get("paid_on") is None:
            raise ValidationError("请填写拨付日期。", "paid_on")


def bank_of(values: Mapping[str, Any]) -> dict[str, str] | None:
    """An account that was typed; None where nothing was.

    Raises:
        Invalid: a part of it is missing.
    """
    found = {name: values.get(name) or "" for name in ("holder", "bank", "account")}
    if not any(found.values()):
        return None
    if missing := [name for name, text in found.items() if not text]:
        raise Invalid({name: ["户名、开户银行、账号要填全。"] for name in missing})
    return found


def faces_of(text: str | None) -> list[int] | None:
    """Amounts typed one a line, in fen; None where nothing is typed.

    Raises:
        Invalid: a line is no amount.
    """
    found = []
    for line in (text or "").splitlines():
        if not line.strip():
            continue
        try:
            found.append(parse_yuan(line.strip()))
        except NotMoney as error:
            words = f"「{line.strip()[:20]}」{error}，每行写一张券的金额，例如 2000。"
            raise Invalid({"faces": [words]}) from error
    return found or None


def reasons_of(values: Mapping[str, Any]) -> dict[str, str]:
    """The reasons of a review by field."""
    return {name: values[f"reason_{name}"] for name in FIELDS if values.get(f"reason_{name}")}


def rates_of(sent: MultiDict[str, str], known: Mapping[str, int]) -> dict[str, int]:
    """Rates typed in per cent, by code, in basis points; empty ones are left open.

    Raises:
        Invalid: a field holds no percentage.
    """
    found, wrong = {}, {}
    for code in known:
        text = clean_line(sent.get(f"rate_{code}", ""))
        if not text:
            continue
        try:
            found[code] = Percent().deserialize(text)
        except ValidationError as error:
            wrong[f"rate_{code}"] = [str(one) for one in error.messages]
    if wrong:
        raise Invalid(wrong)
    return found


def typed_payments(
    sent: MultiDict[str, str], claims: Mapping[str, int]
) -> Iterator[dict[str, str]]:
    """The typed lines of a batch: claims whose treasury number was filled in.

    Args:
        claims: number of the claim → what is approved for it, in fen.
    """
    day = clean_line(sent.get("paid_on", ""))
    for no, fen in claims.items():
        treasury = clean_line(sent.get(f"treasury_{no}", ""))
        if treasury:
            yield {
                "claim_no": no,
                "treasury_no": treasury,
                "paid_on": clean_line(sent.get(f"paid_on_{no}", "")) or day,
                "amount_fen": f"{fen // 100}.{fen % 100:02d}",
            }
