"""Founding and joining, inviting, roles, leaving with a hand-over."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from market.accounts import service as accounts
from market.accounts.members import grants, queries, service, staff
from market.accounts.members.models import Joining
from market.accounts.models import Organisation
from market.accounts.people import sessions
from market.accounts.people.models import Invitation, Person
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound, TooMany
from market.core.messages import said_in
from market.core.models import CaseEvent, OutboxRow, WorkItem
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from tests import people
from tests.service.clerk import CODE

NEW = {
    "uscc": CODE,
    "name": "甲公司",
    "kind": "enterprise",
    "county": "dpq",
    "telephone": "028-38160000",
}


def no_of(key):
    return db.session.get(Organisation, key).no


def roles(person, key):
    return {grant.role for grant in grants.held(key, person.id)}


def again(actor):
    """The same person with what he holds by now."""
    return sessions.actor_of(db.session.get(Person, actor.id))


def work_item(key, owner_assignee=None, **more):
    now = clock.now()
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        values = {"room": "x", "kind": "x", "no": "1", "title": "x", "url": "/", "state": "open"}
        values |= {"side": "owner", "next_step": "x", "organisation_id": key, "opened_at": now}
        values |= {"updated_at": now, "owner_assignee_id": owner_assignee}
        db.session.add(
            WorkItem(object_id=len(db.session.scalars(select(WorkItem)).all()), **values | more)
        )


def word_of(key):
    """The link of the last message that was asked for."""
    row = db.session.scalars(select(OutboxRow).order_by(OutboxRow.id.desc())).first()
    return said_in(row.payload)[0].removeprefix("/invitations/")


@pytest.fixture
def firm(app):
    return people.organisation("甲公司", uscc=CODE)


@pytest.fixture
def owner(firm):
    return people.actor(("owner", firm), name="老板")


# Founding and joining


def test_who_founds_owns(app):
    founder = people.actor()
    no = service.found(founder, NEW)
    row = db.session.scalars(select(Organisation).where(Organisation.no == no)).one()
    assert (row.region.code, row.verified_at, row.uscc) == ("511402", None, CODE)
    assert roles(founder, row.id) == {"owner"}
    with pytest.raises(Conflict):
        service.found(people.actor(), NEW)


def test_two_at_the_same_moment(app, monkeypatch):
    """The second passed the look-up before the first had committed: the database decides."""
    from sqlalchemy import false

    service.found(people.actor(), NEW)
    monkeypatch.setattr(accounts, "with_code", lambda code: false())
    with pytest.raises(Conflict, match="申请加入"):
        service.found(people.actor(), NEW)
    assert len(db.session.scalars(select(Organisation).where(Organisation.uscc == CODE)).all()) == 1


@pytest.mark.parametrize(
    ("county", "region", "field"),
    [
        ("没这个县", "", "county"),
        ("鼓楼区", "", "region"),
        ("鼓楼区", "511402", "region"),
        ("眉山市", "", "region"),
    ],
)
def test_a_county_that_is_not_clear(app, county, region, field):
    with pytest.raises(Invalid) as told:
        service.found(people.actor(), NEW | {"county": county, "region": region})
    assert list(told.value.fields) == [field]


def test_one_of_several_counties_is_chosen(app):
    chosen = service.counties("鼓楼区")[1]
    no = service.found(people.actor(), NEW | {"county": "鼓楼区", "region": chosen.code})
    row = db.session.scalars(select(Organisation).where(Organisation.no == no)).one()
    assert row.region_id == chosen.id


def test_founding_is_limited(app):
    from stdnum.cn import uscc

    founder = people.actor()
    bodies = [f"9151140255575123{n}" for n in range(6)]
    codes = [f"{body}{n}"[:17] for n, body in enumerate(bodies)]
    for number, code in enumerate(codes):
        values = NEW | {"uscc": code + uscc.calc_check_digit(code), "name": f"公司{number}"}
        if number < 5:
            service.found(founder, values)
        else:
            with pytest.raises(TooMany):
                service.found(founder, values)


def test_an_administrator_belongs_to_nobody(app):
    with pytest.raises(Conflict, match="不能兼任"):
        service.found(people.actor(("system_admin",)), NEW)
    assert db.session.scalars(select(Organisation).where(Organisation.uscc == CODE)).all() == []


def test_an_owner_accepts(firm, owner):
    new = people.actor(name="新人")
    no = service.ask_to_join(new, CODE, "技术部")
    with pytest.raises(Conflict, match="已经申请过"):
        service.ask_to_join(new, CODE)
    item = db.session.scalars(select(WorkItem)).one()
    assert (item.side, item.organisation_id) == ("owner", firm)
    with pytest.raises(Denied):
        service.answer(people.actor(("county", None, "511402")), no, "accept", {"role": "owner"})
    with pytest.raises(NotFound):
        service.answer(
            people.actor(("owner", people.organisation())), no, "accept", {"role": "editor"}
        )
    with pytest.raises(Invalid):
        service.answer(owner, no, "accept", {"role": "county"})
    service.answer(owner, no, "accept", {"role": "editor"})
    assert roles(new, firm) == {"editor"}
    with pytest.raises(Conflict):
        service.answer(owner, no, "refuse", {"reason": "x"})
    with pytest.raises(Conflict, match="已经是"):
        service.ask_to_join(again(new), CODE)


def test_where_nobody_manages_the_office_accepts(firm):
    new, clerk = people.actor(), people.actor(("county", None, "511402"))
    no = service.ask_to_join(new, CODE)
    item = db.session.scalars(select(WorkItem)).one()
    assert (item.side, item.region_path) == ("office", people.region("511402").path)
    with pytest.raises(NotFound):
        service.answer(people.actor(("county", None, "511403")), no, "accept", {})
    service.answer(clerk, no, "accept", {"role": "viewer"})
    assert roles(new, firm) == {"owner"}


def test_nobody_accepts_himself(firm):
    clerk = people.actor(("county", None, "511402"))
    no = service.ask_to_join(clerk, CODE)
    with pytest.raises(Denied):
        service.answer(clerk, no, "accept", {})


def test_a_refusal_needs_a_reason_and_one_may_withdraw(firm, owner):
    new = people.actor()
    no = service.ask_to_join(new, CODE)
    with pytest.raises(Invalid):
        service.answer(owner, no, "refuse", {})
    service.answer(owner, no, "refuse", {"reason": "不认识"})
    second = service.ask_to_join(new, CODE)
    service.withdraw(new, second)
    states = db.session.scalars(select(Joining.state).order_by(Joining.id)).all()
    assert (states, roles(new, firm)) == (["refused", "withdrawn"], set())


# What it says of itself


def test_a_stale_edit_is_refused(firm, owner):
    no = no_of(firm)
    assert service.update_own(owner, no, 1, {"telephone": "1", "intro": None}) == 2
    with pytest.raises(Conflict):
        service.update_own(owner, no, 1, {"telephone": "2"})
    with pytest.raises(Invalid):
        service.update_own(owner, no, 2, {"name": "新名"})
    for stranger in (
        people.actor(("viewer", firm)),
        people.actor(("owner", people.organisation())),
    ):
        with pytest.raises(NotFound):
            service.update_own(stranger, no, 2, {"telephone": "3"})
    assert db.session.get(Organisation, firm).telephone == "1"


# Invitations


def test_an_invitation_works_once(firm, owner):
    word = staff.invite(owner, no_of(firm), "13900001111", "editor")
    assert word == word_of(firm)
    kept = db.session.scalars(select(Invitation)).one()
    assert word not in (kept.token_hash, kept.contact)
    assert "13900001111" not in kept.contact
    assert kept.contact_hint == "139****1111"
    new = people.actor()
    assert staff.accept_invitation(new, word) == no_of(firm)
    assert roles(new, firm) == {"editor"}
    for who in (new, people.actor()):
        with pytest.raises(Conflict, match="只能用一次"):
            staff.accept_invitation(who, word)


def test_withdrawn_old_and_unknown_ones(firm, owner):
    no, new = no_of(firm), people.actor()
    word = staff.invite(owner, no, "a@example.com", "viewer")
    key = db.session.scalars(select(Invitation.id)).one()
    with pytest.raises(NotFound):
        other = people.organisation("乙")
        staff.withdraw_invitation(people.actor(("owner", other)), no_of(other), key)
    staff.withdraw_invitation(owner, no, key)
    with pytest.raises(Conflict, match="撤回"):
        staff.accept_invitation(new, word)
    old = staff.invite(owner, no, "a@example.com", "viewer")
    with (
        time_machine.travel(clock.now() + timedelta(days=8)),
        pytest.raises(Conflict, match="过期"),
    ):
        staff.accept_invitation(new, old)
    with pytest.raises(NotFound):
        staff.accept_invitation(new, "x" * 32)
    assert roles(new, firm) == set()


@pytest.mark.parametrize("role", ["county", "system_admin", "broker", ""])
def test_roles_that_a_firm_does_not_give(firm, owner, role):
    with pytest.raises(Invalid):
        staff.invite(owner, no_of(firm), "13900001111", role)


def test_only_owners_invite(firm):
    for role in ("editor", "certifier", "viewer"):
        with pytest.raises(NotFound):
            staff.invite(people.actor((role, firm)), no_of(firm), "13900001111", "viewer")


def test_an_invitation_for_a_role_one_has(firm, owner):
    word = staff.invite(owner, no_of(firm), "13900001111", "owner")
    with pytest.raises(Conflict, match="已经是"):
        staff.accept_invitation(owner, word)
    assert db.session.scalars(select(Invitation)).one().used_at is None


# Offices


@pytest.mark.parametrize(
    ("code", "role", "others"),
    [
        ("511402", "county", "prefecture"),
        ("511400", "prefecture", "county"),
        ("510000", "province", "county"),
    ],
)
def test_an_office_gives_the_role_of_its_own_region(app, code, role, others):
    office = people.organisation("科技局", kind="office", code=code)
    chief, no = people.actor(("owner", office)), no_of(office)
    with pytest.raises(Invalid):
        staff.invite(chief, no, "13900001111", others)
    officer = people.person()
    mobile = officer_mobile(officer)
    staff.accept_invitation(again(officer), staff.invite(chief, no, mobile, role))
    held = again(officer)
    assert held.areas(role) == [people.region(code).path]
    assert held.organisations(role) == [office]


def officer_mobile(person):
    from market.core.secrets import unseal

    return unseal(person.mobile, "person.mobile")


def test_an_officer_is_the_person_who_was_invited(app):
    office = people.organisation("科技局", kind="office")
    chief = people.actor(("owner", office))
    for role in ("county", "owner"):  # an owner gives the officers their roles
        word = staff.invite(chief, no_of(office), "13700009999", role)
        with pytest.raises(Denied):
            staff.accept_invitation(people.actor(), word)
    assert db.session.scalars(select(Invitation.used_at)).all() == [None, None]


def test_an_office_that_nobody_verified_gives_no_power(app):
    office = people.organisation("假科技局", kind="office", verified=False)
    with pytest.raises(Invalid):
        staff.invite(people.actor(("owner", office)), no_of(office), "13900001111", "county")


# Roles and leaving


def test_roles_are_set_as_a_whole(firm, owner):
    one = people.actor(("editor", firm))
    staff.set_roles(owner, no_of(firm), one.id, ["certifier", "viewer"])
    assert roles(one, firm) == {"certifier", "viewer"}
    with pytest.raises(Invalid):
        staff.set_roles(owner, no_of(firm), one.id, [])
    with pytest.raises(Invalid):
        staff.set_roles(owner, no_of(firm), one.id, ["province"])
    with pytest.raises(NotFound):
        staff.set_roles(owner, no_of(firm), people.actor().id, ["viewer"])


def test_the_last_owner_stays(firm, owner):
    one = people.actor(("editor", firm))
    for act in (
        lambda: staff.set_roles(owner, no_of(firm), owner.id, ["editor"]),
        lambda: staff.end_membership(owner, no_of(firm), owner.id),
    ):
        with pytest.raises(Conflict, match="最后一位"):
            act()
    assert roles(owner, firm) == {"owner"}
    staff.set_roles(owner, no_of(firm), one.id, ["owner"])
    staff.end_membership(owner, no_of(firm), owner.id)
    assert (roles(owner, firm), roles(one, firm)) == (set(), {"owner"})


def test_an_owner_without_an_account_does_not_count(firm, owner):
    people.person(("owner", firm), state="suspended")
    with pytest.raises(Conflict, match="最后一位"):
        staff.end_membership(owner, no_of(firm), owner.id)


def test_open_work_is_handed_over_in_the_same_step(firm, owner):
    leaver, colleague = (
        people.person(("editor", firm), name="走的"),
        people.person(("editor", firm), name="留的"),
    )
    elsewhere = people.organisation("乙公司")
    work_item(firm, leaver.id)
    work_item(firm, leaver.id, side="", closed_at=clock.now())
    work_item(elsewhere, leaver.id)
    leaver_id, colleague_id = leaver.id, colleague.id
    for nobody in (None, leaver_id, people.person().id):
        with pytest.raises(Invalid) as told:
            staff.end_membership(owner, no_of(firm), leaver_id, nobody)
        assert list(told.value.fields) == ["colleague"]
    assert len(grants.held(firm, leaver_id)) == 1, "refused as a whole"
    assert staff.end_membership(owner, no_of(firm), leaver_id, colleague_id) == 1
    found = db.session.scalars(select(WorkItem.owner_assignee_id).order_by(WorkItem.id)).all()
    assert found == [colleague_id, leaver_id, leaver_id]
    event = db.session.scalars(select(CaseEvent)).one()
    assert event.note == "由走的移交给留的"
    assert again(leaver).grants == ()


def test_an_officers_work_in_the_region_goes_to_a_colleague(app):
    office = people.organisation("科技局", kind="office")
    chief = people.person(("owner", office))
    officer = people.person(("county", office, "511402"))
    path = people.region("511402").path
    place = {"region_path": path, "side": "office"}
    firm, theirs = people.organisation("某公司"), people.person().id
    work_item(firm, theirs, assignee_id=officer.id, **place)
    # The same person may look after what the office itself was asked.
    work_item(office, officer.id, assignee_id=theirs, **place)
    chief_actor = again(chief)
    assert staff.end_membership(chief_actor, no_of(office), officer.id, chief.id) == 2
    both = select(WorkItem.assignee_id, WorkItem.owner_assignee_id).order_by(WorkItem.id)
    assert db.session.execute(both).all() == [(chief_actor.id, theirs), (theirs, chief_actor.id)]


def test_a_member_leaves_by_himself_and_ends_nobody_else(firm, owner):
    one, other = people.actor(("viewer", firm)), people.actor(("editor", firm))
    with pytest.raises(NotFound):
        staff.end_membership(one, no_of(firm), other.id)
    staff.end_membership(one, no_of(firm), one.id)
    assert roles(one, firm) == set()
    with pytest.raises(NotFound):
        staff.end_membership(again(one), no_of(firm), one.id)


def test_contacts_are_masked(firm, owner):
    row = db.session.get(Organisation, firm)
    listed = queries.members(owner, row)
    assert [one.contact[3:7] for one in listed] == ["****"]
    with pytest.raises(Denied):
        queries.members(people.actor(("owner", people.organisation())), row)
