"""The page of a dispatch, for the recipient and the offices of its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.core import clock, files
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import Actor, policy, requires
from market.core.submitting import Trouble, show, submit
from market.matching.dispatch import contacts, queries, service
from market.matching.dispatch.contacts import Person
from market.matching.dispatch.models import ANSWERS, LINE_KINDS, OUTCOMES, STATES
from market.matching.dispatch.pages import unmasked
from market.matching.dispatch.schemas import (
    ActSchema,
    AnswerSchema,
    CloseSchema,
    LineSchema,
    RecordedSchema,
    UnmaskSchema,
)
from market.matching.dispatch.workflow import CONTACT, HANDLE, READ

blueprint = Blueprint("dispatch_cases", __name__)
WORDS = {
    "begin": "发出推荐",
    "interest": "对方有意向",
    "decline": "对方答复不对口",
    "refer": "对方另荐他人",
    "talk": "开始洽谈",
    "close": "办结",
    "miss": "记为未答复",
    "withdraw": "撤回推荐",
    "remind": "到期提醒对方答复",
}
# Those that a press, or a press and a reason, carry out; the others have forms of their own.
PLAIN = ("talk", "miss", "withdraw")
_ANSWERING = {"interest", "decline", "refer"}


@blueprint.get("/my/dispatches/<string:no>")
@requires(READ)
def mine(no: str) -> AnyResponse:
    """The recipient's address of the same page."""
    queries.of(no, current_actor())
    return redirect(f"/dispatches/{no}")


@blueprint.get("/dispatches/<string:no>")
@requires(READ)
def case(no: str) -> AnyResponse:
    """A dispatch: the demand, the answer, the log, what may be done."""
    actor = current_actor()
    queries.of(no, actor)
    return show(_case_page(actor, no))


@blueprint.post("/dispatches/<string:no>/answer")
@requires(READ)
def answer(no: str) -> AnyResponse:
    """Answer, or write down what was answered on the telephone."""
    actor = current_actor()
    side = queries.side_of(actor, queries.of(no, actor))
    schema: Schema = AnswerSchema() if side == "recipient" else RecordedSchema()

    def act(values: Mapping[str, Any]) -> None:
        service.answer(actor, no, values, values.get("version"))

    return _sent(actor, no, "answer", schema, act)


@blueprint.post("/dispatches/<string:no>/log")
@requires(HANDLE)
def log(no: str) -> AnyResponse:
    """Note a call, a message, a visit or a remark."""
    actor = current_actor()
    return _sent(actor, no, "log", LineSchema(), lambda values: service.log(actor, no, values))


@blueprint.post("/dispatches/<string:no>/close")
@requires(HANDLE)
def close(no: str) -> AnyResponse:
    """End it with its outcome, and perhaps a file that proves it."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        sent = request.files.get("file")
        proof = files.take_in(sent.filename, sent.read()) if sent and sent.filename else None
        service.close(actor, no, values, values.get("version"), proof)

    return _sent(actor, no, "close", CloseSchema(), act, twice=True)


@blueprint.post("/dispatches/<string:no>/<any(talk, miss, withdraw):action>")
@requires(HANDLE)
def act_on(no: str, action: str) -> AnyResponse:
    """The transitions that need a press, or a press and a reason."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        service.do(actor, no, action, values.get("reason"), _seen())

    return _sent(actor, no, action, ActSchema(), act)


def _seen() -> int | None:
    """The version of the case as the page of a button showed it."""
    seen = request.form.get("seen", "")
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else None


@blueprint.post("/dispatches/<string:no>/contact")
@requires(CONTACT)
def contact(no: str) -> Response:
    """查看完整信息: one person in full, for this once; noted in the audit."""
    actor = current_actor()
    queries.of(no, actor)
    form = read_form(UnmaskSchema(), request.form)
    return unmasked(
        form,
        lambda tried, found: _case_page(actor, no, tried, found),
        lambda reason, line: contacts.of_dispatch(actor, no, reason, line),
    )


def _sent(
    actor: Actor,
    no: str,
    at: str,
    schema: Schema,
    act: Callable[[Mapping[str, Any]], None],
    *,
    twice: bool = False,
) -> AnyResponse:
    """One of the forms of the page; leads back to it."""
    queries.of(no, actor)

    def go(values: Mapping[str, Any]) -> str:
        act(values)
        return f"/dispatches/{no}"

    return submit(schema, go, _case_page(actor, no, at), twice=twice)


def _case_page(
    actor: Actor, no: str, tried: str = "", person: Person | None = None
) -> Callable[[Form, Trouble], str]:
    """The page for `submit`; what was typed belongs to the form of the action that was tried."""

    def page(form: Form, trouble: Trouble) -> str:
        found = queries.get(actor, no)
        return render_template(
            "dispatch/case.html",
            case=found,
            dispatch=found.dispatch,
            address=f"/dispatches/{no}",
            form=form,
            trouble=trouble,
            tried=tried,
            person=person,
            answers=list(ANSWERS.items()),
            may_answer=bool(found.may & _ANSWERING),
            buttons=[one for one in found.actions if one.action in PLAIN],
            may_contact=policy.allows(actor, CONTACT, found.dispatch),
            may_handle=policy.allows(actor, HANDLE, found.dispatch),
            outcomes=list(OUTCOMES.items()),
            kinds=list(LINE_KINDS.items()),
            words=WORDS,
            states=STATES,
            today=clock.today(),
        )

    return page
