"""The office's pages of organisations: the list, one of them, merging two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from marshmallow import EXCLUDE, Schema
from werkzeug.wrappers import Response as AnyResponse

from market.accounts.members import desk, merging, renaming
from market.accounts.members.merging import OVERSEE, RECODE, SUPERVISE
from market.accounts.members.renaming import RENAME
from market.accounts.members.workflow import MERGE
from market.accounts.queries import find
from market.accounts.roles import MEMBERS
from market.accounts.verification import service as verifications
from market.accounts.verification.service import VERIFY
from market.core.errors import Invalid
from market.core.fields import Choice, Line, LongText, Whole
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE
from market.core.permissions import policy, requires
from market.core.submitting import EMPTY, Trouble, show, submit
from market.core.text import clean_line
from market.core.views import query_url

blueprint = Blueprint("desk_organisations", __name__)


class DeskForm(Schema):
    """What the list may be asked for; whatever makes no sense is left out."""

    q = Line(60)
    state = Choice(desk.FILTERS)
    page = Whole(1, EXACT_UP_TO // ROWS_PER_PAGE)


class ActSchema(Schema):
    """What one of the office's acts needs."""

    class Meta:
        unknown = EXCLUDE

    uscc = Line(60)
    name = Line(300)
    seen = Line(300)
    supervisor = Line(60)
    target = Line(60)
    reason = LongText(500)


_FORM = DeskForm()


@blueprint.get("/desk/organisations")
@requires(OVERSEE)
def organisations() -> str | AnyResponse:
    """Organisations of the area, with their verification and staff."""
    asked = read_form(_FORM, request.args).values
    q, only = asked.get("q", ""), asked.get("state", "")
    found = desk.page(current_actor(), q=q, only=only, page=asked.get("page", 1))
    if found.page > found.pages:
        return redirect(query_url())
    return render_template(
        "members/desk.html", page=found, q=q, only=only, filters=list(desk.FILTERS.items())
    )


@blueprint.get("/desk/organisations/<string:no>")
@requires(OVERSEE)
def organisation(no: str) -> AnyResponse:
    """One of them: verification, staff, rosters, and what may be done."""
    return show(lambda form, trouble: _page(no, form, trouble), EMPTY)


@blueprint.post("/desk/organisations/<string:no>/<string:action>")
@requires(OVERSEE)
def act(no: str, action: str) -> AnyResponse:
    """A new name or code, the supervising body, verification on sight."""
    actor = current_actor()
    acts: dict[str, Callable[[Mapping[str, Any]], None]] = {
        "code": lambda sent: merging.recode(
            actor, no, sent.get("uscc", ""), sent.get("reason", "")
        ),
        "name": lambda sent: renaming.rename(
            actor, no, sent.get("name", ""), sent.get("reason", ""), sent.get("seen")
        ),
        "supervisor": lambda sent: merging.supervise(actor, no, sent.get("supervisor", "")),
        "verify": lambda sent: _verify(no, sent.get("reason", "")),
    }
    if action not in acts:
        abort(404)
    find(actor, OVERSEE, no)

    def done(values: Mapping[str, Any]) -> str:
        acts[action](values)
        return f"/desk/organisations/{no}"

    return submit(ActSchema(), done, lambda form, trouble: _page(no, form, trouble, action))


def _verify(no: str, reason: str) -> None:
    actor = current_actor()
    verifications.verify_directly(actor, find(actor, VERIFY, no).id, reason)


def _page(no: str, form: Form, trouble: Trouble, opened: str = "") -> str:
    actor = current_actor()
    row = find(actor, OVERSEE, no)
    return render_template(
        "members/desk_one.html",
        found=desk.get(actor, no),
        may={
            "verify": policy.allows(actor, VERIFY, row),
            "name": policy.allows(actor, RENAME, row)
            and row.id not in actor.organisations(*MEMBERS),
            "code": policy.allows(actor, RECODE, row),
            "supervisor": policy.allows(actor, SUPERVISE, row),
            "merge": policy.allows(actor, MERGE, row),
        },
        form=form,
        trouble=trouble,
        opened=opened,
    )


@blueprint.get("/desk/organisations/<string:no>/merge")
@requires(MERGE)
def merge(no: str) -> AnyResponse:
    """Choose the other one, then see what would move."""
    return show(lambda form, trouble: _merge_page(no, form, trouble), EMPTY)


@blueprint.post("/desk/organisations/<string:no>/merge")
@requires(MERGE)
def do_merge(no: str) -> AnyResponse:
    """Merge."""
    actor = current_actor()

    def done(values: Mapping[str, Any]) -> str:
        return f"/desk/organisations/{merging.merge(actor, no, values.get('target', ''))}"

    return submit(ActSchema(), done, lambda form, trouble: _merge_page(no, form, trouble))


def _merge_page(no: str, form: Form, trouble: Trouble) -> str:
    actor = current_actor()
    source = desk.get(actor, no).organisation
    target = form.typed.get("target") or clean_line(request.args.get("target", ""))[:60]
    merger = None
    if target and not trouble:
        try:
            merger = merging.preview(actor, no, target)
        except Invalid as error:
            trouble = Trouble(errors={"target": error.fields["target"][0]})
    return render_template(
        "members/merge.html", source=source, target=target, merger=merger, trouble=trouble
    )
