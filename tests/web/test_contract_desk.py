"""The contract desk as a browser without scripts and a program use it."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from market.contracts.models import Contract, RuleSet
from market.core import clock
from market.core.db import db
from market.core.models import AuditEntry, StoredFile
from market.service_points.models import Admission
from tests import people
from tests.service.test_contract_desk import ELSEWHERE, sent
from tests.service.test_contracts import SELLER
from tests.web.test_api import API
from tests.web.test_desk import token_for

NASTY = "<b>粗</b>"
SCAN = b"%PDF-1.4\n%%EOF\n"


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
def officer(demo):
    return people.person(("county", None, "360982"), name="经办")


@pytest.fixture
def clerk(demo, officer):
    return people.sign_in(demo.test_client(), officer)


def post(client, address, **values):
    page = client.get("/desk/contracts")
    return client.post(address, data={"csrf_token": people.token_of(page), **values})


def state(no):
    db.session.rollback()
    return db.session.scalar(select(Contract.state).where(Contract.no == no))


def test_a_contract_goes_over_the_pages_to_the_register(clerk, filer, seller, demo):
    no, other = sent(filer, seller, title=f"胀袋{NASTY}"), sent(filer, seller, title="另一份")
    here = f"/desk/contracts/{no}"
    page = clerk.get("/desk/contracts")
    assert "胀袋&lt;b&gt;" in page.text
    assert "data-desk" in page.text
    assert post(clerk, "/desk/contracts").status_code == 422
    done = post(clerk, "/desk/contracts", item=[no, other])
    assert clerk.get(done.location).status_code == 200
    assert "已办 0 天" in clerk.get("/desk/contracts?tab=accepted").text
    assert "逾期" not in clerk.get(here).text
    lacking = {"lacks_other": "1", "words_seal": "没有勾选，但写了"}
    page = post(clerk, f"{here}/return", **lacking)
    assert page.status_code == 422
    assert "没有勾选，但写了" in page.text
    wrong = {"is_technology": "yes", "technical_fen": "200000", "opinion": ""}
    page = post(clerk, f"{here}/sheet", **wrong)
    assert page.status_code == 422
    assert "请写明理由" in page.text
    assert 'value="200000"' in page.text
    assert post(clerk, f"{here}/sheet", **wrong, reason_technical_fen="扣除设备").status_code == 303
    assert post(clerk, f"/desk/contracts/{other}/return", lacks_seal="1").status_code == 303
    for tab in ("returned", "cleared", "closed", "examined"):
        assert clerk.get(f"/desk/contracts?tab={tab}").status_code == 200
    masked = clerk.get(f"{here}/copy").text
    assert "13900000001" not in masked
    assert "200000" not in masked, "what was filed is copied, not what was found"
    assert post(clerk, f"{here}/copy", reason="").status_code == 422
    assert "13900000001" in post(clerk, f"{here}/copy", reason="抄录到全国系统").text
    assert db.session.scalar(select(AuditEntry.id).where(AuditEntry.action == "contract.copied"))
    result = {
        "registration_no": "2026360982001", "registered_on": "2026-01-20", "total_fen": "280000",
        "registered_by": "登记处", "technical_fen": "20万",
    }  # fmt: skip
    page = post(clerk, f"{here}/result", **result)
    assert page.status_code == 422
    assert "您填的是 13 位" in page.text
    good = {**result, "registration_no": "2026360982000001", "file": (BytesIO(SCAN), "证明.pdf")}
    assert post(clerk, f"{here}/result", **good).status_code == 303
    assert state(no) == "registered"
    assert db.session.scalar(select(StoredFile.id).where(StoredFile.purpose == "certificate"))
    assert no in clerk.get("/desk/contracts/register?q=胀袋&side=output").text
    assert clerk.get("/desk/contracts/register?since=x").status_code == 200
    table = clerk.get("/desk/contracts/register.xlsx?q=胀袋")
    with ZipFile(BytesIO(table.data)) as book:
        assert "<v>200000</v>" in book.read("xl/worksheets/sheet1.xml").decode(), "adds up"
    assert "2026360982000001" in clerk.get("/desk/contracts/register.csv").text
    stranger = people.sign_in(demo.test_client(), people.person(("county", None, "330106")))
    assert stranger.get(here).status_code == 404
    assert no not in stranger.get("/desk/contracts/register").text


def test_what_was_recorded_already_leads_to_its_case(clerk, officer):
    form = {
        **{name: str(value) for name, value in ELSEWHERE.items() if not name.endswith("_fen")},
        "total_fen": "28万",
        "technical_fen": "25万",
        "buyer_region": "360982",
    }
    page = post(
        clerk, "/desk/contracts/record", **form, seller_nature="021", file=(BytesIO(b"x"), "a.exe")
    )
    assert page.status_code == 422
    assert "泡菜发酵菌剂" in page.text
    assert (
        post(clerk, "/desk/contracts/record", **form, file=(BytesIO(SCAN), "证.pdf")).status_code
        == 303
    )
    page = post(clerk, "/desk/contracts/record", **form)
    assert page.status_code == 422
    assert "这个编号已经录过" in page.text
    assert "/contracts/HT" in page.text
    assert clerk.get("/desk/contracts/record").status_code == 200


def test_rules_and_numbers_have_their_pages(clerk, demo):
    page = clerk.get("/desk/contract-rules")
    assert "还没有施行的" in page.text
    assert "未确认" in page.text
    draft = db.session.scalar(select(RuleSet.id).where(RuleSet.code == "draft-2024-12-20"))
    at = f"/desk/contract-rules/{draft}/enable"
    assert (
        post(clerk, at, area="360982", valid_from="2020-01-01", document="樟科发").status_code
        == 422
    )
    good = {
        "area": "360982",
        "valid_from": clock.today().isoformat(),
        "document": "樟科发〔2026〕1号",
    }
    assert post(clerk, at, **good).status_code == 303
    made = db.session.scalar(select(RuleSet.id).where(RuleSet.enabled_by.is_not(None)))
    assert "樟科发〔2026〕1号" in clerk.get("/desk/contract-rules").text
    end = {"valid_to": clock.today().isoformat(), "document": "樟科发〔2026〕2号", "version": "1"}
    assert post(clerk, f"/desk/contract-rules/{made}/end", **end).status_code == 303
    body = db.session.scalars(select(Admission).where(Admission.mode == "own")).first()
    owner = people.sign_in(
        demo.test_client(),
        people.person(("owner", body.organisation_id), ("second_examiner", body.organisation_id)),
    )
    assert "下一个号" in owner.get("/desk/contract-numbers").text
    wrong = {"from_year": str(clock.today().year), "pattern": "{year}{serial}"}
    page = post(owner, f"/desk/contract-numbers/{body.no}", **wrong)
    assert page.status_code == 422
    assert "{year}{serial}" in page.text
    good = {**wrong, "pattern": "{year}{region}{serial:05d}"}
    assert post(owner, f"/desk/contract-numbers/{body.no}", **good).status_code == 303


def test_examiners_work_at_the_same_desk(demo, filer, seller):
    body = db.session.scalars(select(Admission).where(Admission.mode == "own")).first()
    first, second = (
        people.person((role, body.organisation_id), name=role)
        for role in ("first_examiner", "second_examiner")
    )
    no = sent(filer, seller, body.no)
    here = f"/desk/contracts/{no}"
    one, two = (people.sign_in(demo.test_client(), who) for who in (first, second))
    assert post(one, f"{here}/accept").status_code == 303
    said = {"expert": "王专家", "verdict": "agree", "words": "同意", "said_on": "2026-01-01"}
    assert post(one, f"{here}/opinion", **said, file=(BytesIO(SCAN), "意见.pdf")).status_code == 303
    paper = db.session.scalar(select(StoredFile.no).where(StoredFile.kind == "contract_opinion"))
    assert two.get(f"/files/{paper}").status_code == 200
    mine = people.sign_in(demo.test_client(), people.person(("owner", seller)))
    assert mine.get(f"/files/{paper}").status_code == 404
    assert mine.get(here).status_code in (403, 404)
    assert post(one, f"{here}/sheet", is_technology="yes", proposal="register").status_code == 303
    assert post(one, f"{here}/register").status_code == 403
    assert "退回初审" in two.get(here).text
    assert post(two, f"{here}/send_back").status_code == 422
    assert post(two, f"{here}/register").status_code == 303
    assert state(no) == "registered"


def test_a_program_examines_too(demo, filer, seller):
    no = sent(filer, seller)
    office = people.organisation("樟树市科技管理部门", kind="office", code="360982")
    scopes = ["contracts:contract", "contracts:desk", "contracts:rule_set"]
    head = token_for(office, "county", scopes, "360982")
    client = demo.test_client()

    def call(method, path, body=None, **more):
        return client.open(f"{API}/{path}", method=method, json=body, headers={**head, **more})

    assert call("GET", "contract-desk").json["total"] == 1
    assert call("POST", "contract-desk/accept", {"items": [no]}).json["items"][0]["trouble"] == ""
    one = call("GET", f"contract-desk/{no}")
    assert "clear" in one.json["actions"]
    assert "13900000001" not in one.text
    tag = {"If-Match": one.headers["ETag"]}
    missing = {"missing": [{"code": "seal"}]}
    assert call("POST", f"contract-desk/{no}/deficiencies", missing).status_code == 428
    cleared = call("PUT", f"contract-desk/{no}/sheet", {}, **tag)
    assert cleared.json["state"] == "cleared"
    assert (
        call("POST", f"contract-desk/{no}/refusal", {"refusal": "void"}, **tag).status_code == 412
    )
    sheet = call("POST", f"contract-desk/{no}/copy-sheet", {"reason": "抄录"})
    assert "13900000001" in sheet.text
    result = {
        "registration_no": "2026360982000001", "registered_on": "2026-01-20",
        "registered_by": "登记处", "total_fen": 28000000, "technical_fen": 25000000,
    }  # fmt: skip
    tag = {"If-Match": cleared.headers["ETag"]}
    assert call("PUT", f"contract-desk/{no}/result", result, **tag).json["state"] == "registered"
    assert call("GET", "contract-register?q=胀袋").json["total"] == 1
    party = {"name": "甲", "region": "360982"}
    body = {
        **result, "registration_no": "20263609820001", "title": "外地登记的", "signed_on": "2026-01-02",
        "contract_class": "service", "seller": {**party, "region": "110101"}, "buyer": party,
    }  # fmt: skip
    made = call("POST", "contract-register", body)
    assert (made.status_code, made.json["mode"]) == (201, "elsewhere")
    assert call("POST", "contract-register", body).status_code == 422
    rules = call("GET", "contract-rules")
    assert rules.status_code == 200, rules.text
    assert any(one["in_force"] for one in rules.json["items"])
