"""Pages of verification: handing in, and the case for both sides."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.accounts import queries as organisations
from market.accounts.models import Organisation
from market.accounts.rules import kind_doubt
from market.accounts.verification import queries, service
from market.accounts.verification.queries import CaseView
from market.accounts.verification.schemas import (
    FIELDS,
    MOST_SHAREHOLDERS,
    RETURNED,
    RULES,
    DecisionSchema,
    ProfileForm,
    percent,
)
from market.accounts.verification.workflow import DECIDE, READ, SUBMIT, UNMASK
from market.core import clock, csrf
from market.core.errors import Invalid, NotFound
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import EMPTY, Trouble, show, submit
from market.core.text import clean_line

blueprint = Blueprint("verification", __name__)
_WORDS = {
    "begin": "提交核验",
    "submit": "重新提交",
    "verify": "核验通过",
    "return": "退回修改",
    "reject": "不予通过",
    "hand_over": "移交承办人",
}


def _own() -> Organisation:
    """The organisation meant: by `?no=`, else the only one."""
    found = organisations.own(current_actor(), clean_line(request.args.get("no", "")))
    if found is None or not policy.allows(current_actor(), SUBMIT, found):
        raise NotFound("没有可以提交核验的单位：请先加入或登记单位，并由单位管理员提交。")
    return found


@blueprint.get("/my/organisation/verification")
@requires(SUBMIT)
def form() -> AnyResponse:
    """单位核验: what to declare, and the licence."""
    own = _own()
    return show(lambda form, trouble: _form_page(own.no, form, trouble), EMPTY)


@blueprint.post("/my/organisation/verification")
@requires(SUBMIT)
def send() -> AnyResponse:
    """Hand in; a good licence is kept even when a field is wrong."""
    actor, no = current_actor(), _own().no
    wrong: dict[str, list[str]] = {}
    sent = request.files.get("licence")
    if sent is not None and sent.filename and csrf.sent_by_our_form():
        try:
            service.keep_licence(actor, no, sent.filename, sent.read())
        except Invalid as error:
            wrong = error.fields

    def act(values: Mapping[str, Any]) -> str:
        return f"/verifications/{service.submit(actor, no, values)}"

    given = {name for name, text in request.form.items() if text.strip()} | set(wrong)
    faults = service.lacking(actor, no, given) | wrong
    return submit(
        ProfileForm(), act, lambda form, trouble: _form_page(no, form, trouble), wrong=faults
    )


def _form_page(no: str, form: Form, trouble: Trouble) -> str:
    actor = current_actor()
    own = organisations.find(actor, SUBMIT, no)
    return render_template(
        "verification/form.html",
        organisation=organisations.view(own),
        case=queries.latest(actor, own.id),
        declared=queries.masked(own.id),
        licence=queries.latest_licence(own.id),
        form=form,
        trouble=trouble,
        places=range(1, MOST_SHAREHOLDERS + 1),
    )


@blueprint.get("/verifications/<string:no>")
@requires(READ)
def case(no: str) -> AnyResponse:
    """A verification: papers, timeline, what comes next."""
    return show(lambda form, trouble: _case_page(no, form, trouble), EMPTY)


@blueprint.post("/verifications/<string:no>/<string:action>")
@requires(READ)
def act(no: str, action: str) -> AnyResponse:
    """Decide, or see what is masked."""
    actor = current_actor()
    if action == "unmask":
        return _unmask(no)
    if action not in {"verify", "return", "reject"}:
        abort(404)
    queries.load(actor, no, DECIDE)

    def decide(values: Mapping[str, Any]) -> str:
        service.decide(actor, no, action, values)
        return f"/verifications/{no}"

    def again(form: Form, trouble: Trouble) -> str:
        return _case_page(no, form, trouble, opened=action)

    return submit(DecisionSchema(), decide, again)


def _unmask(no: str) -> AnyResponse:
    """The full values on this one answer; they are kept nowhere."""
    actor = current_actor()
    organisation = queries.get(actor, no).organisation
    reason = clean_line(request.form.get("unmask_reason", ""))
    page = EMPTY
    trouble, full = Trouble(), None
    if not csrf.sent_by_our_form():
        trouble = Trouble(csrf.STALE, status=400)
    else:
        try:
            full = service.unmask(actor, organisation.no, reason)
        except Invalid as error:
            words = {name: " ".join(found) for name, found in error.fields.items()}
            trouble = Trouble(errors=words, status=422)
    if full and full["shareholders"]:
        rows = full["shareholders"]
        full["shareholders"] = [f"{name}　{percent(share)}" for name, share in rows]
    return show(lambda form, trouble: _case_page(no, form, trouble, full=full), page, trouble)


def _case_page(
    no: str,
    form: Form,
    trouble: Trouble,
    *,
    full: Mapping[str, Any] | None = None,
    opened: str = "",
) -> str:
    actor = current_actor()
    found: CaseView = queries.get(actor, no)
    row = None
    with suppress(NotFound):
        row = organisations.find(actor, UNMASK, found.organisation.no)
    return render_template(
        "verification/case.html",
        case=found,
        actions={one.action: one for one in found.actions},
        fields=FIELDS,
        returned=list(RETURNED.items()),
        rules=RULES,
        full=full,
        may_unmask=row is not None and bool(found.declared),
        form=form,
        trouble=trouble,
        opened=opened,
        words=_WORDS,
        doubt=kind_doubt(
            found.organisation.uscc, found.organisation.kind, found.organisation.kind_label
        ),
        late=found.due is not None and found.due < clock.today(),
    )
