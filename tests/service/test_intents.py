"""Intents: how they begin, offers and the yes of both sides, races, who sees what, outcomes."""

import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from market.accounts.models import Organisation
from market.catalogue.models import Listing
from market.core import clock, files
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.models import AuditEntry, OutboxRow, WorkItem
from market.core.permissions import PUBLIC
from market.matching import inquiring
from market.matching.intents import (
    attachments,
    beginning,
    invitations,
    offers,
    outcomes,
    queries,
    rules,
    service,
    thread,
)
from market.matching.intents.models import Intent, IntentInvitation, Offer, Outcome, Question
from market.matching.intents.schemas import OfferSchema
from tests import people

NO = "CG2026000001"
TERMS = {
    "transfer_mode": "licence",
    "price_mode": "entry_royalty",
    "entry_fen": 10_000_000,
    "royalty_bp": 200,
    "royalty_base": "sales",
    "plan": [
        {"when": "签订后 10 日内", "what": "首付", "fen": 6_000_000},
        {"when": "验收后", "what": "余款", "fen": 4_000_000},
    ],
    "acceptance": "连续三批合格",
    "ownership": "seller",
}


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


@pytest.fixture
def listing(demo):
    return db.session.scalars(select(Listing).where(Listing.no == NO)).one()


@pytest.fixture
def seller(listing):
    return people.actor(("owner", listing.owner_id), name="院方")


@pytest.fixture
def firm(listing):
    return people.organisation("需求方公司", code="511402")


@pytest.fixture
def buyer(firm):
    return people.actor(("editor", firm), name="王五")


@pytest.fixture
def helper(listing):
    return people.organisation("好帮手服务点", code="511402", kind="institution")


@pytest.fixture
def inquiry(buyer, firm):
    made = inquiring.member(buyer, (firm, "需求方公司"))
    return inquiring.ask(buyer, "achievement", NO, made, {"text": "想买"})


@pytest.fixture
def no(buyer, inquiry):
    """An intent that waits for the seller."""
    return beginning.begin(buyer, inquiry, {"side": "buyer", "contract_class": "licence"})


@pytest.fixture
def talking(no, seller):
    service.act(seller, no, "accept")
    return no


def row(no):
    db.session.rollback()
    return db.session.scalars(select(Intent).where(Intent.no == no)).one()


def count(model, *where):
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model).where(*where))


def told(kind=""):
    """Kinds of messages asked for, and whom."""
    query = select(OutboxRow).where(OutboxRow.consumer == "notify").order_by(OutboxRow.id)
    return [one for one in db.session.scalars(query) if one.kind.startswith(kind or "intent.")]


def item(no, **more):
    db.session.rollback()
    return db.session.scalars(select(WorkItem).filter_by(no=no, **more)).one()


# Beginning


def test_an_inquiry_becomes_an_intent_that_the_other_side_accepts(no, listing, firm, seller, buyer):
    found = row(no)
    assert no.startswith(f"YX{clock.today().year}")
    assert (found.buyer_id, found.seller_id) == (firm, listing.owner_id)
    assert {found.buyer_region.code, found.seller_region.code} == {
        "511402",
        listing.owner.region.code,
    }
    assert found.field
    waits = item(no)
    assert (waits.organisation_id, waits.side, waits.due is not None) == (
        listing.owner_id,
        "owner",
        True,
    )
    with pytest.raises(Denied):
        service.act(buyer, no, "accept")
    service.act(seller, no, "accept")
    assert row(no).state == "talking"
    assert item(no).organisation_id == firm
    assert told()[0].kind == "intent.proposed"


def test_sides_can_be_swapped_until_something_is_offered(talking, listing, firm, seller, buyer):
    thread.say(buyer, talking, "我方其实是卖方")
    service.act(seller, talking, "swap")
    found = row(talking)
    assert (found.buyer_id, found.seller_id) == (listing.owner_id, firm)
    assert queries.get(buyer, talking).messages[0].side == "seller"
    offers.offer(buyer, talking, TERMS)
    with pytest.raises(Conflict):
        service.act(buyer, talking, "swap")


def test_only_organisations_have_intents_and_one_of_each_inquiry(demo, seller, buyer, inquiry, no):
    with pytest.raises(Conflict, match=no):
        beginning.begin(seller, inquiry, {"side": "seller"})
    service.act(buyer, no, "withdraw")
    assert beginning.begin(seller, inquiry, {"side": "seller"}) != no
    alone = people.actor(name="无单位")
    asked = inquiring.ask(alone, "achievement", NO, inquiring.member(alone, None), {"text": "问"})
    with pytest.raises(Conflict, match="先登记或加入"):
        beginning.begin(alone, asked, {"side": "buyer"})
    with pytest.raises(Conflict, match="咨询方还没有"):
        beginning.begin(seller, asked, {"side": "seller"})
    values = {"name": "李四", "contact": "13812341234", "text": "问", "firm": "李记"}
    by_visitor = inquiring.ask(PUBLIC, "achievement", NO, inquiring.visitor(values), values)
    assert "咨询方还没有" in beginning.start(seller, by_visitor).obstacle
    stranger = people.actor(("owner", people.organisation("别家")))
    with pytest.raises(NotFound):
        beginning.begin(stranger, inquiry, {"side": "buyer"})


# Offers and the yes of both sides


def test_an_intent_is_agreed_when_both_say_yes_to_one_version(talking, seller, buyer, firm):
    assert offers.offer(seller, talking, TERMS) == 1
    assert row(talking).seller_yes == 1
    # A new offer voids the yes of the earlier one.
    changed = {**TERMS, "entry_fen": 8_000_000}
    assert offers.offer(buyer, talking, changed) == 2
    found = row(talking)
    assert (found.buyer_yes, found.seller_yes, found.state) == (2, 0, "talking")
    with pytest.raises(Conflict, match="不是最新"):
        offers.agree(seller, talking, 1)
    # The buyer's own yes is there already; saying it again agrees nothing.
    assert offers.agree(buyer, talking, 2) is False
    assert offers.agree(seller, talking, 2) is True
    assert offers.agree(seller, talking, 2) is True  # a double click
    found = queries.agreed(buyer, talking)
    assert (found.version, found.terms["entry_fen"], found.contract_class) == (
        2,
        8_000_000,
        "licence",
    )
    assert found.parties["buyer"]["name"] == "需求方公司"
    assert found.in_words["royalty"] == "按销售额的 2 %"
    assert item(talking).side == ""
    with pytest.raises(Conflict):
        offers.offer(buyer, talking, TERMS)


def test_what_was_agreed_stays_when_the_world_changes(talking, seller, buyer, firm):
    offers.offer(seller, talking, TERMS)
    with pytest.raises(Conflict, match="还没有达成"):
        queries.agreed(buyer, talking)
    offers.agree(buyer, talking, 1)
    from market.core.permissions import SYSTEM
    from market.core.unit_of_work import unit_of_work

    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.get_one(Organisation, firm).name = "改了名的公司"
    assert queries.agreed(buyer, talking).parties["buyer"]["name"] == "需求方公司"


def test_an_offer_whose_time_is_over_cannot_be_agreed_to(talking, seller, buyer):
    offers.offer(seller, talking, TERMS | {"valid_until": clock.today()})
    with (
        time_machine.travel(clock.now() + timedelta(days=2)),
        pytest.raises(Conflict, match="有效期"),
    ):
        offers.agree(buyer, talking, 1)


def race(app, *acts):
    """Do these at once; what each gave or raised."""
    ready, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        with app.app_context():
            ready.wait()
            try:
                results[place] = act()
            except Conflict as error:
                results[place] = error
            db.session.remove()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(acts)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return results


def test_of_two_who_offer_and_accept_at_once_one_wins(demo, talking, seller, buyer):
    offers.offer(seller, talking, TERMS)
    seen = row(talking).lock_version
    other = TERMS | {"entry_fen": 1}
    results = race(
        demo,
        lambda: offers.agree(buyer, talking, 1, seen),
        lambda: offers.offer(seller, talking, other, (), seen),
    )
    assert sum(isinstance(one, Conflict) for one in results) == 1
    found = row(talking)
    assert (found.state, found.latest) in {("agreed", 1), ("talking", 2)}


def test_of_two_offers_at_once_one_is_kept(demo, talking, seller, buyer):
    seen = row(talking).lock_version
    results = race(
        demo,
        lambda: offers.offer(buyer, talking, TERMS, (), seen),
        lambda: offers.offer(seller, talking, TERMS, (), seen),
    )
    assert sum(isinstance(one, Conflict) for one in results) == 1
    assert count(Offer) == 1


def test_the_same_offer_sent_twice_is_one(talking, seller):
    assert offers.offer(seller, talking, TERMS) == offers.offer(seller, talking, TERMS) == 1


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"royalty_bp": 10_001}, "royalty_bp"),
        ({"royalty_bp": 0}, "royalty_bp"),
        ({"entry_fen": -1}, "entry_fen"),
        ({"entry_fen": None}, "entry_fen"),
        ({"royalty_base": None}, "royalty_base"),
        (
            {"price_mode": "range", "entry_fen": None, "price_min_fen": 5, "price_max_fen": 5},
            "price_max_fen",
        ),
        ({"price_mode": "fixed", "entry_fen": None}, "price_min_fen"),
        ({"price_mode": "gift"}, "price_mode"),
        ({"transfer_mode": None}, "transfer_mode"),
        ({"plan": [{"when": "明天", "fen": -5}]}, "plan"),
        ({"plan": [{"when": None, "what": None, "fen": 5}]}, "plan"),
        ({"plan": [{"when": "一", "fen": 1}] * 13}, "plan"),
    ],
)
def test_terms_that_make_no_sense_are_refused(wrong, name):
    with pytest.raises(Invalid) as refused:
        offers.checked(TERMS | wrong, clock.today())
    assert name in refused.value.fields


def test_a_plan_that_does_not_add_up_is_warned_about():
    fine = offers.checked(TERMS, clock.today())
    assert rules.warnings(fine, clock.today()) == []
    odd = fine | {"plan": fine["plan"][:1]}
    assert "付款计划合计 6 万元" in rules.warnings(odd, clock.today())[0]


def test_the_form_reads_rates_and_plans_and_refuses_novels(app):
    typed = {"transfer_mode": "licence", "price_mode": "negotiable"}
    plan = {"plan_when_2": "验收后", "plan_fen_2": "12万"}
    loaded = OfferSchema().load(typed | plan | {"royalty_bp": "2.5 %"})
    assert loaded["royalty_bp"] == 250
    assert loaded["plan"] == [{"when": "验收后", "what": None, "fen": 12_000_000}]
    wrong = {"royalty_bp": "100.01", "words": "长" * 50_000, "plan_fen_1": "-3"}
    assert set(OfferSchema().validate(typed | wrong)) == set(wrong)
    assert OfferSchema().load(typed | {"words": "<b>粗</b>字"})["words"] == "<b>粗</b>字"


# The end, and again


def test_it_ends_with_a_reason_of_the_list_and_can_be_taken_up(talking, seller, buyer):
    offers.offer(seller, talking, TERMS)
    for wrong in ({}, {"ending": "bored"}, {"ending": "other"}):
        with pytest.raises(Invalid):
            service.act(buyer, talking, "end", wrong)
    service.act(buyer, talking, "end", {"ending": "price", "reason": "差 5 万"})
    assert (row(talking).state, row(talking).ending) == ("ended", "price")
    with pytest.raises(Conflict):
        thread.say(buyer, talking, "再谈谈？")
    service.act(seller, talking, "reopen")
    assert (row(talking).state, row(talking).ending) == ("talking", None)
    # Both must say yes anew to what lies on the table.
    assert offers.agree(seller, talking, 1) is False
    assert offers.agree(buyer, talking, 1) is True
    service.act(seller, talking, "end", {"ending": "plans"})
    with time_machine.travel(clock.now() + timedelta(days=91)):
        assert "reopen" not in queries.get(buyer, talking).may
        with pytest.raises((Denied, Conflict)):
            service.act(buyer, talking, "reopen")


def test_who_was_declined_cannot_take_it_up_himself(no, seller, buyer):
    service.act(seller, no, "decline", {"ending": "declined"})
    with pytest.raises(Denied):
        service.act(buyer, no, "reopen")
    service.act(seller, no, "reopen")
    assert row(no).state == "talking"


# Who sees what


def test_the_invited_sees_only_his_case_and_accepts_no_offer(
    demo, talking, seller, buyer, helper, listing, firm
):
    point = people.actor(("point_staff", helper), name="服务员")
    with pytest.raises(NotFound):
        queries.get(point, talking)
    with pytest.raises(Invalid):
        invitations.invite(buyer, talking, {"organisation": "没有这家", "role": "point"})
    with pytest.raises(Invalid):
        invitations.invite(buyer, talking, {"organisation": "需求方公司", "role": "point"})
    key = invitations.invite(buyer, talking, {"organisation": "好帮手服务点", "role": "point"})
    with pytest.raises(Conflict):
        invitations.invite(seller, talking, {"organisation": "好帮手服务点", "role": "point"})
    for too_early in (buyer, point):
        with pytest.raises((Denied, Conflict)):
            invitations.act(too_early, key, "join" if too_early is point else "consent")
    invitations.act(seller, key, "consent")
    with pytest.raises(NotFound):
        queries.get(point, talking)  # invited, not yet joined
    assert invitations.get(point, key).state == "invited"
    invitations.act(point, key, "join")
    offers.offer(seller, talking, TERMS)
    case = queries.get(point, talking)
    assert (case.side, case.terms, len(case.offers), case.actions) == ("helper", True, 1, [])
    thread.say(point, talking, "我来帮忙")
    for forbidden in (
        lambda: offers.agree(point, talking, 1),
        lambda: offers.offer(point, talking, TERMS),
        lambda: service.act(point, talking, "end", {"ending": "price"}),
        lambda: outcomes.tell(point, talking, {"outcome": "talking"}),
    ):
        with pytest.raises(Denied):
            forbidden()
    # Only this one: another intent of the same parties stays closed to him.
    made = inquiring.member(buyer, (firm, "需求方公司"))
    again = inquiring.ask(buyer, "achievement", NO, made, {"text": "另一件"})
    other = beginning.begin(buyer, again, {"side": "buyer"})
    with pytest.raises(NotFound):
        queries.get(point, other)
    assert [one.intent.no for one in queries.mine(point, "open").items] == [talking]
    invitations.act(buyer, key, "remove")
    with pytest.raises(NotFound):
        queries.get(point, talking)


def test_the_other_party_may_refuse_an_invitation(talking, seller, buyer, helper):
    key = invitations.invite(seller, talking, {"organisation": "好帮手服务点", "role": "broker"})
    with pytest.raises(Denied):
        invitations.act(seller, key, "consent")
    invitations.act(buyer, key, "object")
    assert db.session.get_one(IntentInvitation, key).state == "refused"
    invitations.act(buyer, key, "again")
    invitations.act(seller, key, "consent")


def test_offices_of_both_areas_see_the_case_and_terms_only_where_shown(
    talking, seller, buyer, listing
):
    theirs = people.actor(("county", None, listing.owner.region.code))
    ours = people.actor(("county", None, "511402"))
    elsewhere = people.actor(("county", None, "370000"))
    offers.offer(seller, talking, TERMS)
    thread.say(buyer, talking, "底价 8 万")
    thread.say(theirs, talking, "请抓紧")
    upload = files.take_in("条款.pdf", b"%PDF-1.4 terms")
    offers.offer(seller, talking, TERMS | {"words": "附件"}, [upload])
    stored = queries.get(buyer, talking).latest.files[0]
    with pytest.raises(NotFound):
        queries.get(elsewhere, talking)
    for office in (ours, theirs):
        case = queries.get(office, talking)
        assert (case.side, case.terms, list(case.offers)) == ("office", False, [])
        assert [one.text for one in case.messages] == ["请抓紧"]
        assert not attachments.may_have(office, stored)
        with pytest.raises(NotFound):
            queries.agreed(office, talking)
        assert queries.in_area(office, "open").total == 1
    service.act(buyer, talking, "show")
    assert len(queries.get(ours, talking).offers) == 2
    assert len(queries.get(ours, talking).messages) == 2
    assert attachments.may_have(ours, stored)
    assert not queries.get(theirs, talking).terms
    service.act(buyer, talking, "hide")
    assert not queries.get(ours, talking).terms
    with pytest.raises(Denied):
        service.act(ours, talking, "show")
    thread.remind(ours, talking)
    with pytest.raises(Conflict, match="今天已提醒"):
        thread.remind(theirs, talking)


def test_a_viewer_reads_and_does_nothing_and_strangers_find_nothing(talking, firm):
    viewer = people.actor(("viewer", firm))
    assert queries.get(viewer, talking).actions == []
    for act in (
        lambda: offers.offer(viewer, talking, TERMS),
        lambda: thread.say(viewer, talking, "哦"),
        lambda: service.act(viewer, talking, "end", {"ending": "price"}),
    ):
        with pytest.raises(Denied):
            act()
    stranger = people.actor(("owner", people.organisation("别家")))
    for act in (
        lambda: queries.get(stranger, talking),
        lambda: offers.offer(stranger, talking, TERMS),
        lambda: service.act(stranger, talking, "accept"),
        lambda: outcomes.tell(stranger, talking, {"outcome": "talking"}),
    ):
        with pytest.raises(NotFound):
            act()


# What became of it


def ask_all():
    while outcomes.ask():
        pass
    return count(Question)


def test_both_sides_are_asked_after_30_and_180_days_and_never_twice(
    talking, seller, buyer, listing, firm
):
    offers.offer(seller, talking, TERMS)
    offers.agree(buyer, talking, 1)
    start = clock.now()
    with time_machine.travel(start + timedelta(days=29)) as now:
        assert ask_all() == 0
        now.shift(timedelta(days=1, hours=1))
        assert ask_all() == 2
        assert ask_all() == 2
        assert len(told("intent.outcome_asked")) == 2
        waits = item(f"{talking}-30", organisation_id=firm)
        assert (waits.side, waits.due) == ("owner", clock.today() + timedelta(days=15))
        outcomes.tell(
            buyer,
            talking,
            {
                "outcome": "signed",
                "contract_no": "2026-1",
                "signed_on": clock.today(),
                "amount_fen": 5,
            },
        )
        assert item(f"{talking}-30", organisation_id=firm).side == ""
        # The office of the area is shown what was told.
        office = people.actor(("county", None, listing.owner.region.code))
        assert [one.amount_fen for one in queries.get(office, talking).outcomes] == [5]
        now.shift(timedelta(days=150))
        # The buyer has told; the seller's old question gives way to the new one.
        assert ask_all() == 3
        assert ask_all() == 3
        states = db.session.execute(select(Question.side, Question.days, Question.state))
        assert {tuple(one) for one in states} == {
            ("buyer", 30, "answered"),
            ("seller", 30, "dropped"),
            ("seller", 180, "open"),
        }
        outcomes.tell(seller, talking, {"outcome": "failed", "reason": "资金没到位"})
        service.act(seller, talking, "end", {"ending": "money"})
        now.shift(timedelta(days=400))
        assert ask_all() == 3


def test_silent_talks_are_asked_about_and_a_word_starts_the_count_anew(talking, buyer):
    start = clock.now()
    with time_machine.travel(start + timedelta(days=20)) as now:
        thread.say(buyer, talking, "还在算")
        now.shift(timedelta(days=15))
        assert ask_all() == 0
        now.shift(timedelta(days=16))
        assert ask_all() == 2
        outcomes.tell(buyer, talking, {"outcome": "talking"})
        outcomes.tell(buyer, talking, {"outcome": "talking"})  # a double click
        assert count(Outcome) == 1
        service.act(buyer, talking, "end", {"ending": "silent"})
        assert count(Question, Question.state == "open") == 0


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "outcome"),
        ({"outcome": "failed"}, "reason"),
        ({"outcome": "talking", "amount_fen": 5}, "amount_fen"),
        ({"outcome": "signed", "amount_fen": -5}, "amount_fen"),
    ],
)
def test_an_outcome_that_makes_no_sense_is_refused(values, name):
    with pytest.raises(Invalid) as refused:
        outcomes.checked(values)
    assert name in refused.value.fields
    with pytest.raises(Invalid):
        outcomes.checked({"outcome": "signed", "signed_on": clock.today() + timedelta(days=1)})


# Two organisations become one


def test_a_merger_takes_intents_along(talking, firm, helper, seller, buyer):
    from market.core.permissions import SYSTEM
    from market.core.unit_of_work import unit_of_work
    from market.matching.intents import merging as intents_merging

    key = invitations.invite(seller, talking, {"organisation": "好帮手服务点", "role": "point"})
    stays = people.organisation("合并后公司")
    assert intents_merging.would_move(firm) == ("对接意向", 1)
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        intents_merging.move(firm, stays)
        intents_merging.move(helper, stays)
    assert row(talking).buyer_id == stays
    assert db.session.get_one(IntentInvitation, key).organisation_id == stays
    assert item(talking).organisation_id == stays
    heir = people.actor(("owner", stays))
    assert queries.get(heir, talking).side == "buyer"


def test_every_change_is_audited(talking, seller, buyer):
    offers.offer(seller, talking, TERMS)
    offers.agree(buyer, talking, 1)
    query = select(AuditEntry.action).where(AuditEntry.object_no == talking).order_by(AuditEntry.id)
    assert list(db.session.scalars(query)) == [
        "intent.begin",
        "intent.accept",
        "intent.offer",
        "intent.agree",
    ]
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.object_no == talking))
    assert "entry_fen" not in str([one.after for one in entries])
