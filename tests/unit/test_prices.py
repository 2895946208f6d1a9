"""Prices and budgets as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from market.catalogue.schemas import SCHEMAS, price_text, read_price
from market.core.money import HIGHEST_FEN, NotMoney, format_yuan, parse_yuan

GOOD = {"title": "名称", "summary": "简介"}
WAN = 1_000_000  # fen


def load(kind, **row):
    loaded = SCHEMAS[kind].load(GOOD | row)
    return [loaded.get(key) for key in ("price_mode", "price_min_fen", "price_max_fen")]


def refused(kind, **row) -> dict:
    with pytest.raises(ValidationError) as caught:
        SCHEMAS[kind].load(GOOD | row)
    return caught.value.normalized_messages()


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("12万", 12, 12),
        ("１２ 万", 12, 12),
        ("12w", 12, 12),
        ("1.2亿", 12_000, 12_000),
        ("五", None, None),
        ("人民币12万元整", 12, 12),
        ("3千万", 3_000, 3_000),
        ("10-20万", 10, 20),
        ("10万～20万元", 10, 20),
        ("10 至 20 万", 10, 20),
        ("10万元——20万元", 10, 20),
        ("100000-200000", 10, 20),
        ("10万-1千万", 10, 1000),
    ],
)
def test_prices(text, low, high):
    if low is None:
        with pytest.raises(NotMoney):
            read_price(text)
    else:
        assert read_price(text) == (low * WAN, high * WAN)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("12万3", "不是金额"),
        ("约12万", "不是金额"),
        ("12万元/年", "不是金额"),
        ("1-2-3", "不是金额"),
        ("10-", "不是金额"),
        ("1e5", "不是金额"),
        ("-5", "是负数"),
        ("20-10万", "前一个数比后一个大"),
        ("9" * 30, "大得不合情理"),
        ("0.001", "最多写到分"),
    ],
)
def test_what_is_no_price(text, why):
    with pytest.raises(NotMoney, match=why):
        read_price(text)
    assert why in refused("achievement", price=text)["price"][0]


def test_modes():
    assert load("achievement", price="面议") == ["negotiable", None, None]
    assert load("achievement", price="12万") == ["fixed", 12 * WAN, 12 * WAN]
    assert load("achievement", price="10-12万", price_mode="定价") == ["range", 10 * WAN, 12 * WAN]
    assert load("achievement", price="10万", price_mode="入门费+提成")[0] == "entry_royalty"
    assert load("achievement", price="/", price_mode="面议") == ["negotiable", None, None]
    assert load("demand", budget="面议", budget_mode="定价") == ["negotiable", None, None]
    assert load("achievement", price=120000.0) == ["fixed", 12 * WAN, 12 * WAN]


def test_a_fault_is_named_at_the_column_of_the_file():
    assert refused("demand", budget="abc") == {
        "budget": ["「abc」不是金额，请写成 120000、12万 或 10万-20万，单位为元。"]
    }
    assert refused("demand", budget_mode="区间") == {
        "budget": ["选了「区间」就要填拟投入资金（元）。"]
    }
    assert refused("achievement", price_mode="定价") == {
        "price": ["选了「定价」就要填价格（元）。"]
    }


AMOUNTS = st.integers(0, HIGHEST_FEN)


@given(AMOUNTS, AMOUNTS)
def test_prices_go_out_and_come_in(one, other):
    low, high = sorted((one, other))
    assert parse_yuan(format_yuan(low)) == low
    assert read_price(price_text(low, high)) == (low, high)


@given(st.text(max_size=60))
def test_any_text_is_a_price_or_not(text):
    try:
        low, high = read_price(text)
    except NotMoney:
        return
    assert 0 <= low <= high <= HIGHEST_FEN
