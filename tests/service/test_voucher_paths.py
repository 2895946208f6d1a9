"""Ways of voucher money that schemes take or leave: payers, levels, rates, awards, cuts, caps.

All tests share a database: each has a scheme of its own, and none moves the clock.
"""

import pytest
from marshmallow import ValidationError
from sqlalchemy import select

from market.app import create_app
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, MarketError
from market.core.models import AuditEntry
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.vouchers import (
    applying,
    awards,
    claiming,
    cutting,
    merging,
    ordering,
    paying,
    related,
    reviewing,
    schemes,
)
from market.vouchers.claim_models import Claim
from market.vouchers.content import load
from market.vouchers.ledger.posting import Pot
from market.vouchers.ledger.queries import balances
from market.vouchers.ledger.reconcile import reconcile
from market.vouchers.models import Scheme, Voucher
from market.vouchers.typed import ClaimSchema
from market.vouchers.workflow import PROVE
from tests import people, vouchers
from tests.conftest import let_go
from tests.voucher_cast import Cast, approved, ordered, paid, pot
from tests.vouchers import YEAR, checked, row, submitted

BANK = {"holder": "乙", "bank": "某银行", "account": "6222000099998888"}
BANDS = [{"upto_fen": "10000", "rate_bp": "100"}, {"rate_bp": "50"}]


@pytest.fixture(scope="module")
def ground(tmp_path_factory, store, prepared):
    made = store.clone(prepared, tmp_path_factory.mktemp("paths"))
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


def part(no, code):
    """What a region bears of a scheme."""
    found = db.session.scalars(select(Scheme).where(Scheme.no == no)).one()
    return balances(Pot(found.id, YEAR, people.region(code).id))


def voucher(cast, no, fen):
    return applying.grant(cast.clerk, applying.apply(cast.owner, no, cast.firm, fen, {}))[0]


def state(no):
    db.session.rollback()
    return db.session.scalars(select(Voucher).where(Voucher.no == no)).one().state


def test_six_claims_of_96400_in_one_batch(cast):
    """Story 8: 8,000 and 18,000 give 22,000; with four more the batch holds 96,400."""
    bands = [{"code": "test", "label": "检测", "bands": BANDS, "band_mode": "marginal"}]
    no = vouchers.scheme(services=bands)
    costs = [800_000, 1_800_000, 3_000_000, 3_000_000, 3_000_000, 1_880_000]
    claims = [approved(cast, no, cost) for cost in costs]
    amounts = [row(one).amount_fen for one in claims]
    assert amounts[:2] == [800_000, 1_400_000]
    assert sum(amounts) == 9_640_000
    paid(cast, no, claims, "STORY8-")
    assert pot(no)["paid"] == 9_640_000


def test_drawn_claims_wait_for_their_check(cast):
    no = vouchers.scheme(random_check_bp="50")
    claims = [approved(cast, no, 1_000_000) for _ in range(3)]
    batch = paying.open_batch(cast.clerk, no, claims, "抽查", notice=False)
    drawn = [one for one in claims if row(one).drawn]
    assert len(drawn) == 2
    day = clock.today()
    given = {"meeting_no": "纪要", "meeting_on": day, "fund_no": "文", "fund_on": day}
    with pytest.raises(Conflict, match="被抽中"):
        paying.decide(cast.clerk, batch, **given)
    left = next(one for one in claims if one not in drawn)
    with pytest.raises(Conflict, match="没有被抽中"):
        paying.note_check(cast.clerk, left, "看过现场")
    for one in drawn:
        paying.note_check(cast.clerk, one, "看过现场，属实")
    paying.decide(cast.clerk, batch, **given)
    assert {row(one).state for one in claims} == {"payable"}


def test_several_payers_bear_their_parts_and_get_them_back(cast):
    payers = [{"payer": vouchers.COUNTY, "share": "2/3"}, {"payer": "511400", "share": "1/3"}]
    no = vouchers.scheme(budget_fen=200_000, payers=payers)
    schemes.set_budget(SYSTEM, no, YEAR, 100_000, "511400", key="city")
    claim = approved(cast, no, 1_000_000)
    assert part(no, vouchers.COUNTY)["approved"] == 200_000
    assert part(no, "511400")["approved"] == 100_000
    with pytest.raises(Conflict, match="不足"):
        submitted(cast.owner, cast.firm, no, 10_000)
    reviewing.review(cast.clerk, claim, "refuse", {"invoices": "异议成立"})
    assert part(no, vouchers.COUNTY)["available"] == 200_000
    assert part(no, "511400")["available"] == 100_000


def test_an_account_is_read_with_a_reason_that_is_kept(cast):
    claim = submitted(cast.owner, cast.firm, vouchers.scheme(), 1_000_000, bank=BANK)
    with pytest.raises(Invalid):
        claiming.bank_of(cast.finance, claim, " ")
    with pytest.raises(Denied):
        claiming.bank_of(cast.owner, claim, "看看")
    assert claiming.bank_of(cast.finance, claim, "拨付") == BANK
    kept = row(claim)
    assert BANK["account"] not in kept.bank + kept.bank_shown
    told = select(AuditEntry.after).where(
        AuditEntry.action == "voucher_claim.unmask", AuditEntry.object_id == kept.id
    )
    assert db.session.scalars(told).all() == [{"reason": "拨付"}]


def test_a_frozen_voucher_pays_nothing_until_it_is_thawed(cast):
    no = vouchers.scheme(reserve_at="issue")
    held = voucher(cast, no, 600_000)
    claim = submitted(cast.owner, cast.firm, no, 1_000_000, order=ordered(cast, held))
    checked(cast.clerk, claim)
    second = ordered(cast, held)
    applying.mark(cast.clerk, held, "freeze", "核查")
    with pytest.raises(Conflict, match="已冻结"):
        reviewing.review(cast.clerk, claim, "pass")
    with pytest.raises(Conflict, match="已冻结"):
        submitted(cast.owner, cast.firm, no, 1_000_000, order=second)
    applying.mark(cast.clerk, held, "thaw", "核查无误")
    reviewing.review(cast.clerk, claim, "pass")
    with pytest.raises(Conflict, match="还有订单"):
        applying.mark(cast.clerk, held, "release", "不用了")
    assert pot(no)["approved"] == pot(no)["reserved"] == 300_000


def test_an_order_is_claimed_once(cast):
    no = vouchers.scheme()
    order = ordered(cast, None, worth=0, scheme=no)
    first = submitted(cast.owner, cast.firm, no, 1_000_000, order=order)
    with pytest.raises(Conflict, match="已由"):
        submitted(cast.owner, cast.firm, no, 1_000_000, order=order)
    claiming.withdraw(cast.owner, first)
    submitted(cast.owner, cast.firm, no, 1_000_000, order=order)
    assert pot(no)["reserved"] == 300_000


def test_up_to_is_paid_when_the_rate_is_decided(cast):
    services = [{"code": "test", "label": "检测", "rate_max_bp": "30"}]
    no = vouchers.scheme(services=services)
    claim = submitted(cast.owner, cast.firm, no, 1_000_000)
    checked(cast.clerk, claim)
    with pytest.raises(Conflict, match="最高"):
        reviewing.review(cast.clerk, claim, "pass")
    reviewing.decide_rates(cast.clerk, claim, {"test": 2_000})
    reviewing.review(cast.clerk, claim, "pass")
    assert row(claim).amount_fen == pot(no)["approved"] == 200_000
    assert pot(no)["reserved"] == 0


def test_the_provider_claims_where_the_sheet_says_so(cast):
    no = vouchers.scheme(payer_model="provider", reserve_at="order")
    order = ordered(cast, None, scheme=no)
    with pytest.raises(Invalid) as refused:
        claiming.begin(cast.owner, cast.firm, vouchers.values(no, 1_000_000, order=order))
    assert "由服务机构" in str(refused.value.fields)
    claim = submitted(cast.seller, cast.provider, no, 1_000_000, order=order)
    checked(cast.clerk, claim)
    reviewing.review(cast.clerk, claim, "pass")
    kept = row(claim)
    assert (kept.claimant_id, kept.organisation_id) == (cast.provider, cast.firm)
    assert pot(no)["approved"] == 300_000


def test_a_chain_without_levels_approves_what_is_exact(cast):
    no = vouchers.scheme(review_chain=[])
    claim = submitted(cast.owner, cast.firm, no, 1_000_000)
    assert (row(claim).state, row(claim).amount_fen) == ("reviewed", 300_000)
    assert pot(no)["approved"] == 300_000


def test_money_held_at_the_order_and_at_the_approval(cast):
    no = vouchers.scheme(budget_fen=400_000, reserve_at="order")
    order = ordered(cast, None, scheme=no)
    with pytest.raises(Conflict, match="不足"):
        ordered(cast, None, scheme=no)
    claim = approved(cast, no, 900_000, order=order)
    assert (row(claim).amount_fen, pot(no)["available"]) == (270_000, 130_000)
    late = vouchers.scheme(budget_fen=400_000, reserve_at="approval")
    both = [submitted(cast.owner, cast.firm, late, 1_000_000) for _ in range(2)]
    assert pot(late)["reserved"] == 0
    for one in both:
        checked(cast.clerk, one)
        reviewing.review(cast.clerk, one, "pass")
    assert [row(one).amount_fen for one in both] == [300_000, 100_000]


def test_a_cap_over_all_schemes_of_an_owner(cast):
    more = {"cap_scope": "owner", "cap_year_fen": "3000", "cap_claim_fen": "3000"}
    first, second = vouchers.scheme(**more), vouchers.scheme(**more)
    firm = people.organisation("上限企业（演示）")
    owner = people.actor(("owner", firm))
    submitted(owner, firm, first, 700_000)
    claim = submitted(owner, firm, second, 1_000_000)
    assert row(claim).asked_fen == 90_000
    with pytest.raises(Invalid, match="有几处"):
        submitted(owner, firm, first, 1_000_000)


def test_a_provider_is_awarded_up_to_its_yearly_cap(cast):
    award = {"rate_bp": "10", "cap_year_fen": "1500"}
    no = vouchers.scheme(award=award)
    with pytest.raises(Conflict, match="没有可申请奖励"):
        awards.begin(cast.seller, cast.provider, no, YEAR, BANK)
    paid(cast, no, [approved(cast, no, 1_000_000, provider_id=cast.provider)], "AW1-")
    first, twin = (awards.begin(cast.seller, cast.provider, no, YEAR, BANK) for _ in range(2))
    claiming.submit(cast.seller, first)
    with pytest.raises(Conflict, match="已经申请过"):
        claiming.submit(cast.seller, twin)
    reviewing.review(cast.clerk, first, "pass")
    paid(cast, no, [first], "AW2-")
    paid(cast, no, [approved(cast, no, 1_000_000, provider_id=cast.provider)], "AW3-")
    second = awards.begin(cast.seller, cast.provider, no, YEAR, BANK)
    claiming.submit(cast.seller, second)
    reviewing.review(cast.clerk, second, "pass")
    assert [row(one).amount_fen for one in (first, second)] == [100_000, 50_000]
    assert (pot(no)["paid"], pot(no)["approved"]) == (700_000, 50_000)


def test_what_does_not_suffice_is_cut_in_proportion(cast):
    no = vouchers.scheme(budget_fen=300_000, exhaustion="pro_rata", reserve_at="approval")
    claims = [submitted(cast.owner, cast.firm, no, cost) for cost in (1_000_000, 500_000)]
    for one in claims:
        checked(cast.clerk, one)
        with pytest.raises(Conflict, match="最高"):
            reviewing.review(cast.clerk, one, "pass")
    assert cutting.cut(cast.clerk, no, claims) == 6_666
    for one in claims:
        reviewing.review(cast.clerk, one, "pass")
    assert [row(one).amount_fen for one in claims] == [199_980, 99_990]
    assert pot(no)["available"] == 30


def test_a_provider_has_a_yearly_cap_of_its_own(cast):
    no = vouchers.scheme(cap_provider_year_fen="4000")
    for asked in (300_000, 100_000):
        claim = submitted(cast.owner, cast.firm, no, 1_000_000, provider_id=cast.provider)
        assert row(claim).asked_fen == asked


def test_a_merged_firm_keeps_its_caps_and_never_swallows_its_provider(cast):
    no = vouchers.scheme(cap_year_fen="5000", cap_claim_fen="5000")
    firms = [people.organisation(f"合并{one}（演示）") for one in range(2)]
    owners = [people.actor(("owner", one)) for one in firms]
    claims = [
        submitted(owner, firm, no, 500_000) for owner, firm in zip(owners, firms, strict=True)
    ]
    with unit_of_work(SYSTEM) as work:
        work.require(PROVE)
        merging.move(*firms)
    assert {row(one).organisation_id for one in claims} == {firms[1]}
    assert row(submitted(owners[1], firms[1], no, 1_000_000)).asked_fen == 200_000
    ordered(cast, None, worth=0, scheme=no)
    with pytest.raises(Conflict, match="不能合并"), unit_of_work(SYSTEM) as work:
        work.require(PROVE)
        merging.move(cast.provider, cast.firm)


def test_a_claim_never_takes_more_than_its_voucher(cast):
    no = vouchers.scheme(reserve_at="issue")
    held = voucher(cast, no, 200_000)
    with pytest.raises(Invalid) as refused:
        submitted(cast.owner, cast.firm, no, 1_000_000, voucher=held, asked_fen=200_001)
    assert "券只够 2,000 元" in str(refused.value.fields)
    claim = submitted(cast.owner, cast.firm, no, 1_000_000, voucher=held)
    assert row(claim).asked_fen == 200_000
    with pytest.raises(MarketError):
        submitted(cast.owner, cast.firm, no, 1_000_000, voucher=held)


def test_half_a_fen_is_refused_where_it_is_typed():
    typed = {"items": [{"service": "test", "cost_fen": "0.005"}], "asked_fen": "0.005"}
    with pytest.raises(ValidationError) as refused:
        ClaimSchema().load(typed)
    assert set(refused.value.messages) == {"items", "asked_fen"}


def test_who_is_barred_neither_applies_claims_nor_sells(cast):
    no, until = vouchers.scheme(), clock.today()
    firm, seller = people.organisation("停办企业（演示）"), vouchers.provider("停办机构（演示）")
    owner = people.actor(("owner", firm))
    draft = claiming.begin(owner, firm, vouchers.values(no, 1_000_000))
    for one in (firm, seller):
        paying.bar(cast.clerk, one, no, until, "虚开发票")
    with pytest.raises(Invalid):
        applying.apply(owner, no, firm, 100, {})
    with pytest.raises(Invalid) as refused:
        claiming.submit(owner, draft)
    assert "停止申领资格" in str(refused.value.fields)
    with pytest.raises(Invalid) as refused:
        ordering.place(cast.owner, cast.firm, {
            "scheme": no, "provider_id": seller, "service": "test", "title": "检测",
            "price_fen": 100,
        })  # fmt: skip
    assert "provider" in refused.value.fields


def test_the_parent_of_a_firm_does_not_sell_to_it(cast):
    no = vouchers.scheme(related_tests=["shareholding"])
    parent = vouchers.provider("母公司（演示）", uscc="91511402MA6200001X")
    firm = people.organisation("子公司（演示）")
    owner = people.actor(("owner", firm))
    related.declare(owner, firm, {"shareholder": ["91511402MA6200001X"]})
    with pytest.raises(Invalid) as refused:
        ordering.place(owner, firm, {
            "scheme": no, "provider_id": parent, "service": "test", "title": "检测",
            "price_fen": 1_000_000,
        })  # fmt: skip
    assert "关联方" in str(refused.value.fields)
    claim = submitted(owner, firm, no, 1_000_000, provider_id=parent)
    checked(cast.clerk, claim)
    with pytest.raises(Conflict, match="关联方"):
        reviewing.review(cast.clerk, claim, "pass")
    states = select(Claim.findings).where(Claim.no == claim)
    assert "related:shareholding" in {one["code"] for one in db.session.scalar(states)}


def test_bands_that_overlap_are_no_scheme():
    bands = [{"upto_fen": "10000", "rate_bp": "50"}, {"from_fen": "9000", "rate_bp": "30"}]
    typed = {"title": "办法", "services": [{"code": "test", "label": "检测", "bands": bands}]}
    with pytest.raises(ValidationError, match="重叠"):
        load(typed)
