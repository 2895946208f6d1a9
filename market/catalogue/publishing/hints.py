"""What stands in a text that its writer and its reviewer should look at again. Refuses nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from market.catalogue.dates import past_deadline
from market.catalogue.publishing import rules

# With a day of birth in its middle; whether the last digit fits is not asked: slips count too.
_IDENTITY = re.compile(
    r"(?<![\dA-Za-z])\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
    r"(?![\dA-Za-z])"
)
_MOBILE = re.compile(r"(?<![\d.])1[3-9]\d([ -]?)\d{4}\1\d{4}(?![\d.])")
# Source: Advertising law art. 9 (3) names the first three, the rest are of their kind.
_SUPERLATIVE = re.compile(
    "国家级|最高级|最佳|最好的|最先进|顶级|顶尖|独一无二|绝无仅有|史上最|(?:全国|世界|全球|行业)第一"
)
# Made to hold a telephone, or numbers that look like one.
_NUMBERS = ("contact_phone", "ip", "registration_no", "evaluation_no")


@dataclass(frozen=True)
class Hint:
    """Something about a field."""

    field: str
    label: str
    message: str


def hints(kind: str, typed: Mapping[str, str]) -> list[Hint]:
    """The hints on what was typed, in the order of the fields."""
    content, _ = rules.load(kind, typed)
    found = []
    for key, one in rules.fields_of(kind).items():
        for message in _about(key, typed.get(key, "")):
            found.append(Hint(key, one.metadata["label"], message))
        if key == "deadline" and (late := past_deadline(content.get(key))):
            found.append(Hint(key, one.metadata["label"], late))
    return found


def _about(key: str, text: str) -> Iterator[str]:
    folded = unicodedata.normalize("NFKC", text)
    if match := _IDENTITY.search(folded):
        yield f"「{match[0][:6]}…」像身份证号码，公开后谁都能看到，请删去。"
    if key not in _NUMBERS and (match := _MOBILE.search(folded)):
        shown = f"{match[0][:3]}…{match[0][-4:]}"
        yield f"「{shown}」像手机号码：是联系电话请移到「联系电话」，是别人的请删去。"
    if words := dict.fromkeys(_SUPERLATIVE.findall(folded)):
        named = "".join(f"「{word}」" for word in words)
        yield f"{named}是绝对化用语：有文号、证书的请写明出处，没有的请换一种说法。"
