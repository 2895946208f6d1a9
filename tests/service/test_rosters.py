"""Rosters by import: cells, keys, undo, and who stands on which list on a day."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from market.accounts.rosters import queries
from market.accounts.rosters.models import RosterEntry
from market.core.db import db
from market.core.importing import undo_import
from market.core.permissions import SYSTEM, policy
from market.core.sheets import write_table
from market.rooms import KINDS
from tests import people
from tests.service.clerk import CODE, OTHER, lines, load, sentences, sheet

HEAD = ["名单", "信用代码", "单位名称", "年度", "编号", "有效期起", "有效期止", "来源"]
# The code was given out in 眉山市东坡区 (511402).
LOCAL = "915114025557512344"


def row(**more):
    return {"kind": "高新技术企业", "uscc": CODE, "name": "甲公司", "year": 2025} | more


def bring(tmp_path, *rows, **options):
    return load("rosters", lines(tmp_path / "r.jsonl", *rows), **options)


def numbers():
    query = select(RosterEntry.number).where(RosterEntry.state == "active")
    return list(db.session.scalars(query.order_by(RosterEntry.id)))


def local_code():
    from stdnum.cn import uscc

    return LOCAL[:17] + uscc.calc_check_digit(LOCAL[:17])


BAD = [
    ({"uscc": "12100000400000624E"}, "校验位不对"),
    ({"uscc": ""}, "「统一社会信用代码」：必填。"),
    ({"kind": "神仙名单"}, "不在选项中"),
    ({"kind": "其他"}, "「名单名称」：名单为「其他」时请写名单名称。"),
    ({"title": "瞪羚企业"}, "只有名单为「其他」时才写名单名称"),
    ({"year": "去年"}, "应为 1990 到 2100 的整数"),
    ({"valid_from": "2025-06-01", "valid_to": "2025-05-31"}, "「有效期止」：早于有效期起。"),
]


def test_bad_cells(app, tmp_path, subtests):
    for given, words in BAD:
        with subtests.test(str(given)):
            result = bring(tmp_path, row(**given))
            assert words in sentences(result)[0]
            assert numbers() == []


def test_a_wrong_check_digit_is_named_by_its_cell(app, tmp_path):
    good = ["高企", CODE, "甲公司", "2025年", "GR1", "2025年3月", "2028.2", "川高企办"]
    bad = ["科小", OTHER[:-1] + "X", "乙公司", 2025.0, "", "", "", ""]
    path = sheet(tmp_path / "r.xlsx", HEAD, good, bad)
    result = load("rosters", path)
    assert sentences(result)[0].startswith("B3「统一社会信用代码」")
    assert numbers() == []
    assert load("rosters", sheet(tmp_path / "r.xlsx", HEAD, good)).imported == 1
    entry = db.session.scalars(select(RosterEntry)).one()
    assert (entry.kind, entry.year) == ("high_tech", 2025)
    assert (entry.valid_from, entry.valid_to) == (date(2025, 3, 1), date(2028, 2, 29))


def test_the_same_again_a_change_and_doubles(app, tmp_path):
    assert bring(tmp_path, row(number="1")).imported == 1
    assert bring(tmp_path, row(number="1")).unchanged == 1
    assert bring(tmp_path, row()).unchanged == 1, "an empty cell changes nothing"
    assert bring(tmp_path, row(number="2")).updated == 1
    assert bring(tmp_path, row(year=2024), row(kind="规上企业")).imported == 2
    assert bring(tmp_path, row(number="3"), row(number="4")).rejected == 1
    assert numbers() == ["2", None, None]


def test_undo_brings_back_what_was_before(app, tmp_path):
    bring(tmp_path, row(number="1"))
    second = bring(tmp_path, row(number="2"), row(year=2024, number="n")).run_id
    undo_import(second, KINDS, SYSTEM)
    assert numbers() == ["1"]
    assert bring(tmp_path, row(number="2")).updated == 1, "the same file may come again"


def test_undo_in_any_order(app, tmp_path):
    bring(tmp_path, row(number="1"))
    second = bring(tmp_path, row(number="2")).run_id
    third = bring(tmp_path, row(number="3")).run_id
    _, since = undo_import(second, KINDS, SYSTEM)
    assert since == ["有 1 条后来又被新的导入改过，保持现在的内容：甲公司。"]
    assert numbers() == ["3"]
    undo_import(third, KINDS, SYSTEM)
    assert numbers() == ["1"]


def test_on_roster_by_period_or_year(app, tmp_path):
    period = {"valid_from": "2025-03-01", "valid_to": "2026-02-28"}
    bring(tmp_path, row(**period), row(kind="科技型中小企业入库", year=2026))

    def on(kind, day):
        return bool(queries.on_roster(CODE, kind, date.fromisoformat(day)))

    assert on("high_tech", "2026-02-28")
    assert not on("high_tech", "2026-03-01")
    assert not on("high_tech", "2025-02-28")
    assert on("tech_sme", "2026-12-31")
    assert not on("tech_sme", "2025-12-31")
    assert not queries.on_roster(OTHER, "high_tech", date(2025, 6, 1))


def test_entries_find_an_organisation_that_comes_later(app, tmp_path):
    bring(tmp_path, row())
    key = people.organisation("甲公司", uscc=CODE)
    owner, stranger = people.actor(("owner", key)), people.actor(("owner", people.organisation()))
    assert [one.list_name for one in queries.of_organisation(owner, CODE)] == ["高新技术企业"]
    assert queries.of_organisation(stranger, CODE) == []
    assert queries.of_organisation(owner, None) == []


def test_an_office_sees_its_area(app, tmp_path):
    """By the organisation where there is one, else by where the code was given out."""
    people.organisation("甲公司", uscc=CODE, code="511403")
    bring(tmp_path, row(), row(uscc=local_code(), name="乙公司"), row(uscc=OTHER, name="丙公司"))
    assert db.session.scalar(select(RosterEntry.region_id).where(RosterEntry.name == "乙公司"))
    seen = {
        code: {one.name for one in queries.page(people.actor((role, None, code))).items}
        for role, code in (("county", "511402"), ("county", "511403"), ("prefecture", "511400"))
    }
    assert seen == {"511402": {"乙公司"}, "511403": {"甲公司"}, "511400": {"甲公司", "乙公司"}}
    officer = people.actor(("county", None, "511402"))
    rows = db.session.scalars(select(RosterEntry)).all()
    allowed = {row.name for row in rows if policy.allows(officer, queries.OVERSEE, row)}
    assert allowed == {"乙公司"}, "Python says the same as SQL"


@pytest.mark.parametrize("ending", ["xlsx", "csv", "jsonl"])
def test_what_goes_out_comes_in_unchanged(app, tmp_path, ending):
    bring(tmp_path, row(valid_to="2028-01-01", source="川科发"), row(kind="其他", title="瞪羚"))
    kind = KINDS["rosters"]
    path = tmp_path / f"out.{ending}"
    assert write_table(path, kind.columns(), kind.rows()) == 2
    assert load("rosters", path).line() == "imported 0, updated 0, unchanged 2, rejected 0"


def test_the_command_knows_rosters():
    """The command line names kinds without loading the application: both lists must agree."""
    from market.cli import cli

    for command in ("import", "export", "template"):
        kinds = next(one for one in cli.commands[command].params if one.name == "kind")
        assert "rosters" in kinds.type.choices
