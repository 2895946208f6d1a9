"""Drafts, sign-off, review and the published life of listings."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from market.catalogue import documents
from market.catalogue.local import service as local
from market.catalogue.models import Listing
from market.catalogue.publishing import life, queries, rules, service
from market.catalogue.publishing.listing_queries import managed
from market.catalogue.publishing.models import Submission
from market.catalogue.service import revise
from market.core import clock, holidays
from market.core.calendar import add_working_days
from market.core.db import db
from market.core.errors import Conflict, Denied, Gone, Invalid, NotFound
from market.core.messages import said_in
from market.core.models import OutboxRow, WorkItem
from market.core.permissions import PUBLIC, SYSTEM, policy
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
    assert no.startswith("FB")
    assert row.state == "draft"
    assert row.listing.state == "draft"
    assert row.content["budget"] == "二十来万吧"
    assert row.content["targets"] == "漏检率 <b>"
    assert row.listing.current_id is None
    assert row.authors == [editor.id]


def test_who_may_begin(firm):
    for actor in (PUBLIC, people.actor(("viewer", firm)), people.actor(("county", None, HERE))):
        with pytest.raises(Denied):
            _draft(actor, firm)
    assert _draft(people.actor(("county", None, HERE)), firm, source="telephone")
    with pytest.raises(Denied):
        _draft(people.actor(("county", None, HERE)), firm, code=ELSEWHERE, source="telephone")
    assert db.session.scalars(select(Listing)).all()
    assert len(db.session.scalars(select(Listing)).all()) == 1


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
    assert stale.value.lock_version == 2
    assert _submission(no).title == "甲写的"
    assert service.save_draft(other, no, {"title": "甲写的"}, 2) == 2  # nothing new
    assert service.save_draft(other, no, {"title": "合起来"}, 2) == 3
    assert _submission(no).authors == [editor.id, other.id]


def test_a_draft_holds_no_more_than_it_may(firm):
    editor = people.actor(("editor", firm))
    no = _draft(editor, firm, summary="字" * 50_000)
    assert len(_submission(no).content["summary"]) == 50_000
    with pytest.raises(Invalid):
        service.save_draft(editor, no, {"summary": "字" * 200_001}, 1)


# Sent, signed, reviewed


def _place(code=HERE):
    return people.actor(("county", None, code))


def _listing(no):
    return _submission(no).listing


def test_a_firms_demand_goes_to_the_county_first(firm):
    editor, officer = people.actor(("editor", firm)), _place()
    no = _draft(editor, firm, cleared="1")
    with pytest.raises(Denied):
        service.act(editor, no, "publish")
    service.act(editor, no, "submit")
    row = _submission(no)
    assert row.state == "submitted"
    assert row.due is not None
    item = _item(row)
    assert (item.side, item.due, item.url) == ("office", row.due, f"/submissions/{no}")
    for stranger in (editor, _place(ELSEWHERE)):
        with pytest.raises((Denied, NotFound)):
            service.act(stranger, no, "publish")
    service.act(officer, no, "publish")
    assert _listing(no).state == "published"
    assert _listing(no).current.title == "咸鸭蛋破损怎么检测"
    assert _item(_submission(no)).side == ""
    kinds = set(db.session.scalars(select(OutboxRow.kind)))
    assert {"submission.to_review", "submission.published"} <= kinds


def test_the_target_of_a_review_is_the_offices_own(firm):
    """It counts for what is sent after it was set; a county without one has the platform's."""
    editor, officer = people.actor(("editor", firm)), _place()
    today, off = clock.today(), holidays.overrides(clock.today(), clock.today() + timedelta(90))

    def sent():
        no = _draft(editor, firm, cleared="1")
        service.act(editor, no, "submit")
        return no

    before = sent()
    usual = add_working_days(today, rules.REVIEW_DAYS, off).day
    assert _submission(before).due == usual
    local.save_review_target(officer, HERE, 10, "")
    assert _submission(sent()).due == add_working_days(today, 10, off).day
    local.save_review_target(officer, HERE, 0, "10")
    none = sent()
    assert (_submission(none).due, _item(_submission(none)).due) == (None, None)
    assert "已过 0 天" in queries.submission(officer, none).waited
    assert queries.submission(officer, before).waited == ""
    assert _submission(before).due == usual
    with pytest.raises(Conflict):
        local.save_review_target(officer, HERE, 5, "10")
    for stranger in (editor, _place(ELSEWHERE)):
        with pytest.raises(NotFound):
            local.save_review_target(stranger, HERE, 5, "0")
    local.save_review_target(officer, HERE, None, "0")
    assert _submission(sent()).due == usual


def test_what_is_returned_names_field_reason_and_rule(firm):
    editor, officer = people.actor(("editor", firm)), _place()
    no = _draft(editor, firm, cleared="1")
    service.act(editor, no, "submit")
    with pytest.raises(Invalid):
        service.act(officer, no, "return")
    with pytest.raises(Invalid):
        service.act(officer, no, "return", notes=[{"field": "nothing", "reason": "x"}])
    service.act(
        officer, no, "return",
        notes=[{"field": "summary", "reason": "写明一天多少枚", "rule": "unclear"}],
    )  # fmt: skip
    row = _submission(no)
    assert row.state == "returned"
    assert _item(row).returned
    assert row.notes == [
        {
            "field": "summary",
            "reason": "写明一天多少枚",
            "rule": "写清做什么、解决什么问题，外行能看懂",
        }
    ]
    service.save_draft(editor, no, {"summary": "每天 2 万枚，人工看灯。"}, row.lock_version)
    service.act(editor, no, "submit")
    assert _submission(no).notes == []


def test_it_must_be_complete_and_cleared_before_it_goes(firm):
    editor = people.actor(("editor", firm))
    no = _draft(editor, firm, title="", budget="二十来万吧")
    with pytest.raises(Invalid) as wrong:
        service.act(editor, no, "submit")
    assert {"title", "budget", "cleared"} <= set(wrong.value.fields)
    assert _submission(no).state == "draft"


@pytest.fixture
def institute(app):
    return people.organisation("乙研究院", kind="institute")


def test_a_verified_institute_publishes_itself(institute):
    editor = people.actor(("editor", institute))
    no = _draft(editor, institute, kind="achievement", cleared="1")
    with pytest.raises(Denied):
        service.act(editor, no, "submit")
    service.act(editor, no, "publish")
    assert _listing(no).state == "published"
    other = people.organisation("丙研究院", kind="institute", verified=False)
    no = _draft(people.actor(("editor", other)), other, kind="achievement", cleared="1")
    with pytest.raises(Denied):
        service.act(people.actor(("editor", other)), no, "publish")


def test_nobody_signs_what_he_alone_wrote(institute):
    owner, certifier = people.actor(("owner", institute)), people.actor(("certifier", institute))
    service.set_signing(owner, institute, True)
    no = _draft(owner, institute, kind="achievement", cleared="1")
    with pytest.raises(Denied):
        service.act(owner, no, "publish")
    service.act(owner, no, "send_inside")
    for action in ("sign", "return"):
        with pytest.raises(Denied):
            service.act(owner, no, action, reason="自己")
    service.act(certifier, no, "sign")
    assert _listing(no).state == "published"


def test_who_wrote_for_a_caller_publishes_but_does_not_review(firm):
    officer = _place()
    no = _draft(officer, firm, source="telephone", cleared="1")
    service.act(officer, no, "publish")
    assert _listing(no).state == "published"
    both = people.actor(("county", None, HERE), ("editor", firm))
    no = _draft(both, firm, cleared="1", title="另一个难题")
    service.act(both, no, "submit")
    with pytest.raises(Denied):
        service.act(both, no, "publish")


def test_the_published_version_stays_while_an_edit_waits(firm):
    no, listing_no, editor = _published(firm)
    again = service.begin_edit(editor, listing_no)
    assert again == service.begin_edit(editor, listing_no) != no
    row = _submission(again)
    assert row.content["title"] == "咸鸭蛋破损怎么检测"
    assert row.content["region"]
    service.save_draft(editor, again, {"title": "改了名", "cleared": "1"}, row.lock_version)
    service.act(editor, again, "submit")
    assert _listing(no).current.title == "咸鸭蛋破损怎么检测"
    service.act(_place(), again, "publish")
    assert (_listing(no).current.title, _listing(no).current.version) == ("改了名", 2)


def test_an_edit_of_an_old_version_does_not_undo_the_new_one(firm):
    no, listing_no, editor = _published(firm)
    again = service.begin_edit(editor, listing_no)
    service.save_draft(editor, again, {"title": "改了名", "cleared": "1"}, 1)
    revise(SYSTEM, listing_no, {"contact": "王工"})
    service.act(editor, again, "submit")
    with pytest.raises(Conflict, match="更新"):
        service.act(_place(), again, "publish")
    service.act(editor, again, "take_back")
    service.rebase(editor, again)
    service.act(editor, again, "submit")
    service.act(_place(), again, "publish")
    assert _listing(no).current.version == 3


# Published life


def _published(firm, **values):
    editor = people.actor(("editor", firm))
    no = _draft(editor, firm, cleared="1", **values)
    service.act(editor, no, "submit")
    service.act(_place(), no, "publish")
    return no, _listing(no).no, editor


def _told(*kinds):
    query = select(OutboxRow.kind).where(OutboxRow.kind.in_(kinds)).order_by(OutboxRow.id)
    return list(db.session.scalars(query))


def _item(row):
    return db.session.scalars(
        select(WorkItem).where(WorkItem.kind == "submission", WorkItem.object_id == row.id)
    ).one()


def test_withdrawn_taken_down_and_back(firm):
    no, listing_no, editor = _published(firm)
    with pytest.raises(Invalid):
        life.listing_act(editor, listing_no, "withdraw")
    life.listing_act(editor, listing_no, "withdraw", "已签约")
    assert _listing(no).state == "withdrawn"
    life.listing_act(editor, listing_no, "restore")
    with pytest.raises(Denied):
        life.listing_act(editor, listing_no, "take_down", "不喜欢")
    with pytest.raises(NotFound):
        life.listing_act(_place(ELSEWHERE), listing_no, "take_down", "不喜欢")
    life.listing_act(_place(), listing_no, "take_down", "含有个人信息")
    with pytest.raises(Denied):
        life.listing_act(editor, listing_no, "restore")
    again = service.begin_edit(editor, listing_no)
    service.save_draft(editor, again, {"title": "不含个人信息", "cleared": "1"}, 1)
    service.act(editor, again, "submit")
    service.act(_place(), again, "publish")
    assert _listing(no).state == "taken_down"  # until the office puts it back
    told = _told("submission.kept_down", "submission.published")
    assert told[-1] == "submission.kept_down", "nobody says that it is public"
    view = queries.submission(editor, again)
    assert view.state_label == "已通过，仍在下架"
    with pytest.raises(Denied):
        life.listing_act(_place(), listing_no, "ask_back", "替单位请求")
    life.listing_act(editor, listing_no, "ask_back", "个人信息已删去")
    with pytest.raises(Conflict, match="已经请求过"):
        life.listing_act(editor, listing_no, "ask_back", "再请求一次")
    assert _told("listing.asked_back") == ["listing.asked_back"]
    assert "ask_back" not in {one.action for one in managed(editor, listing_no).actions}
    life.listing_act(_place(), listing_no, "restore")
    assert _listing(no).state == "published"


def test_a_demand_is_closed_with_its_outcome(firm):
    no, listing_no, editor = _published(firm)
    with pytest.raises(Invalid):
        life.listing_act(editor, listing_no, "close", closing={"outcome": "vanished"})
    with pytest.raises(Invalid):
        life.listing_act(editor, listing_no, "close", closing={"outcome": "elsewhere"})
    closing = {"outcome": "solved", "outcome_with": "乙研究院", "outcome_yuan": "12万"}
    life.listing_act(editor, listing_no, "close", closing=closing)
    row = _listing(no)
    assert (row.state, row.outcome, row.outcome_fen) == ("closed", "solved", 12_000_000)
    assert documents.load([row.id]) == {}
    with pytest.raises(Conflict):
        service.begin_edit(editor, listing_no)
    assert managed(editor, listing_no).events[-1].note == "已解决，乙研究院，120000 元"
    # Solved elsewhere for an amount that nobody told: said to be unknown, not to be nothing.
    life.listing_act(editor, listing_no, "restore")
    elsewhere = {"outcome": "elsewhere", "outcome_with": "丙大学"}
    life.listing_act(editor, listing_no, "close", closing=elsewhere)
    row = managed(editor, listing_no)
    assert (row.outcome, row.outcome_with, row.outcome_fen) == ("elsewhere", "丙大学", None)
    assert row.events[-1].note == "站外解决，丙大学，金额不详"
    told = queries.of_person(editor.id)["填写的成果与需求"][0]
    assert (told["结果"], told["金额（元）"]) == ("站外解决", None)


def test_an_edit_does_not_bring_back_a_demand_that_ended_meanwhile(firm):
    no, listing_no, editor = _published(firm)
    edit = service.begin_edit(editor, listing_no)
    service.save_draft(editor, edit, {"title": "咸鸭蛋裂纹怎么检测", "cleared": "1"}, 1)
    service.act(editor, edit, "submit")
    life.listing_act(editor, listing_no, "close", closing={"outcome": "unsolved"})
    with pytest.raises(Conflict, match="已结束"):
        service.act(_place(), edit, "publish")
    assert (_listing(no).state, _listing(no).outcome) == ("closed", "unsolved")
    life.listing_act(editor, listing_no, "restore")
    service.act(_place(), edit, "publish")
    assert (_listing(no).state, _listing(no).outcome) == ("published", None)


def test_no_way_of_signing_for_an_organisation_that_is_not_there(firm):
    with pytest.raises(NotFound):
        service.set_signing(people.actor(("owner", firm)), 999_999, True)


def test_what_is_over_is_not_sent_and_a_past_deadline_is_asked_about(firm):
    editor, gone = people.actor(("editor", firm)), (clock.today() - timedelta(days=1)).isoformat()
    no = _draft(editor, firm, cleared="1", valid_until=gone, deadline="2020-01-01")
    with pytest.raises(Invalid) as refused:
        service.act(editor, no, "submit")
    assert set(refused.value.fields) == {"valid_until"}
    service.save_draft(editor, no, {"valid_until": clock.today().isoformat()}, 1)
    service.act(editor, no, "submit")
    (hint,) = queries.submission(_place(), no).hints
    assert (hint.field, "2020-01-01" in hint.message) == ("deadline", True)


def test_owners_are_told_once_and_renew_by_the_link(firm):
    until = clock.today() + timedelta(days=20)
    no, _listing_no, _ = _published(firm, valid_until=until.isoformat())
    assert life.remind() is False
    life.remind()
    told = select(OutboxRow).where(OutboxRow.kind == "listing.expiring")
    row = db.session.scalars(told).one()
    token = said_in(row.payload)[0].removeprefix("/renew/")
    with pytest.raises(NotFound):
        life.renew_by_link("XQ2026999999-" + token.split("-")[1])
    life.renew_by_link(token)
    assert _listing(no).current.valid_until == rules.renewed_until(until, clock.today())
    with pytest.raises(Gone):
        life.renew_by_link(token)


def test_an_import_does_not_bring_back_what_was_taken_down(firm):
    from market.catalogue.importer import ListingImporter
    from market.core.importing import Options
    from market.core.sheets import Row

    _, listing_no, _ = _published(firm)
    life.listing_act(_place(), listing_no, "take_down", "不实")
    row = Row(2, {"no": listing_no, "title": "咸鸭蛋破损怎么检测", "summary": "又来"}, {}, {})
    ListingImporter("demand", Options()).check([row])
    assert row.rejected


def test_the_index_follows(demo):
    from market.discovery import indexer, queries
    from market.discovery.engine import reader
    from market.discovery.forms import SearchForm

    def found():
        own.work_off()
        page = queries.search(PUBLIC, SearchForm(q="量子照蛋")).page
        return [card.no for card in page.items]

    own = indexer.Indexer()
    own.run()
    firm = people.organisation("丁蛋品厂（演示）")
    _, listing_no, editor = _published(firm, title="量子照蛋怎么做")
    assert found() == [listing_no]
    life.listing_act(_place(), listing_no, "take_down", "不实")
    assert found() == []
    life.listing_act(_place(), listing_no, "restore")
    assert found() == [listing_no]
    life.listing_act(editor, listing_no, "close", closing={"outcome": "unsolved"})
    assert found() == []
    life.listing_act(editor, listing_no, "restore")
    life.listing_act(editor, listing_no, "withdraw", "已签约")
    assert found() == []
    assert indexer.check(reader()).ok
    own.close()


SUBMISSION_PERMISSIONS = [name for name in policy.rules if name.startswith("catalogue:submission:")]
LISTING_PERMISSIONS = [
    "catalogue:listing:manage",
    "catalogue:listing:own",
    "catalogue:listing:spot_check",
    "catalogue:listing:close",
    "catalogue:listing:edit",
]


def test_sql_and_python_agree_on_everything(firm, institute):
    editor, officer = people.actor(("editor", firm)), _place()
    signing = people.organisation("丁研究院", kind="institute", signs_inside=True)
    actors = [
        PUBLIC,
        editor,
        officer,
        _place(ELSEWHERE),
        people.actor(("prefecture", None, "511400")),
        people.actor(("owner", firm)),
        people.actor(("viewer", firm), ("county", None, HERE)),
        people.actor(("editor", institute), ("certifier", signing)),
        people.actor(("owner", signing)),
    ]
    _draft(editor, firm, title="第一个难题")
    _draft(officer, firm, title="第二个难题", source="visit")
    service.act(editor, _draft(editor, firm, title="第三个难题", cleared="1"), "submit")
    returned = _draft(editor, firm, title="第四个难题", cleared="1")
    service.act(editor, returned, "submit")
    service.act(officer, returned, "return", "不清楚")
    _published(firm, title="第五个难题")
    _draft(actors[7], institute, kind="achievement", title="第六个难题")
    own = _draft(actors[8], signing, kind="achievement", title="第七个难题", cleared="1")
    service.act(actors[8], own, "send_inside")
    db.session.rollback()
    compared = 0
    for model, names in ((Submission, SUBMISSION_PERMISSIONS), (Listing, LISTING_PERMISSIONS)):
        rows = db.session.scalars(select(model)).all()
        for name in names:
            for who in actors:
                found = db.session.scalars(select(model.id).where(policy.where(who, name, model)))
                allowed = {row.id for row in rows if policy.allows(who, name, row)}
                assert set(found) == allowed, (name, who.grants)
                compared += len(allowed)
    assert compared > 100


def test_what_is_past_already_is_not_sent(firm):
    editor = people.actor(("editor", firm))
    no = _draft(
        editor, firm, title="防胀袋", summary="常温胀袋", cleared="1", valid_until="2020-01-01"
    )
    with pytest.raises(Invalid) as told:
        service.act(editor, no, "submit")
    assert list(told.value.fields) == ["valid_until"]
