"""What time does to vouchers: expiry and the end of a budget year. Safe to repeat."""

from __future__ import annotations

from datetime import date

from sqlalchemy import exists, select

from market.core import workflow as flow
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.vouchers import applying, ordering
from market.vouchers.claim_models import COUNTED, Claim
from market.vouchers.ledger.models import LedgerAccount
from market.vouchers.ledger.posting import Pot, Subject, between, post
from market.vouchers.ledger.queries import balances
from market.vouchers.locking import moved, today
from market.vouchers.models import Order, Voucher
from market.vouchers.workflow import ORDER, PROVE

AT_ONCE = 50


def expire(day: date | None = None) -> bool:
    """End vouchers whose last day is over; what they held of the budget is available again.

    A voucher with a claim under way waits for it; orders not claimed in time end with it.

    Returns:
        Whether more wait.
    """
    day = day or today()
    busy = exists().where(Claim.voucher_id == Voucher.id, Claim.state.in_(COUNTED[:-1]))
    query = (
        select(Voucher.id)
        .where(Voucher.state.in_(("issued", "used")), Voucher.ends_on < day, ~busy)
        .order_by(Voucher.id)
        .limit(AT_ONCE)
    )
    ids = db.session.scalars(query).all()
    for voucher_id in ids:
        _expire(voucher_id, day)
    return len(ids) == AT_ONCE


def _expire(voucher_id: int, day: date) -> None:
    with unit_of_work(SYSTEM) as work:
        work.require(PROVE)
        voucher = db.session.scalars(
            select(Voucher)
            .where(Voucher.id == voucher_id)
            .with_for_update(of=Voucher)
            .execution_options(populate_existing=True)
        ).one()
        under_way = select(Claim.id).where(
            Claim.voucher_id == voucher.id, Claim.state.in_(COUNTED[:-1])
        )
        over = voucher.ends_on is not None and voucher.ends_on < day
        if voucher.state not in {"issued", "used"} or not over or db.session.scalar(under_way):
            return
        open_orders = select(Order).where(
            Order.voucher_id == voucher.id,
            Order.state.in_(("placed", "confirmed", "delivered", "accepted")),
            ~exists().where(Claim.order_id == Order.id, Claim.state.in_(COUNTED)),
        )
        for order in db.session.scalars(open_orders.order_by(Order.id)).all():
            flow.fire(work, ORDER, order, "lapse", values=moved(Order))
            ordering.let_go(work, order)
        applying.give_back(work, voucher, "expire")


def lapse_year(day: date | None = None) -> int:
    """Take what past years left available out of their budgets; how many pots lapsed now."""
    day, done = day or today(), 0
    query = select(LedgerAccount).where(
        LedgerAccount.kind == "available",
        LedgerAccount.year < day.year,
        LedgerAccount.balance_fen > 0,
    )
    pots = [Pot(one.scheme_id, one.year, one.region_id) for one in db.session.scalars(query)]
    for pot in pots:
        with unit_of_work(SYSTEM) as work:
            work.require(PROVE)
            left = balances(pot)["available"]
            if not left:
                continue
            key = f"lapse:{pot.scheme_id}:{pot.year}:{pot.region_id}:{balances(pot)['funding']}"
            moves = between(pot, "available", "funding", left)
            post(work, key, "cut", moves, Subject("budget", pot.scheme_id))
            done += 1
    return done


def run() -> bool:
    """What the worker does now and then."""
    return expire()
