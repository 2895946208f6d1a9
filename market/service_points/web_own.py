"""The entries of one's own organisation: reading what the office decided, changing plain facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template
from werkzeug.wrappers import Response as AnyResponse

from market.accounts import queries as accounts
from market.accounts.members import queries as members
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import Page, Trouble, show, submit
from market.core.workflow import timeline
from market.service_points import overview, queries, service, staff
from market.service_points.finding import field_names
from market.service_points.models import AB_ROLES, AMOUNT_BASES, KINDS, MODES, POWERS, STATES
from market.service_points.schemas import FactsSchema, ShownSchema, StaffSchema
from market.service_points.service import FACTS
from market.service_points.workflow import ADMISSION, DESCRIBE, OWN, STAFF

blueprint = Blueprint("service_points_own", __name__)
URL = "/my/service-points"
_WORDS = {
    "begin": "列入名录",
    "edit": "科技管理部门修改",
    "describe": "本单位修改",
    "renew": "续期",
    "suspend": "暂停办理",
    "resume": "恢复办理",
    "end": "终止",
}


@blueprint.get(URL)
@requires(OWN)
def entries() -> str:
    """名录中的本单位: what one's organisations were admitted as."""
    return render_template(
        "service_points/own.html", rows=overview.own(current_actor()), states=STATES
    )


@blueprint.get(f"{URL}/<string:no>")
@requires(OWN)
def entry(no: str) -> AnyResponse:
    """One entry: what the office decided, what one says oneself, who works there."""
    queries.load(current_actor(), OWN, no)
    return show(_page(no))


def _page(no: str, part: str = "") -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        row = queries.load(actor, OWN, no)
        found = queries.get(actor, no)
        return render_template(
            "service_points/own_one.html",
            one=found,
            row=row,
            kind_label=KINDS[row.kind],
            office=accounts.contact_for(row.region.path_ids),
            powers=[POWERS[row.kind][power] for power in found.powers],
            fields=[field_names().get(code, code) for code in found.fields],
            modes=MODES,
            bases=AMOUNT_BASES,
            states=STATES,
            words=_WORDS,
            events=timeline(ADMISSION.name, row.id),
            may_describe=row.state != "ended" and policy.allows(actor, DESCRIBE, row),
            may_staff=row.state != "ended" and policy.allows(actor, STAFF, row),
            people=[(str(one.person_id), one.name) for one in members.staff(row.organisation_id)],
            ab_roles=list(AB_ROLES.items()),
            part=part,
            form=form,
            trouble=trouble,
        )

    return page


@blueprint.get(f"{URL}/<string:no>/edit")
@requires(DESCRIBE)
def edit(no: str) -> AnyResponse:
    """The form of the plain facts."""
    queries.load(current_actor(), DESCRIBE, no)
    return show(_edit_page(no))


@blueprint.post(f"{URL}/<string:no>/edit")
@requires(DESCRIBE)
def save(no: str) -> AnyResponse:
    """Save them; when somebody else was quicker, both versions are shown."""
    actor = current_actor()
    queries.load(actor, DESCRIBE, no)

    def act(values: Mapping[str, Any]) -> str:
        said = {key: values.get(key) for key in FACTS}
        service.describe(actor, no, values["version"], said)
        return f"{URL}/{no}"

    return submit(FactsSchema(), act, _edit_page(no))


def _edit_page(no: str) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        row = queries.load(current_actor(), DESCRIBE, no)
        dumped = FactsSchema(only=tuple(FACTS)).dump(row)
        now = {key: "" if value is None else str(value) for key, value in dumped.items()}
        typed = {**now, **form.typed} if form.typed else now
        return render_template(
            "service_points/own_edit.html",
            row=row,
            typed=typed,
            version=row.lock_version,
            trouble=trouble,
            stale=trouble.status == 409,
            now={FACTS[key]: text for key, text in now.items() if text != typed.get(key, "")},
            notes={
                key: one.metadata.get("note", "")
                for key, one in FactsSchema().declared_fields.items()
            },
        )

    return page


@blueprint.post(f"{URL}/<string:no>/staff")
@requires(STAFF)
def add_staff(no: str) -> AnyResponse:
    """Note somebody who works there."""
    actor = current_actor()
    queries.load(actor, OWN, no)

    def act(values: Mapping[str, Any]) -> str:
        staff.add(actor, no, values)
        return f"{URL}/{no}#staff"

    return submit(StaffSchema(), act, _page(no, "staff"))


@blueprint.post(f"{URL}/<string:no>/staff/<int:staff_id>/remove")
@requires(STAFF)
def remove_staff(no: str, staff_id: int) -> AnyResponse:
    """Take somebody off the list."""
    actor = current_actor()
    queries.load(actor, OWN, no)

    def act(_values: Mapping[str, Any]) -> str:
        staff.remove(actor, no, staff_id)
        return f"{URL}/{no}#staff"

    return submit(ShownSchema(), act, _page(no))


@blueprint.post(f"{URL}/<string:no>/staff/<int:staff_id>/show")
@requires(STAFF)
def show_staff(no: str, staff_id: int) -> AnyResponse:
    """Show a name whole, since its bearer agreed, or masked again."""
    actor = current_actor()
    queries.load(actor, OWN, no)

    def act(values: Mapping[str, Any]) -> str:
        staff.show(actor, no, staff_id, bool(values.get("listed")))
        return f"{URL}/{no}#staff"

    return submit(ShownSchema(), act, _page(no))
