"""Regions: what people call them, and importing changes of the tree."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from market.core.db import db
from market.core.errors import Conflict
from market.core.importing import undo_import
from market.core.permissions import SYSTEM
from market.regions import queries
from market.regions.models import FormerCode, Region
from market.rooms import KINDS
from tests.service.clerk import lines, load, sentences, sheet


@pytest.fixture
def resolver(app):
    return queries.Resolver()


def code_of(found) -> str:
    assert isinstance(found, int), found
    return db.session.get_one(Region, found).code


UNDERSTOOD = [
    ("511402", "511402"),
    ("５１１４０２", "511402"),
    ("511402000000", "511402"),
    ("5114", "511400"),
    ("51", "510000"),
    ("四川省眉山市东坡区", "511402"),
    ("四川眉山东坡", "511402"),
    ("四川省东坡区", "511402"),
    ("眉山市·东坡区", "511402"),
    ("四川 / 眉山 / 东坡", "511402"),
    ("四川-眉山-东坡区", "511402"),
    ("中国四川省眉山市东坡区", "511402"),
    ("中华人民共和国四川省", "510000"),
    ("东坡", "511402"),
    ("北京朝阳区", "110105"),
    ("福建省福州市鼓楼区", "350102"),
    ("福州鼓楼", "350102"),
    ("511402 东坡区", "511402"),
    ("四川省眉山市东坡区（511402）", "511402"),
    ("[511402]四川眉山东坡", "511402"),
]


def test_what_people_write(resolver, subtests):
    for text, code in UNDERSTOOD:
        with subtests.test(str((text, code))):
            assert code_of(resolver.find(text)) == code


UNCLEAR = [
    ("鼓楼区", "「鼓楼区」有 4 个，请写全称或代码，如："),
    ("朝阳", "有 "),
    ("火星", "没有找到地区「火星」"),
    ("999999", "没有代码为 999999 的地区"),
    ("51140", "没有代码为 51140 的地区"),
    ("1", "没有代码为 1 的地区"),
    ("511402 三台县", "代码 511402 是四川省眉山市东坡区，与「三台县」不符"),
    ("浙江省东坡区", "没有找到地区"),
    ("🙂", "没有找到地区"),
    ("市", "没有找到地区"),
    ("长" * 100, "没有找到地区「长长"),
]


def test_what_is_not_clear(resolver, subtests):
    for text, words in UNCLEAR:
        with subtests.test(str((text, words))):
            found = resolver.find(text)
            assert isinstance(found, str)
            assert words in found


def test_townships_and_former_codes(resolver):
    town = db.session.scalars(
        select(Region.code)
        .where(Region.code.startswith("511402"), Region.level == "township")
        .limit(1)
    ).one()
    assert code_of(resolver.find(town)) == town
    assert code_of(resolver.find(town + "000")) == town
    former = db.session.execute(
        select(FormerCode.code, Region.code)
        .join(Region, Region.id == FormerCode.region_id)
        .limit(1)
    ).one()
    assert code_of(resolver.find(former[0])) == former[1]


# -- importing


def bring(tmp_path, *rows):
    return load("regions", lines(tmp_path / "r.jsonl", *rows))


def zone(**more):
    return (
        {"code": "511402Z", "name": "东坡经开区", "level": "乡镇", "kind": "zone"}
        | {"parent_code": "511402"}
        | more
    )


def region(code: str) -> Region:
    db.session.expire_all()
    return db.session.scalars(select(Region).where(Region.code == code)).one()


BROKEN = [
    ({"code": ""}, "「代码」：必填。"),
    ({"code": "a/b"}, "「代码」：代码只能由数字、字母和 - 组成"),
    ({"level": "星球"}, "「层级」：「星球」不在选项中"),
    ({"parent_code": None}, "「上级代码」：省级以下的地区要填上级代码"),
    ({"parent_code": "999999"}, "「上级代码」：没有代码为 999999 的地区"),
    ({"parent_code": "511402Z"}, "「上级代码」：不能是这个地区自己"),
    ({"level": "县"}, "「上级代码」：上级「东坡区」的层级不高于这个地区"),
    ({"level": "省"}, "「上级代码」：省级没有上级"),
    ({"successor_code": "510722"}, "「失效日期」：填了继承地区代码，就要填失效日期"),
    (
        {"successor_code": "511402Z", "valid_to": "2025-01-01"},
        "「继承地区代码」：不能是这个地区自己",
    ),
    ({"valid_from": "2025-05", "valid_to": "2025-01"}, "「失效日期」：早于生效日期"),
]


def test_what_would_break_the_tree(app, tmp_path, subtests):
    for given, words in BROKEN:
        with subtests.test(str((given, words))):
            result = bring(tmp_path, zone(**given))
            assert words in " ".join(sentences(result))
            assert result.line() == "imported 0, updated 0, unchanged 0, rejected 1"


def test_a_new_zone_and_the_same_again(app, tmp_path):
    path = sheet(
        tmp_path / "r.xlsx",
        ["代码*", "名称*", "层级*", "上级代码"],
        ["511402Z", "东坡经开区", "乡镇（街道）", 511402.0],
    )
    assert load("regions", path).imported == 1
    made = region("511402Z")
    assert made.full_name == "四川省眉山市东坡区东坡经开区"
    assert made.path == f"{region('511402').path}{made.id}/"
    assert made.pinyin == "dongpojingkaiqu"
    assert load("regions", path).line() == "imported 0, updated 0, unchanged 1, rejected 0"


def test_rows_may_refer_to_rows_above(app, tmp_path):
    county = {"code": "5199", "name": "新市", "level": "市", "parent_code": "510000"}
    below = {"code": "519901", "name": "新县", "level": "县", "parent_code": "5199"}
    assert bring(tmp_path, below, county).refused
    assert bring(tmp_path, county, below).imported == 2
    assert region("519901").full_name == "四川省新市新县"


def test_duplicates(app, tmp_path):
    assert (
        bring(tmp_path, zone(), zone()).line() == "imported 1, updated 0, unchanged 1, rejected 0"
    )
    result = bring(tmp_path, zone(), zone(name="别名区"))
    assert "与第 1 行是同一个代码但内容不同" in sentences(result)[0]


def test_a_new_name_goes_down_the_tree(app, tmp_path):
    before = region("511402")
    town = db.session.scalars(
        select(Region.code).where(Region.parent_id == before.id).limit(1)
    ).one()
    row = {"code": "511402", "name": "新东坡区", "short_name": "东坡"}
    row |= {"level": "县", "parent_code": "511400"}
    reading = before.pinyin
    assert bring(tmp_path, row).updated == 1
    assert region("511402").full_name == "四川省眉山市新东坡区"
    assert region("511402").pinyin == reading, "a reading that is shipped stays"
    assert region(town).full_name.startswith("四川省眉山市新东坡区")


def test_a_replaced_region_counts_with_its_successor(app, tmp_path):
    bring(tmp_path, zone())
    row = zone(valid_to="2026-12-31", successor_code="510722")
    assert bring(tmp_path, row).updated == 1
    old, heir = region("511402Z"), region("510722")
    assert old.path == f"{heir.path}{old.id}/"
    assert bring(tmp_path, row).unchanged == 1
    later = zone(code="511402Y", valid_to="2026-12-31", successor_code="511402Z")
    assert "自己也已失效" in " ".join(sentences(bring(tmp_path, later)))


def test_a_successor_below_itself(app, tmp_path):
    town = db.session.scalars(
        select(Region.code).where(Region.parent_id == region("511402").id).limit(1)
    ).one()
    row = {"code": "511402", "name": "东坡区", "level": "县", "parent_code": "511400"}
    row |= {"valid_to": "2026-01-01", "successor_code": town}
    assert "是这个地区的下级" in " ".join(sentences(bring(tmp_path, row)))


def test_moving_to_another_parent_is_a_change(app, tmp_path):
    bring(tmp_path, zone())
    assert bring(tmp_path, zone(parent_code="510722")).updated == 1
    assert region("511402Z").path.startswith(region("510722").path)


def test_an_import_of_regions_is_not_undone(app, tmp_path):
    run_id = bring(tmp_path, zone()).run_id
    with pytest.raises(Conflict, match="更正后的文件"):
        undo_import(run_id, KINDS, SYSTEM)


def test_found_by_pinyin_and_initials_of_the_short_and_the_full_name(app, subtests):
    for typed in ("东坡", "东坡区", "dongpo", "DongPoQu", "dp", "dpq", "511402", "dong po"):
        with subtests.test(typed):
            assert "511402" in [one.code for one in queries.search(typed)]
    for typed in ("q", "qu", "zzzz", "dpx东"):
        with subtests.test(typed):
            assert "511402" not in [one.code for one in queries.search(typed)]
