"""What forms send about intents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, post_load, validates_schema

from market.catalogue.models import PRICE_MODES
from market.core.fields import Choice, Day, Line, LongText, Whole, Yuan
from market.core.reading import Reading, as_text
from market.core.text import clean_line
from market.matching.intents.models import (
    BASES,
    CLASSES,
    ENDINGS,
    MODES,
    OUTCOMES,
    OWNERSHIP,
    PARTIES,
    ROLES,
)
from market.matching.intents.rules import (
    LONGEST_MESSAGE,
    LONGEST_WORDS,
    MOST_PLAN_ROWS,
    WHOLE,
)

PLAN_PLACES = range(1, MOST_PLAN_ROWS + 1)
_RATE = re.compile(r"(\d{1,6}(?:\.\d{1,2})?)\s*%?")


class Rate(Reading):
    """A rate in per cent as people type it (`2`, `2.5 %`); the value is basis points."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> int:
        text = unicodedata.normalize("NFKC", as_text(value)).strip()
        found = _RATE.fullmatch(text)
        if found is None:
            said = clean_line(text)[:20]
            raise ValidationError(f"「{said}」不是比例，请写成 2 或 2.5 %，最多两位小数。")
        points = int(Decimal(found[1]) * 100)
        if not 0 < points <= WHOLE:
            raise ValidationError("提成比例应大于 0、不超过 100 %。")
        return points


def _absent(sent: Mapping[str, Any], sentences: Mapping[str, str]) -> None:
    """Refuse fields that came empty. Raises ValidationError."""
    messages = {name: [words] for name, words in sentences.items() if not sent.get(name)}
    if messages:
        raise ValidationError(messages)


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE

    NEEDED: Mapping[str, str] = {}
    version = Whole(1, 10**9)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, _values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """What the form cannot do without."""
        _absent(sent, self.NEEDED)


class BeginSchema(_Form):
    """An inquiry becomes an intent. side: which one the sender is on."""

    NEEDED = {"side": "请选择本单位是买方还是卖方。"}
    side = Choice(PARTIES)
    contract_class = Choice(CLASSES)
    text = LongText(LONGEST_MESSAGE)


class MessageSchema(_Form):
    """A word in the thread."""

    NEEDED = {"text": "请写点什么再发送。"}
    text = LongText(LONGEST_MESSAGE)


class EndingSchema(_Form):
    """Why it ends: one of a list, and words."""

    NEEDED = {"ending": "请选择原因，对方会看到。"}
    ending = Choice(ENDINGS)
    reason = LongText(900)

    @validates_schema(skip_on_field_errors=False)
    def other(self, values: Mapping[str, Any], **_more: Any) -> None:
        """「其他」 alone says nothing."""
        if values.get("ending") == "other" and not values.get("reason"):
            raise ValidationError("选了「其他」，请写明原因。", "reason")


class ClassSchema(_Form):
    """Which kind of technology contract it is to become; empty: open."""

    contract_class = Choice(CLASSES)


class PlainSchema(_Form):
    """An act that needs no words."""


class InviteSchema(_Form):
    """Whom to invite: by name or credit code."""

    NEEDED = {"organisation": "请写单位名称或统一社会信用代码。", "role": "请选择邀请谁。"}
    organisation = Line(100)
    role = Choice(ROLES)
    note = Line(200)


class OutcomeSchema(_Form):
    """What became of it."""

    NEEDED = {"outcome": "请选择结果。"}
    outcome = Choice(OUTCOMES)
    contract_no = Line(60)
    signed_on = Day()
    amount_fen = Yuan()
    reason = LongText(1000)


def _plan_cells() -> dict[str, Any]:
    """The cells of the plan of payments: three for each row."""
    cells: dict[str, Any] = {}
    for place in PLAN_PLACES:
        cells[f"plan_when_{place}"] = Line(60)
        cells[f"plan_what_{place}"] = Line(60)
        cells[f"plan_fen_{place}"] = Yuan()
    return cells


class _OfferForm(_Form):
    NEEDED = {"transfer_mode": "请选择转化方式。", "price_mode": "请选择价格方式，哪怕是「面议」。"}
    transfer_mode = Choice(MODES)
    price_mode = Choice(PRICE_MODES)
    price_min_fen = Yuan()
    price_max_fen = Yuan()
    entry_fen = Yuan()
    royalty_bp = Rate()
    royalty_base = Choice(BASES)
    delivery_on = Day()
    acceptance = LongText(LONGEST_WORDS)
    ownership = Choice(OWNERSHIP)
    valid_until = Day()
    words = LongText(LONGEST_WORDS)

    @post_load
    def gather(self, values: dict[str, Any], **_more: Any) -> dict[str, Any]:
        """The cells of the plan as rows."""
        plan = []
        for place in PLAN_PLACES:
            row = {
                name: values.pop(f"plan_{name}_{place}", None) for name in ("when", "what", "fen")
            }
            if any(value is not None for value in row.values()):
                plan.append(row)
        return {**values, "plan": plan}


OfferSchema: type[_OfferForm] = type("OfferSchema", (_OfferForm,), _plan_cells())
