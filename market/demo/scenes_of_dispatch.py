"""Dispatches, what is passed up, and firms looked after: each function plays one line of its file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from market.accounts.models import Organisation
from market.catalogue import queries as catalogue
from market.core import clock, files
from market.core.db import db
from market.core.permissions import SYSTEM, Actor, policy
from market.core.unit_of_work import unit_of_work
from market.demo.play import Play, actor, listing
from market.matching.dispatch import escalating, firms, proposals, sending, service
from market.matching.dispatch.models import Dispatch
from market.matching.dispatch.rules import Part
from market.matching.dispatch.schemas import AnswerSchema, CloseSchema, LineSchema, RecordedSchema

Line = Mapping[str, Any]
LOAD = policy.declare("demo:dispatches:load")
_PROOF = b"%PDF-1.4\n% demo\n"


def _number(source_id: str) -> str:
    query = select(Organisation.no).where(Organisation.source_id == source_id, Organisation.demo)
    return db.session.scalars(query).one()


def dispatch(play: Play, line: Line) -> None:
    """A demand goes to several at once; each step names to whom it belongs."""
    with play.step(line["ago"]):
        who, no = actor(line["by"]), listing(line["about"]).no
        to = [_number(one) for one in line["to"]]
        points = {_number(key): _parts(who, no, found) for key, found in line["found"].items()}
        values = {"days": line["days"], "words": line.get("words")}
        made = sending.send(who, no, to, values, points)
    cases = dict(zip(line["to"], made, strict=True))
    for step in line["steps"]:
        with play.step(step["ago"]):
            _step(cases[step["to"]], step)


def _parts(who: Actor, no: str, found: Line) -> list[Part]:
    """The points as the search gives them: there is no index yet when the cases are made."""
    demand = catalogue.get(who, "demand", no)
    offer = catalogue.get(who, "achievement", listing(found["listing"]).no)
    return proposals.parts_for(demand, offer, found["words"])


def _step(no: str, step: Line) -> None:
    who, what, said = actor(step["by"]), step["do"], dict(step.get("said", {}))
    if what == "answer":
        service.answer(who, no, AnswerSchema().load(said))
    elif what == "record":
        service.answer(who, no, RecordedSchema().load(said))
    elif what == "log":
        service.log(who, no, _line(said))
    elif what == "close":
        proof = files.take_in(step["proof"], _PROOF) if "proof" in step else None
        service.close(who, no, CloseSchema().load(said), proof=proof)
    else:
        if what == "miss":
            _let_the_day_pass(no)
        service.do(who, no, what, step.get("reason"))


def _line(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """A line of a log; `call_in`: in how many days to ring again."""
    values: dict[str, Any] = LineSchema().load(said)
    if "call_in" in said:
        values["next_call"] = clock.today() + timedelta(days=said["call_in"])
    return values


def _let_the_day_pass(no: str) -> None:
    """All happens within seconds and is dated back only later: until then the day is yesterday."""
    yesterday = clock.today() - timedelta(days=1)
    with unit_of_work(SYSTEM) as work:
        work.require(LOAD)
        db.session.execute(update(Dispatch).where(Dispatch.no == no).values(due=yesterday))


def escalation(play: Play, line: Line) -> None:
    """A county passes a demand up."""
    with play.step(line["ago"]):
        no = escalating.escalate(actor(line["by"]), listing(line["about"]).no, line["words"])
    for step in line["steps"]:
        with play.step(step["ago"]):
            if step["do"] == "answer":
                escalating.answer(actor(step["by"]), no, step["words"])
            else:
                escalating.withdraw(actor(step["by"]), no)


def firm(play: Play, line: Line) -> None:
    """An officer looks after a firm."""
    no = _number(line["firm"])
    for step in line["steps"]:
        with play.step(step["ago"]):
            who = actor(step["by"])
            if step["do"] == "assign":
                firms.assign(who, no, actor(step["to"]).id if "to" in step else None)
            else:
                firms.log(who, no, _line(step["said"]))
