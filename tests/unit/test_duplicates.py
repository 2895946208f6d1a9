"""Titles that are alike, found without comparing each with each."""

from __future__ import annotations

import random

import pytest

from market.catalogue.duplicates import ALIKE, DIFFERENT, Alike, likeness
from market.core.text import title_key

PAIRS = [
    ("泡菜盐水循环利用技术", "泡菜盐水的循环利用技术", True),
    ("泡菜盐水循环利用", "泡菜盐水循环利用", True),
    ("泡菜盐水循环利用技术研究", "泡菜盐水循环利用研究技术", True),
    ("泡菜盐水循环利用技术", "泡菜盐水蒸发结晶技术", False),
    ("苹果霉心病防控", "柠檬绿霉病防控", False),
    ("茶", "茶", True),
    ("茶", "麦", False),
    ("茶叶", "叶茶", False),
]


@pytest.mark.parametrize(("one", "other", "alike"), PAIRS)
def test_what_is_alike(one, other, alike):
    score = likeness(title_key(one), title_key(other))
    assert (score >= ALIKE) is alike
    assert score == likeness(title_key(other), title_key(one))
    assert 0 <= score <= 1


def test_the_figures():
    assert likeness("甲乙丙丁", "甲乙丙丁") == 1
    assert likeness("甲乙丙丁", "戊己庚辛") == 0
    assert likeness("甲乙丙", "甲乙丁") == 0.5
    assert likeness("甲乙甲乙", "甲乙") == 0.5, "a pair counts as often as it stands there"
    assert DIFFERENT < 0.5 < ALIKE


def test_the_quick_way_finds_what_comparing_each_with_each_finds():
    """Many short titles over few characters, so that a good part of them is alike."""
    chance = random.Random(3)
    titles = ["".join(chance.choices("甲乙丙丁", k=chance.randrange(1, 14))) for _ in range(400)]
    quick: Alike[str] = Alike()
    met = 0
    for place, title in enumerate(titles):
        slow = max((likeness(title, other) for other in titles[:place]), default=0.0)
        found = quick.find(title)
        assert (found[0] if found else 0.0) == (slow if slow >= ALIKE else 0.0)
        met += found is not None
        quick.add(title, title)
    assert 40 < met < 400
