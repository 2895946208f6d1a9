"""Cleaning pasted text, and folding for comparison."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.core.text import clean_line, clean_text, fold, title_key

MARKUP = ["&lt;", "&amp;", "&#38;", "<p>", "</p>", "<b a=", "\\n", "\\r", "script", "🙂"]
SHAPELESS = ["\u200b", "\u200d", "\ufeff", "\u202e", chr(0xD800), "\x00", "\u2028", "\u3000"]
PIECES = [*"<>&;/bpn\\ \n\t\r一x#3", *MARKUP, *SHAPELESS]
PASTED = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  泡菜 A/B 型  ", "泡菜 A/B 型"),
        ("　全角空白　两侧　", "全角空白　两侧"),
        ("两  个空格", "两  个空格"),
        ("一行\n两行\t三", "一行 两行 三"),
        ("<b>不去标签</b> & &lt;", "<b>不去标签</b> & &lt;"),
        ("零\u200b宽\ufeff与\u202e方向\x00控制\xad", "零宽与方向控制"),
        ("坏\ud800字", "坏字"),
        ("👨\u200d👩\u200d👧 家庭🙂", "👨\u200d👩\u200d👧 家庭🙂"),
        ("'; DROP TABLE listing; --", "'; DROP TABLE listing; --"),
        ("\u200b \u200b", ""),
    ],
)
def test_a_line_stays_as_typed(typed, kept):
    assert clean_line(typed) == kept


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("<p>第一段</p><p>第二段<br/>换行</p>", "第一段\n第二段\n换行"),
        ('<span style="color:red">红</span>&nbsp;字', "红 字"),
        ("x<b 且 c>d，p&lt;0.05", "x<b 且 c>d，p<0.05"),
        (r"背景\n做法\r\n效果", "背景\n做法\n效果"),
        (r"频率 $\nu$ 与 $\nabla$ 和 \neq", r"频率 $\nu$ 与 $\nabla$ 和 \neq"),
        ("http://a/?id=1&copy=2&times=3", "http://a/?id=1&copy=2&times=3"),
        ("甲\r\n\r\n\r\n  乙\u2028丙", "甲\n乙\n丙"),
        ("R&D 与 AT&T;", "R&D 与 AT&T;"),
        ("&amp;lt;5&amp;#37;", "<5%"),
        ("<script>alert(1)</script>好<style>a{b}</style>", "好"),
    ],
)
def test_pasted_html_becomes_text(pasted, kept):
    assert clean_text(pasted) == kept


@given(PASTED | st.text(max_size=60))
def test_clean_is_clean(text):
    """Cleaning twice is cleaning once, and what is kept can be stored."""
    for clean in (clean_line, clean_text):
        kept = clean(text)
        assert clean(kept) == kept == kept.strip()
        kept.encode("utf-8")
    assert "\n" not in clean_line(text)


@pytest.mark.parametrize(
    "piece",
    ["<b a=", "<", "&amp;", "<b ", "\\n", "<b>", "a=b ", "\n ", "&#38;lt;", '<b x="', "\u200d"],
)
def test_long_text_is_cleaned_in_time_proportional_to_its_length(piece):
    took = []
    for count in (20_000, 80_000):
        began = time.process_time()
        clean_text(piece * count)
        clean_line(piece * count)
        took.append(time.process_time() - began)
    assert took[1] < 1 + 12 * took[0], "four times the text, not sixteen times the work"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＡＢＣ　公司（眉山）", "abc公司(眉山)"),
        ("泡菜 盐水-循环", "泡菜盐水循环"),
        ("X₂", "x2"),
    ],
)
def test_names_that_are_the_same(one, other):
    assert fold(one) == fold(other)


def test_punctuation_alone_is_not_nothing():
    assert fold(" !!! ") == "!!!"
    assert fold("???") != fold("!!!")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.5吨锅炉余热", "15吨锅炉余热"),
        ("-20℃冷库", "20℃冷库"),
        ("C++语言工具", "C#语言工具"),
        ("含盐量<0.3%的小麦", "含盐量>0.3%的小麦"),
    ],
)
def test_titles_that_mean_different_things_have_different_keys(one, other):
    assert title_key(one) != title_key(other)


def test_titles_that_differ_in_marks_only_have_one_key():
    assert title_key("“滨演麦9号” （演示）") == title_key("滨演麦9号(演示)")
    assert title_key("ＡＢＣ 工艺。") == title_key("abc工艺")
