"""From an HTML form or a query string to a schema's values, keeping what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError
from werkzeug.datastructures import MultiDict

from market.core.fields import LongText, Words
from market.core.text import clean_line, without_controls


@dataclass(frozen=True)
class Form:
    """A form as it was sent.

    values: what the schema made of the good fields. errors: messages by field. typed: the text
    of each field as it was sent, to be shown again.
    """

    values: Mapping[str, Any]
    errors: Mapping[str, list[str]]
    typed: Mapping[str, str] = field(default_factory=dict)


def read_form(schema: Schema, sent: MultiDict[str, str]) -> Form:
    """Load what was sent: only the schema's fields, several values for lists, blanks dropped.

    Fields with mistakes are left out of `values`; a page that must not fail (a search) simply
    goes on without them.
    """
    raw: dict[str, Any] = {}
    typed: dict[str, str] = {}
    for name, one in schema.fields.items():
        key = one.data_key or name
        clean = _clean_lines if isinstance(one, LongText) else clean_line
        texts = [text for text in map(clean, sent.getlist(key)) if text]
        typed[key] = "；".join(texts)
        if texts:
            raw[key] = texts if isinstance(one, Words) else texts[0]
    try:
        return Form(_given(schema.load(raw)), {}, typed)
    except ValidationError as error:
        values = error.valid_data if isinstance(error.valid_data, dict) else {}
        messages = {
            str(name): [str(message) for message in found]
            for name, found in error.normalized_messages().items()
        }
        return Form(_given(values), messages, typed)


def _clean_lines(text: str) -> str:
    return without_controls(text).strip()


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
