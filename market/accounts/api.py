"""Organisations in the API."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from market.accounts import queries
from market.accounts.models import KINDS
from market.accounts.queries import LIST, READ, OrganisationView
from market.core.api import MISSING, ApiBlueprint
from market.core.api_schemas import Answer, ListAnswer, Query, Text, page_number, per_page
from market.core.api_writes import version_tag
from market.core.errors import NotFound
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import requires
from market.regions import queries as regions

blueprint = ApiBlueprint("organisations", __name__, "单位：高校院所、企业、合作社、科技管理部门")


class OrganisationQuery(Query):
    """How to find organisations."""

    q = Text(60, load_default="", metadata={"description": "名称中的字，或统一社会信用代码"})
    kind = Text(
        40, load_default="", metadata={"description": "单位类别代码", "example": "institute"}
    )
    region = Text(
        12, load_default="", metadata={"description": "地区代码，含其下级", "example": "511400"}
    )
    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class OrganisationSchema(Answer):
    """An organisation."""

    no = fields.String(metadata={"description": "本站编号，永久不变", "example": "DW2026000034"})
    uscc = fields.String(allow_none=True, metadata={"description": "统一社会信用代码"})
    name = fields.String()
    kind = fields.String(metadata={"enum": list(KINDS)})
    kind_label = fields.String(metadata={"description": "类别名称", "example": "高校院所"})
    region_code = fields.String(metadata={"example": "511803"})
    region_name = fields.String(
        attribute="region.full_name", metadata={"example": "四川省雅安市名山区"}
    )
    supervising = fields.String(allow_none=True, metadata={"description": "主管部门"})
    telephone = fields.String(allow_none=True)
    contact = fields.String(allow_none=True, metadata={"description": "联系岗位"})
    address = fields.String(allow_none=True)
    hours = fields.String(allow_none=True, metadata={"description": "办公时间"})
    website = fields.String(allow_none=True)
    intro = fields.String(allow_none=True, metadata={"description": "简介"})
    verified = fields.Boolean(metadata={"description": "是否已核验"})
    demo = fields.Boolean(metadata={"description": "是否演示数据"})
    url = fields.String(metadata={"description": "本站页面"})


class OrganisationListSchema(ListAnswer):
    """Organisations found."""

    items = fields.List(fields.Nested(OrganisationSchema))


@blueprint.route("/organisations")
@blueprint.doc(
    operationId="listOrganisations",
    summary="查找单位",
    description="按名称排列。没有的类别或地区代码找不到任何单位。",
)
@blueprint.arguments(OrganisationQuery, location="query")
@blueprint.response(200, OrganisationListSchema, description="单位")
@requires(LIST)
def organisation_list(query: dict[str, Any]) -> PageOf[OrganisationView]:
    """Organisations by name."""
    code, size = query.pop("region"), query["per_page"]
    query["page"] = min(query["page"], EXACT_UP_TO // size)
    try:
        place = regions.find(code) if code else None
    except NotFound:
        return PageOf([], 0, query["page"], size)
    return queries.page(current_actor(), region=place, **query)


def organisation_tag(found: OrganisationView) -> str:
    """The `ETag` of an organisation."""
    return version_tag(_version(found))


def organisation_version(no: str) -> dict[str, Any]:
    """What tells one version of an organisation from another: what it says, and its counter."""
    return _version(queries.get(current_actor(), no))


def _version(found: OrganisationView) -> dict[str, Any]:
    said: dict[str, Any] = OrganisationSchema().dump(found)
    return said | {"lock_version": found.lock_version}


@blueprint.route("/organisations/<string:no>")
@blueprint.doc(operationId="getOrganisation", summary="一个单位")
@blueprint.response(200, OrganisationSchema, description="单位；ETag 供修改时带上")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def organisation(no: str) -> tuple[OrganisationView, int, dict[str, str]]:
    """An organisation by its public number; one that was merged answers with the one that stays."""
    found = queries.get(current_actor(), queries.merged_into(no) or no)
    return found, 200, {"ETag": organisation_tag(found)}
