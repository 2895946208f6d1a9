"""Cases of the catalogue and of inquiries: each function plays one line of its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from market.catalogue import report_cases
from market.catalogue import service as catalogue
from market.catalogue.imports import jobs, storage
from market.catalogue.imports import service as imports
from market.catalogue.imports.models import ImportJob
from market.catalogue.intake import service as intakes
from market.catalogue.intake.models import Intake
from market.catalogue.intake.schemas import CallSchema, CompletionSchema, EntrySchema, OfferSchema
from market.catalogue.problems import ReportSchema
from market.catalogue.publishing import life
from market.catalogue.publishing import service as publishing
from market.catalogue.publishing.models import Submission
from market.core import clock
from market.core.db import db
from market.core.permissions import Actor
from market.demo.play import Play, actor, assign, listing, own_organisation
from market.matching import inquiring, reply_templates
from market.matching import service as inquiries
from market.matching.schemas import NeedSchema, OutcomeSchema, TemplateSchema, VisitorSchema
from market.regions.models import Region

Line = Mapping[str, Any]
READING = timedelta(minutes=2)  # how long a visitor has the form of first demands open


def _region(code: str) -> int:
    return db.session.scalars(select(Region.id).where(Region.code == code)).one()


def submission(play: Play, line: Line) -> None:
    """An achievement or a demand on its way, or an edit of one that is published."""
    with play.step(line["ago"]):
        who = actor(line["by"])
        no = _draft(who, line)
    for step in line["steps"]:
        with play.step(step["ago"]):
            _step_of_submission(no, step)


def _draft(who: Actor, line: Line) -> str:
    if "edit" in line:
        no = publishing.begin_edit(who, listing(line["edit"]).no)
        publishing.save_draft(who, no, line["typed"], 1)
        return no
    owner = own_organisation(who)
    if line.get("signs_inside"):
        publishing.set_signing(actor(line["signs_inside"]), owner.id, True)
    owner_id, region_id = owner.id, owner.region_id
    return publishing.create_draft(who, line["kind"], owner_id, line["typed"], region_id=region_id)


def _step_of_submission(no: str, step: Line) -> None:
    who, what = actor(step["by"]), step["do"]
    if what == "assign":
        assign("submission", no, step)
    elif what.startswith("listing:"):
        row = db.session.scalars(select(Submission).where(Submission.no == no)).one()
        action = what.removeprefix("listing:")
        life.listing_act(who, row.listing.no, action, step.get("reason"), step.get("closing"))
    else:
        publishing.act(who, no, what, step.get("reason"), step.get("notes", ()))


def intake(play: Play, line: Line) -> None:
    """A first demand: from the open form, or 代录."""
    with play.step(line["ago"]):
        no = _first_demand(line)
    for step in line["steps"]:
        with play.step(step["ago"]):
            _step_of_intake(no, step)


def _first_demand(line: Line) -> str:
    who, region_id, said = actor(line["by"]), _region(line["region"]), dict(line["said"])
    if who.signed_in:
        return intakes.enter(who, EntrySchema().load(said), region_id)
    if not line.get("hasty"):
        said["opened"] = intakes.opened_stamp(clock.now() - READING)
    intakes.offer(who, OfferSchema().load(said), region_id, address=line["network"])
    query = select(Intake.no).where(Intake.firm == said["firm"])
    return db.session.scalars(query.order_by(Intake.id.desc()).limit(1)).one()


def _step_of_intake(no: str, step: Line) -> None:
    who, what = actor(step["by"]), step["do"]
    if what == "call":
        intakes.note_call(who, no, CallSchema().load(step["said"]))
    elif what == "complete":
        said = CompletionSchema().load(step["said"])
        draft = intakes.complete(who, no, said, _region(step["region"]))
        publishing.save_draft(who, draft, step["typed"], 1)
    elif what == "duplicate":
        query = select(Intake.no).where(Intake.firm == step["of"]).order_by(Intake.id).limit(1)
        intakes.mark_duplicate(who, no, db.session.scalars(query).one())
    elif what == "assign":
        assign("intake", no, step)
    else:
        intakes.act(who, no, what, step.get("reason"))


def inquiry(play: Play, line: Line) -> None:
    """Somebody asks the owner of a listing."""
    with play.step(line["ago"]):
        no = _ask(line)
    for step in line["steps"]:
        with play.step(step["ago"]):
            _step_of_inquiry(no, step)


def _ask(line: Line) -> str:
    who, about = actor(line["by"]), listing(line["about"])
    if who.signed_in:
        asking = own_organisation(who) if who.organisations() else None
        asker = inquiring.member(who, (asking.id, asking.name) if asking else None)
        values = NeedSchema().load(line["said"])
    else:
        values = VisitorSchema().load({**line["said"], "consent": "1"})
        asker = inquiring.visitor(values)
    return inquiring.ask(who, about.kind, about.no, asker, values)


def _step_of_inquiry(no: str, step: Line) -> None:
    who, what = actor(step["by"]), step["do"]
    if what == "say":
        inquiries.say(who, no, step["text"])
    elif what == "close":
        inquiries.close(who, no, OutcomeSchema().load(step["said"]))
    elif what == "remind":
        inquiries.remind(who, no)
    elif what == "assign":
        inquiries.assign(who, no, actor(step["to"]).id)
    else:
        inquiries.act(who, no, what, step.get("reason"))


def template(play: Play, line: Line) -> None:
    """An answer that an organisation gives often."""
    who = actor(line["by"])
    reply_templates.save(who, own_organisation(who).id, TemplateSchema().load(line["said"]))


def report(play: Play, line: Line) -> None:
    """A reader reports a listing."""
    with play.step(line["ago"]):
        about = listing(line["about"])
        said = ReportSchema().load(line["said"])
        no = catalogue.report_problem(
            actor("public"), about.kind, about.no, said, address=line["network"]
        )
    for step in line["steps"]:
        with play.step(step["ago"]):
            if step["do"] == "assign":
                assign("report", no, step)
            else:
                report_cases.settle(actor(step["by"]), no, step["do"], step.get("reason"))


def import_job(play: Play, line: Line) -> None:
    """A file is brought, checked, and decided on."""
    content = "\n".join(json.dumps(row, ensure_ascii=False) for row in line["rows"])
    with play.step(line["ago"]):
        no = imports.upload(actor(line["by"]), line["kind"], "", line["name"], content.encode())
        if line.get("lost"):
            storage.drop(_job(no).stored)
        _let_work(no)
    for step in line["steps"]:
        with play.step(step["ago"]):
            imports.act(actor(step["by"]), no, step["do"], {"cleared": "1"})
            _let_work(no)


def _let_work(no: str) -> None:
    """What the worker does, until this file waits for a person."""
    while _job(no).state in {"waiting", "importing"} and jobs.run_one():
        pass


def _job(no: str) -> ImportJob:
    db.session.expire_all()
    return db.session.scalars(select(ImportJob).where(ImportJob.no == no)).one()
