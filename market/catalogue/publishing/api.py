"""Submissions and the life of listings in the API: the same services as the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from marshmallow import fields, validate

from market.accounts import queries as accounts
from market.catalogue.models import KINDS, OUTCOMES
from market.catalogue.publishing import (
    life,
    listing_queries,
    policies,
    queries,
    rules,
    service,
)
from market.catalogue.publishing.models import SUBMISSION_STATES
from market.catalogue.publishing.queries import SubmissionView
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_schemas import Answer, Input, ListAnswer, Query, page_number
from market.core.api_writes import as_seen, create_once, creates, edits, tagged
from market.core.errors import Invalid
from market.core.http import current_actor
from market.core.permissions import requires
from market.regions import queries as regions

submissions = ApiBlueprint("submissions", __name__, "成果与需求的填写、签发、审核、发布和撤回")
_ID = {"example": "FB2026000001"}


class ActionSchema(Answer):
    """Something that may be done now."""

    action = fields.String(metadata={"example": "submit"})
    label = fields.String(metadata={"example": "提交审核"})
    reason = fields.Boolean(metadata={"description": "须写明原因"})


class NoteSchema(Answer):
    """One thing that was sent back."""

    field = fields.String(metadata={"description": "哪一项；空为全文", "example": "summary"})
    reason = fields.String(metadata={"description": "怎么改"})
    rule = fields.String(metadata={"description": "依据"})


class HintSchema(Answer):
    """Something to look at again."""

    field = fields.String(metadata={"description": "哪一项", "example": "deadline"})
    label = fields.String()
    message = fields.String()


class SubmissionSchema(Answer):
    """One edit of a listing in progress."""

    no = fields.String(metadata=_ID)
    kind = fields.String(metadata={"enum": list(KINDS)})
    state = fields.String(metadata={"enum": list(SUBMISSION_STATES)})
    title = fields.String()
    listing_no = fields.String(metadata={"example": "CG2026000001"})
    organisation_no = fields.String(attribute="owner_no")
    url = fields.String(metadata={"example": "/submissions/FB2026000001"})
    values = fields.Dict(
        attribute="typed",
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "各项原文，未写完的也在"},
    )
    cleared = fields.Boolean(metadata={"description": "已做保密审查"})
    cleared_no = fields.String(allow_none=True, metadata={"description": "审查表编号"})
    cleared_by = fields.String(allow_none=True, metadata={"description": "审查人"})
    notes = fields.List(fields.Nested(NoteSchema))
    hints = fields.List(
        fields.Nested(HintSchema), metadata={"description": "请再核对的地方，不妨碍送出"}
    )
    due = fields.Date(allow_none=True, metadata={"description": "审核的办理时限"})
    lock_version = fields.Integer(metadata={"description": '修改时写在 If-Match："v…"'})
    updated = fields.DateTime()
    actions = fields.List(fields.Nested(ActionSchema))


class OwnListingSchema(Answer):
    """A listing of one's own, with the edit that is open."""

    no = fields.String(metadata={"example": "CG2026000001"})
    kind = fields.String(metadata={"enum": list(KINDS)})
    title = fields.String()
    state = fields.String(metadata={"description": "状态的文字", "example": "待审核"})
    submission_no = fields.String(allow_none=True, metadata=_ID)
    valid_until = fields.Date(allow_none=True)
    expired = fields.Boolean()
    updated = fields.DateTime()


class OwnListSchema(ListAnswer):
    """Listings of one's own."""

    items = fields.List(fields.Nested(OwnListingSchema))


class OwnQuery(Query):
    """Which of one's own."""

    tab = fields.String(
        load_default="all",
        validate=validate.OneOf(list(listing_queries.TABS), error="没有这一栏。"),
        metadata={
            "description": "哪一栏："
            + "、".join(f"{k} {v}" for k, v in listing_queries.TABS.items()),
            "enum": list(listing_queries.TABS),
        },
    )
    page = page_number()


class DraftInput(Input):
    """What is typed, by field; lists may come as lists."""

    values = fields.Dict(keys=fields.String(), load_default=dict)
    cleared = fields.Boolean(metadata={"description": "已做保密审查"})
    cleared_no = fields.String()
    cleared_by = fields.String()


class NewInput(DraftInput):
    """A new draft."""

    kind = fields.String(
        required=True,
        validate=validate.OneOf(list(KINDS), error="请填 achievement 或 demand。"),
        metadata={"enum": list(KINDS)},
    )
    organisation = fields.String(
        required=True, metadata={"description": "单位编号", "example": "DW2026000034"}
    )
    region = fields.String(
        required=True, metadata={"description": "所在地区代码", "example": "511402"}
    )


class NoteInput(Input):
    """One thing to send back."""

    field = fields.String(load_default="")
    reason = fields.String(required=True)
    rule = fields.String(
        load_default="", metadata={"description": "、".join(rules.RETURN_RULES) + " 或文字"}
    )


class ActInput(Input):
    """An action with what it asks for."""

    reason = fields.String()
    notes = fields.List(fields.Nested(NoteInput), load_default=list)


class ListingActInput(Input):
    """An action on a published listing."""

    reason = fields.String()
    outcome = fields.String(metadata={"enum": list(OUTCOMES)})
    outcome_with = fields.String()
    outcome_fen = fields.Integer(
        validate=validate.Range(0, 10**15, error="请填不小于 0 的整数（分）。"),
        allow_none=True,
        metadata={"description": "金额（分）；不知道的不写，或写 null"},
    )


def _answer(view: SubmissionView) -> Response:
    return tagged(SubmissionSchema().dump(view), view.lock_version)


def _version(no: str) -> int:
    version: int = queries.submission(current_actor(), no).lock_version
    return version


def _typed(body: Mapping[str, Any]) -> dict[str, Any]:
    clearance = {
        name: body[name] for name in ("cleared", "cleared_no", "cleared_by") if name in body
    }
    known = set(rules.fields_of("achievement")) | set(rules.fields_of("demand"))
    unknown = [key for key in body["values"] if key not in known]
    if unknown:
        raise Invalid({f"values/{key}": ["没有这一项。"] for key in unknown})
    return {**body["values"], **clearance}


@submissions.route("/submissions")
@submissions.doc(operationId="listSubmissions", summary="自己的成果与需求")
@submissions.arguments(OwnQuery, location="query")
@submissions.response(200, OwnListSchema, description="每页 25 条，最近改动的在前")
@requires(policies.OWN_LISTINGS)
def own(asked: Mapping[str, Any]) -> dict[str, Any]:
    """One's own listings with the edits that are open."""
    page = listing_queries.own_listings(current_actor(), asked["tab"], asked["page"])
    return {"total": page.total, "total_is": "exact", "next_after": None, "items": page.items}


@submissions.route("/submissions", methods=["POST"])
@submissions.doc(
    operationId="createSubmission",
    summary="新建草稿",
    description="可带 Idempotency-Key；写到一半也能存。",
)
@submissions.arguments(NewInput)
@submissions.response(201, SubmissionSchema, description="新的草稿")
@submissions.alt_response(404, MISSING)
@creates
@requires(policies.CREATE)
def create(body: Mapping[str, Any]) -> Response:
    """Begin a draft."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        owner = accounts.get(actor, body["organisation"])
        no = service.create_draft(
            actor,
            body["kind"],
            owner.id,
            _typed(body),
            region_id=regions.find(body["region"]).id,
            source="api",
        )
        found: dict[str, Any] = SubmissionSchema().dump(queries.submission(actor, no))
        return found, f"{PREFIX}/submissions/{no}"

    return create_once(act)


@submissions.route("/submissions/<string:no>")
@submissions.doc(operationId="getSubmission", summary="一次填写")
@submissions.response(200, SubmissionSchema, description="内容、状态和现在能做的操作")
@submissions.alt_response(404, MISSING)
@requires(policies.READ)
def read(no: str) -> Response:
    """A submission."""
    return _answer(queries.submission(current_actor(), no))


@submissions.route("/submissions/<string:no>", methods=["PATCH"])
@submissions.doc(
    operationId="updateSubmission",
    summary="修改草稿",
    description="须带 If-Match；没有给的项不变。",
)
@submissions.arguments(DraftInput)
@submissions.response(200, SubmissionSchema, description="改后的草稿")
@submissions.alt_response(404, MISSING)
@edits
@requires(policies.READ)
def update(body: Mapping[str, Any], no: str) -> Response:
    """Save what was typed; asks for `If-Match`."""
    actor, typed = current_actor(), _typed(body)
    with as_seen(lambda: _version(no)):
        service.save_draft(actor, no, typed, _version(no))
    return _answer(queries.submission(actor, no))


@submissions.route("/submissions/<string:no>/actions/<string:action>", methods=["POST"])
@submissions.doc(
    operationId="actOnSubmission",
    summary="送出、签发、退回、发布、取回、放弃、核对",
    description=(
        "能做哪些见 actions；退回时 notes 逐项写明哪一项、怎么改、依据什么。rebase：修改期间公开的版本有了更新，"
        "已与它核对。须带 If-Match。"
    ),
)
@submissions.arguments(ActInput)
@submissions.response(200, SubmissionSchema, description="办理后的情况")
@submissions.alt_response(404, MISSING)
@edits
@requires(policies.READ)
def act(body: Mapping[str, Any], no: str, action: str) -> Response:
    """Move a submission on."""
    actor = current_actor()
    with as_seen(lambda: _version(no)):
        if action == "rebase":
            service.rebase(actor, no)
        else:
            service.act(actor, no, action, body.get("reason"), body["notes"])
    return _answer(queries.submission(actor, no))


class ManagedSchema(Answer):
    """A listing as those see it who look after it."""

    no = fields.String(metadata={"example": "CG2026000001"})
    kind = fields.String(metadata={"enum": list(KINDS)})
    title = fields.String()
    state = fields.String(metadata={"enum": ["published", "withdrawn", "taken_down", "closed"]})
    version = fields.Integer()
    valid_until = fields.Date(allow_none=True)
    outcome = fields.String(
        allow_none=True,
        metadata={"description": "需求怎样结束的", "enum": [*OUTCOMES, None]},
    )
    outcome_with = fields.String(allow_none=True, metadata={"description": "与哪家单位"})
    outcome_fen = fields.Integer(
        allow_none=True, metadata={"description": "金额（分）；不知道的为空"}
    )
    submission_no = fields.String(
        attribute="open_no", allow_none=True, metadata={"description": "正在进行的修改"}
    )
    actions = fields.List(fields.Nested(ActionSchema))


@submissions.route("/listings/<string:no>/submissions", methods=["POST"])
@submissions.doc(
    operationId="editListing",
    summary="开始修改一条已发布的信息",
    description="已有未完成的修改时，接着那一次。公开的版本在发布前不变。",
)
@submissions.response(201, SubmissionSchema, description="草稿")
@submissions.alt_response(404, MISSING)
@creates
@requires(policies.MANAGE)
def edit(no: str) -> Response:
    """Begin an edit, or go on with the open one."""
    actor = current_actor()

    def begin() -> tuple[dict[str, Any], str]:
        found = service.begin_edit(actor, no, source="api")
        body: dict[str, Any] = SubmissionSchema().dump(queries.submission(actor, found))
        return body, f"{PREFIX}/submissions/{found}"

    return create_once(begin)


@submissions.route("/listings/<string:no>")
@submissions.doc(operationId="getManagedListing", summary="一条信息的发布情况")
@submissions.response(200, ManagedSchema, description="状态和现在能做的操作")
@submissions.alt_response(404, MISSING)
@requires(policies.MANAGE)
def managed(no: str) -> Response:
    """A listing's life."""
    return tagged(_managed(no))


def _managed(no: str) -> dict[str, Any]:
    body: dict[str, Any] = ManagedSchema().dump(listing_queries.managed(current_actor(), no))
    return body


@submissions.route("/listings/<string:no>/actions/<string:action>", methods=["POST"])
@submissions.doc(
    operationId="actOnListing",
    summary="确认仍有效、撤回、下架、恢复公开、请求恢复公开、结束需求",
    description="须带 If-Match。",
)
@submissions.arguments(ListingActInput)
@submissions.response(200, ManagedSchema, description="办理后的情况")
@submissions.alt_response(404, MISSING)
@edits
@requires(policies.MANAGE)
def act_on_listing(body: Mapping[str, Any], no: str, action: str) -> Response:
    """Move a published listing on."""
    closing = {name: body[name] for name in ("outcome", "outcome_with") if name in body}
    if body.get("outcome_fen") is not None:
        closing["outcome_yuan"] = f"{body['outcome_fen'] // 100}.{body['outcome_fen'] % 100:02}"
    with as_seen(lambda: _managed(no)):
        life.listing_act(current_actor(), no, action, body.get("reason"), closing)
    return tagged(_managed(no))
