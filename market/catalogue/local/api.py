"""An office's local settings in the API: leading industries, recommendations, synonyms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response
from marshmallow import fields
from marshmallow.validate import Range

from market.catalogue.local import queries, service
from market.catalogue.local.queries import EDIT, EDIT_SYNONYMS, READ_SYNONYMS, Held
from market.catalogue.local.schemas import MOST_DAYS
from market.catalogue.models import MOST_PINS, Term
from market.core.api import PREFIX, ApiBlueprint
from market.core.api_schemas import Answer, Input, ListAnswer
from market.core.api_writes import as_seen, create_once, creates, edits, require_match, tagged
from market.core.errors import Invalid
from market.core.fields import Line
from market.core.http import current_actor
from market.core.pagination import PageOf, whole
from market.core.permissions import requires
from market.regions.models import MOST_INDUSTRIES

blueprint = ApiBlueprint("local_settings", __name__, "本地设置：主导产业、本县推荐、同义词")
_LONGEST = 3000


def _position(most: int) -> fields.Integer:
    wrong = f"位置是 1 到 {most} 的整数。"
    return fields.Integer(
        required=True,
        strict=True,
        validate=Range(1, most, error=wrong),
        metadata={"description": f"位置，1 到 {most}"},
    )


class IndustryPlaceInput(Input):
    """A leading industry in its place."""

    position = _position(MOST_INDUSTRIES)
    name = Line(_LONGEST, required=True)
    keywords = Line(_LONGEST, metadata={"description": "关键词，用「；」隔开"})
    source = Line(_LONGEST, metadata={"description": "依据"})


class PinPlaceInput(Input):
    """A recommended listing in its place."""

    position = _position(MOST_PINS)
    no = Line(_LONGEST, required=True, metadata={"example": "CG2026000001"})
    note = Line(_LONGEST, metadata={"description": "推荐理由"})


class IndustriesInput(Input):
    """All leading industries; places that are left out are emptied."""

    items = fields.List(fields.Nested(IndustryPlaceInput), required=True)


class PinsInput(Input):
    """All that is recommended; places that are left out are emptied."""

    items = fields.List(fields.Nested(PinPlaceInput), required=True)


class IndustryPlaceSchema(Answer):
    """A leading industry in its place."""

    position = fields.Integer()
    name = fields.String()
    keywords = fields.String()
    source = fields.String()


class PinPlaceSchema(Answer):
    """A recommended listing in its place."""

    position = fields.Integer()
    no = fields.String()
    note = fields.String()


class IndustrySettingsSchema(ListAnswer):
    """Leading industries of a county."""

    items = fields.List(fields.Nested(IndustryPlaceSchema))


class PinSettingsSchema(ListAnswer):
    """What a county recommends."""

    items = fields.List(fields.Nested(PinPlaceSchema))


class SynonymInput(Input):
    """Words that mean the same."""

    label = Line(_LONGEST, required=True, metadata={"description": "主要的词"})
    aliases = Line(_LONGEST, required=True, metadata={"description": "同义的词，用「；」隔开"})
    source = Line(_LONGEST, metadata={"description": "依据"})


class ReviewTargetBody(Input):
    """The office's own target for reviews."""

    days = fields.Integer(
        required=True,
        strict=True,
        allow_none=True,
        validate=Range(0, MOST_DAYS, error=f"应为 0 到 {MOST_DAYS} 的整数。"),
        metadata={"description": "工作日；null 用平台的目标，0 不设目标"},
    )


class ReviewTargetAnswer(Answer):
    """The office's own target for reviews."""

    days = fields.Integer(allow_none=True)


class SynonymSchema(Answer):
    """A group of synonyms."""

    code = fields.String()
    label = fields.String()
    aliases = fields.String(metadata={"description": "用「；」隔开"})
    source = fields.String(allow_none=True)
    region_code = fields.String(
        allow_none=True,
        metadata={"description": "哪个地区的部门写的；null 为随文件导入", "example": "511402"},
    )


class SynonymListSchema(ListAnswer):
    """Groups of synonyms."""

    items = fields.List(fields.Nested(SynonymSchema))


def _held(held: Held, schema: ListAnswer) -> Response:
    items = [{"position": place, **said} for place, said in sorted(held.places.items())]
    return tagged(schema.dump(whole(items)), held.version)


def _typed(items: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The places as the form has them. Raises Invalid: one is named twice."""
    places = [one["position"] for one in items]
    if len(set(places)) < len(places):
        raise Invalid({"items": ["同一个位置写了两次。"]})
    return {
        f"{name}_{one['position']}": text
        for one in items
        for name, text in one.items()
        if name != "position"
    }


def _by_place(items: list[Mapping[str, Any]], save: Callable[[], None]) -> None:
    """Save; mistakes are told at the item of the body instead of the field of the form."""
    at = {str(one["position"]): number for number, one in enumerate(items)}
    try:
        save()
    except Invalid as error:
        told: dict[str, list[str]] = {}
        for field, words in error.fields.items():
            name, _, place = field.rpartition("_")
            told[f"items/{at[place]}/{name}" if place in at else "items"] = words
        raise Invalid(told) from error


@blueprint.route("/regions/<string:code>/settings/industries")
@blueprint.doc(operationId="getLeadingIndustries", summary="一个县的主导产业设置")
@blueprint.response(200, IndustrySettingsSchema, description="各位置；ETag 供修改时带上")
@requires(EDIT)
def industries(code: str) -> Response:
    """The leading industries as they are set."""
    county = queries.county(current_actor(), code)
    return _held(queries.industries(county.id), IndustrySettingsSchema())


@blueprint.route("/regions/<string:code>/settings/industries", methods=["PUT"])
@blueprint.doc(operationId="setLeadingIndustries", summary="设一个县的主导产业")
@blueprint.arguments(IndustriesInput)
@blueprint.response(200, IndustrySettingsSchema, description="设好后")
@edits
@requires(EDIT)
def set_industries(body: dict[str, Any], code: str) -> Response:
    """Fill all places of a county's leading industries."""
    actor, items = current_actor(), body["items"]
    seen = queries.industries(queries.county(actor, code).id).version
    require_match(seen)
    typed = _typed(items)
    _by_place(items, lambda: service.save_industries(actor, code, typed, seen))
    return industries(code)


@blueprint.route("/regions/<string:code>/settings/pins")
@blueprint.doc(operationId="getPinSettings", summary="一个县的推荐设置")
@blueprint.response(200, PinSettingsSchema, description="各位置；ETag 供修改时带上")
@requires(EDIT)
def pins(code: str) -> Response:
    """What a county recommends, as it is set."""
    county = queries.county(current_actor(), code)
    return _held(queries.pins(county.id), PinSettingsSchema())


@blueprint.route("/regions/<string:code>/settings/pins", methods=["PUT"])
@blueprint.doc(operationId="setPins", summary="设一个县的推荐")
@blueprint.arguments(PinsInput)
@blueprint.response(200, PinSettingsSchema, description="设好后")
@edits
@requires(EDIT)
def set_pins(body: dict[str, Any], code: str) -> Response:
    """Fill all places of what a county recommends."""
    actor, items = current_actor(), body["items"]
    seen = queries.pins(queries.county(actor, code).id).version
    require_match(seen)
    typed = _typed(items)
    _by_place(items, lambda: service.save_pins(actor, code, typed, seen))
    return pins(code)


def _told(term: Term) -> dict[str, Any]:
    aliases = (term.aliases or "").replace("|", "；")
    return {
        "code": term.code,
        "label": term.label,
        "aliases": aliases,
        "source": term.source,
        "region_code": term.region.code if term.region is not None else None,
    }


def _target(code: str) -> dict[str, Any]:
    said = queries.review_target(queries.county(current_actor(), code).id)
    return {"days": int(said) if said else None}


@blueprint.route("/regions/<string:code>/settings/review")
@blueprint.doc(operationId="getReviewTarget", summary="一个县审核的目标天数")
@blueprint.response(200, ReviewTargetAnswer, description="目标天数")
@requires(EDIT)
def review_target(code: str) -> Response:
    """The working days in which the office means to look at what was sent."""
    return tagged(_target(code))


@blueprint.route("/regions/<string:code>/settings/review", methods=["PUT"])
@blueprint.doc(operationId="setReviewTarget", summary="设一个县审核的目标天数")
@blueprint.arguments(ReviewTargetBody)
@blueprint.response(200, ReviewTargetAnswer, description="目标天数")
@edits
@requires(EDIT)
def set_review_target(body: dict[str, Any], code: str) -> Response:
    """Set it; it counts for what is sent from now on."""
    with as_seen(lambda: _target(code)):
        seen = queries.review_target(queries.county(current_actor(), code).id)
        service.save_review_target(current_actor(), code, body["days"], seen)
    return tagged(_target(code))


@blueprint.route("/synonyms")
@blueprint.doc(operationId="listSynonyms", summary="同义词")
@blueprint.response(200, SynonymListSchema, description="各组")
@requires(READ_SYNONYMS)
def synonyms() -> PageOf[dict[str, Any]]:
    """The groups in force."""
    return whole([_told(term) for term in queries.groups()])


@blueprint.route("/synonyms", methods=["POST"])
@blueprint.doc(
    operationId="createSynonyms", summary="新建一组同义词", description="归令牌所在地区的部门。"
)
@blueprint.arguments(SynonymInput)
@blueprint.response(201, SynonymSchema, description="新的一组")
@creates
@requires(EDIT_SYNONYMS)
def add_synonyms(body: dict[str, Any]) -> Response:
    """Add a group."""

    def act() -> tuple[dict[str, Any], str]:
        code = service.save_group(current_actor(), None, body)
        return _told(queries.group(code)), f"{PREFIX}/synonyms/{code}"

    return create_once(act)


@blueprint.route("/synonyms/<path:code>")
@blueprint.doc(operationId="getSynonyms", summary="一组同义词")
@blueprint.response(200, SynonymSchema, description="一组；ETag 供修改时带上")
@requires(READ_SYNONYMS)
def group(code: str) -> Response:
    """One group."""
    return tagged(_told(queries.group(code)))


@blueprint.route("/synonyms/<path:code>", methods=["PUT"])
@blueprint.doc(
    operationId="updateSynonyms",
    summary="修改一组同义词",
    description="本部门写的；省级可改本省的全部。",
)
@blueprint.arguments(SynonymInput)
@blueprint.response(200, SynonymSchema, description="改后")
@edits
@requires(EDIT_SYNONYMS)
def change_synonyms(body: dict[str, Any], code: str) -> Response:
    """Word a group anew."""
    with as_seen(lambda: _told(queries.group(code))):
        service.save_group(current_actor(), code, body)
    return group(code)


@blueprint.route("/synonyms/<path:code>", methods=["DELETE"])
@blueprint.doc(operationId="endSynonyms", summary="停用一组同义词")
@blueprint.response(204, description="已停用")
@edits
@requires(EDIT_SYNONYMS)
def end_synonyms(code: str) -> Response:
    """Let a group hold no longer."""
    with as_seen(lambda: _told(queries.group(code))):
        service.end_group(current_actor(), code)
    return Response(status=204)
