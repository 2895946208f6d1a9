"""The demonstration market shows every state of every workflow, and is loaded once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from market.accounts.models import Organisation
from market.accounts.people.models import Person
from market.accounts.rosters.models import RosterEntry
from market.catalogue.content import content_of
from market.catalogue.models import Listing
from market.catalogue.publishing.models import OPEN, Submission
from market.core import clock, holidays
from market.core.db import db
from market.core.models import CaseEvent, WorkItem
from market.demo.load import load_demo
from market.demo.play import listing
from market.matching import reply_times
from market.matching.models import OUTCOMES, Inquiry
from market.monitoring import checks
from market.monitoring.rules import last_soon_day
from market.notifications.models import InboxMessage
from market.regions.models import Region
from market.rooms import ROOMS

WORKFLOWS = {one.name: one for room in ROOMS for one in room.workflows}
# States in which nothing rests: the worker, or the import that wrote it, moves it on at once.
PASSING = {
    "import_job": {"waiting", "checking", "importing"},
    "listing": {"staged"},
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_there_is_a_case_in_every_state(demo, name):
    workflow = WORKFLOWS[name]
    rows = db.session.execute(select(workflow.model.state).distinct())
    assert {row[0] for row in rows} == set(workflow.states) - PASSING.get(name, set())


def test_inquiries_ended_in_every_way_and_owners_have_a_usual_time(demo):
    ended = db.session.scalars(select(Inquiry.outcome).where(Inquiry.state == "closed"))
    assert set(ended) == set(OUTCOMES)
    owners = db.session.scalars(select(Inquiry.owner_id).distinct())
    assert sum(reply_times.note(owner) is not None for owner in owners) >= 3
    waited = db.session.scalars(select(Inquiry.answer_minutes)).all()
    assert min(minutes for minutes in waited if minutes is not None) > 60


@pytest.mark.long
def test_loading_again_adds_nothing(app):
    counted = (CaseEvent, WorkItem, Person, Organisation, Listing, RosterEntry, InboxMessage)

    def numbers():
        db.session.rollback()
        return [db.session.scalar(select(func.count()).select_from(one)) for one in counted]

    assert list(load_demo())[-1] != "演示事项：新增 0 件"
    before = numbers()
    assert list(load_demo())[-1] == "演示事项：新增 0 件"
    assert numbers() == before


def test_desks_show_what_the_rooms_hold(demo):
    assert not list(checks.differences(demo.extensions["market"].workflows))


def test_the_desk_of_a_county_has_something_of_each_kind(demo):
    today = clock.today()
    soon = last_soon_day(today, holidays.overrides(today, today + timedelta(days=30)))
    path = db.session.scalar(select(Region.path).where(Region.code == "511402"))
    here = (WorkItem.region_path == path, WorkItem.side == "office")
    items = db.session.scalars(select(WorkItem).where(*here)).all()
    dues = [item.due for item in items if item.due is not None]
    assert any(due < today for due in dues)
    assert any(today <= due <= soon for due in dues)
    assert {item.assignee_id is None for item in items} == {True, False}
    assert {"submission", "verification", "intake", "report"} <= {item.kind for item in items}


def test_an_edit_waits_beside_the_published_version(demo):
    published = listing("demo-xq-001")
    edit = select(Submission).where(
        Submission.listing_id == published.id, Submission.state.in_(OPEN)
    )
    waiting = db.session.scalars(edit).one()
    assert (waiting.state, published.state) == ("submitted", "published")
    assert waiting.content["existing"] != content_of(published.current)["existing"]


def test_times_are_told_in_their_order_and_never_of_tomorrow(demo):
    now = clock.now()
    last: dict[tuple[str, int], CaseEvent] = {}
    for event in db.session.scalars(select(CaseEvent).order_by(CaseEvent.id)):
        before = last.get((event.kind, event.object_id))
        assert event.at <= now
        assert before is None or before.at <= event.at
        last[event.kind, event.object_id] = event
    for item in db.session.scalars(select(WorkItem)):
        assert item.opened_at <= item.updated_at


def test_who_takes_part_is_marked_as_a_demonstration(demo):
    names = [
        *db.session.scalars(select(Person.name)),
        *db.session.scalars(select(Organisation.name)),
    ]
    assert [name for name in names if "（演示）" not in name] == []
    titles = db.session.scalars(select(WorkItem.title).where(WorkItem.kind != "intake"))
    assert [title for title in titles if "（演示）" not in title] == []
    assert not db.session.scalar(select(func.count()).where(~Organisation.demo))
