"""我想对接: the form on a listing, and the page that a visitor's address opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, make_response, render_template
from werkzeug.wrappers import Response as AnyResponse

from market.catalogue import queries as catalogue
from market.catalogue.queries import ListingView
from market.core.errors import Gone, NotFound
from market.core.forms import Form
from market.core.http import client_address, current_actor, opens_by_address
from market.core.languages import translate as _
from market.core.permissions import Actor, requires
from market.core.submitting import Trouble, show, submit
from market.matching import inquiring, queries, service
from market.matching.messages import address_of
from market.matching.models import OUTCOMES
from market.matching.schemas import (
    LONGEST_MESSAGE,
    LONGEST_NEED,
    MessageSchema,
    NeedSchema,
    OutcomeSchema,
    ReasonSchema,
    VisitorSchema,
)
from market.matching.workflow import CREATE, FOLLOW

blueprint = Blueprint("inquire", __name__)
_ACHIEVEMENT, _DEMAND = {"kind": "achievement"}, {"kind": "demand"}


@blueprint.get("/achievements/<string:no>/inquire", defaults=_ACHIEVEMENT)
@blueprint.get("/demands/<string:no>/inquire", defaults=_DEMAND)
@requires(CREATE)
def inquire(kind: str, no: str) -> AnyResponse:
    """我想对接: the empty form."""
    actor = current_actor()
    try:
        listing = catalogue.get(actor, kind, no)
    except Gone as gone:
        return _refused(no, gone.message)
    if listing.outcome:
        return _refused(no, _(inquiring.OVER))
    if listing.owner.id in actor.organisations():
        return _refused(no, _("这是您所在单位发布的信息，不用向自己咨询。"), listing)
    return show(_inquire_page(actor, listing))


@blueprint.post("/achievements/<string:no>/inquire", defaults=_ACHIEVEMENT)
@blueprint.post("/demands/<string:no>/inquire", defaults=_DEMAND)
@requires(CREATE)
def send_inquiry(kind: str, no: str) -> AnyResponse:
    """Put the inquiry to the owner."""
    actor = current_actor()
    try:
        listing = catalogue.get(actor, kind, no)
    except Gone as gone:
        return _refused(no, gone.message)

    def act(values: Mapping[str, Any]) -> str:
        asker = _asker(actor, values)
        made = inquiring.ask(actor, kind, no, asker, values, address=client_address())
        return f"/inquiries/{made}?sent=1" if actor.signed_in else address_of(made)

    schema = NeedSchema() if actor.signed_in else VisitorSchema()
    return submit(schema, act, _inquire_page(actor, listing))


def _asker(actor: Actor, values: Mapping[str, Any]) -> inquiring.Asker:
    """Who asks: a visitor as he wrote it, somebody signed in for one of his organisations."""
    if not actor.signed_in:
        return inquiring.visitor(values)
    own = queries.own_organisations(actor)
    chosen = [one for one in own if one.no == values.get("asker")] or own
    organisation = (chosen[0].id, chosen[0].name) if chosen else None
    return inquiring.member(actor, organisation, values.get("firm"))


def _inquire_page(actor: Actor, listing: ListingView) -> Any:
    """The form as a page for `submit`."""
    own = queries.own_organisations(actor)
    market = current_app.extensions["market"]
    notes = [] if listing.name_hidden else market.owner_notes(listing.owner.id)

    def page(form: Form, trouble: Trouble) -> str:
        return render_template(
            "matching/inquire.html",
            listing=listing,
            form=form,
            trouble=trouble,
            organisations=own,
            choices=[(one.no, one.name) for one in own],
            notes=notes,
            longest=LONGEST_NEED,
        )

    return page


def _refused(no: str, sentence: str, own: ListingView | None = None) -> Response:
    """A listing that cannot be asked about, with ways out. own: it is the reader's own."""
    page = render_template("matching/refused.html", no=no, sentence=sentence, own=own)
    return make_response(page, 200 if own else 410, {"Cache-Control": "no-store"})


@blueprint.get("/inquire/<string:word>")
@requires(FOLLOW)
@opens_by_address
def follow(word: str) -> AnyResponse:
    """A visitor's inquiry: its number, what comes next, the thread."""
    return show(_follow_page(word, queries.by_address(word)))


_FORMS: dict[str, type[MessageSchema | OutcomeSchema | ReasonSchema]] = {
    "say": MessageSchema,
    "close": OutcomeSchema,
    "withdraw": ReasonSchema,
    "reopen": ReasonSchema,
}


@blueprint.post("/inquire/<string:word>/<string:action>")
@requires(FOLLOW)
@opens_by_address
def follow_up(word: str, action: str) -> AnyResponse:
    """The visitor writes again, or ends the case."""
    if action not in _FORMS:
        raise NotFound
    visitor = queries.by_address(word)
    no = queries.number_of(visitor)

    def act(values: Mapping[str, Any]) -> str:
        service.do(visitor, no, action, values)
        return f"/inquire/{word}"

    return submit(_FORMS[action](), act, _follow_page(word, visitor, action))


def _follow_page(word: str, visitor: Actor, tried: str = "") -> Any:
    """The page for `submit`; what was typed belongs to the form of the action that was tried."""

    def page(form: Form, trouble: Trouble) -> str:
        case = queries.get(visitor, queries.number_of(visitor))
        return render_template(
            "matching/follow.html",
            case=case,
            inquiry=case.inquiry,
            address=f"/inquire/{word}",
            office=queries.office_of(case.inquiry),
            form=form,
            trouble=trouble,
            tried=tried,
            outcomes=list(OUTCOMES.items()),
            longest=LONGEST_MESSAGE,
        )

    return page
