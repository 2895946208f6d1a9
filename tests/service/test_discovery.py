"""Searching as readers do, on the demonstration data."""

import pytest
from sqlalchemy import select

from market.catalogue.models import Listing
from market.core.db import db
from market.core.permissions import PUBLIC
from market.demo.load import load_demo
from market.discovery import engine, queries
from market.discovery.forms import SearchForm
from market.discovery.indexer import Indexer
from search_index import IndexMissing

STORIES = [
    ("复合调味包 胀袋", "demo-xq-001"),
    ("连续化杀青", "demo-cg-001"),
    ("三台 畜禽粪污", "demo-xq-002"),
    ("八眉猪 保质期", "demo-xq-003"),
    ("枸杞 变温干燥", "demo-cg-002"),
    ("耐盐小麦 新品种", "demo-cg-003"),
    ("红原 草地沙化", "demo-xq-004"),
]


def _search(**form):
    return queries.search(PUBLIC, SearchForm(**form))


@pytest.mark.parametrize(("words", "source_id"), STORIES)
def test_the_listings_of_the_stories_are_found_first(demo, words, source_id):
    kind = "demand" if "xq" in source_id else "achievement"
    first = _search(q=words, kind=(kind,)).page.items[0]
    assert db.session.scalar(select(Listing.source_id).where(Listing.no == first.no)) == source_id


def test_every_facet_count_is_what_choosing_it_gives(demo):
    base = SearchForm(q="加工", kind=("achievement",))
    for facet in queries.search(PUBLIC, base).facets:
        for value in facet.values:
            alone = _search(**{"q": "加工", "kind": ("achievement",), facet.name: (value.value,)})
            assert alone.page.total == value.count, (facet.name, value)


def test_regions_narrow_step_by_step(demo):
    country = _search()
    sichuan = _search(region=("510000",))
    meishan = _search(region=("510000", "511400"))
    assert country.page.total > sichuan.page.total > meishan.page.total > 0
    regions = next(facet for facet in sichuan.facets if facet.name == "region")
    assert {value.depth for value in regions.values} == {0, 1}
    assert _search(region=("370000", "511400")).page.total > meishan.page.total


def test_unknown_values_find_nothing_and_say_so(demo):
    for form in ({"region": ("999999",)}, {"stage": ("dream",)}, {"field": ("x",)}):
        page = _search(**form)
        assert page.page.total == 0
        assert page.ways


def test_nothing_found_offers_ways_out(demo):
    page = _search(
        q="连续化杀青 锂电池回收炉", kind=("demand",), region=("630000",), stage=("lab",)
    )
    assert page.page.total == 0
    labels = [way.label for way in page.ways]
    assert len(labels) >= 5
    assert any("去掉全部筛选" in label for label in labels)
    assert page.telephone is None or page.telephone.telephone


def test_the_sentence_says_what_is_shown(demo):
    found = _search(q="茶", region=("510000",), stage=("adopted",))
    assert found.sentence.startswith(f"显示 {found.page.total:,} 项：含「茶」")
    assert "地区为四川省" in found.sentence
    assert "所处阶段为已推广" in found.sentence
    removed = dict(found.chosen)["地区：四川省"]
    assert "region" not in removed
    assert "stage=adopted" in removed


def test_reasons_and_marks(demo):
    card = _search(q="杀青").page.items[0]
    assert "<mark>杀青</mark>" in card.title_html
    assert any("名称含" in reason for reason in card.reasons)


def test_sorts(demo):
    prices = [card.price_label for card in _search(sort="price", kind=("achievement",)).page.items]
    assert prices[0]
    dates = [card.updated for card in _search(sort="newest").page.items]
    assert dates == sorted(dates, reverse=True)


def test_before_its_first_filling_the_index_is_said_to_be_missing(app):
    """Listings are there, the worker has not built the index yet."""
    own = Indexer()
    assert own.become_writer()
    assert engine.ready()  # nothing to find yet
    list(load_demo())
    assert not engine.ready()
    with pytest.raises(IndexMissing):
        queries.search(PUBLIC, SearchForm(q="茶"))
    own.rebuild()
    assert engine.ready()
    assert queries.search(PUBLIC, SearchForm(q="茶")).page.total
    own.close()


def test_everyday_names_find_the_proper_ones(demo):
    assert _search(q="土豆").page.total == _search(q="马铃薯").page.total > 0
    assert _search(q="西红柿").page.total == _search(q="番茄").page.total > 0
