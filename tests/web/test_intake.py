"""First demands as browsers without scripts and programs send them."""

from __future__ import annotations

import logging
import re
from html import unescape

import pytest
import time_machine
from sqlalchemy import func, select

from market.accounts.people import sessions
from market.accounts.people.models import ApiToken
from market.catalogue.intake.models import Intake
from market.core import clock
from market.core.db import db
from market.core.models import AuditEntry, OutboxRow
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from tests import people
from tests.messages import values_of
from tests.web.conftest import check_html

FORM = "/post/demand/form"
SAID = {
    "problem": "泡菜调味包常温放两个月就胀袋。",
    "product": "泡菜调味包",
    "target": "3.2 % → 0.5 % 以下",
    "firm": "东坡味道食品厂（演示）",
    "place": "dpq",
    "contact": "李师傅",
    "telephone": "138 0000 1234",
    "consent": "1",
}


@pytest.fixture
def prepared_demo(prepared_quiet):
    """Nothing happened yet: what is found is what a test made."""
    return prepared_quiet


def fields_of(page):
    """What a browser would send of the form with a telephone or hidden texts in it."""
    tree = check_html(page.text)
    [form] = [one for one in tree.iter("form") if one.find(".//*[@name='opened']") is not None]
    sent = {}
    for field in [*form.iter("input"), *form.iter("textarea")]:
        if field.get("type") in {"checkbox", "radio"} and field.get("checked") is None:
            continue
        text = field.text if field.tag == "textarea" else field.get("value")
        sent[field.get("name")] = (text or "").removeprefix("\n")
    return sent


def typed_in(page):
    """The same without what the form adds."""
    return {key: text for key, text in fields_of(page).items() if key in SAID}


def check(client, address=FORM, **more):
    """Fill in the form and press 核对."""
    sent = fields_of(client.get(address)) | SAID | more
    return looked(client, client.post(address, data=sent | {"step": "check"}))


def looked(client, answer):
    """The page to which 核对 leads."""
    return client.get(answer.headers["Location"]) if answer.status_code == 303 else answer


def sent(client, address=FORM, **more):
    """The whole way; the answer to 发出. People take a minute."""
    now = clock.now()
    with time_machine.travel(now.timestamp() - 60):
        page = check(client, address, **more)
    assert page.status_code == 200, page.text
    with time_machine.travel(now):
        return client.post(address, data=fields_of(page) | {"step": "send"})


def cases():
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Intake))


def one():
    db.session.rollback()
    return db.session.scalars(select(Intake)).one()


@pytest.fixture
def clerk(visitor, demo):
    """A clerk of 东坡区 in another browser."""
    return people.sign_in(demo.test_client(), people.person(("county", None, "511402")))


@pytest.fixture
def stranger(visitor, demo):
    """A clerk of 彭山区."""
    return people.sign_in(demo.test_client(), people.person(("county", None, "511403")))


@pytest.mark.parametrize("address", [FORM, f"/en{FORM}"])
def test_from_the_form_to_the_receipt(visitor, address):
    form = visitor.get(address)
    assert form.headers["Cache-Control"] == "no-store"
    answer = sent(visitor, address)
    assert answer.status_code == 303
    where = answer.headers["Location"]
    assert re.fullmatch(r"(/en)?/intakes/receipt/[\w-]{32}", where)
    assert where.startswith("/en/") == address.startswith("/en/")
    page = visitor.get(where)
    assert page.headers["Cache-Control"] == "no-store"
    case = one()
    assert case.no in page.text
    assert (case.state, case.region.code) == ("new", "511402")
    assert "138****1234" in page.text
    assert "13800001234" not in page.text
    assert "李师傅" not in page.text
    assert "028-00000001" in page.text
    assert SAID["problem"] in page.text
    assert visitor.get("/intakes/receipt/" + "x" * 32).status_code == 404


def test_the_check_page_keeps_everything_and_writes_nothing(visitor):
    page = check(visitor)
    assert page.status_code == 200
    assert "四川省眉山市东坡区" in page.text
    assert "13800001234" in page.text
    assert cases() == 0
    answer = visitor.post(FORM, data=fields_of(page) | {"step": "change"})
    assert answer.status_code == 303
    back = looked(visitor, answer)
    assert typed_in(back) == SAID
    assert fields_of(back)["opened"] == fields_of(page)["opened"]


def test_back_from_the_receipt_shows_a_page_and_sends_nothing(visitor, demo):
    with time_machine.travel(clock.now().timestamp() - 60):
        form = fields_of(visitor.get(FORM)) | SAID
        answer = visitor.post(FORM, data=form | {"step": "check"})
    assert answer.status_code == 303
    address = answer.headers["Location"]
    assert re.fullmatch(r"/post/demand/check/[\w-]{32}", address), "nothing personal"
    other = demo.test_client()
    other.get(FORM)
    assert other.get(address).status_code == 404, "another browser"
    page = visitor.get(address)
    assert page.headers["Cache-Control"] == "no-store"
    assert "13800001234" in page.text
    again = fields_of(visitor.get(address)) | {"step": "send"}  # in another tab
    receipt = visitor.post(FORM, data=fields_of(page) | {"step": "send"}).headers["Location"]
    back = visitor.get(address)
    assert back.status_code == 200
    assert f'href="{receipt}"' in back.text
    assert "13800001234" not in back.text
    assert visitor.post(FORM, data=again).headers["Location"] == receipt
    assert cases() == 1


def test_a_search_brings_its_words_and_place(visitor):
    page = visitor.get("/post/demand?need=%E8%83%80%E8%A2%8B&region=511402")
    link = unescape(re.search(r'href="(/post/demand/form[^"]*)"', page.text)[1])
    form = visitor.get(link)
    assert typed_in(form)["problem"] == "胀袋"
    assert typed_in(form)["place"] == "四川省眉山市东坡区"
    assert "028" in form.text or "由" in form.text
    assert typed_in(visitor.get(f"{FORM}?q=dpq"))["place"] == "dpq"
    assert visitor.get(f"{FORM}?region=zzz&need={'x' * 9000}").status_code == 200


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"telephone": "打给老李"}, "电话只写数字"),
        ({"telephone": "38160000"}, "带上区号"),
        ({"telephone": "1380000"}, "手机 11 位"),
        ({"telephone": ""}, "请写电话"),
        ({"problem": "长" * 50_000}, "太长"),
        ({"problem": ""}, "请写一两句"),
        ({"place": "没有这个县"}, "没有找到这个地方"),
        ({"place": "朝阳"}, "请选一个"),
        ({"place": ""}, "请写您在哪个县"),
        ({"region": "510000", "place": "四川省"}, "请写到县"),
        ({"consent": ""}, "须您同意"),
        ({"firm": "甲"}, "太短"),
    ],
)
def test_mistakes_stand_beside_the_field_and_nothing_is_lost(visitor, wrong, says):
    page = check(visitor, **wrong)
    assert page.status_code == 422
    tree = check_html(page.text)
    assert tree.find(".//title").text.startswith("错误：")
    assert page.text.count(says) >= 2  # above and beside
    links = {link.get("href")[1:] for link in tree.find(".//div[@class='error-summary']").iter("a")}
    assert links == {"place" if "region" in wrong else next(iter(wrong))}
    assert links <= {each.get("id") for each in tree.iter()}
    kept = SAID | {key: text for key, text in wrong.items() if key in SAID}
    if not kept["consent"]:
        kept.pop("consent")
    assert typed_in(page) == kept
    assert cases() == 0


def test_one_of_several_places_is_chosen(visitor):
    page = check(visitor, place="朝阳")
    codes = re.findall(r'name="region" value="(\d+)"', page.text)
    assert len(codes) > 1
    data = fields_of(page) | {"region": codes[1], "step": "check"}
    good = looked(visitor, visitor.post(FORM, data=data))
    assert good.status_code == 200
    assert fields_of(good)["region"] == codes[1]


@pytest.mark.parametrize(
    "odd",
    [
        {"problem": "</textarea><script>alert(1)</script>胀袋", "firm": '"><b>厂'},
        {"problem": "\u202e胀袋\u200b\x00", "product": "\u202eabc"},
        {"target": "x" * 200_000},
        {"telephone": "<script>"},
        {"region": "'; DROP TABLE", "place": "\x00%_"},
        {"consent": "maybe"},
        {"opened": "é" * 100, "subject": "x" * 10_000},
        {"step": "else"},
    ],
)
def test_anything_sent_gives_a_page(visitor, odd):
    form = fields_of(visitor.get(FORM)) | SAID
    for step in ("check", "send", "change"):
        answer = visitor.post(FORM, data=form | {"step": step} | odd)
        assert answer.status_code in {200, 303, 422}
        assert "<script>alert" not in answer.text
        assert "\u202e" not in answer.text
        if answer.status_code == 303:
            page = visitor.get(answer.headers["Location"])
            assert "<script>alert" not in page.text


def test_a_form_open_for_five_hours_comes_back_filled(visitor):
    with time_machine.travel("2026-11-20 01:00:00+00:00") as now:
        page = check(visitor)
        now.shift(5 * 3600)
        answer = visitor.post(FORM, data=fields_of(page) | {"step": "send"})
        assert answer.status_code == 400
        assert typed_in(answer) == SAID | {"place": "四川省眉山市东坡区"}
        again = looked(visitor, visitor.post(FORM, data=fields_of(answer) | {"step": "check"}))
        done = visitor.post(FORM, data=fields_of(again) | {"step": "send"})
        assert done.status_code == 303
    assert one().doubts == []


def test_two_presses_make_one_case(visitor):
    with time_machine.travel(clock.now().timestamp() - 60):
        form = fields_of(check(visitor)) | {"step": "send"}
    first, second = (visitor.post(FORM, data=form) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert cases() == 1


def test_a_program_that_fills_all_fields_is_doubted_and_not_told(visitor):
    answer = sent(visitor, subject="hello")
    assert one().doubts == ["trap"]
    page = visitor.get(answer.headers["Location"]).text
    assert "待回访" in page
    assert "待甄别" not in page


def test_the_eleventh_within_an_hour_is_kept_in_the_form(visitor):
    for number in range(10):
        more = {"telephone": f"1390000{number:04d}", "problem": f"难题 {number}"}
        assert sent(visitor, **more).status_code == 303
    answer = sent(visitor, problem="第十一个")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert typed_in(answer)["problem"] == "第十一个"


def test_logs_do_not_hold_the_address_of_a_receipt(visitor, monkeypatch, caplog):
    monkeypatch.setattr("market.core.http.SLOW", 0.0)
    address = sent(visitor).headers["Location"]
    with caplog.at_level(logging.WARNING):
        assert visitor.get(address).status_code == 200
    paths = [each.msg["path"] for each in caplog.records if each.msg["event"] == "slow request"]
    assert paths == ["/intakes/receipt/<string:key>"]


def test_the_receipt_says_how_it_stands(visitor, clerk):
    address = sent(visitor).headers["Location"]
    no = one().no
    post(clerk, f"/intakes/{no}", "drop", reason="请先找设备厂家保修")
    page = visitor.get(address).text
    assert "不受理" in page
    assert "请先找设备厂家保修" in page


# Offices


def token_of(page):
    return people.token_of(page)


def post(client, address, action, **more):
    page = client.get(address)
    return client.post(f"{address}/{action}", data={"csrf_token": token_of(page), **more})


def test_visitors_and_firms_do_not_get_at_cases(visitor, demo):
    sent(visitor)
    no = one().no
    for address in ("/desk/intakes", "/desk/intakes/new", f"/intakes/{no}"):
        assert visitor.get(address).status_code == 303
    firm = people.person(("owner", people.organisation()))
    member = people.sign_in(demo.test_client(), firm)
    for address in ("/desk/intakes", "/desk/intakes/new", f"/intakes/{no}"):
        assert member.get(address).status_code == 403


def test_an_officer_of_another_county_finds_nothing(visitor, stranger):
    sent(visitor)
    no = one().no
    assert no not in stranger.get("/desk/intakes").text
    for address in (f"/intakes/{no}", f"/intakes/{no}/complete"):
        assert stranger.get(address).status_code == 404
    token = token_of(stranger.get("/desk/intakes/new"))
    acts = ["call", "complete", "drop", "accept", "reopen", "duplicate", "unmask", "code"]
    for action in acts:
        form = {"csrf_token": token, "reason": "x", "result": "reached"}
        assert stranger.post(f"/intakes/{no}/{action}", data=form).status_code == 404
    assert one().state == "new"


def test_the_list_by_state(visitor, clerk):
    for tab in ("", "?tab=doubtful", "?tab=calling", "?tab=completed", "?tab=dropped", "?tab=x"):
        assert clerk.get(f"/desk/intakes{tab}").status_code == 200
    sent(visitor)
    no = one().no
    page = clerk.get("/desk/intakes").text
    assert no in page
    assert "13800001234" not in page
    assert no not in clerk.get("/desk/intakes?tab=calling").text
    assert no in clerk.get(f"/desk/intakes?q={no.lower()}").text
    assert no in clerk.get("/desk/intakes?q=东坡味道").text
    assert no not in clerk.get("/desk/intakes?q=%25").text
    assert clerk.get("/desk/intakes?page=99999999999&q=x").status_code == 200


def test_a_call_is_noted_and_mistakes_keep_the_words(visitor, clerk):
    sent(visitor)
    address = f"/intakes/{one().no}"
    answer = post(clerk, address, "call", note="说周五再打", next_call="2020-01-01")
    assert answer.status_code == 422
    assert "说周五再打" in answer.text
    assert "请选择是否接通" in answer.text
    answer = post(
        clerk, address, "call", result="reached", note="说周五再打", next_call="2020-01-01"
    )
    assert "今天以后" in answer.text
    assert (
        post(clerk, address, "call", result="reached", note="说<b>周五</b>再打").status_code == 303
    )
    page = clerk.get(address).text
    assert "说&lt;b&gt;周五&lt;/b&gt;再打" in page
    assert "回访中" in page


def test_the_caller_is_masked_until_a_reason_is_given(visitor, clerk):
    sent(visitor, telephone="028-38160000转805")
    address = f"/intakes/{one().no}"
    page = clerk.get(address).text
    assert "李*" in page
    assert "028-******00" in page
    assert "李师傅" not in page
    assert "38160000" not in page
    assert 'id="unmask-reason" name="reason" value=""' in clerk.get(address).text
    assert post(clerk, address, "unmask").status_code == 422
    shown = post(clerk, address, "unmask", reason="回电话")
    assert shown.headers["Cache-Control"] == "no-store"
    assert "李师傅" in shown.text
    assert "028-38160000转805" in shown.text
    assert 'href="tel:028-38160000,805"' in shown.text
    assert "李师傅" not in clerk.get(address).text
    actions = set(db.session.scalars(select(AuditEntry.action)))
    assert "intake.unmask" in actions


def test_a_caller_asks_to_be_forgotten(visitor, clerk, stranger):
    receipt = sent(visitor).headers["Location"]
    address = f"/intakes/{one().no}"
    token = token_of(stranger.get("/desk/intakes/new"))
    form = {"csrf_token": token, "reason": "x"}
    assert stranger.post(f"{address}/erase", data=form).status_code == 404
    refused = post(clerk, address, "erase")
    assert refused.status_code == 422
    assert 'href="#erase-reason"' in refused.text
    assert post(clerk, address, "erase", reason="来电提出").status_code == 303
    case = one()
    assert (case.contact, case.telephone, case.telephone_key) == (None, None, None)
    page = clerk.get(address).text
    assert "已删除" in page
    assert "来电提出" in page
    assert f'action="{address}/erase"' not in page
    assert "138****1234" not in visitor.get(receipt).text


def test_completing_leads_to_the_draft(visitor, clerk):
    sent(visitor)
    address = f"/intakes/{one().no}"
    form = clerk.get(f"{address}/complete")
    said = {
        "csrf_token": token_of(form),
        **SAID,
        "place": "东坡区",
        "contact": "",
        "telephone": "",
        "uscc": "123",
        "kind": "cooperative",
        "source": "telephone",
    }
    wrong = clerk.post(f"{address}/complete", data=said)
    assert wrong.status_code == 422
    assert "应为 18 位" in wrong.text
    assert SAID["problem"] in wrong.text
    del said["consent"]
    asked = clerk.post(f"{address}/complete", data=said | {"uscc": ""})
    assert asked.status_code == 422
    assert "请先向来电人说明用途" in asked.text
    assert "给您回电话" not in asked.text
    good = clerk.post(f"{address}/complete", data=said | {"uscc": "", "consent": "1"})
    assert good.status_code == 303
    case = one()
    assert good.headers["Location"] == f"/submissions/{case.submission_no}/edit"
    assert case.organisation.kind == "cooperative"
    draft = clerk.get(good.headers["Location"])
    assert draft.status_code == 200
    assert SAID["problem"] in draft.text
    page = clerk.get(address)
    assert case.submission_no in page.text
    assert "到草稿里补全" in page.text
    assert clerk.get(f"{address}/complete").status_code == 409


def test_what_was_published_is_said_to_be(visitor, clerk):
    receipt = sent(visitor).headers["Location"]
    address = f"/intakes/{one().no}"
    form = clerk.get(f"{address}/complete")
    said = SAID | {"source": "telephone", "kind": "enterprise", "place": "东坡区"}
    clerk.post(f"{address}/complete", data={"csrf_token": token_of(form), **said})
    assert "整理好就公开" in visitor.get(receipt).text
    draft = f"/submissions/{one().submission_no}"
    check = clerk.get(f"{draft}/check")
    sent_on = {"csrf_token": token_of(check), "action": "publish", "cleared": "1"}
    assert clerk.post(f"{draft}/send", data=sent_on).status_code == 303
    page, told = clerk.get(address).text, visitor.get(receipt).text
    assert "需求已公开：发送认领码" in page
    assert "到草稿里补全" not in page
    assert "整理好就公开" not in told
    assert "看这条需求" in told
    assert "看这条需求" in page


def test_a_clerk_types_for_a_caller(visitor, clerk):
    form = clerk.get("/desk/intakes/new")
    said = {"csrf_token": token_of(form), **SAID, "source": "visit", "kind": "enterprise"}
    wrong = clerk.post("/desk/intakes/new", data=said | {"telephone": "x", "place": "彭山区"})
    assert wrong.status_code == 422
    outside = clerk.post("/desk/intakes/new", data=said | {"place": "彭山区"})
    assert outside.status_code == 403
    assert SAID["problem"] in outside.text
    later = clerk.post("/desk/intakes/new", data=said | {"then": "later"})
    assert later.headers["Location"] == f"/intakes/{one().no}"
    assert one().state == "new"
    draft = clerk.post("/desk/intakes/new", data=said | {"then": "draft", "problem": "另一件"})
    assert re.fullmatch(r"/submissions/FB\d+/edit", draft.headers["Location"])


def test_every_state_has_a_page(visitor, clerk):
    sent(visitor, subject="x")
    no = one().no
    address = f"/intakes/{no}"
    assert "甄别" in clerk.get(address).text
    post(clerk, address, "accept")
    assert "给来电人回电话" in clerk.get(address).text
    missing = post(clerk, address, "drop")
    assert missing.status_code == 422
    assert "请写明原因" in missing.text
    post(clerk, address, "drop", reason="广告")
    assert "恢复办理" in clerk.get(address).text
    post(clerk, address, "reopen", reason="看错了")
    sent(visitor, problem="第二件")
    other = db.session.scalar(select(Intake.no).where(Intake.no != no))
    assert "同一电话还报过" in clerk.get(address).text
    assert post(clerk, address, "duplicate", of="DL1").status_code == 422
    post(clerk, address, "duplicate", of=other)
    assert f'href="/intakes/{other}"' in clerk.get(address).text
    stale = clerk.post(f"{address}/accept", data={"csrf_token": token_of(clerk.get(address))})
    assert stale.status_code == 409


# 认领


def claimable(visitor, clerk):
    """A completed case with a code on its way; returns the code."""
    sent(visitor)
    address = f"/intakes/{one().no}"
    said = SAID | {"source": "telephone", "kind": "enterprise", "place": "东坡区"}
    form = clerk.get(f"{address}/complete")
    clerk.post(f"{address}/complete", data={"csrf_token": token_of(form), **said})
    assert post(clerk, address, "code").status_code == 303
    row = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "intake.claim_code")).one()
    return values_of(row)["code"]


def test_claiming_signs_the_caller_in(visitor, clerk):
    code = claimable(visitor, clerk)
    form = {"csrf_token": token_of(visitor.get("/claim")), "telephone": "13800001234"}
    for wrong, field in [
        ({"code": "12345"}, "code"),
        ({"code": f"{(int(code) + 1) % 10**6:06d}"}, "code"),
        ({"code": code, "password": "pao4cai4-good", "password_again": "x"}, "password_again"),
        ({"code": code, "password": "x", "password_again": "x"}, "password"),
        ({"code": code, "telephone": "x"}, "telephone"),
    ]:
        answer = visitor.post("/claim", data=form | wrong)
        assert answer.status_code == 422
        assert f'href="#{field}"' in answer.text
        assert "pao4cai4-good" not in answer.text
    words = {"code": code, "password": "pao4cai4-good", "password_again": "pao4cai4-good"}
    done = visitor.post("/claim", data=form | words)
    assert (done.status_code, done.headers["Location"]) == (303, "/my")
    cookie = done.headers["Set-Cookie"]
    assert cookie.startswith(f"{sessions.COOKIE}=")
    assert "HttpOnly" in cookie
    assert "李师傅" in visitor.get("/").text
    assert "已认领" in clerk.get(f"/intakes/{one().no}").text
    assert "发送认领码</button>" not in clerk.get(f"/intakes/{one().no}").text


def test_who_has_an_account_is_sent_to_sign_in(visitor, clerk, demo):
    first = claimable(visitor, clerk)
    form = {"telephone": "13800001234", "password": "pao4cai4-good"}
    form["password_again"] = form["password"]
    token = token_of(visitor.get("/claim"))
    visitor.post("/claim", data={"csrf_token": token, "code": first, **form})
    other = demo.test_client()
    token = token_of(other.get("/claim"))
    answer = other.post("/claim", data={"csrf_token": token, "code": first, **form})
    assert answer.status_code == 422  # the code is used


# Programs


@pytest.fixture
def program(visitor, demo):
    """Headers of a token of the office of 东坡区."""
    now = clock.now()
    office = people.organisation("东坡区科技管理部门（演示二）", kind="office")
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(
            ApiToken(
                organisation_id=office,
                role="county",
                label="热线",
                hint="x",
                token_hash=sessions.hashed("w" * 30),
                scopes=["catalogue:intake", "accounts:organisation", "catalogue:submission"],
                region_id=people.region("511402").id,
                created_at=now,
                created_by="测试",
                expires_at=now.replace(year=now.year + 1),
            )
        )
    return {"Authorization": f"Bearer {'w' * 30}"}


def test_programs_list_read_and_note_calls(visitor, demo, program):
    sent(visitor)
    no = one().no
    robot = demo.test_client()
    assert robot.get("/api/v1/intakes").status_code == 401
    found = robot.get("/api/v1/intakes?state=new", headers=program).json
    assert found["total"] == 1
    assert found["items"][0]["telephone"] == "138****1234"
    assert robot.get("/api/v1/intakes?state=calling", headers=program).json["total"] == 0
    address = f"/api/v1/intakes/{no}"
    assert robot.post(f"{address}/calls", json={}, headers=program).status_code == 428
    match = program | {"If-Match": robot.get(address, headers=program).headers["ETag"]}
    wrong = robot.post(f"{address}/calls", json={}, headers=match)
    assert wrong.status_code == 422
    assert wrong.json["errors"][0]["pointer"] == "/result"
    body = {"result": "missed", "next_call": clock.today().isoformat()}
    key = match | {"Idempotency-Key": "k1"}
    for _ in range(2):
        noted = robot.post(f"{address}/calls", json=body, headers=key)
        assert noted.status_code == 201
    assert robot.post(f"{address}/calls", json=body, headers=match).status_code == 412
    got = robot.get(f"/api/v1/intakes/{no}", headers=program).json
    assert (got["state"], got["calls"]) == ("calling", 1)
    assert [each["action"] for each in got["events"]] == ["begin", "call"]
    assert robot.get("/api/v1/intakes/DL1", headers=program).status_code == 404


def test_programs_type_for_callers(visitor, demo, program):
    robot = demo.test_client()
    body = SAID | {"source": "telephone", "region": "511402", "place": "", "consent": True}
    key = program | {"Idempotency-Key": "k2"}
    first = robot.post("/api/v1/intakes", json=body, headers=key)
    assert first.status_code == 201, first.json
    again = robot.post("/api/v1/intakes", json=body, headers=key)
    assert again.json["no"] == first.json["no"]
    assert first.headers["Location"] == f"/api/v1/intakes/{first.json['no']}"
    for wrong, pointer in [
        ({"consent": False}, "/consent"),
        ({"telephone": "x"}, "/telephone"),
        ({"region": "", "place": "朝阳"}, "/place"),
        ({"source": "web"}, "/source"),
    ]:
        answer = robot.post("/api/v1/intakes", json=body | wrong, headers=program)
        assert answer.status_code == 422
        assert pointer in {each["pointer"] for each in answer.json["errors"]}
    outside = robot.post("/api/v1/intakes", json=body | {"region": "511403"}, headers=program)
    assert outside.status_code == 403
    assert cases() == 1


def test_programs_do_what_pages_do(visitor, demo, program):
    sent(visitor)
    address = f"/api/v1/intakes/{one().no}"
    robot = demo.test_client()

    def ask(what, **body):
        return robot.post(f"{address}/{what}", json=body, headers=program | {"If-Match": "*"})

    assert ask("actions", action="drop").status_code == 422
    assert ask("actions", action="complete").status_code == 422
    assert ask("actions", action="drop", reason="试").json["state"] == "dropped"
    assert ask("actions", action="drop", reason="试").status_code == 409
    assert ask("actions", action="reopen", reason="试").json["state"] == "new"
    assert ask("unmask", reason=" ").status_code == 422
    assert ask("unmask", reason="回电话").json == {
        "contact": "李师傅",
        "telephone": "13800001234",
    }
    said = {name: SAID[name] for name in ("problem", "product", "firm")}
    done = ask("complete", **said, region="511402", source="telephone", consent=True)
    assert done.status_code == 201, done.json
    assert done.json["submission_no"] == one().submission_no
    assert done.json["actions"] == []
    assert ask("actions", action="code", mobile="x").status_code == 422
    assert ask("actions", action="code").status_code == 200
    assert ask("actions", action="erase").status_code == 422
    ask("actions", action="erase", reason="来电提出")
    assert ask("unmask", reason="回电话").json == {"contact": None, "telephone": None}
    assert ask("actions", action="duplicate", of="DL1").status_code == 422
