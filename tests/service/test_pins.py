"""What counties put first on their pages, by import."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from market.catalogue import pin_queries, service
from market.catalogue.models import Listing
from market.core.db import db
from market.core.errors import Conflict
from market.core.importing import undo_import
from market.core.permissions import PUBLIC, SYSTEM
from market.core.sheets import write_table
from market.regions import queries as regions
from market.rooms import KINDS
from tests.service.clerk import lines, load, sentences, sheet

COUNTY = "370523"  # has no pins in the demonstration


@pytest.fixture
def nos(demo):
    """Numbers of some published listings."""
    return list(db.session.scalars(select(Listing.no).order_by(Listing.id).limit(5)))


def bring(tmp_path, *rows, **options):
    return load("pins", lines(tmp_path / "p.jsonl", *rows), **options)


def pinned(code=COUNTY):
    return [(pin.no, pin.note) for pin in pin_queries.pins(PUBLIC, regions.find(code).id)]


def row(no, position=1, **more):
    return {"region": COUNTY, "no": no, "position": position} | more


def test_pins_stand_in_the_order_of_their_places(nos, tmp_path):
    rows = [row(nos[1], 7), row(nos[0], 2, note="本县试过"), row(nos[2].lower(), 12)]
    assert bring(tmp_path, *rows).imported == 3
    assert pinned() == [(nos[0], "本县试过"), (nos[1], None), (nos[2], None)]
    assert bring(tmp_path, *rows).line() == "imported 0, updated 0, unchanged 3, rejected 0"
    assert bring(tmp_path, row(nos[1], 1)).imported == 1
    assert [no for no, _ in pinned()] == [nos[1], nos[0], nos[2]]
    result = bring(tmp_path, {"region": COUNTY, "position": 2})
    assert sentences(result) == [f"第 1 行「编号」：空着：取消第 2 位的「{nos[0]}」。"]
    assert [no for no, _ in pinned()] == [nos[1], nos[2]]


def test_a_withdrawn_listing_is_not_shown(nos, tmp_path):
    bring(tmp_path, row(nos[0]), row(nos[1], 2))
    service.withdraw(SYSTEM, nos[0], "测试")
    assert [no for no, _ in pinned()] == [nos[1]]
    result = bring(tmp_path, row(nos[0], 3))
    assert sentences(result) == [f"第 1 行「编号」：{nos[0]} 已撤回，不能推荐。"]
    kind = KINDS["pins"]
    path = tmp_path / "out.xlsx"
    write_table(path, kind.columns(), kind.rows())
    assert not load("pins", path).refused, "what goes out comes in again"


def test_bad_cells(nos, tmp_path, subtests):
    bad = [
        ({"position": 13}, "「位置」：应为 1 到 12 的整数：每个县最多 12 个。"),
        ({"no": "CG2026999999"}, "「编号」：没有编号为 CG2026999999 的成果或需求。"),
        ({"no": "x" * 21}, "「编号」：太长"),
        ({"no": "", "note": "好"}, "「编号」：请填编号"),
        ({"region": "四川省成都市"}, "不是县（市、区）或功能区"),
        ({"note": "长" * 201}, "「推荐理由」：太长"),
    ]
    for given, words in bad:
        with subtests.test(str(given)):
            result = bring(tmp_path, row(nos[0]) | given)
            assert words in sentences(result)[0]
            assert result.rejected == 1
    result = bring(tmp_path, row(nos[0]), row(nos[0], 2))
    assert f"「{nos[0]}」在第 1 行已经写过" in sentences(result)[0]
    assert pinned() == []


def test_what_goes_out_comes_in_unchanged(nos, tmp_path):
    kind = KINDS["pins"]
    for ending in ("xlsx", "csv", "jsonl"):
        path = tmp_path / f"out.{ending}"
        count = write_table(path, kind.columns(), kind.rows())
        assert count == 13, "those of the demonstration"
        assert load("pins", path).line() == "imported 0, updated 0, unchanged 13, rejected 0"


def test_a_spreadsheet_of_one_county(nos, tmp_path):
    path = sheet(tmp_path / "p.xlsx", ["位置", "编号", "推荐理由"], [1.0, nos[3], "示范"])
    assert load("pins", path, region=COUNTY).imported == 1
    assert pinned() == [(nos[3], "示范")]


def test_an_import_is_not_undone(nos, tmp_path):
    run_id = bring(tmp_path, row(nos[0])).run_id
    with pytest.raises(Conflict, match="更正后的文件"):
        undo_import(run_id, KINDS, SYSTEM)
