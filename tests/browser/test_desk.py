"""工作台 in a real browser: by keyboard in the table, without faults of accessibility."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from market.accounts.people import sessions
from market.core import clock
from market.core.db import db
from market.core.models import WorkItem
from tests import cases, people


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


pytestmark = [pytest.mark.browser, pytest.mark.net]
HERE = "511402"


def signed_in(demo, page, site, who):
    """Give the browser the session of this person."""
    client = people.sign_in(demo.test_client(), who)
    word = client.get_cookie(sessions.COOKIE).value
    page.context.add_cookies([{"name": sessions.COOKIE, "value": word, "url": site}])


@pytest.fixture
def clerk(demo):
    who = people.person(("county", None, HERE), name="李经办")
    own = people.organisation("青禾合作社")
    path = people.region(HERE).path
    cases.fill(8, path=path, organisation_id=own, url="/help")
    cases.fill(3, path=path, start=20, side="owner", returned=True, organisation_id=own)
    cases.fill(3, path=path, start=30, side="", closed_at=clock.now())
    return who


def test_the_keys_work_in_the_table_and_nowhere_else(demo, site, page, clerk):
    signed_in(demo, page, site, clerk)
    page.goto(f"{site}/desk?tab=open")
    page.focus("#q")
    page.keyboard.type("jxk")
    assert page.input_value("#q") == "jxk"
    assert page.locator("tbody input:checked").count() == 0
    page.focus("[data-desk]")
    for key in "jjxkx":
        page.keyboard.press(key)
    ticked = page.eval_on_selector_all(
        "tbody tr", "rows => rows.map(row => row.querySelector('input').checked)"
    )
    assert ticked[:3] == [True, True, False]
    page.keyboard.press("Enter")
    page.wait_for_url("**/help")


def test_cases_are_given_away_and_taken_back_by_keyboard(demo, site, page, clerk):
    signed_in(demo, page, site, clerk)
    page.goto(f"{site}/desk?tab=unassigned")
    page.focus("[data-desk]")
    for key in "jx":
        page.keyboard.press(key)
    page.focus("#to")
    page.keyboard.press("ArrowDown")  # the first choice: oneself
    page.get_by_role("button", name="分配", exact=True).press("Enter")
    page.wait_for_url("**/desk/bulk/*")
    assigned = select(WorkItem.id).where(WorkItem.assignee_id == clerk.id)
    db.session.rollback()
    assert len(db.session.scalars(assigned).all()) == 1
    page.get_by_role("button", name="撤销这次操作").press("Enter")
    page.get_by_text("已撤销").first.wait_for()
    db.session.rollback()
    assert db.session.scalars(assigned).all() == []


def test_no_page_of_desks_has_faults(demo, site, page, clerk, axe):
    signed_in(demo, page, site, clerk)
    addresses = [f"/desk?tab={tab}" for tab in ("mine", "open", "closed")]
    for address in [*addresses, "/desk/monday", "/my"]:
        page.goto(f"{site}{address}")
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.goto(f"{site}/desk?tab=open")
    page.get_by_role("button", name="分配", exact=True).click()
    assert page.locator(".error-summary").count() == 1
    axe(page)
