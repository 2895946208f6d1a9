"""What the small forms of publishing ask."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema

from market.catalogue.models import KINDS, OUTCOMES
from market.core.fields import Choice, Line, LongText, Whole, Yuan


class BeginSchema(Schema):
    """The first words of a new listing."""

    class Meta:
        unknown = EXCLUDE

    kind = Choice(KINDS, required=True, metadata={"label": "类别"})
    owner = Whole(1, 999_999_999, metadata={"label": "单位"})
    title = Line(200, metadata={"label": "名称"})
    region = Line(100, required=True, metadata={"label": "所在地区"})


class SendSchema(Schema):
    """The confidentiality review, and where a draft goes."""

    class Meta:
        unknown = EXCLUDE

    action = Line(20, required=True)
    cleared = Line(5)
    cleared_no = Line(100)
    cleared_by = Line(60)


class ReasonSchema(Schema):
    """An act with its reason, and how a demand ended."""

    class Meta:
        unknown = EXCLUDE

    reason = LongText(1000)
    outcome = Choice(OUTCOMES)
    outcome_with = Line(200)
    outcome_yuan = Yuan()


class NothingSchema(Schema):
    """A button."""

    class Meta:
        unknown = EXCLUDE
