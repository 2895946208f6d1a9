"""批量导入, as a browser without scripts and as programs use it."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from market.accounts.people.models import ApiToken
from market.catalogue.imports import jobs, rules, storage
from market.catalogue.imports.models import ImportJob
from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from tests import people
from tests.web.conftest import check_html

ROW = {"title": "川茶机采技术", "summary": "一台机器顶二十个人采茶。"}
API = "/api/v1/imports"


def lines(*rows):
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


@pytest.fixture
def institute(app):
    return people.organisation("雅安院（演示）", kind="institute", code="511803")


@pytest.fixture
def staff(client, institute):
    return people.sign_in(client, people.person(("editor", institute)))


def upload(client, data=None, name="成果.jsonl", **typed):
    form = client.get("/my/imports")
    file = (io.BytesIO(lines(ROW) if data is None else data), name)
    sent = {"csrf_token": people.token_of(form), "kind": "achievements", "file": file} | typed
    return client.post("/my/imports", data=sent)


def multipart(token, content):
    """A form with a large file, as bytes."""
    fields = {"csrf_token": token, "kind": "achievements"}
    parts = [
        f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = '--cut\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    body = "".join([*parts, head]).encode() + content + b"\r\n--cut--\r\n"
    return {"data": body, "content_type": "multipart/form-data; boundary=cut"}


def decide(client, address, action, **typed):
    page = client.get(address)
    return client.post(f"{address}/{action}", data={"csrf_token": people.token_of(page)} | typed)


def work():
    while jobs.run_one():
        pass


def test_from_the_file_to_the_page_and_back(staff):
    page = staff.get("/my/imports")
    assert "还没有上传过" in page.text
    answer = upload(staff)
    assert answer.status_code == 303
    address = answer.headers["Location"]
    waiting = staff.get(address)
    assert "等待检查" in waiting.text
    assert "data-refresh" in waiting.text
    assert waiting.headers["Cache-Control"] == "no-store"
    assert staff.get(f"{address}/progress").json["state"] == "waiting"
    work()
    checked = staff.get(address)
    assert "检查通过" in checked.text
    assert ROW["title"] in checked.text
    assert "imports.js" not in checked.text
    refused = decide(staff, address, "import", cleared_no="BM-7")
    assert refused.status_code == 422
    assert 'id="cleared-error"' in refused.text
    assert 'value="BM-7"' in refused.text
    assert decide(staff, address, "import", cleared="1").status_code == 303
    work()
    done = staff.get(address)
    assert "整批撤销" in done.text
    assert "成果.jsonl" in staff.get("/my/imports").text
    assert decide(staff, address, "undo").status_code == 303
    assert "已撤销" in staff.get(address).text
    assert decide(staff, address, "undo").status_code == 409


def test_a_refused_file_counts_nothing_as_new_and_shows_no_formula_of_its_own(staff):
    from openpyxl import Workbook

    book, out = Workbook(), io.BytesIO()
    for row in (["title", "summary", "stage"], list(ROW.values()), ["甲", "短。", "=A1&B1"]):
        book.active.append(row)
    book.save(out)
    address = upload(staff, out.getvalue(), "成果.xlsx").headers["Location"]
    work()
    text = staff.get(address).text
    assert "未通过检查" in text
    assert "新增 <b>" not in text
    assert "这些行也没有导入" in text
    assert "（没有结果的公式）" in text
    assert "=FORMULA()" not in text


def test_problems_stand_on_the_page_and_all_in_a_table(staff):
    bad = [{"title": f"<b>第 {n} 行", "summary": "短。", "stage": "差不多"} for n in range(250)]
    address = upload(staff, lines(*bad)).headers["Location"]
    work()
    page = staff.get(address)
    tree = check_html(page.text)
    rows = tree.findall(".//section[@aria-labelledby='problems']//tbody/tr")
    assert len(rows) == rules.SHOWN_PROBLEMS
    assert "<b>第" not in page.text
    table = staff.get(f"{address}/problems.xlsx")
    assert table.mimetype.endswith("spreadsheetml.sheet")
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(table.data))
    assert sum(1 for _ in book.active.iter_rows()) == 251
    assert decide(staff, address, "import").status_code == 409


@pytest.mark.parametrize(
    ("typed", "name", "data", "field"),
    [
        ({}, "图片.png", b"x", "file"),
        ({}, "空.xlsx", b"", "file"),
        ({"kind": ""}, "成果.jsonl", b"{}", "kind"),
        ({"kind": "rosters-of-mars"}, "成果.jsonl", b"{}", "kind"),
    ],
)
def test_what_cannot_be_taken_is_said_beside_its_field(staff, typed, name, data, field):
    answer = upload(staff, data, name, **typed)
    assert answer.status_code == 422
    links = check_html(answer.text).find(".//div[@class='error-summary']").iter("a")
    assert [one.get("href") for one in links] == [f"#{field}"]


def test_a_file_over_the_limit_is_told_on_the_form(staff):
    token = people.token_of(staff.get("/my/imports"))
    for more, status in ((1, 422), (1024 * 1024, 413)):
        answer = staff.post("/my/imports", **multipart(token, b"x" * (rules.LARGEST + more)))
        assert answer.status_code == status
        assert "20 MB" in answer.text
        assert "error-summary" in answer.text
    assert not storage.folder().exists()


def test_without_a_good_token_nothing_happens(staff):
    file = (io.BytesIO(lines(ROW)), "成果.jsonl")
    answer = staff.post("/my/imports", data={"kind": "achievements", "file": file})
    assert answer.status_code == 400
    address = upload(staff).headers["Location"]
    assert staff.post(f"{address}/discard", data={}).status_code == 400
    assert staff.get(f"{address}/progress").json["state"] == "waiting"


def test_others_find_nothing(staff, app):
    address = upload(staff).headers["Location"]
    other = people.sign_in(
        app.test_client(), people.person(("owner", people.organisation("别家（演示）")))
    )
    token = people.token_of(other.get("/my/imports"))
    for path in (
        address,
        f"{address}/progress",
        f"{address}/problems.xlsx",
        "/imports/DR2026999999",
    ):
        assert other.get(path).status_code == 404
    assert other.post(f"{address}/discard", data={"csrf_token": token}).status_code == 404
    assert app.test_client().get("/my/imports").status_code in {302, 303, 401}


def test_a_member_who_only_reads(app, institute, client):
    reader = people.sign_in(client, people.person(("viewer", institute)))
    assert "请单位管理员" in reader.get("/my/imports").text


def test_who_speaks_for_several_chooses(app, client, institute):
    second = people.organisation("另一院（演示）", kind="institute", code="511402")
    both = people.sign_in(client, people.person(("editor", institute), ("owner", second)))
    answer = upload(both)
    assert answer.status_code == 422
    assert "请选择为谁导入" in answer.text
    assert 'value="achievements" selected' in answer.text
    assert upload(both, scope=f"o{second}").status_code == 303
    assert db.session.scalar(select(ImportJob.organisation_id)) == second


def test_templates_of_what_one_may_import(staff, app):
    assert staff.get("/imports/templates/achievements.xlsx").data.startswith(b"PK")
    assert staff.get("/imports/templates/pins.xlsx").status_code == 404
    office = people.sign_in(app.test_client(), people.person(("county", None, "511803")))
    assert office.get("/imports/templates/pins.xlsx").data.startswith(b"PK")


# -- programs


def program(institute, scopes=("catalogue:import", "catalogue:achievements"), role="editor"):
    now, word = clock.now(), "w" * 30
    with unit_of_work(SYSTEM) as work_:
        work_.require(people.MAKE)
        db.session.add(
            ApiToken(
                organisation_id=institute,
                role=role,
                label="成果系统",
                hint="wwww",
                token_hash=hashlib.sha256(word.encode()).hexdigest(),
                scopes=list(scopes),
                created_at=now,
                created_by="测试",
                expires_at=now + timedelta(days=1),
            )
        )
    return {"Authorization": f"Bearer {word}"}


def test_a_program_brings_follows_and_decides(app, institute):
    client, headers = app.test_client(), program(institute)
    once = headers | {"Idempotency-Key": "a1", "Content-Type": "application/octet-stream"}
    address = f"{API}?kind=achievements&name=a.jsonl"
    made = client.post(address, data=lines(ROW), headers=once)
    assert (made.status_code, made.json["state"]) == (201, "waiting")
    again = client.post(address, data=lines(ROW), headers=once)
    assert again.json == made.json
    assert client.get(API, headers=headers).json["total"] == 1
    work()
    where = made.headers["Location"]
    checked = client.get(where, headers=headers)
    assert checked.json["actions"] == ["import", "draft", "discard"]
    assert client.post(f"{where}/import", headers=headers).status_code == 428
    stale = headers | {"If-Match": '"v99"'}
    assert client.post(f"{where}/import", headers=stale).status_code == 412
    match = headers | {"If-Match": checked.headers["ETag"]}
    assert client.post(f"{where}/import", headers=match).status_code == 422
    decided = client.post(f"{where}/import", headers=match, json={"cleared": True})
    assert decided.json["state"] == "importing"
    work()
    assert client.get(where, headers=headers).json["state"] == "done"
    assert client.get(f"{where}/problems", headers=headers).json["items"] == []


def test_a_form_is_taken_too_and_mistakes_are_pointed_at(app, institute):
    client, headers = app.test_client(), program(institute)
    form = {"kind": "achievements", "file": (io.BytesIO(lines(ROW)), "a.jsonl")}
    assert client.post(API, data=form, headers=headers).status_code == 201
    wrong = client.post(API, data={"kind": "achievements"}, headers=headers)
    assert wrong.status_code == 422
    assert wrong.json["errors"][0]["pointer"] == "/file"


def test_programs_without_scope_or_token_bring_nothing(app, institute):
    client = app.test_client()
    address = f"{API}?kind=achievements&name=a.jsonl"
    assert client.post(address, data=lines(ROW)).status_code == 401
    narrow = program(institute, scopes=("catalogue:import",))
    assert client.post(address, data=lines(ROW), headers=narrow).status_code in {403, 422}
    assert db.session.scalar(select(ImportJob.id)) is None


def test_each_place_is_offered_what_fits_it(client, app):
    office = people.organisation("某县科技局", kind="office", code="511803")
    both = people.person(("editor", office), ("county", office, "511803"))
    people.sign_in(client, both)
    own = client.get("/my/imports").text
    assert "为「某县科技局」导入" in own
    assert 'value="pins"' not in own
    assert 'value="rosters"' not in own
    other = own.split("/my/imports?scope=")[1].split('"')[0]
    area = client.get(f"/my/imports?scope={other}").text
    assert f'name="scope" value="{other}"' in area
    assert all(f'value="{kind}"' in area for kind in ("achievements", "pins", "rosters"))
    assert upload(client, b"", scope=other, kind="rosters").status_code == 422
