"""Papers as downloads, and 证明查验 for everybody, in both languages and by programs."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from market.accounts.people import sessions
from market.contracts.papers import queries, service, sheets, verifying
from market.contracts.workflow import READ
from market.core import files
from market.core.db import db
from market.core.models import AuditEntry
from market.core.permissions import policy
from tests import papers, people
from tests.service import test_contracts as cases
from tests.web.test_api import API

prepared_demo, body, draft = cases.prepared_demo, cases.body, cases.draft
seller, first, second = cases.seller, cases.first, cases.second


@pytest.fixture
def owner(seller):
    return people.person(("owner", seller), name="李四")


@pytest.fixture
def filer(owner):
    return sessions.actor_of(owner)


@pytest.fixture
def number(draft, body, filer, first, second):
    return papers.registered(draft, body, filer, first, second)


def test_everybody_checks_a_certificate(visitor, draft, number):
    code = cases.contract(draft).check_code
    empty = visitor.get("/verify")
    assert 'name="code"' in empty.text
    assert "no-store" not in empty.headers["Cache-Control"]
    whole = visitor.get(f"/verify?no={number}&code={code}")
    assert whole.headers["Cache-Control"] == "no-store"
    assert whole.headers["X-Robots-Tag"] == "noindex"
    for words in ("有效", "技术开发", "28 万元", "24 万元", "第 1 版"):
        assert words in whole.text
    assert "复合调味包" not in whole.text, "the title is nobody's who did not agree"
    english = visitor.get(f"/en/verify?no={number}&code={code}")
    assert "240,000 yuan" in english.text
    bare = visitor.get(f"/verify?no={number}").text
    assert "有效" in bare
    assert "28 万元" not in bare
    wrong = visitor.get(f"/verify?no={number}&code=AAAAAAAA")
    assert (wrong.status_code, "查验码与编号不符" in wrong.text) == (200, True)
    unknown = visitor.get("/verify?no=2026000000000001&code=x")
    assert (unknown.status_code, "没有查到" in unknown.text) == (404, True)
    assert 'value="2026000000000001"' in unknown.text, "what was typed stays"
    home = visitor.get("/").text
    assert 'href="/verify"' in home


def test_programs_check_it_too(visitor, draft, number, monkeypatch):
    code = cases.contract(draft).check_code
    told = visitor.get(f"{API}/verify?no={number}&code={code}").json
    assert (told["state"], told["code_matches"], told["technical_fen"]) == ("valid", True, 24000000)
    assert told["title"] is None
    bare = visitor.get(f"{API}/verify?no={number}").json
    assert (bare["code_matches"], bare["technical_fen"], bare["is_valid"]) == (False, None, True)
    assert visitor.get(f"{API}/verify?no=1").status_code == 404
    assert visitor.get(f"{API}/verify").status_code == 422
    monkeypatch.setattr(
        verifying, "LIMIT", verifying.Limit("contract.verify", 1, verifying.LIMIT.span)
    )
    assert visitor.get("/verify?no=2026000000000001").status_code == 429
    refused = visitor.get(f"{API}/verify?no={number}")
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)


def test_papers_are_handed_out_and_noted(demo, draft, number, owner, filer):
    service.issue_due()
    client = people.sign_in(demo.test_client(), owner)
    offered = queries.offered(filer, cases.contract(draft))
    assert "技术合同登记证明" in dict(offered)
    for label, url in offered:
        response = client.get(url)
        assert response.status_code == 200, label
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.headers["Cache-Control"] == "private, no-store"
    noted = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "contract.print"))
    assert {one.after["paper"] for one in noted} == {
        urlsplit(url).path.rpartition("/")[2].partition(".")[0] for _label, url in offered
    }
    stranger = people.sign_in(demo.test_client(), people.person(name="别人"))
    for _label, url in offered:
        assert stranger.get(url).status_code in {403, 404}
        assert demo.test_client().get(url).status_code == 303


def test_files_of_contracts_are_noted_when_they_are_handed_out(demo, draft, owner, monkeypatch):
    market = demo.extensions["market"]
    gates = {"contract": lambda actor, row: policy.allows(actor, READ, None)}
    monkeypatch.setattr(type(market), "file_gates", property(lambda self: gates))
    contract = cases.contract(draft)
    [row] = files.files_of("contract", contract.id)
    no, key = row.no, contract.id
    client = people.sign_in(demo.test_client(), owner)
    assert client.get(f"/files/{no}").data.startswith(b"%PDF")
    [noted] = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "file.read"))
    assert (noted.object_kind, noted.object_id, noted.after["file"]) == ("contract", key, no)


def test_a_certificate_is_asked_for_anew_on_the_page(demo, draft, number, second, body):
    service.issue_due()
    examiner = people.person(("second_examiner", body.organisation_id), name="复审二")
    client = people.sign_in(demo.test_client(), examiner)
    token = people.token_of(client.get("/account"))
    path = f"/contracts/{draft}/papers/certificate/again"
    done = client.post(path, data={"csrf_token": token})
    assert (done.status_code, urlsplit(done.location).path) == (303, f"/contracts/{draft}")
    assert service.issue_due()
    papers.moved(
        cases.contract(draft), state="cancelled", void_on=cases.contract(draft).registered_on
    )
    assert client.post(path, data={"csrf_token": token}).status_code == 409


def test_the_picture_on_the_certificate_leads_to_the_check(demo, draft, number):
    contract = cases.contract(draft)
    told = sheets.registered(contract)
    assert told["qr"].startswith("<svg")
    asked = parse_qs(urlsplit(sheets.check_address(contract)).query)
    assert asked == {"no": [number], "code": [contract.check_code]}


def test_texts_are_there_for_everybody(visitor):
    response = visitor.get("/contracts/texts/licence.docx")
    assert response.data.startswith(b"PK")
    assert visitor.get("/contracts/texts/nothing.docx").status_code == 404
    assert visitor.get(f"{API}/contract-texts/service").data.startswith(b"PK")
