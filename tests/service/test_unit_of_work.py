"""One commit for the change, its audit and its outbox rows; reading never writes."""

import pytest
from sqlalchemy import select

from market.core import audit, clock, numbers, outbox
from market.core.db import db
from market.core.errors import Denied
from market.core.models import AuditEntry, Node
from market.core.permissions import PUBLIC, SYSTEM, Always, Policy
from market.core.unit_of_work import unit_of_work
from market.core.worker import NODES, SEAL, seal_audit


def _add_node(work, name="local"):
    work.require(NODES)
    db.session.add(Node(name=name, heartbeat=clock.now()))


def test_write_outside_is_an_error(app):
    db.session.add(Node(name="x", heartbeat=clock.now()))
    with pytest.raises(RuntimeError, match="outside a unit of work"):
        db.session.flush()
    db.session.rollback()


def test_write_without_asking_is_rolled_back(app):
    with pytest.raises(RuntimeError, match="asked no permission"), unit_of_work(SYSTEM):
        numbers.take("CG")
    with unit_of_work(SYSTEM) as work:
        work.require(NODES)
        assert list(numbers.take("CG", 2)) == [1, 2]


def test_the_public_is_denied(app):
    with pytest.raises(Denied), unit_of_work(PUBLIC) as work:
        work.require(NODES)


def test_inner_joins_the_outer_and_all_rolls_back(app):
    with pytest.raises(ZeroDivisionError), unit_of_work(SYSTEM) as work:
        _add_node(work)
        with unit_of_work(SYSTEM) as inner:
            assert inner is work
            outbox.announce("listing", 7)
        raise ZeroDivisionError
    assert db.session.scalars(select(Node)).all() == []
    assert outbox.pending("index:local") == 0


def test_announce_reaches_every_node(app):
    with unit_of_work(SYSTEM) as work:
        _add_node(work, "a")
        _add_node(work, "b")
        db.session.flush()
        work.announce("listing", 7)
    assert [row.object_id for row in outbox.read("index:a", 10)] == [7]
    assert outbox.pending("index:b") == 1


def _record(count):
    for number in range(count):
        with unit_of_work(SYSTEM) as work:
            work.require(SEAL)
            work.record("test.done", "thing", number, after={"值": number})


@pytest.fixture
def sealed(app):
    """All rows so far are sealed; yields the number of seals."""
    seal_audit("one")
    return audit.verify().seals


def test_audit_chain_detects_an_edit(sealed):
    _record(3)
    assert audit.verify().tail == 3
    seal_audit("one")
    _record(2)
    seal_audit("one")
    verdict = audit.verify()
    assert (verdict.seals, verdict.tail, verdict.broken) == (sealed + 2, 0, None)
    with unit_of_work(SYSTEM) as work:
        work.require(SEAL)
        entry = select(AuditEntry).where(AuditEntry.object_kind == "thing")
        db.session.scalars(entry.where(AuditEntry.object_id == 1)).first().after = {}
    assert audit.verify().broken == sealed + 1


def test_audit_chain_detects_a_deletion(sealed):
    _record(3)
    seal_audit("one")
    with unit_of_work(SYSTEM) as work:
        work.require(SEAL)
        db.session.delete(db.session.scalars(select(AuditEntry)).all()[-1])
    assert audit.verify().broken == sealed + 1


def test_another_holder_does_not_seal(sealed):
    _record(1)
    assert seal_audit("two") is False
    assert audit.verify().tail == 1


def test_policy_is_closed_by_default():
    policy = Policy()
    policy.declare("room:thing:read", public=Always())
    policy.declare("room:thing:write")
    assert policy.allows(PUBLIC, "room:thing:read")
    assert not policy.allows(PUBLIC, "room:thing:write")
    assert policy.allows(SYSTEM, "room:thing:write")
    with pytest.raises(ValueError, match="twice"):
        policy.declare("room:thing:read")
    with pytest.raises(ValueError, match="malformed"):
        policy.declare("read")
