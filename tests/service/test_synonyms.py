"""Groups of synonyms: imported like other code lists, and in force without a restart."""

from __future__ import annotations

import pytest

from market.catalogue import terms
from market.catalogue.synonyms import faults, folded, read
from market.core.permissions import PUBLIC
from market.core.sheets import write_table
from market.discovery import queries
from market.discovery.engine import reader
from market.discovery.forms import SearchForm
from market.rooms import KINDS
from tests.service.clerk import lines, load, sentences, sheet


@pytest.fixture(autouse=True)
def fresh():
    """A process believes the groups that it has read for a minute."""
    terms.forget()
    yield
    terms.forget()


def bring(tmp_path, *rows, **options):
    return load("terms", lines(tmp_path / "s.jsonl", *rows), **options)


def row(label, aliases, **more):
    return {"scheme": "同义词", "label": label, "aliases": aliases} | more


BAD = [
    (
        ("马铃薯薯", "马铃薯薯"),
        "「别名」：「马铃薯薯」在这一组里已经有了，一个词不能是自己的同义词。",
    ),
    (("ＬＥＤ灯", "led灯"), "「别名」：「led灯」在这一组里已经有了"),
    (("台湾烏龍", "臺灣乌龙"), "「别名」：「臺灣乌龙」在这一组里已经有了"),
    (("薯块", "土豆"), "「别名」：「土豆」已在「马铃薯」一组，一个词只能在一组：请并成一组。"),
    (("洋芋", "薯块"), "「名称」：「洋芋」已在「马铃薯」一组"),
    (("猪", "生猪猪"), "「名称」：「猪」太短：同义词至少 2 个字。"),
    (("薯块", "薯"), "「别名」：「薯」太短"),
    (("薯块", "★★"), "「别名」：「★★」只有符号，没有字。"),
    (("——", "薯块"), "「名称」：「——」只有符号，没有字。"),
    (("薯块", "x" * 31), "「别名」：「xxxxxxxxxx…」太长：同义词最多 30 个字。"),
    (
        ("薯块", "|".join(f"薯块{n}号" for n in range(20))),
        "「别名」：一组最多 20 个词，现有 21 个。",
    ),
    (("薯块", None), "「别名」：请至少填一个同义的词，用 | 隔开。"),
    (("薯块", " | ｜"), "「别名」：请至少填一个同义的词，用 | 隔开。"),
    (("", "薯块"), "「名称」：必填。"),
]


def test_bad_groups(app, tmp_path, subtests):
    for (label, aliases), words in BAD:
        with subtests.test(str((label, aliases))):
            result = bring(tmp_path, row(label, aliases))
            assert any(words in one for one in sentences(result)), sentences(result)
            assert result.line() == "imported 0, updated 0, unchanged 0, rejected 1"
    result = bring(tmp_path, row("薯块", "薯条块", parent_code="马铃薯"))
    assert "同义词没有上级" in sentences(result)[0]


def test_a_circle_is_refused_at_its_second_row(app, tmp_path):
    result = bring(tmp_path, row("甲词", "乙词"), row("乙词", "甲词"))
    assert result.rejected == 1
    assert sentences(result) == [
        "第 2 行「名称」：「乙词」已在「甲词」一组，一个词只能在一组：请并成一组。",
        "第 2 行「别名」：「甲词」已在「甲词」一组，一个词只能在一组：请并成一组。",
    ]
    three = [row("甲词", "乙词"), row("乙词二", "丙词"), row("丙词", "甲词二")]
    assert bring(tmp_path, *three).rejected == 1


def test_a_word_moves_when_both_groups_are_given(app, tmp_path):
    assert bring(tmp_path, row("甲词", "乙词|丙词")).imported == 1
    assert bring(tmp_path, row("丁词", "丙词")).rejected == 1
    both = [row("丁词", "丙词"), row("甲词", "乙词")]
    assert bring(tmp_path, *both).line() == "imported 1, updated 1, unchanged 0, rejected 0"
    assert {("丁词", "丙词"), ("甲词", "乙词")} <= set(terms.synonym_groups())
    assert bring(tmp_path, *both).unchanged == 2


def test_a_group_that_ended_holds_no_words(app, tmp_path):
    bring(tmp_path, row("甲词", "乙词"))
    assert bring(tmp_path, row("甲词", "乙词", valid_to="2025-01-01")).updated == 1
    assert ("甲词", "乙词") not in terms.synonym_groups()
    assert bring(tmp_path, row("丙词", "乙词")).imported == 1


def test_a_file_of_synonyms_alone(app, tmp_path):
    path = sheet(tmp_path / "s.xlsx", ["名称", "别名"], ["甲词", "乙词"])
    assert load("terms", path, scheme="synonym").imported == 1
    assert ("甲词", "乙词") in terms.synonym_groups()


def test_what_goes_out_comes_in_unchanged(app, tmp_path):
    kind = KINDS["terms"]
    path = tmp_path / "terms.csv"
    count = write_table(path, kind.columns(), kind.rows())
    assert load("terms", path).unchanged == count


def found(text):
    return [card.no for card in queries.search(PUBLIC, SearchForm(q=text)).page.items]


def test_the_open_engine_takes_up_new_groups(demo, tmp_path):
    """No restart and no new index: within a minute, here at once since the minute is over."""
    engine = reader()
    assert not found("量子草")
    known = set(found("枸杞"))
    assert known
    assert bring(tmp_path, row("枸杞", "量子草")).imported == 1
    assert set(found("量子草")) == known
    assert reader() is engine
    assert bring(tmp_path, row("枸杞", "量子草", valid_to="2025-01-01")).updated == 1
    assert not found("量子草")


def test_groups_are_read_once_a_minute(app, monkeypatch):
    first = terms.synonym_groups()
    monkeypatch.setattr(terms, "held_groups", list)
    assert terms.synonym_groups() is first
    monkeypatch.setattr(terms, "FRESH", 0.0)
    assert terms.synonym_groups() == ()


def test_the_shipped_groups_are_sensible(app):
    held = terms.held_groups()
    assert len(held) == 26
    owners = {}
    for group in held:
        assert faults(group, owners) == []
        owners |= dict.fromkeys(group.folded, group)
    assert owners[folded("洋芋")] == read("马铃薯", "马铃薯", "土豆|洋芋")
