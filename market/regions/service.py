"""Changing regions: the shipped data at an upgrade, and what an office imports later."""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError
from sqlalchemy import insert, select, update

from market.core.db import db
from market.core.fields import Choice, Day, Line, columns_of
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
    with unit_of_work(SYSTEM) as work:
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


class RegionSchema(Schema):
    """A row of a file of regions: later changes of codes and names, and functional zones."""

    class Meta:
        unknown = EXCLUDE

    code = Line(
        12, required=True, metadata={"label": "代码", "note": "6 位；乡镇 9 位；功能区自定"}
    )
    name = Line(60, required=True, metadata={"label": "名称"})
    short_name = Line(60, metadata={"label": "简称"})
    level = Choice(_LEVEL_LABELS, required=True, metadata={"label": "层级"})
    kind = Line(30, metadata={"label": "类型", "note": "功能区填 zone"})
    parent_code = Line(12, metadata={"label": "上级代码", "note": "省级留空"})
    valid_from = Day(metadata={"label": "生效日期"})
    valid_to = Day(metadata={"label": "失效日期"})
    successor_code = Line(12, metadata={"label": "继承地区代码"})


_SCHEMA = RegionSchema()


def columns() -> list[Column]:
    """The columns of a file of regions."""
    return [Column(*column) for column in columns_of(_SCHEMA)]


class RegionImporter:
    """Imports regions; a file is small, so it is held whole and written at the end."""

    def __init__(self, _options: Options) -> None:
        self._staged: list[Checked] = []
        self._codes: set[str] = set()

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Validate; parents and successors must exist or stand above in the file."""
        wanted = {str(row.values.get(k)) for row in rows for k in ("code", "parent_code")}
        wanted |= {str(row.values.get("successor_code")) for row in rows}
        query = select(Region).where(Region.code.in_(wanted))
        held = {region.code: region for region in db.session.scalars(query)}
        return [one for row in rows if (one := self._check(row, held)) is not None]

    def _check(self, row: Row, held: Mapping[str, Region]) -> Checked | None:
        try:
            content = {k: v for k, v in _SCHEMA.load(row.values).items() if v is not None}
        except ValidationError as error:
            for key, messages in error.normalized_messages().items():
                row.report(str(key), " ".join(messages))
            return None
        for key in ("parent_code", "successor_code"):
            code = content.get(key)
            if code and code not in held and code not in self._codes:
                row.report(key, f"没有代码为 {code} 的地区，请先导入它或排在前面。")
        if content["level"] != LEVELS[0] and not content.get("parent_code"):
            row.report("parent_code", "省级以下的地区要填上级代码。")
        if row.rejected:
            return None
        self._codes.add(content["code"])
        region = held.get(content["code"])
        same = region is not None and all(
            getattr(region, name) == content[name]
            for name in ("name", "short_name", "kind", "valid_from", "valid_to")
            if name in content
        )
        action = "new" if region is None else "unchanged" if same else "changed"
        return Checked(row, action, content, region.id if region else None)

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        """Keep the rows until the end; nothing is written yet."""
        self._staged += rows

    def publish(self, run_id: int) -> None:
        """Write all rows, in the order of the file."""
        for checked in self._staged:
            _save(checked.content)

    def discard(self, run_id: int) -> bool:
        """Nothing was written."""
        return False

    def undo(self, run_id: int) -> None:
        """Regions are referred to by listings: they are corrected by another import."""
        from market.core.errors import Conflict

        raise Conflict("地区的导入不能撤销：请导入更正后的文件。")


def _save(content: Mapping[str, Any]) -> None:
    """Insert or change one region; a replaced one moves below its successor."""
    region = db.session.scalar(select(Region).where(Region.code == content["code"]))
    parent = _by_code(content.get("parent_code"))
    if region is None:
        region = Region(
            code=content["code"],
            pinyin="",
            initials="",
            path="/",
            kind=content.get("kind") or content["level"],
            level=content["level"],
            short_name=content.get("short_name") or content["name"],
            parent_id=parent.id if parent else None,
        )
        db.session.add(region)
    for name in ("name", "short_name", "kind", "valid_from", "valid_to"):
        if name in content:
            setattr(region, name, content[name])
    region.full_name = (parent.full_name if parent else "") + region.name
    region.pinyin, region.initials = spell(region.short_name)
    db.session.flush()
    successor = _by_code(content.get("successor_code"))
    region.successor_id = successor.id if successor else None
    above = successor or parent
    _move(region, f"{above.path if above else '/'}{region.id}/")


def _by_code(code: str | None) -> Region | None:
    return db.session.scalar(select(Region).where(Region.code == code)) if code else None


def _move(region: Region, path: str) -> None:
    """Give a region and all below it their new paths."""
    from market.core.db import under

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
