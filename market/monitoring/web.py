"""工作台 for offices, 我的事项 for everybody, and the sheet for Monday."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, send_file
from werkzeug.wrappers import Response as AnyResponse

from market.accounts.members import steps
from market.accounts.people.sessions import works_at_desk
from market.accounts.roles import EDITORS, OFFICES
from market.core import clock
from market.core.db import db
from market.core.errors import Invalid
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import Actor, requires
from market.core.sheets import write_table
from market.core.submitting import Page, Trouble, show, submit
from market.matching import queries as inquiries
from market.matching.models import STATES as INQUIRY_STATES
from market.monitoring import acts, monday, my_queries, queries, service
from market.monitoring.acts import BULK
from market.monitoring.models import BULK_STATES, ROW_STATES
from market.monitoring.queries import DESK, MY, OPEN
from market.monitoring.schemas import (
    MOST_ROWS,
    ORDERS,
    TABS,
    BulkSchema,
    DeskForm,
    NothingSchema,
    read_desk,
)
from market.vouchers.office_pages.waiting import for_finance

blueprint = Blueprint("monitoring", __name__)
# What waits for an office, for the groups of its pages (`components/sections.html`).
blueprint.add_app_template_global(queries.waiting, "desk_waiting")
ORDER_COOKIE = "desk_order"
YEAR = 366 * 24 * 3600  # seconds
ASKED_SHOWN = 5  # own inquiries on /my
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Where administrators work, who have no cases.
_ELSEWHERE = {
    "system_admin": "/desk/people",
    "security_admin": "/desk/grants",
    "audit_admin": "/desk/audit",
}


def _asked() -> DeskForm:
    """The desk of this address; the order is remembered from the last time."""
    order = request.cookies.get(ORDER_COOKIE, "")
    return read_desk(request.args, order=order if order in ORDERS else "due")


def _desk_page(form: DeskForm) -> Page:
    def page(sent: Form, trouble: Trouble) -> str:
        actor = current_actor()
        found = queries.desk(actor, form)
        kinds = acts.workflows()
        shown = [form.kind] if form.kind else [one.kind for one in found.page.items]
        return render_template(
            "monitoring/desk.html",
            desk=found,
            form=form,
            page=found.page,
            tabs=TABS,
            orders=ORDERS,
            kinds={name: one.label for name, one in kinds.items()},
            states={name: one.states for name, one in kinds.items()},
            offers=acts.offers(actor, shown),
            ticked=set(request.form.getlist("item")),
            sent=sent,
            trouble=trouble,
            most=MOST_ROWS,
        )

    return page


@blueprint.get("/start")
@requires(MY)
def start() -> AnyResponse:
    """Where somebody begins who has just signed in: at the desk, or with his own cases."""
    return redirect("/desk" if works_at_desk(current_actor()) else "/my")


@blueprint.get("/desk")
@requires(OPEN)
def desk() -> AnyResponse:
    """工作台: the cases of one's area."""
    actor = current_actor()
    if not actor.areas(*OFFICES):
        return redirect(next(to for role, to in _ELSEWHERE.items() if actor.has(role)))
    form = _asked()
    response = show(_desk_page(form))
    if request.args.get("order") in ORDERS:
        response.set_cookie(
            ORDER_COOKIE, form.order, max_age=YEAR, httponly=True, samesite="Lax", path="/desk"
        )
    return response


@blueprint.post("/desk")
@requires(BULK)
def act() -> AnyResponse:
    """Do something to the ticked cases, or to all that the filters find."""
    actor, form = current_actor(), _asked()

    def begin(values: Mapping[str, Any]) -> str:
        ids = _chosen(actor, form)
        return f"/desk/bulk/{service.start(actor, values['act'], ids, values)}"

    return submit(BulkSchema(), begin, _desk_page(form))


def _chosen(actor: Actor, form: DeskForm) -> list[int]:
    """Ids of the ticked cases, or with `all` of the first 500 that the filters find."""
    if request.form.get("all"):
        found = queries.places(actor, form.place)
        place = queries.chosen_place(found, form.place)
        query = queries.ids_of(actor, form, place, DESK)
        return list(db.session.scalars(query.limit(MOST_ROWS)))
    ticked = request.form.getlist("item")
    if not all(one.isascii() and one.isdecimal() and len(one) < 16 for one in ticked):
        raise Invalid({"item": ["请重新勾选。"]})
    return [int(one) for one in ticked]


def _bulk_page(number: int) -> Page:
    def page(_form: Form, trouble: Trouble) -> str:
        return render_template(
            "monitoring/bulk.html",
            bulk=my_queries.bulk(service.own(current_actor(), number)),
            states=BULK_STATES,
            row_states=ROW_STATES,
            trouble=trouble,
        )

    return page


@blueprint.get("/desk/bulk/<int:number>")
@requires(BULK)
def bulk(number: int) -> Response:
    """What became of an act on many cases; how far it is."""
    return show(_bulk_page(number))


@blueprint.post("/desk/bulk/<int:number>/undo")
@requires(BULK)
def undo(number: int) -> AnyResponse:
    """Take the act back."""
    actor = current_actor()
    service.own(actor, number)

    def take_back(_values: Mapping[str, Any]) -> str:
        service.undo(actor, number)
        return f"/desk/bulk/{number}"

    return submit(NothingSchema(), take_back, _bulk_page(number))


@blueprint.get("/my")
@requires(MY)
def my() -> str:
    """我的事项: what waits for me, what I wait for, what is done."""
    actor = current_actor()
    group = request.args.get("group", "")
    group = group if group in my_queries.GROUPS else ""
    page = read_desk(request.args).page if group else 1
    kinds = acts.workflows()
    return render_template(
        "monitoring/my.html",
        groups=my_queries.mine(actor, group, page),
        steps=[] if group else steps.next_steps(actor) + for_finance(actor),
        asked=[] if group else inquiries.asked_lately(actor, ASKED_SHOWN),
        inquiry_states=INQUIRY_STATES,
        group=group,
        only_reads=not actor.has(*EDITORS, "certifier") and actor.has("viewer"),
        kinds={name: one.label for name, one in kinds.items()},
        states={name: one.states for name, one in kinds.items()},
    )


def _monday() -> monday.Sheet:
    """This week's sheet of the place that the address asks for."""
    kinds = {name: one.label for name, one in acts.workflows().items()}
    return monday.sheet(current_actor(), request.args.get("place", ""), clock.today(), kinds)


@blueprint.get("/desk/monday")
@requires(DESK)
def monday_sheet() -> str:
    """周一简表: one sheet of A4 for the meeting."""
    return render_template(
        "monitoring/monday.html", sheet=_monday(), most_people=monday.MOST_PEOPLE
    )


@blueprint.get("/desk/monday.xlsx")
@requires(DESK)
def monday_file() -> Response:
    """The same figures as a table to take away."""
    found = _monday()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "monday.xlsx"
        write_table(path, monday.COLUMNS, monday.rows(found), monday.notes(found))
        data = BytesIO(path.read_bytes())
    name = f"周一简表-{found.place.name}-{found.today.isoformat()}.xlsx"
    return send_file(data, XLSX, as_attachment=True, download_name=name)
