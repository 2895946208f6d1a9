"""Importing organisations: keys, duplicates, changes, and what is left by a crash."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, select, update
from stdnum.cn import uscc

from market.accounts.models import Organisation
from market.core import clock, importing
from market.core.db import db
from market.core.errors import Conflict
from market.core.models import ImportRun
from market.core.permissions import SYSTEM
from market.rooms import KINDS
from tests.service.clerk import CODE, OTHER, lines, load, organisation_names, sentences, sheet

HEAD = ["单位名称", "统一社会信用代码", "单位类型", "所在地区", "电话"]
THIRD = "91510100740309978" + uscc.calc_check_digit("91510100740309978")


def row(**more):
    return {"name": "东坡区农科所", "uscc": CODE, "kind": "高校院所", "region": "511402"} | more


def bring(tmp_path, *rows, **options):
    return load("organisations", lines(tmp_path / "o.jsonl", *rows), **options)


def by_name(name: str) -> Organisation:
    return db.session.scalars(select(Organisation).where(Organisation.name == name)).one()


BAD = [
    ({"name": ""}, "「单位名称」：必填。"),
    (
        {"kind": "神仙"},
        "「单位类型」：「神仙」不在选项中，可选：企业、高校院所、合作社、科技管理部门、其他机构。",
    ),
    ({"uscc": "12100000400000624E"}, "校验位不对"),
    ({"uscc": "1210000O400000624D"}, "不含字母 I、O、S、V、Z"),
    ({"uscc": "①②③"}, "应为 18 位"),
    ({"uscc": "１" * 17 + "é"}, "只含数字和大写字母"),
    ({"region": "鼓楼区"}, "有 4 个"),
    ({"region": None}, "「所在地区」：必填。"),
    ({"no": "DW2020000001"}, "没有编号为 DW2020000001 的单位"),
]


def test_bad_cells(app, tmp_path, subtests):
    for given, words in BAD:
        with subtests.test(str((given, words))):
            result = bring(tmp_path, row(**given))
            assert result.rejected == 1
            assert words in sentences(result)[0]
            assert organisation_names() == []


def test_what_a_person_understands(app, tmp_path):
    path = sheet(
        tmp_path / "o.xlsx",
        HEAD,
        [
            "甲公司",
            "１２１００００040-0000624ｄ\u200b",
            "公司",
            "四川眉山东坡",
            13800138000.0,
        ],
        ["乙合作社", "无", "农民专业合作社", 511402.0, ""],
    )
    result = load("organisations", path)
    assert result.line() == "imported 2, updated 0, unchanged 0, rejected 0", sentences(result)
    first = by_name("甲公司")
    assert (first.uscc, first.kind, first.telephone) == (CODE, "enterprise", "13800138000")
    assert by_name("乙合作社").uscc is None


def test_the_same_again_and_a_change(app, tmp_path):
    bring(tmp_path, row(telephone="028-1", intro="老简介"))
    assert bring(tmp_path, row(telephone="028-1")).unchanged == 1
    result = bring(tmp_path, row(name="东坡区农业科学研究院", telephone="028-2"))
    assert result.line() == "imported 0, updated 1, unchanged 0, rejected 0"
    held = by_name("东坡区农业科学研究院")
    assert (held.telephone, held.intro, held.lock_version) == ("028-2", "老简介", 2)
    assert held.folded_name == "东坡区农业科学研究院"


def test_keys_in_their_order(app, tmp_path):
    bring(tmp_path, row(source_id="S1"), row(name="无码社", uscc=None, source_id="S2"))
    no = by_name("东坡区农科所").no
    assert bring(tmp_path, row(no=no.lower(), name="按编号", uscc=None)).updated == 1
    assert bring(tmp_path, row(name="按代码")).updated == 1
    assert bring(tmp_path, row(name="按来源", uscc=None, source_id="S2")).updated == 1
    assert bring(tmp_path, row(name="按来源 ", uscc=OTHER)).updated == 1, "it gets its code"
    assert bring(tmp_path, row(name="按来源", uscc=THIRD)).imported == 1, "another of that name"
    assert bring(tmp_path, row(name="按来源", uscc=None, region="510722")).imported == 1
    assert organisation_names() == ["按代码", "按来源", "按来源", "按来源"]


def test_identical_rows_once_different_ones_refused(app, tmp_path):
    result = bring(tmp_path, row(), row())
    assert result.line() == "imported 1, updated 0, unchanged 1, rejected 0"
    assert "第 2 行「单位名称」：与第 1 行完全相同，只导入一次。" in sentences(result)
    for other in (
        row(name="另一个名字"),
        row(telephone="1"),
        row(uscc=None, telephone="1"),
    ):
        result = bring(tmp_path, row(), other)
        assert result.line() == "imported 0, updated 0, unchanged 0, rejected 1"
        assert "与第 1 行是同一家单位但内容不同" in sentences(result)[0]


def test_namesakes_in_one_file(app, tmp_path):
    """Two firms of one name in one county, told apart by their codes: none is lost."""
    assert bring(tmp_path, row(), row(uscc=OTHER)).imported == 2
    assert bring(tmp_path, row(), row(uscc=OTHER)).unchanged == 2


def test_a_code_that_belongs_to_another(app, tmp_path):
    bring(tmp_path, row(), row(name="乙公司", uscc=OTHER))
    no = by_name("东坡区农科所").no
    result = bring(tmp_path, row(no=no, uscc=OTHER))
    assert "这个代码属于另一家单位：乙公司" in sentences(result)[0]


def test_a_region_for_rows_that_name_none(app, tmp_path):
    assert bring(tmp_path, row(region=None), region="四川省三台县").imported == 1
    assert by_name("东坡区农科所").region.code == "510722"


def test_names_that_grow_when_folded_fit_their_column(app, tmp_path):
    assert bring(tmp_path, row(name="㍿" * 200)).imported == 1
    assert bring(tmp_path, row(name="㍿" * 200)).unchanged == 1
    assert len(by_name("㍿" * 200).folded_name) == 200


def test_staged_rows_of_a_killed_import_are_in_nobodys_way(app, tmp_path):
    """Its rows hold credit codes; the next import of the same file comes at once."""
    moment = clock.now()
    with importing.unit_of_work(SYSTEM) as work:
        work.require(importing.RUN)
        run = ImportRun(
            kind="organisations",
            file_name="o.jsonl",
            state="staging",
            actor_label="系统",
            started_at=moment,
            heartbeat_at=moment,
        )
        db.session.add(run)
        db.session.flush()
    importer = KINDS["organisations"].importer(importing.Options())
    table = importing.open_table(
        lines(tmp_path / "o.jsonl", row()), KINDS["organisations"].columns()
    )
    checked = importer.check(list(table.rows))
    with importing.unit_of_work(SYSTEM) as work:
        work.require(importing.RUN)
        importer.stage(run.id, checked)
    assert organisation_names() == []
    if db.engine.dialect.name != "sqlite":  # other machines may import: a silent heartbeat tells
        with importing.unit_of_work(SYSTEM) as work:
            work.require(importing.RUN)
            old = moment - timedelta(minutes=3)
            db.session.execute(update(ImportRun).values(heartbeat_at=old))
    assert bring(tmp_path, row()).line() == "imported 1, updated 0, unchanged 0, rejected 0"
    assert organisation_names() == ["东坡区农科所"]


def test_many_changes_take_few_statements(app, tmp_path):
    rows = [row(name=f"合作社{n}", uscc=None, kind="合作社") for n in range(300)]
    assert bring(tmp_path, *rows).imported == 300
    updates = []

    def count(_connection, _cursor, statement, *_):
        if statement.startswith("UPDATE organisation"):
            updates.append(statement)

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        assert bring(tmp_path, *[one | {"telephone": "1"} for one in rows]).updated == 300
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    assert len(updates) <= 5


def test_an_import_of_organisations_is_not_undone(app, tmp_path):
    run_id = bring(tmp_path, row()).run_id
    with pytest.raises(Conflict, match="更正后的文件"):
        importing.undo_import(run_id, KINDS, SYSTEM)
    assert db.session.get(ImportRun, run_id).state == "done"
