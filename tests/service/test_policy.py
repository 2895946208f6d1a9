"""Roles, grants and conditions: the same answer in Python and in SQL."""

import pytest
from sqlalchemy import select

from market.accounts.models import Organisation
from market.core.db import db
from market.core.permissions import (
    PUBLIC,
    SYSTEM,
    Actor,
    Always,
    Grant,
    InArea,
    Mine,
    Own,
    Policy,
    StateIn,
    Supervised,
)
from tests import people

READ = "rooms:thing:read"


def _same(policy, actor, model=Organisation):
    """What SQL finds, after comparing it with what Python allows."""
    found = set(db.session.scalars(select(model.id).where(policy.where(actor, READ, model))))
    rows = db.session.scalars(select(model)).all()
    assert found == {row.id for row in rows if policy.allows(actor, READ, row)}
    return found


@pytest.fixture
def places(app):
    """Three firms: two counties of one prefecture, one far away; the last is supervised by the first."""
    first = people.organisation("甲", code="511402")
    second = people.organisation("乙", code="511403")
    third = people.organisation("丙", code="370000", supervisor_id=first)
    return first, second, third


def test_an_office_has_its_area_and_what_lies_below(places):
    policy = Policy()
    policy.declare(READ, county=InArea(), prefecture=InArea())
    county = people.actor(("county", None, "511402"))
    city = people.actor(("prefecture", None, "511400"))
    assert _same(policy, county) == {places[0]}
    assert _same(policy, city) == {places[0], places[1]}


def test_members_have_their_own_and_supervisors_what_is_below_them(places):
    policy = Policy()
    policy.declare(READ, owner=Own(), viewer=Own() | Supervised())
    assert _same(policy, people.actor(("owner", places[1]))) == {places[1]}
    assert _same(policy, people.actor(("viewer", places[0]))) == {places[0], places[2]}


def test_conditions_are_joined(places):
    policy = Policy()
    policy.declare(READ, county=InArea() & StateIn(("merged",)), owner=Own() & StateIn(("active",)))
    both = people.actor(("county", None, "511402"), ("owner", places[2]))
    assert _same(policy, both) == {places[2]}


def test_nobody_has_what_nobody_declared(places):
    policy = Policy()
    policy.declare(READ)
    assert _same(policy, PUBLIC) == set()
    assert _same(policy, people.actor(("province", None, "510000"))) == set()
    assert _same(policy, SYSTEM) == set(places)


def test_everybody_signed_in_has_what_the_public_has(places):
    policy = Policy()
    policy.declare(READ, public=StateIn(("active",)))
    assert _same(policy, people.actor()) == set(places)


def test_a_program_stays_within_its_scopes():
    policy = Policy()
    policy.declare(READ, editor=Always())
    policy.declare("rooms:thing:edit", editor=Always())
    grants = (Grant("editor", 1),)
    narrow = Actor("token", "程序", 1, grants, scopes=frozenset({READ}))
    assert policy.allows(narrow, READ)
    assert not policy.allows(narrow, "rooms:thing:edit")
    wide = Actor("token", "程序", 1, grants, scopes=frozenset({"rooms:thing"}))
    assert policy.allows(wide, "rooms:thing:edit")


def test_a_grant_holds_only_in_its_period(app, places):
    import time_machine

    someone = people.person(("owner", places[0]))
    from market.accounts.people import sessions

    assert len(sessions.grants_of(someone.id)) == 1
    with time_machine.travel("2020-01-01T12:00:00Z"):
        assert sessions.grants_of(someone.id) == ()


def test_mine_needs_a_person():
    assert not Mine().allows(PUBLIC, Grant("public"), None)
