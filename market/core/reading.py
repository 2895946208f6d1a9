"""What all fields share that read what people type: blanks, formulas, values of cells."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import Any

from marshmallow import ValidationError, fields, missing

from market.core.text import without_controls

REQUIRED = "必填。"
_FORMULA = re.compile(r"=\s*(?:[A-Z]{1,3}\$?\d|\$[A-Z]|[A-Z.]{2,}\(|'?[\w一-鿿]+'?!)")
_SPREADSHEET_ERRORS = {"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}
_LONGEST_RAW = 200_000  # characters of a cell that are looked at all
_SHORT = 40  # characters of a text whose meaning a field remembers
_MOST_REMEMBERED = 500  # texts a field
# What people write into a cell that does not apply; only for fields that hold no free text.
NOTHING = frozenset({"无", "暂无", "没有", "不涉及", "不适用", "/", "\\", "-", "--", "—", "——"})
NOTHING |= {"n/a", "na", "none", "null", "nil"}


class Reading(fields.Field):
    """Shared by all fields: blank means nothing was given, formulas are named as such."""

    default_error_messages = {
        "required": REQUIRED,
        "null": REQUIRED,
        "invalid": "格式不对。",
    }

    # Whether 无, / and the like mean that nothing was given.
    knows_nothing = True

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        # Short texts and what they mean: in a file by the thousand the same ones come again and
        # again, and reading one takes ten times as long as looking it up.
        self._read: dict[str, Any] = {}

    def deserialize(self, value: Any, attr: Any = None, data: Any = None, **more: Any) -> Any:
        if isinstance(value, str):
            known = self._read.get(value)
            if known is not None:
                return list(known) if type(known) is tuple else known
            text = self._text(value)
            if text is not None and not self.validators:
                found = self._deserialize(text, attr, data, **more)
                self._remember(value, found)
                return found
            value = text
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValidationError("不是有效的数值（NaN 或无穷大），没有就留空。")
        if value is None or value == []:
            if self.required:
                raise ValidationError(REQUIRED)
            return None
        if value is not missing:
            self.refuse_strange(value)
        if value is missing or self.validators:
            return super().deserialize(value, attr, data, **more)
        return self._deserialize(value, attr, data, **more)

    def _remember(self, text: str, found: Any) -> None:
        if len(text) > _SHORT or len(self._read) >= _MOST_REMEMBERED:
            return
        if isinstance(found, (str, int, date)):
            self._read[text] = found
        elif isinstance(found, list) and all(type(one) is str for one in found):
            self._read[text] = tuple(found)

    def _text(self, value: str) -> str | None:
        """The text, None when it is blank or says that there is nothing."""
        text = without_controls(value).strip()
        refuse_formula(text)
        if len(text) > _LONGEST_RAW:
            raise ValidationError(f"太长：{len(text):,} 个字，请检查这一格是否贴错了内容。")
        if self.knows_nothing and not self.required and text.casefold() in NOTHING:
            return None
        return text or None

    def refuse_strange(self, value: Any) -> None:
        """Refuse what is neither text nor number. Raises ValidationError."""
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, bool):
                raise ValidationError("应为文字或数值，不能是 TRUE 或 FALSE。")
            if isinstance(one, (dict, list)):
                raise ValidationError("应为文字，不能是嵌套的对象或数组。")
            if isinstance(one, float) and not math.isfinite(one):
                raise ValidationError("不是有效的数值（NaN 或无穷大），没有就留空。")


def refuse_formula(text: str) -> None:
    """Refuse the text of a formula, or of the error it gave. Raises ValidationError."""
    if text[:1] not in {"=", "#"}:
        return
    if text in _SPREADSHEET_ERRORS:
        raise ValidationError(f"单元格公式出错（{text}），请改为文字或数值。")
    if _FORMULA.match(text):
        raise ValidationError("单元格里是公式，请用「选择性粘贴 → 数值」换成结果。")


def as_text(value: Any) -> str:
    """A cell's value as a person sees it: 6.0 is "6", a date is ISO, 15 digits of a number."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, list):
        return "；".join(as_text(item) for item in value)
    return str(value)
