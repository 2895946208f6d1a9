"""What imports did to the directory: noted with them, asked before they are taken back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Table, delete, select, update

from market.core import clock
from market.core.db import Base, db
from market.core.errors import Conflict
from market.core.models import CaseEvent, ImportRun
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.service_points.models import Admission, DirectoryTrace, Specialist
from market.service_points.workflow import REMIND

Entry = Admission | Specialist
# Tables whose rows are part of an entry and go with it; staff is noted by hand, never by a file.
_PARTS = {
    "admission_power",
    "admission_area",
    "admission_unit",
    "admission_topic",
    "specialist_topic",
}
KEPT = timedelta(days=30)
_AT_ONCE = 500
_SHOWN = 10  # entries that a sentence names


def note(run_id: int, kind: str, row: Entry, before: Mapping[str, Any] | None) -> None:
    """Keep what an entry said before an import changed it; None: the import made it."""
    held = dict(before) if before is not None else None
    db.session.add(
        DirectoryTrace(
            run_id=run_id, kind=kind, object_id=row.id, version=row.lock_version, before=held
        )
    )
    db.session.flush()


def forget_old() -> bool:
    """Forget what imports did that ended long ago; True when more waits."""
    old = select(ImportRun.id).where(ImportRun.finished_at < clock.now() - KEPT)
    query = select(DirectoryTrace.id).where(DirectoryTrace.run_id.in_(old))
    ids = list(db.session.scalars(query.order_by(DirectoryTrace.id).limit(_AT_ONCE)))
    if not ids:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(REMIND)
        db.session.execute(delete(DirectoryTrace).where(DirectoryTrace.id.in_(ids)))
    return len(ids) == _AT_ONCE


def forget(kind: str, object_id: int) -> None:
    """Forget what imports kept of somebody who was removed. In a unit of work."""
    db.session.execute(
        update(DirectoryTrace)
        .where(
            DirectoryTrace.kind == kind,
            DirectoryTrace.object_id == object_id,
            DirectoryTrace.before.is_not(None),
        )
        .values(before={})
    )


def of_run(run_id: int, model: type[Entry]) -> list[tuple[DirectoryTrace, Any]]:
    """What an import did: each trace with its entry, None when that is gone."""
    query = (
        select(DirectoryTrace, model)
        .outerjoin(model, model.id == DirectoryTrace.object_id)
        .where(DirectoryTrace.run_id == run_id)
        .order_by(DirectoryTrace.id)
    )
    return [(trace, row) for trace, row in db.session.execute(query)]


def kept(run_id: int, model: type[Entry]) -> dict[int, str]:
    """Entries that an undoing must leave: trace id → why, as a sentence.

    An entry stays that was changed since; one that the import made stays too where something else
    leans on it, as a point on its body, or a case on a specialist.

    Raises:
        Conflict: what the import did is not known any more.
    """
    rows = of_run(run_id, model)
    run = db.session.get(ImportRun, run_id)
    if not rows and run is not None and run.imported + run.updated:
        raise Conflict(f"导入 {KEPT.days} 天后，改动前的内容不再保留，这一次已不能撤销。")
    found: dict[int, str] = {}
    for trace, row in rows:
        if row is None or getattr(row, "removed_at", None) is not None:
            found[trace.id] = f"{row.no if row else '有一条'}后来已移除"
        elif row.lock_version != trace.version or getattr(row, "state", "") == "ended":
            found[trace.id] = f"{name_of(row)}后来改过"
    return found | leaned_on(rows, model, found)


def leaned_on(
    rows: Sequence[tuple[DirectoryTrace, Any]], model: type[Entry], left: Collection[int]
) -> dict[int, str]:
    """New entries that cannot go, since rows point at them that stay: trace id → why."""
    found: dict[int, str] = {}
    live = {trace.id: (trace, row) for trace, row in rows if row is not None}
    while True:
        staying = {*left, *found}
        going = {row.id: key for key, (trace, row) in live.items() if key not in staying}
        new = {row.id for key, (trace, row) in live.items() if trace.before is None}
        more = _referred(model, {*going} & new, {*going})
        if not more:
            return found
        for object_id in more:
            key = going[object_id]
            found[key] = f"{name_of(live[key][1])}已经有人用到（下级、工作人员或办件）"


def _referred(model: type[Entry], going: set[int], undone: set[int]) -> set[int]:
    """Those of the entries that go at which rows of other tables, or entries that stay, point."""
    found: set[int] = set()
    target: Any = model.__table__
    for table, column in _columns_at(target):
        query = select(column).where(column.in_(going)).distinct()
        if table is target:
            query = query.where(target.c.id.not_in(undone))
        found |= set(db.session.scalars(query))
    return found


def _columns_at(target: Table) -> Iterator[tuple[Table, Any]]:
    """Columns of all tables that point at rows of this one, but for those of its parts."""
    for _name, table in sorted(Base.metadata.tables.items()):
        for column in table.columns if table.name not in _PARTS else ():
            if any(key.column is target.c.id for key in column.foreign_keys):
                yield table, column


def moved_back(trace: DirectoryTrace, version: int) -> None:
    """An entry says again what it said before this import: earlier ones may be taken back too."""
    db.session.execute(
        update(DirectoryTrace)
        .where(
            DirectoryTrace.kind == trace.kind,
            DirectoryTrace.object_id == trace.object_id,
            DirectoryTrace.version == trace.version - 1,
        )
        .values(version=version)
    )


def name_of(row: Any) -> str:
    """An entry in a sentence."""
    return f"{row.no}「{row.title if isinstance(row, Admission) else row.name}」"


def sentences(reasons: Mapping[int, str]) -> list[str]:
    """What a person is told of entries that stay."""
    if not reasons:
        return []
    shown = list(reasons.values())
    rest = f" 等 {len(shown)} 项" if len(shown) > _SHOWN else ""
    return [f"{'；'.join(shown[:_SHOWN])}{rest}。"]


def since(model: type[Entry]) -> Callable[[int], Sequence[str]]:
    """Sentences on what was changed after an import, for `Importable.since`."""
    return lambda run_id: sentences(kept(run_id, model))


def remove(kind: str, model: type[Entry], ids: Collection[int]) -> None:
    """Delete entries that an import made, with their timelines. In a unit of work."""
    db.session.execute(
        delete(CaseEvent).where(CaseEvent.kind == kind, CaseEvent.object_id.in_(ids))
    )
    for row in db.session.scalars(select(model).where(model.id.in_(ids)).order_by(model.id)):
        if isinstance(row, Admission) and row.parent_id in ids and row.kind == "registration_body":
            row.parent_id = None
    db.session.flush()
    for row in db.session.scalars(select(model).where(model.id.in_(ids)).order_by(model.id)):
        db.session.delete(row)
        db.session.flush()
    db.session.execute(
        delete(DirectoryTrace).where(DirectoryTrace.kind == kind, DirectoryTrace.object_id.in_(ids))
    )
