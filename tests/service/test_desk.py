"""Desks: what they show to whom, assignment, acts on many cases and taking them back, checks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from sqlalchemy import delete, event, select, update
from werkzeug.datastructures import MultiDict

from market import doctor
from market.accounts.people.models import Person
from market.catalogue import report_cases
from market.core import clock
from market.core.calendar import working_days_between
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.messages import CONSUMER
from market.core.models import AuditEntry, CaseEvent, OutboxRow, WorkItem
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.monitoring import acts, checks, monday, my_queries, queries, rules, service
from market.monitoring.models import BulkAction, BulkRow
from market.monitoring.schemas import MOST_ROWS, TABS, DeskForm, read_desk
from tests import cases, people
from tests.cases import FILL


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


HERE, THERE, CITY = "511402", "511403", "511400"


@pytest.fixture(autouse=True)
def _full_batches(monkeypatch):
    """However slow the machine, a batch takes its fifty rows."""
    monkeypatch.setattr(service, "LONGEST_BATCH", 3600.0)


def path(code):
    return people.region(code).path


@pytest.fixture
def clerk(app):
    return people.actor(("county", None, HERE), name="李经办")


def rows_of(number):
    db.session.rollback()
    return db.session.scalars(
        select(BulkRow).where(BulkRow.bulk_id == number).order_by(BulkRow.id)
    ).all()


def act_of(number):
    db.session.rollback()
    return db.session.get_one(BulkAction, number)


def item(key):
    db.session.rollback()
    return db.session.get_one(WorkItem, key)


def messages():
    db.session.rollback()
    query = select(OutboxRow).where(OutboxRow.consumer == CONSUMER)
    return db.session.scalars(query.order_by(OutboxRow.id)).all()


def ids_on(actor, **asked):
    return [
        one.id for one in queries.desk(actor, DeskForm(**{"per_page": 100, **asked})).page.items
    ]


# What is shown


def test_an_office_sees_its_area_and_what_lies_below(clerk):
    here = cases.fill(3, path=path(HERE))
    there = cases.fill(2, path=path(THERE), start=100)
    city = people.actor(("prefecture", None, CITY))
    assert set(ids_on(clerk, tab="open")) == set(here)
    assert set(ids_on(city, tab="open")) == {*here, *there}
    assert set(ids_on(city, tab="open", place=THERE)) == set(there)
    assert ids_on(clerk, tab="open", place=THERE) == []
    with pytest.raises(Denied):
        queries.desk(people.actor(("owner", people.organisation())), DeskForm())


def test_each_tab_counts_what_it_shows(clerk):
    today = date(2026, 11, 24)  # a Tuesday; three working days later is Friday
    with time_machine.travel("2026-11-24 02:00:00+00:00", tick=False):
        place = {"path": path(HERE)}
        made = {
            "unassigned": cases.fill(1, start=1, due=None, **place),
            "mine": cases.fill(2, start=10, due=None, assignee_id=clerk.id, **place),
            "soon": cases.fill(1, start=20, due=today + timedelta(days=3), side="owner", **place),
            "late": cases.fill(2, start=30, due=today - timedelta(days=1), side="owner", **place),
            "returned": cases.fill(1, start=40, due=None, side="owner", returned=True, **place),
            "closed": cases.fill(3, start=50, side="", closed_at=clock.now(), **place),
        }
        cases.fill(1, start=60, due=today + timedelta(days=6), side="owner", **place)
        for tab in TABS:
            found = queries.desk(clerk, DeskForm(tab=tab))
            assert len(found.page.items) == found.page.total == found.counts[tab]
            if tab != "open":
                assert {one.id for one in found.page.items} == set(made[tab])
        assert queries.desk(clerk, DeskForm(tab="open")).page.total == 8


def test_filters_narrow_list_and_counts_alike(clerk):
    first = cases.fill(1, path=path(HERE), title="水稻 100% 机插", no="AB1")
    cases.fill(2, path=path(HERE), start=10, kind="other", assignee_id=clerk.id)
    assert ids_on(clerk, tab="open", q="100%") == first
    assert ids_on(clerk, tab="open", q="ab1") == first
    assert ids_on(clerk, tab="open", q="_") == []
    assert len(ids_on(clerk, tab="open", kind="other")) == 2
    found = queries.desk(clerk, DeskForm(tab="mine", assignee=clerk.id))
    assert (found.counts["mine"], found.counts["unassigned"]) == (2, 0)


def test_days_are_those_of_china(clerk):
    night = datetime(2026, 11, 23, 17, tzinfo=UTC)  # one o'clock on the 24th in China
    [key] = cases.fill(1, path=path(HERE), opened_at=night)
    day = date(2026, 11, 24)
    assert ids_on(clerk, tab="open", opened_from=day, opened_to=day) == [key]
    assert ids_on(clerk, tab="open", opened_to=day - timedelta(days=1)) == []


def test_the_order_is_due_first_or_oldest_first_and_cases_without_a_date_come_last(clerk):
    now, today = clock.now(), clock.today()
    made = [
        cases.fill(1, path=path(HERE), start=n, due=due, opened_at=now - timedelta(days=age))[0]
        for n, (due, age) in enumerate([(None, 9), (today + timedelta(days=2), 1), (today, 5)], 1)
    ]
    assert ids_on(clerk, tab="open") == [made[2], made[1], made[0]]
    assert ids_on(clerk, tab="open", order="opened") == [made[0], made[2], made[1]]


def test_pages_hold_25_and_follow_each_other(clerk):
    made = cases.fill(60, path=path(HERE))
    shown = [
        [one.id for one in queries.desk(clerk, DeskForm(tab="open", page=page)).page.items]
        for page in (1, 2, 3, 4)
    ]
    assert [len(one) for one in shown] == [25, 25, 10, 0]
    assert sorted(key for one in shown for key in one) == sorted(made)


def test_remaining_days_are_working_days():
    today = date(2026, 9, 24)  # before 中秋 and 国庆, with days worked in between
    dues = [today + timedelta(days=days) for days in range(-20, 30)]
    found = rules.terms(dues, today, {})
    for due in dues:
        left = working_days_between(today, due)
        words = f"剩余 {left} 个工作日" if due > today else f"已逾期 {-left} 个工作日"
        assert found[due].words == ("今天到期" if due == today else words)
        tone = "late" if due < today else "soon" if left <= 3 else ""
        assert found[due].tone == tone


def test_counting_reads_an_index_alone(clerk, store):
    if store.name != "sqlite":
        pytest.skip("the plan is SQLite's")
    seen = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    queries.desk(clerk, DeskForm(tab="open"))
    event.remove(db.engine, "before_cursor_execute", note)
    asked = [one for one in seen if "count(" in one[0] or "ORDER BY work_item" in one[0]]
    assert len(asked) == 2
    for statement, parameters in asked:
        plan = db.session.connection().exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement}", parameters
        )
        steps = [row[3] for row in plan if " work_item" in row[3]]
        assert steps
        assert [step for step in steps if step.startswith("SCAN")] == []


# 我的事项


def test_everybody_sees_what_is_theirs_in_three_groups(app):
    own, other = people.organisation("甲"), people.organisation("乙")
    member = people.actor(("viewer", own))
    someone = people.actor()
    place = path(HERE)
    mine = cases.fill(1, path=place, start=1, side="owner", organisation_id=own)
    waits = cases.fill(1, path=place, start=2, organisation_id=own)
    over = cases.fill(12, path=place, start=3, side="", closed_at=clock.now(), organisation_id=own)
    cases.fill(1, path=place, start=20, side="owner", organisation_id=other)
    alone = cases.fill(1, path=place, start=21, side="owner", person_id=someone.id)
    groups = my_queries.mine(member)
    assert [one.code for one in groups] == ["owner", "office", "closed"]
    shown = [{row.id for row in one.page.items} for one in groups]
    assert (shown[0], shown[1]) == (set(mine), set(waits))
    assert (len(shown[2]), groups[2].page.total) == (10, 12)
    [closed] = my_queries.mine(member, "closed")
    assert {row.id for row in closed.page.items} == set(over)
    assert [row.id for row in my_queries.mine(someone)[0].page.items] == alone
    assert [one.page.total for one in my_queries.mine(people.actor())] == [0, 0, 0]


# Assignment


def test_a_case_is_given_to_a_colleague_with_trace_and_message(clerk):
    [key] = cases.fill(1, path=path(HERE))
    colleague = people.actor(("county", None, HERE), name="王同事")
    service.assign(clerk, key, colleague.id)
    found = item(key)
    assert found.assignee_id == colleague.id
    [line] = db.session.scalars(select(CaseEvent).where(CaseEvent.object_id == found.object_id))
    assert (line.action, line.note) == ("assign", "分配给王同事")
    [entry] = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "work_item.assign"))
    assert (entry.before, entry.after) == ({"assignee_id": None}, {"assignee_id": colleague.id})
    [told] = messages()
    assert (told.kind, told.payload["people"]) == ("desk.assigned", [colleague.id])
    service.assign(clerk, key, clerk.id)
    assert item(key).assignee_id == clerk.id
    assert len(messages()) == 1  # nobody is told of what he took himself


def test_only_colleagues_who_cover_the_place_get_a_case(clerk):
    [here] = cases.fill(1, path=path(HERE))
    [there] = cases.fill(1, path=path(THERE), start=10)
    neighbour = people.actor(("county", None, THERE), name="邻县")
    city = people.actor(("prefecture", None, CITY))
    outsider = people.actor(("owner", people.organisation()))
    over = people.person(("county", None, HERE), state="suspended")
    for who in (neighbour, outsider, over):
        with pytest.raises(Invalid):
            service.assign(clerk, here, who.id)
    with pytest.raises(NotFound):
        service.assign(clerk, there, clerk.id)
    with pytest.raises(Conflict, match="不在邻县负责的地区"):
        service.assign(city, here, neighbour.id)
    service.assign(city, there, neighbour.id)
    assert (item(here).assignee_id, item(there).assignee_id) == (None, neighbour.id)
    assert [key for key, _ in queries.colleagues(clerk)] == [clerk.id]
    assert {key for key, _ in queries.colleagues(city)} == {clerk.id, neighbour.id, city.id}


# Acts on many cases


def test_rows_that_cannot_are_named_and_the_others_go_on(demo):
    made = cases.reports(4)
    province = people.actor(("province", None, "510000"), name="省经办")
    made = [key for key in made if item(key).region_path.startswith(path("510000"))]
    assert len(made) >= 2
    first = cases.report_of(made[0])
    report_cases.settle(province, first.no, "handle")
    number = service.start(province, "report.dismiss", made, {"reason": "核实无误"})
    found = rows_of(number)
    assert [one.state for one in found] == ["refused"] + ["done"] * (len(made) - 1)
    assert "已处理" in found[0].reason
    assert [cases.report_of(key).state for key in made] == ["handled"] + ["dismissed"] * (
        len(made) - 1
    )
    assert act_of(number).state == "done"


def test_undone_within_ten_minutes_states_messages_and_timeline_are_back(demo):
    made = cases.reports(2)
    officer = people.actor(*(("province", None, code) for code in ("510000", "370000", "630000")))
    made = [
        key for key in made if any(item(key).region_path.startswith(p) for p in officer.areas())
    ]
    assert made
    number = service.start(officer, "report.dismiss", made, {"reason": "核实无误"})
    service.undo(officer, number)
    for key in made:
        report = cases.report_of(key)
        assert report.state == "new"
        last = db.session.scalars(
            select(CaseEvent).where(CaseEvent.object_id == report.id).order_by(CaseEvent.id.desc())
        ).first()
        assert (last.action, last.note) == ("undo", "撤销批量操作")
        assert item(key).side == "office"
    assert {one.state for one in rows_of(number)} == {"undone"}
    assert act_of(number).state == "undone"
    undone = select(AuditEntry).where(AuditEntry.action == "report.undo")
    assert len(db.session.scalars(undone).all()) == len(made)
    with pytest.raises(Conflict, match="已经撤销"):
        service.undo(officer, number)


def test_messages_wait_ten_minutes_and_go_when_undone(clerk):
    made = cases.fill(3, path=path(HERE))
    colleague = people.actor(("county", None, HERE))
    number = service.start(clerk, "assign", made, {"to": colleague.id})
    until = act_of(number).undo_until
    assert [one.not_before for one in messages()] == [until] * 3
    service.assign(clerk, made[0], clerk.id)  # since then moved on by somebody
    service.undo(clerk, number)
    assert [one.state for one in rows_of(number)] == ["kept", "undone", "undone"]
    assert [item(key).assignee_id for key in made] == [clerk.id, None, None]
    [told] = messages()  # what was not taken back is told after all, at once
    assert told.not_before <= clock.now()


def test_after_ten_minutes_and_for_others_there_is_no_undoing(clerk):
    made = cases.fill(1, path=path(HERE))
    number = service.start(clerk, "assign", made, {"to": clerk.id})
    with pytest.raises(NotFound):
        service.undo(people.actor(("county", None, HERE)), number)
    with (
        time_machine.travel(clock.now() + timedelta(minutes=10), tick=False),
        pytest.raises(Conflict, match="10 分钟"),
    ):
        service.undo(clerk, number)


def test_a_reminder_goes_to_who_must_act_once_a_day(clerk):
    own = people.organisation()
    place = {"path": path(HERE)}
    [waits] = cases.fill(1, side="owner", organisation_id=own, **place)
    [office] = cases.fill(1, start=9, organisation_id=own, **place)
    number = service.start(clerk, "remind", [waits, office], {})
    assert [one.state for one in rows_of(number)] == ["done", "refused"]
    [told] = messages()
    assert (told.kind, told.payload["organisation_id"]) == ("desk.reminded", own)
    again = service.start(clerk, "remind", [waits], {})
    assert "今天已经提醒过" in rows_of(again)[0].reason


def test_more_than_fifty_are_finished_by_the_worker_in_short_transactions(clerk):
    made = cases.fill(120, path=path(HERE))
    colleague = people.actor(("county", None, HERE))
    number = service.start(clerk, "assign", made, {"to": colleague.id})
    states = [one.state for one in rows_of(number)]
    assert (states.count("done"), act_of(number).state) == (50, "running")
    rounds = 0
    while service.run_waiting():
        rounds += 1
    assert rounds >= 2
    assert {one.state for one in rows_of(number)} == {"done"}
    assert act_of(number).finished_at is not None
    service.undo(clerk, number)
    while service.run_waiting():
        pass
    assert {item(key).assignee_id for key in made} == {None}
    assert messages() == []


def test_undone_half_way_the_rest_is_never_done(clerk):
    made = cases.fill(80, path=path(HERE))
    number = service.start(clerk, "assign", made, {"to": clerk.id})
    service.undo(clerk, number)
    while service.run_waiting():
        pass
    states = [one.state for one in rows_of(number)]
    assert (states.count("undone"), states.count("refused")) == (50, 30)
    assert {item(key).assignee_id for key in made} == {None}


def test_who_lost_the_right_finishes_nothing(clerk):
    made = cases.fill(60, path=path(HERE))
    number = service.start(clerk, "assign", made, {"to": clerk.id})
    with unit_of_work(SYSTEM) as work:
        work.require(FILL)
        db.session.execute(update(Person).where(Person.id == clerk.id).values(state="suspended"))
    assert service.run_waiting()
    assert not service.run_waiting()
    states = [one.state for one in rows_of(number)]
    assert (states.count("done"), states.count("refused")) == (50, 10)


def test_a_fault_at_one_case_does_not_hold_up_the_others(clerk, monkeypatch):
    made = cases.fill(3, path=path(HERE))
    tell = acts.tell

    def fails(*values, **more):
        if more["about"][1] == 2:
            raise RuntimeError("a fault")
        tell(*values, **more)

    monkeypatch.setattr(acts, "tell", fails)
    colleague = people.actor(("county", None, HERE))
    number = service.start(clerk, "assign", made, {"to": colleague.id})
    assert [one.state for one in rows_of(number)] == ["done", "refused", "done"]
    assert [item(key).assignee_id for key in made] == [colleague.id, None, colleague.id]
    assert len(messages()) == 2


def test_what_is_asked_is_checked_before_anything_is_done(clerk):
    made = cases.fill(2, path=path(HERE))
    [elsewhere] = cases.fill(1, path=path(THERE), start=9)
    for act, ids, given, field in (
        ("assign", [], {"to": clerk.id}, "item"),
        ("assign", list(range(1, MOST_ROWS + 2)), {"to": clerk.id}, "item"),
        ("assign", made, {}, "to"),
        ("report.reopen", made, {"reason": "因为"}, "act"),  # not one for many
        ("nonsense", made, {}, "act"),
        ("report.dismiss", made, {}, "reason"),
    ):
        with pytest.raises(Invalid) as caught:
            service.start(clerk, act, ids, given)
        assert set(caught.value.fields) == {field}
    with pytest.raises(NotFound):
        service.start(clerk, "assign", [*made, elsewhere], {"to": clerk.id})
    assert db.session.scalars(select(BulkAction)).all() == []


# Checks


def test_what_desks_and_rooms_disagree_about_is_found_and_put_right(demo):
    workflows = demo.extensions["market"].workflows
    made = cases.reports(3)
    assert list(checks.differences(workflows)) == []
    began = item(made[0]).opened_at
    with unit_of_work(SYSTEM) as work:
        work.require(FILL)
        db.session.execute(delete(WorkItem).where(WorkItem.id == made[0]))
        db.session.execute(update(WorkItem).where(WorkItem.id == made[1]).values(state="handled"))
        db.session.execute(update(WorkItem).where(WorkItem.id == made[2]).values(object_id=9999))
    cases.fill(1, path="/1/", kind="forgotten")
    found = sorted((one.kind, one.what) for one in checks.differences(workflows))
    assert found == [
        ("forgotten", "gone"),
        ("report", "gone"),
        ("report", "missing"),
        ("report", "missing"),
        ("report", "other"),
    ]
    db.session.rollback()
    sentences = [words for _, words in doctor.findings(demo, demo.extensions["market"].settings)]
    db.session.rollback()
    words = "工作台与各类办件不一致：缺 2 条，多 2 条，内容不同 1 条。请运行 market desk rebuild。"
    assert words in sentences
    assert checks.rebuild(workflows) == 5
    assert list(checks.differences(workflows)) == []
    db.session.rollback()
    opened = db.session.scalars(select(WorkItem.opened_at)).all()
    assert len(opened) == 3
    assert any(abs(one - began) < timedelta(seconds=1) for one in opened)


# 周一简表


def test_every_figure_of_the_sheet_is_what_its_link_shows(clerk):
    with time_machine.travel("2026-11-23 01:00:00+00:00", tick=False):  # a Monday
        now, place = clock.now(), {"path": path(HERE)}
        cases.fill(30, **place)
        cases.fill(20, start=100, assignee_id=clerk.id, kind="report", **place)
        for n in range(14):
            then = now - timedelta(days=n)
            cases.fill(
                1,
                start=200 + n,
                side="",
                closed_at=then,
                opened_at=then,
                assignee_id=clerk.id,
                **place,
            )
        cases.fill(5, start=300, path=path(THERE))
        city = people.actor(("prefecture", None, CITY))
        for actor, code in ((clerk, HERE), (city, CITY), (city, HERE)):
            sheet = monday.sheet(actor, code, clock.today(), {"report": "错误报告"})
            lines = [*sheet.kinds, *sheet.people, *sheet.unassigned, *sheet.offices]
            by_person = [*sheet.people, *sheet.unassigned]
            assert sheet.unassigned[0].figures[0].count >= 30
            assert sum(one.figures[0].count for one in by_person) == sheet.totals[0].count
            figures = [*sheet.totals, *(one for line in lines for one in line.figures)]
            assert sum(one.count for one in figures) > 100
            for one in figures:
                asked = MultiDict(parse_qsl(urlsplit(one.url).query))
                form = read_desk(asked)
                assert queries.desk(actor, form).page.total == one.count, one
            assert len(sheet.late) + sheet.late_more == sheet.totals[1].count
            assert next(iter(monday.rows(sheet)))["name"] == sheet.place.name
        closed = {
            one.label: one.count for one in monday.sheet(clerk, HERE, clock.today(), {}).totals
        }
        assert closed["上周办结"] == 7
        with pytest.raises(NotFound):
            monday.sheet(clerk, THERE, clock.today(), {})
