"""Importing and exporting what counties put first on their pages (本县推荐)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from marshmallow import EXCLUDE, Schema
from sqlalchemy import select

from market.catalogue.lookups import number_of
from market.catalogue.models import MOST_PINS, Listing, Pin
from market.core import clock
from market.core.db import db
from market.core.fields import Line
from market.core.file_rows import columns_of
from market.core.importing import Kind, Options
from market.core.sheets import Column, Row
from market.core.slots import Filling, Place, SlotImporter
from market.regions.models import Region
from market.regions.queries import CountyResolver


class PinSchema(Schema):
    """A row of a file of pins."""

    class Meta:
        unknown = EXCLUDE

    region = Line(
        60, metadata={"label": "地区", "note": "县（市、区）或功能区，6 位代码或全称，如 511803"}
    )
    position = Place(
        MOST_PINS,
        required=True,
        metadata={"label": "位置", "note": f"1 到 {MOST_PINS}，每个县最多 {MOST_PINS} 条"},
    )
    no = Line(
        20,
        metadata={"label": "编号", "note": "成果或需求的编号，如 CG2026000001；空着就取消这个位置"},
    )
    note = Line(200, metadata={"label": "推荐理由", "note": "一句话，显示在县页上"})


_SCHEMA = PinSchema()
_ALSO = {
    "region": ["region_code", "地区代码", "县", "县（市、区）"],
    "position": ["序号", "排序"],
    "no": ["成果编号", "需求编号"],
    "note": ["理由", "备注", "说明"],
}


def columns() -> list[Column]:
    """The columns of a file of pins."""
    return columns_of(_SCHEMA, _ALSO)


class PinImporter(SlotImporter):
    """Imports pins; key is region and position."""

    model = Pin
    schema = _SCHEMA
    identity = "listing_id"
    named = "no"

    def __init__(self, options: Options) -> None:
        super().__init__()
        self._options = options
        self._counties: CountyResolver | None = None

    def fill(self, loaded: Sequence[tuple[Row, dict[str, Any]]]) -> list[tuple[Row, Filling]]:
        """Find the county and the published listing of each row."""
        if self._counties is None:
            self._counties = CountyResolver(self._options.region, self._options.only_area)
        nos = {number_of(content) for _, content in loaded if content.get("no")}
        query = select(Listing.no, Listing.id, Listing.state).where(
            Listing.no.in_(nos), Listing.state != "staged"
        )
        known = {no: (key, state) for no, key, state in db.session.execute(query)}
        found = []
        for row, content in loaded:
            region = self._counties.place(content.get("region"))
            if isinstance(region, str):
                row.report("region", region)
                continue
            no = number_of(content) if content.get("no") else ""
            values = self._values(row, content, no, known)
            found.append((row, Filling(region, content["position"], values, no)))
        return found

    @staticmethod
    def _values(
        row: Row, content: Mapping[str, Any], no: str, known: Mapping[str, tuple[int, str]]
    ) -> dict[str, Any] | None:
        if not no:
            if content.get("note"):
                row.report("no", "请填编号；要取消这个位置，请把推荐理由也清空。")
            return None
        key, state = known.get(no, (0, ""))
        if not state:
            row.report("no", f"没有编号为 {no} 的成果或需求。")
        elif state == "withdrawn":
            row.report("no", f"{no} 已撤回，不能推荐。")
        return {"listing_id": key, "note": content.get("note")}

    def show(self, held: Pin) -> str:
        """The number of the listing."""
        return held.listing.no

    def complete(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """With the time of pinning."""
        return dict(values) | {"pinned_at": clock.now()}


def export_rows() -> Iterator[Mapping[str, Any]]:
    """All pins of published listings as rows of a file, by county and position."""
    query = (
        select(Region.code, Pin.position, Listing.no, Pin.note)
        .join(Region, Region.id == Pin.region_id)
        .join(Listing, Listing.id == Pin.listing_id)
        .where(Listing.state == "published")
        .order_by(Region.code, Pin.position)
    )
    for code, position, no, note in db.session.execute(query):
        yield {"region": code, "position": position, "no": no, "note": note}


KIND = Kind("pins", "本县推荐", columns, PinImporter, export_rows)
