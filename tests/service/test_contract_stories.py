"""The stories of the market to their registration: each contract's total and technical value."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, update

from market.contracts import examining, filing, queries, rules
from market.contracts.changes import deciding, receipts, service
from market.core import clock, files
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.service_points.models import Admission
from tests import contracts, people

ALWAYS = (date(2020, 1, 1), date(2030, 12, 31))


@pytest.fixture
def prepared_demo(prepared_quiet):
    return prepared_quiet


def parties(seller, seller_code, buyer, buyer_code, **of_buyer):
    """Seller with its credit code, and buyer, as fields of the form."""
    row = {"name": "卖方（演示）", "uscc": seller, "region_code": seller_code}
    return {
        "sellers": [row],
        "buyers": [{"name": buyer, "region_code": buyer_code, **of_buyer}],
    }


def firm(uscc, code, kind="institute"):
    """An organisation and its filer."""
    key = people.organisation("卖方（演示）", kind=kind, code=code, uscc=uscc)
    return key, people.actor(("owner", key), name="经办人")


def check(no, total, technical, contract_class):
    """The contract as it is registered, with nothing that the checks would ask about amounts."""
    contract = contracts.row(no)
    assert (contract.state, contract.contract_class) == ("registered", contract_class)
    assert (contract.total_fen, contract.technical_fen) == (total * 100, technical * 100)
    found = queries.get(SYSTEM, no).findings
    asked = {"amounts_do_not_add_up", "plan_sum", "royalty_rate", "entry_without_royalty"}
    assert not {one.code for one in found} & asked
    assert not [one for one in found if one.weight == rules.REFUSE]
    return contract


def counts(code):
    return queries.counted(people.region(code), *ALWAYS)


def test_story_1_registered_in_chengdu_and_recorded_by_the_buyers_county(demo):
    office = people.actor(("county", None, "511402"), name="东坡经办")
    no = contracts.recorded_elsewhere(
        office,
        "511402",
        **parties("12510104DEM900011X", "510104", "味业公司（演示）", "511402"),
    )
    contract = check(no, 280_000, 250_000, "development")
    assert (contract.mode, contract.filer_id) == ("elsewhere", None)
    here = counts("511402")
    assert (here.input.contracts, here.input.technical_fen) == (1, 250_000_00)
    assert here.output.contracts == 0


def test_story_2_a_patent_is_assigned_in_a_register_of_its_own(demo):
    uscc = "12511803DEM900012X"
    seller, filer = firm(uscc, "511803")
    body = contracts.body("external", "510000")
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.execute(update(Admission).where(Admission.id == body.id).values(mode="own"))
    no = contracts.registered_here(
        filer,
        seller,
        body,
        title="名优绿茶连续化杀青",
        contract_class="assignment",
        subclass="patent_assignment",
        total_fen="600000",
        technical_fen="380000",
        non_technical_fen="220000",
        non_technical_words="杀青设备",
        rights=[{"kind": "invention", "number": "ZL202310000001.1", "ends": "2043-01-01"}],
        **parties(uscc, "511803", "茶厂（演示）", "511803"),
    )
    contract = check(no, 600_000, 380_000, "assignment")
    assert contract.registration_no.endswith("000001")
    receipts.add(
        filer,
        no,
        {
            "kind": "price",
            "received_on": date(2026, 3, 1),
            "amount_fen": 380_000_00,
            "cost_fen": 30_000_00,
        },
    )
    sums = receipts.totals(contracts.row(no))
    assert (sums.received_fen, sums.net_fen) == (380_000_00, 350_000_00)


def test_story_3_twelve_contracts_one_returned_one_refused(demo):
    uscc = "91510722DEM900013X"
    seller, filer = firm(uscc, "510722", "enterprise")
    office = people.actor(("county", None, "510722"), name="三台经办")
    nos = [
        contracts.drafted(
            filer,
            seller,
            title=f"畜禽粪污处理技术服务 {place}",
            contract_class="service",
            subclass="service",
            field="environment",
            total_fen="72000",
            technical_fen="51000",
            non_technical_fen="21000",
            **parties(uscc, "510722", f"第 {place} 养殖场（演示）", "510722"),
        )
        for place in range(1, 13)
    ]
    rows = [contracts.row(no) for no in nos]
    assert sum(one.total_fen for one in rows) == 864_000_00
    assert sum(one.technical_fen for one in rows) == 612_000_00
    for no in nos:
        filing.submit(filer, no)
    returned, refused = nos[0], nos[-1]
    examining.send_back(office, returned, [{"code": "seal", "words": "章与名称不符"}])
    assert [one.words for one in queries.get(filer, returned).deficiencies] == ["章与名称不符"]
    contracts.with_text(returned)
    filing.submit(filer, returned)
    for no in nos:
        examining.accept(office, no)
        examining.step(office, no, "clear")
    examining.refuse(office, refused, "not_technology", "单纯设备买卖")
    for no in nos[:-1]:
        examining.record(office, no, contracts.result(no))
        check(no, 72_000, 51_000, "service")
    assert contracts.row(refused).refusal == "not_technology"
    place = counts("510722")
    assert (place.output.contracts, place.input.contracts) == (11, 11)
    assert (place.output.total_fen, place.output.technical_fen) == (792_000_00, 561_000_00)
    assert place.output.note == ""


def at_body(code, uscc, seller_code, **fields):
    """Registered in the national system by a body of a region, for a seller of its area."""
    seller, filer = firm(uscc, seller_code)
    body = contracts.body("external", code)
    first, _second = contracts.examiners(body)
    no = contracts.registered_nationally(filer, seller, first, body.no, **fields)
    return no, filer, first


def test_story_4_a_cooperative_keeps_its_meat_fresh(demo):
    uscc = "12630105DEM900014X"
    no, _filer, _first = at_body(
        "630000",
        uscc,
        "630105",
        title="八眉猪冷鲜肉保质期延长",
        contract_class="service",
        subclass="service",
        total_fen="68000",
        technical_fen="68000",
        non_technical_fen="0",
        **parties(uscc, "630105", "养猪合作社（演示）", "630223", uscc="93630223DEM900024X"),
    )
    check(no, 68_000, 68_000, "service")
    assert counts("630223").input.technical_fen == 68_000_00


def test_story_5_royalties_come_in_and_the_contract_is_amended(demo):
    uscc = "12630105DEM900015X"
    no, filer, first = at_body(
        "630000",
        uscc,
        "630105",
        title="枸杞鲜果变温干燥",
        contract_class="licence",
        subclass="secret_licence",
        licence_kind="ordinary",
        rights=[{"kind": "secret"}],
        signed_on="2024-01-05",
        valid_from="2024-01-05",
        valid_to="2029-01-04",
        total_fen="100000",
        technical_fen="100000",
        non_technical_fen="0",
        payment="entry_royalty",
        entry_fen="100000",
        royalty_bp="2 %",
        royalty_base="sales",
        **parties(uscc, "630105", "枸杞公司（演示）", "632822"),
    )
    check(no, 100_000, 100_000, "licence")
    paid = [
        {"kind": "entry", "received_on": date(2024, 2, 1), "amount_fen": 100_000_00},
        _royalty(2024, 1_200_000, 24_000),
        _royalty(2025, 1_800_000, 36_000),
    ]
    for one in paid:
        receipts.add(filer, no, one)
    contract = contracts.row(no)
    rows = receipts.rows(contract)
    assert [row.expected_fen for row in rows] == [None, 24_000_00, 36_000_00]
    assert not [row for row in rows if row.differs]
    sums = receipts.totals(contract)
    assert (sums.received_fen, sums.royalty_fen, sums.beyond_fen) == (
        160_000_00,
        60_000_00,
        60_000_00,
    )
    new = {"total_fen": 160_000_00, "technical_fen": 160_000_00}
    change = service.ask(filer, no, "amend", {"reason": "两年提成到账"}, new)
    service.attach(filer, change, files.take_in("到账凭证.pdf", contracts.PDF))
    service.submit(filer, change)
    deciding.decide(first, change, {})
    check(no, 160_000, 160_000, "licence")
    assert receipts.totals(contracts.row(no)).beyond_fen == 0
    assert counts("632822").input.total_fen == 160_000_00


def _royalty(year, sales, amount):
    return {
        "kind": "royalty",
        "year": year,
        "base_fen": sales * 100,
        "received_on": date(year + 1, 3, 1),
        "amount_fen": amount * 100,
    }


def test_story_6_a_service_point_helps_and_the_city_registers(demo):
    uscc = "12371623DEM900016X"
    seller, filer = firm(uscc, "371623")
    body = contracts.body("external", "371600")
    point = db.session.scalars(select(Admission).where(Admission.parent_id == body.id)).first()
    no = contracts.drafted(
        filer,
        seller,
        title="耐盐小麦新品种",
        contract_class="licence",
        subclass="variety_licence",
        licence_kind="exclusive",
        rights=[{"kind": "variety", "number": "CNA20230001", "ends": "2043-01-01"}],
        total_fen="450000",
        technical_fen="450000",
        non_technical_fen="0",
        **parties(uscc, "371623", "种业公司（演示）", "371623"),
    )
    contracts.helped_by(no, point)
    helper = people.actor(("point_staff", point.organisation_id), name="帮办")
    filing.submit(helper, no, body.no)
    first, _second = contracts.examiners(body)
    examining.accept(first, no)
    examining.step(first, no, "clear")
    examining.record(first, no, contracts.result(no))
    contract = check(no, 450_000, 450_000, "licence")
    assert contract.total_fen < body.amount_fen
    assert counts("371623").output.technical_fen == 450_000_00


def test_story_7_a_county_government_asks_for_advice(demo):
    uscc = "12510104DEM900017X"
    no, _filer, _first = at_body(
        "510000",
        uscc,
        "510104",
        title="草地沙化治理技术咨询",
        contract_class="consulting",
        subclass="consulting",
        field="environment",
        total_fen="96000",
        technical_fen="96000",
        non_technical_fen="0",
        **parties(uscc, "510104", "县人民政府（演示）", "513233", nature="010"),
    )
    check(no, 96_000, 96_000, "consulting")
    assert counts("513233").input.contracts == 1


def test_story_9_a_firm_pays_in_three_instalments(demo):
    uscc = "12360982DEM900019X"
    seller, filer = firm(uscc, "360982")
    plan = [
        {"when": "2026-02-01", "what": "签订后", "amount_fen": "200000"},
        {"when": "2026-08-01", "what": "中试完成", "amount_fen": "200000"},
        {"when": "2029-01-01", "what": "验收", "amount_fen": "100000"},
    ]
    no = contracts.registered_here(
        filer,
        seller,
        contracts.body("own", "360982"),
        title="中药饮片炮制工艺",
        total_fen="500000",
        technical_fen="500000",
        non_technical_fen="0",
        payment="instalments",
        plan=plan,
        field="biomedicine",
        **parties(uscc, "360982", "药业公司（演示）", "360982"),
    )
    check(no, 500_000, 500_000, "development")
    assert clock.today() >= date(2026, 8, 1)
    sums = receipts.totals(contracts.row(no))
    assert (sums.planned_fen, sums.late_fen) == (400_000_00, 400_000_00)
    here = counts("360982")
    assert (here.output.technical_fen, here.input.technical_fen) == (500_000_00, 500_000_00)
