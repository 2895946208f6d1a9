"""Error pages as people see them."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.net]


def test_unknown_page(site, page, axe):
    response = page.goto(f"{site}/no-such-page")
    assert response.status == 404
    assert "没有找到" in page.inner_text("h1")
    axe(page)
