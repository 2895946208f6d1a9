"""Twice is once: forms, requests, and how often one may."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from market.core import limits, once
from market.core.db import db
from market.core.errors import Conflict, TooMany
from market.core.limits import Limit
from market.core.models import LimitHit, OnceKey
from market.core.permissions import PUBLIC, SYSTEM, policy
from market.core.unit_of_work import unit_of_work

ACT = policy.declare("tests:once:act")
KEY = once.key_of(PUBLIC, "/x", "word")


def _act(key=KEY, content=b"a", answer="/there"):
    with unit_of_work(SYSTEM) as work:
        work.require(ACT)
        earlier = once.earlier_answer(key, content)
        if earlier is None:
            once.keep_answer(key, answer)
        return earlier


def test_the_second_time_repeats_the_first_answer(app):
    assert _act() is None
    assert _act(answer="/elsewhere") == "/there"


def test_the_answer_lies_sealed(app):
    _act(answer="/receipts/secret-word")
    db.session.rollback()
    kept = db.session.scalars(select(OnceKey.answer)).one()
    assert "secret-word" not in kept
    assert _act() == "/receipts/secret-word"


def test_an_answer_sealed_under_another_key_is_not_guessed(app):
    _act()
    with unit_of_work(SYSTEM) as work:
        work.require(ACT)
        db.session.scalars(select(OnceKey)).one().answer = "/there"
    with pytest.raises(Conflict):
        _act()


def test_the_same_key_for_something_else_is_refused(app):
    _act()
    with pytest.raises(Conflict):
        _act(content=b"b")


def test_what_failed_may_be_sent_again(app):
    with pytest.raises(ZeroDivisionError), unit_of_work(SYSTEM) as work:
        work.require(ACT)
        once.earlier_answer(KEY, b"a")
        raise ZeroDivisionError
    assert _act() is None


def test_of_eight_at_the_same_moment_one_acts(app):
    start, answers = threading.Barrier(8), []

    def run(number):
        with app.app_context():
            start.wait()
            answers.append(_act(answer=f"/{number}"))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(None) == 1
    assert len(set(answers)) == 2


def test_old_keys_are_forgotten(app):
    _act()
    with time_machine.travel(timedelta(days=2) + datetime.now(UTC)):
        once.forget_old()
    assert db.session.scalar(select(func.count()).select_from(OnceKey)) == 0


def test_a_limit_counts_each_one_apart_and_ends(app):
    limit = Limit("test", 2, timedelta(hours=1))
    for _time in range(2):
        limits.take(limit, "甲", "太多。")
    with pytest.raises(TooMany, match="太多"):
        limits.take(limit, "甲", "太多。")
    limits.take(limit, "乙", "太多。")
    assert db.session.scalar(select(LimitHit.who).limit(1)) != "甲"
    with time_machine.travel(timedelta(hours=2) + datetime.now(UTC)):
        limits.take(limit, "甲", "太多。")
    with time_machine.travel(timedelta(days=3) + datetime.now(UTC)):
        limits.forget_old()
    assert db.session.scalar(select(func.count()).select_from(LimitHit)) == 0
