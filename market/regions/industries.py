"""Importing and exporting the leading industries of counties (主导产业)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from marshmallow import EXCLUDE, Schema

from market.core import outbox
from market.core.db import db
from market.core.fields import Line, Words
from market.core.file_rows import columns_of
from market.core.importing import Kind, Options
from market.core.models import ReferenceData
from market.core.sheets import Column, Row
from market.core.slots import Filling, Place, SlotImporter
from market.core.text import fold
from market.regions import queries
from market.regions.models import MOST_INDUSTRIES, LeadingIndustry
from market.regions.queries import CountyResolver

MOST_KEYWORDS = 20
SHORTEST = 2  # characters: a single one would stand in nearly every listing


class LeadingIndustrySchema(Schema):
    """A row of a file of leading industries."""

    class Meta:
        unknown = EXCLUDE

    region = Line(
        60, metadata={"label": "地区", "note": "县（市、区）或功能区，6 位代码或全称，如 511803"}
    )
    position = Place(
        MOST_INDUSTRIES,
        required=True,
        metadata={
            "label": "位置",
            "note": f"1 到 {MOST_INDUSTRIES}，每个县最多 {MOST_INDUSTRIES} 个",
        },
    )
    name = Line(
        30,
        SHORTEST,
        metadata={"label": "产业名称", "note": "如 川茶；名称和关键词都空着就取消这个位置"},
    )
    keywords = Words(
        MOST_KEYWORDS,
        20,
        metadata={
            "label": "关键词",
            "note": f"2 个字以上，最多 {MOST_KEYWORDS} 个，用；隔开；含有其一的成果和需求归入这个产业",
        },
    )
    source = Line(200, metadata={"label": "来源", "note": "确定主导产业的文件"})


_SCHEMA = LeadingIndustrySchema()
_ALSO = {
    "region": ["region_code", "地区代码", "县", "县（市、区）"],
    "position": ["序号", "排序"],
    "name": ["名称", "主导产业", "industry"],
    "keywords": ["关键字"],
    "source": ["依据"],
}


def columns() -> list[Column]:
    """The columns of a file of leading industries."""
    return columns_of(_SCHEMA, _ALSO)


class LeadingIndustryImporter(SlotImporter):
    """Imports leading industries; key is region and position."""

    model = LeadingIndustry
    schema = _SCHEMA
    identity = named = "name"

    def __init__(self, options: Options) -> None:
        super().__init__()
        self._options = options
        self._counties: CountyResolver | None = None

    def fill(self, loaded: Sequence[tuple[Row, dict[str, Any]]]) -> list[tuple[Row, Filling]]:
        """Find the county and judge the words of each row."""
        if self._counties is None:
            self._counties = CountyResolver(self._options.region, self._options.only_area)
        found = []
        for row, content in loaded:
            region = self._counties.place(content.get("region"))
            if isinstance(region, str):
                row.report("region", region)
                continue
            values = self._values(row, content)
            found.append(
                (row, Filling(region, content["position"], values, content.get("name", "")))
            )
        return found

    @staticmethod
    def _values(row: Row, content: Mapping[str, Any]) -> dict[str, Any] | None:
        name, keywords = content.get("name"), content.get("keywords")
        if name is None and keywords is None:
            return None
        if name is None:
            row.report("name", "请填产业名称；要取消这个位置，请把关键词也清空。")
        elif ":" in name:  # it divides county and name in addresses and in the index
            row.report("name", f"「{name}」：产业名称里请不要用冒号。")
        if keywords is None:
            row.report("keywords", "请至少填一个关键词，成果和需求按它归入这个产业。")
        for word in keywords or ():
            if len(fold(word)) < SHORTEST:
                row.report("keywords", f"「{word}」太短：关键词至少 {SHORTEST} 个字。")
        return {"name": name, "keywords": keywords, "source": content.get("source")}

    def show(self, held: LeadingIndustry) -> str:
        """The name of the industry."""
        return held.name

    def published(self, run_id: int) -> None:
        """Every listing may belong to another industry now: ask for a new index."""
        db.session.merge(ReferenceData(name=queries.INDUSTRIES_VERSION, version=str(run_id)))
        outbox.announce(outbox.REBUILD, 0)


def export_rows() -> Iterator[Mapping[str, Any]]:
    """All leading industries as rows of a file, by county and position."""
    for one in queries.all_leading_industries():
        yield {**_SCHEMA.dump(one), "region": one.code}


KIND = Kind(
    "leading-industries",
    "主导产业",
    columns,
    LeadingIndustryImporter,
    export_rows,
)
