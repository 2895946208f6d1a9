"""The forms of local settings. What a place may hold, its importer says; here it is only read."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema
from marshmallow.fields import Field

from market.catalogue.models import MOST_PINS
from market.core.fields import Line, Whole
from market.regions.models import MOST_INDUSTRIES

_LONGEST = 3000  # characters that are read of a field
INDUSTRY_FIELDS = ("name", "keywords", "source")
PIN_FIELDS = ("no", "note")


class _Text(Line):
    """A line as typed: formulas and lengths are the importer's to judge."""

    def __init__(self) -> None:
        super().__init__(_LONGEST)


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


def places(most: int, names: tuple[str, ...]) -> type[Schema]:
    """A form with some fields for each place, and the version that its reader saw."""
    fields: dict[str, Field[Any]] = {
        f"{name}_{place}": _Text() for place in range(1, most + 1) for name in names
    }
    made: type[Schema] = _Form.from_dict(fields | {"seen": _Text()}, name="Places")
    return made


IndustriesSchema = places(MOST_INDUSTRIES, INDUSTRY_FIELDS)
PinsSchema = places(MOST_PINS, PIN_FIELDS)


MOST_DAYS = 60  # the table of targets takes no more


class ReviewTargetSchema(_Form):
    """The working days for a review: empty the platform's, 0 none."""

    days = Whole(0, MOST_DAYS)
    seen = _Text()


class PinSchema(_Form):
    """A listing to recommend."""

    county = _Text()
    position = _Text()
    note = _Text()


class SynonymSchema(_Form):
    """A group of words that mean the same."""

    label = _Text()
    aliases = _Text()
    source = _Text()
