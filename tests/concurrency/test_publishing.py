"""Several who act on one submission at the same moment: one wins, and one line is written."""

from sqlalchemy import func, select

from market.catalogue.models import Listing, Revision
from market.catalogue.publishing import service
from market.catalogue.publishing.models import Submission
from market.core.db import db
from market.core.errors import Conflict, Denied
from market.core.models import AuditEntry, CaseEvent
from tests import people
from tests.concurrency.test_races import _in_threads

HERE = "511402"


def _count(model, *conditions):
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions))


def _submitted(firm, editor):
    values = {"title": "咸鸭蛋破损怎么检测", "summary": "人工看灯。", "cleared": "1"}
    place = people.region(HERE).id
    no = service.create_draft(editor, "demand", firm, values, region_id=place)
    service.act(editor, no, "submit")
    return no


def test_eight_reviewers_publish_or_return_once(app):
    firm = people.organisation()
    no = _submitted(firm, people.actor(("editor", firm)))
    officers = [people.actor(("county", None, HERE)) for _ in range(8)]
    db.session.rollback()

    def review(number):
        action = "publish" if number % 2 else "return"
        service.act(officers[number], no, action, reason="看不明白")
        return action

    results = _in_threads(app, review)
    won = [one for one in results if isinstance(one, str)]
    assert len(won) == 1, results
    assert all(isinstance(one, Conflict | Denied) for one in results if one not in won), results
    db.session.rollback()
    row = db.session.scalars(select(Submission)).one()
    assert row.state == {"publish": "published", "return": "returned"}[won[0]]
    acts = ("submission.publish", "submission.return")
    assert _count(AuditEntry, AuditEntry.action.in_(acts)) == 1
    assert (
        _count(
            CaseEvent, CaseEvent.action.in_(("publish", "return")), CaseEvent.kind == "submission"
        )
        == 1
    )
    assert _count(Revision) == (1 if won == ["publish"] else 0)


def test_eight_savers_of_one_draft_lose_nothing(app):
    firm = people.organisation()
    editor = people.actor(("editor", firm))
    place = people.region(HERE).id
    no = service.create_draft(editor, "demand", firm, {"title": "名称"}, region_id=place)
    db.session.rollback()
    results = _in_threads(
        app, lambda number: service.save_draft(editor, no, {"title": f"名称 {number}"}, 1)
    )
    assert results.count(2) == 1, results
    assert sum(isinstance(one, service.Stale) for one in results) == 7, results
    db.session.rollback()
    saved = db.session.scalars(select(Submission)).one()
    assert saved.title == f"名称 {results.index(2)}"


def test_two_who_begin_an_edit_get_the_same_draft(app):
    firm = people.organisation()
    editor = people.actor(("editor", firm))
    no = _submitted(firm, editor)
    service.act(people.actor(("county", None, HERE)), no, "publish")
    listing_no = db.session.scalars(select(Listing.no)).one()
    db.session.rollback()
    results = _in_threads(app, lambda number: service.begin_edit(editor, listing_no))
    assert len(set(results)) == 1, results
