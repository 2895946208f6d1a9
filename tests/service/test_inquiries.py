"""Inquiries: who may, what follows, how it ends, how fast owners answer."""

import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from market.accounts.people import sessions
from market.accounts.people.models import RoleGrant
from market.catalogue.models import Listing
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Gone, Invalid, NotFound, TooMany
from market.core.messages import said_in
from market.core.models import AuditEntry, CaseEvent, OutboxRow, WorkItem
from market.core.permissions import PUBLIC, SYSTEM, Actor, Grant
from market.core.secrets import pseudonym
from market.core.unit_of_work import unit_of_work
from market.matching import (
    contacts,
    following,
    inquiring,
    merging,
    queries,
    reply_templates,
    reply_times,
    rules,
    service,
)
from market.matching.messages import address_of
from market.matching.models import Inquiry, InquiryMessage, OwnerReply
from market.monitoring import my_queries
from market.monitoring import service as desk
from tests import people

NO = "CG2026000009"
VISITOR = {
    "name": "李四",
    "contact": "13812341234",
    "text": "想用在 200 亩茶园",
    "firm": "李记茶厂",
}


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


@pytest.fixture
def listing(demo):
    """A published listing of the demonstration: its owner and its region's code."""
    found = db.session.scalars(select(Listing).where(Listing.no == NO)).one()
    return found


@pytest.fixture
def owner(listing):
    return people.actor(("owner", listing.owner_id), name="管理员")


@pytest.fixture
def editor(listing):
    return people.actor(("editor", listing.owner_id), name="编辑")


@pytest.fixture
def firm(listing):
    return people.organisation("需求方公司")


@pytest.fixture
def asker(firm):
    return people.actor(("editor", firm), name="王五")


@pytest.fixture
def officer(listing):
    return people.actor(("county", None, listing.region.code), name="经办")


def ask(actor, firm=None, text="能不能先试用？", no=NO):
    who = inquiring.member(actor, (firm, "需求方公司") if firm else None)
    return inquiring.ask(actor, "achievement", no, who, {"text": text})


def ask_as_visitor(**more):
    values = VISITOR | more
    return inquiring.ask(
        PUBLIC, "achievement", NO, inquiring.visitor(values), values, address="203.0.113.9"
    )


def row(no):
    db.session.rollback()
    return db.session.scalars(select(Inquiry).where(Inquiry.no == no)).one()


def item(no):
    db.session.rollback()
    return db.session.scalars(select(WorkItem).where(WorkItem.no == no)).one()


def told():
    """Kinds of messages asked for since the start, in order."""
    query = select(OutboxRow).where(OutboxRow.consumer == "notify").order_by(OutboxRow.id)
    return [
        (one.kind, one.payload | {"url": said_in(one.payload)[0]})
        for one in db.session.scalars(query)
    ]


def test_an_inquiry_reaches_its_owner_and_the_office_of_the_place(listing, owner, asker, firm):
    no = ask(asker, firm)
    assert no.startswith(f"DJ{clock.today().year}")
    found = row(no)
    assert (found.owner_id, found.asker_id, found.region_id) == (
        listing.owner_id,
        firm,
        listing.region_id,
    )
    assert [kind for kind, _ in told()] == ["inquiry.received", "inquiry.in_area"]
    first, second = (payload for _, payload in told())
    assert (first["organisation_id"], first["roles"]) == (listing.owner_id, ["owner", "editor"])
    assert second["region_path"] == listing.region.path
    shown = item(no)
    assert (shown.side, shown.organisation_id, shown.next_step) == (
        "owner",
        listing.owner_id,
        "答复咨询",
    )


def test_an_answer_is_due_three_working_days_later(asker, firm):
    with time_machine.travel("2026-11-26 08:00:00+00:00"):  # a Thursday
        assert item(ask(asker, firm)).due.isoformat() == "2026-12-01"


def test_answered_asked_again_closed_and_reopened(owner, asker, firm):
    no = ask(asker, firm)
    service.say(owner, no, "可以，先试三个月。")
    assert (row(no).state, item(no).side) == ("answered", "")
    service.say(asker, no, "费用怎么算？")
    assert (row(no).state, item(no).side) == ("new", "owner")
    service.say(owner, no, "面议。")
    service.close(asker, no, {"outcome": "solved", "amount": 28_000_000})
    found = row(no)
    assert (found.state, found.outcome, found.outcome_amount_fen) == (
        "closed",
        "solved",
        28_000_000,
    )
    assert found.outcome_with_id == found.owner_id  # the owner had the technology
    with pytest.raises(Conflict, match="已办结"):
        service.say(owner, no, "再补充一句")
    service.act(owner, no, "reopen")
    assert (row(no).state, row(no).outcome, item(no).side) == ("new", None, "owner")
    kinds = [kind.removeprefix("inquiry.") for kind, _ in told()]
    assert kinds == [
        "received", "in_area", "answered", "asked_again", "answered", "ended"
    ]  # fmt: skip
    sides = [one.side for one in db.session.scalars(select(InquiryMessage))]
    assert sides == ["asker", "owner", "asker", "owner"]


def test_solved_elsewhere_names_an_organisation_of_the_register(owner, asker, firm):
    other = people.organisation("第三方研究院")
    no = ask(asker, firm)
    values = {"outcome": "elsewhere", "outcome_with": "第三方研究院", "amount": 100}
    service.close(owner, no, values)
    assert (row(no).outcome_with, row(no).outcome_with_id) == ("第三方研究院", other)


def test_after_ninety_days_a_closed_case_stays_closed(owner, asker, firm):
    with time_machine.travel("2026-03-01 00:00:00+00:00") as now:
        no = ask(asker, firm)
        service.close(owner, no, {"outcome": "unsolved"})
        now.shift(timedelta(days=91))
        with pytest.raises(Conflict, match="90 天"):
            service.act(asker, no, "reopen")
        assert "reopen" not in queries.get(asker, no).may
        now.shift(timedelta(days=-2))
        assert "reopen" in queries.get(asker, no).may
        service.act(asker, no, "reopen")
    assert row(no).state == "new"


def test_only_the_asker_withdraws_and_no_office_closes(owner, officer, asker, firm):
    no = ask(asker, firm)
    for actor in (owner, officer):
        with pytest.raises(Denied):
            service.act(actor, no, "withdraw")
    with pytest.raises(Denied):
        service.close(officer, no, {"outcome": "solved"})
    service.act(asker, no, "withdraw")
    assert (row(no).state, item(no).side) == ("withdrawn", "")


@pytest.mark.parametrize(
    ("role", "found"),
    [
        (("owner", "own"), True),
        (("certifier", "own"), True),
        (("viewer", "firm"), True),
        (("owner", "other"), False),
        (("county", "area"), True),
        (("county", "elsewhere"), False),
        (("province", "above"), True),
        (("finance", "area"), False),
        (("system_admin",), False),
    ],
)
def test_who_finds_an_inquiry(listing, asker, firm, role, found):
    no = ask(asker, firm)
    where = {
        "own": (listing.owner_id,),
        "firm": (firm,),
        "other": (people.organisation("旁人"),),
        "area": (None, listing.region.code),
        "above": (None, listing.region.code[:2] + "0000"),
        "elsewhere": (None, "630000"),
    }
    actor = people.actor((role[0], *(where[role[1]] if len(role) > 1 else ())))
    if found:
        assert queries.get(actor, no).inquiry.no == no
    else:
        with pytest.raises(NotFound):
            queries.get(actor, no)
        with pytest.raises(NotFound):
            service.say(actor, no, "猜到的编号")


def test_members_who_only_read_do_not_write(listing, asker, firm):
    no = ask(asker, firm)
    with pytest.raises(Denied):
        service.say(people.actor(("viewer", listing.owner_id)), no, "我来答复")


def test_who_left_an_organisation_does_not_take_its_inquiries_along(owner, asker, firm):
    no = ask(asker, firm)
    left = Actor("person", asker.label, asker.id)
    with pytest.raises(NotFound):
        queries.get(left, no)
    own = ask(left)
    assert queries.get(left, own).side == "asker"
    service.say(owner, no, "答")
    assert told()[-1][1]["people"] == [asker.id]
    end_grants(asker.id)
    service.say(owner, no, "再答")
    reached = told()[-1][1]
    assert (reached["people"], reached["organisation_id"]) == ([], firm)


def test_a_program_acts_within_its_scopes(listing, asker, firm):
    no = ask(asker, firm)
    grants = (Grant("editor", listing.owner_id),)
    reading = Actor("token", "程序", 1, grants, frozenset({"matching:inquiry:read"}))
    assert queries.get(reading, no)
    with pytest.raises(Denied):
        service.say(reading, no, "自动答复")
    service.say(Actor("token", "程序", 1, grants, frozenset({"matching:inquiry"})), no, "收到")
    assert row(no).state == "answered"


def test_nobody_asks_himself(owner, listing):
    with pytest.raises(Conflict, match="不用向自己咨询"):
        ask(owner)
    with pytest.raises(Conflict, match="不用向自己咨询"):
        ask(owner, listing.owner_id)


def test_a_withdrawn_listing_takes_no_inquiry(asker, firm, listing):
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.execute(update(Listing).where(Listing.no == NO).values(state="withdrawn"))
    with pytest.raises(Gone):
        ask(asker, firm)
    assert db.session.scalar(select(func.count()).select_from(Inquiry)) == 0


# Visitors


def visitor_of(no):
    return queries.by_address(address_of(no).rsplit("/", 1)[1])


def test_a_visitor_follows_answers_and_writes_by_his_address(owner):
    no = ask_as_visitor()
    found = row(no)
    assert "13812341234" not in f"{found.contact} {found.asker_label} {found.contact_shown}"
    assert (found.asker_label, found.contact_shown) == ("李记茶厂 · 李*", "138****1234")
    assert found.contact_key == pseudonym("13812341234", "person.mobile")
    service.say(owner, no, "可以。")
    reached = told()[-1][1]
    assert reached["url"] == address_of(no)
    assert reached["contact"]
    assert "13812341234" not in str(reached)
    actor = visitor_of(no)
    service.say(actor, no, "多少钱？")
    service.close(actor, no, {"outcome": "unsolved"})
    assert row(no).state == "closed"
    own = (CaseEvent.kind == "inquiry") & (CaseEvent.object_id == found.id)
    events = db.session.scalars(select(CaseEvent).where(own))
    assert [one.actor_kind for one in events] == ["public", "person", "visitor", "visitor"]


def test_an_address_opens_its_own_inquiry_only_and_for_thirty_days(asker, firm, owner):
    with time_machine.travel("2026-06-01 00:00:00+00:00") as now:
        no, other = ask_as_visitor(), ask(asker, firm)
        with pytest.raises(NotFound):
            queries.get(visitor_of(no), other)
        for word in (no, f"{no}-", f"{no}-{'0' * 32}", f"{no}-{'号' * 8}", address_of(other)[9:]):
            with pytest.raises(NotFound):
                queries.by_address(word)
        now.shift(timedelta(days=29))
        service.say(owner, no, "迟到的答复")
        now.shift(timedelta(days=29))
        assert visitor_of(no)  # thirty days from the answer
        now.shift(timedelta(days=2))
        with pytest.raises(Gone):
            visitor_of(no)


def test_how_to_reach_a_visitor_is_read_in_full_and_noted(owner, officer):
    no = ask_as_visitor()
    for actor in (owner, officer):
        with pytest.raises(Invalid):
            contacts.read(actor, no, "")
    assert contacts.read(owner, no, "打电话") == contacts.Contact("李四", "13812341234", "")
    contacts.read(officer, no, "对方说联系不上")
    notes = list(
        db.session.scalars(select(AuditEntry).where(AuditEntry.action == "inquiry.contact_read"))
    )
    assert [one.after for one in notes] == [{"reason": "打电话"}, {"reason": "对方说联系不上"}]
    assert "13812341234" not in str([one.after for one in db.session.scalars(select(AuditEntry))])


def test_what_visitors_left_is_forgotten_half_a_year_later(owner):
    with time_machine.travel("2026-01-05 00:00:00+00:00") as now:
        no = ask_as_visitor()
        now.shift(timedelta(days=179))
        contacts.forget()
        assert row(no).contact is not None
        db.session.rollback()
        now.shift(timedelta(days=2))
        contacts.forget()
        assert (row(no).contact, row(no).contact_shown) == (None, None)
        assert contacts.read(owner, no, "打电话").lost


def test_visitors_are_limited_by_telephone_and_network(demo):
    for _ in range(5):
        ask_as_visitor()
    with pytest.raises(TooMany):
        ask_as_visitor()
    for number in range(5):
        ask_as_visitor(contact=f"1390000000{number}")
    with pytest.raises(TooMany, match="一小时"):
        ask_as_visitor(contact="13700000000")


def test_whose_inquiry_was_removed_sends_no_more_to_that_owner(owner, officer):
    no = ask_as_visitor()
    with pytest.raises(Invalid):
        service.act(owner, no, "remove")
    service.act(owner, no, "remove", reason="广告")
    with pytest.raises(Conflict, match="被移除过"):
        ask_as_visitor()
    service.act(officer, no, "restore")
    assert ask_as_visitor()


# Offices


def test_an_office_notes_and_reminds_once_a_day(officer, owner, asker, firm):
    no = ask(asker, firm)
    service.say(officer, no, "请尽快答复。")
    assert row(no).state == "new"
    service.remind(officer, no)
    with pytest.raises(Conflict, match="今天已提醒"):
        service.remind(officer, no)
    with pytest.raises(Denied):
        service.remind(owner, no)
    service.say(owner, no, "好的")
    with pytest.raises(Conflict, match="不必提醒"):
        service.remind(officer, no)


def test_a_case_is_given_to_a_colleague_who_may_answer(owner, editor, asker, firm, listing):
    no = ask(asker, firm)
    for wrong in (asker.id, people.actor(("viewer", listing.owner_id)).id):
        with pytest.raises(Invalid):
            service.assign(owner, no, wrong)
    service.assign(owner, no, editor.id)
    assert item(no).owner_assignee_id == editor.id
    assert told()[-1][1]["people"] == [editor.id]
    service.say(owner, no, "答")
    service.say(asker, no, "问")
    assert told()[-1][1]["people"] == [editor.id]
    assert queries.mine(owner, "received").items[0].assignee == "编辑"


def test_the_offices_handler_and_the_owners_colleague_are_two(owner, editor, asker, firm, officer):
    no = ask(asker, firm)
    service.assign(owner, no, editor.id)
    number = desk.assign(officer, item(no).id, officer.id)
    assert (item(no).assignee_id, item(no).owner_assignee_id) == (officer.id, editor.id)
    service.say(owner, no, "答")
    service.say(asker, no, "问")
    assert told()[-1][1]["people"] == [editor.id]
    assert queries.mine(owner, "received").items[0].assignee == "编辑"
    shown = {one.no: one for group in my_queries.mine(owner) for one in group.page.items}[no]
    assert (shown.assignee, shown.owner_assignee) == ("经办", "编辑")
    desk.undo(officer, number)
    service.assign(owner, no, None)
    assert (item(no).assignee_id, item(no).owner_assignee_id) == (None, None)


def test_whoever_cannot_answer_is_not_told_in_place_of_those_who_can(
    owner, editor, asker, firm, listing
):
    no = ask(asker, firm)
    service.assign(owner, no, editor.id)
    end_grants(editor.id)
    service.say(owner, no, "答")
    service.say(asker, no, "问")
    last = told()[-1][1]
    assert last["people"] == []
    assert (last["organisation_id"], last["roles"]) == (listing.owner_id, ["owner", "editor"])


def end_grants(*people_ids):
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        ended = update(RoleGrant).where(RoleGrant.person_id.in_(people_ids))
        db.session.execute(ended.values(ended_at=clock.now()))


def test_an_office_answers_for_an_owner_without_an_account(listing, asker, firm):
    """A firm that a clerk founded (代录) would leave its callers without an answer."""
    office = people.organisation("某县科技局", kind="office", code=listing.region.code)
    officer = people.actor(("county", office, listing.region.code), name="经办")
    stranger = people.actor(("county", None, "511403"), name="外县")
    no = ask(asker, firm)
    assert (item(no).side, item(no).assignee_id) == ("office", None)
    with pytest.raises(NotFound):
        service.answer_for(stranger, no, "答")
    with pytest.raises(Denied):
        service.answer_for(asker, no, "答")
    service.answer_for(officer, no, "已替您问过，可以试用。")
    service.answer_for(officer, no, "已替您问过，可以试用。")  # a double click
    said = db.session.scalars(select(InquiryMessage).order_by(InquiryMessage.id)).all()
    assert [(one.side, one.author) for one in said][1:] == [("owner", "某县科技局代答 · 经办")]
    assert row(no).state == "answered"
    assert told()[-1][1]["people"] == [asker.id]
    assert db.session.get(OwnerReply, listing.owner_id) is None, "not the owner's own speed"
    service.close(officer, no, {"outcome": "solved"})
    assert (row(no).state, row(no).outcome_with_id) == ("closed", listing.owner_id)
    events = [one.action for one in queries.get(officer, no).events]
    assert events == ["begin", "answer_for", "close_for"]


def test_once_claimed_the_owner_alone_answers(listing, officer, asker, firm):
    no = ask(asker, firm)
    assert following.follow_owners() is False
    assert item(no).side == "office"
    owner = people.actor(("owner", listing.owner_id))
    following.follow_owners()
    assert item(no).side == "owner"
    for forbidden in (
        lambda: service.answer_for(officer, no, "答"),
        lambda: service.close(officer, no, {"outcome": "solved"}),
    ):
        with pytest.raises(Denied):
            forbidden()
    end_grants(owner.id)
    following.follow_owners()
    assert item(no).side == "office"
    service.answer_for(officer, no, "答")


def test_unanswered_inquiries_stand_first_the_longest_waiting_on_top(owner, asker, firm):
    with time_machine.travel("2026-06-01 00:00:00+00:00") as now:
        numbers = []
        for _ in range(3):
            numbers.append(ask(asker, firm))
            now.shift(60)
        service.say(owner, numbers[0], "答")
        page = queries.mine(owner, "received")
    assert [one.inquiry.no for one in page.items] == [numbers[1], numbers[2], numbers[0]]
    assert {one.inquiry.no for one in queries.mine(asker, "sent").items} == set(numbers)
    assert queries.mine(owner, "closed").items == []
    assert queries.mine(asker, "received").items == []


# How fast


def answered_after(owner, asker, firm, hours):
    """An inquiry that was answered after so many hours."""
    with time_machine.travel(clock.now() - timedelta(days=20)) as now:
        no = ask(asker, firm)
        now.shift(timedelta(hours=hours))
        service.say(owner, no, "答")
    return no


def test_the_usual_time_is_the_median_and_shown_from_three_cases_on(owner, asker, firm, listing):
    for hours in (1, 100):
        answered_after(owner, asker, firm, hours)
        assert reply_times.note(listing.owner_id) is None
    slow = answered_after(owner, asker, firm, 5)
    assert reply_times.note(listing.owner_id) == "通常 5 小时内答复（近一年 3 件）"
    answered_after(owner, asker, firm, 60)
    assert db.session.get(OwnerReply, listing.owner_id).median_minutes == (5 + 60) * 30
    db.session.rollback()
    service.say(asker, slow, "再问")
    service.say(owner, slow, "再答")  # not a first answer
    assert db.session.get(OwnerReply, listing.owner_id).count == 4
    db.session.rollback()
    service.act(owner, slow, "remove", reason="广告")
    assert db.session.get(OwnerReply, listing.owner_id).count == 3


def test_answers_leave_the_count_after_a_year(owner, asker, firm, listing):
    for hours in (1, 2, 3):
        answered_after(owner, asker, firm, hours)
    with time_machine.travel(clock.now() + timedelta(days=366)):
        reply_times.refresh()
    assert reply_times.note(listing.owner_id) is None


def test_times_in_words_are_rounded_up():
    assert [rules.usual_time(n) for n in (0, 60, 61, 24 * 60, 25 * 60, 49 * 60)] == [
        "1 小时", "1 小时", "2 小时", "24 小时", "2 天", "3 天",
    ]  # fmt: skip


def test_templates_belong_to_their_organisation(owner, asker, listing, firm):
    reply_templates.save(owner, listing.owner_id, {"title": "寄样", "text": "请寄样品到……"})
    [held] = reply_templates.of(owner, [listing.owner_id])
    assert reply_templates.of(asker, [listing.owner_id, firm]) == []
    key = held.id
    with pytest.raises(NotFound):
        reply_templates.delete(asker, key)
    with pytest.raises(Denied):
        reply_templates.save(asker, listing.owner_id, {"title": "别家", "text": "…"})
    reply_templates.save(owner, listing.owner_id, {"title": "寄样品", "text": "新", "id": key})
    assert [one.title for one in reply_templates.of(owner, [listing.owner_id])] == ["寄样品"]
    db.session.rollback()
    reply_templates.delete(owner, key)
    assert reply_templates.of(owner, [listing.owner_id]) == []


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("138 1234 1234", "13812341234"),
        ("+86-13812341234", "13812341234"),
        ("028-38160000", "028-38160000"),
        ("A.B@Example.com", "a.b@example.com"),
        ("12345", None),
        ("138123412345", None),
        ("a@b", None),
        ("<script>@x.cn", None),
    ],
)
def test_telephones_and_addresses_as_people_type_them(typed, read):
    assert rules.reachable(typed) == read


# Several at once

THREADS = 8


def in_threads(app, work):
    """Run `work(number)` in eight threads at once; results, exceptions included."""
    results, barrier = [None] * THREADS, threading.Barrier(THREADS)

    def one(number):
        with app.app_context():
            barrier.wait()
            try:
                results[number] = work(number)
            except Exception as error:
                results[number] = error
            db.session.remove()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def audited(no, action):
    db.session.rollback()
    query = select(func.count()).select_from(AuditEntry)
    return db.session.scalar(query.where(AuditEntry.object_no == no, AuditEntry.action == action))


def test_of_those_who_answer_at_once_one_does(demo, owner, asker, firm):
    no = ask(asker, firm)
    seen = row(no).lock_version
    db.session.rollback()
    results = in_threads(demo, lambda n: service.say(owner, no, f"答复 {n}", seen))
    assert sum(one is None for one in results) == 1, results
    assert sum(isinstance(one, Conflict) for one in results) == THREADS - 1
    assert audited(no, "inquiry.answer") == 1
    said = select(func.count()).select_from(InquiryMessage).where(InquiryMessage.side == "owner")
    assert db.session.scalar(said) == 1


def test_of_eight_who_close_one_does(demo, owner, asker, firm):
    no = ask(asker, firm)
    outcomes = ("solved", "unsolved")

    def close(number):
        service.close((owner, asker)[number % 2], no, {"outcome": outcomes[number % 2]})

    results = in_threads(demo, close)
    assert sum(one is None for one in results) == 1, results
    assert sum(isinstance(one, Conflict) for one in results) == THREADS - 1
    assert audited(no, "inquiry.close") + audited(no, "inquiry.close_own") == 1


def test_the_same_words_sent_twice_are_one_message(owner, asker, firm):
    no = ask(asker, firm)
    seen = row(no).lock_version
    db.session.rollback()
    service.say(owner, no, "答复", seen)
    service.say(owner, no, "答复", seen)
    assert audited(no, "inquiry.answer") == 1


def test_an_actor_outside_a_request_has_what_his_grants_say(listing):
    found = sessions.actor_of(people.person(("owner", listing.owner_id)))
    assert queries.colleagues(listing.owner_id) == [(found.id, "张三")]


def test_when_organisations_merge_their_inquiries_go_along(owner, asker, firm, listing):
    for hours in (1, 2, 3):
        no = answered_after(owner, asker, firm, hours)
    target = people.organisation("合并后的研究院")
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        assert merging.would_move(listing.owner_id) == ("对接咨询", 3)
        merging.move(listing.owner_id, target)
    assert row(no).owner_id == target
    assert item(no).organisation_id == target
    assert reply_times.note(target) == "通常 2 小时内答复（近一年 3 件）"
