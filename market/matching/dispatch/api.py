"""Dispatches in the API: those that came to the own organisation, and those of an office's area."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, jsonify

from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import create_once, creates, edits, require_match, version_tag
from market.core.errors import Invalid
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, PageOf
from market.core.permissions import requires
from market.matching.dispatch import (
    contacts,
    escalating,
    proposals,
    queries,
    sending,
    service,
    told,
)
from market.matching.dispatch.api_schemas import (
    ACTIONS,
    DispatchAct,
    DispatchCaseSchema,
    DispatchContactSchema,
    DispatchListSchema,
    DispatchOutcome,
    DispatchProposalListSchema,
    DispatchQuery,
    DispatchReason,
    EscalationSchema,
    NewAnswer,
    NewDispatches,
    NewEscalation,
    NewLine,
    RecommendationListSchema,
    SentSchema,
)
from market.matching.dispatch.models import STATES, Dispatch
from market.matching.dispatch.queries import Case
from market.matching.dispatch.schemas import AnswerSchema, RecordedSchema
from market.matching.dispatch.workflow import ANSWER, CONTACT, HANDLE, PASS_UP, READ, SEND, TOLD

blueprint = ApiBlueprint(
    "dispatches", __name__, "推荐对接：科技管理部门把需求推荐给院所、机构和专家"
)
SECURED: list[dict[str, list[str]]] = [{"token": []}]


def _row(one: Dispatch, side: str) -> dict[str, Any]:
    return {
        "no": one.no,
        "side": side,
        "state": one.state,
        "state_label": STATES[one.state],
        "demand_no": one.listing.no,
        "title": one.title,
        "recipient": one.recipient_label,
        "recipient_no": one.recipient_no,
        "sent_by": one.sent_by,
        "words": one.words,
        "due": one.due,
        "answer": one.answer,
        "answered_on": one.answered_on,
        "late": one.late,
        "recorded": one.recorded_by is not None,
        "referral": one.referral,
        "next_call": one.next_call if side == "office" else None,
        "outcome": one.outcome,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "url": f"/dispatches/{one.no}",
    }


def _told(case: Case) -> dict[str, Any]:
    one, office = case.dispatch, case.side == "office"
    found = _row(one, case.side) | {
        "lock_version": one.lock_version,
        "score": one.score if office else None,
        "parts": case.parts if office else [],
        "contact_shown": one.contact_shown,
        "outcome_text": one.outcome_text,
        "lines": case.lines,
        "actions": [_action(one.no, act.action, act.label, act.reason) for act in case.actions],
    }
    told: dict[str, Any] = DispatchCaseSchema().dump(found)
    return told


def _whole(case: Case) -> Response:
    response = jsonify(_told(case))
    response.headers["ETag"] = version_tag(case.dispatch.lock_version)
    return response


def _action(no: str, action: str, label: str, reason: bool) -> dict[str, Any]:
    place = "actions" if action in ACTIONS else "close" if action == "close" else "answer"
    address = f"{PREFIX}/dispatches/{no}/{place}"
    return {"action": action, "label": label, "url": address, "needs_reason": reason}


def _seen(no: str) -> int:
    """The version of the case, after comparing it with `If-Match`."""
    version = queries.of(no, current_actor()).lock_version
    require_match(version)
    return version


@blueprint.route("/dispatches")
@blueprint.doc(
    operationId="listDispatches",
    summary="推荐对接",
    description="新的在前。没有的状态代码找不到任何一件。",
    security=SECURED,
)
@blueprint.arguments(DispatchQuery, location="query")
@blueprint.response(200, DispatchListSchema, description="推荐对接")
@requires(READ)
def dispatch_list(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """Dispatches that came to the own organisation, or lie in the own area."""
    size = query["per_page"]
    number = min(query["page"], EXACT_UP_TO // size)
    found = queries.of_sides(current_actor(), query["side"], query["state"], number, size)
    items = [_row(one, side) for one, side in found.items]
    return PageOf(items, found.total, number, size, found.total_is)


@blueprint.route("/dispatches/<string:no>")
@blueprint.doc(operationId="getDispatch", summary="一件推荐对接", security=SECURED)
@blueprint.response(200, DispatchCaseSchema, description="推荐对接")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def dispatch(no: str) -> Response:
    """A dispatch with what may be done with it."""
    return _whole(queries.get(current_actor(), no))


@blueprint.route("/demands/<string:no>/dispatch-proposals")
@blueprint.doc(
    operationId="listDispatchProposals",
    summary="一项需求可推荐给谁",
    description="由检索得出，各部分的分数相加就是总分；分高的在前。",
    security=SECURED,
)
@blueprint.response(200, DispatchProposalListSchema, description="可推荐的单位和专家")
@blueprint.alt_response(404, MISSING)
@requires(SEND)
def proposal_list(no: str) -> PageOf[dict[str, Any]]:
    """Those whom the search proposes for a demand of the own area."""
    actor = current_actor()
    demand = queries.demand(actor, no)
    found = proposals.of(actor, demand.listing) if demand.listing else proposals.Proposals(())
    items = [
        {
            "no": one.recipient.no,
            "name": one.recipient.name,
            "kind": one.recipient.kind_label,
            "place": one.recipient.place,
            "reachable": one.recipient.reachable,
            "score": one.score,
            "parts": one.parts,
            "listings": [listing.no for listing in one.listings],
        }
        for one in found.rows
    ]
    return PageOf(items, len(items), 1, max(1, len(items)))


@blueprint.route("/demands/<string:no>/dispatches", methods=["POST"])
@blueprint.doc(
    operationId="sendDispatches",
    summary="推荐一项需求",
    description="一次可推荐给多家。同一家在上一件没有结束时不能再推荐。可带 Idempotency-Key。",
    security=SECURED,
)
@blueprint.arguments(NewDispatches)
@blueprint.response(201, SentSchema, description="发出的推荐")
@blueprint.alt_response(404, MISSING)
@creates
@requires(SEND)
def send(values: dict[str, Any], no: str) -> Response:
    """Send a demand to several recipients."""
    actor = current_actor()
    proposed = sending.points(actor, no)

    def act() -> tuple[dict[str, Any], str]:
        made = sending.send(actor, no, values["to"], values, proposed)
        return {"dispatches": made}, f"{PREFIX}/dispatches/{made[0]}"

    return create_once(act)


@blueprint.route("/demands/<string:no>/recommendations")
@blueprint.doc(
    operationId="listRecommendations",
    summary="本单位的一项需求推荐给了谁",
    description="给提出需求的单位：推荐给谁、哪天、怎样答复；不含科技管理部门的联系记录。",
    security=SECURED,
)
@blueprint.response(200, RecommendationListSchema, description="推荐与答复，最近的在前")
@blueprint.alt_response(404, MISSING)
@requires(TOLD)
def recommendation_list(no: str) -> PageOf[dict[str, Any]]:
    """To whom an own demand was sent, and what each answered."""
    rows = told.of_demand(current_actor(), no)
    items = [asdict(one) | {"state_label": one.state_label} for one in rows]
    return PageOf(items, len(items), 1, max(1, len(items)))


@blueprint.route("/demands/<string:no>/escalations", methods=["POST"])
@blueprint.doc(operationId="escalateDemand", summary="上报上一级科技管理部门", security=SECURED)
@blueprint.arguments(NewEscalation)
@blueprint.response(201, EscalationSchema, description="上报")
@blueprint.alt_response(404, MISSING)
@creates
@requires(PASS_UP)
def escalate(values: dict[str, Any], no: str) -> Response:
    """Pass a demand up."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        made, page = escalating.escalate(actor, no, values["words"]), f"/desk/demands/{no}/dispatch"
        return {"no": made, "url": page}, page

    return create_once(act)


@blueprint.route("/dispatches/<string:no>/answer", methods=["POST"])
@blueprint.doc(
    operationId="answerDispatch",
    summary="答复；科技管理部门为代录",
    description="过了时限也可以答复，记为迟答。须带 If-Match。",
    security=SECURED,
)
@blueprint.arguments(NewAnswer)
@blueprint.response(200, DispatchCaseSchema, description="答复后的推荐对接")
@blueprint.alt_response(404, MISSING)
@edits
@requires(ANSWER)
def answer(values: dict[str, Any], no: str) -> Response:
    """Answer as the recipient, or write it down as the office."""
    actor, version = current_actor(), _seen(no)
    side = queries.side_of(actor, queries.of(no, actor))
    wanted = (AnswerSchema() if side == "recipient" else RecordedSchema()).wanted(values)
    if missing := {name: [words] for name, words in wanted.items() if not values.get(name)}:
        raise Invalid(missing)
    service.answer(actor, no, values, version)
    return _whole(queries.get(actor, no))


@blueprint.route("/dispatches/<string:no>/log", methods=["POST"])
@blueprint.doc(operationId="logDispatch", summary="记一次联系", security=SECURED)
@blueprint.arguments(NewLine)
@blueprint.response(201, DispatchCaseSchema, description="记后的推荐对接")
@blueprint.alt_response(404, MISSING)
@creates
@requires(HANDLE)
def log(values: dict[str, Any], no: str) -> Response:
    """Note a call, a message, a visit or a remark."""

    def act() -> tuple[dict[str, Any], str]:
        service.log(current_actor(), no, values)
        return _told(queries.get(current_actor(), no)), f"{PREFIX}/dispatches/{no}"

    return create_once(act)


@blueprint.route("/dispatches/<string:no>/close", methods=["POST"])
@blueprint.doc(
    operationId="closeDispatch", summary="办结", description="须带 If-Match。", security=SECURED
)
@blueprint.arguments(DispatchOutcome)
@blueprint.response(200, DispatchCaseSchema, description="办结后的推荐对接")
@blueprint.alt_response(404, MISSING)
@edits
@requires(HANDLE)
def close(values: dict[str, Any], no: str) -> Response:
    """End it with its outcome."""
    service.close(current_actor(), no, values, _seen(no))
    return _whole(queries.get(current_actor(), no))


@blueprint.route("/dispatches/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnDispatch",
    summary="开始洽谈、记为未答复、撤回推荐",
    description="现在能做哪些，见这件推荐对接的 actions。须带 If-Match。",
    security=SECURED,
)
@blueprint.arguments(DispatchAct)
@blueprint.response(200, DispatchCaseSchema, description="办后的推荐对接")
@blueprint.alt_response(404, MISSING)
@edits
@requires(HANDLE)
def act_on(values: dict[str, Any], no: str) -> Response:
    """Begin to talk, note that nobody answered, withdraw."""
    service.do(current_actor(), no, values["action"], values.get("reason"), _seen(no))
    return _whole(queries.get(current_actor(), no))


@blueprint.route("/dispatches/<string:no>/contact", methods=["POST"])
@blueprint.doc(
    operationId="readDispatchContact",
    summary="查看对方联系人的完整信息",
    description="每次查看都记入操作记录。",
    security=SECURED,
)
@blueprint.arguments(DispatchReason)
@blueprint.response(200, DispatchContactSchema, description="姓名和电话")
@blueprint.alt_response(404, MISSING)
@requires(CONTACT)
def contact(values: dict[str, Any], no: str) -> contacts.Person:
    """Whom to ask at the recipient."""
    return contacts.of_dispatch(current_actor(), no, values.get("reason"))
