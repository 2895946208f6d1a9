"""Web server and worker killed with -9 in the middle of voucher money: nothing acknowledged is lost."""

from __future__ import annotations

import collections
import os
import random
import signal
import sys
import time

import pytest
from sqlalchemy import func, select

from market.core.db import db
from market.core.models import CaseEvent
from market.vouchers.ledger.models import LedgerAccount
from tests.concurrency.conftest import Machine, descendants
from tests.concurrency.test_voucher_money import acknowledged_is_there, money_is_true
from tests.concurrency.voucher_site import Hand, Town

pytestmark = [pytest.mark.net, pytest.mark.long]
HANDS, ENDING = 3, 30  # at once; vouchers that the worker has to end after each start
# The figure is of 50 kills; some of them go along with the other tests.
KILLS = int(os.environ.get("MARKET_LOAD_SITE_KILLS", "2"))


@pytest.fixture
def site(settings, port):
    machine = Machine(settings.instance, port)
    if not settings.is_sqlite:
        machine.environment["MARKET_DATABASE_URL"] = settings.database_url
    yield machine
    machine.end()


def killed(machine, family, choice):
    """Supervisor, web server, its process and the worker, in any order."""
    choice.shuffle(family)
    for pid in family:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # it had ended with another
            continue
    end = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{pid}") for pid in family):
        machine.started[-1].poll()
        assert time.monotonic() < end, "processes are left over"
        time.sleep(0.02)


def worked(machine, town, port, choice, by_worker):
    """Start the site, let it work for a moment, kill it; the hands that worked on it.

    Args:
        by_worker: the moment is when the worker has ended some of the vouchers that it was given;
            otherwise when some acts were acknowledged.
    """
    before = town.waiting()
    up = machine.start("up")
    hands = [Hand(town, port, number) for number in range(HANDS)]
    for one in hands:
        one.start()

    def done():
        return before - town.waiting() if by_worker else sum(len(one.told) for one in hands)

    until, end = choice.randint(1, ENDING - 5 if by_worker else 40), time.monotonic() + 60
    while done() < until:
        assert time.monotonic() < end, [one.wrong for one in hands]
        time.sleep(0.005)
    time.sleep(choice.uniform(0, 0.05))  # in the middle of the next ones
    killed(machine, [up.pid, *descendants(up.pid)], choice)
    for one in hands:
        one.over = True
        one.join(40)
        assert not one.is_alive()
    return hands


def test_a_killed_site_loses_nothing_acknowledged(app, site, port, capfd):
    town, choice = Town(HANDS), random.Random(20261127)
    told, counts, between = [], collections.Counter(), 0
    for point in range(KILLS):
        town.give_the_worker(ENDING)
        before = town.waiting()
        for hand in worked(site, town, port, choice, point % 2 == 0):
            assert not hand.wrong
            told += hand.told
            counts.update(hand.counts)
        money_is_true()
        left = town.waiting()
        between += 0 < left < before
    acknowledged_is_there(" ".join(one) for one in told)
    assert len(told) >= KILLS
    _worker_comes_to_its_end(site, town)
    assert site.run("vouchers", "reconcile").returncode == 0
    assert site.run("audit", "verify").returncode == 0
    with capfd.disabled():
        kinds = collections.Counter(action for _, _, action in told)
        sys.stdout.write(
            f"\n{KILLS} kills, {len(told)} acts acknowledged ({dict(kinds)}), requests"
            f" {dict(counts)}; the worker was in the middle of its vouchers {between} times\n"
        )


def _worker_comes_to_its_end(site, town):
    """What is left over is ended, each voucher once, and last year's money is gone."""
    site.start("worker")
    end = time.monotonic() + 60
    while town.waiting() or _of_last_year(town):
        assert time.monotonic() < end
        time.sleep(0.2)
    money_is_true()
    ended = select(func.count()).where(CaseEvent.kind == "voucher", CaseEvent.action == "expire")
    assert db.session.scalar(ended) == KILLS * ENDING
    db.session.rollback()


def _of_last_year(town):
    query = select(LedgerAccount.balance_fen).where(
        LedgerAccount.kind == "available", LedgerAccount.year == town.year - 1
    )
    found = sum(db.session.scalars(query))
    db.session.rollback()
    return found
