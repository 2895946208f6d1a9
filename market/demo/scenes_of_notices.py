"""Notices in every state, with objections, and announcements.

A notice starts today and ends in days to come; `back` moves its clock so that it began earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from market.demo.play import Play, actor
from market.notices import announcing, objecting, queries, rules, service, starting
from market.notices.models import Notice
from market.notices.schemas import DraftFields, ObjectionSchema

Line = Mapping[str, Any]
DATE_BACK = policy.declare("demo:notice:date_back")


def notice(play: Play, line: Line) -> None:
    """A notice, what was objected, how it came out."""
    who = actor(line["by"])
    with play.step(line["ago"]):
        no = service.draft(who, {"kind": line["kind"], "title": line["title"]})
    values = DraftFields().load({"title": line["title"], **line["said"]})
    if "held_ago" in line:
        began, ended = line["held_ago"]
        values["start_on"] = clock.today() - timedelta(days=began)
        values["end_on"] = clock.today() - timedelta(days=ended)
    with play.step(line["ago"]):
        service.save(who, no, {**values, "content": line["content"]})
        if "file" in line:
            service.add_file(who, no, line["file"], b"%PDF-1.4\n% demo\n")
    objections: list[str] = []
    for step in line.get("steps", []):
        with play.step(step["ago"]):
            _step(no, step, objections)


def _step(no: str, step: Line, objections: list[str]) -> None:
    act = step["do"]
    if act == "back":
        begin_earlier(no, step["days"])
        service.end_if_over(no)
        return
    who = actor(step["by"])
    if act == "start":
        starting.start(who, no, provisional_ok=True)
    elif act == "object":
        said = ObjectionSchema().load({"consent": True, **step["said"]})
        objections.append(objecting.send(who, no, said))
    elif act == "answer":
        objecting.answer(who, objections[step.get("which", 0)], step["said"])
    elif act == "conclude":
        service.conclude(who, no, step["outcome"], step.get("text"))
    else:
        service.act(who, no, act, step.get("reason"))


def begin_earlier(no: str, days: int) -> None:
    """Let a notice have begun so many days ago."""
    start = clock.today() - timedelta(days=days)
    with unit_of_work(SYSTEM) as work:
        work.require(DATE_BACK)
        row = db.session.scalars(select(Notice).where(Notice.no == no)).one()
        assert row.days
        assert row.unit
        assert row.rule
        entered = queries.overrides_for(start, row.days)
        found = rules.period(start, row.days, row.unit, rules.RULE_SETS[row.rule], entered)
        row.start_on, row.first_on, row.end_on = start, found.first, found.last
        row.ends_at, row.provisional = rules.end_of(found.last), found.provisional
        row.hash = rules.fingerprint(queries.frozen_of(row))
        work.record("demo.notice_dated_back", "notice", row.id, no=no)


def announcement(play: Play, line: Line) -> None:
    """An announcement of an office."""
    who = actor(line["by"])
    with play.step(line["ago"]):
        no = announcing.draft(who, line["said"])
    for step in line.get("steps", []):
        with play.step(step["ago"]):
            announcing.act(actor(step["by"]), no, step["do"], step.get("reason"))
