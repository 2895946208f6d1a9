"""Pure rules of publishing: what was typed becomes content, or messages by field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError

from market.catalogue.content import KEYS
from market.catalogue.schemas import SCHEMAS
from market.core.errors import Invalid
from market.core.text import clean_line, without_controls

# Working days in which an office means to look at what was sent, where it set itself no other target
# (`ReviewTarget`). No rule of law names a period: it is the platform's own default.
REVIEW_DAYS = 3
MOST_TYPED = 200_000  # characters of all fields of a draft together
REMIND_BEFORE = 30  # days before the end of validity
RENEWED_FOR = 12  # months
# What an office may refer to when it sends something back. Source: Civil code art. 1034 and PIPL
# art. 29 for personal data, law on state secrets art. 57 for what may not be public, Advertising
# law arts. 4 and 9 for claims; the rest is what the offices agreed among themselves.
RETURN_RULES = {
    "unclear": "写清做什么、解决什么问题，外行能看懂",
    "untrue": "内容真实，数据有依据",
    "secret": "不得含有涉密或不宜公开的内容",
    "personal": "不得公开他人的个人信息",
    "contact": "联系方式真实、有人接听",
    "superlative": "不用「国家级」「最佳」等绝对化用语",
    "duplicate": "同一项不重复发布",
    "other": "其他",
}

# What is ticked before anything goes public. An office that enters for others has not done their
# review: it says what they told it.
CLEARED_BY_OWNER = "已按本单位的规定做过保密审查，不含国家秘密和不宜公开的内容"
CLEARED_FOR_OTHERS = "发布单位已确认：按其规定做过保密审查，不含国家秘密和不宜公开的内容"
CLEARANCE = "请先完成保密审查，并在这里确认。"
CLEARANCE_OF_OTHERS = "请先向发布单位问明是否做过保密审查，再在这里确认。"

# What an office may send back beside the fields: where the words stand on the form.
PARTS = {"files": "图片与附件", "cleared": "保密审查"}


def fields_of(kind: str) -> dict[str, Any]:
    """The fields that people fill in, by the name that forms, files and the API give them."""
    keys = set(KEYS) - {"region"}
    return {
        field.data_key or name: field
        for name, field in SCHEMAS[kind].fields.items()
        if name not in keys
    }


def labels_of(kind: str) -> dict[str, str]:
    """What fields and other parts of the form are called."""
    return {key: one.metadata["label"] for key, one in fields_of(kind).items()} | PARTS


def tidy(kind: str, values: Mapping[str, Any]) -> dict[str, str]:
    """What was typed, by field: texts only, of known fields, without characters that have no shape.

    Nothing is cut and nothing is judged: a half-finished value is kept as it is.

    Raises:
        Invalid: more than a draft may hold.
    """
    typed = {}
    for key in fields_of(kind):
        if key in values:
            value = values[key]
            text = (
                "；".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")
            )
            typed[key] = without_controls(text.replace("\r\n", "\n"))
    total = sum(map(len, typed.values()))
    if total > MOST_TYPED:
        longest = max(typed, key=lambda key: len(typed[key]))
        sentence = f"全部内容共 {total:,} 个字，最多存 {MOST_TYPED:,} 个字：请缩短这一项。"
        raise Invalid({longest: [sentence]})
    return typed


def title_of(typed: Mapping[str, str]) -> str:
    """What lists call it: the title as far as it is typed."""
    return clean_line(typed.get("title", ""))[:300]


def load(kind: str, typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The good values and the messages by field."""
    given = {key: text for key, text in typed.items() if text.strip()}
    try:
        return dict(SCHEMAS[kind].load(given)), {}
    except ValidationError as error:
        good = error.valid_data if isinstance(error.valid_data, dict) else {}
        messages = {
            str(key): [str(one) for one in found]
            for key, found in error.normalized_messages().items()
        }
        return _with_price(kind, dict(good), messages)


def _with_price(
    kind: str, good: dict[str, Any], messages: dict[str, list[str]]
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Read the price also where other fields are wrong, so that all mistakes are told at once."""
    if {"price", "budget", "price_mode", "budget_mode"} & messages.keys():
        return good, messages
    try:
        return SCHEMAS[kind].read_prices(good), messages
    except ValidationError as error:
        good.pop("price", None)
        for key, found in error.normalized_messages().items():
            messages[str(key)] = [str(one) for one in found]
        return good, messages


def renewed_until(until: date | None, today: date) -> date:
    """Twelve months more, counted from the end of validity or from today when that has passed."""
    start = max(until, today) if until else today
    try:
        return start.replace(year=start.year + RENEWED_FOR // 12)
    except ValueError:  # 29 February
        return start.replace(year=start.year + RENEWED_FOR // 12, day=28)
