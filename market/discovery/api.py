"""Search and the lists of listings in the API: the same filters and services as the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, request
from marshmallow import fields, pre_dump

from market.accounts import queries as accounts
from market.accounts.queries import READ as READ_ORGANISATION
from market.catalogue.models import COOPERATION_MODES, KINDS, STAGES
from market.catalogue.queries import vocabulary
from market.core.api import MISSING, UNAVAILABLE, ApiBlueprint
from market.core.api_schemas import Answer, ListAnswer, Query, Text, page_number, per_page
from market.core.error_pages import market_error
from market.core.errors import Invalid
from market.core.http import current_actor
from market.core.pagination import LISTINGS_PER_PAGE, PageOf
from market.core.permissions import requires
from market.discovery import forms, queries
from market.discovery.cards import Card
from market.discovery.forms import (
    FILTERS,
    LONGEST_QUERY,
    LONGEST_VALUE,
    SORT_NOTES,
    SORTS,
    SearchForm,
)
from market.discovery.queries import SEARCH, SearchPage
from market.discovery.suggestions import LONGEST, MOST, SUGGEST, corrections, suggestions
from search_index import BadCursor

LONGEST_CURSOR = 500
MOST_FACET_VALUES = 50
_STAGE_CODES = {label: code for code, label in STAGES.items()}

blueprint = ApiBlueprint("search", __name__, "检索成果与需求")


def _several(about: str, **metadata: Any) -> fields.List:
    """A parameter that may be given several times; `forms.read` reads it."""
    return fields.List(
        fields.String(metadata=metadata), metadata={"description": f"{about}；可重复，满足其一即可"}
    )


class ListQuery(Query):
    """Filters and pages; read by `forms.read`, so that page and API never differ."""

    q = Text(
        LONGEST_QUERY,
        metadata={"description": '搜索词；"短语"、-排除、OR 可用', "example": "杀青"},
    )
    region = _several("地区代码，含其下级", example="511800")
    call = _several("揭榜中的需求", enum=list(vocabulary("call")))
    leading = _several("主导产业：名称，或「县代码:名称」只看这个县的", example="511402:泡菜")
    field = _several("技术领域代码（taxonomies/field）", example="agriculture")
    industry = _several(
        "行业代码（taxonomies/industry），门类含其下的大类；同时给门类和其中的大类时只看大类",
        example="C15",
    )
    stage = _several("所处阶段", enum=list(STAGES))
    mode = _several("合作方式", enum=list(COOPERATION_MODES))
    price_band = _several(
        "价格或预算的档次，区间跨几档就算几档", enum=list(vocabulary("price_band"))
    )
    owner_kind = _several("单位类型", enum=list(vocabulary("owner_kind")))
    date = _several("发布时间：近 30、90、365 天，或公历年份", example="365d")
    near = Text(
        LONGEST_VALUE,
        metadata={"description": "sort=near 时从哪个地区开始（代码）；不给时从 region 开始"},
    )
    since = Text(LONGEST_VALUE, metadata={"description": "这一天起发布", "example": "2026-03-01"})
    until = Text(LONGEST_VALUE, metadata={"description": "到这一天止发布", "example": "2026-06-30"})
    sort = fields.String(
        metadata={
            "description": "；".join(f"{key}：{SORT_NOTES[key]}" for key in SORTS)
            + "不给时：有搜索词按相关度，没有按最新发布。near 用 page 翻页，next_after 总是 null。",
            "enum": list(SORTS),
        }
    )
    page = page_number()
    per_page = per_page(LISTINGS_PER_PAGE)
    after = Text(
        LONGEST_CURSOR,
        load_default="",
        metadata={"description": "上一页的 next_after；可翻到 10,000 条以后，此时不看 page"},
    )


class SearchQuery(ListQuery):
    """A search over both kinds."""

    kind = _several("类别", enum=list(KINDS))


class HighlightSchema(Answer):
    """A fragment with the words found."""

    part = fields.String(metadata={"description": "出自哪一部分", "example": "解决的问题"})
    html = fields.String(metadata={"description": "已转义的 HTML，找到的词在 <mark> 中"})

    @pre_dump
    def named(self, pair: tuple[str, str], **_: Any) -> dict[str, str]:
        """Cards hold pairs of part and fragment."""
        return {"part": pair[0], "html": str(pair[1])}


class CardSchema(Answer):
    """A listing in a list."""

    kind = fields.String(metadata={"enum": list(KINDS)})
    no = fields.String(metadata={"example": "CG2026000001"})
    title = fields.String(metadata={"description": "名称，与填写的一字不差"})
    title_html = fields.String(metadata={"description": "名称，已转义，找到的词在 <mark> 中"})
    url = fields.String(metadata={"example": "/achievements/CG2026000001"})
    problem = fields.String(metadata={"description": "解决的问题或技术难题的开头"})
    result = fields.String(attribute="best", metadata={"description": "结果或首要指标的开头"})
    stage = fields.Function(
        lambda card: _STAGE_CODES.get(card.stage_label),
        allow_none=True,
        metadata={"type": ["string", "null"], "enum": [*STAGES, None]},
    )
    price = fields.String(
        attribute="price_label", metadata={"description": "价格或预算的文字", "example": "60 万元"}
    )
    modes = fields.List(
        fields.String(), attribute="mode_labels", metadata={"description": "合作方式的名称"}
    )
    region = fields.String(attribute="region_name", metadata={"example": "四川 · 雅安 · 名山"})
    region_code = fields.String(metadata={"example": "511803"})
    owner = fields.String(attribute="owner_name", metadata={"description": "单位名称"})
    date = fields.Date(attribute="updated", metadata={"description": "发布日期"})
    deadline = fields.Date(allow_none=True, metadata={"description": "需求的完成时限"})
    call_until = fields.Date(allow_none=True, metadata={"description": "揭榜中的需求：应答截止日"})
    trial = fields.Boolean(metadata={"description": "可先用后转"})
    expired = fields.Boolean(metadata={"description": "已过有效期"})
    demo = fields.Boolean(metadata={"description": "是否演示数据"})
    highlights = fields.List(fields.Nested(HighlightSchema))
    reasons = fields.List(fields.String(), metadata={"description": "为什么找到它，一句一条"})


class CardListSchema(ListAnswer):
    """A page of listings."""

    items = fields.List(fields.Nested(CardSchema))


class FacetValueSchema(Answer):
    """A value to filter by."""

    value = fields.String(metadata={"description": "用作筛选参数的代码"})
    label = fields.String()
    count = fields.Integer(metadata={"description": "这一组只选它会有几条（其余条件不变）"})
    chosen = fields.Boolean()
    depth = fields.Integer(metadata={"description": "地区和行业的层次：0 为省级、门类"})


FacetsSchema = Answer.from_dict(
    {name: fields.List(fields.Nested(FacetValueSchema)) for name in FILTERS}, name="FacetsSchema"
)


class WaySchema(Answer):
    """A way out when nothing was found."""

    label = fields.String()
    url = fields.String(metadata={"description": "本站页面"})
    note = fields.String(metadata={"description": "补充，如有几项"})


class SearchAnswerSchema(CardListSchema):
    """A page of a search."""

    matched = fields.String(
        metadata={
            "description": "all：每条都含全部搜索词；any：结果太少，已放宽为含部分词",
            "enum": ["all", "any"],
        }
    )
    facets = fields.Nested(FacetsSchema)
    notes = fields.List(
        fields.String(), metadata={"description": "条件中看不懂、没有或太多的，一句一条"}
    )
    did_you_mean = fields.List(
        fields.String(),
        metadata={
            "description": "找到很少时：可能想找的写法，每一个都能找到更多",
            "example": ["杀青"],
        },
    )
    suggestions = fields.List(
        fields.Nested(WaySchema), metadata={"description": "一条也没找到时可以怎么办"}
    )


@blueprint.app_errorhandler(BadCursor)
def wrong_cursor(_error: BadCursor) -> Response:
    """The one parameter that is refused: leaving it out would start the list anew."""
    message = "不是本次检索给出的翻页标记；请从第一页开始，并保持排序不变。"
    return market_error(Invalid({"query/after": [message]}))


def _form(after: str, **fixed: Any) -> SearchForm:
    return replace(forms.read(request.args), after=after or None, **fixed)


@blueprint.route("/search")
@blueprint.doc(
    operationId="search",
    summary="检索成果与需求",
    description="与 /search 页面条件相同、结果相同。没有的筛选代码找不到任何信息。",
)
@blueprint.arguments(SearchQuery, location="query")
@blueprint.response(200, SearchAnswerSchema, description="一页结果、各筛选项的数量和出路")
@blueprint.alt_response(503, UNAVAILABLE)
@requires(SEARCH)
def search(query: dict[str, Any]) -> dict[str, Any]:
    """Search with filters, as the page does."""
    return _found(queries.search(current_actor(), _form(query["after"]), MOST_FACET_VALUES))


def _found(found: SearchPage) -> dict[str, Any]:
    page = found.page
    values: Mapping[str, Any] = {facet.name: facet.values for facet in found.facets}
    return {
        "total": page.total,
        "total_is": page.total_is,
        "next_after": page.next_after,
        "items": page.items,
        "matched": "any" if found.loosened else "all",
        "facets": {name: values.get(name, ()) for name in FILTERS},
        "notes": found.notes,
        "did_you_mean": corrections(found.form.q, found.exact),
        "suggestions": found.ways,
    }


class SuggestQuery(Query):
    """What is being typed."""

    q = Text(
        LONGEST,
        load_default="",
        metadata={"description": "正在输入的字，也可以是拼音或首字母", "example": "shaq"},
    )


class SuggestAnswerSchema(Answer):
    """Completions."""

    items = fields.List(
        fields.String(),
        metadata={"description": f"名称、单位和关键词，最多 {MOST} 条", "example": ["杀青"]},
    )


@blueprint.route("/suggest")
@blueprint.doc(
    operationId="suggest",
    summary="输入联想",
    description="以所输入的字、拼音或首字母开头的在前，中间的词以它开头的在后。",
)
@blueprint.arguments(SuggestQuery, location="query")
@blueprint.response(200, SuggestAnswerSchema, description="可以补全成的搜索词")
@blueprint.alt_response(503, UNAVAILABLE)
@requires(SUGGEST)
def suggest(query: dict[str, Any]) -> dict[str, Any]:
    """Complete what is being typed, as the search box does."""
    return {"items": suggestions(current_actor(), query["q"])}


def _list_of(kind: str, after: str) -> PageOf[Card]:
    return queries.cards(current_actor(), _form(after, kind=(kind,)))


@blueprint.route("/achievements", tags=["listings"])
@blueprint.doc(operationId="listAchievements", summary="科技成果列表", description="新的在前。")
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, CardListSchema, description="一页科技成果")
@blueprint.alt_response(503, UNAVAILABLE)
@requires(SEARCH)
def achievements(query: dict[str, Any]) -> PageOf[Card]:
    """Achievements, newest first unless words or an order are given."""
    return _list_of("achievement", query["after"])


@blueprint.route("/demands", tags=["listings"])
@blueprint.doc(operationId="listDemands", summary="技术需求列表", description="新的在前。")
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, CardListSchema, description="一页技术需求")
@blueprint.alt_response(503, UNAVAILABLE)
@requires(SEARCH)
def demands(query: dict[str, Any]) -> PageOf[Card]:
    """Demands, newest first unless words or an order are given."""
    return _list_of("demand", query["after"])


@blueprint.route("/organisations/<string:no>/listings", tags=["organisations"])
@blueprint.doc(
    operationId="listListingsOfOrganisation",
    summary="一个单位发布的成果与需求",
    description="新的在前。",
)
@blueprint.arguments(SearchQuery, location="query")
@blueprint.response(200, CardListSchema, description="一页成果与需求")
@blueprint.alt_response(404, MISSING)
@blueprint.alt_response(503, UNAVAILABLE)
@requires(READ_ORGANISATION)
def listings_of_organisation(query: dict[str, Any], no: str) -> PageOf[Card]:
    """Published listings of an organisation."""
    owner = accounts.get(current_actor(), no)
    return queries.cards(current_actor(), _form(query["after"], owner=(str(owner.id),)))
