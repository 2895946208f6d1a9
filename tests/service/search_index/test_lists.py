"""Filters, facets, order and paging: the figures describe exactly the list."""

import random

import pytest

from search_index import BadCursor, FacetRequest, Range, SearchRequest
from tests.service.search_index.conftest import SCHEMA, doc, keys

WORDS = ("水稻", "小麦", "玉米", "大豆", "茶叶", "育种技术", "病虫害防治")
VALUES = {
    "kind": ("a", "d"),
    "region": ("51", "5101", "37", "3702"),
    "field": ("农", "工", "医", ""),
}
FACETS = [FacetRequest(name) for name in SCHEMA.filters]


def random_documents(seed, count):
    chance = random.Random(seed)
    made = []
    for number in range(count):
        filters = {
            name: chance.sample(values, chance.randrange(len(values)))
            for name, values in VALUES.items()
        }
        numbers = {
            name: chance.randrange(-5, 6) for name in SCHEMA.numbers if chance.random() < 0.7
        }
        made.append(
            doc(
                f"k{number}",
                "".join(chance.choices(WORDS, k=2)),
                "，".join(chance.choices(WORDS, k=3)),
                filters=filters,
                numbers=numbers,
            )
        )
    return made


def random_request(chance):
    filters = {
        name: chance.sample(values, chance.randrange(1, len(values)))
        for name, values in VALUES.items()
        if chance.random() < 0.4
    }
    query = chance.choice(
        ("", "水稻", "-水稻", "水稻 小麦", "“水稻”", "量子茶叶", "水稻 小麦 茶叶 玉米 大豆")
    )
    ranges = {"price": Range(gte=-2, lte=4)} if chance.random() < 0.3 else {}
    return query, filters, ranges


@pytest.mark.parametrize("seed", range(8))
def test_a_facet_count_is_the_total_with_that_value_alone(engine, seed):
    chance = random.Random(seed)
    documents = random_documents(seed, 60)
    for start in range(0, 60, 15):  # several segments
        engine.apply(documents[start : start + 15], [f"k{n}" for n in range(start - 15, start, 7)])
    for _ in range(6):
        query, filters, ranges = random_request(chance)
        page = engine.search(SearchRequest(query, filters, ranges, FACETS, limit=200))
        assert page.total == len(page.hits)
        for name, counts in page.facets.items():
            assert counts == sorted(counts, key=lambda item: (-item[1], item[0]))
            held = dict(counts)
            assert set(filters.get(name, ())) <= set(held)
            for value in VALUES[name]:
                chosen = SearchRequest(query, {**filters, name: [value]}, ranges)
                assert held.get(value, 0) == engine.search(chosen).total, (name, value)


def test_filters_are_or_within_and_and_between_fields(engine):
    engine.apply(
        [
            doc("1", filters={"region": ["51", "5101"], "kind": ["a"]}),
            doc("2", filters={"region": ["37"], "kind": ["a"]}),
            doc("3", filters={"region": ["37"], "kind": ["d"]}),
            doc("4"),
        ]
    )

    def found(**filters):
        return set(keys(engine.search(SearchRequest(filters=filters))))

    assert found(region=["51", "37"]) == {"1", "2", "3"}
    assert found(region=["51", "37"], kind=["a"]) == {"1", "2"}
    assert found(region=["5"]) == set()
    assert found(region=[]) == {"1", "2", "3", "4"}


def test_facets_of_few_values(engine):
    engine.apply(random_documents(3, 40))
    whole = dict(engine.search(SearchRequest(facets=FACETS)).facets["region"])
    page = engine.search(SearchRequest(facets=[FacetRequest("region", values=("37", "99"))]))
    assert page.facets["region"] == [("37", whole["37"])]
    page = engine.search(SearchRequest(facets=[FacetRequest("region", size=1)]))
    assert page.facets["region"] == [max(whole.items(), key=lambda item: item[1])]
    chosen = SearchRequest(filters={"region": ["99"]}, facets=[FacetRequest("region", size=1)])
    assert ("99", 0) in engine.search(chosen).facets["region"]
    none = engine.search(SearchRequest(facets=[FacetRequest("region", values=())]))
    assert none.facets["region"] == []


def test_ranges_are_closed_and_leave_out_what_has_no_number(engine):
    engine.apply([doc(str(n), numbers={"price": n}) for n in range(-2, 3)] + [doc("none")])

    def found(gte=None, lte=None):
        return set(keys(engine.search(SearchRequest(ranges={"price": Range(gte, lte)}))))

    assert found(-1, 1) == {"-1", "0", "1"}
    assert found(gte=1) == {"1", "2"}
    assert found(lte=-10) == set()
    assert found(2, 1) == set()
    assert found(-(10**30), 10**30) == {"-2", "-1", "0", "1", "2"}
    assert found(gte=10**30) == found(lte=-(10**30)) == set()
    assert found() == {"-2", "-1", "0", "1", "2", "none"}


@pytest.mark.parametrize("descending", [False, True])
def test_sorting_puts_missing_numbers_last(engine, descending):
    documents = random_documents(5, 50)
    for start in range(0, 50, 10):
        engine.apply(documents[start : start + 10])
    sort = "-price" if descending else "price"
    found = keys(engine.search(SearchRequest(sort=sort, limit=100)))
    held = {document.key: document.numbers.get("price") for document in documents}
    numbers = [held[key] for key in found]
    present = sorted((n for n in held.values() if n is not None), reverse=descending)
    assert numbers == present + [None] * (50 - len(present))


@pytest.mark.parametrize("sort", ["relevance", "date", "-date", "price", "-price"])
@pytest.mark.parametrize("query", ["", "水稻", "水稻 小麦 茶叶"])
def test_pages_by_offset_and_by_cursor_are_the_one_list(engine, query, sort):
    documents = [doc(f"same{n}", "水稻", numbers={"date": n % 3}) for n in range(60)]
    documents += random_documents(9, 30)
    for start in range(0, 90, 20):
        engine.apply(documents[start : start + 20])
    whole = keys(engine.search(SearchRequest(query, sort=sort, limit=200)))
    by_offset, by_cursor = [], []
    for offset in range(0, len(whole) + 7, 7):
        page = engine.search(SearchRequest(query, sort=sort, offset=offset, limit=7))
        assert page.total == len(whole)
        by_offset += keys(page)
    after = None
    while True:
        page = engine.search(SearchRequest(query, sort=sort, limit=7, after=after))
        assert page.total == len(whole)
        by_cursor += keys(page)
        after = page.next_after
        if after is None:
            break
    assert by_offset == by_cursor == whole
    assert len(set(whole)) == len(whole)


@pytest.mark.parametrize("sort", ["relevance", "-price"])
def test_the_order_of_equals_does_not_depend_on_history(open_index, engine, sort):
    documents = [doc(f"same{n}", "水稻", numbers={"price": n // 10}) for n in range(30)]
    for document in documents:
        engine.apply([document])
    before = keys(engine.search(SearchRequest("水稻", sort=sort, limit=100)))
    engine.rebuild(reversed(documents))
    assert keys(engine.search(SearchRequest("水稻", sort=sort, limit=100))) == before


def test_totals_are_exact_up_to_ten_thousand(engine):
    engine.rebuild(doc(str(n), "水稻") for n in range(10_050))
    page = engine.search(SearchRequest("水稻", offset=9_995, limit=10))
    assert (page.total, page.total_is, len(page.hits)) == (10_000, "at_least", 10)
    assert keys(engine.search(SearchRequest("水稻", offset=10_000))) == []
    seen = set(keys(page))
    while page.next_after:
        page = engine.search(SearchRequest("水稻", after=page.next_after, limit=10))
        assert not seen & set(keys(page))
        seen |= set(keys(page))
    assert len(seen) == 55
    engine.apply([], [str(n) for n in range(50)])
    page = engine.search(SearchRequest("水稻"))
    assert (page.total, page.total_is) == (10_000, "exact")


@pytest.mark.parametrize(
    "cursor", ["x", "!!", "e30", "WyJwcmljZSJd", "WyJyZWxldmFuY2UiLC0xXQ", "é"]
)
def test_a_cursor_of_another_search_is_refused(engine, cursor):
    with pytest.raises(BadCursor):
        engine.search(SearchRequest(after=cursor))


def test_odd_limits_are_read_kindly(engine):
    engine.apply([doc(str(n)) for n in range(3)])
    assert engine.search(SearchRequest(limit=0)).hits == ()
    assert engine.search(SearchRequest(limit=-5)).total == 3
    assert len(engine.search(SearchRequest(offset=-5, limit=10**9)).hits) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        SearchRequest(filters={"x": ["1"]}),
        SearchRequest(ranges={"x": Range(1)}),
        SearchRequest(facets=[FacetRequest("x")]),
        SearchRequest(sort="x"),
    ],
)
def test_unknown_fields_are_a_mistake_of_the_caller(engine, wrong):
    with pytest.raises(ValueError, match="unknown"):
        engine.search(wrong)
