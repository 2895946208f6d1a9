"""Offices: the list of dispatches, and a demand with all that was sent of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.catalogue.intake import queries as intakes
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import Actor, policy, requires
from market.core.submitting import Trouble, show, submit
from market.core.text import clean_line
from market.core.views import query_url
from market.matching.dispatch import escalating, proposals, queries, recipients, sending, service
from market.matching.dispatch.models import (
    ESCALATION_STATES,
    MOST_DAYS,
    MOST_RECIPIENTS,
    STATES,
)
from market.matching.dispatch.pages import page_number, tab_of
from market.matching.dispatch.queries import TABS
from market.matching.dispatch.schemas import ActSchema, SendSchema, SettingSchema, WordsSchema
from market.matching.dispatch.workflow import AREA, ESCALATION, PASS_UP, SEND, SETTING
from market.matching.workflow import nobody_answers

blueprint = Blueprint("dispatch", __name__)


@blueprint.get("/desk/dispatches")
@requires(AREA)
def desk() -> AnyResponse:
    """推荐对接 of an office's area."""
    tab, number = tab_of(TABS), page_number()
    q = clean_line(request.args.get("q", ""))[:60]
    found = queries.desk(current_actor(), tab, q, number)
    if found.page.page > found.page.pages:
        return redirect(query_url())
    return show(_desk_page(found, tab, q))


@blueprint.post("/desk/dispatches/usual")
@requires(SETTING)
def usual() -> AnyResponse:
    """Set how many working days the office usually gives."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        service.set_usual_days(actor, values.get("usual"))
        return "/desk/dispatches"

    return submit(SettingSchema(), act, _desk_page(queries.desk(actor, "waiting"), "waiting", ""))


def _desk_page(found: queries.Desk, tab: str, q: str) -> Callable[[Form, Trouble], str]:
    actor = current_actor()

    def page(form: Form, trouble: Trouble) -> str:
        path = queries.own_area(actor)
        return render_template(
            "dispatch/desk.html",
            page=found.page,
            counts=found.counts,
            tab=tab,
            tabs=TABS,
            q=q,
            states=STATES,
            usual=queries.usual_days(path) if path else None,
            form=form,
            trouble=trouble,
            most=MOST_DAYS,
        )

    return page


@blueprint.get("/desk/demands/<string:no>/dispatch")
@requires(SEND)
def demand(no: str) -> AnyResponse:
    """A demand: what was sent, whom the search proposes, whom one looks for by name."""
    actor = current_actor()
    found = queries.demand(actor, no)
    asked = read_form(SendSchema(), request.args)
    usual_days = queries.usual_days(found.region.path)
    typed = {**asked.typed, "days": str(usual_days or "")}
    return show(_demand_page(actor, no), Form(asked.values, {}, typed))


@blueprint.post("/desk/demands/<string:no>/dispatch")
@requires(SEND)
def send(no: str) -> AnyResponse:
    """Send it, or look for somebody by name and keep what is ticked."""
    actor = current_actor()
    queries.find_demand(actor, no)
    if request.form.get("then") == "find":
        form = read_form(SendSchema(), request.form)
        return show(_demand_page(actor, no), replace(form, errors={}))

    proposed = sending.points(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        sending.send(actor, no, values["to"], values, proposed)
        return f"/desk/demands/{no}/dispatch"

    return submit(SendSchema(), act, _demand_page(actor, no, at="send"))


@blueprint.post("/desk/demands/<string:no>/escalate")
@requires(PASS_UP)
def escalate(no: str) -> AnyResponse:
    """上报市级: pass the demand up."""
    actor = current_actor()
    queries.find_demand(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        escalating.escalate(actor, no, values["words"])
        return f"/desk/demands/{no}/dispatch"

    return submit(WordsSchema(), act, _demand_page(actor, no, at="escalate"))


@blueprint.post("/desk/escalations/<string:no>/answer")
@requires(ESCALATION)
def answer_escalation(no: str) -> AnyResponse:
    """Tell the county what came of what it passed up."""
    actor = current_actor()
    about = escalating.demand_of(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        escalating.answer(actor, no, values["words"])
        return f"/desk/demands/{about}/dispatch"

    return submit(WordsSchema(), act, _demand_page(actor, about, at="answer"))


@blueprint.post("/desk/escalations/<string:no>/withdraw")
@requires(ESCALATION)
def withdraw_escalation(no: str) -> AnyResponse:
    """Take back what was passed up."""
    actor = current_actor()
    about = escalating.demand_of(actor, no)

    def act(_values: Mapping[str, Any]) -> str:
        escalating.withdraw(actor, no)
        return f"/desk/demands/{about}/dispatch"

    return submit(ActSchema(), act, _demand_page(actor, about))


def _demand_page(actor: Actor, no: str, at: str = "") -> Callable[[Form, Trouble], str]:
    """The page for `submit`. at: the form whose mistakes are shown."""

    def page(form: Form, trouble: Trouble) -> str:
        found = queries.demand(actor, no)
        proposed = proposals.Proposals(())
        if found.listing is not None and found.published:
            proposed = proposals.of(actor, found.listing)
        ticked = _ticked(form)
        named = {one.recipient.no for one in proposed.rows}
        q = form.typed.get("q", "")
        hits = [one for one in recipients.find(actor, q) if one.no not in named] if q else []
        shown = {one.no for one in hits}
        others = [no for no in ticked if no not in named | shown]
        kept = recipients.by_numbers(actor, others) if others else {}
        return render_template(
            "dispatch/demand.html",
            demand=found,
            proposed=proposed,
            hits=hits,
            kept=list(kept.values()),
            ticked=ticked,
            q=q,
            form=form,
            trouble=trouble,
            at=at,
            states=STATES,
            up_states=ESCALATION_STATES,
            up_acts={
                one.id: {act.action for act in queries.escalation_actions(actor, one)}
                for one in found.escalations
            },
            above=_above(actor, found),
            claim=_claim(actor, found),
            most_days=MOST_DAYS,
            most=MOST_RECIPIENTS,
        )

    return page


def _ticked(form: Form) -> list[str]:
    """Numbers that were ticked, whatever else is wrong."""
    return [one.upper() for one in form.typed.get("to", "").split("；") if one]


def _claim(actor: Actor, found: queries.DemandPage) -> str:
    """The call whose page sends the owner of the demand a claim code; empty where none is needed."""
    owner_id = queries.find_demand(actor, found.no).owner_id
    return intakes.completed_for(actor, owner_id) if nobody_answers(owner_id) else ""


def _above(actor: Actor, found: queries.DemandPage) -> str:
    """The place to whose office the demand may be passed up; empty where it cannot be now."""
    waits = any(one.state == "open" for one in found.escalations)
    if waits or not found.published or not policy.allows(actor, PASS_UP):
        return ""
    return escalating.target(actor, found.region.path)
