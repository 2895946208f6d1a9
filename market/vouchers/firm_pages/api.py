"""Vouchers in the API: applications, vouchers, orders, what an organisation declares of itself."""

from __future__ import annotations

from typing import Any

from flask import Response

from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import (
    as_seen,
    create_once,
    creates,
    edits,
    require_match,
    tagged,
)
from market.core.errors import Denied
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, PageOf
from market.core.permissions import requires
from market.vouchers import applying, ordering, related
from market.vouchers.firm_pages import placing, queries
from market.vouchers.firm_pages.api_inputs import (
    NewVoucherApplication,
    NewVoucherOrder,
    VoucherOrderAct,
    VoucherPageQuery,
    VoucherPartiesInput,
    VoucherPartiesSchema,
    VoucherRatingInput,
)
from market.vouchers.firm_pages.api_schemas import (
    OwnVoucherListSchema,
    OwnVoucherSchema,
    VoucherApplicationCaseSchema,
    VoucherApplicationListSchema,
    VoucherOrderCaseSchema,
    VoucherOrderListSchema,
)
from market.vouchers.firm_pages.schemas import PARTIES, facts_in
from market.vouchers.firm_pages.web_apply import applied
from market.vouchers.locking import seen
from market.vouchers.models import (
    APPLICATION_STATES,
    ORDER_STATES,
    VOUCHER_STATES,
    Application,
    Order,
    Voucher,
)
from market.vouchers.workflow import (
    APPLICATION,
    APPLY,
    DECLARE,
    ORDER_SERVICE,
    READ_APPLICATION,
    READ_ORDER,
    READ_VOUCHER,
)

blueprint = ApiBlueprint("vouchers_api", __name__, "创新券：申领、服务订单、兑付")


def own_firm() -> int:
    """The organisation that the program acts for. Raises Denied."""
    found = queries.firms(current_actor())
    if len(found) != 1:
        raise Denied("这个令牌不代表哪家单位的编辑或管理员。")
    return found[0].id


def row_of(case: Any, states: Any, address: str, names: str) -> dict[str, Any]:
    """A case as lists tell it: what all share, and the columns that are named."""
    return {name: getattr(case, name) for name in f"no state updated_at {names}".split()} | {
        "scheme": case.scheme.no,
        "scheme_title": case.scheme.title,
        "scheme_version": case.version.version,
        "state_label": states[case.state],
        "url": f"{address}/{case.no}",
    }


def listed(kind: str, query: dict[str, Any], row: Any) -> PageOf[dict[str, Any]]:
    """A page of one's own rows of a kind."""
    size = query["per_page"]
    number = min(query["page"], EXACT_UP_TO // size)
    found = queries.mine(current_actor(), kind, number, size)
    return PageOf([row(one) for one in found.items], found.total, number, size, found.total_is)


def offered(actions: Any) -> list[dict[str, Any]]:
    """What may be done now."""
    return [
        {"action": one.action, "label": one.label, "needs_reason": one.reason} for one in actions
    ]


def _application(row: Application) -> dict[str, Any]:
    names = "asked_fen granted_fen purpose"
    return row_of(row, APPLICATION_STATES, "/vouchers/applications", names)


def _whole_application(no: str) -> tuple[dict[str, Any], int]:
    actor = current_actor()
    row = seen(Application, actor, READ_APPLICATION, no)
    acts = [one for one in APPLICATION.actions(actor, row) if one.action == "withdraw"]
    body: dict[str, Any] = VoucherApplicationCaseSchema().dump(
        _application(row)
        | {
            "outcome": row.outcome,
            "vouchers": [one.no for one in queries.vouchers_of(row)],
            "actions": offered(acts),
        }
    )
    return body, row.lock_version


@blueprint.route("/my/voucher-applications")
@blueprint.doc(operationId="listOwnVoucherApplications", summary="本单位的创新券申领")
@blueprint.arguments(VoucherPageQuery, location="query")
@blueprint.response(200, VoucherApplicationListSchema, description="新的在前")
@requires(READ_APPLICATION)
def applications(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """One's own applications."""
    return listed("applications", query, _application)


@blueprint.route("/my/voucher-applications", methods=["POST"])
@blueprint.doc(
    operationId="createVoucherApplication",
    summary="申领创新券",
    description="可带 Idempotency-Key。",
)
@blueprint.arguments(NewVoucherApplication)
@blueprint.response(201, VoucherApplicationCaseSchema, description="申领")
@creates
@requires(APPLY)
def apply(values: dict[str, Any]) -> Response:
    """申领."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        facts = facts_in(values["facts"])
        no = applied(
            actor, values["scheme"], own_firm(), values["asked_fen"], facts, values.get("purpose")
        )
        return _whole_application(no)[0], f"{PREFIX}/vouchers/applications/{no}"

    return create_once(act)


@blueprint.route("/vouchers/applications/<string:no>")
@blueprint.doc(operationId="getVoucherApplication", summary="一份创新券申领")
@blueprint.response(200, VoucherApplicationCaseSchema, description="额度怎样来的、发放的券")
@blueprint.alt_response(404, MISSING)
@requires(READ_APPLICATION)
def application(no: str) -> Response:
    """An application."""
    return tagged(*_whole_application(no))


@blueprint.route("/vouchers/applications/<string:no>/withdraw", methods=["POST"])
@blueprint.doc(
    operationId="withdrawVoucherApplication", summary="撤回申领", description="须带 If-Match。"
)
@blueprint.response(200, VoucherApplicationCaseSchema, description="撤回后的申领")
@blueprint.alt_response(404, MISSING)
@edits
@requires(APPLY)
def withdraw(no: str) -> Response:
    """Take it back."""
    actor = current_actor()
    version = seen(Application, actor, READ_APPLICATION, no).lock_version
    require_match(version)
    applying.withdraw(actor, no, version)
    return tagged(*_whole_application(no))


def _voucher(row: Voucher) -> dict[str, Any]:
    names = "face_fen left_fen held_fen spent_fen issued_on ends_on"
    return row_of(row, VOUCHER_STATES, "/my/vouchers", names)


@blueprint.route("/my/vouchers")
@blueprint.doc(operationId="listOwnVouchers", summary="本单位的创新券")
@blueprint.arguments(VoucherPageQuery, location="query")
@blueprint.response(200, OwnVoucherListSchema, description="新的在前")
@requires(READ_VOUCHER)
def vouchers(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """One's own vouchers."""
    return listed("vouchers", query, _voucher)


@blueprint.route("/my/vouchers/<string:no>")
@blueprint.doc(operationId="getVoucher", summary="一张创新券")
@blueprint.response(200, OwnVoucherSchema, description="券面、余额、有效期")
@blueprint.alt_response(404, MISSING)
@requires(READ_VOUCHER)
def voucher(no: str) -> Response:
    """A voucher."""
    row = seen(Voucher, current_actor(), READ_VOUCHER, no)
    return tagged(OwnVoucherSchema().dump(_voucher(row)), row.lock_version)


def _order(row: Order) -> dict[str, Any]:
    names = "service title price_fen voucher_fen units contract_no service_from service_to"  # as its columns
    return row_of(row, ORDER_STATES, "/vouchers/orders", names) | {
        "firm": row.owner.name,
        "provider": row.provider.name,
        "voucher": row.voucher.no if row.voucher else None,
    }


def _whole_order(no: str) -> tuple[dict[str, Any], int]:
    actor = current_actor()
    row = seen(Order, actor, READ_ORDER, no)
    claim, rating = queries.claim_of(row), ordering.rating_of(row)
    body: dict[str, Any] = VoucherOrderCaseSchema().dump(
        _order(row)
        | {
            "note": row.note,
            "claim": claim.no if claim else None,
            "stars": rating.stars if rating else None,
            "rating_words": rating.words if rating else None,
            "actions": offered(ordering.steps(actor, row)),
        }
    )
    return body, row.lock_version


@blueprint.route("/my/voucher-orders")
@blueprint.doc(
    operationId="listOwnVoucherOrders",
    summary="本单位的服务订单",
    description="下的和收到的都在内。",
)
@blueprint.arguments(VoucherPageQuery, location="query")
@blueprint.response(200, VoucherOrderListSchema, description="新的在前")
@requires(READ_ORDER)
def orders(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """Orders of either side."""
    return listed("orders", query, _order)


@blueprint.route("/my/voucher-orders", methods=["POST"])
@blueprint.doc(
    operationId="createVoucherOrder", summary="下服务订单", description="可带 Idempotency-Key。"
)
@blueprint.arguments(NewVoucherOrder)
@blueprint.response(201, VoucherOrderCaseSchema, description="订单")
@creates
@requires(ORDER_SERVICE)
def place(values: dict[str, Any]) -> Response:
    """下单."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        no = placing.place(actor, own_firm(), {**values, **facts_in(values["facts"])})
        return _whole_order(no)[0], f"{PREFIX}/vouchers/orders/{no}"

    return create_once(act)


@blueprint.route("/vouchers/orders/<string:no>")
@blueprint.doc(operationId="getVoucherOrder", summary="一笔服务订单")
@blueprint.response(200, VoucherOrderCaseSchema, description="订单和现在能做的")
@blueprint.alt_response(404, MISSING)
@requires(READ_ORDER)
def order(no: str) -> Response:
    """An order."""
    return tagged(*_whole_order(no))


def _order_seen(no: str) -> int:
    version = seen(Order, current_actor(), READ_ORDER, no).lock_version
    require_match(version)
    return version


@blueprint.route("/vouchers/orders/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnVoucherOrder",
    summary="接单、不接单、交付、验收、退回重做、取消、终止",
    description="现在能做哪些，见这笔订单的 actions。须带 If-Match。",
)
@blueprint.arguments(VoucherOrderAct)
@blueprint.response(200, VoucherOrderCaseSchema, description="办后的订单")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ_ORDER)
def act_on_order(values: dict[str, Any], no: str) -> Response:
    """A step of either side."""
    version = _order_seen(no)
    ordering.act(
        current_actor(), no, values["action"], reason=values.get("reason"), version=version
    )
    return tagged(*_whole_order(no))


@blueprint.route("/vouchers/orders/<string:no>/rating", methods=["PUT"])
@blueprint.doc(
    operationId="rateVoucherOrder",
    summary="评价服务",
    description="验收以后，一次。须带 If-Match。",
)
@blueprint.arguments(VoucherRatingInput)
@blueprint.response(200, VoucherOrderCaseSchema, description="评价后的订单")
@blueprint.alt_response(404, MISSING)
@edits
@requires(ORDER_SERVICE)
def rate(values: dict[str, Any], no: str) -> Response:
    """评价."""
    version = _order_seen(no)
    ordering.rate(current_actor(), no, values["stars"], values.get("words") or "", version)
    return tagged(*_whole_order(no))


def _parties() -> dict[str, Any]:
    found = related.declared(current_actor(), own_firm())
    body: dict[str, Any] = VoucherPartiesSchema().dump(
        {kind: found.get(kind, []) for kind in PARTIES}
    )
    return body


@blueprint.route("/my/voucher-parties")
@blueprint.doc(
    operationId="getVoucherParties", summary="本单位的关联方申报", description="内容已遮盖。"
)
@blueprint.response(200, VoucherPartiesSchema, description="申报的各项")
@requires(DECLARE)
def parties() -> Response:
    """What one declared of oneself, masked."""
    return tagged(_parties())


@blueprint.route("/my/voucher-parties", methods=["PUT"])
@blueprint.doc(
    operationId="declareVoucherParties",
    summary="申报法定代表人、股东等",
    description="没写的项不变，空的列表表示没有。须带 If-Match。",
)
@blueprint.arguments(VoucherPartiesInput)
@blueprint.response(200, VoucherPartiesSchema, description="申报后的各项")
@edits
@requires(DECLARE)
def declare(values: dict[str, Any]) -> Response:
    """Declare it; each kind that is named is replaced."""
    with as_seen(_parties):
        related.declare(current_actor(), own_firm(), values)
    return tagged(_parties())
