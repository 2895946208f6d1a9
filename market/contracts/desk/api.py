"""The examination desk in the API: its cases and what is done with them."""

from __future__ import annotations

from typing import Any

from flask import Response

from market.contracts import examining
from market.contracts import queries as contracts
from market.contracts.desk import queries, service, wording
from market.contracts.desk.api_schemas import (
    AcceptedSchema,
    AcceptInput,
    ContractLineListSchema,
    CopyInput,
    CopySheetSchema,
    DeficienciesInput,
    DeskQuery,
    ExaminationAct,
    ExaminationSchema,
    OpinionInput,
    RefusalInput,
    ResultInput,
    SheetInput,
)
from market.contracts.desk.queries import Line
from market.contracts.desk.workflow import COPY, HEAR_EXPERTS, OPEN_DESK
from market.contracts.workflow import ACCEPT, DECIDE, DESK, RECORD, RETURN
from market.core import files
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import create_once, creates, edits, require_match, tagged
from market.core.http import current_actor
from market.core.pagination import PageOf
from market.core.permissions import requires

blueprint = ApiBlueprint("contract_desk_api", __name__, "合同审查：登记机构和科技管理部门")
SECURED: list[dict[str, list[str]]] = [{"token": []}]
_SAME = [
    "no",
    "title",
    "state",
    "mode",
    "contract_class",
    "subclass",
    "field",
    "total_fen",
    "technical_fen",
    "accepted_on",
    "registration_no",
    "registered_on",
    "registered_by",
]


def row(line: Line) -> dict[str, Any]:
    """A contract as lists tell it."""
    one = line.contract
    return {name: getattr(one, name) for name in _SAME} | {
        "seller": one.seller_name,
        "buyer": one.buyer_name,
        "body": one.body.title if one.body else None,
        "due": line.due,
        "late": line.late,
        "days": line.days,
    }


def _groups(groups: list[wording.Group], *, plain: bool = False) -> list[dict[str, Any]]:
    return [
        {
            "title": group.title,
            "rows": [
                {
                    "name": told.name,
                    "label": told.label,
                    "text": told.plain if plain else told.shown,
                }
                for told in group.rows
            ],
        }
        for group in groups
    ]


def _told(no: str) -> dict[str, Any]:
    found = queries.get(current_actor(), no)
    told: dict[str, Any] = ExaminationSchema().dump(
        row(found.line)
        | {
            "content": _groups(wording.groups(found.case.content)),
            "findings": found.case.version.findings,
            "checks": [one.words for one in found.case.findings],
            "evidence": [
                {
                    "kind": one.kind,
                    "words": one.words,
                    "other": one.other.no if one.other is not None else None,
                }
                for one in found.evidence
            ],
            "beyond": found.beyond,
            "opinions": found.opinions,
            "actions": sorted(found.may | ({"pass_up"} if found.above else set())),
        }
    )
    return told


def _whole(no: str) -> Response:
    version = contracts.find(current_actor(), no, DESK).lock_version
    return tagged(_told(no), version)


def _seen(no: str) -> int:
    """The version of the case, after comparing it with `If-Match`."""
    version = contracts.find(current_actor(), no, DESK).lock_version
    require_match(version)
    return version


def upload(values: dict[str, Any]) -> files.Upload | None:
    """The file that was sent along, looked at before anything is locked."""
    sent = values.pop("file", None)
    return files.take_in(sent["name"], sent["content"]) if sent else None


@blueprint.route("/contract-desk")
@blueprint.doc(operationId="listContractDesk", summary="审查台：要办的合同", security=SECURED)
@blueprint.arguments(DeskQuery, location="query")
@blueprint.response(200, ContractLineListSchema, description="合同，时限近的在前")
@requires(OPEN_DESK)
def desk(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """What the own body or office has to handle."""
    found = queries.desk(current_actor(), query["tab"], query["q"], query["page"]).page
    items = [row(line) for line in found.items]
    return PageOf(items, found.total, found.page, found.per_page, found.total_is)


@blueprint.route("/contract-desk/accept", methods=["POST"])
@blueprint.doc(operationId="acceptContracts", summary="一次受理多份", security=SECURED)
@blueprint.arguments(AcceptInput)
@blueprint.response(201, AcceptedSchema, description="逐份的结果")
@creates
@requires(ACCEPT)
def accept_many(values: dict[str, Any]) -> Response:
    """Accept several filings, each for itself."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        found = service.accept_many(actor, values["items"])
        return AcceptedSchema().dump({"items": found}), f"{PREFIX}/contract-desk"

    return create_once(act)


@blueprint.route("/contract-desk/<string:no>")
@blueprint.doc(operationId="getContractExamination", summary="一份合同的审查", security=SECURED)
@blueprint.response(200, ExaminationSchema, description="填报内容、线索、意见和可办的事")
@blueprint.alt_response(404, MISSING)
@requires(DESK)
def case(no: str) -> Response:
    """A case as its examiner sees it."""
    return _whole(no)


@blueprint.route("/contract-desk/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnContractExamination",
    summary="受理、送和取回专家意见、退回、准予登记、送上级机构",
    description="现在能做哪些，见 actions。送上级机构后归上级办理，这里不再读得到：回答的是送出前的内容。",
    security=SECURED,
)
@blueprint.arguments(ExaminationAct)
@blueprint.response(200, ExaminationSchema, description="办后的合同")
@blueprint.alt_response(404, MISSING)
@edits
@requires(DESK)
def act_on(values: dict[str, Any], no: str) -> Response:
    """A step that needs no more than words."""
    actor, seen = current_actor(), _seen(no)
    action, reason = values["action"], values.get("reason")
    if action == "accept":
        examining.accept(actor, no, seen)
    elif action == "register":
        examining.register(actor, no, seen)
    elif action == "pass_up":
        before = _told(no)
        service.pass_up(actor, no, reason or "", seen)
        return tagged(before | {"actions": []})
    else:
        examining.step(actor, no, action, reason, seen)
    return _whole(no)


@blueprint.route("/contract-desk/<string:no>/deficiencies", methods=["POST"])
@blueprint.doc(
    operationId="returnContract", summary="补正：把缺的一次列齐（一次性告知）", security=SECURED
)
@blueprint.arguments(DeficienciesInput)
@blueprint.response(200, ExaminationSchema, description="办后的合同")
@blueprint.alt_response(404, MISSING)
@edits
@requires(RETURN)
def send_back(values: dict[str, Any], no: str) -> Response:
    """Return it once with everything that is missing."""
    seen = _seen(no)
    examining.send_back(current_actor(), no, values["missing"], seen)
    return _whole(no)


@blueprint.route("/contract-desk/<string:no>/sheet", methods=["PUT"])
@blueprint.doc(
    operationId="writeContractSheet",
    summary="审查表：初审，或预审（在全国系统登记的）",
    security=SECURED,
)
@blueprint.arguments(SheetInput)
@blueprint.response(200, ExaminationSchema, description="办后的合同")
@blueprint.alt_response(404, MISSING)
@edits
@requires(DESK)
def sheet(values: dict[str, Any], no: str) -> Response:
    """The three results with their reasons."""
    actor, seen = current_actor(), _seen(no)
    own = contracts.find(actor, no, DESK).mode == "own"
    write = examining.examine if own else examining.clear
    write(actor, no, values, seen)
    return _whole(no)


@blueprint.route("/contract-desk/<string:no>/refusal", methods=["POST"])
@blueprint.doc(operationId="refuseContract", summary="不予登记", security=SECURED)
@blueprint.arguments(RefusalInput)
@blueprint.response(200, ExaminationSchema, description="办后的合同")
@blueprint.alt_response(404, MISSING)
@edits
@requires(DECIDE)
def refuse(values: dict[str, Any], no: str) -> Response:
    """Do not register it."""
    seen = _seen(no)
    examining.refuse(current_actor(), no, values["refusal"], values["words"] or "", seen)
    return _whole(no)


@blueprint.route("/contract-desk/<string:no>/result", methods=["PUT"])
@blueprint.doc(
    operationId="recordContractResult", summary="录入全国系统的登记结果", security=SECURED
)
@blueprint.arguments(ResultInput)
@blueprint.response(200, ExaminationSchema, description="办后的合同")
@blueprint.alt_response(404, MISSING)
@edits
@requires(RECORD)
def result(values: dict[str, Any], no: str) -> Response:
    """Type in what the national system registered."""
    scan, seen = upload(values), _seen(no)
    service.record(current_actor(), no, values, scan, seen)
    return _whole(no)


@blueprint.route("/contract-desk/<string:no>/opinions", methods=["POST"])
@blueprint.doc(operationId="addContractOpinion", summary="记一份专家意见", security=SECURED)
@blueprint.arguments(OpinionInput)
@blueprint.response(201, ExaminationSchema, description="记后的合同")
@blueprint.alt_response(404, MISSING)
@creates
@requires(HEAR_EXPERTS)
def opinion(values: dict[str, Any], no: str) -> Response:
    """What an expert said."""
    actor, paper = current_actor(), upload(values)

    def act() -> tuple[dict[str, Any], str]:
        service.hear(actor, no, values, paper)
        return _told(no), f"{PREFIX}/contract-desk/{no}"

    return create_once(act)


@blueprint.route("/contract-desk/<string:no>/copy-sheet", methods=["POST"])
@blueprint.doc(
    operationId="readContractSheet",
    summary="填报抄录单：完整的填报内容",
    description="按全国系统登记表的次序；每次查看都记入操作记录。",
    security=SECURED,
)
@blueprint.arguments(CopyInput)
@blueprint.response(200, CopySheetSchema, description="填报内容")
@blueprint.alt_response(404, MISSING)
@requires(COPY)
def copy_sheet(values: dict[str, Any], no: str) -> dict[str, Any]:
    """All fields in full."""
    content = service.copy_sheet(current_actor(), no, values["reason"])
    return {"groups": _groups(wording.groups(content, masked=False), plain=True)}
