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
_ALSO = {
    "专利": "",
    "发明": "发明专利",
    "实用新型专利": "实用新型",
    "外观设计专利": "外观设计",
    "软著": "软件著作权",
    "计算机软件著作权": "软件著作权",
    "植物新品种": "植物新品种权",
    "品种权": "植物新品种权",
    "集成电路布图设计专有权": "集成电路布图设计",
}
_PATENT = re.compile(r"(\d{12}|\d{8})\.?([\dX])?")
_NUMBER = re.compile(r"(?:ZL|CN)?[A-Z]*[\d][\dA-Z.]*")


def patent_check_digit(digits: str) -> str:
    """The check digit of the 12 or 8 digits of a patent number."""
    weights = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))
    return "X" if total % 11 == 10 else str(total % 11)


def read_patent(text: str) -> tuple[str, str]:
    """Kind and number (`202010566088.9`) of a patent number, with or without ZL.

    Raises:
        ValidationError: wrong length, kind or check digit.
    """
    compact = unicodedata.normalize("NFKC", text).upper().replace(" ", "")
    compact = compact.removeprefix("ZL").removeprefix("CN")
    match = _PATENT.fullmatch(compact)
    if match is None:
        raise ValidationError(f"「{text}」不是专利号，应为 12 位数字加校验位，如 202010566088.9。")
    digits, check = match[1], match[2]
    kind = _PATENT_KINDS.get(digits[4] if len(digits) == 12 else digits[2])
    if kind is None:
        raise ValidationError(f"专利号「{text}」第 {5 if len(digits) == 12 else 3} 位的种类不对。")
    expected = patent_check_digit(digits)
    if check is not None and check != expected:
        raise ValidationError(f"专利号「{text}」校验位不对，请核对（末位应为 {expected}）。")
    return kind, f"{digits}.{expected}"


def read_ip(text: str) -> dict[str, str]:
    """Kind and number of one right, written as `发明专利 202010566088.9` or the number alone.

    Raises:
        ValidationError: neither a known kind nor a valid number.
    """
    folded = unicodedata.normalize("NFKC", text).strip()
    found = _NUMBER.search(folded.upper().replace(" ", ""))
    number = found[0] if found else ""
    words = re.sub(r"[\s:：()（）]+", "", re.sub(r"[A-Za-z\d.]+", "", folded)).removesuffix("号")
    kind = next((known for known in IP_KINDS if words.startswith(known)), _ALSO.get(words, ""))
    if kind == "软件著作权" or (not kind and "SR" in number):
        return {"kind": "软件著作权", "number": number}
    if kind == "植物新品种权" or number.startswith("CNA"):
        return {"kind": "植物新品种权", "number": number}
    if kind in {"技术秘密", "生物医药新品种", "集成电路布图设计"}:
        return {"kind": kind, "number": number}
    if not number:
        kinds = "、".join(IP_KINDS)
        raise ValidationError(f"「{text[:30]}」看不出种类或号码，种类有：{kinds}。")
    real_kind, number = read_patent(number)
    if kind and kind != real_kind:
        raise ValidationError(f"「{text[:40]}」：按号码是{real_kind}，与所写的{kind}不符。")
    return {"kind": real_kind, "number": number}


class IpItems(Words):
    """Rights of intellectual property; the value is a list of `{kind, number}`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        items = value if isinstance(value, list) else self.split(value)
        if len(items) > self.most:
            raise ValidationError(f"太多：{len(items)} 项，最多 {self.most} 项。")
        return [item if isinstance(item, dict) else read_ip(str(item)) for item in items] or None

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> str | None:
        if not value:
            return None
        return "；".join(f"{item['kind']} {item['number']}".strip() for item in value)
