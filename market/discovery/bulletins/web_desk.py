"""简报 on the desk: begin one, put it in order, issue it, withdraw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.submitting import EMPTY, Page, Trouble, show, submit
from market.core.views import query_url
from market.discovery.bulletins import queries, service
from market.discovery.bulletins.schemas import ActSchema, NewSchema, draft_schema
from market.discovery.bulletins.web import page_number
from market.discovery.bulletins.workflow import BULLETIN, WORDS, WRITE

blueprint = Blueprint("bulletins_desk", __name__)
DESK = "/desk/bulletins"


@blueprint.get(DESK)
@requires(WRITE)
def listed() -> AnyResponse:
    """The bulletins of one's area, and the button for a new one."""
    page = queries.desk(current_actor(), page_number())
    if page.page > page.pages:
        return redirect(query_url())
    return show(_list_page)


def _list_page(form: Form, trouble: Trouble) -> str:
    actor = current_actor()
    places = queries.places(actor)
    return render_template(
        "bulletins/desk.html",
        page=queries.desk(actor, page_number()),
        places=[(one.code, one.name) for one in places],
        typed=form.typed,
        trouble=trouble,
    )


@blueprint.post(DESK)
@requires(WRITE)
def draft() -> AnyResponse:
    """Begin one."""

    def act(values: Mapping[str, Any]) -> str:
        no = service.draft(current_actor(), values["region"], values.get("number"))
        return f"{DESK}/{no}"

    return submit(NewSchema(), act, _list_page)


@blueprint.get(f"{DESK}/<string:no>")
@requires(WRITE)
def bulletin(no: str) -> Response:
    """One of them; a draft can be changed here."""
    return show(_page(no))


def _page(no: str) -> Page:
    queries.find(current_actor(), no, WRITE)

    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        case = queries.case(actor, no)
        own = form is not EMPTY and "title" in form.typed
        texts = {"title": case.row.title, "number": case.row.number, "foreword": case.row.foreword}
        return render_template(
            "bulletins/case.html",
            case=case,
            bulletin=case.view,
            acts=BULLETIN.actions(actor, case.row),
            states=BULLETIN.states,
            words=WORDS,
            typed=form.typed if own else texts,
            own=own,
            dropped=request.form.getlist("drop") if own else [],
            saved=bool(request.args.get("saved")) and not trouble,
            trouble=trouble,
        )

    return page


@blueprint.post(f"{DESK}/<string:no>")
@requires(WRITE)
def save(no: str) -> AnyResponse:
    """Keep texts and order; with `then=issue` also issue it, so that nothing typed is left behind."""
    actor, then = current_actor(), request.form.get("then")
    nos = [one.no for one in queries.lines(queries.find(actor, no, WRITE))]

    def act(values: Mapping[str, Any]) -> str:
        service.save(actor, no, values, _order(nos, values), values.get("seen"))
        if then == "issue":
            service.issue(actor, no)
            return f"{DESK}/{no}"
        return f"{DESK}/{no}?saved=1"

    return submit(draft_schema(nos), act, _page(no))


def _order(nos: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """The listings as the clerk wants them: by the numbers typed, then those added."""
    dropped = set(values.get("drop", ()))
    places = {no: (values.get(f"place_{no}", at), at) for at, no in enumerate(nos, 1)}
    kept = sorted((no for no in nos if no not in dropped), key=lambda no: places[no])
    return [*kept, *values.get("add", ())]


@blueprint.post(f"{DESK}/<string:no>/<any(withdraw, drop):action>")
@requires(WRITE)
def act(no: str, action: str) -> AnyResponse:
    """Withdraw, drop."""

    def do(values: Mapping[str, Any]) -> str:
        service.act(current_actor(), no, action, values.get("reason"), values.get("seen"))
        return f"{DESK}/{no}"

    return submit(ActSchema(), do, _page(no))
