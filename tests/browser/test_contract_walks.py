"""A contract from a search result to its registration and beyond, page after page, by all who act."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import select, update

from market.accounts.models import Organisation
from market.accounts.people.models import Person
from market.contracts.papers import service as papers_service
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.demo import intents
from market.demo.load import DATA
from market.demo.play import Play
from market.service_points.models import Admission
from tests import contracts, people
from tests.browser.somebody import day, fresh, index

pytestmark = [pytest.mark.browser, pytest.mark.net, pytest.mark.long]
TEA_FIRM, TEA_INSTITUTE = "91511803DEM000495C", "12511803DEM0003480"
SELLER = "12510104DEM900011X"
NATIONAL, ABROAD = "2026510000123456", "2026510100654321"


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


def own_body():
    """The province's body keeps a register of its own."""
    key = contracts.body("external", "510000").id
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.execute(update(Admission).where(Admission.id == key).values(mode="own"))
    row = db.session.get_one(Admission, key)
    return row.organisation_id, row.title


def agreed_intent():
    """From the tea firm's inquiry, as both sides agree in `test_clerks_day`; its number."""
    lines = (DATA / "cases-intents.jsonl").read_text(encoding="utf-8").splitlines()
    line = next(one for text in lines if (one := json.loads(text))["about"] == "demo-cg-001")
    intents.intent(Play(), {key: line[key] for key in line if key not in {"ask", "reply"}})


def ask_about_the_result(visitor):
    """From words typed on the home page to an inquiry."""
    visitor.open("/")
    visitor.page.get_by_role("combobox", name="要解决什么问题").fill("绿茶 连续化杀青")
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")
    visitor.follow("连续化杀青")
    visitor.follow("我想对接")
    visitor.page.locator("#main [name=text]").fill(
        "想上 500 公斤每小时的连续化杀青，专利能不能整体转让？"
    )
    visitor.send("发出咨询")


def number_in(one):
    """The contract's number on the page that is open."""
    return re.search(r"/contracts/(HT\d+)", one.page.url)[1]


def fill_in(seller):
    """What the intent does not say; what it does stands there."""
    page = seller.page
    assert page.input_value("[name='buyers-1-uscc']") == TEA_FIRM
    assert page.input_value("[name='contract_class']") == "assignment"
    seller.fill(
        signed_on=day(20), signed_at="雅安市名山区", valid_from=day(20), valid_to="2030-12-31",
        aim="agriculture", plan_source="none", total_fen="60万", technical_fen="61万",
        non_technical_fen="22万", non_technical_words="连续化杀青设备 22 万元",
        acceptance="鲜叶 500 公斤每小时连续运行 72 小时，能耗比原线低三成。",
        payment="instalments",
    )  # fmt: skip
    seller.fill(**{
        "rights-1-kind": "invention", "rights-1-number": "ZL202310000001.1",
        "rights-1-holder": "蒙山茶业科学研究所（演示）", "rights-1-ends": "2043-01-01",
    })  # fmt: skip
    for purpose, name in [("contract", "专利权转让合同.pdf"), ("price_notice", "价格公示.pdf")]:
        seller.page.select_option("[name=purpose]", purpose)
        seller.attach(name)
        seller.send("上传")
        assert name in seller.said()
    seller.look("contract-form")
    seller.send("登记前自查")
    assert "技术交易额" in seller.page.inner_text("section[aria-labelledby=must]")
    seller.look("contract-check")
    seller.page.locator("section[aria-labelledby=must] a[href*=technical]").first.click()
    seller.page.wait_for_url("**/edit#*")
    seller.fill(technical_fen="38万")


def own_point():
    """The service point near the tea institute is run by somebody else; by whom."""
    entries = db.session.scalars(select(Admission)).all()
    point = next(one for one in entries if one.title.startswith("百丈镇"))
    keeper = people.organisation("百丈镇便民服务中心（演示）", code="511803")
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        moved = update(Admission).where(Admission.id == point.id).values(organisation_id=keeper)
        db.session.execute(moved)
    return keeper


def helper_of(keeper):
    """Somebody who works at the service point."""
    return fresh(lambda: people.person(("point_staff", keeper), name="丙帮办"))


def authorise(seller, no):
    """The seller lets the service point help with this contract alone."""
    seller.open(f"/contracts/{no}")
    seller.unfold("委托服务点")
    name = seller.page.locator("[name=point] option", has_text="百丈镇").first.inner_text()
    seller.page.select_option("[name=point]", label=name)
    seller.fill(until=day(-30))
    seller.attach("授权书.pdf", "paper")
    seller.send("委托")
    assert "已委托" in seller.said()


def register(no, first, second):
    """Two people: accepted, examined; registered."""
    first.open("/desk/contracts")
    first.look("contract-desk")
    first.follow("杀青")
    first.send("受理")
    first.look("contract-examine")
    first.fill(opinion="设备价款已扣除")
    first.send("初审完毕，送复审")
    assert not first.page.locator("#main").get_by_role("button", name="准予登记").count()
    second.open(f"/desk/contracts/{no}")
    assert "设备价款已扣除" in second.said()
    second.look("contract-second")
    second.send("准予登记")
    assert "已登记" in second.said()


def amend(no, seller, first, second):
    """The price goes down by an agreement; the old version stays."""
    seller.open(f"/contracts/{no}")
    seller.follow("变更登记")
    seller.look("change-amend")
    seller.fill(
        reason="双方于本月签订补充协议，设备价款减少 2 万元。", total_fen="580000",
        non_technical_fen="200000",
    )  # fmt: skip
    seller.send("保存草稿")
    seller.attach("补充协议.pdf")
    seller.send("上传")
    seller.look("change-case")
    seller.send("提交变更登记")
    change = seller.page.url.removeprefix(seller.site)
    first.open(change)
    first.look("change-first")
    first.send("初审完毕，送复审")
    second.open(change)
    second.look("change-second")
    second.send("予以办理")


def verify(visitor, number, code=""):
    """What anybody finds of a paper."""
    visitor.open("/verify")
    visitor.fill(no=number, code=code)
    visitor.send("查验")
    return visitor.said()


def test_an_assignment_is_registered_in_a_register_of_its_own_and_amended(demo, site, comes):
    index()
    run_by, body = own_body()
    buyer = fresh(lambda: people.person(("editor", _organisation(TEA_FIRM)), name="新采购"))
    one = people.person(("first_examiner", run_by), name="甲初审")
    other = people.person(("second_examiner", run_by), name="乙复审")
    ask_about_the_result(comes(buyer, width=360))
    agreed_intent()
    db.session.rollback()

    seller = comes("liaison.institutes")
    seller.open("/my/contracts/new")
    seller.follow("杀青")
    seller.look("contract-new")
    seller.send("填写登记申请")
    no = number_in(seller)
    fill_in(seller)
    seller.send("登记前自查")
    seller.look("contract-check-ready")
    assert "计划外" in seller.said()
    point = comes(helper_of(own_point()), width=360)
    authorise(seller, no)
    point.open("/my/contracts?tab=helped")
    point.follow("杀青")
    point.follow("登记前自查")
    point.page.get_by_label(body).check()
    point.send("提交登记申请")
    assert "已提交" in point.said()
    point.look("contract-helped")
    seller.open(f"/contracts/{no}")
    seller.look("contract-case")

    first, second = comes(one), comes(other)
    register(no, first, second)
    assert papers_service.issue_due()
    db.session.rollback()
    seller.open(f"/contracts/{no}")
    seller.look("contract-registered")
    paper = seller.print_out("登记证明")
    assert "第 1 版" in paper
    number = seller.page.inner_text("aside .code, .facts .code")
    code = fresh(lambda: contracts.row(no).check_code)
    visitor = comes(width=360)
    said = verify(visitor, number, code)
    assert "38 万元" in said
    visitor.look("verify-whole")
    said = verify(visitor, number)
    assert "有效" in said
    assert "合同成交额" not in said
    visitor.look("verify-short")

    late = comes("liaison.institutes")
    late.open(f"/contracts/{no}/changes/new/amend")
    late.fill(reason="按另一份补充协议变更。", total_fen="590000")
    amend(no, seller, first, second)
    late.send("保存草稿")
    told = late.page.inner_text("[role=alert]")
    assert "版" in told, told
    assert late.page.input_value("[name=reason]") == "按另一份补充协议变更。"
    late.look("change-superseded")
    assert papers_service.issue_due()
    db.session.rollback()
    seller.open(f"/contracts/{no}")
    assert "第 2 版" in seller.print_out("登记证明")
    seller.look("contract-amended")
    seller.follow("第 1 版")
    assert "已被变更" in seller.said()
    assert "60 万元" in seller.said()
    seller.look("version-old")
    seller.open(f"/contracts/{no}/versions")
    seller.look("versions")
    assert "第 2 版" in verify(visitor, number, code)


def copied_and_recorded(no, office):
    """The national system's form is filled in from the copy sheet; its answer is typed in here."""
    office.open(f"/desk/contracts/{no}")
    office.send("受理")
    office.follow("填报抄录单")
    office.look("copy-sheet")
    assert "13900000001" not in office.said()
    office.send("查看完整信息")
    assert "13900000001" in office.said()
    office.follow("审查")
    office.send("预审通过")
    office.fill(registration_no="2026510000123", registered_on=day(2), technical_fen="24万")
    office.look("contract-result")
    office.attach("登记证明.pdf")
    office.send("录入登记结果")
    assert "14 位或 16 位" in office.said()
    office.fill(registration_no=NATIONAL)
    office.attach("登记证明.pdf")
    office.send("录入登记结果")
    assert NATIONAL in office.said()


ELSEWHERE = {
    "registered_by": "成都市技术合同认定登记处",
    "title": "泡菜调味包低盐工艺",
    "contract_class": "development",
    "subclass": "commissioned",
    "total_fen": "28万",
    "technical_fen": "29万",
    "seller": "锦城食品研究所（演示）",
    "seller_region": "510104",
    "buyer": "东坡味业公司（演示）",
    "buyer_region": "511402",
}


def record_here(clerk):
    """补录: a number that is there already and wrong sums are told, nothing typed is lost."""
    clerk.open("/desk/contracts")
    clerk.follow("补录")
    clerk.fill(**ELSEWHERE, registration_no=NATIONAL, registered_on=day(5), signed_on=day(30))
    clerk.attach("登记证明（成都）.pdf")
    clerk.send("补录")
    assert "技术交易额" in clerk.page.inner_text(".error-summary, [role=alert]")
    clerk.fill(technical_fen="25万")
    clerk.send("补录")
    assert "已经录过" in clerk.said()
    clerk.look("record-held")
    clerk.fill(registration_no=ABROAD)
    clerk.attach("登记证明（成都）.pdf")
    clerk.send("补录")
    assert "登记证明（成都）.pdf" in clerk.said()
    clerk.look("contract-elsewhere")
    assert ABROAD in clerk.print_out("登记信息单")


def cancel_here(clerk, no):
    """The parties gave it up; the county, which recorded it, takes it out again."""
    clerk.open(f"/contracts/{no}")
    clerk.follow("注销登记")
    clerk.fill(
        ground="dissolved", happened_on=day(1), reason="成都登记处已注销，双方协商解除合同。"
    )
    clerk.look("change-cancel")
    clerk.send("保存草稿")
    clerk.send("提交注销登记")
    assert "材料" in clerk.page.inner_text("[role=alert]")
    clerk.attach("解除协议.pdf")
    clerk.send("上传")
    clerk.send("提交注销登记")
    clerk.look("change-settle")
    clerk.send("予以办理")
    clerk.open(f"/contracts/{no}")
    assert "已注销" in clerk.said()
    clerk.look("contract-cancelled")


def test_registered_in_the_national_system_recorded_by_the_buyers_county_and_cancelled(demo, comes):
    body = contracts.body("external", "510100")
    title, examiner = body.title, people.person(("first_examiner", body.organisation_id), name="甲")
    seller = people.organisation("食品研究所", kind="institute", code="510104", uscc=SELLER)
    filer = people.actor(("owner", seller), name="经办人")
    party = {**contracts.FIELDS["sellers"][0], "uscc": SELLER, "region_code": "510104"}
    no = contracts.drafted(filer, seller, sellers=[party])
    writer = comes(fresh(lambda: db.session.get_one(Person, filer.id)))
    writer.open(f"/contracts/{no}/check")
    writer.page.get_by_label(title).check()
    writer.send("提交登记申请")
    copied_and_recorded(no, comes(examiner))
    writer.open(f"/contracts/{no}")
    paper = writer.print_out("登记信息单")
    assert NATIONAL in paper
    assert "240,000" in paper or "24 万元" in paper

    clerk = comes("county.dongpo")
    record_here(clerk)
    here = number_in(clerk)
    visitor = comes(width=360)
    assert "有效" in verify(visitor, ABROAD)
    clerk.open("/desk/contracts/register")
    assert ABROAD in clerk.said()
    clerk.look("contract-register")
    cancel_here(clerk, here)
    assert "作废" in verify(visitor, ABROAD)
    visitor.look("verify-void")


def _organisation(uscc):
    return db.session.scalars(select(Organisation.id).where(Organisation.uscc == uscc)).one()
