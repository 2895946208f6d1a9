"""A contract's fields as one types them: one flat name for each cell of the form or of a file.

A cell of a list is named by the list, the number of its row and the field (`sellers-1-name`). What
can be read becomes values of `ContentSchema`; what cannot is told by cell and kept as it was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError

from market.contracts.schemas import (
    LABELS,
    MOST_INSTALMENTS,
    MOST_PARTIES,
    MOST_RIGHTS,
    ContentSchema,
    InstalmentSchema,
    PartySchema,
    Rate,
    RightSchema,
)
from market.core.db import db
from market.core.fields import YesNo, Yuan
from market.core.money import format_yuan
from market.core.reading import as_text
from market.core.text import clean_line
from market.regions import queries as regions
from market.regions.models import Region
from market.regions.queries import Resolver


@dataclass(frozen=True)
class Rows:
    """A list of the form: the schema of a row, and how many there may be."""

    schema: Schema
    most: int


LISTS: Mapping[str, Rows] = {
    "sellers": Rows(PartySchema(), MOST_PARTIES),
    "buyers": Rows(PartySchema(), MOST_PARTIES),
    "thirds": Rows(PartySchema(), 3),
    "rights": Rows(RightSchema(), MOST_RIGHTS),
    "plan": Rows(InstalmentSchema(), MOST_INSTALMENTS),
}
PLAIN = tuple(name for name in LABELS if name not in LISTS)
_PLAIN_SCHEMA = ContentSchema(only=PLAIN)


def key(name: str, number: int, inner: str) -> str:
    """The name of a cell in a list."""
    return f"{name}-{number}-{inner}"


def is_cell(name: str) -> bool:
    """Whether the form has a cell of this name."""
    top, dash, rest = name.partition("-")
    if not dash:
        return name in PLAIN
    number, _, inner = rest.partition("-")
    known = top in LISTS and inner in LISTS[top].schema.fields
    return known and number.isascii() and number.isdecimal() and len(number) < 4


def label_of(name: str) -> str:
    """A cell's name in words: 卖方 1 的名称."""
    top, _, rest = name.partition("-")
    if not rest:
        return "附件" if top == "file" else LABELS.get(top, name)
    number, _, inner = rest.partition("-")
    known = LISTS[top].schema.fields.get(inner)
    return f"{LABELS[top]} {number} 的{known.metadata['label'] if known else inner}"


@dataclass(frozen=True)
class Read:
    """What was typed, read.

    values: by the fields of `ContentSchema`, rows with mistakes left out; errors: by cell; unread:
    texts that are to be shown again, since they are in no value (of a list with a mistake: all).
    """

    values: Mapping[str, Any]
    errors: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)


Places = Callable[[str], str]


class PlaceFinder:
    """Region codes by what people type; raises ValidationError when it is not clear which is meant."""

    def __init__(self) -> None:
        self._resolver: Resolver | None = None
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        if text not in self._known:
            self._known[text] = self._find(text)
        return self._known[text]

    def _find(self, text: str) -> str:
        exact = _exact(text)
        if exact is not None:
            return exact
        self._resolver = self._resolver or Resolver()
        found = self._resolver.find(text)
        if not isinstance(found, int):
            raise ValidationError(found)
        return _code_of(found)


def _exact(text: str) -> str | None:
    """The code, of a region whose code or full name was typed."""
    found = regions.by_codes([text])
    if found:
        return found[0].code
    return regions.code_of_full_name(text)


def _code_of(region_id: int) -> str:
    return db.session.get_one(Region, region_id).code


def read(typed: Mapping[str, Any], places: Places | None = None) -> Read:
    """Read a form or a row of a file. Looks up regions: call outside a unit of work."""
    places = places or PlaceFinder()
    given = {name: typed[name] for name in PLAIN if _filled(typed.get(name))}
    values, errors = _load(_PLAIN_SCHEMA, given)
    unread = {name: str(given[name]) for name in errors if name in given}
    for name, rows in LISTS.items():
        found, wrong = _read_rows(name, rows, typed, places)
        values[name] = found
        errors |= wrong
        if wrong:
            unread |= {cell: str(typed[cell]) for cell in cells_of(name, typed)}
    return Read(values, errors, unread)


def _filled(value: Any) -> bool:
    return value is not None and str(value).strip() != ""


def cells_of(name: str, typed: Mapping[str, Any]) -> list[str]:
    """The filled cells of a list."""
    return [cell for cell, value in typed.items() if cell.startswith(f"{name}-") and _filled(value)]


def numbers_of(name: str, typed: Mapping[str, Any]) -> list[int]:
    """The numbers of the rows of a list in which something was typed."""
    found = {cell.split("-")[1] for cell in cells_of(name, typed)}
    return sorted(int(one) for one in found if one.isascii() and one.isdecimal() and len(one) < 4)


def _load(schema: Schema, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    try:
        loaded: Any = schema.load(given)
        return dict(loaded), {}
    except ValidationError as error:
        good = error.valid_data if isinstance(error.valid_data, dict) else {}
        told = {
            str(name): " ".join(str(one) for one in words)
            for name, words in error.normalized_messages().items()
        }
        return dict(good), told


def _read_rows(
    name: str, rows: Rows, typed: Mapping[str, Any], places: Places
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    found: list[dict[str, Any]] = []
    wrong: dict[str, str] = {}
    numbers = numbers_of(name, typed)
    if len(numbers) > rows.most:
        return [], {key(name, numbers[-1], _first(rows)): f"最多 {rows.most} 行。"}
    for number in numbers:
        cells = {inner: typed.get(key(name, number, inner)) for inner in rows.schema.fields}
        given = {inner: text for inner, text in cells.items() if _filled(text)}
        misplaced = ""
        if "region_code" in given:  # a full name may be longer than a code
            try:
                given["region_code"] = places(clean_line(as_text(given["region_code"]))[:100])
            except ValidationError as error:
                misplaced = str(error.messages[0])
                del given["region_code"]
        values, errors = _load(rows.schema, given)
        if misplaced:
            errors["region_code"] = misplaced
        if errors:
            wrong |= {key(name, number, inner): words for inner, words in errors.items()}
        else:
            found.append({inner: value for inner, value in values.items() if value is not None})
    return found, wrong


def _first(rows: Rows) -> str:
    return next(iter(rows.schema.fields))


def write(content: Mapping[str, Any], unread: Mapping[str, str] | None = None) -> dict[str, str]:
    """The texts of all cells, for the form. content: readable, as versions keep it."""
    unread = unread or {}
    typed: dict[str, str] = {}
    for name in PLAIN:
        if (value := content.get(name)) is not None:
            typed[name] = _text(_PLAIN_SCHEMA.fields[name], value)
    for name, rows in LISTS.items():
        if any(cell.startswith(f"{name}-") for cell in unread):
            continue
        for number, row in enumerate(content.get(name, []), start=1):
            for inner, value in row.items():
                if inner in rows.schema.fields:
                    typed[key(name, number, inner)] = _text(rows.schema.fields[inner], value)
    _name_places(typed)
    return typed | dict(unread)


def _name_places(typed: dict[str, str]) -> None:
    """Write regions by their names."""
    cells = [cell for cell in typed if cell.endswith("-region_code")]
    names = regions.full_names({typed[cell] for cell in cells}) if cells else {}
    for cell in cells:
        typed[cell] = names.get(typed[cell], typed[cell])


def _text(one: Any, value: Any) -> str:
    if isinstance(one, Yuan):
        return format_yuan(value)
    if isinstance(one, Rate):
        return f"{value / 100:g}"
    if isinstance(one, YesNo):
        return "true" if value else "false"
    return str(value)


def all_cells(numbers: Mapping[str, Sequence[int]]) -> Iterator[str]:
    """All cells of a form that shows these rows of each list."""
    yield from PLAIN
    for name, rows in LISTS.items():
        for number in numbers.get(name, ()):
            for inner in rows.schema.fields:
                yield key(name, number, inner)
