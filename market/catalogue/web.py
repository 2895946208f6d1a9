"""Around a listing: its poster and QR code, reporting a mistake in it, templates for many."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    send_file,
)
from werkzeug.wrappers import Response as AnyResponse

from market.catalogue import queries, service
from market.catalogue.importer import ACHIEVEMENTS, DEMANDS
from market.catalogue.models import REPORT_REASONS
from market.catalogue.problems import ReportSchema
from market.catalogue.queries import FOLLOW, READ, ListingView
from market.catalogue.service import REPORT
from market.core import csrf
from market.core.errors import Busy, TooMany
from market.core.forms import Form, read_form
from market.core.http import client_address, current_actor, opens_by_address
from market.core.languages import translate as _
from market.core.permissions import requires
from market.core.sheets import write_template

blueprint = Blueprint("catalogue", __name__)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DAY = 24 * 3600  # seconds
_TEMPLATES = {"achievements": ACHIEVEMENTS, "demands": DEMANDS}
_ACHIEVEMENT, _DEMAND = {"kind": "achievement"}, {"kind": "demand"}
_EMPTY = Form({}, {}, {})


@blueprint.get("/achievements/<string:no>/qr.svg", defaults=_ACHIEVEMENT)
@blueprint.get("/demands/<string:no>/qr.svg", defaults=_DEMAND)
@requires(READ)
def qr(kind: str, no: str) -> Response:
    """The listing's address as a QR code (ISO/IEC 18004, a seventh of it may be damaged)."""
    import segno

    listing = queries.get(current_actor(), kind, no)
    address = current_app.extensions["market"].settings.base_url + listing.url
    picture = BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(picture, kind="svg", scale=8, xmldecl=False, light="#fff", title=address)
    response = Response(picture.getvalue(), mimetype="image/svg+xml")
    response.cache_control.public = True
    response.cache_control.max_age = DAY
    return response


@blueprint.get("/achievements/<string:no>/poster", defaults=_ACHIEVEMENT)
@blueprint.get("/demands/<string:no>/poster", defaults=_DEMAND)
@requires(READ)
def poster(kind: str, no: str) -> str:
    """One sheet of A4 to put up in the village, with the QR code of the listing."""
    listing = queries.get(current_actor(), kind, no)
    return render_template("catalogue/poster.html", listing=listing)


@blueprint.get("/achievements/<string:no>/report", defaults=_ACHIEVEMENT)
@blueprint.get("/demands/<string:no>/report", defaults=_DEMAND)
@requires(REPORT)
def report(kind: str, no: str) -> Response:
    """报告错误: the empty form."""
    return _report_page(queries.get(current_actor(), kind, no), _EMPTY)


@blueprint.post("/achievements/<string:no>/report", defaults=_ACHIEVEMENT)
@blueprint.post("/demands/<string:no>/report", defaults=_DEMAND)
@requires(REPORT)
def send_report(kind: str, no: str) -> AnyResponse:
    """Keep a report; whatever goes wrong, the form comes back as it was filled in."""
    actor = current_actor()
    listing = queries.get(actor, kind, no)
    form = read_form(ReportSchema(), request.form)
    if not csrf.sent_by_our_form():
        sentence = _(
            "这一页打开得太久，或浏览器没有保存表单凭据。内容都还在，请再点一次「提交报告」。"
        )
        return _report_page(listing, form, sentence, 400)
    if form.errors:
        return _report_page(listing, form, status=422)
    try:
        number = service.report_problem(actor, kind, no, form.values, address=client_address())
    except (Busy, TooMany) as error:
        response = _report_page(listing, form, error.message, error.status)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    return redirect(f"/reports/{number}", 303)


def _report_page(
    listing: ListingView, form: Form, sentence: str = "", status: int = 200
) -> Response:
    """The form. sentence: why it was not taken; mistakes of fields are shown when it is empty."""
    errors = {} if sentence else {name: " ".join(found) for name, found in form.errors.items()}
    page = render_template(
        "catalogue/report.html",
        listing=listing,
        form=form,
        errors=errors,
        sentence=sentence,
        reasons=list(REPORT_REASONS.items()),
        token=csrf.token(),
    )
    return Response(page, status, {"Cache-Control": "no-store"})


@blueprint.get("/reports/<string:no>")
@requires(FOLLOW)
@opens_by_address
def report_state(no: str) -> Response:
    """How a report stands, for whoever has its number."""
    found = queries.follow_report(current_actor(), no)
    page = render_template("catalogue/report_state.html", report=found)
    return Response(page, headers={"Cache-Control": "no-store"})


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
