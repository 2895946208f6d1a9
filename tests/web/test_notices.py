"""公示公告 as a browser without scripts sees it, and as programs do."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ElementTree
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from market.core import clock
from market.core.db import db
from market.core.permissions import PUBLIC
from market.notices import objecting, queries, rules, service
from market.notices.messages import address_of
from market.notices.models import Announcement, Notice, Objection
from tests import people
from tests.web.conftest import ParsingClient
from tests.web.test_inquiries_api import token  # noqa: F401  (a fixture)

NASTY = "</textarea><script>alert(1)</script> \u202eevil\u202c <b>粗</b> \"'&"
API = "/api/v1"
TEXT = {
    "title": "接口公示（演示）",
    "content": [{"label": "成果名称", "text": "菌剂"}],
    "days": 15,
    "unit": "natural",
    "rule": "civil_code",
    "contact_name": "李老师",
    "contact_telephone": "028-38160000",
    "contact_address": "某路 1 号",
}


@pytest.fixture
def browser(demo):
    demo.test_client_class = ParsingClient
    return lambda person=None: (
        people.sign_in(demo.test_client(), person) if person else demo.test_client()
    )


@pytest.fixture
def institute(demo):
    return people.organisation("试验院", kind="institute")


@pytest.fixture
def editor(institute):
    return people.person(("owner", institute), name="陈编辑")


def in_state(state, **more):
    query = select(Notice).where(Notice.state == state).filter_by(**more)
    return db.session.scalars(query.order_by(Notice.id)).first()


def send(client, page, address, **values):
    """Post a form with the token of the page that has it."""
    word = people.token_of(client.get(page))
    return client.post(address, data={"csrf_token": word, **values})


def test_public_pages_of_every_state(demo, browser):
    visitor = browser()
    assert "公示公告" in visitor.get("/notices").text
    for state, words in {
        "running": ("剩余", "提出异议", "内容与它一致"),
        "ended": ("公示已结束", "内容与它一致"),
        "concluded": ("公示结果",),
        "withdrawn": ("已撤回，内容不再显示", "受让方名称写错"),
    }.items():
        page = visitor.get(f"/notices/{in_state(state).no}")
        assert page.status_code == 200
        assert [one for one in words if one not in page.text] == []
    gone = visitor.get(f"/notices/{in_state('withdrawn').no}").text
    assert "猕猴桃保鲜剂</dd>" not in gone
    for state in ("draft", "discarded"):
        assert visitor.get(f"/notices/{in_state(state).no}").status_code == 404
    assert visitor.get("/en/notices?tab=ended").status_code == 200
    for row in db.session.scalars(select(Announcement)):
        page = visitor.get(f"/announcements/{row.no}")
        assert page.status_code == (404 if row.state == "draft" else 200)
        assert (row.text.splitlines()[0] in page.text) == (row.state == "published")


def test_the_list_is_filtered_by_kind_place_and_words(demo, browser):
    visitor = browser()
    everything = visitor.get("/notices").text
    assert "低温直投泡菜发酵菌剂" in everything
    assert "盐渍废水减盐揭榜结果" in everything
    some = visitor.get("/notices?kind=price&region=510000&q=泡菜").text
    assert "低温直投泡菜发酵菌剂" in some
    assert "盐渍废水减盐揭榜结果" not in some
    assert "没有符合条件的" in visitor.get("/notices?region=513233").text
    assert visitor.get("/notices?tab=x&kind=y&region=z&page=-1").status_code == 200
    assert visitor.get("/notices?q=%25").text.count("<tr>") == 0


def test_table_and_feed(demo, browser):
    visitor = browser()
    text = visitor.get("/notices.csv?kind=price").data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    running = in_state("running", kind="price")
    assert [row[0] for row in rows[1:]] == [running.no]
    feed = ElementTree.fromstring(visitor.get("/notices.atom").data)
    atom = "{http://www.w3.org/2005/Atom}"
    titles = [one.findtext(f"{atom}title") for one in feed.iter(f"{atom}entry")]
    assert running.title in titles
    assert not any("猕猴桃" in title for title in titles)


def test_the_json_holds_what_the_fingerprint_was_made_of(demo, browser):
    no = in_state("running").no
    answer = browser().get(f"{API}/notices/{no}").json
    assert rules.fingerprint(answer["frozen"]) == answer["hash"]
    listed = browser().get(f"{API}/notices?kind=price").json
    assert [one["no"] for one in listed["items"]] == [in_state("running", kind="price").no]
    assert browser().get(f"{API}/notices/{in_state('draft').no}").status_code == 404
    assert browser().get(f"{API}/announcements").json["total"] == 2


def test_a_visitor_objects_and_follows_the_answer(demo, browser, institute):
    notice = in_state("running", anonymous_ok=True)
    page = f"/notices/{notice.no}/object"
    visitor = browser()
    wrong = send(visitor, page, page, text=NASTY, name="李四", telephone="12")
    assert wrong.status_code == 422
    assert "alert(1)&lt;/script&gt;" in wrong.text
    assert "<script>alert" not in wrong.text
    assert "\u202e" not in wrong.text
    assert "请写 11 位手机号" in wrong.text
    assert 'value="李四"' in wrong.text
    done = send(
        visitor, page, page, text=NASTY, name="李四", telephone="138 1234 1234", consent="1"
    )
    assert done.status_code == 303
    receipt = visitor.get(done.location)
    assert "异议已收到" in receipt.text
    said = db.session.scalars(select(Objection).order_by(Objection.id.desc())).first()
    assert done.location.endswith(address_of(said.no))
    assert visitor.get(done.location[:-1] + "x").status_code == 404
    assert said.text not in visitor.get(f"/notices/{notice.no}").text
    trap = send(visitor, page, page, text="x", anonymous="1", website="http://x")
    assert trap.status_code == 422
    over = in_state("ended").no
    assert visitor.get(f"/notices/{over}/object").status_code == 303


def test_an_objection_that_comes_too_late_is_told_and_kept(demo, browser):
    notice = in_state("running", anonymous_ok=True)
    page, ends = f"/notices/{notice.no}/object", notice.ends_at
    visitor = browser()
    with time_machine.travel(ends - timedelta(minutes=1), tick=False):
        opened = people.token_of(visitor.get(page))
    with time_machine.travel(ends + timedelta(seconds=1), tick=False):
        sent = {"csrf_token": opened, "text": "我在最后一分钟写的", "anonymous": "1"}
        late = visitor.post(page, data=sent)
    assert late.status_code == 409
    assert "24:00 结束" in late.text
    assert "我在最后一分钟写的" in late.text


def test_an_institute_walks_from_draft_to_outcome(demo, browser, editor):
    client = browser(editor)
    assert "还没有" in client.get("/my/notices?tab=closed").text
    nothing = send(client, "/my/notices/new", "/my/notices/new", title="")
    assert nothing.status_code == 422
    made = send(client, "/my/notices/new", "/my/notices/new", kind="price", title=NASTY)
    case = made.location
    no = case.rsplit("/", 1)[1]
    assert "<script>alert" not in client.get(case).text
    fields = {"title": "许可价格公示", "days": "十五", "text_1": NASTY, "label_1": "成果名称"}
    wrong = send(client, case, case, **fields)
    assert wrong.status_code == 422
    assert "应为 1 到 365 的整数" in wrong.text
    assert "&lt;/textarea&gt;" in wrong.text
    early = send(client, case, f"{case}/start")
    assert early.status_code == 422
    assert "系统不代为选择" in early.text
    fields |= {"days": "15", "unit": "natural", "rule": "civil_code", "then": "check"}
    fields |= {"contact_name": "李老师", "contact_telephone": "028-38160000", "held": "here"}
    word = people.token_of(client.get(case))
    data = {"csrf_token": word, **fields, "contact_address": "某路 1 号"}
    files = {"file": (io.BytesIO(b"%PDF-1.4 x"), "附件.pdf")}
    saved = client.post(case, data={**data, **files}, content_type="multipart/form-data")
    assert saved.status_code == 303
    assert "24:00 结束" in client.get(saved.location).text
    assert "附件.pdf" in client.get(case).text
    stale = send(client, case, f"{case}/start", version="1")
    assert stale.status_code == 409
    started = send(client, case, f"{case}/start")
    assert started.status_code == 303
    assert send(client, case, case, **fields).status_code in {403, 409}
    said = objecting.send(
        PUBLIC, no, {"text": "不对", "name": "李四", "telephone": "13812341234", "consent": True}
    )
    page = client.get(case)
    assert "李* 138****1234" in page.text
    assert "13812341234" not in page.text
    unread = send(client, case, f"/my/objections/{said}/contact")
    assert "请写明为什么要看" in unread.text
    assert "13812341234" in send(client, case, f"/my/objections/{said}/contact", reason="核实").text
    half = send(client, case, f"/my/objections/{said}/answer", answer="不成立，因为…")
    assert "请选择异议是否成立" in half.text
    assert "不成立，因为…" in half.text
    sent = {"finding": "not_upheld", "answer": "不成立。", "published": "有人询问，已说明。"}
    assert send(client, case, f"/my/objections/{said}/answer", **sent).status_code == 303
    assert "有人询问，已说明。" in browser().get(f"/notices/{no}").text
    ends = db.session.scalars(select(Notice.ends_at).where(Notice.no == no)).one()
    with time_machine.travel(ends + timedelta(seconds=1), tick=False):
        client = browser(editor)
        assert "公布公示结果" in client.get(case).text
        assert (
            "请写明异议的处理情况"
            in send(client, case, f"{case}/conclude", outcome="dismissed").text
        )
        done = send(client, case, f"{case}/conclude", outcome="dismissed", text="已说明。")
        assert done.status_code == 303
        assert "异议不成立" in browser().get(f"/notices/{no}").text


def test_withdrawing_needs_a_reason_and_a_form_of_ours(demo, browser, editor, institute):
    no = service.draft(people.actor(("owner", institute)), {"kind": "other", "title": "甲"})
    client = browser(editor)
    case = f"/my/notices/{no}"
    assert client.post(f"{case}/discard", data={}).status_code == 400
    assert send(client, case, f"{case}/withdraw").status_code == 409
    assert send(client, case, f"{case}/nonsense").status_code == 404
    assert send(client, case, f"{case}/discard").status_code == 303
    other = in_state("running", kind="price")
    assert client.get(f"/my/notices/{other.no}").status_code == 404
    assert client.post(f"/my/notices/{other.no}/withdraw", data={}).status_code == 404


def test_an_office_sees_its_area_and_announces(demo, browser):
    office = people.organisation("某局", kind="office")
    officer = people.person(("county", office, "511402"), name="林经办")
    client = browser(officer)
    desk = client.get("/desk/notices").text
    assert "盐渍废水减盐揭榜结果" in desk
    assert "低温直投泡菜发酵菌剂" not in desk  # the institute lies in another county
    new = "/desk/announcements/new"
    assert "请写正文" in send(client, new, new, title="只有标题").text
    made = send(client, new, new, title="对接会", text=NASTY)
    case = made.location
    assert send(client, case, f"{case}/publish").status_code == 303
    no = case.rsplit("/", 1)[1]
    shown = browser().get(f"/announcements/{no}").text
    assert "<script>alert" not in shown
    assert "请写明原因" in send(client, case, f"{case}/withdraw", reason="").text
    assert send(client, case, f"{case}/withdraw", reason="改期").status_code == 303
    assert "改期" in browser().get(f"/announcements/{no}").text
    assert client.get("/desk/announcements").status_code == 200


def test_programs_draft_start_and_answer(demo, institute, token):  # noqa: F811
    client = demo.test_client()
    head = token(institute, scopes=("notices:notice", "notices:objection"))
    body = {**TEXT, "kind": "price"}
    key = {"Idempotency-Key": "a"}
    made = client.post(f"{API}/my/notices", json=body, headers=head | key)
    assert made.status_code == 201, made.text
    again = client.post(f"{API}/my/notices", json=body, headers=head | key)
    assert again.json["no"] == made.json["no"]
    place = f"{API}/my/notices/{made.json['no']}"
    assert client.put(place, json=TEXT, headers=head).status_code == 428
    tag = client.get(place, headers=head).headers["ETag"]
    changed = client.put(place, json={**TEXT, "days": 16}, headers=head | {"If-Match": tag})
    assert changed.json["days"] == 16
    stale = client.put(place, json=TEXT, headers=head | {"If-Match": tag})
    assert stale.status_code == 412
    unit = {key: value for key, value in TEXT.items() if key != "unit"}
    missing = client.put(place, json=unit, headers=head | {"If-Match": "*"})
    assert (missing.status_code, missing.json["errors"][0]["pointer"]) == (422, "/unit")
    act = {"action": "start"}
    started = client.post(f"{place}/actions", json=act, headers=head | {"If-Match": "*"})
    assert started.json["state"] == "running", started.text
    no = started.json["no"]
    values = {"text": "不对", "name": "李四", "telephone": "13812341234", "consent": True}
    said = objecting.send(PUBLIC, no, values)
    found = client.get(f"{place}/objections", headers=head).json
    assert [(one["no"], one["label"]) for one in found["items"]] == [(said, "李*")]
    reply = {"finding": "upheld", "answer": "成立。"}
    answer = f"{API}/my/objections/{said}/answer"
    assert client.post(answer, json=reply, headers=head).status_code == 428
    done = client.post(answer, json=reply, headers=head | {"If-Match": '"v1"'})
    assert done.json["finding"] == "upheld"
    none = token(institute, scopes=("catalogue:listing",))
    assert client.get(place, headers=none).status_code == 403
    assert queries.public(PUBLIC, no).counts.upheld == 1
    assert clock.today() <= started_on(no)


def started_on(no):
    return db.session.scalars(select(Notice.start_on).where(Notice.no == no)).one()
