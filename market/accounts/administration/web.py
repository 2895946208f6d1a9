"""Pages of the three administrators: people, grants, the audit."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, send_file
from werkzeug.wrappers import Response as AnyResponse

from market.accounts.administration import labels, permissions, queries, service
from market.accounts.administration.schemas import (
    FORMATS,
    AuditSchema,
    ExportSchema,
    FindSchema,
    GrantSchema,
    ReasonSchema,
)
from market.accounts.people import service as accounts
from market.accounts.people.models import PERSON_STATES
from market.accounts.roles import ROLES
from market.core import audit, clock
from market.core.errors import Invalid
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.ports import Market
from market.core.sheets import Column, write_table
from market.core.submitting import Trouble, show, submit
from market.core.workflow import Workflow

blueprint = Blueprint("administration", __name__)
NOBODY = "没有用这个手机号或邮箱的账号。须与登记的完全一致。"
_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
}
_COLUMNS = [
    Column("id", "序号"),
    Column("at", "时间"),
    Column("actor_kind", "操作者类别"),
    Column("actor_label", "操作者"),
    Column("action", "操作"),
    Column("object_kind", "对象类别"),
    Column("object_id", "对象序号"),
    Column("object_no", "对象编号"),
    Column("before", "之前"),
    Column("after", "之后"),
    Column("request_id", "请求编号"),
    Column("seal_no", "封存批次"),
]


def _before() -> int | None:
    text = request.args.get("before", "")
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _find(permission: str, place: str) -> Any:
    """What a search form does: an exact number or address leads to the person's page."""

    def act(values: Mapping[str, Any]) -> str:
        found = queries.find_person(current_actor(), values["contact"], permission)
        if found is None:
            raise Invalid({"contact": [NOBODY]})
        return f"{place}/{found}"

    return act


# -- people (系统管理员)


@blueprint.get("/desk/people")
@requires(permissions.SEE_PEOPLE)
def people() -> Response:
    """Accounts, newest first."""
    return show(_people)


@blueprint.post("/desk/people")
@requires(permissions.SEE_PEOPLE)
def find_person() -> AnyResponse:
    """Look for an account; by a form, so that numbers stand in no address."""
    return submit(FindSchema(), _find(permissions.SEE_PEOPLE, "/desk/people"), _people, twice=True)


def _people(form: Form, trouble: Trouble) -> str:
    state = request.args.get("state", "")
    rows, more = queries.people(current_actor(), state, _before())
    return render_template(
        "accounts/admin_people.html",
        rows=rows,
        more=more,
        state=state,
        states=PERSON_STATES,
        form=form,
        trouble=trouble,
    )


@blueprint.get("/desk/people/<int:person_id>")
@requires(permissions.SEE_PEOPLE)
def person(person_id: int) -> Response:
    """One account."""
    return show(_person_page(person_id))


def _person_page(person_id: int) -> Any:
    found = queries.person(current_actor(), person_id)

    def page(form: Form, trouble: Trouble) -> str:
        own = current_actor().id == person_id
        return render_template(
            "accounts/admin_person.html", person=found, own=own, form=form, trouble=trouble
        )

    return page


@blueprint.post("/desk/people/<int:person_id>/<any(suspend, reactivate):action>")
@requires(accounts.SUSPEND)
def set_state(person_id: int, action: str) -> AnyResponse:
    """Suspend an account, or open it again."""

    def act(values: Mapping[str, Any]) -> str:
        verb = accounts.suspend if action == "suspend" else accounts.resume
        verb(current_actor(), person_id, values["reason"])
        return f"/desk/people/{person_id}"

    return submit(ReasonSchema(), act, _person_page(person_id))


# -- grants (安全管理员)


@blueprint.get("/desk/grants")
@requires(permissions.SEE_GRANTS)
def grants() -> Response:
    """Grants, newest first."""
    return show(_grants)


@blueprint.post("/desk/grants")
@requires(permissions.SEE_GRANTS)
def find_holder() -> AnyResponse:
    """Look for whom to grant."""
    return submit(FindSchema(), _find(permissions.SEE_GRANTS, "/desk/grants"), _grants, twice=True)


def _grants(form: Form, trouble: Trouble) -> str:
    rows, more = queries.grants(current_actor(), None, _before())
    return render_template(
        "accounts/admin_grants.html", rows=rows, more=more, form=form, trouble=trouble
    )


@blueprint.get("/desk/grants/<int:person_id>")
@requires(permissions.SEE_GRANTS)
def holder(person_id: int) -> Response:
    """What a person was granted, and the form for more."""
    return show(_holder_page(person_id))


def _holder_page(person_id: int, ending: int | None = None, tried: str = "") -> Any:
    actor = current_actor()
    found = queries.person(actor, person_id, permissions.SEE_GRANTS)
    rows, more = queries.grants(actor, person_id, _before())

    def page(form: Form, trouble: Trouble) -> str:
        return render_template(
            "accounts/admin_grant.html",
            person=found,
            own=actor.id == person_id,
            rows=rows,
            more=more,
            roles=[(code, role.label) for code, role in ROLES.items()],
            ending=ending,
            tried=tried,
            form=form,
            trouble=trouble,
        )

    return page


@blueprint.post("/desk/grants/<int:person_id>")
@requires(permissions.GRANT)
def give(person_id: int) -> AnyResponse:
    """Give a role."""

    def act(values: Mapping[str, Any]) -> str:
        service.give(current_actor(), person_id, values)
        return f"/desk/grants/{person_id}"

    return submit(GrantSchema(), act, _holder_page(person_id))


@blueprint.post("/desk/grants/<int:person_id>/<int:grant_id>/end")
@requires(permissions.END)
def end(person_id: int, grant_id: int) -> AnyResponse:
    """End a grant."""

    def act(values: Mapping[str, Any]) -> str:
        return f"/desk/grants/{service.end(current_actor(), grant_id, values['reason'])}"

    return submit(ReasonSchema(), act, _holder_page(person_id, grant_id))


@blueprint.post("/desk/grants/<int:person_id>/second-factor")
@requires(permissions.RESET_SECOND_FACTOR)
def reset_second_factor(person_id: int) -> AnyResponse:
    """Reset a second factor whose device and recovery codes are lost."""

    def act(values: Mapping[str, Any]) -> str:
        service.reset_second_factor(current_actor(), person_id, values["reason"])
        return f"/desk/grants/{person_id}"

    return submit(ReasonSchema(), act, _holder_page(person_id, tried="second-factor"))


# -- the audit (审计管理员)


@blueprint.get("/desk/audit")
@requires(permissions.READ_AUDIT)
def entries() -> Response:
    """The audit, searched."""
    form = read_form(AuditSchema(), request.args)
    words = {name: " ".join(found) for name, found in form.errors.items()}
    return show(_audit, form, Trouble(errors=words, status=422 if words else 200))


def _audit(form: Form, trouble: Trouble, verdict: audit.Verdict | None = None) -> str:
    actor = current_actor()
    rows, more = queries.entries(actor, form.values, _before())
    return render_template(
        "accounts/admin_audit.html",
        rows=rows,
        more=more,
        form=form,
        trouble=trouble,
        formats=list(FORMATS.items()),
        chain=queries.chain(actor),
        verdict=verdict,
        days=current_app.extensions["market"].settings.audit_days,
        in_words=queries.in_words,
        action_label=lambda action: labels.action_label(action, _workflows()),
        kind_label=lambda kind: labels.kind_label(kind, _workflows()),
        searched=any(form.values.get(name) for name in AuditSchema().fields),
    )


def _workflows() -> Mapping[str, Workflow]:
    market: Market = current_app.extensions["market"]
    return market.workflows


@blueprint.get("/desk/audit/verify")
@requires(permissions.READ_AUDIT)
def verify() -> Response:
    """The audit, with the whole chain recomputed."""
    verdict = audit.verify()
    return show(lambda form, trouble: _audit(form, trouble, verdict))


@blueprint.post("/desk/audit/export")
@requires(permissions.EXPORT_AUDIT)
def export() -> AnyResponse:
    """What was searched, as a file; that it was exported is noted first."""
    written: list[Response] = []

    def act(values: Mapping[str, Any]) -> str:
        wanted = {name: value for name, value in values.items() if name != "format"}
        last = service.note_export(current_actor(), wanted, values["format"])
        written.append(_file(wanted, values["format"], last))
        return "/desk/audit"

    answer = submit(ExportSchema(), act, _audit, twice=True)
    return written[0] if written else answer


def _file(wanted: Mapping[str, Any], form: str, last: int) -> Response:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"audit.{form}"
        write_table(path, _COLUMNS, queries.entry_rows(current_actor(), wanted, last))
        data = BytesIO(path.read_bytes())
    name = f"操作记录{clock.today().isoformat()}.{form}"
    answer = send_file(data, _TYPES[form], as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer
