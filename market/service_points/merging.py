"""When two organisations become one, so do their admissions, named units and specialists."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select, update

from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import UnitOfWork
from market.core.workflow import add_event, fire
from market.service_points import rules
from market.service_points.models import PLACES, Admission, AdmissionUnit, Specialist
from market.service_points.workflow import ADMISSION


def move(source_id: int, target_id: int) -> None:
    """Give what belongs to the one that ends to the one that stays. Inside a unit of work.

    Where both were admitted as the same at the same time, the one that ends leaves first.
    """
    kept = list(db.session.scalars(_open(target_id)))
    for row in db.session.scalars(_open(source_id)).all():
        if any(_same(row, one) for one in kept):
            _end(row, kept)
    units = select(AdmissionUnit.admission_id).where(AdmissionUnit.organisation_id == target_id)
    double = AdmissionUnit.admission_id.in_(units) & (AdmissionUnit.organisation_id == source_id)
    _run(delete(AdmissionUnit).where(double))
    for model in (Admission, AdmissionUnit, Specialist):
        change = update(model).where(model.organisation_id == source_id)
        _run(change.values(organisation_id=target_id))


def _open(organisation_id: int) -> Any:
    return select(Admission).where(
        Admission.organisation_id == organisation_id, Admission.state != "ended"
    )


def _same(row: Admission, other: Admission) -> bool:
    if row.kind != other.kind or (row.kind in PLACES and row.region_id != other.region_id):
        return False
    return rules.overlaps(row.valid_from, row.valid_to, other.valid_from, other.valid_to)


def _end(row: Admission, kept: list[Admission]) -> None:
    """End the double one; what hung on it hangs on the one that stays."""
    heir = next(one for one in kept if _same(row, one))
    reason = f"两家单位合并，并入 {heir.no}"
    # The merger was allowed; what it ends follows from it, wherever it stands.
    work = UnitOfWork(SYSTEM)
    _run(update(Admission).where(Admission.parent_id == row.id).values(parent_id=heir.id))
    values = {"reason": reason, "lock_version": row.lock_version + 1, "updated_at": clock.now()}
    fire(work, ADMISSION, row, "end", reason=reason, values=values)
    add_event(work, ADMISSION.name, heir.id, "edit", note=f"并入了 {row.no}")


def _run(statement: Any) -> None:
    db.session.execute(statement.execution_options(synchronize_session=False))


def would_move(source_id: int) -> tuple[str, int]:
    """What a merger would move, and how many."""
    rows = select(func.count()).where(Admission.organisation_id == source_id)
    people = select(func.count()).where(Specialist.organisation_id == source_id)
    return "机构与服务点名录", (db.session.scalar(rows) or 0) + (db.session.scalar(people) or 0)
