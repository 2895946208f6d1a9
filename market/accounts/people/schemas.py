"""The forms of accounts. What they hold is remembered nowhere: not even by the fields."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

from market.accounts.people.rules import (
    LONGEST_PASSWORD,
    Contact,
    holds_account,
    password_fault,
    read_contact,
)
from market.core.fields import Line
from market.core.languages import N_
from market.core.languages import translate as _
from market.core.text import clean_line

LANGUAGES = {"zh": N_("中文"), "en": "English"}
OFFICE = "office"  # the role of the office's own level; the token keeps that one
TOKEN_ROLES = {
    "editor": "编辑：可以读，也可以改",
    "viewer": "只读：只能读",
    "owner": "管理员：还可以管成员和单位的设置",
    OFFICE: "科技管理部门经办：办理本辖区的事",
}
LONGEST_DAYS = 365
LONGEST_NAME = 60


class _Typed(fields.Field):
    """Text as it was typed, with sentences of its own; subclasses read it."""

    default_error_messages = {"required": "", "null": ""}
    missing_sentence = N_("必填。")

    def deserialize(self, value: Any, attr: Any = None, data: Any = None, **more: Any) -> Any:
        if not isinstance(value, str) or not value:
            if self.required:
                raise ValidationError(_(self.missing_sentence))
            return None
        return self.read(value)

    def read(self, text: str) -> Any:
        """The value of a text. Raises ValidationError."""
        return text


class ContactField(_Typed):
    """A mobile number or an e-mail address; `only` one of them."""

    missing_sentence = N_("请填手机号或邮箱。")

    def __init__(self, only: str = "", **more: Any) -> None:
        self.only = only
        super().__init__(**more)

    def read(self, text: str) -> Contact:
        contact = read_contact(text)
        if contact is None or (self.only and contact.kind != self.only):
            if self.only == "mobile":
                raise ValidationError(_("请填 11 位手机号，如 13800001234。"))
            if self.only == "email":
                raise ValidationError(_("请填完整的邮箱，如 name@example.cn。"))
            raise ValidationError(_("请填 11 位手机号，或完整的邮箱，如 name@example.cn。"))
        return contact


class NameField(_Typed):
    """The name of a person, at most 60 characters."""

    missing_sentence = N_("请填姓名。")

    def read(self, text: str) -> str:
        name = clean_line(text)
        if not 2 <= len(name) <= LONGEST_NAME:
            raise ValidationError(_("姓名应为 2 到 %(most)s 个字。", most=LONGEST_NAME))
        return name


class PasswordField(_Typed):
    """A password that is there already."""

    missing_sentence = N_("请填密码。")

    def read(self, text: str) -> str:
        if len(text) > LONGEST_PASSWORD:
            raise ValidationError(_("密码最多 %(most)s 个字符。", most=LONGEST_PASSWORD))
        return text


class NewPasswordField(PasswordField):
    """A password to be: long enough, not a common one."""

    def read(self, text: str) -> str:
        text = super().read(text)
        if (sentence := password_fault(text)) is not None:
            raise ValidationError(sentence)
        return text


class CodeField(_Typed):
    """Six digits."""

    missing_sentence = N_("请填收到的 6 位验证码。")

    def read(self, text: str) -> str:
        digits = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
        if not re.fullmatch(r"[0-9]{6}", digits):
            raise ValidationError(_("验证码是 6 位数字。"))
        return digits


class SecondCodeField(_Typed):
    """Six digits of the app, or a recovery code; the value is without blanks and dashes."""

    missing_sentence = N_("请填验证器显示的 6 位数字，或一个恢复码。")

    def read(self, text: str) -> str:
        compact = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()
        if not re.fullmatch(r"[0-9]{6}|[0-9A-Z]{10}", compact):
            raise ValidationError(_("请填验证器显示的 6 位数字，或一个 10 位的恢复码。"))
        return compact


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


class LoginSchema(_Form):
    """登录. Whatever was typed as the account is taken: what it says is found out by nobody."""

    account = _Typed(required=True)
    password = PasswordField(required=True)

    @validates_schema(skip_on_field_errors=True)
    def short(self, values: Mapping[str, Any], **_more: Any) -> None:
        """An account is a line."""
        if len(values["account"]) > 300:
            raise ValidationError(_("请填手机号或邮箱。"), "account")


class SecondCodeSchema(_Form):
    """两步验证."""

    code = SecondCodeField(required=True)


class CodeSchema(_Form):
    """A code that was sent."""

    code = CodeField(required=True)


class NothingSchema(_Form):
    """A form that is only a button."""


class RegisterSchema(_Form):
    """注册账号."""

    name = NameField(required=True)
    contact = ContactField(required=True)
    password = NewPasswordField(required=True)

    @validates_schema(skip_on_field_errors=True)
    def apart(self, values: Mapping[str, Any], **_more: Any) -> None:
        """The password does not hold the account."""
        if holds_account(values["password"], values["contact"].value, values["name"]):
            raise ValidationError(_("密码里不要含手机号、邮箱或姓名，请换一个。"), "password")


class ForgottenSchema(_Form):
    """忘记密码, first step."""

    contact = ContactField(required=True)


class ResetSchema(_Form):
    """忘记密码, second step."""

    code = CodeField(required=True)
    password = NewPasswordField(required=True)


class ProfileSchema(_Form):
    """Name and language of oneself."""

    name = NameField(required=True)
    language = fields.String(load_default="zh")

    @validates_schema(skip_on_field_errors=True)
    def known(self, values: Mapping[str, Any], **_more: Any) -> None:
        """One of our languages."""
        if values["language"] not in LANGUAGES:
            raise ValidationError("请选择中文或 English。", "language")


class MobileSchema(_Form):
    """Another mobile number to sign in with."""

    contact = ContactField("mobile", required=True)
    password = PasswordField(required=True)


class EmailSchema(_Form):
    """Another e-mail address to sign in with."""

    contact = ContactField("email", required=True)
    password = PasswordField(required=True)


class ChangePasswordSchema(_Form):
    """更改密码."""

    password = PasswordField(required=True)
    new_password = NewPasswordField(required=True)


class OwnPasswordSchema(_Form):
    """An act that asks for one's own password again."""

    password = PasswordField(required=True)


class SetUpSchema(_Form):
    """Setting up the second factor: the secret goes with the form, sealed."""

    secret = _Typed(required=True)
    code = CodeField(required=True)
    password = PasswordField(required=True)


class TokenSchema(_Form):
    """A new token of an organisation."""

    organisation = fields.Integer(required=True, error_messages={"required": "请选择单位。"})
    label = Line(100, shortest=2, required=True)
    role = fields.String(required=True, error_messages={"required": "请选择权限。"})
    days = fields.Integer(
        load_default=90, error_messages={"invalid": f"请填 1 到 {LONGEST_DAYS} 的整数。"}
    )
