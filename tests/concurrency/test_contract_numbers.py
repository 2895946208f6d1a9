"""Numbers of a body's own register under many hands: no gap, none twice, whole or not at all."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from market.contracts import examining
from market.contracts.changes import deciding, service
from market.contracts.entry_models import ContractEntry
from market.contracts.models import Contract, ContractVersion, NumberCounter
from market.core import clock, files
from market.core.db import db
from market.core.errors import Conflict
from market.core.models import CaseEvent
from market.core.permissions import SYSTEM
from tests import contracts, people

REGISTRAR = Path(__file__).parent / "register_forever.py"


@pytest.fixture
def prepared_demo(prepared_quiet):
    return prepared_quiet


def at_once(app, count, work):
    """Run `work(number)` in so many threads; returns what they raised."""
    barrier, wrong = threading.Barrier(count), []

    def one(number):
        with app.app_context():
            barrier.wait()
            try:
                work(number)
            except Exception as error:
                wrong.append(error)
            db.session.remove()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()  # this thread reads anew
    return wrong


def whole(body_id, count):
    """So many contracts are registered, each whole, with the numbers from 1 and no other."""
    rows = db.session.scalars(
        select(Contract).where(Contract.body_id == body_id, Contract.state == "registered")
    ).all()
    serials = sorted(int(one.registration_no[-6:]) for one in rows)
    assert serials == list(range(1, count + 1))
    last = select(NumberCounter.last).where(
        NumberCounter.body_id == body_id, NumberCounter.year == clock.today().year
    )
    assert db.session.scalar(last) == count
    assert all(one.registered_on and one.check_code and one.effective == 1 for one in rows)
    ids = {one.id for one in rows}
    registered = select(ContractVersion.contract_id).where(ContractVersion.state == "registered")
    assert set(db.session.scalars(registered)) == ids
    told = select(CaseEvent.object_id).where(
        CaseEvent.kind == "contract", CaseEvent.action == "register"
    )
    assert sorted(db.session.scalars(told)) == sorted(ids)
    assert sorted(db.session.scalars(select(ContractEntry.contract_id))) == sorted(ids)
    not_yet = select(Contract).where(Contract.body_id == body_id, Contract.state == "examined")
    assert not [one for one in db.session.scalars(not_yet) if one.registration_no]


def register(app, threads, each):
    body = contracts.body("own", "360982")
    body_id, nos = body.id, contracts.many_examined(threads * each, body)
    db.session.rollback()

    def work(number):
        for no in nos[number::threads]:
            examining.register(SYSTEM, no)

    assert at_once(app, threads, work) == []
    whole(body_id, threads * each)


def test_eight_registrars_leave_no_gap(demo):
    register(demo, 8, 5)


@pytest.mark.long
def test_sixteen_registrars_leave_no_gap_in_1600(demo):
    register(demo, 16, 100)


def test_one_of_eight_decides_on_a_change(demo):
    seller = people.organisation("食品研究所", kind="institute", code="360982")
    body = contracts.body("own", "360982")
    filer = people.actor(("owner", seller))
    sellers = [{**contracts.FIELDS["sellers"][0], "uscc": None}]
    no = contracts.registered_here(filer, seller, body, sellers=sellers)
    first, _second = contracts.examiners(body)
    change = service.ask(filer, no, "amend", {"reason": "改价"}, {"total_fen": 290_000_00})
    service.attach(filer, change, files.take_in("协议.pdf", contracts.PDF))
    service.submit(filer, change)
    deciding.examine(first, change, {})
    clerks = [people.actor(("second_examiner", body.organisation_id)) for _ in range(8)]
    db.session.rollback()

    def decide(number):
        if number % 2:
            deciding.decide(clerks[number], change, {})
        else:
            deciding.refuse(clerks[number], change, "不符")

    wrong = at_once(demo, 8, decide)
    assert len(wrong) == 7
    assert all(isinstance(one, Conflict) for one in wrong), wrong
    contract = contracts.row(no)
    states = db.session.scalars(
        select(ContractVersion.state)
        .where(ContractVersion.contract_id == contract.id)
        .order_by(ContractVersion.version)
    ).all()
    won = contract.effective == 2
    assert states == (["superseded", "registered"] if won else ["registered", "dropped"])
    assert contract.total_fen == (290_000_00 if won else 280_000_00)


@pytest.mark.long
@pytest.mark.net
def test_kill_9_leaves_neither_number_nor_contract_half_done(demo, demo_settings):
    choice = random.Random(20261127)
    body = contracts.body("own", "360982")
    body_id, nos = body.id, contracts.many_examined(400, body)
    db.session.rollback()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "MARKET_INSTANCE": str(demo_settings.instance),
        "MARKET_DATABASE_URL": demo_settings.database_url,
        "MARKET_DEMO": "1",
        "MARKET_LOG_LEVEL": "ERROR",
    }
    acknowledged = {}
    while nos:
        command = [sys.executable, str(REGISTRAR), *nos]
        child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        until = choice.randint(20, 80)
        for count, line in enumerate(child.stdout, 1):
            acknowledged.update([line.split()])
            if count == until:
                time.sleep(choice.uniform(0, 0.02))  # in the middle of the next ones
                child.send_signal(signal.SIGKILL)
        child.stdout.close()
        assert child.wait() in {0, -signal.SIGKILL}
        db.session.rollback()
        done = dict(
            db.session.execute(
                select(Contract.no, Contract.registration_no).where(Contract.state == "registered")
            ).all()
        )
        db.session.rollback()
        assert all(done[no] == number for no, number in acknowledged.items())
        # One may have been committed and not been told.
        assert len(done) - len(acknowledged) in {0, 1}
        whole(body_id, len(done))
        acknowledged |= done
        nos = [no for no in nos if no not in done]
