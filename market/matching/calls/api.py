"""Calls and answers in the API: what the pages can do, a program of the organisation can do."""

from __future__ import annotations

from typing import Any

from flask import Response

from market.catalogue.naming import owner_shown
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import as_seen, create_once, creates, edits, tagged
from market.core.errors import NotFound
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, PageOf
from market.core.permissions import policy, requires
from market.matching.calls import answering, queries, service
from market.matching.calls.api_schemas import (
    CallAct,
    CallAnswerContent,
    CallAnswerListSchema,
    CallAnswerSchema,
    CallContent,
    CallListSchema,
    CallQuery,
    CallRowSchema,
    NewCall,
    NewCallAnswer,
)
from market.matching.calls.models import ANSWER_STATES, SHOWN, STATES, Call, CallAnswer
from market.matching.calls.schemas import TYPED, AnswerSchema
from market.matching.calls.workflow import ANSWER, BEGIN, READ, READ_ANSWER, VIEW

blueprint = ApiBlueprint("calls_api", __name__, "揭榜：发布、应答、选定")
_TOKEN: list[dict[str, list[str]]] = [{"token": []}]


def _call_values(call: Call) -> dict[str, Any]:
    state = queries.shown_state(call)
    same = ("no", "title", "deadline", "conditions", "shows_result", "wants_notice", "lock_version")
    own = policy.allows(current_actor(), READ, call)
    return {
        **{name: getattr(call, name) for name in same},
        "state": state,
        "state_label": STATES[state],
        "demand": call.listing.no,
        "owner": owner_shown(current_actor(), call.listing, call.owner).name,
        "notice": queries.notice_of(call, own=own),
        "decision": call.decision if own or queries.shows_result(call) else None,
        "url": f"/calls/{call.no}" if own else f"/demands/{call.listing.no}",
    }


def _call(call: Call) -> dict[str, Any]:
    dumped: dict[str, Any] = CallRowSchema().dump(_call_values(call))
    return dumped


def _answer_values(row: CallAnswer) -> dict[str, Any]:
    view = queries.view_of(row)
    ours = row.organisation_id in current_actor().organisations()
    content = view.content
    return {
        "no": row.no,
        "call": row.call.no,
        "state": row.state,
        "state_label": ANSWER_STATES[row.state],
        "organisation": row.owner.name,
        "version": row.version,
        **{
            name: getattr(content, name) if content else None
            for name in ("approach", "price_fen", "months", "team", "sent_at")
        },
        "ties": [] if ours else list(view.ties),
        "lock_version": row.lock_version,
        "url": f"/answers/{row.no}",
    }


def _answer(row: CallAnswer) -> dict[str, Any]:
    dumped: dict[str, Any] = CallAnswerSchema().dump(_answer_values(row))
    return dumped


def find_call(no: str) -> Call:
    """One's own call in any state, somebody else's while everybody sees it."""
    actor = current_actor()
    try:
        return queries.find(actor, no)
    except NotFound:
        return queries.find_shown(actor, no)


def _page(page: PageOf[Any], rows: list[dict[str, Any]]) -> PageOf[dict[str, Any]]:
    return PageOf(rows, page.total, page.page, page.per_page, page.total_is)


def _asked(query: dict[str, Any]) -> tuple[int, int]:
    size = query["per_page"]
    return min(query["page"], EXACT_UP_TO // size), size


@blueprint.route("/calls")
@blueprint.doc(operationId="listCalls", summary="本单位的揭榜", security=_TOKEN)
@blueprint.arguments(CallQuery, location="query")
@blueprint.response(200, CallListSchema, description="揭榜，新的在前")
@requires(READ)
def call_list(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """The own calls."""
    found = queries.mine(current_actor(), "calls", *_asked(query))
    return _page(found, [_call_values(one) for one in found.items])


@blueprint.route("/calls", methods=["POST"])
@blueprint.doc(
    operationId="createCall",
    summary="起草揭榜",
    description="为本单位一项已发布的需求。可带 Idempotency-Key。",
    security=_TOKEN,
)
@blueprint.arguments(NewCall)
@blueprint.response(201, CallRowSchema, description="草稿")
@blueprint.alt_response(404, MISSING)
@creates
@requires(BEGIN)
def create(values: dict[str, Any]) -> Response:
    """Begin a call."""
    actor = current_actor()
    service.check_day(values.get("deadline"))

    def act() -> tuple[dict[str, Any], str]:
        no = service.begin(actor, values["demand"][:20], values)
        return _call(queries.find(actor, no)), f"{PREFIX}/calls/{no}"

    return create_once(act)


@blueprint.route("/calls/<string:no>")
@blueprint.doc(
    operationId="getCall",
    summary="一项揭榜",
    description=f"{'、'.join(STATES[one] for one in SHOWN)}的人人可看。",
)
@blueprint.response(200, CallRowSchema, description="揭榜")
@blueprint.alt_response(404, MISSING)
@requires(VIEW)
def call(no: str) -> Response:
    """A call."""
    found = find_call(no)
    return tagged(_call(found), found.lock_version)


@blueprint.route("/calls/<string:no>", methods=["PUT"])
@blueprint.doc(
    operationId="editCall", summary="修改草稿", description="须带 If-Match。", security=_TOKEN
)
@blueprint.arguments(CallContent)
@blueprint.response(200, CallRowSchema, description="改后的草稿")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def edit(values: dict[str, Any], no: str) -> Response:
    """Change a draft."""
    actor = current_actor()
    service.check_day(values.get("deadline"))
    with as_seen(lambda: queries.find(actor, no).lock_version):
        service.edit(actor, no, values)
    found = queries.find(actor, no)
    return tagged(_call(found), found.lock_version)


@blueprint.route("/calls/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnCall",
    summary="发布、延期、选定、确定结果、流榜、办结、撤回",
    description="须带 If-Match。要公示的选定，令牌还须有 notices:notice；办结时需求随之结束，令牌还须有 "
    "catalogue:listing。",
    security=_TOKEN,
)
@blueprint.arguments(CallAct)
@blueprint.response(200, CallRowSchema, description="办后的揭榜")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def act(values: dict[str, Any], no: str) -> Response:
    """Do what the state allows."""
    actor = current_actor()
    with as_seen(lambda: queries.find(actor, no).lock_version):
        service.act(actor, no, values["action"], values)
    found = queries.find(actor, no)
    return tagged(_call(found), found.lock_version)


@blueprint.route("/calls/<string:no>/answers")
@blueprint.doc(operationId="listCallAnswers", summary="收到的应答", security=_TOKEN)
@blueprint.arguments(CallQuery, location="query")
@blueprint.response(200, CallAnswerListSchema, description="应答，先到的在前")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def received(query: dict[str, Any], no: str) -> PageOf[dict[str, Any]]:
    """The answers to one's call."""
    number, size = _asked(query)
    rows = [_answer_values(one.answer) for one in queries.get(current_actor(), no).answers or ()]
    start = (number - 1) * size
    return PageOf(rows[start : start + size], len(rows), number, size)


@blueprint.route("/call-answers")
@blueprint.doc(operationId="listOwnCallAnswers", summary="本单位的应答", security=_TOKEN)
@blueprint.arguments(CallQuery, location="query")
@blueprint.response(200, CallAnswerListSchema, description="应答，新的在前")
@requires(READ_ANSWER)
def own_answers(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """The own answers."""
    found = queries.mine(current_actor(), "answers", *_asked(query))
    return _page(found, [_answer_values(one) for one in found.items])


@blueprint.route("/call-answers/<string:no>")
@blueprint.doc(operationId="getCallAnswer", summary="一份应答", security=_TOKEN)
@blueprint.response(200, CallAnswerSchema, description="最后发送的一版")
@blueprint.alt_response(404, MISSING)
@requires(READ_ANSWER)
def answer(no: str) -> Response:
    """An answer, for both sides."""
    row = queries.answer(current_actor(), no)
    return tagged(_answer(row), row.lock_version)


def _typed(values: dict[str, Any]) -> dict[str, str]:
    """The values as they would be typed, for the draft; loaded again by the rules of the form."""
    fen = values.get("price_fen")
    kept = {name: str(values.get(name) or "") for name in TYPED}
    kept["price"] = "" if fen is None else f"{fen // 100}.{fen % 100:02d}"
    return kept


def _send(call_no: str, own: int, values: dict[str, Any]) -> str:
    typed = _typed(values)
    loaded = AnswerSchema().load({name: text for name, text in typed.items() if text})
    answering.save(current_actor(), call_no, own, typed)
    return answering.send(current_actor(), call_no, own, loaded)


def _keep_late(call: Call, own: int, values: dict[str, Any]) -> None:
    """Keep as a draft what comes too late: sending it is refused, and that undoes what it did."""
    if not queries.takes_answers(call):
        answering.save(current_actor(), call.no, own, _typed(values))


@blueprint.route("/call-answers", methods=["POST"])
@blueprint.doc(
    operationId="createCallAnswer",
    summary="发送应答",
    description="以令牌所属单位的名义；一家单位对一项揭榜只有一份，再发就是新的一版。"
    "过了截止日的不收，内容留作草稿。可带 Idempotency-Key。",
    security=_TOKEN,
)
@blueprint.arguments(NewCallAnswer)
@blueprint.response(201, CallAnswerSchema, description="送出的应答")
@blueprint.alt_response(404, MISSING)
@creates
@requires(ANSWER)
def create_answer(values: dict[str, Any]) -> Response:
    """Answer a call."""
    actor = current_actor()
    found = queries.find_shown(actor, values["call"][:20])
    own, call_no = answering.organisation(actor, found), found.no
    _keep_late(found, own, values)

    def act() -> tuple[dict[str, Any], str]:
        no = _send(call_no, own, values)
        return _answer(queries.answer(actor, no)), f"{PREFIX}/call-answers/{no}"

    return create_once(act)


@blueprint.route("/call-answers/<string:no>", methods=["PUT"])
@blueprint.doc(
    operationId="editCallAnswer",
    summary="发送应答的新版本",
    description="截止前。须带 If-Match。",
    security=_TOKEN,
)
@blueprint.arguments(CallAnswerContent)
@blueprint.response(200, CallAnswerSchema, description="新的一版")
@blueprint.alt_response(404, MISSING)
@edits
@requires(ANSWER)
def edit_answer(values: dict[str, Any], no: str) -> Response:
    """Send a new version."""
    actor = current_actor()
    row = queries.answer(actor, no)
    policy.require(actor, ANSWER, row)
    call_no, own = row.call.no, row.organisation_id
    _keep_late(row.call, own, values)
    with as_seen(lambda: queries.answer(actor, no).lock_version):
        _send(call_no, own, values)
    row = queries.answer(actor, no)
    return tagged(_answer(row), row.lock_version)


@blueprint.route("/call-answers/<string:no>", methods=["DELETE"])
@blueprint.doc(
    operationId="withdrawCallAnswer",
    summary="撤回应答",
    description="选定之前。须带 If-Match。",
    security=_TOKEN,
)
@blueprint.response(200, CallAnswerSchema, description="撤回的应答")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ_ANSWER)
def withdraw(no: str) -> Response:
    """Take an answer back."""
    actor = current_actor()
    with as_seen(lambda: queries.answer(actor, no).lock_version):
        answering.withdraw(actor, no)
    row = queries.answer(actor, no)
    return tagged(_answer(row), row.lock_version)
