"""Reply templates in the API: what an organisation answers often."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from market.accounts.models import Organisation
from market.core.api import PREFIX
from market.core.api_schemas import Answer, Input, ListAnswer
from market.core.api_writes import as_seen, create_once, creates, edits, tagged
from market.core.errors import NotFound
from market.core.fields import Line, LongText
from market.core.http import current_actor
from market.core.pagination import PageOf, whole
from market.core.permissions import requires
from market.matching import queries, reply_templates
from market.matching.api import blueprint
from market.matching.models import ReplyTemplate
from market.matching.schemas import LONGEST_MESSAGE
from market.matching.workflow import TEMPLATES


class ReplyTemplateSchema(Answer):
    """A reply template."""

    id = fields.Integer()
    title = fields.String(metadata={"example": "索取样品"})
    text = fields.String()
    updated_at = fields.DateTime()
    updated_by = fields.String()


class ReplyTemplateListSchema(ListAnswer):
    """Reply templates."""

    items = fields.List(fields.Nested(ReplyTemplateSchema))


class ReplyTemplateInput(Input):
    """A template to write."""

    title = Line(40, required=True, metadata={"description": "短标题"})
    text = LongText(LONGEST_MESSAGE, required=True, metadata={"description": "内容"})


def _own() -> Organisation:
    own = queries.own_organisations(current_actor())
    if not own:
        raise NotFound("这个令牌不属于任何单位。")
    return own[0]


def _one(key: int) -> dict[str, Any]:
    row = reply_templates.find(current_actor(), key)
    found: dict[str, Any] = ReplyTemplateSchema().dump(row)
    return found


@blueprint.route("/reply-templates")
@blueprint.doc(operationId="listReplyTemplates", summary="本单位的答复模板")
@blueprint.response(200, ReplyTemplateListSchema, description="答复模板，按标题排列")
@requires(TEMPLATES)
def templates() -> PageOf[ReplyTemplate]:
    """The templates of one's organisation."""
    return whole(reply_templates.of(current_actor(), [_own().id]))


@blueprint.route("/reply-templates", methods=["POST"])
@blueprint.doc(operationId="createReplyTemplate", summary="新建答复模板")
@blueprint.arguments(ReplyTemplateInput)
@blueprint.response(201, ReplyTemplateSchema, description="新的模板")
@creates
@requires(TEMPLATES)
def add_template(values: dict[str, Any]) -> Response:
    """Add a template."""
    actor, own_id = current_actor(), _own().id

    def act() -> tuple[dict[str, Any], str]:
        key = reply_templates.save(actor, own_id, values)
        return _one(key), f"{PREFIX}/reply-templates/{key}"

    return create_once(act)


@blueprint.route(
    "/reply-templates/<int:key>",
)
@blueprint.doc(operationId="getReplyTemplate", summary="一个答复模板")
@blueprint.response(200, ReplyTemplateSchema, description="模板；ETag 供修改时带上")
@requires(TEMPLATES)
def template(key: int) -> Response:
    """One of them."""
    return tagged(_one(key))


@blueprint.route(
    "/reply-templates/<int:key>",
    methods=["PUT"],
)
@blueprint.doc(operationId="updateReplyTemplate", summary="修改答复模板")
@blueprint.arguments(ReplyTemplateInput)
@blueprint.response(200, ReplyTemplateSchema, description="改后的模板")
@edits
@requires(TEMPLATES)
def change_template(values: dict[str, Any], key: int) -> Response:
    """Word it anew."""
    with as_seen(lambda: _one(key)):
        reply_templates.save(current_actor(), _own().id, values | {"id": key})
    return tagged(_one(key))


@blueprint.route(
    "/reply-templates/<int:key>",
    methods=["DELETE"],
)
@blueprint.doc(operationId="deleteReplyTemplate", summary="删除答复模板")
@blueprint.response(204, description="已删除")
@edits
@requires(TEMPLATES)
def delete_template(key: int) -> Response:
    """Delete it."""
    with as_seen(lambda: _one(key)):
        reply_templates.delete(current_actor(), key)
    return Response(status=204)
