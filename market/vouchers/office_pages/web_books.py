"""额度与收支 and 停止申领资格: figures that open their entries; bars and their lifting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core import clock
from market.core.forms import Form
from market.core.http import LARGEST, current_actor
from market.core.permissions import policy, requires
from market.core.submitting import Trouble, show, submit
from market.service_points.pages import table
from market.vouchers import mending
from market.vouchers.office_pages import acting, balances, queries
from market.vouchers.office_pages.forms import BarForm, ReasonForm
from market.vouchers.office_pages.queries import HERE
from market.vouchers.office_pages.web_claims import kept_by_nobody
from market.vouchers.workflow import BAR, READ_BATCH, READ_BOOKS

blueprint = Blueprint("voucher_books", __name__)


def _year() -> int | None:
    text = request.args.get("year", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) == 4 else None


@blueprint.get("/desk/vouchers/balances")
@requires(READ_BOOKS)
def books() -> str:
    """The figures of each scheme, year and payer."""
    lines = balances.pots(current_actor(), _year(), request.args.get("scheme", ""))
    years = sorted({one.year for one in lines}, reverse=True)
    return render_template(
        "vouchers/office_balances.html",
        lines=lines,
        figures=balances.FIGURES,
        years=years,
        year=_year(),
        here=HERE,
        cut=len(lines) >= balances.MOST_POTS,
    )


@blueprint.get("/desk/vouchers/balances.xlsx", defaults={"ending": "xlsx"}, endpoint="books_xlsx")
@blueprint.get("/desk/vouchers/balances.csv", defaults={"ending": "csv"}, endpoint="books_csv")
@requires(READ_BOOKS)
def books_table(ending: str) -> Response:
    """The same as a table."""
    lines = balances.pots(current_actor(), _year(), request.args.get("scheme", ""))
    name = f"创新券额度与收支 {clock.today().isoformat()}.{ending}"
    return kept_by_nobody(table(balances.rows(lines), balances.COLUMNS, name))


@blueprint.get("/desk/vouchers/balances/<int:account_id>")
@requires(READ_BOOKS)
def account(account_id: int) -> AnyResponse | str:
    """The entries that a figure was counted from, the newest first."""
    text = request.args.get("before", "")
    before = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
    found = balances.account(current_actor(), min(account_id, LARGEST), before)
    if before is not None and not found.lines:
        return redirect(f"{HERE}/balances/{account_id}")
    return render_template("vouchers/office_account.html", one=found, before=before, here=HERE)


@blueprint.get("/desk/vouchers/bars")
@requires(READ_BATCH)
def bars() -> AnyResponse:
    """Organisations that may not apply."""
    return show(_bars_page())


def _bars_page(tried: str = "") -> Any:
    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        return render_template(
            "vouchers/office_bars.html",
            bars=queries.bars(actor),
            schemes=[(one.no, one.title) for one in queries.schemes(actor)],
            may=policy.allows(actor, BAR),
            today=clock.today(),
            here=HERE,
            form=form,
            tried=tried,
            trouble=trouble,
        )

    return page


@blueprint.post("/desk/vouchers/bars")
@requires(BAR)
def bar() -> AnyResponse:
    """Stop an organisation."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        acting.bar(actor, values)
        return f"{HERE}/bars"

    return submit(BarForm(), act, _bars_page("bar"))


@blueprint.post("/desk/vouchers/bars/<int:bar_id>/lift")
@requires(BAR)
def lift(bar_id: int) -> AnyResponse:
    """End a bar before its last day."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        mending.lift(actor, min(bar_id, LARGEST), values.get("reason", ""))
        return f"{HERE}/bars"

    return submit(ReasonForm(), act, _bars_page(f"lift-{bar_id}"))
