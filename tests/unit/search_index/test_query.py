"""The query language."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_index.query import (
    EVERYTHING,
    MAX_CHARACTERS,
    MAX_UNITS,
    AllOf,
    AnyOf,
    Code,
    Not,
    Nothing,
    Synonyms,
    Term,
    Unit,
    parse,
    terms,
)


def shape(node):
    """A tree in short: text of terms, ! for exclusions, "…" for phrases, and/or tuples."""
    match node:
        case Term():
            return f'"{node.text}"' if node.phrase else node.text
        case Not():
            return f"!{shape(node.child)}"
        case Code():
            return f"#{node.code}"
        case AnyOf():
            return ("or", *map(shape, node.children))
        case AllOf():
            return ("and", *map(shape, node.children))
    return "nothing"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("水稻", "水稻"),
        ("水稻 技術", ("and", "水稻", "技术")),
        ("水稻，小麦、玉米", ("and", "水稻", "小麦", "玉米")),
        ("水稻 -小麦", ("and", "水稻", "!小麦")),
        ("－小麦", "!小麦"),
        ("-“小麦 育种”", '!"小麦 育种"'),
        ("“水稻种植” 技术", ("and", '"水稻种植"', "技术")),
        ("「水稻」", '"水稻"'),
        ('"水稻', "水稻"),
        ('水稻"', "水稻"),
        ('""', ("and",)),
        ("水稻 OR 小麦", ("or", "水稻", "小麦")),
        ("水稻 或 小麦", ("or", "水稻", "小麦")),
        ("水稻|小麦", ("or", "水稻", "小麦")),
        ("育种 水稻 或 小麦 | 玉米", ("and", "育种", ("or", "水稻", "小麦", "玉米"))),
        ("OR 水稻 OR", "水稻"),
        ("水稻 AND 小麦", ("and", "水稻", "小麦")),
        ("或许", "或许"),
        ("COVID-19", "covid-19"),
        ("1,000 亩", ("and", "1,000", "亩")),
        ("ZL 2019 1 0123456.7", ("or", ("and", "zl", "2019", "1", "0123456.7"), "#2019101234567")),
        ("*", ("and",)),
        ("- -- 。", ("and",)),
        ("\x00\x07", ("and",)),
        ("🌾", "nothing"),
    ],
)
def test_parse(typed, expected):
    assert shape(parse(typed)) == expected


def test_nothing_typed_asks_for_everything():
    assert parse("") == parse(" \t") == EVERYTHING
    assert parse("🌾") == Nothing()


def test_a_code_is_recognised_within_a_term():
    assert terms(parse("水稻 cn-10812345a"))[1].code == "CN10812345A"
    assert terms(parse("水稻"))[0].code == ""


GROUPS = Synonyms(
    [("技术经理人", "技术经纪人"), ("登记", "认定登记", "备案"), ("高企", "高新技术企业")]
)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("技術經理人", [Unit("技术经理人", ("技术经纪人",))]),
        ("认定登记", [Unit("认定登记", ("登记", "备案"))]),
        ("登记证书", [Unit("登记", ("认定登记", "备案")), Unit("证书")]),
        ("“登记”", [Unit("登记")]),
        ("水稻", [Unit("水稻")]),
    ],
)
def test_synonyms_are_added_to_words_but_not_to_phrases(typed, expected):
    assert list(terms(parse(typed, GROUPS))[0].units) == expected


def test_a_member_inside_another_word_has_no_synonyms():
    units = terms(parse("中国共产党", Synonyms([("国共", "合作")])))[0].units
    assert all(not unit.synonyms for unit in units)


NASTY = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="\"“”「」-|或OR 水稻ab1*()\\'\x00🌾+~^:[]{}", max_size=300),
)


@given(NASTY)
def test_any_text_is_a_query_of_bounded_size(typed):
    tree = parse(typed, GROUPS)
    found = terms(tree)
    assert sum(len(term.text) for term in found) <= MAX_CHARACTERS
    assert sum(len(term.units) for term in found) <= MAX_UNITS
    assert all(term.units for term in found)


def test_very_long_queries_are_read_in_no_time():
    start = time.perf_counter()
    for text in ("水稻种植技术" * 2_000, "a " * 10_000, '"' * 10_000, "-" * 10_000, "ﷺ" * 10_000):
        assert len(terms(parse(text, GROUPS))) <= MAX_UNITS
    assert time.perf_counter() - start < 2  # a guard against quadratic work, not a measurement
