"""What the forms of first demands hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from market.accounts.models import KINDS
from market.catalogue.intake.models import SOURCES
from market.catalogue.intake.telephones import NotATelephone, read_telephone
from market.core.fields import Choice, Day, Line, LongText, YesNo
from market.core.identifiers import read_uscc
from market.core.languages import translate as _

BY_OFFICE = {code: label for code, label in SOURCES.items() if code != "web"}
# Whose demand an office types; an office's own comes by another way.
KINDS_OF_CALLERS = {code: label for code, label in KINDS.items() if code != "office"}
RESULTS = {"reached": "已接通", "missed": "未接通"}


class Telephone(Line):
    """A telephone number, mobile or landline, in the form of `telephones.read_telephone`."""

    def __init__(self, **more: Any) -> None:
        super().__init__(longest=40, **more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str | None:
        text = super()._deserialize(value, attr, data, **more)
        if text is None:
            return None
        try:
            return read_telephone(text)
        except NotATelephone as error:
            raise ValidationError(_why(str(error))) from error


def _why(reason: str) -> str:
    if reason == "letters":
        return _("电话只写数字，如 13800001234 或 028-38160000 转 805。")
    if reason == "area":
        return _("座机请带上区号，如 028-38160000。")
    return _("电话位数不对：手机 11 位；座机写区号和号码，如 028-38160000。")


class Uscc(Line):
    """A unified social credit code (GB 32100-2015)."""

    knows_nothing = True

    def __init__(self, **more: Any) -> None:
        super().__init__(longest=60, **more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str | None:
        text = super()._deserialize(value, attr, data, **more)
        return read_uscc(text) if text else None


class AskedSchema(Schema):
    """What a caller says, whoever types it."""

    class Meta:
        unknown = EXCLUDE

    problem = LongText(1000, metadata={"label": "遇到的难题"})
    product = Line(100, metadata={"label": "产品或工艺"})
    target = Line(200, metadata={"label": "现在的数值，想达到的数值"})
    firm = Line(200, shortest=2, metadata={"label": "单位名称"})
    place = Line(60, metadata={"label": "所在县（市、区）"})
    region = Line(12, metadata={"label": "地区代码"})
    contact = Line(60, metadata={"label": "联系人"})
    telephone = Telephone(metadata={"label": "电话"})
    name_hidden = YesNo(metadata={"label": "不公开单位名称"})
    consent = YesNo(metadata={"label": "同意"})

    NEEDED: tuple[str, ...] = ("problem", "product", "firm", "contact", "telephone", "consent")

    def sentences(self) -> dict[str, str]:
        """What is said where a field is missing, by field."""
        return _missing()

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """What nobody can be rung back without. A field with another mistake is not missing."""
        missing = {
            name: [sentence]
            for name, sentence in self.sentences().items()
            if name in self.NEEDED
            and not values.get(name)
            and (name == "consent" or not sent.get(name))
        }
        if missing:
            raise ValidationError(missing)


def _missing() -> dict[str, str]:
    return {
        "problem": _("请写一两句：哪里出了问题。"),
        "product": _("请写产品或工艺，如「泡菜调味包」。"),
        "firm": _("请写单位名称；个体户、农户写姓名也可以。"),
        "contact": _("请写联系人，如「李师傅」。"),
        "telephone": _("请写电话，手机或座机，我们要给您回电话。"),
        "consent": _("须您同意，我们才能保存电话并给您回电话。"),
    }


class OfferSchema(AskedSchema):
    """The open form, with what tells people from programs."""

    opened = Line(60)
    subject = Line(200)  # nobody sees it: what is written here, a program wrote


class CompletionSchema(AskedSchema):
    """What the clerk adds when he makes a demand of it; an empty telephone stays as it was."""

    NEEDED: tuple[str, ...] = ("problem", "product", "firm", "consent")

    def sentences(self) -> dict[str, str]:
        """The clerk reads them, not the caller."""
        return _missing() | {
            "telephone": "请写来电人的电话，手机或座机。",
            "consent": "请先向来电人说明用途，本人同意后勾选。",
        }

    uscc = Uscc(metadata={"label": "统一社会信用代码"})
    kind = Choice(KINDS_OF_CALLERS, metadata={"label": "单位类型"})
    source = Choice(BY_OFFICE, metadata={"label": "办理方式"})


class EntrySchema(CompletionSchema):
    """代录: the clerk types for a caller."""

    NEEDED: tuple[str, ...] = AskedSchema.NEEDED

    @validates_schema
    def has_source(self, values: Mapping[str, Any], **_more: Any) -> None:
        """How the caller came is part of the record."""
        if not values.get("source"):
            raise ValidationError("请选择来源。", "source")


class CallSchema(Schema):
    """A call back: reached or not, what was said, when to ring again."""

    class Meta:
        unknown = EXCLUDE

    result = Choice(RESULTS, metadata={"label": "结果"})
    note = LongText(500, metadata={"label": "通话记录"})
    next_call = Day(metadata={"label": "下次回访"})

    @validates_schema
    def has_result(self, values: Mapping[str, Any], **_more: Any) -> None:
        """Whether somebody answered."""
        if not values.get("result"):
            raise ValidationError("请选择是否接通。", "result")


class ReasonSchema(Schema):
    """Why something is done."""

    class Meta:
        unknown = EXCLUDE

    reason = Line(300, metadata={"label": "理由"})


class DuplicateSchema(Schema):
    """Which case this one repeats."""

    class Meta:
        unknown = EXCLUDE

    of = Line(20, metadata={"label": "重复于哪一件"})


class CodeSchema(Schema):
    """Where a claim code goes when the caller gave a landline."""

    class Meta:
        unknown = EXCLUDE

    mobile = Telephone(metadata={"label": "手机号"})
