"""The offices' pages of voucher money as browsers without scripts and programs use them."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from sqlalchemy import event, select

from market.accounts.models import Organisation
from market.core import clock
from market.core.db import db
from market.core.errors import Denied
from market.core.models import AuditEntry
from market.vouchers import applying, related, reviewing
from market.vouchers.claim_models import Bar, Payment
from market.vouchers.ledger.reconcile import reconcile
from market.vouchers.models import Voucher
from tests import people, vouchers
from tests.service.test_voucher_money import BANDS, Cast, pot, run_notice
from tests.voucher_cast import ordered
from tests.vouchers import YEAR, row, submitted
from tests.web.conftest import ParsingClient
from tests.web.test_api import API
from tests.web.test_desk import token_for

HERE = "/desk/vouchers"
READINGS = [
    {
        "code": "bands",
        "question": "分档怎样算",
        "options": [
            {"code": "marginal", "label": "分段累计", "sets": {"band_mode": "marginal"}},
            {"code": "whole", "label": "按所在档次全额计算", "sets": {"band_mode": "whole"}},
        ],
    }
]


class Offices(Cast):
    """The cast of the money tests, with browsers."""

    def __init__(self, app):
        super().__init__()
        self.app = app
        app.test_client_class = ParsingClient
        officer = people.person(("county", self.office, vouchers.COUNTY), name="戊")
        treasurer = people.person(("finance", self.office, vouchers.COUNTY), name="己")
        self.desk = people.sign_in(app.test_client(), officer)
        self.purse = people.sign_in(app.test_client(), treasurer)

    def post(self, client, address, expect=303, **values):
        token = people.token_of(client.get(f"{HERE}/bars" if client is self.desk else "/my"))
        answer = client.post(f"{HERE}/{address}", data={"csrf_token": token, **values})
        assert answer.status_code == expect, re.sub(r"<[^>]+>|\s+", " ", answer.text)[:3000]
        return answer.text


@pytest.fixture
def offices(app):
    return Offices(app)


@contextmanager
def counted():
    """The statements that run meanwhile."""
    found = []

    def note(_connection, _cursor, statement, *_more):
        if statement.split(maxsplit=1)[0] in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
            found.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def money(no):
    db.session.rollback()
    return pot(no)


def test_a_claim_goes_over_the_pages_to_the_treasury_and_back(offices):
    """Readings decided, invoices checked, notice, meeting, countersign, file, undo, 退票, recovery."""
    o = offices
    bands = [{"code": "test", "label": "检测", "bands": BANDS}]
    no = vouchers.scheme(
        services=bands, readings=READINGS, notice_days=5, notice_unit="natural",
        random_check_bp="100", bar_years=2,
    )  # fmt: skip
    claim = submitted(o.owner, o.firm, no, 1_800_000, service_from=clock.today(),
                      service_to=clock.today(), provider_id=o.provider)  # fmt: skip
    page = f"claims/{claim}"
    with counted() as statements:
        assert claim in o.desk.get(HERE).text
    assert len(statements) <= 12, statements
    text = o.desk.get(f"{HERE}/{page}").text
    assert "计算明细：分段累计（读法待定）" in text
    assert "1.4 万元" in text
    assert "审核意见" in text
    invoice = row(claim).invoices[0].number
    today = clock.today().isoformat()
    o.post(o.desk, f"{page}/invoice", number=invoice, result="valid", on=today)
    assert "金额还没有确定" in o.post(o.desk, f"{page}/review", 409, decision="pass")
    kept = o.post(o.desk, f"{page}/review", 422, decision="return", reason_bank="  ")
    assert "请逐项写明原因" in kept
    o.post(o.desk, f"{page}/rates", reading_bands="marginal")
    o.post(o.desk, f"{page}/review", decision="pass")
    assert (row(claim).state, row(claim).amount_fen) == ("reviewed", 1_400_000)

    assert claim in o.desk.get(f"{HERE}/batches/new").text
    o.post(o.desk, "batches/new", scheme=no, title="第一批", item=claim)
    batch = f"batches/{row(claim).batch.no}"
    o.post(o.desk, f"{page}/check", words="现场看过")
    early = {"meeting_no": "1", "meeting_on": today, "fund_no": "2", "fund_on": today}
    assert "公示还没有开始" in o.post(o.desk, f"{batch}/decide", 409, **early)
    notice = run_notice(o, row(claim).batch.no)
    line = f"{claim} 甲企业（演示） 1.4 万元"
    assert line in o.desk.get(f"{HERE}/{batch}").text
    assert line in o.app.test_client().get(f"/notices/{notice}").text
    with time_machine.travel(clock.now() + timedelta(days=40), tick=False):
        _to_the_treasury(o, no, claim, page, batch)
    assert reconcile().true


def _to_the_treasury(o, no, claim, page, batch):
    today = clock.today().isoformat()
    o.desk = people.sign_in(
        o.app.test_client(), people.person(("county", o.office, vouchers.COUNTY))
    )
    o.purse = people.sign_in(
        o.app.test_client(), people.person(("finance", o.office, vouchers.COUNTY))
    )
    decided = {
        "meeting_no": "纪要〔3〕",
        "meeting_on": today,
        "fund_no": "文〔9〕",
        "fund_on": today,
    }
    assert "必填" in o.post(o.desk, f"{batch}/decide", 422, **(decided | {"fund_no": ""}))
    o.post(o.desk, f"{batch}/decide", **decided)
    o.post(o.desk, f"{batch}/countersign", 403)
    assert "再次查验" in o.post(o.purse, f"{batch}/countersign", 409)
    key = row(claim).invoices[0].id
    o.post(o.desk, f"{batch}/invoices", on=today, **{f"result_{key}": "valid"})
    o.post(o.purse, f"{batch}/countersign")
    assert o.purse.get(f"{HERE}?tab=pay").status_code == 200

    def sent(*lines):
        head = "兑付编号,国库凭证号,拨付日期,拨付金额"
        data = "\n".join([head, *lines]).encode()
        return {"file": (BytesIO(data), "国库.csv")}

    good = f"{claim},GK7,{today},14000"
    wrong = o.post(o.purse, f"{batch}/file", 422, **sent(good, good, f"DF0,GK8,{today},1"))
    assert "第 3 行" in wrong  # as in the file, below its head
    assert "没有 DF0" in wrong
    assert "不是日期" in o.post(o.purse, f"{batch}/file", 422, **sent(f"{claim},GK7,昨天,14000"))
    assert db.session.scalars(select(Payment)).all() == []
    o.post(o.purse, f"{batch}/file", **sent(good))
    assert money(no)["paid"] == 1_400_000
    o.post(o.purse, f"{batch}/undo")
    assert (money(no)["paid"], row(claim).state) == (0, "batched")
    typed = {"paid_on": today, f"treasury_{claim}": "GK7"}
    o.post(o.purse, f"{batch}/pay", **typed)
    assert (money(no)["paid"], row(claim).batch.state) == (1_400_000, "closed")
    o.post(o.purse, f"{page}/bounce", reason="账号有误")
    assert "不能撤销" in o.post(o.purse, f"{batch}/undo", 409)
    account = {"holder": "别人", "bank": "某行", "account": "62220000111122223333"}
    told = o.post(o.desk, f"{page}/account", 422, **account, reason="企业来函")
    assert "户名须是收款单位" in told
    account["holder"] = "甲企业（演示）"
    o.post(o.desk, f"{page}/account", **account, reason="企业来函")
    assert "更正收款账户" in o.purse.get(f"{HERE}/{page}").text
    assert "3333" in o.desk.get(f"{HERE}/{page}").text
    assert "62220000111122223333" not in o.desk.get(f"{HERE}/{page}").text
    assert "62220000111122223333" in o.post(o.desk, f"{page}/bank", 200, reason="核对")
    o.post(o.purse, f"{batch}/pay", paid_on=today, **{f"treasury_{claim}": "GK9"})
    for paper in (f"{page}/papers/approval.pdf", f"{batch}/papers/summary.pdf",
                  f"{batch}/papers/application.pdf"):  # fmt: skip
        assert o.purse.get(f"{HERE}/{paper}").data.startswith(b"%PDF"), paper
    assert o.purse.get(f"{HERE}/{batch}.xlsx").data[:2] == b"PK"
    books = o.purse.get(f"{HERE}/balances")
    assert "1.4 万元" in books.text
    link = re.search(r'data-label="已拨付".*?href="([^"]+)"', books.text, re.DOTALL)[1]
    entries = o.purse.get(link).text
    assert entries.count("拨付 <span") == 3  # paid, paid, paid again; taken back by 冲正 and 退票
    assert claim in entries
    assert "14000" in o.purse.get(f"{HERE}/balances.csv").text.replace(",", "").replace(".00", "")
    o.post(o.desk, f"{page}/recover", reason="虚开发票")
    assert money(no)["recovered"] == 1_400_000
    bar = db.session.scalars(select(Bar)).one()
    assert bar.ends_on.year == clock.today().year + 2
    o.post(o.desk, f"bars/{bar.id}/lift", reason="复议决定")
    assert "已解除" in o.desk.get(f"{HERE}/bars").text
    told = set(db.session.scalars(select(AuditEntry.action)).all())
    assert {"voucher_bar.lift", "voucher_claim.account", "voucher_claim.unmask"} <= told


def test_applications_are_granted_refused_and_none_of_ones_own_area_shows_elsewhere(offices):
    o = offices
    no = vouchers.scheme(reserve_at="issue", budget_fen=1_000_000)
    first, second, third = (
        applying.apply(o.owner, no, o.firm, fen, {}) for fen in (400_000, 500_000, 700_000)
    )
    page = o.desk.get(f"{HERE}?tab=applications")
    assert page.text.count('name="item"') == 3
    token = people.token_of(page)
    answer = o.desk.post(
        f"{HERE}?tab=applications", data={"csrf_token": token, "item": [second, third]}
    )
    assert answer.status_code == 422
    assert "已发放 1 份" in answer.text
    assert f"{third}：" in answer.text
    o.post(o.desk, f"applications/{first}/grant", 422, faces="4000\n1")
    kept = o.post(o.desk, f"applications/{first}/grant", 422, faces="四千")
    assert "四千</textarea>" in kept
    o.post(o.desk, f"applications/{first}/grant", faces="1000\n2000")
    assert "请写明原因" in o.post(o.desk, f"applications/{third}/refuse", 422, reason="")
    o.post(o.desk, f"applications/{third}/refuse", reason="预算不足")
    voucher = db.session.scalars(select(Voucher.no).where(Voucher.face_fen == 100_000)).one()
    both = people.actor(("owner", o.firm), ("county", o.office, vouchers.COUNTY))
    fourth = applying.apply(o.owner, no, o.firm, 100_000, {})
    with pytest.raises(Denied, match="本单位"):
        applying.grant(both, fourth)
    o.post(o.desk, f"vouchers/{voucher}/freeze", reason="核查")
    assert "已冻结" in o.desk.get(f"{HERE}/applications/{first}").text
    assert o.purse.get(f"{HERE}/applications/{first}").status_code == 404
    assert o.purse.get(f"{HERE}?tab=applications").status_code == 200
    other = people.sign_in(o.app.test_client(), people.person(("county", None, "511403")))
    assert other.get(f"{HERE}/applications/{first}").status_code == 404
    assert first not in other.get(f"{HERE}?tab=applications").text
    owner = people.sign_in(o.app.test_client(), people.person(("owner", o.firm)))
    assert owner.get(f"{HERE}/applications/{first}").status_code == 403
    assert reconcile().true


def test_evidence_shows_both_sides_and_programs_do_the_same(offices):
    o = offices
    no = vouchers.scheme()
    far = Cast("511403")
    elsewhere = vouchers.scheme(region="511403", title="邻县创新券（演示）")
    bank = {"holder": "甲", "bank": "某银行", "account": "6222000099990000"}
    more = {"contract_no": "HT-1", "bank": bank}
    theirs = submitted(far.owner, far.firm, elsewhere, 1_000_000, **more)
    related.declare(o.owner, o.firm, {"telephone": ["028-7654321"]})
    related.declare(o.seller, o.provider, {"telephone": ["028 7654321"]})
    ours = submitted(o.owner, o.firm, no, 1_000_000, provider_id=o.provider, **more)
    text = o.desk.get(f"{HERE}/claims/{ours}").text
    for words in ("同一份合同", "同一收款账户", "邻县创新券（演示）", theirs, "电话"):
        assert words in text
    assert f'href="{HERE}/claims/{theirs}"' not in text  # another county's, named but not open
    scopes = ["vouchers:claim", "vouchers:batch", "vouchers:scheme"]
    head = token_for(o.office, "county", scopes, vouchers.COUNTY)
    client, here = o.app.test_client(), f"{API}/voucher-desk/claims/{ours}"
    found = client.get(here, headers=head)
    assert {one["kind"] for one in found.json["evidence"]} >= {"contract", "account", "related"}
    seen = head | {"If-Match": found.headers["ETag"]}
    body = {"decision": "return", "reasons": {"bank": "账户与他人相同", "contract": "合同重复"}}
    assert client.post(f"{here}/review", json=body, headers=seen).json["state"] == "returned"
    assert client.post(f"{here}/review", json=body, headers=seen).status_code == 412
    assert "合同重复" in o.desk.get(f"{HERE}/claims/{ours}").text
    paper = client.get(f"{here}/papers/deficiency", headers=head)
    assert paper.data.startswith(b"%PDF")
    firm = {
        "scheme": no,
        "organisation": db.session.get_one(Organisation, o.firm).no,
        "until": f"{YEAR + 1}-01-01",
        "reason": "弄虚作假",
    }
    alone = token_for(o.office, "county", ["vouchers:bar"], vouchers.COUNTY)
    answer = client.post(f"{API}/voucher-bars", json=firm, headers=alone)
    assert answer.status_code == 201, answer.text
    assert client.get(f"{API}/voucher-balances", headers=head).json["items"][0]["scheme"] == no


def test_offices_end_over_the_pages_what_nobody_else_ends(offices):
    no = vouchers.scheme(reserve_at="order", budget_fen=900_000)
    order = ordered(offices, scheme=no)
    claim = submitted(offices.owner, offices.firm, vouchers.scheme(), 1_000_000)
    reviewing.review(offices.clerk, claim, "return", {"invoices": "有误"})
    assert claim in offices.desk.get(f"{HERE}?tab=returned").text
    assert "没有补正的" in offices.desk.get(f"{HERE}/claims/{claim}").text
    offices.post(offices.desk, f"claims/{claim}/refuse", reason="一直没有补正")
    assert row(claim).state == "refused"
    address = f"/vouchers/orders/{order}"
    assert address in offices.desk.get(f"{HERE}?tab=orders").text
    page = offices.desk.get(address)
    assert "终止订单（额度退回）" in page.text
    assert "取消订单" not in page.text
    data = {"csrf_token": people.token_of(page), "reason": "没有人再管"}
    assert offices.desk.post(f"{address}/end", data=data).status_code == 303
    assert pot(no)["available"] == 900_000
    schemed = f"schemes/{no}"
    offices.post(offices.desk, f"{schemed}/close", reason="点错了")
    assert "重新受理新的申领" in offices.desk.get(f"{HERE}/{schemed}").text
    offices.post(offices.desk, f"{schemed}/reopen", reason="点错了")
    assert "停止受理新的申领" in offices.desk.get(f"{HERE}/{schemed}").text
