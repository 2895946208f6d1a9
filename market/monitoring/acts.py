"""What can be done to a case from a desk, and how each is taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import select, update

from market.accounts.people import sessions
from market.accounts.people.models import ApiToken, Person
from market.accounts.roles import OFFICES
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.messages import held, tell
from market.core.models import CaseEvent, WorkItem
from market.core.permissions import SYSTEM, Actor, InArea, policy
from market.core.unit_of_work import UnitOfWork
from market.core.workflow import UNDO, Transition, Workflow, add_event, fire
from market.core.workflow import take_back as move_back
from market.monitoring.models import BulkAction, BulkRow
from market.monitoring.queries import local_day
from market.monitoring.rules import ASSIGNED, REMINDED, covers

ASSIGN = policy.declare("monitoring:work_item:assign", **dict.fromkeys(OFFICES, InArea()))
BULK = policy.declare("monitoring:work_item:bulk", **dict.fromkeys(OFFICES, InArea()))
NOTE = "撤销批量操作"
_GONE = "这件事已不在工作台上。"


@dataclass(frozen=True)
class Offer:
    """A button under the table. act: `<workflow>.<action>`."""

    act: str
    label: str
    reason: bool


def workflows() -> Mapping[str, Workflow]:
    """All kinds of cases, by name."""
    found: Mapping[str, Workflow] = current_app.extensions["market"].workflows
    return found


def bulk_transitions(workflow: Workflow) -> dict[str, Transition]:
    """Those that desks offer for many cases at once, by action."""
    return {one.action: one for one in workflow.transitions if one.bulk}


def offers(actor: Actor, kinds: Iterable[str]) -> list[Offer]:
    """The transitions that may be offered for cases of these kinds."""
    found = []
    for name in dict.fromkeys(kinds):
        if (workflow := workflows().get(name)) is None:
            continue
        for action, one in bulk_transitions(workflow).items():
            if policy.allows(actor, one.permission):
                label = f"{workflow.label}：{one.label}"
                found.append(Offer(f"{name}.{action}", label, one.reason))
    return found


def checked(actor: Actor, act: str, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The words of an act, and what of `given` it needs.

    Raises:
        Invalid: it is not offered, or something it needs is missing.
    """
    if act == "remind":
        return "提醒单位办理", {}
    if act == "assign":
        return _checked_colleague(actor, given.get("to"))
    kind, _, action = act.partition(".")
    workflow = workflows().get(kind)
    one = bulk_transitions(workflow).get(action) if workflow else None
    if workflow is None or one is None:
        raise Invalid({"act": ["没有这项操作。"]})
    reason = (given.get("reason") or "").strip()
    if one.reason and not reason:
        raise Invalid({"reason": ["这项操作要写明原因，对方会看到。"]})
    return f"{workflow.label}：{one.label}", {"reason": reason} if reason else {}


def _checked_colleague(actor: Actor, to: int | None) -> tuple[str, dict[str, Any]]:
    if to is None:
        raise Invalid({"to": ["请选择分配给谁。"]})
    person = db.session.get(Person, to)
    areas = actor.areas(*OFFICES)
    if person is None or person.state != "active" or not _office_areas(to, areas):
        raise Invalid({"to": ["请从名单中选一位同事。"]})
    return f"分配给{person.name}", {"to": to, "name": person.name}


def _office_areas(person_id: int, within: list[str]) -> list[str]:
    """Paths of the offices of a person that lie at or below one of these."""
    paths = [
        grant.region_path
        for grant in sessions.grants_of(person_id)
        if grant.role in OFFICES and grant.region_path
    ]
    return [path for path in paths if any(covers(area, path) for area in within)]


def actor_of(bulk: BulkAction) -> Actor | None:
    """Who began an act, with what he may do today; None when he may do nothing any more."""
    if bulk.actor_kind == "system":
        return SYSTEM
    if bulk.actor_kind == "token":
        token = db.session.get(ApiToken, bulk.actor_id)
        found = sessions.actor_of_token(token) if token is not None and _holds(token) else None
    else:
        person = db.session.get(Person, bulk.actor_id)
        active = person is not None and person.state == "active"
        found = sessions.actor_of(person) if person is not None and active else None
    return found if found is not None and policy.allows(found, BULK) else None


def _holds(token: ApiToken) -> bool:
    over = token.revoked_at is not None or token.expires_at <= clock.now()
    return not over and token.organisation.state == "active"


def carry_out(work: UnitOfWork, bulk: BulkAction, row: BulkRow) -> None:
    """Do an act to one case, and note in the row what undoing it needs.

    Raises:
        Conflict, Denied, Invalid: the case does not allow it.
    """
    item = db.session.get(WorkItem, row.item_id)
    if item is None:
        raise Conflict(_GONE)
    work.require(BULK, item)
    with held(bulk.undo_until) as told:
        if bulk.act == "assign":
            event = _assign(work, bulk, row, item)
        elif bulk.act == "remind":
            event = _remind(work, row, item)
        else:
            event = _fire(work, bulk, row, item)
        db.session.flush()
    row.event_id, row.messages = event.id, [one.id for one in told]


def _assign(work: UnitOfWork, bulk: BulkAction, row: BulkRow, item: WorkItem) -> CaseEvent:
    to, name, before = bulk.given["to"], bulk.given["name"], item.assignee_id
    if not item.side:
        raise Conflict("已经办结，不用再分配。")
    if before == to:
        raise Conflict(f"本来就由{name}办理。")
    areas = _office_areas(to, work.actor.areas(*OFFICES))
    if not any(covers(area, item.region_path) for area in areas):
        raise Conflict(f"不在{name}负责的地区。")
    _set_assignee(item, before, to)
    row.before, row.after = {"assignee_id": before}, {"assignee_id": to}
    work.record(
        "work_item.assign",
        item.kind,
        item.object_id,
        no=item.no,
        before=row.before,
        after=row.after,
    )
    if work.actor.kind != "person" or work.actor.id != to:
        tell(
            ASSIGNED,
            about=(item.kind, item.object_id),
            url=item.url,
            values=_values(work, item),
            people=[to],
        )
    return add_event(work, item.kind, item.object_id, "assign", note=f"分配给{name}")


def _values(work: UnitOfWork, item: WorkItem) -> dict[str, str]:
    words = {"title": item.title, "no": item.no, "next": item.next_step}
    return {"by": work.actor.label, **words}


def _set_assignee(item: WorkItem, before: int | None, after: int | None) -> None:
    """Change who has a case, if it is still with whom it was. Raises Conflict."""
    same = WorkItem.assignee_id.is_(None) if before is None else WorkItem.assignee_id == before
    moved = db.session.execute(
        update(WorkItem)
        .where(WorkItem.id == item.id, same)
        .values(assignee_id=after)
        .execution_options(synchronize_session=False)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]
        raise Conflict("刚被他人分配过，请刷新后再看。")
    db.session.refresh(item)


def _remind(work: UnitOfWork, row: BulkRow, item: WorkItem) -> CaseEvent:
    if item.side != "owner" or (item.organisation_id is None and item.person_id is None):
        raise Conflict("现在不是等对方办理，无须提醒。")
    today = select(CaseEvent.id).where(
        CaseEvent.kind == item.kind,
        CaseEvent.object_id == item.object_id,
        CaseEvent.action == "remind",
        CaseEvent.at >= local_day(clock.today()),
    )
    if db.session.scalar(today.limit(1)) is not None:
        raise Conflict("今天已经提醒过。")
    tell(
        REMINDED,
        about=(item.kind, item.object_id),
        url=item.url,
        values=_values(work, item),
        people=[item.person_id] if item.person_id else [],
        organisation_id=item.organisation_id,
    )
    row.before, row.after = {}, {}
    work.record("work_item.remind", item.kind, item.object_id, no=item.no)
    return add_event(work, item.kind, item.object_id, "remind")


def _fire(work: UnitOfWork, bulk: BulkAction, row: BulkRow, item: WorkItem) -> CaseEvent:
    kind, _, action = bulk.act.partition(".")
    if item.kind != kind:
        raise Conflict("这项操作不适用于这类事项。")
    workflow = workflows()[kind]
    case = db.session.get(workflow.model, item.object_id)
    if case is None:
        raise Conflict(_GONE)
    one = workflow.find(case.state, action)
    if one is not None and not one.bulk:
        raise Conflict("现在的状态下要逐件办理。")
    fired = fire(work, workflow, case, action, reason=bulk.given.get("reason"))
    row.before, row.after = {"state": fired.before}, {"state": fired.transition.target}
    return fired.event


def take_back(work: UnitOfWork, bulk: BulkAction, row: BulkRow) -> None:
    """Undo an act on one case.

    Raises:
        Conflict: the case was moved since. Denied: the actor may not act on it any more.
    """
    item = db.session.get(WorkItem, row.item_id)
    if item is None:
        raise Conflict(_GONE)
    work.require(BULK, item)
    if bulk.act not in {"assign", "remind"}:
        workflow = workflows()[item.kind]
        case = db.session.get(workflow.model, item.object_id)
        if case is None or row.event_id is None:
            raise Conflict(_GONE)
        move_back(work, workflow, case, row.event_id, note=NOTE)
        return
    if bulk.act == "assign":
        _set_assignee(item, (row.after or {})["assignee_id"], (row.before or {})["assignee_id"])
    work.record(
        f"work_item.{bulk.act}_{UNDO}",
        item.kind,
        item.object_id,
        no=item.no,
        before=row.after,
        after=row.before,
    )
    add_event(work, item.kind, item.object_id, UNDO, note=NOTE)
