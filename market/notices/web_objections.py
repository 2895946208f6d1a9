"""提出异议: the form on a running notice, and the page that shows the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from market.core.forms import Form
from market.core.http import client_address, current_actor, opens_by_address
from market.core.languages import url
from market.core.permissions import requires
from market.core.submitting import Trouble, show, submit
from market.notices import objecting, queries
from market.notices.messages import address_of
from market.notices.models import FINDINGS, OBJECTION_STATES
from market.notices.schemas import LONGEST_OBJECTION, ObjectionSchema
from market.notices.workflow import FOLLOW, OBJECT

blueprint = Blueprint("objections", __name__)


@blueprint.get("/notices/<string:no>/object")
@requires(OBJECT)
def form(no: str) -> AnyResponse:
    """The empty form; of a notice that is over, its page says so."""
    view = queries.public(current_actor(), no)
    if not view.open:
        return redirect(url(view.url), 303)
    return show(_page(no))


@blueprint.post("/notices/<string:no>/object")
@requires(OBJECT)
def send(no: str) -> AnyResponse:
    """Take the objection."""
    actor = current_actor()
    queries.public(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        return address_of(objecting.send(actor, no, values, address=client_address()))

    return submit(ObjectionSchema(), act, _page(no))


def _page(no: str) -> Any:
    def page(form: Form, trouble: Trouble) -> str:
        view = queries.public(current_actor(), no)
        return render_template(
            "notices/object.html",
            view=view,
            notice=view.notice,
            form=form,
            trouble=trouble,
            longest=LONGEST_OBJECTION,
        )

    return page


@blueprint.get("/objections/<string:word>")
@requires(FOLLOW)
@opens_by_address
def receipt(word: str) -> Response:
    """How an objection stands, for whoever has its address."""
    found = queries.receipt(word)
    page = render_template(
        "notices/receipt.html",
        row=found,
        notice=found.notice,
        states=OBJECTION_STATES,
        findings=FINDINGS,
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
