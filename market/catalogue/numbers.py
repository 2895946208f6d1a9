"""Numbers of intellectual property: their form, their check digits, how they are written.

Patent numbers: since October 2003 year, kind, seven digits and a check digit; before that two
digits of the year. The check digit is the sum of digits times 2..9,2..5, modulo 11, 10 as X.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from marshmallow import ValidationError

from market.core.fields import Words
from market.core.text import clean_line

# Kind in the number → kind of right.
_PATENT_KINDS = {
    "1": "发明专利",
    "2": "实用新型",
    "3": "外观设计",
    "8": "发明专利",
    "9": "实用新型",
}
IP_KINDS = (
    "发明专利",
    "实用新型",
    "外观设计",
    "软件著作权",
    "植物新品种权",
    "集成电路布图设计",
    "生物医药新品种",
    "技术秘密",
)
_PATENTS = IP_KINDS[:3]
# What else people begin with; longer words stand before those they begin with.
_ALSO = {
    "计算机软件著作权": "软件著作权",
    "计算机软件": "软件著作权",
    "软件登记": "软件著作权",
    "软著": "软件著作权",
    "植物新品种": "植物新品种权",
    "新品种权": "植物新品种权",
    "品种权": "植物新品种权",
    "集成电路布图": "集成电路布图设计",
    "布图设计": "集成电路布图设计",
    "专有技术": "技术秘密",
    "发明": "发明专利",
    "外观": "外观设计",
}
_PATENT = re.compile(r"(\d{12}|\d{8})\.?([\dX])?")
_PLAIN_PATENT = re.compile(r"(?:ZL)?([0-9]{12})\.?([0-9X])")
_PUBLISHED = re.compile(r"CN\d{7,9}[A-Z]\d?")
_NUMBER = re.compile(r"(?:[A-Z][A-Z.-]*)?[0-9][0-9A-Z.]*(?:-[0-9][0-9A-Z.]*)*")
_SEVERAL = re.compile(r"[、，,/和及]+")


def patent_check_digit(digits: str) -> str:
    """The check digit of the 12 or 8 digits of a patent number."""
    weights = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))
    return "X" if total % 11 == 10 else str(total % 11)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", clean_line(text)).upper()


def read_patent(text: str) -> tuple[str, str]:
    """Kind and number (`202010566088.9`) of a patent number, with or without ZL.

    Raises:
        ValidationError: wrong length, kind or check digit, or the number of a publication.
    """
    return _read_patent(text, clean_line(text)[:40])


def _read_patent(text: str, shown: str) -> tuple[str, str]:
    compact = re.sub(r"\s+", "", _folded(text))
    if _PUBLISHED.fullmatch(compact):
        raise ValidationError(
            f"「{shown}」是公开或公告号，请填申请号（专利号），如 202010566088.9。"
        )
    compact = compact.removeprefix("ZL").removeprefix("CN")
    match = _PATENT.fullmatch(compact) if compact.isascii() else None
    if match is None:
        raise ValidationError(f"「{shown}」不是专利号，应为 12 位数字加校验位，如 202010566088.9。")
    digits, check = match[1], match[2]
    kind = _PATENT_KINDS.get(digits[4] if len(digits) == 12 else digits[2])
    if kind is None:
        raise ValidationError(f"专利号「{shown}」第 {5 if len(digits) == 12 else 3} 位的种类不对。")
    expected = patent_check_digit(digits)
    if check is not None and check != expected:
        raise ValidationError(f"专利号「{shown}」校验位不对，请核对（末位应为 {expected}）。")
    return kind, f"{digits}.{expected}"


def read_ip(text: str) -> dict[str, str]:
    """Kind and number of one right, written as `发明专利 202010566088.9` or the number alone.

    Raises:
        ValidationError: neither a known kind nor a valid number.
    """
    plain = _PLAIN_PATENT.fullmatch(text)  # as most are written; read at once
    if plain and patent_check_digit(plain[1]) == plain[2] and plain[1][4] in _PATENT_KINDS:
        return {"kind": _PATENT_KINDS[plain[1][4]], "number": f"{plain[1]}.{plain[2]}"}
    shown = clean_line(text)[:40]
    folded = _folded(text)
    found = _NUMBER.search(re.sub(r"\s+", "", folded))
    number = found[0].rstrip(".") if found else ""
    kind = _kind(folded)
    if kind == "软件著作权" or (not kind and "SR" in number):
        return {"kind": "软件著作权", "number": number}
    if kind == "植物新品种权" or (not kind and number.startswith("CNA")):
        return {"kind": "植物新品种权", "number": number}
    if kind == "集成电路布图设计" or (not kind and number.startswith("BS.")):
        return {"kind": "集成电路布图设计", "number": number}
    if kind and kind not in _PATENTS:
        return {"kind": kind, "number": number}
    if not number:
        kinds = "、".join(IP_KINDS)
        wanted = "请写出专利号，如 202010566088.9。" if kind else f"看不出种类，种类有：{kinds}。"
        raise ValidationError(f"「{shown}」{wanted}")
    real_kind, number = _read_patent(number, shown)
    if kind and kind != real_kind:
        raise ValidationError(f"「{shown}」：按号码是{real_kind}，与所写的{kind}不符。")
    return {"kind": real_kind, "number": number}


def _kind(folded: str) -> str:
    """The kind that the words begin with, "" when they name none (专利号, 授权公告号)."""
    words = re.sub(r"[^\u4e00-\u9fff]+", "", folded)
    for known in IP_KINDS:
        if words.startswith(known):
            return known
    return next((kind for word, kind in _ALSO.items() if words.startswith(word)), "")


class IpItems(Words):
    """Rights of intellectual property; the value is a list of `{kind, number}`."""

    def refuse_strange(self, value: Any) -> None:
        """Objects of kind and number are welcome here. Raises ValidationError."""
        if isinstance(value, list):
            value = [_object_text(one) if isinstance(one, dict) else one for one in value]
        super().refuse_strange(value)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        if isinstance(value, list):
            value = [_object_text(one) if isinstance(one, dict) else one for one in value]
        pieces = [piece for text in self.split(value) for piece in _pieces(text)]
        if len(pieces) > self.most:
            raise ValidationError(f"太多：{len(pieces)} 项，最多 {self.most} 项。")
        for piece in pieces:
            if len(piece) > self.longest:
                raise ValidationError(f"「{piece[:10]}…」太长，每项最多 {self.longest} 个字。")
        items = {(item["kind"], item["number"]): item for item in map(read_ip, pieces)}
        return list(items.values()) or None

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> str | None:
        if not value:
            return None
        return "；".join(f"{item['kind']} {item['number']}".strip() for item in value)


def _object_text(item: dict[str, Any]) -> str:
    """`{kind, number}` as text, to be read like what a person types."""
    kind, number = item.get("kind"), item.get("number")
    given = [one for one in (kind, number) if one is not None]
    if not given or not all(isinstance(one, str) for one in given):
        raise ValidationError("知识产权应写成 {kind, number}，两项都是文字。")
    return f"{kind or ''} {number or ''}"


def _pieces(text: str) -> list[str]:
    """Several rights in one entry (`ZL…、ZL…`): divided where each part has a long number."""
    if not _SEVERAL.search(text):
        return [text]
    parts = [part for part in _SEVERAL.split(text) if part.strip()]
    numbered = [part for part in parts if len(re.findall(r"\d", part)) >= 7]
    return parts if len(parts) > 1 and len(numbered) == len(parts) else [text]
