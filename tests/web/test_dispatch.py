"""推荐对接, as a browser without scripts sends it: each page in each state, mistakes, strangers."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select, update

from market.accounts.models import Organisation
from market.accounts.people import sessions
from market.accounts.people.models import ApiToken, Person
from market.catalogue.models import Listing
from market.core import clock
from market.core.db import db
from market.core.models import AuditEntry, WorkItem
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.demo.play import actor
from market.matching.dispatch import queries
from market.matching.dispatch.models import STATES, ContactLine, Dispatch, Escalation
from tests import people

HERE = "511402"
NASTY = "</textarea><script>alert(1)</script> <b>粗</b>"


def account(login):
    """A demonstration person."""
    return db.session.get_one(Person, actor(login).id)


@pytest.fixture
def browser(demo, visitor):
    """Opens the site as somebody."""

    def of(who):
        return people.sign_in(demo.test_client(), who)

    return of


@pytest.fixture
def clerk(browser):
    return browser(account("county.dongpo"))


def demand_no(source_id):
    return db.session.scalars(select(Listing.no).where(Listing.source_id == source_id)).one()


def newest():
    db.session.rollback()
    return db.session.scalars(select(Dispatch).order_by(Dispatch.id.desc()).limit(1)).one()


def in_state(state, code=HERE):
    db.session.rollback()
    place = people.region(code)
    query = select(Dispatch).where(Dispatch.state == state, Dispatch.region_id == place.id)
    return db.session.scalars(query.order_by(Dispatch.id).limit(1)).one()


def post(client, address, page, **typed):
    """Send a form of a page that was got."""
    token = people.token_of(client.get(page))
    return client.post(address, data={"csrf_token": token, **typed})


def test_every_state_shows_its_page_to_its_officers(demo, browser):
    city, seen = browser(account("province.sichuan")), set()
    for one in db.session.scalars(select(Dispatch)).all():
        page = city.get(f"/dispatches/{one.no}")
        assert page.status_code == 200, one.no
        assert STATES[one.state] in page.text
        seen.add(one.state)
    assert seen == set(STATES)


def test_the_desk_in_all_tabs_by_few_statements(clerk, statements):
    for tab in queries.TABS:
        statements.clear()
        page = clerk.get(f"/desk/dispatches?tab={tab}&q=")
        assert page.status_code == 200
        counted = [one for one in statements if one.lstrip()[:6].upper() in {"SELECT", "WITH"}]
        assert len(counted) <= 12, counted
    assert "已逾期" in clerk.get("/desk/dispatches?tab=late").text
    assert "没有找到「没有这家」" in clerk.get("/desk/dispatches?q=没有这家").text
    assert "浣花理工大学" in clerk.get("/desk/dispatches?q=浣花&tab=waiting").text
    assert clerk.get("/desk/dispatches?page=99").status_code == 302


def test_sending_from_the_page_of_a_demand(demo, clerk):
    no = demand_no("demo-xq-001")
    public = clerk.get(f"/demands/{no}")
    address = f"/desk/demands/{no}/dispatch"
    assert f'href="{address}"' in public.text
    page = clerk.get(address)
    assert "共有词：" in page.text
    assert "合计" in page.text
    assert "已推荐：" in page.text  # who has it now cannot be ticked
    found = post(clerk, address, address, q="历山", then="find", words=NASTY)
    assert "历山理工大学" in found.text
    assert "&lt;script&gt;" in found.text
    empty = post(clerk, address, address, words="请看看", to="")
    assert empty.status_code == 422
    assert "请至少选一家" in empty.text
    assert ">\n请看看</textarea>" in empty.text
    number = found.text.split('value="DW')[1].split('"')[0]
    wrong = post(clerk, address, address, to=f"DW{number}", days="99", words="请看看")
    assert wrong.status_code == 422
    assert f'value="DW{number}" checked' in wrong.text  # nothing ticked is lost
    before = newest().no
    sent = post(clerk, address, address, to=f"DW{number}", days="5", words="请看看")
    assert (sent.status_code, sent.location) == (303, address)
    assert newest().no > before
    again = post(clerk, address, address, to=f"DW{number}", days="5")
    assert again.status_code == 422
    assert newest().no in again.text


def test_a_recipient_answers_by_one_form(demo, browser, clerk):
    no, one = demand_no("demo-xq-029"), account("institute.editor")
    own = sessions.actor_of(one).organisations()[0]
    to = db.session.get_one(Organisation, own).no
    address = f"/desk/demands/{no}/dispatch"
    assert "曾推荐过" in clerk.get(address).text or "可以再推荐" in clerk.get(address).text
    post(clerk, address, address, to=to, days="5", words="水处理")
    made = newest()
    institute = browser(one)
    assert made.no in institute.get("/my").text
    case = f"/dispatches/{made.no}"
    assert institute.get(f"/my{case}").location == case
    page = institute.get(case)
    assert "发送答复" in page.text
    assert "联系记录" not in page.text  # the office's own notes
    assert "合计" not in page.text
    wrong = post(institute, f"{case}/answer", case, answer="interested", text="能做", version="1")
    assert wrong.status_code == 422
    assert "请留一个电话" in wrong.text
    assert ">\n能做</textarea>" in wrong.text
    typed = {"answer": "interested", "text": "能做", "contact": "陈成果", "version": "1"}
    done = post(institute, f"{case}/answer", case, telephone="13812341234", **typed)
    assert done.status_code == 303
    stale = post(
        institute, f"{case}/answer", case, telephone="13812341234", **typed | {"text": "又"}
    )
    assert stale.status_code == 409
    assert ">\n又</textarea>" in stale.text
    shown = clerk.get(case)
    assert "138****1234" in shown.text
    assert "13812341234" not in shown.text
    assert post(clerk, f"{case}/contact", case, reason="").status_code == 422
    full = post(clerk, f"{case}/contact", case, reason="打电话")
    assert "13812341234" in full.text
    read = select(AuditEntry).where(AuditEntry.action == "dispatch.contact_read")
    db.session.rollback()
    assert db.session.scalars(read).one().object_id == made.id


def test_the_office_follows_up_until_the_outcome(demo, clerk):
    one = in_state("interested")
    case = f"/dispatches/{one.no}"
    bad = post(
        clerk, f"{case}/log", case, kind="call", text="", contact="张三", next_call="2020-01-01"
    )
    assert bad.status_code == 422
    assert 'value="张三"' in bad.text
    past = post(clerk, f"{case}/log", case, kind="call", text="打过", next_call="2020-01-01")
    assert past.status_code == 422
    assert "三个月以内" in past.text
    day = (clock.today() + timedelta(days=2)).isoformat()
    typed = {"kind": "visit", "text": "去看了", "next_call": day, "contact": "张三"}
    assert post(clerk, f"{case}/log", case, telephone="13900001111", **typed).status_code == 303
    db.session.rollback()
    line = db.session.scalars(select(ContactLine).order_by(ContactLine.id.desc()).limit(1)).one()
    full = post(clerk, f"{case}/contact", case, reason="回电话", line=str(line.id))
    assert "13900001111" in full.text
    assert post(clerk, f"{case}/talk", case, seen="1").status_code == 409
    assert post(clerk, f"{case}/talk", case).status_code == 303
    none = post(clerk, f"{case}/close", case, outcome="failed")
    assert none.status_code == 422
    assert "为什么没有成" in none.text
    proof = (BytesIO(b"%PDF-1.4\n"), "纪要.pdf")
    done = post(clerk, f"{case}/close", case, outcome="matched", text="签了", file=proof)
    assert done.status_code == 303
    assert "纪要.pdf" in clerk.get(case).text
    address = clerk.get(case).text.split('href="/files/')[1].split('"')[0]
    assert clerk.get(f"/files/{address}").status_code == 200
    assert demo.test_client().get(f"/files/{address}").status_code == 404


def test_withdrawing_needs_a_reason_and_silence_its_day(demo, clerk):
    one = in_state("sent")
    case = f"/dispatches/{one.no}"
    bare = post(clerk, f"{case}/withdraw", case)
    assert bare.status_code == 422
    assert "请写明原因" in bare.text
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        later = clock.today() + timedelta(days=1)
        db.session.execute(update(Dispatch).where(Dispatch.id == one.id).values(due=later))
    assert post(clerk, f"{case}/miss", case).status_code == 409
    assert post(clerk, f"{case}/withdraw", case, reason="发错").status_code == 303


def test_a_clerk_writes_down_an_answer(demo, clerk):
    one = in_state("sent")
    case = f"/dispatches/{one.no}"
    typed = {"answer": "referred", "text": "忙", "day": clock.today().isoformat()}
    assert "推荐哪家" in post(clerk, f"{case}/answer", case, **typed).text
    assert (
        post(clerk, f"{case}/answer", case, referral="历山理工大学（演示）", **typed).status_code
        == 303
    )
    page = clerk.get(case)
    assert "代录" in page.text
    offered = f"/desk/demands/{one.listing.no}/dispatch?to="
    assert offered in page.text
    number = page.text.split(offered)[1].split('"')[0]
    assert f'value="{number}" checked' in clerk.get(offered + number).text


def test_passing_up_and_the_answer_of_the_city(demo, clerk, browser):
    no = demand_no("demo-xq-029")
    page = f"/desk/demands/{no}/dispatch"
    assert "上报眉山" in clerk.get(page).text
    assert post(clerk, f"/desk/demands/{no}/escalate", page, words="").status_code == 422
    assert post(clerk, f"/desk/demands/{no}/escalate", page, words="请帮找").status_code == 303
    db.session.rollback()
    row = db.session.scalars(select(Escalation).order_by(Escalation.id.desc()).limit(1)).one()
    city = browser(account("prefecture.meishan"))
    item = db.session.scalars(select(WorkItem).where(WorkItem.no == row.no)).one()
    assert item.title in city.get("/desk?tab=open&kind=escalation").text
    address = f"/desk/escalations/{row.no}/answer"
    assert post(city, address, page, words="").status_code == 422
    assert post(city, address, page, words="已推荐两家").status_code == 303
    assert "已推荐两家" in clerk.get(page).text


def test_firms_and_who_looks_after_them(demo, clerk):
    page = clerk.get("/desk/contacts?tab=mine")
    assert "岷味坊" in page.text
    firm = "/desk/contacts/" + page.text.split('href="/desk/contacts/DW')[1].split('"')[0]
    firm = firm.replace("/desk/contacts/", "/desk/contacts/DW")
    assert "何同事" in clerk.get(firm).text
    bad = post(clerk, f"{firm}/log", firm, kind="call", text="", contact="李四")
    assert bad.status_code == 422
    assert 'value="李四"' in bad.text
    assert post(clerk, f"{firm}/log", firm, kind="call", text="打过").status_code == 303
    assert post(clerk, f"{firm}/officer", firm, person="1").status_code in {303, 422}
    assert post(clerk, f"{firm}/officer", firm, person="").status_code == 303
    assert "还没有指定联系人" in clerk.get(firm).text
    assert clerk.get("/desk/contacts?q=岷味坊").status_code == 200


def test_usual_days_fill_the_form(demo, clerk):
    page = "/desk/dispatches"
    assert post(clerk, f"{page}/usual", page, usual="x").status_code == 422
    assert post(clerk, f"{page}/usual", page, usual="7").status_code == 303
    form = clerk.get(f"/desk/demands/{demand_no('demo-xq-001')}/dispatch").text
    assert 'id="days" name="days" value="7"' in form
    assert post(clerk, f"{page}/usual", page, usual="").status_code == 303


def test_strangers_find_nothing(demo, browser, clerk):
    no, demand = in_state("sent", "511803").no, demand_no("demo-xq-008")
    firm = browser(account("firm.owner"))
    for client in (clerk, firm):
        for address in (f"/dispatches/{no}", f"/my/dispatches/{no}"):
            assert client.get(address).status_code == 404
    assert clerk.get(f"/desk/demands/{demand}/dispatch").status_code == 404
    assert firm.get(f"/desk/demands/{demand}/dispatch").status_code == 403
    token = people.token_of(clerk.get("/desk/dispatches"))
    data = {"csrf_token": token, "reason": "x", "text": "x", "kind": "call", "words": "x"}
    for address in (
        f"/dispatches/{no}/answer",
        f"/dispatches/{no}/log",
        f"/dispatches/{no}/close",
        f"/dispatches/{no}/withdraw",
        f"/dispatches/{no}/contact",
        f"/desk/demands/{demand}/dispatch",
        f"/desk/demands/{demand}/escalate",
        "/desk/escalations/SB2026000009/answer",
    ):
        assert clerk.post(address, data=data).status_code == 404, address


def token(organisation_id, role="editor", region_id=None):
    """A program's key with the scope of dispatches; the header."""
    word, now = f"test-token-{organisation_id}-{role}-padding", clock.now()
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        made = ApiToken(
            organisation_id=organisation_id,
            role=role,
            label="试验",
            hint="test",
            token_hash=sessions.hashed(word),
            scopes=["matching:dispatch"],
            region_id=region_id,
            created_at=now,
            created_by="测试",
            expires_at=now + timedelta(days=30),
        )
        db.session.add(made)
    return {"Authorization": f"Bearer {word}"}


def test_programs_send_answer_and_end(demo):
    no, office = demand_no("demo-xq-001"), people.organisation("某局", kind="office")
    institute = people.organisation("甲研究院", kind="institute")
    to = db.session.get_one(Organisation, institute).no
    county = token(office, "county", people.region(HERE).id)
    own, client = token(institute), demo.test_client()
    offers = client.get(f"/api/v1/demands/{no}/dispatch-proposals", headers=county).json
    assert all(
        one["score"] == sum(part["points"] for part in one["parts"]) for one in offers["items"]
    )
    assert offers["total"] > 2
    address = f"/api/v1/demands/{no}/dispatches"
    assert client.post(address, json={"to": [to], "days": 5}, headers=own).status_code == 403
    sent = client.post(address, json={"to": [to], "days": 5}, headers=county)
    assert sent.status_code == 201
    number = sent.json["dispatches"][0]
    assert client.post(address, json={"to": [to], "days": 5}, headers=county).status_code == 422
    listed = client.get("/api/v1/dispatches?side=received", headers=own).json
    assert [one["no"] for one in listed["items"]] == [number]
    one = f"/api/v1/dispatches/{number}"
    got = client.get(one, headers=own)
    assert (got.json["side"], got.json["parts"], got.json["lines"]) == ("recipient", [], [])
    says = {"answer": "interested", "text": "能做"}
    assert client.post(f"{one}/answer", json=says, headers=own).status_code == 428
    match = own | {"If-Match": got.headers["ETag"]}
    assert client.post(f"{one}/answer", json=says, headers=match).status_code == 422
    says |= {"contact": "陈", "telephone": "13812341234"}
    answered = client.post(f"{one}/answer", json=says, headers=match)
    assert (answered.status_code, answered.json["state"]) == (200, "interested")
    assert client.post(f"{one}/answer", json=says, headers=match).status_code == 412
    line = {"kind": "call", "text": "约好下周"}
    assert client.post(f"{one}/log", json=line, headers=own).status_code == 403
    noted = client.post(f"{one}/log", json=line, headers=county)
    assert noted.json["lines"][0]["text"] == "约好下周"
    full = client.post(f"{one}/contact", json={"reason": "打电话"}, headers=county)
    assert full.json["telephone"] == "13812341234"
    match = county | {"If-Match": client.get(one, headers=county).headers["ETag"]}
    ended = client.post(f"{one}/close", json={"outcome": "failed", "text": "没谈成"}, headers=match)
    assert ended.json["outcome"] == "failed"
