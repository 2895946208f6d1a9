"""Claims cut in proportion and providers' awards in the API: by the services of the desk's pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response
from marshmallow import fields, validate

from market.core import clock
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_schemas import Answer, Input, ListAnswer, Query
from market.core.api_writes import as_seen, create_once, creates, edits, tagged
from market.core.fields import Line, LongText
from market.core.http import current_actor
from market.core.pagination import PageOf, whole
from market.core.permissions import requires
from market.vouchers import awards, cutting
from market.vouchers.facts import as_json
from market.vouchers.locking import seen
from market.vouchers.models import Scheme
from market.vouchers.office_pages.api import SECURED, claim_told
from market.vouchers.office_pages.api_schemas import (
    OfficeVoucherBankInput,
    OfficeVoucherClaimSchema,
)
from market.vouchers.workflow import MANAGE, OPEN_AWARD, READ_BOOKS

blueprint = ApiBlueprint("voucher_shares_api", __name__, "创新券：按比例核减、服务机构奖励")
_ONE = "/voucher-desk/schemes/<string:no>"
_YEAR = validate.Range(2000, 2200, error="年度不对。")


class OfficeVoucherYearQuery(Query):
    """A year; this one where none is given."""

    year = fields.Integer(
        load_default=None, allow_none=True, validate=_YEAR,
        metadata={"description": "年度，不写为今年"},
    )  # fmt: skip


class OfficeVoucherCutQuery(OfficeVoucherYearQuery):
    """Which claims share what there is."""

    claims = fields.List(
        fields.String(), load_default=None, validate=validate.Length(max=500),
        metadata={"description": "可以重复；不写就是金额已确定的全部申请"},
    )  # fmt: skip


class OfficeVoucherCutInput(Input):
    """The share that was shown, for which claims, and why."""

    year = fields.Integer(load_default=None, allow_none=True, strict=True, validate=_YEAR)
    claims = fields.List(
        fields.String(), required=True,
        validate=validate.Length(1, 500, error="应为 1 到 500 个编号。"),
    )  # fmt: skip
    share_bp = fields.Integer(required=True, strict=True, metadata={"description": "看到的比例"})
    reason = LongText(500, required=True, metadata={"description": "核减的依据"})


class _OfficeVoucherCutLineSchema(Answer):
    no = fields.String()
    organisation = fields.String()
    asked_fen = fields.Integer()
    whole_fen = fields.Integer(allow_none=True, metadata={"description": "核减以前应得的"})
    cut_fen = fields.Integer(allow_none=True, metadata={"description": "核减以后的"})
    trouble = fields.String(metadata={"description": "不能核减的原因"})
    share_bp = fields.Integer(allow_none=True)


class OfficeVoucherCutSchema(Answer):
    """What a cut would be, or is."""

    share_bp = fields.Integer(allow_none=True)
    whole_fen = fields.Integer()
    budget_fen = fields.Integer()
    claims = fields.List(fields.Nested(_OfficeVoucherCutLineSchema))


class _OfficeVoucherAwardSchema(Answer):
    provider = fields.String(metadata={"description": "单位编号"})
    name = fields.String()
    volume_fen = fields.Integer(metadata={"description": "已拨付、还没有申请奖励的服务额"})
    most_fen = fields.Integer(metadata={"description": "最多可奖励"})
    outcome = fields.Dict(metadata={"description": "计算明细"})
    claims = fields.List(fields.String())
    account = fields.String(allow_none=True)


class OfficeVoucherAwardListSchema(ListAnswer):
    """Providers of a year."""

    items = fields.List(fields.Nested(_OfficeVoucherAwardSchema))


class OfficeVoucherAwardInput(Input):
    """The award of a provider."""

    provider = Line(20, required=True, metadata={"description": "单位编号"})
    year = fields.Integer(load_default=None, allow_none=True, strict=True, validate=_YEAR)
    account = fields.Nested(
        OfficeVoucherBankInput, load_default=None, allow_none=True,
        metadata={"description": "收款账户；不写就用它上次申请兑付的"},
    )  # fmt: skip


def _plan(no: str, year: int | None, claims: Sequence[str] | None) -> dict[str, Any]:
    found = cutting.plan(current_actor(), no, year or clock.today().year, claims)
    body: dict[str, Any] = OfficeVoucherCutSchema().dump({
        "share_bp": found.share_bp, "whole_fen": found.whole_fen, "budget_fen": found.budget_fen,
        "claims": [
            {
                "no": one.claim.no, "organisation": one.claim.firm.name,
                "asked_fen": one.claim.asked_fen, "whole_fen": one.whole_fen,
                "cut_fen": one.cut_fen, "trouble": one.words, "share_bp": one.share_bp,
            }
            for one in found.lines
        ],
    })  # fmt: skip
    return body


@blueprint.route(f"{_ONE}/cut")
@blueprint.doc(
    operationId="planVoucherCut",
    summary="试算按比例核减",
    description="只算，不确定。ETag 供核减时带上：用同样的年度和申请。",
    security=SECURED,
)
@blueprint.arguments(OfficeVoucherCutQuery, location="query")
@blueprint.response(200, OfficeVoucherCutSchema, description="比例和每份核减前后的金额")
@blueprint.alt_response(404, MISSING)
@requires(MANAGE)
def plan(query: dict[str, Any], no: str) -> Response:
    """What each claim would get."""
    seen(Scheme, current_actor(), MANAGE, no)
    return tagged(_plan(no, query["year"], query["claims"]))


@blueprint.route(f"{_ONE}/cut", methods=["PUT"])
@blueprint.doc(
    operationId="cutVoucherClaims",
    summary="按比例核减审核中的申请",
    description="比例须是试算看到的；有变动的回答 409。须带 If-Match。",
    security=SECURED,
)
@blueprint.arguments(OfficeVoucherCutInput)
@blueprint.response(200, OfficeVoucherCutSchema, description="核减后的各份")
@blueprint.alt_response(404, MISSING)
@edits
@requires(MANAGE)
def cut(values: dict[str, Any], no: str) -> Response:
    """Fix the share."""
    actor, claims = current_actor(), values["claims"]
    seen(Scheme, actor, MANAGE, no)
    with as_seen(lambda: _plan(no, values["year"], claims)):
        cutting.cut(actor, no, claims, values["reason"], values["share_bp"])
    return tagged(_plan(no, values["year"], claims))


@blueprint.route(f"{_ONE}/awards")
@blueprint.doc(operationId="listVoucherAwards", summary="服务机构奖励", security=SECURED)
@blueprint.arguments(OfficeVoucherYearQuery, location="query")
@blueprint.response(200, OfficeVoucherAwardListSchema, description="有已拨付服务的机构，按名称")
@blueprint.alt_response(404, MISSING)
@requires(READ_BOOKS)
def award_list(query: dict[str, Any], no: str) -> PageOf[dict[str, Any]]:
    """Providers with what they may be awarded."""
    scheme = seen(Scheme, current_actor(), READ_BOOKS, no)
    return whole(
        [
            {
                "provider": one.provider.no, "name": one.provider.name,
                "volume_fen": one.volume_fen, "most_fen": one.most_fen,
                "outcome": as_json(one.outcome), "claims": [each.no for each in one.claims],
                "account": one.bank_shown,
            }
            for one in awards.standings(scheme, query["year"] or clock.today().year)
        ]
    )  # fmt: skip


@blueprint.route(f"{_ONE}/awards", methods=["POST"])
@blueprint.doc(
    operationId="openVoucherAward",
    summary="录入一家服务机构的奖励",
    description="录入以后由另一位同事审核。可带 Idempotency-Key。",
    security=SECURED,
)
@blueprint.arguments(OfficeVoucherAwardInput)
@blueprint.response(201, OfficeVoucherClaimSchema, description="审核中的申请")
@blueprint.alt_response(404, MISSING)
@creates
@requires(OPEN_AWARD)
def open_award(values: dict[str, Any], no: str) -> Response:
    """Enter the award of a provider."""
    actor = current_actor()
    seen(Scheme, actor, READ_BOOKS, no)
    year = values["year"] or clock.today().year

    def act() -> tuple[dict[str, Any], str]:
        claim = awards.open_for(actor, no, values["provider"], year, values["account"])
        return claim_told(claim)[0], f"{PREFIX}/voucher-desk/claims/{claim}"

    return create_once(act)
