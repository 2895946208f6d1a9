"""Technology contracts on their way: begun, helped with, sent in, returned, given up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from market.contracts import examining, filing, flat, queries
from market.contracts.filing_pages import attachments, authorising, service
from market.core import clock
from market.core.db import db
from market.core.permissions import Actor
from market.demo.play import Play, actor, listing, own_organisation
from market.matching.intents.models import Intent
from market.service_points.models import Admission

Line = Mapping[str, Any]


def contract(play: Play, line: Line) -> None:
    """A contract from an agreed intent, or from scratch, and what became of it."""
    who = actor(line["by"])
    with play.step(line["ago"]):
        no = _begin(who, line)
        _fill(who, no, line.get("fill", {}))
        for purpose, name in line.get("files", []):
            # Each paper says something of its own.
            data = f"%PDF-1.4\n% demo {no} {purpose} {name}\n".encode()
            attachments.add(who, no, attachments.take_in(name, data), purpose)
    for step in line["steps"]:
        with play.step(step["ago"]):
            _step(no, step)


def _begin(who: Actor, line: Line) -> str:
    if "intent" not in line:
        return service.from_scratch(who, own_organisation(who).id, {"title": line["fill"]["title"]})
    query = select(Intent.no).where(Intent.listing_id == listing(line["intent"]).id)
    intent = db.session.scalars(query.order_by(Intent.id).limit(1)).one()
    return service.from_intent(who, intent)


def _fill(who: Actor, no: str, cells: Mapping[str, str]) -> None:
    """Type into cells of the form; `@-12` is twelve days ago, `@+30` in thirty days."""
    case = queries.get(who, no)
    typed = flat.write(case.content) | {cell: _dated(text) for cell, text in cells.items()}
    read = flat.read(typed)
    filing.save(who, no, read.values, unread=read.unread)


def _dated(text: str) -> str:
    if not text.startswith("@"):
        return text
    return (clock.today() + timedelta(days=int(text[1:]))).isoformat()


def _step(no: str, step: Line) -> None:
    who, what = actor(step["by"]), step["do"]
    if what == "submit":
        filing.submit(who, no, _admission(step["body"]).no if "body" in step else None)
    elif what == "accept":
        examining.accept(who, no)
    elif what == "return":
        examining.send_back(who, no, step["missing"])
    elif what == "answer":
        asked = queries.get(who, no).deficiencies
        told = {row.id: words for row, words in zip(asked, step["words"], strict=True)}
        service.answer(who, no, told)
    elif what == "fill":
        _fill(who, no, step["cells"])
    elif what == "authorise":
        _authorise(who, no, step)
    else:
        filing.withdraw(who, no, what)


def _authorise(who: Actor, no: str, step: Line) -> None:
    until: date = clock.today() + timedelta(days=step["days"])
    data = f"%PDF-1.4\n% demo {no} authorisation\n".encode()
    paper = attachments.take_in("委托服务点授权书（盖章）.pdf", data)
    authorising.authorise(who, no, _admission(step["point"]).no, until, paper)


def _admission(name: str) -> Admission:
    return db.session.scalars(select(Admission).where(Admission.name == name)).one()
