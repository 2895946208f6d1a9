"""Technology contracts: filed, returned once, examined by two, registered here or elsewhere."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from market.contracts import examining, filing, queries
from market.contracts.models import Contract, ContractParty, ContractVersion
from market.contracts.schemas import ContentSchema
from market.core import files
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.models import WorkItem
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.service_points.models import Admission
from tests import people

SELLER = "12511402DEM900001X"
FIELDS = {
    "title": "复合调味包常温胀袋控制",
    "contract_class": "development",
    "subclass": "commissioned",
    "signed_on": "2026-01-05",
    "valid_from": "2026-01-05",
    "valid_to": "2027-01-04",
    "field": "agriculture",
    "rights": [{"kind": "none"}],
    "total_fen": "280000",
    "technical_fen": "250000",
    "non_technical_fen": "30000",
    "payment": "once",
    "subject": "常温胀袋率由 3.2 % 降到 0.5 % 以下，货架期由 6 个月延长到 9 个月。",
    "sellers": [
        {
            "name": "食品研究所",
            "uscc": SELLER,
            "region_code": "360982",
            "legal_person": "李四",
            "telephone": "13900000001",
        }
    ],
    "buyers": [{"name": "调味品厂", "region_code": "511402", "telephone": "13900000002"}],
}


def values(**more):
    return ContentSchema().load({**FIELDS, **more})


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
    return db.session.scalars(select(Admission).where(Admission.mode == "own")).first()


@pytest.fixture
def first(body):
    return people.actor(("first_examiner", body.organisation_id), name="初审")


@pytest.fixture
def second(body):
    return people.actor(("second_examiner", body.organisation_id), name="复审")


def with_text(no):
    """Attach the contract's text."""
    upload = files.take_in("合同.pdf", b"%PDF-1.4\n%%EOF\n")
    contract = queries.find(SYSTEM, no)
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        files.attach(work, upload, "contract", contract.id, purpose="contract")
    return no


@pytest.fixture
def draft(filer, seller):
    return with_text(filing.begin(filer, seller, values()))


def contract(no):
    return db.session.scalars(select(Contract).where(Contract.no == no)).one()


def test_a_contract_goes_through_two_examiners_into_the_register(draft, filer, first, second, body):
    filing.submit(filer, draft, body.no)
    examining.accept(first, draft)
    examining.examine(first, draft, {"technical_fen": 240_000_00, "opinion": "扣除试制材料"})
    number = examining.register(second, draft)
    found = contract(draft)
    assert (found.state, found.registration_no, found.effective) == ("registered", number, 1)
    assert (found.total_fen, found.technical_fen) == (280_000_00, 240_000_00)
    assert found.registered_by == body.title
    version = db.session.scalars(select(ContractVersion)).one()
    assert (version.state, version.findings["technical_fen"]) == ("registered", 240_000_00)
    assert version.content["technical_fen"] == 250_000_00, "what was filed stays as it was"
    assert (
        db.session.scalar(
            select(WorkItem.id).where(
                WorkItem.kind == "contract", WorkItem.object_id == found.id, WorkItem.side != ""
            )
        )
        is None
    )


def test_who_examined_first_does_not_register(draft, filer, body):
    both = people.actor(
        ("first_examiner", body.organisation_id), ("second_examiner", body.organisation_id)
    )
    filing.submit(filer, draft, body.no)
    examining.accept(both, draft)
    examining.examine(both, draft, {})
    with pytest.raises(Denied):
        examining.register(both, draft)
    with pytest.raises(Denied):
        examining.refuse(both, draft, "void", "")
    assert contract(draft).registration_no is None


def test_what_is_missing_is_told_at_once_and_comes_back(draft, filer, first, body):
    filing.submit(filer, draft, body.no)
    examining.accept(first, draft)
    rows = [{"code": "seal", "words": "章与名称不符"}, {"code": "annex", "words": ""}]
    examining.send_back(first, draft, rows)
    case = queries.get(filer, draft)
    assert [one.words for one in case.deficiencies] == ["章与名称不符", "缺少附件"]
    assert case.contract.state == "returned"
    filing.save(filer, draft, values(subject="补写了验收指标"))
    filing.submit(filer, draft, body.no)
    assert contract(draft).state == "submitted"
    with pytest.raises(Invalid):
        examining.send_back(first, draft, [])


def test_the_result_of_the_national_system_is_typed_in(draft, filer, seller, body):
    office = people.actor(("county", None, "360982"), name="经办")
    filing.submit(filer, draft)
    examining.accept(office, draft)
    examining.step(office, draft, "clear")
    good = {
        "registration_no": "20263609820000" + "01",
        "registered_on": date(2026, 1, 20),
        "registered_by": "江西省技术合同登记处",
        "total_fen": 280_000_00,
        "technical_fen": 250_000_00,
    }
    for name, value in (
        ("registration_no", "2026360982001"),
        ("registered_on", date(2036, 1, 1)),
        ("technical_fen", 280_000_01),
        ("registered_by", ""),
    ):
        with pytest.raises(Invalid) as wrong:
            examining.record(office, draft, {**good, name: value})
        assert set(wrong.value.fields) == {name}
    examining.record(office, draft, good)
    assert contract(draft).state == "registered"
    other = with_text(filing.begin(filer, seller, values(title="另一份")))
    filing.submit(filer, other)
    examining.accept(office, other)
    examining.step(office, other, "clear")
    with pytest.raises(Invalid) as twice:
        examining.record(office, other, good)
    assert draft in twice.value.fields["registration_no"][0]


def test_sending_in_names_all_that_is_wrong(filer, seller, body):
    no = filing.begin(filer, seller, values(technical_fen="280001", subject="", buyers=[]))
    with pytest.raises(Invalid) as wrong:
        filing.submit(filer, no, body.no)
    assert set(wrong.value.fields) == {"files", "buyers", "subject", "technical_fen"}
    assert queries.get(filer, no).content["technical_fen"] == 280_001_00, "nothing typed is lost"


def test_a_body_takes_only_sellers_of_its_area(filer, seller, body):
    far = [{**FIELDS["sellers"][0], "region_code": "511402", "uscc": None}]
    no = with_text(filing.begin(filer, seller, values(sellers=far)))
    with pytest.raises(Invalid) as wrong:
        filing.submit(filer, no, body.no)
    assert "服务范围" in wrong.value.fields["body"][0]


def test_a_refused_contract_is_not_taken_again_unchanged(draft, filer, first, second, body):
    filing.submit(filer, draft, body.no)
    examining.accept(first, draft)
    examining.examine(first, draft, {"proposal": "refuse", "refusal": "not_technology"})
    examining.refuse(second, draft, "not_technology", "单纯设备买卖")
    assert (contract(draft).state, contract(draft).refusal) == ("refused", "not_technology")
    again = examining.CONTRACT.find("refused", "submit")
    assert again is None, "a refused case is filed anew or re-examined"


def test_personal_values_are_sealed_and_equal_ones_are_found(draft):
    version = db.session.scalars(select(ContractVersion)).one()
    assert "李四" not in str(version.content)
    assert "13900000001" not in str(version.content)
    keys = db.session.scalars(select(ContractParty.telephone_key)).all()
    assert len(set(keys)) == 2
    assert "1390000" not in str(keys)


def test_only_those_concerned_find_a_contract(draft, filer, body):
    stranger = people.actor(("owner", people.organisation("旁人")), name="旁人")
    office = people.actor(("county", None, "360982"), name="经办")
    first = people.actor(("first_examiner", body.organisation_id), name="初审")
    for one in (stranger, office, first):
        with pytest.raises(NotFound):
            queries.get(one, draft)
    filing.submit(filer, draft, body.no)
    assert queries.get(office, draft).contract.no == draft
    assert queries.get(first, draft).contract.no == draft
    with pytest.raises(NotFound):
        queries.get(stranger, draft)


def test_a_stale_save_is_refused_and_an_equal_one_changes_nothing(draft, filer):
    seen = contract(draft).lock_version
    filing.save(filer, draft, values(), seen)
    assert contract(draft).lock_version == seen
    filing.save(filer, draft, values(title="新的名称"), seen)
    with pytest.raises(Conflict):
        filing.save(filer, draft, values(title="旧页面上的名称"), seen)
    assert contract(draft).title == "新的名称"
