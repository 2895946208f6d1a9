"""Cases of organisations and their people: founded, verified, joined; and the rosters."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageDraw
from sqlalchemy import select

from market.accounts.members import service as members
from market.accounts.members.schemas import FoundSchema
from market.accounts.models import Organisation
from market.accounts.rosters.importer import KIND as ROSTERS
from market.accounts.verification import service as verifications
from market.accounts.verification.schemas import DecisionSchema, ProfileForm
from market.core.db import db
from market.core.errors import Conflict
from market.core.importing import Options, run_import
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from market.demo.files import DATA
from market.demo.people import ensure
from market.demo.play import Play, actor, assign

Line = Mapping[str, Any]
MARK = policy.declare("demo:organisation:mark")


def roster(play: Play, line: Line) -> None:
    """The entries of a file of rosters."""
    result = run_import(ROSTERS, DATA / line["file"], Options(demo=True), SYSTEM)
    if result.refused:
        raise Conflict(f"演示数据有误：{result.problems[0]}")


def founder(play: Play, line: Line) -> None:
    """Somebody founds an organisation and has it verified."""
    ensure(line["person"])
    login = line["person"]["login"].partition("@")[0]
    with play.step(line["ago"]):
        no = members.found(actor(login), FoundSchema().load(line["organisation"]))
        _mark(no)
    case = ""
    for step in line["steps"]:
        with play.step(step["ago"]):
            who = actor(step["by"])
            if step["do"] == "submit":
                verifications.keep_licence(who, no, "营业执照（演示）.png", licence())
                case = verifications.submit(who, no, ProfileForm().load(step["said"]))
            elif step["do"] == "assign":
                assign("verification", case, step)
            else:
                said = DecisionSchema().load(step.get("said", {}))
                verifications.decide(who, case, step["do"], said)


def _mark(no: str) -> None:
    with unit_of_work(SYSTEM) as work:
        work.require(MARK)
        row = db.session.scalars(select(Organisation).where(Organisation.no == no)).one()
        row.demo = True
        work.record("organisation.marked_as_demo", "organisation", row.id, no=no)


def licence() -> bytes:
    """A picture in the place of a scanned licence."""
    picture = Image.new("RGB", (840, 594), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 20, 820, 574), outline="firebrick", width=6)
    draw.text((330, 280), "DEMONSTRATION - NOT A LICENCE", fill="firebrick")
    stored = io.BytesIO()
    picture.save(stored, "PNG")
    return stored.getvalue()


def joining(play: Play, line: Line) -> None:
    """Somebody asks to join an organisation."""
    code = line["uscc"]
    with play.step(line["ago"]):
        no = members.ask_to_join(actor(line["by"]), code, line["message"])
    for step in line["steps"]:
        with play.step(step["ago"]):
            if step["do"] == "withdraw":
                members.withdraw(actor(step["by"]), no)
            else:
                members.answer(actor(step["by"]), no, step["do"], step.get("said", {}))
