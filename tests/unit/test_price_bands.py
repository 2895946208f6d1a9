"""Prices fall into bands; a range into all it touches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.catalogue.models import PRICE_BANDS
from market.catalogue.rules import price_bands

WAN = 1_000_000  # fen


@pytest.mark.parametrize(
    ("mode", "low", "high", "bands"),
    [
        ("negotiable", None, None, ["negotiable"]),
        (None, None, None, []),
        ("fixed", 0, 0, ["under5"]),
        ("fixed", 5 * WAN - 1, 5 * WAN - 1, ["under5"]),
        ("fixed", 5 * WAN, 5 * WAN, ["5to20"]),
        ("range", 10 * WAN, 20 * WAN, ["5to20", "20to50"]),
        ("range", 3 * WAN, 200 * WAN, list(PRICE_BANDS)),
        ("entry_royalty", 30 * WAN, None, ["20to50"]),
        ("entry_royalty", None, None, []),
        ("fixed", 100 * WAN, 100 * WAN, ["over100"]),
    ],
)
def test_bands(mode, low, high, bands):
    assert price_bands(mode, low, high) == bands


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_every_amount_is_in_one_band_and_a_range_in_all_between(one, other):
    low, high = sorted((one, other))
    first, last = price_bands("fixed", low, low), price_bands("fixed", high, high)
    assert len(first) == len(last) == 1
    order = list(PRICE_BANDS)
    between = order[order.index(first[0]) : order.index(last[0]) + 1]
    assert price_bands("range", low, high) == between
