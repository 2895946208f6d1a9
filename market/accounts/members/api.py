"""One's own organisation in the API: what it says of itself, its staff, its rosters."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from market.accounts import queries as organisations
from market.accounts.api import OrganisationSchema, organisation_tag, organisation_version
from market.accounts.members import merging, queries, renaming, service, staff
from market.accounts.members.merging import RECODE, SUPERVISE
from market.accounts.members.renaming import RENAME
from market.accounts.members.schemas import Contact, Telephone, Website
from market.accounts.members.service import UPDATE
from market.accounts.members.staff import MANAGE
from market.accounts.members.workflow import LIST, MERGE
from market.accounts.models import Organisation
from market.accounts.roles import MEMBERS, OFFICES, ROLES
from market.accounts.rosters import queries as rosters
from market.accounts.rosters.models import KINDS
from market.accounts.rosters.queries import READ as READ_ROSTERS
from market.core.api import MISSING, ApiBlueprint
from market.core.api_schemas import Answer, Input, ListAnswer
from market.core.api_writes import as_seen, create_once, creates, edits, require_match, version_tag
from market.core.errors import NotFound
from market.core.fields import Line, LongText
from market.core.http import current_actor
from market.core.pagination import PageOf, whole
from market.core.permissions import Own, policy, requires

blueprint = ApiBlueprint("own_organisation", __name__, "本单位：公开信息、成员、名单")
SEE = policy.declare("accounts:organisation:see_own", **dict.fromkeys((*MEMBERS, *OFFICES), Own()))
_TOKEN: list[dict[str, list[str]]] = [{"token": []}]
Versioned = tuple[Any, int, dict[str, str]]


class OrganisationChangesInput(Input):
    """What to change; null removes, what is left out stays."""

    name = Line(200, shortest=2, metadata={"description": "核验前可改"})
    telephone = Telephone(60)
    contact = Line(100)
    address = Line(300)
    hours = Line(100)
    website = Website(300)
    intro = LongText(2000)


class OrganisationMemberSchema(Answer):
    """A member; the contact is masked."""

    id = fields.Integer(attribute="person_id")
    name = fields.String()
    contact = fields.String(metadata={"description": "部分隐藏"})
    roles = fields.List(fields.String(metadata={"enum": list(ROLES)}))
    since = fields.Date()


class OrganisationMemberListSchema(ListAnswer):
    """The staff."""

    items = fields.List(fields.Nested(OrganisationMemberSchema))


class RosterEntrySchema(Answer):
    """An entry of a roster."""

    kind = fields.String(metadata={"enum": list(KINDS)})
    list_name = fields.String(metadata={"description": "名单名称"})
    uscc = fields.String()
    year = fields.Integer()
    number = fields.String(allow_none=True)
    valid_from = fields.Date(allow_none=True)
    valid_to = fields.Date(allow_none=True)
    source = fields.String(allow_none=True)


class RosterEntryListSchema(ListAnswer):
    """Entries of rosters."""

    items = fields.List(fields.Nested(RosterEntrySchema))


class OrganisationMergeInput(Input):
    """Into which organisation."""

    into = Line(60, required=True, metadata={"description": "留下的单位：编号或信用代码"})


def own_organisation() -> Organisation:
    found = organisations.own(current_actor())
    if found is None:
        raise NotFound("这个令牌不属于任何单位。")
    return found


def _answer(row: Organisation) -> Versioned:
    return organisations.view(row), 200, {"ETag": version_tag(row.lock_version)}


@blueprint.route("/organisations/me")
@blueprint.doc(operationId="getOwnOrganisation", summary="本单位", security=_TOKEN)
@blueprint.response(200, OrganisationSchema, description="本单位；ETag 供修改时带上")
@blueprint.alt_response(404, MISSING)
@requires(SEE)
def own() -> Versioned:
    """The organisation of the token."""
    return _answer(own_organisation())


@blueprint.route("/organisations/me", methods=["PATCH"])
@blueprint.doc(operationId="updateOwnOrganisation", summary="修改本单位公开信息", security=_TOKEN)
@blueprint.arguments(OrganisationChangesInput)
@blueprint.response(200, OrganisationSchema, description="修改后")
@edits
@requires(UPDATE)
def update(body: dict[str, Any]) -> Versioned:
    """Change what it says of itself; asks for `If-Match`."""
    row = own_organisation()
    no, version = row.no, row.lock_version
    require_match(version)
    if body:
        service.update_own(current_actor(), no, version, body)
    return _answer(own_organisation())


@blueprint.route("/organisations/me/members")
@blueprint.doc(operationId="listOwnMembers", summary="本单位成员", security=_TOKEN)
@blueprint.response(200, OrganisationMemberListSchema, description="成员")
@requires(LIST)
def members() -> PageOf[queries.Member]:
    """The staff, contacts masked."""
    return whole(queries.members(current_actor(), own_organisation()))


@blueprint.route("/organisations/me/rosters")
@blueprint.doc(operationId="listOwnRosters", summary="本单位所在名单", security=_TOKEN)
@blueprint.response(200, RosterEntryListSchema, description="名单记录，新的在前")
@requires(READ_ROSTERS)
def own_rosters() -> PageOf[rosters.Entry]:
    """The rosters on which it stands or stood."""
    return whole(rosters.of_organisation(current_actor(), own_organisation().uscc))


@blueprint.route("/organisations/<string:no>/merge", methods=["POST"])
@blueprint.doc(
    operationId="mergeOrganisation", summary="并入另一家单位（不能撤销）", security=_TOKEN
)
@blueprint.arguments(OrganisationMergeInput)
@blueprint.response(200, OrganisationSchema, description="留下的单位")
@blueprint.alt_response(404, MISSING)
@edits
@requires(MERGE)
def merge(body: dict[str, Any], no: str) -> Versioned:
    """Make one organisation part of another."""
    with as_seen(lambda: organisation_version(no)):
        kept = merging.merge(current_actor(), no, body["into"])
    return _as_it_is(kept)


def _as_it_is(no: str) -> Versioned:
    found = organisations.get(current_actor(), no)
    return found, 200, {"ETag": organisation_tag(found)}


class InvitationSchema(Answer):
    """An open invitation; the contact is masked."""

    id = fields.Integer()
    role = fields.String(metadata={"enum": list(ROLES)})
    contact = fields.String(metadata={"description": "部分隐藏"})
    created_by = fields.String()
    expires_at = fields.DateTime()
    expired = fields.Boolean()


class InvitationListSchema(ListAnswer):
    """Open invitations."""

    items = fields.List(fields.Nested(InvitationSchema))


class InvitationInput(Input):
    """Whom to invite; the link is sent to him and to nobody else."""

    contact = Contact(100, required=True, metadata={"description": "手机号码或邮箱"})
    role = Line(20, required=True, metadata={"description": "角色代码", "enum": list(ROLES)})


class CodeInput(Input):
    """A new credit code."""

    uscc = Line(60, required=True)
    reason = Line(500, required=True, metadata={"description": "依据，如换发了新执照"})


class NameInput(Input):
    """The name that the new licence bears."""

    name = Line(200, shortest=2, required=True)
    reason = Line(500, shortest=2, required=True, metadata={"description": "依据，如名称变更登记"})


class SupervisorInput(Input):
    """The supervising body; null or empty removes it."""

    supervisor = Line(60, required=False, metadata={"description": "编号或信用代码"})


@blueprint.route("/organisations/me/invitations")
@blueprint.doc(operationId="listInvitations", summary="未用的邀请", security=_TOKEN)
@blueprint.response(200, InvitationListSchema, description="邀请，新的在前")
@requires(MANAGE)
def invitations() -> PageOf[queries.Invited]:
    """Invitations that are neither used nor withdrawn."""
    return whole(queries.invitations(current_actor(), own_organisation()))


@blueprint.route("/organisations/me/invitations", methods=["POST"])
@blueprint.doc(operationId="inviteMember", summary="邀请同事", security=_TOKEN)
@blueprint.arguments(InvitationInput)
@blueprint.response(201, InvitationSchema, description="已发出")
@creates
@requires(MANAGE)
def invite(body: dict[str, Any]) -> Response:
    """Invite a colleague; with `Idempotency-Key` once."""
    actor, no = current_actor(), own_organisation().no

    def act() -> tuple[dict[str, Any], str]:
        staff.invite(actor, no, body["contact"], body["role"])
        newest = queries.invitations(actor, own_organisation())[0]
        answer: dict[str, Any] = InvitationSchema().dump(newest)
        return answer, "/api/v1/organisations/me/invitations"

    return create_once(act)


@blueprint.route("/organisations/<string:no>/code", methods=["POST"])
@blueprint.doc(operationId="recodeOrganisation", summary="换信用代码", security=_TOKEN)
@blueprint.arguments(CodeInput)
@blueprint.response(200, OrganisationSchema, description="换代码后；原代码仍能找到它")
@blueprint.alt_response(404, MISSING)
@edits
@requires(RECODE)
def recode(body: dict[str, Any], no: str) -> Versioned:
    """Give an organisation a new credit code."""
    with as_seen(lambda: organisation_version(no)):
        merging.recode(current_actor(), no, body["uscc"], body["reason"])
    return _as_it_is(no)


@blueprint.route("/organisations/<string:no>/name", methods=["POST"])
@blueprint.doc(operationId="renameOrganisation", summary="改单位名称", security=_TOKEN)
@blueprint.arguments(NameInput)
@blueprint.response(200, OrganisationSchema, description="改名后；原名称记为曾用名")
@blueprint.alt_response(404, MISSING)
@edits
@requires(RENAME)
def rename(body: dict[str, Any], no: str) -> Versioned:
    """Give an organisation a new name."""
    with as_seen(lambda: organisation_version(no)):
        renaming.rename(current_actor(), no, body["name"], body["reason"])
    return _as_it_is(no)


@blueprint.route("/organisations/<string:no>/supervisor", methods=["POST"])
@blueprint.doc(operationId="superviseOrganisation", summary="设隶属单位", security=_TOKEN)
@blueprint.arguments(SupervisorInput)
@blueprint.response(200, OrganisationSchema, description="设好后")
@blueprint.alt_response(404, MISSING)
@edits
@requires(SUPERVISE)
def supervise(body: dict[str, Any], no: str) -> Versioned:
    """Set the supervising body of an organisation."""
    with as_seen(lambda: organisation_version(no)):
        merging.supervise(current_actor(), no, body.get("supervisor") or "")
    return _as_it_is(no)
