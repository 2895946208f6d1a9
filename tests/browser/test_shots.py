"""Screenshots for the documents: `make shots`."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.net]

PAGES = {
    "home": "/",
    "search": "/search?q=%E6%9D%80%E9%9D%92&kind=achievement",
    "listing": "/achievements/CG2026000001",
    "region": "/regions/511402",
}


@pytest.mark.parametrize("name", PAGES)
def test_take(site, page, shot, name):
    assert page.goto(site + PAGES[name]).status == 200
    shot(page, name)
