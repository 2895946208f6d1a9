"""Pages of voucher money that concern several claims at once: the treasury's file, awards, cuts."""

from __future__ import annotations

from io import BytesIO

import pytest
from sqlalchemy import select

from market.accounts.models import Organisation
from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM
from market.vouchers import paying, reviewing, schemes
from market.vouchers.claim_models import Claim, Payment
from market.vouchers.ledger.reconcile import reconcile
from tests import people, vouchers
from tests.voucher_cast import approved, batched, paid
from tests.vouchers import checked, row, submitted
from tests.web.test_api import API
from tests.web.test_desk import token_for
from tests.web.test_voucher_offices import HERE, Offices


@pytest.fixture
def offices(app):
    return Offices(app)


def test_a_file_of_the_treasury_pays_several_batches_or_none(offices):
    o, today = offices, clock.today().isoformat()
    claims = []
    for title in ("甲办法（演示）", "乙办法（演示）"):
        no = vouchers.scheme(title=title)
        one = approved(o, no, 1_000_000)
        batch = batched(o, no, [one])
        checked(o.clerk, one)
        paying.countersign(o.finance, batch)
        claims.append(one)
    waits = approved(o, no, 1_000_000)
    batched(o, no, [waits])
    page = o.purse.get(f"{HERE}/treasury")
    assert "甲办法（演示）" in page.text
    assert f"{HERE}/treasury" in o.purse.get(f"{HERE}?tab=pay").text
    assert o.desk.get(f"{HERE}/treasury").status_code == 403
    assert o.purse.get(f"{HERE}/treasury.xlsx").data[:2] == b"PK"

    def sent(*lines):
        head = "兑付编号,国库凭证号,拨付日期,拨付金额"
        return {"file": (BytesIO("\n".join([head, *lines]).encode()), "国库.csv")}

    first, second = (
        f"{one},{number},{today},3000" for one, number in zip(claims, "ab", strict=True)
    )
    wrong = o.post(
        o.purse, "treasury", 422,
        **sent(first, second, second, f"DF0,c,{today},1", f"{waits},d,{today},3000",
               f"{claims[1]},a,{today},3000"),
    )  # fmt: skip
    for words in (
        f"第 4 行：{claims[1]} 重复", "第 5 行：待拨付的批次里没有 DF0", "第 6 行", "财政会签后",
        "第 7 行：国库凭证号 a 重复", "4 处不对",
    ):  # fmt: skip
        assert words in wrong
    assert "请选择国库的拨付表" in o.post(o.purse, "treasury", 422)
    assert db.session.scalars(select(Payment)).all() == []
    o.post(o.purse, "treasury", **sent(first, second))
    assert [row(one).state for one in claims] == ["paid", "paid"]
    assert [row(one).batch.state for one in claims] == ["closed", "closed"]
    far = people.sign_in(
        o.app.test_client(), people.person(("finance", None, "511403"), name="外县")
    )
    assert "甲办法" not in far.get(f"{HERE}/treasury").text
    assert reconcile().true


def test_a_cut_is_seen_before_it_is_fixed_with_a_reason(offices):
    o, year = offices, clock.today().year
    no = vouchers.scheme(budget_fen=300_000, exhaustion="pro_rata", reserve_at="approval",
                         title="核减办法（演示）")  # fmt: skip
    claims = [submitted(o.owner, o.firm, no, cost) for cost in (1_000_000, 500_000)]
    page = f"schemes/{no}/cut"
    assert f"{HERE}/{page}" in o.desk.get(f"{HERE}/schemes/{no}").text
    text = o.desk.get(f"{HERE}/{page}").text
    for words in ("每份按 66.66 % 拨付", "1999.80 元", "999.90 元"):
        assert words in text.replace(",", ""), words
    assert row(claims[0]).decided == {}  # nothing is fixed by looking
    sent = {"year": year, "share": 6_666, "item": claims}
    kept = o.post(o.desk, page, 422, **sent | {"item": claims[:1]})
    assert "必填" in kept
    assert "不用核减" in kept  # one of them alone gets all of its own
    again = o.post(o.desk, page, 200, **sent | {"item": claims[1:], "again": 1, "reason": "纪要"})
    assert "纪要</textarea>" in again
    kept = o.post(o.desk, page, 409, **sent | {"share": 5_000, "reason": "纪要〔5〕"})
    assert "现在的比例是 66.66 %" in kept
    assert "纪要〔5〕" in kept
    o.post(o.desk, page, **sent | {"reason": "纪要〔5〕"})
    assert "按 66.66 %" in o.desk.get(f"{HERE}/{page}?year={year}&done=1").text
    assert "纪要〔5〕" in o.desk.get(f"{HERE}/claims/{claims[0]}").text
    for one in claims:
        checked(o.clerk, one)
        reviewing.review(o.clerk, one, "pass")
    assert [row(one).amount_fen for one in claims] == [199_980, 99_990]
    assert o.purse.get(f"{HERE}/{page}").status_code == 403
    other = people.sign_in(o.app.test_client(), people.person(("county", None, "511403")))
    assert other.get(f"{HERE}/{page}").status_code == 404

    head = token_for(o.office, "county", ["vouchers:scheme", "vouchers:claim"], vouchers.COUNTY)
    late = submitted(o.owner, o.firm, no, 1_000_000)
    client, here = o.app.test_client(), f"{API}/voucher-desk/schemes/{no}/cut"
    seen = client.get(f"{here}?year={year}&claims={late}", headers=head)
    assert (seen.json["share_bp"], seen.json["claims"][0]["whole_fen"]) == (1, 300_000)
    body = {"year": year, "claims": [late], "share_bp": 1, "reason": "纪要〔6〕"}
    assert client.put(here, json=body, headers=head).status_code == 428
    done = client.put(here, json=body, headers=head | {"If-Match": seen.headers["ETag"]})
    assert done.json["claims"][0]["cut_fen"] == 30
    assert reconcile().true


def test_an_office_enters_an_award_and_a_colleague_decides_it(offices):
    o, year = offices, clock.today().year
    no = vouchers.scheme(award={"rate_max_bp": "10", "words": "不超过服务额的 10 %"},
                         title="奖励办法（演示）")  # fmt: skip
    paid(o, no, [approved(o, no, 1_000_000, provider_id=o.provider)], "PAGE-")
    page, provider = f"schemes/{no}/awards", db.session.get(Organisation, o.provider).no
    assert f"{HERE}/{page}" in o.purse.get(f"{HERE}/schemes/{no}").text
    text = o.desk.get(f"{HERE}/{page}").text
    for words in (
        "检测所（演示）",
        "服务额 1 万元",
        "最高 1000 元",
        "不超过服务额的 10 %",
        "请填收款账户",
    ):
        assert words in text.replace(",", ""), words
    sent = {"year": year, "provider": provider, "holder": "检测所", "bank": "某银行"}
    kept = o.post(o.desk, page, 422, **sent)
    assert "要填全" in kept
    assert 'value="检测所"' in kept
    assert "请填写服务机构的收款账户" in o.post(o.desk, page, 422, year=year, provider=provider)
    o.post(o.purse, page, 403, **sent, account="62220001")
    o.post(o.desk, page, **sent, account="6222000155556666")
    claim = db.session.scalars(select(Claim).where(Claim.kind == "award")).one()
    assert (claim.state, claim.asked_fen, claim.claimant_id) == ("submitted", 100_000, o.provider)
    no_claim = f"claims/{claim.no}"
    text = o.desk.get(f"{HERE}/{no_claim}").text
    assert "请由另一位同事办理" in text
    assert "服务机构奖励" in text
    assert claim.no in o.desk.get(f"{HERE}/{page}").text
    seller = people.sign_in(o.app.test_client(), people.person(("owner", o.provider)))
    for end in ("", "/edit", "/check"):
        assert seller.get(f"/vouchers/claims/{claim.no}{end}").status_code in {200, 303}
    assert "服务机构奖励" in seller.get(f"/vouchers/claims/{claim.no}").text
    colleague = people.person(("county", o.office, vouchers.COUNTY), name="庚")
    o.desk = people.sign_in(o.app.test_client(), colleague)
    assert "办法：最高 10 %" in o.desk.get(f"{HERE}/{no_claim}").text
    o.post(o.desk, f"{no_claim}/rates", rate_award="5")
    o.post(o.desk, f"{no_claim}/review", decision="pass")
    assert (row(claim.no).state, row(claim.no).amount_fen) == ("reviewed", 50_000)

    paid(o, no, [approved(o, no, 2_000_000, provider_id=o.provider)], "MORE-")
    head = token_for(o.office, "county", ["vouchers:scheme", "vouchers:claim"], vouchers.COUNTY)
    client, here = o.app.test_client(), f"{API}/voucher-desk/schemes/{no}/awards"
    found = client.get(here, headers=head).json["items"][0]
    assert (found["provider"], found["volume_fen"], found["most_fen"]) == (
        provider, 2_000_000, 200_000,
    )  # fmt: skip
    body = {"provider": provider, "year": year}
    made = client.post(here, json=body, headers=head | {"Idempotency-Key": "award-1"})
    assert (made.status_code, made.json["asked_fen"]) == (201, 200_000)
    assert "6666" in made.json["account"]  # of the award before
    assert client.post(here, json=body, headers=head).status_code == 409
    assert reconcile().true


def test_what_others_add_shows_in_the_calculation_the_batch_and_its_papers(offices):
    o = offices
    tops = [{"payer": "511400", "label": "市", "ratio": "1"}, {"payer": "510000", "ratio": "1/2"}]
    no = vouchers.scheme(top_ups=tops)
    form = o.desk.get(f"{HERE}/schemes/{no}").text
    assert 'value="511400"' in form  # the city may be given a budget here
    schemes.set_budget(SYSTEM, no, clock.today().year, 500_000, "511400", key="city")
    claim = submitted(o.owner, o.firm, no, 1_000_000)
    seller = people.sign_in(o.app.test_client(), people.person(("owner", o.firm)))
    for text in (o.desk.get(f"{HERE}/claims/{claim}").text,
                 seller.get(f"/vouchers/claims/{claim}").text):  # fmt: skip
        assert "配套：市" in text
        assert "没有下达本办法" in text
    checked(o.clerk, claim)
    reviewing.review(o.clerk, claim, "pass")
    batch = batched(o, no, [claim])
    text = o.desk.get(f"{HERE}/batches/{batch}").text
    for words in ("含配套 3000 元", "出资：", "6000 元"):
        assert words in text.replace(",", ""), words
    assert "合计拨付 6000 元" in o.desk.get(f"{HERE}/claims/{claim}").text.replace(",", "")
    for paper in (f"batches/{batch}/papers/summary.pdf", f"claims/{claim}/papers/approval.pdf"):
        assert o.desk.get(f"{HERE}/{paper}").data.startswith(b"%PDF"), paper
    assert o.desk.get(f"{HERE}/batches/{batch}.xlsx").data[:2] == b"PK"
    head = token_for(o.office, "county", ["vouchers:batch", "vouchers:claim"], vouchers.COUNTY)
    told = o.app.test_client().get(f"{API}/voucher-batches/{batch}", headers=head).json
    assert (told["total_fen"], told["claims"][0]["top_up_fen"]) == (600_000, 300_000)
    assert sorted(one["fen"] for one in told["payers"]) == [300_000, 300_000]
