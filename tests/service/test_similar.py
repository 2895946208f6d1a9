"""Rows of an import that look like another listing: named in the preview, refusing nothing."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest
import rjieba
from sqlalchemy import select

from market.catalogue.models import Listing, Revision
from market.catalogue.similar import likest
from market.core import importing
from market.core.db import db
from market.core.text import title_key
from market.discovery.engine import reader
from market.discovery.indexer import Indexer
from tests.service.clerk import CODE, achievement, lines, load, organisations, sentences


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


CAUGHT, FALSE_ALARMS = 0.95, 0.03
SWAPPED_IN = "新型高效多功能绿色"


def index(rows, folder, dry_run=False, **options):
    """Import rows of achievements and bring them into the index."""
    result = load("achievements", lines(folder / "r.jsonl", *rows), dry_run=dry_run, **options)
    assert not result.refused, sentences(result)
    indexer = Indexer()
    indexer.run()
    indexer.close()
    return result


def preview(folder, *rows):
    return load("achievements", lines(folder / "p.jsonl", *rows), dry_run=True)


@pytest.fixture
def one(app, tmp_path):
    """A market with one achievement; its number."""
    organisations(tmp_path)
    index([achievement(title="高盐泡菜废水纳滤分盐与蒸发回用", ip="ZL202010566088.9")], tmp_path)
    return db.session.scalar(select(Listing.no))


def test_a_title_like_a_published_one(one, tmp_path):
    row = achievement(title="高盐泡菜废水的纳滤分盐与蒸发回用")
    for result in (preview(tmp_path, row), index([row], tmp_path)):
        message = (
            f"第 1 行「名称」：与 {one}「高盐泡菜废水纳滤分盐与蒸发回用」（东坡区农业科学研究所）的名称"
            "很像（90%）：若是同一项，请填它的编号再导入。"
        )
        assert sentences(result) == [message]
        assert result.imported == 1


def test_the_same_title_of_another_owner(one, tmp_path):
    row = achievement(title="“高盐”泡菜废水纳滤分盐与蒸发回用", owner_uscc="91440300708461136T")
    assert "的名称相同：若是同一项" in sentences(preview(tmp_path, row))[0]


def test_the_listing_itself_is_no_duplicate(one, tmp_path):
    row = achievement(title="高盐泡菜废水纳滤分盐与蒸发回用", ip="ZL202010566088.9")
    assert preview(tmp_path, row).problems == []
    assert preview(tmp_path, row | {"summary": "改过"}).problems == []
    assert (
        preview(tmp_path, row | {"no": one, "title": "高盐泡菜废水纳滤分盐、蒸发回用"}).problems
        == []
    )


def test_a_number_that_another_listing_bears(one, tmp_path):
    row = achievement(title="完全两样的名称", ip="202010566088.9")
    result = preview(tmp_path, row)
    message = (
        f"第 1 行「知识产权」：202010566088.9 已用于 {one}「高盐泡菜废水纳滤分盐与蒸发回用」"
        "（东坡区农业科学研究所）：若是同一项，请填它的编号再导入。"
    )
    assert sentences(result) == [message]
    assert result.imported == 1
    other = achievement(title="又一个名称", ip="202010566089.3")
    assert preview(tmp_path, other).problems == [], "a number that begins alike is another one"


def test_rows_of_the_same_file(app, tmp_path):
    organisations(tmp_path)
    rows = [
        achievement(title="日光温室分区水肥一体控制器", registration_no="9512025Y0001"),
        achievement(title="日光温室的分区水肥一体控制器"),
        achievement(title="海带漂烫废液制水溶肥", registration_no="9512025Y0001"),
    ]
    assert sentences(preview(tmp_path, *rows)) == [
        "第 2 行「名称」：与第 1 行的名称很像（88%）：若是同一项，请只留一行。",
        "第 3 行「成果登记号」：9512025Y0001 在第 1 行也有：若是同一项，请只留一行。",
    ]


def test_a_number_in_the_wrong_row(one, tmp_path):
    for key in ({"no": one}, {"source_id": "A-1"}):
        if "source_id" in key:
            index([achievement(title="日光温室分区水肥一体控制器", source_id="A-1")], tmp_path)
        result = preview(tmp_path, achievement(title="毛竹微波软化展平", **key))
        assert "现在的名称与这里差别很大，请核对编号是否填错了行。" in sentences(result)[0]
        assert result.updated == 1


def test_long_files_are_compared_in_a_dry_run_only(one, tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "MOST_COMPARED", 2)
    row = achievement(title="高盐泡菜废水的纳滤分盐与蒸发回用")
    rows = [row, achievement(title="苹果霉心病分选"), achievement(title="海带制肥")]
    assert len(preview(tmp_path, *rows).problems) == 1
    result = load("achievements", lines(tmp_path / "r.jsonl", *rows))
    assert (result.imported, result.problems) == (3, [])


def test_without_an_index_an_import_goes_on(app, tmp_path):
    organisations(tmp_path)
    rows = [achievement(title="泡菜废水回用"), achievement(title="苹果霉心病分选")]
    assert load("achievements", lines(tmp_path / "r.jsonl", *rows)).imported == 2


def slip(title: str, chance: random.Random) -> str:
    """The title as somebody else writes it down."""
    place = chance.randrange(1, len(title))
    words = rjieba.cut(title)
    at = chance.randrange(max(1, len(words) - 1))
    return chance.choice(
        [
            title[: place - 1] + chance.choice(SWAPPED_IN) + title[place:],
            title[:place] + "的" + title[place:],
            title + chance.choice(["研究", "技术"]),
            "".join([*words[:at], *reversed(words[at : at + 2]), *words[at + 2 :]]),
        ]
    )


def shares(titles: list[tuple[str, str, str]]) -> tuple[float, float]:
    """The share of near-duplicates that are caught, and of titles that raise a false alarm.

    Args:
        titles: kind, number and title of what is published.
    """
    chance = random.Random(20261120)
    caught = tried = alarms = 0
    for kind, no, title in titles:
        while title_key(near := slip(title, chance)) == title_key(title):
            pass
        found = likest(kind, near)
        tried += 1
        caught += found is not None and found[1].no == no
        alarms += likest(kind, title, no) is not None
    return caught / tried, alarms / tried


def published() -> list[tuple[str, str, str]]:
    query = select(Listing.kind, Listing.no, Revision.title).join(Listing.current)
    return [tuple(row) for row in db.session.execute(query.order_by(Listing.id))]


def test_near_duplicates_of_the_demonstration(demo):
    titles = published()
    assert len(titles) == 120
    caught, alarms = shares(titles)
    assert caught >= CAUGHT
    assert alarms < FALSE_ALARMS


def test_near_duplicates_of_real_titles(app, tmp_path):
    path = os.environ.get("MARKET_BENCH_ABSTRACTS")
    if not path:
        pytest.skip("MARKET_BENCH_ABSTRACTS names no file of abstracts")
    organisations(tmp_path)
    with Path(path).open(encoding="utf-8") as file:
        papers = [json.loads(line) for line in file]
    unique = {title_key(one["title"]): one for one in papers}
    rows = [
        {"title": one["title"], "summary": one["summary"], "owner_uscc": CODE, "region": "511402"}
        for one in unique.values()
    ]
    index(rows, tmp_path)
    assert reader().stats().documents == len(rows)
    caught, alarms = shares(published())
    assert caught >= CAUGHT
    assert alarms < FALSE_ALARMS
