"""The form of an amendment: the cells of the form of a filing (`contracts.flat`), filled in.

A row of a list that is left empty is gone. Personal values are not filled in for offices: left
empty they stay as they are registered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app
from marshmallow import EXCLUDE, Schema, ValidationError, post_load

from market.contracts import flat
from market.contracts.codes import subclass_options
from market.contracts.flat import LISTS
from market.contracts.schemas import LABELS, PARTY_LISTS, PERSONAL, ContentSchema, Rate
from market.core.errors import Invalid
from market.core.fields import Choice, Day, Line, LongText, Whole, YesNo, Yuan
from market.core.forms import Form
from market.core.money import format_yuan

_CONTENT = ContentSchema()
_EMPTY_ROWS = 1  # that the form offers beyond those that are filled
_LONGEST = 10_000  # characters of a cell; its own field says how many are too many


def rows_of(name: str, content: Mapping[str, Any]) -> range:
    """The numbers of the rows of a list that the form offers."""
    return range(1, min(len(content.get(name, [])) + _EMPTY_ROWS, LISTS[name].most) + 1)


def schema_for(content: Mapping[str, Any]) -> Schema:
    """The schema of a form that begins with this content; loads to the fields of `ContentSchema`."""
    cells = list(flat.all_cells({name: rows_of(name, content) for name in LISTS}))
    fields: dict[str, Any] = {cell: _text(cell) for cell in cells}
    fields |= {"version": Whole(1, 10**9), "base": Whole(1, 10**6)}
    fields["reason"] = LongText(1000, metadata={"label": "变更的原因"})

    class AmendSchema(Schema):
        class Meta:
            unknown = EXCLUDE
            register = False  # one is made for each form

        @post_load
        def gather(self, values: dict[str, Any], **_more: Any) -> dict[str, Any]:
            return _gathered(values, cells)

    made: type[Schema] = type("AmendSchema", (AmendSchema,), fields)
    return made()


def _text(cell: str) -> Any:
    """A cell as it is typed; what it means is read with all others."""
    long = isinstance(_CONTENT.fields.get(cell), LongText)
    return (LongText if long else Line)(_LONGEST, metadata={"label": flat.label_of(cell)})


def _gathered(values: Mapping[str, Any], cells: Sequence[str]) -> dict[str, Any]:
    """Cells as fields of a contract; all of them, so that what was emptied is none."""
    read = flat.read({cell: values.get(cell) for cell in cells})
    if read.errors:
        raise ValidationError({cell: [words] for cell, words in read.errors.items()})
    return {
        "content": {name: read.values.get(name) for name in (*flat.PLAIN, *LISTS)},
        **{key: values[key] for key in ("version", "base", "reason") if values.get(key)},
    }


def typed(content: Mapping[str, Any], *, personal: bool) -> dict[str, str]:
    """The form filled in.

    Args:
        content: readable. personal: whether personal values are filled in.
    """
    shown = dict(content)
    for name in PARTY_LISTS:
        if not personal and name in shown:
            shown[name] = [
                {key: value for key, value in row.items() if key not in PERSONAL}
                for row in shown[name]
            ]
    return flat.write(shown)


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
        rows = [
            [
                _question(flat.key(name, number, inner), field.metadata["label"], field)
                for inner, field in LISTS[name].schema.fields.items()
            ]
            for number in rows_of(name, content)
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
        "options": (
            subclass_options()
            if name == "subclass"
            else list(getattr(field, "choices", {}).items())
        ),
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
        fields = LISTS[name].schema.fields
        return [
            {key: _raw(key, fields.get(key), inner) for key, inner in row.items()} for row in value
        ]
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and isinstance(field, Yuan):
        return format_yuan(value)
    if whole and isinstance(field, Rate):
        return f"{value / 100:.2f}"
    return value
