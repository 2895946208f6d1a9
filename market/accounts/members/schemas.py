"""What is asked when somebody founds, joins or describes an organisation, or invites a colleague."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError

from market.accounts.models import KINDS
from market.accounts.roles import ROLES
from market.accounts.schemas import Uscc
from market.core.fields import Choice, Choices, Line, LongText, Whole

# Offices are entered by the operator, not founded by whoever says so.
FOUNDED = {code: label for code, label in KINDS.items() if code != "office"}
_MOBILE = re.compile(r"1[3-9]\d{9}")
_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,63}")


class Contact(Line):
    """A mobile number or an e-mail address, in the form by which people are looked up."""

    def clean(self, text: str) -> str:
        return unicodedata.normalize("NFKC", super().clean(text)).strip().lower()

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str | None:
        text = super()._deserialize(value, attr, data, **more)
        if text is None:
            return None
        digits = re.sub(r"[\s-]|^\+?86(?=1)", "", text)
        if _MOBILE.fullmatch(digits):
            return digits
        if _EMAIL.fullmatch(text):
            return text
        raise ValidationError("请填 11 位手机号码或邮箱地址。")


class Website(Line):
    """The address of a web site; without http:// it gets https://."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str | None:
        text = super()._deserialize(value, attr, data, **more)
        if text is None:
            return None
        full = text if re.match(r"[a-z]+:", text, re.IGNORECASE) else f"https://{text}"
        if not re.fullmatch(r"https?://[^\s/@]+\.[^\s@]+", full, re.IGNORECASE):
            raise ValidationError("网址应像 https://www.example.cn。")
        return full


class Telephone(Line):
    """A telephone number with extension, as people write it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str | None:
        text = super()._deserialize(value, attr, data, **more)
        if text is not None and len(re.findall(r"\d", text)) < 7:
            raise ValidationError("电话至少 7 位数字，固定电话请带区号。")
        return text


class FoundSchema(Schema):
    """A new organisation."""

    class Meta:
        unknown = EXCLUDE

    uscc = Uscc(required=True, metadata={"label": "统一社会信用代码"})
    name = Line(200, shortest=2, required=True, metadata={"label": "单位名称"})
    kind = Choice(FOUNDED, required=True, metadata={"label": "单位类型"})
    county = Line(60, required=True, metadata={"label": "所在县（市、区）"})
    region = Line(12)
    telephone = Telephone(60, required=True, metadata={"label": "办公电话"})
    contact = Line(100)
    address = Line(300)


class JoinSchema(Schema):
    """A request to join."""

    class Meta:
        unknown = EXCLUDE

    uscc = Uscc(required=True)
    message = LongText(500)


class DescribeSchema(Schema):
    """What an organisation says of itself in public."""

    class Meta:
        unknown = EXCLUDE

    version = Whole(1, 10**6, required=True)
    name = Line(200, shortest=2)
    telephone = Telephone(60)
    contact = Line(100)
    address = Line(300)
    hours = Line(100)
    website = Website(300)
    intro = LongText(2000)


PUBLIC = ("telephone", "contact", "address", "hours", "website", "intro")


class InviteSchema(Schema):
    """An invitation; which roles may be given, the service says."""

    class Meta:
        unknown = EXCLUDE

    contact = Contact(100, required=True)
    role = Line(20, required=True)


class RolesSchema(Schema):
    """All roles that a member is to have."""

    class Meta:
        unknown = EXCLUDE

    roles = Choices({code: role.label for code, role in ROLES.items()}, required=True)


class EndSchema(Schema):
    """The end of a membership, and who takes over the leaver's open work."""

    class Meta:
        unknown = EXCLUDE

    colleague = Whole(1, 999_999_999)


class AnswerSchema(Schema):
    """The answer to a request to join."""

    class Meta:
        unknown = EXCLUDE

    role = Line(20)
    reason = LongText(1000)
