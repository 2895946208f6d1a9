"""Files of bodies, points and institutions: one importer, three kinds of files.

A row names its admission by number, else by organisation, kind and place. Rows are kept in memory
and written at the end through the service, so that every rule of a form holds for a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from marshmallow import Schema
from sqlalchemy import select

from market.accounts.models import Organisation
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.file_rows import columns_of, load_row
from market.core.importing import Checked, Importable, Kind, Options
from market.core.permissions import SYSTEM
from market.core.sheets import Column, Row
from market.regions.models import Region
from market.service_points import checks, exports, rules, service, traces
from market.service_points.checks import Coming
from market.service_points.finding import Finder, ids_of, words_of
from market.service_points.in_file import InFile
from market.service_points.models import BODY, KINDS, PLACES, POINT, POWERS, Admission
from market.service_points.schemas import AdmissionSchema
from market.service_points.workflow import IMPORT

TRACED = "admission"
OTHERS = tuple(kind for kind in KINDS if kind not in (BODY, POINT))
_ALSO = {
    "organisation": ["信用代码", "统一社会信用代码", "单位名称"],
    "kind": ["类型", "机构类别"],
    "region": ["所在县", "地区", "地区代码"],
    "parent": ["上级", "上级机构", "所属登记机构"],
    "areas": ["服务区域"],
    "source": ["文号", "公布文件"],
    "telephone": ["联系电话"],
    "hours": ["开放时间"],
    "valid_from": ["批准日期", "设立日期"],
    "valid_to": ["有效期至"],
}
_NEVER = {
    BODY: ("kind", "fields", "industries"),
    POINT: (
        "kind",
        "units",
        "mode",
        "amount",
        "amount_base",
        "amount_meaning",
        "fields",
        "industries",
    ),
}
_OF_OTHERS = ("parent", "units", "powers", "mode", "amount", "amount_base", "amount_meaning")


def _schema(kinds: Sequence[str]) -> Schema:
    """The schema of a file: a file of one kind has no column for it."""
    return AdmissionSchema(exclude=_NEVER.get(kinds[0], _OF_OTHERS))


def columns(kinds: Sequence[str]) -> list[Column]:
    """The columns of a file."""
    return columns_of(_schema(kinds), _ALSO)


class AdmissionImporter:
    """Checks rows against each other and the directory; one object per import."""

    def __init__(self, kinds: Sequence[str], options: Options) -> None:
        self._kinds = kinds
        self._schema = _schema(kinds)
        self._options = options
        self._finder = Finder()
        self._bodies = InFile(self._schema, self._finder, partial(_there, kinds))
        self._staged: list[Checked] = []
        self._seen: dict[tuple[Any, ...], list[tuple[int, date, date | None]]] = {}

    def foresee(self, rows: Sequence[Row]) -> None:
        """Look at all rows first: a parent may stand below what hangs on it."""
        if self._kinds == (BODY,):
            self._bodies.foresee(rows)

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Validate a batch and say which rows are new, changed or the same."""
        return [one for row in rows if (one := self._check(row)) is not None]

    def _check(self, row: Row) -> Checked | None:
        loaded = load_row(self._schema, row)
        if loaded is None:
            return None
        loaded.setdefault("kind", self._kinds[0])
        if loaded["kind"] not in self._kinds:
            words = "、".join(KINDS[kind] for kind in self._kinds)
            row.report("kind", f"这种文件只收：{words}。登记机构和服务点各有自己的文件。")
            return None
        parent = loaded.pop("parent", None)
        try:
            content = self._finder.resolve(loaded)
        except Invalid as error:
            _report(row, error)
        if parent is not None:
            above = self._parent(row, parent)
            if above is not None and not row.rejected:
                content["parent"] = above
        if row.rejected:  # what else is wrong is told at once
            _report(row, Invalid(checks.plain_mistakes(loaded)))
            return None
        if not self._in_area(row, content):
            return None
        if (number := self._earlier(row, content)) is not None:
            row.report(
                "organisation", f"与第 {number} 行是同一家单位同一时间的同一项，请只留一行。"
            )
            return None
        return self._compare(row, content)

    def _parent(self, row: Row, text: str) -> Admission | Coming | None:
        found = self._bodies.circle(row.number) or self._bodies.parent(text)
        if isinstance(found, str):
            row.report("parent", found)
            return None
        return found

    def _earlier(self, row: Row, content: Mapping[str, Any]) -> int | None:
        """The number of an earlier row that means the same at the same time."""
        kind, begins, ends = content["kind"], content["valid_from"], content.get("valid_to")
        place = content["region"] if kind in PLACES else None
        before = self._seen.setdefault((content["organisation"].id, kind, place), [])
        for number, from_, until in before:
            if rules.overlaps(begins, ends, from_, until):
                return number
        before.append((row.number, begins, ends))
        return None

    def _in_area(self, row: Row, content: Mapping[str, Any]) -> bool:
        area = self._options.only_area
        if area is None:
            return True
        path = db.session.scalar(select(Region.path).where(Region.id == content["region"])) or ""
        if not path.startswith(area):
            row.report("region", "不在您负责的地区，只能填本地区的机构和服务点。")
        elif content["kind"] in POWERS:
            self._reach(row, content, area)
        return not row.rejected

    @staticmethod
    def _reach(row: Row, content: Mapping[str, Any], area: str) -> None:
        """What a body or a point serves lies in the area of whoever brings the file."""
        served = select(Region.full_name, Region.path)
        served = served.where(Region.id.in_(content.get("areas") or ()))
        far = [name for name, path in db.session.execute(served) if not path.startswith(area)]
        if far:
            row.report("areas", rules.reach_trouble(far))
        units = content.get("units") or ()
        far = [one.name for one in units if not one.region.path.startswith(area)]
        if far:
            row.report("units", rules.reach_trouble(far))

    def _compare(self, row: Row, content: dict[str, Any]) -> Checked | None:
        there = self._there(row, content)
        if row.rejected:
            return None
        if there is None:
            return self._tried(Checked(row, "new", content))
        if there.state == "ended":
            message = f"{there.no} 已终止，不再改；重新设立请写新的有效期起。"
            row.report("valid_from", message, warning=True)
            return Checked(row, "unchanged")
        held = words_of(there)
        # A column that the file does not have, or leaves empty, changes nothing.
        meant = self._finder.resolve({key: value for key, value in held.items() if value})
        whole = meant | content
        same = all(_plain(meant.get(key)) == _plain(value) for key, value in content.items())
        if same:
            return Checked(row, "unchanged")
        return self._tried(Checked(row, "changed", whole, there.id))

    def _there(self, row: Row, content: Mapping[str, Any]) -> Admission | None:
        found, no = _there(self._kinds, content), content.get("no")
        if no and found is None:
            row.report("no", f"没有编号为 {no} 的这一类机构；新增请留空。")
        elif no and found is not None and found.organisation_id != content["organisation"].id:
            row.report("organisation", f"编号 {no} 是「{found.owner.name}」的，请核对。")
        return found

    def _tried(self, checked: Checked) -> Checked | None:
        """The rules of a form, at the cells of the row."""
        row = db.session.get(Admission, checked.existing_id) if checked.existing_id else None
        try:
            checks.check(checked.content, row)
        except Invalid as error:
            _report(checked.row, error)
            return None
        return replace(checked, content={k: _plain(v) for k, v in checked.content.items()})

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        """Keep the rows until the end."""
        self._staged += rows
        if len(self._staged) > rules.MOST_IMPORTED:
            raise Conflict(f"一次最多导入 {rules.MOST_IMPORTED:,} 行，请分成几个文件。")

    def publish(self, run_id: int) -> None:
        """Write the rows through the service.

        It joins the unit of work of whoever imports: he is asked for every row, and named.
        """
        made: dict[int, int] = {}
        for checked in sorted(self._staged, key=lambda one: self._bodies.depth(one.row.number)):
            content = self._again(checked.content, made)
            if checked.existing_id is None:
                no = service.record(SYSTEM, content, demo=self._options.demo)
                row = db.session.scalars(select(Admission).where(Admission.no == no)).one()
                made[checked.row.number] = row.id
                traces.note(run_id, TRACED, row, None)
                continue
            held = db.session.get_one(Admission, checked.existing_id)
            before = ids_of(held)
            service.edit(SYSTEM, held.no, held.lock_version, content)
            traces.note(run_id, TRACED, held, before)

    @staticmethod
    def _again(content: Mapping[str, Any], made: Mapping[int, int]) -> dict[str, Any]:
        """The same with objects of the present transaction in the place of their ids."""
        found = dict(content)
        found["organisation"] = db.session.get_one(Organisation, content["organisation"])
        parent = content.get("parent")
        if isinstance(parent, Coming):
            parent = made[parent.number]
        if parent is not None:
            found["parent"] = db.session.get_one(Admission, parent)
        if content.get("units"):
            found["units"] = [db.session.get_one(Organisation, one) for one in content["units"]]
        return found

    def discard(self, run_id: int) -> bool:
        """Nothing was written."""
        return False

    def undo(self, run_id: int) -> Sequence[str]:
        """Remove what an import made, restore what it changed; what was changed since stays."""
        rows, left = traces.of_run(run_id, Admission), traces.kept(run_id, Admission)
        for trace, row in rows:
            if trace.before is None or trace.id in left:
                continue
            try:
                version = service.edit(
                    SYSTEM, row.no, row.lock_version, _held_again(row, trace.before)
                )
            except (Conflict, Invalid) as error:
                left[trace.id] = f"{traces.name_of(row)}恢复不了（{said_by(error)}）"
                continue
            traces.moved_back(trace, version)
        left |= traces.leaned_on(rows, Admission, left)
        gone = [row for trace, row in rows if trace.before is None and trace.id not in left]
        for row in gone:
            service.unrecord(SYSTEM, row)
        traces.remove(TRACED, Admission, [row.id for row in gone])
        return traces.sentences(left)


def _there(kinds: Sequence[str], content: Mapping[str, Any]) -> Admission | None:
    """The admission that a row is about, by its number or what it says; None of a new one."""
    query = select(Admission).where(Admission.kind.in_(kinds))
    if no := content.get("no"):
        return db.session.scalar(query.where(Admission.no == no.upper()))
    # One that ended comes last: where it was set up again, the new one is meant.
    query = query.order_by(Admission.state == "ended", Admission.id)
    return db.session.scalar(
        query.where(
            Admission.organisation_id == content["organisation"].id,
            Admission.kind == content.get("kind", kinds[0]),
            Admission.region_id == content["region"],
            Admission.valid_from == content["valid_from"],
        ).limit(1)
    )


def said_by(error: Conflict | Invalid) -> str:
    """An error in a sentence without its end."""
    found = error.message
    if isinstance(error, Invalid):
        found = " ".join(one for messages in error.fields.values() for one in messages)
    return found.rstrip("。")


def _held_again(row: Admission, held: Mapping[str, Any]) -> dict[str, Any]:
    """What an admission said before, with objects in the place of ids."""
    found = dict(held) | {"organisation": row.owner}
    for key in ("valid_from", "valid_to"):
        found[key] = date.fromisoformat(held[key]) if held.get(key) else None
    parent = held.get("parent")
    found["parent"] = db.session.get(Admission, parent) if parent is not None else None
    units = select(Organisation).where(
        Organisation.id.in_(held.get("units") or ()), Organisation.state == "active"
    )
    found["units"] = list(db.session.scalars(units.order_by(Organisation.id)))
    return found


def _plain(value: Any) -> Any:
    """Ids in the place of objects, lists in one order."""
    if isinstance(value, Coming):
        return value if value.existing_id is None else value.existing_id
    if isinstance(value, list):
        return sorted((_plain(one) for one in value), key=str)
    return getattr(value, "id", value)


def _report(row: Row, error: Invalid) -> None:
    for key, messages in error.fields.items():
        row.report(key, " ".join(messages))


def _rows(kinds: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """All of these kinds as rows of a file."""
    schema = _schema(kinds)
    for row in exports.all_of(kinds):
        yield schema.dump(row)


def _kind(name: str, label: str, kinds: Sequence[str]) -> Kind:
    return Kind(
        name,
        label,
        partial(columns, kinds),
        partial(AdmissionImporter, kinds),
        partial(_rows, kinds),
        undoable=True,
    )


BODIES = _kind("bodies", "登记机构", (BODY,))
POINTS = _kind("points", "登记服务点", (POINT,))
INSTITUTIONS = _kind("institutions", "服务机构与基地", OTHERS)
KINDS_OF_FILES = (BODIES, POINTS, INSTITUTIONS)
IMPORTS = tuple(Importable(kind, IMPORT, since=traces.since(Admission)) for kind in KINDS_OF_FILES)
