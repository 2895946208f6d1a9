"""With a real worker beside them, searches follow what is published, withdrawn and taken down."""

import sys
import time

import pytest
from sqlalchemy import select

from market.app import create_app
from market.catalogue.models import Listing
from market.catalogue.publishing import life, service
from market.core.db import db
from market.core.permissions import PUBLIC
from market.discovery import queries
from market.discovery.forms import SearchForm
from tests import lived, people
from tests.conftest import let_go

pytestmark = [pytest.mark.net, pytest.mark.long]
PATIENCE = 10  # seconds; `make bench` says what is meant: two


@pytest.fixture
def followed(demo_machine, demo_settings):
    """The application, while `market worker` runs in a process of its own on the same instance."""
    demo_machine.start("worker")
    app = create_app(demo_settings)
    with app.app_context():
        yield
        let_go(app)


def _found(word):
    page = queries.search(PUBLIC, SearchForm(q=word))
    db.session.remove()
    return [item.no for item in page.page.items[: page.exact]]


def _follows(what, word, wanted):
    """Wait until a search for the word finds what it should; says how long that took."""
    began = time.monotonic()
    while (found := _found(word)) != wanted:
        assert time.monotonic() - began < PATIENCE, f"{what}: still {found}"
        time.sleep(0.02)
    sys.stdout.write(f"{what} is followed after {time.monotonic() - began:.2f} s\n")


def _publish(word):
    """A firm's demand, sent and published; returns the listing's number."""
    writer, officer = lived.actor("firm.editor"), lived.actor("county.dongpo")
    values = {"title": f"难题 {word}（演示）", "summary": "人工看灯，慢。", "cleared": "1"}
    no = service.create_draft(
        writer,
        "demand",
        lived.organisation(lived.FIRM).id,
        values,
        region_id=people.region(lived.HERE).id,
    )
    service.act(writer, no, "submit")
    service.act(officer, no, "publish")
    query = select(Listing.no).where(Listing.state == "published").order_by(Listing.id.desc())
    return db.session.scalars(query).first()


def test_a_search_follows_what_is_shown_and_hidden(followed):
    _publish("qxwarmzvw")
    began = time.monotonic()
    while not _found("qxwarmzvw"):  # the worker starts
        assert time.monotonic() - began < 60
        time.sleep(0.1)
    withdrawn, taken_down = "qxonezvw", "qxtwozvw"
    numbers = {}
    for word in (withdrawn, taken_down):
        numbers[word] = _publish(word)
        _follows("publish", word, [numbers[word]])
    life.listing_act(lived.actor("firm.owner"), numbers[withdrawn], "withdraw", "写错了")
    _follows("withdraw", withdrawn, [])
    life.listing_act(lived.actor("county.dongpo"), numbers[taken_down], "take_down", "重复")
    _follows("take_down", taken_down, [])
    life.listing_act(lived.actor("county.dongpo"), numbers[taken_down], "restore")
    _follows("restore", taken_down, [numbers[taken_down]])
    life.listing_act(
        lived.actor("firm.owner"),
        numbers[taken_down],
        "close",
        closing={"outcome": "unsolved", "outcome_with": "", "outcome_yuan": ""},
    )
    _follows("close", taken_down, [])
