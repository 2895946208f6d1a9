"""The forms of bulletins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import EXCLUDE, Schema
from marshmallow.fields import Field

from market.core.fields import Choice, Line, LongText, Whole, Words
from market.discovery.bulletins.models import HIGHEST, LANGUAGES, MOST_ITEMS

LONGEST_FOREWORD = 2000


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


class NewSchema(_Form):
    """A bulletin to begin. `number`: by default the next one."""

    region = Line(12, required=True, metadata={"label": "地区"})
    number = Whole(1, HIGHEST, metadata={"label": "期号"})


class TextsSchema(_Form):
    """What the clerk writes. `add`: numbers of listings; `drop`: those to leave out."""

    title = Line(100, required=True, metadata={"label": "标题"})
    number = Whole(1, HIGHEST, required=True, metadata={"label": "期号"})
    foreword = LongText(LONGEST_FOREWORD, metadata={"label": "卷首语"})
    add = Words(MOST_ITEMS, metadata={"label": "添加信息"})
    drop = Words(MOST_ITEMS, comma=False)
    seen = Whole(1, 999_999_999)


def draft_schema(nos: Sequence[str]) -> Schema:
    """The form of a draft with these listings: a place in the order for each."""
    fields: dict[str, Field[Any]] = {f"place_{no}": Whole(0, 9999) for no in nos}
    made: type[Schema] = TextsSchema.from_dict(fields, name="Draft")
    return made()


class ActSchema(_Form):
    """A transition. `seen`: the version that the clerk looked at."""

    reason = LongText(2000)
    seen = Whole(1, 999_999_999)


class SubscribeSchema(_Form):
    """A place whose bulletins somebody wants to hear of."""

    region = Line(12, required=True, metadata={"label": "地区"})
    language = Choice(LANGUAGES, required=True, metadata={"label": "用哪种语言"})
