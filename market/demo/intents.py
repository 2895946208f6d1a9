"""Cases of intents, and what became of them: each function plays one line of its file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from market.accounts.models import Organisation
from market.core import clock
from market.core.db import db
from market.demo.play import Play, actor, listing
from market.matching import inquiring
from market.matching import service as inquiries
from market.matching.intents import (
    beginning,
    invitations,
    offers,
    outcomes,
    service,
    thread,
)
from market.matching.intents.models import Intent, IntentInvitation
from market.matching.intents.schemas import (
    BeginSchema,
    EndingSchema,
    InviteSchema,
    OfferSchema,
    OutcomeSchema,
)
from market.matching.models import Inquiry
from market.matching.schemas import NeedSchema

Line = Mapping[str, Any]


def _organisation(uscc: str) -> Organisation:
    return db.session.scalars(select(Organisation).where(Organisation.uscc == uscc)).one()


def intent(play: Play, line: Line) -> None:
    """An inquiry becomes an intent, and goes its way."""
    inquiry = _inquiry(play, line)
    with play.step(line["begin"]["ago"]):
        said = BeginSchema().load(line["begin"]["said"])
        no = beginning.begin(actor(line["begin"]["by"]), inquiry, said)
    for step in line["steps"]:
        with play.step(step["ago"]):
            _step(no, step)


def _inquiry(play: Play, line: Line) -> str:
    """The inquiry it grows from: one that is there, or asked and answered now."""
    about, asker = listing(line["about"]), _organisation(line["asker"])
    if "ask" not in line:
        query = select(Inquiry.no).where(
            Inquiry.listing_id == about.id, Inquiry.asker_id == asker.id
        )
        return db.session.scalars(query.order_by(Inquiry.id).limit(1)).one()
    ask, reply = line["ask"], line["reply"]
    who, kind, no = actor(ask["by"]), about.kind, about.no
    with play.step(ask["ago"]):
        asking = inquiring.member(who, (asker.id, asker.name))
        made = inquiring.ask(who, kind, no, asking, NeedSchema().load({"text": ask["text"]}))
    with play.step(reply["ago"]):
        inquiries.say(actor(reply["by"]), made, reply["text"])
    return made


def _step(no: str, step: Line) -> None:
    who, what = actor(step["by"]), step["do"]
    said = step.get("said", {})
    if what == "offer":
        terms = dict(said)
        if "delivery_in" in terms:
            days = timedelta(days=terms.pop("delivery_in"))
            terms["delivery_on"] = (clock.today() + days).isoformat()
        offers.offer(who, no, OfferSchema().load(terms))
    elif what == "agree":
        offers.agree(who, no, step["offer"])
    elif what == "say":
        thread.say(who, no, step["text"])
    elif what == "invite":
        invitations.invite(who, no, InviteSchema().load(said))
    elif what == "invitation":
        invitations.act(who, _invitation(no, step["of"]), step["action"])
    elif what in {"end", "decline"}:
        service.act(who, no, what, EndingSchema().load(said))
    else:
        service.act(who, no, what)


def _invitation(no: str, uscc: str) -> int:
    query = (
        select(IntentInvitation.id)
        .join(Intent, Intent.id == IntentInvitation.intent_id)
        .where(Intent.no == no, IntentInvitation.organisation_id == _organisation(uscc).id)
    )
    return db.session.scalars(query).one()


def outcome(play: Play, line: Line) -> None:
    """Both sides are asked what became of it, and some tell."""
    with play.step(line["ago"]):
        if line["do"] == "ask":
            while outcomes.ask():
                pass
            return
        about = listing(line["about"])
        query = select(Intent.no).where(Intent.listing_id == about.id).order_by(Intent.id).limit(1)
        no, who = db.session.scalars(query).one(), actor(line["by"])
        if line["do"] == "end":
            service.act(who, no, "end", EndingSchema().load(line["said"]))
        else:
            said = dict(line["said"])
            if "signed_before" in said:
                days = timedelta(days=said.pop("signed_before"))
                said["signed_on"] = (clock.today() - days).isoformat()
            outcomes.tell(who, no, OutcomeSchema().load(said))
