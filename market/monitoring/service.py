"""Acts on cases of a desk, one or up to 500 at once; for ten minutes they can be taken back.

An act is kept as a `bulk_action` with a row for each case, and carried out in batches: the first in
the request, the rest by the worker. What one case refuses does not hold up the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import delete, func, select, update

from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, MarketError, NotFound
from market.core.messages import CONSUMER
from market.core.models import OutboxRow, WorkItem
from market.core.permissions import SYSTEM, Actor, policy
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.monitoring import acts
from market.monitoring.acts import ASSIGN, BULK
from market.monitoring.models import BulkAction, BulkRow
from market.monitoring.rules import UNDO
from market.monitoring.schemas import MOST_ROWS

log = structlog.get_logger(__name__)
BATCH = 50  # rows in one transaction
LONGEST_BATCH = 0.5  # seconds after which a batch takes no more rows
FINISH = policy.declare("monitoring:bulk:finish")
_NOT_DONE = "撤销时还没有办到这一件。"
_TOO_LATE = "已超过 10 分钟，不能再撤销；请逐件办理。"
_FAULT = "系统出错，这一件没有动；问题已记录。"
_REFUSALS = (Conflict, Denied, Invalid, NotFound)


def start(
    actor: Actor, act: str, ids: Sequence[int], given: Mapping[str, Any], *, permission: str = BULK
) -> int:
    """Begin an act on cases and carry out the first batch; returns its number.

    Args:
        act: "assign", "remind" or `<workflow>.<action>`.
        ids: of work items, at most 500.
        given: `to` (id of the colleague) for "assign", `reason` where the action needs one.
        permission: what the policy is asked for each case.

    Raises:
        Invalid: no case, too many, an act that is not offered, or something missing for it.
        NotFound: a case is not in the actor's area.
    """
    ids = list(dict.fromkeys(ids))
    if not ids:
        raise Invalid({"item": ["请先勾选要办理的事项。"]})
    if len(ids) > MOST_ROWS:
        raise Invalid({"item": [f"一次最多 {MOST_ROWS} 件，现有 {len(ids)} 件。"]})
    now = clock.now()
    with unit_of_work(actor) as work:
        label, kept = acts.checked(actor, act, given)
        allowed = policy.where(actor, permission, WorkItem)
        query = select(WorkItem).where(WorkItem.id.in_(ids), allowed)
        found = {item.id: item for item in db.session.scalars(query)}
        if len(found) < len(ids):
            raise NotFound("有的事项已不在您的工作台上，请刷新后再选。")
        for item in found.values():
            work.require(permission, item)
        bulk = BulkAction(
            act=act,
            label=label,
            given=kept,
            state="running",
            total=len(ids),
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_label=actor.label,
            created_at=now,
            undo_until=now + UNDO,
        )
        db.session.add(bulk)
        db.session.flush()
        for one in ids:
            item = found[one]
            row = {"no": item.no, "title": item.title, "url": item.url, "state": "waiting"}
            db.session.add(BulkRow(bulk_id=bulk.id, item_id=item.id, **row))
        after = {"act": act, "total": len(ids), **kept}
        work.record("bulk.started", "bulk_action", bulk.id, after=after)
        bulk_id = bulk.id
    run_batch(actor, bulk_id)
    return bulk_id


def assign(actor: Actor, item_id: int, to: int) -> int:
    """Give one case to a colleague or to oneself; returns the number of the act.

    Raises:
        Invalid: there is no such colleague. NotFound: the case is not in the actor's area.
        Conflict: the case is closed, or outside the colleague's area.
    """
    with unit_of_work(actor):
        number = start(actor, "assign", [item_id], {"to": to}, permission=ASSIGN)
        row = db.session.scalars(select(BulkRow).where(BulkRow.bulk_id == number)).one()
        if row.state == "refused":
            raise Conflict(row.reason or "")
        return number


def undo(actor: Actor, number: int) -> None:
    """Take back an act of one's own within ten minutes; begins with the first batch.

    Raises:
        NotFound: the actor did no such thing. Conflict: it is too late, or taken back already.
    """
    now = clock.now()
    with unit_of_work(actor) as work:
        bulk = _locked(own(actor, number).id)
        work.require(BULK)
        if bulk.state not in {"running", "done"}:
            raise Conflict("这次操作已经撤销。")
        if now >= bulk.undo_until:
            raise Conflict(_TOO_LATE)
        bulk.state, bulk.undone_at = "undoing", now
        rows = update(BulkRow).where(BulkRow.bulk_id == number, BulkRow.state == "waiting")
        db.session.execute(rows.values(state="refused", reason=_NOT_DONE))
        # Nothing is sent while rows are taken back one batch after the other.
        told = select(BulkRow.messages).where(BulkRow.bulk_id == number)
        ids = [key for found in db.session.scalars(told) for key in found or ()]
        _reschedule(ids, now + 6 * UNDO)
        work.record("bulk.undone", "bulk_action", number, before={"act": bulk.act})
    run_batch(actor, number)


def own(actor: Actor, number: int) -> BulkAction:
    """An act of the actor's own. Raises NotFound."""
    query = select(BulkAction).where(
        BulkAction.id == number,
        BulkAction.actor_kind == actor.kind,
        BulkAction.actor_id == actor.id,
    )
    found = db.session.scalar(query)
    if found is None:
        raise NotFound("没有这次操作。")
    return found


def run_waiting() -> bool:
    """The worker's task: one batch of the oldest act that is not finished; True when more waits."""
    query = select(BulkAction).where(BulkAction.state.in_(("running", "undoing")))
    bulk = db.session.scalar(query.order_by(BulkAction.id).limit(1))
    if bulk is None:
        return False
    number, actor = bulk.id, acts.actor_of(bulk)
    if actor is None:
        _give_up(number)
    else:
        run_batch(actor, number)
    return True


def run_batch(actor: Actor, number: int) -> None:
    """Carry out or take back the next rows of an act, in one short transaction."""
    with unit_of_work(actor) as work:
        work.require(BULK)
        bulk = _locked(number)
        undoing = bulk.state == "undoing"
        if not undoing and bulk.state != "running":
            return
        step = _take_back if undoing else _carry_out
        source = "done" if undoing else "waiting"
        query = select(BulkRow).where(BulkRow.bulk_id == number, BulkRow.state == source)
        end = time.monotonic() + LONGEST_BATCH
        for row in db.session.scalars(query.order_by(BulkRow.id).limit(BATCH)).all():
            step(work, bulk, row)
            if time.monotonic() > end:
                break
        db.session.flush()
        _finish(bulk, source)


def _locked(number: int) -> BulkAction:
    """The act, held against others who would carry out the same rows."""
    query = select(BulkAction).where(BulkAction.id == number).with_for_update()
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def _finish(bulk: BulkAction, source: str) -> None:
    left = select(func.count()).where(BulkRow.bulk_id == bulk.id, BulkRow.state == source)
    if db.session.scalar(left):
        return
    bulk.state = "undone" if bulk.state == "undoing" else "done"
    bulk.finished_at = clock.now()


def _give_up(number: int) -> None:
    """End an act whose actor may act no more; what was done stays."""
    with unit_of_work(SYSTEM) as work:
        work.require(FINISH)
        bulk = _locked(number)
        rows = update(BulkRow).where(BulkRow.bulk_id == number, BulkRow.state == "waiting")
        db.session.execute(rows.values(state="refused", reason="操作人的账号已停用。"))
        told = select(BulkRow.messages).where(BulkRow.bulk_id == number, BulkRow.state == "done")
        ids = [key for found in db.session.scalars(told) for key in found or ()]
        _reschedule(ids, bulk.undo_until)
        bulk.state, bulk.finished_at = "done", clock.now()
        work.record("bulk.given_up", "bulk_action", number)


def _attempt(row: BulkRow, work: Callable[[], None]) -> str | None:
    """Do something to one case; what it refuses leaves no trace. Returns why it was refused."""
    try:
        with db.session.begin_nested():
            work()
    except _REFUSALS as error:
        return _sentence(error)
    except Exception:
        # One case with a fault of the program must not hold up the acts of everybody.
        log.exception("act on a case failed", bulk=row.bulk_id, item=row.item_id)
        return _FAULT
    return None


def _sentence(error: MarketError) -> str:
    if isinstance(error, Invalid) and error.fields:
        return " ".join(message for found in error.fields.values() for message in found)
    return error.message


def _carry_out(work: UnitOfWork, bulk: BulkAction, row: BulkRow) -> None:
    refused = _attempt(row, lambda: acts.carry_out(work, bulk, row))
    row.state, row.reason = ("done", None) if refused is None else ("refused", refused)


def _take_back(work: UnitOfWork, bulk: BulkAction, row: BulkRow) -> None:
    refused = _attempt(row, lambda: acts.take_back(work, bulk, row))
    row.state, row.reason = ("undone", None) if refused is None else ("kept", refused)
    if refused is None:
        for part in _chunks(row.messages or []):
            waiting = OutboxRow.id.in_(part), OutboxRow.consumer == CONSUMER
            db.session.execute(delete(OutboxRow).where(*waiting))
    else:
        _reschedule(row.messages or [], clock.now())


def _reschedule(ids: Sequence[int], until: Any) -> None:
    """Let messages that still wait be sent at another time."""
    for part in _chunks(ids):
        waiting = OutboxRow.id.in_(part), OutboxRow.consumer == CONSUMER
        db.session.execute(update(OutboxRow).where(*waiting).values(not_before=until))


def _chunks(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + 400] for start in range(0, len(ids), 400)]
