"""Leading industries of counties: imported, exported, and filtered by."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from market.catalogue import leading
from market.core import outbox
from market.core.db import db
from market.core.errors import Conflict
from market.core.importing import undo_import
from market.core.models import OutboxRow
from market.core.permissions import SYSTEM
from market.discovery.indexer import Indexer
from market.regions import queries as regions
from market.regions.models import LeadingIndustry
from market.rooms import KINDS
from search_index import SearchRequest
from tests.service.clerk import lines, load, sentences, sheet


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


MINGSHAN, DONGPO = "511803", "511402"
KIND = "leading-industries"


def row(**more):
    return {"region": MINGSHAN, "position": 1, "name": "川茶", "keywords": "绿茶；茶园"} | more


def bring(tmp_path, *rows, **options):
    return load(KIND, lines(tmp_path / "l.jsonl", *rows), **options)


def held(code=MINGSHAN):
    found = regions.leading_industries([regions.find(code).id])
    return [(one.position, one.name, list(one.keywords)) for one in found]


def test_the_same_file_again_changes_nothing(app, tmp_path):
    rows = [row(source="区政府文件"), row(position=2, name="茶机装备", keywords="采茶机")]
    assert bring(tmp_path, *rows).line() == "imported 2, updated 0, unchanged 0, rejected 0"
    assert held() == [(1, "川茶", ["绿茶", "茶园"]), (2, "茶机装备", ["采茶机"])]
    assert bring(tmp_path, *rows).line() == "imported 0, updated 0, unchanged 2, rejected 0"
    assert bring(tmp_path, row(source="区政府文件", keywords="绿茶")).updated == 1
    assert held()[0] == (1, "川茶", ["绿茶"])
    assert held()[1][1] == "茶机装备", "what a file does not name stays"


def test_places_may_be_swapped_moved_and_emptied(app, tmp_path):
    bring(tmp_path, row(), row(position=2, name="旅游", keywords="旅游"))
    swapped = [row(position=2), row(position=1, name="旅游", keywords="旅游")]
    assert bring(tmp_path, *swapped).updated == 2
    assert [one[:2] for one in held()] == [(1, "旅游"), (2, "川茶")]
    assert bring(tmp_path, row(position=5)).imported == 1
    assert [one[:2] for one in held()] == [(1, "旅游"), (5, "川茶")]
    result = bring(tmp_path, {"region": MINGSHAN, "position": 5})
    assert result.updated == 1
    assert sentences(result) == ["第 1 行「产业名称」：空着：取消第 5 位的「川茶」。"]
    assert bring(tmp_path, {"region": MINGSHAN, "position": 5}).unchanged == 1
    assert [one[:2] for one in held()] == [(1, "旅游")]


BAD = [
    ({"position": 6}, "「位置」：应为 1 到 5 的整数：每个县最多 5 个。"),
    ({"position": None}, "「位置」：必填。"),
    ({"position": "第一"}, "「位置」：应为 1 到 5 的整数"),
    ({"region": "东坡县"}, "「地区」：没有找到地区「东坡县」"),
    ({"region": ""}, "「地区」：请填地区"),
    ({"region": "四川省"}, "「地区」：「四川省」不是县（市、区）或功能区"),
    ({"region": "511803001"}, "「地区」：「511803001」不是县（市、区）或功能区"),
    ({"region": "999999"}, "「地区」：没有代码为 999999 的地区"),
    ({"keywords": ""}, "「关键词」：请至少填一个关键词"),
    ({"keywords": "茶"}, "「关键词」：「茶」太短：关键词至少 2 个字。"),
    ({"keywords": "；；"}, "「关键词」：请至少填一个关键词"),
    (
        {"keywords": "；".join(f"关键词{n}" for n in range(21))},
        "「关键词」：太多：21 个，最多 20 个。",
    ),
    ({"name": ""}, "「产业名称」：请填产业名称"),
    ({"name": "茶"}, "「产业名称」：太短"),
    ({"name": "511803:川茶"}, "「产业名称」：「511803:川茶」：产业名称里请不要用冒号。"),
    ({"name": "川" * 31}, "「产业名称」：太长：31 个字，最多 30 个字。"),
    ({"name": "=A1+1"}, "「产业名称」：单元格里是公式"),
    ({"keywords": {"a": 1}}, "「关键词」：应为文字"),
]


def test_bad_cells(app, tmp_path, subtests):
    for given, words in BAD:
        with subtests.test(str(given)):
            result = bring(tmp_path, row(**given))
            assert words in sentences(result)[0]
            assert result.line() == "imported 0, updated 0, unchanged 0, rejected 1"
    assert db.session.scalar(select(func.count()).select_from(LeadingIndustry)) == 0


def test_rows_that_contradict_each_other(app, tmp_path):
    assert bring(tmp_path, row(), row()).line() == "imported 1, updated 0, unchanged 1, rejected 0"
    result = bring(tmp_path, row(), row(name="旅游"))
    assert "与第 1 行是同一个县的同一个位置" in sentences(result)[0]
    result = bring(tmp_path, row(), row(position=2))
    assert sentences(result) == [
        "第 2 行「产业名称」：「川茶」在第 1 行已经写过，同一个县只写一次。"
    ]
    assert bring(tmp_path, row(position=3, region=DONGPO)).imported == 1, "another county may"


def test_a_place_for_rows_that_name_none(app, tmp_path):
    path = sheet(tmp_path / "l.xlsx", ["位置", "产业名称", "关键词"], [1.0, "泡菜", "泡菜、盐渍"])
    assert load(KIND, path).refused
    assert load(KIND, path, region=DONGPO).imported == 1
    assert held(DONGPO) == [(1, "泡菜", ["泡菜", "盐渍"])]


def test_what_goes_out_comes_in_unchanged(app, tmp_path):
    from market.core.sheets import write_table

    bring(tmp_path, row(source="文件"), row(region=DONGPO, name="TCP/IP", keywords=["TCP/IP"]))
    kind = KINDS[KIND]
    for ending in ("xlsx", "csv", "jsonl"):
        path = tmp_path / f"out.{ending}"
        assert write_table(path, kind.columns(), kind.rows()) == 2
        assert load(KIND, path).line() == "imported 0, updated 0, unchanged 2, rejected 0"


def test_an_import_is_not_undone(app, tmp_path):
    run_id = bring(tmp_path, row()).run_id
    with pytest.raises(Conflict, match="更正后的文件"):
        undo_import(run_id, KINDS, SYSTEM)


def counted(engine, value):
    return engine.search(SearchRequest(filters={"leading": (value,)}, limit=0)).total


def test_listings_of_an_industry_are_found_after_the_import(demo, tmp_path):
    from market.discovery.engine import reader

    indexer = Indexer()
    indexer.run()
    try:
        tea = counted(reader(), "511803:川茶")
        assert tea >= 3
        assert counted(reader(), "川茶") == tea, "one county only has an industry of this name"
        before = counted(reader(), "511402:泡菜")
        bring(tmp_path, row(region=DONGPO, name="数控机床", keywords="机床；主轴", position=5))
        assert outbox.pending("index:local") == 1
        assert db.session.scalar(select(OutboxRow.kind)) == outbox.REBUILD
        indexer.work_off()
        assert counted(reader(), "511402:数控机床") == counted(reader(), "370481:数控机床") > 0
        assert counted(reader(), "511402:泡菜") == before
        assert outbox.pending("index:local") == 0
    finally:
        indexer.close()


def test_a_whole_word_of_letters_and_any_part_of_a_chinese_one():
    industry = regions.LeadingIndustryView(1, "1", 1, "光电", ("LED", "5G 基站"), None)
    known = leading.Leading([industry])
    assert known.values_of(["led 灯具"]) == ["1:光电", "光电"]
    assert known.values_of(["ＬＥＤ灯", "x"]) == ["1:光电", "光电"], "folded as the search folds"
    assert known.values_of(["sealed 封装"]) == []
    assert known.values_of(["新型光電材料"]) == ["1:光电", "光电"]
    assert known.values_of(["光", "电"]) == [], "not across fields"
    assert known.values_of([]) == []
    assert leading.Leading().values_of(["光电"]) == []
