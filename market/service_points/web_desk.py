"""The directory as its offices keep it: record, edit, renew, suspend, end, and who works there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.accounts.members import queries as members
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.submitting import Page, Trouble, show, submit
from market.core.views import query_url
from market.core.workflow import timeline
from market.service_points import overview as overviews
from market.service_points import queries, service, staff
from market.service_points.finding import Finder, chosen_fields, field_names, words_of
from market.service_points.models import (
    AB_ROLES,
    AMOUNT_BASES,
    BODY,
    KINDS,
    MODES,
    POINT,
    POWERS,
    STATES,
)
from market.service_points.schemas import (
    AdmissionSchema,
    DeskForm,
    ReasonSchema,
    RenewSchema,
    SavedSchema,
    StaffSchema,
)
from market.service_points.workflow import (
    ADMISSION,
    EDIT,
    END,
    OVERSEE,
    RECORD,
    STAFF,
    SUSPEND,
)

blueprint = Blueprint("service_points_desk", __name__)
WORDS = {
    "begin": "录入",
    "edit": "修改",
    "describe": "单位自行修改",
    "renew": "续期",
    "suspend": "暂停办理",
    "resume": "恢复办理",
    "end": "终止",
}
_DESK_STATES = [*STATES.items(), ("soon", "60 天内到期"), ("expired", "已到期")]
# Which fields the form of a kind shows, beside those that all have.
_OF_BODY = ("parent", "areas", "units", "powers", "mode", "amount", "amount_base", "amount_meaning")
_OF_POINT = ("parent", "areas", "powers")
_OF_OTHERS = ("areas", "fields", "industries")


def shown_fields(kind: str) -> tuple[str, ...]:
    """The fields that only some kinds have, and this one has."""
    return {BODY: _OF_BODY, POINT: _OF_POINT}.get(kind, _OF_OTHERS)


@blueprint.get("/desk/service-points")
@requires(OVERSEE)
def overview() -> str | AnyResponse:
    """服务机构: what lies in the area, what ends first at the top."""
    asked = read_form(DeskForm(), request.args).values
    chosen = {name: asked.get(name, "") for name in ("q", "kind", "state")}
    page = overviews.desk(current_actor(), **chosen, page=asked.get("page", 1))
    if page.page > page.pages:
        return redirect(query_url())
    return render_template(
        "service_points/desk.html",
        page=page,
        asked=chosen,
        kinds=KINDS,
        states=_DESK_STATES,
    )


@blueprint.get("/desk/service-points/new")
@requires(RECORD)
def new() -> AnyResponse:
    """Choose a kind, then its form."""
    return show(_new_page)


@blueprint.post("/desk/service-points/new")
@requires(RECORD)
def record() -> AnyResponse:
    """Record an admission."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        no = service.record(actor, Finder().resolve(_of_kind(values, values["kind"])))
        return f"/desk/service-points/{no}"

    return submit(AdmissionSchema(), act, _new_page)


def _of_kind(values: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """What the form said; what a kind does not have must not slip through unseen."""
    return {key: value for key, value in values.items() if key not in ("no", "version")} | {
        "kind": kind
    }


def _new_page(form: Form, trouble: Trouble) -> str:
    kind = form.values.get("kind") or request.args.get("kind", "")
    if kind not in KINDS:
        return render_template("service_points/desk_kinds.html", kinds=KINDS)
    typed = form.typed or {
        "organisation": request.args.get("organisation", "")[:60],
        "powers": "；".join(POWERS.get(kind, ())),
    }
    return _form(kind, typed, trouble, action="/desk/service-points/new")


def _form(kind: str, typed: Mapping[str, Any], trouble: Trouble, **more: Any) -> str:
    return render_template(
        "service_points/desk_form.html",
        admitted_as=kind,
        kind_label=KINDS[kind],
        typed=typed,
        trouble=trouble,
        shown=shown_fields(kind),
        powers=list(POWERS.get(kind, {}).items()),
        fields=list(field_names().items()),
        chosen_fields=chosen_fields(typed.get("fields", "")),
        modes=list(MODES.items()),
        bases=list(AMOUNT_BASES.items()),
        notes={
            key: one.metadata.get("note", "")
            for key, one in AdmissionSchema().declared_fields.items()
        },
        **more,
    )


@blueprint.get("/desk/service-points/<string:no>")
@requires(OVERSEE)
def admission(no: str) -> AnyResponse:
    """An admission: what it says, its staff, what may be done, what happened."""
    queries.load(current_actor(), OVERSEE, no)
    return show(_page(no))


def _page(no: str, part: str = "") -> Page:
    """part: the form that was sent, whose texts come back."""

    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        row = queries.load(actor, OVERSEE, no)
        found = queries.get(actor, no)
        return render_template(
            "service_points/desk_one.html",
            one=found,
            row=row,
            kind_label=KINDS[row.kind],
            actions=ADMISSION.actions(actor, row),
            events=timeline(ADMISSION.name, row.id),
            states=STATES,
            words=WORDS,
            bases=AMOUNT_BASES,
            modes=MODES,
            powers=[POWERS[row.kind][power] for power in found.powers],
            fields=[field_names().get(code, code) for code in found.fields],
            people=[(str(one.person_id), one.name) for one in members.staff(row.organisation_id)],
            ab_roles=list(AB_ROLES.items()),
            part=part,
            form=form,
            trouble=trouble,
        )

    return page


@blueprint.get("/desk/service-points/<string:no>/edit")
@requires(EDIT)
def edit(no: str) -> AnyResponse:
    """The form of an admission that is there."""
    queries.load(current_actor(), EDIT, no)
    return show(_edit_page(no))


@blueprint.post("/desk/service-points/<string:no>/edit")
@requires(EDIT)
def save(no: str) -> AnyResponse:
    """Save it; when somebody else was quicker, both versions are shown."""
    actor = current_actor()
    kind = queries.load(actor, EDIT, no).kind

    def act(values: Mapping[str, Any]) -> str:
        said = _of_kind(values, kind)
        said.pop("organisation", None)
        service.edit(actor, no, values["version"], Finder().resolve(said))
        return f"/desk/service-points/{no}"

    return submit(SavedSchema(), act, _edit_page(no))


def as_typed(row: Any) -> dict[str, str]:
    """An admission as its form shows it."""
    words = words_of(row)
    dumped = AdmissionSchema().dump(words)
    lists = {key: "；".join(words[key]) for key in ("areas", "units", "powers", "industries")}
    codes = {key: words[key] or "" for key in ("kind", "mode", "amount_base")}
    found = {key: "" if value is None else str(value) for key, value in dumped.items()}
    return found | lists | codes


def _edit_page(no: str) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        row = queries.load(current_actor(), EDIT, no)
        now = as_typed(row)
        labels = {
            key: one.metadata["label"] for key, one in AdmissionSchema().declared_fields.items()
        }
        typed = {**now, **form.typed} if form.typed else now
        return _form(
            row.kind,
            typed,
            trouble,
            action=f"/desk/service-points/{no}/edit",
            row=row,
            version=row.lock_version,
            stale=trouble.status == 409,
            now={labels[key]: text for key, text in now.items() if text != typed.get(key, "")},
        )

    return page


@blueprint.post("/desk/service-points/<string:no>/renew")
@requires(EDIT)
def renew(no: str) -> AnyResponse:
    """A longer validity."""
    actor = current_actor()
    queries.load(actor, EDIT, no)

    def act(values: Mapping[str, Any]) -> str:
        service.renew(actor, no, values["version"], values.get("valid_to"), values["source"])
        return f"/desk/service-points/{no}"

    return submit(RenewSchema(), act, _page(no, "renew"))


@blueprint.post("/desk/service-points/<string:no>/staff")
@requires(STAFF)
def add_staff(no: str) -> AnyResponse:
    """Note somebody who works there."""
    actor = current_actor()
    queries.load(actor, STAFF, no)

    def act(values: Mapping[str, Any]) -> str:
        staff.add(actor, no, values)
        return f"/desk/service-points/{no}#staff"

    return submit(StaffSchema(), act, _page(no, "staff"))


@blueprint.post("/desk/service-points/<string:no>/staff/<int:staff_id>/remove")
@requires(STAFF)
def remove_staff(no: str, staff_id: int) -> AnyResponse:
    """Take somebody off the list."""
    actor = current_actor()
    queries.load(actor, STAFF, no)

    def act(_values: Mapping[str, Any]) -> str:
        staff.remove(actor, no, staff_id)
        return f"/desk/service-points/{no}#staff"

    return submit(ReasonSchema(), act, _page(no))


@blueprint.post("/desk/service-points/<string:no>/suspend", defaults={"action": "suspend"})
@blueprint.post("/desk/service-points/<string:no>/resume", defaults={"action": "resume"})
@requires(SUSPEND)
def suspend(no: str, action: str) -> AnyResponse:
    """Suspend or resume."""
    return _fire(no, action)


@blueprint.post("/desk/service-points/<string:no>/end")
@requires(END)
def end(no: str) -> AnyResponse:
    """End it."""
    return _fire(no, "end")


def _fire(no: str, action: str) -> AnyResponse:
    actor = current_actor()
    queries.load(actor, OVERSEE, no)

    def act(values: Mapping[str, Any]) -> str:
        service.do(actor, no, action, values.get("reason"))
        return f"/desk/service-points/{no}"

    return submit(ReasonSchema(), act, _page(no, action))
