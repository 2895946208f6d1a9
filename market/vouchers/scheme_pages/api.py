"""Schemes in the API for everybody: what is known for a place, a scheme, the check before one applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from market.core import clock
from market.core.api import MISSING, ApiBlueprint
from market.core.api_writes import tagged
from market.core.errors import Invalid
from market.core.http import current_actor
from market.core.pagination import PageOf
from market.core.pagination import whole as whole_list
from market.core.permissions import requires
from market.regions import queries as regions
from market.regions.models import path_ids
from market.vouchers.api_answers import VoucherOutcomeSchema
from market.vouchers.content import open_points
from market.vouchers.facts import Outcome, as_json
from market.vouchers.models import Scheme, SchemeVersion
from market.vouchers.preview import result_words
from market.vouchers.scheme_pages import api_content, books, checks, queries
from market.vouchers.scheme_pages.api_schemas import (
    VoucherCheckQuery,
    VoucherSchemeListSchema,
    VoucherSchemeQuery,
    VoucherSchemeWholeSchema,
    VoucherSheetListSchema,
    VoucherSheetWholeSchema,
)
from market.vouchers.scheme_pages.queries import Line
from market.vouchers.shipped import Shipped
from market.vouchers.workflow import LIST, VIEW

blueprint = ApiBlueprint("voucher_schemes_api", __name__, "创新券办法：查询、申领前自查")


def told_of(
    scheme: Scheme,
    version: SchemeVersion,
    *,
    drafts: bool = False,
    unpublished: bool = False,
) -> dict[str, Any]:
    """A scheme with all that belongs to it.

    Args:
        drafts: whether versions that are written are told. unpublished: budgets too.
    """
    content = version.content
    budgets = books.budgets_of(scheme) if unpublished else books.published_budgets(scheme, content)
    year = clock.today().year
    found = {
        "no": scheme.no,
        "title": scheme.title,
        "region_code": scheme.region.code,
        "region": scheme.region.full_name,
        "state": scheme.state,
        "version": scheme.version,
        "has_draft": drafts and version.state == "draft",
        "open_points": len(open_points(content)),
        "budget": next((one for one in budgets if one.year == year), None),
        "demo": scheme.demo,
        "url": queries.address(scheme.no, scheme.version),
        "lock_version": scheme.lock_version,
        "content": api_content.told(content),
        "content_version": version.version,
        "entries": queries.entries(content),
        "open": open_points(content),
        "versions": queries.versions(scheme, drafts),
        "budgets": budgets,
    }
    dumped: dict[str, Any] = VoucherSchemeWholeSchema().dump(found)
    return dumped


def outcome_of(outcome: Outcome) -> dict[str, Any]:
    """An outcome as programs get it."""
    found: dict[str, Any] = as_json(outcome)
    return found | {"words": result_words(outcome)}


@blueprint.route("/voucher-schemes")
@blueprint.doc(operationId="listVoucherSchemes", summary="各地的创新券办法")
@blueprint.arguments(VoucherSchemeQuery, location="query")
@blueprint.response(
    200, VoucherSchemeListSchema, description="一个地方和它上级的办法，已停止的在后"
)
@blueprint.alt_response(404, MISSING)
@requires(LIST)
def scheme_list(query: dict[str, Any]) -> PageOf[Line]:
    """The schemes of a place."""
    ids = path_ids(regions.get(query["region"]).path) if query["region"] else None
    return whole_list(queries.known_in(current_actor(), ids))


@blueprint.route("/voucher-schemes/<string:no>")
@blueprint.doc(operationId="getVoucherScheme", summary="一份创新券办法")
@blueprint.response(200, VoucherSchemeWholeSchema, description="施行的版本")
@blueprint.alt_response(404, MISSING)
@requires(VIEW)
def scheme(no: str) -> Response:
    """A scheme as the public reads it."""
    found = queries.find(current_actor(), no)
    return tagged(told_of(found, queries.public_version(found)))


@blueprint.route("/voucher-schemes/<string:no>/check")
@blueprint.doc(
    operationId="checkVoucherScheme",
    summary="申领前自查：按一份办法能补多少",
    description="不用令牌，不保存。没有回答的不猜：只给最高金额或待定。",
)
@blueprint.arguments(VoucherCheckQuery, location="query")
@blueprint.response(200, VoucherOutcomeSchema, description="结果和计算明细")
@blueprint.alt_response(404, MISSING)
@requires(VIEW)
def check_scheme(query: dict[str, Any], no: str) -> Response:
    """What a scheme gives."""
    found = queries.find(current_actor(), no)
    return _checked(queries.public_version(found).content, query)


def _checked(content: Mapping[str, Any], query: dict[str, Any]) -> Response:
    values = {name: value for name, value in query.items() if value is not None}
    asked = checks.questions(content)
    if wrong := checks.missing(asked, values):
        raise Invalid({f"query/{name}": words for name, words in wrong.items()})
    found = checks.check(content, values, clock.today())
    dumped: dict[str, Any] = VoucherOutcomeSchema().dump(outcome_of(found.outcome))
    return tagged(dumped)


def _sheet(one: Shipped) -> dict[str, Any]:
    return {
        "code": one.code,
        "kind": one.kind,
        "title": one.sheet.title,
        "region": one.sheet.owner_region,
        "url": f"/vouchers/sheets/{one.code}",
    }


@blueprint.route("/voucher-sheets")
@blueprint.doc(operationId="listVoucherSheets", summary="收录的办法要素")
@blueprint.arguments(VoucherSchemeQuery, location="query")
@blueprint.response(200, VoucherSheetListSchema, description="从公开材料摘录的各地办法")
@blueprint.alt_response(404, MISSING)
@requires(LIST)
def sheet_list(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """The rule sheets that came with the site."""
    codes = None
    if query["region"]:
        codes = [code for code, _name in regions.get(query["region"]).trail]
    return whole_list([_sheet(one) for one in queries.sheets_for(codes)])


@blueprint.route("/voucher-sheets/<string:code>")
@blueprint.doc(operationId="getVoucherSheet", summary="一份收录的办法要素")
@blueprint.response(200, VoucherSheetWholeSchema, description="要素、出处、缺什么")
@blueprint.alt_response(404, MISSING)
@requires(LIST)
def sheet(code: str) -> Response:
    """A rule sheet with all it says."""
    one = queries.sheet_named(code)
    found = _sheet(one) | {
        "content": api_content.told(one.content),
        "entries": queries.entries(one.content),
        "open": open_points(one.content),
    }
    dumped: dict[str, Any] = VoucherSheetWholeSchema().dump(found)
    return tagged(dumped)


@blueprint.route("/voucher-sheets/<string:code>/check")
@blueprint.doc(
    operationId="checkVoucherSheet",
    summary="按收录的要素能补多少",
    description="只供参考：本站的主管部门没有按它受理。",
)
@blueprint.arguments(VoucherCheckQuery, location="query")
@blueprint.response(200, VoucherOutcomeSchema, description="结果和计算明细")
@blueprint.alt_response(404, MISSING)
@requires(LIST)
def check_sheet(query: dict[str, Any], code: str) -> Response:
    """What a rule sheet gives."""
    return _checked(queries.sheet_named(code).content, query)
