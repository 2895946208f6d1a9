"""Who works at a body or point, in the API: for its office and for itself."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from market.core.api import PREFIX
from market.core.api_schemas import Answer, Input, ListAnswer
from market.core.api_writes import as_seen, create_once, creates, edits, tagged
from market.core.fields import Day, Line
from market.core.http import current_actor
from market.core.pagination import whole as whole_list
from market.core.permissions import requires
from market.service_points import queries, staff
from market.service_points.api import blueprint
from market.service_points.models import AB_ROLES
from market.service_points.workflow import STAFF

_HERE = "/service-points/<string:no>/staff"


class DirectoryStaffSchema(Answer):
    """Somebody who works there; without his consent the name is masked here too."""

    id = fields.Integer(metadata={"description": "移除、改公开时用"})
    name = fields.String()
    duty = fields.String()
    ab_role = fields.String(allow_none=True, metadata={"enum": [*AB_ROLES, None]})
    listed = fields.Boolean(metadata={"description": "本人同意公开姓名"})


class DirectoryStaffListSchema(ListAnswer):
    """All who work there."""

    items = fields.List(fields.Nested(DirectoryStaffSchema))


class NewDirectoryStaff(Input):
    """Somebody who works there: a member of the organisation, or a name."""

    person = fields.Integer(
        strict=True,
        validate=validate.Range(1, 2_000_000_000, error="没有这位成员。"),
        metadata={"description": "本单位成员的编号；不是成员的写 name"},
    )
    name = Line(60, metadata={"description": "姓名"})
    duty = Line(100, required=True, metadata={"description": "岗位"})
    certificate = Line(100, metadata={"description": "培训证书号"})
    trained_on = Day(metadata={"description": "培训日期"})
    ab_role = fields.String(
        validate=validate.OneOf(list(AB_ROLES), error=f"应为 {'、'.join(AB_ROLES)} 之一。"),
        metadata={"description": "A/B 角"},
    )
    listed = fields.Boolean(load_default=False, metadata={"description": "本人同意公开姓名"})


class DirectoryStaffShown(Input):
    """Whether the name is shown."""

    listed = fields.Boolean(required=True, metadata={"description": "本人同意公开姓名"})


def _staff(no: str) -> dict[str, Any]:
    queries.load(current_actor(), STAFF, no)
    rows = queries.get(current_actor(), no).staff
    found: dict[str, Any] = DirectoryStaffListSchema().dump(whole_list(rows))
    return found


@blueprint.route(_HERE)
@blueprint.doc(operationId="listServicePointStaff", summary="工作人员")
@blueprint.response(200, DirectoryStaffListSchema, description="工作人员；ETag 供修改时带上")
@requires(STAFF)
def staff_list(no: str) -> Response:
    """Who works there, with the numbers by which they are taken off."""
    return tagged(_staff(no))


@blueprint.route(_HERE, methods=["POST"])
@blueprint.doc(
    operationId="addServicePointStaff",
    summary="添工作人员",
    description="可带 Idempotency-Key。",
)
@blueprint.arguments(NewDirectoryStaff)
@blueprint.response(201, DirectoryStaffListSchema, description="添加后的工作人员")
@creates
@requires(STAFF)
def add_staff(body: dict[str, Any], no: str) -> Response:
    """Note somebody who works there; with `Idempotency-Key` once."""

    def act() -> tuple[dict[str, Any], str]:
        staff.add(current_actor(), no, body)
        return _staff(no), f"{PREFIX}/service-points/{no}/staff"

    return create_once(act)


@blueprint.route(f"{_HERE}/<int:staff_id>", methods=["PATCH"])
@blueprint.doc(
    operationId="showServicePointStaff",
    summary="公开或不公开一位工作人员的姓名",
    description="须带 If-Match：工作人员列表的 ETag。",
)
@blueprint.arguments(DirectoryStaffShown)
@blueprint.response(200, DirectoryStaffListSchema, description="修改后的工作人员")
@edits
@requires(STAFF)
def show_staff(body: dict[str, Any], no: str, staff_id: int) -> Response:
    """Show a name whole, since its bearer agreed, or masked again; asks for `If-Match`."""
    with as_seen(lambda: _staff(no)):
        staff.show(current_actor(), no, staff_id, body["listed"])
    return tagged(_staff(no))


@blueprint.route(f"{_HERE}/<int:staff_id>", methods=["DELETE"])
@blueprint.doc(
    operationId="removeServicePointStaff",
    summary="移除工作人员",
    description="须带 If-Match：工作人员列表的 ETag。",
)
@blueprint.response(204, description="已移除")
@edits
@requires(STAFF)
def remove_staff(no: str, staff_id: int) -> Response:
    """Take somebody off the list; asks for `If-Match`."""
    with as_seen(lambda: _staff(no)):
        staff.remove(current_actor(), no, staff_id)
    return Response(status=204)
