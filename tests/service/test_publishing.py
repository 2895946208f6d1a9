"""Drafts, sign-off, review and the published life of listings."""

import pytest
from sqlalchemy import select

from market.catalogue.models import Listing
from market.catalogue.publishing import service
from market.catalogue.publishing.models import Submission
from market.core.db import db
from market.core.errors import Denied, Invalid, NotFound
from market.core.permissions import PUBLIC
from tests import people

HERE, ELSEWHERE = "511402", "370000"


def _submission(no):
    db.session.rollback()
    return db.session.scalars(select(Submission).where(Submission.no == no)).one()


def _draft(actor, owner, kind="demand", code=HERE, source="web", **values):
    values = {"title": "咸鸭蛋破损怎么检测", "summary": "人工看灯，慢且漏检。"} | values
    return service.create_draft(
        actor, kind, owner, values, region_id=people.region(code).id, source=source
    )


@pytest.fixture
def firm(app):
    return people.organisation("甲蛋品厂")


def test_a_draft_keeps_what_is_half_finished(firm):
    editor = people.actor(("editor", firm))
    no = _draft(editor, firm, budget="二十来万吧", deadline="明年", targets="漏检率 <b>", title="")
    row = _submission(no)
    assert no.startswith("TJ") and row.state == "draft" and row.listing.state == "draft"
    assert row.content["budget"] == "二十来万吧" and row.content["targets"] == "漏检率 <b>"
    assert row.listing.current_id is None and row.authors == [editor.id]


def test_who_may_begin(firm):
    for actor in (PUBLIC, people.actor(("viewer", firm)), people.actor(("county", None, HERE))):
        with pytest.raises(Denied):
            _draft(actor, firm)
    assert _draft(people.actor(("county", None, HERE)), firm, source="telephone")
    with pytest.raises(Denied):
        _draft(people.actor(("county", None, HERE)), firm, code=ELSEWHERE, source="telephone")
    assert db.session.scalars(select(Listing)).all() and len(
        db.session.scalars(select(Listing)).all()
    ) == 1


def test_drafts_of_others_are_not_there(firm):
    no = _draft(people.actor(("editor", firm)), firm)
    for actor in (
        people.actor(("owner", people.organisation("乙"))),
        people.actor(("county", None, HERE)),
        PUBLIC,
    ):
        with pytest.raises(NotFound):
            service.save_draft(actor, no, {"title": "改名"}, 1)


def test_two_writers_lose_nothing(firm):
    editor, other = people.actor(("editor", firm)), people.actor(("owner", firm))
    no = _draft(editor, firm)
    assert service.save_draft(editor, no, {"title": "甲写的"}, 1) == 2
    with pytest.raises(service.Stale) as stale:
        service.save_draft(other, no, {"title": "乙写的"}, 1)
    assert stale.value.lock_version == 2 and _submission(no).title == "甲写的"
    assert service.save_draft(other, no, {"title": "甲写的"}, 2) == 2  # nothing new
    assert service.save_draft(other, no, {"title": "合起来"}, 2) == 3
    assert _submission(no).authors == [editor.id, other.id]


def test_a_draft_holds_no_more_than_it_may(firm):
    editor = people.actor(("editor", firm))
    no = _draft(editor, firm, summary="字" * 50_000)
    assert len(_submission(no).content["summary"]) == 50_000
    with pytest.raises(Invalid):
        service.save_draft(editor, no, {"summary": "字" * 200_001}, 1)
