"""Changing regions: the shipped data at an upgrade, and what an office imports later."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import aliased

from market.core.db import db, under
from market.core.errors import Conflict
from market.core.fields import Choice, Day, Line
from market.core.file_rows import columns_of, load_row
from market.core.importing import Checked, Kind, Options
from market.core.models import ReferenceData
from market.core.permissions import SYSTEM, Always, policy
from market.core.sheets import Column, Row
from market.core.unit_of_work import unit_of_work
from market.regions.models import LEVELS, FormerCode, Region

DATA = Path(__file__).parent / "data"
READ = policy.declare("regions:region:read", public=Always())
LOAD = policy.declare("regions:region:load")
SOURCE = "统计用区划代码 2023-06-30"
_LEVEL_LABELS = {
    "province": "省",
    "prefecture": "市（州）",
    "county": "县（市、区）",
    "township": "乡镇（街道）",
}


def seed() -> None:
    """Bring the shipped divisions into the database; does nothing when they are there."""
    packed = (DATA / "divisions.csv.gz").read_bytes()
    version = hashlib.sha256(packed).hexdigest()
    held = db.session.get(ReferenceData, "regions")
    if held is not None and held.version == version:
        return
    lines = gzip.decompress(packed).decode("utf-8").splitlines()
    with unit_of_work(SYSTEM, may_be_long=True) as work:
        work.require(LOAD)
        _load(list(csv.DictReader(lines)))
        _load_former(DATA / "successors.csv")
        db.session.merge(ReferenceData(name="regions", version=version))
        work.record("regions.loaded", "region", 0, after={"source": SOURCE, "version": version})


def _load(records: Sequence[Mapping[str, str]]) -> None:
    """Insert divisions that are new and rename those that changed; parents come first."""
    held = {code: key for key, code in db.session.execute(select(Region.id, Region.code))}
    following = max(held.values(), default=0) + 1
    paths = dict(db.session.execute(select(Region.id, Region.path)).all())
    names = dict(db.session.execute(select(Region.id, Region.full_name)).all())
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for record in records:
        parent = held.get(record["parent_code"])
        key = held.get(record["code"], following)
        path = f"{paths.get(parent or 0, '/')}{key}/"
        full_name = f"{names.get(parent or 0, '')}{record['name']}"
        row = {
            "id": key,
            **{n: record[n] for n in ("code", "name", "short_name", "pinyin", "initials")},
            "level": record["level"],
            "kind": record["kind"],
            "parent_id": parent,
            "path": path,
            "full_name": full_name,
        }
        (changed if key in paths else fresh).append(row)
        following += key == following
        held[record["code"]], paths[key], names[key] = key, path, full_name
    if fresh:
        db.session.execute(insert(Region), fresh)
    if changed:
        db.session.execute(update(Region), changed)


def _load_former(path: Path) -> None:
    """Former codes that lead to exactly one successor; split places have no single one."""
    with path.open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    codes = {code: key for key, code in db.session.execute(select(Region.id, Region.code))}
    heirs: dict[str, set[str]] = {}
    for record in records:
        heirs.setdefault(record["old_code"], set()).add(record["successor_code"])
    known = set(db.session.scalars(select(FormerCode.code)))
    rows = {
        record["old_code"]: {
            "code": record["old_code"],
            "region_id": codes[record["successor_code"]],
            "valid_to": date(int(record["valid_to"][:4]), 12, 31),
            "source": record["source"],
        }
        for record in records
        if len(heirs[record["old_code"]]) == 1
        and record["successor_code"] in codes
        and record["old_code"] not in codes
        and record["old_code"] not in known
    }
    if rows:
        db.session.execute(insert(FormerCode), list(rows.values()))


_LEVELS_ALSO = {
    "省级": "province",
    "自治区": "province",
    "直辖市": "province",
    "地级": "prefecture",
    "市": "prefecture",
    "地级市": "prefecture",
    "市级": "prefecture",
    "自治州": "prefecture",
    "州": "prefecture",
    "盟": "prefecture",
    "县级": "county",
    "县": "county",
    "区": "county",
    "市辖区": "county",
    "县级市": "county",
    "旗": "county",
    "县区": "county",
    "乡级": "township",
    "乡": "township",
    "镇": "township",
    "街道": "township",
    "乡镇": "township",
}


class Code(Line):
    """A code of a region; it stands in addresses, so it holds letters, digits and - only."""

    knows_nothing = True

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str | None:
        text = super()._deserialize(value, attr, data, **more)
        code = unicodedata.normalize("NFKC", text or "").replace(" ", "").upper()
        if text and not re.fullmatch(r"[0-9A-Z][0-9A-Z-]*", code):
            raise ValidationError("代码只能由数字、字母和 - 组成，如 511402。")
        return code or None


class RegionSchema(Schema):
    """A row of a file of regions: later changes of codes and names, and functional zones."""

    class Meta:
        unknown = EXCLUDE

    code = Code(
        12, required=True, metadata={"label": "代码", "note": "6 位；乡镇 9 位；功能区自定"}
    )
    name = Line(60, required=True, metadata={"label": "名称"})
    short_name = Line(60, metadata={"label": "简称"})
    level = Choice(_LEVEL_LABELS, _LEVELS_ALSO, required=True, metadata={"label": "层级"})
    kind = Line(30, metadata={"label": "类型", "note": "功能区填 zone"})
    parent_code = Code(12, metadata={"label": "上级代码", "note": "省级留空"})
    valid_from = Day(metadata={"label": "生效日期"})
    valid_to = Day(metadata={"label": "失效日期"})
    successor_code = Code(12, metadata={"label": "继承地区代码"})


_SCHEMA = RegionSchema()


def columns() -> list[Column]:
    """The columns of a file of regions."""
    return columns_of(_SCHEMA)


class RegionImporter:
    """Imports regions; a file is small, so it is held whole and written at the end."""

    def __init__(self, _options: Options) -> None:
        self._staged: list[Checked] = []
        self._seen: dict[str, tuple[int, Mapping[str, Any]]] = {}

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Validate; parents and successors must exist or stand above in the file."""
        loaded = [(row, self._load(row)) for row in rows]
        good = [(row, content) for row, content in loaded if content is not None]
        wanted = {content.get(key) for _, content in good for key in _CODES}
        heir = aliased(Region)
        query = select(Region, heir.code).outerjoin(heir, heir.id == Region.successor_id)
        query = query.where(Region.code.in_({code for code in wanted if code}))
        held = {region.code: (region, code) for region, code in db.session.execute(query)}
        parents = {region.parent_id for region, _ in held.values() if region.parent_id}
        above = select(Region.id, Region.code).where(Region.id.in_(parents))
        codes = {pair[0]: pair[1] for pair in db.session.execute(above)}
        present = {code: _content_of(*pair, codes) for code, pair in held.items()}
        return [one for row, content in good if (one := self._check(row, content, present))]

    @staticmethod
    def _load(row: Row) -> dict[str, Any] | None:
        return load_row(_SCHEMA, row)

    def _check(
        self, row: Row, content: dict[str, Any], present: Mapping[str, Mapping[str, Any]]
    ) -> Checked | None:
        code = content["code"]
        if code in self._seen:
            number, first = self._seen[code]
            if first == content:
                row.report("code", f"与第 {number} 行完全相同，只导入一次。", warning=True)
                return Checked(row, "unchanged")
            row.report("code", f"与第 {number} 行是同一个代码但内容不同，请只留一行。")
            return None
        before = present.get(code)
        whole = {**(before or {}), **content}
        self._judge(row, whole, present)
        if row.rejected:
            return None
        self._seen[code] = (row.number, content)
        if before is None:
            return Checked(row, "new", content)
        return Checked(row, "unchanged" if whole == before else "changed", whole)

    def _judge(
        self, row: Row, whole: Mapping[str, Any], present: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Report what would break the tree."""

        def other(key: str) -> Mapping[str, Any] | None:
            code = whole.get(key)
            seen = self._seen.get(code or "")
            found = seen[1] if seen else present.get(code or "")
            if code and code == whole["code"]:
                row.report(key, "不能是这个地区自己。")
            elif code and found is None:
                row.report(key, f"没有代码为 {code} 的地区，请先导入它或排在前面。")
            return found

        parent, heir = other("parent_code"), other("successor_code")
        level = LEVELS.index(whole["level"])
        if whole["level"] == LEVELS[0] and whole.get("parent_code"):
            row.report("parent_code", "省级没有上级，请留空。")
        elif whole["level"] != LEVELS[0] and not whole.get("parent_code"):
            row.report("parent_code", "省级以下的地区要填上级代码。")
        elif parent and LEVELS.index(parent["level"]) >= level:
            row.report("parent_code", f"上级「{parent['name']}」的层级不高于这个地区。")
        if whole.get("successor_code") and not whole.get("valid_to"):
            row.report("valid_to", "填了继承地区代码，就要填失效日期。")
        if heir and heir.get("successor_code"):
            row.report("successor_code", f"「{heir['name']}」自己也已失效，请填它的继承地区。")
        if heir and heir.get("parent_code") == whole["code"]:
            row.report("successor_code", f"「{heir['name']}」是这个地区的下级，不能由它继承。")
        started, ended = whole.get("valid_from"), whole.get("valid_to")
        if started and ended and ended < started:
            row.report("valid_to", f"早于生效日期（{started}）。")

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        """Keep the rows until the end; nothing is written yet."""
        self._staged += rows

    def publish(self, run_id: int) -> None:
        """Write all rows, in the order of the file."""
        _advance_ids()
        for checked in self._staged:
            _save(checked.content)

    def discard(self, run_id: int) -> bool:
        """Nothing was written."""
        return False

    def undo(self, run_id: int) -> Sequence[str]:
        """Regions are referred to by listings: they are corrected by another import."""
        raise Conflict("地区的导入不能撤销：请导入更正后的文件。")


def _advance_ids() -> None:
    """Shipped regions bring their ids along: PostgreSQL's counter does not know of them."""
    if db.engine.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence("region", "id")
        db.session.execute(
            select(func.setval(sequence, select(func.max(Region.id)).scalar_subquery()))
        )


_CODES = ("code", "parent_code", "successor_code")
_OWN = ("code", "name", "short_name", "level", "kind", "valid_from", "valid_to")


def _content_of(
    region: Region, successor_code: str | None, codes: Mapping[int, str]
) -> dict[str, Any]:
    """A region as a row of a file; empty values left out."""
    values = {name: getattr(region, name) for name in _OWN}
    values["parent_code"] = codes.get(region.parent_id or 0)
    values["successor_code"] = successor_code
    return {key: value for key, value in values.items() if value is not None}


def _save(content: Mapping[str, Any]) -> None:
    """Insert or change one region; a replaced one moves below its successor."""
    region = db.session.scalar(select(Region).where(Region.code == content["code"]))
    parent = _by_code(content.get("parent_code"))
    successor = _by_code(content.get("successor_code"))
    if region is None:
        region = Region(code=content["code"], path="/", name="", short_name="", full_name="")
        db.session.add(region)
    short = content.get("short_name") or content["name"]
    if short != region.short_name:  # what is shipped has readings that no table gives
        region.pinyin, region.initials = spell(short)
    before = region.full_name
    region.name, region.short_name, region.level = content["name"], short, content["level"]
    region.kind = content.get("kind") or content["level"]
    region.valid_from, region.valid_to = content.get("valid_from"), content.get("valid_to")
    region.parent_id = parent.id if parent else None
    region.successor_id = successor.id if successor else None
    region.full_name = ((parent.full_name if parent else "") + region.name)[:200]
    db.session.flush()
    _rename_below(region, before)
    above = successor or parent
    _move(region, f"{above.path if above else '/'}{region.id}/")


def _rename_below(region: Region, before: str) -> None:
    """Full names of what lies below begin with the region's own."""
    if before in ("", region.full_name):
        return
    below = select(Region).where(under(Region.path, region.path), Region.id != region.id)
    for child in db.session.scalars(below):
        if child.full_name.startswith(before):
            child.full_name = (region.full_name + child.full_name[len(before) :])[:200]


def _by_code(code: str | None) -> Region | None:
    return db.session.scalar(select(Region).where(Region.code == code)) if code else None


def _move(region: Region, path: str) -> None:
    """Give a region and all below it their new paths."""
    old = region.path
    if old == path:
        return
    if old != "/":
        below = select(Region).where(under(Region.path, old), Region.id != region.id)
        for child in db.session.scalars(below):
            child.path = path + child.path[len(old) :]
    region.path = path


def spell(name: str) -> tuple[str, str]:
    """Toneless pinyin and initials of a place name."""
    from pypinyin import Style, lazy_pinyin

    syllables = lazy_pinyin(name, style=Style.NORMAL, errors="ignore")
    return "".join(syllables)[:100], "".join(s[0] for s in syllables if s)[:30]


def export_rows() -> Iterator[Mapping[str, Any]]:
    """All regions as rows of a file, parents first."""
    parent = select(Region.id, Region.code).subquery()
    heir = select(Region.id, Region.code).subquery()
    query = (
        select(Region, parent.c.code, heir.c.code)
        .outerjoin(parent, parent.c.id == Region.parent_id)
        .outerjoin(heir, heir.c.id == Region.successor_id)
        .order_by(Region.id)
    )
    for region, parent_code, successor_code in db.session.execute(query).yield_per(1000):
        yield {
            **_SCHEMA.dump(region),
            "parent_code": parent_code,
            "successor_code": successor_code,
        }


KIND = Kind("regions", "地区", columns, RegionImporter, export_rows)
