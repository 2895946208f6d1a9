"""How voucher money ends: batches without claims, awards, cuts, top-ups, the treasury's file."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from market.app import create_app
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import SYSTEM
from market.vouchers import (
    applying,
    awards,
    claiming,
    cutting,
    jobs,
    mending,
    paying,
    related,
    reviewing,
    schemes,
)
from market.vouchers.claim_models import Batch
from market.vouchers.ledger.posting import Pot
from market.vouchers.ledger.queries import balances
from market.vouchers.ledger.reconcile import reconcile
from market.vouchers.models import Scheme
from market.vouchers.scheme_pages import writing
from tests import people, vouchers
from tests.conftest import let_go
from tests.voucher_cast import Cast, approved, batched, line, ordered, paid, pot
from tests.vouchers import YEAR, checked, row, submitted

BANK = {"holder": "乙", "bank": "某银行", "account": "6222000099998888"}
NO = {"invoices": "发票已红冲"}


@pytest.fixture(scope="module")
def ground(tmp_path_factory, store, prepared):
    made = store.clone(prepared, tmp_path_factory.mktemp("ends"))
    app = create_app(made)
    with app.app_context():
        yield Cast()
        let_go(app)
    store.drop(made)


@pytest.fixture
def cast(ground):
    yield ground
    db.session.rollback()
    assert reconcile().true
    db.session.rollback()


def state(batch):
    db.session.rollback()
    return db.session.scalars(select(Batch.state).where(Batch.no == batch)).one()


def test_a_batch_that_loses_its_last_unpaid_claim_ends_by_itself(cast):
    no = vouchers.scheme()
    first, second = (approved(cast, no, 1_000_000) for _ in range(2))
    batch = batched(cast, no, [first, second])
    reviewing.review(cast.clerk, first, "refuse", NO)
    assert state(batch) == "open"
    reviewing.review(cast.clerk, second, "refuse", NO)
    assert state(batch) == "discarded"

    kept, lost = (approved(cast, no, 1_000_000) for _ in range(2))
    batch = paid(cast, no, [kept, lost], "END-")
    assert state(batch) == "closed"
    for one in (kept, lost):
        paying.bounce(cast.finance, one, "账号有误")
    assert state(batch) == "sent"
    paying.record_payments(cast.finance, batch, [line(kept, "END-2", 300_000)])
    paying.recover(cast.clerk, kept, "虚开发票")
    assert state(batch) == "sent"
    reviewing.review(cast.clerk, lost, "refuse", NO)
    assert (state(batch), row(lost).batch_id) == ("closed", None)
    with pytest.raises(Conflict):
        mending.take_back(cast.finance, batch)

    alone = approved(cast, no, 1_000_000)
    batch = batched(cast, no, [alone])
    checked(cast.clerk, alone)
    paying.countersign(cast.finance, batch)
    paying.record_payments(cast.finance, batch, [line(alone, "END-3", 300_000)])
    paying.bounce(cast.finance, alone, "账号有误")
    reviewing.review(cast.clerk, alone, "refuse", NO)
    assert state(batch) == "discarded"
    assert pot(no)["approved"] == pot(no)["paid"] == 0


def test_an_order_whose_claim_was_recovered_is_spent(cast):
    no = vouchers.scheme(reserve_at="issue", validity_length=1, validity_unit="month",
                         validity_starts="issue")  # fmt: skip
    asked = applying.apply(cast.owner, no, cast.firm, 500_000, {})
    order = ordered(cast, applying.grant(cast.clerk, asked)[0])
    claim = approved(cast, no, 1_000_000, order=order)
    paid(cast, no, [claim], "SPENT-")
    paying.recover(cast.clerk, claim, "虚开发票")
    with pytest.raises(Conflict, match="已由"):
        submitted(cast.owner, cast.firm, no, 1_000_000, order=order)
    jobs.expire(clock.today() + timedelta(days=40))
    db.session.rollback()
    assert (pot(no)["available"], pot(no)["recovered"]) == (9_700_000, 300_000)


def test_an_award_up_to_a_rate_is_decided_like_a_rate(cast):
    no = vouchers.scheme(award={"rate_max_bp": "10", "cap_year_fen": "5000"})
    claim = approved(cast, no, 1_000_000, provider_id=cast.provider)
    paid(cast, no, [claim], "RATE-")
    asked = awards.begin(cast.seller, cast.provider, no, YEAR, BANK)
    claiming.submit(cast.seller, asked)
    assert row(asked).asked_fen == 100_000
    with pytest.raises(Conflict, match="最高"):
        reviewing.review(cast.clerk, asked, "pass")
    for rates in ({"award": 1_001}, {"test": 100}):
        with pytest.raises(Invalid):
            reviewing.decide_rates(cast.clerk, asked, rates)
    other = submitted(cast.owner, cast.firm, no, 1_000_000)
    with pytest.raises(Invalid):
        reviewing.decide_rates(cast.clerk, other, {"award": 500})
    assert writing.decide_rates(cast.clerk, no, {"award": 400}) == 1
    reviewing.decide_rates(cast.clerk, asked, {"award": 500})
    reviewing.review(cast.clerk, asked, "pass")
    assert row(asked).amount_fen == 50_000
    assert pot(no)["approved"] == 50_000


def place(no, code):
    found = db.session.scalars(select(Scheme).where(Scheme.no == no)).one()
    return balances(Pot(found.id, YEAR, people.region(code).id))


def test_what_others_add_is_held_paid_brought_back_and_recovered_with_the_claim(cast):
    tops = [{"payer": "511400", "label": "市", "ratio": "1/3"}, {"payer": "510000", "ratio": "1"}]
    no = vouchers.scheme(top_ups=tops)
    schemes.set_budget(SYSTEM, no, YEAR, 150_000, "511400", key="city")
    first = submitted(cast.owner, cast.firm, no, 1_000_000)
    assert place(no, "511400")["reserved"] == 100_000
    second = submitted(cast.owner, cast.firm, no, 1_000_000)  # the city has but 50,000 left
    assert place(no, "511400")["reserved"] == 100_000
    for one in (first, second):
        checked(cast.clerk, one)
        reviewing.review(cast.clerk, one, "pass")
    assert [(row(one).amount_fen, row(one).top_up_fen) for one in (first, second)] == [
        (300_000, 100_000), (300_000, 0),
    ]  # fmt: skip
    said = [
        [line["formula"] for line in row(one).outcome["trace"] if line["label"].startswith("配套")]
        for one in (first, second)
    ]
    assert "预算拨付" in said[0][0]
    assert "可用额度不足" in said[1][0]
    assert all("没有下达本办法" in one[1] for one in said)
    batch = batched(cast, no, [first, second])
    for one in (first, second):
        checked(cast.clerk, one)
    paying.countersign(cast.finance, batch)
    with pytest.raises(Invalid):
        paying.record_payments(cast.finance, batch, [line(first, "TOP-1", 300_000)])
    rows = [line(first, "TOP-1", 400_000), line(second, "TOP-2", 300_000)]
    paying.record_payments(cast.finance, batch, rows)
    assert (pot(no)["paid"], place(no, "511400")["paid"]) == (600_000, 100_000)
    mending.take_back(cast.finance, batch)
    assert place(no, "511400")["approved"] == 100_000
    paying.record_payments(cast.finance, batch, rows)
    paying.bounce(cast.finance, first, "账号有误")
    assert place(no, "511400")["approved"] == 100_000
    paying.record_payments(cast.finance, batch, [line(first, "TOP-3", 400_000)])
    paying.recover(cast.clerk, first, "虚开发票")
    assert (pot(no)["recovered"], place(no, "511400")["recovered"]) == (300_000, 100_000)


def test_what_others_add_goes_back_where_a_claim_ends_and_follows_a_smaller_amount(cast):
    tops = [{"payer": "buyer_region", "label": "设区市", "ratio": "1"}]
    bands = [{"code": "test", "label": "检测", "rate_max_bp": "30"}]
    no = vouchers.scheme(region="510000", top_ups=tops, services=bands)
    schemes.set_budget(SYSTEM, no, YEAR, 1_000_000, "511400", key="city")  # above the firm's county
    taken, less, later = (submitted(cast.owner, cast.firm, no, 1_000_000) for _ in range(3))
    assert place(no, "511400")["reserved"] == 900_000
    claiming.withdraw(cast.owner, taken)
    for one in (less, later):
        checked(cast.clerk, one)
        reviewing.decide_rates(cast.clerk, one, {"test": 1_000})
        reviewing.review(cast.clerk, one, "pass")
    figures = place(no, "511400")
    assert (figures["available"], figures["reserved"], figures["approved"]) == (800_000, 0, 200_000)
    province = people.actor(("province", cast.office, "510000"), name="省")
    reviewing.review(province, later, "refuse", NO)
    figures = place(no, "511400")
    assert (figures["available"], figures["reserved"], figures["approved"]) == (900_000, 0, 100_000)
    at_once = vouchers.scheme(top_ups=tops, reserve_at="approval", review_chain=[])
    claim = submitted(cast.owner, cast.firm, at_once, 1_000_000)
    assert (row(claim).top_up_fen, pot(at_once)["approved"]) == (300_000, 600_000)


def test_what_was_asked_bounds_a_share(cast):
    """Who asks for less than the sheet gives shares with what it asked, and the sum is there."""
    no = vouchers.scheme(budget_fen=750_000, exhaustion="pro_rata", reserve_at="approval",
                         services=[{"code": "test", "label": "检测", "rate_bp": "50"}],
                         cap_claim_fen=None)  # fmt: skip
    asked = [500_000, 1_000_000, 1_000_000]
    claims = [submitted(cast.owner, cast.firm, no, 2_000_000, asked_fen=fen) for fen in asked]
    cutting.cut(cast.clerk, no, claims, "预算不足")
    for one in claims:
        checked(cast.clerk, one)
        reviewing.review(cast.clerk, one, "pass")
    assert [vouchers.row(one).amount_fen for one in claims] == [150_000, 300_000, 300_000]
    assert pot(no)["available"] == 0


def test_invoices_of_tomorrow_and_wrong_ones_are_not_sent_in(cast):
    no, tomorrow = vouchers.scheme(), clock.today() + timedelta(days=1)
    for more, words in (({"day": tomorrow}, "晚于今天"), ({"own_result": "red"}, "已红冲")):
        said = vouchers.values(no, 1_000_000)
        said["invoices"][0] |= more
        claim = claiming.begin(cast.owner, cast.firm, said)
        with pytest.raises(Invalid) as refused:
            claiming.submit(cast.owner, claim)
        assert words in str(refused.value.fields)


def test_a_stranger_does_not_pay_and_the_check_is_not_before_the_invoice(cast):
    no = vouchers.scheme()
    with pytest.raises(Invalid):
        schemes.set_budget(cast.clerk, no, YEAR, 500, "110105", key="far")
    claim = submitted(cast.owner, cast.firm, no, 1_000_000)
    number = vouchers.row(claim).invoices[0].number
    with pytest.raises(Invalid):
        early = clock.today() - timedelta(days=1)
        reviewing.check_invoice(cast.clerk, claim, number, "valid", early)


def test_a_relation_is_not_talked_away(cast):
    no = vouchers.scheme(related_tests=["legal_person"])
    firm = people.organisation("改口企业（演示）")
    owner, seller = people.actor(("owner", firm)), vouchers.provider("改口机构（演示）")
    related.declare(owner, firm, {"legal_person": ["赵六"]})
    related.declare(people.actor(("owner", seller)), seller, {"legal_person": ["赵六"]})
    claim = submitted(owner, firm, no, 1_000_000, provider_id=seller)
    related.declare(owner, firm, {"legal_person": []})
    checked(cast.clerk, claim)
    with pytest.raises(Conflict, match="关联方"):
        reviewing.review(cast.clerk, claim, "pass")
    later = submitted(owner, firm, no, 1_000_000, provider_id=seller)
    assert "withdrawn:legal_person" in {one["code"] for one in row(later).findings}


def test_what_is_shared_is_not_held_before(cast):
    with pytest.raises(Invalid) as refused:
        vouchers.scheme(exhaustion="pro_rata", reserve_at="claim")
    assert "审定时" in str(refused.value.fields)
