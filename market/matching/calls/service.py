"""Calls: beginning, opening, extending, closing, choosing, waiting for a notice, ending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import select, update

from market.catalogue.models import Listing
from market.catalogue.publishing import life
from market.core import clock, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.messages import MessageKind
from market.core.permissions import SYSTEM, Actor, policy
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching.calls import messages, noticing, queries
from market.matching.calls.models import Call, CallAnswer
from market.matching.calls.rules import is_over
from market.matching.calls.schemas import refuse_day
from market.matching.calls.workflow import BEGIN, CALL, CALL_ANSWER, EDIT, READ

SERIES = "JB"
_CLOSED_AT_ONCE = 50
_SETTLED_AT_ONCE = 50
_LONGEST_SOLVER = 200  # characters of a demand's "solved with"


def begin(actor: Actor, demand_no: str, values: Mapping[str, Any]) -> str:
    """Begin the call of a published demand, as a draft; returns its number.

    Args:
        values: deadline, perhaps conditions and shows_result.

    Raises:
        NotFound: no such public demand, or somebody else's.
        Conflict: it has a call that is not over.
    """
    with unit_of_work(actor) as work:
        listing = db.session.scalar(
            select(Listing)
            .where(Listing.no == demand_no, Listing.kind == "demand", Listing.state == "published")
            .with_for_update(of=Listing)
        )
        if listing is None or listing.current is None:
            raise NotFound(f"没有编号为 {demand_no} 的技术需求。")
        earlier = queries.live(listing.id)
        now, series = clock.now(), f"{SERIES}{clock.today().year}"
        row = Call(
            no=f"{series}{numbers.take(series)[0]:06d}",
            listing_id=listing.id,
            title=listing.current.title,
            owner_id=listing.owner_id,
            region_id=listing.region_id,
            demo=listing.demo,
            created_at=now,
            updated_at=now,
            **_content(values),
        )
        db.session.add(row)
        db.session.flush()
        if not policy.allows(actor, BEGIN, row):
            raise NotFound(f"没有编号为 {demand_no} 的技术需求。")
        if earlier is not None:
            raise Conflict(f"这项需求已有揭榜 {earlier.no}，办结或撤回后才能再发。")
        work.require(BEGIN, row)
        noticing.refuse_hidden(row)
        flow.begin(work, CALL, row)
        return row.no


def _content(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "deadline": values["deadline"],
        "conditions": values.get("conditions"),
        # What was put up for everybody to object to is no secret afterwards.
        "shows_result": bool(values.get("shows_result") or values.get("wants_notice")),
        "wants_notice": bool(values.get("wants_notice")),
    }


def locked(actor: Actor, no: str, permission: str = READ) -> Call:
    """A call, held until the commit: of two who act at once the second sees the first.

    Raises:
        NotFound: there is none, or not for this actor.
    """
    found = db.session.scalar(
        select(Call)
        .where(Call.no == no, policy.where(actor, permission, Call))
        .with_for_update(of=Call)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的揭榜。")
    return found


def _as_seen(call: Call, version: int | None) -> None:
    if version is not None and version != call.lock_version:
        raise Conflict("这项揭榜刚有变化，请先看现在的内容；您填的还在，仍要办理请再点一次。")


def _moved(**values: Any) -> dict[str, Any]:
    return {"updated_at": clock.now(), "lock_version": Call.lock_version + 1, **values}


def edit(actor: Actor, no: str, values: Mapping[str, Any]) -> None:
    """Change a draft. Raises NotFound, Denied (it is open), Invalid."""
    with unit_of_work(actor) as work:
        call = locked(actor, no)
        work.require(EDIT, call)
        content = _content(values)
        before = {name: str(getattr(call, name)) for name in content}
        db.session.execute(update(Call).where(Call.id == call.id).values(**_moved(**content)))
        db.session.refresh(call)
        noticing.refuse_hidden(call)
        after = {name: str(value) for name, value in content.items()}
        work.record("call.edit", CALL.name, call.id, no=no, before=before, after=after)
        flow.show_on_desks(CALL, call)


def act(actor: Actor, no: str, action: str, values: Mapping[str, Any]) -> None:
    """Do what the table of states allows.

    Args:
        values: reason; for "extend" deadline; for "choose" answers (numbers) and perhaps shows_price
            (the notice names it); perhaps `seen`, the version of the call as the actor saw it.

    Raises:
        Conflict: the state does not allow it, or it moved. Invalid: something is missing.
    """
    if action not in _ACTS:
        raise NotFound
    with unit_of_work(actor) as work:
        call = locked(actor, no)
        _as_seen(call, values.get("seen"))
        _ACTS[action](work, call, values)


def _open(work: UnitOfWork, call: Call, _values: Mapping[str, Any]) -> None:
    check_day(call.deadline)
    noticing.refuse_hidden(call)
    if call.listing.state != "published":
        raise Conflict("这项需求已不公开，不能发布揭榜。")
    flow.fire(work, CALL, call, "open", values=_moved(opened_at=clock.now()))
    _show(work, call)


def _show(work: UnitOfWork, call: Call) -> None:
    """Let the demand, and through it the search, tell that it is out as a call, or no more."""
    until = call.deadline if call.state == "open" else None
    db.session.execute(
        update(Listing).where(Listing.id == call.listing_id).values(call_until=until)
    )
    work.announce("listing", call.listing_id)


def check_day(deadline: date | None) -> None:
    """Refuse a deadline that passed or lies too far off. Raises Invalid."""
    try:
        refuse_day(deadline)
    except ValidationError as error:
        raise Invalid(dict(error.normalized_messages())) from error


def _extend(work: UnitOfWork, call: Call, values: Mapping[str, Any]) -> None:
    if call.state == "open" and is_over(call.deadline):
        raise Conflict("截止日已过，不能再延长。")
    deadline = values.get("deadline")
    check_day(deadline)
    assert deadline is not None
    if deadline <= call.deadline:
        raise Invalid({"deadline": [f"新的截止日应晚于现在的 {call.deadline.isoformat()}。"]})
    before = call.deadline.isoformat()
    flow.fire(
        work,
        CALL,
        call,
        "extend",
        reason=values.get("reason"),
        note=f"{before} → {deadline.isoformat()}",
        values=_moved(deadline=deadline),
        after={"deadline": deadline.isoformat(), "deadline_before": before},
    )
    _show(work, call)
    _refresh_drafts(call)
    _tell_all(messages.EXTENDED, call, ("draft", "sent"))


def _refresh_drafts(call: Call) -> None:
    """Desks show when a draft has to be sent."""
    for one in _answers(call, ("draft",)):
        flow.show_on_desks(CALL_ANSWER, one)


def _answers(call: Call, states: Sequence[str]) -> list[CallAnswer]:
    query = select(CallAnswer).where(CallAnswer.call_id == call.id, CallAnswer.state.in_(states))
    return list(db.session.scalars(query.order_by(CallAnswer.id)))


def _tell_all(kind: MessageKind, call: Call, states: Sequence[str]) -> None:
    for one in _answers(call, states):
        messages.tell_answerer(kind, one)


def _close_if_over(work: UnitOfWork, call: Call) -> None:
    """Note that the deadline passed where the worker has not yet."""
    if call.state == "open" and is_over(call.deadline):
        flow.fire(work, CALL, call, "close", values=_moved())
        _show(work, call)
        _refresh_drafts(call)


def _refuse_early(work: UnitOfWork, call: Call) -> None:
    """Refuse to decide before the deadline, or what is decided."""
    _close_if_over(work, call)
    if call.state == "open":
        day = call.deadline.isoformat()
        raise Conflict(f"截止日 {day} 还没过，截止后才能选定应答方或流榜。")
    if call.state != "closed":
        raise Conflict(f"这项揭榜的状态是「{CALL.states[call.state]}」，不能再选；请刷新后再看。")


def _choose(work: UnitOfWork, call: Call, values: Mapping[str, Any]) -> None:
    _refuse_early(work, call)
    wanted = set(values.get("answers") or ())
    sent = _answers(call, ("sent",))
    if not wanted:
        raise Invalid({"answers": ["请至少选一份应答；都不合适可以流榜。"]})
    if unknown := wanted - {one.no for one in sent}:
        raise Invalid({"answers": [f"没有可选的应答 {'、'.join(sorted(unknown))[:60]}。"]})
    if any(one.no in wanted and one.organisation_id == call.owner_id for one in sent):
        raise Invalid({"answers": ["需求方自己的应答不能选。"]})
    won = [one for one in sent if one.no in wanted]
    if call.wants_notice:
        _propose(work, call, won, values)
        return
    names = "、".join(one.owner.name for one in won)
    _decide(work, call, "choose", values.get("reason"), f"选定：{names}")
    _tell_result(work, won, [one for one in sent if one.no not in wanted])


def _tell_result(
    work: UnitOfWork, won: Sequence[CallAnswer], lost: Sequence[CallAnswer] = ()
) -> None:
    """Give answers their end, and tell their people."""
    for one in won:
        flow.fire(work, CALL_ANSWER, one, "choose", values=_answered())
        messages.tell_answerer(messages.CHOSEN, one)
    for one in lost:
        flow.fire(work, CALL_ANSWER, one, "lose", values=_answered())
        messages.tell_answerer(messages.LOST, one)


def _propose(
    work: UnitOfWork, call: Call, won: Sequence[CallAnswer], values: Mapping[str, Any]
) -> None:
    """Choose under the reserve of a public notice, and begin its draft."""
    reason = (values.get("reason") or "").strip()
    names = "、".join(one.owner.name for one in won)
    no = noticing.begin(work, call, won, reason, shows_price=bool(values.get("shows_price")))
    flow.fire(
        work,
        CALL,
        call,
        "propose",
        reason=reason,
        note=f"拟选定：{names}；结果公示 {no}",
        values=_moved(decision=reason or None, notice_no=no),
        after={"notice": no},
    )
    for one in won:
        flow.fire(work, CALL_ANSWER, one, "propose", values=_answered())
        messages.tell_answerer(messages.PROPOSED, one)


def _confirm(work: UnitOfWork, call: Call, _values: Mapping[str, Any]) -> None:
    if call.state == "proposed":
        noticing.refuse_before_end(call)
    flow.fire(work, CALL, call, "confirm", values=_moved(decided_at=clock.now()))
    _tell_result(work, _answers(call, ("proposed",)), _answers(call, ("sent",)))


def _rechoose(work: UnitOfWork, call: Call, values: Mapping[str, Any]) -> None:
    if call.state == "proposed":
        noticing.refuse_while_running(call)
    draft = call.notice_no
    flow.fire(
        work, CALL, call, "rechoose", reason=values.get("reason"), values=_moved(decision=None)
    )
    noticing.discard_draft(work.actor, draft)
    for one in _answers(call, ("proposed",)):
        flow.fire(work, CALL_ANSWER, one, "back", values=_answered())
        messages.tell_answerer(messages.BACK, one)


def _fail(work: UnitOfWork, call: Call, values: Mapping[str, Any]) -> None:
    _refuse_early(work, call)
    _decide(work, call, "fail", values.get("reason"), None)
    _tell_result(work, (), _answers(call, ("sent",)))


def _decide(
    work: UnitOfWork, call: Call, action: str, reason: str | None, note: str | None
) -> None:
    columns = _moved(decision=(reason or "").strip() or None, decided_at=clock.now())
    flow.fire(work, CALL, call, action, reason=reason, note=note, values=columns)


def _answered() -> dict[str, Any]:
    return {"updated_at": clock.now(), "lock_version": CallAnswer.lock_version + 1}


def _finish(work: UnitOfWork, call: Call, _values: Mapping[str, Any]) -> None:
    """End a call; the demand that it solved ends with it, by the catalogue's own act."""
    solved = call.state == "chosen"
    flow.fire(work, CALL, call, "finish", values=_moved())
    if solved and call.listing.state == "published":
        names = "、".join(one.owner.name for one in _answers(call, ("chosen",)))
        closing = {"outcome": "solved", "outcome_with": names[:_LONGEST_SOLVER]}
        life.listing_act(work.actor, call.listing.no, "close", closing=closing)


def _withdraw(work: UnitOfWork, call: Call, values: Mapping[str, Any]) -> None:
    flow.fire(work, CALL, call, "withdraw", reason=values.get("reason"), values=_moved())
    _show(work, call)
    _refresh_drafts(call)
    _tell_all(messages.ENDED, call, ("draft", "sent"))


_ACTS = {
    "open": _open,
    "extend": _extend,
    "choose": _choose,
    "fail": _fail,
    "confirm": _confirm,
    "rechoose": _rechoose,
    "finish": _finish,
    "withdraw": _withdraw,
}


def _held(key: int) -> Call:
    return db.session.scalars(
        select(Call)
        .where(Call.id == key)
        .with_for_update(of=Call)
        .execution_options(populate_existing=True)
    ).one()


def settle_noticed() -> bool:
    """Carry on calls whose notice has come out; True when more may wait. Safe to repeat.

    A notice that ended without an open or upheld objection makes the choice valid; one that was
    upheld, withdrawn or discarded leads back to choosing.
    """
    query = select(Call.id, Call.notice_no).where(Call.state == "proposed").order_by(Call.id)
    waiting = [key for key, no in db.session.execute(query) if noticing.came_out(no) is not None]
    for key in waiting[:_SETTLED_AT_ONCE]:
        with unit_of_work(SYSTEM) as work:
            call = _held(key)
            why = noticing.came_out(call.notice_no, hold=True)
            if call.state != "proposed" or why is None:
                continue
            if why:
                _rechoose(work, call, {"reason": why})
                messages.tell_owner(messages.REOPENED, call)
            else:
                _confirm(work, call, {})
                messages.tell_owner(messages.CONFIRMED, call)
    return len(waiting) > _SETTLED_AT_ONCE


def close_over() -> bool:
    """Close calls whose deadline passed and tell their owners; True when more may wait."""
    query = select(Call.id).where(Call.state == "open", Call.deadline < clock.today())
    found = db.session.scalars(query.order_by(Call.id).limit(_CLOSED_AT_ONCE)).all()
    for key in found:
        with unit_of_work(SYSTEM) as work:
            call = _held(key)
            if call.state != "open" or not is_over(call.deadline):
                continue
            _close_if_over(work, call)
            messages.tell_owner(messages.CLOSED, call)
    return len(found) == _CLOSED_AT_ONCE
