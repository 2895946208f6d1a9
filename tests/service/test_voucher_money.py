"""Voucher money from application to payment, and money that must not flow."""

import threading
from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import select

from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, MarketError
from market.notices.models import Notice
from market.vouchers import applying, claiming, jobs, mending, ordering, paying, related, reviewing
from market.vouchers.claim_models import Claim
from market.vouchers.ledger.reconcile import reconcile
from market.vouchers.models import Voucher
from tests import people, vouchers
from tests.voucher_cast import Cast, approved, batched, line, pot, run_notice
from tests.vouchers import YEAR, checked, row, submitted

BANDS = [{"upto_fen": "10000", "rate_bp": "100"}, {"rate_bp": "50"}]


@pytest.fixture
def cast(app):
    return Cast()


def test_from_the_order_to_the_treasury(cast):
    """Story 8: 8,000 and 18,000 give 8,000 and 14,000; the batch is paid, comes back, is paid."""
    bands = [{"code": "test", "label": "检测", "bands": BANDS, "band_mode": "marginal"}]
    no = vouchers.scheme(services=bands, reserve_at="issue", rate_bp=None, validity_length=3,
                         validity_unit="month", validity_starts="issue")  # fmt: skip
    asked = applying.apply(cast.owner, no, cast.firm, 2_500_000, {})
    with pytest.raises(Denied):
        applying.grant(cast.owner, asked)
    first, second, third = applying.grant(cast.clerk, asked, [800_000, 1_400_000, 300_000])
    assert pot(no)["reserved"] == 2_500_000
    claims = []
    for voucher, price, worth in ((first, 800_000, 800_000), (second, 1_800_000, 1_400_000)):
        order = ordering.place(cast.owner, cast.firm, {
            "voucher": voucher, "provider_id": cast.provider, "service": "test", "title": "检测",
            "price_fen": price, "voucher_fen": worth,
        })  # fmt: skip
        for actor, step in (
            (cast.seller, "confirm"),
            (cast.seller, "deliver"),
            (cast.owner, "accept"),
        ):
            ordering.act(actor, order, step)
        claims.append(approved(cast, no, price, order=order))
    assert [row(one).amount_fen for one in claims] == [800_000, 1_400_000]
    assert row(claims[1]).outcome["trace"]
    batch = paying.open_batch(cast.clerk, no, claims, "第一批")
    notice = run_notice(cast, batch)
    day = clock.today()
    decided = {"meeting_no": "纪要〔1〕", "meeting_on": day, "fund_no": "文〔1〕", "fund_on": day}
    with pytest.raises(Conflict, match="还没有期满"):
        paying.decide(cast.clerk, batch, **decided)
    with time_machine.travel(clock.now() + timedelta(days=40), tick=False):
        paying.decide(cast.clerk, batch, **decided)
        with pytest.raises(Conflict, match="再次查验"):
            paying.countersign(cast.finance, batch)
        for one in claims:
            checked(cast.clerk, one)
        with pytest.raises(Denied):
            paying.countersign(cast.clerk, batch)
        paying.countersign(cast.finance, batch)
        rows = [line(claims[0], "GK1", 800_000), line(claims[1], "GK2", 1_400_000)]
        wrong = [rows[0], rows[0], line("DF0", "GK9", 1), line(claims[1], "GK3", 1)]
        with pytest.raises(Invalid) as refused:
            paying.record_payments(cast.finance, batch, wrong)
        assert [one[:5] for one in refused.value.fields["rows"]] == [
            "第 2 行",
            "第 3 行",
            "第 4 行",
        ]
        paying.record_payments(cast.finance, batch, rows)
        assert pot(no)["paid"] == 2_200_000
        paying.bounce(cast.finance, claims[0], "账号有误")
        paying.record_payments(cast.finance, batch, [line(claims[0], "GK4", 800_000)])
        assert pot(no)["paid"] == 2_200_000
    with time_machine.travel(clock.now() + timedelta(days=100), tick=False):
        assert jobs.expire() is False
        jobs.expire()
    db.session.rollback()
    states = dict(db.session.execute(select(Voucher.no, Voucher.state)).all())
    assert states == {first: "redeemed", second: "redeemed", third: "expired"}
    assert pot(no)["reserved"] == 0
    paying.recover(cast.clerk, claims[0], "虚开发票", bar_until=date(YEAR + 3, 12, 31))
    with pytest.raises(Invalid, match="有几处"):
        applying.apply(cast.owner, no, cast.firm, 100, {})
    assert notice
    assert reconcile().true


def test_money_that_must_not_flow(cast):
    """Story 10: the same invoice in two counties, related parties, a red letter, one's own case."""
    no, number = vouchers.scheme(), "1" * 20
    submitted(cast.owner, cast.firm, no, 1_000_000, number=number)
    other = Cast("511403")
    elsewhere = vouchers.scheme(region="511403")
    with pytest.raises(Conflict, match="已用于兑付申请 DF"):
        submitted(other.owner, other.firm, elsewhere, 1_000_000, number=number)
    related.declare(cast.owner, cast.firm, {"legal_person": ["王五"]})
    related.declare(cast.seller, cast.provider, {"legal_person": ["王 五"]})
    linked = submitted(cast.owner, cast.firm, no, 1_000_000, provider_id=cast.provider)
    assert {"holder", "related:legal_person"} == {one["code"] for one in row(linked).findings}
    checked(cast.clerk, linked)
    with pytest.raises(Conflict, match="关联方"):
        reviewing.review(cast.clerk, linked, "pass")
    reviewing.review(cast.clerk, linked, "refuse", {"provider": "法定代表人相同"})
    assert row(linked).state == "refused"
    claim = approved(cast, no, 4_000_000)
    assert row(claim).amount_fen == 1_200_000
    batch = batched(cast, no, [claim])
    checked(cast.clerk, claim, "red")
    with pytest.raises(Conflict, match="已红冲"):
        paying.countersign(cast.finance, batch)
    reviewing.review(cast.clerk, claim, "refuse", {"invoices": "发票已红冲"})
    assert pot(no)["approved"] == 0
    both = people.actor(("owner", cast.firm), ("county", cast.office, vouchers.COUNTY))
    own = submitted(both, cast.firm, no, 1_000_000)
    checked(both, own)
    with pytest.raises(Denied):
        reviewing.review(both, own, "pass")
    assert reconcile().true


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"asked_fen": 300_001}, "最多可兑付"),
        ({"invoices": [{"number": "2" * 20, "day": date(2020, 1, 1), "amount_fen": 1_000_000}]}, "不在规定"),
        ({"invoices": [{"number": "2" * 20, "day": clock.today(), "amount_fen": 1_000_000, "currency": "USD"}]}, "人民币"),
        ({"voucher": "KJQ"}, "没有编号"),
    ],
)  # fmt: skip
def test_what_cannot_be_claimed_is_refused_in_a_sentence(cast, more, words):
    no = vouchers.scheme(invoice_year="same")
    with pytest.raises(MarketError) as refused:
        submitted(cast.owner, cast.firm, no, 1_000_000, **more)
    assert words in str(getattr(refused.value, "fields", "")) + refused.value.message
    assert pot(no)["reserved"] == 0


def test_a_claim_is_returned_once_and_two_levels_are_two_people(cast):
    no = vouchers.scheme(review_chain=[{"level": "county"}, {"level": "county"}])
    claim = submitted(cast.owner, cast.firm, no, 1_000_000)
    reviewing.review(cast.clerk, claim, "return", {"evidence": "缺报告", "bank": "户名不符"})
    claiming.submit(cast.owner, claim)
    with pytest.raises(Conflict, match="一次性"):
        reviewing.review(cast.clerk, claim, "return", {"evidence": "还缺"})
    checked(cast.clerk, claim)
    reviewing.review(cast.clerk, claim, "pass")
    with pytest.raises(Denied):
        reviewing.review(cast.clerk, claim, "pass")
    second = people.actor(("county", cast.office, vouchers.COUNTY))
    reviewing.review(second, claim, "pass")
    assert (row(claim).state, row(claim).amount_fen) == ("reviewed", 300_000)
    assert pot(no)["approved"] == 300_000


def test_two_claim_the_last_hundred_yuan(cast, app):
    no = vouchers.scheme(budget_fen=10_000)
    drafts = [claiming.begin(cast.owner, cast.firm, vouchers.values(no, 33_334)) for _ in range(2)]
    gate, results = threading.Barrier(2), []

    def send(claim):
        with app.app_context():
            gate.wait()
            try:
                claiming.submit(cast.owner, claim)
                results.append("sent")
            except MarketError as error:
                results.append(type(error).__name__)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=send, args=(one,)) for one in drafts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert results.count("sent") == 1, results
    db.session.rollback()
    assert pot(no) | {"funding": 0} == {
        "funding": 0, "available": 0, "reserved": 10_000, "approved": 0, "paid": 0, "recovered": 0,
    }  # fmt: skip
    states = db.session.scalars(select(Claim.state).order_by(Claim.state)).all()
    assert list(states) == ["draft", "submitted"]
    assert reconcile().true


def test_a_notice_shorter_than_the_scheme_says_decides_nothing(cast):
    no = vouchers.scheme(notice_days=9, notice_unit="natural")
    batch = paying.open_batch(cast.clerk, no, [approved(cast, no, 100_000)], "短公示")
    drafted = db.session.scalars(select(Notice).where(Notice.subject_no == batch)).one()
    assert (drafted.days, drafted.unit) == (9, "natural")
    run_notice(cast, batch)  # five days are typed over them
    with time_machine.travel(clock.now() + timedelta(days=20), tick=False):
        day = clock.today()
        decided = {"meeting_no": "1", "meeting_on": day, "fund_no": "2", "fund_on": day}
        with pytest.raises(Conflict, match=r"规定公示 9 个自然日.*只有 5 个自然日"):
            paying.decide(cast.clerk, batch, **decided)
        assert mending.notice_again(cast.clerk, batch) != drafted.no
