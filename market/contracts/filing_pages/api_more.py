"""Files, answers, the check, the service point and consents of a contract in the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, request

from market.contracts import queries as contracts
from market.contracts.filing_pages import (
    attachments,
    authorising,
    prechecks,
    queries,
    rules,
    service,
)
from market.contracts.filing_pages.api import answer, blueprint
from market.contracts.filing_pages.api_schemas import (
    ContractAnswers,
    ContractAuthorisation,
    ContractCaseSchema,
    ContractCheckSchema,
    ContractFileListSchema,
    ContractShown,
    ContractUploadQuery,
)
from market.contracts.locking import FILES
from market.contracts.workflow import AUTHORISE, EDIT, READ, READ_FILES, SHOW
from market.core import files
from market.core.api import MISSING, PREFIX
from market.core.api_writes import (
    as_seen,
    create_once,
    creates,
    edits,
    require_match,
    tagged,
)
from market.core.http import current_actor
from market.core.models import StoredFile
from market.core.pagination import whole
from market.core.permissions import policy, requires

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE = {"required": True, "content": {"application/octet-stream": _BINARY}}


def _seen(no: str) -> int:
    """The version of the contract, after comparing it with `If-Match`."""
    version = contracts.find(current_actor(), no).lock_version
    require_match(version)
    return version


def _listed(rows: Sequence[StoredFile]) -> dict[str, Any]:
    found: dict[str, Any] = ContractFileListSchema().dump(whole(rows))
    return found


@blueprint.route("/contracts/<string:no>/files")
@blueprint.doc(operationId="listContractFiles", summary="技术合同的附件")
@blueprint.response(200, ContractFileListSchema, description="附件；ETag 供移除时带上")
@blueprint.alt_response(404, MISSING)
@requires(READ_FILES)
def attached(no: str) -> Response:
    """What is attached to a contract."""
    contract = contracts.find(current_actor(), no, READ_FILES)
    return tagged(_listed(files.files_of(FILES, contract.id)), contract.lock_version)


@blueprint.route("/contracts/<string:no>/files", methods=["POST"])
@blueprint.arguments(ContractUploadQuery, location="query")
@blueprint.doc(
    operationId="addContractFile",
    summary="添附件",
    description=f"草稿或待补正时。正文就是文件：{rules.ACCEPTED}。可带 Idempotency-Key。",
    requestBody=_FILE,
)
@blueprint.response(201, ContractFileListSchema, description="添加后的附件")
@blueprint.alt_response(404, MISSING)
@creates
@requires(EDIT)
def add_file(query: dict[str, Any], no: str) -> Response:
    """Attach a file; with `Idempotency-Key` once."""
    request.max_content_length = rules.LARGEST + 1
    actor = current_actor()
    contract = contracts.find(actor, no)
    policy.require(actor, EDIT, contract)
    key = contract.id
    upload = attachments.take_in(query["name"], request.get_data(cache=True))

    def act() -> tuple[dict[str, Any], str]:
        attachments.add(actor, no, upload, query["purpose"])
        return _listed(files.files_of(FILES, key)), f"{PREFIX}/contracts/{no}/files"

    return create_once(act)


@blueprint.route("/contracts/<string:no>/files/<string:file_no>", methods=["DELETE"])
@blueprint.doc(
    operationId="removeContractFile",
    summary="移除附件",
    description="草稿或待补正时。须带 If-Match：这份合同的 ETag。",
)
@blueprint.response(204, description="已移除")
@blueprint.alt_response(404, MISSING)
@edits
@requires(EDIT)
def remove_file(no: str, file_no: str) -> Response:
    """Take a file off."""
    actor = current_actor()
    with as_seen(lambda: contracts.find(actor, no).lock_version):
        attachments.remove(actor, no, file_no)
    return Response(status=204)


@blueprint.route("/contracts/<string:no>/check")
@blueprint.doc(operationId="checkContract", summary="登记前自查")
@blueprint.response(
    200, ContractCheckSchema, description="须改好的、请核对的、税收提示、可选的登记机构"
)
@blueprint.alt_response(404, MISSING)
@requires(READ)
def check(no: str) -> Response:
    """What is found before it is sent in."""
    found = prechecks.check(current_actor(), no)
    body: dict[str, Any] = ContractCheckSchema().dump(
        {
            "ready": found.ready,
            "missing": list(found.missing),
            "has_text": found.has_text,
            "findings": [*found.refusals, *found.warnings],
            "hints": found.hints,
            "bodies": queries.bodies(found.case.contract),
        }
    )
    return tagged(body)


@blueprint.route("/contracts/<string:no>/answers", methods=["PUT"])
@blueprint.doc(
    operationId="answerContractDeficiencies",
    summary="逐项答复补正",
    description="待补正时；没写的项不变。须带 If-Match。",
)
@blueprint.arguments(ContractAnswers)
@blueprint.response(200, ContractCaseSchema, description="答复后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(EDIT)
def answers(values: dict[str, Any], no: str) -> Response:
    """How things were mended."""
    version = _seen(no)
    told = {one["id"]: one["words"] for one in values["answers"]}
    service.answer(current_actor(), no, told, version)
    return answer(no)


@blueprint.route("/contracts/<string:no>/authorisation", methods=["PUT"])
@blueprint.doc(
    operationId="authoriseContractPoint",
    summary="委托服务点帮办",
    description="凭盖章的授权书，到一天为止；服务点只看得到这一份。须带 If-Match。",
)
@blueprint.arguments(ContractAuthorisation)
@blueprint.response(200, ContractCaseSchema, description="委托后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(AUTHORISE)
def authorise(values: dict[str, Any], no: str) -> Response:
    """Let a service point help."""
    version = _seen(no)
    sent = values.get("paper")
    paper = attachments.take_in(sent["name"], sent["content"]) if sent else None
    authorising.authorise(current_actor(), no, values["point"], values["until"], paper, version)
    return answer(no)


@blueprint.route("/contracts/<string:no>/authorisation", methods=["DELETE"])
@blueprint.doc(
    operationId="endContractPoint", summary="不再委托服务点", description="须带 If-Match。"
)
@blueprint.response(200, ContractCaseSchema, description="之后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(AUTHORISE)
def revoke(no: str) -> Response:
    """End the help of a service point."""
    authorising.revoke(current_actor(), no, _seen(no))
    return answer(no)


@blueprint.route("/contracts/<string:no>/shown", methods=["PUT"])
@blueprint.doc(
    operationId="showContract",
    summary="登记后公开哪些名称",
    description="项目名称和卖方由申请方定，买方由买方定；没写的不变。须带 If-Match。",
)
@blueprint.arguments(ContractShown)
@blueprint.response(200, ContractCaseSchema, description="之后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(SHOW)
def shown(values: dict[str, Any], no: str) -> Response:
    """What the public may see."""
    service.show(current_actor(), no, values, _seen(no))
    return answer(no)
