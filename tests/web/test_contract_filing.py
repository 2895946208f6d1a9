"""Pages and API of filing a contract: each page in each state, bad input kept, foreign ones hidden."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from market.accounts.people import sessions
from market.contracts import examining, filing, queries
from market.contracts.models import Contract
from market.core import clock, languages
from market.core.db import db
from market.core.models import StoredFile
from market.core.permissions import SYSTEM
from market.matching.intents.models import Intent
from market.service_points.models import POINT, Admission
from tests import people
from tests.service.test_contract_filing import BUYER, SELLER, values
from tests.service.test_contracts import with_text
from tests.web.conftest import check_html
from tests.web.test_desk import token_for

API = "/api/v1"
NASTY = "</textarea><script>alert(1)</script> <b>粗</b>"
PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture
def prepared_demo(prepared_quiet):
    return prepared_quiet


@pytest.fixture
def seller(demo):
    return people.organisation("食品研究所", kind="institute", code="360982", uscc=SELLER)


@pytest.fixture
def buyer(demo):
    return people.organisation("调味品厂", code="511402", uscc=BUYER)


@pytest.fixture
def person(seller):
    return people.person(("editor", seller), name="李四")


@pytest.fixture
def filer(person):
    return sessions.actor_of(person)


@pytest.fixture
def draft(filer, seller, buyer):
    return with_text(filing.begin(filer, seller, values()))


@pytest.fixture
def browser(demo, visitor):
    def of(who):
        return people.sign_in(demo.test_client(), who)

    return of


@pytest.fixture
def body(demo):
    rows = db.session.scalars(select(Admission).where(Admission.mode == "own"))
    return next(one for one in rows if one.region.code == "360982")


def contract(no):
    db.session.rollback()
    return db.session.scalars(select(Contract).where(Contract.no == no)).one()


def cells(page):
    """What a browser would send of the form: names and values of its fields."""
    form = next(one for one in check_html(page.text).iter("form") if one.get("id") == "draft")
    found = {}
    for field in form.iter("input"):
        if field.get("type") not in {"submit", "file", "checkbox"}:
            found[field.get("name")] = field.get("value") or ""
    for field in form.iter("textarea"):
        found[field.get("name")] = (field.text or "").strip("\n")
    for field in form.iter("select"):
        chosen = [one.get("value") for one in field.iter("option") if "selected" in one.attrib]
        found[field.get("name")] = chosen[0] if chosen else ""
    return found


def send(client, page, where, **typed):
    token = people.token_of(client.get(page))
    return client.post(where, data={"csrf_token": token, **typed})


def test_from_nothing_to_sent_in_without_scripts(browser, person, seller, body):
    client = browser(person)
    assert "这里还没有技术合同" in client.get("/my/contracts?tab=closed").text
    assert "现在没有办理中的技术合同" in client.get("/my/contracts").text
    wrong = send(client, "/my/contracts/new", "/my/contracts/new", contract_class="service")
    assert wrong.status_code == 422
    assert "请填写项目名称" in wrong.text
    made = send(client, "/my/contracts/new", "/my/contracts/new", title=f"胀袋 {NASTY}")
    assert made.status_code == 303
    edit = made.location
    no = edit.split("/")[2]
    page = client.get(edit)
    assert "&lt;script&gt;" in page.text
    assert "来自单位信息" in page.text
    typed = cells(page) | {"total_fen": "二十八万左右", "buyers-1-name": "调味品厂", "next": "stay"}
    back = client.post(f"/contracts/{no}/save", data=typed)
    assert back.status_code == 422
    assert "二十八万左右" in back.text
    assert "能读的都已保存" in back.text
    assert contract(no).buyer_name == "调味品厂"
    assert "二十八万左右" in client.get(edit).text, "kept on another device too"
    more = client.post(
        f"/contracts/{no}/save",
        data=cells(client.get(edit)) | {"total_fen": "28万", "next": "more-buyers"},
    )
    assert more.location.endswith("more=buyers#buyers")
    page = client.get(more.location)
    assert 'name="buyers-2-name"' in page.text
    check = client.get(f"/contracts/{no}/check").text
    assert "没有合同文本" in check
    assert "技术领域：没有填" in check
    refused = send(client, f"/contracts/{no}/check", f"/contracts/{no}/submit", body=body.no)
    assert refused.status_code == 422
    rest = {
        "contract_class": "development",
        "subclass": "commissioned",
        "signed_on": "2026-01-05",
        "valid_from": "2026-01-05",
        "valid_to": "2036年1月4日",
        "field": "agriculture",
        "technical_fen": "25万",
        "payment": "once",
        "subject": NASTY,
        "rights-1-kind": "none",
        "purpose": "contract",
        "file": (io.BytesIO(PDF), "合同.pdf"),
        "next": "check",
    }
    saved = client.post(f"/contracts/{no}/save", data=cells(page) | rest)
    assert saved.location == f"/contracts/{no}/check"
    shown = client.get(saved.location).text
    assert "委托方加计扣除" in shown
    assert "不是税务意见" in shown
    assert body.title in shown
    sent = send(client, f"/contracts/{no}/check", f"/contracts/{no}/submit", body=body.no)
    assert sent.location == f"/contracts/{no}?sent=1"
    assert "受理前可以撤回" in client.get(sent.location).text
    assert contract(no).body_id == body.id
    assert client.get(edit).location == f"/contracts/{no}", "out of his hands"
    assert no in client.get("/my/contracts").text
    taken = send(
        client, f"/contracts/{no}", f"/contracts/{no}/withdraw", seen=contract(no).lock_version
    )
    assert taken.status_code == 303
    assert contract(no).state == "withdrawn"
    again = send(client, f"/contracts/{no}", f"/contracts/{no}/resume")
    assert again.location == f"/contracts/{no}/edit"


def test_two_who_write_at_once_see_both_versions(browser, person, filer, draft):
    client = browser(person)
    page = client.get(f"/contracts/{draft}/edit")
    typed = cells(page)
    filing.save(filer, draft, values(title="同事改的名称"))
    late = client.post(f"/contracts/{draft}/save", data=typed | {"title": "我改的名称"})
    assert late.status_code == 409
    assert "我改的名称" in late.text
    assert "同事改的名称" in late.text
    quiet = client.post(
        f"/contracts/{draft}/save", data=typed, headers={"Accept": "application/json"}
    )
    assert quiet.status_code == 409
    merged = cells(late) | {"next": "stay"}
    assert client.post(f"/contracts/{draft}/save", data=merged).status_code == 303
    assert contract(draft).title == "我改的名称"
    told = client.post(
        f"/contracts/{draft}/save",
        data=cells(client.get(f"/contracts/{draft}/edit")) | {"subject": "边写边存"},
        headers={"Accept": "application/json"},
    )
    assert told.json["lock_version"] == contract(draft).lock_version
    forged = client.post(f"/contracts/{draft}/save", data=typed | {"csrf_token": "x"})
    assert forged.status_code == 400


def test_files_come_with_a_purpose_and_a_bad_one_loses_nothing(browser, person, draft):
    client = browser(person)
    typed = cells(client.get(f"/contracts/{draft}/edit"))
    locked = b"%PDF-1.7\n/Encrypt 5 0 R\n%%EOF"
    sent = client.post(
        f"/contracts/{draft}/save",
        data=typed
        | {
            "title": "改过的名称",
            "purpose": "ip_certificate",
            "file": [(io.BytesIO(PDF + b"1"), "证书.pdf"), (io.BytesIO(locked), "加密.pdf")],
        },
    )
    assert sent.status_code == 422
    assert "「加密.pdf」没有存：这份 PDF 设了密码" in sent.text
    assert "「证书.pdf」已存" in sent.text
    assert contract(draft).title == "改过的名称"
    page = client.get(f"/contracts/{draft}/edit")
    assert "知识产权证书" in page.text
    row = db.session.scalars(select(StoredFile).where(StoredFile.name == "证书.pdf")).one()
    assert client.get(f"/files/{row.no}").status_code == 200
    dropped = client.post(f"/contracts/{draft}/save", data=cells(page) | {"drop": row.no})
    assert dropped.status_code == 303
    assert client.get(f"/files/{row.no}").status_code == 404


def test_what_came_back_is_answered_and_sent_again(browser, person, filer, draft, body):
    filing.submit(filer, draft, body.no)
    first = people.actor(("first_examiner", body.organisation_id))
    examining.send_back(
        first, draft, [{"code": "technical_value", "field": "technical_fen", "words": "缺依据"}]
    )
    client = browser(person)
    page = client.get(f"/contracts/{draft}")
    assert "缺依据" in page.text
    assert "要补正：缺依据" in client.get(f"/contracts/{draft}/edit").text
    name = re.search(r'name="(answer-\d+)"', page.text)[1]
    version = contract(draft).lock_version
    where = f"/contracts/{draft}/answers"
    long = send(client, f"/contracts/{draft}", where, **{name: "长" * 501, "version": version})
    assert long.status_code == 422
    done = send(
        client,
        f"/contracts/{draft}",
        where,
        **{name: "已附清单", "version": version, "next": "check"},
    )
    assert done.location == f"/contracts/{draft}/check"
    assert "补齐后交回" in client.get(done.location).text
    sent = send(client, f"/contracts/{draft}/check", f"/contracts/{draft}/submit")
    assert sent.status_code == 303
    assert "答：已附清单" in client.get(f"/contracts/{draft}").text


def test_a_point_is_authorised_on_the_page_and_helps(browser, person, draft):
    rows = db.session.scalars(select(Admission).where(Admission.kind == POINT))
    point = next(one for one in rows if one.region.code.startswith("360982"))
    client, page = browser(person), f"/contracts/{draft}"
    assert point.title in client.get(page).text
    nothing = send(client, page, f"{page}/authorise", version=contract(draft).lock_version)
    assert nothing.status_code == 422
    assert "请选择服务点" in nothing.text
    until = (clock.today() + timedelta(days=20)).isoformat()
    done = send(
        client, page, f"{page}/authorise", point=point.no, until=until,
        version=contract(draft).lock_version, paper=(io.BytesIO(PDF + b"p"), "授权书.pdf"),
    )  # fmt: skip
    assert done.status_code == 303, done.text
    helper = browser(people.person(("point_staff", point.organisation_id), name="钱一"))
    assert draft in helper.get("/my/contracts?tab=helped").text
    assert helper.get(f"{page}/edit").status_code == 200
    assert "代为递交" not in helper.get(f"{page}/check").text
    end = send(client, page, f"{page}/revoke", version=contract(draft).lock_version)
    assert end.status_code == 303
    assert helper.get(page).status_code == 404


def test_foreign_contracts_are_not_there(browser, draft):
    stranger = browser(people.person(("owner", people.organisation("旁人")), name="旁人"))
    for address in ("", "/edit", "/check"):
        assert stranger.get(f"/contracts/{draft}{address}").status_code == 404
    token = people.token_of(stranger.get("/my/contracts/new"))
    for address in ("save", "submit", "answers", "authorise", "revoke", "shown", "discard"):
        answer = stranger.post(f"/contracts/{draft}/{address}", data={"csrf_token": token})
        assert answer.status_code == 404, address
    assert draft not in stranger.get("/my/contracts").text
    file = db.session.scalars(select(StoredFile).where(StoredFile.kind == "contract")).first()
    assert stranger.get(f"/files/{file.no}").status_code == 404


def test_the_public_page_says_who_registers(visitor):
    page = visitor.get("/contracts?region=360982").text
    assert "樟树市技术合同登记处" in page
    assert "要准备什么" in page
    text = visitor.get("/contracts/texts/licence.docx")
    assert 'href="/contracts/texts/licence.docx"' in page
    assert text.status_code == 200
    # The public page has its English one; cases and texts are Chinese alone.
    for address in ("/contracts/texts/licence.docx", "/contracts/HT2026000001", "/desk/contracts"):
        assert visitor.get(f"/en{address}").status_code == 404
        with visitor.application.test_request_context("/en/contracts"):
            assert languages.url(address) == address
    assert "没有找到这个地方" in visitor.get("/contracts?q=乌有之乡").text


def test_a_program_files_as_the_page_does(demo, seller, buyer, body):
    client = demo.test_client()
    head = token_for(seller, "editor", ["contracts:contract"])
    fields = {
        "title": "接口来的合同",
        "contract_class": "development",
        "subclass": "commissioned",
        "signed_on": "2026-01-05",
        "valid_from": "2026-01-05",
        "valid_to": "2036-01-04",
        "field": "agriculture",
        "rights": [{"kind": "none"}],
        "total_fen": 280_000_00,
        "technical_fen": 250_000_00,
        "payment": "once",
        "subject": "指标",
        "buyers": [{"name": "调味品厂", "uscc": BUYER, "region_code": "511402"}],
    }
    made = client.post(
        f"{API}/my/contracts", json={"content": fields}, headers=head | {"Idempotency-Key": "1"}
    )
    assert made.status_code == 201, made.json
    no = made.json["no"]
    assert made.json["content"]["sellers"][0]["name"] == "食品研究所"
    again = client.post(
        f"{API}/my/contracts", json={"content": fields}, headers=head | {"Idempotency-Key": "1"}
    )
    assert again.json["no"] == no
    address = f"{API}/contracts/{no}"
    bad = client.put(address, json={"total_fen": "28万"}, headers=head | {"If-Match": "*"})
    assert bad.status_code == 422
    assert bad.json["errors"][0]["pointer"] == "/total_fen"
    seen = client.get(address, headers=head)
    kept = {key: value for key, value in seen.json["content"].items() if value is not None}
    kept["subject"] = "改过的指标"
    saved = client.put(address, json=kept, headers=head | {"If-Match": seen.headers["ETag"]})
    assert saved.status_code == 200, saved.json
    assert saved.json["content"]["subject"] == "改过的指标"
    stale = client.put(address, json=kept, headers=head | {"If-Match": seen.headers["ETag"]})
    assert stale.status_code == 412
    scan = PDF + b"%" + b"0" * (30 * 1024 * 1024)
    paper = {"name": "合同.pdf", "purpose": "contract"}
    added = client.post(f"{address}/files", data=scan, query_string=paper, headers=head)
    assert added.json["items"][0]["purpose"] == "contract", added.json
    checked = client.get(f"{address}/check", headers=head).json
    assert checked["ready"], checked
    assert body.no in {one["no"] for one in checked["bodies"]}
    sent = client.post(
        f"{address}/actions",
        json={"action": "submit", "body": body.no},
        headers=head | {"If-Match": "*"},
    )
    assert sent.json["state"] == "submitted", sent.json
    assert no in {
        one["no"] for one in client.get(f"{API}/my/contracts", headers=head).json["items"]
    }
    other = token_for(people.organisation("旁人"), "editor", ["contracts:contract"])
    assert client.get(address, headers=other).status_code == 404


def test_the_form_begins_from_an_agreed_intent(browser, demo, seller, buyer, person, monkeypatch):
    """The page of the intent leads here; a second click goes on with what is there."""
    from market.contracts import prefill

    given = prefill.Prefill(seller, values(), {"title": "intent"}, "YX2026000001", None)
    monkeypatch.setattr(prefill, "from_intent", lambda actor, no: given)
    client = browser(person)
    address = "/my/contracts/new?intent=YX2026000001"
    assert "从对接意向 YX2026000001 填写" in client.get(address).text
    made = send(client, address, address)
    no = made.location.split("/")[2]
    assert "来自对接意向" in client.get(made.location).text
    assert client.get(address).location == f"/contracts/{no}"
    assert queries.get(SYSTEM, no).version.origins == {"title": "intent"}
    assert db.session.scalars(select(Intent)).first() is None
