"""The page of an inquiry for both sides and the office of the place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.core import csrf
from market.core.errors import Denied, Invalid, NotFound
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.languages import translate as _
from market.core.permissions import Actor, policy, requires
from market.core.submitting import EMPTY, Trouble, show, submit
from market.matching import contacts, queries, reply_templates, service
from market.matching.contacts import Contact
from market.matching.models import OUTCOMES
from market.matching.queries import Case
from market.matching.schemas import (
    LONGEST_MESSAGE,
    AssignSchema,
    MessageSchema,
    OutcomeSchema,
    ReasonSchema,
)
from market.matching.workflow import ANSWER, ASSIGN, CONTACT, INQUIRY, NOTE, READ, REMIND

blueprint = Blueprint("inquiry_cases", __name__)
_FORMS: dict[str, type[Schema]] = {
    "say": MessageSchema,
    "answer_for": MessageSchema,
    "close": OutcomeSchema,
    "reopen": ReasonSchema,
    "withdraw": ReasonSchema,
    "remove": ReasonSchema,
    "restore": ReasonSchema,
    "remind": ReasonSchema,
    "assign": AssignSchema,
}
# What happened, in words; an asker is not shown who does what inside the owner's house.
WORDS = {
    "begin": "提出咨询",
    "answer": "发布单位答复",
    "answer_for": "科技管理部门代答",
    "write": "咨询方再问",
    "close": "发布单位办结",
    "close_for": "科技管理部门代为办结",
    "close_own": "咨询方办结",
    "reopen": "发布单位重新打开",
    "reopen_own": "咨询方重新打开",
    "withdraw": "咨询方撤回",
    "remove": "移除",
    "restore": "恢复",
    "note": "科技管理部门留言",
    "remind": "科技管理部门提醒答复",
    "assign": "交给",
}
_INSIDE = {"assign"}
_APART = {
    "answer",
    "answer_for",
    "write",
    "close",
    "close_for",
    "close_own",
}  # have forms of their own


@blueprint.get("/inquiries/<string:no>")
@requires(READ)
def case(no: str) -> AnyResponse:
    """An inquiry: thread, answer box, outcome, timeline."""
    actor = current_actor()
    queries.get(actor, no)
    return show(_case_page(actor, no))


@blueprint.post("/inquiries/<string:no>/<string:action>")
@requires(READ)
def act_on(no: str, action: str) -> AnyResponse:
    """Do something with an inquiry."""
    action = action.removesuffix("_own")
    if action not in _FORMS:
        raise NotFound
    actor = current_actor()
    queries.get(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        service.do(actor, no, action, values)
        return f"/inquiries/{no}"

    return submit(_FORMS[action](), act, _case_page(actor, no, action))


@blueprint.post("/inquiries/<string:no>/contact")
@requires(CONTACT)
def contact(no: str) -> Response:
    """查看完整信息: who asked, in full, for this once; noted in the audit."""
    actor = current_actor()
    queries.get(actor, no)
    form = read_form(ReasonSchema(), request.form)
    if not csrf.sent_by_our_form():
        return show(_case_page(actor, no, "contact"), form, Trouble(_(csrf.STALE), status=400))
    try:
        found = contacts.read(actor, no, form.values.get("reason"))
    except Invalid as error:
        errors = {name: " ".join(words) for name, words in error.fields.items()}
        return show(_case_page(actor, no, "contact"), form, Trouble(errors=errors, status=422))
    except Denied as error:
        return show(_case_page(actor, no), EMPTY, Trouble(error.message, status=403))
    return show(_case_page(actor, no, contact=found))


def _case_page(actor: Actor, no: str, tried: str = "", contact: Contact | None = None) -> Any:
    """The page for `submit`; what was typed belongs to the form of the action that was tried."""

    def page(form: Form, trouble: Trouble) -> str:
        found = queries.get(actor, no)
        return render_template(
            "matching/case.html",
            case=found,
            inquiry=found.inquiry,
            address=f"/inquiries/{no}",
            sent="sent" in request.args,
            form=form,
            trouble=trouble,
            tried=tried,
            contact=contact,
            outcomes=list(OUTCOMES.items()),
            longest=LONGEST_MESSAGE,
            words=WORDS,
            states=INQUIRY.states,
            office=queries.office_of(found.inquiry),
            **_offered(actor, found),
        )

    return page


def _offered(actor: Actor, case: Case) -> dict[str, Any]:
    """What this reader may do, and what he needs for it."""
    inquiry, outside = case.inquiry, case.side == "asker"
    may = {
        name
        for name, permission in {
            "assign": ASSIGN,
            "contact": CONTACT,
            "note": NOTE,
            "remind": REMIND,
        }.items()
        if policy.allows(actor, permission, inquiry)
    }
    if case.unclaimed:
        may.discard("remind")  # nobody there would read it
    answers = case.side == "owner" and policy.allows(actor, ANSWER, inquiry)
    templates = reply_templates.of(actor, [inquiry.owner_id]) if answers else []
    wanted = request.args.get("template", "")
    chosen = [one for one in templates if str(one.id) == wanted]
    return {
        "events": [one for one in case.events if not (outside and one.action in _INSIDE)],
        "buttons": [one for one in case.actions if one.action not in _APART],
        "may": may | case.may,
        "colleagues": queries.colleagues(inquiry.owner_id) if "assign" in may else [],
        "templates": templates,
        "draft": chosen[0].text if chosen else "",
    }
