"""A draft saves itself as one types; what two write at once is shown side by side."""

import pytest

from market.catalogue.publishing import service
from tests import people
from tests.browser.conftest import watched_page

pytestmark = [pytest.mark.browser, pytest.mark.net, pytest.mark.long]


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


def _walk(demo):
    """Cases of every kind: their pages by who opens them, and the sessions of both."""
    from market.accounts.people import sessions
    from market.catalogue.models import Listing
    from market.core.db import db

    firm = people.organisation("乙蛋品厂（演示）")
    owner, officer = people.person(("owner", firm)), people.person(("county", None, "511402"))
    writer, reviewer = sessions.actor_of(owner), sessions.actor_of(officer)

    def begun(title, **more):
        values = {"title": title, "summary": "人工看灯，慢。", "cleared": "1", **more}
        place = people.region("511402").id
        return service.create_draft(writer, "demand", firm, values, region_id=place)

    wrong, waiting, returned, out = (begun(f"第 {n} 个难题", budget="面议") for n in range(4))
    service.save_draft(writer, wrong, {"budget": "二十来万"}, 1)
    for no in (waiting, returned, out):
        service.act(writer, no, "submit")
    notes = [{"field": "summary", "reason": "写明数量", "rule": "unclear"}]
    service.act(reviewer, returned, "return", notes=notes)
    service.act(reviewer, out, "publish")
    listing = db.session.query(Listing).filter_by(state="published", owner_id=firm).one().no
    again = service.begin_edit(writer, listing)
    service.save_draft(writer, again, {"title": "改了名的难题"}, 1)
    words = [
        people.sign_in(demo.test_client(), who).get_cookie(sessions.COOKIE).value
        for who in (owner, officer)
    ]
    db.session.rollback()
    own = ["/my/listings", "/my/listings/new", f"/my/listings/{listing}"]
    own += [f"/submissions/{wrong}{part}" for part in ("/edit", "/check", "", "/versions")]
    own += [f"/submissions/{returned}{part}" for part in ("/edit", "")]
    own += [f"/submissions/{again}{part}" for part in ("/versions", "/check")]
    desk = [f"/submissions/{waiting}", f"/my/listings/{listing}", "/desk/listings"]
    return {words[0]: own, words[1]: desk, "": [f"/demands/{listing}/versions"]}


def test_nothing_is_in_the_way_of_anybody(demo, site, browser, axe):
    for word, addresses in _walk(demo).items():
        with watched_page(browser, 1280) as page:
            if word:
                page.context.add_cookies([{"name": "market", "value": word, "url": site}])
            for address in addresses:
                assert page.goto(site + address).status == 200, address
                for one in page.query_selector_all("details"):
                    one.evaluate("one => { one.open = true; }")
                axe(page)
