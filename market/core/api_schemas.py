"""What all schemas of the API build on: lists, problems, lenient parameters, Chinese messages."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, fields

from market.core.pagination import EXACT_UP_TO, MOST_PER_PAGE
from market.core.text import clean_line

_LONGEST_NUMBER = 5  # digits of a page number that means anything
_WRONG = "格式不对。"
_MESSAGES = {"required": "必填。", "null": "不能为空。"}
# The first that fits counts, so subclasses stand before their bases.
_MESSAGES_BY_TYPE: tuple[tuple[type[fields.Field[Any]], str], ...] = (
    (fields.Boolean, "请填 true 或 false。"),
    (fields.Integer, "请填整数。"),
    (fields.Number, "请填数字。"),
    (fields.Date, "请写成 2026-08-21 这样的日期。"),
    (fields.DateTime, "请写成 2026-08-21T09:30:00+08:00 这样的时间。"),
    (fields.List, "请给出列表。"),
    (fields.Dict, "请给出对象。"),
    (fields.Nested, "请给出对象。"),
    (fields.String, "请填文字。"),
)


class Input(Schema):
    """What a request brings. Messages of marshmallow's own fields are given in Chinese.

    Validators of marshmallow carry their own words: give them `error=` in Chinese.
    """

    error_messages = {"unknown": "没有这一项。", "type": "请给出对象。"}

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Replace what is still English; fields of the market have their own sentences."""
        wrong = next((text for kind, text in _MESSAGES_BY_TYPE if isinstance(field_obj, kind)), "")
        for key, text in field_obj.error_messages.items():
            if str(text).isascii():
                field_obj.error_messages[key] = _MESSAGES.get(key, wrong or _WRONG)


class Query(Input):
    """Parameters of an address: unknown ones are passed over, as on pages."""

    class Meta:
        unknown = EXCLUDE


class Answer(Schema):
    """What the API answers: documented as always there, null where `allow_none`."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Every member is present in every answer."""
        field_obj.required = True


class Text(fields.String):
    """A parameter for searching: one clean line, cut to `longest` characters."""

    def __init__(self, longest: int, **more: Any) -> None:
        self.longest = longest
        super().__init__(**more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        text = super()._deserialize(value, attr, data, **more) or ""
        return clean_line(text)[: self.longest]


class PageNumber(fields.Integer):
    """A whole number from 1 to `most`; what makes no sense counts as the default, as on pages."""

    def __init__(self, default: int, most: int, **more: Any) -> None:
        self.default, self.most = default, most
        more["metadata"] = {"minimum": 1, "maximum": most, **more.get("metadata", {})}
        super().__init__(load_default=default, **more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> int:
        text = str(value)
        fits = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
        return min(max(int(text), 1), self.most) if fits else self.default


def page_number() -> PageNumber:
    """The parameter `page`; beyond the last page the list is empty."""
    about = "第几页；超出最后一页时 items 为空；不是页码的值按第 1 页"
    return PageNumber(1, EXACT_UP_TO, metadata={"description": about})


def per_page(default: int) -> PageNumber:
    """The parameter `per_page`."""
    about = f"每页几条，默认 {default}，最多 {MOST_PER_PAGE}；超出时取最近的值"
    return PageNumber(default, MOST_PER_PAGE, metadata={"description": about})


class ListAnswer(Answer):
    """Every list: a total and the items of one page. Subclasses add `items`."""

    total = fields.Integer(metadata={"description": "总数；超过 10,000 时为 10,000"})
    total_is = fields.String(
        metadata={
            "description": "exact：总数精确；at_least：至少这么多",
            "enum": ["exact", "at_least"],
        }
    )
    next_after = fields.String(
        allow_none=True, metadata={"description": "下一页的 after 参数；没有下一页时为 null"}
    )


class ProblemErrorSchema(Answer):
    """One mistake in the input."""

    pointer = fields.String(
        metadata={
            "description": "哪一项：正文用 /字段，参数用 /query/参数",
            "example": "/query/after",
        }
    )
    message = fields.String(metadata={"description": "怎么改", "example": "必填。"})


class ProblemSchema(Schema):
    """An error (RFC 9457)."""

    type = fields.String(required=True, metadata={"example": "about:blank"})
    status = fields.Integer(required=True, metadata={"description": "HTTP 状态码"})
    title = fields.String(required=True, metadata={"description": "一句话说明"})
    detail = fields.String(required=True, metadata={"description": "详细说明"})
    request_id = fields.String(required=True, metadata={"description": "请求编号，反馈时请附上"})
    errors = fields.List(
        fields.Nested(ProblemErrorSchema), metadata={"description": "输入有误时逐项列出"}
    )
