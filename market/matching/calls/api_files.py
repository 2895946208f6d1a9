"""Files of calls and of answers in the API: looked up, attached, taken out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response

from market.core import file_api, files
from market.core.api import PREFIX
from market.core.api_writes import as_seen, creates, edits
from market.core.file_api import AttachedFileInput, AttachedFileListSchema
from market.core.http import current_actor
from market.core.models import StoredFile
from market.core.permissions import policy, requires
from market.matching.calls import filing, queries
from market.matching.calls.api import blueprint, find_call
from market.matching.calls.models import CallAnswer
from market.matching.calls.rules import ANSWER_FILES, CALL_FILES
from market.matching.calls.workflow import ANSWER, EDIT, READ, READ_ANSWER, VIEW


@blueprint.route("/calls/<string:no>/files")
@blueprint.doc(operationId="listCallFiles", summary="揭榜的附件")
@blueprint.response(200, AttachedFileListSchema, description="附件；ETag 供移除时带上")
@requires(VIEW)
def call_files(no: str) -> Response:
    """What is attached to a call."""
    call = find_call(no)
    return file_api.answer(files.files_of(CALL_FILES, call.id), call.lock_version)


@blueprint.route("/calls/<string:no>/files", methods=["POST"])
@blueprint.doc(
    operationId="addCallFile",
    summary="给揭榜草稿添附件",
    description=f"{files.ACCEPTED}。可带 Idempotency-Key。发布后不能再添。",
)
@blueprint.arguments(AttachedFileInput)
@blueprint.response(201, AttachedFileListSchema, description="添加后的附件")
@creates
@requires(READ)
def add_call_file(body: dict[str, Any], no: str) -> Response:
    """Attach a file to a draft; with `Idempotency-Key` once."""
    actor = current_actor()
    call = queries.find(actor, no)
    policy.require(actor, EDIT, call)
    key = call.id
    return file_api.add_once(
        body,
        lambda upload: filing.attach_to_call(actor, no, upload),
        lambda: files.files_of(CALL_FILES, key),
        f"{PREFIX}/calls/{no}/files",
    )


@blueprint.route("/calls/<string:no>/files/<string:file_no>", methods=["DELETE"])
@blueprint.doc(
    operationId="removeCallFile",
    summary="移除揭榜草稿的附件",
    description="须带 If-Match：这项揭榜的 ETag。",
)
@blueprint.response(204, description="已移除")
@edits
@requires(READ)
def remove_call_file(no: str, file_no: str) -> Response:
    """Take a file out of a draft; asks for `If-Match`."""
    actor = current_actor()
    with as_seen(lambda: queries.find(actor, no).lock_version):
        filing.take_from_call(actor, no, file_no)
    return Response(status=204)


def _own(no: str) -> CallAnswer:
    """The actor's own answer. Raises NotFound; Denied: it is the other side's."""
    row = queries.answer(current_actor(), no)
    policy.require(current_actor(), ANSWER, row)
    return row


def _files_of(row: CallAnswer) -> Sequence[StoredFile]:
    """One's own files, sent or not; of the other side's those of what was sent last."""
    if row.organisation_id in current_actor().organisations():
        return files.files_of(ANSWER_FILES, row.id)
    return queries.view_of(row).files


@blueprint.route("/call-answers/<string:no>/files")
@blueprint.doc(
    operationId="listCallAnswerFiles",
    summary="应答的附件",
    description="本单位的应答：现在的附件，下一次发送就是这些；收到的应答：最后发送的一版的附件。",
)
@blueprint.response(200, AttachedFileListSchema, description="附件；ETag 供移除时带上")
@requires(READ_ANSWER)
def answer_files(no: str) -> Response:
    """What is attached to an answer, for both sides."""
    row = queries.answer(current_actor(), no)
    return file_api.answer(_files_of(row), row.lock_version)


@blueprint.route("/call-answers/<string:no>/files", methods=["POST"])
@blueprint.doc(
    operationId="addCallAnswerFile",
    summary="给本单位的应答添附件",
    description=f"{files.ACCEPTED}。截止前。需求方在下一次发送后看到。可带 Idempotency-Key。",
)
@blueprint.arguments(AttachedFileInput)
@blueprint.response(201, AttachedFileListSchema, description="添加后的附件")
@creates
@requires(ANSWER)
def add_answer_file(body: dict[str, Any], no: str) -> Response:
    """Attach a file to one's answer; with `Idempotency-Key` once."""
    actor, key = current_actor(), _own(no).id
    return file_api.add_once(
        body,
        lambda upload: filing.attach_to_answer(actor, key, upload),
        lambda: files.files_of(ANSWER_FILES, key),
        f"{PREFIX}/call-answers/{no}/files",
    )


@blueprint.route("/call-answers/<string:no>/files/<string:file_no>", methods=["DELETE"])
@blueprint.doc(
    operationId="removeCallAnswerFile",
    summary="移除本单位应答的附件",
    description="截止前；送出的版本不变。须带 If-Match：这份应答的 ETag。",
)
@blueprint.response(204, description="已移除")
@edits
@requires(ANSWER)
def remove_answer_file(no: str, file_no: str) -> Response:
    """Take a file out of one's answer; asks for `If-Match`."""
    actor, key = current_actor(), _own(no).id
    with as_seen(lambda: queries.answer(actor, no).lock_version):
        filing.take_from_answer(actor, key, file_no)
    return Response(status=204)
