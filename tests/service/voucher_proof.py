"""What must hold of the money of a scheme at any moment, from its cases and its entries alone."""

from __future__ import annotations

from sqlalchemy import func, select

from market.core.db import db
from market.vouchers.claim_models import Claim, Invoice, Payment
from market.vouchers.ledger.models import LedgerAccount, LedgerLine
from market.vouchers.models import CapUse, Hold, Order, Voucher

APPROVED = ("reviewed", "notice", "payable", "batched", "bounced")
SPENT = (*APPROVED, "paid", "recovered")
WAITING = ("submitted", "returned")
LIVE_VOUCHER = ("issued", "used", "frozen", "redeemed")
LIVE_ORDER = ("placed", "confirmed", "delivered", "accepted")


def _sums(column, *conditions, by=None):
    if by is None:
        return int(db.session.scalar(select(func.coalesce(func.sum(column), 0)).where(*conditions)))
    rows = db.session.execute(select(by, func.sum(column)).where(*conditions).group_by(by))
    return {key: int(value) for key, value in rows}


def proved(scheme_id, cap_year, cap_held):
    """Everything that must hold of a scheme's money, from its cases and its entries alone."""
    accounts = db.session.execute(
        select(
            LedgerAccount.id, LedgerAccount.kind, LedgerAccount.balance_fen,
            func.coalesce(func.sum(LedgerLine.amount_fen), 0),
        )
        .outerjoin(LedgerLine, LedgerLine.account_id == LedgerAccount.id)
        .where(LedgerAccount.scheme_id == scheme_id)
        .group_by(LedgerAccount.id)
    ).all()  # fmt: skip
    assert all(balance == lines for _, _, balance, lines in accounts), accounts
    pot: dict[str, int] = {}
    for _id, kind, balance, _lines in accounts:
        pot[kind] = pot.get(kind, 0) + balance
    assert sum(pot.values()) == 0, pot
    assert all(fen >= 0 for kind, fen in pot.items() if kind != "funding"), pot
    claims = db.session.scalars(select(Claim).where(Claim.scheme_id == scheme_id)).all()
    held = _sums(Hold.fen, Hold.scheme_id == scheme_id)
    found = {
        "reserved": held,
        "approved": sum(one.total_fen for one in claims if one.state in APPROVED),
        "paid": sum(one.total_fen for one in claims if one.state == "paid"),
        "recovered": sum(one.total_fen for one in claims if one.state == "recovered"),
    }
    assert {kind: pot[kind] for kind in found} == found
    _vouchers_are_true(scheme_id, claims)
    _holds_are_true(scheme_id, claims)
    _caps_are_true(scheme_id, claims, cap_year, cap_held)
    _paid_once(claims)


def _vouchers_are_true(scheme_id, claims):
    orders = db.session.scalars(select(Order).where(Order.scheme_id == scheme_id)).all()
    spent_orders = {one.order_id for one in claims if one.state in SPENT}
    for voucher in db.session.scalars(select(Voucher).where(Voucher.scheme_id == scheme_id)):
        own = [one for one in claims if one.voucher_id == voucher.id]
        spent = sum(one.amount_fen for one in own if one.state in SPENT)
        held = sum(
            one.voucher_fen for one in own if one.state in WAITING and one.order_id is None
        ) + sum(
            one.voucher_fen for one in orders
            if one.voucher_id == voucher.id and one.state in LIVE_ORDER
            and one.id not in spent_orders and voucher.state in LIVE_VOUCHER
        )  # fmt: skip
        assert (voucher.held_fen, voucher.spent_fen) == (held, spent), voucher.no
        assert voucher.left_fen >= 0


def _holds_are_true(scheme_id, claims):
    rows = db.session.execute(
        select(Hold.kind, Hold.object_id, Hold.fen).where(Hold.scheme_id == scheme_id, Hold.fen > 0)
    )
    by_claim = {one.id: one for one in claims}
    spent_orders = {one.order_id for one in claims if one.state in SPENT}
    for kind, key, fen in rows:
        if kind in {"claim", "top_up"}:
            assert by_claim[key].state in WAITING
            assert fen == by_claim[key].asked_fen // (1 if kind == "claim" else 3)
        elif kind == "order":
            order = db.session.get_one(Order, key)
            assert order.state in LIVE_ORDER
            assert key not in spent_orders
            assert fen == order.voucher_fen
        else:
            voucher = db.session.get_one(Voucher, key)
            assert voucher.state in LIVE_VOUCHER, voucher.state
            assert fen == voucher.face_fen - voucher.spent_fen


def _caps_are_true(scheme_id, claims, cap_year, cap_held):
    scope = f"scheme:{scheme_id}"
    counted: dict[tuple[int, int], int] = {}
    for one in claims:
        fen = one.asked_fen if one.state in WAITING else 0
        fen = one.amount_fen if one.state in SPENT else fen
        for year in (one.year, 0):
            key = (one.organisation_id, year)
            counted[key] = counted.get(key, 0) + fen
    worth = Voucher.face_fen - Voucher.spent_fen
    theirs = Voucher.scheme_id == scheme_id
    held = _sums(worth, theirs, Voucher.state.in_(LIVE_VOUCHER), by=Voucher.organisation_id)
    issued = _sums(Voucher.face_fen, theirs, by=Voucher.organisation_id)
    for use in db.session.scalars(select(CapUse).where(CapUse.scope == scope)):
        firm = use.organisation_id
        assert use.claimed_fen == counted.get((firm, use.year), 0), (firm, use.year)
        if use.year == 0:
            assert use.held_fen == held.get(firm, 0)
            assert use.held_fen <= cap_held
        else:
            assert use.claimed_fen <= cap_year
    assert sum(issued.values()) == _sums(CapUse.issued_fen, CapUse.scope == scope, CapUse.year > 0)


def _paid_once(claims):
    ids = {one.id: one for one in claims}
    rows = db.session.execute(
        select(Payment.claim_id, func.count(), func.sum(Payment.amount_fen))
        .where(Payment.claim_id.in_(ids), Payment.state != "bounced")
        .group_by(Payment.claim_id)
    ).all()
    assert all(count == 1 and fen == ids[key].total_fen for key, count, fen in rows)
    paid = {key for key, _, _ in rows}
    assert paid == {one.id for one in claims if one.state in {"paid", "recovered"}}
    active = select(Invoice.claim_id).where(Invoice.claim_id.in_(ids), Invoice.active)
    alive = {one.id for one in claims if one.state in (*WAITING, *SPENT)}
    assert set(db.session.scalars(active)) == alive
