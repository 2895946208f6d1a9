"""/desk/vouchers/treasury: one file of the treasury for several batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from market.core import clock
from market.core.errors import Invalid
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.submitting import Page, Trouble, show, submit
from market.service_points.pages import table
from market.vouchers import paying
from market.vouchers.office_pages import batching, prints, treasury
from market.vouchers.office_pages.forms import PressForm
from market.vouchers.office_pages.queries import HERE
from market.vouchers.office_pages.web_claims import kept_by_nobody
from market.vouchers.workflow import PAY

blueprint = Blueprint("voucher_treasury", __name__)
MOST_TOLD = 100  # lines with troubles that the page lists


def _page(troubles: list[str]) -> Page:
    """troubles: of the lines of the file that was sent."""

    def page(_form: Form, trouble: Trouble) -> str:
        done = request.args.get("done", "")
        return render_template(
            "vouchers/office_treasury.html",
            waiting=batching.to_be_paid(current_actor()),
            troubles=troubles[:MOST_TOLD],
            more=max(len(troubles) - MOST_TOLD, 0),
            done=done if done.isascii() and done.isdecimal() else "",
            here=HERE,
            trouble=trouble,
        )

    return page


@blueprint.get("/desk/vouchers/treasury")
@requires(PAY)
def treasury_page() -> AnyResponse:
    """Batches that wait for the treasury, and its file."""
    return show(_page([]))


@blueprint.post("/desk/vouchers/treasury")
@requires(PAY)
def file() -> AnyResponse:
    """Enter a file with lines of several batches: all lines or none, each trouble told."""
    actor, sent = current_actor(), request.files.get("file")
    troubles: list[str] = []

    def act(_values: Mapping[str, Any]) -> str:
        if sent is None or not sent.filename:
            raise Invalid({"file": ["请选择国库的拨付表。"]})
        lines = treasury.read(sent.filename, sent.read())
        try:
            done = paying.record_file(actor, lines)
        except Invalid as error:
            troubles.extend(error.fields["rows"])
            raise Invalid(
                {"file": [f"{len(troubles)} 处不对，什么都没有登记；请改好文件再导入。"]}
            ) from error
        return url_for("voucher_treasury.treasury_page", done=sum(done.values()))

    return submit(PressForm(), act, _page(troubles), twice=True)


@blueprint.get("/desk/vouchers/treasury.xlsx")
@requires(PAY)
def template() -> Response:
    """The table of all that waits, to fill in with the treasury's numbers."""
    rows = [
        line
        for one in batching.to_be_paid(current_actor())
        for line in prints.to_fill_in(one.claims)
    ]
    name = f"国库拨付表 {clock.today().isoformat()}.xlsx"
    return kept_by_nobody(table(rows, treasury.COLUMNS, name))
