"""Pages of one's own organisation, of staff, of verification, and of the office's desk."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import event, select

from market.accounts.members import staff
from market.accounts.members.models import Joining
from market.accounts.models import Organisation
from market.accounts.people import sessions
from market.accounts.people.models import ApiToken, Invitation
from market.accounts.verification import service as verifications
from market.accounts.verification.models import Verification
from market.core import clock
from market.core.db import db
from market.core.models import AuditEntry, StoredFile
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from tests import people
from tests.people import sign_in, token_of
from tests.service.clerk import CODE, OTHER, lines, load
from tests.web.conftest import check_html

API = "/api/v1"
PDF = b"%PDF-1.4 licence"
DECLARED = {"legal_representative": "李四光", "registered_address": "东坡区某街 1 号"}
FOUND = {
    "uscc": CODE,
    "name": "甲公司",
    "kind": "enterprise",
    "county": "dpq",
    "telephone": "028-38160000",
}


@pytest.fixture
def prepared_demo(prepared_quiet):
    """Nothing happened yet: what is found is what a test made."""
    return prepared_quiet


def row(key):
    db.session.rollback()
    return db.session.get(Organisation, key)


def send(client, address, at="", **typed):
    """Open a page, then send the form."""
    return client.post(address, data={"csrf_token": token_of(client.get(at or address)), **typed})


def typed_again(page, name):
    return check_html(page.text).find(f".//*[@name='{name}']").get("value")


def browser(app, *roles, **more):
    """Somebody's browser, beside the one of the fixture."""
    someone = people.person(*roles, **more)
    return sign_in(app.test_client(), someone), someone


@pytest.fixture
def firm(client):
    return people.organisation("甲公司", uscc=CODE, verified=False)


@pytest.fixture
def owner(client, firm):
    return sign_in(client, people.person(("owner", firm), name="老板"))


@pytest.fixture
def clerk(client, app):
    return browser(app, ("county", None, "511402"), name="经办")[0]


def handed_in(firm):
    who = people.actor(("owner", firm))
    no = row(firm).no
    verifications.keep_licence(who, no, "执照.pdf", PDF)
    return verifications.submit(who, no, DECLARED)


# Finding, founding, joining


def test_without_an_organisation_one_finds_or_founds_it(client):
    sign_in(client, people.person())
    assert client.get("/my/organisation").headers["Location"] == "/my/organisation/new"
    page = client.get(f"/my/organisation/new?uscc={CODE[:-1]}X")
    assert "校验位不对" in page.text
    address = f"/my/organisation/new?uscc={CODE}"
    assert "现在登记" in client.get(address).text
    wrong = send(
        client, "/my/organisation/new", address, **FOUND | {"kind": "office", "telephone": "1"}
    )
    assert wrong.status_code == 422
    assert typed_again(wrong, "name") == "甲公司"
    assert "至少 7 位" in wrong.text
    several = send(client, "/my/organisation/new", address, **FOUND | {"county": "鼓楼区"})
    assert several.status_code == 422
    assert len(check_html(several.text).findall(".//input[@name='region']")) == 4
    assert typed_again(several, "county") == "鼓楼区"
    done = send(client, "/my/organisation/new", address, **FOUND)
    assert done.status_code == 303
    page = client.get(done.headers["Location"])
    assert "未核验" in page.text
    assert "提交核验" in page.text


def test_who_comes_second_is_offered_to_join(client, app):
    sign_in(client, people.person())
    address = f"/my/organisation/new?uscc={CODE}"
    token = token_of(client.get(address))
    people.organisation("甲公司", uscc=CODE)
    late = client.post("/my/organisation/new", data={"csrf_token": token, **FOUND})
    assert late.status_code == 409
    assert "已经登记过：甲公司" in late.text
    asked = client.post(
        "/my/organisation/join",
        data={"csrf_token": token_of(late), "uscc": CODE, "message": "技术部"},
    )
    case = client.get(asked.headers["Location"])
    assert "待接受" in case.text
    assert "技术部" in case.text
    no = db.session.scalars(select(Joining.no)).one()
    office, _ = browser(app, ("county", None, "511402"))
    assert "成为这家单位的单位管理员" in office.get(f"/my/joinings/{no}").text
    stranger, _ = browser(app, ("county", None, "511403"))
    assert stranger.get(f"/my/joinings/{no}").status_code == 404
    assert stranger.post(f"/my/joinings/{no}/accept").status_code == 404
    assert send(office, f"/my/joinings/{no}/accept", f"/my/joinings/{no}").status_code == 303
    assert "甲公司" in client.get("/my/organisation").text


def test_an_owner_answers_with_a_role_or_a_reason(client, app, firm, owner):
    for _time in range(2):
        other, _ = browser(app)
        send(other, "/my/organisation/join", f"/my/organisation/new?uscc={CODE}", uscc=CODE)
    first, second = db.session.scalars(select(Joining.no).order_by(Joining.id)).all()
    assert first in owner.get("/my/organisation").text
    at = f"/my/joinings/{first}"
    assert send(owner, f"{at}/accept", at, role="province").status_code == 422
    assert send(owner, f"{at}/accept", at, role="viewer").status_code == 303
    at = f"/my/joinings/{second}"
    assert send(owner, f"{at}/refuse", at).status_code == 422
    assert send(owner, f"{at}/refuse", at, reason="不认识").status_code == 303
    assert "不认识" in owner.get(at).text
    assert owner.post(f"{at}/drop").status_code == 404


def test_a_stale_edit_shows_both(owner, firm):
    address = "/my/organisation/edit"
    form = owner.get(address)
    token, version = token_of(form), typed_again(form, "version")
    sent = {"csrf_token": token, "version": version, "telephone": "028-11111111", "intro": "甲\n乙"}
    assert owner.post(address, data=sent).status_code == 303
    late = owner.post(
        address, data=sent | {"telephone": "028-22222222", "website": "www.example.cn"}
    )
    assert late.status_code == 409
    assert "028-11111111" in late.text
    assert typed_again(late, "telephone") == "028-22222222"
    again = sent | {"version": typed_again(late, "version"), "telephone": "028-22222222"}
    assert owner.post(address, data=again | {"website": "www.example.cn"}).status_code == 303
    assert (row(firm).telephone, row(firm).website) == ("028-22222222", "https://www.example.cn")
    bad = send(owner, address, version="3", website="javascript:alert(1)", telephone="028-22222222")
    assert bad.status_code == 422
    assert typed_again(bad, "website") == "javascript:alert(1)"


# Verification


def test_handing_in_keeps_what_was_good(owner, firm, app):
    address = "/my/organisation/verification"
    bad = owner.post(
        address,
        data={
            "csrf_token": token_of(owner.get(address)),
            "legal_representative": "李四光",
            "holder_1": "王五",
            "share_1": "101",
            "licence": (BytesIO(PDF), "文件夹/执照<1>.pdf"),
        },
    )
    assert bad.status_code == 422
    assert typed_again(bad, "legal_representative") == "李四光"
    assert "已上传：执照1.pdf" in bad.text, "the licence is not asked for again"
    done = owner.post(
        address,
        data={"csrf_token": token_of(bad), **DECLARED, "holder_1": "王五", "share_1": "100"},
    )
    assert done.status_code == 303
    case = owner.get(done.headers["Location"])
    assert "李**" in case.text
    assert "李四光" not in case.text
    assert "没有法规规定期限" in case.text
    assert "正在等候核验" in owner.get(address).text


def test_a_licence_that_is_no_licence(owner):
    address = "/my/organisation/verification"
    data = {"csrf_token": token_of(owner.get(address)), **DECLARED}
    bad = owner.post(address, data=data | {"licence": (BytesIO(b"<script>"), "执照.pdf")})
    assert bad.status_code == 422
    assert "按内容判断" in bad.text
    assert db.session.scalars(select(StoredFile)).all() == []
    lacking = owner.post(address, data=data)
    assert "请上传营业执照" in lacking.text


def test_the_office_returns_and_verifies(owner, clerk, firm):
    case = f"/verifications/{handed_in(firm)}"
    page = clerk.get(case)
    assert "核验通过" in page.text
    fixed = owner.get("/my/organisation/edit").text
    assert f"单位核验（{case.rpartition('/')[2]}）正在办理" in fixed
    assert 'name="name"' not in fixed
    lacking = send(clerk, f"{case}/return", case, field="licence", reason="看不清")
    assert lacking.status_code == 422
    assert "请写依据" in lacking.text
    assert "看不清" in lacking.text
    back = send(clerk, f"{case}/return", case, field="licence", rule="须清晰", reason="看不清")
    assert back.status_code == 303
    seen = owner.get(case)
    assert "要改的是「营业执照」" in seen.text
    assert "修改并重新提交" in seen.text
    assert 'name="name"' in owner.get("/my/organisation/edit").text
    again = send(owner, "/my/organisation/verification", registered_address="东坡区某街 2 号")
    assert again.headers["Location"] == case
    assert send(clerk, f"{case}/verify", case).status_code == 303
    assert row(firm).verified_at is not None
    assert send(clerk, f"{case}/verify", case).status_code == 409
    no = row(firm).no
    assert owner.get(f"{API}/organisations/{no}").json["verified"] is True


def test_seeing_all_needs_a_reason_and_is_recorded(clerk, firm):
    case = f"/verifications/{handed_in(firm)}"
    assert send(clerk, f"{case}/unmask", case).status_code == 422
    full = send(clerk, f"{case}/unmask", case, unmask_reason="核对法人")
    assert "李四光" in full.text
    assert full.headers["Cache-Control"] == "no-store"
    assert "李四光" not in clerk.get(case).text
    query = select(AuditEntry.after).where(AuditEntry.action == "organisation.unmasked")
    assert db.session.scalars(query).all() == [{"reason": "核对法人"}]


def test_others_find_neither_case_nor_licence(app, client, firm):
    no = handed_in(firm)
    file = db.session.scalars(select(StoredFile.no)).one()
    roles = [("owner", people.organisation("乙")), ("county", None, "511403"), ("editor", firm)]
    for number, role in enumerate(roles):
        other, _ = browser(app, role)
        member = number == 2
        assert other.get(f"/verifications/{no}").status_code == (200 if member else 404)
        assert other.get(f"/files/{file}").status_code == (200 if member else 404)
        assert other.post(f"/verifications/{no}/verify").status_code == 404
        assert other.get(f"/verifications/{no}/unmask").status_code in {404, 405}
    assert client.get(f"/files/{file}").status_code == 404
    assert "/login" in client.get(f"/verifications/{no}").headers["Location"]


# Staff


def test_an_invitation_from_page_to_membership(app, owner, firm):
    address = "/my/organisation/members"
    bad = send(owner, address, contact="12345", role="editor")
    assert bad.status_code == 422
    assert typed_again(bad, "contact") == "12345"
    assert send(owner, address, contact="13900001111", role="county").status_code == 422
    assert send(owner, address, contact="139 0000 1111", role="certifier").status_code == 303
    assert "139****1111" in owner.get(address).text
    word = staff.invite(people.actor(("owner", firm)), row(firm).no, "b@example.com", "viewer")
    visitor = app.test_client()
    for prefix in ("", "/en"):
        page = visitor.get(f"{prefix}/invitations/{word}")
        assert page.status_code == 200
        assert f"next={prefix}/invitations/{word}".replace("/", "%2F") in page.text
    assert visitor.get("/invitations/nothing").status_code == 404
    assert "/login" in visitor.post(f"/invitations/{word}").headers["Location"]
    new, _ = browser(app)
    done = send(new, f"/invitations/{word}")
    assert done.headers["Location"] == f"/my/organisation?no={row(firm).no}"
    assert "只读成员" in new.get("/my/organisation").text
    used, _ = browser(app)
    page = used.get(f"/invitations/{word}")
    assert "只能用一次" in page.text
    token = token_of(used.get("/my/organisation/new"))
    assert used.post(f"/invitations/{word}", data={"csrf_token": token}).status_code == 409


def test_an_invitation_is_withdrawn(owner, firm):
    address = "/my/organisation/members"
    send(owner, address, contact="13900001111", role="editor")
    key = db.session.scalars(select(Invitation.id)).one()
    assert send(owner, f"/my/organisation/invitations/{key}/withdraw", address).status_code == 303
    assert "139****1111" not in owner.get(address).text
    assert send(owner, f"/my/organisation/invitations/{key}/withdraw", address).status_code == 404


def test_roles_and_leaving(app, owner, firm):
    one = people.person(("editor", firm), name="小张")
    at = f"/my/organisation/members/{one.id}"
    assert send(owner, f"{at}/roles", at).status_code == 422
    assert send(owner, f"{at}/roles", at, roles=["certifier", "viewer"]).status_code == 303
    assert "签发人、只读成员" in owner.get("/my/organisation/members").text
    assert send(owner, f"{at}/end", at).status_code == 303
    assert owner.get(at).status_code == 404
    mine = sessions.actor_of(people.person(("viewer", firm)))
    assert owner.get(f"/my/organisation/members/{mine.id}").status_code == 200
    viewer, who = browser(app, ("viewer", firm))
    assert viewer.get(f"/my/organisation/members/{mine.id}").status_code == 403
    assert (
        send(
            viewer, f"/my/organisation/members/{who.id}/end", f"/my/organisation/members/{who.id}"
        ).status_code
        == 303
    )


def test_the_last_owner_is_told(owner, firm):
    key = people.person(("viewer", firm)).id
    page = owner.get("/my/organisation/members")
    own = next(
        link.get("href")
        for link in check_html(page.text).iter("a")
        if "members/" in link.get("href", "") and f"members/{key}" not in link.get("href")
    )
    path = own.split("?")[0]
    answer = send(owner, f"{path}/end", own)
    assert answer.status_code == 409
    assert "最后一位单位管理员" in answer.text


# The office's desk


def test_the_desk_lists_and_finds(clerk, firm, tmp_path):
    people.organisation("外县公司", code="511403")
    load(
        "rosters",
        lines(tmp_path / "r.jsonl", {"kind": "高企", "uscc": CODE, "name": "甲公司", "year": 2026}),
    )
    no = handed_in(firm)
    page = clerk.get("/desk/organisations")
    assert "甲公司" in page.text
    assert "外县公司" not in page.text
    assert no in page.text
    assert "甲公司" in clerk.get("/desk/organisations?state=waiting").text
    assert "没有找到单位" in clerk.get("/desk/organisations?q=没有").text
    one = clerk.get(f"/desk/organisations/{row(firm).no}")
    assert "高新技术企业 2026" in one.text
    far, _ = browser(clerk.application, ("county", None, "511403"))
    assert far.get(f"/desk/organisations/{row(firm).no}").status_code == 404
    assert far.get(f"/desk/organisations/{row(firm).no}/merge").status_code == 404


@pytest.mark.parametrize("address", ["/desk/organisations", "/desk/rosters"])
def test_lists_read_little(clerk, tmp_path, address):
    for number in range(30):
        key = people.organisation(f"公司{number:02}", verified=number % 2 == 0)
        people.person(("owner", key))
    codes = [
        {"kind": "高企", "uscc": CODE, "name": "甲公司", "year": year} for year in range(1995, 2025)
    ]
    people.organisation("甲公司", uscc=CODE)
    assert load("rosters", lines(tmp_path / "r.jsonl", *codes)).imported == 30
    clerk.get(address)
    seen = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        page = clerk.get(address)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len(check_html(page.text).findall(".//tbody/tr")) == 25
    real = [one for one in seen if not one.startswith(("BEGIN", "PRAGMA"))]
    assert len(real) <= 12, real


def test_merging_shows_what_moves_first(clerk, firm):
    target = people.organisation("乙公司", uscc=OTHER)
    source_no, target_no = row(firm).no, row(target).no
    at = f"/desk/organisations/{source_no}/merge"
    assert "不能并入自己" in clerk.get(f"{at}?target={CODE}").text
    page = clerk.get(f"{at}?target={OTHER}")
    assert "合并不能撤销" in page.text
    assert row(firm).state == "active"
    done = clerk.post(at, data={"csrf_token": token_of(page), "target": target_no})
    assert done.headers["Location"] == f"/desk/organisations/{target_no}"
    assert CODE in clerk.get(done.headers["Location"]).text
    moved = clerk.get(f"/organisations/{source_no}")
    assert (moved.status_code, moved.headers["Location"]) == (301, f"/organisations/{target_no}")
    moved = clerk.get(f"/en/organisations/{source_no}")
    assert moved.headers["Location"] == f"/en/organisations/{target_no}"
    assert clerk.get(f"{API}/organisations/{source_no}").json["no"] == target_no


def test_acts_of_the_desk_keep_what_was_typed(clerk, firm):
    at = f"/desk/organisations/{row(firm).no}"
    bad = send(clerk, f"{at}/code", at, uscc="12", reason="换照")
    assert bad.status_code == 422
    assert typed_again(bad, "uscc") == "12"
    assert send(clerk, f"{at}/code", at, uscc=OTHER, reason="换照").status_code == 303
    unnamed = send(clerk, f"{at}/name", at, name="甲科技公司", reason="", seen=row(firm).name)
    assert unnamed.status_code == 422
    assert typed_again(unnamed, "name") == "甲科技公司"
    before = row(firm).name
    assert send(clerk, f"{at}/name", at, name="甲科技公司", reason="换照").status_code == 303
    assert f"曾用名</dt><dd>{before}" in clerk.get(at).text
    assert row(firm).no in clerk.get(f"/organisations?q={before}").text
    body = people.organisation("农科院", code="510000")
    assert send(clerk, f"{at}/supervisor", at, supervisor="没有").status_code == 422
    assert send(clerk, f"{at}/supervisor", at, supervisor=row(body).no).status_code == 303
    assert send(clerk, f"{at}/verify", at, reason="").status_code == 422
    assert send(clerk, f"{at}/verify", at, reason="见执照原件").status_code == 303
    assert (row(firm).uscc, row(firm).supervisor_id) == (OTHER, body)
    assert row(firm).verified_at is not None
    page = clerk.get(at)
    assert CODE in page.text
    assert "农科院" in page.text
    assert send(clerk, f"{at}/explode", at).status_code == 404


def test_rosters_are_listed_and_taken_away(clerk, tmp_path, firm):
    rows = [{"kind": "高企", "uscc": CODE, "name": "甲公司", "year": year} for year in (2024, 2025)]
    load("rosters", lines(tmp_path / "r.jsonl", *rows))
    page = clerk.get("/desk/rosters?year=2025&kind=high_tech&q=甲")
    assert len(check_html(page.text).findall(".//tbody/tr")) == 1
    assert "没有符合条件的单位" in clerk.get("/desk/rosters?q=没有").text
    table = clerk.get("/desk/rosters.csv?year=2025")
    assert table.text.count(CODE) == 1
    assert clerk.get("/desk/rosters.xlsx").data.startswith(b"PK")
    far, _ = browser(clerk.application, ("county", None, "511403"))
    assert CODE not in far.get("/desk/rosters.csv").text
    nobody, _ = browser(clerk.application)
    assert nobody.get("/desk/rosters").status_code == 403


# The API


def program(role, key, *scopes, region=None):
    """A client with a token."""
    now = clock.now()
    word = f"word-{role}-{key}-{region}-{len(scopes)}-0123456789"
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(
            ApiToken(
                organisation_id=key,
                role=role,
                label="程序",
                hint="word",
                token_hash=sessions.hashed(word),
                scopes=list(scopes),
                region_id=people.region(region).id if region else None,
                created_at=now,
                created_by="测试",
                expires_at=now + timedelta(days=1),
            )
        )
    return {"Authorization": f"Bearer {word}"}


OWN = ["accounts:organisation", "accounts:member", "accounts:verification", "accounts:roster"]


def test_a_program_reads_and_changes_its_organisation(client, firm, tmp_path):
    load(
        "rosters",
        lines(tmp_path / "r.jsonl", {"kind": "高企", "uscc": CODE, "name": "甲公司", "year": 2026}),
    )
    people.person(("owner", firm), name="老板")
    headers, me = program("owner", firm, *OWN), f"{API}/organisations/me"
    read = client.get(me, headers=headers)
    assert (read.json["uscc"], read.json["verified"]) == (CODE, False)
    assert client.patch(me, json={"hours": "8-17"}, headers=headers).status_code == 428
    match = headers | {"If-Match": read.headers["ETag"]}
    changed = client.patch(me, json={"hours": "8-17", "name": "甲公司新"}, headers=match)
    assert (changed.json["hours"], changed.json["name"]) == ("8-17", "甲公司新")
    assert client.patch(me, json={"hours": "9"}, headers=match).status_code == 412
    match["If-Match"] = changed.headers["ETag"]
    assert client.patch(me, json={"hours": None}, headers=match).json["hours"] is None
    assert client.patch(me, json={"uscc": OTHER}, headers=match).status_code == 422
    members = client.get(f"{me}/members", headers=headers).json
    assert [(one["name"], one["roles"]) for one in members["items"]] == [("老板", ["owner"])]
    assert "****" in members["items"][0]["contact"]
    rosters = client.get(f"{me}/rosters", headers=headers).json
    assert [one["list_name"] for one in rosters["items"]] == ["高新技术企业"]
    for address in (me, f"{me}/members", f"{API}/verifications"):
        assert client.get(address).status_code == 401


def test_a_program_stays_in_its_scopes(client, firm):
    headers = program("viewer", firm, "accounts:roster")
    assert client.get(f"{API}/organisations/me/rosters", headers=headers).status_code == 200
    assert client.get(f"{API}/organisations/me/members", headers=headers).status_code == 403
    reader = program("editor", firm, "accounts:verification")
    body = {"legal_representative": "李四"}
    address = f"{API}/organisations/me/verification"
    assert client.post(address, json=body, headers=reader).status_code == 403


def test_what_offices_and_owners_do_programs_do(client, firm):
    address = f"{API}/organisations/me/invitations"
    owner = program("owner", firm, *OWN) | {"Idempotency-Key": "k"}
    body = {"contact": "139 0000 1111", "role": "editor"}
    for _time in range(2):
        made = client.post(address, json=body, headers=owner)
        assert (made.status_code, made.json["contact"]) == (201, "139****1111")
    assert client.get(address, headers=owner).json["total"] == 1
    bad = client.post(
        address, json=body | {"role": "county"}, headers=program("owner", firm, *OWN[1:])
    )
    assert bad.json["errors"][0]["pointer"] == "/role"
    office = people.organisation("科技局", kind="office")
    clerk = program("county", office, "accounts:organisation", region="511402")
    at, body = f"{API}/organisations/{row(firm).no}", row(people.organisation("院")).no
    above = {"supervisor": body}
    assert client.post(f"{at}/supervisor", json=above, headers=clerk).status_code == 428
    read = client.get(at, headers=clerk)
    match = clerk | {"If-Match": read.headers["ETag"]}
    set_ = client.post(f"{at}/supervisor", json=above, headers=match)
    assert (set_.status_code, row(firm).supervisor_id is None) == (200, False)
    assert client.post(f"{at}/supervisor", json={}, headers=match).status_code == 412
    match = clerk | {"If-Match": set_.headers["ETag"]}
    assert client.post(f"{at}/supervisor", json={}, headers=match).status_code == 200
    assert row(firm).supervisor_id is None
    clerk |= {"If-Match": "*"}
    changed = client.post(f"{at}/code", json={"uscc": OTHER, "reason": "换照"}, headers=clerk)
    assert changed.json["uscc"] == OTHER
    merged = client.post(f"{at}/merge", json={"into": body}, headers=clerk)
    assert merged.json["no"] == body
    far = program("county", office, "accounts:organisation", region="511403") | {"If-Match": "*"}
    assert (
        client.post(
            f"{API}/organisations/{body}/merge", json={"into": body}, headers=far
        ).status_code
        == 404
    )


def test_verification_by_programs(client, firm):
    import base64

    owner = program("owner", firm, *OWN)
    office = people.organisation("科技局", kind="office")
    clerk = program("county", office, "accounts:verification", region="511402")
    address = f"{API}/organisations/me/verification"
    assert client.get(address, headers=owner).status_code == 404
    content = base64.b64encode(PDF).decode()
    holders = [{"name": "王五", "share": "60"}, {"name": "赵六", "share": 40.01}]
    body = {**DECLARED, "licence": {"name": "a.pdf", "content": content}, "shareholders": holders}
    bad = client.post(address, json=body, headers=owner)
    assert "100.01 %" in bad.json["errors"][0]["message"]
    holders[1]["share"] = 40
    once = owner | {"Idempotency-Key": "k1"}
    first = client.post(address, json=body, headers=once)
    assert first.status_code == 201, first.json
    assert client.post(address, json=body, headers=once).json == first.json
    case = first.headers["Location"]
    seen = client.get(case, headers=clerk)
    assert seen.json["actions"] == ["verify", "return", "reject"]
    decisions, match = f"{case}/decisions", {"If-Match": seen.headers["ETag"]}
    body = {"action": "return", "reason": "看不清"}
    assert client.post(decisions, json=body, headers=clerk).status_code == 428
    stale = clerk | {"If-Match": '"v1"'}
    assert client.post(decisions, json=body, headers=stale).status_code == 412
    returned = client.post(decisions, json=body, headers=clerk | match)
    assert {one["pointer"] for one in returned.json["errors"]} == {"/field", "/rule"}
    assert (
        client.post(f"{case}/decisions", json={"action": "verify"}, headers=owner).status_code
        == 403
    )
    done = client.post(decisions, json={"action": "verify"}, headers=clerk | match)
    assert done.json["state"] == "verified"
    assert client.get(f"{API}/verifications?state=verified", headers=clerk).json["total"] == 1
    assert db.session.scalars(select(Verification.state)).all() == ["verified"]
