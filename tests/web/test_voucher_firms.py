"""Vouchers for firms and providers: from applying to a claim, on pages and in the API."""

from __future__ import annotations

import io
import re

import pytest
from sqlalchemy import select

from market.core import clock
from market.core.db import db
from market.core.models import AuditEntry, OutboxRow
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.vouchers import answering, applying, claiming, ordering, related, reviewing
from market.vouchers.claim_models import Bar
from market.vouchers.firm_pages.own_data import of_person
from market.vouchers.models import Application, Order
from tests import people, vouchers
from tests.contracts import PDF
from tests.web.conftest import ParsingClient
from tests.web.test_desk import token_for

NASTY = "</textarea><script>alert(1)</script>"
API = "/api/v1"


class Cast:
    """A firm and a provider at their browsers, and the county's clerk."""

    def __init__(self, app):
        app.test_client_class = ParsingClient
        self.firm = people.organisation("甲食品厂（演示）", uscc="91511402MA62U6XX41")
        self.provider = vouchers.provider()
        self.office = people.organisation("科技局（演示）", kind="office")
        self.owner = people.person(("owner", self.firm), name="甲")
        self.buyer = people.sign_in(app.test_client(), self.owner)
        seller = people.person(("owner", self.provider), name="乙")
        self.seller = people.sign_in(app.test_client(), seller)
        self.clerk = people.actor(("county", self.office, "511402"), name="丙")
        self.stranger = people.sign_in(
            app.test_client(), people.person(("owner", people.organisation("丁厂（演示）")))
        )


@pytest.fixture
def cast(app):
    return Cast(app)


def fields_of(page):
    """What the form for writing on a page would send."""
    inputs = re.findall(r'<input [^>]*name="[^"]+" value="[^"]*"[^>]*>', page.text)
    named = [re.search(r'name="([^"]+)" value="([^"]*)"', one).groups() for one in inputs
             if 'type="checkbox"' not in one and 'type="radio"' not in one]  # fmt: skip
    found = dict(named)
    for name, body in re.findall(
        r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', page.text, re.S
    ):
        chosen = re.search(r'<option value="([^"]*)"[^>]* selected', body)
        found[name] = chosen[1] if chosen else ""
    return {name: value for name, value in found.items() if name not in {"drop", "q", "region"}}


def post(client, address, status=303, of="", **more):
    """Send the form of a page with some of its fields changed."""
    page = client.get(of or address)
    answer = client.post(address, data={**fields_of(page), **more})
    assert answer.status_code == status, answer.text
    return answer


def told(kind):
    """Whom messages of a kind were asked for, oldest first, with the state they tell."""
    db.session.rollback()
    rows = db.session.scalars(
        select(OutboxRow).where(OutboxRow.kind == kind).order_by(OutboxRow.id)
    )
    return [(one.payload["organisation_id"], one.payload["values"].get("state")) for one in rows]


def test_from_applying_to_a_claim_that_came_back(cast):
    """Story 8 from the firm's and the provider's chairs: 18,000 by bands give 14,000."""
    bands = [{"upto_fen": "10000", "rate_bp": "100"}, {"rate_bp": "50"}]
    scheme = vouchers.scheme(
        services=[{"code": "test", "label": "检测", "bands": bands, "band_mode": "marginal"}],
        reserve_at="issue", validity_length=3, validity_unit="month", validity_starts="issue",
        evidence=["claim_form", "contract", "promise", "provider_confirmation"],
        claims_without_voucher=None, applicant_sizes=["micro", "small"],
    )  # fmt: skip
    buyer, seller = cast.buyer, cast.seller
    offered = buyer.get("/my/vouchers/apply")
    assert "请补充企业规模" in offered.text
    form = f"/my/vouchers/apply?scheme={scheme}"
    refused = post(buyer, "/my/vouchers/apply", 422, form, size="large", asked_fen="14000",
                   purpose=NASTY)  # fmt: skip
    assert "这家是大型企业" in refused.text
    assert 'value="14000"' in refused.text
    assert "<script>alert" not in refused.text
    above = post(buyer, "/my/vouchers/apply", 422, form, size="small", asked_fen="9万")
    assert "现在最多可申领 5 万元" in above.text
    looked = post(buyer, "/my/vouchers/apply", 200, form, size="small", next="look")
    assert "现在最多可申领" in looked.text
    wrong = post(buyer, "/my/vouchers/apply", of=form, size="small", asked_fen="1万").location
    assert cast.stranger.get(wrong).status_code == 404
    post(buyer, wrong.split("?")[0] + "/withdraw", of=wrong)
    assert "已撤回" in buyer.get(wrong).text
    post(buyer, "/my/vouchers/apply", of=form, size="small", asked_fen="14000")
    no = db.session.scalars(select(Application.no).order_by(Application.id.desc())).first()
    (voucher,) = applying.grant(cast.clerk, no)
    assert told("voucher.decided") == [(cast.firm, "已发放")]
    listed = buyer.get("/my/vouchers")
    assert voucher in listed.text
    assert "14,000 元" in listed.text or "1.4 万元" in listed.text
    assert cast.stranger.get(f"/my/vouchers/{voucher}").status_code == 404

    order = f"/my/vouchers/order?voucher={voucher}"
    typed = {"service": "test", "title": "3 批样品检测", "price_fen": "1.8万"}
    unknown = post(buyer, "/my/vouchers/order", 422, order, **typed, provider="没有的所")
    assert "名录里没有这家服务机构" in unknown.text
    assert 'value="3 批样品检测"' in unknown.text
    typed["provider"] = "检测所（演示）"
    looked = post(buyer, "/my/vouchers/order", 200, order, **typed, next="look")
    assert "1.4 万元" in looked.text
    assert "没有查到关联关系" in looked.text
    much = post(buyer, "/my/vouchers/order", 422, order, **typed, voucher_fen="15000")
    assert "最多可用券 1.4 万元" in much.text
    placed = post(buyer, "/my/vouchers/order", of=order, **typed, voucher_fen="14000").location
    case = placed.split("?")[0]
    assert told("voucher.ordered")[0][0] == cast.provider
    assert "请接单" in seller.get("/my/vouchers?tab=orders").text
    assert case in seller.get("/my").text, "it is the provider's turn"
    assert post(seller, f"{case}/refuse", 422, case, reason="").status_code == 422
    post(seller, f"{case}/confirm", of=case)
    assert cast.stranger.post(f"{case}/deliver").status_code in {403, 404}
    post(seller, f"{case}/deliver", of=case)
    post(buyer, f"{case}/rate", 409, case, version="3", stars="5")
    post(buyer, f"{case}/accept", of=case)
    post(buyer, f"{case}/rate", of=case, stars="5", words="准时")
    assert "很满意" in seller.get(case).text
    assert told("voucher.moved")[-1] == (cast.provider, "已验收")

    begun = f"/my/vouchers/claim?order={case.rsplit('/', 1)[1]}"
    assert seller.get(begun).status_code == 200
    form = post(buyer, "/my/vouchers/claim", of=begun).location
    claim = form.removesuffix("/edit")
    assert seller.get(claim).status_code == 404, "the claim is the firm's"
    bank = {"bank-holder": "甲食品厂", "bank-bank": "某行", "bank-account": "6222000011112222"}
    invoice = {"invoices-1-number": "12345", "invoices-1-day": str(clock.today()),
               "invoices-1-amount_fen": "18000"}  # fmt: skip
    half = fields_of(buyer.get(form)) | {"contract_no": "自存", "invoices-1-number": "12"}
    alone = {"headers": {"Accept": "application/json"}}
    kept = buyer.post(f"{claim}/save", data=half, **alone)
    assert (kept.status_code, kept.json["message"][:10]) == (422, "发票 1：开票日期：")
    half["invoices-1-number"] = ""
    kept = buyer.post(f"{claim}/save", data=half, **alone)
    assert kept.json["lock_version"] == int(half["lock_version"]) + 1
    assert 'value="自存"' in buyer.get(form).text
    bad = post(buyer, f"{claim}/save", 422, form, **bank, **invoice, **{"items-1-paid_fen": "半数"})
    assert "20 位数字" in bad.text
    assert 'value="半数"' in bad.text
    assert 'value="6222000011112222"' in bad.text, "what was typed is never lost"
    invoice["invoices-1-number"] = "9" * 20
    more = {"items-1-paid_fen": "18000", "facts-size": "small", "purpose": "contract",
            "file": (io.BytesIO(b"MZ"), "坏.exe")}  # fmt: skip
    bad = post(buyer, f"{claim}/save", 422, form, **bank, **invoice, **more)
    assert "没有存" in bad.text
    checked = buyer.get(f"{claim}/check")
    assert "佐证材料：服务合同" in checked.text
    assert "1.4 万元" in checked.text
    more["file"] = (io.BytesIO(PDF), "合同.pdf")
    post(buyer, f"{claim}/save", of=form, **invoice, **more, next="check")
    page = buyer.get(form)
    assert "6222000011112222" not in page.text
    assert "合同.pdf" in page.text
    file = re.search(r'href="(/files/\w+)"', page.text)[1]
    assert cast.stranger.get(file).status_code == 404
    assert buyer.get(file).status_code == 200
    db.session.rollback()
    read = select(AuditEntry).where(AuditEntry.action == "file.read")
    assert db.session.scalars(read).first() is not None, "downloads are logged"
    ready = buyer.get(f"{claim}/check")
    assert "可以提交" in ready.text
    assert "请先阅读并承诺" in post(buyer, f"{claim}/submit", 422, f"{claim}/check").text
    sent = post(buyer, f"{claim}/submit", of=f"{claim}/check", promise="1").location
    assert "承诺：所填内容" in buyer.get(sent).text
    assert buyer.get(form).status_code == 303, "out of his hands"
    no = claim.rsplit("/", 1)[1]
    reviewing.review(cast.clerk, no, "return", {"bank": "户名不符", "evidence": "报告缺页"})
    assert told("voucher.returned") == [(cast.firm, "待补正")]
    back = buyer.get(claim)
    assert "户名不符" in back.text
    post(buyer, f"{claim}/answers", of=claim, **{"answer-bank": "x" * 501}, status=422)
    post(
        buyer, f"{claim}/answers", of=claim, **{"answer-bank": "已更正", "answer-evidence": "已补"}
    )
    post(buyer, f"{claim}/save", of=form, **bank)
    post(buyer, f"{claim}/submit", of=f"{claim}/check", promise="1")
    vouchers.checked(cast.clerk, no)
    reviewing.review(cast.clerk, no, "pass")
    row = vouchers.row(no)
    assert (row.state, row.amount_fen) == ("reviewed", 1_400_000)
    assert answering.asked_of(row).answers == {"bank": "已更正", "evidence": "已补"}
    assert "审定" in buyer.get(claim).text
    assert of_person(cast.owner.id)["办理的创新券兑付"]


def test_money_that_must_not_flow_is_told_before_it_is_asked(cast):
    """Story 10 (a), (b): an invoice used elsewhere, a house of the same legal representative; bars."""
    scheme = vouchers.scheme(claims_without_voucher=True)
    other = people.organisation("别处的厂（演示）")
    used = vouchers.submitted(SYSTEM, other, scheme, 100_000, number="8" * 20)
    post(cast.buyer, "/my/vouchers/parties", of="/my/vouchers/parties", legal_person="王小明")
    post(cast.seller, "/my/vouchers/parties", of="/my/vouchers/parties", legal_person="王小明",
         shareholder="赵一\n钱二")  # fmt: skip
    shown = cast.seller.get("/my/vouchers/parties").text
    assert "王小明" not in shown
    assert "填「无」表示没有" in shown
    assert "王*" in shown
    assert set(related.declared(SYSTEM, cast.provider)) == {"legal_person", "shareholder"}
    post(cast.seller, "/my/vouchers/parties", of="/my/vouchers/parties", shareholder="无")
    assert set(related.declared(SYSTEM, cast.provider)) == {"legal_person"}
    form = f"/my/vouchers/claim?scheme={scheme}"
    missing = post(cast.buyer, "/my/vouchers/claim", 422, form, service="test", cost_fen="1000")
    assert "请填写服务机构" in missing.text
    edit = post(cast.buyer, "/my/vouchers/claim", of=form, service="test", cost_fen="1000",
                provider="检测所（演示）").location  # fmt: skip
    claim = edit.removesuffix("/edit")
    day = str(clock.today())
    post(cast.buyer, f"{claim}/save", of=edit, **{
        "invoices-1-number": "8" * 20, "invoices-1-day": day, "invoices-1-amount_fen": "1000",
        "invoices-1-own_result": "red", "invoices-1-own_on": day,
    })  # fmt: skip
    found = cast.buyer.get(f"{claim}/check").text
    assert f"已用于兑付申请 {used}" in found
    assert "法定代表人相同，属于关联方，不予兑付" in found
    assert "已红冲" in found
    assert "收款账户" in found
    assert "300 元" in found, "the calculation stands there all the same"
    refused = post(cast.buyer, f"{claim}/submit", 422, f"{claim}/check", promise="1")
    assert "请填写收款账户" in refused.text
    stale = fields_of(cast.buyer.get(edit)) | {"contract_no": "我的"}
    post(cast.buyer, f"{claim}/save", of=edit, contract_no="别人的")
    both = cast.buyer.post(f"{claim}/save", data=stale)
    assert both.status_code == 409
    assert 'value="我的"' in both.text
    assert "另一处刚存的：别人的" in both.text
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(
            Bar(organisation_id=cast.firm, region_id=people.region("511402").id, at=clock.now(),
                begins_on=clock.today(), ends_on=clock.today(), reason="虚开发票", by="丙")
        )  # fmt: skip
    assert "虚开发票" in cast.buyer.get("/my/vouchers").text
    assert "已停止申领资格" in cast.buyer.get("/my/vouchers/apply").text


def test_programs_order_and_claim(cast):
    """Where the provider claims: the firm's program orders, the provider's claims."""
    scheme = vouchers.scheme(
        payer_model="provider", reserve_at="order", claims_without_voucher=True,
        evidence=["contract"],
    )  # fmt: skip
    client = cast.buyer.application.test_client()
    scopes = [f"vouchers:{one}" for one in ("application", "voucher", "order", "claim", "party")]
    buyer, seller = token_for(cast.firm, "owner", scopes), token_for(cast.provider, "owner", scopes)

    def call(head, method, path, status, etag="", **more):
        head = {**head, "If-Match": etag} if etag else head
        answer = client.open(f"{API}{path}", method=method, headers=head, **more)
        assert answer.status_code == status, answer.text
        return answer

    body = {"scheme": scheme, "provider": "检测所（演示）", "service": "test", "title": "检测",
            "price_fen": 1_000_000, "voucher_fen": 300_000}  # fmt: skip
    made = call(buyer, "POST", "/my/voucher-orders", 201, json=body)
    no = made.json["no"]
    order = f"/vouchers/orders/{no}"
    for head, action in ((seller, "confirm"), (seller, "deliver"), (buyer, "accept")):
        etag = call(head, "GET", order, 200).headers["ETag"]
        call(head, "POST", f"{order}/actions", 200, etag, json={"action": action})
    assert call(seller, "POST", f"{order}/actions", 412, '"v1"', json={"action": "accept"})
    call(buyer, "POST", "/my/voucher-claims", 403, json={"order": no})
    made = call(seller, "POST", "/my/voucher-claims", 201, json={"order": no}).json
    claim = f"/vouchers/claims/{made['no']}"
    call(buyer, "GET", claim, 404)
    found = call(seller, "GET", f"{claim}/check", 200).json
    assert not found["ready"]
    assert found["outcome"]["amount_fen"] == 300_000
    fields = {
        "items": [{"service": "test", "cost_fen": 1_000_000, "paid_fen": 700_000}],
        "invoices": [{"number": "7" * 20, "day": str(clock.today()), "amount_fen": 1_000_000}],
        "bank": {"holder": "检测所", "bank": "某行", "account": "6222000099998888"},
    }
    etag = call(seller, "GET", claim, 200).headers["ETag"]
    call(seller, "PUT", claim, 200, etag, json=fields)
    upload = f"{claim}/files?name=a.pdf&purpose=contract"
    files = call(seller, "POST", upload, 201, data=PDF).json
    assert files["items"][0]["purpose"] == "contract"
    whole = call(seller, "GET", claim, 200)
    assert "6222000099998888" not in whole.text
    call(seller, "POST", f"{claim}/actions", 422, whole.headers["ETag"], json={"action": "submit"})
    sent = call(seller, "POST", f"{claim}/actions", 200, whole.headers["ETag"],
                json={"action": "submit", "promise": True})  # fmt: skip
    assert sent.json["state"] == "submitted"
    assert [one["action"] for one in sent.json["actions"]] == ["withdraw"]
    gone = f"{claim}/files/{files['items'][0]['no']}"
    call(seller, "DELETE", gone, 409, sent.headers["ETag"])
    assert call(buyer, "GET", order, 200).json["claim"] == made["no"]
    assert told("voucher.moved")[-1] == (cast.firm, "审核中")
    etag = call(buyer, "GET", "/my/voucher-parties", 200).headers["ETag"]
    declared = {"legal_person": ["王小明"], "shareholder": []}
    assert call(buyer, "PUT", "/my/voucher-parties", 200, etag, json=declared).json[
        "legal_person"
    ] == ["王**"]
    for kind in ("applications", "orders", "claims"):
        assert call(seller, "GET", f"/my/voucher-{kind}", 200).json["items"] is not None
    call(buyer, "POST", "/my/voucher-applications", 422, json={"scheme": scheme, "asked_fen": 0})


def test_evidence_goes_with_its_file_and_a_service_is_rated_once(cast):
    from market.core import files
    from market.core.errors import Conflict, Invalid
    from market.vouchers import evidence

    owner = people.actor(("owner", cast.firm))
    scheme = vouchers.scheme(reserve_at="order", evidence=["contract", "result"])
    no = claiming.begin(owner, cast.firm, vouchers.values(scheme, 100_000))
    upload = files.keep("合同", PDF, "pdf")
    first = evidence.add(owner, no, upload, "contract").no
    with pytest.raises(Conflict):
        evidence.add(owner, no, upload, "contract")
    evidence.add(owner, no, upload, "result")
    claiming.save(owner, no, vouchers.values(scheme, 200_000))
    assert vouchers.row(no).evidence == ["contract", "result"]
    evidence.remove(owner, no, first)
    assert vouchers.row(no).evidence == ["result"]
    with pytest.raises(Invalid, match="有几处"):
        claiming.submit(owner, no)
    placed = ordering.place(owner, cast.firm, {
        "scheme": scheme, "provider_id": cast.provider, "service": "test", "title": "检测",
        "price_fen": 100_000, "voucher_fen": 30_000,
    })  # fmt: skip
    for who, step in (
        (cast.provider, "confirm"),
        (cast.provider, "deliver"),
        (cast.firm, "accept"),
    ):
        ordering.act(people.actor(("owner", who)), placed, step)
    ordering.rate(owner, placed, 2, "慢")
    with pytest.raises(Conflict, match="已经评价过"):
        ordering.rate(owner, placed, 5)
    row = db.session.scalars(select(Order).where(Order.no == placed)).one()
    assert ordering.rating_of(row).stars == 2


def test_a_provider_redeems_a_voucher_of_a_scheme_that_nobody_reviews(cast):
    """The firm's voucher follows the provider's claim."""
    owner = people.actor(("owner", cast.firm))
    seller = people.actor(("owner", cast.provider))
    scheme = vouchers.scheme(payer_model="provider", reserve_at="issue", review_chain=[])
    (voucher,) = applying.grant(SYSTEM, applying.apply(owner, scheme, cast.firm, 30_000, {}))
    placed = ordering.place(owner, cast.firm, {
        "voucher": voucher, "provider_id": cast.provider, "service": "test", "title": "检测",
        "price_fen": 100_000, "voucher_fen": 30_000,
    })  # fmt: skip
    for who, step in ((seller, "confirm"), (seller, "deliver"), (owner, "accept")):
        ordering.act(who, placed, step)
    no = claiming.begin(seller, cast.provider, vouchers.values(scheme, 100_000, order=placed))
    claiming.submit(seller, no)
    row = vouchers.row(no)
    assert (row.state, row.amount_fen, row.voucher.state) == ("reviewed", 30_000, "redeemed")
