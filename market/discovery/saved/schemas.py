"""The forms of saved searches."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema

from market.core.fields import Choice, Line, Whole
from market.discovery.saved.models import LANGUAGES, RHYTHMS
from market.discovery.saved.rules import LONGEST_QUERY


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


class EditSchema(_Form):
    """Name, rhythm and language. `seen`: the version that the editor looked at."""

    name = Line(100, required=True, metadata={"label": "名称"})
    rhythm = Choice(RHYTHMS, required=True, metadata={"label": "多久告诉我一次"})
    language = Choice(LANGUAGES, required=True, metadata={"label": "用哪种语言"})
    seen = Whole(1, 999_999_999)


class SaveSchema(EditSchema):
    """A search to keep."""

    query = Line(LONGEST_QUERY)


class PlainSchema(_Form):
    """A button that needs nothing."""
