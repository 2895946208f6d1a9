"""marshmallow fields that read what people type, with messages in their language.

One set of rules serves forms, the API and spreadsheets, so a field accepts a string as well as
the numbers and dates of a spreadsheet's cells. Each carries `metadata`: `label` (the Chinese
column header and form label) and `note` (one line on how to fill it in).
"""

from __future__ import annotations

import math
import re
import unicodedata
from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from marshmallow import ValidationError, fields, missing

from market.core.languages import translate
from market.core.money import NotMoney, format_yuan, parse_yuan
from market.core.text import clean_line, fold, tidy_text, without_controls

REQUIRED = "必填。"
_FORMULA = re.compile(r"=\s*(?:[A-Z]{1,3}\$?\d|\$[A-Z]|[A-Z.]{2,}\(|'?[\w一-鿿]+'?!)")
_SPREADSHEET_ERRORS = {"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}
_LIST_BREAK = re.compile(r"[;；|\r\n\t\v\f\x85\u2028\u2029]+|\\n(?![a-z])")
_WEAK_BREAK = re.compile(r"[、，,/]+")
_LONGEST_RAW = 200_000  # characters of a cell that are looked at all
_SHORT = 40  # characters of a text whose meaning a field remembers
_MOST_REMEMBERED = 500  # texts a field
# What people write into a cell that does not apply; only for fields that hold no free text.
_NOTHING = frozenset({"无", "暂无", "没有", "不涉及", "不适用", "/", "\\", "-", "--", "—", "——"})
_NOTHING |= {"n/a", "na", "none", "null", "nil"}


class Reading(fields.Field):
    """Shared by all fields: blank means nothing was given, formulas are named as such."""

    default_error_messages = {
        "required": REQUIRED,
        "null": REQUIRED,
        "invalid": "格式不对。",
    }

    knows_nothing = True  # whether 无, / and the like mean that nothing was given

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
        if self.knows_nothing and not self.required and text.casefold() in _NOTHING:
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


class Line(Reading):
    """One line of text, at most `longest` characters, kept as typed."""

    knows_nothing = False

    def __init__(self, longest: int = 200, shortest: int = 1, **more: Any) -> None:
        self.longest, self.shortest = longest, shortest
        super().__init__(**more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str | None:
        if isinstance(value, float) and abs(value) >= 1e15:
            raise ValidationError("数字超过 15 位，表格已丢失末几位：请把这一格设为文本再填。")
        text = self.clean(as_text(value))
        refuse_formula(text)
        if len(text) > self.longest:
            raise ValidationError(
                translate("太长：%(n)s 个字，最多 %(most)s 个字。", n=len(text), most=self.longest)
            )
        if 0 < len(text) < self.shortest:
            raise ValidationError(translate("太短：请至少写 %(n)s 个字。", n=self.shortest))
        if not text and self.required:
            raise ValidationError(REQUIRED)
        return text or None

    def clean(self, text: str) -> str:
        """The text without what nobody meant to type."""
        return clean_line(text)


class LongText(Line):
    """Several lines of plain text, as typed; what a file brings in HTML its importer made text before."""

    def __init__(self, longest: int = 5000, **more: Any) -> None:
        super().__init__(longest=longest, **more)

    def clean(self, text: str) -> str:
        return tidy_text(text)


class Yuan(Reading):
    """An amount in yuan as people type it (`120000`, `12万`); the value is whole fen."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> int:
        try:
            return parse_yuan(as_text(value))
        except NotMoney as error:
            text = clean_line(as_text(value))[:20]
            raise ValidationError(
                translate(
                    "「%(text)s」%(why)s，请写成 120000 或 12万，单位为元。",
                    text=text,
                    why=translate(str(error)),
                )
            ) from error

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> str | None:
        return None if value is None else format_yuan(value)


_WHOLE = re.compile(r"(?:TRL[\s:：-]*)?第?\s*(\d{1,9})(?:\.0+)?\s*(?:个月|月|级)?", re.IGNORECASE)


class Whole(Reading):
    """A whole number between `lowest` and `highest`."""

    def __init__(self, lowest: int, highest: int, **more: Any) -> None:
        self.lowest, self.highest = lowest, highest
        super().__init__(**more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> int:
        text = unicodedata.normalize("NFKC", as_text(value)).strip()
        match = _WHOLE.fullmatch(text)
        if match is None or not self.lowest <= int(match[1]) <= self.highest:
            raise ValidationError(
                translate("应为 %(low)s 到 %(high)s 的整数。", low=self.lowest, high=self.highest)
            )
        return int(match[1])


class YesNo(Reading):
    """是 or 否, and what else people type for it."""

    YES = frozenset({"是", "有", "1", "true", "yes", "y", "√", "支持"})
    NO = frozenset({"否", "无", "0", "false", "no", "n", "×", "不支持"})
    knows_nothing = False
    choices = {"true": "是", "false": "否"}

    def refuse_strange(self, value: Any) -> None:
        """TRUE and FALSE are what this field is for. Raises ValidationError."""
        if not isinstance(value, bool):
            super().refuse_strange(value)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> bool:
        text = unicodedata.normalize("NFKC", as_text(value)).strip().casefold()
        if text in self.YES:
            return True
        if text in self.NO:
            return False
        raise ValidationError(translate("请填「是」或「否」。"))

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> str | None:
        return None if value is None else ("是" if value else "否")


_OPEN_END = frozenset({"长期", "长期有效", "永久", "永久有效", "至今", "不限"})


class Month(Reading):
    """A month as people type it (`2025.3`, `2025年3月`, `2025-03`); the value is `2025-03`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str | None:
        if as_text(value).strip() in _OPEN_END:
            return None
        year, month, _ = read_date(value)
        return f"{year:04}-{month:02}"


class Day(Reading):
    """A date as people type it; a month alone means its last day, 长期 means none."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> date | None:
        if as_text(value).strip() in _OPEN_END:
            return None
        year, month, day = read_date(value)
        return date(year, month, day or monthrange(year, month)[1])

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> str | None:
        return value.isoformat() if isinstance(value, date) else value


_DATE = re.compile(
    r"(\d{4})\s*[-./年、—–]\s*(\d{1,2})(?:\s*[-./月、—–]\s*(\d{1,2}))?\s*[日号月]?(?:[ T].*)?"
)
_SOLID_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})?")
_HOW = "请写成 2025-03-01 或 2025年3月。"


def read_date(value: Any) -> tuple[int, int, int | None]:
    """Year, month and day (None when only a month was given).

    Raises:
        ValidationError: not a date, or a number that lost its last digit (2025.1 may have been
            October).
    """
    if isinstance(value, date):
        _refuse_year(value.year)
        return value.year, value.month, value.day
    text = unicodedata.normalize("NFKC", as_text(value)).strip()
    if isinstance(value, float) and re.fullmatch(r"\d{4}\.1", text):
        raise ValidationError(f"「{text}」是数字，分不清 1 月还是 10 月，{_HOW}")
    match = _DATE.fullmatch(text) or _SOLID_DATE.fullmatch(text)
    if match is None:
        raise ValidationError(f"「{clean_line(text)[:20]}」不是日期，{_HOW}")
    year, month, day = int(match[1]), int(match[2]), int(match[3]) if match[3] else None
    try:
        date(year, month, day or 1)
    except ValueError as error:
        raise ValidationError(f"没有「{clean_line(text)[:20]}」这一天，{_HOW}") from error
    _refuse_year(year)
    return year, month, day


def _refuse_year(year: int) -> None:
    if not 1900 <= year <= 2200:
        raise ValidationError(f"年份 {year} 不对，{_HOW}")


class Choice(Reading):
    """One of a fixed list: `choices` maps codes to labels, `also` maps other wordings to codes."""

    def __init__(
        self, choices: Mapping[str, str], also: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        self.choices = choices
        self._known = {fold(label): code for code, label in choices.items()}
        self._known |= {fold(code): code for code in choices}
        self._known |= {fold(word): code for word, code in (also or {}).items()}
        super().__init__(**more)

    def _text(self, value: str) -> str | None:
        """A code of the list means what the list says, be it "none"."""
        return value if value in self.choices else super()._text(value)

    def code_of(self, text: str) -> str | None:
        """The code for what was typed, None when unknown."""
        return self._known.get(fold(text))

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        code = self.code_of(as_text(value))
        if code is None:
            words = "、".join(self.choices.values())
            raise ValidationError(
                f"「{clean_line(as_text(value))[:20]}」不在选项中，可选：{words}。"
            )
        return code

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> str | None:
        return None if value is None else self.choices.get(value, value)


class Words(Reading):
    """A list of short texts; in a cell separated by ；or a new line, else by 、, comma or slash.

    Args:
        comma: whether 、, comma and slash separate in a cell that has no ；.
    """

    def __init__(self, most: int = 30, longest: int = 60, comma: bool = True, **more: Any) -> None:
        self.most, self.longest, self.comma = most, longest, comma
        super().__init__(**more)

    def split(self, value: Any) -> list[str]:
        """The entries, cleaned, without repetition, in order."""
        texts = [as_text(one) for one in value if one is not None] if _many(value) else None
        if texts is None:
            text = as_text(value)
            only_weak = self.comma and not _LIST_BREAK.search(text)
            texts = _WEAK_BREAK.split(text) if only_weak else [text]
        parts = (part for text in texts for part in _LIST_BREAK.split(without_controls(text)))
        words = list(dict.fromkeys(word for part in parts if (word := clean_line(part))))
        for word in words:
            refuse_formula(word)
        return [] if len(words) == 1 and words[0].casefold() in _NOTHING else words

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> list[str] | None:
        words = self.split(value)
        if len(words) > self.most:
            raise ValidationError(f"太多：{len(words)} 个，最多 {self.most} 个。")
        for word in words:
            if len(word) > self.longest:
                raise ValidationError(f"「{word[:10]}…」太长，每个最多 {self.longest} 个字。")
        return words or None

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> str | None:
        if not value:
            return None
        # A ；behind a single TCP/IP says that it is one entry.
        single = self.comma and len(value) == 1 and _WEAK_BREAK.search(value[0])
        return f"{value[0]}；" if single else "；".join(value)


def _many(value: Any) -> bool:
    return isinstance(value, (list, tuple))


class Choices(Words):
    """Several of a fixed list; `其他(…)` keeps what stands in the brackets as text."""

    _OTHER = re.compile(r"其[他它]?\s*(?:[(（](.*)[)）]|[:：](.*))")

    def __init__(
        self, choices: Mapping[str, str], also: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        self.choices = choices
        self._one = Choice(choices, also)
        super().__init__(comma=False, **more)

    def code_of(self, text: str) -> str | None:
        """The code for one entry, None when it is not in the list."""
        return self._one.code_of(text)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> list[str] | None:
        found = [code for piece in self.split(value) for code in self._codes(piece)]
        return list(dict.fromkeys(found)) or None

    def _codes(self, piece: str) -> list[str]:
        """A label may itself hold a separator (农业/生物新品种): larger pieces are tried first."""
        if self._one.code_of(piece) or self._OTHER.fullmatch(piece):
            return [self._code(piece)]
        for separator in (r"[、，,]+", r"\s+", r"/+"):
            words = [word for word in re.split(separator, piece) if word.strip()]
            if len(words) > 1:
                return [code for word in words for code in self._codes(word)]
        return [self._code(piece)]

    def _code(self, word: str) -> str:
        word = word.strip()
        other = self._OTHER.fullmatch(word)
        if other and "other" in self.choices:
            return clean_line(other[1] or other[2] or "") or "other"
        code = self._one.code_of(word)
        if code is None:
            words = "、".join(self.choices.values())
            raise ValidationError(f"「{word[:20]}」不在选项中，可选：{words}。")
        return code

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> str | None:
        if not value:
            return None
        return "；".join(self.choices.get(word, f"其他（{word}）") for word in value)
