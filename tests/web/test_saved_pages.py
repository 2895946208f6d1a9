"""Pages of saved searches and bulletins, in each state; bad input loses nothing."""

from __future__ import annotations

import html
import io
import re

import openpyxl
import pytest
from sqlalchemy import select, update

from market.accounts.people import sessions
from market.accounts.people.models import ApiToken, Person
from market.catalogue.models import Listing
from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM, policy
from market.core.secrets import pseudonym
from market.core.unit_of_work import unit_of_work
from market.discovery.bulletins.messages import stop_word as bulletin_word
from market.discovery.bulletins.models import Bulletin, BulletinSubscription
from market.discovery.saved.messages import stop_word
from market.discovery.saved.models import SavedHit, SavedSearch
from tests import people

TOUCH = policy.declare("tests:saved_pages:touch")
HERE = "511402"


def demo_person(login):
    key = pseudonym(f"{login}@demo.example", "person.email")
    return db.session.scalars(select(Person).where(Person.email_key == key)).one()


@pytest.fixture
def signed_in(visitor):
    """The owner of a demonstration firm, who keeps two searches."""
    return people.sign_in(visitor, demo_person("firm.owner"))


@pytest.fixture
def clerk(visitor):
    return people.sign_in(visitor, demo_person("county.dongpo"))


def form_of(page, path):
    """The hidden fields of the form that posts to a path."""
    body = re.search(rf'<form[^>]*action="{re.escape(path)}".*?</form>', page.text, re.S)[0]
    found = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', body)
    return {name: html.unescape(value) for name, value in found}


def press(client, page, path, **typed):
    return client.post(path, data=form_of(page, path) | typed)


def bulletin(state):
    query = select(Bulletin).where(Bulletin.state == state, Bulletin.demo)
    return db.session.scalars(query.order_by(Bulletin.id).limit(1)).one()


def test_a_visitor_is_led_to_sign_in_and_back_to_his_search(visitor):
    page = visitor.get("/search?q=茶&stage=pilot&sort=newest&date=2026")
    link = re.search(r'href="(/my/searches/new[^"]*)"', page.text)[1].replace("&amp;", "&")
    answer = visitor.get(link)
    assert answer.status_code == 303
    assert "next=%2Fmy%2Fsearches%2Fnew%3Fq%3D" in answer.location
    people.sign_in(visitor, people.person())
    page = visitor.get(link)
    assert page.status_code == 200
    assert "含「茶」" in page.text
    assert form_of(page, "/my/searches")["query"] == "q=%E8%8C%B6&stage=pilot"
    english = visitor.get("/en/search?q=tea")
    assert "language=en" in re.search(r'href="(/my/searches/new[^"]*)"', english.text)[1]


def test_a_search_is_kept_changed_paused_and_deleted(signed_in):
    page = signed_in.get("/my/searches/new?q=盐水&kind=achievement")
    wrong = press(signed_in, page, "/my/searches", name="", rhythm="hourly", language="zh")
    assert wrong.status_code == 422
    assert form_of(wrong, "/my/searches")["query"] == form_of(page, "/my/searches")["query"]
    done = press(signed_in, page, "/my/searches", name="盐水", rhythm="daily", language="zh")
    assert done.status_code == 303
    listed = signed_in.get(done.location)
    assert "盐水" in listed.text
    key = int(done.location.partition("=")[2])
    again = press(signed_in, page, "/my/searches", name="再来", rhythm="daily", language="zh")
    assert again.status_code == 409
    assert "再来" in again.text
    paused = press(signed_in, listed, f"/my/searches/{key}/pause")
    assert paused.location == "/my/searches"
    edit = signed_in.get(f"/my/searches/{key}/edit")
    assert "恢复订阅" in edit.text
    path = f"/my/searches/{key}/edit"
    assert press(signed_in, edit, path, name="甲" * 101, rhythm="weekly").status_code == 422
    assert (
        press(signed_in, edit, path, name="乙", rhythm="weekly", language="en").status_code == 303
    )
    row = db.session.get_one(SavedSearch, key, populate_existing=True)
    assert (row.name, row.rhythm, row.language) == ("乙", "weekly", "en")
    assert press(signed_in, edit, f"/my/searches/{key}/delete").status_code == 303
    assert signed_in.get(f"/my/searches/{key}").status_code == 404
    assert press(signed_in, edit, path, name="丙", rhythm="daily", language="zh").status_code == 404


def test_what_was_new_shows_public_listings_only_and_nobody_elses(signed_in, demo):
    person = demo_person("firm.owner")
    key = db.session.scalar(select(SavedSearch.id).where(SavedSearch.person_id == person.id))
    assert "还没有新信息" in signed_in.get(f"/my/searches/{key}").text
    ids = db.session.scalars(select(Listing.id).where(Listing.state == "published").limit(2)).all()
    told = db.session.get_one(SavedSearch, key).told_until
    with unit_of_work(SYSTEM) as work:
        work.require(TOUCH)
        for position, one in enumerate(ids):
            row = SavedHit(search_id=key, listing_id=one, told_at=told, position=position)
            db.session.add(row)
        db.session.execute(update(Listing).where(Listing.id == ids[1]).values(state="withdrawn"))
    page = signed_in.get(f"/my/searches/{key}")
    gone = db.session.get_one(Listing, ids[1])
    assert f"{gone.no} 已不公开" in page.text
    assert gone.current.title not in page.text
    assert page.text.count('class="brief-title"') == 1
    other = people.sign_in(demo.test_client(), people.person())
    for path in ("", "/edit"):
        assert other.get(f"/my/searches/{key}{path}").status_code == 404


def test_the_link_of_a_mail_stops_by_a_button_and_by_one_click(visitor):
    row = db.session.scalars(select(SavedSearch).where(SavedSearch.paused_at.is_(None))).first()
    path = f"/searches/stop/{stop_word(row.id)}"
    for prefix in ("", "/en"):
        page = visitor.get(prefix + path)
        assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    db.session.refresh(row)
    assert row.paused_at is None  # looking stops nothing
    done = visitor.post(path, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    db.session.refresh(row)
    assert row.paused_at is not None
    assert "已停止" in visitor.get(path).text
    assert visitor.get(path[:-1]).status_code == 404


def test_public_bulletins_list_page_table_and_feed_in_both_languages(visitor):
    row = bulletin("issued")
    for prefix in ("", "/en"):
        listed = visitor.get(f"{prefix}/bulletins?region={HERE}")
        assert f"{prefix}/bulletins/{row.no}" in listed.text
        assert visitor.get(f"{prefix}/bulletins").status_code == 200
        page = visitor.get(f"{prefix}/bulletins/{row.no}")
        assert page.text.count("<article>") == 3
        assert f"{prefix}/bulletins?region={HERE}" in visitor.get(f"{prefix}/regions/{HERE}").text
        feed = visitor.get(f"{prefix}/bulletins.atom?region={HERE}")
        assert feed.mimetype == "application/atom+xml"
        assert f"{prefix}/bulletins/{row.no}" in feed.text
    assert visitor.get("/bulletins?region=999999").status_code == 404
    assert visitor.get("/bulletins.atom").status_code == 200
    answer = visitor.get(f"/bulletins/{row.no}/table.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0]
    assert sheet.max_row == 4
    withdrawn = visitor.get(f"/bulletins/{bulletin('withdrawn').no}")
    assert withdrawn.status_code == 200
    assert "价格抄错" in withdrawn.text
    assert "<article>" not in withdrawn.text
    assert visitor.get(f"/bulletins/{bulletin('withdrawn').no}/table.xlsx").status_code == 404
    for state in ("draft", "dropped"):
        assert visitor.get(f"/bulletins/{bulletin(state).no}").status_code == 404


def test_a_clerk_writes_orders_and_issues_a_bulletin(clerk, demo):
    page = clerk.get("/desk/bulletins")
    assert press(clerk, page, "/desk/bulletins", number="一千").status_code == 422
    done = press(clerk, page, "/desk/bulletins", number="3")
    path = done.location
    page = clerk.get(path)
    nos = re.findall(r'name="place_(\w+)"', page.text)
    assert len(nos) > 3
    sent = {f"place_{no}": str(at) for at, no in enumerate(nos, 1)}
    sent |= {"title": "新一期", "number": "3", "foreword": "第一段\n第二段"}
    wrong = press(clerk, page, path, **sent | {"add": "CG1999000001", "foreword": "留着"})
    assert wrong.status_code == 422
    assert all(text in wrong.text for text in ("留着", "CG1999000001"))
    sent |= {f"place_{nos[0]}": "99", "drop": nos[1], "add": ""}
    assert press(clerk, page, path, **sent).status_code == 303
    page = clerk.get(path)
    assert re.findall(r'name="place_(\w+)"', page.text) == [*nos[2:], nos[0]]
    left = {f"place_{no}": "1" for no in nos} | {"title": "新一期", "foreword": "先存后发"}
    refused = press(clerk, page, path, **left, number="3", then="issue")
    assert refused.status_code == 409
    assert "第 3 期已经用过" in refused.text
    assert "先存后发" in refused.text
    stale = clerk.post(path, data=form_of(page, path) | left | {"number": "5", "seen": "1"})
    assert stale.status_code == 409
    assert press(clerk, page, path, **left, number="5", then="issue").status_code == 303
    assert "先存后发" in clerk.get(path.replace("/desk", "")).text
    page = clerk.get(path)
    assert "撤回本期简报" in page.text
    assert press(clerk, page, f"{path}/withdraw", reason=" ").status_code == 422
    assert press(clerk, page, f"{path}/withdraw", reason="重排").status_code == 303
    elsewhere = people.sign_in(demo.test_client(), demo_person("county.mingshan"))
    assert elsewhere.get(path).status_code == 404
    for state in ("draft", "issued", "withdrawn", "dropped"):
        assert clerk.get(f"/desk/bulletins/{bulletin(state).no}").status_code == 200


def test_a_reader_subscribes_to_a_county_and_stops(signed_in):
    assert "东坡" in signed_in.get("/my/bulletins").text
    page = signed_in.get("/my/bulletins?region=511803&language=en")
    assert press(signed_in, page, "/my/bulletins", language="fr").status_code == 422
    assert press(signed_in, page, "/my/bulletins", language="en").status_code == 303
    page = signed_in.get("/my/bulletins?saved=1")
    assert "名山" in page.text
    assert press(signed_in, page, "/my/bulletins/511803/stop").status_code == 303
    assert "名山" not in signed_in.get("/my/bulletins").text
    row = db.session.scalars(select(BulletinSubscription)).first()
    path = f"/bulletins/stop/{bulletin_word(row.id)}"
    assert "停止订阅简报" in signed_in.get(path).text
    assert signed_in.post(path).status_code == 200
    assert "已停止" in signed_in.get(path).text
    assert signed_in.get("/bulletins/stop/1~x").status_code == 404


def office_key(place):
    """The header of a program of an office."""
    word, now = f"test-token-of-the-office-{place}", clock.now()
    with unit_of_work(SYSTEM) as work:
        work.require(TOUCH)
        row = ApiToken(
            organisation_id=people.organisation("科技局（演示）", kind="office", code=place),
            role="county",
            label="试验",
            hint="test",
            token_hash=sessions.hashed(word),
            scopes=["discovery:bulletin"],
            region_id=people.region(place).id,
            created_at=now,
            created_by="测试",
            expires_at=now.replace(year=now.year + 1),
        )
        db.session.add(row)
    return {"Authorization": f"Bearer {word}"}


def test_the_api_reads_for_all_and_writes_by_the_keys_of_offices(visitor):
    api = "/api/v1/bulletins"
    row = bulletin("issued")
    found = visitor.get(f"{api}?region={HERE}").json
    assert row.no in [one["no"] for one in found["items"]]
    one = visitor.get(f"{api}/{row.no}").json
    assert [len(one["lines"]), one["actions"]] == [3, []]
    assert visitor.get(f"{api}/{bulletin('draft').no}").status_code == 404
    assert visitor.post(api, json={"region": HERE}).status_code == 401
    key, other = office_key(HERE), office_key("511803")
    assert visitor.post(api, json={"region": HERE}, headers=other).status_code == 404
    assert visitor.post(api, json={"region": HERE, "x": 1}, headers=key).status_code == 422
    sent = {"json": {"region": HERE, "number": 3}, "headers": {**key, "Idempotency-Key": "a" * 9}}
    made = visitor.post(api, **sent)
    assert made.status_code == 201
    assert visitor.post(api, **sent).json["no"] == made.json["no"]
    path = made.headers["Location"]
    draft = visitor.get(path, headers=key)
    nos = [line["no"] for line in draft.json["lines"]]
    assert visitor.get(f"{path}/proposals", headers=key).status_code == 200
    listed = visitor.get("/api/v1/office/bulletins", headers=key).json["items"]
    assert made.json["no"] in [one["no"] for one in listed]
    texts = {"title": "接口写的", "number": 3, "items": nos[:2][::-1]}
    assert visitor.put(path, json=texts, headers=key).status_code == 428
    match = {**key, "If-Match": draft.headers["ETag"]}
    edited = visitor.put(path, json=texts, headers=match)
    assert [line["no"] for line in edited.json["lines"]] == nos[:2][::-1]
    assert visitor.put(path, json=texts, headers=match).status_code == 412
    match = {**key, "If-Match": edited.headers["ETag"]}
    refused = visitor.post(f"{path}/actions", json={"action": "issue"}, headers=match)
    assert refused.status_code == 409
    assert "第 3 期已经用过" in refused.json["detail"]
    renumbered = visitor.put(path, json=texts | {"number": 9}, headers=match)
    match = {**key, "If-Match": renumbered.headers["ETag"]}
    issued = visitor.post(f"{path}/actions", json={"action": "issue"}, headers=match)
    assert (issued.json["state"], issued.json["actions"]) == ("issued", ["withdraw"])
    assert visitor.get(path).json["title"] == "接口写的"
