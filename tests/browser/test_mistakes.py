"""The main forms sent with a mistake: told on top with the focus, linked, beside the field; all kept."""

from __future__ import annotations

import pytest

from market.accounts.people import sessions
from market.core.db import db
from tests import lived, people
from tests.browser.conftest import watched_page
from tests.service.clerk import CODE

pytestmark = [pytest.mark.browser, pytest.mark.net, pytest.mark.long]
# Who opens which page, what is typed (by id), which button sends it.
FORMS = [
    ("", "/login", {"account": "张三"}, "登录"),
    ("", "/register", {"name": "张三"}, "下一步：获取验证码"),
    ("", "/password", {}, ""),
    ("", "/claim", {}, ""),
    ("", "/post/demand/form", {"problem": "胀袋\n漏汁", "place": "dpq"}, "下一步：核对"),
    ("", "/demands/XQ2026000001/inquire", {"name": "张三", "reach": "下午"}, "发出咨询"),
    ("", "/achievements/CG2026000001/report", {}, ""),
    ("firm.editor", "{draft}/edit", {"budget": "二十来万", "problem": "蛋裂"}, "检查并送出"),
    ("firm.editor", "{good}/check", {"cleared_no": "审 1"}, "提交审核"),
    ("nobody", "/my/organisation/new", {"find": "9151"}, "查找单位"),
    ("nobody", "/my/organisation/new?uscc=" + CODE, {"name": "甲公司"}, "登记单位"),
    ("firm.owner", "/my/organisation/edit", {"telephone": "打给老李", "hours": "9–5"}, "保存"),
    ("firm.owner", "/my/organisation/members", {"contact": "老李"}, "发出邀请"),
    ("firm.owner", "/account/password", {}, ""),
    ("institute.editor", "/my/imports", {}, "上传并检查"),
    ("institute.editor", "/my/inquiries/templates", {"text": "请寄样"}, "添加模板"),
    ("county.dongpo", "/desk/intakes/new", {"problem": "胀袋", "firm": "丁厂"}, "去写需求"),
    (
        "county.dongpo",
        "/desk/settings/511402",
        {"name_1": "泡菜", "keywords_1": "菜"},
        "保存主导产业",
    ),
]


@pytest.fixture
def drafts(demo):
    """A draft, and one that lacks only what is ticked before sending."""
    from market.catalogue.publishing import service

    writer = lived.actor("firm.editor")
    owner = lived.organisation(lived.FIRM).id
    place = people.region(lived.HERE).id

    def begun(title):
        values = {"title": title, "summary": "人工看灯，慢。"}
        return service.create_draft(writer, "demand", owner, values, region_id=place)

    found = {name: f"/submissions/{begun(f'难题 {name}（演示）')}" for name in ("draft", "good")}
    db.session.rollback()
    return found


@pytest.mark.parametrize("width", [1280, 320])
def test_a_mistake_is_told_and_nothing_is_lost(demo, site, browser, axe, drafts, width):
    words = {}
    for login in {login for login, *_more in FORMS if login}:
        client = people.sign_in(demo.test_client(), lived.account(login))
        words[login] = client.get_cookie(sessions.COOKIE).value
    db.session.rollback()
    wrong = []
    for login, address, typed, button in FORMS:
        with watched_page(browser, width) as page:
            if login:
                cookie = {"name": sessions.COOKIE, "value": words[login], "url": site}
                page.context.add_cookies([cookie])
            assert page.goto(site + address.format(**drafts)).status == 200, address
            send(page, typed, button)
            wrong += [f"{address}: {fault}" for fault in faults(page, typed)]
            axe(page)
    assert wrong == []


def send(page, typed, button):
    """Fill in what is given and press the button; "" is the first one of the text."""
    for name, text in typed.items():
        if folded := page.query_selector(f"details:not([open]) #{name}"):
            folded.evaluate("one => { one.closest('details').open = true; }")
        page.fill(f"#{name}", text)
    main = page.locator("#main form")
    found = main.get_by_role("button", name=button) if button else main.locator("[type=submit]")
    with page.expect_navigation():
        found.first.click()


def faults(page, typed):
    """What is wrong with the page that tells of mistakes."""
    if page.locator(".error-summary").count() != 1:
        yield f"no list of mistakes: {page.inner_text('main')[:200]}"
        return
    if not page.evaluate("document.activeElement.matches('.error-summary')"):
        yield "the list of mistakes has not the focus"
    if not page.title().startswith("错误："):
        yield f"the title does not tell: {page.title()}"
    for name, text in typed.items():
        if page.query_selector(f"#{name}") and page.input_value(f"#{name}") != text:
            yield f"{name} was {text!r}, is {page.input_value(f'#{name}')!r}"
    for link in page.locator(".error-summary a").all():
        target = link.get_attribute("href")[1:]
        link.click()
        if page.query_selector(f"[id='{target}']") is None:
            yield f"leads nowhere: {target}"
        elif page.query_selector(f"[id='{target}']").evaluate("one => one.tagName") == "DIV":
            continue  # the answer on a page that only shows
        elif page.evaluate("document.activeElement.id") != target:
            yield f"{target} does not take the focus"
        elif not page.evaluate(
            "document.activeElement.closest('.field-wrong, fieldset')?.querySelector('.field-error')"
            " != null"
        ):
            yield f"nothing is said beside {target}"
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        yield "too wide"
