"""Bad input with voucher money in the browser: a sentence each, and nothing typed is lost."""

from __future__ import annotations

import pytest

from market.accounts.people.sessions import actor_of
from market.core import clock
from market.vouchers import applying
from tests import people, vouchers
from tests.browser.somebody import day, fresh

pytestmark = [pytest.mark.browser, pytest.mark.net, pytest.mark.long]
HERE = "/desk/vouchers"
HOUSE = "眉山检测所（演示）"


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


def a_scheme():
    """A third of the price, invoices of this year, one paper, tests of relations."""
    return vouchers.scheme(
        reserve_at="issue", claims_without_voucher=None, invoice_year="same",
        evidence=["contract"], related_tests=["legal_person", "shareholding"],
    )  # fmt: skip


def a_voucher(town, scheme):
    """A voucher of 3,000 yuan, granted without pages."""
    owner, clerk = actor_of(town.owner), actor_of(town.examiner)
    return applying.grant(clerk, applying.apply(owner, scheme, town.firm, 300_000, {}))[0]


def refused(one, words, **typed):
    """The page says why at its top; what was typed stands there still."""
    said = one.page.inner_text(".error-summary")
    assert words in said, said
    for name, text in typed.items():
        assert one.page.input_value(f"#main [name='{name}']") == text, name


def order_in_vain(buyer, house, voucher):
    """Half a fen, more than the voucher, and the house's own parent."""
    typed = {"service": "test", "title": "十批样品的检测", "provider": HOUSE}
    buyer.open(f"/my/vouchers/order?voucher={voucher}")
    buyer.fill(**typed, price_fen="0.005", voucher_fen="3000")
    buyer.send("下单")
    refused(buyer, "小数太多，最多写到分", price_fen="0.005", **typed)
    buyer.fill(price_fen="10000", voucher_fen="3000.01")
    buyer.send("下单")
    refused(buyer, "最多可用券 3,000 元", voucher_fen="3000.01", **typed)
    buyer.look("refused-order")
    house.open("/my/vouchers/parties")
    house.fill(shareholder="东坡酱菜厂（演示）")
    house.send("保存申报")
    buyer.fill(voucher_fen="3000")
    buyer.send("下单")
    refused(buyer, "属于关联方", voucher_fen="3000", **typed)
    buyer.look("refused-parent")


def claim_in_vain(buyer, voucher):
    """Half a fen, above the voucher, foreign money, last year's invoice; the claim's number."""
    buyer.open(f"/my/vouchers/claim?voucher={voucher}")
    buyer.fill(provider=HOUSE, service="test", cost_fen="10000")
    buyer.send("开始填写")
    typed = {
        "items-1-paid_fen": "10000", "invoices-1-number": "1" * 20,
        "invoices-1-day": f"{clock.today().year - 1}-05-06", "invoices-1-currency": "USD",
        "contract_no": "甲-1", "bank-holder": "东坡酱菜厂（演示）", "bank-bank": "农商行",
        "bank-account": "6222000011112222",
    }  # fmt: skip
    buyer.fill(**typed, **{"invoices-1-amount_fen": "0.005"})
    buyer.send("保存并核对")
    refused(buyer, "发票 1：价税合计：「0.005」小数太多", **typed)
    buyer.fill(asked_fen="3000.01", **{"invoices-1-amount_fen": "10000"})
    buyer.send("保存并核对")
    refused(buyer, "券只够 3,000 元", asked_fen="3000.01", **typed)
    buyer.look("refused-claim")
    buyer.fill(asked_fen="3000")
    buyer.send("保存并核对")
    buyer.page.check("[name=promise]")
    buyer.send("申请兑付")
    for words in ("不是人民币发票", "不在规定的日期内", "缺少佐证材料：服务合同"):
        refused(buyer, words)
    assert "存在股权关系" in buyer.said()
    buyer.look("refused-check")
    return buyer.page.url.split("/claims/")[1].split("/")[0]


def mend_and_send(buyer, no):
    """What was told is mended, saved by itself meanwhile; sent."""
    buyer.go("去补齐")
    buyer.fill(contract_no="甲-2")
    buyer.page.get_by_text("已自动保存").wait_for()
    buyer.open(f"/vouchers/claims/{no}/edit")
    assert buyer.page.input_value("[name=contract_no]") == "甲-2"
    buyer.fill(**{"invoices-1-day": day(), "invoices-1-currency": "", "purpose": "contract"})
    buyer.attach("服务合同.pdf")
    buyer.send("保存并核对")
    buyer.page.check("[name=promise]")
    buyer.send("申请兑付")
    assert "已提交" in buyer.said()


def test_what_may_not_be_is_told_in_a_sentence_and_nothing_typed_is_lost(town, comes):
    voucher = fresh(lambda: a_voucher(town, a_scheme()))
    buyer, house = comes(town.owner, width=360), comes(town.seller)
    order_in_vain(buyer, house, voucher)
    no = claim_in_vain(buyer, voucher)
    mend_and_send(buyer, no)

    both = (("county", town.office, vouchers.COUNTY), ("editor", town.firm))
    insider = comes(fresh(lambda: people.person(*both, name="己两头")))
    insider.open(f"{HERE}/claims/{no}")
    assert "不能审核自己录入的、本单位的或由本单位提供服务的申请" in insider.said()
    assert not insider.page.get_by_role("button", name="提交审核意见").count()
    insider.look("refused-own")
    clerk = comes(town.examiner)
    clerk.open(f"{HERE}/claims/{no}")
    assert "疑似关联方" in clerk.said() or "股东申报中存在持股关系" in clerk.said()
    clerk.unfold("登记查验结果")
    clerk.send("登记查验结果")
    clerk.page.check("[name=decision][value=pass]")
    clerk.fill(reason_provider="看过章程")
    clerk.send("提交审核意见")
    assert "按办法不能通过：企业与服务机构存在股权关系" in clerk.said()
    assert clerk.page.input_value("[name=reason_provider]") == "看过章程"
    clerk.look("refused-related")


def test_a_budget_is_not_cut_below_what_is_held_and_bands_do_not_overlap(town, comes):
    scheme = fresh(a_scheme)
    fresh(lambda: a_voucher(town, scheme))
    writer = comes(town.writer)
    writer.open(f"/desk/vouchers/schemes/{scheme}")
    writer.unfold("调整")
    writer.page.locator("#main details[open] [name=amount_fen]").first.fill("2999.99")
    writer.send("调整预算")
    assert "预算不能低于这个数，没有改动" in writer.said()
    assert writer.page.input_value("details[open] [name=amount_fen]") == "2999.99"
    writer.look("refused-budget")
    writer.open(f"/desk/vouchers/schemes/{scheme}/edit")
    bands = {
        "services-1-rate_bp": "", "services-1-band_mode": "marginal",
        "services-1-bands-1-upto_fen": "1万", "services-1-bands-1-rate_bp": "100",
        "services-1-bands-2-from_fen": "9000", "services-1-bands-2-rate_bp": "50",
    }  # fmt: skip
    writer.fill(**bands)
    writer.send("保存草稿")
    said = writer.page.inner_text(".error-summary")
    assert "档" in said, said
    assert writer.page.input_value("[name='services-1-bands-2-from_fen']") == "9000"
    writer.look("refused-bands")
