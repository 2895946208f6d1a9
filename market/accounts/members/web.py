"""本单位: finding or founding it, its page, what it says of itself, requests to join."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from market.accounts import queries as organisations
from market.accounts.members import queries, service
from market.accounts.members.schemas import (
    FOUNDED,
    PUBLIC,
    AnswerSchema,
    DescribeSchema,
    FoundSchema,
    JoinSchema,
)
from market.accounts.members.service import UPDATE
from market.accounts.members.workflow import ASK, LIST, READ
from market.accounts.models import KINDS, Organisation
from market.accounts.roles import MEMBERS, ROLES
from market.accounts.rosters import queries as rosters
from market.accounts.rules import kind_doubt, licence_word
from market.accounts.service import FOUND
from market.accounts.verification import queries as verifications
from market.accounts.verification.workflow import SUBMIT
from market.core.errors import NotFound
from market.core.forms import Form
from market.core.http import current_actor
from market.core.identifiers import read_uscc
from market.core.permissions import policy, requires
from market.core.submitting import EMPTY, Trouble, show, submit
from market.core.text import clean_line

blueprint = Blueprint("members", __name__)
MEMBER_ROLES = [(role, ROLES[role].label) for role in MEMBERS]
_WORDS = {"begin": "提交申请", "accept": "接受", "refuse": "不接受", "withdraw": "撤回申请"}


def own_organisation(permission: str) -> Organisation:
    """The organisation meant: by `?no=`, else the first of one's own.

    Raises:
        NotFound: none, or the permission is lacking.
    """
    actor = current_actor()
    found = organisations.own(actor, clean_line(request.args.get("no", "")))
    if found is None or not policy.allows(actor, permission, found):
        raise NotFound("没有这家单位，或者您在这家单位没有这项权限。")
    return found


@blueprint.get("/my/organisation")
@requires(ASK)
def own() -> AnyResponse | str:
    """本单位: its state and what to do next; without one, how to get one."""
    actor = current_actor()
    found = organisations.own(actor, clean_line(request.args.get("no", "")))
    if found is None:
        return redirect("/my/organisation/new")
    return render_template(
        "members/own.html",
        organisation=organisations.view(found),
        others=[one for one in organisations.all_own(actor) if one.no != found.no],
        roles=[
            ROLES[grant.role].label for grant in actor.grants if grant.organisation_id == found.id
        ],
        case=verifications.latest(actor, found.id),
        doubt=kind_doubt(found.uscc, found.kind, KINDS[found.kind]),
        licence_word=licence_word(found.kind),
        rosters=rosters.of_organisation(actor, found.uscc),
        requests=queries.requests_of(found.id) if policy.allows(actor, SUBMIT, found) else [],
        may_submit=policy.allows(actor, SUBMIT, found),
        may_update=policy.allows(actor, UPDATE, found),
        may_list=policy.allows(actor, LIST, found),
    )


@blueprint.get("/my/organisation/new")
@requires(ASK)
def new() -> AnyResponse:
    """Find one's organisation by its credit code, then join or found it."""
    return show(_new_page, EMPTY)


@blueprint.post("/my/organisation/new")
@requires(FOUND)
def found() -> AnyResponse:
    """Found one."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        return f"/my/organisation?no={service.found(actor, values)}"

    typed = clean_line(request.form.get("county", ""))
    chosen = clean_line(request.form.get("region", "")) or None
    wrong = service.county_faults(typed, chosen) if typed else {}
    return submit(FoundSchema(), act, _new_page, wrong=wrong)


@blueprint.post("/my/organisation/join")
@requires(ASK)
def join() -> AnyResponse:
    """Ask to join one."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        return f"/my/joinings/{service.ask_to_join(actor, values['uscc'], values.get('message'))}"

    return submit(JoinSchema(), act, _new_page)


def _new_page(form: Form, trouble: Trouble) -> str:
    """The step that fits: ask for the code, offer to join, or the form of a new one."""
    typed = clean_line(form.typed.get("uscc") or request.args.get("uscc", ""))[:60]
    code, wrong = "", ""
    try:
        code = read_uscc(typed) if typed else ""
    except ValidationError as error:
        wrong = str(error.messages[0])
    row = organisations.by_code(code) if code else None
    county = form.typed.get("county", "")
    return render_template(
        "members/new.html",
        typed=typed,
        code=code,
        wrong=wrong,
        found=organisations.view(row) if row else None,
        managed=bool(row and any("owner" in one.roles for one in queries.staff(row.id))),
        kinds=list(FOUNDED.items()),
        counties=service.counties(county) if trouble.errors.get("region") else [],
        asked=queries.own_requests(current_actor()),
        form=form,
        trouble=trouble,
    )


@blueprint.get("/my/organisation/edit")
@requires(UPDATE)
def edit() -> AnyResponse:
    """What the organisation says of itself in public."""
    no = own_organisation(UPDATE).no
    return show(lambda form, trouble: _edit_page(no, form, trouble), EMPTY)


@blueprint.post("/my/organisation/edit")
@requires(UPDATE)
def save() -> AnyResponse:
    """Save it; when somebody else was quicker, both versions are shown."""
    actor, no = current_actor(), own_organisation(UPDATE).no

    def act(values: Mapping[str, Any]) -> str:
        said: dict[str, Any] = {key: values.get(key) for key in PUBLIC}
        if values.get("name"):
            said["name"] = values["name"]
        service.update_own(actor, no, values["version"], said)
        return f"/my/organisation?no={no}"

    return submit(DescribeSchema(), act, lambda form, trouble: _edit_page(no, form, trouble))


def _edit_page(no: str, form: Form, trouble: Trouble) -> str:
    row = organisations.find(current_actor(), UPDATE, no)
    now = {key: getattr(row, key) or "" for key in ("name", *PUBLIC)}
    typed = {key: form.typed.get(key, "") for key in now} if form.typed else now
    return render_template(
        "members/edit.html",
        organisation=organisations.view(row),
        fixed=service.name_is_fixed(row),
        version=row.lock_version,
        now=now,
        typed=typed,
        stale=trouble.status == 409,
        trouble=trouble,
    )


@blueprint.get("/my/joinings/<string:no>")
@requires(READ)
def joining(no: str) -> AnyResponse:
    """A request to join: for who made it, who answers it, and the office."""
    return show(lambda form, trouble: _joining_page(no, form, trouble), EMPTY)


@blueprint.post("/my/joinings/<string:no>/<string:action>")
@requires(READ)
def answer(no: str, action: str) -> AnyResponse:
    """Accept, refuse, withdraw."""
    actor = current_actor()
    if action not in {"accept", "refuse", "withdraw"}:
        abort(404)
    queries.load_joining(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        if action == "withdraw":
            service.withdraw(actor, no)
        else:
            service.answer(actor, no, action, values)
        return f"/my/joinings/{no}"

    return submit(AnswerSchema(), act, lambda form, trouble: _joining_page(no, form, trouble))


def _joining_page(no: str, form: Form, trouble: Trouble) -> str:
    found = queries.joining(current_actor(), no)
    return render_template(
        "members/joining.html",
        case=found,
        actions={one.action: one for one in found.actions},
        roles=MEMBER_ROLES,
        form=form,
        trouble=trouble,
        words=_WORDS,
        role_label=ROLES[found.role].label if found.role else "",
    )
