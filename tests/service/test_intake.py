"""First demands: from a caller's words to a draft, and who may do what on the way."""

import re

import pytest
import time_machine
from sqlalchemy import func, select

from market.accounts.models import Organisation
from market.accounts.people import sessions
from market.accounts.people.models import OneTimeCode, Person
from market.catalogue.intake import claiming, queries, rules, service, telephones
from market.catalogue.intake.models import Intake
from market.catalogue.intake.queries import find_place
from market.catalogue.publishing import service as publishing
from market.catalogue.publishing.models import Submission
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound, TooMany
from market.core.models import AuditEntry, OutboxRow, WorkItem
from market.core.permissions import PUBLIC, SYSTEM
from market.core.secrets import pseudonym, unseal
from market.core.unit_of_work import unit_of_work
from tests import people
from tests.messages import values_of

SAID = {
    "problem": "泡菜调味包常温放两个月就胀袋。",
    "product": "泡菜调味包",
    "target": "胀袋率 3.2 % → 0.5 % 以下",
    "firm": "东坡味道食品厂（演示）",
    "contact": "李师傅",
    "telephone": "13800001234",
    "consent": True,
}
ASKED = SAID | {"source": "telephone", "kind": "enterprise"}


@pytest.fixture
def county(app):
    return people.actor(("county", None, "511402"), name="王经办")


@pytest.fixture
def elsewhere(app):
    return people.actor(("county", None, "511403"), name="赵经办")


def offered(address="192.0.2.1", seconds=60, code="511402", **more):
    """Send the open form; returns the case."""
    with time_machine.travel(clock.now().timestamp() - seconds, tick=False):
        opened = service.opened_stamp()
    values = SAID | {"opened": opened} | more
    key = service.offer(PUBLIC, values, people.region(code).id, address=address)
    return db.session.scalars(
        select(Intake).where(Intake.receipt_hash == queries.receipt_hash(key))
    ).one(), key


def item_of(row):
    return db.session.scalars(
        select(WorkItem).where(WorkItem.kind == "intake", WorkItem.object_id == row.id)
    ).one()


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("138 0000 1234", "13800001234"),
        ("+86 138-0000-1234", "13800001234"),
        ("１３８００００１２３４", "13800001234"),
        ("028-38160000", "028-38160000"),
        ("(028) 3816 0000 转 805", "028-38160000转805"),
        ("028-38160000-12", "028-38160000转12"),
        ("02838160000 ext. 9", "028-38160000转9"),
        ("0833 2345678", "0833-2345678"),
        ("+86 28 3816 0000", "028-38160000"),
        ("400-123-4567", "4001234567"),
    ],
)
def test_telephones_have_one_form(typed, read):
    assert telephones.read_telephone(typed) == read


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("打给老李", "letters"),
        ("1380000123a", "letters"),
        ("١٣٨٠٠٠٠١٢٣٤x", "letters"),
        ("38160000", "area"),
        ("1380000123", "length"),
        ("12800001234", "length"),
        ("13800001234 转 5", "length"),
        ("", "letters"),
        ("1" * 50_000, "length"),
    ],
)
def test_what_is_no_telephone(typed, why):
    with pytest.raises(telephones.NotATelephone, match=why):
        telephones.read_telephone(typed)


def test_a_form_that_was_not_opened_here_has_no_age():
    now = clock.now()
    stamp = rules.stamp(now, "k")
    assert rules.seconds_since(stamp, now, "k") == pytest.approx(0, abs=1)
    assert rules.seconds_since(stamp, now, "other") is None
    assert rules.seconds_since("9" + stamp, now, "k") is None
    assert rules.seconds_since("é.é", now, "k") is None


def test_a_title_says_product_and_problem():
    assert rules.title_of("调味包", "常温胀袋。试过巴氏杀菌") == "调味包：常温胀袋"
    assert rules.title_of("泡菜", "泡菜胀袋") == "泡菜胀袋"
    assert len(rules.title_of("泡菜", "长" * 900)) == rules.LONGEST_TITLE


def test_a_first_demand_waits_for_a_call_and_keeps_the_caller_sealed(app):
    with time_machine.travel("2026-11-20 02:00:00+00:00"):  # a Friday
        row, key = offered()
    assert row.state == "new"
    assert re.fullmatch(r"DL2026\d{6}", row.no)
    assert row.due.isoformat() == "2026-11-23"
    assert unseal(row.telephone, "intake.telephone") == SAID["telephone"]
    assert row.network != "192.0.2.1"
    shown = item_of(row)
    assert (shown.side, shown.due, shown.region_path) == ("office", row.due, row.region.path)
    told = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "intake.received")).one()
    assert told.payload["region_path"] == row.region.path
    everything = repr(
        [
            [getattr(one, column.key) for column in one.__table__.columns]
            for kind in (AuditEntry, OutboxRow, WorkItem, Intake)
            for one in db.session.scalars(select(kind))
        ]
    )
    assert SAID["telephone"] not in everything
    assert SAID["contact"] not in everything
    assert key not in everything


def test_nothing_of_it_is_an_organisation_or_a_listing_yet(app):
    before = db.session.scalar(select(func.count()).select_from(Organisation))
    offered()
    assert db.session.scalar(select(func.count()).select_from(Organisation)) == before
    assert db.session.scalar(select(func.count()).select_from(Submission)) == 0


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"problem": "加微信 www.best-loans.cn 领红包"}, "link"),
        (
            {"problem": "Best loans", "product": "x", "target": None, "firm": "y", "contact": "z"},
            "foreign",
        ),
        ({"subject": "hello"}, "trap"),
        ({"opened": "1.forged"}, "fast"),
    ],
)
def test_doubtful_ones_wait_apart_and_trouble_nobody(app, more, why):
    row, key = offered(**more)
    assert (row.state, row.doubts) == ("doubtful", [why])
    assert db.session.scalar(select(OutboxRow).where(OutboxRow.kind == "intake.received")) is None
    assert queries.receipt(key).state == "new"


def test_too_fast_is_doubtful(app):
    assert offered(seconds=1)[0].doubts == ["fast"]
    assert offered(seconds=10, problem="另一句话")[0].doubts == []


def test_the_same_words_again_are_doubtful_for_a_month(app):
    with time_machine.travel("2026-10-01 02:00:00+00:00"):
        offered()
    with time_machine.travel("2026-10-20 02:00:00+00:00"):
        again, _ = offered(problem=" 泡菜调味包，常温放两个月就胀袋", telephone="13900000001")
    with time_machine.travel("2026-12-20 02:00:00+00:00"):
        later, _ = offered(telephone="13900000002")
    assert (again.doubts, later.doubts) == (["repeated"], [])


def test_the_fourth_open_one_of_a_telephone_is_doubtful_and_the_seventh_refused(app):
    rows = [
        offered(problem=f"第 {n} 个难题", address=f"192.0.2.{n}", telephone=f"028-38160000转{n}")[0]
        for n in range(6)
    ]
    assert [row.doubts for row in rows] == [[], [], [], ["many"], ["many"], ["many"]]
    with pytest.raises(TooMany):
        offered(problem="第七个", address="192.0.2.99", telephone="028-38160000")


def test_one_network_sends_ten_in_an_hour(app):
    with time_machine.travel("2026-11-20 02:00:00+00:00") as now:
        for n in range(10):
            offered(problem=f"难题 {n}", telephone=f"1390000{n:04d}")
        with pytest.raises(TooMany):
            offered(problem="第十一个", telephone="13900009999")
        offered(problem="别处的", telephone="13900009998", address="198.51.100.7")
        now.shift(3700)
        offered(problem="过了一小时", telephone="13900009997")


def test_a_receipt_ends_after_thirty_days(app):
    with time_machine.travel("2026-10-01 02:00:00+00:00") as now:
        _, key = offered()
        now.shift(29 * 86400)
        assert queries.receipt(key).telephone == "138****1234"
        now.shift(2 * 86400)
        with pytest.raises(NotFound):
            queries.receipt(key)
    with pytest.raises(NotFound):
        queries.receipt("x")


def test_another_county_does_not_know_of_it(app, county, elsewhere):
    row, _ = offered()
    no = row.no
    assert queries.case(county, no).intake.telephone == "138****1234"
    city = people.actor(("prefecture", None, "511400"))
    assert queries.listed(city, "new").total == 1
    acts = {
        "read": lambda: queries.case(elsewhere, no),
        "call": lambda: service.note_call(elsewhere, no, {"result": "reached"}),
        "drop": lambda: service.act(elsewhere, no, "drop", "x"),
        "unmask": lambda: service.unmask(elsewhere, no, "x"),
        "complete": lambda: service.complete(elsewhere, no, SAID, row.region_id),
        "code": lambda: claiming.send_code(elsewhere, no),
    }
    for act in acts.values():
        with pytest.raises(NotFound):
            act()
    assert queries.listed(elsewhere, "").total == 0
    assert queries.counts(elsewhere) == {}
    with pytest.raises(Denied):
        service.enter(elsewhere, ASKED, people.region("511402").id)


def test_members_and_visitors_see_no_cases(app):
    row, _ = offered()
    owner = people.actor(("owner", people.organisation()))
    for who in (PUBLIC, owner):
        with pytest.raises(NotFound):
            queries.case(who, row.no)


def test_calls_are_noted_and_move_the_date(app, county):
    with time_machine.travel("2026-11-20 02:00:00+00:00"):
        row, _ = offered()
        service.note_call(county, row.no, {"result": "missed"})
        assert (row.state, row.calls, row.due.isoformat()) == ("calling", 1, "2026-11-23")
        chosen = clock.today().replace(day=27)
        said = {"result": "reached", "note": "周五再打", "next_call": chosen}
        service.note_call(county, row.no, said)
        assert (row.calls, row.due, item_of(row).due) == (2, chosen, chosen)
        notes = [one.note for one in queries.case(county, row.no).events if one.action == "call"]
        assert [note.split("；")[0] for note in notes] == ["未接通", "已接通"]
        assert "周五再打" in notes[1]
        for wrong in ("2026-11-19", "2027-11-19"):
            day = clock.today().fromisoformat(wrong)
            with pytest.raises(Invalid):
                service.note_call(county, row.no, {"result": "reached", "next_call": day})
        assert row.calls == 2


def test_completing_founds_the_organisation_and_begins_a_draft(app, county):
    row, key = offered()
    draft = service.complete(county, row.no, SAID | {"telephone": None}, row.region_id)
    found = db.session.scalars(select(Submission).where(Submission.no == draft)).one()
    assert found.state == "draft"
    assert found.source == "telephone"
    assert found.content["problem"] == SAID["problem"]
    assert found.content["targets"] == SAID["target"]
    assert found.content["title"] == "泡菜调味包常温放两个月就胀袋"
    firm = found.owner
    assert (firm.name, firm.verified_at, firm.telephone, firm.contact) == (
        SAID["firm"],
        None,
        None,
        None,
    )
    assert (row.state, row.organisation_id, row.submission_no) == ("completed", firm.id, draft)
    assert unseal(row.telephone, "intake.telephone") == SAID["telephone"]
    assert item_of(row).side == ""
    assert queries.receipt(key).state == "completed"
    with pytest.raises(Conflict):
        service.complete(county, row.no, SAID, row.region_id)
    assert db.session.scalar(select(func.count()).select_from(Submission)) == 1


def test_the_receipt_leads_to_the_demand_once_it_is_public(app, county):
    row, key = offered()
    draft = service.complete(county, row.no, SAID | {"telephone": None}, row.region_id)
    assert queries.receipt(key).demand is None
    publishing.save_draft(county, draft, {"cleared": "1", "cleared_by": "王经办"}, 1)
    publishing.act(county, draft, "publish")
    submission = db.session.scalars(select(Submission).where(Submission.no == draft)).one()
    assert queries.receipt(key).demand == f"/demands/{submission.listing.no}"


def test_a_known_organisation_is_taken_not_founded_again(app, county):
    known = people.organisation(SAID["firm"])
    by_code = people.organisation("东坡味道（演示）", uscc="91440300708461136T")
    first, _ = offered()
    service.complete(county, first.no, SAID, first.region_id)
    second, _ = offered(problem="另一个", telephone="13800005678")
    service.complete(county, second.no, SAID | {"uscc": "91440300708461136T"}, second.region_id)
    assert (first.organisation_id, second.organisation_id) == (known, by_code)


def test_a_clerk_may_not_complete_into_another_county(app, county):
    row, _ = offered()
    with pytest.raises(Denied):
        service.complete(county, row.no, SAID, people.region("511403").id)
    assert row.state == "new"
    assert db.session.scalar(select(func.count()).select_from(Submission)) == 0


def test_a_clerk_types_for_a_caller(app, county):
    place = people.region("511402").id
    later = service.enter(county, ASKED | {"source": "wechat"}, place)
    row = queries.find(county, later)
    assert (row.state, row.source, row.sender) == ("new", "wechat", "王经办")
    draft = service.enter_and_complete(county, ASKED | {"source": "visit"}, place)
    found = db.session.scalars(select(Submission).where(Submission.no == draft)).one()
    assert (found.source, found.person_id) == ("visit", county.id)


def test_cases_are_dropped_merged_and_reopened(app, county):
    row, key = offered(problem="加微信 t.me/x")
    service.act(county, row.no, "accept")
    assert row.state == "new"
    with pytest.raises(Invalid):
        service.act(county, row.no, "drop", " ")
    service.act(county, row.no, "drop", "不是技术问题")
    assert queries.receipt(key).reason == "不是技术问题"
    service.act(county, row.no, "reopen", "误点")
    other, _ = offered(problem="第二件")
    with pytest.raises(Invalid):
        service.mark_duplicate(county, row.no, row.no)
    with pytest.raises(Invalid):
        service.mark_duplicate(county, row.no, "DL1")
    service.mark_duplicate(county, row.no, other.no.lower())
    assert (row.state, row.duplicate_of_id) == ("duplicate", other.id)
    service.act(county, row.no, "reopen", "不是一件")
    assert (row.state, row.duplicate_of_id) == ("new", None)
    assert [one.no for one in queries.case(county, row.no).earlier] == [other.no]


def test_looking_at_the_caller_needs_a_reason_and_is_recorded(app, county):
    row, _ = offered()
    with pytest.raises(Invalid):
        service.unmask(county, row.no, "")
    assert service.unmask(county, row.no, "回电话") == (SAID["contact"], SAID["telephone"])
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "intake.unmask")).one()
    assert (entry.actor_label, entry.after) == ("王经办", {"reason": "回电话"})


def test_callers_of_closed_cases_are_forgotten_in_time(app, county):
    with time_machine.travel("2026-01-05 02:00:00+00:00"):
        dropped, _ = offered()
        service.act(county, dropped.no, "drop", "不受理")
        kept, _ = offered(problem="留着的", telephone="13800005678")
        assert not service.forget()
        assert dropped.network
    with time_machine.travel("2026-01-09 02:00:00+00:00"):
        service.forget()
        assert (dropped.network, kept.network) == ("", "")
        assert dropped.telephone is not None
    with time_machine.travel("2026-07-20 02:00:00+00:00"):
        service.forget()
        assert (dropped.telephone, dropped.contact, dropped.telephone_key) == (None, None, None)
        assert kept.telephone is not None
        assert queries.case(county, dropped.no).intake.telephone == "已删除"


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        ("", "dpq", "511402"),
        ("", "东坡", "511402"),
        ("511402", "", "511402"),
        ("511402", "四川省眉山市东坡区", "511402"),
        ("511402", "彭山区", "511403"),  # typed over what was chosen before
        ("", "511402", "511402"),
        ("999999", "东坡区", "511402"),
    ],
)
def test_places_as_people_write_them(app, code, text, found):
    assert find_place(code, text).found.code == found


def test_places_that_are_not_clear(app):
    several = find_place("", "城关区")
    assert several.found is not None or several.several
    assert len(find_place("", "朝阳").several) > 1
    chosen = find_place("", "朝阳").several[1]
    assert find_place(chosen.code, "朝阳").found.code == chosen.code
    for code, text in (("", ""), ("", "没有这个县"), ("510000", ""), ("x" * 12, "y" * 60)):
        place = find_place(code, text)
        assert place.found is None
        assert place.error


# 认领


def completed(county, **more):
    row, _ = offered(**more)
    service.complete(county, row.no, SAID | {"telephone": None}, row.region_id)
    return row


def code_sent():
    """The code in the latest message."""
    sent = select(OutboxRow).where(OutboxRow.kind == "intake.claim_code")
    return values_of(db.session.scalars(sent.order_by(OutboxRow.id.desc())).first())["code"]


def claim(code, who=PUBLIC, password="pao4cai4-good"):
    from flask import current_app

    with current_app.test_request_context():
        return claiming.claim(who, SAID["telephone"], code, password=password, address="192.0.2.9")


def test_the_caller_claims_and_owns_his_organisation(app, county):
    row = completed(county)
    claiming.send_code(county, row.no)
    done = claim(code_sent())
    assert done.word
    person = db.session.scalars(
        select(Person).where(Person.mobile_key == pseudonym(SAID["telephone"], "person.mobile"))
    ).one()
    assert person.name == "李师傅"
    assert person.password_hash.startswith("$argon2")
    assert sessions.actor_of(person).organisations("owner") == [row.organisation_id]
    assert unseal(person.mobile, "person.mobile") == SAID["telephone"]
    with pytest.raises(Invalid):  # used
        claim(code_sent())
    with pytest.raises(Conflict):
        claiming.send_code(county, row.no)


def test_five_wrong_codes_and_the_right_one_is_dead(app, county):
    row = completed(county)
    claiming.send_code(county, row.no)
    right = code_sent()
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    for _ in range(5):
        with pytest.raises(Invalid):
            claim(wrong)
    with pytest.raises(Invalid):
        claim(right)
    claiming.send_code(county, row.no)
    assert claim(code_sent()).word


def test_a_code_ends_after_a_day_and_with_the_next_one(app, county):
    with time_machine.travel("2026-11-20 02:00:00+00:00") as now:
        row = completed(county)
        claiming.send_code(county, row.no)
        first = code_sent()
        claiming.send_code(county, row.no)
        second = code_sent()
        if first != second:
            with pytest.raises(Invalid):
                claim(first)
        now.shift(25 * 3600)
        with pytest.raises(Invalid):
            claim(second)
        assert db.session.scalar(select(func.count()).select_from(OneTimeCode)) == 2


def test_who_has_an_account_signs_in_first(app, county):
    row = completed(county)
    claiming.send_code(county, row.no)
    person = people.person(name="李师傅")
    from market.core.permissions import SYSTEM
    from market.core.unit_of_work import unit_of_work

    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.get_one(Person, person.id).mobile_key = pseudonym(
            SAID["telephone"], "person.mobile"
        )
    with pytest.raises(claiming.SignInFirst):
        claim(code_sent())
    with pytest.raises(claiming.SignInFirst):
        claim(code_sent(), people.actor(name="别人"))
    me = sessions.actor_of(db.session.get_one(Person, person.id))
    assert claim(code_sent(), me).word is None
    assert sessions.grants_of(person.id)[0].organisation_id == row.organisation_id


@pytest.mark.parametrize("password", ["", "short", "1234567890", "aaaaaaaaaaaa"])
def test_weak_passwords_cost_no_code(app, county, password):
    row = completed(county)
    claiming.send_code(county, row.no)
    with pytest.raises(Invalid) as refused:
        claim(code_sent(), password=password)
    assert set(refused.value.fields) == {"password"}
    assert claim(code_sent()).word


def test_a_landline_needs_a_mobile_for_its_code(app, county):
    row = completed(county, telephone="028-38160000转805")
    with pytest.raises(Invalid):
        claiming.send_code(county, row.no)
    with pytest.raises(Invalid):
        claiming.send_code(county, row.no, "028-38160000")
    claiming.send_code(county, row.no, SAID["telephone"])
    assert claim(code_sent()).word


def test_no_code_before_the_case_is_completed(app, county):
    row, _ = offered()
    with pytest.raises(Conflict):
        claiming.send_code(county, row.no)


@pytest.mark.parametrize(("kind", "code"), [("office", "511402"), ("enterprise", "511403")])
def test_nothing_is_entered_for_an_office_or_a_firm_of_elsewhere(app, county, kind, code):
    uscc = "91511402DEM048048N"
    people.organisation("某单位", kind=kind, code=code, uscc=uscc)
    row, _ = offered()
    with pytest.raises(Invalid) as refused:
        service.complete(county, row.no, SAID | {"telephone": None, "uscc": uscc}, row.region_id)
    assert "别的地区" in refused.value.fields["uscc"][0]
    db.session.expire_all()
    assert row.organisation_id is None


def test_a_code_makes_nobody_the_owner_of_an_office(app, county):
    row = completed(county)
    claiming.send_code(county, row.no)
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.get_one(Organisation, row.organisation_id).kind = "office"
    with pytest.raises(Conflict, match="管理员"):
        claim(code_sent())
