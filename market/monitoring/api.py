"""Cases in the API: an office's area, an organisation's own; assigning, acting on many, undoing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from marshmallow import fields, validate

from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_schemas import Answer, Input, ListAnswer, Query, Text, per_page
from market.core.api_writes import create_once, creates, edits, require_match, tagged
from market.core.errors import Invalid
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE
from market.core.permissions import requires
from market.monitoring import my_queries, queries, service
from market.monitoring.acts import ASSIGN, BULK
from market.monitoring.models import BULK_STATES, ROW_STATES
from market.monitoring.my_queries import BulkView
from market.monitoring.queries import ITEMS, ItemView
from market.monitoring.schemas import MOST_ROWS, ORDERS, TABS, DeskForm

blueprint = ApiBlueprint("work-items", __name__, "办件：部门看辖区的，单位看本单位的")


TOKEN: list[dict[str, list[str]]] = [{"token": []}]


class WorkItemQuery(Query):
    """The filters of the desk."""

    tab = fields.String(load_default="open", metadata={"description": "哪一栏", "enum": list(TABS)})
    kind = Text(30, load_default="", metadata={"description": "类别"})
    place = Text(12, load_default="", metadata={"description": "行政区划代码，含其下"})
    assignee = fields.Integer(
        load_default=None,
        validate=validate.Range(min=0, max=2**31 - 1, error="没有这位经办人。"),
        metadata={"description": "经办人的 id；0 为未分配"},
    )
    q = Text(60, load_default="", metadata={"description": "编号或标题中的词"})
    order = fields.String(
        load_default="due", metadata={"description": "排序", "enum": list(ORDERS)}
    )
    opened_from = fields.Date(load_default=None, metadata={"description": "收到不早于"})
    opened_to = fields.Date(load_default=None, metadata={"description": "收到不晚于"})
    closed_from = fields.Date(load_default=None, metadata={"description": "办结不早于"})
    closed_to = fields.Date(load_default=None, metadata={"description": "办结不晚于"})
    due_from = fields.Date(load_default=None, metadata={"description": "到期不早于"})
    due_to = fields.Date(load_default=None, metadata={"description": "到期不晚于"})
    after = Text(12, load_default="", metadata={"description": "上一页给出的 next_after"})
    per_page = per_page(ROWS_PER_PAGE)


class WorkItemSchema(Answer):
    """A case."""

    id = fields.Integer()
    no = fields.String()
    title = fields.String()
    url = fields.String(metadata={"description": "网页地址"})
    kind = fields.String()
    state = fields.String()
    side = fields.String(
        metadata={
            "description": "等谁办：office 部门，owner 单位，空为已办结",
            "enum": ["office", "owner", ""],
        }
    )
    next_step = fields.String()
    organisation = fields.String()
    place = fields.String()
    assignee_id = fields.Integer(allow_none=True)
    assignee = fields.String()
    due = fields.Date(allow_none=True)
    provisional = fields.Boolean(metadata={"description": "期限遇未公布的节假日，按星期推算"})
    returned = fields.Boolean()
    urgent = fields.Boolean()
    opened_at = fields.DateTime()
    closed_at = fields.DateTime(allow_none=True)


class WorkItemsSchema(ListAnswer):
    """A part of the list."""

    items = fields.List(fields.Nested(WorkItemSchema))


class AssignBody(Input):
    """To whom a case is given."""

    assignee_id = fields.Integer(required=True, strict=True)


class BulkBody(Input):
    """An act on many cases."""

    act = fields.String(required=True, metadata={"description": "assign、remind 或 <类别>.<操作>"})
    items = fields.List(
        fields.Integer(strict=True),
        required=True,
        metadata={"description": f"办件的 id，最多 {MOST_ROWS} 个"},
    )
    assignee_id = fields.Integer(load_default=None, allow_none=True, strict=True)
    reason = fields.String(load_default=None, allow_none=True)


class BulkRowSchema(Answer):
    """What became of one case."""

    item_id = fields.Integer()
    no = fields.String()
    state = fields.String(metadata={"enum": list(ROW_STATES)})
    reason = fields.String(allow_none=True)


class BulkSchema(Answer):
    """An act on many cases."""

    id = fields.Integer()
    label = fields.String()
    state = fields.String(metadata={"enum": list(BULK_STATES)})
    total = fields.Integer()
    undo_until = fields.DateTime()
    undoable = fields.Boolean()
    rows = fields.List(fields.Nested(BulkRowSchema))


def _place_of_list(after: str) -> int:
    if not after:
        return 0
    if not (after.isascii() and after.isdecimal()) or int(after) > EXACT_UP_TO * 100:
        raise Invalid({"query/after": ["不是上一页给出的 next_after。"]})
    return int(after)


@blueprint.route("/work-items")
@blueprint.arguments(WorkItemQuery, location="query")
@blueprint.response(200, WorkItemsSchema, description="一页办件")
@blueprint.doc(
    operationId="listWorkItems", summary="办件：部门看辖区的，单位看本单位的", security=TOKEN
)
@requires(ITEMS)
def work_items(asked: dict[str, Any]) -> dict[str, Any]:
    """List cases: of an office's area, or of one's own organisation"""
    after, size = _place_of_list(asked.pop("after")), asked["per_page"]
    for name, known in (("tab", TABS), ("order", ORDERS)):
        if asked[name] not in known:
            raise Invalid({f"query/{name}": [f"可选：{'、'.join(known)}。"]})
    found, total, following = queries.items(current_actor(), DeskForm(**asked), after, size)
    return {
        "total": min(total, EXACT_UP_TO),
        "total_is": "exact" if total <= EXACT_UP_TO else "at_least",
        "next_after": None if following is None else str(following),
        "items": [_item(one) for one in found],
    }


def _item(one: ItemView) -> Mapping[str, Any]:
    return vars(one)


@blueprint.route("/work-items/<int:item_id>")
@blueprint.response(200, WorkItemSchema, description="办件；ETag 供分配时带上")
@blueprint.doc(
    operationId="getWorkItem",
    summary="一件",
    parameters=[{"in": "path", "name": "item_id", "description": "办件的 id"}],
)
@requires(ITEMS)
def work_item(item_id: int) -> Response:
    """One case"""
    return tagged(_one(item_id))


def _one(item_id: int) -> dict[str, Any]:
    found: dict[str, Any] = WorkItemSchema().dump(queries.item(current_actor(), item_id))
    return found


@blueprint.route("/work-items/<int:item_id>/assign", methods=["POST"])
@blueprint.arguments(AssignBody)
@blueprint.response(201, BulkSchema, description="分配的结果")
@blueprint.alt_response(404, MISSING)
@blueprint.doc(
    operationId="assignWorkItem",
    summary="把一件分配给同事",
    security=TOKEN,
    parameters=[{"in": "path", "name": "item_id", "description": "办件的 id"}],
)
@creates
@edits
@requires(ASSIGN)
def assign(body: dict[str, Any], item_id: int) -> Response:
    """Give a case to a colleague"""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        require_match(_one(item_id))
        return _answer(service.assign(actor, item_id, body["assignee_id"]))

    return create_once(act)


@blueprint.route("/work-items/bulk", methods=["POST"])
@blueprint.arguments(BulkBody)
@blueprint.response(201, BulkSchema, description="逐件的结果")
@blueprint.alt_response(404, MISSING)
@blueprint.doc(operationId="actOnWorkItems", summary="一次办理最多 500 件", security=TOKEN)
@creates
@requires(BULK)
def bulk(body: dict[str, Any]) -> Response:
    """Act on up to 500 cases; with Idempotency-Key only once"""
    actor = current_actor()
    given = {"to": body["assignee_id"], "reason": body["reason"]}

    def act() -> tuple[dict[str, Any], str]:
        return _answer(service.start(actor, body["act"], body["items"], given))

    return create_once(act)


@blueprint.route("/work-items/bulk/<int:number>")
@blueprint.response(200, BulkSchema, description="逐件的结果")
@blueprint.alt_response(404, MISSING)
@blueprint.doc(
    operationId="getBulkAction",
    summary="一次批量操作办得怎样",
    security=TOKEN,
    parameters=[{"in": "path", "name": "number", "description": "批量操作的 id"}],
)
@requires(BULK)
def bulk_state(number: int) -> BulkView:
    """What became of an act on many cases"""
    return _found(number)


@blueprint.route("/work-items/bulk/<int:number>/undo", methods=["POST"])
@blueprint.response(200, BulkSchema, description="撤销后的情况")
@blueprint.alt_response(404, MISSING)
@blueprint.doc(
    operationId="undoBulkAction",
    summary="十分钟内撤销自己的批量操作",
    security=TOKEN,
    parameters=[{"in": "path", "name": "number", "description": "批量操作的 id"}],
)
@requires(BULK)
def undo(number: int) -> BulkView:
    """Take an act of one's own back, within ten minutes"""
    service.undo(current_actor(), number)
    return _found(number)


def _found(number: int) -> BulkView:
    return my_queries.bulk(service.own(current_actor(), number))


def _answer(number: int) -> tuple[dict[str, Any], str]:
    """The body and the address of an act that was begun."""
    return BulkSchema().dump(_found(number)), f"{PREFIX}/work-items/bulk/{number}"
