"""marshmallow fields that read what people type, with messages in their language.

One set of rules serves forms, the API and spreadsheets, so a field accepts a string as well as
the numbers and dates of a spreadsheet's cells. Each carries `metadata`: `label` (the Chinese
column header and form label) and `note` (one line on how to fill it in).
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError

from market.core.languages import translate
from market.core.money import NotMoney, format_yuan, parse_yuan
from market.core.reading import NOTHING, REQUIRED, Reading, as_text, refuse_formula
from market.core.text import clean_line, fold, tidy_text, without_controls

_LIST_BREAK = re.compile(r"[;；|\r\n\t\v\f\x85\u2028\u2029]+|\\n(?![a-z])")
_WEAK_BREAK = re.compile(r"[、，,/]+")


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
    """A date as people type it; a month alone means its last day, 长期 means none where it may."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> date | None:
        if as_text(value).strip() in _OPEN_END:
            if self.required:
                raise ValidationError("这里须写一个确切的日期，不能写长期。")
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
        return [] if len(words) == 1 and words[0].casefold() in NOTHING else words

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
