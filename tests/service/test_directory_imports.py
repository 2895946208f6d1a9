"""Files of the directory: parents of the same file, mistakes at their cells, taking an import back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from market.core.db import db
from market.core.errors import Conflict
from market.core.importing import Options, run_import, undo_import
from market.core.models import CaseEvent
from market.core.permissions import SYSTEM
from market.service_points import files, service, traces
from market.service_points.models import Admission, Specialist
from market.service_points.specialists import importer as people_files
from market.service_points.specialists import service as specialists
from tests import people

HEADS = (
    "单位,对外名称,上级登记机构,所在地区,服务范围,登记限额（元）,限额口径,有效期起,有效期止,依据\n"
)
CODES = ("91511402DEM000487E", "12511803DEM0003480", "91360982DEM000612K")
KINDS = {"bodies": files.BODIES, "brokers": people_files.BROKERS}


def titled(name):
    return db.session.scalars(select(Admission).where(Admission.name == name)).one()


def body(code, name, parent, **more):
    cells = {"region": "511402", "areas": "", "amount": "", "base": "", "to": "", **more}
    return (
        f"{code},{name},{parent},{cells['region']},{cells['areas']},{cells['amount']},"
        f"{cells['base']},2026-01-01,{cells['to']},批复1号\n"
    )


@pytest.fixture
def load(demo, tmp_path):
    def load(text, kind=files.BODIES, heads=HEADS, **more):
        path = tmp_path / "rows.csv"
        path.write_text(heads + text, encoding="utf-8")
        return run_import(kind, path, Options(), SYSTEM, **more)

    return load


def cells(result):
    return {problem.address: problem.message for problem in result.problems}


def test_a_parent_may_stand_below_in_the_same_file(load):
    text = (
        body(CODES[0], "丙处", "乙处", areas="511402001")
        + body(CODES[1], "乙处", "甲总站", areas="511402")
        + body(CODES[2], "甲总站", "四川省技术合同认定登记总站（演示）", areas="511400")
    )
    result = load(text)
    assert (result.problems, result.imported) == ([], 3)
    assert titled("丙处").parent.name == "乙处"
    assert titled("乙处").parent.name == "甲总站"
    again = load(text)
    assert (again.problems, again.unchanged) == ([], 3)


def test_mistakes_about_parents_stand_at_their_cells(load):
    above = "四川省技术合同认定登记总站（演示）"
    wide = load(
        body(CODES[0], "下处", "上处", areas="511402;511803", amount="300万", base="合同成交额")
        + body(
            CODES[1],
            "上处",
            above,
            areas="511402",
            amount="200万",
            base="合同成交额",
            to="2027-01-01",
        )
    )
    assert wide.rejected == 1
    assert "「四川省雅安市名山区」不在上级「上处」的服务范围内" in cells(wide)["E2"]
    assert "超过了上级「上处」的200 万元（合同成交额）" in cells(wide)["F2"]
    ring = load(body(CODES[0], "一处", "二处", to="2025-01-01") + body(CODES[1], "二处", "一处"))
    assert "早于有效期起" in cells(ring)["I2"]  # every mistake of a row at once
    assert "连成了一圈（第 2 行 → 第 3 行 → 第 2 行）" in cells(ring)["C2"]
    assert "C3" in cells(ring)
    assert "不能作自己的上级" in cells(load(body(CODES[0], "一处", "一处")))["C2"]
    bad = load(body(CODES[0], "一处", "二处") + body(CODES[1], "二处", above, region="没有"))
    assert "它的上级在第 3 行，那一行有问题" in cells(bad)["C2"]
    twice = load(body(CODES[0], "一处", above) + body(CODES[0], "二处", above))
    assert "与第 2 行是同一家单位同一时间的同一项" in cells(twice)["A3"]
    assert db.session.scalar(select(Admission.id).where(Admission.source == "批复1号")) is None


def test_an_import_is_taken_back(load):
    held = titled("东坡区技术合同登记处（演示）")
    before, areas = held.hours, {one.region_id for one in held.areas}
    heads = HEADS.strip() + ",编号,办公时间\n"
    office = held.owner.uscc or held.owner.no
    changed = (
        f"{office},{held.name},新总站,511402,,,,{held.valid_from},,{held.source},{held.no},周末\n"
    )
    made = body(CODES[2], "新总站", "", areas="511400").strip() + ",,\n"
    result = load(changed + made, heads=heads)
    assert (result.problems, result.imported, result.updated) == ([], 1, 1)
    held = titled("东坡区技术合同登记处（演示）")
    assert (held.hours, held.parent.name) == ("周末", "新总站")
    gone = held.parent_id
    _run, left = undo_import(result.run_id, KINDS, SYSTEM)
    assert left == []
    held = titled("东坡区技术合同登记处（演示）")
    assert held.hours == before
    assert held.parent is None or held.parent.name != "新总站"
    assert {one.region_id for one in held.areas} == areas
    assert db.session.get(Admission, gone) is None
    told = select(CaseEvent).where(CaseEvent.kind == "admission", CaseEvent.object_id == gone)
    assert db.session.scalar(told) is None
    with pytest.raises(Conflict):
        undo_import(result.run_id, KINDS, SYSTEM)


def test_what_was_changed_since_stays_and_is_named(load):
    clerk = people.actor(("county", None, "511402"))
    above = "四川省技术合同认定登记总站（演示）"
    run = load(
        body(CODES[0], "改过的处", "有下级的站", areas="511402001")
        + body(CODES[1], "有下级的站", above, areas="511402")
        + body(CODES[2], "没动的处", above)
    ).run_id
    row = titled("改过的处")
    service.do(clerk, row.no, "suspend", "人员培训")
    [sentence] = traces.since(Admission)(run)
    assert f"{row.no}「改过的处」后来改过" in sentence
    assert "「有下级的站」已经有人用到" in sentence
    assert "没动的处" not in sentence
    _run, left = undo_import(run, KINDS, SYSTEM)
    assert left == [sentence]
    titles = set(db.session.scalars(select(Admission.name).where(Admission.source == "批复1号")))
    assert titles == {"改过的处", "有下级的站"}


def test_an_import_of_people_is_taken_back(load):
    row = db.session.scalars(select(Specialist).where(Specialist.name.startswith("罗牵线"))).one()
    key = row.id
    contact, intro = row.contact, row.intro
    heads = "编号,姓名,所在地区,联系方式,简介,证书号\n"
    text = f"{row.no},{row.name},511402,13900009999,换了,\n,新人,511402,13900008888,,JJR-9\n"
    run = load(text, kind=people_files.BROKERS, heads=heads).run_id
    assert db.session.get_one(Specialist, key).contact != contact
    new = db.session.scalars(select(Specialist).where(Specialist.name == "新人")).one().id
    undo_import(run, KINDS, SYSTEM)
    row = db.session.get_one(Specialist, key, populate_existing=True)
    assert (row.contact, row.intro) == (contact, intro)
    assert db.session.get(Specialist, new) is None
    again = load(text, kind=people_files.BROKERS, heads=heads).run_id
    no = db.session.scalars(select(Specialist.no).where(Specialist.name == "新人")).one()
    specialists.remove(people.actor(("county", None, "511402")), no, "调离")
    assert f"{no}后来已移除" in traces.since(Specialist)(again)[0]
