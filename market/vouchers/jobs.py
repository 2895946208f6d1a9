"""What time does to vouchers: expiry and the end of a budget year. Safe to repeat."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import ColumnElement, exists, func, or_, select

from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.vouchers import applying, ordering, telling
from market.vouchers.claim_models import COUNTED, USED, Claim
from market.vouchers.ledger.models import LedgerAccount, LedgerLine
from market.vouchers.ledger.posting import Pot, Subject, between, post
from market.vouchers.ledger.queries import balances
from market.vouchers.locking import hold_money, moved, today
from market.vouchers.models import Hold, Order, Scheme, Voucher
from market.vouchers.rules import voucher_ends
from market.vouchers.schemes import sheet_of
from market.vouchers.workflow import ORDER, PROVE

AT_ONCE = 50
REMIND_DAYS = (30, 7)  # days before a voucher's last day on which its holder is reminded


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
        hold_money(Voucher, Voucher.id == voucher_id)
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
            ~exists().where(Claim.order_id == Order.id, Claim.state.in_(USED)),
        )
        for order in db.session.scalars(open_orders.order_by(Order.id)).all():
            flow.fire(work, ORDER, order, "lapse", values=moved(Order))
            ordering.let_go(work, order)
        applying.give_back(work, voucher, "expire")


def remind(day: date | None = None) -> bool:
    """Tell holders that their vouchers end soon, once for each step of `REMIND_DAYS`.

    A voucher that comes under two steps at once (issued late, the site stood still) is told of
    once. What is all spent, or waits for a claim under way, needs no reminder.

    Returns:
        Whether more wait.
    """
    day, found = day or today(), 0
    for step in sorted(REMIND_DAYS):
        query = select(Voucher.id).where(*_to_remind(step, day)).order_by(Voucher.id)
        ids = db.session.scalars(query.limit(AT_ONCE - found)).all()
        for voucher_id in ids:
            _remind(voucher_id, step, day)
        found += len(ids)
        if found == AT_ONCE:
            return True
    return False


def _to_remind(step: int, day: date) -> tuple[ColumnElement[bool], ...]:
    claimed = exists().where(Claim.voucher_id == Voucher.id, Claim.state.in_(COUNTED[:-1]))
    return (
        Voucher.state.in_(("issued", "used")),
        Voucher.ends_on >= day,
        Voucher.ends_on <= day + timedelta(days=step),
        or_(Voucher.reminded_days.is_(None), Voucher.reminded_days > step),
        Voucher.spent_fen < Voucher.face_fen,
        or_(Voucher.face_fen > Voucher.held_fen + Voucher.spent_fen, ~claimed),
    )


def _remind(voucher_id: int, step: int, day: date) -> None:
    with unit_of_work(SYSTEM) as work:
        work.require(PROVE)
        query = select(Voucher).where(Voucher.id == voucher_id, *_to_remind(step, day))
        held = query.with_for_update(of=Voucher).execution_options(populate_existing=True)
        voucher = db.session.scalar(held)
        if voucher is None or voucher.ends_on is None:
            return
        voucher.reminded_days = step
        telling.tell_ending(voucher, (voucher.ends_on - day).days, step)
        work.record("voucher.remind", "voucher", voucher.id, no=voucher.no, after={"days": step})


def reclaim(day: date | None = None) -> bool:
    """End orders that hold budget without a voucher and were not claimed as long as one is valid.

    Where the sheet gives no validity they wait for the office.

    Returns:
        Whether more wait.
    """
    day = day or today()
    query = select(Order).where(*_unclaimed()).order_by(Order.id)
    over = [one.id for one in db.session.scalars(query) if _over(one, day)]
    for order_id in over[:AT_ONCE]:
        with unit_of_work(SYSTEM) as work:
            work.require(PROVE)
            hold_money(Order, Order.id == order_id)
            still = select(Order).where(Order.id == order_id, *_unclaimed())
            held = still.with_for_update(of=Order).execution_options(populate_existing=True)
            if (order := db.session.scalar(held)) is not None:
                flow.fire(work, ORDER, order, "lapse", values=moved(Order))
                ordering.let_go(work, order)
    return len(over) > AT_ONCE


def _unclaimed() -> tuple[ColumnElement[bool], ...]:
    return (
        Order.voucher_id.is_(None),
        Order.state.in_(("placed", "confirmed", "delivered", "accepted")),
        exists().where(Hold.kind == "order", Hold.object_id == Order.id, Hold.fen > 0),
        ~exists().where(Claim.order_id == Order.id, Claim.state.in_(USED)),
    )


def _over(order: Order, day: date) -> bool:
    ends = voucher_ends(sheet_of(order.version), clock.local(order.created_at).date())
    return ends is not None and ends < day


def lapse_year(day: date | None = None, scheme_id: int | None = None) -> int:
    """Take what past years left available out of their budgets; how many pots lapsed now.

    A pot waits while vouchers or claims of its year may still ask for what is available.

    Args:
        scheme_id: only the pots of this scheme.
    """
    day, done = day or today(), 0
    query = select(LedgerAccount).where(
        LedgerAccount.kind == "available",
        LedgerAccount.year < day.year,
        LedgerAccount.balance_fen > 0,
    )
    if scheme_id is not None:
        query = query.where(LedgerAccount.scheme_id == scheme_id)
    rows = db.session.scalars(query.order_by(LedgerAccount.id)).all()
    pots = [(one.id, Pot(one.scheme_id, one.year, one.region_id)) for one in rows]
    for account_id, pot in pots:
        with unit_of_work(SYSTEM) as work:
            work.require(PROVE)
            hold_money(Scheme, Scheme.id == pot.scheme_id)
            left = balances(pot)["available"]
            if not left or _asked_of(pot):
                continue
            # The last entry tells the state of the account: money that comes later lapses too.
            last = select(func.max(LedgerLine.entry_id)).where(LedgerLine.account_id == account_id)
            key = f"lapse:{account_id}:{db.session.scalar(last)}"
            moves = between(pot, "available", "funding", left)
            post(work, key, "cut", moves, Subject("budget", pot.scheme_id))
            done += 1
    return done


def _asked_of(pot: Pot) -> bool:
    """Whether vouchers or claims of a year are under way that do not hold their money yet."""
    claims = select(Claim.id).where(
        Claim.scheme_id == pot.scheme_id,
        Claim.year == pot.year,
        Claim.state.in_(("submitted", "returned")),
    )
    if db.session.scalar(claims.limit(1)) is not None:
        return True
    live = select(Voucher).where(
        Voucher.scheme_id == pot.scheme_id,
        Voucher.year == pot.year,
        Voucher.state.in_(("issued", "used", "frozen")),
    )
    return any(sheet_of(one.version).reserve_at != "issue" for one in db.session.scalars(live))


def run() -> bool:
    """What the worker does now and then: what ends, what nobody claimed, who is reminded."""
    return expire() or reclaim() or remind()


def run_lapse() -> bool:
    """The end of budget years, once in a while."""
    lapse_year()
    return False
