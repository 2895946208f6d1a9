"""/desk/vouchers: the desk's tabs, many granted at once, an application and its vouchers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from market.core.errors import Invalid
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import Page, Trouble, show, submit
from market.core.views import query_url
from market.vouchers import applying
from market.vouchers.codes import APPLICANTS, ROSTERS, SIZES
from market.vouchers.ledger.models import KINDS
from market.vouchers.models import APPLICATION_STATES, VOUCHER_STATES, Application
from market.vouchers.office_pages import acting, queries
from market.vouchers.office_pages.forms import (
    TABS,
    BulkForm,
    DeskQuery,
    GrantForm,
    ReasonForm,
    faces_of,
)
from market.vouchers.office_pages.queries import HERE
from market.vouchers.workflow import FREEZE, GRANT, MAKE_BATCH, PAY, READ_BATCH

blueprint = Blueprint("voucher_offices", __name__)


@blueprint.get("/desk/vouchers")
@requires(READ_BATCH)
def desk() -> AnyResponse:
    """The desk of vouchers."""
    asked = read_form(DeskQuery(), request.args).values
    found = queries.desk(current_actor(), _tab(), asked.get("q", ""), asked.get("page", 1))
    if found.page.page > found.page.pages:
        return redirect(query_url())
    return show(_desk_page(found))


def _tab() -> str:
    asked = request.args.get("tab", "")
    if asked in TABS:
        return asked
    # A finance officer reads no applications: what waits for him comes first.
    return "claims" if policy.allows(current_actor(), GRANT) else "countersign"


def _desk_page(found: queries.Desk | None = None) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        asked = read_form(DeskQuery(), request.args).values
        tab, q = _tab(), asked.get("q", "")
        seen = found or queries.desk(actor, tab, q, asked.get("page", 1))
        return render_template(
            "vouchers/offices.html",
            desk=seen,
            page=seen.page,
            tabs=TABS,
            tab=tab,
            q=q,
            here=HERE,
            done=request.args.get("done", ""),
            ticked=form.typed.get("item", "").split("；"),
            may_batch=policy.allows(actor, MAKE_BATCH),
            may_pay=policy.allows(actor, PAY),
            trouble=trouble,
        )

    return page


@blueprint.post("/desk/vouchers")
@requires(GRANT)
def grant_many() -> AnyResponse:
    """Issue one voucher over what was asked for each ticked application."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        found = acting.grant_many(actor, values["item"])
        troubles = [f"{no}：{words}" for no, words in found.items() if words]
        granted = len(found) - len(troubles)
        if troubles:
            done = [f"已发放 {granted} 份。"] if granted else []
            raise Invalid({"item": [*done, *troubles]})
        return url_for("voucher_offices.desk", tab="applications", done=granted)

    return submit(BulkForm(), act, _desk_page(), twice=True)


@blueprint.get("/desk/vouchers/applications/<string:no>")
@requires(READ_BATCH)
def application(no: str) -> AnyResponse:
    """An application with what is known of the firm."""
    queries.find(Application, current_actor(), no)
    return show(_application_page(no))


def _application_page(no: str, tried: str = "") -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        found = queries.application(current_actor(), no)
        return render_template(
            "vouchers/office_application.html",
            one=found,
            row=found.row,
            address=f"{HERE}/applications/{no}",
            here=HERE,
            form=form,
            tried=tried,
            trouble=trouble,
            states=APPLICATION_STATES,
            voucher_states=VOUCHER_STATES,
            rosters=ROSTERS,
            kinds=APPLICANTS,
            sizes=SIZES,
            figures=KINDS,
        )

    return page


@blueprint.post("/desk/vouchers/applications/<string:no>/grant")
@requires(GRANT)
def grant(no: str) -> AnyResponse:
    """Issue vouchers."""
    actor = current_actor()
    queries.find(Application, actor, no)

    def act(values: Mapping[str, Any]) -> str:
        applying.grant(actor, no, faces_of(values.get("faces")), values.get("version"))
        return f"{HERE}/applications/{no}"

    return submit(GrantForm(), act, _application_page(no, "grant"))


@blueprint.post("/desk/vouchers/applications/<string:no>/refuse")
@requires(GRANT)
def refuse(no: str) -> AnyResponse:
    """Issue none, with the reason."""
    actor = current_actor()
    queries.find(Application, actor, no)

    def act(values: Mapping[str, Any]) -> str:
        applying.refuse(actor, no, values.get("reason", ""), values.get("version"))
        return f"{HERE}/applications/{no}"

    return submit(ReasonForm(), act, _application_page(no, "refuse"))


@blueprint.post("/desk/vouchers/vouchers/<string:no>/<any(freeze, thaw, release):action>")
@requires(FREEZE)
def mark(no: str, action: str) -> AnyResponse:
    """Freeze, thaw or release a voucher; leads back to its application."""
    actor = current_actor()
    voucher = queries.voucher(actor, no)
    application_no = queries.application_of(voucher)

    def act(values: Mapping[str, Any]) -> str:
        applying.mark(actor, no, action, values.get("reason", ""), values.get("seen"))
        return f"{HERE}/applications/{application_no}"

    return submit(ReasonForm(), act, _application_page(application_no, f"{no}/{action}"))
