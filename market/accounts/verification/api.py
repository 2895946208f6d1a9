"""Verification in the API: handing in for one's own organisation, deciding for an office."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from flask import Response
from marshmallow import ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length, OneOf

from market.accounts import queries as organisations
from market.accounts.api import organisation_version
from market.accounts.models import Organisation
from market.accounts.schemas import Uscc
from market.accounts.verification import queries, service
from market.accounts.verification.models import STATES
from market.accounts.verification.queries import CaseView
from market.accounts.verification.schemas import (
    MOST_SHAREHOLDERS,
    RETURNED,
    Account,
    Percent,
    check_whole,
)
from market.accounts.verification.service import VERIFY
from market.accounts.verification.workflow import DECIDE, READ, SUBMIT, UNMASK
from market.core.api import MISSING, ApiBlueprint
from market.core.api_schemas import Answer, Input, ListAnswer, Query, page_number, per_page
from market.core.api_writes import create_once, creates, edits, require_match, tagged
from market.core.errors import NotFound
from market.core.fields import Line, LongText
from market.core.http import current_actor
from market.core.pagination import ROWS_PER_PAGE, PageOf
from market.core.permissions import requires

blueprint = ApiBlueprint("verifications", __name__, "单位核验：提交材料和办理")


class VerificationSchema(Answer):
    """A verification; what was declared is masked."""

    no = fields.String(metadata={"example": "HY2026000001"})
    state = fields.String(metadata={"enum": list(STATES)})
    state_label = fields.String(metadata={"description": "状态名称"})
    organisation_no = fields.String(attribute="organisation.no")
    due = fields.Date(allow_none=True, metadata={"description": "经办部门自定的办理目标"})
    provisional = fields.Boolean(metadata={"description": "节假日安排未公布，目标可能调整"})
    returned_field = fields.String(allow_none=True, metadata={"description": "退回时：哪一项要改"})
    returned_rule = fields.String(allow_none=True, metadata={"description": "退回时：依据"})
    next_step = fields.String(metadata={"description": "下一步"})
    actions = fields.Function(
        lambda case: [one.action for one in case.actions],
        metadata={
            "description": "此令牌现在可以做的",
            "type": "array",
            "items": {"type": "string"},
        },
    )
    url = fields.String(metadata={"description": "本站页面"})


class VerificationListSchema(ListAnswer):
    """Verifications."""

    items = fields.List(fields.Nested(VerificationSchema))


class CaseQuery(Query):
    """Which verifications."""

    state = fields.String(load_default="", metadata={"description": "状态代码，如 submitted"})
    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class LicenceInput(Input):
    """A file."""

    name = fields.String(required=True, validate=Length(1, 200, error="文件名应为 1 到 200 个字。"))
    content = fields.String(required=True, metadata={"description": "文件内容，base64"})

    @post_load
    def _decode(self, data: dict[str, Any], **_: Any) -> tuple[str, bytes]:
        """The name and the bytes."""
        try:
            return data["name"], base64.b64decode(data["content"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValidationError("不是 base64。", "content") from error


class ShareholderInput(Input):
    """A shareholder."""

    name = Line(100, shortest=2, required=True)
    share = Percent(required=True, metadata={"description": "持股百分数，如 33.33"})


class VerificationInput(Input):
    """What is declared; what is left out stays as it was declared before."""

    uscc = Uscc(metadata={"description": "单位还没有统一社会信用代码时补填"})
    legal_representative = Line(60, shortest=2)
    registered_address = Line(300, shortest=4)
    bank = Line(100, shortest=4)
    account = Account(60)
    shareholders = fields.List(
        fields.Nested(ShareholderInput),
        validate=Length(0, MOST_SHAREHOLDERS, error=f"最多 {MOST_SHAREHOLDERS} 名股东。"),
    )
    licence = fields.Nested(LicenceInput, metadata={"description": "营业执照：PDF、JPG 或 PNG"})

    @validates_schema
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse shares of more than the whole."""
        check_whole([one["share"] for one in data.get("shareholders") or ()], "shareholders")


class VerificationDecisionInput(Input):
    """A decision."""

    action = fields.String(
        required=True,
        validate=OneOf(["verify", "return", "reject"], error="请填 verify、return 或 reject。"),
        metadata={"enum": ["verify", "return", "reject"]},
    )
    reason = LongText(1000, metadata={"description": "退回和不予通过时必填"})
    field = fields.String(
        validate=OneOf(list(RETURNED), error=f"请填 {'、'.join(RETURNED)} 之一。"),
        metadata={"description": "退回时必填：哪一项要改", "enum": list(RETURNED)},
    )
    rule = Line(200, metadata={"description": "退回时必填：依据"})


def _own() -> Organisation:
    found = organisations.own(current_actor())
    if found is None:
        raise NotFound("这个令牌不属于任何单位。")
    return found


@blueprint.route("/organisations/me/verification")
@blueprint.doc(
    operationId="getOwnVerification", summary="本单位最近一次核验", security=[{"token": []}]
)
@blueprint.response(200, VerificationSchema, description="核验")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def own_case() -> Response:
    """The newest case of one's organisation."""
    actor = current_actor()
    found = queries.latest(actor, _own().id)
    if found is None:
        raise NotFound("本单位还没有提交过核验。")
    return tagged(_case(found.no))


def _case(no: str) -> dict[str, Any]:
    found: dict[str, Any] = VerificationSchema().dump(queries.get(current_actor(), no))
    return found


@blueprint.route("/organisations/me/verification", methods=["POST"])
@blueprint.doc(
    operationId="submitVerification", summary="提交或重新提交核验", security=[{"token": []}]
)
@blueprint.arguments(VerificationInput)
@blueprint.response(201, VerificationSchema, description="已提交")
@creates
@requires(SUBMIT)
def send(body: dict[str, Any]) -> Response:
    """Hand in, with `Idempotency-Key` once."""
    actor, no = current_actor(), _own().no
    licence = body.pop("licence", None)
    values = dict(body)
    if values.get("shareholders"):
        values["shareholders"] = [[one["name"], one["share"]] for one in values["shareholders"]]
    if licence is not None:
        service.keep_licence(actor, no, *licence)

    def act() -> tuple[dict[str, Any], str]:
        case = service.submit(actor, no, values)
        return _case(case), f"/api/v1/verifications/{case}"

    return create_once(act)


@blueprint.route("/verifications")
@blueprint.doc(operationId="listVerifications", summary="核验", security=[{"token": []}])
@blueprint.arguments(CaseQuery, location="query")
@blueprint.response(200, VerificationListSchema, description="核验，新的在前")
@requires(READ)
def case_list(query: dict[str, Any]) -> PageOf[CaseView]:
    """Cases of one's organisation or area."""
    return queries.page(current_actor(), **query)


@blueprint.route("/verifications/<string:no>")
@blueprint.doc(operationId="getVerification", summary="一件核验", security=[{"token": []}])
@blueprint.response(200, VerificationSchema, description="核验")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def case(no: str) -> Response:
    """A case by its number."""
    return tagged(_case(no))


@blueprint.route("/verifications/<string:no>/decisions", methods=["POST"])
@blueprint.doc(
    operationId="decideVerification", summary="核验通过、退回或不予通过", security=[{"token": []}]
)
@blueprint.arguments(VerificationDecisionInput)
@blueprint.response(201, VerificationSchema, description="已办理")
@blueprint.alt_response(404, MISSING)
@creates
@edits
@requires(DECIDE)
def decide(body: dict[str, Any], no: str) -> Response:
    """An office's decision."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        require_match(_case(no))
        service.decide(actor, no, body["action"], body)
        return _case(no), f"/api/v1/verifications/{no}"

    return create_once(act)


class DirectInput(Input):
    """On what ground an office verifies without papers."""

    reason = LongText(1000, required=True, metadata={"description": "依据，如：见执照原件"})


@blueprint.route("/organisations/<string:no>/verify", methods=["POST"])
@blueprint.doc(
    operationId="verifyOrganisation",
    summary="直接核验单位（看过执照原件）",
    description="须带 If-Match：单位的 ETag。",
)
@blueprint.arguments(DirectInput)
@blueprint.response(201, VerificationSchema, description="核验通过的一件")
@creates
@edits
@requires(VERIFY)
def verify_directly(body: dict[str, Any], no: str) -> Response:
    """Verify an organisation whose licence an officer saw himself."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        organisation_id = organisations.find(actor, VERIFY, no).id
        require_match(organisation_version(no))
        case = service.verify_directly(actor, organisation_id, body["reason"])
        return _case(case), f"/api/v1/verifications/{case}"

    return create_once(act)


class UnmaskInput(Input):
    """Why what is masked is looked at."""

    reason = Line(300, shortest=2, required=True, metadata={"description": "理由，记入操作记录"})


class DeclaredShareholderSchema(Answer):
    """A shareholder."""

    name = fields.String()
    share = fields.Float(metadata={"description": "持股百分数"})


class DeclaredSchema(Answer):
    """All that an organisation declared, in full."""

    legal_representative = fields.String(allow_none=True)
    registered_address = fields.String(allow_none=True)
    bank = fields.String(allow_none=True)
    account = fields.String(allow_none=True)
    shareholders = fields.List(fields.Nested(DeclaredShareholderSchema), allow_none=True)


@blueprint.route("/verifications/<string:no>/unmask", methods=["POST"])
@blueprint.doc(
    operationId="unmaskVerification",
    summary="查看单位申报的完整信息",
    description="每次查看都记入操作记录。",
)
@blueprint.arguments(UnmaskInput)
@blueprint.response(200, DeclaredSchema, description="法定代表人、地址、账号、股东")
@requires(UNMASK)
def unmask(body: dict[str, Any], no: str) -> dict[str, Any]:
    """What was declared, in full."""
    actor = current_actor()
    shown = service.unmask(actor, queries.get(actor, no).organisation.no, body["reason"])
    rows = shown["shareholders"]
    told = rows and [{"name": name, "share": share / 100} for name, share in rows]
    return {**shown, "shareholders": told}
