"""Cases for tests of desks: readers' reports as real ones, or many plain rows."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert, select

from market.catalogue import service
from market.catalogue.models import Listing, ProblemReport
from market.core import clock
from market.core.db import db
from market.core.models import WorkItem
from market.core.permissions import PUBLIC, SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from tests import people

FILL = policy.declare("tests:work_item:fill")


def reports(count, *, code=None):
    """Reports about as many listings of one county; returns the ids of their work items."""
    query = select(Listing.no).where(Listing.kind == "achievement", Listing.state == "published")
    if code is not None:
        query = query.where(Listing.within(people.region(code).path))
    numbers = db.session.scalars(query.order_by(Listing.id)).all()
    before = set(db.session.scalars(select(WorkItem.id)))
    for place in range(count):
        service.report_problem(
            PUBLIC,
            "achievement",
            numbers[place % len(numbers)],
            {"reason": "wrong", "text": f"第 {place} 处"},
            address=f"192.0.2.{place}",
        )
    db.session.rollback()
    return [key for key in db.session.scalars(select(WorkItem.id)) if key not in before]


def report_of(item_id):
    """The report that a work item stands for."""
    db.session.rollback()
    item = db.session.get_one(WorkItem, item_id)
    return db.session.get_one(ProblemReport, item.object_id)


def fill(count, *, path, start=1, kind="tried", **values):
    """Plain rows: `count` open cases of an office, a day apart, due in turns; returns their ids."""
    now, today = clock.now(), clock.today()
    base = {
        "room": "tests",
        "kind": kind,
        "url": "/",
        "state": "new",
        "side": "office",
        "next_step": "看一看",
        "region_path": path,
        "provisional": False,
        "returned": False,
        "urgent": False,
        "updated_at": now,
    }
    made = [
        {
            **base,
            "object_id": start + place,
            "no": f"SL{start + place:06d}",
            "title": f"第 {start + place} 件",
            "due": today + timedelta(days=place % 40 - 10),
            "opened_at": now - timedelta(hours=place % 700),
            **values,
        }
        for place in range(count)
    ]
    with unit_of_work(SYSTEM) as work:
        work.require(FILL)
        for begin in range(0, count, 2000):
            db.session.execute(insert(WorkItem), made[begin : begin + 2000])
    query = select(WorkItem.id).where(WorkItem.kind == kind, WorkItem.object_id >= start)
    ids = list(db.session.scalars(query.order_by(WorkItem.object_id).limit(count)))
    db.session.rollback()
    return ids
