"""A draft saves itself as one types; what two write at once is shown side by side."""

import pytest

from market.catalogue.publishing import service
from tests import people
from tests.browser.conftest import watched_page

pytestmark = [pytest.mark.browser, pytest.mark.net]


@pytest.fixture
def draft(demo):
    """A draft, and the session of its editor."""
    from market.accounts.people import sessions
    from market.core.db import db

    firm = people.organisation("甲蛋品厂（演示）")
    editor = people.person(("editor", firm))
    no = service.create_draft(
        sessions.actor_of(editor),
        "demand",
        firm,
        {"title": "名称"},
        region_id=people.region("511402").id,
    )
    client = people.sign_in(demo.test_client(), editor)
    word = client.get_cookie(sessions.COOKIE).value
    db.session.rollback()
    return f"/submissions/{no}/edit", word


@pytest.mark.parametrize("width", [1280, 320])
def test_what_is_typed_is_there_on_another_device(browser, site, draft, width):
    address, word = draft
    with watched_page(browser, width) as page:
        page.context.add_cookies([{"name": "market", "value": word, "url": site}])
        page.goto(site + address)
        late = page.context.new_page()
        late.goto(site + address)
        page.fill("#problem", "裂纹看不出")
        page.wait_for_selector("[data-saved]:has-text('已自动')")
        late.fill("#problem", "盐水太浓")
        late.wait_for_selector("[data-saved]:has-text('别处')")
        assert late.input_value("#problem") == "盐水太浓"
        late.click("button[value=stay]")
        late.wait_for_selector(".other-version")
        assert late.inner_text(".other-version .kept-text") == "裂纹看不出"
        assert late.input_value("#problem") == "盐水太浓"
        late.click("button[value=stay]")
        late.wait_for_selector("[role=status]")
        page.goto(site + address)
        assert page.input_value("#problem") == "盐水太浓"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
