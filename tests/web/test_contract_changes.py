"""Pages and API of changes, receipts and versions: each in each state, bad input kept, foreign 404."""

from __future__ import annotations

import base64
import io
import re

import pytest
from flask import render_template

from market.contracts.changes import queries as changes
from market.contracts.changes import receipts
from market.core.db import db
from market.core.permissions import SYSTEM
from tests import contracts, people
from tests.web.conftest import ParsingClient
from tests.web.test_desk import token_for

API = "/api/v1/contracts"
NASTY = "</textarea><script>alert(1)</script>"


@pytest.fixture
def prepared_demo(prepared_quiet):
    return prepared_quiet


@pytest.fixture
def seller(demo):
    uscc = contracts.FIELDS["sellers"][0]["uscc"]
    return people.organisation("食品研究所", kind="institute", code="360982", uscc=uscc)


@pytest.fixture
def no(demo, seller):
    filer = people.actor(("owner", seller))
    return contracts.registered_here(filer, seller, contracts.body("own", "360982"))


@pytest.fixture
def browse(demo):
    """A browser that somebody with these roles is signed in with."""
    demo.test_client_class = ParsingClient

    def made(*roles):
        return people.sign_in(demo.test_client(), people.person(*roles))

    return made


def fields_of(page):
    """What the first form for writing on a page would send."""
    found = dict(re.findall(r'<input [^>]*name="([^"]+)" value="([^"]*)"', page.text))
    for name, body in re.findall(
        r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', page.text, re.S
    ):
        chosen = re.search(r'<option value="([^"]*)"[^>]* selected', body)
        found[name] = chosen[1] if chosen else ""
    for name, text in re.findall(
        r'<textarea [^>]*name="([^"]+)"[^>]*>\n(.*?)</textarea>', page.text, re.S
    ):
        found[name] = text
    return found


def send(client, address, **more):
    """Post with the form's token."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(more.pop("of")).text)[1]
    return client.post(address, data={"csrf_token": token, **more})


def test_an_amendment_from_the_form_to_the_new_version(no, seller, browse):
    filer = browse(("owner", seller))
    body = contracts.body("own", "360982").organisation_id
    first, second = browse(("first_examiner", body)), browse(("second_examiner", body))
    form = f"/contracts/{no}/changes/new/amend"
    page = filer.get(form)
    typed = fields_of(page)
    assert typed["sellers-1-telephone"] == "13900000001", "his own, in full"
    assert typed["sellers-1-region_code"].endswith("樟树市")
    bad = filer.post(form, data={**typed, "total_fen": "很多", "reason": NASTY})
    assert bad.status_code == 422
    assert 'value="很多"' in bad.text
    assert "alert(1)</script>" not in bad.text
    made = filer.post(form, data={**typed, "total_fen": "30万", "reason": "补充协议"})
    assert made.status_code == 303, made.text
    address = made.location
    case = filer.get(address)
    assert "28 万元" in case.text
    assert "30 万元" in case.text
    assert "请附上证明材料" in case.text
    refused = send(filer, f"{address}/submit", of=address)
    assert refused.status_code == 422
    file = {"file": (io.BytesIO(contracts.PDF), "补充协议.pdf")}
    assert send(filer, f"{address}/files", of=address, **file).status_code == 303
    assert send(filer, f"{address}/files", of=address).status_code == 422
    # A row that is emptied goes; what was typed before stays.
    again = fields_of(filer.get(f"{address}/edit"))
    assert again["total_fen"] == "300000"
    kept = filer.post(f"{address}/edit", data={**again, "acceptance": "三批合格"})
    assert kept.status_code == 303
    assert first.get(address).status_code == 404, "a draft is its writer's"
    assert send(filer, f"{address}/submit", of=address).status_code == 303
    seen = fields_of(first.get(address))
    wrong = first.post(f"{address}/examine", data={**seen, "technical_fen": "300001"})
    assert wrong.status_code == 422
    assert 'value="300001"' in wrong.text
    assert first.post(f"{address}/examine", data=seen).status_code == 303
    shown = second.get(address)
    assert "按变更后的内容重新出具" in shown.text
    assert second.post(f"{address}/approve", data=fields_of(shown)).status_code == 303
    assert "已办结" in filer.get(address).text
    old = filer.get(f"/contracts/{no}/versions/1")
    assert "已被变更" in old.text
    assert "13900000001" not in old.text
    compared = second.get(f"/contracts/{no}/versions")
    assert "<del>28 万元</del>" in compared.text
    stale = filer.post(form, data={**typed, "reason": "旧页面"})
    assert stale.status_code == 409
    assert "已被第 2 版取代" in stale.text


def test_forms_of_the_other_kinds_keep_what_was_typed(no, seller, browse):
    filer, office = browse(("owner", seller)), browse(("county", None, "360982"))
    for client, kind, words in (
        (filer, "cancel", "解除或失效的日期"),
        (filer, "review", "依据是什么"),
        (office, "annul", "陈述和申辩"),
        (office, "review", "提出的部门和文号"),
    ):
        form = f"/contracts/{no}/changes/new/{kind}"
        assert words in client.get(form).text
        bad = client.post(
            form, data={**fields_of(client.get(form)), "happened_on": "某天", "reason": NASTY}
        )
        assert bad.status_code == 422
        assert "alert(1)&lt;" in bad.text
    assert filer.get(f"/contracts/{no}/changes/new/annul").status_code == 403
    assert filer.get(f"/contracts/{no}/changes/new/other").status_code == 404
    form = f"/contracts/{no}/changes/new/cancel"
    made = filer.post(form, data={**fields_of(filer.get(form)), "reason": "双方解除"})
    assert made.status_code == 303
    assert "请选择理由" in filer.get(made.location).text
    edit = f"{made.location}/edit"
    typed = fields_of(filer.get(edit))
    assert typed["reason"] == "双方解除"
    other = filer.post(edit, data={**typed, "ground": "dissolved"})
    assert other.status_code == 303
    assert filer.post(edit, data={**typed, "ground": "void"}).status_code == 409, "seen before"
    stranger = browse(("owner", people.organisation("旁人")))
    for path in ("", "/edit"):
        assert stranger.get(f"{made.location}{path}").status_code == 404
    assert stranger.get(f"/contracts/{no}/versions/1").status_code == 404
    assert stranger.get(f"/contracts/{no}/receipts").status_code == 404


def test_receipts_on_their_page(no, seller, browse):
    filer, buyer = browse(("owner", seller)), browse(("county", None, "511402"))
    address = f"/contracts/{no}/receipts"
    page = filer.get(address)
    bad = filer.post(
        address, data={**fields_of(page), "amount_fen": "100000", "received_on": "2036-01-01"}
    )
    assert bad.status_code == 422
    assert 'value="100000"' in bad.text
    good = {**fields_of(page), "amount_fen": "30万", "received_on": "2026-03-01"}
    assert filer.post(address, data=good).status_code == 303
    page = filer.get(address)
    assert "到账比登记的成交额多 2 万元" in page.text
    (row,) = receipts.rows(contracts.row(no))
    reverse = f"{address}/{row.receipt.id}/reverse"
    assert send(filer, reverse, of=address).status_code == 422
    assert send(filer, reverse, of=address, reason="记错").status_code == 303
    assert "已在" in filer.get(address).text
    assert buyer.get(address).status_code == 200, "the buyer's county reads what it counts"
    del good["csrf_token"]
    assert send(buyer, address, of="/my", **good).status_code == 403


def test_programs_do_the_same(no, seller, demo):
    client = demo.test_client()
    body = contracts.body("own", "360982").organisation_id
    scopes = ["contracts:contract", "contracts:contract_change"]
    filer = token_for(seller, "owner", scopes)
    first, second = (token_for(body, f"{one}_examiner", scopes) for one in ("first", "second"))
    asked = {"kind": "amend", "reason": "补充协议", "base": 1, "content": {"total_fen": 30_000_000}}
    wrong = {**asked, "content": {"total_fen": "很多", "nothing": 1}}
    assert client.post(f"{API}/{no}/changes", json=wrong, headers=filer).status_code == 422
    key = {**filer, "Idempotency-Key": "a1"}
    made = client.post(f"{API}/{no}/changes", json=asked, headers=key)
    assert made.status_code == 201, made.json
    assert client.post(f"{API}/{no}/changes", json=asked, headers=key).json == made.json
    change = made.json["no"]
    assert [one["name"] for one in made.json["differences"]] == ["total_fen"]
    paper = {"name": "a.pdf", "content": base64.b64encode(contracts.PDF).decode()}
    address = f"{API}/changes/{change}"
    assert client.post(f"{address}/files", json=paper, headers=filer).status_code == 201

    def act(head, action, **more):
        tag = client.get(address, headers=head).headers["ETag"]
        head = {**head, "If-Match": tag}
        return client.post(f"{address}/actions", json={"action": action, **more}, headers=head)

    stale = {**filer, "If-Match": '"v0"'}
    assert client.put(address, json={"reason": "x"}, headers=stale).status_code == 412
    assert act(filer, "submit").json["state"] == "submitted"
    assert act(filer, "examine").status_code == 403
    assert act(first, "examine", technical_fen=25_000_000).json["state"] == "examined"
    assert act(second, "approve", seen="0").status_code == 409
    mark = client.get(address, headers=second).json["touches_mark"]
    assert act(second, "approve", seen=mark).json["state"] == "done"
    told = client.get(f"{API}/{no}/versions", headers=filer).json
    assert [(one["version"], one["content"]["total_fen"]) for one in told["items"]] == [
        (2, 30_000_000),
        (1, 28_000_000),
    ]
    assert client.get(f"{API}/{no}/versions/3", headers=filer).status_code == 404
    paid = {"kind": "price", "received_on": "2026-03-01", "amount_fen": 1_000_000}
    listed = client.post(f"{API}/{no}/receipts", json=paid, headers=filer)
    assert listed.json["totals"]["received_fen"] == 1_000_000
    tag = client.get(f"{API}/{no}/receipts", headers=filer).headers["ETag"]
    back = f"{API}/{no}/receipts/{listed.json['items'][0]['id']}/reversal"
    head = {**filer, "If-Match": tag}
    done = client.post(back, json={"reason": "记错"}, headers=head)
    assert done.json["totals"]["received_fen"] == 0, done.json
    assert client.post(back, json={"reason": "再"}, headers=head).status_code == 412
    db.session.rollback()
    assert len(changes.of_contract(SYSTEM, contracts.row(no))) == 1


def test_the_part_of_the_contracts_page(no, demo):
    """What a contract's page includes: versions, changes, what may be asked."""
    with demo.test_request_context("/"):
        html = render_template("contracts/changes.html", contract=contracts.row(no))
    assert f"/contracts/{no}/receipts" in html
    assert f"/contracts/{no}/versions/1" in html
