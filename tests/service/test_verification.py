"""Verification: papers sealed, decided by the office of the place and by another than who sent them."""

from __future__ import annotations

import pytest
import time_machine
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from market.accounts.members import service as members
from market.accounts.models import Organisation
from market.accounts.verification import queries, service
from market.accounts.verification.models import Profile, Verification
from market.accounts.verification.schemas import ProfileForm
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.forms import read_form
from market.core.models import AuditEntry, OutboxRow, StoredFile, WorkItem
from market.core.permissions import SYSTEM
from tests import people

CODE = "91511402000001004T"
PDF = b"%PDF-1.4 licence"
DECLARED = {
    "legal_representative": "李四光",
    "registered_address": "四川省眉山市东坡区某街 1 号",
    "shareholders": [["王五", 6000], ["四川某某投资有限公司", 4000]],
    "bank": "中国农业银行眉山支行",
    "account": "6228480402564890018",
}


@pytest.fixture
def firm(app):
    return people.organisation("甲公司", verified=False, uscc=CODE)


@pytest.fixture
def no(firm):
    return db.session.get(Organisation, firm).no


@pytest.fixture
def owner(firm):
    return people.actor(("owner", firm))


@pytest.fixture
def clerk(app):
    return people.actor(("county", None, "511402"), name="经办")


def hand_in(owner, no, **changes):
    service.keep_licence(owner, no, "执照.pdf", PDF)
    return service.submit(owner, no, DECLARED | changes)


def state(case):
    return db.session.scalar(select(Verification.state).where(Verification.no == case))


def verified_at(no):
    return db.session.scalar(select(Organisation.verified_at).where(Organisation.no == no))


def item():
    return db.session.scalars(select(WorkItem)).one()


def test_the_whole_way(owner, clerk, no):
    with time_machine.travel("2026-09-28T02:00:00Z"):
        case = hand_in(owner, no)
    assert (item().side, item().due.isoformat()) == ("office", "2026-10-08"), "holidays between"
    service.decide(
        clerk,
        case,
        "return",
        {"field": "licence", "rule": "须清晰", "reason": "看不清"},
    )
    assert (item().side, item().returned, item().due) == ("owner", True, None)
    view = queries.get(owner, case)
    assert (view.returned_label, view.returned_rule) == ("营业执照", "须清晰")
    assert "要改的是：营业执照；依据：须清晰" in [event.note for event in view.events]
    assert hand_in(owner, no) == case
    assert state(case) == "submitted"
    assert verified_at(no) is None
    service.decide(clerk, case, "verify", {})
    assert verified_at(no) is not None
    assert (item().side, state(case)) == ("", "verified")
    told = list(db.session.scalars(select(OutboxRow.kind).where(OutboxRow.consumer == "notify")))
    assert told == [
        "verification.submitted",
        "verification.decided",
        "verification.submitted",
        "verification.decided",
    ]


def test_everything_declared_is_sealed_and_masked(owner, clerk, no, firm):
    hand_in(owner, no)
    profile = db.session.get(Profile, firm)
    kept = " ".join(str(getattr(profile, key)) for key in (*DECLARED, "updated_by"))
    for secret in ("李四光", "王五", "农业银行", "6228480402564890018", "某街"):
        assert secret not in kept
    shown = queries.masked(firm)
    assert shown == {
        "legal_representative": "李**",
        "registered_address": "四川省眉山市***",
        "shareholders": ["王*　60 %", "四川***公司　40 %"],
        "bank": "中国农业银行***",
        "account": "****0018",
    }
    full = service.unmask(clerk, no, "核对账号")
    assert full == DECLARED
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "organisation.unmasked")
    ).one()
    assert entry.after == {"reason": "核对账号"}
    told = [
        str(one)
        for row in db.session.scalars(select(AuditEntry))
        for one in (row.before, row.after)
    ]
    assert not any("李四光" in one or "6228" in one for one in told)
    with pytest.raises(Invalid):
        service.unmask(clerk, no, " ")


def test_what_is_left_empty_stays(owner, clerk, no):
    case = hand_in(owner, no)
    back = {"field": "account", "rule": "核对", "reason": "错"}
    service.decide(clerk, case, "return", back)
    service.submit(owner, no, {"account": "12345678"})
    assert service.unmask(owner, no, "看看") == DECLARED | {"account": "12345678"}


def test_needed_things_are_named(owner, no):
    with pytest.raises(Invalid) as told:
        service.submit(owner, no, {"bank": "中国农业银行"})
    assert set(told.value.fields) == {"licence", "legal_representative", "registered_address"}
    with pytest.raises(Invalid) as told:
        service.keep_licence(owner, no, "执照.pdf", b"MZ program")
    assert set(told.value.fields) == {"licence"}
    db.session.rollback()
    assert db.session.scalars(select(Profile)).all() == [], "nothing half done"


def test_the_same_licence_is_kept_once(owner, no):
    for _ in range(3):
        service.keep_licence(owner, no, "执照.pdf", PDF)
    assert len(db.session.scalars(select(StoredFile)).all()) == 1


def test_a_licence_may_be_replaced_as_often_as_one_likes(owner, no):
    for number in range(25):
        service.keep_licence(owner, no, "执照.pdf", PDF + str(number).encode())
    case = service.submit(owner, no, DECLARED)
    licence = queries.get(owner, case).licence
    assert licence.size == len(PDF) + 2
    service.keep_licence(owner, no, "新执照.pdf", PDF)
    assert queries.get(owner, case).licence.no == licence.no, "what was handed in stays"
    assert licence.removed_at is None


def test_twice_and_while_waiting(owner, no):
    hand_in(owner, no)
    with pytest.raises(Conflict):
        hand_in(owner, no)
    assert len(db.session.scalars(select(Verification)).all()) == 1


def test_the_name_rests_while_papers_wait(owner, clerk, no, firm):
    """The office looks at one name: it does not become another under its eyes."""
    case = hand_in(owner, no)
    version = db.session.get(Organisation, firm).lock_version
    with pytest.raises(Invalid) as told:
        members.update_own(owner, no, version, {"name": "另一家公司"})
    assert case in told.value.fields["name"][0]
    # What the papers do not bear may change, and the form sends the same name along.
    version = members.update_own(owner, no, version, {"name": "甲公司", "telephone": "1"})
    back = {"field": "name", "reason": "与执照不符", "rule": "与登记证书一致"}
    service.decide(clerk, case, "return", back)
    members.update_own(owner, no, version, {"name": "甲有限公司"})
    assert db.session.get(Organisation, firm).name == "甲有限公司"


def test_a_name_that_was_read_before_papers_came(owner, no, firm, monkeypatch):
    """Whoever passed the page before the papers came in is stopped inside the unit of work."""
    found = members.find

    def slow(*asked):
        row = found(*asked)
        hand_in(owner, no)
        return row

    monkeypatch.setattr(members, "find", slow)
    with pytest.raises(Invalid):
        members.update_own(owner, no, 1, {"name": "另一家公司"})
    assert db.session.get(Organisation, firm).name == "甲公司"


def test_who_may_decide(owner, no, firm, clerk):
    case = hand_in(owner, no)
    elsewhere = people.actor(("county", None, "511403"))
    for stranger in (elsewhere, people.actor(("owner", people.organisation()))):
        with pytest.raises(NotFound):
            service.decide(stranger, case, "verify", {})
        with pytest.raises(NotFound):
            service.unmask(stranger, no, "好奇")
        with pytest.raises(NotFound):
            queries.get(stranger, case)
    with pytest.raises(NotFound):
        service.decide(owner, case, "verify", {})
    assert state(case) == "submitted"
    service.decide(people.actor(("prefecture", None, "511400")), case, "verify", {})


def test_who_handed_in_does_not_decide(firm, no):
    both = people.actor(("owner", firm), ("county", None, "511402"))
    case = hand_in(both, no)
    with pytest.raises(Denied):
        service.decide(both, case, "verify", {})
    assert [one.action for one in queries.get(both, case).actions] == []


@pytest.mark.parametrize(
    ("values", "lacking"),
    [
        ({}, {"field", "rule", "reason"}),
        ({"field": "licence", "reason": "看不清"}, {"rule"}),
        ({"rule": "须清晰", "reason": "看不清"}, {"field"}),
    ],
)
def test_a_return_names_field_reason_and_rule(owner, clerk, no, values, lacking):
    case = hand_in(owner, no)
    with pytest.raises(Invalid) as told:
        service.decide(clerk, case, "return", values)
    assert set(told.value.fields) == lacking
    assert state(case) == "submitted"


def test_rejected_work_may_come_again(owner, clerk, no):
    first = hand_in(owner, no)
    service.decide(clerk, first, "reject", {"reason": "执照是别人的"})
    with pytest.raises(Conflict):
        service.decide(clerk, first, "verify", {})
    assert hand_in(owner, no) != first


def test_a_clerk_who_saw_the_licence(clerk, no, firm, owner):
    case = service.verify_directly(clerk, firm)
    assert verified_at(no) is not None
    assert [event.note for event in queries.get(owner, case).events] == ["见执照原件"]
    with pytest.raises(Conflict, match="已经核验过"):
        service.verify_directly(clerk, firm)
    other = people.organisation("乙公司", code="511403", verified=False)
    with pytest.raises(Denied):
        service.verify_directly(clerk, other)
    with pytest.raises(Invalid):
        service.verify_directly(clerk, firm, " ")


def test_nobody_verifies_the_organisation_he_belongs_to(owner, no, firm):
    both = people.actor(("county", None, "511402"), ("viewer", firm))
    with pytest.raises(Denied, match="自己"):
        service.verify_directly(both, firm)
    case = hand_in(owner, no)
    with pytest.raises(Denied, match="自己"):
        service.decide(both, case, "verify", {})
    assert verified_at(no) is None


def test_not_beside_papers_that_wait(owner, clerk, no, firm):
    case = hand_in(owner, no)
    with pytest.raises(Conflict, match=case):
        service.verify_directly(clerk, firm)


def test_a_licence_is_for_both_sides_only(owner, clerk, no):
    hand_in(owner, no)
    row = db.session.scalars(select(StoredFile)).one()
    assert queries.may_have_licence(owner, row)
    assert queries.may_have_licence(clerk, row)
    assert not queries.may_have_licence(people.actor(("owner", people.organisation())), row)
    assert not queries.may_have_licence(people.actor(("county", None, "511403")), row)


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        (
            {"holder_1": "甲甲", "share_1": "60", "holder_2": "乙乙", "share_2": "40.01"},
            "share_2",
            "100.01 %",
        ),
        ({"holder_1": "甲甲", "share_1": "100.5"}, "share_1", "不超过 100"),
        ({"holder_1": "甲甲", "share_1": "0"}, "share_1", "大于 0"),
        ({"holder_1": "甲甲", "share_1": "33.333"}, "share_1", "两位小数"),
        ({"holder_1": "甲甲", "share_1": "NaN"}, "share_1", "百分数"),
        ({"holder_1": "甲甲", "share_1": "1e3"}, "share_1", "不超过 100"),
        ({"holder_3": "甲甲"}, "share_3", "请写持股比例"),
        ({"share_3": "5"}, "holder_3", "请写股东名称"),
        ({"account": "12 34"}, "account", "8 到 32 位"),
    ],
)
def test_bad_shareholders_and_accounts(app, typed, field, words):
    form = read_form(ProfileForm(), MultiDict(typed))
    assert words in " ".join(form.errors[field])


def test_shares_as_people_type_them(app):
    typed = {"holder_1": "甲甲", "share_1": "６６.67%", "holder_4": "乙乙", "share_4": " 33.33 "}
    form = read_form(ProfileForm(), MultiDict(typed | {"account": "6228 4804-0256"}))
    assert form.values["shareholders"] == [["甲甲", 6667], ["乙乙", 3333]]
    assert form.values["account"] == "622848040256"


def test_the_system_may_look(owner, no):
    assert queries.get(SYSTEM, hand_in(owner, no)).organisation.no == no
