"""Claims (兑付) in the API: what the form does, programs of an organisation can do."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from market.core.api import MISSING, PREFIX
from market.core.api_writes import (
    as_seen,
    create_once,
    creates,
    edits,
    require_match,
    tagged,
)
from market.core.errors import Conflict, Invalid
from market.core.http import current_actor
from market.core.pagination import PageOf, whole
from market.core.permissions import policy, requires
from market.vouchers import answering, claiming, evidence
from market.vouchers.claim_models import CLAIM_STATES, Claim
from market.vouchers.facts import as_json
from market.vouchers.firm_pages import checks, drafting, queries
from market.vouchers.firm_pages.api import blueprint, listed, offered, own_firm, row_of
from market.vouchers.firm_pages.api_inputs import (
    NewVoucherClaim,
    VoucherAnswersInput,
    VoucherClaimAct,
    VoucherClaimInput,
    VoucherPageQuery,
    VoucherUploadQuery,
)
from market.vouchers.firm_pages.api_schemas import (
    VoucherClaimCaseSchema,
    VoucherClaimCheckSchema,
    VoucherClaimListSchema,
    VoucherFileListSchema,
)
from market.vouchers.firm_pages.schemas import facts_in
from market.vouchers.locking import seen
from market.vouchers.workflow import CLAIM, CLAIM_MONEY, READ_CLAIM

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE = {"required": True, "content": {"application/octet-stream": _BINARY}}


def _row(row: Claim) -> dict[str, Any]:
    names = "asked_fen amount_fen top_up_fen submitted_at"
    return row_of(row, CLAIM_STATES, "/vouchers/claims", names) | {
        "firm": row.firm.name,
        "provider": row.provider.name if row.provider else None,
        "claimant": row.owner.name,
        "order": row.order.no if row.order else None,
        "voucher": row.voucher.no if row.voucher else None,
    }


def _claim(no: str) -> Claim:
    return seen(Claim, current_actor(), READ_CLAIM, no)


def _whole(no: str) -> tuple[dict[str, Any], int]:
    actor, row = current_actor(), _claim(no)
    review = answering.asked_of(row)
    own = {"submit", "withdraw"} if policy.allows(actor, CLAIM_MONEY, row) else set()
    empty: dict[str, Any] = {"paid_fen": None, "units": None, "exclusions": []}
    reasons = review.reasons.items() if review else ()
    answers = (review.answers or {}) if review else {}
    body: dict[str, Any] = VoucherClaimCaseSchema().dump(
        _row(row)
        | {
            "items": [{**empty, **one} for one in row.items],
            "invoices": row.invoices,
            "bank_shown": row.bank_shown,
            "contract_no": row.contract_no,
            "service_from": row.service_from,
            "service_to": row.service_to,
            "evidence": sorted({*row.evidence, *evidence.online(row)}),
            "outcome": row.outcome,
            "returned_for": [
                {"field": name, "words": words, "answer": answers.get(name)}
                for name, words in reasons
            ],
            "payments": queries.payments_of(row),
            "actions": offered(one for one in CLAIM.actions(actor, row) if one.action in own),
        }
    )
    return body, row.lock_version


def _seen(no: str) -> int:
    """The version of the claim, after comparing it with `If-Match`."""
    version = _claim(no).lock_version
    require_match(version)
    return version


@blueprint.route("/my/voucher-claims")
@blueprint.doc(operationId="listOwnVoucherClaims", summary="本单位的兑付申请")
@blueprint.arguments(VoucherPageQuery, location="query")
@blueprint.response(200, VoucherClaimListSchema, description="新的在前")
@requires(READ_CLAIM)
def claims(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """One's own claims."""
    return listed("claims", query, _row)


@blueprint.route("/my/voucher-claims", methods=["POST"])
@blueprint.doc(
    operationId="createVoucherClaim",
    summary="开始一份兑付申请",
    description="凭已验收的订单，或写券（或办法）、服务机构、服务和费用；存为草稿。可带 Idempotency-Key。",
)
@blueprint.arguments(NewVoucherClaim)
@blueprint.response(201, VoucherClaimCaseSchema, description="草稿")
@creates
@requires(CLAIM_MONEY)
def begin(values: dict[str, Any]) -> Response:
    """Begin a draft."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        if values.get("order"):
            no = drafting.from_order(actor, values["order"])
        else:
            no = drafting.from_scheme(actor, own_firm(), values)
        return _whole(no)[0], f"{PREFIX}/vouchers/claims/{no}"

    return create_once(act)


@blueprint.route("/vouchers/claims/<string:no>")
@blueprint.doc(operationId="getVoucherClaim", summary="一份兑付申请")
@blueprint.response(200, VoucherClaimCaseSchema, description="申请；ETag 供修改和办理时带上")
@blueprint.alt_response(404, MISSING)
@requires(READ_CLAIM)
def claim(no: str) -> Response:
    """A claim."""
    return tagged(*_whole(no))


@blueprint.route("/vouchers/claims/<string:no>", methods=["PUT"])
@blueprint.doc(
    operationId="saveVoucherClaim",
    summary="保存兑付申请",
    description="草稿或待补正时；没写的项成为空，收款账户不写就不变。须带 If-Match。",
)
@blueprint.arguments(VoucherClaimInput)
@blueprint.response(200, VoucherClaimCaseSchema, description="保存后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(CLAIM_MONEY)
def save(values: dict[str, Any], no: str) -> Response:
    """Write all fields."""
    version = _seen(no)
    begins, ends = values.get("service_from"), values.get("service_to")
    if begins and ends and begins > ends:
        raise Invalid({"service_to": ["完成日期早于开始日期。"]})
    told = {**values, "facts": facts_in(values["facts"])}
    claiming.save(current_actor(), no, told, version)
    return tagged(*_whole(no))


@blueprint.route("/vouchers/claims/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnVoucherClaim",
    summary="申请兑付、撤回",
    description="提交前先看 check；提交须 promise 为 true。须带 If-Match。",
)
@blueprint.arguments(VoucherClaimAct)
@blueprint.response(200, VoucherClaimCaseSchema, description="办后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(CLAIM_MONEY)
def act_on(values: dict[str, Any], no: str) -> Response:
    """Send it in, or take it back."""
    version, actor = _seen(no), current_actor()
    if values["action"] == "withdraw":
        claiming.withdraw(actor, no, version)
    elif not values["promise"]:
        raise Invalid({"promise": [claiming.PROMISE]})
    else:
        claiming.submit(actor, no, version, promised=True)
    return tagged(*_whole(no))


@blueprint.route("/vouchers/claims/<string:no>/check")
@blueprint.doc(operationId="checkVoucherClaim", summary="提交前核对")
@blueprint.response(200, VoucherClaimCheckSchema, description="计算明细、还缺什么、全部原因")
@blueprint.alt_response(404, MISSING)
@requires(CLAIM_MONEY)
def check(no: str) -> Response:
    """What is found before it is sent."""
    actor, row = current_actor(), _claim(no)
    if not queries.may_write(actor, row):
        raise Conflict("已经提交，不用再核对。")
    found = checks.check(actor, row)
    body: dict[str, Any] = VoucherClaimCheckSchema().dump(
        {
            "ready": found.ready,
            "outcome": as_json(found.outcome),
            "missing": found.missing,
            "refusals": found.refusals,
            "related": found.related,
            "look": found.look,
            "papers": found.papers,
        }
    )
    return tagged(body)


@blueprint.route("/vouchers/claims/<string:no>/answers", methods=["PUT"])
@blueprint.doc(
    operationId="answerVoucherClaim",
    summary="逐项答复补正",
    description="待补正时；没写的项不变。须带 If-Match。",
)
@blueprint.arguments(VoucherAnswersInput)
@blueprint.response(200, VoucherClaimCaseSchema, description="答复后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(CLAIM_MONEY)
def answers(values: dict[str, Any], no: str) -> Response:
    """How each thing was mended."""
    version = _seen(no)
    told = {name: words or "" for name, words in values["answers"].items()}
    answering.answer(current_actor(), no, told, version)
    return tagged(*_whole(no))


def _files(row: Claim) -> dict[str, Any]:
    found: dict[str, Any] = VoucherFileListSchema().dump(whole(evidence.files_of(row)))
    return found


@blueprint.route("/vouchers/claims/<string:no>/files")
@blueprint.doc(operationId="listVoucherClaimFiles", summary="兑付申请的佐证材料")
@blueprint.response(200, VoucherFileListSchema, description="材料；ETag 供移除时带上")
@blueprint.alt_response(404, MISSING)
@requires(READ_CLAIM)
def attached(no: str) -> Response:
    """What is attached."""
    row = _claim(no)
    return tagged(_files(row), row.lock_version)


@blueprint.route("/vouchers/claims/<string:no>/files", methods=["POST"])
@blueprint.arguments(VoucherUploadQuery, location="query")
@blueprint.doc(
    operationId="addVoucherClaimFile",
    summary="添佐证材料",
    description=f"草稿或待补正时。正文就是文件：{evidence.ACCEPTED}。可带 Idempotency-Key。",
    requestBody=_FILE,
)
@blueprint.response(201, VoucherFileListSchema, description="添加后的材料")
@blueprint.alt_response(404, MISSING)
@creates
@requires(CLAIM_MONEY)
def add_file(query: dict[str, Any], no: str) -> Response:
    """Attach a file; with `Idempotency-Key` once."""
    request.max_content_length = evidence.LARGEST + 1
    actor = current_actor()
    policy.require(actor, CLAIM_MONEY, _claim(no))
    upload = evidence.take_in(query["name"], request.get_data(cache=True))

    def act() -> tuple[dict[str, Any], str]:
        evidence.add(actor, no, upload, query["purpose"])
        return _files(_claim(no)), f"{PREFIX}/vouchers/claims/{no}/files"

    return create_once(act)


@blueprint.route("/vouchers/claims/<string:no>/files/<string:file_no>", methods=["DELETE"])
@blueprint.doc(
    operationId="removeVoucherClaimFile",
    summary="移除佐证材料",
    description="草稿或待补正时。须带 If-Match：这份申请的 ETag。",
)
@blueprint.response(204, description="已移除")
@blueprint.alt_response(404, MISSING)
@edits
@requires(CLAIM_MONEY)
def remove_file(no: str, file_no: str) -> Response:
    """Take a file off."""
    actor = current_actor()
    with as_seen(lambda: _claim(no).lock_version):
        evidence.remove(actor, no, file_no)
    return Response(status=204)
