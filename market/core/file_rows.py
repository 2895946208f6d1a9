"""Between a schema and the rows of its files: columns, loading, mistakes at their cells."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from marshmallow import Schema, ValidationError

from market.core.fields import LongText
from market.core.sheets import Column, Row


def columns_of(
    schema: Schema,
    also: Mapping[str, Sequence[str]] | None = None,
    *,
    optional: Container[str] = (),
) -> list[Column]:
    """The columns of a file of rows of this schema.

    Args:
        also: other headers that are understood, by field.
        optional: required fields that a file may leave out, since something else gives them.
    """
    return [
        Column(
            key,
            field.metadata["label"],
            field.metadata.get("note", ""),
            field.required and key not in optional,
            list(getattr(field, "choices", {}).values()),
            (also or {}).get(key, ()),
        )
        for key, field in schema.fields.items()
    ]


def load_row(schema: Schema, row: Row) -> dict[str, Any] | None:
    """What a row says, empty cells left out; None when it has mistakes, which are reported."""
    try:
        return {key: value for key, value in schema.load(row.values).items() if value is not None}
    except ValidationError as error:
        report_mistakes(row, error)
        return None


def report_mistakes(row: Row, error: ValidationError) -> None:
    """Note each mistake at its cell."""
    for key, messages in error.normalized_messages().items():
        row.report(str(key), " ".join(str(message) for message in messages))


def long_texts(schema: Schema) -> frozenset[str]:
    """The names under which a schema takes long texts."""
    return frozenset(
        one.data_key or name for name, one in schema.fields.items() if isinstance(one, LongText)
    )
