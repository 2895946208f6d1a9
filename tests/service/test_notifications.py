"""Messages: who receives them, in which language, by which way, and never twice."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from market.accounts.people.models import Person, RoleGrant
from market.accounts.people.sessions import actor_of
from market.core import clock, leases, outbox
from market.core.db import db
from market.core.messages import MessageKind
from market.core.models import OutboxRow
from market.core.permissions import SYSTEM
from market.core.secrets import pseudonym, seal
from market.core.unit_of_work import unit_of_work
from market.notifications import channels, letters, queries, rules, sending, service
from market.notifications.channels import NotSent
from market.notifications.digests import digest
from market.notifications.models import Delivery, InboxMessage
from market.notifications.notifying import notify
from market.notifications.sending import send
from tests import people
from tests.messages import TELL, ask, declare, files, mails, plain, sent

ASKED = MessageKind(
    "tests.asked", "有人来问", "有人问「%(title)s」", "%(who)s 来问。\n请尽快回复。", sms=True
)
DECIDED = MessageKind(
    "tests.decided", "决定", "决定：%(title)s", "可在 60 日内提出异议。", sms=True, must=True
)
# Its words are in the list of translations already.
DATED = MessageKind("tests.dated", "日期", "%(date)s 更新", "编号 %(no)s")
CODE = MessageKind(
    "tests.code", "验证码", "验证码", "验证码 %(code)s，10 分钟内有效。", must=True, secret=True
)


@pytest.fixture(autouse=True)
def _kinds(app):
    declare(app, ASKED, DECIDED, DATED, CODE)


def reachable(*roles, mail="a@example.cn", **more):
    """A person with a telephone and a mail address."""
    return people.person(
        *roles,
        email=seal(mail, "person.email"),
        email_key=pseudonym(mail, "person.email"),
        **more,
    )


def inboxes():
    """Who has how many messages."""
    db.session.rollback()
    query = select(InboxMessage.person_id, func.count()).group_by(InboxMessage.person_id)
    return dict(db.session.execute(query).all())


def states():
    db.session.rollback()
    return list(db.session.scalars(select(Delivery.state).order_by(Delivery.id)))


def write(statement):
    with unit_of_work(SYSTEM) as work:
        work.require(TELL)
        db.session.execute(statement)


# Receivers


def test_members_by_role_and_named_people(app):
    own, other = people.organisation(), people.organisation("乙单位")
    owner, viewer = people.person(("owner", own)), people.person(("viewer", own))
    people.person(("owner", other))
    named, suspended = people.person(), people.person(state="suspended")
    ask(ASKED, organisation_id=own, roles=("owner", "editor"), people=[named.id, suspended.id])
    notify()
    assert inboxes() == {owner.id: 1, named.id: 1}
    ask(ASKED, organisation_id=own, event="all")
    notify()
    assert inboxes() == {owner.id: 2, named.id: 1, viewer.id: 1}


def test_a_grant_that_ended_or_has_not_begun_receives_nothing(app):
    own = people.organisation()
    ended, later = people.person(("owner", own)), people.person(("owner", own))
    write(update(RoleGrant).where(RoleGrant.person_id == ended.id).values(ended_at=clock.now()))
    write(
        update(RoleGrant)
        .where(RoleGrant.person_id == later.id)
        .values(valid_from=clock.today() + timedelta(days=1))
    )
    ask(ASKED, organisation_id=own)
    notify()
    assert inboxes() == {}


@pytest.mark.parametrize(
    ("officers", "who"),
    [
        (["511402", "511400", "510000"], "511402"),
        (["511400", "510000", "511403"], "511400"),
        (["510000", "511403"], "510000"),
        (["511403", "500000"], None),
    ],
)
def test_officers_of_the_nearest_region_at_or_above(app, officers, who):
    role = {"00": "prefecture"}
    found = {
        code: people.person(
            ("province" if code.endswith("0000") else role.get(code[4:], "county"), None, code)
        ).id
        for code in officers
    }
    people.person(("finance", None, "511402"))
    ask(ASKED, region_path=people.region("511402").path)
    notify()
    assert inboxes() == ({found[who]: 1} if who else {})


def test_who_is_named_twice_receives_once(app):
    own = people.organisation()
    owner = people.person(("owner", own), ("editor", own))
    ask(ASKED, organisation_id=own, people=[owner.id, owner.id])
    notify()
    assert inboxes() == {owner.id: 1}


def test_a_contact_without_account_gets_a_mail_or_an_sms(app):
    ask(CODE, contact=seal("b@example.cn", "message.contact"), values={"code": "482913"})
    ask(CODE, contact=seal("13912345678", "message.contact"), values={"code": "482913"})
    ask(CODE, contact=seal("028-38160000", "message.contact"), values={"code": "482913"})
    mail, sms = sent(app)
    assert "482913" in mail
    assert "13912345678" in sms
    assert "【县域技术市场】验证码 482913，10 分钟内有效。" in sms
    (message,) = mails(app)
    assert message["To"] == "b@example.cn"
    assert message["List-Unsubscribe"] is None
    assert "留下了这个邮箱" in plain(message)
    db.session.rollback()
    assert db.session.scalars(select(Delivery.contact)).all() == [None, None]
    assert db.session.scalars(select(Delivery.content)).all() == [None, None]


# Words


def test_each_in_ones_own_language_and_values_put_in(app):
    zh, en = reachable(), reachable(mail="en@example.cn", language="en")
    values = {"date": "2026-11-01", "no": "XQ1"}
    ask(DATED, people=[zh.id, en.id], values=values, url="/demands/XQ1")
    sent(app)
    subjects = {one["To"]: one["Subject"] for one in mails(app)}
    assert subjects == {
        "a@example.cn": "2026-11-01 更新",
        "en@example.cn": "Updated 2026-11-01",
    }
    links = {one["To"]: plain(one) for one in mails(app)}
    assert "127.0.0.1:8000/demands/XQ1" in links["a@example.cn"]
    assert "127.0.0.1:8000/en/demands/XQ1" in links["en@example.cn"]
    texts = dict(db.session.execute(select(InboxMessage.person_id, InboxMessage.text)).all())
    assert texts == {zh.id: "编号 XQ1", en.id: "No. XQ1"}


def test_values_are_not_read_as_formats_and_break_no_header(app):
    who = reachable()
    values = {"title": "100%(who)s\r\nBcc: x@example.cn", "who": "<b>王</b>"}
    ask(ASKED, people=[who.id], values=values)
    sent(app)
    (message,) = mails(app)
    assert message["Subject"] == "有人问「100%(who)s Bcc: x@example.cn」"
    assert message["Bcc"] is None
    html = message.get_body(("html",)).get_content()
    assert "&lt;b&gt;王&lt;/b&gt; 来问。<br>" in html


def test_a_name_without_a_value_stays_as_written(app):
    who = people.person()
    ask(ASKED, people=[who.id], values={"who": "王"})
    notify()
    assert db.session.scalar(select(InboxMessage.subject)) == "有人问「%(title)s」"


# Ways


def test_switched_off_stays_off_and_what_must_come_comes(app):
    who = reachable()
    service.choose(actor_of(who), sms=[], mail=[ASKED.name], daily=False)
    ask(ASKED, people=[who.id])
    ask(DECIDED, people=[who.id])
    sent(app)
    assert inboxes() == {who.id: 2}
    assert len(files(app, "mail")) == 2
    (sms,) = files(app, "sms").values()
    assert "异议" in sms
    service.stop(who.id, [ASKED.name, DECIDED.name, "no.such"])
    ask(ASKED, people=[who.id], event="2")
    ask(DECIDED, people=[who.id], event="2")
    sent(app)
    assert len(files(app, "mail")) == 3
    switches = {one.name: one for one in queries.choices(actor_of(who)).switches}
    assert (switches[ASKED.name].sms, switches[ASKED.name].mail) == (False, False)
    assert (switches[DECIDED.name].sms, switches[DECIDED.name].mail) == (True, True)
    assert switches[DATED.name].sms is None


def test_a_mail_names_its_reason_and_the_way_out(app):
    who = reachable()
    ask(ASKED, people=[who.id])
    ask(DECIDED, people=[who.id])
    sent(app)
    asked, decided = mails(app)
    assert "您收到这封邮件是因为" in plain(asked)
    assert asked["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = asked["List-Unsubscribe"].strip("<>")
    assert address in plain(asked)
    assert any(f"\nList-Unsubscribe: <{address}>\n" in one for one in files(app, "mail").values())
    assert letters.read_unsubscribe(address.rsplit("/", 1)[1]) == (who.id, ASKED.name)
    assert decided["List-Unsubscribe"] is None
    assert "不能关闭" in plain(decided)


@pytest.mark.parametrize("forged", ["", "1~a", "1~*~00", "x~*~00", "²~*~00", "1~*~é"])
def test_a_forged_way_out_opens_nothing(app, forged):
    assert letters.read_unsubscribe(forged) is None
    good = letters.unsubscribe_token(1, ASKED.name)
    assert letters.read_unsubscribe(good.replace("1~", "2~", 1)) is None


# Never twice


def test_secrets_lie_sealed_until_they_are_written(app):
    contact = seal("b@example.cn", "message.contact")
    ask(CODE, url="/invitations/word-of-link", values={"code": "482913"}, contact=contact)
    db.session.rollback()
    kept = json.dumps(db.session.scalars(select(OutboxRow.payload)).one())
    assert "482913" not in kept
    assert "word-of-link" not in kept
    [text] = sent(app)
    assert "482913" in text
    assert "/invitations/word-of-link" in text


def test_secrets_sealed_under_another_key_wait(app):
    contact = seal("b@example.cn", "message.contact")
    ask(CODE, values={"code": "482913"}, contact=contact)
    payload = db.session.scalars(select(OutboxRow.payload)).one()
    write(update(OutboxRow).values(payload=payload | {"sealed": "x"}))
    assert sent(app) == []
    assert db.session.scalars(select(OutboxRow)).one().attempts == 1


def test_asked_twice_and_carried_out_twice_is_told_once(app):
    who = reachable()
    ask(ASKED, people=[who.id], event="e")
    ask(ASKED, people=[who.id], event="e")
    sent(app)
    ask(ASKED, people=[who.id], event="e")
    sent(app)
    assert inboxes() == {who.id: 1}
    assert len(files(app, "mail")) == len(files(app, "sms")) == 1
    assert outbox.pending("notify") == 0


def test_killed_while_writing_nothing_is_lost_or_doubled(app, monkeypatch):
    who = reachable()
    ask(ASKED, people=[who.id])

    def die(_ids):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "remove", die)
        with pytest.raises(SystemExit):
            notify()
    assert inboxes() == {}
    assert states() == []
    sent(app)
    assert inboxes() == {who.id: 1}
    assert states() == ["sent", "sent"]


def test_killed_after_sending_the_repeat_is_the_same_file(app, monkeypatch):
    who = reachable()
    ask(ASKED, people=[who.id])
    notify()

    def die(_key, _trouble):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(sending, "_note", die)
        with pytest.raises(SystemExit):
            send()
        first = files(app, "sms") | files(app, "mail")
        assert len(first) == 1
    with time_machine.travel(clock.now() + timedelta(days=2)):
        send()
    assert states() == ["sent", "sent"]
    second = files(app, "sms") | files(app, "mail")
    assert len(second) == 2
    assert set(first) < set(second)


def test_the_message_id_of_a_repeat_is_the_same(app):
    content = rules.Content("题", "文", "")
    letter = letters.Letter(7, "a@example.cn", ASKED.name, None, "zh", content, clock.now())
    first, again = letters.mail(letter), letters.mail(letter)
    assert first.message["Message-ID"] == again.message["Message-ID"]
    other = letters.mail(replace(letter, id=8))
    assert other.message["Message-ID"] != first.message["Message-ID"]


def test_only_the_holder_of_the_lease_works(app):
    who = reachable()
    ask(ASKED, people=[who.id])
    minute = timedelta(minutes=1)
    with time_machine.travel(clock.now(), tick=False) as now:
        leases.hold("notify", "another:1", minute)
        notify()
        assert inboxes() == {}
        now.shift(minute * 2)
        notify()
        leases.hold("send", "another:1", minute)
        send()
        assert states() == ["waiting", "waiting"]
        now.shift(minute * 2)
        send()
        assert states() == ["sent", "sent"]
        now.shift(1)
        assert leases.hold("send", "another:1", minute)  # it was let go


def test_the_worker_sends_in_a_thread_of_its_own(app):
    who = reachable()
    ask(ASKED, people=[who.id])
    notify()
    sender = sending.Sender()
    assert not sender.run()
    sender._thread.join()
    assert states() == ["sent", "sent"]
    first = sender._thread
    sender.run()
    assert sender._thread is first  # nothing is due


def test_one_row_nobody_understands_holds_up_no_other(app):
    who = people.person()
    now = clock.now()
    bad = {"consumer": "notify", "object_id": 1, "created_at": now, "attempts": 0}
    write(OutboxRow.__table__.insert().values(**bad, kind=ASKED.name, payload={"people": ["x"]}))
    write(OutboxRow.__table__.insert().values(**bad, kind="gone.kind", payload={}))
    ask(ASKED, people=[who.id])
    notify()
    assert inboxes() == {who.id: 1}
    kept = db.session.scalars(select(OutboxRow).where(OutboxRow.consumer == "notify")).one()
    assert kept.attempts == 1
    assert kept.not_before > now


def test_an_undoable_act_is_told_only_afterwards(app):
    who = people.person()
    now = clock.now()
    ask(ASKED, people=[who.id], not_before=now + timedelta(minutes=10))
    notify()
    assert inboxes() == {}
    with time_machine.travel(now + timedelta(minutes=11)):
        notify()
    assert inboxes() == {who.id: 1}


# Failing


def test_tried_again_with_growing_pauses_then_given_up(app, monkeypatch, caplog):
    who = reachable()
    ask(CODE, people=[who.id], values={"code": "482913"})
    notify()

    def down(*_any):
        raise NotSent("邮件服务器没有在时限内应答", server=True)

    monkeypatch.setattr(sending.channels, "mail_by", down)
    with caplog.at_level(logging.WARNING), time_machine.travel(clock.now(), tick=False) as now:
        for pause in rules.PAUSES:
            send()
            assert states() == ["failed"]
            now.shift(pause - timedelta(seconds=1))
            assert not send()
            now.shift(timedelta(seconds=1))
        assert queries.troubles().failing == 1
        send()
        assert states() == ["given_up"]
        trouble = queries.troubles()
        assert (trouble.given_up, trouble.failing) == (1, 0)
        assert trouble.reason == "邮件服务器没有在时限内应答"
        row = db.session.scalars(select(Delivery)).one()
        assert row.tries == len(rules.PAUSES) + 1
        assert row.content is None
    said = " ".join(str(one.msg) for one in caplog.records)
    assert "message not sent" in said
    assert "a@example.cn" not in said
    assert "482913" not in said


def test_a_refused_receiver_does_not_stop_the_others(app, monkeypatch):
    first, second = reachable(mail="no@example.cn"), reachable(mail="yes@example.cn")
    ask(DATED, people=[first.id, second.id])
    notify()
    original = channels._write

    def refuse(instance, channel, at, name, text):
        if "no@example.cn" in text:
            raise NotSent("对方邮件服务器拒收（550）", for_good=True)
        original(instance, channel, at, name, text)

    monkeypatch.setattr(channels, "_write", refuse)
    send()
    assert sorted(states()) == ["given_up", "sent"]
    assert [one["To"] for one in mails(app)] == ["yes@example.cn"]


def test_who_left_meanwhile_is_not_written_to(app):
    who = reachable()
    ask(ASKED, people=[who.id])
    notify()
    closed = {"state": "closed", "email": None, "email_key": None}
    write(update(Person).where(Person.id == who.id).values(**closed))
    send()
    assert states() == ["given_up", "given_up"]
    assert files(app, "mail") == files(app, "sms") == {}


# The morning mail


def test_the_morning_mail_has_the_unread_of_yesterday(app):
    who, other = reachable(), reachable(mail="other@example.cn")
    service.choose(actor_of(who), sms=[], mail=[ASKED.name, DATED.name], daily=True)
    with time_machine.travel("2026-11-20 02:00:00+00:00", tick=False) as now:
        for number in range(3):
            ask(
                ASKED, people=[who.id, other.id], event=f"{number}", values={"title": f"题{number}"}
            )
        ask(DECIDED, people=[who.id], values={"title": "准予"})
        sent(app)
        told = [(one["To"], one["Subject"]) for one in mails(app)]
        assert told.count(("a@example.cn", "决定：准予")) == 1
        assert len(told) == 4
        read = db.session.scalars(
            select(InboxMessage.id).where(
                InboxMessage.person_id == who.id, InboxMessage.subject.contains("题1")
            )
        ).one()
        service.mark_read(actor_of(who), read)
        digest()
        now.move_to("2026-11-20 23:59:00+00:00")  # 7:59 in China
        digest()
        assert len(states()) == 4 + 3 + 1  # mails, SMS of the other, SMS of the decision
        now.shift(60)
        digest()
        digest()
        ask(ASKED, people=[who.id], event="today", values={"title": "今天"})
        sent(app)
        digest()
        send()
    (mail,) = [one for one in mails(app) if "汇总" in one["Subject"]]
    assert mail["To"] == "a@example.cn"
    assert mail["Subject"] == "2026-11-21 的消息汇总：2 条未读"
    text = plain(mail)
    assert "11-20 10:00  有人问「题0」" in text
    assert "题2" in text
    assert "题1" not in text
    assert "今天" not in text
    stop = mail["List-Unsubscribe"].strip("<>").rsplit("/", 1)[1]
    assert letters.read_unsubscribe(stop) == (who.id, letters.ALL)


# Forgetting


def test_old_messages_and_files_go(app):
    who = reachable()
    with time_machine.travel("2026-01-01 00:00:00+00:00") as now:
        ask(ASKED, people=[who.id])
        sent(app)
        now.shift(timedelta(days=30))
        service.forget_files()
        assert files(app, "mail")
        now.shift(timedelta(days=1))
        service.forget_files()
        assert files(app, "mail") == files(app, "sms") == {}
        now.shift(timedelta(days=148))
        service.forget_old()
        assert inboxes() == {who.id: 1}
        now.shift(timedelta(days=2))
        service.forget_old()
        assert inboxes() == {}
        assert states() == []


def test_the_inbox_of_a_closed_account_goes(app):
    who = people.person()
    ask(ASKED, people=[who.id])
    notify()
    write(update(Person).where(Person.id == who.id).values(state="closed"))
    service.forget_old()
    assert inboxes() == {}
