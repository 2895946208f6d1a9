"""What an office notes of a specialist, in the API: consent, account, removal; and how to reach him."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from market.core.api_schemas import Answer, Input
from market.core.api_writes import as_seen, edits
from market.core.fields import Day, Line, LongText
from market.core.http import current_actor
from market.core.permissions import requires
from market.service_points.specialists import queries, service
from market.service_points.specialists.api import (
    MarketSpecialistSchema,
    Versioned,
    blueprint,
    versioned,
)
from market.service_points.workflow import CONSENT, CONTACT, EDIT_SPECIALIST, OVERSEE_SPECIALISTS

_HERE = "/specialists/<string:no>"


class ConsentInput(Input):
    """When and how somebody agreed to be listed."""

    consented_on = Day(required=True, metadata={"description": "本人同意公开的日期"})
    consent_how = Line(
        200, shortest=2, required=True, metadata={"description": "同意方式，如 签字表"}
    )


class AccountInput(Input):
    """Whose account it is."""

    person = fields.Integer(
        required=True,
        strict=True,
        allow_none=True,
        validate=validate.Range(1, 2_000_000_000, error="没有这个人。"),
        metadata={"description": "所在单位的一位成员；null 取消关联"},
    )


class RemovalInput(Input):
    """Why somebody is removed, or his contact is looked at."""

    reason = LongText(500, metadata={"description": "必填，记入操作记录"})


class SpecialistContactSchema(Answer):
    """How to reach a specialist."""

    contact = fields.String(metadata={"description": "没有时为空"})


def _version(permission: str, no: str) -> int:
    version: int = queries.find(current_actor(), permission, no).lock_version
    return version


@blueprint.route(f"{_HERE}/consent", methods=["POST"])
@blueprint.doc(
    operationId="recordSpecialistConsent",
    summary="登记本人同意公开",
    description="须带 If-Match。",
)
@blueprint.arguments(ConsentInput)
@blueprint.response(200, MarketSpecialistSchema, description="已公开")
@edits
@requires(CONSENT)
def consent(body: dict[str, Any], no: str) -> Versioned:
    """Note that somebody agreed to be listed; asks for `If-Match`."""
    with as_seen(lambda: _version(CONSENT, no)):
        service.consent(current_actor(), no, body["consented_on"], body["consent_how"])
    return versioned(no, EDIT_SPECIALIST)


@blueprint.route(f"{_HERE}/account", methods=["PUT"])
@blueprint.doc(
    operationId="linkSpecialist",
    summary="关联本人的账号",
    description="本人登录后可修改、可撤回公开同意。须带 If-Match。",
)
@blueprint.arguments(AccountInput)
@blueprint.response(200, MarketSpecialistSchema, description="关联后")
@edits
@requires(EDIT_SPECIALIST)
def link(body: dict[str, Any], no: str) -> Versioned:
    """Tie a specialist to his account; asks for `If-Match`."""
    with as_seen(lambda: _version(EDIT_SPECIALIST, no)):
        service.link(current_actor(), no, body["person"])
    return versioned(no, EDIT_SPECIALIST)


@blueprint.route(f"{_HERE}/remove", methods=["POST"])
@blueprint.doc(
    operationId="removeSpecialist",
    summary="移除技术经理人或专家",
    description="联系方式和证书号随之删去。须写理由，须带 If-Match。",
)
@blueprint.arguments(RemovalInput)
@blueprint.response(204, description="已移除")
@edits
@requires(EDIT_SPECIALIST)
def remove(body: dict[str, Any], no: str) -> Response:
    """Remove a specialist; asks for `If-Match`."""
    with as_seen(lambda: _version(EDIT_SPECIALIST, no)):
        service.remove(current_actor(), no, body.get("reason"))
    return Response(status=204)


@blueprint.route(f"{_HERE}/contact", methods=["POST"])
@blueprint.doc(
    operationId="readSpecialistContact",
    summary="查看联系方式",
    description="须写理由；每次查看都记入操作记录。",
)
@blueprint.arguments(RemovalInput)
@blueprint.response(200, SpecialistContactSchema, description="完整的联系方式")
@requires(CONTACT)
def contact(body: dict[str, Any], no: str) -> dict[str, str]:
    """How to reach a specialist, in full."""
    actor = current_actor()
    queries.find(actor, OVERSEE_SPECIALISTS, no)
    return {"contact": service.read_contact(actor, no, body.get("reason"))}
