"""Ways out of what nobody else ends, and who may not act: a voucher's money is never stuck.

All tests share a database: each has a scheme of its own, and none moves the clock.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select

from market.accounts.people import sessions, tokens
from market.accounts.people.models import ApiToken
from market.app import create_app
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, MarketError
from market.vouchers import applying, mending, ordering, paying, reviewing, schemes
from market.vouchers.claim_models import Bar
from market.vouchers.ledger.reconcile import reconcile
from market.vouchers.office_pages import queries
from market.vouchers.workflow import CLAIM
from tests import people, vouchers
from tests.conftest import let_go
from tests.voucher_cast import Cast, batched, line, ordered, pot
from tests.vouchers import row, submitted


@pytest.fixture(scope="module")
def ground(tmp_path_factory, store, prepared):
    made = store.clone(prepared, tmp_path_factory.mktemp("mends"))
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


def test_a_claim_that_nobody_mends_is_refused_and_its_money_is_free(cast):
    no = vouchers.scheme(budget_fen=500_000)
    claim = submitted(cast.owner, cast.firm, no, 1_000_000)
    reviewing.review(cast.clerk, claim, "return", {"invoices": "有误"})
    assert pot(no)["reserved"] == 300_000
    with pytest.raises(Conflict, match="不在审核中"):
        reviewing.review(cast.clerk, claim, "pass")
    with pytest.raises(Denied):
        reviewing.review(cast.owner, claim, "refuse", {"other": "不等了"})
    reviewing.review(cast.clerk, claim, "refuse", {"other": "一直没有补正"})
    assert row(claim).state == "refused"
    assert (pot(no)["reserved"], pot(no)["available"]) == (0, 500_000)
    again = submitted(cast.owner, cast.firm, no, 1_000_000, number=row(claim).invoices[0].number)
    assert row(again).state == "submitted"


def test_orders_that_nobody_claims_give_their_money_back(cast):
    no = vouchers.scheme(budget_fen=900_000, reserve_at="order")
    by_office, by_firm, claimed = (ordered(cast, scheme=no) for _ in range(3))
    assert pot(no)["available"] == 0
    claim = submitted(cast.owner, cast.firm, no, 1_000_000, order=claimed)
    with pytest.raises(Denied):
        ordering.act(cast.owner, by_office, "end", reason="不等了")
    ordering.act(cast.clerk, by_office, "end", reason="企业已注销")
    ordering.act(cast.owner, by_firm, "cancel", reason="不做了")
    for actor, step in ((cast.clerk, "end"), (cast.owner, "cancel")):
        with pytest.raises(Conflict, match="已经申请兑付"):
            ordering.act(actor, claimed, step, reason="不等了")
    assert (pot(no)["available"], pot(no)["reserved"]) == (600_000, 300_000)
    assert [one.no for one in queries.desk(cast.clerk, "orders", by_office).page.items] == []
    reviewing.review(cast.clerk, claim, "refuse", {"other": "不属实"})
    assert [one.no for one in queries.desk(cast.clerk, "orders", claimed).page.items] == [claimed]
    ordering.act(cast.clerk, claimed, "end", reason="不再申请")
    assert pot(no)["available"] == 900_000


def program(actor, office, *scopes):
    """A program of the office with a token that this person made."""
    asked = {"label": "接口", "role": "office", "scopes": scopes, "days": 9}
    tokens.create(actor, office, asked)
    made = db.session.scalars(select(ApiToken).order_by(ApiToken.id.desc()).limit(1)).one()
    return sessions.actor_of_token(made)


def test_a_program_is_the_hand_of_who_made_its_token(cast):
    head, other = (
        people.actor(("owner", cast.office), ("county", cast.office, vouchers.COUNTY), name=name)
        for name in ("戊", "己")
    )
    hand, others = (
        program(one, cast.office, "vouchers:claim", "vouchers:scheme") for one in (head, other)
    )
    assert (hand.person_id, others.person_id) == (head.id, other.id)
    no = vouchers.scheme(review_chain=[{"level": "county"}, {"level": "county"}])
    claim = submitted(cast.owner, cast.firm, no, 1_000_000)
    vouchers.checked(cast.clerk, claim)
    reviewing.review(head, claim, "pass")
    for own in (head, hand):  # his own second level, by himself or by his program
        with pytest.raises(Denied, match="另一位同事"):
            reviewing.review(own, claim, "pass")
    reviewing.review(others, claim, "pass")
    assert row(claim).state == "reviewed"
    # The other way round: what his program did is not his to approve.
    claim = submitted(cast.owner, cast.firm, no, 1_000_000)
    reviewing.review(hand, claim, "pass")
    with pytest.raises(Denied, match="另一位同事"):
        reviewing.review(head, claim, "pass")
    assert not offers(head, claim, "approve")
    assert offers(other, claim, "approve")


def offers(actor, claim, action):
    return action in {one.action for one in CLAIM.actions(actor, row(claim))}


def test_nobody_who_is_barred_gets_money_that_he_asked_for_before(cast):
    no = vouchers.scheme()
    application = applying.apply(cast.owner, no, cast.firm, 100_000, {})
    early, decided, late, new = (
        submitted(cast.owner, cast.firm, no, 1_000_000, asked_fen=100_000) for _ in range(4)
    )
    for one in (early, decided, late, new):
        vouchers.checked(cast.clerk, one)
    for one in (early, decided, late):
        reviewing.review(cast.clerk, one, "pass")
    batch, signed = (batched(cast, no, [one]) for one in (decided, late))
    begun = paying.open_batch(cast.clerk, no, [early], "未审定", notice=False)
    vouchers.checked(cast.clerk, late)
    paying.countersign(cast.finance, signed)
    day = clock.today()
    paying.bar(cast.clerk, cast.firm, no, day + timedelta(days=9), "提供虚假材料")
    meeting = {"meeting_no": "纪要", "meeting_on": day, "fund_no": "文", "fund_on": day}
    paid = line(late, "GK-MEND-1", row(late).amount_fen)
    for act in (
        lambda: applying.grant(cast.clerk, application),
        lambda: reviewing.review(cast.clerk, new, "pass"),
        lambda: paying.decide(cast.clerk, begun, **meeting),
        lambda: paying.countersign(cast.finance, batch),
        lambda: paying.record_payments(cast.finance, signed, [paid]),
    ):
        with pytest.raises(Conflict, match=f"到 {day + timedelta(days=9)} 为止.*解除.*不通过"):
            act()
    mending.lift(cast.clerk, db.session.scalars(select(Bar.id)).one(), "查明属误报")
    paying.record_payments(cast.finance, signed, [paid])
    assert applying.grant(cast.clerk, application)


def test_a_closed_scheme_takes_applications_again(cast):
    no = vouchers.scheme()
    schemes.close(cast.clerk, no, "点错了")
    with pytest.raises(Conflict, match="不受理"):
        applying.apply(cast.owner, no, cast.firm, 100_000, {})
    with pytest.raises(Invalid):
        schemes.reopen(cast.clerk, no, " ")
    stranger = people.actor(("county", cast.office, "511421"), name="庚")
    with pytest.raises(MarketError):
        schemes.reopen(stranger, no, "不是本县的")
    above = people.actor(("prefecture", None, "511400"), name="辛")
    schemes.reopen(above, no, "点错了，恢复受理")  # offices act for all of their area
    assert applying.apply(cast.owner, no, cast.firm, 100_000, {})
