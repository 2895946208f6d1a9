"""Searching as readers do, on the demonstration data."""

import random
import re
from datetime import date
from itertools import takewhile
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from market.catalogue.models import PRICE_BANDS, Listing, Revision
from market.core import clock
from market.core.db import db
from market.core.permissions import PUBLIC
from market.demo.load import load_market
from market.discovery import engine, near, queries
from market.discovery.forms import FILTERS, SearchForm, read
from market.discovery.indexer import Indexer
from market.regions.models import FormerCode, Region
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


def _random_form(chance, facets):
    """A search with some values of what the last page offered."""
    chosen = {}
    for facet in chance.sample(list(facets), min(len(facets), chance.randrange(4))):
        offered = [value.value for value in facet.values if value.count]
        chosen[facet.name] = tuple(chance.sample(offered, min(len(offered), 2)))
    return SearchForm(q=chance.choice(("", "加工", "茶 烘干", "水")), **chosen)


@pytest.mark.parametrize("seed", range(8))
def test_every_facet_count_is_what_choosing_it_gives(demo, seed):
    """The count beside a value: results if it were chosen alone in its group, all else kept."""
    chance = random.Random(seed)
    form = SearchForm()
    for _round in range(2):
        found = queries.search(PUBLIC, form)
        assert {facet.name for facet in found.facets} <= set(FILTERS)
        for facet in found.facets:
            for value in chance.sample(list(facet.values), min(4, len(facet.values))):
                alone = queries.cards(PUBLIC, form.but(**{facet.name: (value.value,)}))
                assert alone.total == value.count, (form, facet.name, value)
        form = _random_form(chance, found.facets)


def test_all_groups_are_offered(demo):
    assert [facet.name for facet in _search().facets] == list(FILTERS)


def test_a_page_of_search_is_one_engine_request(demo, monkeypatch):
    asked = []
    monkeypatch.setattr(near, "ask", lambda request: asked.append(request) or engine.ask(request))
    assert _search(q="加工", kind=("demand",), date=("365d",)).page.total
    assert len(asked) == 1


def test_a_section_opens_its_divisions_and_one_of_them_narrows(demo):
    industries = {value.value: value for value in _values(_search(), "industry")}
    assert {value.depth for value in industries.values()} == {0}
    opened = _values(_search(industry=("C",)), "industry")
    divisions = [value for value in opened if value.depth == 1]
    assert all(value.value.startswith("C") for value in divisions)
    inner = divisions[0]
    both = _search(industry=("C", inner.value))
    assert both.page.total == inner.count < industries["C"].count
    either = _search(industry=("A", inner.value))
    assert either.page.total > max(inner.count, industries["A"].count) - 1


def test_chosen_values_are_always_shown(demo):
    rare = _values(_search(), "field")[-1]
    facet = queries.facet_page(PUBLIC, SearchForm(), "field").facet
    last = facet.values[-1]
    assert last.count <= rare.count
    shown = _values(_search(field=(last.value,)), "field")
    assert [value.value for value in shown if value.chosen] == [last.value]


def test_price_bands_hold_what_they_say(demo):
    for code, (_label, low, high) in PRICE_BANDS.items():
        nos = [
            card.no
            for card in queries.cards(PUBLIC, SearchForm(price_band=(code,), per_page=100)).items
        ]
        query = select(Revision.price_min_fen, Revision.price_max_fen).join(
            Listing, Listing.current_id == Revision.id
        )
        for least, most in db.session.execute(query.where(Listing.no.in_(nos))):
            assert (most if most is not None else least) >= low
            assert high is None or least < high
    total = _search().page.total
    priced = _search(price_band=(*PRICE_BANDS, "negotiable")).page.total
    assert 0 < priced <= total


def test_times(demo):
    today = clock.today()
    everything = _search(date=("365d", str(today.year), str(today.year - 1)))
    assert everything.page.total == _search().page.total
    days = [card.updated for card in queries.cards(PUBLIC, SearchForm(per_page=100)).items]
    middle = sorted(days)[len(days) // 2]
    since = queries.cards(PUBLIC, SearchForm(since=middle, per_page=100))
    until = queries.cards(PUBLIC, SearchForm(until=middle, per_page=100))
    assert min(card.updated for card in since.items) == middle
    assert max(card.updated for card in until.items) == middle
    reversed_days = _search(since=date(2026, 5, 1), until=date(2026, 4, 1))
    assert reversed_days.page.total == 0
    assert any("起始日期" in note for note in reversed_days.notes)
    assert _search(since=date.min, until=date.max).page.total == _search().page.total


def test_a_group_on_its_own_page(demo):
    form = SearchForm(q="加工", region=("510000",))
    whole = queries.facet_page(PUBLIC, form, "industry")
    assert whole.page.total == len(whole.facet.values) > 8
    for value in list(whole.page.items)[::5]:
        assert queries.cards(PUBLIC, form.but(industry=(value.value,))).total == value.count
    some = queries.facet_page(PUBLIC, form.but(industry=("A",)), "industry", "制造")
    assert some.facet.values
    assert all("制造" in value.label for value in some.facet.values)
    assert some.kept == ["A"]
    county = queries.facet_page(PUBLIC, SearchForm(), "region", "dpq").facet.values
    assert [value.value for value in county] == ["511402"]
    assert county[0].count == _search(region=("511402",)).page.total > 0
    assert queries.facet_page(PUBLIC, SearchForm(), "field", "没有这种").page.total == 0


def test_leading_industries_of_a_county_come_first(demo):
    names = _values(_search(), "leading")
    assert all(":" not in value.value for value in names)
    assert [value.count for value in names] == sorted((v.count for v in names), reverse=True)
    own = _values(_search(region=("511402",)), "leading")
    assert 0 < len(own) <= 5
    assert all(value.value.startswith("511402:") for value in own)
    chosen = _search(region=("511402",), leading=(own[0].value,))
    assert chosen.page.total == own[0].count
    assert f"主导产业为东坡 {own[0].label}" in chosen.sentence
    # The value stays when the county is taken away.
    alone = _search(leading=(own[0].value,))
    assert [value.value for value in _values(alone, "leading") if value.chosen] == [own[0].value]


def _values(found, name):
    return next(facet.values for facet in found.facets if facet.name == name)


def test_regions_narrow_step_by_step(demo):
    country = _search()
    sichuan = _search(region=("510000",))
    meishan = _search(region=("510000", "511400"))
    assert country.page.total > sichuan.page.total > meishan.page.total > 0
    regions = next(facet for facet in sichuan.facets if facet.name == "region")
    assert {value.depth for value in regions.values} == {0, 1}
    assert _search(region=("370000", "511400")).page.total > meishan.page.total


NEAR = [
    {"near": "511402"},
    {"near": "511402", "q": "加工"},
    {"near": "511402", "region": ("510000", "370000")},
    {"near": "510000", "kind": ("demand",)},
    {"near": "511402", "region": ("511400",), "stage": ("pilot", "production")},
    {"region": ("510000",)},
    {"near": "630000", "region": ("511402",)},
]


@pytest.mark.parametrize("asked", NEAR)
def test_from_near_to_far(demo, asked):
    """Every listing once, those that share more of the way down the tree first."""
    form = SearchForm(sort="near", per_page=7, **asked)
    plain = queries.cards(PUBLIC, form.but(sort="newest", per_page=100))
    pages = [queries.search(PUBLIC, form.but(page=page)) for page in range(1, 20)]
    assert {found.page.total for found in pages} == {plain.total}
    listed = [card for found in pages for card in found.page.items]
    everything = {
        card.no
        for page in (1, 2)
        for card in queries.cards(PUBLIC, form.but(sort="newest", per_page=100, page=page)).items
    }
    assert len(listed) == plain.total
    assert {card.no for card in listed} == everything
    codes = {card.region_code for card in listed}
    paths = dict(
        db.session.execute(select(Region.code, Region.path).where(Region.code.in_(codes))).all()
    )
    where = asked.get("near") or asked["region"][0]
    here = db.session.scalar(select(Region.path).where(Region.code == where))
    shared = [_shared(here, paths[card.region_code]) for card in listed]
    assert shared == sorted(shared, reverse=True)
    assert len(set(shared)) > 1 or "region" in asked
    assert [card.no for card in queries.cards(PUBLIC, form).items] == [
        card.no for card in pages[0].page.items
    ]


def _shared(one, other):
    pairs = zip(one.split("/")[1:-1], other.split("/")[1:-1], strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def test_near_an_unknown_place_is_said_and_the_usual_order(demo):
    found = _search(sort="near", near="999999")
    assert [note for note in found.notes if "999999" in note]
    assert [c.no for c in found.page.items] == [c.no for c in _search().page.items]
    assert _search(sort="near").form.order == "newest"


UNKNOWN = {
    "kind": "thing",
    "call": "shut",
    "region": "999999",
    "leading": "没有的产业",
    "field": "x",
    "industry": "Z99",
    "stage": "dream",
    "mode": "gift",
    "price_band": "free",
    "owner_kind": "cat",
    "date": "0000",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_values_find_nothing_and_say_so(demo, name):
    page = _search(**{name: (UNKNOWN[name],)})
    assert page.page.total == 0
    assert len(page.ways) >= 5
    assert [note for note in page.notes if UNKNOWN[name] in note and FILTERS[name] in note]


def test_an_unknown_value_beside_a_known_one_changes_nothing(demo):
    page = _search(stage=("dream", "pilot"), region=("999999", "510000"))
    assert page.page.total == _search(stage=("pilot",), region=("510000",)).page.total > 0
    assert len(page.notes) == 2


def test_a_former_code_counts_as_the_present_one(demo):
    former = db.session.execute(select(FormerCode.code, Region.code).join(Region)).first()
    page = _search(region=(former[0],))
    assert not page.notes
    assert [v.value for v in _values(page, "region") if v.chosen] == [former[1]]


def test_nothing_found_offers_ways_out(demo):
    page = _search(
        q="连续化杀青 锂电池回收炉", kind=("demand",), region=("630000",), stage=("lab",)
    )
    assert page.page.total == 0
    labels = [way.label for way in page.ways]
    assert len(labels) >= 5
    assert any("去掉全部筛选" in label for label in labels)
    assert page.telephone is None or page.telephone.telephone


@pytest.mark.parametrize("q", ['"茶叶 柠檬"', "“茶叶 柠檬”", "茶 -茶"])
def test_signs_are_not_taken_for_words_on_the_way_out(demo, q):
    ways = _search(q=q).ways
    assert len(ways) >= 5
    assert not [way for way in ways if re.search("有其中一个词|只找「[^茶]", way.label)]


def test_a_phrase_that_stands_nowhere_is_offered_without_its_quotes(demo):
    found = _search(q="“茶叶杀青机组”")
    assert found.page.total == 0
    [way] = [one for one in found.ways if one.label == "不加引号找：茶叶杀青机组"]
    form = read(MultiDict(parse_qsl(urlsplit(way.url).query)))
    assert way.note == f"{queries.cards(PUBLIC, form).total:,} 项"
    assert not [one for one in _search(q="“”").ways if "不加引号" in one.label]


def test_ways_out_lead_where_they_say(demo):
    """Neighbours, the wider region and looser filters: as many listings as promised."""
    quiet = _search(q="杀青", region=("511402",), stage=("lab",), kind=("demand",))
    assert quiet.page.total == 0
    promised = [way for way in quiet.ways if way.note.endswith(" 项")]
    assert promised
    assert list(quiet.ways)[: len(promised)] == promised
    for way in promised:
        form = read(MultiDict(parse_qsl(urlsplit(way.url).query)))
        assert f"{queries.cards(PUBLIC, form).total:,} 项" == way.note, way
    post = next(way for way in quiet.ways if way.url.startswith("/post/demand"))
    assert dict(parse_qsl(urlsplit(post.url).query)) == {"need": "杀青", "region": "511402"}
    assert quiet.telephone


def test_neighbours_with_results_are_named(demo):
    home, beside = "511402", None
    for (code,) in db.session.execute(select(Region.code).where(Region.code.like("5114__"))):
        if code not in {"511400", home} and _search(region=(code,)).page.total:
            beside = code
    assert beside
    title = queries.cards(PUBLIC, SearchForm(region=(beside,))).items[0].title
    found = _search(q=f'"{title}"', region=(home,))
    assert found.page.total == 0
    assert any(f"region={beside}" in way.url and "邻近" in way.label for way in found.ways)


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
    list(load_market())
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
