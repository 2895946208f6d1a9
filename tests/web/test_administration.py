"""人员、授权、操作记录: pages of three people, each closed to the other two."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import select

from market.accounts.people.models import RoleGrant
from market.core import clock
from market.core.db import db
from market.core.models import AuditEntry
from market.core.secrets import unseal
from tests import people
from tests.web.conftest import check_html

PAGES = {
    "system_admin": "/desk/people",
    "security_admin": "/desk/grants",
    "audit_admin": "/desk/audit",
}


def admin(client, role):
    return people.sign_in(client, people.person((role,), name=f"{role}（演示）"))


def send(client, page, address, **typed):
    token = people.token_of(client.get(page))
    return client.post(address, data={"csrf_token": token} | typed)


def number_of(person):
    return unseal(person.mobile, "person.mobile")


@pytest.mark.parametrize("role", [*PAGES, "county", "owner", None])
def test_each_page_is_for_one_administrator(client, app, role):
    place = (people.organisation(), "511402") if role in {"county", "owner"} else ()
    if role:
        people.sign_in(client, people.person((role, *place)))
    some = people.person().id
    addresses = {page: page for page in PAGES.values()}
    addresses |= {f"/desk/people/{some}": "/desk/people", f"/desk/grants/{some}": "/desk/grants"}
    addresses["/desk/audit/verify"] = "/desk/audit"
    for address, page in addresses.items():
        found = client.get(address).status_code
        assert (found == 200) == (page == PAGES.get(role)), address
        assert found in {200, 401, 403, 303}


def test_an_account_is_found_suspended_and_opened_again(client):
    admin(client, "system_admin")
    person = people.person(name="李四")
    number = number_of(person)
    assert number not in client.get("/desk/people").text
    found = send(client, "/desk/people", "/desk/people", contact=number)
    address = found.headers["Location"]
    assert address == f"/desk/people/{person.id}"
    assert number not in client.get(address).text
    blank = send(client, address, f"{address}/suspend", reason="")
    assert blank.status_code == 422
    assert "停用账号" in blank.text
    assert send(client, address, f"{address}/suspend", reason="账号被他人使用").status_code == 303
    page = client.get(address)
    assert "已停用" in page.text
    assert send(client, address, f"{address}/reactivate", reason="本人已核实").status_code == 303
    assert "恢复账号" not in client.get(address).text


@pytest.mark.parametrize("typed", ["139", "张三", "<b>@x", "13900009999", ""])
def test_who_is_not_found_is_said_and_what_was_typed_stays(client, typed):
    admin(client, "security_admin")
    answer = send(client, "/desk/grants", "/desk/grants", contact=typed)
    assert answer.status_code == 422
    assert check_html(answer.text).find(".//input[@id='contact']").get("value") == typed


def test_a_role_is_given_and_taken_back(client):
    admin(client, "security_admin")
    person = people.person(name="王五")
    found = send(client, "/desk/grants", "/desk/grants", contact=number_of(person))
    address = found.headers["Location"]
    typed = {"role": "county", "region": "511400", "reason": "任命文件〔2026〕1号（演示）"}
    wrong = send(client, address, address, **typed)
    assert wrong.status_code == 422
    tree = check_html(wrong.text)
    assert tree.find(".//input[@id='region']").get("aria-invalid") == "true"
    assert tree.find(".//input[@id='reason']").get("value") == typed["reason"]
    assert 'value="county" selected' in wrong.text
    assert send(client, address, address, **typed | {"region": "511402"}).status_code == 303
    page = client.get(address)
    assert "东坡区" in page.text
    assert "东坡区" in client.get("/desk/grants").text
    key = db.session.scalar(select(RoleGrant.id).where(RoleGrant.person_id == person.id))
    blank = send(client, address, f"{address}/{key}/end", reason="")
    assert blank.status_code == 422
    links = [
        one.get("href")
        for one in check_html(blank.text).find(".//div[@class='error-summary']").iter("a")
    ]
    assert links == [f"#end-{key}"]
    assert send(client, address, f"{address}/{key}/end", reason="调离").status_code == 303
    assert "已收回" in client.get(address).text


def test_a_second_factor_is_reset_on_the_page_of_its_holder(client):
    other = people.person(totp="x", totp_at=clock.now()).id
    people.sign_in(client, people.person(("security_admin",)))
    place = f"/desk/grants/{other}"
    page = client.get(place)
    assert "重置两步验证" in page.text
    sent = {"csrf_token": people.token_of(page)}
    empty = client.post(f"{place}/second-factor", data=sent)
    assert empty.status_code == 422
    assert 'href="#reset-reason"' in empty.text
    done = client.post(f"{place}/second-factor", data=sent | {"reason": "本人到场"})
    assert done.status_code == 303
    assert "重置两步验证" not in client.get(place).text


def test_two_roles_that_exclude_each_other_are_refused_on_the_page(client):
    admin(client, "security_admin")
    person = people.person(("system_admin",))
    address = f"/desk/grants/{person.id}"
    answer = send(client, address, address, role="expert", reason="试试（演示）")
    assert (answer.status_code, "不能兼任" in answer.text) == (422, True)


def test_the_audit_is_searched_and_exported(client, app):
    security = people.sign_in(app.test_client(), people.person(("security_admin",), name="安管"))
    person = people.person()
    address = f"/desk/grants/{person.id}"
    send(security, address, address, role="expert", reason="<script>x</script>")
    admin(client, "audit_admin")
    page = client.get("/desk/audit?action=grant")
    assert "grant.given" in page.text
    assert '<td data-label="操作">授权 <small' in page.text
    assert "<script>x" not in page.text
    assert "法定不少于六个月" in page.text
    assert "没有符合条件的记录" in client.get("/desk/audit?actor=没有此人").text
    wrong = client.get("/desk/audit?since=昨天&actor=安管")
    assert wrong.status_code == 422
    assert check_html(wrong.text).find(".//input[@id='since']").get("value") == "昨天"
    assert "逐条相符" in client.get("/desk/audit/verify").text
    before = db.session.scalar(select(AuditEntry.id).order_by(AuditEntry.id.desc()))
    for form in ("csv", "xlsx", "jsonl"):
        file = send(
            client, "/desk/audit?action=grant", "/desk/audit/export", action="grant", format=form
        )
        assert file.status_code == 200
        assert file.headers["Content-Disposition"].startswith("attachment")
        if form == "csv":
            rows = list(csv.reader(io.StringIO(file.data.decode("utf-8-sig"))))
            assert [row[4] for row in rows] == ["操作", "grant.given"]
    db.session.rollback()
    noted = db.session.scalars(select(AuditEntry.action).where(AuditEntry.id > before)).all()
    assert noted == ["audit.exported"] * 3


def test_an_export_without_a_form_of_ours_writes_nothing(client):
    admin(client, "audit_admin")
    assert client.post("/desk/audit/export", data={"format": "csv"}).status_code == 400
    assert client.get("/desk/audit/export").status_code == 405


def test_pages_of_the_audit_follow_each_other(client, app):
    admin(client, "audit_admin")
    from market.core.permissions import SYSTEM
    from market.core.unit_of_work import unit_of_work

    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        for number in range(60):
            work.record("test.done", "test", number)
    first = check_html(client.get("/desk/audit?action=test").text)
    assert len(first.findall(".//tbody/tr")) == 50
    more = next(one.get("href") for one in first.iter("a") if one.text == "更早的")
    assert "action=test" in more
    assert len(check_html(client.get(more).text).findall(".//tbody/tr")) == 10
