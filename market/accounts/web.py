"""Pages of organisations: the directory."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from marshmallow import Schema
from werkzeug.wrappers import Response

from market.accounts import queries
from market.accounts.models import KINDS
from market.accounts.queries import LIST
from market.core.fields import Choice, Line, Whole
from market.core.forms import read_form
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE
from market.core.permissions import requires
from market.core.views import query_url

blueprint = Blueprint("accounts", __name__)


class DirectoryForm(Schema):
    """What the directory may be asked for; whatever makes no sense is left out."""

    q = Line(60)
    kind = Choice(KINDS)
    page = Whole(1, EXACT_UP_TO // ROWS_PER_PAGE)


_FORM = DirectoryForm()


@blueprint.get("/organisations")
@requires(LIST)
def organisations() -> str | Response:
    """The directory of organisations: by name or code, and by kind."""
    asked = read_form(_FORM, request.args).values
    q, kind = asked.get("q", ""), asked.get("kind", "")
    page = queries.page(current_actor(), q=q, kind=kind, page=asked.get("page", 1))
    if page.page > page.pages:
        return redirect(query_url())
    return render_template(
        "accounts/organisations.html",
        q=q,
        kind=kind,
        page=page,
        kinds=list(KINDS.items()),
    )
