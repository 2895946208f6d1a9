"""Bulletins as readers see them: list, one, table, news; and hearing of new ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, send_file
from werkzeug.wrappers import Response as AnyResponse

from market.core.errors import NotFound
from market.core.forms import Form
from market.core.http import current_actor, opens_by_address
from market.core.languages import is_english, url
from market.core.languages import translate as _
from market.core.pagination import EXACT_UP_TO, LISTINGS_PER_PAGE
from market.core.permissions import requires
from market.core.submitting import EMPTY, Page, Trouble, show, submit
from market.core.text import clean_line
from market.core.views import query_url
from market.discovery.bulletins import feeds, queries, service
from market.discovery.bulletins.models import LANGUAGES
from market.discovery.bulletins.schemas import ActSchema, SubscribeSchema
from market.discovery.bulletins.workflow import LIST, READ, STOP, SUBSCRIBE
from market.regions import queries as regions

blueprint = Blueprint("bulletin_pages", __name__)
MINE = "/my/bulletins"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def page_number() -> int:
    """The page of a list that is asked for."""
    text = request.args.get("page", "1")
    fits = text.isascii() and text.isdecimal() and len(text) < 6
    return min(max(int(text), 1), EXACT_UP_TO // LISTINGS_PER_PAGE) if fits else 1


def _code() -> str:
    return clean_line(request.args.get("region", ""))[:12]


def _base_url() -> str:
    return str(current_app.extensions["market"].settings.base_url)


@blueprint.get("/bulletins")
@requires(LIST)
def listed() -> str | AnyResponse:
    """Issued bulletins, of one place or of all."""
    code = _code()
    place = regions.get(code) if code else None
    page = queries.listed(current_actor(), code, page_number())
    if page.page > page.pages:
        return redirect(query_url())
    return render_template("bulletins/list.html", place=place, page=page)


@blueprint.get("/bulletins.atom")
@requires(LIST)
def feed() -> Response:
    """The newest bulletins (RFC 4287)."""
    found = feeds.feed(current_actor(), _code(), _base_url())
    text = render_template(
        "feeds/bulletins.xml", feed=found, base=_base_url(), moment=_moment, english=is_english()
    )
    return Response(text, content_type="application/atom+xml; charset=utf-8")


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@blueprint.get("/bulletins/<string:no>")
@requires(READ)
def bulletin(no: str) -> str:
    """One bulletin: on screen, and on A4."""
    return render_template("bulletins/bulletin.html", bulletin=queries.get(current_actor(), no))


@blueprint.get("/bulletins/<string:no>/table.xlsx")
@requires(READ)
def table(no: str) -> Response:
    """Its lines as a workbook."""
    found = queries.get(current_actor(), no)
    if found.state == "withdrawn":
        raise NotFound(_("这一期简报已撤回。"))
    data = feeds.table(found, _base_url())
    return send_file(data, _XLSX, as_attachment=True, download_name=f"{found.heading}.xlsx")


# -- hearing of new ones


@blueprint.get(MINE)
@requires(SUBSCRIBE)
def mine() -> Response:
    """订阅简报: of which places; with ?region= the form for one more."""
    return show(_mine_page)


def _mine_page(form: Form, trouble: Trouble) -> str:
    code = form.typed.get("region") or _code()
    found = queries.subscriptions(current_actor())
    place = None
    if code and code not in {one.region.code for one in found}:
        place = regions.get(code)
    return render_template(
        "bulletins/mine.html",
        rows=found,
        place=place,
        code=code,
        typed=form.typed if form is not EMPTY else {"language": request.args.get("language", "zh")},
        languages=list(LANGUAGES.items()),
        trouble=trouble,
        saved=bool(request.args.get("saved")) and not trouble,
    )


@blueprint.post(MINE)
@requires(SUBSCRIBE)
def subscribe() -> AnyResponse:
    """Hear of a place's bulletins."""

    def act(values: Mapping[str, Any]) -> str:
        service.subscribe(current_actor(), values["region"], values["language"])
        return f"{MINE}?saved=1"

    return submit(SubscribeSchema(), act, _mine_page)


@blueprint.post(f"{MINE}/<string:code>/stop")
@requires(SUBSCRIBE)
def unsubscribe(code: str) -> AnyResponse:
    """Hear of them no more."""
    regions.find(code)

    def act(_values: Mapping[str, Any]) -> str:
        service.unsubscribe(current_actor(), code)
        return MINE

    page: Page = _mine_page
    return submit(ActSchema(), act, page)


@blueprint.get("/bulletins/stop/<string:word>")
@requires(STOP)
@opens_by_address
def stopping(word: str) -> Response:
    """One button; looking changes nothing, since mail scanners follow links."""
    return _stop_page(word)


@blueprint.post("/bulletins/stop/<string:word>")
@requires(STOP)
@opens_by_address
def stop(word: str) -> Response:
    """End it. The address stands for the token of a form (RFC 8058)."""
    service.stop(word)
    return _stop_page(word)


def _stop_page(word: str) -> Response:
    found = queries.by_stop_word(word)
    page = render_template(
        "bulletins/stop.html",
        place=found[1] if found else "",
        done=found is None,
        action=url(f"/bulletins/stop/{word}"),
    )
    return Response(page, headers={"Cache-Control": "no-store"}, mimetype="text/html")
