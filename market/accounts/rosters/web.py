"""The rosters of an office's area: on a page, and as a table to take away."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, send_file
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.accounts.rosters import queries
from market.accounts.rosters.importer import columns
from market.accounts.rosters.models import KINDS
from market.accounts.rosters.queries import OVERSEE
from market.accounts.rosters.schemas import FIRST_YEAR, LAST_YEAR
from market.core.fields import Choice, Line, Whole
from market.core.forms import read_form
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE
from market.core.permissions import requires
from market.core.sheets import write_table
from market.core.views import query_url

blueprint = Blueprint("rosters", __name__)
_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
}


class RosterForm(Schema):
    """What may be asked for; whatever makes no sense is left out."""

    q = Line(60)
    kind = Choice(KINDS)
    year = Whole(FIRST_YEAR, LAST_YEAR)
    page = Whole(1, EXACT_UP_TO // ROWS_PER_PAGE)


_FORM = RosterForm()


def _asked() -> dict[str, Any]:
    values = read_form(_FORM, request.args).values
    chosen = {"q": values.get("q", ""), "kind": values.get("kind", "")}
    return {**chosen, "year": values.get("year"), "page": values.get("page", 1)}


@blueprint.get("/desk/rosters")
@requires(OVERSEE)
def rosters() -> str | AnyResponse:
    """名单库: by list and year, with search."""
    asked, actor = _asked(), current_actor()
    found = queries.page(actor, **asked)
    if found.page > found.pages:
        return redirect(query_url())
    years = [(str(year), f"{year} 年") for year in queries.years()]
    return render_template(
        "rosters/desk.html", page=found, asked=asked, kinds=list(KINDS.items()), years=years
    )


@blueprint.get("/desk/rosters.xlsx", defaults={"ending": "xlsx"})
@blueprint.get("/desk/rosters.csv", defaults={"ending": "csv"})
@requires(OVERSEE)
def export(ending: str) -> Response:
    """The same list as a table, with the columns of the import."""
    asked = _asked()
    found = queries.rows(current_actor(), asked["kind"], asked["year"], asked["q"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rosters.{ending}"
        write_table(path, columns(), found)
        data = BytesIO(path.read_bytes())
    return send_file(data, _TYPES[ending], as_attachment=True, download_name=f"名单库.{ending}")
