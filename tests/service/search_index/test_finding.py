"""What is found, and why."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search_index import Reason, SearchRequest
from tests.service.search_index.conftest import doc, keys

DOCUMENTS = [
    doc("straw", "秸秆还田新技术", "一种秸秆粉碎后还田的方法，B超检查，PM2.5，用Rodrigues参数"),
    doc("tea", "茶葉加工", "技術經紀人培训", names=("四川大学",)),
    doc("rice", "水稻的种植", "高新技术企业认定", codes=("ZL 2019 1 0123456.7", "CG2024-0001")),
    doc("pig", "生猪养殖", parts={"summary": "<b>饲料</b> & 防疫", "owner": "重庆市畜牧科学院"}),
]


@pytest.fixture
def filled(engine):
    engine.apply(DOCUMENTS)
    return engine


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("秸秆", "straw"),
        ("碎后", "straw"),  # two characters anywhere, also across words
        ("粉碎后还田", "straw"),
        ("秸秆还田方法", "straw"),
        ("B超", "straw"),
        ("超检", "straw"),
        ("超", "straw"),
        ("pm2.5", "straw"),
        ("RODRIGUES", "straw"),
        ("rodrig", "straw"),
        ("茶", "tea"),
        ("茶叶", "tea"),
        ("ＣＨＡ茶葉", "tea"),
        ("sichuan", "tea"),
        ("daxue", "tea"),
        ("scdx", "tea"),
        ("四川大学", "tea"),
        ("技术经理人", "tea"),
        ("高企", "rice"),
        ("ZL201910123456.7", "rice"),
        ("2019 1 0123456.7", "rice"),
        ("2019101234", "rice"),
        ("cg20240001", "rice"),
        ("“生猪养殖”", "pig"),
        ("饲料", "pig"),
        ("畜牧", "pig"),
        ("量子水稻", "rice"),  # nothing has all of it: the search is loosened
    ],
)
def test_found(filled, query, first):
    page = filled.search(SearchRequest(query))
    assert keys(page)[:1] == [first]
    assert page.hits[0].reasons


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("水稻 或 生猪", {"rice", "pig"}),
        ("-水稻", {"straw", "tea", "pig"}),
        ("-水稻 -生猪 -茶叶", {"straw"}),
        ("“稻种”", set()),
        ("“还田秸秆”", set()),
        ("🌾", set()),
        ("龘", set()),
        ("*", {"straw", "tea", "rice", "pig"}),
        ("", {"straw", "tea", "rice", "pig"}),
    ],
)
def test_exactly_found(filled, query, expected):
    page = filled.search(SearchRequest(query))
    assert set(keys(page)) == expected
    assert page.total == len(expected)
    assert page.total_is == "exact"


def test_reasons_and_highlights(filled):
    (hit,) = filled.search(SearchRequest("技术经理人", match="all")).hits
    assert hit.reasons == (Reason("synonym", "summary", ("技術經紀人",), "技术经理人"),)
    assert hit.highlights[0].html == "<mark>技術經紀人</mark>培训"
    (hit,) = filled.search(SearchRequest("生猪 饲料", match="all")).hits
    assert hit.title_html == "<mark>生猪</mark>养殖"
    (hit,) = filled.search(SearchRequest("scdx")).hits
    assert hit.reasons == (Reason("name", "names", ("四川大学",), "scdx"),)
    (hit,) = filled.search(SearchRequest("ZL201910123456.7")).hits
    assert hit.reasons == (Reason("code", "codes", ("ZL 2019 1 0123456.7",)),)


def test_without_highlight_the_title_is_only_escaped(engine):
    engine.apply([doc("a", "<b>水稻</b>", "水稻")])
    (hit,) = engine.search(SearchRequest("水稻", highlight=False)).hits
    assert hit.title_html == "&lt;b&gt;水稻&lt;/b&gt;"
    assert hit.highlights == hit.reasons == ()


def test_stored_comes_back_untouched(engine):
    stored = {"no": "A1", "n": 1.5, "deep": {"list": [1, None, "ＡＢ\ud800"]}}
    engine.apply([doc("a", "甲方乙方", stored=stored)])
    assert engine.search(SearchRequest()).hits[0].stored == stored


def test_all_words_come_before_any_word(engine):
    engine.apply([doc("both", "玉米" + "其他内容" * 200, "小麦")])
    engine.apply([doc(f"one{n}", "玉米玉米玉米") for n in range(5)])
    page = engine.search(SearchRequest("玉米 小麦"))
    assert keys(page)[0] == "both"
    assert (page.matched, page.total, page.total_all) == ("any", 6, 1)
    strict = engine.search(SearchRequest("玉米 小麦", match="all"))
    assert (strict.matched, strict.total, keys(strict)) == ("all", 1, ["both"])


def test_enough_entire_matches_are_not_loosened(engine):
    engine.apply([doc(f"both{n}", "玉米小麦") for n in range(3)])
    engine.apply([doc("one", "玉米")])
    page = engine.search(SearchRequest("玉米 小麦"))
    assert (page.matched, page.total, page.total_all) == ("all", 3, 3)
    assert engine.search(SearchRequest("玉米 小麦", match="any")).total == 4


def test_loosening_keeps_phrases_and_exclusions(engine):
    engine.apply([doc("a", "玉米育种"), doc("b", "玉米 小麦"), doc("c", "育种玉米")])
    page = engine.search(SearchRequest("“玉米育种” 高粱 大豆"))
    assert keys(page) == ["a"]
    page = engine.search(SearchRequest("玉米 高粱 -小麦"))
    assert set(keys(page)) == {"a", "c"}


def test_a_number_found_stands_alone(engine):
    engine.apply([doc("a", codes=("2019 1 0123456.7",)), doc("b", "2019 年报"), doc("c", "1 号")])
    assert keys(engine.search(SearchRequest("2019 1 0123456.7"))) == ["a"]


def test_the_title_weighs_more_than_the_text(find, engine):
    filler = "关于农业生产的一般说明文字"
    engine.apply([doc("text", filler, "高粱"), doc("title", "高粱", filler), doc("none", filler)])
    assert find("高粱") == ["title", "text"]


def test_the_word_itself_ranks_before_its_synonym(find, engine):
    engine.apply([doc("other", "技术经纪人"), doc("same", "技术经理人"), doc("x", "别的")])
    assert find("技术经理人")[:2] == ["same", "other"]


@given(
    query=st.one_of(
        st.text(max_size=60),
        st.text(alphabet='"“”-|OR 水稻茶ab1*()[]{}:^~\\/+&\x00🌾', max_size=60),
        st.sampled_from(
            [
                "'; DROP TABLE x; --",
                "水" * 10_000,
                "a " * 5_000,
                "NOT",
                "-",
                "field:x",
                "ZL",
                "%",
                "\ud800",
            ]
        ),
    ),
    sort=st.sampled_from(["relevance", "-date"]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_gives_a_page(filled, query, sort):
    page = filled.search(SearchRequest(query, sort=sort))
    assert page.total == len(page.hits) <= len(DOCUMENTS)
