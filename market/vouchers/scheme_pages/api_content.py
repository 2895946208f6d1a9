"""The content of a scheme as programs send and get it: fen, basis points, codes, dates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from market.core.api_schemas import Answer, Input
from market.core.errors import Invalid
from market.core.fields import Choice, Choices, Day, Line, LongText, Whole, YesNo, Yuan
from market.core.money import HIGHEST_FEN
from market.vouchers import content
from market.vouchers.content import SchemeSchema
from market.vouchers.schemas import Percent
from market.vouchers.scheme_pages.flat import children

_NAMES = {
    "BudgetSchema": "YearBudget",
    "ServiceSchema": "Service",
    "BandSchema": "Band",
    "AwardSchema": "Award",
    "PayerSchema": "Payer",
    "TopUpSchema": "TopUp",
    "WindowSchema": "Window",
    "StepSchema": "ReviewStep",
    "ReadingSchema": "Reading",
    "OptionSchema": "Option",
    "SetsSchema": "OptionSets",
    "SourceSchema": "Source",
}
_MADE: dict[str, type[Schema]] = {}
_OPEN = "；没有写的为 null，就是待定"


def _name_of(schema: Schema, cell: str) -> str:
    plain = _NAMES.get(type(schema).__name__)
    return plain or "".join(part.capitalize() for part in cell.split("_"))


def _sent(one: fields.Field[Any], cell: str) -> fields.Field[Any]:
    """A field as programs send it."""
    told: dict[str, Any] = {"required": one.required, "allow_none": not one.required}
    label = one.metadata.get("label", cell)
    about = {"description": label}
    inner = children(one)
    if inner is not None:
        row = fields.Nested(_input(inner, cell))
        return fields.List(row, allow_none=True, validate=validate.Length(max=60), metadata=about)
    if isinstance(one, fields.Nested):
        return fields.Nested(_input(one.schema, cell), allow_none=True, metadata=about)
    if isinstance(one, Yuan):
        limits = validate.Range(0, HIGHEST_FEN, error="应为不小于 0 的整数，单位分。")
        about = {"description": f"{label}，单位分"}
        return fields.Integer(strict=True, validate=limits, metadata=about, **told)
    if isinstance(one, Percent):
        limits = validate.Range(0, 10_000, error="应为 0 到 10000 的整数，万分之几。")
        about = {"description": f"{label}，万分之几：3000 是 30 %".replace("（%）", "")}
        return fields.Integer(strict=True, validate=limits, metadata=about, **told)
    if isinstance(one, Whole):
        between = validate.Range(
            one.lowest, one.highest, error=f"应为 {one.lowest} 到 {one.highest} 的整数。"
        )
        return fields.Integer(strict=True, validate=between, metadata=about, **told)
    if isinstance(one, (Choices, Choice)):
        known = validate.OneOf(list(one.choices), error=f"应为 {'、'.join(one.choices)} 之一。")
        text = fields.String(validate=known)
        if isinstance(one, Choices):
            return fields.List(text, allow_none=True, metadata=about)
        return fields.String(validate=known, metadata=about, **told)
    if isinstance(one, YesNo):
        return fields.Boolean(metadata=about, **told)
    if isinstance(one, Day):
        return fields.Date(metadata=about, **told)
    if isinstance(one, fields.List):
        return fields.List(Line(300), allow_none=True, metadata=about)
    kind = LongText if isinstance(one, LongText) else Line
    longest = one.longest if isinstance(one, Line) else 40
    return kind(longest, metadata=about, **told)


def _got(one: fields.Field[Any], cell: str) -> fields.Field[Any]:
    """The same as programs get it."""
    about = {"description": one.metadata.get("label", cell) + _OPEN}
    inner = children(one)
    if inner is not None:
        return fields.List(fields.Nested(_answer(inner, cell)), allow_none=True, metadata=about)
    if isinstance(one, fields.Nested):
        return fields.Nested(_answer(one.schema, cell), allow_none=True, metadata=about)
    if isinstance(one, (Yuan, Percent, Whole)):
        return fields.Integer(allow_none=True, metadata=about)
    if isinstance(one, YesNo):
        return fields.Boolean(allow_none=True, metadata=about)
    if isinstance(one, (Choices, fields.List)):
        return fields.List(fields.String(), allow_none=True, metadata=about)
    return fields.String(allow_none=True, metadata=about)


def _members(schema: Schema, make: Any) -> dict[str, fields.Field[Any]]:
    return {one.data_key or name: make(one, name) for name, one in schema.fields.items()}


def _made(schema: Schema, cell: str, base: type[Schema], make: Any, ending: str) -> type[Schema]:
    """A schema made once: two of one name would be two in the document."""
    name = f"Voucher{_name_of(schema, cell)}{ending}"
    if name not in _MADE:
        _MADE[name] = base.from_dict(_members(schema, make), name=name)
    return _MADE[name]


def _input(schema: Schema, cell: str) -> type[Schema]:
    return _made(schema, cell, Input, _sent, "Input")


def _answer(schema: Schema, cell: str) -> type[Schema]:
    return _made(schema, cell, Answer, _got, "Schema")


VoucherContentInput: type[Schema] = Input.from_dict(
    _members(SchemeSchema(), _sent), name="VoucherContentInput"
)
VoucherContentSchema: type[Schema] = Answer.from_dict(
    _members(SchemeSchema(), _got), name="VoucherContentSchema"
)


def told(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored content with nothing left out: null for what is open."""
    return _told(SchemeSchema(), stored)


def _told(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, one in schema.fields.items():
        key = one.data_key or name
        value, inner = values.get(key), children(one)
        if value is not None and inner is not None:
            value = [_told(inner, row) for row in value]
        elif value is not None and isinstance(one, fields.Nested):
            value = _told(one.schema, value)
        found[key] = value
    return found


def stored(sent: Mapping[str, Any], owner_region: str) -> dict[str, Any]:
    """The stored form of what a program sent, checked as the form's is.

    Raises:
        Invalid: it contradicts itself; paths lead to what is wrong.
    """
    given = _plain(sent) | {"owner_region": owner_region}
    try:
        return content.load(content.dump(given))
    except ValidationError as error:
        raise Invalid(_paths(error.normalized_messages(), "content")) from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _paths(messages: Mapping[Any, Any], start: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, inner in messages.items():
        path = f"{start}/{key}"
        if isinstance(inner, Mapping):
            found |= _paths(inner, path)
        else:
            found[path] = [inner] if isinstance(inner, str) else [str(one) for one in inner]
    return found
