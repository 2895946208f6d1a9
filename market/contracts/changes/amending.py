"""The form of an amendment: all fields of a contract flat, as a page sends them, and back again.

A row of a list has its fields numbered from 1 (`sellers_name_1`); a row that is left empty is gone.
Personal values are not filled in for offices: left empty they stay as they are registered.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app
from marshmallow import EXCLUDE, Schema, ValidationError, post_load

from market.contracts.schemas import (
    LABELS,
    MOST_INSTALMENTS,
    MOST_PARTIES,
    MOST_RIGHTS,
    PARTY_LISTS,
    PERSONAL,
    ContentSchema,
    InstalmentSchema,
    PartySchema,
    Rate,
    RightSchema,
)
from market.core.errors import Invalid
from market.core.fields import Choice, Day, LongText, Whole, YesNo, Yuan
from market.core.forms import Form
from market.core.money import format_yuan

# The lists of a contract: schema of a row, most rows, how a row is called.
LISTS: dict[str, tuple[type[Schema], int, str]] = {
    "sellers": (PartySchema, MOST_PARTIES, "卖方"),
    "buyers": (PartySchema, MOST_PARTIES, "买方"),
    "thirds": (PartySchema, 3, "中介方或服务机构"),
    "rights": (RightSchema, MOST_RIGHTS, "知识产权"),
    "plan": (InstalmentSchema, MOST_INSTALMENTS, "付款"),
}
SCALARS = tuple(name for name in LABELS if name not in LISTS)
_CONTENT = ContentSchema()
_EMPTY_ROWS = 1  # that the form offers beyond those that are filled


def rows_of(name: str, content: Mapping[str, Any]) -> int:
    """How many rows of a list the form offers."""
    return min(len(content.get(name, [])) + _EMPTY_ROWS, LISTS[name][1])


def schema_for(content: Mapping[str, Any]) -> Schema:
    """The schema of a form that begins with this content; loads to the fields of `ContentSchema`."""
    flat: dict[str, Any] = {name: _CONTENT.fields[name] for name in SCALARS}
    flat |= {"version": Whole(1, 10**9), "base": Whole(1, 10**6)}
    places = {name: rows_of(name, content) for name in LISTS}
    for name, (schema, _most, label) in LISTS.items():
        for key, field in schema().fields.items():
            for place in range(1, places[name] + 1):
                flat[f"{name}_{key}_{place}"] = _of_row(field, label, place)
    flat["reason"] = LongText(1000, metadata={"label": "变更的原因"})

    class AmendSchema(Schema):
        class Meta:
            unknown = EXCLUDE
            register = False  # one is made for each form

        @post_load
        def gather(self, values: dict[str, Any], **_more: Any) -> dict[str, Any]:
            return _gathered(values, places)

    made: type[Schema] = type(
        "AmendSchema", (AmendSchema,), {key: _copy(field) for key, field in flat.items()}
    )
    return made()


def _copy(field: Any) -> Any:
    """A field of a schema of its own: one that is bound belongs to the other."""
    found = copy.copy(field)
    found.parent = found.name = found.root = None
    found.required = False
    return found


def _of_row(field: Any, label: str, place: int) -> Any:
    found = _copy(field)
    found.metadata = {"label": f"{label} {place}：{field.metadata['label']}"}
    return found


def _gathered(values: Mapping[str, Any], places: Mapping[str, int]) -> dict[str, Any]:
    """Flat values as fields of a contract; all of them, so that what was emptied is none."""
    found: dict[str, Any] = {name: values.get(name) for name in SCALARS}
    wrong: dict[str, list[str]] = {}
    for name, most in places.items():
        schema, _most, label = LISTS[name]
        fields = schema().fields
        found[name] = []
        for place in range(1, most + 1):
            row = {key: values.get(f"{name}_{key}_{place}") for key in fields}
            if not any(value is not None for value in row.values()):
                continue
            for key, field in fields.items():
                if field.required and row[key] is None:
                    said = f"第 {place} 行{label}还没有填写{field.metadata['label']}。"
                    wrong[f"{name}_{key}_{place}"] = [said]
            found[name].append({key: value for key, value in row.items() if value is not None})
    if (found.get("currency") or "CNY").upper() != "CNY" and not found.get("exchange"):
        wrong["exchange"] = ["外币合同请写明折算汇率和日期，金额按人民币填写。"]
    if wrong:
        raise ValidationError(wrong)
    return {
        "content": found,
        **{key: values[key] for key in ("version", "base", "reason") if values.get(key)},
    }


def typed(content: Mapping[str, Any], *, personal: bool) -> dict[str, str]:
    """A content as somebody would have typed it into the form.

    Args:
        content: readable. personal: whether personal values are filled in.
    """
    found = {name: _as_typed(_CONTENT.fields[name], content.get(name)) for name in SCALARS}
    for name, (schema, _most, _label) in LISTS.items():
        fields = schema().fields
        for place, row in enumerate(content.get(name, []), 1):
            for key, value in row.items():
                if personal or key not in PERSONAL:
                    found[f"{name}_{key}_{place}"] = _as_typed(fields[key], value)
    return found


def _as_typed(field: Any, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(field, Yuan):
        return format_yuan(value)
    if isinstance(field, Rate):
        return f"{value / 100:g}"
    if isinstance(field, YesNo):
        return "true" if value else "false"
    return str(value)


def keeping(content: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """The content with personal values that were left empty as they are in `base`, by party.

    Args:
        content: loaded. base: readable.
    """
    found = dict(content)
    for name in PARTY_LISTS:
        before = {row.get("name"): row for row in base.get(name, [])}
        if found.get(name):
            found[name] = [_kept(row, before.get(row.get("name"), {})) for row in found[name]]
    return found


def _kept(row: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    same = {key: before[key] for key in PERSONAL if before.get(key)}
    return {**same, **{key: value for key, value in row.items() if value}}


def start(content: Mapping[str, Any], *, personal: bool, reason: str = "") -> Form:
    """The form as it is first shown."""
    return Form({}, {}, typed(content, personal=personal) | {"reason": reason})


def kind_of(field: Any) -> str:
    """How a field is asked on a page: "choice", "yesno", "long" or "line"."""
    if isinstance(field, Choice):
        return "choice"
    if isinstance(field, YesNo):
        return "yesno"
    return "long" if isinstance(field, LongText) else "line"


def asked(content: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """What the page asks, in the order of the form: fields and lists of rows of fields."""
    found: list[dict[str, Any]] = []
    for name, label in LABELS.items():
        if name not in LISTS:
            found.append(_question(name, label, _CONTENT.fields[name]))
            if name == "industry":
                found[-1] |= {"kind": "choice", "options": _industries(content.get(name))}
            continue
        schema = LISTS[name][0]
        rows = [
            [
                _question(f"{name}_{key}_{place}", field.metadata["label"], field)
                for key, field in schema().fields.items()
            ]
            for place in range(1, rows_of(name, content) + 1)
        ]
        found.append({"name": name, "label": label, "rows": rows})
    return found


def _industries(held: str | None) -> list[tuple[str, str]]:
    """What may be chosen; a value that is none of it stays choosable, so that it is not lost."""
    known = dict(current_app.extensions["market"].terms("industry"))
    return list(({held: held} | known if held and held not in known else known).items())


def _question(name: str, label: str, field: Any) -> dict[str, Any]:
    return {
        "name": name,
        "label": f"{label}（元）" if isinstance(field, Yuan) else label,
        "kind": kind_of(field),
        "options": list(getattr(field, "choices", {}).items()),
        "short": isinstance(field, (Day, Rate, Whole, Yuan)) or getattr(field, "longest", 99) <= 20,
    }


# Programs send whole fen and basis points, by the names of the same fields.


def from_program(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that a program sends, loaded.

    Raises:
        Invalid: by field.
    """
    wrong: dict[str, list[str]] = {}
    unknown = set(sent) - set(LABELS)
    wrong |= {f"content/{name}": ["没有这一项。"] for name in unknown}
    if wrong:
        raise Invalid(wrong)
    raw = {name: _raw(name, _CONTENT.fields[name], value) for name, value in sent.items()}
    try:
        loaded: dict[str, Any] = _CONTENT.load(raw)
    except ValidationError as error:
        told = dict(_flat(error.normalized_messages()))
        raise Invalid({f"content/{path}": words for path, words in told.items()}) from error
    return loaded


def _flat(messages: Any, path: str = "") -> Any:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flat(inner, f"{path}/{key}" if path else str(key))
    else:
        yield path, [str(one) for one in messages]


def _raw(name: str, field: Any, value: Any) -> Any:
    """A value of a program as the schema reads what people type."""
    if name in LISTS:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            return [] if value is None else value
        fields = LISTS[name][0]().fields
        return [
            {key: _raw(key, fields.get(key), inner) for key, inner in row.items()} for row in value
        ]
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and isinstance(field, Yuan):
        return format_yuan(value)
    if whole and isinstance(field, Rate):
        return f"{value / 100:.2f}"
    return value
