"""The ledger of vouchers: whole, append-only, safe to repeat, never overdrawn."""

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from market.core.db import db
from market.core.errors import Conflict
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.vouchers import schemes
from market.vouchers.ledger.cli import group
from market.vouchers.ledger.models import LedgerEntry
from market.vouchers.ledger.posting import Overdrawn, Pot, Subject, between, post, reverse
from market.vouchers.ledger.queries import balances
from market.vouchers.ledger.reconcile import reconcile
from market.vouchers.models import Scheme
from market.vouchers.workflow import PROVE
from tests import vouchers


@pytest.fixture
def pot(app):
    no = vouchers.scheme(budget_fen=100_000)
    row = db.session.query(Scheme).filter_by(no=no).one()
    return Pot(row.id, vouchers.YEAR, row.region_id)


def move(pot, fen, key, source="available", target="reserved", kind="reserve"):
    with unit_of_work(SYSTEM) as work:
        work.require(PROVE)
        return post(work, key, kind, between(pot, source, target, fen), Subject("test", 1)).id


def test_entries_are_repeated_reversed_and_never_changed(pot, app):
    first = move(pot, 60_000, "a")
    assert move(pot, 60_000, "a") == first
    assert balances(pot)["available"] == 40_000
    with pytest.raises(ValueError, match="another movement"):
        move(pot, 1, "a")
    with pytest.raises(Overdrawn):
        move(pot, 40_001, "b")
    with unit_of_work(SYSTEM) as work:
        work.require(PROVE)
        back = reverse(work, db.session.get_one(LedgerEntry, first), "a-back")
        assert back.reverses_id == first
    assert balances(pot) == {
        "funding": -100_000, "available": 100_000, "reserved": 0, "approved": 0, "paid": 0,
        "recovered": 0,
    }  # fmt: skip
    for statement in ("UPDATE ledger_line SET amount_fen = 1", "DELETE FROM ledger_entry"):
        with pytest.raises(DatabaseError, match="append-only"), unit_of_work(SYSTEM) as work:
            work.require(PROVE)
            db.session.execute(text(statement))
    assert reconcile().true


def test_a_budget_is_not_cut_below_what_is_bound(pot):
    move(pot, 60_000, "a")
    no = db.session.get_one(Scheme, pot.scheme_id).no
    with pytest.raises(Conflict, match="600 元"):
        schemes.set_budget(SYSTEM, no, pot.year, 59_999, key="cut")
    schemes.set_budget(SYSTEM, no, pot.year, 60_000, key="cut")
    assert balances(pot)["available"] == 0
    assert reconcile().true


def test_the_command_finds_a_difference(pot, app):
    class Given:
        pass

    given = Given()
    given.app = app
    runner = app.test_cli_runner()
    assert "全部相符" in runner.invoke(group, ["reconcile"], obj=given).output
    with unit_of_work(SYSTEM) as work:
        work.require(PROVE)
        db.session.execute(
            text("UPDATE ledger_account SET balance_fen = 7 WHERE kind = 'reserved'")
        )
    found = runner.invoke(group, ["reconcile"], obj=given)
    assert found.exit_code == 1
    assert "不符：分录合计 0" in found.output


def test_of_many_who_want_the_last_money_one_gets_it(pot, app):
    gate, results = threading.Barrier(4), []

    def take(number):
        with app.app_context():
            gate.wait()
            try:
                move(pot, 60_000, f"thread:{number}")
                results.append("got")
            except Overdrawn:
                results.append("refused")
            finally:
                db.session.remove()

    threads = [threading.Thread(target=take, args=(one,)) for one in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(results) == ["got", "refused", "refused", "refused"]
    db.session.rollback()
    assert balances(pot)["available"] == 40_000
    assert reconcile().true
