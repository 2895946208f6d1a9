"""Pictures and files of drafts in the API, and whether an organisation signs off inside."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from market.accounts import queries as organisations
from market.catalogue.publishing import attachments, policies, queries, service
from market.catalogue.publishing.api import submissions
from market.core.api import PREFIX
from market.core.api_schemas import Answer, Input, ListAnswer
from market.core.api_writes import as_seen, create_once, creates, edits, tagged
from market.core.errors import NotFound
from market.core.fields import Line
from market.core.file_api import Base64
from market.core.http import current_actor
from market.core.models import StoredFile
from market.core.pagination import PageOf, whole
from market.core.permissions import requires


class DraftFileSchema(Answer):
    """A picture or a file."""

    no = fields.String()
    name = fields.String()
    media_type = fields.String(metadata={"example": "application/pdf"})
    size = fields.Integer(metadata={"description": "字节"})
    caption = fields.String(allow_none=True, metadata={"description": "图片说明"})


class DraftFileListSchema(ListAnswer):
    """Pictures and files."""

    items = fields.List(fields.Nested(DraftFileSchema))


class DraftFileInput(Input):
    """A file to attach."""

    name = Line(200, required=True, metadata={"description": "文件名"})
    content = Base64(required=True, metadata={"description": "文件内容，base64"})
    caption = Line(200, metadata={"description": "图片说明"})


class CaptionInput(Input):
    """What a file shows."""

    caption = Line(200, metadata={"description": "说明；不给即去掉"})


class SigningSchema(Answer):
    """Whether drafts are signed off inside before they are sent."""

    wanted = fields.Boolean(metadata={"description": "送出前由本单位另一人签发"})


class SigningInput(Input):
    """The wish."""

    wanted = fields.Boolean(required=True)


@submissions.route("/submissions/<string:no>/files")
@submissions.doc(operationId="listDraftFiles", summary="一次填写的图片和文件")
@submissions.response(200, DraftFileListSchema, description="图片和文件")
@requires(policies.READ)
def draft_files(no: str) -> PageOf[StoredFile]:
    """The files that the listing will have once this edit is published."""
    return _files(no)


def _files(no: str) -> PageOf[StoredFile]:
    return whole(queries.submission(current_actor(), no).files)


@submissions.route("/submissions/<string:no>/files", methods=["POST"])
@submissions.doc(operationId="addDraftFile", summary="添加图片或文件")
@submissions.arguments(DraftFileInput)
@submissions.response(201, DraftFileListSchema, description="添加后的图片和文件")
@creates
@requires(policies.READ)
def add_file(body: dict[str, Any], no: str) -> Response:
    """Attach a picture or a file to a draft."""
    actor = current_actor()
    upload = attachments.take_in(actor, no, body["name"], body["content"])

    def act() -> tuple[dict[str, Any], str]:
        attachments.attach(actor, no, upload, body.get("caption"))
        answer: dict[str, Any] = DraftFileListSchema().dump(_files(no))
        return answer, f"{PREFIX}/submissions/{no}/files"

    return create_once(act)


@submissions.route("/submissions/<string:no>/files/<string:file_no>", methods=["PATCH"])
@submissions.doc(
    operationId="describeDraftFile",
    summary="写图片或文件的说明",
    description="须带 If-Match：这次填写的 ETag。已公开的文件的说明不变。",
)
@submissions.arguments(CaptionInput)
@submissions.response(200, DraftFileListSchema, description="图片和文件")
@edits
@requires(policies.READ)
def describe_file(body: dict[str, Any], no: str, file_no: str) -> PageOf[StoredFile]:
    """Say what a file of a draft shows."""
    actor = current_actor()
    with as_seen(lambda: queries.submission(actor, no).lock_version):
        attachments.describe(actor, no, file_no, body.get("caption") or "")
    return _files(no)


@submissions.route("/submissions/<string:no>/files/<string:file_no>", methods=["DELETE"])
@submissions.doc(
    operationId="removeDraftFile",
    summary="移除图片或文件",
    description="须带 If-Match：这次填写的 ETag。公开的版本在发布前不变。",
)
@submissions.response(204, description="已移除")
@edits
@requires(policies.READ)
def remove_file(no: str, file_no: str) -> Response:
    """Take a file out of a draft."""
    actor = current_actor()
    with as_seen(lambda: queries.submission(actor, no).lock_version):
        attachments.take_away(actor, no, file_no)
    return Response(status=204)


def _signing() -> tuple[int, dict[str, Any]]:
    own = organisations.own(current_actor())
    if own is None:
        raise NotFound("这个令牌不属于任何单位。")
    return own.id, {"wanted": own.signs_inside}


@submissions.route("/organisations/me/signing")
@submissions.doc(operationId="getSigning", summary="本单位送出前是否须签发")
@submissions.response(200, SigningSchema, description="设置；ETag 供修改时带上")
@requires(policies.SETTINGS)
def signing() -> Response:
    """Whether drafts are signed off inside."""
    return tagged(_signing()[1])


@submissions.route("/organisations/me/signing", methods=["PUT"])
@submissions.doc(operationId="setSigning", summary="设本单位送出前是否须签发")
@submissions.arguments(SigningInput)
@submissions.response(200, SigningSchema, description="设好后")
@edits
@requires(policies.SETTINGS)
def set_signing(body: dict[str, Any]) -> Response:
    """Say whether drafts are signed off inside."""
    organisation_id = _signing()[0]
    with as_seen(lambda: _signing()[1]):
        service.set_signing(current_actor(), organisation_id, body["wanted"])
    return tagged(_signing()[1])
