"""The desk of vouchers in the API: applications, vouchers and claims."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from flask import Response

from market.contracts.papers.web import handed_out
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import as_seen, create_once, creates, edits, tagged
from market.core.http import current_actor
from market.core.pagination import PageOf
from market.core.permissions import requires
from market.vouchers import applying, claiming, mending, paying, reviewing, top_ups
from market.vouchers.claim_models import Claim
from market.vouchers.facts import as_json
from market.vouchers.models import Application
from market.vouchers.office_pages import acting, evidence, prints, queries
from market.vouchers.office_pages.api_schemas import (
    OfficeVoucherAccountInput,
    OfficeVoucherApplicationSchema,
    OfficeVoucherCheckInput,
    OfficeVoucherClaimSchema,
    OfficeVoucherFullAccountSchema,
    OfficeVoucherGrantedSchema,
    OfficeVoucherGrantInput,
    OfficeVoucherGrantManyInput,
    OfficeVoucherInvoiceInput,
    OfficeVoucherRatesInput,
    OfficeVoucherRecoverInput,
    OfficeVoucherReviewInput,
    OfficeVoucherSchema,
    VoucherActInput,
    VoucherCaseListSchema,
    VoucherDeskQuery,
    VoucherReasonInput,
)
from market.vouchers.office_pages.web_claims import kept_by_nobody
from market.vouchers.sheet import read
from market.vouchers.workflow import (
    CHECK,
    FREEZE,
    GRANT,
    READ_APPLICATION,
    READ_BATCH,
    READ_CLAIM,
    READ_VOUCHER,
    REVIEW,
    SETTLE,
    UNMASK,
)

blueprint = ApiBlueprint("voucher_desk_api", __name__, "创新券办件：申领、创新券、兑付")
SECURED: list[dict[str, list[str]]] = [{"token": []}]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
FILE: dict[Any, Any] = {"200": {"description": "PDF 文件", "content": {"application/pdf": _BINARY}}}


@blueprint.route("/voucher-desk")
@blueprint.doc(operationId="listVoucherDesk", summary="创新券办件", security=SECURED)
@blueprint.arguments(VoucherDeskQuery, location="query")
@blueprint.response(200, VoucherCaseListSchema, description="早的在前；已办结的新的在前")
@requires(READ_BATCH)
def desk(query: dict[str, Any]) -> PageOf[queries.Line]:
    """What the own office has to handle."""
    return queries.desk(current_actor(), query["tab"], query["q"], query["page"]).page


@blueprint.route("/voucher-desk/grant", methods=["POST"])
@blueprint.doc(
    operationId="grantVoucherApplications", summary="一次发放多份（各一张券）", security=SECURED
)
@blueprint.arguments(OfficeVoucherGrantManyInput)
@blueprint.response(201, OfficeVoucherGrantedSchema, description="逐份的结果")
@creates
@requires(GRANT)
def grant_many(values: dict[str, Any]) -> Response:
    """Grant several applications as asked, each for itself."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        found = acting.grant_many(actor, values["items"])
        items = [{"no": no, "trouble": words} for no, words in found.items()]
        return OfficeVoucherGrantedSchema().dump({"items": items}), f"{PREFIX}/voucher-desk"

    return create_once(act)


def _application(no: str) -> Response:
    found = queries.application(current_actor(), no)
    row = found.row
    same = ("no", "state", "asked_fen", "granted_fen", "purpose", "outcome")
    told: dict[str, Any] = {name: getattr(row, name) for name in same} | {
        "scheme": row.scheme.no,
        "scheme_version": row.version.version,
        "organisation": row.owner.name,
        "rosters": {kind: sorted(years) for kind, years in found.firm.rosters.items()},
        "barred_until": found.firm.barred_until,
        "vouchers": found.vouchers,
        "actions": sorted(found.may),
    }
    return tagged(OfficeVoucherApplicationSchema().dump(told), row.lock_version)


@blueprint.route("/voucher-desk/applications/<string:no>")
@blueprint.doc(operationId="getVoucherDeskApplication", summary="一份申领的审核", security=SECURED)
@blueprint.response(200, OfficeVoucherApplicationSchema, description="企业情况、券、可办的事")
@blueprint.alt_response(404, MISSING)
@requires(READ_APPLICATION)
def application(no: str) -> Response:
    """An application as its office sees it."""
    return _application(no)


def _seen(model: Any, no: str) -> AbstractContextManager[None]:
    """Compare with `If-Match` and act in one unit of work."""
    return as_seen(lambda: queries.find(model, current_actor(), no).lock_version)


@blueprint.route("/voucher-desk/applications/<string:no>/grant", methods=["POST"])
@blueprint.doc(operationId="grantVoucherApplication", summary="发放创新券", security=SECURED)
@blueprint.arguments(OfficeVoucherGrantInput)
@blueprint.response(200, OfficeVoucherApplicationSchema, description="办后的申领")
@blueprint.alt_response(404, MISSING)
@edits
@requires(GRANT)
def grant(values: dict[str, Any], no: str) -> Response:
    """Issue vouchers."""
    with as_seen(lambda: queries.find(Application, current_actor(), no).lock_version):
        applying.grant(current_actor(), no, values["faces_fen"])
    return _application(no)


@blueprint.route("/voucher-desk/applications/<string:no>/refuse", methods=["POST"])
@blueprint.doc(operationId="refuseVoucherApplication", summary="不予发放", security=SECURED)
@blueprint.arguments(VoucherReasonInput)
@blueprint.response(200, OfficeVoucherApplicationSchema, description="办后的申领")
@blueprint.alt_response(404, MISSING)
@edits
@requires(GRANT)
def refuse(values: dict[str, Any], no: str) -> Response:
    """Issue none."""
    with _seen(Application, no):
        applying.refuse(current_actor(), no, values["reason"])
    return _application(no)


def _voucher(no: str) -> Response:
    row = queries.voucher(current_actor(), no)
    return tagged(OfficeVoucherSchema().dump(row), row.lock_version)


@blueprint.route("/voucher-desk/vouchers/<string:no>")
@blueprint.doc(operationId="getVoucherAtDesk", summary="一张创新券", security=SECURED)
@blueprint.response(200, OfficeVoucherSchema, description="券面、余额、期限、状态")
@blueprint.alt_response(404, MISSING)
@requires(READ_VOUCHER)
def voucher(no: str) -> Response:
    """A voucher."""
    return _voucher(no)


@blueprint.route("/voucher-desk/vouchers/<string:no>/actions", methods=["POST"])
@blueprint.doc(operationId="actOnVoucher", summary="冻结、解除冻结、退回额度", security=SECURED)
@blueprint.arguments(VoucherActInput)
@blueprint.response(200, OfficeVoucherSchema, description="办后的券")
@blueprint.alt_response(404, MISSING)
@edits
@requires(FREEZE)
def act_on_voucher(values: dict[str, Any], no: str) -> Response:
    """Freeze, thaw or release it."""
    with as_seen(lambda: queries.voucher(current_actor(), no).lock_version):
        applying.mark(current_actor(), no, values["action"], values["reason"])
    return _voucher(no)


def claim_told(no: str) -> tuple[dict[str, Any], int]:
    """What a program is told of a claim, and the claim's version."""
    actor = current_actor()
    found = queries.claim(actor, no)
    row = found.row
    open_now = row.state == "submitted"
    same = ("no", "state", "asked_fen", "amount_fen", "top_up_fen", "items", "decided", "invoices", "level",
            "drawn", "checked_on")  # fmt: skip
    told: dict[str, Any] = {name: getattr(row, name) for name in same} | {
        "scheme": row.scheme.no,
        "scheme_version": row.version.version,
        "organisation": row.firm.name,
        "provider": row.provider.name if row.provider else None,
        "claimant": row.owner.name,
        "evidence_given": row.evidence,
        "outcome": as_json(top_ups.told(row, claiming.outcome_of(row)))
        if open_now
        else row.outcome,
        "open_rates": reviewing.open_rates(row),
        "open_readings": {
            one.code: {option.code: option.label for option in one.options}
            for one in read(row.version.content).readings
            if not one.chosen
        },
        "evidence": [
            {
                "kind": one.kind, "words": one.words, "ours": one.ours, "theirs": one.theirs,
                "other": one.other.no if one.other is not None else None,
            }
            for one in evidence.of(actor, row)
        ],
        "reviews": found.reviews,
        "payments": found.payments,
        "account": row.bank_shown,
        "notice": row.notice_no,
        "batch": row.batch.no if row.batch else None,
        "papers": prints.kinds_for(row),
        "actions": sorted(found.may),
    }  # fmt: skip
    body: dict[str, Any] = OfficeVoucherClaimSchema().dump(told)
    return body, row.lock_version


def _claim(no: str) -> Response:
    return tagged(*claim_told(no))


@blueprint.route("/voucher-desk/claims/<string:no>")
@blueprint.doc(operationId="getVoucherDeskClaim", summary="一份兑付申请的审核", security=SECURED)
@blueprint.response(200, OfficeVoucherClaimSchema, description="计算明细、发票、线索、审核和拨付")
@blueprint.alt_response(404, MISSING)
@requires(READ_CLAIM)
def claim(no: str) -> Response:
    """A claim as offices see it."""
    return _claim(no)


@blueprint.route("/voucher-desk/claims/<string:no>/review", methods=["POST"])
@blueprint.doc(
    operationId="reviewVoucherClaim",
    summary="审核：通过、退回补正（一次性告知）、不通过",
    security=SECURED,
)
@blueprint.arguments(OfficeVoucherReviewInput)
@blueprint.response(200, OfficeVoucherClaimSchema, description="办后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(REVIEW)
def review(values: dict[str, Any], no: str) -> Response:
    """Review it at the present level, or refuse it after its approval."""
    with _seen(Claim, no):
        reviewing.review(current_actor(), no, values["decision"], values["reasons"])
    return _claim(no)


@blueprint.route("/voucher-desk/claims/<string:no>/rates", methods=["POST"])
@blueprint.doc(operationId="decideVoucherRates", summary="审定比例和读法", security=SECURED)
@blueprint.arguments(OfficeVoucherRatesInput)
@blueprint.response(200, OfficeVoucherClaimSchema, description="办后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(REVIEW)
def rates(values: dict[str, Any], no: str) -> Response:
    """Decide what the sheet leaves open."""
    actor = current_actor()
    with _seen(Claim, no):
        if values["all"]:
            acting.decide_many(actor, no, values["rates"], values["readings"])
        else:
            reviewing.decide_rates(actor, no, values["rates"], None, values["readings"])
    return _claim(no)


@blueprint.route("/voucher-desk/claims/<string:no>/invoices", methods=["POST"])
@blueprint.doc(operationId="checkVoucherInvoice", summary="登记发票查验结果", security=SECURED)
@blueprint.arguments(OfficeVoucherInvoiceInput)
@blueprint.response(200, OfficeVoucherClaimSchema, description="办后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(CHECK)
def invoice(values: dict[str, Any], no: str) -> Response:
    """Type the result of checking an invoice."""
    with _seen(Claim, no):
        reviewing.check_invoice(
            current_actor(), no, values["number"], values["result"], values["on"]
        )
    return _claim(no)


@blueprint.route("/voucher-desk/claims/<string:no>/check", methods=["POST"])
@blueprint.doc(operationId="noteVoucherCheck", summary="登记抽查情况", security=SECURED)
@blueprint.arguments(OfficeVoucherCheckInput)
@blueprint.response(200, OfficeVoucherClaimSchema, description="办后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(CHECK)
def check(values: dict[str, Any], no: str) -> Response:
    """What the random check found."""
    with _seen(Claim, no):
        paying.note_check(current_actor(), no, values["words"])
    return _claim(no)


@blueprint.route("/voucher-desk/claims/<string:no>/recover", methods=["POST"])
@blueprint.doc(operationId="recoverVoucherClaim", summary="登记追回", security=SECURED)
@blueprint.arguments(OfficeVoucherRecoverInput)
@blueprint.response(200, OfficeVoucherClaimSchema, description="办后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(SETTLE)
def recover(values: dict[str, Any], no: str) -> Response:
    """The money came back, and the firm is barred."""
    with _seen(Claim, no):
        paying.recover(current_actor(), no, values["reason"], values["until"])
    return _claim(no)


@blueprint.route("/voucher-desk/claims/<string:no>/account", methods=["PUT"])
@blueprint.doc(operationId="correctVoucherAccount", summary="退票后更正收款账户", security=SECURED)
@blueprint.arguments(OfficeVoucherAccountInput)
@blueprint.response(200, OfficeVoucherClaimSchema, description="办后的申请")
@blueprint.alt_response(404, MISSING)
@edits
@requires(CHECK)
def account(values: dict[str, Any], no: str) -> Response:
    """Write the right account after 退票."""
    bank = {name: values[name] for name in ("holder", "bank", "account")}
    with _seen(Claim, no):
        mending.correct_account(current_actor(), no, bank, values["reason"])
    return _claim(no)


@blueprint.route("/voucher-desk/claims/<string:no>/bank", methods=["POST"])
@blueprint.doc(
    operationId="readVoucherAccount",
    summary="完整的收款账户",
    description="每次查看都记入操作记录，须写理由。",
    security=SECURED,
)
@blueprint.arguments(VoucherReasonInput)
@blueprint.response(200, OfficeVoucherFullAccountSchema, description="户名、开户银行、账号")
@blueprint.alt_response(404, MISSING)
@requires(UNMASK)
def bank(values: dict[str, Any], no: str) -> dict[str, str]:
    """The account in full."""
    queries.find(Claim, current_actor(), no)
    return claiming.bank_of(current_actor(), no, values["reason"])


@blueprint.route("/voucher-desk/claims/<string:no>/papers/<string:kind>")
@blueprint.doc(
    operationId="getVoucherClaimPaper",
    summary="下载审批表或补正告知书",
    description="回答就是 PDF 文件；有哪些，见 papers。",
    responses=FILE,
    security=SECURED,
)
@blueprint.alt_response(404, MISSING)
@requires(READ_BATCH)
def paper(no: str, kind: str) -> Response:
    """A paper of a claim."""
    return kept_by_nobody(
        handed_out(prints.printed(queries.find(Claim, current_actor(), no), kind))
    )
