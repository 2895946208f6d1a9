"""Answers to a call: drafts that are always kept, sending until the deadline, withdrawing."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from market.core import clock, files
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Denied, NotFound
from market.core.permissions import Actor, policy
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching.calls import messages, queries
from market.matching.calls.models import Call, CallAnswer, CallAnswerVersion
from market.matching.calls.rules import ANSWER_FILES, LONGEST_TYPED
from market.matching.calls.schemas import TYPED
from market.matching.calls.workflow import ANSWER, CALL_ANSWER, GIVE_UP, READ_ANSWER, VIEW

SERIES = "YD"


def organisation(actor: Actor, call: Call, no: str | None = None) -> int:
    """For which organisation the actor answers.

    Raises:
        Denied: he acts for none, or only for the owner of the call.
    """
    own = queries.answerers(actor, call)
    found = [one for one in own if one.no == no] or own
    if found:
        return found[0].id
    if call.owner_id in actor.organisations():
        raise Denied("这是本单位的揭榜，不能由本单位应答。")
    raise Denied("应答要有单位：请先加入或登记单位，并由管理员或编辑应答。")


def _held(actor: Actor, no: str) -> Call:
    """The call, held until the commit: answers to it and its closing wait for each other."""
    found = db.session.scalar(
        select(Call)
        .where(Call.no == no, policy.where(actor, VIEW, Call))
        .with_for_update(of=Call)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的揭榜。")
    return found


def save(actor: Actor, call_no: str, organisation_id: int, typed: Mapping[str, str]) -> CallAnswer:
    """Keep what was typed, whatever it is and however late; what was sent stays as it was.

    Raises:
        NotFound: no such call. Conflict: the answer was chosen or not, nothing changes it now.
    """
    with unit_of_work(actor) as work:
        call = _held(actor, call_no)
        row = queries.own_answer(call, organisation_id)
        kept = {name: (typed.get(name) or "")[:LONGEST_TYPED] for name in TYPED}
        if row is None:
            row = _insert(work, call, organisation_id, kept)
            return row
        work.require(ANSWER, row)
        if row.state in {"chosen", "lost"}:
            raise Conflict("这份应答已有结果，不能再改。")
        if row.state == "withdrawn":
            flow.fire(work, CALL_ANSWER, row, "again", values=_moved())
        db.session.execute(
            update(CallAnswer).where(CallAnswer.id == row.id).values(**_moved(typed=kept))
        )
        db.session.refresh(row)
        return row


def _insert(
    work: UnitOfWork, call: Call, organisation_id: int, typed: dict[str, str]
) -> CallAnswer:
    now = clock.now()
    row = CallAnswer(
        no=f"{SERIES}{secrets.token_hex(5).upper()}",
        call_id=call.id,
        organisation_id=organisation_id,
        state="draft",
        typed=typed,
        demo=call.demo,
        created_at=now,
        updated_at=now,
    )
    db.session.add(row)
    db.session.flush()
    work.require(ANSWER, row)
    flow.begin(work, CALL_ANSWER, row)
    return row


def _moved(**values: Any) -> dict[str, Any]:
    return {"updated_at": clock.now(), "lock_version": CallAnswer.lock_version + 1, **values}


def send(actor: Actor, call_no: str, organisation_id: int, values: Mapping[str, Any]) -> str:
    """Send an answer, or a new version of it; returns its number.

    Args:
        values: approach, months, team, perhaps price (fen). The draft must be there: `save` first.

    Raises:
        Conflict: the deadline passed, the call or the demand is closed, or it is one's own.
        NotFound: no such call, or no draft.
    """
    with unit_of_work(actor) as work:
        call = _held(actor, call_no)
        if organisation_id == call.owner_id:
            raise Conflict("这是本单位的揭榜，不能由本单位应答。")
        row = queries.own_answer(call, organisation_id)
        if row is None:
            raise NotFound("请先保存应答。")
        work.require(ANSWER, row)
        _refuse_closed(call)
        attached = [one.no for one in files.files_of(ANSWER_FILES, row.id)]
        now, version = clock.now(), row.version + 1
        columns = _moved(version=version, sent_at=now)
        note = f"第 {version} 版"
        flow.fire(work, CALL_ANSWER, row, "send", note=note, values=columns)
        db.session.add(
            CallAnswerVersion(
                answer_id=row.id,
                version=version,
                approach=values["approach"],
                price_fen=values.get("price"),
                months=values["months"],
                team=values["team"],
                files=attached,
                sent_at=now,
                sent_by=actor.label,
            )
        )
        messages.tell_owner(messages.RECEIVED, call)
        return row.no


def _refuse_closed(call: Call) -> None:
    if queries.shown_state(call) != "open":
        day = call.deadline.isoformat()
        raise Conflict(f"揭榜已于 {day} 24:00 截止，应答没有送出；您写的已保存为草稿。")
    if call.listing.state != "published":
        raise Conflict("这项需求已不公开，应答没有送出；您写的已保存为草稿。")


def withdraw(actor: Actor, no: str) -> None:
    """Take an answer back, while nothing is decided. Raises NotFound, Conflict."""
    with unit_of_work(actor) as work:
        row = _own(actor, no)
        if row.call.state not in {"open", "closed"}:
            raise Conflict("揭榜已有结果，不能再撤回应答。")
        work.require(GIVE_UP, row)
        flow.fire(work, CALL_ANSWER, row, "withdraw", values=_moved())


def _own(actor: Actor, no: str) -> CallAnswer:
    found = db.session.scalar(
        select(CallAnswer)
        .where(CallAnswer.no == no, policy.where(actor, READ_ANSWER, CallAnswer))
        .with_for_update(of=CallAnswer)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的应答。")
    return found
