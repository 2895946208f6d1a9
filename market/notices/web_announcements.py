"""公告 of an office: drafting, publishing, withdrawing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core import csrf, files
from market.core.errors import Invalid, NotFound
from market.core.files import ACCEPTED
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import Trouble, show, submit
from market.core.views import query_url
from market.core.workflow import timeline
from market.notices import announcing, lists, queries
from market.notices.models import ANNOUNCEMENT_STATES
from market.notices.queries import ANNOUNCEMENT_FILES
from market.notices.schemas import ActSchema, AnnouncementSchema
from market.notices.workflow import ANNOUNCEMENT, READ_ANNOUNCEMENT, WRITE_ANNOUNCEMENT

blueprint = Blueprint("announcements", __name__)
WORDS = {"begin": "起草", "publish": "发布", "withdraw": "撤回"}


@blueprint.get("/desk/announcements")
@requires(READ_ANNOUNCEMENT)
def desk() -> str | AnyResponse:
    """公告 of the area's offices."""
    text = request.args.get("page", "1")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
    page = lists.announcements_in_area(current_actor(), max(1, number))
    if page.page > page.pages:
        return redirect(query_url())
    return render_template(
        "notices/announcements.html",
        page=page,
        states=ANNOUNCEMENT_STATES,
        may_create=bool(queries.owners(current_actor())),
    )


@blueprint.get("/desk/announcements/new")
@requires(WRITE_ANNOUNCEMENT)
def new() -> AnyResponse:
    """The empty form."""
    return show(_page(""))


@blueprint.post("/desk/announcements/new")
@requires(WRITE_ANNOUNCEMENT)
def create() -> AnyResponse:
    """Begin a draft."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        return f"/desk/announcements/{announcing.draft(actor, values)}"

    return submit(AnnouncementSchema(), act, _page(""))


@blueprint.get("/desk/announcements/<string:no>")
@requires(READ_ANNOUNCEMENT)
def case(no: str) -> AnyResponse:
    """An announcement for those who look after it."""
    return show(_page(no))


@blueprint.post("/desk/announcements/<string:no>")
@requires(WRITE_ANNOUNCEMENT)
def save(no: str) -> AnyResponse:
    """Save a draft; a good file is kept even when a field is wrong."""
    actor = current_actor()
    queries.announcement(actor, no, READ_ANNOUNCEMENT)
    wrong: dict[str, list[str]] = {}
    kept = 0  # each file moves the version on
    for sent in request.files.getlist("file"):
        if sent.filename and csrf.sent_by_our_form():
            try:
                announcing.add_file(actor, no, sent.filename, sent.read())
                kept += 1
            except Invalid as error:
                wrong = error.fields

    def act(values: Mapping[str, Any]) -> str:
        seen = values.get("version")
        announcing.save(actor, no, values, seen and seen + kept)
        if wrong:
            raise Invalid(wrong)
        return f"/desk/announcements/{no}?saved=1"

    return submit(AnnouncementSchema(), act, _page(no), twice=True)


@blueprint.post("/desk/announcements/<string:no>/<string:action>")
@requires(WRITE_ANNOUNCEMENT)
def act_on(no: str, action: str) -> AnyResponse:
    """Publish or withdraw."""
    if action not in {"publish", "withdraw"}:
        raise NotFound
    actor = current_actor()
    queries.announcement(actor, no, READ_ANNOUNCEMENT)

    def act(values: Mapping[str, Any]) -> str:
        announcing.act(actor, no, action, values.get("reason"), values.get("seen"))
        return f"/desk/announcements/{no}"

    return submit(ActSchema(), act, _page(no))


def _page(no: str) -> Any:
    """The page for `submit`; without a number the one for a new announcement."""

    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        row = queries.announcement(actor, no, READ_ANNOUNCEMENT) if no else None
        may = row is None or policy.allows(actor, WRITE_ANNOUNCEMENT, row)
        typed = form.typed if form.typed.get("title") is not None else None
        return render_template(
            "notices/announcement_case.html",
            row=row,
            edits=may and (row is None or row.state == "draft"),
            title=typed["title"] if typed else (row.title if row else ""),
            text=typed["text"] if typed else (row.text if row else ""),
            form=form,
            trouble=trouble,
            files=files.files_of(ANNOUNCEMENT_FILES, row.id) if row else [],
            buttons=queries.announcement_acts(actor, row) if row else [],
            events=timeline(ANNOUNCEMENT.name, row.id) if row else [],
            states=ANNOUNCEMENT_STATES,
            words=WORDS,
            accepted=ACCEPTED,
        )

    return page
