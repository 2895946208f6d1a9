"""Bad input about admissions, as an officer types it: a clear sentence, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from market.core import clock
from market.core.db import db
from market.core.errors import Invalid
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.service_points import service
from market.service_points.finding import Finder, words_of
from market.service_points.models import Admission
from tests import people
from tests.web.test_directory import FIRM, PARENT, form

STATION = "四川省技术合同认定登记总站（演示）"
NEW = "/desk/service-points/new"


def titled(name):
    return db.session.scalars(select(Admission).where(Admission.name == name)).one()


def held(row, **more):
    words = {key: value for key, value in words_of(row).items() if value}
    return Finder().resolve(words | more)


@pytest.fixture
def officer(visitor):
    return people.sign_in(visitor, people.person(("province", None, "510000")))


def test_each_bad_input_is_told_and_kept(officer):
    station = titled(STATION)
    limit = {"amount": 500_000_000, "amount_base": "total_value"}
    service.edit(SYSTEM, station.no, station.lock_version, held(station, **limit))
    gone = titled("通惠街道技术合同登记服务点（演示）")
    assert gone.state == "ended"
    ended = _ended_body()
    body = {"kind": "registration_body", "region": "东坡区", "parent": STATION}
    point = {"kind": "service_point", "region": "511402001", "parent": PARENT}
    cases = [
        (body, {"areas": "371600"}, "不在上级「" + STATION),
        (body, {"amount": "600万", "amount_base": "total_value"}, "超过了上级「" + STATION),
        (body, {"valid_to": "2025-01-01"}, "早于有效期起（2026-01-01）"),
        (body, {"parent": ended}, f"（{ended}）已终止，不能作上级"),
        (point, {"powers": "certify"}, "服务点不能「出具登记证明」：这是登记机构的权限"),
        (point, {"parent": gone.no}, "没有编号或名称为"),
        (
            point,
            {"region": "四川省眉山市东坡区太和镇", "organisation": _runs_taihe()},
            "同一时间已经是",
        ),
    ]
    for base, more, sentence in cases:
        kind = base["kind"]
        sent = form(officer, f"{NEW}?kind={kind}", "/new") | base
        sent |= {"organisation": FIRM, "valid_from": "2026-01-01", "source": "批复1号"}
        sent |= {"note": "没有丢", **more}
        answer = officer.post(NEW, data=sent)
        assert answer.status_code == 422, sentence
        assert sentence in answer.text
        assert "没有丢</textarea>" in answer.text
        for key, value in more.items():
            assert key == "powers" or f'value="{value}"' in answer.text
    assert db.session.scalar(select(Admission.id).where(Admission.source == "批复1号")) is None


def _runs_taihe():
    return titled("太和镇技术合同登记服务点（演示）").owner.no


def _ended_body():
    """A body that was set up and ended."""
    values = held(titled(PARENT), organisation=FIRM, name="撤了的处")
    no = service.record(SYSTEM, values)
    service.do(SYSTEM, no, "end", "撤销")
    return no


def test_parents_form_no_circle_and_limits_no_overhang(demo):
    station, body = titled(STATION), titled(PARENT)
    if body.parent_id is None:
        service.edit(SYSTEM, body.no, body.lock_version, held(body, parent=station.no))
    with pytest.raises(Invalid) as caught:
        service.edit(SYSTEM, station.no, station.lock_version, held(station, parent=body.no))
    assert "上下级会连成一圈" in caught.value.fields["parent"][0]
    with pytest.raises(Invalid) as caught:
        service.edit(SYSTEM, body.no, body.lock_version, held(body, parent=body.no))
    assert "它自己" in caught.value.fields["parent"][0]
    limit = {"amount": 90_000_000, "amount_base": "technical_value"}
    service.edit(SYSTEM, body.no, body.lock_version, held(body, **limit))
    db.session.expire_all()
    less = held(station, amount=80_000_000, amount_base="technical_value")
    with pytest.raises(Invalid) as caught:
        service.edit(SYSTEM, station.no, station.lock_version, less)
    assert f"归它管的「{PARENT}」的登记限额会超过它" in caught.value.fields["amount"][0]
    # A parent whose time is over takes nobody new, but what hangs on it may be mended.
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        row = db.session.get_one(Admission, body.id)
        row.valid_to = clock.today() - timedelta(days=1)
    point = titled("太和镇技术合同登记服务点（演示）")
    assert service.edit(SYSTEM, point.no, point.lock_version, held(point, hours="周末"))
    new = held(point, region="511402001", areas=["511402001"])
    with pytest.raises(Invalid) as caught:
        service.record(SYSTEM, new)
    assert f"上级「{PARENT}」的有效期到" in caught.value.fields["parent"][0]
