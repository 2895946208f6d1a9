"""Receipts and registered versions of contracts in the API."""

from __future__ import annotations

from typing import Any

from flask import Response

from market.contracts import queries as whole_contracts
from market.contracts.changes import queries, receipts, shown
from market.contracts.changes.api_schemas import (
    ContractReceiptListSchema,
    ContractReceiptReversal,
    NewContractReceipt,
    RegisteredVersionListSchema,
    RegisteredVersionSchema,
)
from market.contracts.models import Contract, ContractVersion
from market.contracts.workflow import READ, RECEIVE
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import as_seen, create_once, creates, edits, tagged
from market.core.errors import NotFound
from market.core.http import current_actor
from market.core.pagination import PageOf, whole
from market.core.permissions import requires

blueprint = ApiBlueprint("contract_receipts_api", __name__, "技术合同：到账和登记过的版本")
_SAME = (
    "id",
    "kind",
    "received_on",
    "amount_fen",
    "cost_fen",
    "year",
    "base_fen",
    "what",
    "author",
)
_TOTALS = (
    "received_fen",
    "royalty_fen",
    "cost_fen",
    "net_fen",
    "total_fen",
    "planned_fen",
    "left_fen",
    "late_fen",
    "beyond_fen",
)
_FOUND = ("contract_class", "subclass", "total_fen", "technical_fen", "outcome")


def _contract(no: str) -> Contract:
    contract = whole_contracts.find(current_actor(), no)
    if contract.effective is None:
        raise NotFound("登记后才能记到账。")
    return contract


def _listed(contract: Contract) -> dict[str, Any]:
    rows = [
        {
            **{name: getattr(one.receipt, name) for name in _SAME},
            "reverses": one.receipt.reverses_id,
        }
        for one in receipts.rows(contract)
    ]
    sums = receipts.totals(contract)
    told: dict[str, Any] = {
        "totals": {name: getattr(sums, name) for name in _TOTALS},
        "next_after": None,
    }
    told |= {"items": rows, "total": len(rows), "total_is": "exact"}
    dumped: dict[str, Any] = ContractReceiptListSchema().dump(told)
    return dumped


@blueprint.route("/contracts/<string:no>/receipts")
@blueprint.doc(operationId="listContractReceipts", summary="到账")
@blueprint.response(200, ContractReceiptListSchema, description="各笔和合计；ETag 供冲销时带上")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def receipt_list(no: str) -> Response:
    """What the seller received under a contract."""
    contract = _contract(no)
    return tagged(_listed(contract), contract.lock_version)


@blueprint.route("/contracts/<string:no>/receipts", methods=["POST"])
@blueprint.doc(
    operationId="addContractReceipt",
    summary="记一笔到账",
    description="记错的用冲销，不能删改。可带 Idempotency-Key。",
)
@blueprint.arguments(NewContractReceipt)
@blueprint.response(201, ContractReceiptListSchema, description="记后的各笔和合计")
@blueprint.alt_response(404, MISSING)
@creates
@requires(RECEIVE)
def add(values: dict[str, Any], no: str) -> Response:
    """Note money that came in."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        receipts.add(actor, no, values)
        return _listed(_contract(no)), f"{PREFIX}/contracts/{no}/receipts"

    return create_once(act)


@blueprint.route("/contracts/<string:no>/receipts/<int:key>/reversal", methods=["POST"])
@blueprint.doc(
    operationId="reverseContractReceipt",
    summary="冲销一笔到账",
    description="记一笔相反的金额。须带 If-Match：到账列表的 ETag。",
)
@blueprint.arguments(ContractReceiptReversal)
@blueprint.response(200, ContractReceiptListSchema, description="冲销后的各笔和合计")
@blueprint.alt_response(404, MISSING)
@edits
@requires(RECEIVE)
def reverse(values: dict[str, Any], no: str, key: int) -> Response:
    """Take a row back."""
    actor = current_actor()
    with as_seen(lambda: _contract(no).lock_version):
        receipts.reverse(actor, no, key, values["reason"])
    contract = _contract(no)
    return tagged(_listed(contract), contract.lock_version)


def _version(contract: Contract, row: ContractVersion) -> dict[str, Any]:
    return {
        "contract": contract.no,
        "version": row.version,
        "state": row.state,
        "registered_on": row.registered_on,
        "content": shown.for_programs(row.content),
        "findings": {name: row.findings[name] for name in _FOUND if name in row.findings},
        "hash": row.hash,
    }


@blueprint.route("/contracts/<string:no>/versions")
@blueprint.doc(operationId="listContractVersions", summary="登记过的各版")
@blueprint.response(200, RegisteredVersionListSchema, description="新的在前")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def versions(no: str) -> PageOf[dict[str, Any]]:
    """What was ever registered of a contract."""
    contract = whole_contracts.find(current_actor(), no)
    return whole([_version(contract, one) for one in queries.registered_versions(contract)])


@blueprint.route("/contracts/<string:no>/versions/<int:number>")
@blueprint.doc(operationId="getContractVersion", summary="登记过的一版")
@blueprint.response(200, RegisteredVersionSchema, description="这一版的内容")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def version(no: str, number: int) -> dict[str, Any]:
    """A version that was registered, as it stood then."""
    return _version(*queries.version(current_actor(), no, number))
