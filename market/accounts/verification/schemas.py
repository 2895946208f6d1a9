"""What an owner declares of his organisation, and how an office decides."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, post_load

from market.accounts.schemas import Uscc
from market.core.fields import Choice, Line, LongText
from market.core.reading import Reading, as_text

MOST_SHAREHOLDERS = 10
WHOLE = 10_000  # hundredths of a percent
FIELDS = {
    "legal_representative": "法定代表人",
    "registered_address": "注册地址",
    "shareholders": "股东",
    "bank": "开户银行",
    "account": "银行账号",
}
RETURNED = {
    "licence": "营业执照",
    "name": "单位名称",
    "uscc": "统一社会信用代码",
    **FIELDS,
}
RULES = (
    "须与营业执照记载一致",
    "扫描件须清晰、完整、四角齐全",
    "执照须在有效期内",
    "账户名称须与单位名称一致",
)


class Percent(Reading):
    """A percentage above 0 and up to 100, with at most two decimals; the value is hundredths."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> int:
        text = unicodedata.normalize("NFKC", as_text(value)).strip().removesuffix("%").strip()
        try:
            share = Decimal(text) * 100
        except InvalidOperation as error:
            raise ValidationError("应为百分数，如 51 或 33.33。") from error
        if not share.is_finite() or share != share.to_integral_value():
            raise ValidationError("百分数最多两位小数，如 33.33。")
        if not 0 < share <= WHOLE:
            raise ValidationError("持股比例应大于 0，不超过 100。")
        return int(share)


class Account(Line):
    """The number of a bank account: 8 to 32 digits, kept without blanks."""

    def clean(self, text: str) -> str:
        return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", super().clean(text)))

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str | None:
        text = super()._deserialize(value, attr, data, **more)
        if text is not None and not re.fullmatch(r"[0-9]{8,32}", text):
            raise ValidationError("银行账号应为 8 到 32 位数字。")
        return text


class ProfileSchema(Schema):
    """The declaration; shareholders come as ten pairs of name and percentage."""

    class Meta:
        unknown = EXCLUDE

    uscc = Uscc()
    legal_representative = Line(60, shortest=2, metadata={"label": FIELDS["legal_representative"]})
    registered_address = Line(300, shortest=4, metadata={"label": FIELDS["registered_address"]})
    bank = Line(100, shortest=4, metadata={"label": FIELDS["bank"]})
    account = Account(60, metadata={"label": FIELDS["account"]})

    @post_load
    def _gather(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Make one list of the pairs."""
        pairs = [
            (place, data.pop(f"holder_{place}", None), data.pop(f"share_{place}", None))
            for place in range(1, MOST_SHAREHOLDERS + 1)
        ]
        rows = [(place, name, share) for place, name, share in pairs if name or share]
        for place, name, share in rows:
            if not name:
                raise ValidationError("请写股东名称，或清空比例。", f"holder_{place}")
            if not share:
                raise ValidationError("请写持股比例。", f"share_{place}")
        if rows:
            check_whole([share for _, _, share in rows], f"share_{rows[-1][0]}")
            data["shareholders"] = [[name, share] for _, name, share in rows]
        return data


def check_whole(shares: list[int], field: str) -> None:
    """Refuse shares that are more than the whole. Raises ValidationError."""
    if sum(shares) > WHOLE:
        raise ValidationError(f"各股东比例合计 {percent(sum(shares))}，超过 100 %，请核对。", field)


def percent(hundredths: int) -> str:
    """3333 → 33.33 %."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}".rstrip("0") + " %" if rest else f"{whole} %"


def _with_pairs() -> type[ProfileSchema]:
    pairs: dict[str, Any] = {}
    for place in range(1, MOST_SHAREHOLDERS + 1):
        pairs[f"holder_{place}"] = Line(100, shortest=2, metadata={"label": f"股东 {place}"})
        pairs[f"share_{place}"] = Percent(metadata={"label": f"股东 {place} 的比例"})
    return type("ProfileForm", (ProfileSchema,), pairs)


ProfileForm = _with_pairs()


class DecisionSchema(Schema):
    """An office's decision; what it needs, the action says."""

    class Meta:
        unknown = EXCLUDE

    field = Choice(RETURNED)
    rule = Line(200)
    reason = LongText(1000)
