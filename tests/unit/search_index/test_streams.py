"""What documents hold is what queries ask for."""

import pytest

from search_index.text import characters, fold, streams, tokens, trigrams

TEXTS = [
    "",
    "水",
    "水稻秸秆还田技术，500 kg/h；ＰＭ2.5 B超",
    "一二三四 五六 七",
    "covid-19 ZL202010566088.9",
    "臺灣茶葉𠀀加工〇々",
    "x" * 200,
]


@pytest.mark.parametrize("text", TEXTS)
def test_one_pass_finds_what_three_find(text):
    folded = fold(text)
    assert streams(folded) == (tokens(folded), trigrams(folded), characters(folded))
