"""The engine of workflows, tried on readers' reports: guarded moves, timeline, work item, races."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from market.catalogue import report_cases, service
from market.catalogue.models import Listing, ProblemReport
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid
from market.core.messages import MessageKind, held, tell
from market.core.models import AuditEntry, CaseEvent, OutboxRow, WorkItem
from market.core.permissions import PUBLIC, SYSTEM, InArea, policy
from market.core.unit_of_work import unit_of_work
from market.core.workflow import (
    LONGEST_REASON,
    Item,
    Transition,
    Workflow,
    add_event,
    fire,
    show_on_desks,
    take_back,
    timeline,
)
from tests import people


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


THREADS = 8
MAY = policy.declare("tests:report:may", county=InArea())
KIND = MessageKind("tests.told", "试", "试", "试")


def _tells(_work, case, fired):
    tell(
        KIND, about=("report", case.id), url="/", values={"reason": fired.reason or ""}, people=[1]
    )


def _item(case):
    if case.state == "dismissed":
        return None
    side = {"new": "office", "handled": ""}[case.state]
    return Item(no=case.no, title="试", url="/", side=side, next_step="看一看")


TRIED = Workflow(
    name="tried",
    label="试",
    model=ProblemReport,
    states={"new": "待处理", "handled": "已处理", "dismissed": "无须处理"},
    transitions=(
        Transition("handle", "办", ("new",), "handled", MAY, effects=(_tells,)),
        Transition("check", "核", ("handled",), "dismissed", MAY, reason=True, not_by=("handle",)),
    ),
    item=_item,
    room="tests",
)


@pytest.fixture
def case(demo):
    """A report of the demonstration site; returns its id and its county's clerk."""
    listing = db.session.scalars(select(Listing).where(Listing.no == "CG2026000001")).one()
    code = listing.region.code
    service.report_problem(
        PUBLIC, "achievement", listing.no, {"reason": "wrong"}, address="192.0.2.7"
    )
    number = db.session.scalar(select(ProblemReport.id))
    return number, people.actor(("county", None, code), name="李经办")


def move(actor, number, action, workflow=TRIED, **more):
    with unit_of_work(actor) as work:
        return fire(work, workflow, db.session.get_one(ProblemReport, number), action, **more)


def state(number):
    db.session.rollback()
    return db.session.scalar(select(ProblemReport.state).where(ProblemReport.id == number))


def rows(model, **values):
    db.session.rollback()
    return db.session.scalars(select(model).filter_by(**values).order_by(model.id)).all()


def test_a_move_writes_state_audit_timeline_message_and_work_item_together(case):
    number, clerk = case
    fired = move(clerk, number, "handle", note="电话核实")
    assert (fired.before, fired.transition.target, state(number)) == ("new", "handled", "handled")
    [event] = timeline("tried", number)
    said = (event.action, event.before, event.after, event.note, event.actor_label)
    assert said == ("handle", "new", "handled", "电话核实", "李经办")
    [entry] = rows(AuditEntry, action="tried.handle")
    assert (entry.before, entry.after) == ({"state": "new"}, {"state": "handled"})
    [item] = rows(WorkItem, kind="tried")
    assert (item.state, item.side, item.closed_at is not None) == ("handled", "", True)
    assert len(rows(OutboxRow, kind=KIND.name)) == 1


def test_what_the_table_does_not_know_is_a_conflict_and_changes_nothing(case):
    number, clerk = case
    for action in ("check", "nonsense"):
        with pytest.raises(Conflict, match="待处理"):
            move(clerk, number, action, reason="因为")
    assert state(number) == "new"
    assert rows(CaseEvent, kind="tried") == []


def test_who_may_not_is_denied(case):
    number, _ = case
    other = people.actor(("county", None, "370102"))
    with pytest.raises(Denied):
        move(other, number, "handle")
    assert state(number) == "new"


@pytest.mark.parametrize("reason", [None, "  ", "长" * (LONGEST_REASON + 1)])
def test_a_reason_is_asked_for_and_limited(case, reason):
    number, clerk = case
    move(SYSTEM, number, "handle")
    with pytest.raises(Invalid) as caught:
        move(clerk, number, "check", reason=reason)
    assert set(caught.value.fields) == {"reason"}
    assert state(number) == "handled"


def test_who_did_one_step_may_not_do_the_next(case):
    number, clerk = case
    colleague = people.actor(("county", None, "510000"), name="王复核")
    move(clerk, number, "handle")
    report = db.session.get_one(ProblemReport, number)
    assert TRIED.actions(clerk, report) == []
    assert [one.action for one in TRIED.actions(colleague, report)] == ["check"]
    with pytest.raises(Denied, match="另一位同事"):
        move(clerk, number, "check", reason="因为")
    move(colleague, number, "check", reason="因为")
    assert state(number) == "dismissed"
    assert rows(WorkItem, kind="tried") == []


def test_an_effect_that_fails_leaves_nothing_behind(case):
    number, clerk = case

    def fails(*_values):
        raise Conflict("不行")

    one = Transition("handle", "办", ("new",), "handled", MAY, effects=(_tells, fails))
    broken = Workflow("tried", "试", ProblemReport, TRIED.states, (one,), _item, "tests")
    with pytest.raises(Conflict, match="不行"):
        move(clerk, number, "handle", workflow=broken)
    assert state(number) == "new"
    for model in (CaseEvent, WorkItem):
        assert rows(model, kind="tried") == []
    assert rows(OutboxRow, kind=KIND.name) == []


def test_the_work_item_keeps_its_assignee_and_when_it_began(case):
    number, clerk = case
    with unit_of_work(clerk) as work:
        work.require(MAY)
        show_on_desks(TRIED, db.session.get_one(ProblemReport, number))
    [item] = rows(WorkItem, kind="tried")
    began = item.opened_at
    with unit_of_work(clerk) as work:
        work.require(MAY)
        db.session.get_one(WorkItem, item.id).assignee_id = clerk.id
    move(clerk, number, "handle")
    [item] = rows(WorkItem, kind="tried")
    assert (item.opened_at, item.assignee_id) == (began, clerk.id)


def test_taken_back_it_is_where_it_was(case):
    number, clerk = case
    undone = []
    one = Transition(
        "handle",
        "办",
        ("new",),
        "handled",
        MAY,
        undo=lambda _work, _case, before: undone.append(before),
    )
    workflow = Workflow("tried", "试", ProblemReport, TRIED.states, (one,), _item, "tests")
    event = move(clerk, number, "handle", workflow=workflow).event.id
    with unit_of_work(clerk) as work:
        work.require(MAY)
        take_back(work, workflow, db.session.get_one(ProblemReport, number), event, note="错了")
    assert (state(number), undone) == ("new", ["new"])
    [_, line] = timeline("tried", number)
    assert (line.action, line.before, line.after, line.note) == ("undo", "handled", "new", "错了")
    assert len(rows(AuditEntry, action="tried.undo")) == 1
    [item] = rows(WorkItem, kind="tried")
    assert (item.side, item.closed_at) == ("office", None)


def test_only_ones_own_last_move_is_taken_back(case):
    number, clerk = case
    colleague = people.actor(("county", None, "510000"))
    event = move(clerk, number, "handle").event.id

    def back(actor):
        with unit_of_work(actor) as work:
            work.require(MAY)
            take_back(work, TRIED, db.session.get_one(ProblemReport, number), event, note="错了")

    with pytest.raises(Denied):
        back(colleague)
    with unit_of_work(clerk) as work:  # what moves no state does not stand in the way
        work.require(MAY)
        add_event(work, "tried", number, "call", note="打过电话")
    move(colleague, number, "check", reason="因为")
    with pytest.raises(Conflict):
        back(clerk)
    assert state(number) == "dismissed"


def test_messages_wait_while_an_act_can_be_undone(case):
    number, clerk = case
    later = clock.now() + timedelta(minutes=10)
    with unit_of_work(clerk) as work:
        with held(later) as told:
            fire(work, TRIED, db.session.get_one(ProblemReport, number), "handle")
        tell(KIND, about=("report", number), url="/", values={}, people=[1])
    assert len(told) == 1
    assert [one.not_before for one in rows(OutboxRow, kind=KIND.name)] == [later, None]


def test_a_table_with_mistakes_is_refused_when_the_program_starts():
    for one in (
        Transition("x", "x", ("nowhere",), "new", MAY),
        Transition("x", "x", ("new",), "nowhere", MAY),
        Transition("x", "x", ("new",), "handled", "tests:not:declared"),
    ):
        with pytest.raises(ValueError):
            Workflow("w", "w", ProblemReport, TRIED.states, (one,), _item, "tests")
    twice = Transition("x", "x", ("new",), "handled", MAY)
    with pytest.raises(ValueError, match="twice"):
        Workflow("w", "w", ProblemReport, TRIED.states, (twice, twice), _item, "tests")


def test_of_eight_at_once_one_wins_and_leaves_one_trace(demo, case):
    number, clerk = case
    db.session.rollback()
    results, barrier = [None] * THREADS, threading.Barrier(THREADS)

    def one(place):
        with demo.app_context():
            barrier.wait()
            try:
                move(clerk, number, "handle", workflow=report_cases.WORKFLOW)
                results[place] = "won"
            except Exception as error:
                results[place] = error
            db.session.remove()

    threads = [threading.Thread(target=one, args=(place,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lost = [result for result in results if result != "won"]
    assert len(lost) == THREADS - 1
    assert all(isinstance(error, Conflict) for error in lost), lost
    assert len(rows(AuditEntry, action="report.handle")) == 1
    assert len(rows(CaseEvent, kind="report", action="handle")) == 1
    assert db.session.scalar(select(func.count()).select_from(WorkItem)) == 1
