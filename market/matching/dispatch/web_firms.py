"""联系企业: who looks after which firm of the area, and what was said to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.core import clock
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import Actor, requires
from market.core.submitting import Trouble, show, submit
from market.core.text import clean_line
from market.core.views import query_url
from market.matching.dispatch import contacts, firms
from market.matching.dispatch.contacts import Person
from market.matching.dispatch.firms import TABS
from market.matching.dispatch.models import LINE_KINDS, STATES
from market.matching.dispatch.pages import page_number, tab_of, unmasked
from market.matching.dispatch.schemas import LineSchema, OfficerSchema, UnmaskSchema
from market.matching.dispatch.workflow import ASSIGN, FIRM, FIRM_CONTACT, LOG

blueprint = Blueprint("dispatch_firms", __name__)


@blueprint.get("/desk/contacts")
@requires(FIRM)
def listed() -> str | AnyResponse:
    """Firms of the area: those one looks after, those with an officer, those without."""
    tab, number = tab_of(TABS), page_number()
    q = clean_line(request.args.get("q", ""))[:60]
    page = firms.listed(current_actor(), tab, q, number)
    if page.page > page.pages:
        return redirect(query_url())
    return render_template("dispatch/firms.html", page=page, tab="" if q else tab, tabs=TABS, q=q)


@blueprint.get("/desk/contacts/<string:no>")
@requires(FIRM)
def firm(no: str) -> AnyResponse:
    """A firm: who looks after it, the log, what was sent to it."""
    actor = current_actor()
    firms.find(actor, no)
    return show(_firm_page(actor, no))


@blueprint.post("/desk/contacts/<string:no>/officer")
@requires(ASSIGN)
def officer(no: str) -> AnyResponse:
    """Say who looks after a firm."""
    actor = current_actor()
    return _sent(
        actor,
        no,
        "officer",
        OfficerSchema(),
        lambda values: firms.assign(actor, no, values.get("person")),
    )


@blueprint.post("/desk/contacts/<string:no>/log")
@requires(LOG)
def log(no: str) -> AnyResponse:
    """Note a call, a message, a visit or a remark."""
    actor = current_actor()
    return _sent(actor, no, "log", LineSchema(), lambda values: firms.log(actor, no, values))


@blueprint.post("/desk/contacts/<string:no>/contact")
@requires(FIRM_CONTACT)
def contact(no: str) -> Response:
    """查看完整信息: who was spoken to, in full, for this once; noted in the audit."""
    actor = current_actor()
    firms.find(actor, no)
    return unmasked(
        read_form(UnmaskSchema(), request.form),
        lambda tried, found: _firm_page(actor, no, tried, found),
        lambda reason, line: contacts.of_firm(actor, no, reason, line),
    )


def _sent(
    actor: Actor, no: str, at: str, schema: Schema, act: Callable[[Mapping[str, Any]], None]
) -> AnyResponse:
    firms.find(actor, no)

    def go(values: Mapping[str, Any]) -> str:
        act(values)
        return f"/desk/contacts/{no}"

    return submit(schema, go, _firm_page(actor, no, at))


def _firm_page(
    actor: Actor, no: str, tried: str = "", person: Person | None = None
) -> Callable[[Form, Trouble], str]:
    def page(form: Form, trouble: Trouble) -> str:
        found = firms.get(actor, no)
        return render_template(
            "dispatch/firm.html",
            found=found,
            firm=found.firm,
            address=f"/desk/contacts/{no}",
            form=form,
            trouble=trouble,
            tried=tried,
            person=person,
            kinds=list(LINE_KINDS.items()),
            states=STATES,
            today=clock.today(),
        )

    return page
