"""Suggestions below the search box: by keyboard, by mouse, on phones, with an input method."""

import pytest
from playwright.sync_api import expect

from market.discovery import suggestions

pytestmark = [pytest.mark.browser, pytest.mark.net, pytest.mark.long]


@pytest.fixture
def box(site, page):
    """The search box of the search page, focused."""
    page.goto(f"{site}/search")
    found = page.locator("#q")
    found.focus()
    return found


def options(page):
    return page.locator("[role=listbox].show [role=option]")


def test_arrows_choose_and_enter_searches(page, box, axe, shot):
    box.press_sequentially("shaq")
    expect(options(page)).to_have_count(1)
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator("[role=status]", has_text="1 条联想")).to_have_count(1)
    box.press("ArrowDown")
    chosen = page.locator(f"#{box.get_attribute('aria-activedescendant')}")
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(chosen).to_have_text("杀青")
    expect(box).to_be_focused()
    expect(box).to_have_value("shaq")  # what was typed stays until one is taken
    axe(page)
    shot(page, "suggestions")
    box.press("Enter")
    page.wait_for_url("**/search?q=%E6%9D%80%E9%9D%92*")
    assert page.locator("#q").input_value() == "杀青"


def test_arrows_go_round_through_what_was_typed(page, box):
    box.press_sequentially("茶")
    expect(options(page)).to_have_count(suggestions.MOST)
    box.press("ArrowUp")
    expect(options(page).last).to_have_attribute("aria-selected", "true")
    box.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant") is None
    box.press("ArrowDown")
    expect(options(page).first).to_have_attribute("aria-selected", "true")
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_escape_closes_and_keeps_what_was_typed(page, box):
    box.press_sequentially("茶")
    expect(options(page).first).to_be_visible()
    box.press("ArrowDown")
    box.press("Escape")
    expect(options(page)).to_have_count(0)
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_have_value("茶")
    box.press("Enter")
    page.wait_for_url("**/search?q=%E8%8C%B6*")


def test_leaving_the_box_closes(page, box):
    box.press_sequentially("茶")
    expect(options(page).first).to_be_visible()
    box.press("Tab")
    expect(options(page)).to_have_count(0)


def test_a_click_searches(page, box):
    box.press_sequentially("shaq")
    options(page).first.click()
    page.wait_for_url("**/search?q=%E6%9D%80%E9%9D%92*")


def test_nothing_is_asked_while_an_input_method_composes(page, box):
    asked = []
    page.on("request", lambda sent: asked.append(sent.url) if "/suggest" in sent.url else None)
    client = page.context.new_cdp_session(page)
    for text in ("s", "sh", "sha"):
        client.send(
            "Input.imeSetComposition", {"text": text, "selectionStart": 0, "selectionEnd": 0}
        )
        page.wait_for_timeout(250)
    assert asked == []
    client.send("Input.insertText", {"text": "杀"})
    expect(options(page).first).to_contain_text("杀")
    assert len(asked) == 1


def test_fast_typing_asks_once(page, box):
    asked = []
    page.on("request", lambda sent: asked.append(sent.url) if "/suggest" in sent.url else None)
    box.press_sequentially("shaqing", delay=20)
    expect(options(page).first).to_have_text("杀青")
    assert len(asked) == 1
