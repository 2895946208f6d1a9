"""Whole listings and the code lists in the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import fields

from market.accounts.models import KINDS as ORGANISATION_KINDS
from market.catalogue import pin_queries, queries, terms
from market.catalogue.content import TERM_FIELDS
from market.catalogue.models import KINDS, PRICE_MODES, STAGES
from market.catalogue.queries import READ, ListingView
from market.catalogue.schemas import (
    ATTRIBUTES,
    COOPERATION_MODES,
    DEMAND_TYPES,
    EVALUATED_LEVELS,
    FORMS,
    IP_OWNERSHIP,
    SCHEMAS,
    TRANSFER_MODES,
)
from market.catalogue.terms import READ as READ_TERMS
from market.core.api import MISSING, PREFIX, WITHDRAWN, ApiBlueprint
from market.core.api_schemas import Answer, ListAnswer
from market.core.errors import NotFound
from market.core.http import current_actor
from market.core.permissions import requires
from market.regions import queries as regions

# Members of their own in an answer, so not among the content.
_APART = {"title", "summary", "price_mode"}
_PRICE = ("price_mode", "price_min_fen", "price_max_fen")
_FEN = {"investment": "investment_fen"}
# Fixed lists: the name of a list, what it is called, its codes and labels.
FIXED: dict[str, tuple[str, Mapping[str, str]]] = {
    "kind": ("类别", KINDS),
    "stage": ("所处阶段", STAGES),
    "transfer_mode": ("转化方式", TRANSFER_MODES),
    "cooperation_mode": ("合作方式", COOPERATION_MODES),
    "price_mode": ("价格方式", PRICE_MODES),
    "attribute": ("成果属性", ATTRIBUTES),
    "form": ("体现形式", FORMS),
    "level": ("成果水平", EVALUATED_LEVELS),
    "demand_type": ("需求类型", DEMAND_TYPES),
    "ip_ownership": ("产权归属", IP_OWNERSHIP),
    "organisation_kind": ("单位类别", ORGANISATION_KINDS),
}
TAXONOMIES = {**terms.SCHEMES, **{name: label for name, (label, _) in FIXED.items()}}

listings = ApiBlueprint("listings", __name__, "科技成果与技术需求")
taxonomies = ApiBlueprint("taxonomies", __name__, "代码表：技术领域、行业、学科和各种选项的名称")


class OwnerSchema(Answer):
    """The organisation that published a listing."""

    no = fields.String(metadata={"example": "DW2026000034"})
    uscc = fields.String(allow_none=True, metadata={"description": "统一社会信用代码"})
    name = fields.String()
    kind = fields.String(metadata={"enum": list(ORGANISATION_KINDS)})
    region_code = fields.String(metadata={"example": "511803"})


class PlaceSchema(Answer):
    """Where it is."""

    code = fields.String(metadata={"example": "511803"})
    name = fields.String(metadata={"example": "名山区"})
    full_name = fields.String(metadata={"example": "四川省雅安市名山区"})


class ContactSchema(Answer):
    """A telephone that answers."""

    name = fields.String(metadata={"description": "接电话的单位"})
    telephone = fields.String()
    hours = fields.String(allow_none=True, metadata={"description": "办公时间"})


class ContentSchema(Answer):
    """One filled field."""

    label = fields.String(metadata={"description": "这一项的名称", "example": "所处阶段"})
    value = fields.Raw(
        metadata={"description": "原值：代码、分、ISO 日期、文字或它们的列表", "example": "pilot"}
    )
    text = fields.Raw(
        metadata={
            "description": "显示的文字，代码已换成名称",
            "type": ["string", "array"],
            "items": {"type": "string"},
            "example": "中试",
        }
    )


class Filled(fields.Dict):
    """The filled fields of a listing: names, values and display text, in order of the form."""

    def get_value(self, obj: ListingView, *_: Any, **__: Any) -> dict[str, Any]:
        found = {}
        for name, field in SCHEMAS[obj.kind].fields.items():
            key = field.attribute or name
            value = _value(key, obj.content)
            if key in _APART or value in (None, "", []):
                continue
            text = obj.shown.get(key)
            if text is None and key in TERM_FIELDS:
                text = terms.labels(TERM_FIELDS[key], value)
            label = field.metadata["label"].removesuffix("（元）")
            found[_FEN.get(key, key)] = {"label": label, "value": value, "text": text}
        return found


class ListingSchema(Answer):
    """A whole listing."""

    kind = fields.String(metadata={"enum": list(KINDS)})
    no = fields.String(metadata={"description": "本站编号，永久不变", "example": "CG2026000001"})
    title = fields.String(metadata={"description": "名称，与填写的一字不差"})
    summary = fields.String()
    url = fields.String(metadata={"example": "/achievements/CG2026000001"})
    organisation = fields.Nested(OwnerSchema, attribute="owner")
    region = fields.Nested(PlaceSchema)
    contact = fields.Nested(ContactSchema, attribute="phone", allow_none=True)
    price = fields.String(
        attribute="shown.price",
        dump_default=None,
        allow_none=True,
        metadata={"description": "价格或预算的文字", "example": "60 万元"},
    )
    price_mode = fields.String(
        attribute="content.price_mode",
        dump_default=None,
        allow_none=True,
        metadata={"enum": [*PRICE_MODES, None]},
    )
    price_min_fen = fields.Integer(
        attribute="content.price_min_fen",
        dump_default=None,
        allow_none=True,
        metadata={"description": "最低价格或预算（分）", "example": 60000000},
    )
    price_max_fen = fields.Integer(
        attribute="content.price_max_fen",
        dump_default=None,
        allow_none=True,
        metadata={"description": "最高价格或预算（分）", "example": 60000000},
    )
    investment_fen = fields.Integer(
        attribute="content.investment",
        dump_default=None,
        allow_none=True,
        metadata={"description": "投入估算（分）"},
    )
    content = Filled(
        keys=fields.String(),
        values=fields.Nested(ContentSchema),
        metadata={"description": "填了的每一项，按表单的顺序；键为英文字段名"},
    )
    completeness = fields.Integer(metadata={"description": "完整度（0–100）"})
    version = fields.Integer(metadata={"description": "第几版"})
    published = fields.DateTime(metadata={"description": "首次发布的时间"})
    updated = fields.DateTime(metadata={"description": "本版的时间"})
    valid_until = fields.Date(allow_none=True, metadata={"description": "有效期至"})
    call_until = fields.Date(allow_none=True, metadata={"description": "揭榜中的需求：应答截止日"})
    expired = fields.Boolean(metadata={"description": "已过有效期"})
    demo = fields.Boolean(metadata={"description": "是否演示数据"})


def _value(key: str, content: Mapping[str, Any]) -> Any:
    if key == "price":
        given = {name.removeprefix("price_"): content.get(name) for name in _PRICE}
        return given if any(value is not None for value in given.values()) else None
    value = content.get(key)
    return value.isoformat() if isinstance(value, date) else value


@listings.route("/achievements/<string:no>")
@listings.doc(operationId="getAchievement", summary="一项科技成果")
@listings.response(200, ListingSchema, description="科技成果")
@listings.alt_response(404, MISSING)
@listings.alt_response(410, WITHDRAWN)
@requires(READ)
def achievement(no: str) -> ListingView:
    """A research outcome by its public number."""
    return queries.get(current_actor(), "achievement", no)


@listings.route("/demands/<string:no>")
@listings.doc(operationId="getDemand", summary="一项技术需求")
@listings.response(200, ListingSchema, description="技术需求")
@listings.alt_response(404, MISSING)
@listings.alt_response(410, WITHDRAWN)
@requires(READ)
def demand(no: str) -> ListingView:
    """A demand by its public number."""
    return queries.get(current_actor(), "demand", no)


class TaxonomySchema(Answer):
    """A code list."""

    scheme = fields.String(metadata={"example": "field"})
    label = fields.String(metadata={"example": "技术领域"})
    url = fields.String(metadata={"example": f"{PREFIX}/taxonomies/field"})


class TaxonomyListSchema(ListAnswer):
    """All code lists."""

    items = fields.List(fields.Nested(TaxonomySchema))


class EntrySchema(Answer):
    """An entry of a code list."""

    code = fields.String(metadata={"example": "agriculture"})
    label = fields.String(metadata={"example": "现代农业"})
    label_en = fields.String(allow_none=True, metadata={"description": "英文名称"})
    parent = fields.String(allow_none=True, metadata={"description": "上级代码"})


class EntryListSchema(ListAnswer):
    """A code list with its entries."""

    scheme = fields.String(metadata={"example": "field"})
    label = fields.String(metadata={"example": "技术领域"})
    items = fields.List(fields.Nested(EntrySchema))


def _whole(items: list[dict[str, Any]]) -> dict[str, Any]:
    """A list that is short enough to be given at once."""
    return {"total": len(items), "total_is": "exact", "next_after": None, "items": items}


@taxonomies.route("/taxonomies")
@taxonomies.doc(operationId="listTaxonomies", summary="有哪些代码表")
@taxonomies.response(200, TaxonomyListSchema, description="代码表")
@requires(READ_TERMS)
def taxonomy_list() -> dict[str, Any]:
    """The code lists there are."""
    return _whole(
        [
            {"scheme": name, "label": label, "url": f"{PREFIX}/taxonomies/{name}"}
            for name, label in TAXONOMIES.items()
        ]
    )


@taxonomies.route("/taxonomies/<string:scheme>")
@taxonomies.doc(
    operationId="getTaxonomy", summary="一个代码表", description="一次给出全部条目，按次序排列。"
)
@taxonomies.response(200, EntryListSchema, description="代码和名称")
@taxonomies.alt_response(404, MISSING)
@requires(READ_TERMS)
def taxonomy(scheme: str) -> dict[str, Any]:
    """A code list with all entries."""
    if scheme not in TAXONOMIES:
        raise NotFound(f"没有名为 {scheme} 的代码表。")
    rows: list[tuple[str, str, str | None, str | None]]
    if scheme in FIXED:
        rows = [(code, label, None, None) for code, label in FIXED[scheme][1].items()]
    else:
        rows = terms.entries(scheme)
    items = [dict(zip(("code", "label", "label_en", "parent"), row, strict=True)) for row in rows]
    return _whole(items) | {"scheme": scheme, "label": TAXONOMIES[scheme]}


class PinSchema(Answer):
    """A listing that a county recommends."""

    kind = fields.String(metadata={"enum": list(KINDS)})
    no = fields.String(metadata={"example": "CG2026000001"})
    title = fields.String()
    url = fields.String(metadata={"example": "/achievements/CG2026000001"})
    note = fields.String(allow_none=True, metadata={"description": "推荐理由"})


class PinListSchema(ListAnswer):
    """What a county recommends."""

    items = fields.List(fields.Nested(PinSchema))


@listings.route("/regions/<string:code>/pins", tags=["regions"])
@listings.doc(
    operationId="listPins", summary="本县推荐", description="按县里排的顺序，最多 12 条。"
)
@listings.response(200, PinListSchema, description="本县推荐的成果和需求")
@listings.alt_response(404, MISSING)
@requires(READ)
def pins(code: str) -> dict[str, Any]:
    """What a county put first on its page."""
    items = pin_queries.pins(current_actor(), regions.find(code).id)
    return {"total": len(items), "total_is": "exact", "next_after": None, "items": items}
