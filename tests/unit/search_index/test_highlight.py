"""Marks, fragments, reasons."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_index.highlight import FRAGMENT, Marker
from search_index.model import Reason
from search_index.query import Synonyms, parse

GROUPS = Synonyms([("技术经理人", "技术经纪人")])


def explain(query, title="", summary="", names=None, codes=()):
    return Marker(parse(query, GROUPS)).explain(title, [("summary", summary)], names or {}, codes)


@pytest.mark.parametrize(
    ("query", "title", "marked"),
    [
        ("秸秆", "<秸秆> & 还田", "&lt;<mark>秸秆</mark>&gt; &amp; 还田"),
        ("技术", "農業技術", "農業<mark>技術</mark>"),
        ("abc", "ＡＢＣ法", "<mark>ＡＢＣ</mark>法"),
        ("ai", "chain AI", "chain <mark>AI</mark>"),
        ("rodrig", "Rodrigues参数", "<mark>Rodrig</mark>ues参数"),
        ("2.5", "PM2.5与12.5", "PM<mark>2.5</mark>与12.5"),
        ("“秸秆-还田”", "秸秆/还田", "<mark>秸秆/还田</mark>"),
        ("秸秆还田", "秸秆还田", "<mark>秸秆还田</mark>"),
        ("秸秆还田", "还田的秸秆", "<mark>还田</mark>的<mark>秸秆</mark>"),
        ("-秸秆", "秸秆", "秸秆"),
        ("file", "ﬁle㎡", "<mark>ﬁle</mark>㎡"),
    ],
)
def test_titles_are_marked_as_written(query, title, marked):
    assert explain(query, title)[0] == marked


def test_a_unit_that_is_not_there_is_marked_by_its_pieces():
    title, _, _ = explain("飞行器姿态", "姿态控制")
    assert title == "<mark>姿态</mark>控制"
    title, _, _ = explain("辣木籽", "辣木")
    assert title == "<mark>辣木</mark>"


def test_a_fragment_is_cut_around_the_densest_marks():
    text = "水稻。" + "无关的话" * 60 + "。这里说水稻与小麦的轮作" + "别的内容" * 60
    _, (fragment,), _ = explain("水稻 小麦", "", text)
    assert fragment.part == "summary"
    assert "<mark>水稻</mark>与<mark>小麦</mark>" in fragment.html
    assert fragment.html.startswith("…")
    assert fragment.html.endswith("…")


def test_reasons_say_where_and_for_what():
    _, _, reasons = explain(
        "技术经理人 scdx 201910123",
        "技術經紀人",
        "培训技术经理人",
        names={"四川大学": ("sichuandaxue", "scdx")},
        codes=("ZL 2019 1 0123456.7", "CN1"),
    )
    assert set(reasons) == {
        Reason("synonym", "title", ("技術經紀人",), "技术经理人"),
        Reason("words", "summary", ("技术经理人",)),
        Reason("code", "codes", ("ZL 2019 1 0123456.7",)),
        Reason("name", "names", ("四川大学",), "scdx"),
    }


TEXTS = st.text(alphabet="水稻小麦技術Ａa1ﬁ㎡<>&\"' 。\n", max_size=400)


@given(st.text(alphabet="水稻小麦技术a1fi ", max_size=20), TEXTS, TEXTS)
def test_only_marks_are_added_and_fragments_are_short(query, title, summary):
    marked, fragments, _ = explain(query, title, summary)
    assert unescape(re.sub(r"</?mark>", "", marked)) == title
    for fragment in fragments:
        plain = unescape(re.sub(r"</?mark>", "", fragment.html))
        assert plain.strip("…") in summary
        assert len(plain) <= FRAGMENT + 2
        assert fragment.html.count("<mark>") == fragment.html.count("</mark>") > 0
        assert "<" not in re.sub(r"</?mark>", "", fragment.html)
