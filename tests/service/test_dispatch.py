"""Dispatch: points that add up, sending, answers in time and late, the log, races, who may."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from market.accounts.people import sessions
from market.catalogue.models import Listing, Term
from market.core import clock, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.models import AuditEntry, OutboxRow, WorkItem
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.matching.dispatch import (
    contacts,
    escalating,
    firms,
    merging,
    proposals,
    queries,
    reminding,
    rules,
    sending,
    service,
)
from market.matching.dispatch.models import ContactLine, Dispatch
from market.matching.dispatch.rules import Record, Side
from market.service_points.models import Specialist, SpecialistTopic
from tests import people

HERE = "511402"
YES = {
    "answer": "interested",
    "text": "可以做，先取样。",
    "contact": "陈成果",
    "telephone": "13812341234",
}


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


@pytest.fixture
def demand(demo):
    return db.session.scalars(select(Listing).where(Listing.source_id == "demo-xq-001")).one().no


@pytest.fixture
def clerk(demo):
    return people.actor(("county", None, HERE), name="林经办")


@pytest.fixture
def institute(demo):
    return people.organisation("甲研究院", kind="institute", code="510107")


@pytest.fixture
def editor(institute):
    return people.actor(("editor", institute), name="陈成果")


def number(organisation_id):
    from market.accounts.models import Organisation

    return db.session.get_one(Organisation, organisation_id).no


def send(clerk, demand, *organisations, days=5, proposed=None):
    return sending.send(
        clerk,
        demand,
        [number(one) for one in organisations],
        {"days": days, "words": "请看看"},
        proposed or {},
    )


def row(no):
    db.session.rollback()
    return db.session.scalars(select(Dispatch).where(Dispatch.no == no)).one()


def item(no):
    db.session.rollback()
    return db.session.scalars(select(WorkItem).where(WorkItem.no == no)).one()


def told(kind):
    query = select(OutboxRow.payload).where(OutboxRow.kind == kind).order_by(OutboxRow.id)
    return db.session.scalars(query).all()


# Points


CODES = st.lists(st.sampled_from(["农业", "材料", "电子"]), max_size=2)
CHAINS = st.lists(
    st.sampled_from([("C",), ("C", "C14"), ("C", "C14", "C146"), ("C", "C26"), ("A", "A01")]),
    max_size=3,
)
PRICES = st.none() | st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)).map(
    lambda pair: (min(pair), max(pair))
)
SIDES = st.builds(
    Side,
    fields=CODES,
    industries=CHAINS,
    stage=st.sampled_from(["", "lab", "pilot", "adopted", "?"]),
    price_mode=st.sampled_from(["", "negotiable", "fixed"]),
    price=PRICES,
    path=st.lists(st.integers(1, 3), max_size=4),
)
RECORDS = st.builds(
    Record, st.integers(0, 30), st.integers(0, 30), st.none() | st.integers(0, 10**6)
)
LABELS = {"field": {}, "industry": {}, "stage": {}}


@given(SIDES, SIDES, st.lists(st.text(max_size=5), max_size=6), RECORDS)
def test_the_parts_add_up_to_the_score_and_come_back_as_kept(demand, offer, shared, record):
    parts = rules.parts_of(demand, offer, shared, record, LABELS)
    assert rules.score_of(parts) == sum(one.points for one in parts)
    assert all(type(one.points) is int and one.points >= 0 for one in parts)
    assert [one.code for one in parts] == list(rules.LABELS)
    assert rules.read_parts(rules.stored(parts)) == parts
    assert rules.score_of(parts) <= 36 + 15 + 15 + 10 + 10 + 10 + 10


def test_points_say_what_they_are_for():
    here, there = (
        Side(("农业",), [("C", "C14")], path=(1, 2, 3)),
        Side(("农业",), [("C", "C14")], stage="pilot", price=(100, 200), path=(1, 2, 9)),
    )
    parts = rules.parts_of(here, there, ["胀袋", "复合调味"], Record(4, 2, 1440), LABELS)
    assert [one.sentence for one in parts] == [
        "共有词：胀袋、复合调味 +24",
        "技术领域：同为农业 +15",
        "行业：同为C14 +15",
        "所处阶段：未填写 +7",
        "地区：同市（州） +7",
        "价格：预算面议 +5",
        "以往答复：推荐 4 次，答复 2 次，平均 1 天内 +7",
    ]


def test_the_letter_of_an_industry_alone_joins_nothing():
    parts = rules.parts_of(
        Side(industries=[("C", "C14")]), Side(industries=[("C", "C26")]), [], Record(), LABELS
    )
    assert rules.score_of([one for one in parts if one.code == "industry"]) == 0


def test_owners_of_fitting_achievements_are_proposed_once_with_their_points(clerk, demand):
    found = proposals.of(clerk, queries.demand(clerk, demand).listing)
    names = [one.recipient.name for one in found.rows]
    assert "锦江食品与发酵研究院（演示）" in names
    assert len(names) == len(set(names))
    assert [one.score for one in found.rows] == sorted(
        (one.score for one in found.rows), reverse=True
    )
    assert found.rows[0].listings


# Sending


def test_sending_to_three_keeps_points_and_reaches_each(clerk, demand, institute):
    points = sending.points(clerk, demand)
    chosen = [*list(points)[:2], number(institute)]
    made = sending.send(clerk, demand, chosen, {"days": 3}, points)
    rows = [row(no) for no in made]
    assert [one.score for one in rows[:2]] == [rules.score_of(points[no]) for no in chosen[:2]]
    assert sum(part["points"] for part in rows[0].parts) == rows[0].score
    assert rows[2].score is None  # by hand
    assert [one["organisation_id"] for one in told("dispatch.sent")] == [
        one.recipient_id for one in rows
    ]
    shown = item(made[2])
    assert (shown.side, shown.organisation_id) == ("owner", institute)
    assert (shown.assignee_id, shown.due) == (clerk.id, rows[2].due)


def test_the_same_demand_does_not_go_twice_while_open_and_again_when_ended(
    clerk, demand, institute, editor
):
    other = people.organisation("乙研究院", kind="institute")
    (no,) = send(clerk, demand, institute)
    with pytest.raises(Invalid) as caught:
        send(clerk, demand, other, institute)
    assert no in caught.value.fields["to"][0]
    assert "甲研究院" in caught.value.fields["to"][0]
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Dispatch)) == 1
    service.answer(editor, no, {"answer": "declined", "text": "不做食品"})
    (again,) = send(clerk, demand, institute)
    note = flow.timeline("dispatch", row(again).id)[0].note
    assert note == f"此前推荐过：{no}，不对口"


def test_what_cannot_be_sent(clerk, demand, institute):
    owner = db.session.scalars(select(Listing).where(Listing.no == demand)).one().owner_id
    with pytest.raises(Invalid):
        send(clerk, demand, owner)
    with pytest.raises(Invalid):
        sending.send(clerk, demand, ["DW0"], {"days": 5}, {})
    elsewhere = people.actor(("county", None, "511803"), name="外县")
    with pytest.raises(NotFound):
        send(elsewhere, demand, institute)


# Answers


def test_an_answer_reaches_the_clerk_and_is_on_his_desk(clerk, demand, institute, editor):
    (no,) = send(clerk, demand, institute)
    service.answer(editor, no, YES, 1)
    found = row(no)
    assert (found.state, found.answered_by, found.recorded_by) == ("interested", "陈成果", None)
    assert found.contact_shown == "陈** 138****1234"
    assert "13812341234" not in found.contact
    assert told("dispatch.answered")[0]["people"] == [clerk.id]
    shown = item(no)
    assert (shown.side, shown.due) == ("office", found.next_call)
    assert queries.of(no).recipient_id == institute


def test_an_answer_after_the_day_is_taken_and_marked(clerk, demand, institute, editor):
    (no,) = send(clerk, demand, institute, days=1)
    with time_machine.travel(clock.now() + timedelta(days=12)):
        service.do(clerk, no, "miss")
        assert (row(no).state, item(no).side) == ("no_answer", "")
        service.answer(editor, no, YES)
        assert (row(no).state, row(no).late) == ("interested", True)
    assert "迟答" in flow.timeline("dispatch", row(no).id)[-1].note


def test_a_late_answer_to_one_that_was_sent_again_is_led_to_the_new_one(
    clerk, demand, institute, editor
):
    (old,) = send(clerk, demand, institute, days=1)
    with time_machine.travel(clock.now() + timedelta(days=12)):
        service.do(clerk, old, "miss")
        (new,) = send(clerk, demand, institute)
        with pytest.raises(Conflict, match=new):
            service.answer(editor, old, YES)


def test_nobody_is_noted_as_silent_before_the_day(clerk, demand, institute):
    (no,) = send(clerk, demand, institute)
    with pytest.raises(Conflict, match="时限"):
        service.do(clerk, no, "miss")


def test_a_clerk_writes_down_what_was_said_on_the_telephone(clerk, demand, institute):
    (no,) = send(clerk, demand, institute)
    with pytest.raises(Invalid):
        service.answer(clerk, no, {"answer": "declined", "day": clock.today() + timedelta(1)})
    service.answer(clerk, no, {"answer": "declined", "text": "没有人手", "day": clock.today()})
    found = row(no)
    assert (found.recorded_by, found.answered_by) == ("林经办", "甲研究院")
    assert "代录" in flow.timeline("dispatch", found.id)[-1].note


def test_who_is_named_instead_gets_it_and_the_first_is_done(clerk, demand, institute, editor):
    other = people.organisation("乙研究院", kind="institute")
    (no,) = send(clerk, demand, institute)
    service.answer(editor, no, {"answer": "referred", "referral": "乙研究院"})
    assert (row(no).referral_id, item(no).side) == (other, "office")
    send(clerk, demand, other)
    found = row(no)
    assert (found.state, found.outcome, item(no).side) == ("closed", "failed", "")


def test_of_two_who_answer_at_once_the_second_is_told(demo, clerk, demand, institute):
    (no,) = send(clerk, demand, institute)
    both = [people.person(("editor", institute), name=name).id for name in ("甲", "乙")]
    results, start = [], threading.Barrier(2)

    def answer(person_id):
        from market.accounts.people.models import Person

        with demo.app_context():
            actor = sessions.actor_of(db.session.get_one(Person, person_id))
            start.wait()
            try:
                service.answer(actor, no, YES | {"text": f"我是 {actor.label}"}, 1)
                results.append("taken")
            except Conflict as error:
                results.append(error.message)
            db.session.remove()

    threads = [threading.Thread(target=answer, args=(one,)) for one in both]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(results)[0] == "taken"
    assert "新的进展" in sorted(results)[1]
    assert row(no).lock_version == 2


def test_of_two_clerks_who_send_at_once_one_sends(demo, clerk, demand, institute):
    to, results, start = number(institute), [], threading.Barrier(2)

    def go():
        with demo.app_context():
            start.wait()
            try:
                sending.send(clerk, demand, [to], {"days": 5}, {})
                results.append("sent")
            except Invalid:
                results.append("refused")
            db.session.remove()

    threads = [threading.Thread(target=go) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(results) == ["refused", "sent"]


# Following up


def test_the_next_call_drives_the_desk(clerk, demand, institute):
    (no,) = send(clerk, demand, institute)
    tomorrow = clock.today() + timedelta(days=1)
    said = {"kind": "call", "text": "占线", "next_call": tomorrow, "contact": "李四"}
    service.log(clerk, no, said | {"telephone": "028-38160000"})
    assert (item(no).due, row(no).last_word) == (tomorrow, "占线")
    line = db.session.scalars(select(ContactLine)).one()
    assert line.person_shown == "李* 028-******00"
    with pytest.raises(Invalid):
        service.log(clerk, no, said | {"next_call": clock.today() - timedelta(days=1)})
    with time_machine.travel(clock.now() + timedelta(days=3)):
        assert [one.dispatch.no for one in queries.desk(clerk, "late").page.items] == [no]
    with pytest.raises(Invalid):
        contacts.of_dispatch(clerk, no, None, line.id)
    assert contacts.of_dispatch(clerk, no, "回电话", line.id).telephone == "028-38160000"
    read = select(AuditEntry).where(AuditEntry.action == "contact_log.person_read")
    assert db.session.scalars(read).one().actor_id == clerk.id


def test_talking_and_ending_with_an_outcome(clerk, demand, institute, editor):
    (no,) = send(clerk, demand, institute)
    with pytest.raises(Conflict):
        service.close(clerk, no, {"outcome": "matched", "text": "太早"})
    service.answer(editor, no, YES)
    with pytest.raises(Denied):
        service.do(editor, no, "talk")
    service.do(clerk, no, "talk")
    service.close(clerk, no, {"outcome": "matched", "text": "签了委托开发，28 万元"})
    found = row(no)
    assert (found.state, found.outcome, item(no).side) == ("closed", "matched", "")
    record = proposals.records_of([("organisation", institute)])["organisation", institute]
    assert (record.sent, record.answered) == (1, 1)


def test_who_did_not_answer_is_reminded_once_and_the_clerk_told(clerk, demand, institute):
    send(clerk, demand, institute, days=1)
    assert not reminding.remind()
    assert told("dispatch.reminded") == []
    with time_machine.travel(clock.now() + timedelta(days=12)):
        reminding.remind()
        reminding.remind()
    assert len(told("dispatch.reminded")) == len(told("dispatch.overdue")) == 1
    assert told("dispatch.overdue")[0]["people"] == [clerk.id]


def test_others_find_nothing(clerk, demand, institute):
    (no,) = send(clerk, demand, institute)
    for stranger in (
        people.actor(("county", None, "511803"), name="外县"),
        people.actor(("owner", people.organisation("别家")), name="别家"),
    ):
        with pytest.raises(NotFound):
            queries.get(stranger, no)
        with pytest.raises(NotFound):
            service.answer(stranger, no, YES)
        assert queries.of_sides(stranger, "", "", 1, 25).total == 0


def test_the_city_gets_what_the_county_passes_up(clerk, demand, institute):
    city = people.actor(("prefecture", None, "511400"), name="韩市办")
    no = escalating.escalate(clerk, demand, "县里没有做调味料的院所")
    shown = item(no)
    assert (shown.side, shown.region_path) == ("office", people.region("511400").path)
    with pytest.raises(Conflict):
        escalating.escalate(clerk, demand, "再报一次")
    with pytest.raises(Denied):
        escalating.answer(clerk, no, "自己答复自己")
    send(city, demand, institute)
    escalating.answer(city, no, "已推荐给甲研究院")
    assert item(no).side == ""
    assert told("dispatch.escalation_answered")[0]["people"] == [clerk.id]
    with pytest.raises(NotFound):
        escalating.withdraw(people.actor(("county", None, "511803")), no)


# Firms


def test_a_firm_has_one_officer_and_his_next_call_is_on_the_desk(clerk):
    firm = number(people.organisation("丙食品厂", code=HERE))
    tomorrow = clock.today() + timedelta(days=1)
    said = {"kind": "visit", "text": "看了 2 号线", "next_call": tomorrow}
    with pytest.raises(Conflict, match="联系人"):
        firms.log(clerk, firm, said)
    firms.assign(clerk, firm, clerk.id)
    firms.log(clerk, firm, said)
    shown = item(firm)
    assert (shown.due, shown.assignee_id, shown.kind) == (tomorrow, clerk.id, "contact_officer")
    colleague = people.actor(("county", None, HERE), name="何同事")
    firms.assign(clerk, firm, colleague.id)
    assert item(firm).assignee_id == colleague.id
    assert [one.firm.no for one in firms.listed(colleague, "mine").items] == [firm]
    with pytest.raises(Invalid):
        firms.assign(clerk, firm, people.actor(("county", None, "511803")).id)
    with pytest.raises(NotFound):
        firms.get(people.actor(("county", None, "511803")), firm)
    firms.log(clerk, firm, {"kind": "call", "text": "不用再打"})
    db.session.rollback()
    assert db.session.scalar(select(WorkItem).where(WorkItem.no == firm)) is None


def test_when_recipients_become_one_of_two_open_ones_one_stays(clerk, demand, institute):
    other = people.organisation("乙研究院", kind="institute")
    kept, doubled = send(clerk, demand, institute, other)
    with unit_of_work(clerk) as work:
        work.require("matching:dispatch:area")
        merging.move(other, institute)
    assert (row(kept).state, row(doubled).state) == ("sent", "withdrawn")
    assert row(doubled).recipient_id == institute
    assert item(doubled).organisation_id == institute


# Specialists


def specialist(name="钱教授", *, consent=True, person_id=None, code="510107"):
    """An expert on agriculture; returns the number."""
    now = clock.now()
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        made = Specialist(
            no=f"ZJ{900000 + numbers.take('tests')[0]}",
            kind="expert",
            name=name,
            folded_name=name,
            region_id=people.region(code).id,
            person_id=person_id,
            consented_on=clock.today() if consent else None,
            consent_how="当面" if consent else None,
            created_at=now,
            updated_at=now,
        )
        db.session.add(made)
        db.session.flush()
        field = select(Term.code).where(Term.scheme == "field", Term.label == "农业")
        code = db.session.scalars(field).one()
        db.session.add(SpecialistTopic(specialist_id=made.id, sort="field", value=code))
        return made.no


def test_an_expert_is_proposed_by_his_field_and_answers_himself(clerk, demand):
    account = people.actor(name="钱教授")
    no = specialist(person_id=account.id)
    hidden = specialist("孙教授", consent=False)
    points = sending.points(clerk, demand)
    assert rules.score_of(points[no]) == sum(one.points for one in points[no]) > 0
    assert hidden not in points
    with pytest.raises(Invalid):
        sending.send(clerk, demand, [hidden], {"days": 5}, points)
    (sent,) = sending.send(clerk, demand, [no], {"days": 5}, points)
    with pytest.raises(Invalid):
        sending.send(clerk, demand, [no], {"days": 5}, points)
    assert told("dispatch.sent")[0]["people"] == [account.id]
    assert (item(sent).person_id, queries.get(account, sent).side) == (account.id, "recipient")
    with pytest.raises(NotFound):
        queries.get(people.actor(name="别人"), sent)
    service.answer(account, sent, YES)
    assert row(sent).state == "interested"


def test_an_expert_without_an_account_is_rung_and_the_clerk_writes_it_down(clerk, demand):
    no = specialist()
    (sent,) = sending.send(clerk, demand, [no], {"days": 5}, {})
    assert told("dispatch.sent") == []
    service.answer(clerk, sent, {"answer": "interested", "text": "下周可以来"})
    assert row(sent).recorded_by == "林经办"


def test_an_intent_grows_from_an_interested_recipient(clerk, institute, editor, demand):
    from market.matching.intents import beginning
    from market.matching.intents import queries as intents

    no = send(clerk, demand, institute)[0]
    assert "有意向" in beginning.start(editor, no, "dispatch").obstacle
    with pytest.raises(Conflict):
        beginning.begin(editor, no, {"side": "seller"}, "dispatch")
    service.answer(editor, no, {"answer": "interested", "text": "能做"}, None)
    with pytest.raises(NotFound):
        beginning.start(clerk, no, "dispatch")
    made = beginning.begin(editor, no, {"side": "seller"}, "dispatch")
    intent = intents.get(editor, made).intent
    assert (intent.source_kind, intent.source_no, intent.seller_id) == ("dispatch", no, institute)
    with pytest.raises(Conflict):
        beginning.begin(editor, no, {"side": "seller"}, "dispatch")
