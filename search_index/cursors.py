"""Cursors of pages: an opaque text that says where the next page begins, the same for all engines."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from search_index.model import BadCursor


def write_cursor(sort: str, *place: int | None) -> str:
    """Return the cursor of a place: an offset by relevance, else (number or None, tie)."""
    text = json.dumps([sort, *place], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, sort: str) -> list[Any]:
    """Return the place that `write_cursor` was given.

    Raises:
        BadCursor: it is damaged or belongs to another order.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        kind, *place = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, TypeError, binascii.Error):
        raise BadCursor("the cursor is damaged") from None
    numbers = [value for value in place if value is not None]
    whole = all(type(value) is int and abs(value) < 2**63 for value in numbers)
    expected = 1 if sort == "relevance" else 2
    if kind != sort or not whole or len(place) != expected or place[-1] is None or place[-1] < 0:
        raise BadCursor("the cursor belongs to another search")
    return place
