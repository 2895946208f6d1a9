"""Lists of inquiries for both sides and for offices, and an organisation's reply templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.accounts.models import Organisation
from market.core import csrf
from market.core.errors import Denied
from market.core.forms import Form
from market.core.http import current_actor
from market.core.languages import translate as _
from market.core.permissions import Actor, requires
from market.core.submitting import EMPTY, Trouble, show, submit
from market.core.views import query_url
from market.matching import queries, reply_templates
from market.matching.models import MOST_TEMPLATES, STATES
from market.matching.schemas import LONGEST_MESSAGE, TemplateSchema
from market.matching.workflow import AREA, LIST, TEMPLATES

blueprint = Blueprint("inquiry_lists", __name__)
_TABS = {"received": "收到的", "sent": "发出的", "closed": "已办结"}
_DESK_TABS = {"new": "待答复", "answered": "已答复", "closed": "已办结"}


def _asked(tabs: Mapping[str, str], first: str) -> tuple[str, int]:
    """Tab and page of the address; what makes no sense counts as the first."""
    tab, page = request.args.get("tab", first), request.args.get("page", "1")
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1
    return tab if tab in tabs else first, max(1, number)


@blueprint.get("/my/inquiries")
@requires(LIST)
def mine() -> str | AnyResponse:
    """对接: what one's organisation received and sent."""
    actor = current_actor()
    may_answer = bool(queries.own_organisations(actor))
    tab, number = _asked(_TABS, "received" if actor.organisations() else "sent")
    page = queries.mine(actor, tab, number)
    if page.page > page.pages:
        return redirect(query_url())
    return render_template(
        "matching/mine.html",
        page=page,
        tab=tab,
        tabs=_TABS,
        states=STATES,
        unanswered=queries.unanswered(actor),
        may_answer=may_answer,
    )


@blueprint.get("/desk/inquiries")
@requires(AREA)
def desk() -> str | AnyResponse:
    """对接咨询 of an office's area."""
    tab, number = _asked(_DESK_TABS, "new")
    page = queries.in_area(current_actor(), tab, number)
    if page.page > page.pages:
        return redirect(query_url())
    return render_template("matching/desk.html", page=page, tab=tab, tabs=_DESK_TABS, states=STATES)


@blueprint.get("/my/inquiries/templates")
@requires(TEMPLATES)
def templates() -> AnyResponse:
    """答复模板: the organisation's answers to take from."""
    actor = current_actor()
    return show(_templates_page(actor, _organisation(actor)))


@blueprint.post("/my/inquiries/templates")
@requires(TEMPLATES)
def save_template() -> AnyResponse:
    """Add a template or change one."""
    actor = current_actor()
    own = _organisation(actor)

    def act(values: Mapping[str, Any]) -> str:
        reply_templates.save(actor, own.id, values)
        return _address(own)

    return submit(TemplateSchema(), act, _templates_page(actor, own))


@blueprint.post("/my/inquiries/templates/<int(max=9999999999):key>/delete")
@requires(TEMPLATES)
def delete_template(key: int) -> AnyResponse:
    """Delete a template."""
    actor = current_actor()
    own = _organisation(actor)
    if not csrf.sent_by_our_form():
        return show(_templates_page(actor, own), EMPTY, Trouble(_(csrf.STALE), status=400))
    reply_templates.delete(actor, key)
    return redirect(_address(own), 303)


def _address(own: Organisation) -> str:
    return f"/my/inquiries/templates?organisation={own.no}"


def _organisation(actor: Actor) -> Organisation:
    """The organisation that the address names, else the first of the actor's."""
    own = queries.own_organisations(actor)
    if not own:
        raise Denied
    asked = request.args.get("organisation", "")
    return next((one for one in own if one.no == asked), own[0])


def _templates_page(actor: Actor, own: Organisation) -> Any:
    key, name, no = own.id, own.name, own.no

    def page(form: Form, trouble: Trouble) -> str:
        others = [one for one in queries.own_organisations(actor) if one.no != no]
        return render_template(
            "matching/templates.html",
            rows=reply_templates.of(actor, [key]),
            organisation=name,
            no=no,
            others=others,
            form=form,
            trouble=trouble,
            most=MOST_TEMPLATES,
            longest=LONGEST_MESSAGE,
        )

    return page
