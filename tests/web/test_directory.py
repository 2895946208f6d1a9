"""找服务 as everybody reads it, and as offices keep it: pages, forms, downloads, the API."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import select

from market.accounts.people import sessions
from market.accounts.people.models import ApiToken
from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.service_points.models import Admission, Specialist
from tests import people
from tests.web.conftest import check_html

FIRM = "91511402DEM000487E"
PARENT = "东坡区技术合同登记处（演示）"


@pytest.fixture
def officer(visitor):
    return people.sign_in(visitor, people.person(("county", None, "511402")))


def number(name):
    return db.session.scalars(select(Admission.no).where(Admission.name == name)).one()


def form(client, address, ending):
    """What stands in the form of a page that posts to this place; ticks as lists."""
    tree = check_html(client.get(address).text)
    one = next(one for one in tree.iter("form") if (one.get("action") or "").endswith(ending))
    found: dict = {}
    for field in [*one.iter("input"), *one.iter("select"), *one.iter("textarea")]:
        if field.get("type") == "checkbox":
            if field.get("checked") is not None:
                found.setdefault(field.get("name"), []).append(field.get("value"))
        elif field.tag == "select":
            chosen = [o.get("value") for o in field.iter("option") if o.get("selected") is not None]
            found[field.get("name")] = chosen[0] if chosen else ""
        elif field.get("name"):
            found[field.get("name")] = field.get("value") or (field.text or "").removeprefix("\n")
    return found


def test_everybody_finds_what_serves_his_place(visitor):
    page = visitor.get("/service-points")
    assert '全部 <span class="count">' in page.text
    assert "太和镇技术合同登记服务点（演示）" in page.text
    assert "塔山镇技术合同登记服务点" not in page.text  # suspended
    local = visitor.get("/service-points?region=dpq&kind=service_point").text
    assert "太和镇技术合同登记服务点" in local
    assert "百丈镇" not in local
    near = visitor.get("/service-points?region=511803&kind=registration_body").text
    assert "下面是最近的" in near
    assert "四川省技术合同认定登记总站（演示）" in near
    assert (
        "还没有符合条件" in visitor.get("/service-points?region=513233&kind=voucher_provider").text
    )
    assert "是哪一个" in visitor.get("/service-points?region=城").text
    township = visitor.get("/service-points?region=水湾镇").text
    assert "水湾镇技术合同登记服务点（演示）" in township
    assert "没有找到地区" in visitor.get("/service-points?region=xyzzy").text
    assert visitor.get("/service-points?kind=nothing&page=0&field=%00").status_code == 200
    assert visitor.get("/service-points?page=9").status_code == 302
    english = visitor.get("/en/service-points?region=511402").text
    assert 'lang="en"' in english


def test_the_page_of_a_point_and_of_a_body(visitor):
    point = visitor.get(f"/service-points/{number('太和镇技术合同登记服务点（演示）')}").text
    for words in ("登记前自查", "服务点不审查、不出证明", PARENT, "戴**（演示）", "2027-12-31"):
        assert words in point
    assert "出具登记证明" not in point
    body = visitor.get(f"/service-points/{number(PARENT)}").text
    for words in ("出具登记证明", "本站登记", "卢受理（演示）", "太和镇技术合同登记服务点（演示）"):
        assert words in body
    assert (
        "并入太和镇服务点"
        in visitor.get(f"/service-points/{number('通惠街道技术合同登记服务点（演示）')}").text
    )
    assert visitor.get("/service-points/FW2026999999").status_code == 404
    assert PARENT not in visitor.get("/organisations/DW2026000048").text
    office = db.session.scalars(select(Admission).where(Admission.name == PARENT)).one().owner
    assert PARENT in visitor.get(f"/organisations/{office.no}").text
    assert "/service-points?region=511402" in visitor.get("/regions/511402").text


def test_taking_away(visitor):
    table = visitor.get("/service-points.csv?industry=川茶")
    rows = list(csv.DictReader(io.StringIO(table.data.decode("utf-8-sig"))))
    assert {row["类别"] for row in rows} == {"技术转移服务机构", "科技特派员工作站"}
    found = visitor.get("/service-points.json?region=511402").json
    assert found["total"] == len(found["items"]) == 3
    people_json = visitor.get("/specialists.json").json
    assert people_json["total"] == 10
    assert "certificate" not in people_json["items"][0]
    assert "contact" not in visitor.get("/specialists.csv").text


def test_specialists_in_public(visitor):
    page = visitor.get("/specialists?kind=expert").text
    assert "邱发酵（演示）" in page
    assert "杞烘干" not in page  # did not agree
    one, hidden = (
        db.session.scalars(select(Specialist.no).where(Specialist.name.startswith(name))).one()
        for name in ("孙引进", "贺未同")
    )
    found = visitor.get(f"/specialists/{one}").text
    assert "****0001" in found
    assert "JJR-YS-2024-0001" not in found
    assert visitor.get(f"/specialists/{hidden}").status_code == 404


def new_point(client, **typed):
    address = "/desk/service-points/new?kind=service_point"
    sent = form(client, address, "/desk/service-points/new")
    sent |= {
        "organisation": FIRM,
        "parent": PARENT,
        "region": "四川省眉山市东坡区太和镇",
        "valid_from": "2026-01-01",
        "source": "批复〔2026〕1号",
    }
    return client.post("/desk/service-points/new", data=sent | typed)


def test_an_officer_records_edits_and_ends(officer):
    assert "录入哪一类" in officer.get("/desk/service-points/new").text
    bad = new_point(officer, areas="四川省雅安市名山区", note="<b>说明", powers=["help", "certify"])
    assert bad.status_code == 422
    assert "服务点不能" in bad.text
    again = new_point(officer, areas="四川省雅安市名山区", note="<b>说明")
    assert "不在上级" in again.text
    assert "&lt;b&gt;说明" in again.text
    assert 'value="四川省雅安市名山区"' in again.text
    made = new_point(officer)
    assert made.status_code == 303
    here = made.headers["Location"]
    page = officer.get(here)
    assert "眉州岷味坊食品有限公司（演示）" in page.text
    first = form(officer, f"{here}/edit", "/edit")
    assert first["powers"] == ["help", "pre_check", "collect", "hand_in"]
    saved = officer.post(f"{here}/edit", data=first | {"hours": "先来的"})
    assert saved.status_code == 303
    late = officer.post(f"{here}/edit", data=first | {"hours": "后到的"})
    assert late.status_code == 409
    assert "先来的" in late.text
    assert 'value="后到的"' in late.text
    assert "/renew" not in page.text  # valid without an end: nothing to renew
    staffed = form(officer, here, "/staff") | {"name": "王小明", "duty": ""}
    assert "必填" in officer.post(f"{here}/staff", data=staffed).text
    assert officer.post(f"{here}/staff", data=staffed | {"duty": "受理"}).status_code == 303
    assert "王**" in officer.get(here).text
    token = form(officer, here, "/suspend")["csrf_token"]
    none = officer.post(f"{here}/suspend", data={"csrf_token": token, "reason": ""})
    assert none.status_code == 422
    for action in ("suspend", "resume", "end"):
        done = officer.post(f"{here}/{action}", data={"csrf_token": token, "reason": "试验"})
        assert done.status_code == 303, action
    ended = officer.get(here).text
    assert "已终止" in ended
    assert f"{here}/edit" not in ended
    listed = officer.get("/desk/service-points?state=ended").text
    assert "眉州岷味坊" in listed


def test_a_renewal_keeps_what_was_typed(officer):
    here = f"/desk/service-points/{number('太和镇技术合同登记服务点（演示）')}"
    sent = form(officer, here, "/renew") | {"valid_to": "2027-01-01", "source": "续期批复"}
    early = officer.post(f"{here}/renew", data=sent)
    assert early.status_code == 422
    assert 'value="续期批复"' in early.text
    assert officer.post(f"{here}/renew", data=sent | {"valid_to": "2029-12-31"}).status_code == 303
    assert "有效期至 2029-12-31" in officer.get(here).text


def test_a_foreign_office_finds_nothing(visitor):
    stranger = people.sign_in(visitor, people.person(("county", None, "511803")))
    no = number("太和镇技术合同登记服务点（演示）")
    assert stranger.get(f"/desk/service-points/{no}").status_code == 404
    assert "太和镇" not in stranger.get("/desk/service-points").text
    someone = db.session.scalars(
        select(Specialist.no).where(Specialist.name.startswith("罗牵线"))
    ).one()
    assert stranger.get(f"/desk/specialists/{someone}").status_code == 404
    refused = new_point(stranger, note="没丢")
    assert refused.status_code == 403
    assert "没丢" in refused.text


def test_an_officer_keeps_specialists(officer):
    sent = form(officer, "/desk/specialists/new?kind=broker", "/new")
    sent |= {
        "name": "王引线",
        "region": "东坡区",
        "contact": "13800001111",
        "consented_on": "2026-01-01",
    }
    bad = officer.post("/desk/specialists/new", data=sent)
    assert "请写明本人怎样同意的" in bad.text
    assert 'value="13800001111"' in bad.text
    made = officer.post("/desk/specialists/new", data=sent | {"consent_how": "签字表"})
    here = made.headers["Location"]
    page = officer.get(here).text
    assert "138****1111" in page
    assert "13800001111" not in page
    token = {"csrf_token": form(officer, here, "/contact")["csrf_token"]}
    assert officer.post(f"{here}/contact", data=token).status_code == 422
    assert "13800001111" in officer.post(f"{here}/contact", data=token | {"reason": "约他"}).text
    edited = form(officer, f"{here}/edit", "/edit")
    assert edited["contact"] == ""
    assert officer.post(f"{here}/edit", data=edited | {"rank": "工程师"}).status_code == 303
    assert "138****1111" in officer.get(here).text
    assert officer.post(f"{here}/withdraw", data=token | {"reason": "来电"}).status_code == 303
    public = here.replace("/desk", "")
    assert "还没有同意公开" in officer.get(public).text
    again = officer.post(f"{here}/consent", data=token | {"consented_on": "2026-02-01"})
    assert "必填" in again.text
    assert officer.post(f"{here}/remove", data=token | {"reason": "调离"}).status_code == 303
    assert officer.get(here).status_code == 404


@pytest.fixture
def token(demo):
    """A program of the office of 东坡区."""
    word, now = "test-token-directory-padding", clock.now()
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        office = db.session.scalars(select(Admission).where(Admission.name == PARENT)).one()
        row = ApiToken(
            organisation_id=office.organisation_id,
            role="county",
            label="试验",
            hint="test",
            token_hash=sessions.hashed(word),
            scopes=["service_points:admission", "service_points:specialist"],
            region_id=people.region("511402").id,
            created_at=now,
            created_by="测试",
            expires_at=now.replace(year=now.year + 1),
        )
        db.session.add(row)
    return {"Authorization": f"Bearer {word}"}


API = "/api/v1/service-points"


def test_programs_read_all_and_write_for_their_office(visitor, token):
    found = visitor.get(f"{API}?region=511402&kind=service_point").json
    assert found["total"] == 1
    assert found["items"][0]["region_code"] == "511402102"
    near = visitor.get(f"{API}/near?region=511803&kind=registration_body").json
    assert near["items"][0]["how"] == "服务本地"
    new = {
        "organisation": FIRM,
        "kind": "service_point",
        "parent": PARENT,
        "region": "511402001",
        "valid_from": "2026-01-01",
        "source": "批复1号",
        "fields": [],
        "hours": "工作日",
    }
    assert visitor.post(API, json=new).status_code == 401
    wrong = visitor.post(API, json=new | {"powers": ["certify"]}, headers=token)
    assert wrong.status_code == 422
    assert wrong.json["errors"][0]["pointer"] == "/powers"
    key = token | {"Idempotency-Key": "one"}
    made, again = (visitor.post(API, json=new, headers=key) for _ in range(2))
    assert made.status_code == again.status_code == 201
    assert made.json == again.json
    here = f"{API}/{made.json['no']}"
    assert visitor.patch(here, json={"hours": "周末"}, headers=token).status_code == 428
    match = token | {"If-Match": visitor.get(here).headers["ETag"]}
    changed = visitor.patch(here, json={"telephone": "028-1234567", "hours": None}, headers=match)
    assert changed.status_code == 200
    assert (changed.json["telephone"], changed.json["hours"]) == ("028-1234567", None)
    assert changed.json["powers"] == ["help", "pre_check", "collect", "hand_in"]
    assert visitor.patch(here, json={"hours": "x"}, headers=match).status_code == 412
    why = {"reason": "培训"}
    assert visitor.post(f"{here}/suspend", json=why, headers=token).status_code == 428
    assert visitor.post(f"{here}/suspend", json=why, headers=match).status_code == 412
    match = token | {"If-Match": visitor.get(here).headers["ETag"]}
    assert visitor.post(f"{here}/suspend", json={}, headers=match).status_code == 422
    for act, body, state in [
        ("suspend", why, "suspended"), ("resume", None, "active"), ("end", why, "ended"),
    ]:  # fmt: skip
        match = token | {"If-Match": visitor.get(here).headers["ETag"]}
        done = visitor.post(f"{here}/{act}", json=body, headers=match)
        assert done.json["state"] == state


def test_programs_and_specialists(visitor, token):
    found = visitor.get("/api/v1/specialists?region=511402").json
    assert {one["name"] for one in found["items"]} == {
        "罗牵线（演示）",
        "邱发酵（演示）",
        "谭复配（演示）",
    }
    new = {"kind": "broker", "name": "王引线", "region": "511402", "contact": "13800001111"}
    made = visitor.post("/api/v1/specialists", json=new, headers=token)
    assert made.status_code == 201
    assert "13800001111" not in made.text
    here = f"/api/v1/specialists/{made.json['no']}"
    assert visitor.get(here).status_code == 404  # did not agree
    consent = {"consented_on": "2026-01-01", "consent_how": "签字表"}
    match = token | {"If-Match": visitor.get(here, headers=token).headers["ETag"]}
    assert visitor.patch(here, json=consent, headers=match).json["public"] is True
    assert visitor.get(here).json["name"] == "王引线"
    match = token | {"If-Match": visitor.get(here, headers=token).headers["ETag"]}
    gone = visitor.post(f"{here}/withdraw", json={}, headers=match)
    assert gone.json["public"] is False
    assert visitor.get(here).status_code == 404


def test_pages_ask_as_little_for_many_as_for_few(visitor, statements):
    def asked(address):
        statements.clear()
        assert visitor.get(address).status_code == 200
        return len(statements)

    asked("/service-points")  # labels of fields are read once a minute
    assert asked("/service-points") == asked("/service-points?kind=voucher_provider") <= 12
    assert asked("/specialists") == asked("/specialists?kind=broker") <= 12
