"""Files in the API: what is sent and told of one, and handing it out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

from flask import Response
from marshmallow import ValidationError, fields

from market.core import file_pages, files
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_schemas import Answer, Input, ListAnswer, Query, Text
from market.core.api_writes import create_once, tagged
from market.core.fields import Line
from market.core.files import Upload
from market.core.http import current_actor
from market.core.models import StoredFile
from market.core.pagination import whole
from market.core.permissions import requires

blueprint = ApiBlueprint("files_api", __name__, "附件")
_BINARY = {"schema": {"type": "string", "format": "binary"}}


class Base64(fields.String):
    """Bytes, written as base64."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        text = super()._deserialize(value, attr, data, **more)
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValidationError("不是 base64。") from error


class AttachedFileSchema(Answer):
    """A file that is attached to something."""

    no = fields.String()
    name = fields.String()
    media_type = fields.String(metadata={"example": "application/pdf"})
    size = fields.Integer(metadata={"description": "字节"})
    url = fields.Function(
        lambda row: f"{PREFIX}/files/{row.no}",
        metadata={"type": "string", "description": "下载的地址，同样须带令牌"},
    )


class AttachedFileListSchema(ListAnswer):
    """Files that are attached to something."""

    items = fields.List(fields.Nested(AttachedFileSchema))


class AttachedFileInput(Input):
    """A file to attach."""

    name = Line(200, required=True, metadata={"description": "文件名"})
    content = Base64(required=True, metadata={"description": "文件内容，base64"})


class FileQuery(Query):
    """How a file is wanted."""

    w = Text(5, load_default="", metadata={"description": "图片的宽度（像素）：要小一些的那种"})


def listed(rows: Sequence[StoredFile]) -> dict[str, Any]:
    """The list of an object's files, as programs are told it."""
    found: dict[str, Any] = AttachedFileListSchema().dump(whole(rows))
    return found


def answer(rows: Sequence[StoredFile], version: int) -> Response:
    """The list with the version of its object, which removing one of them asks for."""
    return tagged(listed(rows), version)


def add_once(
    body: dict[str, Any],
    attach: Callable[[Upload], object],
    rows: Callable[[], Sequence[StoredFile]],
    address: str,
) -> Response:
    """Attach a file and answer all that are attached; with `Idempotency-Key` once.

    The file is looked at before anything is locked.

    Args:
        body: of `AttachedFileInput`. attach: calls the service. address: of the list.

    Raises:
        Invalid: the file is not welcome. What `attach` raises.
    """
    upload = files.take_in(body["name"], body["content"])

    def act() -> tuple[dict[str, Any], str]:
        attach(upload)
        return listed(rows()), address

    return create_once(act)


@blueprint.route("/files/<string:no>")
@blueprint.doc(
    operationId="getFile",
    summary="下载附件",
    description="回答就是文件。公开的附件不要令牌；其余凭令牌，能看那件事的才能下载，别人的回答 404。",
    responses={"200": {"description": "文件", "content": {"application/octet-stream": _BINARY}}},
)
@blueprint.arguments(FileQuery, location="query")
@blueprint.alt_response(404, MISSING)
@requires(file_pages.READ)
def file(query: dict[str, Any], no: str) -> Response:
    """A file, for whoever may have it."""
    return file_pages.handed_out(file_pages.find(current_actor(), no), query["w"])
