"""Files of brokers and experts; key of a row is number, certificate, else name and organisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from market.core.secrets import pseudonym
from market.core.sheets import Column, Row
from market.core.text import fold
from market.regions.models import Region
from market.service_points import rules, traces
from market.service_points.finding import Finder
from market.service_points.models import Specialist
from market.service_points.specialists import queries, service
from market.service_points.specialists.queries import CERTIFICATE
from market.service_points.specialists.schemas import SpecialistSchema
from market.service_points.workflow import IMPORT

_ALSO = {
    "organisation": ["单位", "工作单位", "信用代码"],
    "region": ["地区", "所在县", "地区代码"],
    "rank": ["职称", "职务"],
    "certificate": ["证书编号"],
    "valid_to": ["有效期止", "有效期至"],
    "contact": ["电话", "手机"],
}


def _schema(kind: str) -> Schema:
    return SpecialistSchema(exclude=("kind", "grade") if kind == "expert" else ("kind",))


def columns(kind: str) -> list[Column]:
    """The columns of a file."""
    return columns_of(_schema(kind), _ALSO)


class SpecialistImporter:
    """Checks rows against each other and the list; one object per import."""

    def __init__(self, kind: str, options: Options) -> None:
        self._kind = kind
        self._schema = _schema(kind)
        self._options = options
        self._finder = Finder()
        self._staged: list[Checked] = []
        self._seen: dict[Any, int] = {}

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Validate a batch and say which rows are new, changed or the same."""
        return [one for row in rows if (one := self._check(row)) is not None]

    def _check(self, row: Row) -> Checked | None:
        loaded = load_row(self._schema, row)
        if loaded is None:
            return None
        try:
            content = self._finder.resolve({**loaded, "kind": self._kind})
        except Invalid as error:
            _refused(row, error)
            return None
        path = db.session.scalar(select(Region.path).where(Region.id == content["region"])) or ""
        if self._options.only_area and not path.startswith(self._options.only_area):
            row.report("region", "不在您负责的地区，只能填本地区的人。")
            return None
        owner = content.get("organisation")
        key = content.get("certificate") or (content["name"], owner.id if owner else None)
        number = self._seen.setdefault(key, row.number)
        if number != row.number:
            row.report("name", f"与第 {number} 行是同一个人，请只留一行。")
            return None
        return self._compare(row, content)

    def _compare(self, row: Row, content: dict[str, Any]) -> Checked | None:
        there = self._there(content)
        if content.get("no") and there is None:
            row.report("no", f"没有编号为 {content['no']} 的人；新增请留空。")
            return None
        meant: dict[str, Any] = {}
        if there is not None:
            # A column that the file does not have, or leaves empty, changes nothing.
            held = {key: value for key, value in queries.words_of(there).items() if value}
            meant = self._finder.resolve(held)
            sealed = {
                "certificate": _same_certificate(content, there),
                "contact": queries.contact_of(there),
            }
            if all(
                _plain((meant | sealed).get(key)) == _plain(value) for key, value in content.items()
            ):
                return Checked(row, "unchanged")
        try:
            service.check(meant | content, there)
        except Invalid as error:
            _refused(row, error)
            return None
        whole = {key: _plain(value) for key, value in (meant | content).items()}
        if there is None:
            return Checked(row, "new", whole)
        return Checked(row, "changed", whole, there.id)

    def _there(self, content: Mapping[str, Any]) -> Specialist | None:
        query = select(Specialist).where(
            Specialist.kind == self._kind, Specialist.removed_at.is_(None)
        )
        if no := content.get("no"):
            return db.session.scalar(query.where(Specialist.no == no.upper()))
        if number := content.get("certificate"):
            key = pseudonym(number, CERTIFICATE)
            found = db.session.scalar(query.where(Specialist.certificate_key == key))
            if found is not None:
                return found
        owner = content.get("organisation")
        return db.session.scalar(
            query.where(
                Specialist.folded_name == fold(content["name"])[:60],
                Specialist.organisation_id == (owner.id if owner else None),
            ).limit(1)
        )

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        """Keep the rows until the end."""
        self._staged += rows
        if len(self._staged) > rules.MOST_IMPORTED:
            raise Conflict(f"一次最多导入 {rules.MOST_IMPORTED:,} 行，请分成几个文件。")

    def publish(self, run_id: int) -> None:
        """Write the rows through the service.

        It joins the unit of work of whoever imports: he is asked for every row, and named.
        """
        for checked in self._staged:
            content = dict(checked.content)
            if content.get("organisation") is not None:
                content["organisation"] = db.session.get_one(Organisation, content["organisation"])
            if checked.existing_id is None:
                no = service.record(SYSTEM, content, demo=self._options.demo)
                row = db.session.scalars(select(Specialist).where(Specialist.no == no)).one()
                traces.note(run_id, service.KIND, row, None)
                continue
            held = db.session.get_one(Specialist, checked.existing_id)
            before = service.held_of(held)
            service.edit(SYSTEM, held.no, held.lock_version, content)
            traces.note(run_id, service.KIND, held, before)

    def discard(self, run_id: int) -> bool:
        """Nothing was written."""
        return False

    def undo(self, run_id: int) -> Sequence[str]:
        """Remove whom an import made, restore whom it changed; who was changed since stays."""
        rows, left = traces.of_run(run_id, Specialist), traces.kept(run_id, Specialist)
        for trace, row in rows:
            if trace.before is not None and trace.id not in left:
                version = service.restore(SYSTEM, row, trace.before)
                traces.moved_back(trace, version)
        gone = [row for trace, row in rows if trace.before is None and trace.id not in left]
        for row in gone:
            service.unrecord(SYSTEM, row)
        traces.remove(service.KIND, Specialist, [row.id for row in gone])
        return traces.sentences(left)


def _refused(row: Row, error: Invalid) -> None:
    for key, messages in error.fields.items():
        row.report(key, " ".join(messages))


def _same_certificate(content: Mapping[str, Any], there: Specialist) -> str | None:
    """The number of the row where it is the one that is held."""
    number: str | None = content.get("certificate")
    same = number and pseudonym(number, CERTIFICATE) == there.certificate_key
    return number if same else None


def _plain(value: Any) -> Any:
    """Ids in the place of objects, lists in one order."""
    return sorted(value) if isinstance(value, list) else getattr(value, "id", value)


def _rows(kind: str) -> Iterator[Mapping[str, Any]]:
    schema = _schema(kind)
    for row in queries.all_of(kind):
        yield schema.dump(row)


def _file(name: str, label: str, kind: str) -> Kind:
    return Kind(
        name,
        label,
        partial(columns, kind),
        partial(SpecialistImporter, kind),
        partial(_rows, kind),
        undoable=True,
    )


BROKERS = _file("brokers", "技术经理人", "broker")
EXPERTS = _file("experts", "专家", "expert")
IMPORTS = tuple(
    Importable(kind, IMPORT, since=traces.since(Specialist)) for kind in (BROKERS, EXPERTS)
)
