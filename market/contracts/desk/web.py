"""审查台: the desk's list, many accepted at once, a case with its forms, the copy sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.contracts import examining
from market.contracts import queries as contracts
from market.contracts.codes import CLASSES, DEFICIENCIES, FILE_PURPOSES, REFUSALS, subclass_options
from market.contracts.desk import queries, service, wording
from market.contracts.desk.schemas import (
    PROPOSALS,
    REASONED,
    TABS,
    BulkForm,
    CopyForm,
    DeficienciesForm,
    DeskQuery,
    OpinionForm,
    PassUpForm,
    RefusalForm,
    ResultForm,
    SheetForm,
    VersionForm,
    sheet_of,
)
from market.contracts.desk.workflow import COPY, HEAR_EXPERTS, OPEN_DESK, PASS_UP
from market.contracts.models import MODES, STATES
from market.contracts.office_models import VERDICTS
from market.contracts.schemas import LABELS
from market.contracts.workflow import ACCEPT, DECIDE, DESK, EVENTS, RECORD, RETURN
from market.core import clock, csrf, files
from market.core.errors import Invalid
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.money import format_yuan
from market.core.permissions import policy, requires
from market.core.submitting import EMPTY, Page, Trouble, show, submit
from market.core.views import query_url

blueprint = Blueprint("contract_desk", __name__)
# Those that a press, or a press and a reason, carry out; the others have forms of their own.
PLAIN = ("ask_experts", "experts_said", "send_back", "reopen", "register")


@blueprint.get("/desk/contracts")
@requires(OPEN_DESK)
def desk() -> AnyResponse:
    """The examination desk."""
    asked = read_form(DeskQuery(), request.args).values
    found = queries.desk(current_actor(), _tab(), asked.get("q", ""), asked.get("page", 1))
    if found.page.page > found.page.pages:
        return redirect(query_url())
    return show(_desk_page(found))


def _tab() -> str:
    asked = request.args.get("tab", "")
    return asked if asked in TABS else next(iter(TABS))


def _desk_page(found: queries.Desk | None = None) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        asked = read_form(DeskQuery(), request.args).values
        tab, q = _tab(), asked.get("q", "")
        seen = found or queries.desk(current_actor(), tab, q, asked.get("page", 1))
        return render_template(
            "contracts/desk.html",
            desk=seen,
            page=seen.page,
            tabs=TABS,
            tab=tab,
            q=q,
            states=STATES,
            classes=CLASSES,
            done=request.args.get("done", ""),
            ticked=form.typed.get("item", "").split("；"),
            trouble=trouble,
        )

    return page


@blueprint.post("/desk/contracts")
@requires(ACCEPT)
def accept_many() -> AnyResponse:
    """Accept the ticked filings."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        found = service.accept_many(actor, values["item"])
        troubles = [one for one in found if one.trouble]
        if troubles:
            words = [f"{one.no}：{one.trouble}" for one in troubles]
            done = f"已受理 {len(found) - len(troubles)} 份。" if len(found) > len(troubles) else ""
            raise Invalid({"item": [done, *words]})
        return url_for("contract_desk.desk", done=len(found))

    return submit(BulkForm(), act, _desk_page(), twice=True)


@blueprint.get("/desk/contracts/<string:no>")
@requires(DESK)
def case(no: str) -> AnyResponse:
    """A case as its examiner sees it."""
    contracts.find(current_actor(), no, DESK)
    return show(_case_page(no))


def _case_page(no: str, tried: str = "") -> Page:
    """tried: the form that was sent, whose texts come back into it."""

    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        found = queries.get(actor, no)
        contract = found.case.contract
        sheet = queries.sheet_values(found)
        return render_template(
            "contracts/examine.html",
            one=found,
            case=found.case,
            contract=contract,
            line=found.line,
            here=f"/desk/contracts/{no}",
            groups=wording.groups(found.case.content),
            sheet=form.typed if tried == "sheet" else _typed(sheet),
            filed=_in_words(found.case.version.content),
            assessed=_in_words(found.case.version.findings),
            form=form,
            trouble=trouble,
            tried=tried,
            may=found.may,
            buttons=[one for one in found.case.actions if one.action in PLAIN],
            may_hear=policy.allows(actor, HEAR_EXPERTS, contract),
            states=STATES,
            modes=MODES,
            events=EVENTS,
            purposes=FILE_PURPOSES,
            classes=list(CLASSES.items()),
            subclasses=subclass_options(),
            refusals=list(REFUSALS.items()),
            proposals=list(PROPOSALS.items()),
            deficiencies=DEFICIENCIES,
            labels=list(LABELS.items()),
            verdicts=VERDICTS,
            today=clock.today(),
            yuan_plain=format_yuan,
        )

    return page


def _in_words(values: Mapping[str, Any]) -> dict[str, str]:
    """What examiners set, as it is filed or found, for reading."""
    return {name: wording.words(name, values.get(name)) for name in REASONED}


def _typed(sheet: Mapping[str, Any]) -> dict[str, str]:
    """The examination sheet as its form shows it before anything was typed."""
    return {
        name: "" if value is None else format_yuan(value) if name.endswith("_fen") else str(value)
        for name, value in sheet.items()
    } | {"is_technology": "yes"}


def _sent(
    no: str,
    at: str,
    schema: Schema,
    act: Callable[[Mapping[str, Any]], object],
    *,
    twice: bool = False,
) -> AnyResponse:
    """One of the forms of a case; leads back to it, or to the desk once it is another's."""
    actor = current_actor()
    contracts.find(actor, no, DESK)

    def go(values: Mapping[str, Any]) -> str:
        act(values)
        return f"/desk/contracts/{no}"

    return submit(schema, go, _case_page(no, at), twice=twice)


@blueprint.post("/desk/contracts/<string:no>/accept")
@requires(ACCEPT)
def accept(no: str) -> AnyResponse:
    """Accept it."""
    actor = current_actor()
    return _sent(no, "accept", VersionForm(), lambda v: examining.accept(actor, no, v.get("seen")))


@blueprint.post("/desk/contracts/<string:no>/return")
@requires(RETURN)
def send_back(no: str) -> AnyResponse:
    """补正: return it once with everything that is missing."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        examining.send_back(actor, no, values["rows"], values.get("version"))

    return _sent(no, "return", DeficienciesForm(), act)


@blueprint.post("/desk/contracts/<string:no>/sheet")
@requires(DESK)
def sheet(no: str) -> AnyResponse:
    """The examination sheet: first examination, or 预审 where the national system registers."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        own = contracts.find(actor, no, DESK).mode == "own"
        write = examining.examine if own else examining.clear
        write(actor, no, sheet_of(values), values.get("version"))

    return _sent(no, "sheet", SheetForm(), act)


@blueprint.post("/desk/contracts/<string:no>/refuse")
@requires(DECIDE)
def refuse(no: str) -> AnyResponse:
    """不予登记, with a standard reason and words."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        words = values.get("words", "")
        examining.refuse(actor, no, values["refusal"], words, values.get("version"))

    return _sent(no, "refuse", RefusalForm(), act)


@blueprint.post("/desk/contracts/<string:no>/result")
@requires(RECORD)
def result(no: str) -> AnyResponse:
    """Type in the national system's result, perhaps with a scan of the certificate."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        service.record(actor, no, values, _upload(), values.get("version"))

    return _sent(no, "result", ResultForm(), act, twice=True)


def _upload() -> files.Upload | None:
    sent = request.files.get("file")
    return files.take_in(sent.filename, sent.read()) if sent and sent.filename else None


@blueprint.post("/desk/contracts/<string:no>/opinion")
@requires(HEAR_EXPERTS)
def opinion(no: str) -> AnyResponse:
    """What an expert said, perhaps with his paper."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        service.hear(actor, no, values, _upload())

    return _sent(no, "opinion", OpinionForm(), act, twice=True)


@blueprint.post("/desk/contracts/<string:no>/pass-up")
@requires(PASS_UP)
def pass_up(no: str) -> AnyResponse:
    """Send it to the body or office above; then it is theirs."""
    actor = current_actor()
    contracts.find(actor, no, DESK)

    def act(values: Mapping[str, Any]) -> str:
        service.pass_up(actor, no, values.get("words", ""), values.get("version"))
        return "/desk/contracts"

    return submit(PassUpForm(), act, _case_page(no, "pass-up"))


@blueprint.post(
    "/desk/contracts/<string:no>/"
    "<any(ask_experts, experts_said, send_back, reopen, register):action>"
)
@requires(DESK)
def act_on(no: str, action: str) -> AnyResponse:
    """The steps that need a press, or a press and a reason."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        if action == "register":
            examining.register(actor, no, values.get("seen"))
        else:
            examining.step(actor, no, action, values.get("reason"), values.get("seen"))

    return _sent(no, action, VersionForm(), act)


@blueprint.get("/desk/contracts/<string:no>/copy")
@requires(COPY)
def copy(no: str) -> AnyResponse:
    """填报抄录单, personal values masked."""
    contracts.find(current_actor(), no, COPY)
    return show(_copy_page(no))


@blueprint.post("/desk/contracts/<string:no>/copy")
@requires(COPY)
def copy_in_full(no: str) -> AnyResponse:
    """The same in full, for this once: noted in the audit."""
    form = read_form(CopyForm(), request.form)
    contracts.find(current_actor(), no, COPY)
    if not csrf.sent_by_our_form():
        return show(_copy_page(no), form, Trouble(csrf.STALE, status=400))
    if form.errors:
        errors = {name: " ".join(words) for name, words in form.errors.items()}
        return show(_copy_page(no), form, Trouble(errors=errors, status=422))
    content = service.copy_sheet(current_actor(), no, form.values["reason"])
    return show(_copy_page(no, content), EMPTY)


def _copy_page(no: str, content: Mapping[str, Any] | None = None) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        found = contracts.get(current_actor(), no)
        return render_template(
            "contracts/copy_sheet.html",
            contract=found.contract,
            here=f"/desk/contracts/{no}",
            groups=wording.groups(content or found.content, masked=content is None),
            full=content is not None,
            form=form,
            trouble=trouble,
            today=clock.today(),
        )

    return page
