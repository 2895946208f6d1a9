"""Contracts in the API: what a filer does on the pages, a program of its organisation can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from marshmallow import ValidationError

from market.contracts import filing, flat
from market.contracts import queries as contracts
from market.contracts.filing_pages import layout, queries, service
from market.contracts.filing_pages.api_schemas import (
    ContractAct,
    ContractCaseSchema,
    ContractFields,
    ContractListSchema,
    ContractQuery,
    NewContract,
    told,
)
from market.contracts.filing_pages.rules import HELPED, TABS
from market.contracts.models import STATES, Contract
from market.contracts.queries import Case
from market.contracts.schemas import PARTY_LISTS
from market.contracts.workflow import BEGIN, CONTRACT, EDIT, READ, SUBMIT, address
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import create_once, creates, edits, require_match, tagged
from market.core.errors import Invalid
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, PageOf
from market.core.permissions import policy, requires

blueprint = ApiBlueprint("contracts_api", __name__, "技术合同：填写、提交、补正、委托")


def row_of(contract: Contract) -> dict[str, Any]:
    """A contract as lists tell it."""
    item = CONTRACT.item(contract)
    names = (
        "no state mode title contract_class subclass total_fen technical_fen signed_on intent_no"
        " submitted_at accepted_on due registration_no registered_on registered_by updated_at"
    )
    return {name: getattr(contract, name) for name in names.split()} | {
        "state_label": STATES[contract.state],
        "seller": contract.seller_name,
        "buyer": contract.buyer_name,
        "next_side": item.side if item else "",
        "next_step": item.next_step if item else "",
        "url": address(contract),
    }


def whole(case: Case) -> dict[str, Any]:
    """A contract with all that belongs to it; values about people whole for who may write them."""
    contract, point = case.contract, case.contract.point
    edits_it = policy.allows(current_actor(), EDIT, contract)
    content = dict(case.content) if edits_it else layout.masked(case.content)
    found = row_of(contract) | {
        "lock_version": contract.lock_version,
        "version": case.version.version,
        "content": told(content),
        "origins": case.version.origins,
        "missing": list(case.missing),
        "deficiencies": case.deficiencies,
        "versions": case.versions,
        "body": contract.body.no if contract.body else None,
        "point": {"no": point.no, "title": point.title, "until": contract.point_until}
        if point
        else None,
        "shows": contract.shows,
        "actions": [
            {"action": one.action, "label": one.label, "needs_reason": one.reason}
            for one in case.actions
        ],
    }
    dumped: dict[str, Any] = ContractCaseSchema().dump(found)
    return dumped


def answer(no: str) -> Response:
    """A contract with its `ETag`."""
    case = contracts.get(current_actor(), no)
    return tagged(whole(case), case.contract.lock_version)


def _seen(no: str) -> int:
    """The version of the contract, after comparing it with `If-Match`."""
    version = contracts.find(current_actor(), no).lock_version
    require_match(version)
    return version


def placed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a program sent, with regions by their codes. Raises Invalid."""
    places, found = flat.PlaceFinder(), dict(content)
    for name in PARTY_LISTS:
        for at, row in enumerate(found.get(name) or []):
            if row.get("region_code"):
                try:
                    row["region_code"] = places(row["region_code"])
                except ValidationError as error:
                    cell = f"content/{name}/{at}/region_code"
                    raise Invalid({cell: [str(error.messages[0])]}) from error
    return found


@blueprint.route("/my/contracts")
@blueprint.doc(operationId="listOwnContracts", summary="本单位的技术合同，和受托帮办的")
@blueprint.arguments(ContractQuery, location="query")
@blueprint.response(200, ContractListSchema, description="技术合同，新改的在前")
@requires(READ)
def contract_list(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """The own contracts."""
    tab = query["tab"] if query["tab"] in {*TABS, HELPED} else "open"
    size = query["per_page"]
    number = min(query["page"], EXACT_UP_TO // size)
    found = queries.mine(current_actor(), tab, number, size)
    return PageOf([row_of(one) for one in found.items], found.total, number, size, found.total_is)


@blueprint.route("/my/contracts", methods=["POST"])
@blueprint.doc(
    operationId="createContract",
    summary="填写一份登记申请",
    description="从已达成的对接意向自动填写，照不予登记的一份另填，或自己写 content；存为草稿。"
    "可带 Idempotency-Key。",
)
@blueprint.arguments(NewContract)
@blueprint.response(201, ContractCaseSchema, description="草稿")
@creates
@requires(BEGIN)
def create(values: dict[str, Any]) -> Response:
    """Begin a draft."""
    actor = current_actor()
    content = placed(values.get("content") or {})

    def act() -> tuple[dict[str, Any], str]:
        if values.get("intent"):
            no = service.from_intent(actor, values["intent"])
        elif values.get("copy_of"):
            no = service.copy(actor, values["copy_of"])
        else:
            own = filing.filers(actor)
            owner = values.get("organisation") or (own[0] if len(own) == 1 else None)
            if owner not in own:
                raise Invalid({"organisation": ["请写以哪家单位的名义。"]})
            no = service.from_scratch(actor, owner, content)
        return whole(contracts.get(actor, no)), f"{PREFIX}/contracts/{no}"

    return create_once(act)


@blueprint.route("/contracts/<string:no>")
@blueprint.doc(operationId="getContract", summary="一份技术合同")
@blueprint.response(200, ContractCaseSchema, description="技术合同；ETag 供修改和办理时带上")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def contract(no: str) -> Response:
    """A contract with all that belongs to it."""
    return answer(no)


@blueprint.route("/contracts/<string:no>", methods=["PUT"])
@blueprint.doc(
    operationId="saveContract",
    summary="保存登记申请的内容",
    description="草稿或待补正时；没写的项就成为空。须带 If-Match。",
)
@blueprint.arguments(ContractFields)
@blueprint.response(200, ContractCaseSchema, description="保存后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(EDIT)
def save(values: dict[str, Any], no: str) -> Response:
    """Write all fields."""
    version = _seen(no)
    filing.save(current_actor(), no, placed(values), version)
    return answer(no)


@blueprint.route("/contracts/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnContract",
    summary="提交登记申请、撤回、放弃草稿、继续填写",
    description="现在能做哪些，见这份合同的 actions。须带 If-Match。",
)
@blueprint.arguments(ContractAct)
@blueprint.response(200, ContractCaseSchema, description="办后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(SUBMIT)
def act_on(values: dict[str, Any], no: str) -> Response:
    """One of the acts of the filer."""
    version, actor = _seen(no), current_actor()
    if values["action"] == "submit":
        filing.submit(actor, no, values.get("body") or None, version)
    else:
        filing.withdraw(actor, no, values["action"], version)
    return answer(no)
