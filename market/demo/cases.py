"""Cases of the demonstration market, in every state, made through the ordinary services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import func, select

from market.core.db import db
from market.core.models import CaseEvent, ReferenceData
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from market.demo import (
    calls,
    contract_changes,
    contracts,
    directory,
    intents,
    names,
    scenes,
    scenes_of_dispatch,
    scenes_of_members,
    scenes_of_notices,
    scenes_of_readers,
    vouchers,
)
from market.demo.files import lines
from market.demo.play import Play

LOAD = policy.declare("demo:cases:load")
Scene = Callable[[Play, Mapping[str, Any]], None]
# In this order: first demands need organisations, joinings those who founded one.
SCENES: dict[str, Scene] = {
    "rosters": scenes_of_members.roster,
    "founders": scenes_of_members.founder,
    "joinings": scenes_of_members.joining,
    "intakes": scenes.intake,
    "submissions": scenes.submission,
    "inquiries": scenes.inquiry,
    "templates": scenes.template,
    "reports": scenes.report,
    "imports": scenes.import_job,
    "intents": intents.intent,
    # After those are dated back: what happened long ago is asked about.
    "outcomes": intents.outcome,
    "saved": scenes_of_readers.saved,
    "subscriptions": scenes_of_readers.subscription,
    "bulletins": scenes_of_readers.bulletin,
    "notices": scenes_of_notices.notice,
    "announcements": scenes_of_notices.announcement,
    "directory": directory.scene,
    "dispatches": scenes_of_dispatch.dispatch,
    "escalations": scenes_of_dispatch.escalation,
    "firms": scenes_of_dispatch.firm,
    "calls": calls.call,
    "names": names.name,
    # After the directory: they are filed with its bodies.
    "contract_changes": contract_changes.case,
    # After the intents that some of them grow from.
    "contracts": contracts.contract,
    # After the directory and the notices: providers are of the one, batches are put on the other.
    "vouchers": vouchers.scheme,
}


def load_cases() -> str:
    """Make the cases that are not there yet; tells how many."""
    begun = select(func.count()).where(CaseEvent.action == "begin")
    before = db.session.scalar(begun) or 0
    for name, scene in SCENES.items():
        _play(name, scene)
    after = db.session.scalar(begun) or 0
    return f"演示事项：新增 {after - before} 件"


def _play(name: str, scene: Scene) -> None:
    """Make the cases of one file, once; what was made is noted together with its dates."""
    mark = f"demo cases: {name}"
    if db.session.get(ReferenceData, mark) is not None:
        return
    play = Play()
    for case in lines(f"cases-{name}.jsonl"):
        scene(play, case)
    play.deliver()
    with unit_of_work(SYSTEM, may_be_long=True) as work:
        work.require(LOAD)
        play.date_back(work)
        db.session.add(ReferenceData(name=mark, version="1"))
        work.record("demo.cases_loaded", "reference_data", 0, after={"cases": name})
