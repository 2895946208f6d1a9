"""A first demand on a phone's width, with the keyboard alone: from the home page to the receipt."""

import re

import pytest
from sqlalchemy import select

from market.catalogue.intake import rules
from market.catalogue.intake.models import Intake
from market.core.db import db

pytestmark = [pytest.mark.browser, pytest.mark.net]

# What is typed besides the words themselves: tabs, blanks, Enter.
MOST_KEYS = 60
ANSWERS = [
    ("遇到什么难题", "常温放两个月就胀袋"),
    ("产品或工艺", "泡菜调味包"),
    ("现在的数值", "3.2 % → 0.5 %"),
    ("单位名称", "东坡味道食品厂（演示）"),
    ("在哪个县", "dpq"),
    ("联系人", "李师傅"),
    ("电话", "138 0000 1234"),
]


@pytest.fixture
def prepared_demo(prepared_quiet):
    """Nothing happened yet: what is found is what a test made."""
    return prepared_quiet


@pytest.fixture(autouse=True)
def _keys_are_fast(monkeypatch):
    """The keys are pressed faster than people press them."""
    monkeypatch.setattr(rules, "LEAST_SECONDS", 0)


def ask(reader, answers):
    for label, words in answers:
        reader.tab_to("textbox", label)
        reader.write(words)


def test_from_the_home_page_to_the_receipt(reader, axe, shot):
    page, pages = reader.page, []
    page.on("load", lambda loaded: pages.append(loaded.url))
    reader.open("我有难题")
    reader.open("填表，等回电话")
    axe(page)
    opened = len(pages)
    reader.skip()
    before = reader.presses
    ask(reader, ANSWERS)
    reader.tab_to("checkbox", "我同意")
    reader.press("Space")
    reader.tab_to("button", "下一步：核对")
    reader.go()
    assert reader.heading() == "核对一遍"
    axe(page)
    shot(page, "first-demand-check")
    reader.skip()
    reader.tab_to("button", "发出")
    reader.go()
    assert reader.heading() == "难题已收到"
    axe(page)
    assert len(pages) - opened <= 2
    typed = sum(len(words) for _label, words in ANSWERS)
    assert reader.presses - before - typed <= MOST_KEYS
    assert re.search(r"/intakes/receipt/[\w-]{32}$", page.url)
    said = page.inner_text("main")
    case = db.session.scalars(select(Intake)).one()
    assert case.no in said
    assert case.state == "new"
    assert case.region.code == "511402"
    assert "028-00000001" in page.inner_text(".answers")
    assert "13800001234" not in said


def test_a_mistake_is_reached_from_the_list_above(reader, axe):
    page = reader.page
    reader.open("我有难题")
    reader.open("填表，等回电话")
    reader.skip()
    ask(reader, [each for each in ANSWERS if each[0] != "电话"])
    reader.tab_to("textbox", "电话")
    reader.write("打给老李")
    reader.tab_to("checkbox", "我同意")
    reader.press("Space")
    reader.tab_to("button", "下一步：核对")
    reader.go()
    axe(page)
    # The list of mistakes has the focus.
    reader.tab_to("link", "电话只写数字")
    reader.press("Enter")
    assert page.evaluate("document.activeElement.id") == "telephone"
    assert page.input_value("#problem") == ANSWERS[0][1]
    assert page.locator("#telephone").bounding_box()["y"] < 800
    page.fill("#telephone", "028-38160000 转 805")
    reader.press("Enter")
    page.wait_for_selector("text=核对一遍")
    assert "028-38160000转805" in page.inner_text("main")
