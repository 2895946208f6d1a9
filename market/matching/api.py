"""Inquiries in the API: the own ones of both sides."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate
from sqlalchemy import select

from market.catalogue.models import Listing
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_schemas import Answer, Input, ListAnswer, Query, Text, page_number, per_page
from market.core.api_writes import create_once, creates, edits, require_match, tagged
from market.core.db import db
from market.core.errors import Denied, NotFound
from market.core.fields import Line, LongText, Whole
from market.core.http import current_actor
from market.core.money import HIGHEST_FEN
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import requires
from market.matching import contacts, inquiring, queries, service
from market.matching.models import OUTCOMES, SIDES, STATES
from market.matching.queries import Case, Row
from market.matching.schemas import LONGEST_MESSAGE, LONGEST_NEED
from market.matching.workflow import ANSWER_FOR, ASK, CONTACT, READ

blueprint = ApiBlueprint("inquiries", __name__, "对接咨询：本单位收到的和发出的")
_ACTIONS = ("reopen", "withdraw", "remove", "restore", "remind", "assign")


class InquiryQuery(Query):
    """Which inquiries."""

    side = Text(
        10,
        load_default="",
        metadata={"description": "received：收到的；sent：发出的；不写为两者"},
    )
    state = Text(10, load_default="", metadata={"description": "状态代码", "example": "new"})
    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class InquirySchema(Answer):
    """An inquiry in a list."""

    no = fields.String(metadata={"example": "DJ2026000001"})
    side = fields.String(metadata={"description": "本单位是哪一方", "enum": list(SIDES)})
    state = fields.String(metadata={"enum": list(STATES)})
    state_label = fields.String(metadata={"description": "状态名称", "example": "待答复"})
    listing_no = fields.String(metadata={"example": "CG2026000001"})
    title = fields.String(metadata={"description": "咨询时那条信息的名称"})
    owner = fields.String(metadata={"description": "发布单位"})
    asker = fields.String(metadata={"description": "咨询方；访客的姓名只显示姓"})
    reach = fields.String(allow_none=True, metadata={"description": "方便联系的时间"})
    due = fields.Date(allow_none=True, metadata={"description": "答复时限；不待答复时为 null"})
    outcome = fields.String(allow_none=True, metadata={"enum": [*OUTCOMES, None]})
    outcome_with = fields.String(allow_none=True, metadata={"description": "与谁解决的"})
    outcome_amount_fen = fields.Integer(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    url = fields.String(metadata={"description": "本站页面"})


class InquiryListSchema(ListAnswer):
    """Inquiries found."""

    items = fields.List(fields.Nested(InquirySchema))


class InquiryMessageSchema(Answer):
    """A message of a thread."""

    side = fields.String(metadata={"enum": list(SIDES)})
    author = fields.String()
    text = fields.String()
    at = fields.DateTime()


class InquiryActionSchema(Answer):
    """What may be done now."""

    action = fields.String(metadata={"example": "close"})
    label = fields.String(metadata={"description": "按钮上的字", "example": "办结"})
    url = fields.String(metadata={"description": "向这里 POST"})
    needs_reason = fields.Boolean()


class InquiryCaseSchema(InquirySchema):
    """An inquiry with its thread."""

    lock_version = fields.Integer(metadata={"description": "第几次改动，同 ETag"})
    assignee_id = fields.Integer(
        allow_none=True, metadata={"description": "交给了哪位成员；只有发布单位看得到"}
    )
    messages = fields.List(fields.Nested(InquiryMessageSchema))
    actions = fields.List(fields.Nested(InquiryActionSchema))


class NewInquiry(Input):
    """An inquiry to send."""

    listing = fields.String(
        required=True, metadata={"description": "成果或需求的编号", "example": "CG2026000001"}
    )
    text = LongText(LONGEST_NEED, required=True, metadata={"description": "想解决什么"})
    reach = Line(100, metadata={"description": "方便联系的时间"})


class NewInquiryMessage(Input):
    """A message to send."""

    text = LongText(LONGEST_MESSAGE, required=True, metadata={"description": "内容"})


class InquiryOutcome(Input):
    """How it ended."""

    outcome = fields.String(
        required=True,
        validate=validate.OneOf(list(OUTCOMES), error="应为 solved、unsolved 或 elsewhere。"),
        metadata={"description": "solved 已解决；unsolved 未解决；elsewhere 站外解决"},
    )
    outcome_with = Line(200, metadata={"description": "与谁解决的"})
    amount_fen = fields.Integer(
        strict=True,
        validate=validate.Range(0, HIGHEST_FEN, error="应为不小于 0 的整数，单位分。"),
        metadata={"description": "金额，单位分"},
    )


class InquiryAct(Input):
    """One of the other actions."""

    action = fields.String(
        required=True,
        validate=validate.OneOf(_ACTIONS, error=f"应为 {'、'.join(_ACTIONS)} 之一。"),
        metadata={
            "description": "reopen 重新打开；withdraw 撤回；remove 标为垃圾信息；"
            "restore 恢复；remind 提醒答复；assign 交给同事"
        },
    )
    reason = LongText(1000, metadata={"description": "原因，remove 必填"})
    person = Whole(1, 10**12, metadata={"description": "assign：成员的 id，不写为不指定"})


class InquiryReason(Input):
    """Why."""

    reason = LongText(1000, metadata={"description": "为什么要看，必填"})


class InquiryContactSchema(Answer):
    """Who asked, in full."""

    name = fields.String()
    telephone = fields.String(metadata={"description": "没有时为空"})
    email = fields.String(metadata={"description": "没有时为空"})


def _row(row: Row | Case) -> dict[str, Any]:
    one = row.inquiry
    return {
        "no": one.no,
        "side": row.side,
        "state": one.state,
        "state_label": STATES[one.state],
        "listing_no": one.listing.no,
        "title": one.title,
        "owner": row.owner.name,
        "asker": one.asker_label,
        "reach": one.reach,
        "due": row.until,
        "outcome": one.outcome,
        "outcome_with": one.outcome_with,
        "outcome_amount_fen": one.outcome_amount_fen,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "url": f"/inquiries/{one.no}",
    }


def _whole(case: Case) -> dict[str, Any]:
    found = _row(case) | {"lock_version": case.inquiry.lock_version, "messages": case.messages}
    found["assignee_id"] = case.assignee_id if case.side == "owner" else None
    found["actions"] = [_action(case, one.action, one.label, one.reason) for one in case.actions]
    dumped: dict[str, Any] = InquiryCaseSchema().dump(found)
    told: dict[str, Any] = case.owner.veil_all(dumped)
    return told


_PLACES = {
    "answer": "messages",
    "write": "messages",
    "answer_for": "answers",
    "close": "close",
    "close_for": "close",
}


def _action(case: Case, action: str, label: str, reason: bool) -> dict[str, Any]:
    name = action.removesuffix("_own")
    place = _PLACES.get(name, "actions")
    address = f"{PREFIX}/inquiries/{case.inquiry.no}/{place}"
    return {"action": name, "label": label, "url": address, "needs_reason": reason}


def _answer(case: Case) -> Response:
    return tagged(_whole(case), case.inquiry.lock_version)


@blueprint.route("/inquiries")
@blueprint.doc(
    operationId="listInquiries",
    summary="本单位的咨询",
    description="待答复的在前，等得最久的最前。没有的状态代码找不到任何咨询。",
    security=[{"token": []}],
)
@blueprint.arguments(InquiryQuery, location="query")
@blueprint.response(200, InquiryListSchema, description="咨询")
@requires(READ)
def inquiry_list(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """The own inquiries of both sides."""
    size = query["per_page"]
    number = min(query["page"], EXACT_UP_TO // size)
    found = queries.of_sides(current_actor(), query["side"], query["state"], number, size)
    return PageOf([_row(one) for one in found.items], found.total, number, size, found.total_is)


@blueprint.route("/inquiries/<string:no>")
@blueprint.doc(operationId="getInquiry", summary="一件咨询", security=[{"token": []}])
@blueprint.response(200, InquiryCaseSchema, description="咨询和往来")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def inquiry(no: str) -> Response:
    """An inquiry with its thread and what may be done with it."""
    return _answer(queries.get(current_actor(), no))


@blueprint.route("/inquiries", methods=["POST"])
@blueprint.doc(
    operationId="createInquiry",
    summary="发出咨询",
    description="以令牌所属单位的名义。可带 Idempotency-Key。",
    security=[{"token": []}],
)
@blueprint.arguments(NewInquiry)
@blueprint.response(201, InquiryCaseSchema, description="发出的咨询")
@blueprint.alt_response(404, MISSING)
@creates
@requires(ASK)
def create(values: dict[str, Any]) -> Response:
    """Send an inquiry."""
    actor = current_actor()
    number = values["listing"][:20]
    kind = db.session.scalar(select(Listing.kind).where(Listing.no == number))
    if kind is None:
        raise NotFound(f"没有编号为 {number} 的成果或需求。")
    own = queries.own_organisations(actor)
    if not own:
        raise Denied
    asker = inquiring.member(actor, (own[0].id, own[0].name))

    def act() -> tuple[dict[str, Any], str]:
        no = inquiring.ask(actor, kind, number, asker, values)
        return _whole(queries.get(actor, no)), f"{PREFIX}/inquiries/{no}"

    return create_once(act)


def _seen(no: str) -> int:
    """The version of the case, after comparing it with `If-Match`."""
    version = queries.get(current_actor(), no).inquiry.lock_version
    require_match(version)
    return version


@blueprint.route("/inquiries/<string:no>/messages", methods=["POST"])
@blueprint.doc(
    operationId="writeInquiryMessage",
    summary="答复或再问",
    description="发布单位写的是答复，咨询方写的是再问，科技管理部门写的是留言。须带 If-Match。",
    security=[{"token": []}],
)
@blueprint.arguments(NewInquiryMessage)
@blueprint.response(200, InquiryCaseSchema, description="写后的咨询")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def write(values: dict[str, Any], no: str) -> Response:
    """Answer as the owner, write again as the asker."""
    service.say(current_actor(), no, values["text"], _seen(no))
    return _answer(queries.get(current_actor(), no))


@blueprint.route("/inquiries/<string:no>/answers", methods=["POST"])
@blueprint.doc(
    operationId="answerInquiryForOwner",
    summary="代为答复",
    description="发布单位还没有账号时，由当地科技管理部门代答，注明部门名称。",
    security=[{"token": []}],
)
@blueprint.arguments(NewInquiryMessage)
@blueprint.response(200, InquiryCaseSchema, description="代答后的咨询")
@blueprint.alt_response(404, MISSING)
@edits
@requires(ANSWER_FOR)
def answer_for(values: dict[str, Any], no: str) -> Response:
    """Answer in the place of an owner that has no account yet."""
    service.answer_for(current_actor(), no, values["text"], _seen(no))
    return _answer(queries.get(current_actor(), no))


@blueprint.route("/inquiries/<string:no>/close", methods=["POST"])
@blueprint.doc(
    operationId="closeInquiry",
    summary="办结",
    description="由发布单位或咨询方办结；发布单位没有账号时由科技管理部门代为办结。须带 If-Match。",
    security=[{"token": []}],
)
@blueprint.arguments(InquiryOutcome)
@blueprint.response(200, InquiryCaseSchema, description="办结后的咨询")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def close(values: dict[str, Any], no: str) -> Response:
    """End a case with its outcome."""
    values["amount"] = values.pop("amount_fen", None)
    service.close(current_actor(), no, values, _seen(no))
    return _answer(queries.get(current_actor(), no))


@blueprint.route("/inquiries/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnInquiry",
    summary="重新打开、撤回、移除、恢复、提醒、交给同事",
    description=(
        "现在能做哪些，见这件咨询的 actions。assign 由发布单位交给一位管理员或编辑，person 为成员的 id，"
        "不写为不指定。须带 If-Match。"
    ),
    security=[{"token": []}],
)
@blueprint.arguments(InquiryAct)
@blueprint.response(200, InquiryCaseSchema, description="办后的咨询")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def act_on(values: dict[str, Any], no: str) -> Response:
    """Reopen, withdraw, remove, restore, remind, give to a colleague."""
    asked = {"version": _seen(no), **values}
    service.do(current_actor(), no, values["action"], asked)
    return _answer(queries.get(current_actor(), no))


@blueprint.route("/inquiries/<string:no>/contact", methods=["POST"])
@blueprint.doc(
    operationId="readInquiryContact",
    summary="查看咨询人的完整联系方式",
    description="须写理由；每次查看都记入操作记录。",
    security=[{"token": []}],
)
@blueprint.arguments(InquiryReason)
@blueprint.response(200, InquiryContactSchema, description="姓名和联系方式")
@blueprint.alt_response(404, MISSING)
@requires(CONTACT)
def contact(values: dict[str, Any], no: str) -> contacts.Contact:
    """Name and telephone or e-mail of who asked."""
    return contacts.read(current_actor(), no, values.get("reason"))
