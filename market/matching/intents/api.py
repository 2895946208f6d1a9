"""Intents in the API: what a party can do on the pages, a program of its organisation can do."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from market.core import files
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import (
    as_seen,
    create_once,
    creates,
    edits,
    require_match,
    tagged,
    version_tag,
)
from market.core.errors import Invalid
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, PageOf
from market.core.permissions import requires
from market.matching.intents import (
    attachments,
    beginning,
    invitations,
    offers,
    outcomes,
    queries,
    service,
    thread,
)
from market.matching.intents.api_schemas import (
    IntentAct,
    IntentAgreement,
    IntentCaseSchema,
    IntentInvitationAct,
    IntentInvitationSchema,
    IntentListSchema,
    IntentQuery,
    IntentUploadQuery,
    IntentUploadSchema,
    NewIntent,
    NewIntentInvitation,
    NewIntentMessage,
    NewIntentOffer,
    NewIntentOutcome,
)
from market.matching.intents.models import SOURCES, STATES
from market.matching.intents.queries import Case, OfferView, Row
from market.matching.intents.workflow import READ, SEE_INVITATION

blueprint = ApiBlueprint("intents_api", __name__, "对接意向：方案、邀请、往来、结果")
_TOKEN: list[dict[str, list[str]]] = [{"token": []}]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE = {"required": True, "content": {"application/octet-stream": _BINARY}}


def _row(row: Row | Case) -> dict[str, Any]:
    one = row.intent
    same = ("no", "state", "title", "source_kind", "source_no", "turn", "contract_class", "ip")
    return {
        **{name: getattr(one, name) for name in same},
        "field": one.field,
        "side": row.side,
        "state_label": STATES[one.state],
        "listing_no": one.listing.no,
        "buyer": row.shown["buyer"].name,
        "seller": row.shown["seller"].name,
        "due": row.until,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "url": f"/intents/{one.no}",
    }


def _offer(view: OfferView) -> dict[str, Any]:
    attached = [{"name": one.name, "url": f"/files/{one.no}"} for one in view.files]
    values = queries.values_of(view.offer)
    return {**values, "warnings": view.warnings, "files": attached}


def _whole(case: Case) -> dict[str, Any]:
    found = _row(case) | {
        "lock_version": case.intent.lock_version,
        "offers": [_offer(one) for one in case.offers],
        "messages": case.messages,
        "invitations": [
            {
                "id": one.invitation.id,
                "organisation": one.invitation.owner.name,
                "role": one.invitation.role,
                "by_side": one.invitation.by_side,
                "state": one.invitation.state,
                "actions": [act.action for act in one.actions],
            }
            for one in case.invitations
        ],
        "outcomes": case.outcomes,
        "agreed": case.intent.frozen if case.terms else None,
        "actions": [
            {"action": one.action, "label": one.label, "needs_reason": one.reason}
            for one in case.actions
        ],
    }
    dumped: dict[str, Any] = IntentCaseSchema().dump(found)
    told: dict[str, Any] = case.shown["owner"].veil_all(dumped)
    return told


def _answer(no: str) -> Response:
    case = queries.get(current_actor(), no)
    response = jsonify(_whole(case))
    response.headers["ETag"] = version_tag(case.intent.lock_version)
    return response


def _seen(no: str) -> int:
    """The version of the case, after comparing it with `If-Match`."""
    version = queries.get(current_actor(), no).intent.lock_version
    require_match(version)
    return version


@blueprint.route("/intents")
@blueprint.doc(operationId="listIntents", summary="本单位的对接意向", security=_TOKEN)
@blueprint.arguments(IntentQuery, location="query")
@blueprint.response(200, IntentListSchema, description="意向，轮到本单位的在前")
@requires(READ)
def intent_list(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """The own intents, as a party or invited."""
    size = query["per_page"]
    number = min(query["page"], EXACT_UP_TO // size)
    found = queries.for_programs(current_actor(), query["state"], number, size)
    return PageOf([_row(one) for one in found.items], found.total, number, size, found.total_is)


@blueprint.route("/intents/<string:no>")
@blueprint.doc(operationId="getIntent", summary="一件对接意向", security=_TOKEN)
@blueprint.response(200, IntentCaseSchema, description="意向、方案、往来和结果")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def intent(no: str) -> Response:
    """An intent with its offers and what may be done with it."""
    return _answer(no)


@blueprint.route("/intents", methods=["POST"])
@blueprint.doc(
    operationId="createIntent",
    summary="把咨询、推荐对接或选定的应答转为对接意向",
    description="以令牌所属单位的名义，由对方接受；令牌还须有「对接咨询」的范围。可带 Idempotency-Key。",
    security=_TOKEN,
)
@blueprint.arguments(NewIntent)
@blueprint.response(201, IntentCaseSchema, description="提出的意向")
@blueprint.alt_response(404, MISSING)
@creates
@requires(READ)
def create(values: dict[str, Any]) -> Response:
    """Turn an inquiry into an intent."""
    actor = current_actor()
    named = [kind for kind in SOURCES if values.get(kind)]
    if len(named) != 1:
        raise Invalid({"inquiry": ["请写 inquiry、dispatch、answer 中的一个。"]})
    kind = named[0]

    def act() -> tuple[dict[str, Any], str]:
        no = beginning.begin(actor, values[kind][:20], values, kind)
        return _whole(queries.get(actor, no)), f"{PREFIX}/intents/{no}"

    return create_once(act)


@blueprint.route("/intents/<string:no>/offers", methods=["POST"])
@blueprint.doc(
    operationId="offerIntentTerms",
    summary="提出方案",
    description="提出即表示同意这一版，以前的同意作废。附件先上传，再写编号。须带 If-Match。",
    security=_TOKEN,
)
@blueprint.arguments(NewIntentOffer)
@blueprint.response(200, IntentCaseSchema, description="提出后的意向")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def offer(values: dict[str, Any], no: str) -> Response:
    """Propose terms."""
    kept = values.get("files") or ()
    offers.offer(current_actor(), no, values, (), _seen(no), kept)
    return _answer(no)


@blueprint.route("/intents/<string:no>/files", methods=["POST"])
@blueprint.arguments(IntentUploadQuery, location="query")
@blueprint.doc(
    operationId="uploadIntentFile",
    summary="上传方案的附件",
    description=f"正文就是文件（{files.ACCEPTED}）；提出方案前谁也看不到。",
    security=_TOKEN,
    requestBody=_FILE,
)
@blueprint.response(201, IntentUploadSchema, description="文件的编号")
@blueprint.alt_response(404, MISSING)
@creates
@requires(READ)
def upload(query: dict[str, Any], no: str) -> Response:
    """Take in a file for an offer that is to follow."""
    actor = current_actor()
    queries.get(actor, no)

    def act() -> tuple[dict[str, Any], str]:
        number = attachments.send_ahead(actor, no, query["name"], request.get_data(cache=True))
        body: dict[str, Any] = IntentUploadSchema().dump({"no": number})
        return body, f"{PREFIX}/intents/{no}"

    return create_once(act)


@blueprint.route("/intents/<string:no>/agreement", methods=["POST"])
@blueprint.doc(
    operationId="agreeIntentTerms",
    summary="同意最新一版方案",
    description="双方同意同一版即达成意向。须带 If-Match。",
    security=_TOKEN,
)
@blueprint.arguments(IntentAgreement)
@blueprint.response(200, IntentCaseSchema, description="同意后的意向")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def agree(values: dict[str, Any], no: str) -> Response:
    """Say yes to the latest offer."""
    offers.agree(current_actor(), no, values["version"], _seen(no))
    return _answer(no)


@blueprint.route("/intents/<string:no>/messages", methods=["POST"])
@blueprint.doc(
    operationId="writeIntentMessage", summary="留言", description="须带 If-Match。", security=_TOKEN
)
@blueprint.arguments(NewIntentMessage)
@blueprint.response(200, IntentCaseSchema, description="留言后的意向")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def write(values: dict[str, Any], no: str) -> Response:
    """Write into the thread."""
    thread.say(current_actor(), no, values["text"], _seen(no))
    return _answer(no)


@blueprint.route("/intents/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnIntent",
    summary="接受、暂不对接、撤回、终止、重新洽谈、对调、允许或不允许查看、提醒",
    description="现在能做哪些，见这件意向的 actions。须带 If-Match。",
    security=_TOKEN,
)
@blueprint.arguments(IntentAct)
@blueprint.response(200, IntentCaseSchema, description="办后的意向")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def act_on(values: dict[str, Any], no: str) -> Response:
    """One of the other actions."""
    version = _seen(no)
    if values["action"] == "remind":
        thread.remind(current_actor(), no)
    else:
        service.act(current_actor(), no, values["action"], {**values, "version": version})
    return _answer(no)


@blueprint.route("/intents/<string:no>/invitations", methods=["POST"])
@blueprint.doc(
    operationId="inviteToIntent",
    summary="提出邀请",
    description="请技术经理人或服务点参与；对方同意后才会邀请。须带 If-Match。",
    security=_TOKEN,
)
@blueprint.arguments(NewIntentInvitation)
@blueprint.response(200, IntentCaseSchema, description="提出后的意向")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def invite(values: dict[str, Any], no: str) -> Response:
    """Propose to invite an organisation."""
    invitations.invite(current_actor(), no, values, _seen(no))
    return _answer(no)


@blueprint.route("/intents/invitations/<int:key>", methods=["POST"])
@blueprint.doc(
    operationId="answerIntentInvitation",
    summary="答复邀请",
    description="同意或不同意（对方）、参与或不参与或退出（受邀方）、请出、再次邀请。",
    security=_TOKEN,
)
@blueprint.arguments(IntentInvitationAct)
@blueprint.response(200, IntentInvitationSchema, description="办后的邀请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(SEE_INVITATION)
def answer_invitation(values: dict[str, Any], key: int) -> Response:
    """Answer an invitation."""
    with as_seen(lambda: _invited(key)):
        invitations.act(current_actor(), key, values["action"])
    return tagged(_invited(key))


def _invited(key: int) -> dict[str, Any]:
    row = invitations.get(current_actor(), key)
    told: dict[str, Any] = IntentInvitationSchema().dump(
        {
            "id": row.id,
            "organisation": row.owner.name,
            "role": row.role,
            "by_side": row.by_side,
            "state": row.state,
            "actions": [],
        }
    )
    return told


@blueprint.route("/intents/invitations/<int:key>")
@blueprint.doc(operationId="getIntentInvitation", summary="一份邀请", security=_TOKEN)
@blueprint.response(200, IntentInvitationSchema, description="邀请")
@blueprint.alt_response(404, MISSING)
@requires(SEE_INVITATION)
def invitation(key: int) -> Response:
    """An invitation to take part."""
    return tagged(_invited(key))


@blueprint.route("/intents/<string:no>/outcomes", methods=["POST"])
@blueprint.doc(
    operationId="tellIntentOutcome",
    summary="告诉结果",
    description="双方所在地的科技管理部门看得到。须带 If-Match。",
    security=_TOKEN,
)
@blueprint.arguments(NewIntentOutcome)
@blueprint.response(200, IntentCaseSchema, description="填写后的意向")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def tell_outcome(values: dict[str, Any], no: str) -> Response:
    """Say what became of it."""
    outcomes.tell(current_actor(), no, values, _seen(no))
    return _answer(no)
