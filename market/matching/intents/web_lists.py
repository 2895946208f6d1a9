"""Lists of intents, for their parties and for offices."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core.http import current_actor
from market.core.permissions import requires
from market.core.views import query_url
from market.matching.intents import queries
from market.matching.intents.models import CLASSES, STATES
from market.matching.intents.queries import TABS
from market.matching.intents.workflow import AREA, LIST

blueprint = Blueprint("intent_lists", __name__)


def _asked() -> tuple[str, int]:
    """Tab and page of the address; what makes no sense counts as the first."""
    tab, page = request.args.get("tab", "open"), request.args.get("page", "1")
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1
    return tab if tab in TABS else "open", max(1, number)


@blueprint.get("/my/intents")
@requires(LIST)
def mine() -> str | AnyResponse:
    """对接意向 of one's organisations, as parties or invited."""
    tab, number = _asked()
    page = queries.mine(current_actor(), tab, number)
    if page.page > page.pages:
        return redirect(query_url())
    return render_template("intents/mine.html", page=page, tab=tab, tabs=TABS, states=STATES)


@blueprint.get("/desk/intents")
@requires(AREA)
def desk() -> str | AnyResponse:
    """对接意向 of which the buyer or the seller sits in an office's area."""
    tab, number = _asked()
    page = queries.in_area(current_actor(), tab, number)
    if page.page > page.pages:
        return redirect(query_url())
    return render_template(
        "intents/desk.html", page=page, tab=tab, tabs=TABS, states=STATES, classes=CLASSES
    )
