"""How voucher money ends: batches without claims, awards, cuts, top-ups, the treasury's file."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from market.app import create_app
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.vouchers import applying, awards, claiming, jobs, mending, paying, reviewing
from market.vouchers.claim_models import Batch
from market.vouchers.ledger.reconcile import reconcile
from market.vouchers.scheme_pages import writing
from tests import vouchers
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
