"""报告错误, as a browser without scripts sends it."""

from __future__ import annotations

import logging
import re

import pytest
import time_machine
from sqlalchemy import func, select

from market.catalogue import service
from market.catalogue.models import ProblemReport
from market.core import clock
from market.core.db import db
from market.core.errors import Busy
from tests.web.conftest import check_html

ADDRESS = "/achievements/CG2026000001/report"
TYPED = {"reason": "wrong", "text": "效果 < 原来\n第二行", "contact": "028-3816 0000"}


@pytest.fixture
def prepared_demo(prepared_quiet):
    """Nothing happened yet: what is found is what a test made."""
    return prepared_quiet


def token(page):
    return re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]


def reports():
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(ProblemReport))


def send(visitor, address=ADDRESS, **typed):
    form = visitor.get(address)
    return visitor.post(address, data={"csrf_token": token(form), **typed})


def typed_again(page):
    """What stands in the form."""
    tree = check_html(page.text)
    area = tree.find(".//textarea")
    checked = [one.get("value") for one in tree.iter("input") if one.get("checked") is not None]
    return {
        "reason": checked[0] if checked else "",
        "text": (area.text or "").removeprefix("\n"),
        "contact": tree.find(".//input[@id='contact']").get("value"),
    }


@pytest.mark.parametrize("address", [ADDRESS, "/demands/XQ2026000001/report", f"/en{ADDRESS}"])
def test_a_report_leads_to_a_page_with_its_number(visitor, address):
    form = visitor.get(address)
    assert form.headers["Cache-Control"] == "no-store"
    cookie = form.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    answer = visitor.post(address, data={"csrf_token": token(form), **TYPED})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/en/" if "/en" in address else "/reports/")
    page = visitor.get(answer.headers["Location"])
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers
    assert answer.headers["Location"].rsplit("/", 1)[1] in page.text
    assert "028-3816" not in page.text.partition("<main")[2].partition('class="answers"')[0]
    assert reports() == 1


def test_mistakes_are_named_above_and_beside_and_nothing_typed_is_lost(visitor):
    answer = send(visitor, text="长" * 1001, contact=TYPED["contact"])
    assert answer.status_code == 422
    tree = check_html(answer.text)
    assert tree.find(".//title").text.startswith("错误：")
    links = {
        link.get("href").removeprefix("#"): link.text
        for link in tree.find(".//div[@class='error-summary']").iter("a")
    }
    assert set(links) == {"reason-1", "text"}
    named = {one.get("id") for one in tree.iter()}
    assert set(links) <= named
    for words in links.values():
        assert answer.text.count(words) == 2
    assert typed_again(answer) == {"reason": "", "text": "长" * 1001, "contact": TYPED["contact"]}
    assert reports() == 0


@pytest.mark.parametrize("given", ["", "wrong", "another visitor's"])
def test_without_a_good_token_the_form_comes_back_filled(visitor, demo, given):
    if given == "another visitor's":
        given = token(demo.test_client().get(ADDRESS))
    visitor.get(ADDRESS)
    answer = visitor.post(ADDRESS, data={"csrf_token": given, **TYPED})
    assert answer.status_code == 400
    assert "请再点一次" in answer.text
    assert typed_again(answer) == TYPED | {"text": "效果 < 原来\n第二行"}
    assert reports() == 0
    again = visitor.post(ADDRESS, data={"csrf_token": token(answer), **TYPED})
    assert again.status_code == 303


def test_an_old_token_is_not_taken(visitor):
    with time_machine.travel("2026-11-20 01:00:00+00:00") as now:
        form = visitor.get(ADDRESS)
        now.shift(5 * 3600)
        answer = visitor.post(ADDRESS, data={"csrf_token": token(form), **TYPED})
    assert answer.status_code == 400
    assert typed_again(answer)["contact"] == TYPED["contact"]


def test_a_visitor_without_cookies_is_told(demo):
    client = demo.test_client(use_cookies=False)
    answer = client.post(ADDRESS, data={"csrf_token": token(client.get(ADDRESS)), **TYPED})
    assert answer.status_code == 400
    assert "没有保存表单凭据" in answer.text


def test_the_sixth_within_an_hour_is_kept_in_the_form(visitor):
    for number in range(1, 6):
        assert send(visitor, f"/demands/XQ202600000{number}/report", **TYPED).status_code == 303
    answer = send(visitor, **TYPED)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "一小时内已报告 5 次" in answer.text
    assert typed_again(answer)["text"] == TYPED["text"]


def test_behind_a_proxy_the_reader_counts_not_the_proxy(visitor):
    for number in range(7):
        form = visitor.get(ADDRESS)
        answer = visitor.post(
            ADDRESS,
            data={"csrf_token": token(form), **TYPED},
            headers={"X-Forwarded-For": f"spoofed, 198.51.100.{number}"},
        )
        assert answer.status_code == 303
    senders = set(db.session.scalars(select(ProblemReport.sender)))
    assert len(senders) == 7


def test_the_header_of_a_stranger_is_not_believed(visitor):
    for number in range(6):
        form = visitor.get(ADDRESS)
        answer = visitor.post(
            ADDRESS,
            data={"csrf_token": token(form), **TYPED, "text": f"第 {number} 次"},
            headers={"X-Forwarded-For": f"198.51.100.{number}"},
            environ_base={"REMOTE_ADDR": "203.0.113.5"},
        )
    assert answer.status_code == 429


def test_a_locked_database_loses_nothing(visitor, monkeypatch):
    def busy(*_values, **_more):
        raise Busy("系统正忙，您的内容没有丢失，请稍后再提交一次。")

    monkeypatch.setattr(service, "report_problem", busy)
    answer = send(visitor, **TYPED)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert typed_again(answer)["contact"] == TYPED["contact"]


@pytest.mark.parametrize(
    "typed",
    [
        {"reason": "<script>alert(1)</script>"},
        {"reason": "other", "text": "</textarea><script>alert(1)</script>", "contact": '"><b>'},
        {"reason": "wrong\x00", "text": "\x00\x01😀", "contact": "x" * 100_000},
        {"reason": ["wrong", "fraud"], "text": ["a", "b"]},
        {"csrf_token": "x"},
    ],
)
def test_anything_sent_gives_a_page(visitor, typed):
    answer = send(visitor, **typed)
    assert answer.status_code in {303, 400, 422}
    assert "<script>alert" not in answer.text


def test_dates_of_a_report_are_those_of_china(visitor):
    with time_machine.travel("2026-11-20 17:00:00+00:00"):  # 1 o'clock in China
        answer = send(visitor, **TYPED)
        assert clock.today().isoformat() == "2026-11-21"
    assert "2026-11-21" in visitor.get(answer.headers["Location"]).text


def test_logs_do_not_hold_the_address_that_opens_a_report(visitor, monkeypatch, caplog):
    monkeypatch.setattr("market.core.http.SLOW", 0.0)
    address = send(visitor, **TYPED).headers["Location"]
    with caplog.at_level(logging.WARNING):
        assert visitor.get(address).status_code == 200
        visitor.get("/help")
    paths = [one.msg["path"] for one in caplog.records if one.msg["event"] == "slow request"]
    assert paths == ["/reports/<string:no>", "/help"]
