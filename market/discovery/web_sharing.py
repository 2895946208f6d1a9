"""Results to take away and to follow: tables, news feeds, maps for search engines."""

from __future__ import annotations

import tempfile
from datetime import datetime
from io import BytesIO
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, render_template, request, send_file

from market.core import clock
from market.core.http import current_actor
from market.core.languages import translate as _
from market.core.permissions import requires
from market.discovery import exports, feeds, forms
from market.discovery.exports import EXPORT, MOST_ROWS
from market.discovery.feeds import FOLLOW

blueprint = Blueprint("sharing", __name__)
_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
}


def _base_url() -> str:
    return str(current_app.extensions["market"].settings.base_url)


@blueprint.get("/search.xlsx", defaults={"ending": "xlsx"})
@blueprint.get("/search.csv", defaults={"ending": "csv"})
@requires(EXPORT)
def export(ending: str) -> Response:
    """导出表格: all rows of a search, in the order of the page."""
    found = exports.export(current_actor(), forms.read(request.args), _base_url())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"results.{ending}"
        exports.write(found, path)
        data = BytesIO(path.read_bytes())
    words = _("搜索结果（前 %(n)s 行）") % {"n": MOST_ROWS} if found.cut else _("搜索结果")
    name = f"{words} {clock.today().isoformat()}.{ending}"
    return send_file(data, _TYPES[ending], as_attachment=True, download_name=name)


@blueprint.get("/feed.atom")
@requires(FOLLOW)
def feed() -> Response:
    """The newest listings of a search (RFC 4287)."""
    found = feeds.feed(current_actor(), forms.read(request.args), _base_url())
    text = render_template("feeds/atom.xml", feed=found, base=_base_url(), moment=_moment)
    return Response(text, content_type="application/atom+xml; charset=utf-8")


def _moment(moment: datetime) -> str:
    """A moment as RFC 3339 writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@blueprint.get("/sitemap.xml")
@requires(FOLLOW)
def sitemap() -> Response:
    """The map's index: one part of pages, and listings by row numbers."""
    names = ["pages", *range(1, feeds.parts(current_actor()) + 1)]
    return _xml("feeds/sitemap_index.xml", names=names)


@blueprint.get("/sitemap-pages.xml")
@requires(FOLLOW)
def sitemap_pages() -> Response:
    """Fixed pages and places."""
    rows = [(address, None) for address in feeds.pages(current_actor())]
    return _xml("feeds/sitemap.xml", rows=rows)


@blueprint.get("/sitemap-<int:number>.xml")
@requires(FOLLOW)
def sitemap_part(number: int) -> Response:
    """One part of the listings, at most 10,000."""
    actor = current_actor()
    if not 1 <= number <= feeds.parts(actor):
        abort(404)
    return _xml("feeds/sitemap.xml", rows=feeds.part(actor, number))


def _xml(template: str, **values: object) -> Response:
    text = render_template(template, base=_base_url(), moment=_moment, **values)
    return Response(text, content_type="application/xml; charset=utf-8")


@blueprint.get("/robots.txt")
@requires(FOLLOW)
def robots() -> Response:
    """What machines need not read: tables, comparisons, forms, the API (RFC 9309)."""
    closed = ["/api/", "/*search.xlsx", "/*search.csv", "/*compare?", "/*/report", "/*reports/"]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), ""]
    lines.append(f"Sitemap: {_base_url()}/sitemap.xml")
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
