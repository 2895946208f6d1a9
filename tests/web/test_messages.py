"""The inbox, the switches and the way out of mails, as a browser without scripts sees them."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event, select

from market.core.db import db
from market.core.messages import MessageKind
from market.core.secrets import pseudonym, seal
from market.notifications import letters, queries
from market.notifications.models import InboxMessage, MessageChoice
from market.notifications.notifying import notify
from tests import people
from tests.messages import ask, declare, mails, sent
from tests.people import sign_in, token_of
from tests.web.conftest import check_html

ASKED = MessageKind("tests.asked", "有人来问", "%(title)s", "第一行\n第二行", sms=True)
MUST = MessageKind("tests.must", "决定", "决定", "文", sms=True, must=True)
QUIET = MessageKind("tests.quiet", "只在站内", "小事", "文", mail=False)


@pytest.fixture
def who(app):
    declare(app, ASKED, MUST, QUIET)
    return people.person(
        email=seal("a@example.cn", "person.email"),
        email_key=pseudonym("a@example.cn", "person.email"),
    )


@pytest.fixture
def browser(client, who):
    return sign_in(client, who)


def tell(who, *titles, **more):
    for title in titles:
        ask(ASKED, people=[who.id], values={"title": title}, event=title, **more)
    while notify():
        pass


def keys(who):
    db.session.rollback()
    query = select(InboxMessage.subject, InboxMessage.id).where(InboxMessage.person_id == who.id)
    return dict(db.session.execute(query).all())


def unread(who):
    db.session.rollback()
    query = select(InboxMessage.subject).where(
        InboxMessage.person_id == who.id, InboxMessage.read_at.is_(None)
    )
    return sorted(db.session.scalars(query))


def test_an_empty_inbox_says_what_will_come(browser):
    page = browser.get("/my/messages")
    assert "还没有消息" in page.text
    assert "badge-count" not in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_a_visitor_is_sent_to_the_sign_in(client, app):
    for address in ("/my/messages", "/account/messages"):
        answer = client.get(address)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/login")


def test_opening_marks_as_read_and_leads_to_the_case(browser, who):
    tell(who, "甲", "乙", url="/demands/XQ1?x=1#y")
    page = browser.get("/my/messages")
    assert re.search(r'badge-count">2<', page.text)
    assert unread(who) == ["乙", "甲"]
    answer = browser.post(
        f"/my/messages/{keys(who)['甲']}/open", data={"csrf_token": token_of(page)}
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/demands/XQ1?x=1#y"
    assert unread(who) == ["乙"]
    page = browser.get("/my/messages")
    order = re.findall(r"[甲乙](?=</(?:a|button)></h2>)", page.text)
    assert order == ["乙", "甲"]
    assert '<a href="/demands/XQ1?x=1#y">甲</a>' in page.text


def test_one_and_all_are_marked(browser, who):
    tell(who, "甲", "乙", "丙")
    token = {"csrf_token": token_of(browser.get("/my/messages"))}
    answer = browser.post(f"/my/messages/{keys(who)['乙']}/read", data=token)
    assert answer.headers["Location"] == "/my/messages"
    assert unread(who) == ["丙", "甲"]
    browser.post("/my/messages/read", data=token)
    assert unread(who) == []
    assert "badge-count" not in browser.get("/my/messages").text


def test_messages_of_others_do_not_exist(browser, who):
    other = people.person()
    tell(other, "别人的")
    tell(who, "我的")
    page = browser.get("/my/messages")
    assert "别人的" not in page.text
    for act in ("open", "read"):
        answer = browser.post(
            f"/my/messages/{keys(other)['别人的']}/{act}", data={"csrf_token": token_of(page)}
        )
        assert answer.status_code == 404
    browser.post("/my/messages/read", data={"csrf_token": token_of(page)})
    assert unread(other) == ["别人的"]


def test_without_a_token_nothing_is_marked(browser, who):
    tell(who, "甲")
    for address in (f"/my/messages/{keys(who)['甲']}/open", "/my/messages/read"):
        answer = browser.post(address)
        assert answer.status_code == 400
        assert "再点一次" in answer.text
    assert unread(who) == ["甲"]


def test_looking_writes_nothing_and_costs_the_same_with_more(browser, who):
    def count():
        seen = []

        def note(_connection, _cursor, statement, *_more):
            seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        assert browser.get("/my/messages").status_code == 200
        event.remove(db.engine, "before_cursor_execute", note)
        assert [one for one in seen if one.startswith(("INSERT", "UPDATE", "DELETE"))] == []
        return len([one for one in seen if one.startswith("SELECT")])

    tell(who, "甲")
    browser.get("/my/messages")
    few = count()
    tell(who, *(f"题{number}" for number in range(30)))
    assert count() == few <= 6


def test_pages_of_25_and_a_capped_figure(browser, who):
    tell(who, *(f"题{number:03}" for number in range(101)))
    page = browser.get("/my/messages")
    assert "99+" in page.text
    tree = check_html(page.text)
    assert len([one for one in tree.iter("li") if "message" in (one.get("class") or "")]) == 25
    last = browser.get("/my/messages?page=5")
    assert "题000" in last.text
    assert browser.get("/my/messages?page=6").status_code == 302
    assert browser.get("/my/messages?page=x").status_code == 200
    assert queries.unread(people.sessions.actor_of(who)) == "99+"


def test_user_text_is_shown_as_text(browser, who):
    tell(who, "<script>alert(1)</script>", url="//evil.example/")
    page = browser.get("/my/messages")
    assert "<script>alert" not in page.text
    key = keys(who)["<script>alert(1)</script>"]
    answer = browser.post(f"/my/messages/{key}/open", data={"csrf_token": token_of(page)})
    assert answer.headers["Location"] == "/my/messages"


def ticked(page):
    tree = check_html(page.text)
    return {
        (one.get("name"), one.get("value"))
        for one in tree.iter("input")
        if one.get("checked") is not None
    }


def test_the_switches(browser, who):
    page = browser.get("/account/messages")
    assert ticked(page) == {("sms", ASKED.name), ("mail", ASKED.name), ("often", "now")}
    assert page.text.count('<td data-label="短信">必发</td>') == 1
    assert MUST.name not in page.text
    data = {"csrf_token": token_of(page), "mail": [ASKED.name, MUST.name, "x"], "often": "daily"}
    answer = browser.post("/account/messages", data=data)
    assert answer.status_code == 303
    page = browser.get(answer.headers["Location"])
    assert "已保存" in page.text
    assert ticked(page) == {("mail", ASKED.name), ("often", "daily")}
    db.session.rollback()
    kept = {(one.kind, one.channel) for one in db.session.scalars(select(MessageChoice))}
    assert kept == {(ASKED.name, "sms"), (ASKED.name, "mail"), ("", "digest")}


def test_a_form_that_is_not_taken_keeps_its_ticks(browser):
    page = browser.get("/account/messages")
    data = {"csrf_token": token_of(page), "sms": ASKED.name, "often": "hourly"}
    answer = browser.post("/account/messages", data=data)
    assert answer.status_code == 422
    assert ("sms", ASKED.name) in ticked(answer)
    assert ("mail", ASKED.name) not in ticked(answer)
    stale = browser.post("/account/messages", data=data | {"csrf_token": "x", "often": "daily"})
    assert stale.status_code == 400
    assert ticked(stale) == {("sms", ASKED.name), ("often", "daily")}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_way_out_of_a_mail(app, client, who, language):
    token = letters.unsubscribe_token(who.id, ASKED.name)
    address = f"{'/en' if language == 'en' else ''}/unsubscribe/{token}"
    page = client.get(address)
    assert page.status_code == 200
    assert ASKED.label in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers
    assert db.session.scalar(select(MessageChoice)) is None
    # As a mail program sends it by itself: without a cookie, without our token.
    answer = client.post(address, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert ASKED.label in answer.text
    db.session.rollback()
    kept = db.session.scalars(select(MessageChoice)).one()
    assert (kept.person_id, kept.kind, kept.channel, kept.wanted) == (
        who.id,
        ASKED.name,
        "mail",
        False,
    )
    ask(ASKED, people=[who.id], values={"title": "甲"})
    ask(MUST, people=[who.id])
    sent(app)
    assert [one["Subject"] for one in mails(app)] == ["决定"]


def test_a_forged_way_out_is_not_found(client, who):
    token = letters.unsubscribe_token(who.id, ASKED.name)
    for forged in (token[:-1], token.replace(ASKED.name, MUST.name), "x"):
        assert client.get(f"/unsubscribe/{forged}").status_code == 404
        assert client.post(f"/unsubscribe/{forged}").status_code == 404
    assert client.post(f"/unsubscribe/{letters.unsubscribe_token(10**9, '*')}").status_code == 200


def test_must_kinds_stay_when_all_is_stopped(client, who):
    token = letters.unsubscribe_token(who.id, letters.ALL)
    assert "不能关闭的除外" in client.post(f"/unsubscribe/{token}").text
    db.session.rollback()
    assert [one.kind for one in db.session.scalars(select(MessageChoice))] == [ASKED.name]
