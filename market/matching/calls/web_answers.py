"""应答: writing an answer, sending it, and reading it on both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.core import clock, csrf
from market.core import files as stored
from market.core.errors import Conflict, NotFound
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import Actor, policy, requires
from market.core.submitting import Trouble, show, submit
from market.core.text import clean_line
from market.matching.calls import answering, filing, queries
from market.matching.calls.models import Call, CallAnswer
from market.matching.calls.rules import ANSWER_FILES, LONGEST_APPROACH, LONGEST_TEAM
from market.matching.calls.schemas import TYPED, AnswerSchema, DraftSchema
from market.matching.calls.workflow import ANSWER, CALL, CALL_ANSWER, LIST, READ_ANSWER

blueprint = Blueprint("call_answers", __name__)
WORDS = {
    "begin": "起草应答",
    "send": "发送应答",
    "withdraw": "撤回应答",
    "again": "重新应答",
    "propose": "拟选中",
    "back": "重新选定",
    "choose": "被选中",
    "lose": "未被选中",
}


class _Nothing(Schema):
    """A form without fields."""


@blueprint.get("/calls/<string:no>/answer")
@requires(LIST)
def write(no: str) -> AnyResponse:
    """应答: the form with what was kept."""
    actor = current_actor()
    call = queries.find_shown(actor, no)
    return show(_page(actor, call, answering.organisation(actor, call, _for())))


def _for() -> str:
    word = request.form.get("organisation") or request.args.get("organisation", "")
    return clean_line(word)[:20]


@blueprint.post("/calls/<string:no>/answer")
@requires(LIST)
def send(no: str) -> AnyResponse:
    """Keep what was typed in any case; with `do=send` send it."""
    actor = current_actor()
    call = queries.find_shown(actor, no)
    own = answering.organisation(actor, call, _for())
    page = _page(actor, call, own)
    if not csrf.sent_by_our_form():
        return submit(DraftSchema(), _nowhere, page)
    typed = read_form(AnswerSchema(), request.form).typed
    try:
        row = answering.save(actor, no, own, typed)
    except Conflict as error:
        return show(page, Form({}, {}, typed), Trouble(error.message, status=409))
    key, answer_no = row.id, row.no

    def act(values: Mapping[str, Any]) -> str:
        _keep_files(actor, key)
        if request.form.get("do") != "send":
            return f"/calls/{no}/answer?saved=1&organisation={_for()}"
        answering.send(actor, no, own, values)
        return f"/answers/{answer_no}?sent=1"

    schema = AnswerSchema() if request.form.get("do") == "send" else DraftSchema()
    return submit(schema, act, page, twice=True)


def _nowhere(_values: Mapping[str, Any]) -> str:
    raise NotFound


def _keep_files(actor: Actor, key: int) -> None:
    for file_no in request.form.getlist("drop"):
        filing.take_from_answer(actor, key, file_no)
    for sent in request.files.getlist("file"):
        if sent.filename:
            filing.add_to_answer(actor, key, sent.filename, sent.read())


@blueprint.post("/calls/<string:no>/answer/save")
@requires(LIST)
def autosave(no: str) -> AnyResponse:
    """Keep what is typed, for scripts."""
    actor = current_actor()
    call = queries.find_shown(actor, no)
    own = answering.organisation(actor, call, _for())
    if not csrf.sent_by_our_form():
        answer = jsonify(message=csrf.STALE)
        answer.status_code = 400
        return answer
    typed = read_form(AnswerSchema(), request.form).typed
    try:
        row = answering.save(actor, no, own, typed)
    except Conflict as error:
        answer = jsonify(message=error.message)
        answer.status_code = 422
        return answer
    saved = clock.local(clock.now()).strftime("%H:%M")
    return jsonify(lock_version=row.lock_version, saved=saved)


def _page(actor: Actor, call: Call, own: int) -> Callable[[Form, Trouble], str]:
    """The form for `submit`."""
    no = call.no

    def page(form: Form, trouble: Trouble) -> str:
        found = queries.find_shown(actor, no)
        row = queries.own_answer(found, own)
        kept = row.typed if row is not None else {}
        typed = form.typed if any(form.typed.get(name) for name in TYPED) else kept
        organisations = queries.answerers(actor, found)
        return render_template(
            "calls/answer.html",
            call=found,
            public=queries.public(found),
            demand=queries.demand(actor, found),
            row=row,
            files=stored.files_of(ANSWER_FILES, row.id) if row is not None else [],
            own=next(one for one in organisations if one.id == own),
            organisations=[(one.no, one.name) for one in organisations],
            taken=queries.takes_answers(found),
            typed=typed,
            trouble=trouble,
            saved="saved" in request.args,
            longest=(LONGEST_APPROACH, LONGEST_TEAM),
        )

    return page


@blueprint.get("/answers/<string:no>")
@requires(READ_ANSWER)
def answer(no: str) -> AnyResponse:
    """An answer, for its organisation and for the owner of the call."""
    actor = current_actor()
    return show(_answer_page(actor, no))


@blueprint.post("/answers/<string:no>/withdraw")
@requires(READ_ANSWER)
def withdraw(no: str) -> AnyResponse:
    """Take the answer back."""
    actor = current_actor()
    queries.answer(actor, no)

    def act(_values: Mapping[str, Any]) -> str:
        answering.withdraw(actor, no)
        return f"/answers/{no}"

    return submit(_Nothing(), act, _answer_page(actor, no))


def _answer_page(actor: Actor, no: str) -> Callable[[Form, Trouble], str]:
    queries.answer(actor, no)

    def page(_form: Form, trouble: Trouble) -> str:
        row = queries.answer(actor, no)
        ours = row.organisation_id in actor.organisations()
        return render_template(
            "calls/read.html",
            row=row,
            call=row.call,
            ours=ours,
            view=queries.view_of(row),
            versions=_versions(row, ours),
            events=queries.history(row) if ours else [],
            words=WORDS,
            states=CALL_ANSWER.states,
            taken=queries.takes_answers(row.call),
            buttons=queries.answer_actions(actor, row),
            may_edit=policy.allows(actor, ANSWER, row),
            call_states=CALL.states,
            trouble=trouble,
            sent="sent" in request.args,
        )

    return page


def _versions(row: CallAnswer, ours: bool) -> Any:
    """Earlier versions, newest first; of one that was withdrawn its own people alone see them."""
    if row.state == "withdrawn" and not ours:
        return []
    return [one for one in queries.versions(row) if one.version != row.version or ours][:20]
