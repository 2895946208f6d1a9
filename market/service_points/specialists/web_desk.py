"""Brokers and experts as their office keeps them, those without consent too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.accounts.members import queries as members
from market.core import csrf
from market.core.errors import Invalid
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.submitting import EMPTY, Page, Trouble, show, submit
from market.core.views import query_url
from market.service_points.finding import Finder, chosen_fields, field_names
from market.service_points.models import GRADES, SPECIALIST_KINDS, Specialist
from market.service_points.specialists import queries, service
from market.service_points.specialists.queries import Asked
from market.service_points.specialists.schemas import (
    ConsentSchema,
    LinkSchema,
    ReasonSchema,
    SavedSchema,
    SpecialistForm,
    SpecialistSchema,
)
from market.service_points.workflow import (
    CONSENT,
    CONTACT,
    EDIT_SPECIALIST,
    OVERSEE_SPECIALISTS,
    RECORD_SPECIALIST,
    WITHDRAW,
)

blueprint = Blueprint("specialists_desk", __name__)
URL = "/desk/specialists"


@blueprint.get(URL)
@requires(OVERSEE_SPECIALISTS)
def overview() -> str | AnyResponse:
    """技术经理人与专家 of the area."""
    asked = read_form(SpecialistForm(), request.args).values
    chosen = Asked(asked.get("q", ""), asked.get("kind", ""))
    page = queries.desk(current_actor(), chosen, asked.get("page", 1))
    if page.page > page.pages:
        return redirect(query_url())
    return render_template(
        "service_points/desk_specialists.html", page=page, asked=chosen, kinds=SPECIALIST_KINDS
    )


@blueprint.get(f"{URL}/new")
@requires(RECORD_SPECIALIST)
def new() -> AnyResponse:
    """The form of a new one."""
    return show(_new_page)


@blueprint.post(f"{URL}/new")
@requires(RECORD_SPECIALIST)
def record() -> AnyResponse:
    """Record one."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        said = {key: value for key, value in values.items() if key != "no"}
        return f"{URL}/{service.record(actor, Finder().resolve(said))}"

    return submit(SpecialistSchema(), act, _new_page)


def _new_page(form: Form, trouble: Trouble) -> str:
    kind = request.args.get("kind", "")
    typed = form.typed or {"kind": kind if kind in SPECIALIST_KINDS else "broker"}
    return _form(typed, trouble, action=f"{URL}/new")


def _form(typed: Mapping[str, str], trouble: Trouble, **more: Any) -> str:
    notes = {
        key: one.metadata.get("note", "") for key, one in SpecialistSchema().declared_fields.items()
    }
    return render_template(
        "service_points/desk_specialist_form.html",
        typed=typed,
        trouble=trouble,
        kinds=list(SPECIALIST_KINDS.items()),
        grades=list(GRADES.items()),
        fields=list(field_names().items()),
        chosen_fields=chosen_fields(typed.get("fields", "")),
        notes=notes,
        **more,
    )


def as_typed(row: Specialist) -> dict[str, str]:
    """A specialist as the form shows him; what is sealed is left empty and stays."""
    words = queries.words_of(row)
    dumped = SpecialistSchema().dump(words)
    found = {key: "" if value is None else str(value) for key, value in dumped.items()}
    return (
        found
        | {"kind": row.kind, "grade": row.grade or ""}
        | {"industries": "；".join(words["industries"])}
    )


@blueprint.get(f"{URL}/<string:no>")
@requires(OVERSEE_SPECIALISTS)
def specialist(no: str) -> AnyResponse:
    """One with everything the office may know."""
    queries.find(current_actor(), OVERSEE_SPECIALISTS, no)
    return show(_page(no))


def _page(no: str, part: str = "", contact: str | None = None) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        row = queries.find(current_actor(), OVERSEE_SPECIALISTS, no)
        return render_template(
            "service_points/desk_specialist.html",
            one=queries.view(row),
            masked=queries.masked_contact(row),
            contact=contact,
            linked=row.person_id,
            people=[
                (str(one.person_id), one.name)
                for one in (members.staff(row.organisation_id) if row.organisation_id else [])
            ],
            part=part,
            form=form,
            trouble=trouble,
        )

    return page


@blueprint.get(f"{URL}/<string:no>/edit")
@requires(EDIT_SPECIALIST)
def edit(no: str) -> AnyResponse:
    """The form of one that is there."""
    queries.find(current_actor(), EDIT_SPECIALIST, no)
    return show(_edit_page(no))


@blueprint.post(f"{URL}/<string:no>/edit")
@requires(EDIT_SPECIALIST)
def save(no: str) -> AnyResponse:
    """Save it; when somebody else was quicker, both versions are shown."""
    actor = current_actor()
    queries.find(actor, EDIT_SPECIALIST, no)

    def act(values: Mapping[str, Any]) -> str:
        said = {key: value for key, value in values.items() if key not in ("no", "version")}
        service.edit(actor, no, values["version"], Finder().resolve(said))
        return f"{URL}/{no}"

    return submit(SavedSchema(), act, _edit_page(no))


def _edit_page(no: str) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        row = queries.find(current_actor(), EDIT_SPECIALIST, no)
        now = as_typed(row)
        labels = {
            key: one.metadata["label"] for key, one in SpecialistSchema().declared_fields.items()
        }
        typed = {**now, **form.typed} if form.typed else now
        sealed = ("certificate", "contact")
        return _form(
            typed,
            trouble,
            action=f"{URL}/{no}/edit",
            row=row,
            version=row.lock_version,
            stale=trouble.status == 409,
            now={
                labels[key]: text
                for key, text in now.items()
                if key not in sealed and text != typed.get(key, "")
            },
        )

    return page


@blueprint.post(f"{URL}/<string:no>/consent")
@requires(CONSENT)
def consent(no: str) -> AnyResponse:
    """Note that he agreed to be listed."""
    actor = current_actor()
    queries.find(actor, CONSENT, no)

    def act(values: Mapping[str, Any]) -> str:
        service.consent(actor, no, values["consented_on"], values["consent_how"])
        return f"{URL}/{no}"

    return submit(ConsentSchema(), act, _page(no, "consent"))


@blueprint.post(f"{URL}/<string:no>/link")
@requires(EDIT_SPECIALIST)
def link(no: str) -> AnyResponse:
    """Tie him to his account."""
    actor = current_actor()
    queries.find(actor, EDIT_SPECIALIST, no)

    def act(values: Mapping[str, Any]) -> str:
        service.link(actor, no, values.get("person"))
        return f"{URL}/{no}"

    return submit(LinkSchema(), act, _page(no, "link"))


@blueprint.post(f"{URL}/<string:no>/withdraw")
@requires(WITHDRAW)
def withdraw(no: str) -> AnyResponse:
    """Take his consent back, because he said so."""
    actor = current_actor()
    queries.find(actor, OVERSEE_SPECIALISTS, no)

    def act(values: Mapping[str, Any]) -> str:
        service.withdraw(actor, no, values.get("reason"))
        return f"{URL}/{no}"

    return submit(ReasonSchema(), act, _page(no, "withdraw"))


@blueprint.post(f"{URL}/<string:no>/remove")
@requires(EDIT_SPECIALIST)
def remove(no: str) -> AnyResponse:
    """Remove him; contact and certificate are forgotten."""
    actor = current_actor()
    queries.find(actor, EDIT_SPECIALIST, no)

    def act(values: Mapping[str, Any]) -> str:
        service.remove(actor, no, values.get("reason"))
        return URL

    return submit(ReasonSchema(), act, _page(no, "remove"))


@blueprint.post(f"{URL}/<string:no>/contact")
@requires(CONTACT)
def contact(no: str) -> Response:
    """查看完整信息: how to reach him, for this once; noted in the audit."""
    actor = current_actor()
    queries.find(actor, OVERSEE_SPECIALISTS, no)
    form = read_form(ReasonSchema(), request.form)
    if not csrf.sent_by_our_form():
        return show(_page(no, "contact"), form, Trouble(csrf.STALE, status=400))
    try:
        found = service.read_contact(actor, no, form.values.get("reason"))
    except Invalid as error:
        errors = {name: " ".join(words) for name, words in error.fields.items()}
        return show(_page(no, "contact"), form, Trouble(errors=errors, status=422))
    return show(_page(no, contact=found), EMPTY)
