"""Demonstration cases of calls and the answers to them, in every state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM, Actor, policy
from market.core.unit_of_work import unit_of_work
from market.demo.play import Play, actor, listing, own_organisation
from market.matching.calls import answering, queries, service
from market.matching.calls.models import Call
from market.matching.calls.schemas import ActSchema, AnswerSchema, CallSchema
from market.notices import queries as notices
from market.notices import service as notice_service
from market.notices import starting
from market.notices.schemas import DraftFields

Line = Mapping[str, Any]
DATE = policy.declare("demo:call:date")


def call(play: Play, line: Line) -> None:
    """A call with what happened to it. days: from today to its deadline."""
    today = clock.today()
    deadline = today + timedelta(days=line["days"])
    # While answers come in it is open; that its deadline passed is noted at its step.
    said = line["said"] | {"deadline": max(deadline, today).isoformat()}
    with play.step(line["ago"]):
        values = CallSchema().load(said)
        no = service.begin(actor(line["by"]), listing(line["about"]).no, values)
    for step in line["steps"]:
        with play.step(step["ago"]):
            _step(no, step, deadline)


def _step(no: str, step: Line, deadline: Any) -> None:
    do = step["do"]
    if do == "close":
        _pass_deadline(no, deadline)
        service.close_over()
        return
    who = actor(step["by"])
    if do == "notice":
        _start_notice(who, no, step["said"])
        return
    if do not in {"send", "save", "take_back"}:
        said = ActSchema().load({"reason": step["reason"]} if "reason" in step else {})
        found = [_answer(no, one) for one in step.get("of", ())]
        service.act(who, no, do, said | {"answers": found})
        return
    own = own_organisation(who).id
    if do == "take_back":
        answering.withdraw(who, _answer(no, step["by"]))
        return
    answering.save(who, no, own, step["typed"])
    if do == "send":
        answering.send(who, no, own, AnswerSchema().load(step["typed"]))


def _start_notice(who: Actor, no: str, said: Line) -> None:
    """Fill in what the notice of a result lacks, and start it."""
    notice = queries.notice_to_fill(who, no)
    assert notice is not None
    row = notices.find(who, notice)
    values = DraftFields().load({"title": row.title, **said})
    notice_service.save(who, notice, {**values, "content": row.content})
    starting.start(who, notice, provisional_ok=True)


def _answer(no: str, login: str) -> str:
    """The number of somebody's answer to a call."""
    row = db.session.scalars(select(Call).where(Call.no == no)).one()
    found = queries.own_answer(row, own_organisation(actor(login)).id)
    assert found is not None
    return found.no


def _pass_deadline(no: str, deadline: Any) -> None:
    with unit_of_work(SYSTEM) as work:
        work.require(DATE)
        row = db.session.scalars(select(Call).where(Call.no == no)).one()
        row.deadline = deadline
        work.record("call.demo_dated", "call", row.id, no=no)
