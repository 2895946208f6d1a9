"""What a listing's fields look like on a page: labels for codes, amounts in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from market.catalogue import terms
from market.catalogue.content import TERM_FIELDS
from market.catalogue.models import PRICE_MODES
from market.catalogue.schemas import SCHEMAS
from market.core.fields import Choice, Choices, Day, YesNo, Yuan
from market.core.languages import N_, is_english, translate
from market.core.money import price, show_yuan

Shown = str | list[str]


def shown(kind: str, content: Mapping[str, Any]) -> dict[str, Shown]:
    """Display text by field, in the order of the schema; empty fields are left out."""
    texts: dict[str, Shown] = {}
    for key, show in SHOWERS[kind]:
        value = content.get(key)
        if value or value == 0:  # False and 0 say something, [] and "" do not
            texts[key] = show(value)
    if price := price_text(content):
        texts["price"] = price
    texts.pop("price_mode", None)
    return texts


def displayed(kind: str, content: Mapping[str, Any]) -> dict[str, Shown]:
    """`shown` in the language of the page: labels translated, what people wrote as it is."""
    texts = shown(kind, content)
    if is_english():
        for key in texts:
            if key in TERM_FIELDS:
                names = terms.names(TERM_FIELDS[key])
                texts[key] = [names.get(code, code) for code in content[key]]
            elif key in _LABELLED[kind]:
                value = texts[key]
                words = [value] if isinstance(value, str) else value
                texts[key] = [translate(word) for word in words]
            elif key in _MONEY:
                texts[key] = price(str(texts[key]))
    return texts


def _shower(key: str, field: Any) -> Callable[[Any], Shown]:
    """How a field's raw value is shown."""
    if key in TERM_FIELDS:
        return lambda value: terms.labels(TERM_FIELDS[key], value)
    if key == "ip":
        return lambda value: [f"{item['kind']} {item['number']}".strip() for item in value]
    if isinstance(field, Choices):
        return lambda value: [field.choices.get(item, item) for item in value]
    if isinstance(field, Choice):
        return lambda value: str(field.choices.get(value, value))
    if isinstance(field, YesNo):
        return lambda value: N_("是") if value else N_("否")
    if isinstance(field, Yuan):
        return show_yuan
    if isinstance(field, Day):
        return lambda value: value.isoformat() if isinstance(value, date) else str(value)
    return lambda value: value if isinstance(value, list) else str(value)


SHOWERS = {
    kind: tuple(
        (field.attribute or name, _shower(field.attribute or name, field))
        for name, field in schema.fields.items()
    )
    for kind, schema in SCHEMAS.items()
}


_MONEY = ("price", "investment")
# Fields that hold one of our own words rather than the reader's.
_LABELLED = {
    kind: {
        field.attribute or name
        for name, field in schema.fields.items()
        if isinstance(field, Choice | Choices | YesNo)
    }
    for kind, schema in SCHEMAS.items()
}


def price_text(content: Mapping[str, Any]) -> str | None:
    """What it costs, or what may be spent, in words: 面议, 12 万元, 入门费 10 万元 + 提成."""
    mode, low, high = (content.get(k) for k in ("price_mode", "price_min_fen", "price_max_fen"))
    if mode == "entry_royalty" and low is not None:
        return f"入门费 {show_yuan(low)} + 提成"
    if low is not None and high is not None:
        return show_yuan(low) if low == high else f"{show_yuan(low)} – {show_yuan(high)}"
    return PRICE_MODES[mode] if mode else None
