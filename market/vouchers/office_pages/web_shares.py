"""Below a scheme at the desk: claims cut in proportion, and what its providers are awarded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core import clock
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import Page, Trouble, show, submit
from market.vouchers import awards, claiming, cutting
from market.vouchers.claim_models import CLAIM_STATES
from market.vouchers.eligible import show_bp
from market.vouchers.locking import seen
from market.vouchers.models import Scheme
from market.vouchers.office_pages.forms import AwardForm, CutForm, bank_of
from market.vouchers.office_pages.queries import HERE
from market.vouchers.workflow import MANAGE, OPEN_AWARD, READ_BOOKS

blueprint = Blueprint("voucher_shares", __name__)
BOOKS = f"{HERE}/schemes"


def year_asked() -> int:
    """The year of the address; this one where it says none."""
    text = request.args.get("year", "")
    good = text.isascii() and text.isdecimal() and len(text) == 4
    return int(text) if good else clock.today().year


def _years(*more: int) -> list[int]:
    now = clock.today().year
    return sorted({now, now - 1, *more}, reverse=True)


@blueprint.get("/desk/vouchers/schemes/<string:no>/cut")
@requires(MANAGE)
def cut_page(no: str) -> AnyResponse:
    """What each claim would get if all, or those that are ticked, shared what there is."""
    seen(Scheme, current_actor(), MANAGE, no)
    return show(_cut(no))


def _cut(no: str) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        scheme = seen(Scheme, actor, MANAGE, no)
        year = form.values.get("year") or year_asked()
        # What was sent shows as it was ticked, at the share that holds now.
        chosen = request.form.getlist("item") if request.method == "POST" else None
        plan = cutting.plan(actor, no, year, chosen)
        years = {one.year for one in cutting.under_review(actor, scheme)}
        return render_template(
            "vouchers/office_cut.html",
            scheme=scheme,
            plan=plan,
            chosen=chosen,
            year=year,
            years=_years(year, *years),
            address=f"{BOOKS}/{no}/cut",
            back=f"{BOOKS}/{no}",
            here=HERE,
            fixed=claiming.CUT,
            show_bp=show_bp,
            done=request.args.get("done") == "1",
            form=form,
            trouble=trouble,
        )

    return page


@blueprint.post("/desk/vouchers/schemes/<string:no>/cut")
@requires(MANAGE)
def cut(no: str) -> AnyResponse:
    """Fix the share that was shown, with the reason; or show it for those that are ticked."""
    actor = current_actor()
    seen(Scheme, actor, MANAGE, no)
    if request.form.get("again"):
        return show(_cut(no), read_form(CutForm(), request.form))

    def act(values: Mapping[str, Any]) -> str:
        cutting.cut(actor, no, values["item"], values["reason"], values["share"])
        return f"{BOOKS}/{no}/cut?year={values['year']}&done=1"

    return submit(CutForm(), act, _cut(no))


@blueprint.get("/desk/vouchers/schemes/<string:no>/awards")
@requires(READ_BOOKS)
def awards_page(no: str) -> AnyResponse:
    """Providers with what they were paid for, what they may be awarded, and their awards."""
    seen(Scheme, current_actor(), READ_BOOKS, no)
    return show(_awards(no))


def _awards(no: str) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        scheme = seen(Scheme, actor, READ_BOOKS, no)
        year = form.values.get("year") or year_asked()
        return render_template(
            "vouchers/office_awards.html",
            scheme=scheme,
            terms=awards.terms_of(scheme),
            lines=awards.standings(scheme, year),
            year=year,
            years=_years(year),
            address=f"{BOOKS}/{no}/awards",
            back=f"{BOOKS}/{no}",
            here=HERE,
            states=CLAIM_STATES,
            may_open=policy.allows(actor, OPEN_AWARD, scheme),
            tried=form.typed.get("provider", ""),
            form=form,
            trouble=trouble,
        )

    return page


@blueprint.post("/desk/vouchers/schemes/<string:no>/awards")
@requires(OPEN_AWARD)
def open_award(no: str) -> AnyResponse:
    """Enter the award of a provider; it waits for a colleague's review."""
    actor = current_actor()
    seen(Scheme, actor, READ_BOOKS, no)

    def act(values: Mapping[str, Any]) -> str:
        claim = awards.open_for(actor, no, values["provider"], values["year"], bank_of(values))
        return f"{HERE}/claims/{claim}"

    return submit(AwardForm(), act, _awards(no))
