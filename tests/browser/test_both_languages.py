"""Every public page in Chinese and in English: no axe violation, no sideways scroll, light."""

import pytest

from tests.browser.test_pages import fits
from tests.web.test_languages import EXAMPLES, pages

pytestmark = [pytest.mark.browser, pytest.mark.net]

HEAVIEST = 150 * 1024  # bytes transferred for a page that was never seen before
FEW = [
    "/",
    "/search?kind=achievement&q=茶",
    "/regions/511402",
    "/achievements/CG2026000001",
    "/help",
]
# Bodies as they were packed, also where the browser had them already, and their headers.
WEIGHT = """() => [...performance.getEntriesByType('navigation'),
  ...performance.getEntriesByType('resource')]
  .reduce((sum, one) => sum + one.encodedBodySize + 300, 0)"""


def name_of(address):
    """A file name for a picture."""
    return address.strip("/").replace("/", "-").replace("?", "-")[:40] or "home"


def look(page, site, address, axe, shot):
    """Open a page and judge it at its width, and at 320 pixels."""
    width = page.viewport_size["width"]
    assert page.goto(site + address, wait_until="load").status == 200, address
    weight = page.evaluate(WEIGHT)
    assert 40_000 < weight <= HEAVIEST, f"{address}: {weight} bytes"
    assert page.locator("h1").count() == 1, address
    assert fits(page), address
    shot(page, name_of(address))
    axe(page)
    page.set_viewport_size({"width": 320, "height": 700})
    assert fits(page), f"{address} at 320"
    page.set_viewport_size({"width": width, "height": 800})


@pytest.mark.parametrize("language", ["", "/en"], ids=["chinese", "english"])
def test_the_main_pages(site, page, axe, shot, language):
    for address in FEW:
        look(page, site, language + address, axe, shot)


@pytest.mark.long
@pytest.mark.parametrize("language", ["", "/en"], ids=["chinese", "english"])
def test_all_pages(demo, site, page, axe, shot, language):
    walked = sorted(set(pages(demo)))
    assert len(walked) > len(EXAMPLES)
    for address in walked:
        look(page, site, language + address, axe, shot)


def test_english_pages_work_without_scripts(site, browser):
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    page.goto(f"{site}/regions")
    page.click("text=English")
    assert page.url == f"{site}/en/regions"
    page.click("text=Technologies")
    page.fill("#q", "茶")
    page.click("#search button")
    assert page.url.startswith(f"{site}/en/search?")
    page.click(".result-title a >> nth=0")
    assert "/en/achievements/" in page.url
    page.click("text=中文")
    assert page.url.startswith(f"{site}/achievements/")
    context.close()


def test_the_county_is_remembered_in_both_languages(site, page):
    page.goto(f"{site}/en/regions/511402")
    page.click("text=Make it my county")
    page.goto(f"{site}/en/")
    assert page.inner_text("[data-my-county] a") == "Dongpo District technology market"
    assert page.get_attribute("[data-my-county] a", "href") == "/en/regions/511402"
