"""Public numbers: permanent, never reused, given out under the write lock."""

from __future__ import annotations

from sqlalchemy import text

from market.core.db import db

_TAKE = text(
    "INSERT INTO number_series (name, last) VALUES (:name, :count) "
    "ON CONFLICT (name) DO UPDATE SET last = number_series.last + :count RETURNING last"
)


def take(series: str, count: int = 1) -> range:
    """The next `count` numbers of a series, from 1. Call inside a unit of work."""
    last: int = db.session.execute(_TAKE, {"name": series, "count": count}).scalar_one()
    return range(last - count + 1, last + 1)
