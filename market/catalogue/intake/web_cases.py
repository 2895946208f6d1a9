"""来电与代录: what offices see of first demands and do with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.accounts import service as accounts
from market.catalogue.intake import claiming, queries, service
from market.catalogue.intake.queries import TABS, IntakeView, Place, find_place
from market.catalogue.intake.schemas import (
    BY_OFFICE,
    KINDS_OF_CALLERS,
    RESULTS,
    CallSchema,
    CodeSchema,
    CompletionSchema,
    DuplicateSchema,
    EntrySchema,
    ReasonSchema,
)
from market.catalogue.intake.workflow import (
    ENTER,
    HANDLE,
    INTAKE,
    PLAIN_ACTS,
    READ,
    UNMASK,
    WORDS,
)
from market.core import clock, csrf
from market.core.errors import Conflict, Invalid
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE
from market.core.permissions import policy, requires
from market.core.submitting import Trouble, show, submit
from market.core.text import clean_line
from market.regions.queries import RegionView

blueprint = Blueprint("intake_cases", __name__)
_TAB_WORDS = {
    "new": "待回访",
    "doubtful": "待甄别",
    "calling": "回访中",
    "completed": "已代录",
    "dropped": "不受理",
}


@blueprint.get("/desk/intakes")
@requires(READ)
def listed() -> str:
    """The cases of the office's area."""
    actor = current_actor()
    tab = request.args.get("tab", "new")
    tab = tab if tab in TABS else "new"
    q = clean_line(request.args.get("q", ""))[:60]
    number = request.args.get("page", "1")
    page = int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 1
    page = min(max(page, 1), EXACT_UP_TO // ROWS_PER_PAGE)
    found = queries.listed(actor, "" if q else tab, q=q, page=page)
    return render_template(
        "intake/list.html",
        tabs=_TAB_WORDS,
        tab="" if q else tab,
        q=q,
        page=found,
        counts=queries.counts(actor),
        today=clock.today(),
    )


@blueprint.get("/intakes/<string:no>")
@requires(READ)
def case(no: str) -> Response:
    """A case: what was said, the calls, what may be done."""
    return show(_case_page(no))


def _case_page(
    no: str, at: str = "", caller: tuple[str | None, str | None] | None = None
) -> Callable[[Form, Trouble], str]:
    """Renders the case page. at: the form whose mistakes are shown; caller: name and telephone."""
    actor = current_actor()

    def page(form: Form, trouble: Trouble) -> str:
        found = queries.case(actor, no)
        acts = INTAKE.actions(actor, found.row)
        owner = found.intake.organisation_id
        return render_template(
            "intake/case.html",
            case=found,
            intake=found.intake,
            acts=[one for one in acts if one.action in PLAIN_ACTS],
            may={one.action for one in acts},
            may_unmask=policy.allows(actor, UNMASK, found.row),
            may_send_code=found.intake.state == "completed"
            and owner is not None
            and policy.allows(actor, HANDLE, found.row)
            and not claiming.has_owner(owner),
            states=INTAKE.states,
            words=WORDS,
            results=list(RESULTS.items()),
            at=at,
            form=form,
            trouble=trouble,
            caller=caller,
        )

    return page


def _sent(
    no: str, at: str, schema: Schema, act: Callable[[Mapping[str, Any]], None]
) -> AnyResponse:
    """One of the forms of a case page; leads back to the page."""

    def go(values: Mapping[str, Any]) -> str:
        act(values)
        return f"/intakes/{no}"

    queries.find(current_actor(), no)
    return submit(schema, go, _case_page(no, at))


@blueprint.post("/intakes/<string:no>/call")
@requires(HANDLE)
def call(no: str) -> AnyResponse:
    """Note a call back."""
    actor = current_actor()
    return _sent(no, "call", CallSchema(), lambda values: service.note_call(actor, no, values))


@blueprint.post("/intakes/<string:no>/duplicate")
@requires(HANDLE)
def duplicate(no: str) -> AnyResponse:
    """Close it as a repetition of another."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        service.mark_duplicate(actor, no, values.get("of") or "")

    return _sent(no, "duplicate", DuplicateSchema(), act)


@blueprint.post("/intakes/<string:no>/code")
@requires(HANDLE)
def code(no: str) -> AnyResponse:
    """发送认领码."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        claiming.send_code(actor, no, values.get("mobile"))

    return _sent(no, "code", CodeSchema(), act)


@blueprint.post("/intakes/<string:no>/erase")
@requires(HANDLE)
def erase(no: str) -> AnyResponse:
    """The caller asks to be forgotten."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        service.erase(actor, no, values.get("reason"))

    return _sent(no, "erase", ReasonSchema(), act)


@blueprint.post("/intakes/<string:no>/unmask")
@requires(UNMASK)
def unmask(no: str) -> Response:
    """查看完整信息: name and telephone on this one page, with a reason that is recorded."""
    actor = current_actor()
    queries.find(actor, no)
    sent = read_form(ReasonSchema(), request.form)
    if not csrf.sent_by_our_form():
        return show(_case_page(no, "unmask"), sent, Trouble(csrf.STALE, status=400))
    try:
        caller = service.unmask(actor, no, sent.values.get("reason"))
    except Invalid as error:
        errors = {name: " ".join(found) for name, found in error.fields.items()}
        return show(_case_page(no, "unmask"), sent, Trouble(errors=errors, status=422))
    return show(_case_page(no, caller=caller))


@blueprint.post("/intakes/<string:no>/<any(accept, drop, reopen):action>")
@requires(HANDLE)
def act(no: str, action: str) -> AnyResponse:
    """The transitions that need a press, or a press and a reason."""
    actor = current_actor()

    def do(values: Mapping[str, Any]) -> None:
        service.act(actor, no, action, values.get("reason"))

    return _sent(no, action, ReasonSchema(), do)


# 代录


@blueprint.get("/intakes/<string:no>/complete")
@requires(HANDLE)
def completion(no: str) -> Response:
    """The caller's form, filled with what he said."""
    intake = queries.view(queries.find(current_actor(), no))
    if INTAKE.find(intake.state, "complete") is None:
        raise Conflict(f"现在的状态是「{intake.state_label}」，不能再代录。")
    typed = {
        "problem": intake.problem,
        "product": intake.product,
        "target": intake.target or "",
        "firm": intake.firm,
        "uscc": intake.uscc or "",
        "name_hidden": "1" if intake.name_hidden else "",
        "place": intake.region.full_name,
        "region": intake.region.code,
        "kind": "enterprise",
        "source": "telephone" if intake.source == "web" else intake.source,
    }
    return show(_completion_page(intake), Form({}, {}, typed))


@blueprint.post("/intakes/<string:no>/complete")
@requires(HANDLE)
def complete(no: str) -> AnyResponse:
    """Make a demand of it and go on in its draft."""
    actor = current_actor()
    intake = queries.view(queries.find(actor, no))

    def act(values: Mapping[str, Any]) -> str:
        place = _chosen(values)
        return f"/submissions/{service.complete(actor, no, values, place.id)}/edit"

    return submit(CompletionSchema(), act, _completion_page(intake))


@blueprint.get("/desk/intakes/new")
@requires(ENTER)
def entry() -> Response:
    """代录: an empty form."""
    return show(_completion_page(None), Form({}, {}, {"source": "telephone", "kind": "enterprise"}))


@blueprint.post("/desk/intakes/new")
@requires(ENTER)
def enter() -> AnyResponse:
    """Keep what a caller said: on to its draft, or to be rung back later."""
    actor = current_actor()
    later = request.form.get("then") == "later"

    def act(values: Mapping[str, Any]) -> str:
        place = _chosen(values)
        if later:
            return f"/intakes/{service.enter(actor, values, place.id)}"
        return f"/submissions/{service.enter_and_complete(actor, values, place.id)}/edit"

    return submit(EntrySchema(), act, _completion_page(None))


def _chosen(values: Mapping[str, Any]) -> RegionView:
    place = find_place(values.get("region") or "", values.get("place") or "")
    if place.found is None:
        raise Invalid({"place": [place.error]})
    return place.found


def _completion_page(intake: IntakeView | None) -> Callable[[Form, Trouble], str]:
    def page(form: Form, trouble: Trouble) -> str:
        typed = form.typed
        known = typed.get("place") or typed.get("region")
        place = find_place(typed.get("region", ""), typed.get("place", "")) if known else Place()
        return render_template(
            "intake/complete.html",
            intake=intake,
            form=form,
            trouble=trouble,
            place=place,
            kinds=list(KINDS_OF_CALLERS.items()),
            sources=list(BY_OFFICE.items()),
            known=_known(typed, place),
        )

    return page


def _known(typed: Mapping[str, str], place: Place) -> bool:
    """Whether the firm is in the register already, so that the clerk is not surprised."""
    if place.found is None or not typed.get("firm"):
        return False
    uscc = typed.get("uscc") or None
    return accounts.same_organisation(uscc, typed["firm"], place.found.id) is not None
