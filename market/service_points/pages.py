"""What the pages of this room share: the place that is typed, tables to take away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Response, send_file
from sqlalchemy import select

from market.core.db import db
from market.core.sheets import Column, write_table
from market.regions import queries as regions
from market.regions.models import Region
from market.regions.queries import RegionView
from market.service_points.finding import Finder

MOST_CHOICES = 8  # places of one name that are offered
MOST_TOWNSHIPS = 40  # names of townships come again in many counties


def place_of(text: str) -> tuple[RegionView | None, list[RegionView]]:
    """The region that is typed, by code or name; else those that may be meant."""
    if not text:
        return None, []
    found = regions.by_codes([text]) if text.isdecimal() else []
    if found:
        return regions.view(found[0]), []
    places = regions.search(text, MOST_CHOICES) or townships(text)
    exact = [one for one in places if text in (one.name, one.short_name, one.full_name)]
    if len(exact) == 1 or (exact and exact[0].level in ("province", "prefecture")):
        return exact[0], []
    if not places:  # 东坡区太和镇: a township behind the name of its county
        meant = Finder().region(text)
        found = [db.session.get_one(Region, meant)] if isinstance(meant, int) else []
        return (regions.view(found[0]), []) if found else (None, [])
    return (places[0], []) if len(places) == 1 else (None, places)


def townships(name: str) -> list[RegionView]:
    """Townships of this name, as far as they can be offered."""
    query = select(Region).where(
        Region.name == name, Region.level == "township", Region.valid_to.is_(None)
    )
    rows = db.session.scalars(query.order_by(Region.code).limit(MOST_TOWNSHIPS))
    return [regions.view(row) for row in rows]


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Dates as ISO writes them."""
    return {
        key: value.isoformat() if hasattr(value, "isoformat") else value
        for key, value in row.items()
    }


_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def table(rows: Iterable[Mapping[str, Any]], heads: Sequence[Column], name: str) -> Response:
    """Rows as a CSV file or a workbook to take away; the end of the name says which."""
    ending = name.rpartition(".")[2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rows.{ending}"
        write_table(path, heads, rows)
        data = BytesIO(path.read_bytes())
    return send_file(data, _TYPES[ending], as_attachment=True, download_name=name)
