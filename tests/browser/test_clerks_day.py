"""A clerk's day: a telephone call becomes a demand, three are asked, one answers, an intent is agreed.

Counted: the pages that the clerk looks at, and what he types. What he typed once, no later page of
his asks again.
"""

from __future__ import annotations

import re
from contextlib import ExitStack

import pytest
from sqlalchemy import select

from market.catalogue.models import Listing
from market.core.db import db
from market.matching.dispatch.models import Dispatch
from market.matching.intents.models import Intent
from tests import messages
from tests.browser.conftest import watched_page
from tests.browser.somebody import Somebody, index
from tests.lived import actor

pytestmark = [pytest.mark.browser, pytest.mark.net, pytest.mark.long]

MOST_VIEWS = 15
# What the caller says, by the name of the field it is typed into.
SAID = {
    "problem": "常温复合调味料放两个月就胀袋。夏天退货多，货架期想从 6 个月延到 9 个月。",
    "product": "复合调味料",
    "target": "胀袋率 3.2 % → 0.5 % 以下",
    "firm": "东坡区川味调味食品厂（演示）",
    "place": "dpq",
    "contact": "李师傅",
    "telephone": "13800001234",
}
# Where the same is wanted later, by the name of the field there: it has to stand there already.
AGAIN = {"title": "product", "summary": "problem", "targets": "target", "keywords": "product"}
# Public words of the page, which a caller's own name and number are not to become by themselves.
NOT_THE_CALLER = {"contact", "contact_phone"}
FIELDS = "#main form input:not([type=hidden], [type=checkbox], [type=radio], [type=file]), #main form textarea"
VIEWS = "one => one.map(one => [one.name, one.value])"


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


class Clerk(Somebody):
    """Counts what is typed besides; nothing may be wanted twice."""

    def __init__(self, page, site):
        super().__init__(page, site)
        self.typed: list[tuple[str, str]] = []

    def write(self, name, text):
        assert self.page.input_value(f"#main form [name={name}]") == "", name
        assert name not in dict(self.typed), f"{name} is asked for twice"
        assert text not in dict(self.typed).values(), f"{text} is typed twice"
        self.typed.append((name, text))
        super().write(name, text)

    def asked_nothing_again(self):
        """No field of this page is empty that wants what was typed before."""
        known = dict(self.typed)
        for name, value in self.page.locator(FIELDS).evaluate_all(VIEWS):
            wanted = known.get(AGAIN.get(name, name))
            if wanted is not None and name not in NOT_THE_CALLER:
                assert value, f"{self.page.url} asks for {name} again"


def take_the_call(clerk):
    """代录: from the bookmark of the desk to the public demand."""
    clerk.open("/desk/intakes")
    clerk.sign_in("county.dongpo")
    clerk.follow("代录一件")
    for name, words in SAID.items():
        clerk.write(name, words)
    clerk.page.get_by_label("已向来电人说明用途").check()
    clerk.send("去写需求")
    clerk.asked_nothing_again()
    clerk.page.select_option("[name=budget_mode]", value="fixed")
    clerk.write("budget", "30万")
    clerk.send("检查并送出")
    clerk.asked_nothing_again()
    clerk.page.get_by_label("做过保密审查").check()
    clerk.send("发布")
    assert "需求已公开" in clerk.page.inner_text("#main")


def recommend(clerk):
    """To three whom the search proposes, with one press."""
    clerk.follow("推荐给可能解决的单位")
    clerk.asked_nothing_again()
    for box in clerk.page.locator(".proposals input[type=checkbox]").all()[:3]:
        box.check()
    clerk.write("days", "5")
    clerk.send("推荐给勾选的单位")
    assert "已推荐 3 次" in clerk.page.inner_text("#main")


def send_the_code(clerk):
    """The caller's firm has no account yet: it gets a word to take over what is its own."""
    clerk.follow("请来电人认领")
    clerk.asked_nothing_again()
    clerk.send("发送认领码")


def claim(firm, app):
    """The firm takes over its demand, with the code from its telephone."""
    code = next(
        found[1] for one in messages.sent(app) if (found := re.search(r"认领码\D*(\d{6})\b", one))
    )
    firm.open("/claim")
    firm.write("telephone", SAID["telephone"])
    firm.write("code", code)
    firm.write("password", "chuanwei-2026-dongpo")
    firm.write("password_again", "chuanwei-2026-dongpo")
    firm.send("认领")


def sent_to(login, demand):
    """The number of the dispatch that this person's organisation was sent."""
    query = select(Dispatch).join(Listing).where(Listing.no == demand)
    own = actor(login).organisations("editor")
    rows = db.session.scalars(query).all()
    found = [one.no for one in rows if one.recipient_id in own]
    db.session.rollback()
    assert len(rows) == 3
    return found[0]


def answer(institute, no, login):
    """Interested; it begins an intent, whose words stand there already."""
    institute.open(f"/dispatches/{no}")
    institute.sign_in(login)
    page = institute.page
    page.locator("#main").get_by_label("有意向").first.check()
    page.fill("#answer-text", "做过同类产品的复合抑菌，先寄样，三个月内可中试。")
    page.fill("#answer-contact", "陈成果")
    page.fill("#answer-telephone", "13900005678")
    institute.send("发送答复")
    institute.follow("转为对接意向")
    assert page.input_value("[name=text]") == "做过同类产品的复合抑菌，先寄样，三个月内可中试。"
    institute.send("请对方接受")


def agree(institute, firm, no):
    """Accepted, offered with the demand's budget filled in, agreed."""
    firm.open(f"/intents/{no}")
    firm.send("接受，开始洽谈")
    institute.open(f"/intents/{no}/offer")
    page = institute.page
    assert page.input_value("[name=price_min_fen]") == "300000"
    page.select_option("[name=transfer_mode]", value="joint")
    page.fill("[name=price_min_fen]", "28万")
    institute.send("提出这版方案")
    firm.open(f"/intents/{no}")
    firm.send("同意这版方案")
    assert "双方已同意这一版" in firm.page.inner_text("#main")


def test_a_call_becomes_an_agreed_intent(demo, site, browser):
    index()
    with ExitStack() as open_pages:

        def page(width=1280):
            return open_pages.enter_context(watched_page(browser, width))

        clerk, firm, institute = (
            Clerk(page(), site),
            Somebody(page(360), site),
            Somebody(page(), site),
        )
        take_the_call(clerk)
        demand = db.session.scalars(select(Listing.no).order_by(Listing.id.desc()).limit(1)).one()
        db.session.rollback()
        recommend(clerk)
        send_the_code(clerk)
        claim(firm, demo)
        answer(institute, sent_to("institute.editor", demand), "institute.editor")
        clerk.open(f"/desk/demands/{demand}/dispatch")
        assert "有意向" in clerk.page.inner_text("#main")
        intent = db.session.scalars(select(Intent.no).order_by(Intent.id.desc()).limit(1)).one()
        db.session.rollback()
        agree(institute, firm, intent)
        clerk.follow("对接意向")
        clerk.page.get_by_role("link", name="已达成意向").first.click()
        clerk.follow(intent)
        assert "双方签订技术合同" in clerk.page.inner_text("#main")
        assert len(clerk.views) <= MOST_VIEWS, clerk.views
