"""From a schema's values to a revision's columns and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from market.catalogue import rules, terms
from market.catalogue.models import Revision
from market.catalogue.schemas import SCHEMAS, price_text
from market.core.text import title_key

# Columns of their own, since SQL filters and sorts by them; all else is in `details`.
TYPED = (
    "title",
    "summary",
    "region_id",
    "stage",
    "trl",
    "price_mode",
    "price_min_fen",
    "price_max_fen",
    "valid_until",
)
# Not content: they name the row, its owner or its place.
KEYS = ("no", "source_id", "owner_uscc", "owner_name", "region")
TERM_FIELDS = {"fields": "field", "industries": "industry", "disciplines": "discipline"}


def revision_values(
    kind: str, content: Mapping[str, Any], *, by: str, at: datetime, digest: str | None = None
) -> dict[str, Any]:
    """Column values of a revision that holds this content (region_id included).

    Args:
        digest: the content's hash where the caller has it already.
    """
    details = {key: value for key, value in content.items() if key not in TYPED}
    return {
        **{name: content.get(name) for name in TYPED},
        "folded_title": title_key(content["title"]),
        "content_hash": digest or rules.content_hash(content),
        "completeness": rules.completeness(kind, content),
        "details": rules.jsonable(details),
        "created_by": by,
        "created_at": at,
    }


def content_of(revision: Revision) -> dict[str, Any]:
    """The content of a revision: raw values by field, dates in `details` as ISO text."""
    typed = {name: getattr(revision, name) for name in TYPED}
    return {key: value for key, value in {**typed, **revision.details}.items() if value is not None}


def file_row(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The content as a row of a file, with labels instead of codes."""
    values = dict(content)
    for key, scheme in TERM_FIELDS.items():
        if values.get(key):
            values[key] = terms.labels(scheme, values[key])
    values["price"] = price_text(values.get("price_min_fen"), values.get("price_max_fen"))
    for key in ("deadline", "valid_until", "evaluation_date"):
        if isinstance(values.get(key), str):
            values[key] = date.fromisoformat(values[key])
    return dict(SCHEMAS[kind].dump(values))
