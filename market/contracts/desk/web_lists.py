"""登记簿 and 补录: what is registered, as a page and a table; contracts registered elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.contracts import examining
from market.contracts.codes import CLASSES, FIELDS, NATURES, subclass_options
from market.contracts.desk import elsewhere, register
from market.contracts.desk.schemas import SIDES, ElsewhereForm, RegisterQuery
from market.contracts.desk.workflow import OPEN_DESK, RECORD_ELSEWHERE
from market.contracts.models import STATES, Contract
from market.contracts.workflow import READ
from market.core import clock, files
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import Trouble, show, submit
from market.core.views import query_url
from market.service_points.pages import table

blueprint = Blueprint("contract_register", __name__)


@blueprint.get("/desk/contracts/register")
@requires(OPEN_DESK)
def registered() -> AnyResponse:
    """The register, as far as the reader may read it."""
    form = read_form(RegisterQuery(), request.args)
    page = register.search(current_actor(), form.values, form.values.get("page", 1))
    if page.page > page.pages:
        return redirect(query_url())
    return show(
        lambda _form, _trouble: render_template(
            "contracts/register.html",
            page=page,
            asked=form.typed,
            narrowed=any(value for name, value in form.values.items() if name != "page"),
            wrong={name: " ".join(words) for name, words in form.errors.items()},
            classes=list(CLASSES.items()),
            class_labels=CLASSES,
            fields=list(FIELDS.items()),
            sides=list(SIDES.items()),
            states=STATES,
        )
    )


@blueprint.get("/desk/contracts/register.xlsx", defaults={"ending": "xlsx"}, endpoint="xlsx")
@blueprint.get("/desk/contracts/register.csv", defaults={"ending": "csv"}, endpoint="csv")
@requires(OPEN_DESK)
def take_away(ending: str) -> Response:
    """The same as a table."""
    values = read_form(RegisterQuery(), request.args).values
    rows = register.rows(current_actor(), values)
    return table(rows, register.COLUMNS, f"技术合同登记簿 {clock.today().isoformat()}.{ending}")


@blueprint.get("/desk/contracts/record")
@requires(RECORD_ELSEWHERE)
def new() -> AnyResponse:
    """The form of a contract that was registered elsewhere."""
    return show(_record_page)


@blueprint.post("/desk/contracts/record")
@requires(RECORD_ELSEWHERE)
def record() -> AnyResponse:
    """Record it; a number that is here already leads to its case."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        sent = request.files.get("file")
        scan = files.take_in(sent.filename, sent.read()) if sent and sent.filename else None
        no = elsewhere.record(actor, elsewhere.resolve(values), scan)
        return f"/contracts/{no}"  # its papers and what becomes of it; nothing is left to examine

    return submit(ElsewhereForm(), act, _record_page, twice=True)


def _record_page(form: Form, trouble: Trouble) -> str:
    return render_template(
        "contracts/record.html",
        typed=form.typed,
        trouble=trouble,
        held=_held(form.typed.get("registration_no", "")),
        classes=list(CLASSES.items()),
        subclasses=subclass_options(),
        fields=list(FIELDS.items()),
        natures=[(code, f"{code} {words}") for code, words in NATURES.items()],
    )


def _held(number: str) -> Contract | None:
    """The contract that bears this number, where the reader may open it."""
    found = examining.recorded(number) if number else None
    return found if found is not None and policy.allows(current_actor(), READ, found) else None
