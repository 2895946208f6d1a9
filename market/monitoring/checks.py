"""Whether the desks show what the rooms hold, and putting it right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select

from market.core import clock
from market.core.db import db
from market.core.models import CaseEvent, WorkItem
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from market.core.workflow import Item, Workflow, show_on_desks

BATCH = 500  # cases compared at once
WRITTEN = 50  # rows in one transaction
REBUILD = policy.declare("monitoring:desk:rebuild")


@dataclass(frozen=True)
class Difference:
    """A case that desks show wrongly. what: "missing", "gone" or "other"."""

    kind: str
    object_id: int
    what: str


def differences(workflows: Mapping[str, Workflow]) -> Iterator[Difference]:
    """Compare every case of every workflow with its row, batch by batch."""
    for workflow in workflows.values():
        yield from _wrong(workflow)
        yield from _gone(workflow)
    known = list(workflows)
    query = select(WorkItem.kind, WorkItem.object_id).where(WorkItem.kind.not_in(known))
    for kind, object_id in db.session.execute(query):
        yield Difference(kind, object_id, "gone")


def _batches(column: Any, *conditions: Any) -> Iterator[Sequence[int]]:
    """Values of an id column in order, in batches."""
    last = 0
    query = select(column).where(*conditions).order_by(column).limit(BATCH)
    while ids := db.session.scalars(query.where(column > last)).all():
        yield ids
        last = ids[-1]


def _wrong(workflow: Workflow) -> Iterator[Difference]:
    """Cases without a row, or with one that says something else."""
    model = workflow.model
    for ids in _batches(model.id):
        items = select(WorkItem).where(WorkItem.kind == workflow.name, WorkItem.object_id.in_(ids))
        rows = {row.object_id: row for row in db.session.scalars(items)}
        for case in db.session.scalars(select(model).where(model.id.in_(ids))):
            shown, row = workflow.item(case), rows.get(case.id)
            if row is None and shown is not None and shown.side:
                yield Difference(workflow.name, case.id, "missing")
            elif row is not None and (shown is None or not _same(row, shown, case.state)):
                yield Difference(workflow.name, case.id, "other")
        db.session.expunge_all()  # a large table is not kept in memory


def _same(row: WorkItem, shown: Item, state: str) -> bool:
    said = (shown.side, shown.organisation_id, shown.person_id, shown.region_path, shown.due)
    held = (row.side, row.organisation_id, row.person_id, row.region_path, row.due)
    return row.state == state and held == said


def _gone(workflow: Workflow) -> Iterator[Difference]:
    """Rows whose case is gone."""
    model = workflow.model
    for ids in _batches(WorkItem.object_id, WorkItem.kind == workflow.name):
        there = set(db.session.scalars(select(model.id).where(model.id.in_(ids))))
        for object_id in ids:
            if object_id not in there:
                yield Difference(workflow.name, object_id, "gone")


def rebuild(workflows: Mapping[str, Workflow]) -> int:
    """Put right what `differences` finds; returns how many rows."""
    found = list(differences(workflows))
    db.session.rollback()
    for start in range(0, len(found), WRITTEN):
        with unit_of_work(SYSTEM) as work:
            work.require(REBUILD)
            for one in found[start : start + WRITTEN]:
                _mend(workflows, one)
                after = {"was": one.what}
                work.record("work_item.rebuilt", one.kind, one.object_id, after=after)
    return len(found)


def _mend(workflows: Mapping[str, Workflow], one: Difference) -> None:
    workflow = workflows.get(one.kind)
    case = db.session.get(workflow.model, one.object_id) if workflow else None
    row = (WorkItem.kind == one.kind) & (WorkItem.object_id == one.object_id)
    if workflow is None or case is None:
        db.session.execute(delete(WorkItem).where(row))
        return
    show_on_desks(workflow, case)
    if one.what == "missing" and (item := db.session.scalar(select(WorkItem).where(row))):
        item.opened_at = _began(one) or getattr(case, "created_at", None) or clock.now()


def _began(one: Difference) -> Any:
    first = select(func.min(CaseEvent.id)).where(
        CaseEvent.kind == one.kind, CaseEvent.object_id == one.object_id
    )
    return db.session.scalar(select(CaseEvent.at).where(CaseEvent.id == first.scalar_subquery()))
