"""Narrowing a search by keyboard alone, at a desk and on a phone."""

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.net]

PAGES = [
    "/search?q=加工&industry=C&date=365d&price_band=negotiable",
    "/search?filters=1&region=511402&since=2026-01-01&stage=nonsense",
    "/search?facet=industry&industry=A",
    "/search?facet=region&within=dpq",
    "/search?q=杀青 锂电&region=511402&stage=lab&kind=demand&field=zz",
    "/post/demand?need=杀青&region=511402",
]
MOST_TABS = 250


def total(page):
    return int(re.search(r"\d+", page.inner_text(".sentence"))[0])


def tab_to(page, selector):
    """Press Tab until the focus is on what the selector names."""
    wanted = page.locator(selector).element_handle()
    for _press in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"the keyboard never reaches {selector}")


def open_filters(page):
    """On a phone the filters are a page of their own."""
    if page.viewport_size["width"] < 768:
        tab_to(page, ".found-bar a")
        page.keyboard.press("Enter")
        page.wait_for_selector(".filters-page")


@pytest.mark.long
def test_pages_fit_and_are_accessible(site, page, axe, shot):
    for number, path in enumerate(PAGES):
        assert page.goto(site + path).status == 200
        shot(page, f"filters-{number}")
        axe(page)
        width = page.viewport_size["width"]
        page.set_viewport_size({"width": 320, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        page.set_viewport_size({"width": width, "height": 800})


def test_an_industry_of_a_county_by_keyboard(site, page):
    """Words, then the county by its initials, then its industry: what each count promises."""
    page.goto(f"{site}/search")
    open_filters(page)
    tab_to(page, "#facet-region button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#within")
    tab_to(page, "#within")
    page.keyboard.type("dpq")
    page.keyboard.press("Enter")
    page.wait_for_selector("#facet-region >> text=东坡区")
    promised = int(re.search(r"\d+", page.inner_text("#facet-region .count"))[0])
    tab_to(page, "#facet-region input")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_selector(".results")
    assert "region=511402" in page.url
    assert total(page) == promised
    open_filters(page)
    promised = int(re.search(r"\d+", page.inner_text("#facet-leading .count >> nth=0"))[0])
    tab_to(page, "#facet-leading input >> nth=0")
    page.keyboard.press("Space")
    tab_to(page, ".filters-apply button")
    page.keyboard.press("Enter")
    page.wait_for_selector(".results")
    assert total(page) == promised
    assert "主导产业为东坡" in page.inner_text(".sentence")


def test_ticks_are_kept_when_more_values_are_asked_for(site, page):
    page.goto(f"{site}/search?q=加工")
    if page.viewport_size["width"] < 768:
        page.goto(f"{site}/search?q=加工&filters=1")
    page.check("#facet-stage >> text=中试")
    page.click("#facet-leading button")
    page.wait_for_selector(".filters-page")
    assert "stage=pilot" in page.url
    page.check("#facet-leading li:last-child >> input")
    page.click(".filters-apply button")
    page.wait_for_selector(".found")
    assert "stage=pilot" in page.url
    assert "leading=" in page.url
    assert "facet=" not in page.url


def test_the_readers_own_county_is_one_link_away(site, page):
    page.goto(f"{site}/search?q=加工")
    assert not page.locator("[data-my-county]").first.is_visible()
    page.evaluate("localStorage.setItem('county', '511402|东坡区')")
    page.reload()
    page.click("[data-my-county] a >> text=只看东坡区")
    page.wait_for_selector(".found")
    assert "地区为四川省眉山市东坡区" in page.inner_text(".sentence")
    assert "加工" in page.inner_text(".sentence")
    page.goto(f"{site}/search?q=加工")
    page.click("[data-my-county] a >> text=由近到远")
    page.wait_for_selector(".sorts [aria-current] >> text=由近到远")
    assert "东坡" in page.inner_text(".result-side >> nth=0")
