"""From a change to the index: once the transaction commits, soon, and never lost."""

import pytest
from sqlalchemy import func, select

from market.catalogue import service
from market.catalogue.models import Listing, Revision
from market.core import outbox
from market.core.db import db
from market.core.errors import Conflict, Denied, Gone, Invalid, NotFound
from market.core.models import AuditEntry
from market.core.permissions import PUBLIC, SYSTEM
from market.core.unit_of_work import unit_of_work
from market.discovery import indexer, queries
from market.discovery.engine import reader
from market.discovery.forms import SearchForm
from market.discovery.indexer import Indexer


@pytest.fixture
def working(demo):
    """An indexer at work on the demonstration instance."""
    own = Indexer()
    own.run()
    yield own
    own.close()


def _found(text):
    return [card.no for card in queries.search(PUBLIC, SearchForm(q=text)).page.items]


def _some_no():
    return db.session.scalar(
        select(Listing.no).where(Listing.kind == "achievement").order_by(Listing.no).limit(1)
    )


def test_index_holds_all_of_the_demonstration(working):
    assert indexer.check(reader()).ok
    assert reader().stats().documents == 120


def test_an_edit_becomes_a_version_and_is_found(working):
    no = _some_no()
    assert service.revise(SYSTEM, no, {"title": "量子咸鸭蛋无损检测（演示）"}) == 2
    assert not _found("量子咸鸭蛋")
    assert working.work_off() is False
    assert _found("量子咸鸭蛋") == [no]
    assert indexer.check(reader()).ok
    entry = db.session.scalar(select(AuditEntry).where(AuditEntry.action == "listing.revised"))
    assert (entry.object_no, entry.actor_label) == (no, "系统")


def test_the_same_content_is_no_new_version(working):
    no = _some_no()
    title = db.session.scalar(select(Revision.title).join(Listing.current).where(Listing.no == no))
    assert service.revise(SYSTEM, no, {"title": title}) == 1
    assert outbox.pending("index:local") == 0


def test_bad_changes_are_named_by_field(working):
    with pytest.raises(Invalid) as error:
        service.revise(SYSTEM, _some_no(), {"title": "", "trl": "12"})
    assert set(error.value.fields) == {"title", "trl"}


def test_the_public_may_not_edit(working):
    with pytest.raises(Denied):
        service.revise(PUBLIC, _some_no(), {"title": "改名"})


def test_a_withdrawn_listing_leaves_the_index_and_says_so(working):
    from market.catalogue import queries as catalogue

    no = _some_no()
    title = catalogue.get(PUBLIC, "achievement", no).title
    service.withdraw(SYSTEM, no, "单位来电要求")
    working.work_off()
    assert no not in _found(title)
    assert indexer.check(reader()).ok
    with pytest.raises(Gone):
        catalogue.get(PUBLIC, "achievement", no)
    with pytest.raises(Conflict):
        service.withdraw(SYSTEM, no, "再来一次")
    with pytest.raises(NotFound):
        catalogue.get(PUBLIC, "demand", no)


def test_a_renamed_owner_reaches_its_listings(working):
    from market.accounts.models import Organisation

    # An owner of few listings: all of them stand on the first page of what is found.
    few = select(Listing.owner_id).group_by(Listing.owner_id).having(func.count() <= 2)
    chosen = select(Listing).where(Listing.owner_id.in_(few)).order_by(Listing.no).limit(1)
    listing = db.session.scalars(chosen).one()
    owner_id, no = listing.owner_id, listing.no
    with unit_of_work(SYSTEM) as work:
        work.require(service.EDIT)
        owner = db.session.get(Organisation, owner_id)
        owner.name, owner.lock_version = "玄武岩纤维研究院（演示）", owner.lock_version + 1
        work.announce("organisation", owner_id)
    working.work_off()
    assert no in _found("玄武岩纤维研究院")
    assert indexer.check(reader()).ok


def test_check_notices_what_is_wrong(working):
    with unit_of_work(SYSTEM) as work:  # changes that forget to announce themselves
        work.require(service.EDIT)
        db.session.get(Listing, 1).state = "withdrawn"
        db.session.get(Listing, 2).current_id += 1000
    report = indexer.check(reader())
    assert (report.surplus, report.stale, report.missing) == (("listing:1",), ("listing:2",), ())


def test_rebuild_by_a_row(working):
    indexer.ask_rebuild()
    before = reader().stats().generation
    working.work_off()
    assert reader().stats().generation != before
    assert reader().stats().documents == 120


def test_a_second_writer_stays_out(working):
    second = Indexer()
    assert second.become_writer() is False
    assert second.run() is False
