"""The office's side in the API: what was passed up, firms that are looked after, its usual days."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from market.core.api import MISSING, PREFIX
from market.core.api_schemas import Answer, Input, ListAnswer, Query, page_number
from market.core.api_writes import as_seen, create_once, creates, edits, tagged
from market.core.fields import LongText
from market.core.http import current_actor
from market.core.pagination import PageOf
from market.core.permissions import requires
from market.matching.dispatch import contacts, escalating, firms, queries, service
from market.matching.dispatch.api import SECURED, blueprint
from market.matching.dispatch.api_schemas import (
    DispatchContactSchema,
    DispatchLineSchema,
    DispatchReason,
    NewLine,
)
from market.matching.dispatch.models import ESCALATION_STATES, MOST_DAYS, Escalation
from market.matching.dispatch.schemas import LONGEST
from market.matching.dispatch.workflow import (
    ASSIGN,
    ESCALATION,
    FIRM,
    FIRM_CONTACT,
    LOG,
    SETTING,
)


class EscalationCaseSchema(Answer):
    """A demand that was passed up."""

    no = fields.String(metadata={"example": "SB2026000001"})
    state = fields.String(metadata={"enum": list(ESCALATION_STATES)})
    demand_no = fields.String()
    title = fields.String()
    words = fields.String(metadata={"description": "上报时写的话"})
    answer = fields.String(allow_none=True, metadata={"description": "上一级的答复"})
    actions = fields.List(fields.String())


class EscalationAct(Input):
    """What is done with it."""

    action = fields.String(
        required=True,
        validate=validate.OneOf(["answer", "withdraw"], error="应为 answer 或 withdraw。"),
        metadata={"description": "answer 答复县里；withdraw 撤回上报"},
    )
    words = LongText(LONGEST, metadata={"description": "答复的话，answer 必填"})


class FirmSchema(Answer):
    """A firm that an office looks after."""

    no = fields.String()
    name = fields.String()
    officer_id = fields.Integer(allow_none=True, metadata={"description": "联系人的编号"})
    officer = fields.String(allow_none=True)
    next_call = fields.Date(allow_none=True)


class FirmListSchema(ListAnswer):
    """Firms of the area."""

    items = fields.List(fields.Nested(FirmSchema))


class ColleagueSchema(Answer):
    """An officer who may look after a firm."""

    id = fields.Integer()
    name = fields.String()


class FirmCaseSchema(FirmSchema):
    """A firm with its log."""

    lines = fields.List(fields.Nested(DispatchLineSchema))
    colleagues = fields.List(
        fields.Nested(ColleagueSchema), metadata={"description": "可选的联系人"}
    )


class OfficerInput(Input):
    """Who looks after a firm."""

    person = fields.Integer(
        required=True, strict=True, allow_none=True, metadata={"description": "null 为不再指定"}
    )


class FirmQuery(Query):
    """Which firms."""

    tab = fields.String(
        load_default="assigned",
        validate=validate.OneOf(list(firms.TABS), error=f"应为 {'、'.join(firms.TABS)} 之一。"),
        metadata={"description": "mine 我联系的；assigned 已有联系人；open 还没有联系人"},
    )
    page = page_number()


class UsualDaysInput(Input):
    """The working days that an office usually gives."""

    days = fields.Integer(
        required=True,
        strict=True,
        allow_none=True,
        validate=validate.Range(1, MOST_DAYS, error=f"应为 1 到 {MOST_DAYS} 的整数。"),
        metadata={"description": "null 为每次填写"},
    )


class UsualDaysSchema(Answer):
    """The working days that an office usually gives."""

    days = fields.Integer(allow_none=True)


def _escalation(no: str) -> dict[str, Any]:
    actor = current_actor()
    row: Escalation = escalating.get(actor, no)
    told: dict[str, Any] = EscalationCaseSchema().dump(
        {
            "no": row.no,
            "state": row.state,
            "demand_no": row.listing.no,
            "title": row.title,
            "words": row.words,
            "answer": row.answer,
            "actions": [one.action for one in queries.escalation_actions(actor, row)],
        }
    )
    return told


@blueprint.route("/escalations/<string:no>")
@blueprint.doc(operationId="getEscalation", summary="一件上报", security=SECURED)
@blueprint.response(200, EscalationCaseSchema, description="上报和答复")
@blueprint.alt_response(404, MISSING)
@requires(ESCALATION)
def escalation(no: str) -> Response:
    """A demand that was passed up."""
    return tagged(_escalation(no))


@blueprint.route("/escalations/<string:no>/actions", methods=["POST"])
@blueprint.doc(operationId="actOnEscalation", summary="答复县里，或撤回上报", security=SECURED)
@blueprint.arguments(EscalationAct)
@blueprint.response(200, EscalationCaseSchema, description="办后的上报")
@blueprint.alt_response(404, MISSING)
@edits
@requires(ESCALATION)
def act_on_escalation(values: dict[str, Any], no: str) -> Response:
    """Answer it, or take it back."""
    actor = current_actor()
    with as_seen(lambda: _escalation(no)):
        if values["action"] == "answer":
            escalating.answer(actor, no, values.get("words") or "")
        else:
            escalating.withdraw(actor, no)
    return tagged(_escalation(no))


@blueprint.route("/firms")
@blueprint.arguments(FirmQuery, location="query")
@blueprint.doc(operationId="listFirms", summary="联系企业：本地区的企业和合作社", security=SECURED)
@blueprint.response(200, FirmListSchema, description="企业")
@requires(FIRM)
def listed(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """Firms of the area with who looks after them."""
    page = firms.listed(current_actor(), query["tab"], "", query["page"])
    items: list[dict[str, Any]] = [
        {"no": row.firm.no, "name": row.firm.name, "officer": row.officer or None}
        | {"officer_id": None, "next_call": row.next_call}
        for row in page.items
    ]
    return PageOf(items, page.total, page.page, page.per_page, page.total_is)


def _firm(no: str) -> dict[str, Any]:
    found = firms.get(current_actor(), no)
    officer = found.officer
    told: dict[str, Any] = FirmCaseSchema().dump(
        {
            "no": found.firm.no,
            "name": found.firm.name,
            "officer_id": officer.person_id if officer else None,
            "officer": officer.person.name if officer else None,
            "next_call": officer.next_call if officer else None,
            "lines": found.lines,
            "colleagues": [{"id": key, "name": name} for key, name in found.colleagues],
        }
    )
    return told


@blueprint.route("/firms/<string:no>")
@blueprint.doc(operationId="getFirm", summary="一家企业的联系人和联系记录", security=SECURED)
@blueprint.response(200, FirmCaseSchema, description="联系人和记录")
@blueprint.alt_response(404, MISSING)
@requires(FIRM)
def firm(no: str) -> Response:
    """Who looks after a firm, and what was said to it."""
    return tagged(_firm(no))


@blueprint.route("/firms/<string:no>/officer", methods=["PUT"])
@blueprint.doc(operationId="setFirmOfficer", summary="指定联系人", security=SECURED)
@blueprint.arguments(OfficerInput)
@blueprint.response(200, FirmCaseSchema, description="指定后")
@blueprint.alt_response(404, MISSING)
@edits
@requires(ASSIGN)
def set_officer(values: dict[str, Any], no: str) -> Response:
    """Say who looks after a firm."""
    with as_seen(lambda: _firm(no)):
        firms.assign(current_actor(), no, values["person"])
    return tagged(_firm(no))


@blueprint.route("/firms/<string:no>/log", methods=["POST"])
@blueprint.doc(operationId="logFirm", summary="记一次联系企业", security=SECURED)
@blueprint.arguments(NewLine)
@blueprint.response(201, FirmCaseSchema, description="记后的企业")
@blueprint.alt_response(404, MISSING)
@creates
@requires(LOG)
def log_firm(values: dict[str, Any], no: str) -> Response:
    """Note a call, a message, a visit or a remark."""

    def act() -> tuple[dict[str, Any], str]:
        firms.log(current_actor(), no, values)
        return _firm(no), f"{PREFIX}/firms/{no}"

    return create_once(act)


@blueprint.route("/firms/<string:no>/contact", methods=["POST"])
@blueprint.doc(
    operationId="readFirmContact",
    summary="查看联系记录中对方的完整信息",
    description="每次查看都记入操作记录。",
    security=SECURED,
)
@blueprint.arguments(DispatchReason)
@blueprint.response(200, DispatchContactSchema, description="姓名和电话")
@blueprint.alt_response(404, MISSING)
@requires(FIRM_CONTACT)
def firm_contact(values: dict[str, Any], no: str) -> contacts.Person:
    """Who was spoken to last."""
    return contacts.of_firm(current_actor(), no, values.get("reason"), None)


def _usual() -> dict[str, Any]:
    path = queries.own_area(current_actor())
    return {"days": queries.usual_days(path) if path else None}


@blueprint.route("/dispatches/usual-days")
@blueprint.doc(operationId="getUsualDays", summary="本部门通常给几个工作日答复", security=SECURED)
@blueprint.response(200, UsualDaysSchema, description="工作日")
@requires(SETTING)
def usual_days() -> Response:
    """The working days that the office usually gives."""
    return tagged(_usual())


@blueprint.route("/dispatches/usual-days", methods=["PUT"])
@blueprint.doc(operationId="setUsualDays", summary="设本部门通常给几个工作日答复", security=SECURED)
@blueprint.arguments(UsualDaysInput)
@blueprint.response(200, UsualDaysSchema, description="设好后")
@edits
@requires(SETTING)
def set_usual_days(values: dict[str, Any]) -> Response:
    """Set them."""
    with as_seen(_usual):
        service.set_usual_days(current_actor(), values["days"])
    return tagged(_usual())
