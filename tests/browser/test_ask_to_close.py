"""From a caller's difficulty to a solved demand: every step by those who take it, page after page.

Once with a mouse on a desk's width, once with the keyboard alone on a phone's.
"""

from __future__ import annotations

import pytest
from sqlalchemy import select

from market.catalogue.intake import rules
from market.catalogue.models import Listing
from market.core.db import db
from market.demo.people import PASSWORD
from market.discovery.indexer import Indexer
from tests import lived, messages
from tests.browser.conftest import watched_page
from tests.browser.keyboard import Reader


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


pytestmark = [pytest.mark.browser, pytest.mark.net, pytest.mark.long]

PRODUCT, PROBLEM = "泡菜调味包", "夏天常温放两个月鼓包漏汁"
TITLE = f"{PRODUCT}鼓包漏汁怎么防（演示）"
WORDS = "鼓包漏汁"
MOST_FIELDS = 120  # Tabs through a whole draft: every part of it may be wanted


class Mouse:
    """Somebody who points and clicks."""

    width = 1280

    def __init__(self, page):
        self.page = page

    def menu(self, words):
        """Take a link of the head."""
        with self.page.expect_navigation():
            self.page.locator("header").get_by_role("link", name=words).click()

    def search(self, words):
        """Search from the home page."""
        self.page.get_by_role("combobox", name="要解决什么问题").fill(words)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def follow(self, words):
        """Take a link of the text."""
        with self.page.expect_navigation():
            self.page.locator("#main").get_by_role("link", name=words).first.click()

    def send(self, words, exact=True):
        """Press a button that sends a form."""
        with self.page.expect_navigation():
            self.page.locator("#main").get_by_role("button", name=words, exact=exact).click()

    def write(self, label, text):
        """Write into a field, in place of what stands there."""
        self.page.locator("#main").get_by_label(label).first.fill(text)

    def tick(self, words):
        """Tick a box, or choose one of a few."""
        self.page.locator("#main").get_by_label(words).first.check()

    def unfold(self, words):
        """Open what is folded away."""
        self.page.locator("summary", has_text=words).click()


class Keys(Reader):
    """Somebody with Tab, Enter, the space bar and letters."""

    width = 360

    def _reach(self, wanted, called):
        """Go on from here, or back to what lies above."""
        wanted = wanted.first
        if wanted.evaluate("one => document.activeElement === one"):
            return
        above = wanted.evaluate("one => document.activeElement.compareDocumentPosition(one) & 2")
        self.tab_on(wanted, called, key="Shift+Tab" if above else "Tab", most=MOST_FIELDS)

    def search(self, words):
        """Search from the home page."""
        self.tab_to("combobox", "要解决什么问题")
        self.page.keyboard.type(words)
        self.go()

    def menu(self, words):
        """Take a link of the head."""
        self._reach(self.page.locator("header").get_by_role("link", name=words), words)
        self.go()

    def follow(self, words):
        """Take a link of the text."""
        self._reach(self.page.locator("#main").get_by_role("link", name=words), words)
        self.go()

    def send(self, words, exact=True):
        """Press a button that sends a form."""
        button = self.page.locator("#main").get_by_role("button", name=words, exact=exact)
        self._reach(button, words)
        self.go()

    def write(self, label, text):
        """Write into a field, in place of what stands there."""
        self._reach(self.page.locator("#main").get_by_label(label), label)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def tick(self, words):
        """Tick a box, or choose one of a few."""
        self._reach(self.page.locator("#main").get_by_label(words), words)
        self.page.keyboard.press("Space")

    def unfold(self, words):
        """Open what is folded away."""
        self._reach(self.page.locator("summary", has_text=words), words)
        self.page.keyboard.press("Enter")


@pytest.fixture(params=[Mouse, Keys])
def somebody(request, site, browser, axe, monkeypatch):
    """Opens the site afresh as the next person; each page that loads is looked at by axe."""
    monkeypatch.setattr(rules, "LEAST_SECONDS", 0)  # the keys are faster than people
    open_pages = []

    def comes(login=""):
        here = watched_page(browser, request.param.width)
        page = here.__enter__()
        open_pages.append(here)
        page.goto(site)
        one = request.param(page)
        one.look = lambda: axe(page)
        if login:
            one.menu("登录")
            one.look()
            one.write("手机号或邮箱", f"{login}@demo.example")
            one.write("密码", PASSWORD)
            one.send("登录")
            assert page.url in {f"{site}/my", f"{site}/desk"}
            one.look()
        return one

    yield comes
    for here in open_pages:
        here.__exit__(None, None, None)


def index():
    """Let the worker follow."""
    indexer = Indexer()
    indexer.run()
    indexer.close()


def found(one, site):
    """What a visitor finds by words of the demand."""
    one.page.goto(site)
    one.search(WORDS)
    one.look()
    return one.page.locator(".result-title a").all_inner_texts()


def heading(one):
    """What the page is about."""
    return one.page.inner_text("h1")


def ask(visitor, firm):
    """A visitor asks, without an account."""
    for words in ("我有难题", "填表，等回电话"):
        visitor.look()
        visitor.follow(words)
    visitor.look()
    visitor.write("遇到什么难题", PROBLEM)
    visitor.write("产品或工艺", PRODUCT)
    visitor.write("单位名称", firm)
    visitor.write("在哪个县", "dpq")
    visitor.write("联系人", "李师傅")
    visitor.write("电话", "13800001234")
    visitor.tick("我同意")
    visitor.send("下一步：核对")
    visitor.look()
    visitor.send("发出", exact=False)
    assert heading(visitor) == "难题已收到"
    visitor.look()


def call_back(clerk):
    """The office rings back, writes the demand and publishes it."""
    clerk.menu("工作台")
    clerk.look()
    clerk.follow("待分配")
    clerk.look()
    clerk.follow(PROBLEM)
    clerk.look()
    assert "13800001234" not in clerk.page.inner_text("main")
    clerk.unfold("查看完整信息")
    clerk.write("为什么要看", "回电话")
    clerk.send("查看完整信息")
    assert "13800001234" in clerk.page.inner_text("main")
    clerk.look()
    clerk.tick("已接通")
    clerk.write("通话记录", "每年 6 到 9 月，退货 3 %")
    clerk.send("记下这次回访")
    assert "13800001234" not in clerk.page.inner_text("main")
    assert "退货 3 %" in clerk.page.inner_text("main")
    clerk.look()
    clerk.follow("完成代录")
    clerk.look()
    clerk.tick("已向来电人说明用途")
    clerk.send("完成代录，去写需求")
    clerk.look()
    clerk.write("名称", TITLE)
    clerk.write("简介", f"{PRODUCT}{PROBLEM}，想在不加防腐剂的前提下解决。")
    clerk.send("检查并送出")
    assert heading(clerk) == "送出前核对"
    clerk.look()
    clerk.tick("做过保密审查")
    clerk.send("发布")
    clerk.look()


def answer(expert, owner, site):
    """An institute writes to the owner, who answers."""
    expert.page.goto(site)
    expert.search(WORDS)
    expert.follow(TITLE)
    expert.look()
    expert.follow("我想对接")
    expert.look()
    expert.write("想解决什么", "我们有复合抑菌配方，可以先寄样试。")
    expert.send("发出咨询")
    assert "咨询已送到发布单位" in expert.page.inner_text("main")
    expert.look()
    owner.follow("对接")
    owner.look()
    owner.follow("DJ")
    owner.look()
    owner.write("答复", "请寄 2 kg 样品来。")
    owner.send("发送答复")
    owner.look()


def close(owner):
    """Solved: with whom, for how much; then the demand ends."""
    owner.unfold("办结这件咨询")
    owner.tick("已解决")
    owner.write("与谁解决的", "泉城农业科学院（演示）")
    owner.write("金额", "12万")
    owner.send("办结")
    said = owner.page.inner_text("main")
    assert "已解决" in said
    assert "12" in said
    owner.look()
    owner.menu("我的事项")
    owner.follow("成果与需求")
    owner.look()
    owner.follow(TITLE)
    owner.look()
    owner.unfold("结束需求")
    owner.tick("已解决")
    owner.write("与哪家单位", "泉城农业科学院（演示）")
    owner.write("金额", "12万")
    owner.send("结束需求")
    assert "泉城农业科学院（演示）" in owner.page.inner_text("main")
    owner.look()


def test_from_a_difficulty_to_its_end(demo, site, somebody):
    firm = lived.organisation(lived.FIRM).name
    db.session.rollback()
    visitor = somebody()
    ask(visitor, firm)
    receipt = visitor.page.url
    messages.sent(demo)
    clerk = somebody("county.dongpo")
    call_back(clerk)
    index()
    assert found(visitor, site)[0] == TITLE
    no = db.session.scalars(select(Listing.no).order_by(Listing.id.desc())).first()
    db.session.rollback()
    visitor.page.goto(receipt)
    visitor.look()
    visitor.follow("看这条需求")
    assert heading(visitor) == TITLE
    assert "李师傅" not in visitor.page.inner_text("body")
    visitor.look()
    expert, owner = somebody("institute.editor"), somebody("firm.owner")
    answer(expert, owner, site)
    told = messages.sent(demo)
    expert.page.reload()
    assert "请寄 2 kg 样品来。" in expert.page.inner_text("main")
    expert.menu("消息")
    expert.look()
    assert told
    close(owner)
    index()
    assert TITLE not in found(visitor, site)
    visitor.page.goto(f"{site}/demands/{no}")
    visitor.look()
