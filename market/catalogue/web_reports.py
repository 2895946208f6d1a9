"""The page of a reader's report, for the office that deals with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, render_template
from marshmallow import EXCLUDE, Schema
from werkzeug.wrappers import Response as AnyResponse

from market.catalogue import report_cases, service
from market.catalogue.models import REPORT_STATES
from market.catalogue.report_cases import DESK, SETTLE, URL
from market.catalogue.service import UNMASK
from market.core import clock
from market.core.errors import Invalid
from market.core.fields import LongText
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.submitting import Page, Trouble, show, submit
from market.core.workflow import LONGEST_REASON, timeline

blueprint = Blueprint("catalogue_reports", __name__, url_prefix=URL)


class ReasonSchema(Schema):
    """A form with at most a reason."""

    class Meta:
        unknown = EXCLUDE

    reason = LongText(LONGEST_REASON)


def _page(no: str, contact: str = "") -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        found = report_cases.case(current_actor(), no)
        return render_template(
            "catalogue/report_case.html",
            case=found,
            events=timeline(report_cases.WORKFLOW.name, found.id),
            states=REPORT_STATES,
            words={one.action: one.label for one in report_cases.WORKFLOW.transitions}
            | {"begin": "收到报告"},
            late=found.due is not None and found.due.day < clock.today(),
            contact=contact,
            form=form,
            trouble=trouble,
        )

    return page


@blueprint.get("/<string:no>")
@requires(DESK)
def report(no: str) -> Response:
    """A report with its timeline and what may be done."""
    return show(_page(no))


@blueprint.post("/<string:no>/<string:action>")
@requires(SETTLE)
def settle(no: str, action: str) -> AnyResponse:
    """Do something with a report."""
    actor = current_actor()
    report_cases.case(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        report_cases.settle(actor, no, action, values.get("reason"))
        return f"{URL}/{no}"

    return submit(ReasonSchema(), act, _page(no))


@blueprint.post("/<string:no>/contact")
@requires(UNMASK)
def contact(no: str) -> AnyResponse:
    """查看完整信息: how to reach who reported; needs a reason, and is written down."""
    actor = current_actor()
    found = report_cases.case(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        if not values.get("reason"):
            raise Invalid({"contact-reason": ["请写明为什么要看。"]})
        shown = service.unmask_contacts(actor, [found.id], reason=values["reason"])
        told = shown.get(found.id) or "已到期删除，或密钥更换后无法读出"
        page = _page(no, told)
        raise _Shown(page)

    try:
        return submit(ReasonSchema(), act, _page(no), twice=True)
    except _Shown as shown:
        return show(shown.page)


class _Shown(Exception):
    """The contact is shown on the answer itself: no address leads to it."""

    def __init__(self, page: Page) -> None:
        self.page = page
