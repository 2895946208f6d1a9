"""What bodies and offices do with contracts: many at once, sheets, experts, upwards, evidence."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from market.accounts.verification.models import Profile
from market.contracts import examining, filing, limits, serials
from market.contracts.desk import (
    elsewhere,
    enabling,
    evidence,
    numbering,
    queries,
    register,
    service,
)
from market.contracts.filing_pages import prechecks
from market.contracts.locking import version_of
from market.contracts.models import Contract, RuleSet
from market.core import clock, files
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.models import CaseEvent, OutboxRow
from market.core.permissions import SYSTEM
from market.core.secrets import seal
from market.core.unit_of_work import unit_of_work
from market.service_points.models import BODY, Admission
from tests import contracts, people
from tests.service.test_contracts import FIELDS, SELLER, values, with_text

RESULT = {
    "registration_no": "2026360982000001",
    "registered_on": date(2026, 1, 20),
    "registered_by": "江西省技术合同登记处",
    "total_fen": 280_000_00,
    "technical_fen": 250_000_00,
}
ELSEWHERE = {
    **RESULT,
    "registration_no": "20263600000001",
    "title": "泡菜发酵菌剂技术许可",
    "contract_class": "licence",
    "signed_on": date(2026, 1, 5),
    "seller": "南昌发酵研究所",
    "seller_region": "樟树市",
    "buyer": "东坡泡菜厂",
    "buyer_region": "511402",
}


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
def office(demo):
    return people.actor(("county", None, "360982"), name="经办")


@pytest.fixture
def buyers_office(demo):
    return people.actor(("county", None, "511402"), name="买方县经办")


@pytest.fixture
def body(demo):
    return db.session.scalars(
        select(Admission).where(Admission.mode == "own").order_by(Admission.id)
    ).first()


@pytest.fixture
def first(body):
    return people.actor(("first_examiner", body.organisation_id), name="初审")


@pytest.fixture
def second(body):
    return people.actor(("second_examiner", body.organisation_id), name="复审")


def sent(filer, seller, to=None, **more):
    """A contract that was sent in."""
    no = with_text(filing.begin(filer, seller, values(**more)))
    filing.submit(filer, no, to)
    return no


def contract(no):
    db.session.rollback()
    return db.session.scalars(select(Contract).where(Contract.no == no)).one()


def change(model, key, **columns):
    """Set columns that no service sets."""
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.execute(update(model).where(model.id == key).values(**columns))


def test_many_are_accepted_each_for_itself_and_nothing_is_late_without_a_clock(
    filer, seller, office
):
    here, gone = sent(filer, seller), sent(filer, seller, title="撤回的")
    filing.withdraw(filer, gone)
    done = {one.no: one.trouble for one in service.accept_many(office, [here, gone, "HT1"])}
    assert done[here] == ""
    assert done[gone]
    assert done["HT1"]
    change(Contract, contract(here).id, accepted_on=clock.today() - timedelta(days=400))
    desk = queries.desk(office, "accepted")
    (line,) = desk.page.items
    assert (line.due, line.late, line.days) == (None, False, 400)
    assert (desk.counts["accepted"], desk.counts["closed"]) == (1, 1)
    assert queries.desk(people.actor(("county", None, "511402")), "accepted").page.total == 0


def test_the_sheet_asks_a_reason_for_each_difference(filer, seller, office):
    no = sent(filer, seller)
    examining.accept(office, no)
    found = {"technical_fen": 200_000_00, "contract_class": "service", "subclass": "service"}
    with pytest.raises(Invalid) as wrong:
        examining.clear(office, no, {**found, "reasons": {"subclass": "只是检测"}})
    assert set(wrong.value.fields) == {"reason_technical_fen", "reason_contract_class"}
    with pytest.raises(Conflict):
        examining.clear(office, no, {"is_technology": False})
    examining.clear(
        office, no, {**found, "reasons": {"subclass": "只是检测"}, "opinion": "扣除材料"}
    )
    row = contract(no)
    sheet = version_of(row).findings
    assert (row.state, row.contract_class, row.technical_fen) == ("cleared", "service", 200_000_00)
    assert sheet["reasons"] == {
        "contract_class": "扣除材料", "subclass": "只是检测", "technical_fen": "扣除材料"
    }  # fmt: skip


def test_who_keeps_a_register_refuses_only_after_two_looked(filer, seller, first, second, body):
    no = sent(filer, seller, body.no)
    examining.accept(first, no)
    with pytest.raises(Conflict):
        examining.refuse(first, no, "void", "")
    examining.examine(first, no, {"is_technology": False})
    with pytest.raises(Conflict):
        examining.register(second, no)
    examining.refuse(second, no, "not_technology", "单纯设备买卖")
    assert contract(no).state == "refused"


def test_rules_are_enabled_for_an_area_and_never_reach_back(filer, seller, office):
    before = sent(filer, seller)
    examining.accept(office, before)
    draft = db.session.scalar(select(RuleSet.id).where(RuleSet.code == "draft-2024-12-20"))
    said = {"valid_from": clock.today(), "document": "樟科发〔2026〕1 号"}
    with pytest.raises(Denied):
        enabling.enable(office, draft, "511402", said)
    with pytest.raises(Invalid):
        enabling.enable(
            office, draft, "360982", {**said, "valid_from": clock.today() - timedelta(days=1)}
        )
    made = enabling.enable(office, draft, "360982", said)
    with pytest.raises(Conflict):
        enabling.enable(office, draft, "360982", said)
    after = sent(filer, seller, title="大额合同", total_fen="6000000", technical_fen="6000000",
                 non_technical_fen="0")  # fmt: skip
    examining.accept(office, after)
    assert contract(before).rule_set_id != made
    assert contract(before).due is None
    assert (contract(after).rule_set_id, contract(after).due is None) == (made, False)
    with pytest.raises(Invalid) as wanted:
        examining.clear(office, after, {})
    assert "no_expert" in wanted.value.fields
    paper = files.take_in("意见.pdf", b"%PDF-1.4\n%%EOF\n")
    heard = {
        "expert": "王专家",
        "verdict": "agree",
        "words": "属于技术开发",
        "said_on": clock.today(),
    }
    service.hear(office, after, heard, paper)
    notes = db.session.scalars(select(CaseEvent.note).where(CaseEvent.action == "opinion")).all()
    assert "王专家" not in str(notes), "the filer reads the timeline"
    examining.clear(office, after, {})
    enabling.end(office, made, {"valid_to": clock.today(), "document": "樟科发〔2026〕2 号"})
    assert contract(after).rule_set_id == made


def test_what_exceeds_a_limit_goes_to_the_body_above(filer, seller, first, body):
    above = db.session.scalars(
        select(Admission).where(Admission.kind == BODY, Admission.id != body.id)
    ).first()
    no = sent(filer, seller, body.no)
    examining.accept(first, no)
    with pytest.raises(Conflict):
        service.pass_up(first, no)
    change(Admission, body.id, parent_id=above.id, amount_fen=100_000_00,
           amount_base="technical_value")  # fmt: skip
    assert limits.beyond(contract(no))
    with pytest.raises(Conflict):
        examining.examine(first, no, {})
    service.pass_up(first, no, "超过限额")
    found = contract(no)
    assert (found.body_id, found.mode, found.state) == (above.id, above.mode, "accepted")
    with pytest.raises(NotFound):
        service.pass_up(first, no)
    told = db.session.scalars(select(OutboxRow.kind).where(OutboxRow.kind.startswith("contract.")))
    assert {"contract.passed_up", "contract.submitted", "contract.moved"} <= set(told)


def test_a_contract_of_another_place_is_recorded_by_the_buyers_county(buyers_office, office):
    no = elsewhere.record(buyers_office, elsewhere.resolve(ELSEWHERE))
    found = contract(no)
    assert (found.state, found.mode, found.filer_id) == ("registered", "elsewhere", None)
    with pytest.raises(Invalid) as twice:
        elsewhere.record(buyers_office, elsewhere.resolve(ELSEWHERE))
    assert no in twice.value.fields["registration_no"][0]
    with pytest.raises(Invalid) as short:
        elsewhere.record(
            buyers_office, elsewhere.resolve({**ELSEWHERE, "registration_no": "2026360000001"})
        )
    assert "13 位" in short.value.fields["registration_no"][0]
    far = {**ELSEWHERE, "registration_no": "20263600000002", "buyer_region": "360982"}
    with pytest.raises(Invalid) as foreign:
        elsewhere.record(buyers_office, elsewhere.resolve(far))
    assert set(foreign.value.fields) == {"buyer_region"}
    odd = {**ELSEWHERE, "registration_no": "20263600000002", "subclass": "training"}
    with pytest.raises(Invalid) as pair:
        elsewhere.record(buyers_office, elsewhere.resolve(odd))
    assert set(pair.value.fields) == {"subclass"}
    with pytest.raises(Invalid):
        elsewhere.resolve({**ELSEWHERE, "buyer_region": "无此县"})

    def hits(actor, **asked):
        return [one.no for one in register.search(actor, asked).items]

    for asked in (
        {"q": "发酵菌剂"},
        {"q": "泡菜厂 许可"},
        {"q": "20263600000001"},
        {"party": "东坡"},
        {"side": "input"},
        {"contract_class": "licence", "at_least": 250_000_00, "since": date(2026, 1, 20)},
    ):
        assert hits(buyers_office, **asked) == [no], asked
    for asked in ({"q": "豆瓣"}, {"side": "output"}, {"at_most": 1}, {"until": date(2026, 1, 19)}):
        assert hits(buyers_office, **asked) == [], asked
    assert hits(office, side="output") == [no], "the seller's county counts it as output"
    assert hits(people.actor(("county", None, "330106"))) == []
    (row,) = register.rows(buyers_office, {})
    assert (row["registration_no"], row["technical"]) == ("20263600000001", 250000)


def test_evidence_names_what_is_the_same_and_refuses_nothing(filer, seller, office):
    buyer = people.organisation("关联厂", code="511402", uscc="91511402DEM0009990")
    for key in (seller, buyer):
        with unit_of_work(SYSTEM) as work:
            work.require(people.MAKE)
            db.session.add(
                Profile(
                    organisation_id=key,
                    shareholders=seal(json.dumps([["赵大", 5100]]), "organisation.shareholders"),
                    updated_at=clock.now(),
                    updated_by="测试",
                )
            )
    party = {"name": "关联厂", "uscc": "91511402DEM0009990", "telephone": "139-0000 0001"}
    one = sent(filer, seller, buyers=[party])
    two = sent(filer, seller, buyers=[party])
    found = evidence.of(office, contract(two))
    kinds = {(item.kind, item.what) for item in found}
    assert kinds == {
        ("duplicate", "疑似重复"), ("file", "附件相同"), ("related", "电话相同"), ("related", "同一股东")
    }  # fmt: skip
    assert found[0].other.no == one
    assert "项目名称、签订日期、成交额" in found[0].words
    told = prechecks.check(filer, two).warnings
    assert {(one.code, one.field) for one in told} >= {("duplicate", "title"), ("file", "files")}
    assert all(one in found_in.words for found_in in told if found_in.code == "duplicate")
    assert "赵大" not in str(told), "what the other side declared is not the filer's to read"
    assert not any(found_in.code == "shareholder" for found_in in told)
    # The same filed by others between the same parties: the filer of a draft learns nothing of it.
    stranger = people.organisation("旁人", code="360982")
    also = people.actor(("owner", stranger))
    names = {"sellers": [{"name": "食品研究所"}], "buyers": [{"name": "关联厂"}]}
    foreign = contracts.drafted(also, stranger, **names)
    codes = {found_in.code for found_in in prechecks.check(also, foreign).warnings}
    assert not codes & {"duplicate", "file", "shareholder"}
    assert evidence.of(office, contract(sent(filer, seller, title="别的", signed_on="2026-01-04",
                                             total_fen="270000", buyers=FIELDS["buyers"])))[0].kind == "file"  # fmt: skip
    examining.accept(office, two)


def test_the_next_number_is_shown_before_it_is_given(filer, seller, first, second, body):
    owner = people.actor(("owner", body.organisation_id), name="管理员")
    said = {"from_year": clock.today().year, "pattern": "{yy}{region}{body}{serial:05d}"}
    with pytest.raises(Invalid):
        numbering.set_format(owner, body.no, said)
    with pytest.raises(NotFound):
        numbering.set_format(filer, body.no, {**said, "body_code": "07"})
    numbering.set_format(owner, body.no, {**said, "body_code": "07"})
    upcoming = numbering.of(numbering.find(owner, body.no)).upcoming
    assert upcoming.endswith("0700001")
    no = sent(filer, seller, body.no)
    examining.accept(first, no)
    examining.examine(first, no, {})
    assert examining.register(second, no) == upcoming
    with pytest.raises(Conflict):
        numbering.set_format(owner, body.no, {**said, "body_code": "08"})
    assert serials.given(body.id, clock.today().year) == 1
