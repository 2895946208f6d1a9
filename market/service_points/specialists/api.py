"""Brokers and experts in the API: everybody reads those who agreed, programs of offices write."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response
from marshmallow import fields

from market.core.api import MISSING, ApiBlueprint
from market.core.api_schemas import Answer, Input, ListAnswer, Query, Text, page_number, per_page
from market.core.api_writes import as_seen, create_once, creates, edits, require_match, version_tag
from market.core.errors import Invalid
from market.core.fields import Day, Line, LongText, Words
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import View, requires
from market.service_points.finding import Finder
from market.service_points.models import GRADES, SPECIALIST_KINDS
from market.service_points.pages import place_of
from market.service_points.specialists import queries, service
from market.service_points.specialists.queries import Asked, SpecialistView
from market.service_points.specialists.schemas import SpecialistSchema
from market.service_points.workflow import (
    EDIT_SPECIALIST,
    LIST_SPECIALISTS,
    READ_SPECIALIST,
    RECORD_SPECIALIST,
    WITHDRAW,
)

blueprint = ApiBlueprint("specialists_api", __name__, "技术经理人与专家：本人同意公开的")
_TOKEN: list[dict[str, list[str]]] = [{"token": []}]
Versioned = tuple[SpecialistView, int, dict[str, str]]


class SpecialistQuery(Query):
    """What to look for."""

    q = Text(60, load_default="", metadata={"description": "姓名、单位或产业"})
    kind = Text(
        10, load_default="", metadata={"description": "类别代码", "enum": ["", *SPECIALIST_KINDS]}
    )
    region = Text(60, load_default="", metadata={"description": "地区代码，含以下各级"})
    field = Text(30, load_default="", metadata={"description": "技术领域代码"})
    industry = Text(60, load_default="", metadata={"description": "主导产业名称"})
    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class MarketSpecialistSchema(Answer):
    """A specialist; the certificate is masked, the contact never given."""

    no = fields.String()
    kind = fields.String(metadata={"enum": list(SPECIALIST_KINDS)})
    name = fields.String()
    organisation = fields.String(allow_none=True)
    organisation_no = fields.String(allow_none=True)
    region_code = fields.String(attribute="region.code")
    region = fields.String(attribute="region.full_name")
    grade = fields.String(allow_none=True, metadata={"enum": [*GRADES, None]})
    rank = fields.String(allow_none=True)
    fields_ = fields.List(fields.String(), data_key="fields", attribute="fields")
    industries = fields.List(fields.String())
    certificate = fields.String(metadata={"description": "只有末几位；没有时为空"})
    issuer = fields.String(allow_none=True)
    valid_to = fields.Date(allow_none=True)
    intro = fields.String(allow_none=True)
    public = fields.Boolean(metadata={"description": "本人同意公开"})
    url = fields.String(metadata={"description": "本站页面"})


class MarketSpecialistListSchema(ListAnswer):
    """Specialists found."""

    items = fields.List(fields.Nested(MarketSpecialistSchema))


class SpecialistChanges(Input):
    """What to change; null removes, what is left out stays."""

    name = Line(60, shortest=2)
    organisation = Line(200, metadata={"description": "信用代码或单位编号"})
    region = Line(60, metadata={"description": "地区代码"})
    grade = fields.String(allow_none=True, metadata={"enum": [*GRADES, None]})
    rank = Line(100)
    fields_ = Words(11, 60, data_key="fields", metadata={"description": "技术领域代码的列表"})
    industries = Words(10, 30)
    certificate = Line(100, metadata={"description": "加密保存"})
    issuer = Line(200)
    valid_to = Day()
    contact = Line(100, metadata={"description": "加密保存，不公开"})
    intro = LongText(2000)
    consented_on = Day(metadata={"description": "本人同意公开的日期"})
    consent_how = Line(200)


class NewSpecialist(SpecialistChanges):
    """A specialist to record."""

    kind = fields.String(required=True, metadata={"enum": list(SPECIALIST_KINDS)})
    name = Line(60, shortest=2, required=True)
    region = Line(60, required=True, metadata={"description": "地区代码"})


class WithdrawalInput(Input):
    """Why, where it is known."""

    reason = LongText(500)


def refuses_strangers(view: View) -> View:
    """Document what a program without token, scope or role is answered."""
    for status in (401, 403):
        view = blueprint.alt_response(status, HTTPStatus(status).name)(view)
    return view


def _read(body: dict[str, Any], partial: bool) -> dict[str, Any]:
    """The same rules as forms and files. Raises Invalid."""
    raw = {("fields" if key == "fields_" else key): value for key, value in body.items()}
    given = {key: value for key, value in raw.items() if value is not None}
    wrong = SpecialistSchema().validate(given, partial=partial)
    if wrong:
        raise Invalid({str(key): [str(one) for one in words] for key, words in wrong.items()})
    found: dict[str, Any] = dict(SpecialistSchema().load(given, partial=partial))
    found |= {key: None for key, value in raw.items() if value is None}
    return Finder().resolve(found)


def versioned(no: str, permission: str = READ_SPECIALIST) -> Versioned:
    """A specialist with his version. Raises NotFound: none on whom the actor has the permission."""
    row = queries.find(current_actor(), permission, no)
    return queries.view(row), 200, {"ETag": version_tag(row.lock_version)}


@blueprint.route("/specialists")
@blueprint.doc(operationId="listSpecialists", summary="技术经理人与专家")
@blueprint.arguments(SpecialistQuery, location="query")
@blueprint.response(200, MarketSpecialistListSchema, description="本人同意公开的")
@requires(LIST_SPECIALISTS)
def specialist_list(query: dict[str, Any]) -> PageOf[SpecialistView]:
    """Those who agreed to be listed."""
    size = query["per_page"]
    number = min(query["page"], EXACT_UP_TO // size)
    region, _meant = place_of(query["region"])
    if query["region"] and region is None:
        return PageOf([], 0, number, size)
    asked = Asked(query["q"], query["kind"], region, query["field"], query["industry"])
    return queries.search(asked, number, size)


@blueprint.route("/specialists/<string:no>")
@blueprint.doc(operationId="getSpecialist", summary="一位技术经理人或专家")
@blueprint.response(200, MarketSpecialistSchema, description="ETag 供修改时带上")
@blueprint.alt_response(404, MISSING)
@requires(READ_SPECIALIST)
def specialist(no: str) -> Versioned:
    """A specialist."""
    return versioned(no)


@blueprint.route("/specialists", methods=["POST"])
@blueprint.doc(operationId="createSpecialist", summary="录入技术经理人或专家", security=_TOKEN)
@blueprint.arguments(NewSpecialist)
@blueprint.response(201, MarketSpecialistSchema, description="已录入")
@refuses_strangers
@creates
@requires(RECORD_SPECIALIST)
def create(body: dict[str, Any]) -> Response:
    """Record a specialist; with `Idempotency-Key` once."""

    def act() -> tuple[dict[str, Any], str]:
        no = service.record(current_actor(), _read(body, partial=False))
        row = queries.find(current_actor(), EDIT_SPECIALIST, no)
        answer: dict[str, Any] = MarketSpecialistSchema().dump(queries.view(row))
        return answer, f"/api/v1/specialists/{no}"

    return create_once(act)


@blueprint.route("/specialists/<string:no>", methods=["PATCH"])
@blueprint.doc(operationId="updateSpecialist", summary="修改技术经理人或专家", security=_TOKEN)
@blueprint.arguments(SpecialistChanges)
@blueprint.response(200, MarketSpecialistSchema, description="修改后")
@blueprint.alt_response(404, MISSING)
@refuses_strangers
@edits
@requires(EDIT_SPECIALIST)
def update(body: dict[str, Any], no: str) -> Versioned:
    """Change a specialist; asks for `If-Match`."""
    row = queries.find(current_actor(), EDIT_SPECIALIST, no)
    version = row.lock_version
    require_match(version)
    held = Finder().resolve({key: one for key, one in queries.words_of(row).items() if one})
    if body:
        service.edit(current_actor(), no, version, {**held, **_read(body, partial=True)})
    return versioned(no, EDIT_SPECIALIST)


@blueprint.route("/specialists/<string:no>/withdraw", methods=["POST"])
@blueprint.doc(operationId="withdrawSpecialist", summary="撤回公开同意", security=_TOKEN)
@blueprint.arguments(WithdrawalInput)
@blueprint.response(200, MarketSpecialistSchema, description="已不公开")
@blueprint.alt_response(404, MISSING)
@refuses_strangers
@edits
@requires(WITHDRAW)
def withdraw(body: dict[str, Any], no: str) -> Versioned:
    """Take the consent back."""
    with as_seen(lambda: queries.find(current_actor(), WITHDRAW, no).lock_version):
        service.withdraw(current_actor(), no, body.get("reason"))
    return versioned(no, EDIT_SPECIALIST)
