"""Papers as downloads, contract texts, and 证明查验, the public check of a registration."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, make_response, render_template, request
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.contracts.papers import queries, service, texts, verifying
from market.contracts.papers.access import AGAIN, TEXTS, VERIFY
from market.contracts.papers.queries import Printed
from market.contracts.workflow import BEGIN, READ
from market.core.errors import Conflict
from market.core.http import client_address, current_actor
from market.core.permissions import requires
from market.core.submitting import Trouble, submit
from market.core.text import clean_line

blueprint = Blueprint("contract_papers", __name__)


def handed_out(paper: Printed) -> Response:
    """A paper as an attachment, kept by no cache."""
    response = Response(paper.data, mimetype=paper.media_type)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(paper.name)}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _kept_by_nobody(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.get("/contracts/<string:no>/papers/<string:kind>.pdf")
@requires(READ)
def paper(no: str, kind: str) -> Response:
    """A paper of a contract."""
    return _kept_by_nobody(handed_out(queries.printed(current_actor(), no, kind)))


@blueprint.get("/contracts/<string:no>/papers/text.docx")
@requires(READ)
def text(no: str) -> Response:
    """The contract's text, filled from what was typed, to go on writing."""
    return _kept_by_nobody(handed_out(texts.of_contract(current_actor(), no)))


@blueprint.get("/intents/<string:no>/contract.docx")
@requires(BEGIN)
def text_of_intent(no: str) -> Response:
    """The contract's text, filled from an agreed intent."""
    return _kept_by_nobody(handed_out(texts.of_intent(current_actor(), no)))


@blueprint.get("/contracts/texts/<string:contract_class>.docx")
@requires(TEXTS)
def blank_text(contract_class: str) -> Response:
    """The text of a class with nothing filled in."""
    return handed_out(texts.blank(contract_class))


class _Nothing(Schema):
    """A form with a button alone."""


@blueprint.post("/contracts/<string:no>/papers/certificate/again")
@requires(AGAIN)
def again(no: str) -> AnyResponse:
    """Have the certificate issued anew."""
    actor = current_actor()

    def act(_values: object) -> str:
        service.again(actor, no)
        return f"/contracts/{no}?certificate=again"

    def page(_form: object, trouble: Trouble) -> str:
        raise Conflict(trouble.sentence)

    return submit(_Nothing(), act, page)


@blueprint.get("/verify")
@requires(VERIFY)
def verify() -> AnyResponse:
    """证明查验: the form, and below it what the number and the code open."""
    no, code = (clean_line(request.args.get(name, ""))[:60] for name in ("no", "code"))
    if not no:
        return make_response(_page("", code, None))
    found = verifying.verify(no, code, client_address())
    response = make_response(_page(no, code, found), 200 if found.face else 404)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _page(no: str, code: str, found: verifying.Answer | None) -> str:
    return render_template(
        "contracts/verify.html", no=no, code=code, found=found, states=verifying.STATES
    )
