"""Folding and cutting of text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_index.codes import code_in, code_matches, is_long_code, normalise_code
from search_index.pinyin import name_tokens
from search_index.text import bigrams, characters, fold, fold_traced, tokens, trigrams, units, words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("技術經紀人", "技术经纪人"),
        ("Café", "cafe"),
        ("Cafe\u0301", "cafe"),
        ("STRASSE ß", "strasse ss"),
        ("㎡", "m2"),
        ("\ud800", " "),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


@given(st.text(max_size=200))
def test_every_folded_character_comes_from_one_that_folds_to_it(text):
    traced = fold_traced(text)
    assert traced.text == fold(text)
    for index, sign in enumerate(traced.text):
        start, end = traced.span(index, index + 1)
        assert end == start + 1
        assert sign in fold(text[start:end])


def test_a_span_of_folded_text_leads_back_to_the_original():
    traced = fold_traced("面积㎡的技術ﬁle")
    start = traced.text.index("技术")
    assert traced.original[slice(*traced.span(start, start + 2))] == "技術"
    start = traced.text.index("file")
    assert traced.original[slice(*traced.span(start, start + 4))] == "ﬁle"


def test_streams():
    assert characters("变压器ai诊断pm2.5") == [*"变压器", "ai", *"诊断", "pm", "2", "5"]
    assert bigrams("变压器a诊断") == ["变压", "压器", "诊断"]
    assert trigrams("变压器a诊断") == ["变压器"]
    assert {"秸秆", "还田", "h2o", "秆还"} <= set(tokens("秸秆还田 h2o"))
    assert "，" not in words("秸秆，还田")


def test_endless_runs_are_cut_alike_for_index_and_query():
    assert words("x" * 10_000) == characters("x" * 10_000) == ["x" * 64]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("茶", ["茶"]),
        ("秸秆", ["秸秆"]),
        ("辣木籽", ["辣木籽"]),
        ("秸秆还田技术", ["秸秆", "还田", "技术"]),
        ("水稻的种植", ["水稻", "种植"]),
        ("水稻的茶", ["水稻", "茶"]),
        ("大角度机动", ["大角度", "机动"]),
        ("pm2.5", ["pm2.5"]),
        ("b超", ["b超"]),
        ("...", []),
    ],
)
def test_units(word, expected):
    assert units(word) == expected


@given(st.text(alphabet="水稻的种植之技术ab1 辣木籽与", max_size=30))
def test_units_stand_in_the_word_and_are_never_lost(word):
    found = units(fold(word))
    assert bool(found) == bool(characters(fold(word)))
    assert all(unit in fold(word) and characters(unit) for unit in found)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("ZL 2019 1 0123456.7", "2019101234567"),
        ("zl201910123456.7", "2019101234567"),
        ("９１５１０１００-ma6c", "91510100MA6C"),
        ("川科字〔2024〕1号", "川科字20241号"),
        ("ZLATA", "ZLATA"),
    ],
)
def test_codes_are_compared_without_what_is_written_at_will(written, code):
    assert normalise_code(written) == code


def test_what_may_be_a_code():
    assert code_in("水稻") == ""
    assert code_in("cn1") == "CN1"
    assert code_in("1" * 65) == ""
    assert is_long_code("2019 1 0123456.7")
    assert not is_long_code("水稻 2019 2020")
    assert code_matches("201910", "2019101234567")
    assert not code_matches("20191", "2019101234567")


def test_names_are_found_from_each_syllable_on():
    assert {"sichuandaxue", "daxue", "scdx", "dx"} <= set(name_tokens("四川大学"))
    assert "chongqing" in name_tokens("重庆")
    assert "abbsichuan" in name_tokens("ABB（四川）")
    assert name_tokens("ABB Ltd") == ()
