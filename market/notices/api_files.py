"""Files of one's notices in the API, and who objected."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from market.core import file_api, files
from market.core.api import PREFIX
from market.core.api_schemas import Answer, Input
from market.core.api_writes import as_seen, creates, edits
from market.core.fields import LongText
from market.core.file_api import AttachedFileInput, AttachedFileListSchema
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.notices import objecting, queries, service
from market.notices.api import blueprint
from market.notices.objecting import Contact
from market.notices.workflow import CONTACT, EDIT, READ


class ObjectionReason(Input):
    """Why one looks."""

    reason = LongText(1000, metadata={"description": "为什么要看，必填，记入操作记录"})


class ObjectionContactSchema(Answer):
    """Who objected; empty where it was forgotten in time or never given."""

    name = fields.String()
    telephone = fields.String()


@blueprint.route("/my/notices/<string:no>/files")
@blueprint.doc(operationId="listNoticeFiles", summary="公示的附件")
@blueprint.response(200, AttachedFileListSchema, description="附件；ETag 供移除时带上")
@requires(READ)
def attached(no: str) -> Response:
    """What is attached to one of the own notices."""
    notice = queries.find(current_actor(), no)
    return file_api.answer(queries.files_of(notice), notice.lock_version)


@blueprint.route("/my/notices/<string:no>/files", methods=["POST"])
@blueprint.doc(
    operationId="addNoticeFile",
    summary="给公示草稿添附件",
    description=f"{files.ACCEPTED}。可带 Idempotency-Key。开始后不能再添。",
)
@blueprint.arguments(AttachedFileInput)
@blueprint.response(201, AttachedFileListSchema, description="添加后的附件")
@creates
@requires(EDIT)
def add_file(body: dict[str, Any], no: str) -> Response:
    """Attach a file to a draft; with `Idempotency-Key` once."""
    actor = current_actor()
    notice = queries.find(actor, no)
    policy.require(actor, EDIT, notice)
    return file_api.add_once(
        body,
        lambda upload: service.attach(actor, no, upload),
        lambda: queries.files_of(notice),
        f"{PREFIX}/my/notices/{no}/files",
    )


@blueprint.route("/my/notices/<string:no>/files/<string:file_no>", methods=["DELETE"])
@blueprint.doc(
    operationId="removeNoticeFile",
    summary="移除公示草稿的附件",
    description="须带 If-Match：这个公示的 ETag。",
)
@blueprint.response(204, description="已移除")
@edits
@requires(EDIT)
def remove_file(no: str, file_no: str) -> Response:
    """Take a file off a draft; asks for `If-Match`."""
    actor = current_actor()
    with as_seen(lambda: queries.find(actor, no).lock_version):
        service.remove_file(actor, no, file_no)
    return Response(status=204)


@blueprint.route("/my/objections/<string:no>/contact", methods=["POST"])
@blueprint.doc(
    operationId="readObjectionContact",
    summary="查看提出异议的人",
    description="须写理由；每次查看都记入操作记录。",
)
@blueprint.arguments(ObjectionReason)
@blueprint.response(200, ObjectionContactSchema, description="姓名和电话")
@requires(CONTACT)
def contact(body: dict[str, Any], no: str) -> Contact:
    """Who objected, in full."""
    return objecting.read_contact(current_actor(), no, body.get("reason"))
