"""Payment batches, figures and bars in the API. What finance officers do they do in person."""

from __future__ import annotations

from typing import Any

from flask import Response

from market.accounts.models import Organisation
from market.contracts.papers.web import handed_out
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import as_seen, create_once, creates, edits, tagged
from market.core.errors import NotFound
from market.core.http import LARGEST, current_actor
from market.core.pagination import PageOf, whole
from market.core.permissions import requires
from market.core.unit_of_work import unit_of_work
from market.vouchers import claiming, mending, paying
from market.vouchers.claim_models import Bar, Batch
from market.vouchers.office_pages import acting, balances, prints, queries
from market.vouchers.office_pages.api import FILE, SECURED
from market.vouchers.office_pages.api_batch_schemas import (
    OfficeVoucherBarInput,
    OfficeVoucherBarListSchema,
    OfficeVoucherBarSchema,
    OfficeVoucherBatchAccountsSchema,
    OfficeVoucherBatchInvoicesInput,
    OfficeVoucherBooksQuery,
    OfficeVoucherBooksSchema,
    OfficeVoucherDecideBatchInput,
    OfficeVoucherEntriesQuery,
    OfficeVoucherEntriesSchema,
    OfficeVoucherOpenBatchInput,
    VoucherBatchSchema,
)
from market.vouchers.office_pages.api_schemas import VoucherReasonInput
from market.vouchers.office_pages.web_claims import kept_by_nobody
from market.vouchers.workflow import BAR, CHECK, MAKE_BATCH, READ_BATCH, READ_BOOKS, UNMASK

blueprint = ApiBlueprint(
    "voucher_batches_api", __name__, "创新券拨付批次、额度与收支、停止申领资格"
)
_SAME = ("no", "title", "state", "meeting_no", "meeting_on", "fund_no", "fund_on")


def _told(no: str) -> tuple[dict[str, Any], int]:
    found = queries.batch(current_actor(), no)
    row = found.row
    told: dict[str, Any] = {name: getattr(row, name) for name in _SAME} | {
        "scheme": row.scheme.no,
        "total_fen": found.total_fen,
        "paid_fen": found.paid_fen,
        "payers": [{"payer": name, "fen": fen} for name, fen in found.payers],
        "claims": [
            {
                "no": one.no, "state": one.state, "payee": one.owner.name, "drawn": one.drawn,
                "amount_fen": one.amount_fen, "top_up_fen": one.top_up_fen, "account": one.bank_shown,
                "payments": found.payments.get(one.id, ()),
            }
            for one in found.claims
        ],
        "notices": {no: one.code for no, one in found.notices.items()},
        "said": {no: list(lines) for no, lines in found.said.items()},
        "papers": prints.kinds_for(row),
        "actions": sorted(found.may),
    }  # fmt: skip
    body: dict[str, Any] = VoucherBatchSchema().dump(told)
    return body, row.lock_version


def _batch(no: str) -> Response:
    return tagged(*_told(no))


@blueprint.route("/voucher-batches", methods=["POST"])
@blueprint.doc(operationId="openVoucherBatch", summary="建立拨付批次", security=SECURED)
@blueprint.arguments(OfficeVoucherOpenBatchInput)
@blueprint.response(201, VoucherBatchSchema, description="批次；公示已起草")
@creates
@requires(MAKE_BATCH)
def begin(values: dict[str, Any]) -> Response:
    """Open a batch and begin its notice."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        no = paying.open_batch(
            actor, values["scheme"], values["claims"], values["title"], notice=values["notice"]
        )
        return _told(no)[0], f"{PREFIX}/voucher-batches/{no}"

    return create_once(act)


@blueprint.route("/voucher-batches/<string:no>")
@blueprint.doc(operationId="getVoucherBatch", summary="一个拨付批次", security=SECURED)
@blueprint.response(200, VoucherBatchSchema, description="申请、公示、拨付")
@blueprint.alt_response(404, MISSING)
@requires(READ_BATCH)
def batch(no: str) -> Response:
    """A batch."""
    return _batch(no)


@blueprint.route("/voucher-batches/<string:no>/decide", methods=["POST"])
@blueprint.doc(operationId="decideVoucherBatch", summary="登记会议审定", security=SECURED)
@blueprint.arguments(OfficeVoucherDecideBatchInput)
@blueprint.response(200, VoucherBatchSchema, description="办后的批次")
@blueprint.alt_response(404, MISSING)
@edits
@requires(MAKE_BATCH)
def decide(values: dict[str, Any], no: str) -> Response:
    """Enter meeting and fund document."""
    with as_seen(lambda: queries.find(Batch, current_actor(), no).lock_version):
        acting.decide_batch(current_actor(), no, values)
    return _batch(no)


@blueprint.route("/voucher-batches/<string:no>/notice", methods=["POST"])
@blueprint.doc(operationId="renewVoucherBatchNotice", summary="重新公示", security=SECURED)
@blueprint.response(200, VoucherBatchSchema, description="办后的批次")
@blueprint.alt_response(404, MISSING)
@edits
@requires(MAKE_BATCH)
def notice(no: str) -> Response:
    """Begin another notice."""
    with as_seen(lambda: queries.find(Batch, current_actor(), no).lock_version):
        mending.notice_again(current_actor(), no)
    return _batch(no)


@blueprint.route("/voucher-batches/<string:no>/invoices", methods=["POST"])
@blueprint.doc(operationId="checkVoucherBatchInvoices", summary="发票再次查验", security=SECURED)
@blueprint.arguments(OfficeVoucherBatchInvoicesInput)
@blueprint.response(200, VoucherBatchSchema, description="办后的批次")
@blueprint.alt_response(404, MISSING)
@edits
@requires(CHECK)
def invoices(values: dict[str, Any], no: str) -> Response:
    """The second check of invoices."""
    results = {(one["claim"], one["number"]): one["result"] for one in values["results"]}
    with as_seen(lambda: queries.find(Batch, current_actor(), no).lock_version):
        acting.check_invoices(current_actor(), no, results, values["on"])
    return _batch(no)


@blueprint.route("/voucher-batches/<string:no>/accounts", methods=["POST"])
@blueprint.doc(
    operationId="readVoucherBatchAccounts",
    summary="完整的收款账户",
    description="每份申请各记入操作记录，须写理由。",
    security=SECURED,
)
@blueprint.arguments(VoucherReasonInput)
@blueprint.response(200, OfficeVoucherBatchAccountsSchema, description="逐份的户名、开户银行、账号")
@blueprint.alt_response(404, MISSING)
@requires(UNMASK)
def accounts(values: dict[str, Any], no: str) -> dict[str, Any]:
    """The accounts in full."""
    actor = current_actor()
    row = queries.find(Batch, actor, no)
    numbers = [one.no for one in queries.claims_of(row)]
    with unit_of_work(actor):
        found = [{"no": one, **claiming.bank_of(actor, one, values["reason"])} for one in numbers]
    return {"items": found}


@blueprint.route("/voucher-batches/<string:no>/papers/<string:kind>")
@blueprint.doc(
    operationId="getVoucherBatchPaper",
    summary="下载拨付汇总表或拨付申请",
    description="回答就是 PDF 文件；有哪些，见 papers。",
    responses=FILE,
    security=SECURED,
)
@blueprint.alt_response(404, MISSING)
@requires(READ_BATCH)
def paper(no: str, kind: str) -> Response:
    """A paper of a batch."""
    return kept_by_nobody(
        handed_out(prints.printed(queries.find(Batch, current_actor(), no), kind))
    )


@blueprint.route("/voucher-desk/recommendations/<string:no>")
@blueprint.doc(
    operationId="getVoucherRecommendation",
    summary="下载推荐函：本级审核通过、等上级审核的申请",
    description="回答就是 PDF 文件；编号是办法的编号。",
    responses=FILE,
    security=SECURED,
)
@blueprint.alt_response(404, MISSING)
@requires(READ_BATCH)
def recommendation(no: str) -> Response:
    """推荐函 for the level above."""
    return kept_by_nobody(handed_out(prints.recommendation(current_actor(), no)))


@blueprint.route("/voucher-balances")
@blueprint.doc(operationId="listVoucherBalances", summary="额度与收支", security=SECURED)
@blueprint.arguments(OfficeVoucherBooksQuery, location="query")
@blueprint.response(200, OfficeVoucherBooksSchema, description="按办法、年度、出资地区")
@requires(READ_BOOKS)
def books(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """The figures of each scheme, year and payer."""
    lines = balances.pots(current_actor(), query["year"], query["scheme"])
    return whole(
        [
            {
                "scheme": one.scheme.no, "title": one.scheme.title, "year": one.year,
                "payer": one.region.code,
                "figures": {
                    kind: {"account": one.accounts[kind], "fen": one.fen[kind]}
                    for kind in balances.FIGURES
                },
            }
            for one in lines
        ]
    )  # fmt: skip


@blueprint.route("/voucher-balances/<int:account_id>")
@blueprint.doc(operationId="listVoucherEntries", summary="一个数字的分录", security=SECURED)
@blueprint.arguments(OfficeVoucherEntriesQuery, location="query")
@blueprint.response(200, OfficeVoucherEntriesSchema, description="新的在前")
@blueprint.alt_response(404, MISSING)
@requires(READ_BOOKS)
def entries(query: dict[str, Any], account_id: int) -> dict[str, Any]:
    """The entries that a figure was counted from."""
    before = query["before"]
    if before is not None:
        before = max(0, min(before, LARGEST))
    found = balances.account(current_actor(), min(account_id, LARGEST), before)
    return {
        "figure": found.label,
        "fen": found.fen,
        "older": found.older,
        "items": [
            {
                "id": one.entry.id, "kind": one.kind, "subject": one.subject, "fen": one.fen,
                "by": one.entry.actor_label, "at": one.entry.at,
            }
            for one in found.lines
        ],
    }  # fmt: skip


def _bar(bar: Bar, organisation: Organisation) -> dict[str, Any]:
    same = ("id", "begins_on", "ends_on", "reason", "lifted_at")
    return {name: getattr(bar, name) for name in same} | {
        "organisation": organisation.name,
        "region": bar.region.code,
    }


def _found(bar_id: int) -> dict[str, Any]:
    for one, organisation in queries.bars(current_actor(), min(bar_id, LARGEST)):
        body: dict[str, Any] = OfficeVoucherBarSchema().dump(_bar(one, organisation))
        return body
    raise NotFound("没有这条停止申领资格的记录。")


@blueprint.route("/voucher-bars")
@blueprint.doc(operationId="listVoucherBars", summary="停止申领资格的单位", security=SECURED)
@blueprint.response(200, OfficeVoucherBarListSchema, description="停止中的在前")
@requires(BAR)
def bars() -> PageOf[dict[str, Any]]:
    """Bars of the own area."""
    return whole([_bar(*one) for one in queries.bars(current_actor())])


@blueprint.route("/voucher-bars", methods=["POST"])
@blueprint.doc(operationId="barVoucherFirm", summary="停止一个单位的申领资格", security=SECURED)
@blueprint.arguments(OfficeVoucherBarInput)
@blueprint.response(201, OfficeVoucherBarSchema, description="记录")
@creates
@requires(BAR)
def bar(values: dict[str, Any]) -> Response:
    """Stop an organisation."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        key = acting.bar(actor, values)
        newest = next(one for one in queries.bars(actor) if one[0].id == key)
        body: dict[str, Any] = OfficeVoucherBarSchema().dump(_bar(*newest))
        return body, f"{PREFIX}/voucher-bars/{newest[0].id}"

    return create_once(act)


@blueprint.route("/voucher-bars/<int:bar_id>")
@blueprint.doc(operationId="getVoucherBar", summary="一条停止申领资格的记录", security=SECURED)
@blueprint.response(200, OfficeVoucherBarSchema, description="记录")
@blueprint.alt_response(404, MISSING)
@requires(BAR)
def one_bar(bar_id: int) -> Response:
    """A bar."""
    return tagged(_found(bar_id))


@blueprint.route("/voucher-bars/<int:bar_id>/lift", methods=["POST"])
@blueprint.doc(operationId="liftVoucherBar", summary="解除停止申领资格", security=SECURED)
@blueprint.arguments(VoucherReasonInput)
@blueprint.response(200, OfficeVoucherBarSchema, description="办后的记录")
@blueprint.alt_response(404, MISSING)
@edits
@requires(BAR)
def lift(values: dict[str, Any], bar_id: int) -> Response:
    """End a bar before its last day."""
    with as_seen(lambda: _found(bar_id)):
        mending.lift(current_actor(), min(bar_id, LARGEST), values["reason"])
    return tagged(_found(bar_id))
