"""The directory in the API: everybody reads, programs of offices write."""

from __future__ import annotations

from collections.abc import Mapping
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
from market.service_points import overview, queries, service
from market.service_points.finding import Finder, topics_of, words_of
from market.service_points.models import (
    AMOUNT_BASES,
    BODY_POWERS,
    KINDS,
    MODES,
    POINT_POWERS,
    STATES,
    Admission,
)
from market.service_points.pages import place_of
from market.service_points.queries import Asked, Entry
from market.service_points.schemas import AdmissionSchema, FactsSchema
from market.service_points.service import FACTS
from market.service_points.workflow import (
    DESCRIBE,
    EDIT,
    END,
    LIST,
    OWN,
    READ,
    RECORD,
    SUSPEND,
)

blueprint = ApiBlueprint("service_points_api", __name__, "找服务：登记机构、服务点、服务机构")
_TOKEN: list[dict[str, list[str]]] = [{"token": []}]


class ServicePointQuery(Query):
    """What to look for."""

    q = Text(60, load_default="", metadata={"description": "名称、地址或产业"})
    kind = Text(30, load_default="", metadata={"description": "类别代码", "enum": ["", *KINDS]})
    region = Text(60, load_default="", metadata={"description": "地区代码，含以下各级"})
    field = Text(30, load_default="", metadata={"description": "技术领域代码"})
    industry = Text(60, load_default="", metadata={"description": "主导产业名称"})
    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class NearQuery(Query):
    """From where."""

    region = Text(60, required=True, metadata={"description": "县或乡镇代码"})
    kind = Text(30, load_default="", metadata={"description": "类别代码"})


class ServicePointSchema(Answer):
    """A body, a point or an institution as lists show it."""

    no = fields.String()
    title = fields.String()
    kind = fields.String(metadata={"enum": list(KINDS)})
    state = fields.String(metadata={"enum": list(STATES)})
    organisation = fields.String()
    organisation_no = fields.String()
    region_code = fields.String(attribute="region.code")
    region = fields.String(attribute="region.full_name")
    address = fields.String(allow_none=True)
    hours = fields.String(allow_none=True)
    telephone = fields.String(allow_none=True)
    valid_from = fields.Date()
    valid_to = fields.Date(allow_none=True)
    how = fields.String(metadata={"description": "就近的：为什么在内；其余为空"})
    url = fields.String(metadata={"description": "本站页面"})


class ServicePointListSchema(ListAnswer):
    """What was found."""

    items = fields.List(fields.Nested(ServicePointSchema))


class ServicePointStaffSchema(Answer):
    """Somebody who works there; without consent the name is masked."""

    name = fields.String()
    duty = fields.String()
    ab_role = fields.String(allow_none=True)


class ServicePointDetailSchema(ServicePointSchema):
    """Everything that is public."""

    lock_version = fields.Integer(metadata={"description": "第几次改动，同 ETag"})
    powers = fields.List(
        fields.String(metadata={"enum": [*BODY_POWERS, *POINT_POWERS]}),
        metadata={"description": "服务点从不审查、登记、出证明"},
    )
    areas = fields.List(fields.String(), metadata={"description": "服务范围：地区代码"})
    units = fields.List(fields.String(), metadata={"description": "点名服务的单位：编号"})
    parent_no = fields.String(allow_none=True)
    mode = fields.String(allow_none=True, metadata={"enum": [*MODES, None]})
    amount_fen = fields.Integer(allow_none=True)
    amount_base = fields.String(allow_none=True, metadata={"enum": [*AMOUNT_BASES, None]})
    amount_meaning = fields.String(allow_none=True)
    fields_ = fields.List(fields.String(), data_key="fields")
    industries = fields.List(fields.String())
    source = fields.String()
    authority = fields.String(allow_none=True)
    latitude = fields.Float(allow_none=True)
    longitude = fields.Float(allow_none=True)
    note = fields.String(allow_none=True)
    staff = fields.List(fields.Nested(ServicePointStaffSchema))


class ServicePointChanges(Input):
    """What to change; null removes, what is left out stays."""

    name = Line(200)
    parent = Line(200, metadata={"description": "上级登记机构编号"})
    region = Line(60, metadata={"description": "地区代码"})
    areas = Words(100, 60, metadata={"description": "地区代码的列表"})
    units = Words(200, 200, metadata={"description": "信用代码或单位编号的列表"})
    powers = fields.List(fields.String(metadata={"enum": [*BODY_POWERS, *POINT_POWERS]}))
    mode = fields.String(metadata={"enum": list(MODES)})
    amount_fen = fields.Integer(allow_none=True, metadata={"minimum": 1})
    amount_base = fields.String(allow_none=True, metadata={"enum": list(AMOUNT_BASES)})
    amount_meaning = Line(200)
    fields_ = Words(11, 60, data_key="fields", metadata={"description": "技术领域代码的列表"})
    industries = Words(10, 30)
    valid_from = Day()
    valid_to = Day()
    source = Line(200)
    authority = Line(200)
    address = Line(300)
    hours = Line(100)
    telephone = Line(60)
    latitude = fields.Float(allow_none=True)
    longitude = fields.Float(allow_none=True)
    note = LongText(2000)


class ServicePointFacts(Input):
    """What an organisation says of its own entry; null removes, what is left out stays."""

    address = Line(300)
    hours = Line(100)
    telephone = Line(60)
    latitude = fields.Float(allow_none=True)
    longitude = fields.Float(allow_none=True)
    note = LongText(2000)


class NewServicePoint(ServicePointChanges):
    """An admission to record."""

    organisation = Line(200, required=True, metadata={"description": "信用代码或单位编号"})
    kind = fields.String(required=True, metadata={"enum": list(KINDS)})
    region = Line(60, required=True, metadata={"description": "地区代码"})
    valid_from = Day(required=True)
    source = Line(200, required=True, metadata={"description": "依据：文件名称和文号"})


class ServicePointReason(Input):
    """Why; suspending and ending need it."""

    reason = LongText(1000)


def refuses_strangers(view: View) -> View:
    """Document what a program without token, scope or role is answered."""
    for status in (401, 403):
        view = blueprint.alt_response(status, HTTPStatus(status).name)(view)
    return view


def read_values(body: Mapping[str, Any], partial: bool) -> dict[str, Any]:
    """The same rules as forms and files for what a program sends.

    Raises:
        Invalid: at its member.
    """
    raw = {("fields" if key == "fields_" else key): value for key, value in body.items()}
    amount = raw.pop("amount_fen", None)
    given = {key: value for key, value in raw.items() if value is not None}
    wrong = AdmissionSchema().validate(given, partial=partial)
    if wrong:
        raise Invalid({str(key): [str(one) for one in words] for key, words in wrong.items()})
    found: dict[str, Any] = dict(AdmissionSchema().load(given, partial=partial))
    found |= {key: None for key, value in raw.items() if value is None}
    if "amount_fen" in body:
        found["amount"] = amount
    return Finder().resolve(found)


def whole(no: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Everything that is public of an admission, with its version."""
    found = queries.get(current_actor(), no)
    row = found.row
    same = "lock_version mode amount_fen amount_base amount_meaning source authority latitude longitude note"
    body = {name: getattr(found.entry, name) for name in _OF_ENTRY}
    body |= {name: getattr(row, name) for name in same.split()}
    body |= {
        "powers": list(found.powers),
        "areas": [one.code for one in found.areas],
        "units": [no for no, _name in found.units],
        "parent_no": found.parent.no if found.parent else None,
        "fields_": topics_of(row.topics, "field"),
        "industries": list(found.industries),
        "staff": found.staff,
    }
    return body, 200, {"ETag": version_tag(row.lock_version)}


_OF_ENTRY = [
    "no",
    "title",
    "kind",
    "state",
    "organisation",
    "organisation_no",
    "region",
    "address",
    "hours",
    "telephone",
    "valid_from",
    "valid_to",
    "how",
    "url",
]


def _asked(query: Mapping[str, Any]) -> tuple[Asked, bool]:
    region, _meant = place_of(query["region"])
    asked = Asked(query["q"], query["kind"], region, query["field"], query["industry"])
    return asked, bool(query["region"]) and region is None


@blueprint.route("/service-points")
@blueprint.doc(operationId="listServicePoints", summary="登记机构、服务点与服务机构")
@blueprint.arguments(ServicePointQuery, location="query")
@blueprint.response(200, ServicePointListSchema, description="现在在册的")
@requires(LIST)
def service_points(query: dict[str, Any]) -> PageOf[Entry]:
    """What is in force, as on the page."""
    size = query["per_page"]
    number = min(query["page"], EXACT_UP_TO // size)
    asked, unknown = _asked(query)
    if unknown:
        return PageOf([], 0, number, size)
    return queries.search(current_actor(), asked, number, size)


@blueprint.route("/service-points/near")
@blueprint.doc(operationId="listNearServicePoints", summary="一个地方附近的")
@blueprint.arguments(NearQuery, location="query")
@blueprint.response(200, ServicePointListSchema, description="服务这里或离这里最近的，近的在前")
@requires(LIST)
def near(query: dict[str, Any]) -> PageOf[Entry]:
    """What serves a place or lies nearest, beyond the place itself."""
    region, _meant = place_of(query["region"])
    found = queries.near(current_actor(), Asked("", query["kind"], region))
    return PageOf(found, len(found), 1, max(len(found), 1))


@blueprint.route("/service-points/own")
@blueprint.doc(operationId="listOwnServicePoints", summary="名录中的本单位", security=_TOKEN)
@blueprint.response(200, ServicePointListSchema, description="令牌所属单位的，各种状态都在内")
@refuses_strangers
@requires(OWN)
def own() -> PageOf[Entry]:
    """What the organisation of the token was admitted as."""
    found = overview.own(current_actor())
    return PageOf(found, len(found), 1, max(len(found), 1))


@blueprint.route("/service-points/<string:no>")
@blueprint.doc(operationId="getServicePoint", summary="一家机构或服务点")
@blueprint.response(200, ServicePointDetailSchema, description="公开的全部内容；ETag 供修改时带上")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def service_point(no: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """An admission."""
    return whole(no)


@blueprint.route("/service-points", methods=["POST"])
@blueprint.doc(operationId="createServicePoint", summary="录入机构或服务点", security=_TOKEN)
@blueprint.arguments(NewServicePoint)
@blueprint.response(201, ServicePointDetailSchema, description="已录入")
@refuses_strangers
@creates
@requires(RECORD)
def create(body: dict[str, Any]) -> Response:
    """Record an admission; with `Idempotency-Key` once."""

    def act() -> tuple[dict[str, Any], str]:
        no = service.record(current_actor(), read_values(body, partial=False))
        answer: dict[str, Any] = ServicePointDetailSchema().dump(whole(no)[0])
        return answer, f"/api/v1/service-points/{no}"

    return create_once(act)


@blueprint.route("/service-points/<string:no>", methods=["PATCH"])
@blueprint.doc(operationId="updateServicePoint", summary="修改机构或服务点", security=_TOKEN)
@blueprint.arguments(ServicePointChanges)
@blueprint.response(200, ServicePointDetailSchema, description="修改后")
@blueprint.alt_response(404, MISSING)
@refuses_strangers
@edits
@requires(EDIT)
def update(body: dict[str, Any], no: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Change an admission; asks for `If-Match`."""
    actor = current_actor()
    row = queries.load(actor, EDIT, no)
    version = row.lock_version
    require_match(version)
    if body:
        service.edit(actor, no, version, {**_held(row), **read_values(body, partial=True)})
    return whole(no)


@blueprint.route("/service-points/<string:no>/facts", methods=["PATCH"])
@blueprint.doc(
    operationId="describeServicePoint",
    summary="修改本单位的地址、时间、电话和说明",
    security=_TOKEN,
)
@blueprint.arguments(ServicePointFacts)
@blueprint.response(200, ServicePointDetailSchema, description="修改后；立即公开")
@blueprint.alt_response(404, MISSING)
@refuses_strangers
@edits
@requires(DESCRIBE)
def describe(body: dict[str, Any], no: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Change the plain facts of one's own entry; asks for `If-Match`."""
    actor = current_actor()
    version = queries.load(actor, DESCRIBE, no).lock_version
    require_match(version)
    if body:
        service.describe(actor, no, version, _facts(body))
    return whole(no)


def _facts(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same rules as the form. Raises Invalid."""
    schema = FactsSchema(only=tuple(FACTS))
    given = {key: value for key, value in body.items() if value is not None}
    wrong = schema.validate(given, partial=True)
    if wrong:
        raise Invalid({str(key): [str(one) for one in words] for key, words in wrong.items()})
    return {**schema.load(given, partial=True), **{k: None for k, v in body.items() if v is None}}


def _held(row: Admission) -> dict[str, Any]:
    return Finder().resolve({key: value for key, value in words_of(row).items() if value})


def _version(no: str) -> int:
    version: int = queries.get(current_actor(), no).row.lock_version
    return version


@blueprint.route("/service-points/<string:no>/suspend", methods=["POST"])
@blueprint.doc(operationId="suspendServicePoint", summary="暂停办理", security=_TOKEN)
@blueprint.arguments(ServicePointReason)
@blueprint.response(200, ServicePointDetailSchema, description="已暂停")
@blueprint.alt_response(404, MISSING)
@refuses_strangers
@edits
@requires(SUSPEND)
def suspend(body: dict[str, Any], no: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Suspend an admission."""
    with as_seen(lambda: _version(no)):
        service.do(current_actor(), no, "suspend", body.get("reason"))
    return whole(no)


@blueprint.route("/service-points/<string:no>/resume", methods=["POST"])
@blueprint.doc(operationId="resumeServicePoint", summary="恢复办理", security=_TOKEN)
@blueprint.response(200, ServicePointDetailSchema, description="已恢复")
@blueprint.alt_response(404, MISSING)
@refuses_strangers
@edits
@requires(SUSPEND)
def resume(no: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Resume an admission."""
    with as_seen(lambda: _version(no)):
        service.do(current_actor(), no, "resume", None)
    return whole(no)


@blueprint.route("/service-points/<string:no>/end", methods=["POST"])
@blueprint.doc(operationId="endServicePoint", summary="终止", security=_TOKEN)
@blueprint.arguments(ServicePointReason)
@blueprint.response(200, ServicePointDetailSchema, description="已终止")
@blueprint.alt_response(404, MISSING)
@refuses_strangers
@edits
@requires(END)
def end(body: dict[str, Any], no: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """End an admission."""
    with as_seen(lambda: _version(no)):
        service.do(current_actor(), no, "end", body.get("reason"))
    return whole(no)
