"""Saved searches: what their digests tell, that they tell it once, and who may do what with them."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from market.accounts.people import sessions
from market.accounts.people.models import Person
from market.catalogue.models import Listing
from market.core import clock, leases
from market.core.db import db
from market.core.errors import Conflict, NotFound
from market.core.models import ImportRun, OutboxRow
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from market.discovery.engine import ask
from market.discovery.forms import SearchForm
from market.discovery.saved import fresh, jobs, queries, rules, service
from market.discovery.saved.messages import stop_word
from market.discovery.saved.models import SavedHit, SavedSearch
from market.notifications.models import InboxMessage
from market.notifications.notifying import notify
from tests import messages, people

TOUCH = policy.declare("tests:saved:touch")


@pytest.fixture
def prepared_demo(prepared_quiet):
    """Nobody else's searches."""
    return prepared_quiet


def written(statement):
    with unit_of_work(SYSTEM) as work:
        work.require(TOUCH)
        db.session.execute(statement.execution_options(synchronize_session=False))


def edition():
    """The end of the time that a digest of now is about."""
    return rules.edition_before("daily", clock.now() - rules.GRACE)


def make_old():
    """All demonstration listings were visible long ago."""
    long_ago = edition() - timedelta(days=90)
    written(update(ImportRun).values(started_at=long_ago, finished_at=long_ago))
    written(update(Listing).values(created_at=long_ago, published_at=long_ago))


def publish(ids, hours=1.0):
    """Some listings became visible so many hours before the edition."""
    written(
        update(Listing)
        .where(Listing.id.in_(ids))
        .values(published_at=edition() - timedelta(hours=hours))
    )


def published(*conditions):
    query = select(Listing.id).where(Listing.state == "published", *conditions)
    return list(db.session.scalars(query.order_by(Listing.id)))


def keep(actor, query="", *, rhythm="daily", language="zh", name="我的订阅", due=True):
    """Keep a search; due: as if it had been kept two days (or weeks) before the edition."""
    key = service.save(
        actor, {"query": query, "name": name, "rhythm": rhythm, "language": language}
    )
    if due:
        make_due(key, days=9 if rhythm == "weekly" else 2)
    return key


def make_due(*keys, days=2):
    written(
        update(SavedSearch)
        .where(SavedSearch.id.in_(keys))
        .values(told_until=edition() - timedelta(days=days), next_at=edition())
    )


def told(key):
    """Ids of the listings that a search told of, in order."""
    query = select(SavedHit.listing_id).where(SavedHit.search_id == key)
    return list(db.session.scalars(query.order_by(SavedHit.told_at, SavedHit.position)))


def inbox(person_id):
    while notify():
        pass
    query = select(InboxMessage).where(InboxMessage.person_id == person_id)
    return list(db.session.scalars(query.order_by(InboxMessage.id)))


def all_hits(query):
    """Keys of all that holds all words of a search in the index of the site."""
    form = rules.form_of(query)
    request = fresh.only_all_terms(
        fresh.request_for(form, fresh.places_for(form), ()), fresh.MAX_LIMIT
    )
    page = ask(request)
    assert page.next_after is None
    return {int(hit.key.partition(":")[2]) for hit in page.hits}


def test_each_digest_is_what_searching_restricted_to_the_new_listings_finds(demo):
    chance = random.Random(7)
    make_old()
    ids = published()
    new = sorted(chance.sample(ids, len(ids) // 4))
    publish(new)
    words = set()
    for document in demo.extensions["market"].searchables["listing"].load(new).values():
        words |= set(document.phrases) | {document.title[:4], document.title[2:6]}
    form_values = {
        "kind": ["achievement", "demand"],
        "region": ["51", "5114", "511402", "37"],
        "stage": ["pilot", "production", "adopted"],
        "price_band": ["negotiable", "5to20"],
    }
    asked = [""]
    for word in chance.choices(sorted(words), k=360):
        more = {}
        for name in chance.sample(sorted(form_values), chance.choice([0, 0, 1, 2])):
            more[name] = tuple(chance.sample(form_values[name], 1))
        q = chance.choice([word, word, f"{word} 技术", f"{word} -水稻", f'"{word}"', ""])
        asked.append(rules.kept_query(SearchForm(q=q, **more)))
    asked = list(dict.fromkeys(asked))
    person = people.actor()
    keys = {}
    for number, query in enumerate(asked):
        if number % 40 == 0:
            person = people.actor()
        keys[query] = keep(person, query, due=False)
    make_due(*keys.values())
    assert jobs.match_due() == len(asked)
    db.session.rollback()
    wrong = {q: (told(k), all_hits(q) & set(new)) for q, k in keys.items()}
    assert {q: both for q, both in wrong.items() if set(both[0]) != both[1]} == {}
    assert len(asked) >= 300
    assert sum(bool(found) for found, _ in wrong.values()) > 100
    counts = dict(
        db.session.execute(
            select(OutboxRow.object_id, func.count())
            .where(OutboxRow.consumer == "notify", OutboxRow.kind == "saved.news")
            .group_by(OutboxRow.object_id)
        ).all()
    )
    assert counts == {keys[q]: 1 for q, (found, _) in wrong.items() if found}
    assert not (demo.extensions["market"].settings.instance / "fresh").exists()


def test_nothing_is_told_twice_and_nothing_when_nothing_is_new(demo):
    make_old()
    new = published()[:3]
    publish(new)
    person = people.actor()
    key = keep(person)
    assert jobs.match_due() == 1
    assert set(told(key)) == set(new)
    assert jobs.match_due() == 0  # not due before the next morning
    make_due(key)  # as if a restored backup had the old mark: the hits remember
    assert jobs.match_due() == 1
    [message] = inbox(person.id)
    assert "3 条新信息" in message.subject
    row = db.session.get_one(SavedSearch, key)
    assert row.told_until == edition()
    assert row.next_at == rules.due_after("daily", edition())


def test_only_what_became_visible_after_the_mark_counts(demo):
    make_old()
    ids = published()
    publish(ids[:1], hours=72)  # before the search was kept
    publish(ids[1:2], hours=-0.01)  # after the edition: tomorrow's
    publish(ids[2:3], hours=47)
    key = keep(people.actor())
    jobs.match_due()
    assert told(key) == [ids[2]]


def test_an_import_is_new_when_it_ended_not_when_its_rows_were_read(demo):
    make_old()
    ids = published(Listing.import_id.is_not(None))
    run = db.session.get_one(Listing, ids[0]).import_id
    of_run = set(published(Listing.import_id == run))
    read = edition() - timedelta(days=3)
    written(
        update(Listing).where(Listing.import_id == run).values(created_at=read, published_at=read)
    )
    written(
        update(ImportRun)
        .where(ImportRun.id == run)
        .values(started_at=read, finished_at=edition() - timedelta(hours=2))
    )
    changed = min(of_run)  # older than the import that only changed it
    long_ago = read - timedelta(days=30)
    written(
        update(Listing)
        .where(Listing.id == changed)
        .values(created_at=long_ago, published_at=long_ago)
    )
    assert set(fresh.first_seen(edition() - timedelta(days=1))) == of_run - {changed}


def test_what_is_withdrawn_or_not_public_is_never_told(demo, monkeypatch):
    make_old()
    ids = published()[:5]
    publish(ids)
    written(update(Listing).where(Listing.id == ids[0]).values(state="withdrawn"))
    written(update(Listing).where(Listing.id == ids[1]).values(state="draft", current_id=None))
    written(update(Listing).where(Listing.id == ids[2]).values(state="taken_down"))
    key = keep(people.actor())
    write = jobs._write

    def meanwhile(found):
        assert len(found[0][1].hits) == 2
        written(update(Listing).where(Listing.id == ids[3]).values(state="withdrawn"))
        write(found)

    monkeypatch.setattr(jobs, "_write", meanwhile)
    jobs.match_due()
    assert told(key) == [ids[4]]
    [row] = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "saved.news"))
    assert row.payload["values"]["n"] == "1"
    assert db.session.get_one(Listing, ids[3]).no not in row.payload["values"]["lines"]


def test_a_run_killed_between_two_pieces_goes_on_where_it_was(demo, monkeypatch):
    make_old()
    publish(published()[:2])
    actors = [people.actor() for _ in range(5)]
    keys = [keep(one) for one in actors]
    monkeypatch.setattr(jobs, "PIECE", 2)
    tell, calls = jobs._tell, []

    def killed(*given):
        calls.append(given)
        if len(calls) == 4:
            raise KeyboardInterrupt
        tell(*given)

    monkeypatch.setattr(jobs, "_tell", killed)
    with pytest.raises(KeyboardInterrupt):
        jobs.match_due()
    # The second piece was half done, and left no trace.
    assert [bool(told(key)) for key in keys] == [True, True, False, False, False]
    monkeypatch.setattr(jobs, "_tell", tell)
    assert jobs.match_due() == 3
    assert [len(inbox(one.id)) for one in actors] == [1] * 5


def test_while_another_process_is_at_it_nothing_is_done(demo):
    make_old()
    publish(published()[:1])
    key = keep(people.actor())
    assert leases.hold("saved searches", "elsewhere:1", timedelta(minutes=1))
    assert jobs.match_due() == 0
    assert told(key) == []


def test_the_same_search_is_asked_once(demo, monkeypatch):
    make_old()
    publish(published()[:2])
    for _ in range(4):
        keep(people.actor(), "kind=achievement")
    asked, news = [], fresh.news
    monkeypatch.setattr(fresh, "news", lambda *given: asked.append(1) or news(*given))
    assert jobs.match_due() == 4
    assert len(asked) == 1


def test_weekly_ones_end_on_monday_and_paused_ones_wait(demo):
    monday = rules.edition_before("weekly", clock.now() - rules.GRACE)
    assert clock.local(monday).weekday() == 0
    make_old()
    ids = published()
    for key, at in ((ids[0], monday - timedelta(days=3)), (ids[1], monday + timedelta(minutes=1))):
        written(update(Listing).where(Listing.id == key).values(published_at=at))
    actor = people.actor()
    weekly = keep(actor, rhythm="weekly")
    written(update(SavedSearch).values(told_until=monday - timedelta(days=7)))
    paused = keep(actor, "kind=achievement")
    service.pause(actor, paused)
    jobs.match_due()
    assert (told(weekly), told(paused)) == ([ids[0]], [])
    assert db.session.get_one(SavedSearch, weekly).told_until == monday
    service.resume(actor, paused)  # what appeared meanwhile is not told later
    row = db.session.get_one(SavedSearch, paused)
    assert clock.now() - row.told_until < timedelta(minutes=1)


def test_a_digest_reads_in_its_own_language_and_its_mail_stops_just_it(demo):
    make_old()
    publish(published()[:20])
    person = db.session.scalars(
        select(Person).where(Person.email_key.is_not(None)).order_by(Person.id).limit(1)
    ).one()
    actor = sessions.actor_of(person)
    key = keep(actor, language="en", name="Tea")
    keep(actor, "kind=demand")
    jobs.match_due()
    messages.sent(demo)
    mail = next(one for one in messages.mails(demo) if "Tea" in one["Subject"])
    text = messages.plain(mail)
    assert "/en/achievements/CG" in text
    word = stop_word(key)
    base = demo.extensions["market"].settings.base_url
    assert mail["List-Unsubscribe"] == f"<{base}/en/searches/stop/{word}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    service.stop(word)
    service.stop(word)  # mail programs repeat
    assert [row.paused_at is None for row in queries.mine(actor)] == [True, False]
    for wrong in ("", "x", f"{key}~", f"{key + 1}~{word.partition('~')[2]}"):
        with pytest.raises(NotFound):
            service.stop(wrong)


def test_fifty_and_no_search_twice_and_only_ones_own(demo):
    actor, other = people.actor(), people.actor()
    for number in range(rules.MOST_SEARCHES):
        keep(actor, f"q=词{number}", due=False)
    with pytest.raises(Conflict, match="50"):
        keep(actor, "q=又一个", due=False)
    first = keep(other, "stage=pilot&kind=demand&kind=achievement&sort=newest&date=2026&page=3")
    with pytest.raises(Conflict, match="已经订阅过"):
        keep(other, "kind=achievement&kind=demand&stage=pilot&near=51")
    assert db.session.get_one(SavedSearch, first).query == (
        "kind=achievement&kind=demand&stage=pilot"
    )
    for act in (service.pause, service.resume, service.remove, queries.get):
        with pytest.raises(NotFound):
            act(actor, first)
    service.remove(other, first)
    assert queries.mine(other) == []


def test_of_two_who_change_one_the_second_is_told(demo):
    actor = people.actor()
    key = keep(actor, due=False)
    values = {"name": "甲", "rhythm": "weekly", "language": "zh", "seen": 1}
    service.change(actor, key, values)
    with pytest.raises(Conflict):
        service.change(actor, key, values)
    row = db.session.get_one(SavedSearch, key)
    assert (row.name, row.next_at) == ("甲", rules.due_after("weekly", clock.now()))


def test_closed_accounts_hear_nothing_and_their_searches_go(demo):
    make_old()
    publish(published()[:1])
    actor = people.actor()
    key = keep(actor)
    written(update(Person).where(Person.id == actor.id).values(state="closed"))
    assert jobs.match_due() == 0
    service.forget_closed()
    assert db.session.get(SavedSearch, key) is None


def test_the_worker_does_it_in_a_thread(demo):
    make_old()
    publish(published()[:1])
    key = keep(people.actor())
    matcher = jobs.Matcher()
    assert matcher.run() is False
    matcher._thread.join(30)
    db.session.rollback()
    assert len(told(key)) == 1
