"""Readers' reports in the API: reporting a mistake, and what the office of the place does."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields
from marshmallow.validate import OneOf

from market.catalogue import report_cases, service
from market.catalogue.models import REPORT_REASONS, REPORT_STATES
from market.catalogue.problems import ReportSchema
from market.catalogue.queries import FOLLOW, follow_report, get
from market.catalogue.report_cases import DESK, SETTLE
from market.catalogue.service import REPORT, UNMASK
from market.core.api import PREFIX, ApiBlueprint
from market.core.api_schemas import Answer, Input
from market.core.api_writes import as_seen, create_once, creates, edits, tagged
from market.core.errors import NotFound
from market.core.fields import Line, LongText
from market.core.http import client_address, current_actor, opens_by_address
from market.core.permissions import requires
from market.core.workflow import LONGEST_REASON

blueprint = ApiBlueprint("reports", __name__, "错误报告：读者报告，科技管理部门核实")
_ACTIONS = [one.action for one in report_cases.WORKFLOW.transitions]


class ReportInput(Input, ReportSchema):
    """What is wrong with a listing."""

    class Meta:
        unknown = "raise"

    listing = Line(20, required=True, metadata={"description": "成果或需求的编号"})


class ReportStateSchema(Answer):
    """How a report stands, for whoever has its number."""

    no = fields.String(metadata={"description": "报告编号，查进度时用"})
    listing_no = fields.String(metadata={"example": "CG2026000001"})
    reason = fields.String(metadata={"description": "哪里有问题"})
    state = fields.String(metadata={"description": "状态名称"})
    created = fields.DateTime()


class ReportCaseSchema(ReportStateSchema):
    """A report as its office sees it; the contact is told apart, with a reason."""

    text = fields.String(allow_none=True)
    masked = fields.Boolean(metadata={"description": "留了联系方式"})
    due = fields.Date(allow_none=True)
    actions = fields.List(fields.String(), metadata={"description": "此令牌现在可以做的"})


class ReportActInput(Input):
    """An act with its reason."""

    action = fields.String(
        required=True,
        validate=OneOf(_ACTIONS, error=f"应为 {'、'.join(_ACTIONS)} 之一。"),
        metadata={"enum": _ACTIONS},
    )
    reason = LongText(LONGEST_REASON, metadata={"description": "dismiss、reopen 必填"})


class ReportWhyInput(Input):
    """Why the contact is looked at."""

    reason = LongText(LONGEST_REASON, required=True, metadata={"description": "记入操作记录"})


class ReportContactSchema(Answer):
    """How to reach who reported."""

    contact = fields.String(allow_none=True, metadata={"description": "没有留或已删除时为 null"})


@blueprint.route("/reports", methods=["POST"])
@blueprint.doc(
    operationId="createReport",
    summary="报告错误",
    description=f"不需要令牌。reason：{'；'.join(f'{k} {v}' for k, v in REPORT_REASONS.items())}。",
)
@blueprint.arguments(ReportInput)
@blueprint.response(201, ReportStateSchema, description="已收到")
@creates
@requires(REPORT)
def create(values: dict[str, Any]) -> Response:
    """Report a mistake in a listing."""
    actor, listing = current_actor(), values["listing"].upper()
    kind = _kind_of(listing)

    def act() -> tuple[dict[str, Any], str]:
        no = service.report_problem(actor, kind, listing, values, address=client_address())
        body: dict[str, Any] = ReportStateSchema().dump(follow_report(actor, no))
        return body, f"{PREFIX}/reports/{no}/state"

    return create_once(act)


def _kind_of(listing: str) -> str:
    for kind in ("achievement", "demand"):
        try:
            return get(current_actor(), kind, listing).kind
        except NotFound:
            continue
    raise NotFound(f"没有编号为 {listing} 的成果或需求。")


@blueprint.route("/reports/<string:no>/state")
@blueprint.doc(operationId="getReportState", summary="报告的进度", description="凭报告编号查。")
@blueprint.response(200, ReportStateSchema, description="进度")
@requires(FOLLOW)
@opens_by_address
def state(no: str) -> Response:
    """How a report stands."""
    return tagged(ReportStateSchema().dump(follow_report(current_actor(), no)))


def _case(no: str) -> dict[str, Any]:
    found = report_cases.case(current_actor(), no)
    told = {name: getattr(found.view, name) for name in found.view.__dataclass_fields__}
    told["due"] = found.due.day if found.due else None
    told["actions"] = [one.action for one in found.actions]
    body: dict[str, Any] = ReportCaseSchema().dump(told)
    return body


@blueprint.route("/reports/<string:no>")
@blueprint.doc(
    operationId="getReport",
    summary="一份报告",
    description=f"状态：{'、'.join(REPORT_STATES.values())}。",
)
@blueprint.response(200, ReportCaseSchema, description="报告；ETag 供办理时带上")
@requires(DESK)
def report(no: str) -> Response:
    """A report, for the office of its place."""
    return tagged(_case(no))


@blueprint.route("/reports/<string:no>/actions", methods=["POST"])
@blueprint.doc(operationId="actOnReport", summary="办理一份报告")
@blueprint.arguments(ReportActInput)
@blueprint.response(200, ReportCaseSchema, description="办理后的报告")
@edits
@requires(SETTLE)
def act(values: dict[str, Any], no: str) -> Response:
    """Handle, dismiss, reopen."""
    with as_seen(lambda: _case(no)):
        report_cases.settle(current_actor(), no, values["action"], values.get("reason"))
    return tagged(_case(no))


@blueprint.route("/reports/<string:no>/contact", methods=["POST"])
@blueprint.doc(
    operationId="readReportContact",
    summary="查看报告人的联系方式",
    description="每次查看都记入操作记录。",
)
@blueprint.arguments(ReportWhyInput)
@blueprint.response(200, ReportContactSchema, description="联系方式")
@requires(UNMASK)
def contact(values: dict[str, Any], no: str) -> dict[str, Any]:
    """How to reach who reported."""
    actor = current_actor()
    found = report_cases.case(actor, no)
    shown = service.unmask_contacts(actor, [found.id], reason=values["reason"])
    return {"contact": shown.get(found.id)}
