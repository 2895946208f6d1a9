"""Pages of achievements and demands."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path

from flask import Blueprint, Response, abort, render_template, send_file

from market.catalogue import queries
from market.catalogue.importer import ACHIEVEMENTS, DEMANDS
from market.catalogue.queries import READ
from market.core.errors import Gone
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.sheets import write_template

blueprint = Blueprint("catalogue", __name__)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TEMPLATES = {"achievements": ACHIEVEMENTS, "demands": DEMANDS}


@blueprint.get("/achievements/<string:no>")
@requires(READ)
def achievement(no: str) -> str | tuple[str, int]:
    """A research outcome."""
    return _page("achievement", no)


@blueprint.get("/demands/<string:no>")
@requires(READ)
def demand(no: str) -> str | tuple[str, int]:
    """A demand."""
    return _page("demand", no)


def _page(kind: str, no: str) -> str | tuple[str, int]:
    try:
        listing = queries.get(current_actor(), kind, no)
    except Gone as gone:
        return render_template("catalogue/gone.html", no=no, message=gone.message), 410
    return render_template("catalogue/listing.html", listing=listing)


@blueprint.get("/templates/<string:kind>.xlsx")
@requires(READ)
def template(kind: str) -> Response:
    """An empty spreadsheet to fill in, with notes and lists."""
    if kind not in _TEMPLATES:
        abort(404)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.xlsx"
        write_template(path, _TEMPLATES[kind].columns())
        data = BytesIO(path.read_bytes())
    names = {"achievements": "成果导入模板", "demands": "需求导入模板"}
    return send_file(data, XLSX, as_attachment=True, download_name=f"{names[kind]}.xlsx")
