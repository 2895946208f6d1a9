"""Workflows are tables: state, action, permission, who may not, effects, label.

`fire` is the only writer of a state. In one transaction it asks the policy, moves the state by a
guarded UPDATE, writes the audit row, the line of the case's timeline and the case's `work_item`,
and runs the effects. The same table draws buttons, the JSON `actions` and the diagrams of the docs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update

from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid
from market.core.languages import translate
from market.core.models import CaseEvent, WorkItem
from market.core.permissions import Actor, policy
from market.core.unit_of_work import UnitOfWork

LONGEST_REASON = 1000  # characters
UNDO = "undo"  # the action of the line that says that something was taken back
Effect = Callable[[UnitOfWork, Any, "Fired"], None]
# Takes back what a transition's effects did: `(work, object, state before)`.
Undo = Callable[[UnitOfWork, Any, str], None]


@dataclass(frozen=True)
class Transition:
    """One row of the table.

    Args:
        action: the verb, e.g. "return"; label: the words on its button.
        sources: states from which it leads; target: the state it leads to.
        permission: what the policy is asked.
        reason: whether a reason must be given.
        not_by: actions on the same case whose last doer may not do this one (separation of duties).
        effects: run in the same transaction, after the state moved: `(work, object, fired)`.
        bulk: whether desks offer it for many cases at once; for ten minutes it can be taken back.
        undo: runs after `take_back` moved the state back, and takes back the effects; it may refuse
            by raising Conflict. Without it, the state alone is moved back.
        tone: "primary", "plain" or "stop": how the button looks.
        button: whether the case's page offers it; not where it only follows from another case.
    """

    action: str
    label: str
    sources: tuple[str, ...]
    target: str
    permission: str
    reason: bool = False
    not_by: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    bulk: bool = False
    undo: Undo | None = None
    tone: str = "primary"
    button: bool = True


@dataclass(frozen=True)
class Item:
    """What desks show of an open case.

    Args:
        side: who has to act next: "office", "owner" (the organisation) or "" (nobody: closed).
        next_step: what that is, in Chinese.
        organisation_id: whose case it is; region_path: where it lies; url: its page.
        due: the last day for the next step; provisional when holidays are not announced yet.
        returned: it went back to its owner for correction.
        person_id: the person whose case it is, where there is no organisation.
    """

    no: str
    title: str
    url: str
    side: str
    next_step: str
    organisation_id: int | None = None
    person_id: int | None = None
    region_path: str | None = None
    due: date | None = None
    provisional: bool = False
    returned: bool = False
    urgent: bool = False


@dataclass(frozen=True)
class Fired:
    """What `fire` did: for effects, and for whoever undoes it."""

    transition: Transition
    before: str
    reason: str | None
    event: CaseEvent


@dataclass(frozen=True)
class Workflow:
    """A kind of case: its states with their labels, its transitions, and how it shows on desks.

    Args:
        name: the kind in audit rows, timelines and work items, e.g. "inquiry".
        label: the Chinese word for one case.
        model: its table, with `id` and `state`.
        item: what desks show of a case; None for a state in which there is no case.
        room: where its pages are.
    """

    name: str
    label: str
    model: Any
    states: Mapping[str, str]
    transitions: Sequence[Transition]
    item: Callable[[Any], Item | None]
    room: str
    start: str = "draft"
    _by: dict[tuple[str, str], Transition] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for one in self.transitions:
            for source in one.sources:
                if source not in self.states or one.target not in self.states:
                    raise ValueError(f"{self.name}.{one.action} names an unknown state")
                if (source, one.action) in self._by:
                    raise ValueError(f"{self.name}: {one.action} twice from {source}")
                if one.permission not in policy.rules:
                    raise ValueError(f"{self.name}.{one.action} names an undeclared permission")
                self._by[source, one.action] = one

    def find(self, state: str, action: str) -> Transition | None:
        """The transition of this name from this state."""
        return self._by.get((state, action))

    def actions(self, actor: Actor, case: Any) -> list[Transition]:
        """What the actor may do with a case now, in the table's order: the buttons."""
        return [
            one
            for one in self.transitions
            if one.button
            and case.state in one.sources
            and policy.allows(actor, one.permission, case)
            and not _did_before(actor, self.name, case.id, one.not_by)
        ]


def fire(
    work: UnitOfWork,
    workflow: Workflow,
    case: Any,
    action: str,
    *,
    reason: str | None = None,
    note: str | None = None,
    values: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Fired:
    """Move a case by one transition. Call inside a unit of work.

    Args:
        reason: why, where the transition asks for it; shown on the timeline.
        note: more words for the timeline.
        values: other columns that change with the state, in the same guarded UPDATE.
        after: more values for the audit row.

    Raises:
        Denied: the actor may not do this, or did the step that must be another's.
        Conflict: the case is in a state from which the action does not lead, or was moved meanwhile.
        Invalid: a reason is missing or too long.
    """
    before = case.state
    one = workflow.find(before, action)
    if one is None:
        words = translate(workflow.states.get(before, before))
        raise Conflict(
            translate("现在的状态是「%(state)s」，不能这样操作；请刷新后再看。", state=words)
        )
    work.require(one.permission, case)
    if _did_before(work.actor, workflow.name, case.id, one.not_by):
        raise Denied(translate("这一步须由另一位同事办理：前一步是您办的。"))
    reason = _checked_reason(one, reason)
    _move(workflow, case, before, one.target, values or {})
    event = add_event(
        work, workflow.name, case.id, action, before=before, after=one.target,
        reason=reason, note=note,
    )  # fmt: skip
    db.session.refresh(case)
    told = {"state": one.target, "reason": reason, **(after or {})}
    work.record(
        f"{workflow.name}.{action}",
        workflow.name,
        case.id,
        no=getattr(case, "no", None),
        before={"state": before},
        after={key: value for key, value in told.items() if value is not None},
    )
    fired = Fired(one, before, reason, event)
    for effect in one.effects:
        effect(work, case, fired)
    show_on_desks(workflow, case)
    return fired


def take_back(
    work: UnitOfWork, workflow: Workflow, case: Any, event_id: int, *, note: str
) -> CaseEvent:
    """Move a case back to where it was before its last transition. Call inside a unit of work.

    The caller asks the policy: what may be undone, and for how long, is the desk's affair.

    Args:
        event_id: the line of the timeline that is taken back; it must be the last one that moved
            the state.
        note: why, for the timeline.

    Raises:
        Denied: the actor is not who fired it. Conflict: the case was moved since.
    """
    fired = db.session.get_one(CaseEvent, event_id)
    moves = select(func.max(CaseEvent.id)).where(
        CaseEvent.kind == workflow.name,
        CaseEvent.object_id == case.id,
        CaseEvent.after.is_not(None),
    )
    if db.session.scalar(moves) != event_id or fired.before is None or fired.after is None:
        raise Conflict(translate("这件事刚被他人办过，请刷新后再看。"))
    if (fired.actor_kind, fired.actor_id) != (work.actor.kind, work.actor.id):
        raise Denied
    one = workflow.find(fired.before, fired.action)
    before, after = fired.before, fired.after
    _move(workflow, case, after, before, {})
    event = add_event(work, workflow.name, case.id, UNDO, before=after, after=before, note=note)
    db.session.refresh(case)
    work.record(
        f"{workflow.name}.{UNDO}",
        workflow.name,
        case.id,
        no=getattr(case, "no", None),
        before={"state": after},
        after={"state": before, "action": fired.action},
    )
    if one is not None and one.undo is not None:
        one.undo(work, case, before)
    show_on_desks(workflow, case)
    return event


def begin(work: UnitOfWork, workflow: Workflow, case: Any, *, note: str | None = None) -> None:
    """Note a new case, just inserted and flushed: audit, first line of the timeline, work item."""
    add_event(work, workflow.name, case.id, "begin", before=None, after=case.state, note=note)
    work.record(
        f"{workflow.name}.begin",
        workflow.name,
        case.id,
        no=getattr(case, "no", None),
        after={"state": case.state},
    )
    show_on_desks(workflow, case)


def _checked_reason(one: Transition, reason: str | None) -> str | None:
    reason = (reason or "").strip() or None
    if one.reason and reason is None:
        raise Invalid({"reason": [translate("请写明原因，对方会看到。")]})
    if reason and len(reason) > LONGEST_REASON:
        raise Invalid({"reason": [translate("原因最多 %(n)s 个字。", n=LONGEST_REASON)]})
    return reason


def _move(
    workflow: Workflow, case: Any, before: str, target: str, values: Mapping[str, Any]
) -> None:
    model = workflow.model
    moved = db.session.execute(
        update(model)
        .where(model.id == case.id, model.state == before)
        .values(state=target, **values)
        .execution_options(synchronize_session=False)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]
        raise Conflict(translate("这件事刚被他人办过，请刷新后再看。"))


def _did_before(actor: Actor, kind: str, object_id: int, actions: Sequence[str]) -> bool:
    """Whether the actor was the last to do one of these actions on the case.

    A person and the programs whose tokens he made are one.
    """
    if not actions or actor.kind == "system":
        return False
    last = (
        select(CaseEvent.actor_kind, CaseEvent.actor_id, CaseEvent.maker_id)
        .where(
            CaseEvent.kind == kind,
            CaseEvent.object_id == object_id,
            CaseEvent.action.in_(actions),
        )
        .order_by(CaseEvent.id.desc())
        .limit(1)
    )
    found = db.session.execute(last).first()
    if found is None:
        return False
    person_id = found.actor_id if found.actor_kind == "person" else found.maker_id
    same_person = person_id is not None and person_id == actor.person_id
    return same_person or (found.actor_kind, found.actor_id) == (actor.kind, actor.id)


def add_event(
    work: UnitOfWork,
    kind: str,
    object_id: int,
    action: str,
    *,
    before: str | None = None,
    after: str | None = None,
    reason: str | None = None,
    note: str | None = None,
) -> CaseEvent:
    """Write a line of a case's timeline; also for what moves no state (a call, an assignment)."""
    event = CaseEvent(
        kind=kind,
        object_id=object_id,
        action=action,
        before=before,
        after=after,
        reason=reason,
        note=note,
        actor_kind=work.actor.kind,
        actor_id=work.actor.id,
        actor_label=work.actor.label,
        maker_id=work.actor.maker_id,
        at=clock.now(),
    )
    db.session.add(event)
    db.session.flush()
    return event


def show_on_desks(workflow: Workflow, case: Any) -> None:
    """Bring the case's work item up to date. Call inside a unit of work after each change."""
    shown = workflow.item(case)
    row = db.session.scalar(
        select(WorkItem).where(WorkItem.kind == workflow.name, WorkItem.object_id == case.id)
    )
    if shown is None:
        if row is not None:
            db.session.delete(row)
        return
    now = clock.now()
    if row is None:
        row = WorkItem(room=workflow.room, kind=workflow.name, object_id=case.id, opened_at=now)
        db.session.add(row)
    _fill(row, shown, case.state, now)
    db.session.flush()


def _fill(row: WorkItem, shown: Item, state: str, now: datetime) -> None:
    row.no, row.title, row.url, row.state = shown.no, shown.title[:300], shown.url, state
    row.side, row.next_step = shown.side, shown.next_step
    row.organisation_id, row.person_id = shown.organisation_id, shown.person_id
    row.region_path = shown.region_path
    row.due, row.provisional = shown.due, shown.provisional
    row.returned, row.urgent = shown.returned, shown.urgent
    row.updated_at = now
    row.closed_at = None if shown.side else (row.closed_at or now)


def timeline(kind: str, object_id: int) -> Sequence[CaseEvent]:
    """What happened to a case, oldest first."""
    query = select(CaseEvent).where(CaseEvent.kind == kind, CaseEvent.object_id == object_id)
    return db.session.scalars(query.order_by(CaseEvent.id)).all()
