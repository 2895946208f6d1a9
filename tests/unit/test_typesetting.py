"""Papers are set from data that stays data, in one font; what the font lacks is named."""

from __future__ import annotations

from datetime import UTC, datetime

import pypdfium2
import pytest

from market.contracts.papers import typesetting
from market.contracts.papers.typesetting import CannotSet, typeset

MOMENT = datetime(2026, 1, 5, 2, tzinfo=UTC)
LETTER = {
    "no": "HT2026000001",
    "issuer": "甲县登记所",
    "marks": [],
    "footer": "县域技术市场",
    "letter": "HT2026000001-补1",
    "filer": "食品研究所",
    "subject": "复合调味包",
    "missing": ["印章与名称不符"],
    "after": "",
    "day": "2026年1月5日",
}


def text_of(pdf):
    """The text of all pages, without line ends."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    return "".join(pages).replace("\r\n", "")


def test_what_people_typed_never_acts_as_markup():
    typed = '#emph[x] $a^2$ \\u{1F600} = 标题 #import "@preview/x:1.0.0" *a* _b_ `c` // d'
    text = text_of(typeset("deficiency", {**LETTER, "missing": [typed]}, MOMENT))
    assert "".join(typed.split()) in "".join(text.split())


def test_rare_characters_are_there_and_the_same_data_makes_the_same_file():
    data = {**LETTER, "filer": "𠮷林㐂堃㛃·乡村（股份）有限公司"}
    made = typeset("deficiency", data, MOMENT)
    assert "𠮷林㐂堃㛃·乡村（股份）有限公司" in text_of(made)
    assert made == typeset("deficiency", data, MOMENT)


@pytest.mark.parametrize(
    ("character", "code"), [("😀", "U+1F600"), ("ꀀ", "U+A000"), ("\U0001f468", "U+1F468")]
)
def test_a_character_that_the_font_lacks_is_named_with_its_place(character, code):
    with pytest.raises(CannotSet) as caught:
        typeset("deficiency", {**LETTER, "missing": [f"名称写成{character}了"]}, MOMENT)
    assert f"「{character}」（{code}）" in caught.value.message
    assert "名称写成" in caught.value.message


def test_long_names_stay_on_the_page():
    name = "国家杂交水稻工程技术研究中心" * 14
    document = pypdfium2.PdfDocument(typeset("deficiency", {**LETTER, "filer": name}, MOMENT))
    try:
        page = document[0]
        left, _bottom, right, _top = (20 / 25.4 * 72, 0, 190 / 25.4 * 72, 0)
        for one in page.get_objects():
            box = one.get_bounds()
            assert left <= box[0]
            assert box[2] <= right
    finally:
        document.close()


def test_the_font_is_the_one_that_was_looked_at():
    assert typesetting.trouble() is None
