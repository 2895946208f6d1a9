"""What a claim holds while it is under way: caps, voucher, budget, invoices; approved and given back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy.exc import IntegrityError

from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict
from market.core.unit_of_work import UnitOfWork
from market.vouchers import applying, caps, funds, top_ups
from market.vouchers.calculating import year_caps
from market.vouchers.claim_models import Claim, Invoice
from market.vouchers.facts import Facts
from market.vouchers.knowing import firm_of
from market.vouchers.locking import moved
from market.vouchers.models import Voucher
from market.vouchers.schemes import sheet_of
from market.vouchers.workflow import VOUCHER


def scope_of(row: Claim) -> str:
    """What the caps of a claim count over."""
    return caps.scope_of(sheet_of(row.version), row.scheme, award=row.kind == "award")


def activate(invoices: Sequence[Invoice]) -> None:
    """From now on no other claim may use them.

    Raises:
        Conflict: one was used just now.
    """
    try:
        with db.session.begin_nested():
            for one in invoices:
                one.active = True
            db.session.flush()
    except IntegrityError:
        raise Conflict("其中一张发票刚用于另一份兑付申请。") from None


def hold(work: UnitOfWork, row: Claim, day: date) -> None:
    """Take what a claim asks for from its caps, its voucher and the budget.

    Raises:
        Conflict: one of them does not suffice.
    """
    sheet, fen, scope = sheet_of(row.version), row.asked_fen, scope_of(row)
    asked = Facts(day=day, year=row.year, firm=firm_of(row.firm, row.scheme, day, row.facts))
    year_cap = min((one[1] for one in year_caps(sheet, asked)), default=None)
    total_cap = sheet.cap_total_fen
    if row.kind == "award":
        year_cap, total_cap = sheet.award.cap_year_fen if sheet.award else None, None
    caps.count(scope, row.organisation_id, row.year, "claimed_fen", fen, year_cap, "年度上限")
    caps.count(scope, row.organisation_id, caps.EVER, "claimed_fen", fen, total_cap, "累计上限")
    if row.voucher is not None:
        if row.order is not None:
            applying.refuse_ended(row.voucher, day)
            row.voucher_fen = row.order.voucher_fen
        else:
            applying.hold(work, row.voucher, fen, day)
            row.voucher_fen = fen
    if funds.holder_of(sheet, row) == ("claim", row.id):
        parts = funds.parts_for(sheet, row, fen)
        key = f"claim:{row.id}:reserve"
        funds.reserve(work, ("claim", row.id), row.scheme, row.year, parts, key)
    if sheet.reserve_at != "approval":
        top_ups.reserve(work, row, fen)
    db.session.flush()


def let_go(work: UnitOfWork, row: Claim, key: str) -> None:
    """Give back what an unapproved claim holds: caps, voucher, budget, invoices."""
    _uncount(row, row.asked_fen)
    if row.voucher is not None and row.order is None and row.voucher_fen:
        applying.unhold(row.voucher, row.voucher_fen)
    funds.release(work, ("claim", row.id), f"claim:{row.id}:{key}")
    top_ups.release(work, row, key)
    for one in row.invoices:
        one.active = False
    db.session.flush()


def _uncount(row: Claim, fen: int) -> None:
    for year in (row.year, caps.EVER):
        caps.count(scope_of(row), row.organisation_id, year, "claimed_fen", -fen, None, "年度上限")


def approve_money(work: UnitOfWork, row: Claim, fen: int) -> list[top_ups.Added]:
    """Bring a claim's money to what is approved; what it asked beyond goes back.

    Returns:
        What others add to it, and from where.
    """
    sheet = sheet_of(row.version)
    if row.voucher is not None:
        applying.refuse_ended(row.voucher)
    _uncount(row, row.asked_fen - fen)
    funds.approve(work, sheet, row, fen)
    added = top_ups.approve(work, row, fen)
    if row.voucher is None:
        return added
    applying.unhold(row.voucher, row.voucher_fen, spent_fen=fen)
    scope = caps.scope_of(sheet, row.scheme)
    caps.count(scope, row.organisation_id, caps.EVER, "held_fen", -fen, None, "持有上限")
    if row.voucher.left_fen == 0 and row.voucher.held_fen == 0:
        flow.fire(work, VOUCHER, row.voucher, "redeem", values=moved(Voucher))
    return added


def unapprove_money(work: UnitOfWork, row: Claim) -> None:
    """Take an approval back: what was approved is where it came from."""
    sheet, fen = sheet_of(row.version), row.amount_fen or 0
    funds.take_back_approval(work, sheet, row)
    _uncount(row, fen)
    for one in row.invoices:
        one.active = False
    db.session.flush()
    if row.order is not None and row.order.voucher_fen:  # it can be claimed again, for this much
        row.order.voucher_fen = fen
    if row.voucher is None:
        return
    ended = row.voucher.state in {"expired", "released"}
    held = -fen if row.order is not None and not ended else 0
    applying.unhold(row.voucher, held, spent_fen=-fen)
    if ended:  # nobody can use it any more
        if (holder := funds.holder_of(sheet, row)) is not None:
            funds.release(work, holder, f"claim:{row.id}:ended")
        return
    scope = caps.scope_of(sheet, row.scheme)
    caps.count(scope, row.organisation_id, caps.EVER, "held_fen", fen, None, "持有上限")
    if row.voucher.state == "redeemed":
        flow.fire(work, VOUCHER, row.voucher, "restore", values=moved(Voucher))
