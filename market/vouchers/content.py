"""A scheme's content as offices type it: the schema, and what it is stored as (JSON)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def load(typed: Mapping[str, Any]) -> dict[str, Any]:
    """The stored form of what was typed. Raises marshmallow.ValidationError with field names."""
    raise NotImplementedError


def dump(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a form shows of a stored content: yuan, per cent, ISO dates, codes."""
    raise NotImplementedError


def open_points(content: Mapping[str, Any]) -> list[str]:
    """Labels of what has to be decided before money can be paid by this scheme."""
    raise NotImplementedError
