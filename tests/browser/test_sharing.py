"""Comparing, taking away and reporting, as people do it: by keyboard, on phones, on paper."""

import re

import pytest

from tests.browser.test_pages import check

pytestmark = [pytest.mark.browser, pytest.mark.net]

A, D = "/achievements/CG2026000001", "/demands/XQ2026000001"


def soon(page, expression):
    """Wait until it is true in the page; the site's own policy forbids the library's way."""
    for _ in range(50):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(expression)


def test_pages(site, page, axe, shot):
    for number, path in enumerate(
        (
            f"{A}/poster",
            f"{D}/poster",
            "/compare",
            "/compare?no=CG2026000001&no=CG2026000002&no=CG2026000003&no=XQ2026000001&no=ZZ",
            f"{A}/report",
        )
    ):
        assert page.goto(site + path).status == 200
        shot(page, f"sharing-{number}")
        width = page.viewport_size["width"]
        check(page, axe)
        page.set_viewport_size({"width": width, "height": 800})


def test_comparing_by_keyboard(site, page):
    page.goto(f"{site}/search?kind=achievement")
    said = page.locator(".compare-bar [role=status]")
    boxes = page.locator(".side-compare input")
    for number in (0, 1):
        boxes.nth(number).focus()
        page.keyboard.press("Space")
    assert said.inner_text() == "已选 2 项"
    for number in (2, 3, 4):
        boxes.nth(number).check()
    assert "最多对比 4 项" in said.inner_text()
    boxes.nth(4).uncheck()
    assert (
        page.locator(".compare-bar").evaluate("bar => getComputedStyle(bar).position") == "sticky"
    )
    page.locator(".compare-bar button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".compare")
    assert page.url.count("no=") == 4
    box = page.locator(".compare-box")
    box.focus()
    if page.viewport_size["width"] < 768:  # the table is wider than its box, the page is not
        page.keyboard.press("ArrowRight")
        soon(page, "document.querySelector('.compare-box').scrollLeft > 0")
    page.click(".compare-drop >> nth=1")
    page.wait_for_url(lambda address: address.count("no=") == 3)
    page.fill("#more", "XQ2026000001")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: address.count("no=") == 4)
    assert page.locator(".compare thead th").count() == 5
    assert page.locator("#more").count() == 0
    page.go_back()
    page.go_back()
    page.go_back()
    page.wait_for_selector(".results")
    assert said.inner_text() == "已选 4 项"


def test_reporting_with_mistakes_first(site, page, axe):
    page.goto(f"{site}{A}")
    page.click("text=报告错误")
    page.fill("#contact", "028-3816 0000")
    page.check("text=其他")
    page.click("text=提交报告")
    page.wait_for_selector(".error-summary")
    assert page.title().startswith("错误：")
    soon(page, "document.activeElement.matches('[data-error-summary]')")
    axe(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.type("价格写错了")
    assert page.is_checked("text=其他")
    assert page.input_value("#contact") == "028-3816 0000"
    page.click("text=提交报告")
    page.wait_for_selector("text=报告已收到")
    number = re.search(r"/reports/(BC\w{12})$", page.url)[1]
    assert number in page.inner_text("main")
    check(page, axe)
    page.reload()
    assert number in page.inner_text("main")


def test_copying_the_link_of_a_listing(site, page):
    page.goto(f"{site}{A}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("text=复制链接")
    page.wait_for_selector("text=已复制")
    assert page.evaluate("navigator.clipboard.readText()") == f"{site}{A}"


def test_the_code_is_drawn(site, page):
    page.goto(f"{site}{A}/poster")
    soon(page, "document.querySelector('.poster-code img').naturalWidth > 0")


@pytest.mark.parametrize(
    ("path", "sheets", "across"),
    [
        (f"{A}/poster", 1, False),
        (f"{D}/poster", 1, False),
        ("/compare?no=CG2026000001&no=CG2026000002&no=CG2026000003", 3, True),
        (A, 3, False),
    ],
)
def test_on_paper(site, browser, path, sheets, across):
    """Sheets of A4 with address and date, without buttons, menus and what is only for screens."""
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(site + path)
    page.emulate_media(media="print")
    footer = page.inner_text(".print-only")
    assert path in footer
    assert re.search(r"\d{4}-\d\d-\d\d", footer)
    shown = page.locator("button >> visible=true").count()
    shown += page.locator(".site-menu >> visible=true").count()
    shown += page.locator(".akin >> visible=true").count()
    assert shown == 0
    mark = page.evaluate("getComputedStyle(document.body, '::before').content")
    assert "演示数据" in mark
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type /Page\b", pdf)) <= sheets
    width, height = map(float, re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf).groups())
    assert sorted((round(width), round(height))) == [595, 842]
    assert (width > height) is across
    context.close()


def test_without_scripts(site, browser):
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{site}/search?q=茶")
    page.check(".side-compare input >> nth=0")
    page.check(".side-compare input >> nth=1")
    page.click("text=对比所选")
    assert page.locator(".compare thead th").count() == 3
    page.goto(f"{site}{D}/report")
    page.check("text=联系不上")
    page.click("text=提交报告")
    assert "/reports/BC" in page.url
    context.close()
