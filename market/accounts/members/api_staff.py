"""Staff in the API: roles, leaving with a hand-over, invitations taken back, requests to join."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields
from marshmallow.validate import OneOf

from market.accounts.members import queries, service, staff
from market.accounts.members.api import (
    InvitationSchema,
    OrganisationMemberSchema,
    blueprint,
    own_organisation,
)
from market.accounts.members.models import STATES
from market.accounts.members.queries import JoiningView
from market.accounts.members.staff import MANAGE
from market.accounts.members.workflow import ANSWER, LIST, READ
from market.accounts.roles import MEMBERS, ROLES
from market.core.api_schemas import Answer, Input, ListAnswer, Query, Text, page_number, per_page
from market.core.api_writes import as_seen, edits, tagged
from market.core.errors import NotFound
from market.core.fields import Line, LongText, Whole
from market.core.http import current_actor
from market.core.pagination import ROWS_PER_PAGE, PageOf
from market.core.permissions import requires


class MemberRolesInput(Input):
    """All roles that a member is to have."""

    roles = fields.List(
        Line(20),
        required=True,
        metadata={"description": "全部角色，至少一个", "example": ["editor"]},
    )


class MemberEndInput(Input):
    """Who takes over the leaver's open work."""

    colleague = Whole(
        1, 999_999_999, metadata={"description": "接办的成员的 id；没有未办结的可不写"}
    )


class JoiningQuery(Query):
    """Which requests."""

    state = Text(12, load_default="", metadata={"description": "状态代码", "enum": ["", *STATES]})
    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class JoiningSchema(Answer):
    """A request to join; the contact is masked."""

    no = fields.String(metadata={"example": "JR2026000001"})
    state = fields.String(metadata={"enum": list(STATES)})
    state_label = fields.String(metadata={"description": "状态名称"})
    organisation_no = fields.String(attribute="organisation.no")
    person = fields.String()
    contact = fields.String(metadata={"description": "部分隐藏"})
    message = fields.String(allow_none=True, metadata={"description": "附言"})
    role = fields.String(allow_none=True, metadata={"description": "接受时给的角色"})
    actions = fields.Function(
        lambda case: [one.action for one in case.actions],
        metadata={
            "description": "此令牌现在可以做的",
            "type": "array",
            "items": {"type": "string"},
        },
    )
    url = fields.String(metadata={"description": "本站页面"})


class JoiningListSchema(ListAnswer):
    """Requests to join."""

    items = fields.List(fields.Nested(JoiningSchema))


class JoiningAnswerInput(Input):
    """The answer to a request."""

    action = fields.String(
        required=True,
        validate=OneOf(["accept", "refuse"], error="请填 accept 或 refuse。"),
        metadata={"enum": ["accept", "refuse"]},
    )
    role = Line(20, metadata={"description": "由本单位接受时必填：角色代码", "enum": list(MEMBERS)})
    reason = LongText(1000, metadata={"description": "不接受时必填"})


def _member(person_id: int) -> dict[str, Any]:
    row = queries.member(current_actor(), own_organisation(), person_id)
    found: dict[str, Any] = OrganisationMemberSchema().dump(row)
    return found


@blueprint.route("/organisations/me/members/<int:person_id>")
@blueprint.doc(operationId="getOwnMember", summary="一位成员")
@blueprint.response(200, OrganisationMemberSchema, description="成员；ETag 供修改时带上")
@requires(LIST)
def member(person_id: int) -> Response:
    """One of the staff."""
    return tagged(_member(person_id))


@blueprint.route("/organisations/me/members/<int:person_id>/roles", methods=["PUT"])
@blueprint.doc(
    operationId="setMemberRoles",
    summary="改一位成员的角色",
    description=f"角色：{'、'.join(ROLES)}。",
)
@blueprint.arguments(MemberRolesInput)
@blueprint.response(200, OrganisationMemberSchema, description="改后的成员")
@edits
@requires(MANAGE)
def set_roles(body: dict[str, Any], person_id: int) -> Response:
    """Give exactly these roles."""
    no = own_organisation().no
    with as_seen(lambda: _member(person_id)):
        staff.set_roles(current_actor(), no, person_id, body["roles"])
    return tagged(_member(person_id))


@blueprint.route("/organisations/me/members/<int:person_id>/end", methods=["POST"])
@blueprint.doc(
    operationId="endMembership",
    summary="结束一位成员的全部角色",
    description="他没办完的由 colleague 接办。",
)
@blueprint.arguments(MemberEndInput)
@blueprint.response(204, description="已不是成员")
@edits
@requires(MANAGE)
def end(body: dict[str, Any], person_id: int) -> Response:
    """End a membership; open work goes to a colleague in the same step."""
    no = own_organisation().no
    with as_seen(lambda: _member(person_id)):
        staff.end_membership(current_actor(), no, person_id, body.get("colleague"))
    return Response(status=204)


def _invitation(key: int) -> dict[str, Any]:
    for one in queries.invitations(current_actor(), own_organisation()):
        if one.id == key:
            found: dict[str, Any] = InvitationSchema().dump(one)
            return found
    raise NotFound("没有这份未用的邀请。")


@blueprint.route("/organisations/me/invitations/<int:key>")
@blueprint.doc(operationId="getInvitation", summary="一份未用的邀请")
@blueprint.response(200, InvitationSchema, description="邀请；ETag 供撤回时带上")
@requires(MANAGE)
def invitation(key: int) -> Response:
    """One of the open invitations."""
    return tagged(_invitation(key))


@blueprint.route("/organisations/me/invitations/<int:key>", methods=["DELETE"])
@blueprint.doc(operationId="withdrawInvitation", summary="撤回邀请")
@blueprint.response(204, description="已撤回")
@edits
@requires(MANAGE)
def withdraw_invitation(key: int) -> Response:
    """Take an invitation back."""
    no = own_organisation().no
    with as_seen(lambda: _invitation(key)):
        staff.withdraw_invitation(current_actor(), no, key)
    return Response(status=204)


def _joining(no: str) -> dict[str, Any]:
    found: dict[str, Any] = JoiningSchema().dump(queries.joining(current_actor(), no))
    return found


@blueprint.route("/joinings")
@blueprint.doc(
    operationId="listJoinings",
    summary="加入单位的申请",
    description="本单位的；科技管理部门看辖区的。新的在前。",
)
@blueprint.arguments(JoiningQuery, location="query")
@blueprint.response(200, JoiningListSchema, description="申请")
@requires(READ)
def joinings(query: dict[str, Any]) -> PageOf[JoiningView]:
    """Requests to join one's organisation, or those of an office's area."""
    return queries.joinings(current_actor(), **query)


@blueprint.route("/joinings/<string:no>")
@blueprint.doc(operationId="getJoining", summary="一份加入申请")
@blueprint.response(200, JoiningSchema, description="申请；ETag 供办理时带上")
@requires(READ)
def joining(no: str) -> Response:
    """One of them."""
    return tagged(_joining(no))


@blueprint.route("/joinings/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnJoining",
    summary="接受或不接受加入申请",
    description="单位没有管理员时由科技管理部门接受，申请人成为管理员。申请和撤回由本人在页面上办。",
)
@blueprint.arguments(JoiningAnswerInput)
@blueprint.response(200, JoiningSchema, description="办理后的申请")
@edits
@requires(ANSWER)
def answer_joining(body: dict[str, Any], no: str) -> Response:
    """Accept or refuse."""
    with as_seen(lambda: _joining(no)):
        service.answer(current_actor(), no, body["action"], body)
    return tagged(_joining(no))
