"""Claims of a side of an order: how one begins, and what its pages show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from market.accounts.roles import EDITORS
from market.core.errors import Conflict, Denied, Invalid
from market.core.permissions import Actor
from market.vouchers import claiming
from market.vouchers.firm_pages import queries
from market.vouchers.firm_pages.placing import Source, source
from market.vouchers.locking import seen
from market.vouchers.models import Order
from market.vouchers.schemes import sheet_of
from market.vouchers.workflow import READ_ORDER


def order_of(actor: Actor, no: str) -> Order:
    """An order that one of the actor's organisations may claim.

    Raises:
        NotFound: none that he may know. Conflict: it is not accepted, or claimed already.
        Denied: the other side claims.
    """
    order = seen(Order, actor, READ_ORDER, no)
    if order.state != "accepted":
        raise Conflict("订单验收后才能申请兑付。")
    if not queries.claims(order, set(actor.organisations(*EDITORS))):
        by_provider = sheet_of(order.version).payer_model == "provider"
        raise Denied(f"按办法由{'服务机构' if by_provider else '企业'}申请兑付。")
    if (there := queries.claim_of(order)) is not None:
        raise Conflict(f"这笔订单已经有兑付申请 {there.no}。")
    return order


def from_order(actor: Actor, no: str) -> str:
    """Begin a claim with what the order says; returns its number."""
    order = order_of(actor, no)
    by_provider = sheet_of(order.version).payer_model == "provider"
    claimant = order.provider_id if by_provider else order.organisation_id
    values = {
        "order": order.no,
        "items": [{"service": order.service, "cost_fen": order.price_fen, "units": order.units}],
        "contract_no": order.contract_no,
        "service_from": order.service_from,
        "service_to": order.service_to,
        "facts": queries.last_facts(actor, order.organisation_id),
    }
    return claiming.begin(actor, claimant, values)


def from_scheme(actor: Actor, firm_id: int, values: Mapping[str, Any]) -> str:
    """Begin a claim without an order, with or without a voucher; returns its number.

    Args:
        values: voucher or scheme, provider (name, code or number), service, cost_fen.

    Raises:
        Invalid: what is missing, each at its field.
    """
    words = {"provider": "请填写服务机构。", "service": "请选择服务。", "cost_fen": "请填写费用。"}
    wrong = {name: [text] for name, text in words.items() if not values.get(name)}
    provider = queries.provider_named(values.get("provider") or "")
    if provider is None and "provider" not in wrong:
        wrong["provider"] = ["没有找到这家单位：请填名录中的名称，或统一社会信用代码。"]
    if wrong:
        raise Invalid(wrong)
    found = source(actor, values.get("voucher") or "", values.get("scheme") or "")
    if found is None or provider is None:
        raise Invalid({"scheme": ["请选择创新券，或创新券办法。"]})
    if provider.id == firm_id:
        raise Invalid({"provider": ["服务机构不能是本单位。"]})
    refuse_side(found)
    told = {
        "voucher": found.voucher.no if found.voucher else None,
        "scheme": found.scheme.no,
        "provider_id": provider.id,
        "items": [{"service": values["service"], "cost_fen": values["cost_fen"]}],
        "facts": queries.last_facts(actor, firm_id),
    }
    return claiming.begin(actor, firm_id, told)


def refuse_side(found: Source) -> None:
    """Refuse a claim without an order where the provider claims, or a voucher comes first."""
    if found.sheet.payer_model == "provider":
        raise Conflict("本办法由服务机构凭订单申请兑付：请先下订单。")
    if found.voucher is None and found.sheet.claims_without_voucher is False:
        raise Conflict("本办法须先申领创新券，才能申请兑付。")
