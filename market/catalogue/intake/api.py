"""First demands in the API, for the tokens of offices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from marshmallow import fields
from marshmallow.validate import OneOf

from market.catalogue.intake import claiming, queries, service
from market.catalogue.intake.models import SOURCES, STATES
from market.catalogue.intake.queries import TABS, IntakeView, find_place
from market.catalogue.intake.schemas import (
    CallSchema,
    CompletionSchema,
    EntrySchema,
    Telephone,
)
from market.catalogue.intake.workflow import ENTER, HANDLE, INTAKE, PLAIN_ACTS, READ, UNMASK
from market.core.api import ApiBlueprint
from market.core.api_schemas import (
    Answer,
    Input,
    ListAnswer,
    Query,
    Text,
    page_number,
    per_page,
)
from market.core.api_writes import create_once, creates, edits, require_match, tagged
from market.core.errors import Invalid
from market.core.fields import YesNo
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import requires

blueprint = ApiBlueprint("intakes", __name__, "来电与代录：科技管理部门的令牌可用")


class IntakeQuery(Query):
    """How to find cases."""

    state = Text(
        12, load_default="", metadata={"description": "状态代码，空为全部", "enum": ["", *TABS]}
    )
    q = Text(60, load_default="", metadata={"description": "编号，或单位名称里的字"})
    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class IntakeSchema(Answer):
    """A first demand; the caller is masked."""

    no = fields.String(metadata={"description": "本站编号", "example": "DL2026000001"})
    state = fields.String(metadata={"enum": list(STATES)})
    state_label = fields.String(metadata={"example": "待回访"})
    source = fields.String(metadata={"enum": list(SOURCES)})
    problem = fields.String()
    product = fields.String()
    target = fields.String(allow_none=True, metadata={"description": "现在的数值，想达到的数值"})
    firm = fields.String()
    uscc = fields.String(allow_none=True)
    name_hidden = fields.Boolean(metadata={"description": "公开时不写单位名称"})
    region_code = fields.String(attribute="region.code", metadata={"example": "511402"})
    region_name = fields.String(attribute="region.full_name")
    contact = fields.String(metadata={"description": "联系人，已遮盖", "example": "李*"})
    telephone = fields.String(metadata={"description": "电话，已遮盖", "example": "138****1234"})
    doubts = fields.List(fields.String(), metadata={"description": "为什么要甄别（代码）"})
    calls = fields.Integer(metadata={"description": "已回访几次"})
    due = fields.Date(metadata={"description": "该在哪一天前回电话"})
    consent_at = fields.DateTime()
    created_at = fields.DateTime()
    submission_no = fields.String(allow_none=True, metadata={"description": "需求草稿的编号"})
    url = fields.String(metadata={"description": "本站页面"})


class EventSchema(Answer):
    """A line of the timeline."""

    action = fields.String()
    state = fields.String(attribute="after", allow_none=True)
    reason = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    by = fields.String(attribute="actor_label")
    at = fields.DateTime()


class IntakeDetailSchema(IntakeSchema):
    """A case with its timeline and what the token may do with it."""

    events = fields.List(fields.Nested(EventSchema))
    actions = fields.List(fields.String())


class IntakeListSchema(ListAnswer):
    """Cases found."""

    items = fields.List(fields.Nested(IntakeSchema))


class NewIntakeSchema(EntrySchema):
    """代录 from another system."""

    complete = YesNo(metadata={"label": "同时建立单位和需求草稿"})


@blueprint.route("/intakes")
@blueprint.doc(
    operationId="listIntakes",
    summary="来电与代录列表",
    description="令牌所管地区的；待办的按该回电话的日子排列，其余新的在前。",
    security=[{"token": []}],
)
@blueprint.arguments(IntakeQuery, location="query")
@blueprint.response(200, IntakeListSchema, description="来电")
@requires(READ)
def intake_list(query: dict[str, Any]) -> PageOf[IntakeView]:
    """Cases of the token's area."""
    size = query["per_page"]
    page = min(query["page"], EXACT_UP_TO // size)
    tab = query["state"] if query["state"] in TABS else ""
    return queries.listed(current_actor(), tab, q=query["q"], page=page, per_page=size)


@blueprint.route("/intakes/<string:no>")
@blueprint.doc(operationId="getIntake", summary="一件来电", security=[{"token": []}])
@blueprint.response(200, IntakeDetailSchema, description="来电")
@requires(READ)
def intake_detail(no: str) -> Response:
    """One case."""
    return tagged(_dumped(no))


def _detail(no: str) -> dict[str, Any]:
    actor = current_actor()
    found = queries.case(actor, no)
    told: dict[str, Any] = {
        name: getattr(found.intake, name) for name in found.intake.__dataclass_fields__
    }
    more = ("state_label", "url")
    return {
        **told,
        **{name: getattr(found.intake, name) for name in more},
        "events": found.events,
        "actions": [one.action for one in INTAKE.actions(actor, found.row)],
    }


@blueprint.route("/intakes", methods=["POST"])
@blueprint.doc(
    operationId="createIntake",
    summary="代录一件",
    description=(
        "地区写 region（代码）或 place（名称）；consent 须为「是」。complete 为「是」时同时建立单位和"
        "需求草稿。带 Idempotency-Key 重发只办一次。"
    ),
    security=[{"token": []}],
)
@blueprint.arguments(NewIntakeSchema)
@blueprint.response(201, IntakeDetailSchema, description="已收下")
@creates
@requires(ENTER)
def create(values: Mapping[str, Any]) -> Response:
    """代录 from another system."""

    def act() -> tuple[dict[str, Any], str]:
        actor, place = current_actor(), _place(values)
        no = service.enter(actor, values, place)
        if values.get("complete"):
            service.complete(actor, no, values, place)
        return _dumped(no), f"/api/v1/intakes/{no}"

    return create_once(act)


@blueprint.route("/intakes/<string:no>/calls", methods=["POST"])
@blueprint.doc(
    operationId="noteCall",
    summary="记一次回访",
    description="result 为 reached（已接通）或 missed（未接通）；next_call 为下次回访的日期。",
    security=[{"token": []}],
)
@blueprint.arguments(CallSchema)
@blueprint.response(201, IntakeDetailSchema, description="已记下")
@creates
@edits
@requires(HANDLE)
def note_call(values: Mapping[str, Any], no: str) -> Response:
    """Note a call back."""

    def act() -> tuple[dict[str, Any], str]:
        require_match(_dumped(no))
        service.note_call(current_actor(), no, values)
        return _dumped(no), f"/api/v1/intakes/{no}"

    return create_once(act)


def _place(values: Mapping[str, Any]) -> int:
    place = find_place(values.get("region") or "", values.get("place") or "")
    if place.found is None:
        raise Invalid({"place": [place.error]})
    return place.found.id


def _dumped(no: str) -> dict[str, Any]:
    body: dict[str, Any] = IntakeDetailSchema().dump(_detail(no))
    return body


_ACTS = (*PLAIN_ACTS, "duplicate", "erase", "code")


class ActSchema(Input):
    """One of the acts that need little more than their name."""

    action = fields.String(
        required=True,
        validate=OneOf(_ACTS, error="可选：accept、drop、reopen、duplicate、erase、code。"),
        metadata={"enum": list(_ACTS)},
    )
    reason = fields.String(
        load_default=None, metadata={"description": "drop、reopen、erase 必填；drop 的来电人会看到"}
    )
    of = fields.String(load_default="", metadata={"description": "duplicate：与哪一件重复，写编号"})
    mobile = Telephone(
        load_default=None, metadata={"description": "code：来电人留的是座机时，认领码发到这个手机"}
    )


class CompleteSchema(CompletionSchema):
    """What a demand is made of; contact and telephone stay where they are not given."""


class WhySchema(Input):
    """Why the caller's name and telephone are looked at."""

    reason = fields.String(required=True, metadata={"description": "理由，记入操作记录"})


class CallerSchema(Answer):
    """The caller in full."""

    contact = fields.String(allow_none=True)
    telephone = fields.String(allow_none=True)


@blueprint.route("/intakes/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnIntake",
    summary="办理一件来电",
    description=(
        "accept 甄别通过，drop 不受理，reopen 恢复办理，duplicate 与另一件重复，erase 按本人要求删除联系方式，"
        "code 发送认领码。现在的状态不能这样办的回答 409。"
    ),
    security=[{"token": []}],
)
@blueprint.arguments(ActSchema)
@blueprint.response(200, IntakeDetailSchema, description="办理后的来电")
@edits
@requires(HANDLE)
def act(values: dict[str, Any], no: str) -> Response:
    """Accept, drop, reopen, duplicate, erase, send a code."""
    actor, action = current_actor(), values["action"]
    require_match(_dumped(no))
    if action == "duplicate":
        service.mark_duplicate(actor, no, values["of"])
    elif action == "erase":
        service.erase(actor, no, (values["reason"] or "").strip()[:300])
    elif action == "code":
        claiming.send_code(actor, no, values["mobile"])
    else:
        service.act(actor, no, action, values["reason"])
    return tagged(_dumped(no))


@blueprint.route("/intakes/<string:no>/complete", methods=["POST"])
@blueprint.doc(
    operationId="completeIntake",
    summary="完成代录",
    description=(
        "认出或建立单位，建立需求草稿；草稿编号在 submission_no。令牌的范围除来电外还要有单位和提交。"
    ),
    security=[{"token": []}],
)
@blueprint.arguments(CompleteSchema)
@blueprint.response(201, IntakeDetailSchema, description="已代录")
@creates
@edits
@requires(HANDLE)
def complete(values: Mapping[str, Any], no: str) -> Response:
    """Make a demand of it."""

    def work() -> tuple[dict[str, Any], str]:
        require_match(_dumped(no))
        service.complete(current_actor(), no, values, _place(values))
        return _dumped(no), f"/api/v1/intakes/{no}"

    return create_once(work)


@blueprint.route("/intakes/<string:no>/unmask", methods=["POST"])
@blueprint.doc(
    operationId="unmaskIntake",
    summary="查看来电人的完整信息",
    description="每次查看都有记录。",
    security=[{"token": []}],
)
@blueprint.arguments(WhySchema)
@blueprint.response(200, CallerSchema, description="联系人和电话")
@requires(UNMASK)
def unmask(values: dict[str, Any], no: str) -> dict[str, Any]:
    """The caller's name and telephone."""
    contact, telephone = service.unmask(current_actor(), no, values["reason"].strip()[:300])
    return {"contact": contact, "telephone": telephone}
