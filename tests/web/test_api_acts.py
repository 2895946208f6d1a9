"""Programs do what offices and owners do on pages: announcements, the directory, files, contacts."""

from __future__ import annotations

import base64

import pytest
from sqlalchemy import select

from market.core.db import db
from market.core.models import AuditEntry
from market.matching.calls.models import Call
from market.notices.models import Objection
from market.service_points.models import Admission, Specialist
from tests import people
from tests.web.test_api import API
from tests.web.test_desk import token_for

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
FILE = {"name": "../方案.pdf", "content": base64.b64encode(PDF).decode()}


@pytest.fixture
def client(demo):
    return demo.test_client()


def office_of(place, *scopes):
    office = people.organisation(f"科技局{place}", kind="office", code=place)
    return token_for(office, "county", list(scopes), place)


def seen(client, address, head):
    """The headers that mean just this version of an object."""
    answer = client.get(f"{API}{address}", headers=head)
    assert answer.status_code == 200, answer.text
    return head | {"If-Match": answer.headers["ETag"]}


def twice(client, address, body, head):
    """Make something with one key twice; the one answer."""
    key = head | {"Idempotency-Key": "eins"}
    made, again = (client.post(f"{API}{address}", json=body, headers=key) for _ in range(2))
    assert (made.status_code, again.status_code) == (201, 201), made.text
    assert made.json == again.json
    return made.json


def audited(action):
    db.session.rollback()
    rows = db.session.scalars(select(AuditEntry).where(AuditEntry.action == action))
    return [one.after for one in rows.all()]


def test_an_office_announces(client):
    head = office_of("511402", "notices:announcement")
    made = twice(client, "/desk/announcements", {"title": "对接会", "text": "周五下午"}, head)
    here = f"/desk/announcements/{made['no']}"
    assert (made["state"], made["actions"]) == ("draft", ["publish"])
    old = seen(client, here, head)
    [one] = twice(client, f"{here}/files", FILE, head)["items"]
    assert one["name"] == "方案.pdf"
    assert client.get(one["url"]).status_code == 404  # a draft's
    assert client.get(one["url"], headers=head).data == PDF
    text = {"title": "对接会", "text": "周六上午"}
    assert client.put(f"{API}{here}", json=text, headers=head).status_code == 428
    assert client.put(f"{API}{here}", json=text, headers=old).status_code == 412
    changed = client.put(f"{API}{here}", json=text, headers=seen(client, here, head))
    assert changed.json["text"] == "周六上午"
    # As it comes with an answer that was compressed on its way.
    packed = changed.headers["ETag"].removesuffix('"') + ':gzip"'
    act, now = f"{API}{here}/actions", head | {"If-Match": packed}
    assert client.post(act, json={"action": "publish"}, headers=now).json["state"] == "published"
    assert client.post(act, json={"action": "publish"}, headers=now).status_code == 412
    assert client.get(one["url"]).data == PDF
    late = client.put(f"{API}{here}", json=text, headers=seen(client, here, head))
    assert late.status_code == 409
    bare = client.post(act, json={"action": "withdraw"}, headers=seen(client, here, head))
    assert (bare.status_code, bare.json["errors"][0]["pointer"]) == (422, "/reason")
    why = {"action": "withdraw", "reason": "改期"}
    done = client.post(act, json=why, headers=seen(client, here, head))
    assert done.json["state"] == "withdrawn"
    other = office_of("511403", "notices:announcement")
    assert client.get(f"{API}{here}", headers=other).status_code == 404
    star = other | {"If-Match": "*"}
    assert client.put(f"{API}{here}", json=text, headers=star).status_code == 404


def test_staff_and_specialists_of_the_directory(client):
    scopes = ("service_points:admission", "service_points:specialist")
    head, other = office_of("511402", *scopes), office_of("511403", *scopes)
    point = db.session.scalars(
        select(Admission).where(
            Admission.name == "太和镇技术合同登记服务点（演示）", Admission.state == "active"
        )
    ).one()
    here = f"/service-points/{point.no}/staff"
    old = seen(client, here, head)
    body = {"name": "赵一二", "duty": "受理", "ab_role": "a"}
    [entry] = [one for one in twice(client, here, body, head)["items"] if one["duty"] == "受理"]
    assert entry["name"] == "赵**"
    one = f"{API}{here}/{entry['id']}"
    assert client.patch(one, json={"listed": True}, headers=old).status_code == 412
    shown = client.patch(one, json={"listed": True}, headers=seen(client, here, head))
    assert "赵一二" in [person["name"] for person in shown.json["items"]]
    assert client.delete(one, headers=other | {"If-Match": "*"}).status_code == 404
    assert client.delete(one, headers=seen(client, here, head)).status_code == 204
    assert client.delete(one, headers=head | {"If-Match": "*"}).status_code == 404
    empty = client.post(f"{API}{here}", json={"duty": "受理"}, headers=head)
    assert empty.json["errors"][0]["pointer"] == "/name"

    new = {"kind": "broker", "name": "王引线", "region": "511402", "contact": "13800001111"}
    no = client.post(f"{API}/specialists", json=new, headers=head).json["no"]
    here = f"/specialists/{no}"
    old, agreed = seen(client, here, head), {"consented_on": "2026-01-05", "consent_how": "签字表"}
    assert client.get(f"{API}{here}").status_code == 404
    assert client.post(f"{API}{here}/consent", json=agreed, headers=old).json["public"] is True
    assert client.get(f"{API}{here}").status_code == 200
    assert client.post(f"{API}{here}/consent", json=agreed, headers=old).status_code == 412
    stranger = {"person": people.person(name="旁人").id}
    refused = client.put(f"{API}{here}/account", json=stranger, headers=seen(client, here, head))
    assert refused.json["errors"][0]["pointer"] == "/person"
    look = f"{API}{here}/contact"
    assert client.post(look, json={}, headers=head).status_code == 422
    assert client.post(look, json={"reason": "核实"}, headers=other).status_code == 404
    found = client.post(look, json={"reason": "核实"}, headers=head)
    assert found.json == {"contact": "13800001111"}
    assert audited("specialist.contact_read") == [{"reason": "核实"}]
    gone, why = f"{API}{here}/remove", {"reason": "重复录入"}
    assert client.post(gone, json=why, headers=old).status_code == 412
    assert client.post(gone, json=why, headers=seen(client, here, head)).status_code == 204
    left = db.session.scalars(select(Specialist).where(Specialist.no == no)).one()
    assert (left.contact, left.removed_at is None) == (None, False)


def test_files_of_notices_and_who_objected(client):
    institute = people.organisation("试验院", kind="institute")
    scopes = ["notices:notice", "notices:objection"]
    head = token_for(institute, "owner", scopes)
    other = token_for(people.organisation("旁人公司"), "owner", scopes)
    body = {
        "kind": "price",
        "title": "价格公示",
        "content": [{"label": "成果名称", "text": "菌剂"}],
        "days": 15,
        "unit": "natural",
        "rule": "civil_code",
        "contact_name": "李老师",
        "contact_telephone": "028-38160000",
        "contact_address": "某路 1 号",
    }
    here = f"/my/notices/{client.post(f'{API}/my/notices', json=body, headers=head).json['no']}"
    old = seen(client, f"{here}/files", head)
    [one] = twice(client, f"{here}/files", FILE, head)["items"]
    wrong = client.post(f"{API}{here}/files", json=FILE | {"content": "TQ=="}, headers=head)
    assert wrong.status_code == 422
    assert client.get(one["url"], headers=head).data == PDF
    assert client.get(one["url"], headers=other).status_code == 404
    assert client.post(f"{API}{here}/files", json=FILE, headers=other).status_code == 404
    away = f"{API}{here}/files/{one['no']}"
    assert client.delete(away, headers=old).status_code == 412
    assert client.delete(away, headers=other | {"If-Match": "*"}).status_code == 404
    assert client.delete(away, headers=seen(client, f"{here}/files", head)).status_code == 204
    assert client.get(one["url"], headers=head).status_code == 404

    said = db.session.scalars(
        select(Objection)
        .where(Objection.contact.is_not(None), Objection.anonymous.is_(False))
        .order_by(Objection.id)
    ).first()
    owner = token_for(said.owner_id, "owner", scopes)
    look = f"{API}/my/objections/{said.no}/contact"
    assert client.post(look, json={}, headers=owner).status_code == 422
    assert client.post(look, json={"reason": "核实"}, headers=head).status_code == 404
    found = client.post(look, json={"reason": "核实"}, headers=owner)
    assert found.json["name"]
    assert {"reason": "核实"} in audited("objection.contact_read")


def test_files_of_calls_and_answers(client):
    scopes = ["matching:call", "matching:call_answer"]
    draft, running = (
        db.session.scalars(select(Call).where(Call.state == state).order_by(Call.id)).first()
        for state in ("draft", "open")
    )
    other = token_for(people.organisation("乙研究所", kind="institute"), "owner", scopes)
    owner, here = token_for(draft.owner_id, "owner", scopes), f"/calls/{draft.no}/files"
    old = seen(client, here, owner)
    one = twice(client, here, FILE, owner)["items"][-1]
    assert client.get(one["url"], headers=owner).data == PDF
    assert client.get(one["url"], headers=other).status_code == 404
    assert client.get(f"{API}{here}", headers=other).status_code == 404
    away = f"{API}{here}/{one['no']}"
    assert client.delete(away, headers=old).status_code == 412
    assert client.delete(away, headers=seen(client, here, owner)).status_code == 204
    asking = token_for(running.owner_id, "owner", scopes)
    late = client.post(f"{API}/calls/{running.no}/files", json=FILE, headers=asking)
    assert late.status_code == 403

    words = {"approach": "先取样", "months": 6, "team": "三人"}
    sent = client.post(
        f"{API}/call-answers", json=words | {"call": running.no, "draft": True}, headers=other
    )
    assert sent.status_code == 201, sent.text
    no, nothing = sent.json["no"], f"{API}/call-answers/{sent.json['no']}"
    assert (sent.json["state"], sent.json["version"]) == ("draft", 0)
    assert client.get(nothing, headers=asking).status_code == 404
    here = f"/call-answers/{no}/files"
    one = twice(client, here, FILE, other)["items"][0]
    assert client.get(f"{API}{here}", headers=asking).status_code == 404
    assert client.get(one["url"], headers=asking).status_code == 404
    again = seen(client, f"/call-answers/{no}", other)
    sent = client.put(f"{API}/call-answers/{no}", json=words, headers=again)
    assert (sent.status_code, sent.json["version"]) == (200, 1), sent.text
    assert client.post(f"{API}{here}", json=FILE, headers=asking).status_code == 403
    assert client.get(f"{API}{here}", headers=asking).json["items"] == [one]
    assert client.get(one["url"], headers=asking).data == PDF
    assert client.delete(f"{API}{here}/{one['no']}", headers=again).status_code == 412
    now = seen(client, here, other)
    assert client.delete(f"{API}{here}/{one['no']}", headers=now).status_code == 204
    assert client.get(f"{API}{here}", headers=owner).status_code == 404
