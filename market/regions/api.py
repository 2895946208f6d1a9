"""Administrative divisions in the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import fields

from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_schemas import Answer, ListAnswer, Query, Text, per_page
from market.core.pagination import MOST_PER_PAGE
from market.core.permissions import requires
from market.regions import queries
from market.regions.models import LEVELS
from market.regions.queries import RegionView
from market.regions.service import READ

# More than all regions that a name search looks through.
ALL_NAMED = 10_000

blueprint = ApiBlueprint("regions", __name__, "行政区划")


class RegionQuery(Query):
    """How to find regions."""

    q = Text(40, load_default="", metadata={"description": "名称、拼音、首字母或代码的开头"})
    parent = Text(12, load_default="", metadata={"description": "上级地区代码：只列直接下级"})
    per_page = per_page(MOST_PER_PAGE)


class RegionSchema(Answer):
    """A region."""

    code = fields.String(metadata={"description": "行政区划代码", "example": "511402"})
    name = fields.String(metadata={"example": "东坡区"})
    short_name = fields.String(metadata={"example": "东坡"})
    full_name = fields.String(metadata={"example": "四川省眉山市东坡区"})
    level = fields.String(metadata={"enum": list(LEVELS)})
    parent = fields.String(allow_none=True, metadata={"description": "上级地区代码；省级为 null"})
    url = fields.String(metadata={"description": "本站页面", "example": "/regions/511402"})


class RegionStepSchema(Answer):
    """A step on the way from the province."""

    code = fields.String()
    name = fields.String()


class LeadingIndustrySchema(Answer):
    """An industry that a county builds on."""

    position = fields.Integer(metadata={"example": 1})
    name = fields.String(metadata={"example": "川茶"})
    keywords = fields.List(
        fields.String(), metadata={"description": "含有其一的成果和需求归入这个产业"}
    )
    source = fields.String(allow_none=True, metadata={"description": "确定主导产业的文件"})
    value = fields.String(
        metadata={"description": "检索参数 leading 的值", "example": "511803:川茶"}
    )


class RegionWithTrailSchema(RegionSchema):
    """A region with its place in the tree, what it builds on and what it recommends."""

    trail = fields.List(
        fields.Nested(RegionStepSchema), metadata={"description": "从省级到本地区自身"}
    )
    leading_industries = fields.List(
        fields.Nested(LeadingIndustrySchema), metadata={"description": "主导产业，最多 5 个"}
    )
    pins_url = fields.String(
        metadata={"description": "本县推荐", "example": "/api/v1/regions/511803/pins"}
    )


class RegionListSchema(ListAnswer):
    """Regions found."""

    items = fields.List(fields.Nested(RegionSchema))


@blueprint.route("/regions")
@blueprint.doc(
    operationId="listRegions",
    summary="查找地区",
    description="不带参数时列出全部省级地区。q 与 parent 同给时，在该地区之下按名称找。"
    "结果不分页：最多 per_page 个，多于此数时 total_is 为 at_least，请写得更具体。",
)
@blueprint.arguments(RegionQuery, location="query")
@blueprint.response(200, RegionListSchema, description="地区")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def region_list(query: dict[str, Any]) -> dict[str, Any]:
    """Provinces, the children of a region, or regions by name."""
    found, most = _found(query["q"], query["parent"], query["per_page"]), query["per_page"]
    shown = found[:most]
    parents = queries.short_names(_parent_id(one) for one in shown if _parent_id(one))
    return {
        "total": len(shown),
        "total_is": "at_least" if len(found) > most else "exact",
        "next_after": None,
        "items": [_item(one, parents.get(_parent_id(one), (None,))[0]) for one in shown],
    }


def _found(q: str, parent: str, most: int) -> Sequence[RegionView]:
    """Up to one more than asked for, which tells that there are more."""
    if not parent:
        return queries.search(q, most + 1) if q else queries.provinces()
    above = queries.find(parent)
    if not q:
        return queries.children(above.id)
    named = queries.search(q, ALL_NAMED)
    return [one for one in named if one.path.startswith(above.path) and one.id != above.id]


def _parent_id(region: RegionView) -> int:
    """The id of the region above; 0 for provinces."""
    ids = region.path.strip("/").split("/")
    return int(ids[-2]) if len(ids) > 1 else 0


def _item(region: RegionView, parent: str | None) -> dict[str, Any]:
    same = ("code", "name", "short_name", "full_name", "level", "url")
    return {name: getattr(region, name) for name in same} | {"parent": parent}


@blueprint.route("/regions/<string:code>")
@blueprint.doc(
    operationId="getRegion",
    summary="一个地区",
    description="用过的旧代码也能查到，返回现在的地区。",
)
@blueprint.response(200, RegionWithTrailSchema, description="地区")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def region(code: str) -> dict[str, Any]:
    """A region by its present or a former code."""
    found = queries.get(code)
    steps = [{"code": code, "name": name} for code, name in found.trail]
    parent = found.trail[-2][0] if len(found.trail) > 1 else None
    return _item(found, parent) | {
        "trail": steps,
        "leading_industries": queries.leading_industries([found.id]),
        "pins_url": f"{PREFIX}/regions/{found.code}/pins",
    }
