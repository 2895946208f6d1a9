"""The public pages as people meet them: by keyboard, on phones, without a mouse."""

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.net]

PAGES = [
    "/",
    "/search?kind=achievement&q=泡菜 胀袋",
    "/search?q=茶&region=510000&stage=production",
    "/search?kind=demand&page=2",
    "/search?kind=achievement&filters=1",
    "/search?q=量子纠缠",
    "/regions?q=东",
    "/regions/510000",
    "/regions/511402",
    "/organisations",
    "/organisations?q=没有这家",
    "/post/demand?q=东坡",
    "/post/achievement",
]


def first_result(page, site, kind):
    """Open the newest listing of a kind."""
    page.goto(f"{site}/search?kind={kind}")
    page.click(".result-title a")
    page.wait_for_selector("h1")


def fits(page):
    """No sideways scrolling."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def check(page, axe):
    assert page.locator("h1").count() == 1
    assert fits(page)
    axe(page)
    page.set_viewport_size({"width": 320, "height": 700})
    assert fits(page)


def test_public_pages(site, page, axe, shot):
    for number, path in enumerate(PAGES):
        assert page.goto(site + path).status == 200
        shot(page, f"page-{number}")
        width = page.viewport_size["width"]
        check(page, axe)
        page.set_viewport_size({"width": width, "height": 800})


@pytest.mark.parametrize("kind", ["achievement", "demand"])
def test_listing(site, page, axe, shot, kind):
    first_result(page, site, kind)
    assert page.get_attribute(".answers-phone a", "href").startswith("tel:")
    for heading in page.locator("main section[aria-labelledby]").all():
        assert heading.inner_text().strip()
    shot(page, f"listing-{kind}")
    check(page, axe)


def test_organisation(site, page, axe):
    page.goto(f"{site}/organisations?q=研究")
    page.click("tbody a >> nth=0")
    page.wait_for_selector("#listings")
    check(page, axe)


def test_keyboard_reaches_the_text_first(site, page):
    page.goto(f"{site}/search?q=茶")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_results_by_keyboard(site, page):
    page.goto(f"{site}/search?kind=achievement")
    titles = page.locator(".result-title a")
    titles.nth(0).focus()
    page.keyboard.press("j")
    assert titles.nth(1).evaluate("link => link === document.activeElement")
    page.keyboard.press("k")
    assert titles.nth(0).evaluate("link => link === document.activeElement")
    page.locator("#q").focus()
    page.keyboard.type("jk")
    assert page.input_value("#q").endswith("jk")


def test_filtering(site, page):
    """On a phone by the full page of filters, else beside the results; the search is kept."""
    page.goto(f"{site}/search?kind=achievement&q=茶")
    before = int(re.search(r"\d+", page.inner_text(".sentence"))[0])
    if page.viewport_size["width"] < 768:
        page.mouse.wheel(0, 3000)
        page.click("text=筛选 >> visible=true")
        page.wait_for_selector(".filters-page")
    page.check("#facet-stage >> text=可批量生产")
    page.click(".filters-apply button")
    page.wait_for_selector(".results")
    assert "stage=production" in page.url
    assert "kind=achievement" in page.url
    after = int(re.search(r"\d+", page.inner_text(".sentence"))[0])
    assert 0 < after < before
    page.click(".chosen a:has-text('可批量生产')")
    page.wait_for_selector(".results")
    assert int(re.search(r"\d+", page.inner_text(".sentence"))[0]) == before


def test_copy_link(site, page):
    page.goto(f"{site}/search?q=茶")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("text=复制链接")
    page.wait_for_selector("text=已复制")
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_county_is_remembered_on_this_device(site, page):
    page.goto(f"{site}/regions/511402")
    page.click("text=设为我的县")
    page.goto(site)
    assert page.inner_text("[data-my-county] a") == "东坡区技术市场"
    page.click("[data-my-county] a")
    page.click("text=不再作为我的县")
    page.goto(site)
    assert page.locator("[data-my-county]").is_hidden()


def test_pages_work_without_scripts(site, browser):
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{site}/search?kind=achievement&filters=1")
    page.check("#facet-stage >> text=中试")
    page.click("button:has-text('看筛选结果')")
    assert "stage=pilot" in page.url
    assert page.locator(".result").count() > 0
    assert page.locator("button[type=submit] >> visible=true").count() >= 2
    dead = page.locator("button:not([type=submit]) >> visible=true")  # they need a script
    assert dead.count() == 0
    context.close()


def test_print_shows_address_and_date_not_menus(site, page):
    page.goto(f"{site}/search?q=茶")
    page.emulate_media(media="print")
    footer = page.inner_text(".print-only")
    assert "/search?q=%E8%8C%B6" in footer
    assert re.search(r"\d{4}-\d\d-\d\d", footer)
    assert page.locator(".site-menu").is_hidden()
    mark = page.evaluate("getComputedStyle(document.body, '::before').content")
    assert "演示数据" in mark
