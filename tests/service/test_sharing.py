"""Side by side, what is akin, tables to take away, feeds and maps: on the demonstration data."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta

import openpyxl
import pytest
import time_machine

from market.catalogue import queries as catalogue
from market.catalogue import service
from market.core import clock
from market.core.permissions import PUBLIC, SYSTEM
from market.discovery import compare, exports, feeds, queries, related
from market.discovery.forms import SearchForm
from market.discovery.indexer import Indexer

BASE = "https://market.example.gov.cn"
FOUR = ["CG2026000001", "CG2026000002", "CG2026000003", "XQ2026000001"]


@pytest.fixture
def indexed(demo):
    """Brings changes into the index."""
    own = Indexer()
    yield own.run
    own.close()


def test_four_side_by_side_in_the_order_named(demo):
    table = compare.compare(PUBLIC, list(reversed(FOUR)))
    assert [one.listing.no for one in table.columns] == FOUR[::-1]
    assert table.full
    assert table.left_out == []
    keys = [row.key for row in table.rows]
    known = [key for key in compare.ORDER if key in keys]
    assert keys == ["kind", *known]
    assert all(any(row.values) for row in table.rows)
    price = next(row for row in table.rows if row.key == "price")
    assert price.values[3] == catalogue.get(PUBLIC, "achievement", FOUR[0]).shown["price"]
    assert FOUR[3] not in table.columns[0].without
    assert FOUR[0] in table.columns[0].without


def test_what_cannot_be_compared_is_named(demo):
    service.withdraw(SYSTEM, "CG2026000002", "停止")
    table = compare.compare(PUBLIC, ["CG2026000002", "CG1", FOUR[0], FOUR[0], "<b>"])
    assert [one.listing.no for one in table.columns] == [FOUR[0]]
    assert len(table.left_out) == 3
    assert "CG2026000002" in table.left_out[0]


def test_the_fifth_stays_outside(demo):
    table = compare.compare(PUBLIC, [*FOUR, "CG2026000005"])
    assert len(table.columns) == 4
    assert table.left_out == ["一次最多对比 4 项，CG2026000005 没有放进来。"]


def test_a_table_without_numbers_is_empty(demo):
    assert compare.compare(PUBLIC, []) == compare.Compared([], [], [])


def test_the_order_of_the_table_knows_all_fields(app):
    """A field that is added to the schemas has a place in the table, or is named here."""
    from market.catalogue.display import SHOWERS

    elsewhere = {"no", "source_id", "title", "owner_uscc", "owner_name", "region", "price_mode"}
    elsewhere |= {"keywords", "fields", "industries", "disciplines", "contact", "contact_phone"}
    elsewhere |= {"attribute", "form", "started", "finished", "completing_units", "source"}
    elsewhere |= {"evaluation_no", "price_min_fen", "price_max_fen", "name_hidden"}
    fields = {key for shown in SHOWERS.values() for key, _ in shown}
    assert fields - set(compare.ORDER) - elsewhere == set()


def test_akin_listings_share_words_and_need_no_sql(demo, monkeypatch):
    listing = catalogue.get(PUBLIC, "demand", "XQ2026000002")
    statements = []
    monkeypatch.setattr("market.core.db.db.session.execute", statements.append)
    found = related.of(PUBLIC, listing)
    assert statements == []
    assert 0 < len(found.similar) <= 5
    assert 0 < len(found.fitting) <= 3
    assert {card.kind for card in found.similar} == {"demand"}
    assert {card.kind for card in found.fitting} == {"achievement"}
    assert listing.no not in {card.no for card in found.similar}
    assert "沼液还田" in found.fitting[0].reasons[0]
    assert not any("演示" in reason for card in found.similar for reason in card.reasons)


def test_nothing_akin_is_better_than_anything(demo):
    listing = catalogue.get(PUBLIC, "achievement", FOUR[0])
    strange = replace(listing, title="量子纠缠与技术", content={})
    found = related.of(PUBLIC, strange)
    assert (found.similar, found.fitting) == ([], [])
    assert related.of(PUBLIC, replace(strange, title="技术研究")) == related.Related()
    for text in ('"', "-茶 OR", "（）", "a" * 5000):
        related.of(PUBLIC, replace(strange, title=text))


def test_an_index_that_is_not_there_takes_nothing_from_the_page(app, tmp_path):
    from tests.service.clerk import achievement, lines, load, organisations

    organisations(tmp_path)
    load("achievements", lines(tmp_path / "a.jsonl", achievement()))
    listing = catalogue.get(PUBLIC, "achievement", f"CG{clock.today().year}000001")
    assert related.of(PUBLIC, listing) == related.Related()


def shown(form):
    """All cards of a search, page by page, as a reader sees them."""
    first = queries.search(PUBLIC, form).page
    pages = [queries.search(PUBLIC, replace(form, page=n + 1)).page for n in range(first.pages)]
    return [card for page in pages for card in page.items]


@pytest.mark.parametrize(
    "form",
    [
        SearchForm(),
        SearchForm(q="加工 技术", page=3),
        SearchForm(sort="price", kind=("achievement",)),
        SearchForm(q="茶", region=("510000",), stage=("pilot", "adopted")),
        SearchForm(q="没有这种东西", kind=("demand",)),
        SearchForm(sort="near", near="511803"),
        SearchForm(q="茶", sort="near", region=("630000", "511803")),
        SearchForm(sort="near", near="511803", region=("000000",)),
    ],
)
def test_a_table_holds_exactly_what_is_shown(demo, tmp_path, form):
    found = exports.export(PUBLIC, form, BASE)
    count = exports.write(found, tmp_path / "all.csv")
    with (tmp_path / "all.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    cards = shown(replace(form, page=1))
    assert count == len(rows) == len(cards)
    assert [row["编号"] for row in rows] == [card.no for card in cards]
    for row, card in zip(rows, cards, strict=True):
        assert row["名称"] == card.title
        assert row["价格或投入"] == card.price_label
        assert row["网址"] == BASE + card.url
        assert row["备注"] == "演示数据"
    assert found.sentence == queries.search(PUBLIC, replace(form, page=1)).sentence


def test_a_workbook_says_what_was_asked_on_a_sheet_of_its_own(demo, tmp_path):
    exports.write(exports.export(PUBLIC, SearchForm(q="茶"), BASE), tmp_path / "all.xlsx")
    book = openpyxl.load_workbook(tmp_path / "all.xlsx")
    assert book.sheetnames == ["数据", "说明"]
    assert [cell.value for cell in book["数据"][1]] == list(exports.COLUMNS.values())
    assert "含「茶」" in book["说明"]["B1"].value
    assert book["数据"].max_row == queries.search(PUBLIC, SearchForm(q="茶")).page.total + 1


def test_a_long_list_is_cut_and_said_to_be(demo, tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "MOST_ROWS", 7)
    monkeypatch.setattr(exports, "_BATCH", 3)
    found = exports.export(PUBLIC, SearchForm(), BASE)
    assert found.cut
    assert exports.write(found, tmp_path / "all.xlsx") == 7
    notes = openpyxl.load_workbook(tmp_path / "all.xlsx")["说明"]
    assert "只导出前 7 行" in notes["B3"].value


def test_no_cell_of_a_table_runs_as_a_formula(demo, tmp_path, indexed):
    service.revise(SYSTEM, FOUR[0], {"title": '@SUM(1+1)*cmd|" /C calc"!A0 茶', "result": "-3 ℃"})
    indexed()
    form = SearchForm(q="CG2026000001")
    exports.write(exports.export(PUBLIC, form, BASE), tmp_path / "one.csv")
    text = (tmp_path / "one.csv").read_text(encoding="utf-8-sig")
    row = next(csv.DictReader(text.splitlines()))
    assert row["名称"].startswith("'@SUM")
    assert row["结果或指标"] == "'-3 ℃"
    exports.write(exports.export(PUBLIC, form, BASE), tmp_path / "one.xlsx")
    cells = openpyxl.load_workbook(tmp_path / "one.xlsx")["数据"][2]
    assert cells[2].value.startswith("@SUM")
    assert {cell.data_type for cell in cells} <= {"s", "n"}  # text; "n" also stands for empty


def test_a_feed_changes_only_with_its_listings(demo, indexed):
    def entry(no):
        return next(one for one in feed().entries if one.card.no == no)

    def feed():
        return feeds.feed(PUBLIC, SearchForm(q="杀青", kind=("achievement",)), BASE)

    no, first = FOUR[0], feed()
    assert first == feed()
    before = entry(no)
    assert before.id == f"tag:market.example.gov.cn,2026:{no}"
    service.revise(SYSTEM, no, {})  # nothing was changed
    assert entry(no) == before
    with time_machine.travel(clock.now() + timedelta(hours=3)):
        service.revise(SYSTEM, no, {"result": "能耗下降 31 %"})
        indexed()
        after = entry(no)
    assert after.id == before.id
    assert after.published == before.published
    assert after.updated >= before.updated + timedelta(hours=3)
    assert feed().updated == after.updated
    service.withdraw(SYSTEM, no, "停止")
    indexed()
    assert no not in {one.card.no for one in feed().entries}


def test_a_feed_has_the_newest_first_and_an_end(demo):
    feed = feeds.feed(PUBLIC, SearchForm(q="茶", sort="price", page=9), BASE)
    assert feed.address == "/feed.atom?q=%E8%8C%B6"
    dates = [one.card.updated for one in feed.entries]
    assert dates == sorted(dates, reverse=True)
    assert len(feeds.feed(PUBLIC, SearchForm(), BASE).entries) == feeds.ENTRIES
    empty = feeds.feed(PUBLIC, SearchForm(q="量子纠缠", kind=("demand",)), BASE)
    assert empty.entries == []
    assert empty.updated == feeds.feed(PUBLIC, SearchForm(q="量子纠缠"), BASE).updated


def test_the_map_names_every_public_listing_once(demo, monkeypatch):
    service.withdraw(SYSTEM, FOUR[1], "停止")
    monkeypatch.setattr(feeds, "PART", 50)
    assert feeds.parts(PUBLIC) == 3
    rows = [row for number in range(1, 4) for row in feeds.part(PUBLIC, number)]
    addresses = [address for address, _ in rows]
    assert len(addresses) == len(set(addresses)) == 119
    assert f"/achievements/{FOUR[1]}" not in addresses
    assert all(len(feeds.part(PUBLIC, number)) <= 50 for number in range(1, 4))
    assert "/regions/511402" in feeds.pages(PUBLIC)
    assert "/regions/650000" not in feeds.pages(PUBLIC)
