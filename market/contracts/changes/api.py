"""Changes of contracts in the API: what pages can do, programs can do by the same services."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from market.contracts import queries as whole_contracts
from market.contracts.changes import amending, deciding, queries, service
from market.contracts.changes.api_schemas import (
    ContractChangeAct,
    ContractChangeCaseSchema,
    ContractChangeInput,
    ContractChangeListSchema,
    ContractChangeQuery,
    NewContractChange,
)
from market.contracts.changes.models import STATES, ContractChange
from market.contracts.changes.queries import Case
from market.contracts.changes.workflow import DESK, EDIT, READ
from market.contracts.workflow import READ as READ_CONTRACT
from market.core import file_api, files
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import as_seen, create_once, creates, edits, require_match, version_tag
from market.core.file_api import AttachedFileInput, AttachedFileListSchema
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, PageOf, whole
from market.core.permissions import policy, requires

blueprint = ApiBlueprint("contract_changes_api", __name__, "技术合同：变更、注销、撤销、异议复查")
_SAME = (
    "no",
    "kind",
    "state",
    "asked_by",
    "asked_name",
    "ground",
    "reason",
    "hearing",
    "happened_on",
    "base_version",
    "version",
    "outcome",
    "answer",
    "decided_on",
    "created_at",
    "updated_at",
)
_FOUND = ("contract_class", "subclass", "total_fen", "technical_fen", "outcome")


def _row(change: ContractChange) -> dict[str, Any]:
    return {
        **{name: getattr(change, name) for name in _SAME},
        "contract": change.contract.no,
        "state_label": STATES[change.state],
        "url": change.url,
    }


def _whole(case: Case) -> dict[str, Any]:
    found = _row(case.change) | {
        "findings": {name: value for name, value in case.change.findings.items() if name in _FOUND},
        "differences": case.lines,
        "touches": [{"url": None, **one} for one in case.touches],
        "touches_mark": case.seen,
        "actions": [
            {"action": one.action, "label": one.label, "needs_reason": one.reason}
            for one in case.actions
        ],
    }
    told: dict[str, Any] = ContractChangeCaseSchema().dump(found)
    return told


def _answer(no: str) -> Response:
    case = queries.get(current_actor(), no)
    response = jsonify(_whole(case))
    response.headers["ETag"] = version_tag(case.change.lock_version)
    return response


def _seen(no: str) -> int:
    """The version of the change, after comparing it with `If-Match`."""
    version = queries.find(current_actor(), no).lock_version
    require_match(version)
    return version


@blueprint.route("/contracts/<string:no>/changes")
@blueprint.doc(operationId="listContractChanges", summary="一份技术合同的变更")
@blueprint.response(200, ContractChangeListSchema, description="新的在前")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def changes(no: str) -> PageOf[dict[str, Any]]:
    """The changes of a contract that the program may read."""
    actor = current_actor()
    contract = whole_contracts.find(actor, no)
    return whole([_row(one) for one in queries.of_contract(actor, contract)])


@blueprint.route("/contracts/<string:no>/changes", methods=["POST"])
@blueprint.doc(
    operationId="askContractChange",
    summary="起草变更、注销、撤销或复查",
    description="建立草稿；附件另传，写好后提交。可带 Idempotency-Key。",
)
@blueprint.arguments(NewContractChange)
@blueprint.response(201, ContractChangeCaseSchema, description="草稿")
@blueprint.alt_response(404, MISSING)
@creates
@requires(READ_CONTRACT)
def ask(values: dict[str, Any], no: str) -> Response:
    """Begin a change as a draft."""
    actor = current_actor()
    content = amending.from_program(values.get("content") or {})

    def act() -> tuple[dict[str, Any], str]:
        made = service.ask(actor, no, values["kind"], values, content, base=values.get("base"))
        return _whole(queries.get(actor, made)), f"{PREFIX}/contracts/changes/{made}"

    return create_once(act)


@blueprint.route("/contracts/changes")
@blueprint.doc(operationId="listContractChangesToHandle", summary="本机构或本部门办理的变更")
@blueprint.arguments(ContractChangeQuery, location="query")
@blueprint.response(200, ContractChangeListSchema, description="等得最久的在前")
@requires(DESK)
def to_handle(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """Changes that a body or an office handles."""
    size = query["per_page"]
    number = min(query["page"], EXACT_UP_TO // size)
    found = queries.at_desk(current_actor(), query["tab"], number, size)
    return PageOf([_row(one) for one in found.items], found.total, number, size, found.total_is)


@blueprint.route("/contracts/changes/<string:no>")
@blueprint.doc(operationId="getContractChange", summary="一件变更")
@blueprint.response(200, ContractChangeCaseSchema, description="内容、差别、涉及的事项、能做什么")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def change(no: str) -> Response:
    """A change with what differs, what it touches and what may be done."""
    return _answer(no)


@blueprint.route("/contracts/changes/<string:no>", methods=["PUT"])
@blueprint.doc(
    operationId="editContractChange",
    summary="修改变更的草稿",
    description="没有写的说明字段变空；content 只写要改的。须带 If-Match。",
)
@blueprint.arguments(ContractChangeInput)
@blueprint.response(200, ContractChangeCaseSchema, description="修改后的草稿")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def edit(values: dict[str, Any], no: str) -> Response:
    """Write a draft."""
    sent = values.get("content")
    content = None if sent is None else amending.from_program(sent)
    service.edit(current_actor(), no, values, content, _seen(no))
    return _answer(no)


@blueprint.route("/contracts/changes/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnContractChange",
    summary="提交、撤回、补正、初审、予以办理、不予办理",
    description="现在能做哪些，见这件变更的 actions。须带 If-Match。",
)
@blueprint.arguments(ContractChangeAct)
@blueprint.response(200, ContractChangeCaseSchema, description="办后的变更")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def act_on(values: dict[str, Any], no: str) -> Response:
    """One step."""
    version, actor = _seen(no), current_actor()
    deciding.act(actor, no, values["action"], values, version, values.get("seen"))
    return _answer(no)


@blueprint.route("/contracts/changes/<string:no>/files")
@blueprint.doc(operationId="listContractChangeFiles", summary="变更的附件")
@blueprint.response(200, AttachedFileListSchema, description="附件；ETag 供移除时带上")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def attached(no: str) -> Response:
    """What is attached to a change."""
    found = queries.find(current_actor(), no)
    return file_api.answer(queries.papers(found), found.lock_version)


@blueprint.route("/contracts/changes/<string:no>/files", methods=["POST"])
@blueprint.doc(
    operationId="addContractChangeFile",
    summary="给变更的草稿添附件",
    description=f"{files.ACCEPTED}。可带 Idempotency-Key。提交后不能再添。",
)
@blueprint.arguments(AttachedFileInput)
@blueprint.response(201, AttachedFileListSchema, description="添加后的附件")
@blueprint.alt_response(404, MISSING)
@creates
@requires(EDIT)
def add_file(body: dict[str, Any], no: str) -> Response:
    """Attach a paper to a draft; with `Idempotency-Key` once."""
    actor = current_actor()
    found = queries.find(actor, no)
    policy.require(actor, EDIT, found)
    return file_api.add_once(
        body,
        lambda upload: service.attach(actor, no, upload),
        lambda: queries.papers(found),
        f"{PREFIX}/contracts/changes/{no}/files",
    )


@blueprint.route("/contracts/changes/<string:no>/files/<string:file_no>", methods=["DELETE"])
@blueprint.doc(
    operationId="removeContractChangeFile",
    summary="移除变更草稿的附件",
    description="须带 If-Match：这件变更的 ETag。",
)
@blueprint.response(204, description="已移除")
@blueprint.alt_response(404, MISSING)
@edits
@requires(EDIT)
def remove_file(no: str, file_no: str) -> Response:
    """Take a paper off a draft; asks for `If-Match`."""
    actor = current_actor()
    with as_seen(lambda: queries.find(actor, no).lock_version):
        service.remove_file(actor, no, file_no)
    return Response(status=204)
