"""Bulletins in the API: read by everybody, written by the tokens of offices."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response
from marshmallow import fields
from marshmallow.validate import OneOf

from market.catalogue.models import KINDS
from market.core.api import MISSING, ApiBlueprint
from market.core.api_schemas import (
    Answer,
    Input,
    ListAnswer,
    Query,
    Text,
    page_number,
    per_page,
)
from market.core.api_writes import as_seen, create_once, creates, edits, require_match, version_tag
from market.core.fields import Line, LongText, Whole, Words
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, LISTINGS_PER_PAGE, PageOf
from market.core.permissions import requires
from market.discovery.bulletins import queries, service
from market.discovery.bulletins.models import HIGHEST, MOST_ITEMS, STATES
from market.discovery.bulletins.queries import BulletinView
from market.discovery.bulletins.schemas import LONGEST_FOREWORD
from market.discovery.bulletins.workflow import BULLETIN, LIST, READ, WRITE

UNKNOWN, REFUSED = HTTPStatus(401).name, HTTPStatus(403).name
TAKEN, OTHER, UNNAMED = HTTPStatus(409).name, HTTPStatus(412).name, HTTPStatus(428).name
_TOKEN: list[dict[str, list[str]]] = [{"token": []}]
blueprint = ApiBlueprint("bulletins", __name__, "成果信息简报：公开可读，科技管理部门的令牌可写")


class BulletinQuery(Query):
    """How to find bulletins."""

    region = Text(12, load_default="", metadata={"description": "地区代码，空为全部"})
    page = page_number()
    per_page = per_page(LISTINGS_PER_PAGE)


class BulletinSchema(Answer):
    """A bulletin without what stands in it."""

    no = fields.String(metadata={"description": "本站编号", "example": "CF2026000001"})
    region_code = fields.String(attribute="region.code", metadata={"example": "511402"})
    region_name = fields.String(attribute="region.full_name")
    year = fields.Integer()
    number = fields.Integer(metadata={"description": "第几期，同一地区同一年不重复"})
    title = fields.String()
    state = fields.String(metadata={"enum": list(STATES)})
    issued_at = fields.DateTime(allow_none=True)
    reason = fields.String(allow_none=True, metadata={"description": "撤回的原因"})
    demo = fields.Boolean()
    url = fields.String(metadata={"description": "本站页面"})


class LineSchema(Answer):
    """A listing in a bulletin, as it was when that was issued."""

    no = fields.String(metadata={"description": "信息编号"})
    kind = fields.String(metadata={"enum": list(KINDS)})
    title = fields.String()
    solves = fields.String()
    best = fields.String(metadata={"description": "结果或指标"})
    stage = fields.String(metadata={"description": "所处阶段的代码，空为未填写"})
    price = fields.String()
    contact = fields.String()
    telephone = fields.String()
    owner = fields.String()
    region = fields.String()
    state = fields.String(metadata={"description": "信息现在的状态；撤回、下架的只留名称"})
    note = fields.String(metadata={"description": "为什么内容不再显示"})


class BulletinDetailSchema(BulletinSchema):
    """A bulletin with what stands in it, and what the token may do with it."""

    foreword = fields.String()
    lines = fields.List(fields.Nested(LineSchema))
    actions = fields.List(fields.String())


class BulletinListSchema(ListAnswer):
    """Bulletins found."""

    items = fields.List(fields.Nested(BulletinSchema))


class NewBulletinSchema(Input):
    """A bulletin to begin."""

    region = Line(12, required=True, metadata={"description": "地区代码"})
    number = Whole(1, HIGHEST, load_default=None, metadata={"description": "默认接着上一期"})


class BulletinEditSchema(Input):
    """All that a draft says."""

    title = Line(100, required=True)
    number = Whole(1, HIGHEST, required=True)
    foreword = LongText(LONGEST_FOREWORD, load_default="")
    items = Words(MOST_ITEMS, required=True, metadata={"description": "信息编号，按顺序"})


class BulletinActSchema(Input):
    """A transition."""

    action = fields.String(
        required=True,
        validate=OneOf(("issue", "withdraw", "drop"), error="可选：issue、withdraw、drop。"),
        metadata={"enum": ["issue", "withdraw", "drop"]},
    )
    reason = fields.String(load_default=None, metadata={"description": "withdraw 必填，会公开"})


class ProposalSchema(Answer):
    """A listing that a draft might name."""

    no = fields.String()
    title = fields.String()


class ProposalListSchema(ListAnswer):
    """Listings that a draft might name: pins first, then what its search finds."""

    items = fields.List(fields.Nested(ProposalSchema))


@blueprint.route("/bulletins")
@blueprint.doc(operationId="listBulletins", summary="已发布的简报，新的在前")
@blueprint.arguments(BulletinQuery, location="query")
@blueprint.response(200, BulletinListSchema, description="简报")
@blueprint.alt_response(404, MISSING)
@requires(LIST)
def bulletin_list(query: dict[str, Any]) -> PageOf[BulletinView]:
    """Issued bulletins."""
    size = query["per_page"]
    page = min(query["page"], EXACT_UP_TO // size)
    return queries.listed(current_actor(), query["region"], page, size)


@blueprint.route("/office/bulletins")
@blueprint.doc(operationId="listOfficeBulletins", summary="本部门的简报，草稿在前", security=_TOKEN)
@blueprint.arguments(BulletinQuery(only=("page",)), location="query")
@blueprint.response(200, BulletinListSchema, description="简报")
@blueprint.alt_response(401, UNKNOWN)
@blueprint.alt_response(403, REFUSED)
@requires(WRITE)
def office_list(query: dict[str, Any]) -> PageOf[BulletinView]:
    """All bulletins of the token's area."""
    return queries.desk(current_actor(), query["page"])


@blueprint.route("/bulletins/<string:no>")
@blueprint.doc(operationId="getBulletin", summary="一期简报")
@blueprint.response(200, BulletinDetailSchema, description="简报")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def bulletin_detail(no: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """One bulletin."""
    return _answer(no)


def _answer(no: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    detail = _detail(no)
    return detail, 200, {"ETag": version_tag(detail["version"])}


def _detail(no: str) -> dict[str, Any]:
    actor = current_actor()
    row, found = queries.find(actor, no), queries.get(actor, no)
    told: dict[str, Any] = {name: getattr(found, name) for name in found.__dataclass_fields__}
    actions = [one.action for one in BULLETIN.actions(actor, row)]
    return {**told, "url": found.url, "actions": actions}


def _dumped(no: str) -> dict[str, Any]:
    body: dict[str, Any] = BulletinDetailSchema().dump(_detail(no))
    return body


@blueprint.route("/bulletins", methods=["POST"])
@blueprint.doc(
    operationId="createBulletin",
    summary="编写新一期",
    description="先放入本县推荐，再放入符合主导产业、往期没有发过的最新信息。",
    security=_TOKEN,
)
@blueprint.arguments(NewBulletinSchema)
@blueprint.response(201, BulletinDetailSchema, description="草稿")
@blueprint.alt_response(401, UNKNOWN)
@blueprint.alt_response(403, REFUSED)
@blueprint.alt_response(404, MISSING)
@blueprint.alt_response(409, TAKEN)
@creates
@requires(WRITE)
def create(values: Mapping[str, Any]) -> Response:
    """Begin a bulletin."""

    def act() -> tuple[dict[str, Any], str]:
        no = service.draft(current_actor(), values["region"], values.get("number"))
        return _dumped(no), f"/api/v1/bulletins/{no}"

    return create_once(act)


@blueprint.route("/bulletins/<string:no>", methods=["PUT"])
@blueprint.doc(
    operationId="editBulletin",
    summary="改一期草稿",
    description="整份写入；须带 If-Match。发布以后不能再改。",
    security=_TOKEN,
)
@blueprint.arguments(BulletinEditSchema)
@blueprint.response(200, BulletinDetailSchema, description="草稿")
@blueprint.alt_response(401, UNKNOWN)
@blueprint.alt_response(403, REFUSED)
@blueprint.alt_response(404, MISSING)
@blueprint.alt_response(409, TAKEN)
@blueprint.alt_response(412, OTHER)
@blueprint.alt_response(428, UNNAMED)
@edits
@requires(WRITE)
def edit(values: dict[str, Any], no: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Write a draft anew."""
    actor = current_actor()
    version = queries.find(actor, no, WRITE).lock_version
    require_match(version)
    service.save(actor, no, values, values["items"], version)
    return _answer(no)


@blueprint.route("/bulletins/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnBulletin",
    summary="发布、撤回、作废",
    description="issue 发布（期号重复的回答 409），withdraw 撤回，drop 作废草稿。",
    security=_TOKEN,
)
@blueprint.arguments(BulletinActSchema)
@blueprint.response(200, BulletinDetailSchema, description="办理后的简报")
@blueprint.alt_response(401, UNKNOWN)
@blueprint.alt_response(403, REFUSED)
@blueprint.alt_response(404, MISSING)
@blueprint.alt_response(409, TAKEN)
@edits
@requires(WRITE)
def act(values: dict[str, Any], no: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Issue, withdraw, drop."""
    with as_seen(lambda: queries.find(current_actor(), no).lock_version):
        service.act(current_actor(), no, values["action"], values["reason"])
    return _answer(no)


@blueprint.route("/bulletins/<string:no>/proposals")
@blueprint.doc(operationId="listProposals", summary="草稿还可以放入什么", security=_TOKEN)
@blueprint.response(200, ProposalListSchema, description="信息")
@blueprint.alt_response(401, UNKNOWN)
@blueprint.alt_response(403, REFUSED)
@blueprint.alt_response(404, MISSING)
@requires(WRITE)
def proposals(no: str) -> PageOf[dict[str, str]]:
    """What else fits a draft."""
    found = [{"no": one, "title": title} for one, title in queries.case(current_actor(), no).more]
    return PageOf(found, len(found), 1, queries.PROPOSED)
