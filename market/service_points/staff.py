"""Who works at a body, a point or an institution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from market.accounts.members import queries as members
from market.core.db import db
from market.core.errors import Invalid, NotFound
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work
from market.service_points.models import Admission, AdmissionStaff
from market.service_points.queries import load, refuse_ended
from market.service_points.workflow import ADMISSION, STAFF


def add(actor: Actor, no: str, values: Mapping[str, Any]) -> int:
    """Note somebody who works there; returns the id of the entry. Raises NotFound, Invalid."""
    admission_id = load(actor, STAFF, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Admission, admission_id)
        work.require(STAFF, row)
        refuse_ended(row)
        person_id, name = values.get("person"), values.get("name")
        if person_id is None and not name:
            raise Invalid({"name": ["请选一位本单位成员，或写姓名。"]})
        staff = {one.person_id: one.name for one in members.staff(row.organisation_id)}
        if person_id is not None and person_id not in staff:
            raise Invalid({"person": ["这个人不是这家单位的成员，请改写姓名。"]})
        entry = AdmissionStaff(
            admission_id=row.id,
            person_id=person_id,
            name=None if person_id is not None else name,
            listed=bool(values.get("listed")),
            **{key: values.get(key) for key in ("duty", "certificate", "trained_on", "ab_role")},
        )
        db.session.add(entry)
        db.session.flush()
        work.record(
            "admission.staff_added", ADMISSION.name, row.id, no=row.no, after={"duty": entry.duty}
        )
        return entry.id


def show(actor: Actor, no: str, staff_id: int, listed: bool) -> None:
    """Show somebody's name whole, since he agreed, or masked again. Raises NotFound, Conflict."""
    admission_id = load(actor, STAFF, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Admission, admission_id)
        work.require(STAFF, row)
        refuse_ended(row)
        entry = _entry(row, staff_id)
        if entry.listed == listed:
            return
        entry.listed = listed
        told = {"duty": entry.duty, "listed": listed}
        work.record("admission.staff_shown", ADMISSION.name, row.id, no=row.no, after=told)


def _entry(row: Admission, staff_id: int) -> AdmissionStaff:
    entry = db.session.get(AdmissionStaff, staff_id)
    if entry is None or entry.admission_id != row.id:
        raise NotFound("没有这位工作人员。")
    return entry


def remove(actor: Actor, no: str, staff_id: int) -> None:
    """Take somebody off the list. Raises NotFound."""
    admission_id = load(actor, STAFF, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Admission, admission_id)
        work.require(STAFF, row)
        entry = _entry(row, staff_id)
        told = {"duty": entry.duty}
        db.session.delete(entry)
        work.record("admission.staff_removed", ADMISSION.name, row.id, no=row.no, before=told)
