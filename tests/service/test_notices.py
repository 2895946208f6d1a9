"""Notices: what freezes, when they end, who may object and until when, what waits for them."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound, TooMany
from market.core.models import AuditEntry, CalendarDay, CaseEvent, OutboxRow, WorkItem
from market.core.permissions import PUBLIC, SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from market.notices import (
    announcing,
    lists,
    objecting,
    queries,
    rules,
    service,
    starting,
    timekeeping,
)
from market.notices.models import Notice, Objection
from market.notices.service import Subject
from market.notices.workflow import ANSWER, CONTACT, READ, START, TAKE_DOWN, VIEW, WITHDRAW
from tests import people

HERE = "511402"
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)  # Monday, 10:00 in China
SUBJECT = Subject("contract", 7, "HT2026000007")
FILLED = {
    "title": "一种菌剂的专利实施许可价格公示",
    "content": [["成果名称", "一种菌剂"], ["拟交易价格", "28 万元"]],
    "channels": [["own", "本院公告栏"]],
    "held": "here",
    "days": 15,
    "unit": "natural",
    "rule": "civil_code",
    "contact_name": "科研处李老师",
    "contact_telephone": "028-38160000",
    "contact_address": "某路 1 号",
}
NAMED = {
    "text": "我是完成人之一，没有列我。",
    "name": "李四",
    "telephone": "13812341234",
    "consent": True,
}


@pytest.fixture
def at():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def institute(at, app):
    return people.organisation("某研究院", kind="institute")


@pytest.fixture
def editor(institute):
    return people.actor(("editor", institute), name="陈编辑")


@pytest.fixture
def officer(institute):
    office = people.organisation("某县科技局", kind="office")
    return people.actor(("county", office, HERE), name="林经办")


def draft(editor, subject=None, **more):
    values = {**FILLED, **more}
    if subject is None:
        no = service.draft(editor, {"kind": "price", "title": values["title"]})
    else:
        no = service.begin_for(editor, subject, "price", values["title"], values["content"])
    service.save(editor, no, values)
    return no


def running(editor, subject=None, **more):
    no = draft(editor, subject, **more)
    starting.start(editor, no)
    return no


def row(no):
    db.session.rollback()
    return db.session.scalars(select(Notice).where(Notice.no == no)).one()


def the_last_second(no):
    return row(no).ends_at - timedelta(seconds=1)


def test_a_notice_starts_frozen_and_says_when_it_ends(editor):
    no = running(editor)
    notice = row(no)
    assert (notice.start_on, notice.first_on) == (date(2026, 3, 2), date(2026, 3, 3))
    assert notice.end_on == date(2026, 3, 17)
    assert notice.ends_at == datetime(2026, 3, 17, 16, tzinfo=UTC)
    assert notice.channels == [["site", f"/notices/{no}"], ["own", "本院公告栏"]]
    assert queries.is_intact(notice)
    assert notice.hash == rules.fingerprint(queries.frozen_of(notice))
    with pytest.raises(Conflict, match="不能再改"):
        service.save(editor, no, {**FILLED, "title": "改价"})
    assert row(no).title == FILLED["title"]
    with pytest.raises((Denied, Conflict)):
        service.add_file(editor, no, "补.pdf", b"%PDF-1.4")


def test_a_notice_changed_behind_its_back_is_found_out(editor):
    no = running(editor)
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        notice = db.session.scalars(select(Notice).where(Notice.no == no)).one()
        notice.content = [["成果名称", "一种菌剂"], ["拟交易价格", "2.8 万元"]]
    assert not queries.is_intact(row(no))


@pytest.mark.parametrize("missing", ["days", "unit", "rule", "contact_telephone"])
def test_nothing_is_supplied_for_the_owner(editor, missing):
    no = draft(editor, **{missing: None})
    with pytest.raises(Invalid) as refused:
        starting.start(editor, no)
    assert list(refused.value.fields) == [missing]
    assert row(no).state == "draft"


def test_empty_fields_of_the_content_are_asked_for(editor):
    no = draft(editor, content=[["成果名称", ""], ["", "28 万元"]])
    with pytest.raises(Invalid) as refused:
        starting.start(editor, no)
    assert set(refused.value.fields) == {"text_1", "label_2"}


def test_a_past_notice_is_over_before_the_worker_has_noted_it(editor, at):
    no = running(editor, SUBJECT)
    assert queries.blocks("contract", 7)
    at.move_to(the_last_second(no))
    assert queries.public(PUBLIC, no).state == "running"
    assert queries.standing("contract", 7).code == "running"
    at.move_to(row(no).ends_at)
    assert row(no).state == "running"
    assert queries.public(PUBLIC, no).state == "ended"
    assert queries.standing("contract", 7).code == "clear"
    assert [one.no for one in lists.listed(PUBLIC, {"tab": "ended"}).items] == [no]
    assert lists.listed(PUBLIC, {"tab": "running"}).total == 0
    with pytest.raises(Conflict, match="期满"):
        service.act(editor, no, "withdraw", "写错了")


def test_the_worker_ends_once(editor, at):
    no = running(editor)
    assert timekeeping.end_those_over() is False
    assert row(no).state == "running"
    at.move_to(row(no).ends_at)
    for _ in range(2):
        timekeeping.end_those_over()
    assert row(no).state == "ended"
    ends = select(func.count()).where(CaseEvent.kind == "notice", CaseEvent.action == "end")
    assert db.session.scalar(ends) == 1
    told = db.session.scalars(select(OutboxRow.kind).where(OutboxRow.kind == "notice.ended"))
    assert len(told.all()) == 1
    item = db.session.scalars(select(WorkItem).where(WorkItem.no == no)).one()
    assert (item.side, item.next_step) == ("owner", "公布公示结果")


def test_an_objection_in_the_last_second_counts_and_one_after_midnight_does_not(editor, at):
    no = running(editor, SUBJECT)
    at.move_to(the_last_second(no))
    objection = objecting.send(PUBLIC, no, NAMED)
    at.move_to(row(no).ends_at)
    with pytest.raises(Conflict, match="24:00 结束"):
        objecting.send(PUBLIC, no, NAMED)
    timekeeping.end_those_over()
    with pytest.raises(Conflict, match="24:00 结束"):
        objecting.send(PUBLIC, no, NAMED)
    assert queries.standing("contract", 7).code == "objection_open"
    assert queries.blocks("contract", 7)
    with pytest.raises(Conflict, match="1 件异议没有答复"):
        service.conclude(editor, no, "none")
    objecting.answer(editor, objection, {"finding": "not_upheld", "answer": "名单以合同为准。"})
    assert not queries.blocks("contract", 7)
    with pytest.raises(Invalid, match="有几处需要改正"):
        service.conclude(editor, no, "none")
    service.conclude(editor, no, "dismissed", "核实后不成立。")
    assert row(no).state == "concluded"
    assert queries.standing("contract", 7).code == "clear"


def test_an_upheld_objection_blocks_until_a_new_notice_is_through(editor, at):
    first = running(editor, SUBJECT)
    objection = objecting.send(PUBLIC, first, NAMED)
    with pytest.raises(Conflict, match="已有同类公示"):
        draft(editor, SUBJECT)
    at.move_to(row(first).ends_at)
    service.end_if_over(first)
    with pytest.raises(Conflict, match="还有异议没有答复"):
        draft(editor, SUBJECT)
    objecting.answer(editor, objection, {"finding": "upheld", "answer": "补列。"})
    assert queries.standing("contract", 7) == queries.Standing("upheld", first)
    service.conclude(editor, first, "upheld", "补列完成人后重新公示。")
    assert queries.blocks("contract", 7)
    second = running(editor, SUBJECT)
    assert queries.standing("contract", 7) == queries.Standing("running", second)
    at.move_to(row(second).ends_at)
    assert queries.standing("contract", 7) == queries.Standing("clear", second)
    assert queries.standing("contract", 7, "reward").code == "none"
    assert queries.standing("contract", 8).code == "none"


def test_who_objects_is_sealed_shown_masked_and_read_with_a_reason(editor, officer):
    no = running(editor)
    said = objecting.send(PUBLIC, no, {**NAMED, "text": "<b>不对</b>\u202e"})
    objection = db.session.scalars(select(Objection)).one()
    assert (objection.label, objection.contact_shown) == ("李*", "138****1234")
    assert "李四" not in (objection.contact or "")
    assert "13812341234" not in (objection.contact or "")
    with pytest.raises(Invalid):
        objecting.read_contact(editor, said, None)
    with pytest.raises(Denied):
        objecting.read_contact(officer, said, "想看看")
    assert objecting.read_contact(editor, said, "核实").telephone == "13812341234"
    read = select(AuditEntry.after).where(AuditEntry.action == "objection.contact_read")
    assert db.session.scalars(read).all() == [{"reason": "核实"}]


def test_anonymous_objections_where_the_notice_takes_them(editor):
    named, any_ = running(editor), running(editor, anonymous_ok=True)
    with pytest.raises(Invalid) as refused:
        objecting.send(PUBLIC, named, {"text": "不对", "anonymous": True})
    assert list(refused.value.fields) == ["anonymous"]
    with pytest.raises(Invalid) as refused:
        objecting.send(PUBLIC, named, {"text": "不对"})
    assert set(refused.value.fields) == {"name", "telephone", "consent"}
    no = objecting.send(PUBLIC, any_, {"text": "不对", "anonymous": True})
    objection = db.session.scalars(select(Objection).where(Objection.no == no)).one()
    assert (objection.label, objection.contact) == ("匿名", None)


def test_too_many_objections_from_one_network(editor):
    no = running(editor, anonymous_ok=True)
    said = {"text": "不对", "anonymous": True}
    for _ in range(rules.BY_NETWORK.most):
        objecting.send(PUBLIC, no, said, address="192.0.2.1")
    with pytest.raises(TooMany):
        objecting.send(PUBLIC, no, said, address="192.0.2.1")


def test_contacts_are_forgotten_half_a_year_after_the_answer(editor, at):
    no = running(editor)
    said = objecting.send(PUBLIC, no, NAMED)
    at.shift(timedelta(days=400))
    objecting.forget()
    assert db.session.scalars(select(Objection)).one().contact is not None
    objecting.answer(editor, said, {"finding": "not_upheld", "answer": "不成立。"})
    at.shift(rules.CONTACT_KEPT + timedelta(days=1))
    objecting.forget()
    db.session.rollback()
    assert db.session.scalars(select(Objection)).one().contact is None


@pytest.fixture
def year_end(editor, at):
    """A working day in the last days of the announced years, with a draft over the new year."""
    at.move_to(datetime(2026, 12, 28, 2, tzinfo=UTC))
    if rules.period(date(2026, 12, 28), 10, "working", rules.RULE_SETS["civil_code"]).provisional:
        return draft(editor, days=10, unit="working")
    pytest.skip("the holidays of 2027 are in the package: move this test a year on")


def test_an_unannounced_year_is_told_and_never_shortens(editor, year_end, at):
    no = year_end
    with pytest.raises(Invalid) as refused:
        starting.start(editor, no)
    assert "2027 年的放假安排还没有公布" in refused.value.fields["provisional_ok"][0]
    starting.start(editor, no, provisional_ok=True)
    assert (row(no).end_on, row(no).provisional) == (date(2027, 1, 11), True)
    timekeeping.settle_provisional()
    assert row(no).lock_version == 3

    def enter(days):
        with unit_of_work(SYSTEM) as work:
            work.require(people.MAKE)
            for day, works in days.items():
                entry = CalendarDay(day=day, works=works, source="通知")
                db.session.merge(entry)

    month = [date(2027, 1, 1) + timedelta(days=n) for n in range(31)]
    # A Saturday that is worked would end it earlier: what was shown stays.
    enter({date(2027, 1, 2): True})
    timekeeping.settle_provisional()
    assert row(no).end_on == date(2027, 1, 11)
    enter({day: day.weekday() < 5 and day.day > 3 for day in month})
    timekeeping.settle_provisional()
    notice = row(no)
    assert (notice.end_on, notice.provisional) == (date(2027, 1, 12), False)
    assert notice.ends_at == datetime(2027, 1, 12, 16, tzinfo=UTC)
    assert queries.is_intact(notice)
    settled = select(func.count()).where(CaseEvent.action == "settle")
    assert db.session.scalar(settled) == 1


def test_a_record_from_elsewhere_needs_its_file_and_its_days(editor):
    held = {"held": "elsewhere", "place": "本院公告栏", "start_on": date(2026, 2, 2)}
    no = draft(editor, **held, end_on=date(2026, 2, 10))
    with pytest.raises(Invalid) as refused:
        starting.start(editor, no)
    assert list(refused.value.fields) == ["file"]
    service.add_file(editor, no, "公示.pdf", b"%PDF-1.4 x")
    with pytest.raises(Invalid, match="改正") as refused:
        starting.start(editor, no)
    # 17 February is a holiday of the Spring Festival, so the 15th day moves to the 24th.
    assert "应公示到 2026-02-24" in refused.value.fields["end_on"][0]
    service.save(editor, no, {**FILLED, **held, "end_on": date(2026, 2, 24)})
    starting.start(editor, no)
    notice = row(no)
    assert (notice.state, notice.end_on) == ("ended", date(2026, 2, 24))
    assert ["公示.pdf", queries.files_of(notice)[0].hash] in queries.frozen_of(notice)["files"]
    service.conclude(editor, no, "none")
    with pytest.raises(Conflict):
        objecting.send(PUBLIC, no, NAMED)


def test_own_sign_off_is_by_another_and_unverified_ones_wait(at, app):
    signs = people.organisation("签发院", kind="institute", signs_inside=True)
    writer, other = people.actor(("editor", signs)), people.actor(("certifier", signs))
    no = draft(writer)
    with pytest.raises(Denied, match="内部签发"):
        starting.start(writer, no)
    starting.start(other, no)
    assert row(no).state == "running"
    with pytest.raises(Denied):
        service.act(other, no, "withdraw", "签发人只签发")
    fresh = people.actor(("owner", people.organisation("新院", verified=False)))
    with pytest.raises(Conflict, match="核验"):
        starting.start(fresh, draft(fresh))


def test_who_may(editor, institute, officer):
    draft_no, no = draft(editor), running(editor)
    drafted, notice = row(draft_no), row(no)
    stranger = people.actor(("owner", people.organisation("别家")))
    elsewhere = people.actor(("county", people.organisation("外县局"), "510722"))
    for permission, allowed in {
        READ: {"editor", "officer"},
        START: {"editor"},
        WITHDRAW: {"editor"},
        TAKE_DOWN: {"officer"},
        VIEW: {"editor", "officer", "stranger", "elsewhere", "public"},
    }.items():
        actors = {
            "editor": editor, "officer": officer, "stranger": stranger,
            "elsewhere": elsewhere, "public": PUBLIC,
        }  # fmt: skip
        found = {name for name, one in actors.items() if policy.allows(one, permission, notice)}
        assert (permission, found) == (permission, allowed)
    assert not policy.allows(officer, READ, drafted)
    with pytest.raises(NotFound):
        queries.public(PUBLIC, draft_no)
    with pytest.raises(NotFound):
        service.save(stranger, draft_no, FILLED)
    with pytest.raises(Invalid):
        service.draft(editor, {"kind": "voucher", "title": "兑付公示"})
    objection = objecting.send(PUBLIC, no, NAMED)
    said = db.session.scalars(select(Objection).where(Objection.no == objection)).one()
    assert policy.allows(editor, ANSWER, said)
    assert not policy.allows(officer, ANSWER, said)
    assert not policy.allows(stranger, CONTACT, said)
    service.act(officer, no, "take_down", "内容不实")
    assert (row(no).state, row(no).withdrawn_reason) == ("withdrawn", "内容不实")
    assert queries.standing("contract", 7).code == "none"


def test_an_office_puts_up_its_own(officer, editor):
    no = service.draft(officer, {"kind": "voucher", "title": "第一批兑付公示"})
    notice = row(no)
    assert (notice.by_office, notice.region.code) == (True, HERE)
    colleague = people.actor(("county", None, HERE))
    assert not policy.allows(colleague, WITHDRAW, notice)
    service.save(officer, no, FILLED)
    starting.start(officer, no)
    item = db.session.scalars(select(WorkItem).where(WorkItem.no == no)).one()
    assert (item.side, item.due, item.region_path) == ("office", row(no).end_on, notice.region.path)


@pytest.mark.parametrize("second", ["end", "object"])
def test_of_two_at_the_same_moment_one_wins(app, editor, at, second):
    """Withdrawing while the worker ends it, or while somebody objects: one order or the other."""
    no = running(editor)
    version = row(no).lock_version
    at.move_to(row(no).ends_at if second == "end" else the_last_second(no))
    db.session.rollback()
    results, gate = {}, threading.Barrier(2)

    def run(name, act):
        with app.app_context():
            gate.wait()
            try:
                results[name] = act() or "done"
            except Conflict as error:
                results[name] = error
            finally:
                db.session.remove()

    acts = {
        "withdraw": lambda: service.act(editor, no, "withdraw", "写错了", version),
        "end": lambda: service.end_if_over(no),
        "object": lambda: objecting.send(PUBLIC, no, NAMED),
    }
    threads = [threading.Thread(target=run, args=(n, acts[n])) for n in ("withdraw", second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [name for name, one in results.items() if not isinstance(one, Conflict)]
    assert len(won) == 1, results
    if second == "end":
        assert won == ["end"]
    assert row(no).state == {"withdraw": "withdrawn", "end": "ended", "object": "running"}[won[0]]
    count = db.session.scalar(select(func.count()).select_from(Objection))
    assert count == (won == ["object"])


def test_announcements_are_published_once_and_withdrawn_with_a_reason(officer, editor):
    no = announcing.draft(officer, {"title": "春季对接会", "text": "三月九日，县政务中心。"})
    with pytest.raises(NotFound):
        queries.announcement(PUBLIC, no)
    announcing.add_file(officer, no, "议程.pdf", b"%PDF-1.4 x")
    announcing.act(officer, no, "publish")
    assert lists.announced(PUBLIC, {"region": "511400"}).total == 1
    with pytest.raises(Conflict):
        announcing.save(officer, no, {"title": "改", "text": "改"})
    with pytest.raises(NotFound):
        announcing.act(editor, no, "withdraw", "不归我管")
    with pytest.raises(Invalid):
        announcing.act(officer, no, "withdraw", "")
    announcing.act(officer, no, "withdraw", "改期")
    assert queries.announcement(PUBLIC, no).withdrawn_reason == "改期"
    assert lists.announced(PUBLIC, {}).total == 0
    assert clock.now() == NOW
