"""Registered contracts are amended, cancelled, annulled and looked at again; money comes in."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from market.accounts.people.models import Person
from market.contracts import content, examining, filing, queries
from market.contracts.changes import (
    deciding,
    merging,
    own_data,
    receipts,
    service,
    shown,
)
from market.contracts.changes import queries as changes
from market.contracts.changes.models import ContractChange, ContractReceipt
from market.contracts.entry_models import ContractEntry
from market.contracts.filing_pages import authorising
from market.contracts.models import ContractParty, ContractVersion
from market.core import clock, files
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.models import AuditEntry, CaseEvent, OutboxRow, WorkItem
from market.core.permissions import SYSTEM
from market.core.secrets import seal
from market.core.unit_of_work import unit_of_work
from market.service_points.models import POINT, Admission
from tests import contracts, people

SELLER = contracts.FIELDS["sellers"][0]["uscc"]
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
def prepared_demo(prepared_quiet):
    return prepared_quiet


@pytest.fixture
def seller(demo):
    return people.organisation("食品研究所", kind="institute", code="360982", uscc=SELLER)


@pytest.fixture
def filer(seller):
    return people.actor(("owner", seller), name="李四")


@pytest.fixture
def body(demo):
    return contracts.body("own", "360982")


@pytest.fixture
def first(body):
    return people.actor(("first_examiner", body.organisation_id), name="初审")


@pytest.fixture
def second(body):
    return people.actor(("second_examiner", body.organisation_id), name="复审")


@pytest.fixture
def no(filer, seller, body):
    return contracts.registered_here(filer, seller, body)


@pytest.fixture
def office(demo):
    return people.actor(("county", None, "360982"), name="经办")


def asked(actor, no, kind, papers=True, send=True, words=None, content=None, **more):
    """A change that was asked, with a paper, and sent in."""
    said = {"reason": "双方签订了补充协议", **(words or {})}
    change = service.ask(actor, no, kind, said, content, **more)
    if papers:
        service.attach(actor, change, files.take_in("协议.pdf", contracts.PDF))
    if send:
        service.submit(actor, change)
    return change


def less(total="300000", technical="260000"):
    """The fields of an amendment: another price and another buyer's telephone."""
    named = ("total_fen", "technical_fen", "non_technical_fen", "buyers")
    buyers = [{**contracts.FIELDS["buyers"][0], "telephone": "13900000009"}]
    loaded = contracts.values(
        total_fen=total, technical_fen=technical, non_technical_fen="40000", buyers=buyers
    )
    return {name: loaded[name] for name in named}


def versions(no):
    query = select(ContractVersion).where(ContractVersion.contract_id == contracts.row(no).id)
    return db.session.scalars(query.order_by(ContractVersion.version)).all()


def entries(no):
    query = select(ContractEntry).where(ContractEntry.contract_id == contracts.row(no).id)
    return [
        (one.what, one.contracts, one.total_fen, one.technical_fen)
        for one in db.session.scalars(query.order_by(ContractEntry.id))
    ]


def state(change):
    return db.session.scalar(select(ContractChange.state).where(ContractChange.no == change))


def test_an_amendment_takes_the_place_of_what_was_registered(no, filer, first, second):
    before = versions(no)[0].content
    change = asked(filer, no, "amend", content=less())
    assert contracts.row(no).version == 1, "until it is decided the page shows what is registered"
    case = changes.get(filer, change)
    names = [line.name for line in case.lines]
    assert names == ["buyers", "total_fen", "technical_fen", "non_technical_fen"]
    assert [(one.old, one.new) for one in case.lines if one.name == "total_fen"] == [
        ("28 万元", "30 万元")
    ]
    assert "13900000009" not in str(case.lines)
    deciding.examine(first, change, {"technical_fen": 255_000_00, "answer": "扣除试制材料"})
    with pytest.raises(Denied):
        deciding.decide(first, change, {})
    seen = changes.get(second, change)
    assert [one["kind"] for one in seen.touches] == ["certificate", "statistics", "benefits"]
    deciding.decide(second, change, {}, seen=seen.seen)
    contract = contracts.row(no)
    assert (contract.state, contract.version, contract.effective) == ("registered", 2, 2)
    assert (contract.total_fen, contract.technical_fen) == (300_000_00, 255_000_00)
    old, new = versions(no)
    assert (old.state, new.state) == ("superseded", "registered")
    assert old.content == before
    assert new.findings["technical_fen"] == 255_000_00
    kept = db.session.scalars(select(ContractChange)).one()
    assert (kept.state, kept.decided_on) == ("done", clock.today())
    assert "28 万元 → 30 万元" in str(kept.touches)
    assert entries(no) == [
        ("registered", 1, 280_000_00, 250_000_00),
        ("amended", -1, -280_000_00, -250_000_00),
        ("amended", 1, 300_000_00, 255_000_00),
    ]
    found, row = changes.version(filer, no, 1)
    assert (found.no, shown.whole(row.content)[0].new) == (no, contracts.FIELDS["title"])
    with pytest.raises(NotFound):
        changes.version(filer, no, 3)
    telephones = select(ContractParty.telephone_key).where(ContractParty.contract_id == found.id)
    assert len(set(db.session.scalars(telephones))) == 2
    assert "contract.amended" in set(db.session.scalars(select(AuditEntry.action)))


def test_an_amendment_begins_with_what_was_found_not_with_what_was_filed(
    filer, seller, body, first, second
):
    no = contracts.drafted(filer, seller)
    filing.submit(filer, no, body.no)
    examining.accept(first, no)
    found = {"opinion": "扣除材料", "technical_fen": 20_000_000}
    examining.examine(first, no, found)
    examining.register(second, no)
    change = asked(filer, no, "amend", content={"signed_at": "樟树市"})
    row = changes.get(filer, change)
    assert [line.name for line in row.lines] == ["signed_at"], "the amount stays as it was set"
    deciding.examine(first, change, {})
    deciding.decide(second, change, {})
    assert contracts.row(no).technical_fen == 20_000_000


def test_what_an_amendment_lacks_is_told_at_once(no, filer):
    change = asked(filer, no, "amend", papers=False, send=False, words={"reason": ""})
    with pytest.raises(Invalid) as wrong:
        service.submit(filer, change)
    assert set(wrong.value.fields) == {"reason", "files", "content"}
    worse = {**less(technical="300001"), "subject": None}
    service.edit(filer, change, {"reason": "补充协议"}, worse)
    with pytest.raises(Invalid) as wrong:
        service.submit(filer, change)
    assert set(wrong.value.fields) == {"files", "subject", "technical_fen"}
    assert versions(no)[1].content["technical_fen"] == 300_001_00, "nothing typed is lost"


def test_of_a_superseded_version_nothing_is_amended(no, filer, first, second):
    done = asked(filer, no, "amend", content=less())
    deciding.examine(first, done, {})
    deciding.decide(second, done, {})
    with pytest.raises(Conflict, match="第 1 版，已被第 2 版取代"):
        service.ask(filer, no, "amend", {"reason": "旧页面"}, less(), base=1)
    service.ask(filer, no, "amend", {"reason": "新页面"}, less(), base=2)


def test_a_change_that_became_stale_is_not_carried_out(no, filer, first, second):
    change = asked(filer, no, "amend", content=less())
    deciding.examine(first, change, {})
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.execute(update(ContractChange).values(base_version=7))
    for act in (deciding.decide, deciding.examine):
        with pytest.raises(Conflict, match="被取代的版本不能再变更"):
            act(second, change, {})
    assert contracts.row(no).effective == 1


def test_one_change_is_open_at_a_time(no, filer, first):
    change = asked(filer, no, "amend", content=less(), send=False)
    with pytest.raises(Conflict, match=change):
        service.ask(filer, no, "cancel", {})
    service.withdraw(filer, change)
    with pytest.raises(NotFound):
        changes.get(first, change)  # never sent: nobody else's
    assert [one.state for one in versions(no)] == ["registered", "dropped"]
    again = asked(filer, no, "cancel", send=False)
    with pytest.raises(Invalid) as wrong:
        service.submit(filer, again)
    assert set(wrong.value.fields) == {"ground", "happened_on"}


def test_a_cancelled_contract_counts_no_more(no, filer, first, second, seller):
    place = people.region("360982")
    assert queries.counted(place, *YEAR).output.contracts == 1
    receipts.add(filer, no, received("100000"))
    words = {"ground": "dissolved", "happened_on": date(2026, 9, 1)}
    change = asked(filer, no, "cancel", words=words)
    deciding.examine(first, change, {})
    case = changes.get(second, change)
    assert [one["kind"] for one in case.touches] == [
        "certificate",
        "statistics",
        "receipts",
        "benefits",
    ]
    deciding.decide(second, change, {"answer": "同意"}, seen=case.seen)
    contract = contracts.row(no)
    assert (contract.state, contract.void_on) == ("cancelled", clock.today())
    assert entries(no)[-1] == ("cancelled", -1, -280_000_00, -250_000_00)
    sums = queries.counted(place, *YEAR).output
    assert (sums.contracts, sums.total_fen, sums.technical_fen) == (0, 0, 0)
    assert (sums.taken_off, sums.taken_off_technical_fen) == (1, 250_000_00)
    with pytest.raises(Conflict):
        receipts.add(filer, no, received("1"))
    with pytest.raises(Conflict):
        service.ask(filer, no, "amend", {}, less())
    assert queries.get(filer, no).contract.state == "cancelled"


def test_what_is_touched_may_not_change_unseen(no, filer, first, second):
    words = {"ground": "dissolved", "happened_on": date(2026, 9, 1)}
    change = asked(filer, no, "cancel", words=words)
    deciding.examine(first, change, {})
    seen = changes.get(second, change).seen
    receipts.add(filer, no, received("100000"))
    with pytest.raises(Conflict, match="涉及的事项"):
        deciding.decide(second, change, {}, seen=seen)
    assert state(change) == "examined"


def test_an_office_annuls_after_hearing_and_two_people_decide(no, filer, first, second, body):
    both = people.actor(
        ("first_examiner", body.organisation_id), ("second_examiner", body.organisation_id)
    )
    with pytest.raises(Denied):
        service.ask(filer, no, "annul", {})
    words = {"ground": "duplicate", "hearing": ""}
    change = asked(both, no, "annul", words=words, send=False)
    with pytest.raises(NotFound):
        changes.get(filer, change)
    with pytest.raises(Invalid) as wrong:
        service.submit(both, change)
    assert set(wrong.value.fields) == {"hearing"}
    said = {
        "ground": "duplicate",
        "reason": "同一合同登记了两次",
        "hearing": "3 月 2 日书面告知，当事人无异议",
    }
    service.edit(both, change, said)
    service.submit(both, change)
    assert changes.get(filer, change).change.state == "submitted"
    deciding.examine(both, change, {})
    with pytest.raises(Denied):
        deciding.decide(both, change, {})
    deciding.decide(second, change, {})
    assert contracts.row(no).state == "annulled"
    told = db.session.scalars(
        select(OutboxRow.kind).where(OutboxRow.kind == "contract_change.decided")
    ).all()
    assert told
    # An annulment is looked at again as a refusal is.
    with pytest.raises(Conflict):
        service.ask(filer, no, "cancel", {})
    assert changes.beside(filer, contracts.row(no)).asks == ["review"]
    again = asked(filer, no, "review", papers=False)
    with pytest.raises(Invalid):
        deciding.examine(first, again, {"outcome": "corrected"})
    deciding.examine(first, again, {"outcome": "reopened"})
    listed = {one["kind"] for one in changes.get(second, again).touches}
    assert listed == {"certificate", "statistics"}
    deciding.decide(second, again, {"answer": "两份合同标的不同"})
    contract = contracts.row(no)
    assert (contract.state, contract.void_on, contract.certified) == ("registered", None, None)
    assert [one[:2] for one in entries(no)] == [
        ("registered", 1), ("annulled", -1), ("corrected", 1)
    ]  # fmt: skip


def test_a_draft_of_a_party_does_not_keep_an_office_from_annulling(no, filer, first, office):
    draft = asked(filer, no, "amend", content=less(), send=False)
    with pytest.raises(Conflict, match=draft):
        service.ask(office, no, "review", {})
    change = service.ask(office, no, "annul", {"ground": "fraud"})
    assert (state(draft), state(change)) == ("withdrawn", "draft")
    assert [one.state for one in versions(no)] == ["registered", "dropped"]
    assert "annul" not in changes.beside(first, contracts.row(no)).asks
    with pytest.raises(Conflict, match=change):
        service.ask(filer, no, "cancel", {})


def test_a_refused_contract_is_looked_at_again(filer, seller, body, first, second):
    no = contracts.drafted(filer, seller)
    filing.submit(filer, no, body.no)
    examining.accept(first, no)
    examining.examine(
        first, no, {"proposal": "refuse", "refusal": "unclear", "opinion": "价款不清"}
    )
    examining.refuse(second, no, "unclear", "价款不清")
    kept = asked(filer, no, "review", papers=False)
    with pytest.raises(Invalid):
        deciding.examine(first, kept, {"outcome": "corrected"})
    deciding.examine(first, kept, {"outcome": "confirmed"})
    deciding.decide(second, kept, {"answer": "价款仍不明确"})
    assert contracts.row(no).state == "refused"
    again = asked(filer, no, "review", papers=False)
    deciding.examine(first, again, {"outcome": "reopened"})
    deciding.decide(second, again, {})
    contract = contracts.row(no)
    assert (contract.state, contract.refusal) == ("accepted", None)
    assert [one.state for one in versions(no)] == ["working"]
    examining.examine(first, no, {"opinion": "补充后清楚"})
    examining.register(second, no)
    assert contracts.row(no).state == "registered"


def test_finance_objects_and_the_amount_is_corrected(no, filer, office, first, second):
    words = {"asked_by": "tax", "reason": "设备未扣除"}
    change = asked(office, no, "review", papers=False, send=False, words=words)
    with pytest.raises(Invalid) as wrong:
        service.submit(office, change)
    assert set(wrong.value.fields) == {"asked_name"}
    service.edit(office, change, {**words, "asked_name": "樟树市税务局 2026 年 9 号函"})
    service.submit(office, change)
    with pytest.raises(Denied):
        deciding.examine(office, change, {"outcome": "confirmed"})
    with pytest.raises(Invalid):
        deciding.examine(first, change, {"outcome": "corrected"})
    with pytest.raises(Invalid) as wrong:
        deciding.examine(first, change, {"outcome": "corrected", "technical_fen": 280_000_01})
    assert set(wrong.value.fields) == {"technical_fen"}
    deciding.examine(first, change, {"outcome": "corrected", "technical_fen": 200_000_00})
    deciding.decide(second, change, {})
    contract = contracts.row(no)
    assert (contract.effective, contract.technical_fen) == (2, 200_000_00)
    assert versions(no)[0].content == versions(no)[1].content
    assert [one[0] for one in entries(no)] == ["registered", "corrected", "corrected"]


def test_sent_back_returned_and_refused(no, filer, first, second):
    change = asked(filer, no, "amend", content=less())
    deciding.give_back(first, change, "return", "补充协议没有盖章")
    item = db.session.scalars(select(WorkItem).where(WorkItem.kind == "contract_change")).one()
    assert (item.side, item.returned, item.no) == ("owner", True, change)
    service.submit(filer, change)
    deciding.examine(first, change, {})
    deciding.give_back(second, change, "send_back", "请核对试制材料")
    assert state(change) == "submitted"
    deciding.examine(first, change, {})
    with pytest.raises(Denied):
        deciding.refuse(first, change, "不符")
    with pytest.raises(Invalid):
        deciding.refuse(second, change, " ")
    deciding.refuse(second, change, "补充协议未生效")
    assert state(change) == "refused"
    assert [one.state for one in versions(no)] == ["registered", "dropped"]
    assert contracts.row(no).total_fen == 280_000_00
    third = asked(filer, no, "amend", content=less(), send=False)
    assert changes.get(filer, third).change.version == 3


def test_what_the_national_system_changed_is_settled_by_one(filer, seller, office):
    no = contracts.registered_nationally(filer, seller, office)
    change = asked(filer, no, "amend", content=less())
    stranger = people.actor(("county", None, "511402"))
    with pytest.raises(NotFound):
        deciding.decide(stranger, change, {})
    with pytest.raises(Invalid) as wrong:
        deciding.decide(office, change, {"decided_on": date(2036, 1, 1)})
    assert set(wrong.value.fields) == {"decided_on"}
    deciding.decide(office, change, {"decided_on": date(2026, 9, 9), "technical_fen": 250_000_00})
    contract = contracts.row(no)
    assert (contract.total_fen, contract.technical_fen) == (300_000_00, 250_000_00)
    assert versions(no)[1].registered_on == date(2026, 9, 9)
    with pytest.raises(Conflict):
        deciding.decide(office, change, {})


def test_what_an_office_recorded_it_changes_itself(office):
    no = contracts.recorded_elsewhere(office, "360982")
    with pytest.raises(NotFound):
        service.ask(people.actor(("county", None, "510722")), no, "amend", {})
    change = asked(office, no, "amend", content=less(), base=1)
    found = changes.get(office, change).change
    assert (found.asked_by, found.asker_id) == ("office", None)
    deciding.decide(office, change, {})
    assert contracts.row(no).total_fen == 300_000_00
    receipts.add(office, no, received("300000"))


def received(amount, **more):
    return {
        "kind": "price",
        "received_on": date(2026, 3, 1),
        "amount_fen": int(amount) * 100,
        **more,
    }


def test_receipts_are_reversed_never_erased(no, filer, office):
    one = receipts.add(filer, no, received("380000", cost_fen=30_000_00, what="第一期"))
    receipts.reverse(filer, no, one, "金额记错")
    with pytest.raises(Conflict):
        receipts.reverse(filer, no, one, "再冲一次")
    receipts.add(filer, no, received("280000", cost_fen=30_000_00))
    sums = receipts.totals(contracts.row(no))
    assert (sums.received_fen, sums.cost_fen, sums.net_fen) == (280_000_00, 30_000_00, 250_000_00)
    assert (sums.left_fen, sums.beyond_fen) == (0, 0)
    assert [row.counts for row in receipts.rows(contracts.row(no))].count(True) == 1
    assert db.session.scalar(select(func.count()).select_from(ContractReceipt)) == 3
    with pytest.raises(Denied):
        receipts.add(office, no, received("1"))
    for wrong, field in (
        ({"received_on": date(2036, 1, 1)}, "received_on"),
        ({"received_on": date(2025, 1, 1)}, "received_on"),
        ({"amount_fen": 0}, "amount_fen"),
        ({"cost_fen": 2_00}, "cost_fen"),
        ({"kind": "royalty", "year": 2026}, "kind"),
    ):
        with pytest.raises(Invalid) as told:
            receipts.add(filer, no, {**received("1"), **wrong})
        assert set(told.value.fields) == {field}


def test_small_figures_are_marked(no):
    sums = queries.counted(people.region("360000"), *YEAR)
    assert (sums.output.contracts, sums.output.small, sums.input.contracts) == (1, True, 0)
    assert "不足 3 份" in sums.output.note
    assert queries.counted(people.region("511402"), *YEAR).input.technical_fen == 250_000_00
    before = queries.counted(people.region("360982"), date(2020, 1, 1), date(2020, 12, 31))
    assert (before.output.contracts, before.output.note) == (0, "")


def test_contracts_move_with_a_merger(no, filer, seller, first):
    asked(filer, no, "amend", content=less())
    other = people.organisation("食品研究院", kind="institute", code="360982")
    assert merging.would_move(seller) == ("技术合同", 1)
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        merging.move(seller, other)
    contract = contracts.row(no)
    assert (contract.filer_id, contract.seller_id) == (other, other)
    assert db.session.scalar(select(ContractChange.asker_id)) == other
    owners = db.session.scalars(
        select(WorkItem.organisation_id).where(WorkItem.kind.in_(("contract", "contract_change")))
    ).all()
    assert set(owners) == {other}
    assert changes.get(people.actor(("editor", other)), changes.of_contract(SYSTEM, contract)[0].no)


def test_a_person_finds_what_contracts_say_of_him(no, filer):
    who = people.person(name="王小五")
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        mobile = {"mobile": seal("13900000001", "person.mobile")}
        db.session.execute(update(Person).where(Person.id == who.id).values(mobile))
    (found,) = own_data.of_person(who.id)["技术合同里本人的联系方式"]
    assert (found["合同"], found["经办人"], found["哪一方"]) == (no, "王小五", "卖方")
    steps = own_data.of_person(filer.id)["办理的技术合同"]
    count = select(func.count()).where(CaseEvent.kind == "contract", CaseEvent.actor_id == filer.id)
    assert len(steps) == db.session.scalar(count) > 0


def test_versions_never_show_personal_values(no):
    (row,) = versions(no)
    told = str(shown.whole(row.content)) + str(shown.for_programs(row.content))
    assert "李四" not in told
    assert "13900000001" not in told
    assert "139****0001" in told
    assert content.unpack(row.content)["sellers"][0]["legal_person"] == "李四"


def test_a_point_asks_for_changes_by_an_authorisation_given_after_registration(
    no, filer, seller, body, monkeypatch
):
    point = next(
        one
        for one in db.session.scalars(select(Admission).where(Admission.kind == POINT))
        if one.region.code.startswith("360982")
    )
    helper = people.actor(("point_staff", point.organisation_id), name="帮办")
    contracts.helped_by(no, point)  # for the filing, which is over
    other = contracts.registered_here(filer, seller, body, title="另一份")
    with pytest.raises(Denied):
        service.ask(helper, no, "amend", {"reason": "补充协议"}, less())
    until = clock.today() + timedelta(days=30)
    with pytest.raises(Invalid):
        authorising.authorise(filer, no, point.no, until, None)
    paper = files.take_in("授权书.pdf", contracts.PDF + b"% changes")
    authorising.authorise(filer, no, point.no, until, paper)
    own = asked(filer, other, "cancel", send=False)
    change = asked(helper, no, "amend", content=less())
    found = changes.get(helper, change).change
    assert (found.asker_id, found.asked_by, found.state) == (seller, "party", "submitted")
    with pytest.raises(Denied):
        service.withdraw(helper, change)
    for kind in ("annul", "review"):
        with pytest.raises(Denied):
            service.ask(helper, no, kind, {"reason": "不服"})
    for foreign in (
        lambda: changes.get(helper, own),
        lambda: service.ask(helper, other, "amend", {}),
    ):
        with pytest.raises(NotFound):
            foreign()
    monkeypatch.setattr(clock, "today", lambda: until + timedelta(days=1))
    with pytest.raises(NotFound):
        changes.get(helper, change)
    monkeypatch.undo()
    authorising.revoke(filer, no)
    with pytest.raises(NotFound):
        changes.get(helper, change)
    service.withdraw(filer, change)
