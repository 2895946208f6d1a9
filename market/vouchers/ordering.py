"""Orders: a firm buys from a provider of the directory, who confirms and delivers; it accepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, select

from market.accounts.models import Organisation
from market.core import clock, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.money import show_yuan
from market.core.permissions import Actor
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.service_points.models import Admission
from market.vouchers import applying, funds
from market.vouchers.claim_models import USED, Claim
from market.vouchers.eligible import item_refusal
from market.vouchers.facts import Facts, Item, Outcome
from market.vouchers.knowing import barred_until, firm_of, place_of
from market.vouchers.locking import hold_money, locked, moved, seen, today
from market.vouchers.models import STARS, Order, Rating, Scheme, SchemeVersion, Voucher
from market.vouchers.related import relations
from market.vouchers.rules import compute, voucher_ends
from market.vouchers.schemes import live_version, sheet_of
from market.vouchers.telling import tell_ordered
from market.vouchers.workflow import ORDER, ORDER_SERVICE, READ_ORDER, READ_VOUCHER, RUNNING, VIEW

SERIES = "FD"


def is_provider(organisation_id: int) -> bool:
    """Whether an organisation stands in the directory as a provider for vouchers today."""
    query = select(Admission.id).where(
        Admission.organisation_id == organisation_id,
        Admission.kind == "voucher_provider",
        Admission.running(clock.today()),
    )
    return db.session.scalar(query.limit(1)) is not None


def place(actor: Actor, organisation_id: int, values: Mapping[str, Any]) -> str:
    """Order a service; returns the number.

    Args:
        values: scheme and voucher (numbers; the scheme's where there is no voucher), provider_id,
            service (code), title, price_fen, voucher_fen, units, contract_no, service_from,
            service_to, note, facts (as for `applying.apply`).

    Raises:
        Invalid: the provider is not in the directory, related, or the service is not paid for.
        Conflict: the voucher or the budget does not suffice.
    """
    with unit_of_work(actor) as work:
        firm = db.session.get_one(Organisation, organisation_id)
        provider = db.session.get(Organisation, values["provider_id"])
        if provider is None or not is_provider(provider.id):
            raise Invalid({"provider": ["请从服务机构名录中选择服务机构。"]})
        voucher = None
        if values.get("voucher"):
            voucher = locked(Voucher, actor, READ_VOUCHER, values["voucher"])
            scheme, version = voucher.scheme, voucher.version
        else:
            hold_money(Scheme, Scheme.no == values["scheme"])
            scheme = seen(Scheme, actor, VIEW, values["scheme"])
            version = live_version(scheme)
        if voucher is not None and voucher.organisation_id != firm.id:
            raise Invalid({"voucher": ["这张券不是本单位的，创新券不得转让。"]})
        if barred_until(provider.id, scheme.region.path_ids, today()):
            raise Invalid({"provider": ["这家服务机构已停止参与资格，请另选一家。"]})
        now, series = clock.now(), f"{SERIES}{clock.today().year}"
        row = Order(
            no=f"{series}{numbers.take(series)[0]:06d}", scheme_id=scheme.id, version_id=version.id,
            voucher_id=voucher.id if voucher else None, organisation_id=firm.id,
            provider_id=provider.id, region_id=place_of(firm, scheme),
            year=voucher.year if voucher else today().year, demo=firm.demo,
            created_at=now, updated_at=now, voucher_fen=values.get("voucher_fen") or 0,
            **{name: values.get(name) for name in _COLUMNS},
        )  # fmt: skip
        work.require(ORDER_SERVICE, row)
        _refuse(row, estimate(row, version, scheme, firm, provider, values.get("facts") or {}))
        db.session.add(row)
        db.session.flush()
        _take(work, row, version, firm, provider)
        flow.begin(work, ORDER, row)
        tell_ordered(row)
        return row.no


_COLUMNS = (
    "service", "title", "note", "price_fen", "units", "contract_no", "service_from", "service_to",
)  # fmt: skip


def estimate(
    row: Order, version: SchemeVersion, scheme: Scheme, firm: Organisation,
    provider: Organisation, declared: Mapping[str, Any],
) -> Outcome:  # fmt: skip
    """What the order would get by the rules."""
    day = today()
    return compute(
        version.content,
        Facts(
            day=day, stage="order", year=row.year,
            items=[Item(row.service, row.price_fen, row.units)],
            firm=firm_of(firm, scheme, day, declared),
            relations=frozenset(relations(firm, provider)),
        ),
    )  # fmt: skip


def _refuse(row: Order, outcome: Outcome) -> None:
    if not outcome.eligible:
        words = [one.words for one in outcome.reasons if one.weight == "refuse"]
        raise Invalid({"provider" if "关联" in "".join(words) else "service": words})
    most = outcome.ceiling_fen if outcome.amount_fen is None else outcome.amount_fen
    if most is not None and row.voucher_fen > most:
        raise Invalid({"voucher_fen": [f"按办法这项服务最多可用券 {show_yuan(most)}。"]})


def _take(
    work: UnitOfWork, row: Order, version: SchemeVersion, firm: Organisation, provider: Organisation
) -> None:
    sheet, day = sheet_of(version), today()
    if item_refusal(sheet, row.service, frozenset()):
        raise Invalid({"service": ["这项服务不在本办法的服务目录内。"]})
    if row.voucher_id is not None:
        if not row.voucher_fen:
            raise Invalid({"voucher_fen": ["请填写用券金额。"]})
        voucher = db.session.get_one(Voucher, row.voucher_id)
        if sheet.validity_starts == "order" and voucher.ends_on is None:
            voucher.ends_on = voucher_ends(sheet, day)
            db.session.flush()
        applying.hold(work, voucher, row.voucher_fen, day)
    elif row.voucher_fen and sheet.reserve_at != "order":
        raise Invalid({"voucher_fen": ["没有选券，用券金额请留空。"]})
    if sheet.reserve_at == "order":
        if not row.voucher_fen:
            raise Invalid({"voucher_fen": ["请填写要占用的金额。"]})
        parts = funds.parts_of(sheet, row.scheme, firm, provider, row.voucher_fen)
        funds.reserve(work, ("order", row.id), row.scheme, row.year, parts, f"order:{row.id}:place")


def act(
    actor: Actor, no: str, action: str, *, reason: str | None = None, version: int | None = None
) -> None:
    """Confirm, refuse, deliver (provider); accept, dispute, cancel (firm); end (office).

    Raises:
        Conflict: it is to be cancelled or ended, and a claim for it counts.
    """
    with unit_of_work(actor) as work:
        row = locked(Order, actor, READ_ORDER, no, version)
        if action in _ENDS and is_claimed(row):
            raise Conflict("这笔订单已经申请兑付，不能取消；请先撤回申请，或由部门不通过。")
        flow.fire(work, ORDER, row, action, reason=reason, values=moved(Order))
        if row.state in {"refused", "cancelled"}:
            let_go(work, row)


_ENDS = ("cancel", "end")


def is_claimed(row: Order) -> bool:
    """Whether money was asked or paid for an order."""
    query = select(Claim.id).where(Claim.order_id == row.id, Claim.state.in_(USED))
    return db.session.scalar(query.limit(1)) is not None


def unclaimed() -> ColumnElement[bool]:
    """SQL: orders that run and for which no money was asked."""
    asked = exists().where(Claim.order_id == Order.id, Claim.state.in_(USED))
    return and_(Order.state.in_(RUNNING), ~asked)


def steps(actor: Actor, row: Order) -> list[flow.Transition]:
    """What the actor may do with an order now: the buttons."""
    found = ORDER.actions(actor, row)
    return [one for one in found if one.action not in _ENDS] if is_claimed(row) else found


def rate(
    actor: Actor, no: str, stars: int, words: str = "", version: int | None = None
) -> None:  # fmt: skip
    """Say how the service was, once, after it was accepted; firm, provider and office see it.

    Args:
        stars: of `STARS`.

    Raises:
        Invalid: no such rating. Conflict: it is not accepted yet, or was rated already.
    """
    if stars not in STARS:
        raise Invalid({"stars": ["请选择评价。"]})
    with unit_of_work(actor) as work:
        row = locked(Order, actor, READ_ORDER, no, version)
        work.require(ORDER_SERVICE, row)
        if row.state != "accepted":
            raise Conflict("验收以后才能评价。")
        if rating_of(row) is not None:
            raise Conflict("这笔订单已经评价过了。")
        now, said = clock.now(), words.strip()[:500] or None
        rated = Rating(order_id=row.id, stars=stars, words=said, by=actor.label, at=now)
        db.session.add(rated)
        row.lock_version, row.updated_at = row.lock_version + 1, now
        work.record("voucher_order.rate", "voucher_order", row.id, no=no, after={"stars": stars})


def rating_of(row: Order) -> Rating | None:
    """What the firm said of an order's service."""
    return db.session.get(Rating, row.id)


def let_go(work: UnitOfWork, row: Order) -> None:
    """Give back what an order that ends holds of its voucher and of the budget."""
    # A voucher that ended while a claim was paid for the order holds nothing any more.
    over = row.voucher is not None and row.voucher.state in {"expired", "released"}
    if row.voucher is not None and row.voucher_fen and not over:
        applying.unhold(row.voucher, row.voucher_fen)
    funds.release(work, ("order", row.id), f"order:{row.id}:end")


def used_by_claim(row: Order) -> None:
    """Refuse an order that is not ready for a claim."""
    if row.state != "accepted":
        raise Conflict("订单验收后才能申请兑付。")
