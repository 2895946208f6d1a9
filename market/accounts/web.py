"""Pages of organisations: the directory."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from market.accounts import queries
from market.accounts.models import KINDS
from market.accounts.queries import LIST
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE
from market.core.permissions import requires
from market.core.text import clean_line

blueprint = Blueprint("accounts", __name__)


@blueprint.get("/organisations")
@requires(LIST)
def organisations() -> str:
    """The directory of organisations: by name or code, and by kind."""
    q = clean_line(request.args.get("q", ""))[:60]
    kind = request.args.get("kind", "")
    number = request.args.get("page", "1")
    most = EXACT_UP_TO // ROWS_PER_PAGE
    page = min(int(number), most) if number.isdecimal() and len(number) < 6 and int(number) else 1
    return render_template(
        "accounts/organisations.html",
        q=q,
        kind=kind if kind in KINDS else "",
        page=queries.page(current_actor(), q=q, kind=kind if kind in KINDS else "", page=page),
        kinds=list(KINDS.items()),
    )
