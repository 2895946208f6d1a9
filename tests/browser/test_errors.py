"""Error pages as people see them."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.net]


def test_unknown_page(site, page, axe):
    response = page.goto(f"{site}/no-such-page")
    assert response.status == 404
    assert "没有找到" in page.inner_text("h1")
    axe(page)


@pytest.mark.long
def test_focus_is_seen_on_everything_one_can_reach_by_keyboard(site, page):
    page.goto(f"{site}/search?q=%E8%8C%B6")
    for _ in range(25):
        page.keyboard.press("Tab")
        page.wait_for_timeout(250)  # transitions of the style sheet
        seen = page.evaluate(
            """() => { const one = document.activeElement, style = getComputedStyle(one);
            return [one.tagName + '.' + one.className, parseFloat(style.outlineWidth),
                    style.outlineStyle]; }"""
        )
        assert seen[1] >= 2, seen
        assert seen[2] != "none", seen
