"""Voucher money under many hands: never overspent, never paid twice, the ledger true to the fen."""

from __future__ import annotations

import collections
import json
import os
import random
import signal
import sys
import time

import pytest
from sqlalchemy import select

from market.core.db import db
from market.core.models import CaseEvent
from market.vouchers.ledger.models import LedgerAccount
from market.vouchers.ledger.reconcile import reconcile
from market.vouchers.models import Scheme
from tests.concurrency.voucher_load import KINDS, Cast, fork
from tests.conftest import let_go
from tests.service.voucher_proof import proved

pytestmark = pytest.mark.long
PROCESSES, THREADS = 8, 8
# The figures are of 5,000 acts and 50 kills; a smaller share of them goes along with the others.
ACTIONS = int(os.environ.get("MARKET_LOAD_ACTS", "800"))
KILLS = int(os.environ.get("MARKET_LOAD_KILLS", "6"))
ANY = 10**12  # no cap


def money_is_true():
    """Every account, every voucher, every payment of every scheme; returns what each holds."""
    db.session.rollback()
    report = reconcile()
    assert report.true, report
    found = {}
    for scheme in db.session.scalars(select(Scheme).order_by(Scheme.id)).all():
        proved(scheme.id, ANY, ANY)
        kinds = db.session.execute(
            select(LedgerAccount.kind, LedgerAccount.balance_fen).where(
                LedgerAccount.scheme_id == scheme.id
            )
        )
        found[scheme.no] = dict(kinds.all())
    db.session.rollback()
    return found


def acknowledged_is_there(lines):
    """Each act that was told stands on the timeline of its case."""
    wanted = {tuple(line.split()) for line in lines}
    found = set()
    for kind, model in KINDS.items():
        name = "voucher_application" if kind == "application" else kind
        rows = db.session.execute(
            select(model.no, CaseEvent.action).join(
                CaseEvent, (CaseEvent.object_id == model.id) & (CaseEvent.kind == name)
            )
        )
        found |= {(kind, no, action) for no, action in rows}
    db.session.rollback()
    assert wanted <= found, wanted - found


def summed(streams):
    """The lines of acts of all processes, and the sum of what they counted."""
    lines, total, wrong = [], collections.Counter(), []
    for stream in streams:
        for line in stream.read().splitlines():
            if line.startswith("{"):
                told = json.loads(line)
                wrong += told.pop("wrong")
                total.update(told)
            else:
                lines.append(line)
        stream.close()
    return lines, total, wrong


def test_eight_processes_of_eight_threads_never_overspend(app, capfd):
    cast = Cast(ACTIONS)
    let_go(app)
    started = time.monotonic()
    each = ACTIONS // (PROCESSES * THREADS) + 1
    children = [fork(app, cast, seed, THREADS, each) for seed in range(1, PROCESSES + 1)]
    lines, total, wrong = summed([stream for _, stream in children])
    for pid, _ in children:
        os.waitpid(pid, 0)
    seconds = time.monotonic() - started
    assert not wrong, f"{len(wrong)} unexpected errors, the first: {wrong[0]}"
    assert total["done"] + total["refused"] + total["busy"] >= ACTIONS
    found = money_is_true()
    acknowledged_is_there(lines)
    counted = {name: total[name] for name in ("done", "refused", "short", "busy")}
    with capfd.disabled():  # busy: what a browser gets as 503 with Retry-After
        sys.stdout.write(f"\n{db.engine.dialect.name}: {counted} in {seconds:.0f} s\n{found}\n")
    for at, budget in cast.budgets.items():
        assert total[f"asked {at}"] >= 3 * budget, at
    assert total["short"] > 0


def test_kill_9_at_any_point_loses_nothing_acknowledged(app):
    cast, choice = Cast(), random.Random(20261127)
    acknowledged = []
    for point in range(1, KILLS + 1):
        let_go(app)
        pid, stream = fork(app, cast, 1000 + point, 4, 200)
        until = choice.randint(1, 12)
        for count, line in enumerate(stream, 1):
            acknowledged.append(line)
            if count == until or line.startswith("{"):
                time.sleep(choice.uniform(0, 0.05))  # in the middle of the next ones
                os.kill(pid, signal.SIGKILL)
                break
        acknowledged += stream.read().splitlines()
        stream.close()
        os.waitpid(pid, 0)
        acknowledged = [one.strip() for one in acknowledged if not one.startswith("{")]
        money_is_true()
    acknowledged_is_there(acknowledged)
    assert len(acknowledged) >= KILLS
