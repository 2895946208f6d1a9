"""What programs of owners and offices do beside pages: staff, templates, reports, local settings."""

from __future__ import annotations

import base64
import threading

import pytest
from sqlalchemy import select

from market.accounts.members import service as joining
from market.accounts.models import Organisation
from market.catalogue.models import Listing
from market.core.db import db
from market.core.models import AuditEntry, WorkItem
from tests import cases, people
from tests.web.test_api import API
from tests.web.test_desk import token_for

CODE = "91511402MA62J0001X"
STAFF = ["accounts:member", "accounts:joining", "accounts:organisation", "catalogue:publishing"]


@pytest.fixture
def firm(app):
    return people.organisation("甲公司", uscc=CODE)


@pytest.fixture
def owner(firm):
    return token_for(firm, "owner", STAFF)


def clerk_of(place, *scopes, role="county"):
    office = people.organisation("科技局", kind="office", code=place)
    return token_for(office, role, list(scopes), place)


def read(client, address, headers):
    """An object, and the headers that mean just this version of it."""
    answer = client.get(f"{API}{address}", headers=headers)
    assert answer.status_code == 200, answer.json
    return answer.json, headers | {"If-Match": answer.headers["ETag"]}


def audited(action):
    db.session.rollback()
    return db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)).all()


def test_roles_leaving_and_hand_over(client, firm, owner):
    boss = people.person(("owner", firm), name="老板")
    leaver = people.person(("editor", firm), name="小李")
    address = f"/organisations/me/members/{leaver.id}"
    one, match = read(client, address, owner)
    assert (one["id"], one["roles"]) == (leaver.id, ["editor"])
    url, body = f"{API}{address}/roles", {"roles": ["viewer", "certifier"]}
    changed = client.put(url, json=body, headers=match)
    assert sorted(changed.json["roles"]) == ["certifier", "viewer"]
    assert client.put(url, json=body, headers=match).status_code == 412
    match = owner | {"If-Match": changed.headers["ETag"]}
    assert client.put(url, json={"roles": ["county"]}, headers=match).status_code == 422
    cases.fill(
        1, path=people.region("511402").path, organisation_id=firm, owner_assignee_id=leaver.id
    )
    left = client.post(f"{API}{address}/end", json={}, headers=match)
    assert left.json["errors"][0]["pointer"] == "/colleague"
    body = {"colleague": boss.id}
    assert client.post(f"{API}{address}/end", json=body, headers=match).status_code == 204
    assert client.get(f"{API}{address}", headers=owner).status_code == 404
    db.session.rollback()
    assert db.session.scalars(select(WorkItem.owner_assignee_id)).all() == [boss.id]


def test_requests_to_join_and_invitations(client, firm, owner):
    people.person(("owner", firm), name="老板")
    for name, action, body, state in [
        ("王五", "accept", {"role": "editor"}, "accepted"),
        ("赵六", "refuse", {"reason": "不是本单位的人"}, "refused"),
    ]:
        no = joining.ask_to_join(people.actor(name=name), CODE, "车间")
        one, match = read(client, f"/joinings/{no}", owner)
        assert (one["person"], set(one["actions"])) == (name, {"accept", "refuse"})
        url, body = f"{API}/joinings/{no}/actions", {"action": action, **body}
        assert client.post(url, json=body, headers=match).json["state"] == state
        assert client.post(url, json=body, headers=match).status_code == 412
    found = client.get(f"{API}/joinings?state=accepted", headers=owner).json
    assert (found["total"], found["items"][0]["role"]) == (1, "editor")
    stranger = token_for(people.organisation("乙"), "owner", STAFF)
    assert client.get(f"{API}/joinings", headers=stranger).json["total"] == 0
    whatever = stranger | {"If-Match": "*"}
    assert client.post(url, json=body, headers=whatever).status_code == 404

    body = {"contact": "13900001111", "role": "viewer"}
    made = client.post(f"{API}/organisations/me/invitations", json=body, headers=owner).json
    address = f"/organisations/me/invitations/{made['id']}"
    _one, match = read(client, address, owner)
    assert client.delete(f"{API}{address}", headers=match).status_code == 204
    assert client.delete(f"{API}{address}", headers=match).status_code == 404


def test_signing_and_files_of_a_draft(client, firm):
    owner = token_for(firm, "owner", [*STAFF, "catalogue:submission"])
    people.person(("owner", firm))
    people.person(("certifier", firm))
    now, match = read(client, "/organisations/me/signing", owner)
    assert now == {"wanted": False}
    url = f"{API}/organisations/me/signing"
    assert client.put(url, json={"wanted": True}, headers=match).json == {"wanted": True}
    assert client.put(url, json={"wanted": False}, headers=match).status_code == 412
    no = db.session.get(Organisation, firm).no
    body = {"kind": "demand", "organisation": no, "region": "511402"}
    draft = client.post(f"{API}/submissions", json=body, headers=owner).headers["Location"]
    content = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()
    once = owner | {"Idempotency-Key": "f1"}
    body = {"name": "方案.pdf", "content": content}
    for _time in range(2):
        added = client.post(f"{draft}/files", json=body, headers=once)
        assert (added.status_code, added.json["total"]) == (201, 1), added.json
    bad = client.post(f"{draft}/files", json=body | {"content": "?"}, headers=owner)
    assert bad.json["errors"][0]["pointer"] == "/content"
    file_no = added.json["items"][0]["no"]
    _draft, match = read(client, draft.removeprefix(API), owner)
    words = client.patch(f"{draft}/files/{file_no}", json={"caption": "全文"}, headers=match)
    assert (words.status_code, words.json["items"][0]["caption"]) == (200, "全文")
    _draft, match = read(client, draft.removeprefix(API), owner)
    assert client.delete(f"{draft}/files/{file_no}", headers=match).status_code == 204
    assert client.delete(f"{draft}/files/{file_no}", headers=match).status_code == 412
    assert client.get(f"{draft}/files", headers=owner).json["total"] == 0
    _draft, match = read(client, draft.removeprefix(API), owner)
    given_up = f"{draft}/actions/discard"
    assert "discard" in [one["action"] for one in _draft["actions"]]
    assert client.post(given_up, json={}, headers=match).json["state"] == "discarded"
    assert client.post(given_up, json={}, headers=match).status_code == 412  # not 409: it moved


def test_reply_templates(client, firm):
    editor = token_for(firm, "editor", ["matching:reply_template"])
    body, once = {"title": "样品", "text": "可以寄样品。"}, {"Idempotency-Key": "t"}
    made = client.post(f"{API}/reply-templates", json=body, headers=editor | once)
    again = client.post(f"{API}/reply-templates", json=body, headers=editor | once)
    assert (made.status_code, made.json) == (201, again.json)
    address = made.headers["Location"].removeprefix(API)
    _one, match = read(client, address, editor)
    changed = client.put(f"{API}{address}", json=body | {"title": "寄样"}, headers=match)
    assert changed.json["title"] == "寄样"
    assert client.put(f"{API}{address}", json=body, headers=match).status_code == 412
    assert client.get(f"{API}/reply-templates", headers=editor).json["total"] == 1
    stranger = token_for(people.organisation("乙"), "editor", ["matching:reply_template"])
    assert client.get(f"{API}{address}", headers=stranger).status_code == 404
    match = editor | {"If-Match": changed.headers["ETag"]}
    assert client.delete(f"{API}{address}", headers=match).status_code == 204
    assert client.get(f"{API}/reply-templates", headers=editor).json["total"] == 0


def test_of_two_programs_that_mean_one_version_one_wins(app, client, firm):
    editor = token_for(firm, "editor", ["matching:reply_template"])
    body = {"title": "样品", "text": "可以寄样品。"}
    made = client.post(f"{API}/reply-templates", json=body, headers=editor)
    url = made.headers["Location"]
    _one, match = read(client, url.removeprefix(API), editor)
    start, codes = threading.Barrier(4), []

    def run(number):
        start.wait()
        said = body | {"text": f"第 {number} 种说法"}
        codes.append(app.test_client().put(url, json=said, headers=match).status_code)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 412, 412, 412]


def test_an_office_verifies_on_sight_and_reads_what_is_masked(client):
    key = people.organisation("丙合作社", uscc=CODE, verified=False)
    no = db.session.get(Organisation, key).no
    scopes = ("accounts:organisation", "accounts:verification", "accounts:profile")
    clerk = clerk_of("511402", *scopes)
    _one, match = read(client, f"/organisations/{no}", clerk)
    url, body = f"{API}/organisations/{no}/verify", {"reason": "见执照原件"}
    far = clerk_of("511403", *scopes) | {"If-Match": "*"}
    assert client.post(url, json=body, headers=far).status_code == 404
    done = client.post(url, json=body, headers=match)
    assert (done.status_code, done.json["state"]) == (201, "verified")
    assert client.post(url, json=body, headers=match).status_code == 412
    unmask = f"{API}/verifications/{done.json['no']}/unmask"
    assert client.post(unmask, json={"reason": ""}, headers=clerk).status_code == 422
    shown = client.post(unmask, json={"reason": "核对账号"}, headers=clerk)
    assert (shown.status_code, shown.json["account"]) == (200, None)
    [row] = audited("organisation.unmasked")
    assert row.after["reason"] == "核对账号"


def test_reports(demo):
    client = demo.test_client()
    body = {
        "listing": "CG2026000001",
        "reason": "other",
        "text": "电话不通",
        "contact": "13800001234",
    }
    made = client.post(f"{API}/reports", json=body)
    assert made.status_code == 201, made.json
    no = made.json["no"]
    assert client.get(made.headers["Location"]).json["state"] == made.json["state"]
    assert client.post(f"{API}/reports", json=body | {"listing": "CG1"}).status_code == 404
    listing = db.session.scalars(select(Listing).where(Listing.no == "CG2026000001")).one()
    clerk = clerk_of(listing.region.code, "catalogue:report")
    one, match = read(client, f"/reports/{no}", clerk)
    assert (one["masked"], set(one["actions"])) == (True, {"handle", "dismiss"})
    assert "13800001234" not in str(one)
    seen = client.post(f"{API}/reports/{no}/contact", json={"reason": "回电"}, headers=clerk)
    assert seen.json == {"contact": "13800001234"}
    assert len(audited("report.contact_read")) >= 1
    act = f"{API}/reports/{no}/actions"
    assert client.post(act, json={"action": "dismiss"}, headers=match).status_code == 422
    done = client.post(act, json={"action": "handle"}, headers=match)
    assert done.json["actions"] == ["reopen"]
    assert client.post(act, json={"action": "handle"}, headers=match).status_code == 412
    far = clerk_of("130102", "catalogue:report")
    assert client.get(f"{API}/reports/{no}", headers=far).status_code == 404


def test_local_settings(demo):
    client, clerk = demo.test_client(), clerk_of("511402", "catalogue:local")
    address = "/regions/511402/settings/industries"
    _now, match = read(client, address, clerk)
    items = [{"position": 2, "name": "泡菜", "keywords": "泡菜；酱腌菜"}]
    url = f"{API}{address}"
    saved = client.put(url, json={"items": items}, headers=match)
    assert [(one["position"], one["name"]) for one in saved.json["items"]] == [(2, "泡菜")]
    assert client.put(url, json={"items": items}, headers=match).status_code == 412
    match = clerk | {"If-Match": saved.headers["ETag"]}
    for wrong in ([items[0], items[0]], [{"position": 99, "name": "x"}], [{"position": 1}]):
        assert client.put(url, json={"items": wrong}, headers=match).status_code == 422
    pins = "/regions/511402/settings/pins"
    _now, match = read(client, pins, clerk)
    wrong = {"items": [{"position": 1, "no": "CG2026999999"}]}
    bad = client.put(f"{API}{pins}", json=wrong, headers=match)
    assert bad.json["errors"][0]["pointer"] == "/items/0/no"
    good = {"items": [{"position": 1, "no": "CG2026000001", "note": "正用得上"}]}
    assert client.put(f"{API}{pins}", json=good, headers=match).json["total"] == 1
    far = clerk_of("511403", "catalogue:local")
    assert client.get(f"{API}{pins}", headers=far).status_code == 404


def test_synonyms(demo):
    client = demo.test_client()
    province = clerk_of("510000", "catalogue:synonym", role="province")
    body = {"label": "薯片", "aliases": "土豆片；马铃薯片"}
    made = client.post(f"{API}/synonyms", json=body, headers=province)
    assert made.status_code == 201, made.json
    address = made.headers["Location"].removeprefix(API)
    _one, match = read(client, address, province)
    body["aliases"] = "土豆片"
    changed = client.put(f"{API}{address}", json=body, headers=match)
    assert changed.json["aliases"] == "土豆片"
    assert client.delete(f"{API}{address}", headers=match).status_code == 412
    match = province | {"If-Match": changed.headers["ETag"]}
    assert client.delete(f"{API}{address}", headers=match).status_code == 204
    assert client.get(f"{API}{address}", headers=province).status_code == 404
    county = clerk_of("511402", "catalogue:synonym")
    shipped = client.get(f"{API}/synonyms", headers=county).json["items"][0]
    _one, match = read(client, f"/synonyms/{shipped['code']}", county)
    assert shipped["region_code"] is None
    assert client.delete(f"{API}/synonyms/{shipped['code']}", headers=match).status_code == 403
    own = client.post(f"{API}/synonyms", json=body, headers=county)
    assert (own.status_code, own.json["region_code"]) == (201, "511402")


def test_an_inquiry_is_given_to_a_colleague(demo):
    client = demo.test_client()
    listing = db.session.scalars(select(Listing).where(Listing.no == "CG2026000001")).one()
    owner = token_for(listing.owner_id, "owner", ["matching:inquiry"])
    colleague = people.person(("editor", listing.owner_id), name="小陈")
    asker = token_for(people.organisation("需求方"), "editor", ["matching:inquiry"])
    body = {"listing": "CG2026000001", "text": "能不能先试用？"}
    no = client.post(f"{API}/inquiries", json=body, headers=asker).json["no"]
    _one, match = read(client, f"/inquiries/{no}", owner)
    url, body = f"{API}/inquiries/{no}/actions", {"action": "assign", "person": colleague.id}
    given = client.post(url, json=body, headers=match)
    assert given.json["assignee_id"] == colleague.id
    seen, match = read(client, f"/inquiries/{no}", asker)
    assert seen["assignee_id"] is None
    assert client.post(url, json=body, headers=match).status_code in {403, 422}
    body["person"] = 999_999
    match = owner | {"If-Match": "*"}
    assert client.post(url, json=body, headers=match).json["errors"][0]["pointer"] == "/person"
