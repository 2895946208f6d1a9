"""Amounts as people type them."""

import pytest

from market.core.money import NotMoney, format_yuan, parse_yuan, show_yuan


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("120000", 12_000_000),
        ("12万", 12_000_000),
        ("12 万元", 12_000_000),
        ("１２万", 12_000_000),
        ("¥1,200.50", 120_050),
        ("0.5亿元", 5_000_000_000),
        ("1.2345万", 1_234_500),
        ("0", 0),
    ],
)
def test_parse(text, fen):
    assert parse_yuan(text) == fen


@pytest.mark.parametrize("text", ["", "面议", "12万3", "-5", "1.234", "1e5", "12,34", "9" * 20])
def test_refuse(text):
    with pytest.raises(NotMoney):
        parse_yuan(text)


@pytest.mark.parametrize("fen", [0, 1, 100, 120_050, 12_000_000, 123_456_789])
def test_round_trip(fen):
    assert parse_yuan(format_yuan(fen)) == fen


def test_show():
    assert show_yuan(12_000_000) == "12 万元"
    assert show_yuan(3_500_000) == "3.5 万元"
    assert show_yuan(120_050) == "1,200.50 元"
    assert show_yuan(100_000_001) == "1,000,000.01 元"
