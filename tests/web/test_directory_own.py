"""名录中的本单位 and 名录中的我: what one changes oneself, what one is told, what stays the office's."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from market.accounts.people import sessions
from market.accounts.people.models import ApiToken
from market.core import clock
from market.core.db import db
from market.core.messages import CONSUMER
from market.core.models import AuditEntry, OutboxRow
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.notifications.models import InboxMessage
from market.notifications.notifying import notify
from market.service_points import service, timekeeping
from market.service_points.models import Admission, Specialist
from market.service_points.specialists import service as specialists
from tests import messages, people
from tests.web.test_directory import form

POINT = "太和镇技术合同登记服务点（演示）"


def point():
    return db.session.scalars(select(Admission).where(Admission.name == POINT)).one()


@pytest.fixture
def owner(visitor):
    return people.sign_in(visitor, people.person(("owner", point().organisation_id)))


def asked(kind):
    rows = select(OutboxRow).where(OutboxRow.consumer == CONSUMER, OutboxRow.kind == kind)
    return list(db.session.scalars(rows.order_by(OutboxRow.id)))


def test_an_organisation_keeps_its_plain_facts(owner):
    row = point()
    no, areas = row.no, [one.region_id for one in row.areas]
    assert POINT in owner.get("/my/service-points").text
    page = owner.get(f"/my/service-points/{no}").text
    assert "这些不能自己改。不对的，请告诉" in page
    sent = form(owner, f"/my/service-points/{no}/edit", "/edit")
    bad = owner.post(
        f"/my/service-points/{no}/edit", data=sent | {"latitude": "30.1", "hours": "周末"}
    )
    assert bad.status_code == 422
    assert "经度和纬度要么都填" in bad.text
    assert 'value="周末"' in bad.text
    told = {"hours": "周末也开", "kind": "registration_body", "areas": "511803", "valid_to": ""}
    assert owner.post(f"/my/service-points/{no}/edit", data=sent | told).status_code == 303
    db.session.expire_all()
    row = point()
    assert (row.hours, row.kind) == ("周末也开", "service_point")
    assert (row.valid_to, [one.region_id for one in row.areas]) == (date(2027, 12, 31), areas)
    assert "周末也开" in owner.get(f"/service-points/{no}").text
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "admission.described")
    ).one()
    assert entry.after == {"hours": "周末也开"}
    [note] = asked("admission.described")
    assert messages.values_of(note)["fields"] == "办公时间"
    stale = owner.post(f"/my/service-points/{no}/edit", data=sent | {"hours": "我写的"})
    assert stale.status_code == 409
    assert "周末也开" in stale.text
    assert 'value="我写的"' in stale.text


def test_staff_is_shown_whole_only_when_it_agrees(owner):
    no = point().no
    here = f"/my/service-points/{no}"
    token = {"csrf_token": form(owner, here, "/staff")["csrf_token"]}
    refused = owner.post(f"{here}/staff", data=token | {"name": "王小明"})
    assert 'value="王小明"' in refused.text
    sent = token | {"name": "王小明", "duty": "收材料"}
    assert owner.post(f"{here}/staff", data=sent).status_code == 303
    key = next(one.id for one in point().staff if one.name == "王小明")
    public = f"/service-points/{no}"
    assert "王小明" not in owner.get(public).text
    assert owner.post(f"{here}/staff/{key}/show", data=token | {"listed": "1"}).status_code == 303
    assert "王小明" in owner.get(public).text
    owner.post(f"{here}/staff/{key}/show", data=token)
    assert "王小明" not in owner.get(public).text
    owner.post(f"{here}/staff/{key}/remove", data=token)
    assert "王**" not in owner.get(public).text


def test_strangers_and_readers_change_nothing(visitor):
    row = point()
    viewer = people.sign_in(visitor, people.person(("viewer", row.organisation_id)))
    assert "本单位自己改的" in viewer.get(f"/my/service-points/{row.no}").text
    assert viewer.get(f"/my/service-points/{row.no}/edit").status_code == 403
    stranger = people.sign_in(visitor, people.person(("owner", people.organisation("乙单位"))))
    for address in ("", "/edit"):
        assert stranger.get(f"/my/service-points/{row.no}{address}").status_code == 404
    assert "还不在服务机构名录里" in stranger.get("/my/service-points").text


def test_a_program_keeps_them_too(visitor, demo):
    row, word, now = point(), "test-token-own-entry-padding", clock.now()
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(
            ApiToken(
                organisation_id=row.organisation_id,
                role="editor",
                label="试验",
                hint="test",
                token_hash=sessions.hashed(word),
                scopes=["service_points:admission"],
                created_at=now,
                created_by="测试",
                expires_at=now + timedelta(days=9),
            )
        )
    token = {"Authorization": f"Bearer {word}"}
    own = visitor.get("/api/v1/service-points/own", headers=token).json
    assert row.no in {one["no"] for one in own["items"]}
    here = f"/api/v1/service-points/{row.no}"
    match = token | {"If-Match": visitor.get(here).headers["ETag"]}
    facts = f"{here}/facts"
    assert visitor.patch(facts, json={"hours": "周末"}, headers=token).status_code == 428
    assert visitor.patch(facts, json={"kind": "station"}, headers=match).status_code == 422
    done = visitor.patch(facts, json={"hours": "周末", "note": None}, headers=match)
    assert (done.json["hours"], done.json["note"]) == ("周末", None)
    assert visitor.patch(facts, json={"hours": "x"}, headers=match).status_code == 412
    assert visitor.patch(here, json={"hours": "x"}, headers=match).status_code in (403, 404)


def test_an_organisation_is_told_what_happens_to_it(demo):
    row, clerk = point(), people.actor(("county", None, "511402"))
    member = people.person(("owner", row.organisation_id), name="收信人")
    no, version = row.no, row.lock_version
    service.do(clerk, no, "suspend", "人员培训")
    service.do(clerk, no, "resume", None)
    service.renew(clerk, no, version + 2, clock.today() + timedelta(days=900), "批复9号")
    [suspended] = asked("admission.suspended")[-1:]
    said = messages.values_of(suspended)
    assert said["reason"] == "人员培训。"
    assert "电话" in said["office"]
    assert asked("admission.resumed")
    assert messages.values_of(asked("admission.renewed")[-1])["source"] == "批复9号"
    day = clock.today() + timedelta(days=30)
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.get_one(Admission, row.id).valid_to = day
    while timekeeping.remind():
        pass
    before = asked("admission.expiring")
    assert [messages.values_of(one)["day"] for one in before if one.object_id == row.id] == [
        f"{day}"
    ]
    assert timekeeping.remind() is False
    assert len(asked("admission.expiring")) == len(before)
    service.do(clerk, no, "end", "撤点")
    assert asked("admission.ended")[-1].payload["organisation_id"] == row.organisation_id
    while notify():
        pass
    inbox = select(InboxMessage).where(InboxMessage.person_id == member.id)
    texts = " ".join(one.text for one in db.session.scalars(inbox.order_by(InboxMessage.id)))
    for words in (
        "被暂停办理：人员培训。暂停期间",
        "已恢复办理",
        f"有效期到 {day}",
        "已终止：撤点。",
    ):
        assert texts.count(words) == 1


def test_somebody_keeps_his_own_entry(visitor, demo):
    row = db.session.scalars(select(Specialist).where(Specialist.name.startswith("罗牵线"))).one()
    no, himself = row.no, people.person(("viewer", row.organisation_id))
    specialists.link(people.actor(("county", None, "511402")), no, himself.id)
    client = people.sign_in(visitor, himself)
    assert row.name in client.get("/my/specialists").text
    sent = form(client, f"/my/specialists/{no}/edit", "/edit")
    sent |= {"industries": "泡菜", "intro": "跑了十年乡镇", "name": "别人"}
    assert client.post(f"/my/specialists/{no}/edit", data=sent).status_code == 303
    stale = client.post(f"/my/specialists/{no}/edit", data=sent | {"intro": "后来写的"})
    assert stale.status_code == 409
    assert "跑了十年乡镇" in stale.text
    assert "后来写的" in stale.text
    public = client.get(f"/specialists/{no}").text
    assert "跑了十年乡镇" in public
    assert "别人" not in public
    token = {"csrf_token": sent["csrf_token"]}
    assert client.post(f"/my/specialists/{no}/withdraw", data=token).status_code == 303
    anybody = visitor.application.test_client()
    assert anybody.get(f"/specialists/{no}").status_code == 404
    assert row.name not in anybody.get("/specialists").text
    assert client.post(f"/my/specialists/{no}/agree", data=token).status_code == 303
    assert anybody.get(f"/specialists/{no}").status_code == 200
    other = people.sign_in(visitor, people.person())
    assert other.get(f"/my/specialists/{no}/edit").status_code == 404


def test_a_listing_leads_to_who_registers(visitor):
    page = visitor.get("/demands/XQ2026000001").text
    assert "合同登记找谁" in page
    assert "/service-points?region=" in page
    table = visitor.get("/service-points.xlsx?region=511402")
    assert table.data.startswith(b"PK")
    assert visitor.get("/specialists.xlsx").data.startswith(b"PK")
