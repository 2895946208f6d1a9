"""What time does to voucher money: validity, the end of a year, a clock set back, notices."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.models import OutboxRow
from market.core.permissions import PUBLIC, SYSTEM
from market.notices import objecting
from market.vouchers import applying, jobs, ordering, paying, reviewing, schemes
from market.vouchers.ledger.reconcile import reconcile
from market.vouchers.models import Order, Voucher
from tests import vouchers
from tests.voucher_cast import Cast, approved, ordered, pot, run_notice
from tests.vouchers import YEAR, checked, row

MONTH = {"validity_length": 1, "validity_unit": "month", "validity_starts": "issue"}
NAMED = {"text": "这家没有做检测。", "name": "李四", "telephone": "13812341234", "consent": True}


@pytest.fixture
def cast(app):
    return Cast()


@pytest.fixture
def at():
    """The clock, in the middle of the year, moved by `at.shift`."""
    begin = clock.now().replace(month=6, day=1)
    with time_machine.travel(begin, tick=False) as traveller:
        yield traveller


def voucher(cast, no, fen):
    return applying.grant(cast.clerk, applying.apply(cast.owner, no, cast.firm, fen, {}))[0]


def test_a_clock_set_back_opens_no_door(at, cast):
    no = vouchers.scheme(reserve_at="issue", **MONTH)
    held = voucher(cast, no, 300_000)
    at.shift(timedelta(days=60))
    schemes.set_budget(SYSTEM, no, YEAR, 20_000_000, key="later")  # the ledger knows the day
    at.shift(timedelta(days=-60))
    order = {
        "voucher": held, "provider_id": cast.provider, "service": "test", "title": "检测",
        "price_fen": 1_000_000, "voucher_fen": 300_000,
    }  # fmt: skip
    with pytest.raises(Conflict, match="过期"):
        ordering.place(cast.owner, cast.firm, order)
    with pytest.raises(Invalid):
        vouchers.submitted(cast.owner, cast.firm, no, 1_000_000, voucher=held)
    jobs.run()
    assert db.session.query(Voucher).one().state == "expired"
    assert reconcile().true


def test_what_is_refused_after_its_voucher_ended_goes_back_to_the_budget(at, cast):
    no = vouchers.scheme(reserve_at="issue", **MONTH)
    held = voucher(cast, no, 600_000)
    claim = approved(cast, no, 1_000_000, order=ordered(cast, held))
    batch = paying.open_batch(cast.clerk, no, [claim], "一批", notice=False)
    assert batch
    # A voucher with a claim under way waits; released by the office it ends all the same.
    at.shift(timedelta(days=40))
    jobs.run()
    assert db.session.query(Voucher).one().state == "used"
    applying.mark(cast.clerk, held, "release", "余额不用")
    reviewing.review(cast.clerk, claim, "refuse", {"invoices": "异议成立"})
    assert pot(no) | {"funding": 0} == {
        "funding": 0, "available": 10_000_000, "reserved": 0, "approved": 0, "paid": 0,
        "recovered": 0,
    }  # fmt: skip
    kept = db.session.query(Voucher).one()
    assert (kept.held_fen, kept.spent_fen, kept.state) == (0, 0, "released")
    with pytest.raises(Conflict, match="额度已退回"):
        vouchers.submitted(cast.owner, cast.firm, no, 1_000_000, order=row(claim).order.no)
    assert reconcile().true


def test_an_order_that_nobody_claims_gives_its_budget_back(at, cast):
    no = vouchers.scheme(reserve_at="order", **MONTH)
    ordered(cast, None, scheme=no)
    assert jobs.run() is False
    assert pot(no)["reserved"] == 300_000
    at.shift(timedelta(days=40))
    for _ in range(2):
        jobs.run()
    assert pot(no)["available"] == 10_000_000
    assert db.session.query(Order).one().state == "cancelled"


def test_the_year_lapses_once_nothing_asks_for_it_and_again_for_what_comes_later(at, cast):
    no = vouchers.scheme(budget_fen=1_000_000, **MONTH)
    claim = vouchers.submitted(cast.owner, cast.firm, no, 1_000_000)
    at.shift(timedelta(days=365))
    jobs.run_lapse()
    assert pot(no)["available"] == 700_000  # a claim is under review
    checked(cast.clerk, claim)
    reviewing.review(cast.clerk, claim, "pass")
    for _ in range(2):
        jobs.run_lapse()
        assert pot(no)["available"] == 0
    reviewing.review(cast.clerk, claim, "refuse", {"invoices": "异议成立"})
    assert pot(no)["available"] == 300_000
    jobs.run_lapse()
    for key in ("again", "and again"):
        schemes.set_budget(SYSTEM, no, YEAR, 500_000, key=key)
        assert pot(no)["available"] == 500_000
        jobs.run_lapse()
        assert pot(no) == dict.fromkeys(pot(no), 0)
    assert reconcile().true


def test_an_objection_makes_the_batch_wait(at, cast):
    """Story 10 d."""
    no = vouchers.scheme()
    claim = approved(cast, no, 1_000_000)
    batch = paying.open_batch(cast.clerk, no, [claim], "第一批")
    notice = run_notice(cast, batch)
    objection = objecting.send(PUBLIC, notice, NAMED)
    at.shift(timedelta(days=20))
    day = clock.today()
    given = {"meeting_no": "纪要", "meeting_on": day, "fund_no": "文", "fund_on": day}
    with pytest.raises(Conflict, match="异议没有答复"):
        paying.decide(cast.clerk, batch, **given)
    answer = {"finding": "not_upheld", "answer": "报告和发票核对一致。"}
    objecting.answer(cast.clerk, objection, answer)
    paying.decide(cast.clerk, batch, **given)
    assert row(claim).state == "payable"


def test_an_invoice_red_lettered_during_the_notice_is_not_paid(at, cast):
    """Story 10 c: 40,000 × 30 % = 12,000 stay where they are."""
    no = vouchers.scheme()
    claim, good = approved(cast, no, 4_000_000), approved(cast, no, 1_000_000)
    batch = paying.open_batch(cast.clerk, no, [claim, good], "第一批")
    run_notice(cast, batch)
    at.shift(timedelta(days=10))
    checked(cast.clerk, claim, "red")
    at.shift(timedelta(days=10))
    day = clock.today()
    paying.decide(cast.clerk, batch, meeting_no="纪要", meeting_on=day, fund_no="文", fund_on=day)
    checked(cast.clerk, good)
    with pytest.raises(Conflict, match=f"{claim} .*已红冲"):
        paying.countersign(cast.finance, batch)
    assert pot(no)["approved"] == 1_500_000
    reviewing.review(cast.clerk, claim, "refuse", {"invoices": "发票已红冲"})
    paying.countersign(cast.finance, batch)
    assert (pot(no)["approved"], pot(no)["paid"]) == (300_000, 0)
    assert reconcile().true


def test_who_holds_a_voucher_is_reminded_once_for_each_step(at, cast):
    def told():
        db.session.rollback()
        rows = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "voucher.ending"))
        return [(one.payload["values"]["no"], one.payload["values"]["days"]) for one in rows]

    quarter = MONTH | {"validity_length": 3}
    no = vouchers.scheme(reserve_at="issue", **quarter)
    held, spent = voucher(cast, no, 300_000), voucher(cast, no, 300_000)
    approved(cast, no, 1_000_000, order=ordered(cast, spent))
    for days, expected in ((60, []), (2, [30]), (1, [30]), (22, [30, 7]), (1, [30, 7])):
        at.shift(timedelta(days=days))
        for _ in range(2):
            jobs.remind()
        assert told() == [(held, str(one)) for one in expected]
    late = voucher(cast, vouchers.scheme(reserve_at="issue", **MONTH), 100)
    at.shift(timedelta(days=26))  # the worker stood still: two steps at once are told once
    for _ in range(2):
        jobs.run()
    assert told()[2:] == [(late, "5")]
