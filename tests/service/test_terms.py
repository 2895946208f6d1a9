"""Code lists: what people write for an entry, and importing lists."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from market.catalogue import terms
from market.catalogue.models import Term
from market.core.db import db
from market.core.errors import Conflict
from market.core.importing import undo_import
from market.core.permissions import SYSTEM
from market.rooms import KINDS
from tests.service.clerk import lines, load, sentences, sheet


@pytest.fixture(autouse=True)
def fresh(app):
    """A process believes the lists it has read for a minute."""
    terms.forget()
    yield
    terms.forget()


UNDERSTOOD = [
    ("field", "生物医药及健康", "biomedicine"),
    ("field", " 新 材 料 ", "materials"),
    ("field", "agriculture", "agriculture"),
    ("industry", "C14", "C14"),
    ("industry", "c14", "C14"),
    ("industry", "C14 食品制造业", "C14"),
    ("industry", "农、林、牧、渔业", "A"),
]


def test_what_people_write(app, subtests):
    for scheme, word, code in UNDERSTOOD:
        with subtests.test(str((scheme, word, code))):
            assert terms.resolve(scheme, [word]) == ([code], [])


def test_unknown_words_stay(app):
    assert terms.resolve("field", ["新材料/航空航天", "卫生事业发展", "新材料，怪"]) == (
        ["materials", "aerospace", "卫生事业发展", "新材料，怪"],
        ["卫生事业发展", "新材料，怪"],
    )


def bring(tmp_path, *rows, **options):
    return load("terms", lines(tmp_path / "t.jsonl", *rows), **options)


def entry(**more):
    return {"scheme": "技术领域", "code": "pickles", "label": "泡菜工艺"} | more


BAD = [
    (
        {"scheme": "星座"},
        "「代码表」：「星座」不在选项中，可选：技术领域、应用行业、学科分类、同义词。",
    ),
    ({"scheme": None}, "「代码表」：必填。"),
    ({"label": " "}, "「名称」：必填。"),
    ({"code": {"a": 1}}, "「代码」：应为文字"),
    ({"parent_code": "nowhere"}, "「上级代码」：没有代码为 nowhere 的上级"),
    ({"parent_code": "pickles"}, "「上级代码」：上级不能是这一条自己"),
    ({"valid_to": "2025-02-30"}, "「失效日期」：没有「2025-02-30」这一天"),
]


def test_bad_cells(tmp_path, subtests):
    for given, words in BAD:
        with subtests.test(str((given, words))):
            result = bring(tmp_path, entry(**given))
            assert words in sentences(result)[0]
            assert result.line() == "imported 0, updated 0, unchanged 0, rejected 1"


def test_a_new_entry_is_known_at_once(tmp_path):
    assert terms.resolve("field", ["泡菜"])[1] == ["泡菜"]
    row = entry(aliases="泡菜|酱腌菜", parent_code="agriculture", valid_from="2025.3")
    assert bring(tmp_path, row).imported == 1
    assert terms.resolve("field", ["酱腌菜", "泡菜工艺"]) == (["pickles"], [])
    assert bring(tmp_path, row).line() == "imported 0, updated 0, unchanged 1, rejected 0"
    assert bring(tmp_path, row | {"label": "泡菜"}).updated == 1
    assert bring(tmp_path, entry(label="泡菜")).unchanged == 1, "what is not there changes nothing"


def test_the_scheme_of_rows_that_name_none(tmp_path):
    path = sheet(tmp_path / "t.xlsx", ["代码表", "代码", "名称"], ["", 151.0, "酒的制造"])
    assert load("terms", path).refused
    assert load("terms", path, scheme="industry").imported == 1
    assert db.session.get(Term, ("industry", "151")).label == "酒的制造"


def test_duplicates(tmp_path):
    assert bring(tmp_path, entry(), entry()).line() == (
        "imported 1, updated 0, unchanged 1, rejected 0"
    )
    result = bring(tmp_path, entry(code="x"), entry(code="x", label="别的"))
    assert "与第 1 行是同一个代码但内容不同" in sentences(result)[0]
    assert bring(tmp_path, entry(code="y"), entry(code="y", scheme="industry")).imported == 2


def test_a_tree_in_the_words_of_others(tmp_path):
    """A list as found elsewhere: code, name, level, parent in one JSON array."""
    rows = [
        {"code": "C151", "name": "酒的制造", "level": 3, "parent": "C15"},
        {"code": "C1511", "name": "酒精制造", "level": 4, "parent": "C151"},
    ]
    path = tmp_path / "t.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    result = load("terms", path, scheme="industry")
    assert result.imported == 2
    assert sentences(result) == [
        "第 1 行「level」：不认识这一项，未导入：「level」（之后各行同样）。"
    ]
    query = select(Term.parent_code).where(Term.scheme == "industry", Term.code == "C1511")
    assert db.session.scalar(query) == "C151"
    path.write_text(json.dumps(rows[::-1]), encoding="utf-8")
    assert load("terms", path, scheme="industry").unchanged == 2


def test_an_import_of_terms_is_not_undone(tmp_path):
    run_id = bring(tmp_path, entry()).run_id
    with pytest.raises(Conflict, match="更正后的文件"):
        undo_import(run_id, KINDS, SYSTEM)
