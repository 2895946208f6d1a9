"""What documents hold is what queries ask for."""

import pytest

from search_index.text import PART, characters, fold, streams, tokens, trigrams

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


def test_several_texts_in_one_call():
    folded = [fold(text) for text in TEXTS]
    found = streams(PART.join(folded))
    assert sorted(found[0]) == sorted(token for text in folded for token in tokens(text))
    assert found[1] == [triple for text in folded for triple in trigrams(text)]
    apart = [characters(text) for text in folded]
    assert found[2] == [one for stream in apart for one in (*stream, PART)][:-1]
