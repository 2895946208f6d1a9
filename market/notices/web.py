"""公示公告: the public list, a notice, an announcement, and what programs follow."""

from __future__ import annotations

import tempfile
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, send_file
from werkzeug.wrappers import Response as AnyResponse

from market.core import clock, files
from market.core.errors import NotFound
from market.core.forms import read_form
from market.core.http import current_actor
from market.core.languages import N_
from market.core.languages import translate as _
from market.core.permissions import requires
from market.core.views import query_url
from market.notices import feeds, lists, queries
from market.notices.models import CHANNELS, FINDINGS, KINDS, OUTCOMES
from market.notices.queries import ANNOUNCEMENT_FILES
from market.notices.rules import RULE_SETS, UNITS
from market.notices.schemas import ListForm
from market.notices.workflow import LIST, VIEW, VIEW_ANNOUNCEMENT
from market.regions import queries as regions

blueprint = Blueprint("notices", __name__)
TABS = {"running": N_("公示中"), "ended": N_("已结束"), "announcements": N_("公告")}


def _base_url() -> str:
    return str(current_app.extensions["market"].settings.base_url)


def _asked() -> dict[str, Any]:
    """What the address asks for; a region that does not exist is passed over."""
    asked = dict(read_form(ListForm(), request.args).values)
    if asked.get("region"):
        try:
            regions.find(asked["region"])
        except NotFound:
            del asked["region"]
    return asked


@blueprint.get("/notices")
@requires(LIST)
def notice_list() -> str | AnyResponse:
    """公示公告: what runs, what is over, and announcements."""
    actor, asked = current_actor(), _asked()
    tab = asked.setdefault("tab", "running")
    announced = tab == "announcements"
    page = lists.announced(actor, asked) if announced else lists.listed(actor, asked)
    if page.page > page.pages:
        return redirect(query_url())
    return render_template(
        "notices/list.html",
        page=page,
        tab=tab,
        tabs=TABS,
        asked=asked,
        kinds=list(KINDS.items()),
        kind_labels=KINDS,
        units=UNITS,
        places=lists.places(actor),
    )


@blueprint.get("/notices/<string:no>")
@requires(VIEW)
def notice(no: str) -> str:
    """A notice: what it says, its clock, objections and outcome; also as one sheet of A4."""
    view = queries.public(current_actor(), no)
    found = view.notice
    gone = found.state == "withdrawn"
    return render_template(
        "notices/notice.html",
        view=view,
        notice=found,
        gone=gone,
        files=[] if gone else queries.files_of(found),
        intact=queries.is_intact(found),
        answers=[] if gone else queries.answers_of(found),
        kinds=KINDS,
        units=UNITS,
        rule=RULE_SETS[found.rule or "civil_code"],
        channels=CHANNELS,
        outcomes=OUTCOMES,
        findings=FINDINGS,
    )


@blueprint.get("/announcements/<string:no>")
@requires(VIEW_ANNOUNCEMENT)
def announcement(no: str) -> str:
    """公告: text and files; of a withdrawn one, only that and why."""
    found = queries.announcement(current_actor(), no)
    attached = files.files_of(ANNOUNCEMENT_FILES, found.id) if found.state == "published" else []
    return render_template("notices/announcement.html", row=found, files=attached)


@blueprint.get("/notices.csv")
@requires(LIST)
def export() -> Response:
    """导出表格: the notices of a tab."""
    asked = _asked()
    if asked.get("tab") == "announcements":
        del asked["tab"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notices.csv"
        feeds.write(current_actor(), asked, _base_url(), path)
        data = BytesIO(path.read_bytes())
    name = f"{_('公示')} {clock.today().isoformat()}.csv"
    return send_file(data, "text/csv", as_attachment=True, download_name=name)


@blueprint.get("/notices.atom")
@requires(LIST)
def feed() -> Response:
    """The newest notices (RFC 4287)."""
    found = feeds.feed(current_actor(), _asked(), _base_url())
    text = render_template(
        "notices/feed.xml", feed=found, base=_base_url(), moment=_moment, kinds=KINDS
    )
    return Response(text, content_type="application/atom+xml; charset=utf-8")


def _moment(moment: datetime) -> str:
    """A moment as RFC 3339 writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
