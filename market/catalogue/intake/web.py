"""A first demand without an account: the form, the check, the receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from market.catalogue.intake import queries, service
from market.catalogue.intake.queries import Place, find_place
from market.catalogue.intake.schemas import OfferSchema
from market.catalogue.intake.workflow import FOLLOW, OFFER
from market.core import csrf, kept_forms
from market.core.errors import Invalid, NotFound
from market.core.forms import Form, read_form
from market.core.http import client_address, current_actor, opens_by_address
from market.core.kept_forms import Looked
from market.core.languages import translate as _
from market.core.permissions import requires
from market.core.submitting import Trouble, show, submit
from market.core.text import clean_line
from market.core.unit_of_work import unit_of_work

blueprint = Blueprint("intake", __name__)
ADDRESS = "/post/demand/form"
CHECK = "/post/demand/check"
LONGEST_NEED = 200  # characters of search words that are brought along


@blueprint.get(ADDRESS)
@requires(OFFER)
def form() -> Response:
    """Five fields and a telephone; a search that found nothing brings its words and place."""
    if key := request.args.get("kept", ""):
        return show(_page, Form({}, {}, _looked(key).typed))
    code = clean_line(request.args.get("region", ""))[:12]
    typed_place = clean_line(request.args.get("q", ""))[:60]
    place = find_place(code, typed_place) if code or typed_place else Place()
    typed = {
        "problem": clean_line(request.args.get("need", ""))[:LONGEST_NEED],
        "place": typed_place or (place.found.full_name if place.found else ""),
        "region": place.found.code if place.found else "",
    }
    return show(_page, Form({}, {}, typed))


@blueprint.post(ADDRESS)
@requires(OFFER)
def send() -> AnyResponse:
    """First checked on a page of its own, then sent; a mistake brings the form back filled."""
    if request.form.get("step") == "send":
        if answer := _looked(request.form.get("kept", "")).answer:  # sent from this page before
            return redirect(answer, 303)
        return submit(OfferSchema(), _offer, _page)
    sent = read_form(OfferSchema(), request.form)
    if not csrf.sent_by_our_form():
        return show(_page, sent, Trouble(_(csrf.STALE), status=400))
    if request.form.get("step") == "change":
        kept = request.form.get("kept", "")
        if _looked(kept).typed:
            return redirect(f"{ADDRESS}?{urlencode({'kept': kept})}", 303)
        return show(_page, sent)
    if errors := _errors(sent):
        return show(_page, sent, Trouble(errors=errors, status=422))
    # A page of its own address, so that the browser's Back leads to it without sending anything.
    key = kept_forms.look_over(sent.typed)
    return redirect(f"{CHECK}/{key}", 303) if key else show(_check, sent)


@blueprint.get(f"{CHECK}/<string:key>")
@requires(OFFER)
@opens_by_address
def check(key: str) -> AnyResponse:
    """What will be sent, to whom; after it was sent, the way to its receipt."""
    held = kept_forms.looked(key)
    if held.answer:
        return show(
            lambda _form, _trouble: render_template("intake/sent.html", address=held.answer)
        )
    sent = read_form(OfferSchema(), MultiDict(held.typed))
    if errors := _errors(sent):  # the county is not there any more
        return show(_page, sent, Trouble(errors=errors, status=422))
    return show(lambda form, trouble: _check(form, trouble, key), sent)


def _errors(sent: Form) -> dict[str, str]:
    errors = {name: " ".join(found) for name, found in sent.errors.items()}
    if error := _place(sent).error:
        errors["place"] = error
    return errors


def _place(sent: Form) -> Place:
    return find_place(sent.typed.get("region", ""), sent.typed.get("place", ""))


def _offer(values: Mapping[str, Any]) -> str:
    place = find_place(values.get("region") or "", values.get("place") or "")
    if place.found is None:
        raise Invalid({"place": [place.error]})
    actor, place_id, kept = current_actor(), place.found.id, request.form.get("kept", "")
    with unit_of_work(actor) as work:
        work.require(OFFER)
        if answer := kept_forms.hold(kept):  # sent from another tab at the same moment
            return answer
        key = service.offer(actor, values, place_id, address=client_address())
        answer = f"/intakes/receipt/{key}"
        kept_forms.was_sent(kept, answer)
        return answer


def _looked(key: str) -> Looked:
    """What is kept for the page 核对; nothing when half an hour has passed."""
    try:
        return kept_forms.looked(key)
    except NotFound:
        return Looked()


def _page(sent: Form, trouble: Trouble) -> str:
    """The form, empty or as it was filled in."""
    known = sent.typed.get("place") or sent.typed.get("region")
    place = _place(sent) if known else Place()
    return render_template(
        "intake/form.html",
        form=sent,
        trouble=trouble,
        place=place,
        office=queries.office_of(place.found.path) if place.found else None,
        opened=sent.typed.get("opened") or service.opened_stamp(),
    )


def _check(sent: Form, _trouble: Trouble, key: str = "") -> str:
    """What will be sent, to whom."""
    place = _place(sent)
    assert place.found is not None
    return render_template(
        "intake/check.html",
        form=sent,
        kept=key,
        values=sent.values,
        place=place.found,
        office=queries.office_of(place.found.path),
    )


@blueprint.get("/intakes/receipt/<string:key>")
@requires(FOLLOW)
@opens_by_address
def receipt(key: str) -> Response:
    """How a first demand stands, for whoever has its address; for 30 days."""
    response = make_response(render_template("intake/receipt.html", receipt=queries.receipt(key)))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
