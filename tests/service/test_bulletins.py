"""Bulletins: numbers, frozen texts, what is taken back, who is told, who may."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, update

from market.accounts.people.models import Person
from market.accounts.people.sessions import actor_of
from market.catalogue.models import Listing, Pin, Revision
from market.catalogue.queries import several
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.models import OutboxRow, WorkItem
from market.core.permissions import PUBLIC, SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from market.discovery.bulletins import feeds, jobs, queries, service
from market.discovery.bulletins.messages import stop_word
from market.discovery.bulletins.models import Bulletin, BulletinSubscription
from tests import messages, people

HERE = "511402"
TOUCH = policy.declare("tests:bulletin:touch")


@pytest.fixture
def prepared_demo(prepared_quiet):
    """No other bulletins."""
    return prepared_quiet


@pytest.fixture
def clerk(demo):
    return people.actor(("county", None, HERE))


def written(statement):
    with unit_of_work(SYSTEM) as work:
        work.require(TOUCH)
        db.session.execute(statement.execution_options(synchronize_session=False))


def state(no, value, **more):
    written(update(Listing).where(Listing.no == no).values(state=value, **more))


def nos(no):
    return [one.no for one in queries.lines(queries.find(SYSTEM, no))]


def saved(actor, no, order, **more):
    values = {"title": "本期标题", "number": 3, "foreword": "卷首语。", **more}
    service.save(actor, no, values, order)


def issued(actor, count=2, **more):
    """An issued bulletin; returns its number and those of its listings."""
    no = service.draft(actor, HERE)
    order = nos(no)[:count]
    saved(actor, no, order, **more)
    service.issue(actor, no)
    return no, order


def test_a_draft_proposes_pins_then_what_the_leading_industries_find(clerk):
    no = service.draft(clerk, HERE)
    pins = select(Listing.no).join(Pin, Pin.listing_id == Listing.id).order_by(Pin.position)
    place = people.region(HERE).id
    pinned = list(db.session.scalars(pins.where(Pin.region_id == place)))
    found = nos(no)
    assert found[: len(pinned)] == pinned
    assert len(pinned) < len(found) <= queries.PROPOSED
    row = queries.find(clerk, no)
    assert (row.number, row.year, row.state) == (1, queries.this_year(), "draft")
    assert row.query.startswith("leading=511402")
    item = db.session.scalars(select(WorkItem).where(WorkItem.kind == "bulletin")).one()
    assert (item.no, item.side) == (no, "office")
    # The next one does not name again what was not pinned.
    saved(clerk, no, found)
    service.issue(clerk, no)
    again = nos(service.draft(clerk, HERE))
    assert again[: len(pinned)] == pinned
    assert not (set(again) - set(pinned)) & set(found)


def test_issued_texts_are_frozen(clerk):
    no, [first, second] = issued(clerk)
    before = queries.get(PUBLIC, no).lines
    assert [one.no for one in before] == [first, second]
    assert all(one.solves and one.owner and one.telephone for one in before)
    current = select(Listing.current_id).where(Listing.no == first)
    written(
        update(Revision)
        .where(Revision.id == current.scalar_subquery())
        .values(title="改过的名称", summary="改过的简介", details={})
    )
    assert several(PUBLIC, [first])[first].title == "改过的名称"
    assert queries.get(PUBLIC, no).lines == before
    with pytest.raises(Conflict):
        saved(clerk, no, [first])


def test_what_its_owner_takes_back_keeps_its_title_and_says_why(clerk):
    no, [first, second] = issued(clerk)
    title = queries.get(PUBLIC, no).lines[0].title
    state(first, "withdrawn")
    shown = queries.get(PUBLIC, no).lines
    assert (shown[0].title, shown[0].state_label, shown[0].url) == (title, "已撤回", "")
    assert "撤回" in shown[0].note
    texts = ("solves", "best", "price", "contact", "telephone", "owner", "region")
    assert [getattr(shown[0], name) for name in texts] == [""] * len(texts)
    assert shown[1].solves
    state(second, "taken_down")
    assert [one.hidden for one in queries.get(PUBLIC, no).lines] == [True, True]
    state(first, "closed", outcome="solved")
    assert queries.get(PUBLIC, no).lines[0].solves
    state(first, "published", outcome=None)
    assert queries.get(PUBLIC, no).lines[0].note == ""


def test_two_bulletins_cannot_have_one_number(clerk):
    first, order = issued(clerk)
    other = service.draft(clerk, HERE)
    saved(clerk, other, order, foreword="不要丢")
    with pytest.raises(Conflict, match=r"第 3 期已经用过.*改为第 4 期"):
        service.issue(clerk, other)
    row = queries.find(clerk, other)
    assert (row.state, row.foreword, nos(other)) == ("draft", "不要丢", order)
    service.act(clerk, first, "withdraw", "写错了")
    with pytest.raises(Conflict):  # a withdrawn number is not given again
        service.issue(clerk, other)
    saved(clerk, other, order, number=4)
    service.issue(clerk, other)
    elsewhere = people.actor(("county", None, "370523"))
    theirs = service.draft(elsewhere, "370523")
    saved(elsewhere, theirs, order)
    service.issue(elsewhere, theirs)  # another office has its own numbers


def test_of_two_clerks_who_issue_at_once_one_is_refused(demo, clerk):
    colleague = people.actor(("county", None, HERE))
    drafts = [service.draft(one, HERE) for one in (clerk, colleague)]
    for one, no in zip((clerk, colleague), drafts, strict=True):
        saved(one, no, nos(no)[:2])
    db.session.remove()
    start, results = threading.Barrier(2), []

    def press(who, no):
        with demo.app_context():
            start.wait(10)
            try:
                service.issue(who, no)
                results.append("issued")
            except Conflict as error:
                results.append(error.message)
            finally:
                db.session.remove()

    threads = [
        threading.Thread(target=press, args=pair)
        for pair in zip((clerk, colleague), drafts, strict=True)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert len(results) == 2
    assert results.count("issued") == 1
    assert "期号" in next(one for one in results if one != "issued")
    states = db.session.scalars(select(Bulletin.state)).all()
    assert sorted(states) == ["draft", "issued"]


def test_order_is_judged_and_nothing_empty_or_hidden_is_issued(clerk):
    no = service.draft(clerk, HERE)
    order = nos(no)
    with pytest.raises(Invalid) as wrong:
        saved(clerk, no, [order[0], "CG9999000001"])
    assert "CG9999000001" in wrong.value.fields["add"][0]
    assert nos(no) == order
    saved(clerk, no, [order[1].lower(), order[0], order[1]])
    assert nos(no) == [order[1], order[0]]
    state(order[1], "withdrawn")
    with pytest.raises(Invalid) as wrong:
        service.issue(clerk, no)
    assert order[1] in wrong.value.fields["add"][0]
    assert queries.lines(queries.find(clerk, no))[0].title == order[1]  # no longer public
    saved(clerk, no, [])
    with pytest.raises(Invalid):
        service.issue(clerk, no)
    version = queries.find(clerk, no).lock_version
    with pytest.raises(Conflict, match="同事"):
        service.issue(clerk, no, seen=version - 1)
    service.act(clerk, no, "drop")
    assert queries.find(clerk, no).state == "dropped"


def test_drafts_are_the_offices_own_and_withdrawn_ones_say_why(clerk):
    no = service.draft(clerk, HERE)
    elsewhere = people.actor(("county", None, "370523"))
    firm = people.actor(("owner", people.organisation()))
    for who in (PUBLIC, firm, elsewhere):
        with pytest.raises(NotFound):
            queries.get(who, no)
        with pytest.raises(NotFound):
            service.act(who, no, "issue")
    with pytest.raises(NotFound):
        service.draft(elsewhere, HERE)
    with pytest.raises((Denied, NotFound)):
        service.draft(firm, HERE)
    saved(clerk, no, nos(no)[:1])
    service.issue(clerk, no)
    with pytest.raises(NotFound):  # public, but not theirs to withdraw
        service.act(elsewhere, no, "withdraw", "不行")
    with pytest.raises(Invalid):
        service.act(clerk, no, "withdraw", " ")
    service.act(clerk, no, "withdraw", "电话写错")
    found = queries.get(PUBLIC, no)
    assert (found.state, found.reason, found.lines) == ("withdrawn", "电话写错", ())
    assert queries.listed(PUBLIC, HERE).total == 0
    assert feeds.feed(PUBLIC, HERE, "http://x").entries == []


def test_subscribers_are_told_once_in_pieces_and_stop_with_one_click(demo, clerk, monkeypatch):
    monkeypatch.setattr(jobs, "PIECE", 2)
    mailed = db.session.scalars(
        select(Person).where(Person.email_key.is_not(None)).order_by(Person.id).limit(1)
    ).one()
    readers = [actor_of(mailed), *(people.actor() for _ in range(4))]
    for one in readers:
        service.subscribe(one, HERE, "en" if one is readers[0] else "zh")
    service.subscribe(readers[1], HERE, "zh")  # again is no mistake
    service.unsubscribe(readers[4], HERE)
    service.subscribe(people.actor(), "370523", "zh")
    no, _order = issued(clerk)
    late = people.actor()
    service.subscribe(late, HERE, "zh")  # after it was issued
    assert [jobs.tell_subscribers() for _ in range(4)] == [True, True, True, False]
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "bulletin.issued")).all()
    assert [row.payload["people"] for row in rows] == [[one.id] for one in readers[:4]]
    messages.sent(demo)
    mail = next(one for one in messages.mails(demo) if "List-Unsubscribe" in one)
    key = db.session.scalar(
        select(BulletinSubscription.id).where(BulletinSubscription.person_id == mailed.id)
    )
    word = stop_word(key)
    assert f"/en/bulletins/stop/{word}>" in mail["List-Unsubscribe"]
    assert f"/en/bulletins/{no}" in messages.plain(mail)
    service.stop(word)
    service.stop(word)
    assert queries.subscriptions(readers[0]) == []
    with pytest.raises(NotFound):
        service.stop("1~x")
