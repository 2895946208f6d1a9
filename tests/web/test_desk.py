"""工作台, 我的事项, acts on many cases, the Monday sheet and the API, as browsers and programs do."""

from __future__ import annotations

import secrets
from datetime import timedelta
from io import BytesIO

import openpyxl
import pytest
import time_machine
from sqlalchemy import select

from market.accounts.people.models import ApiToken
from market.accounts.people.sessions import hashed
from market.catalogue import service
from market.catalogue.models import ProblemReport
from market.core import clock
from market.core.db import db
from market.core.models import AuditEntry, WorkItem
from market.core.permissions import PUBLIC, SYSTEM
from market.core.unit_of_work import unit_of_work
from market.monitoring import service as desk_service
from market.monitoring.models import BulkAction
from tests import cases, people
from tests.web.conftest import ParsingClient, check_html

HERE, THERE = "511402", "511403"
API = "/api/v1/work-items"


@pytest.fixture
def prepared_demo(prepared_quiet):
    """Nothing happened yet: what is found is what a test made."""
    return prepared_quiet


@pytest.fixture(autouse=True)
def _full_batches(monkeypatch):
    """However slow the machine, a batch takes its fifty rows."""
    monkeypatch.setattr(desk_service, "LONGEST_BATCH", 3600.0)


def path(code):
    return people.region(code).path


@pytest.fixture
def clerk(app):
    return people.person(("county", None, HERE), name="李经办")


@pytest.fixture
def browser(client, clerk):
    return people.sign_in(client, clerk)


def texts(page, tag):
    return ["".join(one.itertext()).strip() for one in check_html(page.text).iter(tag)]


def titles(page):
    rows = check_html(page.text).findall(".//tbody/tr/th")
    return ["".join(one.itertext()).strip() for one in rows]


def post(browser, address="/desk?tab=open", **sent):
    form = browser.get(address)
    return browser.post(address, data={"csrf_token": people.token_of(form), **sent})


def item(key):
    db.session.rollback()
    return db.session.get_one(WorkItem, key)


def test_the_desk_shows_rows_counts_and_next_steps(browser, clerk):
    own = people.organisation("青禾合作社")
    cases.fill(1, path=path(HERE), organisation_id=own, urgent=True, assignee_id=clerk.id)
    cases.fill(1, path=path(THERE), start=9, title="别县的")
    page = browser.get("/desk")
    assert page.status_code == 200
    assert titles(page) == ["第 1 件"]
    for words in ("SL000001", "青禾合作社", "东坡", "李经办", "已逾期", "看一看", "加急"):
        assert words in page.text
    assert "别县的" not in page.text
    assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize(
    "tab", ["mine", "unassigned", "soon", "late", "returned", "closed", "open"]
)
def test_an_empty_desk_says_so(browser, tab):
    page = browser.get(f"/desk?tab={tab}")
    assert page.status_code == 200
    assert 'class="empty"' in page.text


@pytest.mark.parametrize(
    "query",
    [
        "tab=nonsense&page=0&order=x&assignee=abc",
        "place=999999&kind=%00&q=%3Cscript%3E",
        "page=99999999&opened_from=2026-13-45",
        "place=511403",
    ],
)
def test_any_address_gives_a_page(browser, query):
    cases.fill(1, path=path(HERE))
    page = browser.get(f"/desk?{query}")
    assert page.status_code == 200
    assert "<script>" not in page.text


def test_all_state_is_in_the_address_and_the_order_is_remembered(browser):
    cases.fill(60, path=path(HERE))
    page = browser.get("/desk?tab=open&kind=tried&place=511402&q=SL&order=opened")
    links = [one.get("href") or "" for one in check_html(page.text).iter("a")]
    following = next(link for link in links if "page=2" in link)
    for part in ("tab=open", "kind=tried", "place=511402", "q=SL", "order=opened"):
        assert part in following
    assert len(titles(browser.get(following))) == 25
    assert "最早在前" in browser.get("/desk?tab=open").text


def test_who_is_no_office_has_no_desk_and_administrators_are_sent_on(app, client):
    assert client.get("/desk").status_code in {302, 303, 401}
    member = people.person(("owner", people.organisation()))
    assert people.sign_in(client, member).get("/desk").status_code == 403
    admin = people.sign_in(app.test_client(), people.person(("system_admin",)))
    answer = admin.get("/desk")
    assert (answer.status_code, answer.location) == (302, "/desk/people")


def test_ticked_cases_are_given_to_a_colleague_and_taken_back(browser):
    colleague = people.person(("county", None, HERE), name="王同事")
    made = cases.fill(3, path=path(HERE))
    answer = post(browser, item=made[:2], act="assign", to=colleague.id)
    assert answer.status_code == 303
    page = browser.get(answer.location)
    assert "分配给王同事" in page.text
    assert "已办 2 件" in page.text
    assert [item(key).assignee_id for key in made] == [colleague.id, colleague.id, None]
    undone = browser.post(f"{answer.location}/undo", data={"csrf_token": people.token_of(page)})
    assert undone.location == answer.location
    assert "已撤销 2 件" in browser.get(answer.location).text
    assert [item(key).assignee_id for key in made] == [None] * 3


def test_all_that_the_filters_find_and_nothing_else(browser, clerk):
    cases.fill(30, path=path(HERE))
    cases.fill(2, path=path(HERE), start=100, kind="other")
    post(browser, "/desk?tab=open&kind=tried", all="1", act="assign", to=clerk.id)
    db.session.rollback()
    given = select(WorkItem.kind).where(WorkItem.assignee_id == clerk.id)
    assert db.session.scalars(given).all() == ["tried"] * 30


def test_a_double_click_acts_once(browser, clerk):
    [key] = cases.fill(1, path=path(HERE))
    form = browser.get("/desk?tab=open")
    sent = {"csrf_token": people.token_of(form), "once": "w" * 24, "item": key}
    sent |= {"act": "assign", "to": clerk.id}
    first = browser.post("/desk?tab=open", data=sent)
    second = browser.post("/desk?tab=open", data=sent)
    assert first.location == second.location
    assert len(db.session.scalars(select(BulkAction)).all()) == 1


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"act": "assign", "to": "1"}, "请先勾选"),
        ({"act": "assign", "item": "KEY"}, "请选择分配给谁"),
        ({"act": "assign", "item": "KEY", "to": "999"}, "请从名单中选一位同事"),
        ({"act": "nonsense", "item": "KEY"}, "没有这项操作"),
        ({"act": "report.dismiss", "item": "KEY"}, "要写明原因"),
        ({"act": "assign", "item": "x", "to": "1"}, "请重新勾选"),
    ],
)
def test_what_is_wrong_is_said_and_ticks_stay(browser, sent, words):
    [key] = cases.fill(1, path=path(HERE))
    sent = {name: str(key) if value == "KEY" else value for name, value in sent.items()}
    answer = post(browser, **sent)
    assert answer.status_code == 422
    assert words in answer.text
    box = check_html(answer.text).find(".//tbody//input[@type='checkbox']")
    assert (box.get("checked") is not None) == (sent.get("item") == str(key))


def test_a_case_of_elsewhere_is_not_there(browser, clerk):
    [there] = cases.fill(1, path=path(THERE))
    cases.fill(1, path=path(HERE), start=9)
    answer = post(browser, item=there, act="assign", to=clerk.id)
    assert answer.status_code == 404
    assert item(there).assignee_id is None


def test_an_act_of_somebody_else_is_not_there(browser, app, clerk):
    [key] = cases.fill(1, path=path(HERE))
    address = post(browser, item=key, act="assign", to=clerk.id).location
    other = people.sign_in(app.test_client(), people.person(("county", None, HERE)))
    assert other.get(address).status_code == 404
    token = people.token_of(other.get("/desk?tab=open"))
    assert other.post(f"{address}/undo", data={"csrf_token": token}).status_code == 404
    assert item(key).assignee_id == clerk.id


def test_a_long_act_shows_how_far_it_is(browser, clerk):
    cases.fill(70, path=path(HERE))
    address = post(browser, all="1", act="assign", to=clerk.id).location
    page = browser.get(address)
    assert "正在办理" in page.text
    bar = check_html(page.text).find(".//progress")
    assert (bar.get("max"), bar.get("value")) == ("70", "50")


def test_after_ten_minutes_the_page_offers_no_undoing(browser, clerk):
    [key] = cases.fill(1, path=path(HERE))
    address = post(browser, item=key, act="assign", to=clerk.id).location
    page = browser.get(address)
    assert "撤销这次操作" in page.text
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert "撤销这次操作" not in browser.get(address).text
        late = browser.post(f"{address}/undo", data={"csrf_token": people.token_of(page)})
        assert late.status_code == 409
        assert "10 分钟" in late.text


# 我的事项


def test_who_has_nothing_is_told_what_to_do(client, app):
    page = people.sign_in(client, people.person()).get("/my")
    assert page.status_code == 200
    links = [one.get("href") for one in check_html(page.text).find(".//main").iter("a")]
    assert {"/post/demand/form", "/my/organisation"} <= set(links)


def test_what_waits_for_me_stands_before_what_i_wait_for(client, app):
    own = people.organisation("青禾合作社")
    member = people.person(("editor", own))
    more = {"path": path(HERE), "organisation_id": own}
    cases.fill(1, start=1, title="等部门", **more)
    cases.fill(1, start=2, title="等我", side="owner", returned=True, **more)
    cases.fill(12, start=3, side="", closed_at=clock.now(), **more)
    page = people.sign_in(client, member).get("/my")
    assert titles(page)[:2] == ["等我", "等部门"]
    assert "东坡科技管理部门" in page.text
    assert "已退回" in page.text
    rest = client.get("/my?group=closed")
    assert len(titles(rest)) == 12
    assert "办结日期" in rest.text
    assert "在谁手上" not in rest.text
    assert client.get("/my?group=nonsense&page=7").status_code == 200


# The sheet


def test_the_sheet_is_a_page_and_a_table(browser):
    cases.fill(12, path=path(HERE))
    page = browser.get("/desk/monday")
    assert page.status_code == 200
    assert "周一简表：东坡" in page.text
    assert "已逾期" in page.text
    assert "data-print" in page.text
    assert "assignee=0" in page.text
    assert '<option value="0" selected>' in browser.get("/desk?tab=open&assignee=0").text
    file = browser.get(f"/desk/monday.xlsx?place={HERE}")
    sheet = openpyxl.load_workbook(BytesIO(file.data)).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:4] == ("分组", "项目", "指标", "件数")
    assert ("合计", "东坡", "在办") in [row[:3] for row in rows]
    assert browser.get(f"/desk/monday?place={THERE}").status_code == 404


# Reports of readers


@pytest.fixture
def officer(demo):
    demo.test_client_class = ParsingClient
    [key] = cases.reports(1)
    code = cases.report_of(key).listing.region.code
    who = people.person(("county", None, code), name="李经办")
    return people.sign_in(demo.test_client(), who)


def one_report():
    db.session.rollback()
    return db.session.scalars(select(ProblemReport)).one()


def test_a_report_is_dealt_with_on_its_page(officer, demo):
    address = f"/desk/reports/{one_report().no}"
    assert address in officer.get("/desk?tab=unassigned").text
    page = officer.get(address)
    assert "剩余" not in page.text
    assert "办理时限" in page.text
    token = people.token_of(page)
    refused = officer.post(f"{address}/dismiss", data={"csrf_token": token})
    assert refused.status_code == 422
    assert "请写明原因" in refused.text
    done = officer.post(f"{address}/dismiss", data={"csrf_token": token, "reason": "内容无误"})
    assert (done.status_code, one_report().state) == (303, "dismissed")
    page = officer.get(address)
    assert "内容无误" in page.text
    assert "重新办理" in page.text
    again = officer.post(f"{address}/handle", data={"csrf_token": token})
    assert again.status_code == 409
    other = people.sign_in(demo.test_client(), people.person(("county", None, "650102")))
    assert other.get(address).status_code == 404


def test_the_contact_is_shown_for_a_reason_that_is_written_down(demo):
    demo.test_client_class = ParsingClient
    given = {"reason": "wrong", "contact": "028-3816 0000"}
    number = service.report_problem(
        PUBLIC, "achievement", "CG2026000001", given, address="192.0.2.1"
    )
    who = people.person(("county", None, one_report().listing.region.code))
    officer = people.sign_in(demo.test_client(), who)
    address = f"/desk/reports/{number}"
    page = officer.get(address)
    assert "028-3816" not in page.text
    token = people.token_of(page)
    assert officer.post(f"{address}/contact", data={"csrf_token": token}).status_code == 422
    shown = officer.post(f"{address}/contact", data={"csrf_token": token, "reason": "回电核实"})
    assert "028-3816 0000" in shown.text
    read = select(AuditEntry).where(AuditEntry.action == "report.contact_read")
    assert db.session.scalars(read).one().after == {"reason": "回电核实"}


# Programs


def token_for(organisation_id, role, scopes, region=None):
    word = secrets.token_urlsafe(32)
    place = people.region(region).id if region else None
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(
            ApiToken(
                organisation_id=organisation_id,
                role=role,
                label="试验",
                hint=word[:4],
                token_hash=hashed(word),
                scopes=scopes,
                region_id=place,
                created_at=clock.now(),
                created_by="测试",
                expires_at=clock.now() + timedelta(days=1),
            )
        )
    return {"Authorization": f"Bearer {word}"}


def test_programs_of_an_office_list_assign_act_and_undo(client, clerk):
    office = people.organisation("科技局", kind="office")
    head = token_for(office, "county", ["monitoring:work_item"], HERE)
    made = cases.fill(3, path=path(HERE))
    cases.fill(1, path=path(THERE), start=9)
    answer = client.get(f"{API}?per_page=2", headers=head).json
    assert (answer["total"], answer["total_is"], len(answer["items"])) == (3, "exact", 2)
    rest = client.get(f"{API}?per_page=2&after={answer['next_after']}", headers=head).json
    assert (len(rest["items"]), rest["next_after"]) == (1, None)
    assert {one["id"] for one in answer["items"] + rest["items"]} == set(made)

    body = {"assignee_id": clerk.id}
    assign = f"{API}/{made[0]}/assign"
    assert client.post(assign, json=body, headers=head).status_code == 428
    read = client.get(f"{API}/{made[0]}", headers=head)
    match = head | {"If-Match": read.headers["ETag"], "Idempotency-Key": "a"}
    given = client.post(assign, json=body, headers=match)
    assert (given.status_code, given.json["rows"][0]["state"]) == (201, "done")
    assert client.post(assign, json=body, headers=match).json == given.json
    again = match | {"Idempotency-Key": "b"}
    assert client.post(assign, json=body, headers=again).status_code == 412
    many = {"act": "assign", "items": made, "assignee_id": clerk.id}
    key = {**head, "Idempotency-Key": "k1"}
    first = client.post(f"{API}/bulk", json=many, headers=key)
    again = client.post(f"{API}/bulk", json=many, headers=key)
    assert first.json == again.json
    assert [one["state"] for one in first.json["rows"]] == ["refused", "done", "done"]
    undone = client.post(f"{first.headers['Location']}/undo", headers=head)
    assert undone.status_code == 200, undone.text
    assert undone.json["state"] == "undone"
    assert client.get(first.headers["Location"], headers=head).json["state"] == "undone"
    assert [item(one).assignee_id for one in made] == [clerk.id, None, None]


def test_programs_of_an_organisation_see_its_own_and_change_nothing(client):
    own = people.organisation("甲")
    head = token_for(own, "editor", ["monitoring:work_item"])
    [mine] = cases.fill(1, path=path(HERE), organisation_id=own)
    cases.fill(1, path=path(HERE), start=9)
    assert [one["id"] for one in client.get(API, headers=head).json["items"]] == [mine]
    body = {"assignee_id": 1}
    assert client.post(f"{API}/{mine}/assign", json=body, headers=head).status_code == 403
    assert client.get(API).status_code == 401
    other = token_for(own, "editor", ["catalogue:listing"])
    assert client.get(API, headers=other).status_code == 403


def test_what_a_program_sends_wrongly_is_named(client):
    office = people.organisation("科技局", kind="office")
    head = token_for(office, "county", ["monitoring:work_item"], HERE)
    head = head | {"If-Match": "*"}
    for query in ("tab=x", "order=x", "after=x", "due_to=x"):
        assert client.get(f"{API}?{query}", headers=head).status_code == 422
    for body in ({}, {"act": "assign", "items": "x"}, {"act": "assign", "items": []}):
        assert client.post(f"{API}/bulk", json=body, headers=head).status_code == 422
    assert client.post(f"{API}/99/assign", json={"assignee_id": 1}, headers=head).status_code in {
        404,
        422,
    }


def test_the_desk_asks_at_most_twelve_statements(demo, statements):
    who = people.person(("county", None, HERE))
    browser = people.sign_in(demo.test_client(), who)
    own = people.organisation()
    cases.fill(30, path=path(HERE), organisation_id=own, assignee_id=who.id)
    for address in ("/desk?tab=open", f"/desk?tab=open&place={HERE}&q=SL&page=2", "/my"):
        statements.clear()
        assert browser.get(address).status_code == 200
        asked = [one for one in statements if one.lstrip().startswith(("SELECT", "WITH"))]
        assert len(asked) <= 12, asked
        assert {one.split()[0] for one in statements} <= {"BEGIN", "SELECT", "WITH"}
