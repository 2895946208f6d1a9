"""Voucher money in the browser: from a rule sheet to the paid claim, by all who act."""

from __future__ import annotations

import io
import re
import urllib.parse
from datetime import timedelta
from types import SimpleNamespace

import openpyxl
import pytest
import time_machine

from market.core import clock
from market.vouchers.ledger.cli import group
from tests.browser.keyboard import Reader
from tests.browser.somebody import day

pytestmark = [pytest.mark.browser, pytest.mark.net, pytest.mark.long]
HERE = "/desk/vouchers"
YUHUAN = "sheet:yuhuan-2023"
# What the sheet leaves open and the county writes into its own.
DECIDED = {
    "validity_starts": "issue", "reserve_at": "issue", "exhaustion": "first_come",
    "claims_without_voucher": "否", "rounding_unit": "fen", "rounding_mode": "down",
    "review_chain-1-level": "county", "notice_days": "5", "notice_unit": "natural",
    "invoice_year": "same",
}  # fmt: skip


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


def write_the_scheme(writer):
    """From the shipped sheet to the first version in force; the scheme's number."""
    writer.open("/desk")
    writer.look("desk")
    writer.go("创新券")
    writer.look("desk-vouchers")
    writer.go("办法", exact=True)
    writer.look("desk-schemes")
    writer.go("新写一份办法")
    writer.fill(base=YUHUAN, title="东坡区科技创新券办法（演示）")
    writer.look("scheme-new")
    writer.send("开始编写")
    no = re.search(r"/schemes/(\w+)/edit", writer.page.url)[1]
    writer.look("scheme-edit")
    said = writer.page.inner_text("details.close-case")
    assert "有效期起算" in said
    writer.fill(**{"services-1-label": "检测和中试服务"}, **DECIDED)
    for code in ("claim_form", "contract", "invoice", "result"):
        writer.page.check(f"[name=evidence][value={code}]")
    for code in ("legal_person", "shareholding", "same_uscc"):
        writer.page.check(f"[name=related_tests][value={code}]")
    writer.fill(gaps="")
    writer.send("保存并试算")
    writer.look("scheme-preview")
    said = writer.said()
    assert "1.4 万元（分段累计） 或 9,000 元（全部按 50 %）" in said, said
    writer.go("东坡区科技创新券办法")
    writer.look("scheme-overview")
    for reading, option in (("bands", "marginal"), ("payer", "enterprise")):
        form = writer.page.locator(
            "form", has=writer.page.locator(f"[name=reading][value={reading}]")
        )
        form.locator(f"[value={option}]").check()
        with writer.page.expect_navigation():
            form.get_by_role("button").click()
        assert "已写进第 1 版的草稿" in writer.said()
    writer.look("scheme-readings")
    writer.go("试算")
    assert "或" not in writer.page.inner_text("section[aria-labelledby=examples]")
    writer.look("scheme-preview-decided")
    writer.go("去发布")
    writer.fill(amount_fen="20 万")
    writer.send("下达预算")
    writer.look("scheme-budget")
    writer.send("发布第 1 版")
    assert "已发布第 1 版" in writer.said()
    writer.look("scheme-live")
    return no


def apply_for(buyer, scheme, amount):
    """One application; its address."""
    buyer.open("/vouchers")
    buyer.go("东坡区科技创新券办法")
    buyer.look("scheme-public")
    buyer.go("申领")
    assert "最多可申领" in buyer.said()
    buyer.fill(asked_fen=amount, purpose="新品上市前的检测和中试")
    buyer.look("apply")
    buyer.send("申领")
    return buyer.page.url.removeprefix(buyer.site).split("?")[0]


def get_the_vouchers(buyer, scheme, clerk):
    """Two applications, above a cap first; granted singly and from the list; the vouchers' numbers."""
    buyer.open(f"/my/vouchers/apply?scheme={scheme}")
    buyer.fill(asked_fen="22000", purpose="检测")
    buyer.send("申领")
    assert "2 万元" in buyer.page.inner_text(".field-error")
    assert buyer.page.input_value("[name=purpose]") == "检测"
    buyer.look("apply-above")
    asked = [apply_for(buyer, scheme, amount) for amount in ("8000", "1.4万")]
    buyer.look("application")
    clerk.open("/desk")
    clerk.look("desk-waiting")
    clerk.open(HERE + "?tab=applications")
    clerk.look("desk-applications")
    clerk.go("东坡酱菜厂")
    clerk.look("desk-application")
    clerk.send("发放")
    assert "已发放" in clerk.said()
    clerk.look("desk-granted")
    clerk.open(asked[1])
    clerk.look("application-for-office")
    clerk.go("到工作台办理")
    clerk.go("申领待审")
    clerk.page.locator("#main [name=item]").first.check()
    clerk.send("发放")
    assert "已发放 1 份" in clerk.said()
    buyer.open("/my/vouchers")
    buyer.look("my-vouchers")
    return sorted(set(re.findall(r"KJQ\d+", buyer.said())))


def order_it(buyer, seller, voucher, price, worth):
    """Placed, confirmed, delivered, accepted; the order's number."""
    buyer.open(f"/my/vouchers/{voucher}")
    buyer.look("voucher")
    buyer.go("下服务订单")
    buyer.fill(
        service="service", title=f"{price} 元的检测", provider="眉山检测所（演示）", price_fen=price,
    )  # fmt: skip
    buyer.send("看看能用多少")
    assert "没有查到关联关系" in buyer.said()
    buyer.look("order-looked")
    buyer.fill(voucher_fen=worth)
    buyer.send("下单")
    order = buyer.page.url.removeprefix(buyer.site).split("?")[0]
    buyer.look("order")
    seller.open("/my/vouchers?tab=orders")
    seller.look("orders-of-the-house")
    seller.go(f"{price} 元的检测")
    seller.send("接单")
    seller.look("order-confirmed")
    seller.send("交付")
    buyer.open(order)
    buyer.look("order-delivered")
    buyer.send("验收")
    buyer.look("order-accepted")
    return order


def type_in(keys, cells):
    """Fill in a form with the keyboard alone, field after field; Enter saves it."""
    keys.skip()
    for name, text in cells.items():
        keys.tab_on(keys.page.locator(f"#main [name='{name}']"), name)
        keys.write(text)
    keys.go()
    assert "已保存" in keys.page.inner_text("#main")


def claim_it(buyer, order, price, invoice):
    """From the accepted order to the claim that was sent; its number."""
    buyer.open(order)
    buyer.go("申请兑付")
    buyer.look("claim-new")
    buyer.send("开始填写")
    no = re.search(r"/claims/(\w+)/edit", buyer.page.url)[1]
    buyer.look("claim-edit")
    type_in(Reader(buyer.page), {
        "items-1-paid_fen": price, "invoices-1-number": invoice, "invoices-1-day": day(),
        "invoices-1-amount_fen": price, "contract_no": f"HT-{price}",
        "bank-holder": "东坡酱菜厂（演示）", "bank-bank": "农商行东坡支行",
        "bank-account": "6222000011112222",
    })  # fmt: skip
    for purpose in ("contract", "invoice", "result"):
        buyer.fill(purpose=purpose)
        buyer.attach(f"{purpose}-{price}.pdf")
        buyer.send("上传并保存")
    buyer.look("claim-filled")
    buyer.send("保存并核对")
    assert "可以提交" in buyer.said()
    buyer.look("claim-check")
    buyer.page.check("[name=promise]")
    buyer.send("申请兑付")
    buyer.look("claim-sent")
    return no


def review_it(clerk, no):
    """Evidence opened, the invoice checked, passed."""
    clerk.open(HERE)
    clerk.look("desk-claims")
    clerk.page.locator("#main tr", has_text=no).get_by_role("link").first.click()
    clerk.page.wait_for_url(f"**/claims/{no}")
    clerk.look("desk-claim")
    file = clerk.page.locator("#main .file-rows a").first.get_attribute("href")
    assert clerk.page.request.get(clerk.site + file).status == 200
    clerk.page.check("[name=decision][value=pass]")
    clerk.send("提交审核意见")
    assert "还没有查验结果" in clerk.page.inner_text("[role=alert], .error-summary")
    clerk.look("desk-claim-unchecked")
    clerk.unfold("登记查验结果")
    clerk.send("登记查验结果")
    clerk.page.check("[name=decision][value=pass]")
    clerk.send("提交审核意见")
    assert "审核通过" in clerk.said()
    clerk.look("desk-claim-passed")


def put_together(clerk):
    """A batch of what was approved, its notice begun; addresses of both."""
    clerk.open(HERE + "?tab=reviewed")
    clerk.look("desk-reviewed")
    clerk.go("编制拨付批次")
    clerk.fill(title="2026 年第一批科技创新券兑付")
    clerk.look("batch-new")
    clerk.send("建立批次")
    batch = clerk.page.url.removeprefix(clerk.site)
    clerk.look("batch")
    clerk.go("填好天数和联系方式后开始")
    clerk.look("notice-draft")
    notice = clerk.page.url.removeprefix(clerk.site)
    assert (clerk.page.input_value("[name=days]"), clerk.page.is_checked("[value=natural]")) == (
        "5",
        True,
    )
    clerk.fill(contact_name="乙审核", contact_telephone="028-38100000",
               contact_address="眉山市东坡区某路 1 号")  # fmt: skip
    clerk.page.check("[name=rule][value=civil_code]")
    clerk.send("保存并核对")
    clerk.look("notice-check")
    if clerk.page.locator("[name=provisional_ok]").count():
        clerk.page.check("[name=provisional_ok]")
    clerk.send("开始公示")
    clerk.look("notice-running")
    return batch, notice.replace("/my/", "/")


def decide_it(writer, batch, claims):
    """The drawn claim looked at, invoices once more, meeting and fund document."""
    writer.open(batch)
    writer.look("batch-noticed")
    for no in claims:
        writer.open(f"{HERE}/claims/{no}")
        if writer.page.locator("#main [name=words]").count():
            writer.fill(words="到现场看过设备和报告，与申请一致。")
            writer.look("claim-drawn")
            writer.send("登记抽查情况")
    writer.open(batch)
    writer.fill(meeting_no="东科纪要〔2026〕3 号", meeting_on=day(), fund_on=day())
    writer.send("登记会议审定")
    assert writer.page.input_value("[name=meeting_no]") == "东科纪要〔2026〕3 号"
    writer.look("batch-no-document")
    writer.fill(fund_no="东财教〔2026〕12 号")
    writer.send("登记会议审定")
    assert "东财教〔2026〕12 号" in writer.said()
    writer.unfold("登记再次查验的结果")
    writer.send("登记查验结果")
    writer.look("batch-decided")


def countersign_and_pay(purse, batch, claims):
    """会签, the tables for the treasury, its numbers typed in."""
    purse.open("/my")
    purse.look("purse-my")
    purse.go("去会签")
    purse.look("purse-desk")
    purse.go("第一批")
    purse.look("purse-batch")
    purse.send("财政会签")
    purse.look("purse-signed")
    assert "合计 2 份" in table_of(purse, "拨付汇总表（XLSX")
    application = purse.print_out("拨付申请")
    assert "2.2 万元" in application or "22,000" in application, application
    summary = purse.print_out("拨付汇总表")
    purse.fill(**{f"treasury_{no}": f"GK2026-{number}" for number, no in enumerate(claims, 1)})
    purse.send("登记拨付")
    assert "已拨付" in purse.said()
    purse.look("purse-paid")
    return application, summary


def table_of(one, words):
    """The cells of a table behind a link, as text."""
    link = one.page.locator("#main").get_by_role("link", name=words).first
    answer = one.page.request.get(urllib.parse.urljoin(one.site, link.get_attribute("href")))
    assert answer.status == 200
    sheet = openpyxl.load_workbook(io.BytesIO(answer.body())).active
    return " ".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row)


def agree_to_the_fen(demo, comes, buyer, writer, claims, notice):
    """Notice, firm's page, desk, balances and ledger say the same: 8,000 + 14,000 = 22,000."""
    visitor = comes(width=360)
    visitor.open(notice)
    visitor.look("notice-over")
    said = visitor.said()
    assert "2 份，2.2 万元" in said
    assert f"{claims[0]} 东坡酱菜厂（演示） 8,000 元" in said
    assert f"{claims[1]} 东坡酱菜厂（演示） 1.4 万元" in said
    buyer.open(f"/vouchers/claims/{claims[1]}")
    buyer.look("claim-paid")
    said = buyer.said()
    assert "1 万元 × 100 % + 8,000 元 × 50 %" in said
    assert "审定 1.4 万元" in said
    assert "国库凭证号 GK2026-2" in said
    buyer.open("/my/vouchers")
    assert buyer.page.locator("td[data-label=余额]").all_inner_texts() == ["0 元", "0 元"]
    writer.open(HERE + "/balances")
    writer.look("balances")
    cells = {
        name: writer.page.inner_text(f"td[data-label={name}]")
        for name in ("年度预算", "可用额度", "已占用额度", "已审定待拨付", "已拨付", "已追回")
    }
    assert list(cells.values()) == ["20 万元", "17.8 万元", "0 元", "0 元", "2.2 万元", "0 元"]
    writer.go("2.2 万元")
    assert writer.page.locator("td[data-label=增减]").all_inner_texts() == [
        "+1.4 万元",
        "+8,000 元",
    ]
    writer.look("entries")
    writer.go(claims[1])
    proof = demo.test_cli_runner().invoke(group, ["reconcile"], obj=SimpleNamespace(app=demo))
    assert proof.exit_code == 0
    assert "已拨付 · 22000 元 · 相符" in proof.output
    assert "可用额度 · 178000 元 · 相符" in proof.output


def test_a_county_pays_by_a_sheet_it_wrote_in_the_browser(town, comes, demo):
    writer, clerk = comes(town.writer), comes(town.examiner)
    scheme = write_the_scheme(writer)
    buyer, seller = comes(town.owner, width=360), comes(town.seller, width=360)
    buyer.open("/vouchers?region=511402")
    buyer.look("schemes-public")
    claims = []
    vouchers_got = get_the_vouchers(buyer, scheme, clerk)
    for voucher, price, worth in zip(
        vouchers_got, ("8000", "18000"), ("8000", "1.4万"), strict=True
    ):
        order = order_it(buyer, seller, voucher, price, worth)
        claims.append(claim_it(buyer, order, price, f"{price:0>20}"))
    for no in claims:
        review_it(clerk, no)
    batch, notice = put_together(clerk)
    clerk.open(batch)
    clerk.fill(meeting_no="1", meeting_on=day(), fund_no="2", fund_on=day())
    clerk.send("登记会议审定")
    assert "公示还没有期满" in clerk.page.inner_text("[role=alert], .error-summary")
    with time_machine.travel(clock.now() + timedelta(days=7), tick=True):
        for one, who in ((writer, town.writer), (buyer, town.owner)):
            one.be(who)
        decide_it(writer, batch, claims)
        countersign_and_pay(comes(town.treasurer, width=360), batch, claims)
        agree_to_the_fen(demo, comes, buyer, writer, claims, notice)
