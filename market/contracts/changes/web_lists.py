"""The list of changes for bodies and offices."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.contracts.changes import queries
from market.contracts.changes.models import KINDS, STATES
from market.contracts.changes.workflow import DESK
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.views import query_url

blueprint = Blueprint("contract_change_lists", __name__)
TABS = {"open": "待办理", "returned": "待补正", "closed": "已办结"}


@blueprint.get("/desk/contract-changes")
@requires(DESK)
def desk() -> str | AnyResponse:
    """变更、注销、撤销、复查 that a body or an office handles."""
    tab, asked = request.args.get("tab", "open"), request.args.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 1
    tab = tab if tab in TABS else "open"
    page = queries.at_desk(current_actor(), tab, max(1, number))
    if page.page > page.pages:
        return redirect(query_url())
    return render_template(
        "contracts/changes_desk.html", page=page, tab=tab, tabs=TABS, kinds=KINDS, states=STATES
    )
