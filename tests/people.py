"""People for tests: made directly in the database, signed in without a page."""

from __future__ import annotations

import itertools

from sqlalchemy import select

from market.accounts.models import Organisation
from market.accounts.people import sessions
from market.accounts.people.models import Person, RoleGrant
from market.accounts.roles import ROLES
from market.core import clock, numbers
from market.core.db import db
from market.core.permissions import SYSTEM, policy
from market.core.secrets import pseudonym, seal
from market.core.text import fold
from market.core.unit_of_work import unit_of_work
from market.regions.models import Region

MAKE = policy.declare("tests:people:make")
_numbers = itertools.count(1)


def region(code):
    """The region with this code."""
    return db.session.scalars(select(Region).where(Region.code == code)).one()


def organisation(
    name="甲单位", *, kind="enterprise", code="511402", uscc=None, verified=True, **more
):
    """A new organisation; returns its id."""
    now, place = clock.now(), region(code).id
    with unit_of_work(SYSTEM) as work:
        work.require(MAKE)
        row = Organisation(
            no=f"DW{now.year}{900000 + numbers.take('tests')[0]:06d}",
            name=name,
            folded_name=fold(name),
            kind=kind,
            uscc=uscc,
            region_id=place,
            verified_at=now if verified else None,
            created_at=now,
            updated_at=now,
            **more,
        )
        db.session.add(row)
        db.session.flush()
        return row.id


def person(*roles, name="张三", **more):
    """A new person with roles; returns the person.

    roles: ("owner", organisation id), ("county", organisation id or None, region code), or
    ("system_admin",).
    """
    now, number = clock.now(), next(_numbers)
    mobile = f"139{number:08d}"
    with unit_of_work(SYSTEM) as work:
        work.require(MAKE)
        row = Person(
            name=name,
            mobile=seal(mobile, "person.mobile"),
            mobile_key=pseudonym(mobile, "person.mobile"),
            created_at=now,
            **more,
        )
        db.session.add(row)
        db.session.flush()
        for role, *of in roles:
            db.session.add(
                RoleGrant(
                    person_id=row.id,
                    role=role,
                    organisation_id=of[0] if of else None,
                    region_id=region(of[1]).id if len(of) > 1 else None,
                    valid_from=clock.today(),
                    granted_at=now,
                    granted_by="测试",
                )
            )
            assert role in ROLES
        key = row.id
    return db.session.get_one(Person, key)


def actor(*roles, **more):
    """A new person with roles, as an actor."""
    return sessions.actor_of(person(*roles, **more))


def sign_in(client, who):
    """Give a test client the session of this person, second factor done; returns the client."""
    with client.application.test_request_context(), unit_of_work(SYSTEM) as work:
        work.require(MAKE)
        word = sessions.open_session(work, db.session.get_one(Person, who.id), second_factor=True)
    client.set_cookie(sessions.COOKIE, word)
    return client


def token_of(page):
    """The form token on a page that was got."""
    import re

    return re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
