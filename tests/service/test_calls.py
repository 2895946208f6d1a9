"""Calls: who may, the deadline to the second, the choice, what others never see."""

import re
import threading
from datetime import date, timedelta

import pytest
import time_machine
from marshmallow import ValidationError
from sqlalchemy import func, select, update

from market.accounts.models import Organisation
from market.catalogue.models import Listing
from market.catalogue.publishing import life
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.models import AuditEntry, OutboxRow, StoredFile, WorkItem
from market.core.permissions import PUBLIC, SYSTEM
from market.core.unit_of_work import unit_of_work
from market.matching.calls import answering, filing, merging, queries, rules, service
from market.matching.calls.models import Call, CallAnswer, CallAnswerVersion
from market.matching.calls.schemas import AnswerSchema, CallSchema
from tests import people

WORDS = {"approach": "先取样再改工艺", "price": "9.6万", "months": "6", "team": "三人"}
PDF = b"%PDF-1.4 demonstration"


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


@pytest.fixture
def demand(demo):
    """A published demand of a firm."""
    return db.session.scalars(select(Listing).where(Listing.source_id == "demo-xq-001")).one()


@pytest.fixture
def owner(demand):
    return people.actor(("owner", demand.owner_id), name="需求方")


@pytest.fixture
def institute(demo):
    return people.organisation("甲研究所", kind="institute")


@pytest.fixture
def answerer(institute):
    return people.actor(("editor", institute), name="应答人")


def begin(owner, demand, days=10, **more):
    values = {"deadline": clock.today() + timedelta(days=days), **more}
    return service.begin(owner, demand.no, values)


@pytest.fixture
def no(owner, demand):
    """A call that is open."""
    made = begin(owner, demand)
    service.act(owner, made, "open", {})
    return made


def answer(who, no, organisation, **more):
    typed = WORDS | more
    answering.save(who, no, organisation, typed)
    return answering.send(who, no, organisation, AnswerSchema().load(typed))


def row_of(model, no):
    db.session.rollback()
    return db.session.scalars(select(model).where(model.no == no)).one()


def close(no):
    """Let the deadline pass, as the worker notes it."""
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.execute(update(Call).values(deadline=clock.today() - timedelta(days=1)))
    service.close_over()
    assert row_of(Call, no).state == "closed"


def asked_messages(kind):
    return db.session.scalars(select(OutboxRow).where(OutboxRow.kind == kind)).all()


def test_from_the_call_to_the_choice(no, owner, answerer, institute, demand):
    other = people.organisation("乙公司")
    second = people.actor(("owner", other))
    first_no, second_no = answer(answerer, no, institute), answer(second, no, other)
    assert len(asked_messages("call.received")) == 2
    with pytest.raises(Conflict, match="还没过"):
        service.act(owner, no, "choose", {"answers": [first_no], "reason": "好"})
    close(no)
    assert len(asked_messages("call.closed")) == 1
    with pytest.raises(Invalid):
        service.act(owner, no, "choose", {"answers": [first_no]})  # no reason
    with pytest.raises(Invalid):
        service.act(owner, no, "choose", {"answers": ["YD0"], "reason": "好"})
    service.act(owner, no, "choose", {"answers": [first_no], "reason": "方案可行"})
    assert row_of(CallAnswer, first_no).state == "chosen"
    assert row_of(CallAnswer, second_no).state == "lost"
    assert [one.no for one in queries.chosen(no)] == [first_no]
    assert len(asked_messages("call.chosen")) == len(asked_messages("call.lost")) == 1
    assert queries.of_demand(demand.id).chosen == []  # it was not to be shown
    service.act(owner, no, "finish", {})
    assert row_of(Call, no).state == "done"
    ended = row_of(Listing, demand.no)  # the demand is solved with it, by the catalogue's own act
    assert (ended.state, ended.outcome, ended.outcome_with) == ("closed", "solved", "甲研究所")
    assert queries.of_demand(demand.id).state == "done"


def test_a_call_without_result_leaves_its_demand_and_a_closed_one_stays(no, owner, demand):
    close(no)
    service.act(owner, no, "fail", {"reason": "没有应答"})
    service.act(owner, no, "finish", {})
    assert row_of(Listing, demand.no).state == "published"
    again = begin(owner, demand)
    assert again != no
    service.act(owner, again, "open", {})
    institute = people.organisation("丁研究所")
    made = answer(people.actor(("owner", institute)), again, institute)
    close(again)
    service.act(owner, again, "choose", {"answers": [made], "reason": "好"})
    closing = {"outcome": "elsewhere", "outcome_with": "别家"}
    life.listing_act(owner, demand.no, "close", closing=closing)
    service.act(owner, again, "finish", {})
    assert row_of(Listing, demand.no).outcome == "elsewhere"


def test_the_last_second_counts_and_the_next_does_not(owner, demand, answerer, institute):
    with time_machine.travel("2026-03-10 04:00:00+00:00", tick=False):
        no = begin(owner, demand, days=0)
        service.act(owner, no, "open", {})
    with time_machine.travel("2026-03-10 15:59:59+00:00", tick=False):  # 23:59:59 in China
        answer(answerer, no, institute)
        service.close_over()
        assert row_of(Call, no).state == "open"
    with time_machine.travel("2026-03-10 16:00:00+00:00", tick=False):
        assert queries.shown_state(row_of(Call, no)) == "closed"
        with pytest.raises(Conflict, match="已于 2026-03-10 24:00 截止"):
            answer(answerer, no, institute, approach="迟到的第二版")
        kept = queries.own_answer(row_of(Call, no), institute)
        assert (kept.version, kept.typed["approach"]) == (1, "迟到的第二版")
        with pytest.raises(Conflict, match="不能再延长"):
            service.act(owner, no, "extend", {"deadline": date(2026, 4, 1)})
        # Nothing waits for the worker: the owner chooses at once.
        service.act(owner, no, "choose", {"answers": [kept.no], "reason": "合适"})
        assert row_of(Call, no).state == "chosen"


def test_a_first_answer_that_comes_late_stays_as_a_draft(no, owner, answerer, institute):
    close(no)
    with pytest.raises(Conflict, match="已保存为草稿"):
        answer(answerer, no, institute)
    kept = queries.own_answer(row_of(Call, no), institute)
    assert (kept.state, kept.typed["team"]) == ("draft", "三人")
    assert queries.get(owner, no).answers == []


def test_an_answer_is_one_and_has_versions(no, owner, answerer, institute):
    first = answer(answerer, no, institute)
    assert answer(answerer, no, institute, price="") == first
    kept = db.session.scalars(select(CallAnswerVersion).order_by(CallAnswerVersion.version)).all()
    assert [(one.version, one.price_fen) for one in kept] == [(1, 9_600_000), (2, None)]
    (seen,) = queries.get(owner, no).answers
    assert seen.content.version == 2
    answering.withdraw(answerer, first)
    (seen,) = queries.get(owner, no).answers
    assert seen.content is None
    assert answer(answerer, no, institute) == first
    assert row_of(CallAnswer, first).version == 3


def test_others_see_nothing_of_an_answer(no, answerer, institute, demand):
    made = answer(answerer, no, institute)
    stranger = people.organisation("旁人公司")
    office = people.actor(("county", None, "511402"))
    for who in (PUBLIC, people.actor(("owner", stranger)), office):
        with pytest.raises(NotFound):
            queries.answer(who, made)
        with pytest.raises(NotFound):
            answering.withdraw(who, made)
    with pytest.raises(Denied):
        answering.save(people.actor(("viewer", institute)), no, institute, WORDS)
    with pytest.raises(NotFound):
        queries.find(people.actor(("owner", stranger)), no)
    assert queries.get(office, no).answers is None  # the owner has an account of its own
    shown = queries.of_demand(demand.id)
    assert not hasattr(shown, "answers")
    assert shown.chosen == []
    assert re.fullmatch(r"YD[0-9A-F]{10}", made)  # drawn at random: it counts nothing


def test_files_open_with_what_was_sent(no, owner, answerer, institute):
    row = answering.save(answerer, no, institute, WORDS)
    key = row.id
    filing.add_to_answer(answerer, key, "方案.pdf", PDF)
    file = db.session.scalars(select(StoredFile).where(StoredFile.kind == "call_answer")).one()
    assert filing.may_have_of_answer(answerer, file)
    assert not filing.may_have_of_answer(owner, file)
    made = answer(answerer, no, institute)
    assert filing.may_have_of_answer(owner, file)
    assert not filing.may_have_of_answer(PUBLIC, file)
    close(no)
    with pytest.raises(Conflict):
        filing.take_from_answer(answerer, key, file.no)
    assert made


def test_files_of_a_call_are_public_while_it_is_shown(owner, demand):
    no = begin(owner, demand)
    filing.add_to_call(owner, no, "要求.pdf", PDF)
    file = db.session.scalars(select(StoredFile).where(StoredFile.kind == "call")).one()
    assert filing.may_have_of_call(owner, file)
    assert not filing.may_have_of_call(PUBLIC, file)
    service.act(owner, no, "open", {})
    assert filing.may_have_of_call(PUBLIC, file)
    with pytest.raises(Denied):
        filing.add_to_call(owner, no, "后补.pdf", PDF)
    service.act(owner, no, "withdraw", {"reason": "不办了"})
    assert not filing.may_have_of_call(PUBLIC, file)


def test_one_live_call_of_a_demand_and_only_by_its_owner(no, owner, demand, answerer):
    with pytest.raises(Conflict, match=no):
        begin(owner, demand)
    with pytest.raises(NotFound):
        begin(answerer, demand)
    with pytest.raises(Denied):
        service.edit(owner, no, {"deadline": clock.today()})
    with pytest.raises(Denied, match="本单位的揭榜"):
        answering.organisation(owner, row_of(Call, no))
    with pytest.raises(Conflict, match="本单位"):
        answering.save(owner, no, demand.owner_id, WORDS)
        answering.send(owner, no, demand.owner_id, AnswerSchema().load(WORDS))


def test_an_office_acts_for_an_owner_without_an_account(demo):
    demand = db.session.scalars(select(Listing).where(Listing.source_id == "demo-xq-002")).one()
    place = demand.region.code
    office = people.actor(("county", None, place))
    no = begin(office, demand)
    service.act(office, no, "open", {})
    institute = people.organisation("丙研究所")
    made = answer(people.actor(("owner", institute)), no, institute)
    (received,) = asked_messages("call.received")
    assert received.payload["region_path"] == demand.area_path
    assert queries.answer(office, made).no == made
    people.person(("owner", demand.owner_id))  # the firm has an account now
    with pytest.raises(NotFound):
        queries.answer(office, made)
    with pytest.raises(Denied):
        service.act(office, no, "withdraw", {"reason": "不办了"})


def test_extending_is_logged_and_told(no, owner, answerer, institute):
    answer(answerer, no, institute)
    before = row_of(Call, no).deadline
    for wrong in (before, clock.today() - timedelta(days=1), clock.today() + timedelta(days=400)):
        with pytest.raises(Invalid):
            service.act(owner, no, "extend", {"deadline": wrong})
    service.act(owner, no, "extend", {"deadline": before + timedelta(days=5)})
    assert row_of(Call, no).deadline == before + timedelta(days=5)
    (told,) = asked_messages("call.extended")
    assert told.payload["organisation_id"] == institute
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "call.extend")).one()
    assert entry.after["deadline_before"] == before.isoformat()


def test_who_saw_another_state_is_told(no, owner):
    seen = row_of(Call, no).lock_version
    service.act(owner, no, "extend", {"deadline": clock.today() + timedelta(days=20)})
    with pytest.raises(Conflict, match="刚有变化"):
        service.act(owner, no, "withdraw", {"reason": "不办了", "seen": seen})


def test_ties_are_shown_to_the_owner_and_block_nobody(no, owner, answerer, institute, demand):
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        ours = db.session.get_one(Organisation, demand.owner_id)
        theirs = db.session.get_one(Organisation, institute)
        ours.telephone, theirs.telephone = "028-38160000、138", "(028) 3816 0000"
        theirs.telephone = "028-38160000"
        ours.supervising = theirs.supervising = "眉山市人民政府"
    made = answer(answerer, no, institute)
    (seen,) = queries.get(owner, no).answers
    assert len(seen.ties) == 2
    assert "眉山市人民政府" in seen.ties[0]
    close(no)
    service.act(owner, no, "choose", {"answers": [made], "reason": "合适"})


def test_nobody_is_tied_by_an_empty_field(demo):
    ours = Organisation(id=1, telephone=None, supervising=None)
    theirs = Organisation(id=2, telephone="12345", supervising=None)
    assert rules.ties(ours, theirs) == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"price": "-5"}, "price"),
        ({"months": "0"}, "months"),
        ({"approach": "长" * 50_000}, "approach"),
        ({"team": ""}, "team"),
    ],
)
def test_answers_that_make_no_sense(demo, wrong, field):
    typed = {name: text for name, text in (WORDS | wrong).items() if text}
    with pytest.raises(ValidationError) as refused:
        AnswerSchema().load(typed)
    assert list(refused.value.normalized_messages()) == [field]


@pytest.mark.parametrize("deadline", ["2020-01-01", "长期", "2099-01-01", "昨天", ""])
def test_deadlines_that_make_no_sense(demo, deadline):
    with pytest.raises(ValidationError) as refused:
        CallSchema().load({"deadline": deadline} if deadline else {})
    assert "deadline" in refused.value.normalized_messages()


def test_of_two_who_choose_at_once_one_wins(no, owner, answerer, institute, demo):
    made = answer(answerer, no, institute)
    close(no)
    ends = at_once(
        demo,
        lambda: service.act(owner, no, "choose", {"answers": [made], "reason": "一"}),
        lambda: service.act(owner, no, "fail", {"reason": "二"}),
    )
    assert sorted(ends) == ["Conflict", "done"]
    state = row_of(Call, no).state
    assert row_of(CallAnswer, made).state == {"chosen": "chosen", "none": "lost"}[state]


def test_an_answer_while_the_worker_closes_is_taken_or_kept(no, answerer, institute, demo):
    answering.save(answerer, no, institute, WORDS)
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.execute(update(Call).values(deadline=clock.today() - timedelta(days=1)))
    values = AnswerSchema().load(WORDS)
    ends = at_once(
        demo, service.close_over, lambda: answering.send(answerer, no, institute, values)
    )
    assert ends == ["done", "Conflict"]
    assert row_of(Call, no).state == "closed"
    assert queries.own_answer(row_of(Call, no), institute).version == 0


def at_once(app, *acts):
    """Do these at the same time; tells how each ended."""
    ends, ready = [""] * len(acts), threading.Barrier(len(acts))

    def run(number, act):
        with app.app_context():
            ready.wait()
            try:
                act()
                ends[number] = "done"
            except Conflict:
                ends[number] = "Conflict"
            finally:
                db.session.remove()

    db.session.rollback()
    threads = [threading.Thread(target=run, args=one) for one in enumerate(acts)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return ends


def test_a_demand_that_is_gone_takes_no_answers(no, answerer, institute, demand):
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.get_one(Listing, demand.id).state = "withdrawn"
    with pytest.raises(Conflict, match="不公开"):
        answer(answerer, no, institute)


def test_drafts_stand_on_desks_until_the_end(no, answerer, institute):
    row = answering.save(answerer, no, institute, WORDS)
    query = select(WorkItem).where(WorkItem.kind == "call_answer", WorkItem.object_id == row.id)
    item = db.session.scalars(query).one()
    assert (item.side, item.due) == ("owner", row_of(Call, no).deadline)
    close(no)
    assert db.session.scalars(query).one().side == ""


def test_merged_organisations_bring_calls_and_answers(no, answerer, institute, demand):
    made = answer(answerer, no, institute)
    target = people.organisation("合并后的单位")
    assert merging.would_move(institute) == ("揭榜与应答", 1)
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        merging.move(institute, target)
    assert row_of(CallAnswer, made).organisation_id == target
    left = select(func.count()).select_from(WorkItem).where(WorkItem.organisation_id == institute)
    assert db.session.scalar(left) == 0


def test_what_waits_for_others_is_not_closed(owner, demand, answerer, institute):
    no = begin(owner, demand)
    service.act(owner, no, "open", {})
    answering.save(answerer, no, institute, WORDS)
    answer = answering.send(answerer, no, institute, AnswerSchema().load(WORDS))
    query = select(WorkItem.kind, WorkItem.side, WorkItem.due, WorkItem.next_step)
    items = {
        kind: rest for kind, *rest in db.session.execute(query.where(WorkItem.no.in_([no, answer])))
    }
    deadline = clock.today() + timedelta(days=10)
    assert items["call"] == ["owner", deadline, "等待应答，截止后选定应答方"]
    assert items["call_answer"] == ["office", None, "等待选定结果"]
