"""Help with words: what is suggested while typing, and what a misspelt query is corrected to."""

import subprocess
import sys

import pytest

from search_index import ReadOnly, SearchRequest
from tests.service.search_index.conftest import doc

DOCUMENTS = [
    doc(
        "tea",
        "茶叶连续化杀青技术",
        "杀青均匀",
        phrases=("杀青", "鲜叶分级"),
        names=("蒙山茶业研究所",),
    ),
    doc("straw", "秸秆还田技术", "秸秆粉碎后还田", phrases=("秸秆还田",), names=("四川大学",)),
    doc("iot", "物联网温室", "用LoRaWAN传感器", phrases=("物联网",), names=("重庆市农业科学院",)),
    doc("rice", "水稻种植与盐碱地改良", "耐盐碱的水稻", phrases=("水稻", "盐碱地")),
    doc("coop", "合作社示范区", "合作社带动农户", phrases=("合作社",)),
]


@pytest.fixture
def filled(engine):
    engine.rebuild(DOCUMENTS)
    return engine


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("秸秆", "秸秆还田技术"),
        ("秸杆", None),
        ("shaq", "杀青"),  # pinyin of a keyword
        ("sq", "杀青"),  # its initials
        ("cylx", "茶叶连续化杀青技术"),  # initials of a title
        ("jie gan", "秸秆还田"),
        ("SICHUAN", "四川大学"),
        ("cqs", "重庆市农业科学院"),  # 重 read as in the name
        ("nykxy", "重庆市农业科学院"),  # initials from a later syllable of a name
        ("还田", "秸秆还田"),  # a later word of a keyword
        ("ｗｌｗ", "物联网"),
    ],
)
def test_suggestions_by_writing_pinyin_and_initials(filled, typed, expected):
    found = filled.suggest(typed)
    assert (expected in found) if expected else (found == [])
    assert len(found) == len(set(found))


def test_what_begins_so_comes_before_what_holds_it_later(engine):
    engine.apply([doc("1", phrases=("沼液还田",)), doc("2", phrases=("还田机",))])
    assert engine.suggest("还田") == ["还田机", "沼液还田"]
    assert engine.suggest("还田", 1) == ["还田机"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("杀清", "杀青"),  # the same sound, two characters
        ("沙青", "杀青"),
        ("茶叶杀清", "茶叶杀青"),  # inside a longer word
        ("茶叶 杀清", "茶叶 杀青"),
        ("水道", "水稻"),
        ("物连网", "物联网"),
        ("合做社", "合作社"),
        ("合测社", "合作社"),  # any wrong character
        ("盐减地", "盐碱地"),
        ("盐地", "盐碱地"),  # a character is missing
        ("shuidao", "水稻"),  # the input method was off
        ("lorawam", "lorawan"),
        ("lorwan", "lorawan"),
        ("loarwan", "lorawan"),
        ("“杀清”", "“杀青”"),
        ("技术 -杀清", None),  # what is excluded is not looked for
    ],
)
def test_corrections(filled, typed, expected):
    found = filled.correct(typed)
    if expected is None:
        assert found == []
    else:
        assert found[0] == expected


def test_what_is_right_is_left_alone(filled):
    for query in (
        "杀青",
        "秸秆还田",
        "水稻 种植",
        "LoRaWAN",
        "四川大学",
        "sichuan",
        "合作社的示范区",
    ):
        assert filled.correct(query) == []


def test_a_correction_finds_more_than_what_was_typed(filled):
    for typed in ("杀清", "物连网", "合测社", "lorwan", "水稻 杀清"):
        for offered in filled.correct(typed, 9):
            found = [
                filled.search(SearchRequest(query, match="all")).total for query in (typed, offered)
            ]
            assert found[1] > found[0]
    assert filled.correct("水稻 杀清") == []  # nothing holds both, however it is spelt


def test_the_limit_holds(engine):
    engine.rebuild(
        doc(str(n), word) for n, word in enumerate(("示范区", "示范县", "示范点", "示范田"))
    )
    assert len(engine.correct("示范龘")) == 3
    assert len(engine.correct("示范龘", 1)) == 1
    assert engine.correct("示范龘", 0) == []


def test_more_documents_come_first(engine):
    engine.rebuild(
        [doc("1", "示范点"), *(doc(f"2{n}", "示范区") for n in range(3)), doc("3", "示范田")]
    )
    assert engine.correct("示范龘")[0] == "示范区"


def test_words_of_deleted_documents_are_not_offered(filled):
    filled.apply([], ["tea"])
    assert filled.suggest("杀青") == filled.suggest("shaq") == []
    assert filled.correct("杀清") == []


def test_new_words_are_known_after_refreshing(engine, open_index):
    reader = open_index()
    assert reader.correct("杀清") == []  # nothing was ever written
    engine.apply(DOCUMENTS)
    assert engine.refresh_words() > 10
    assert reader.correct("物连网") == ["物联网"]
    engine.apply([doc("new", "枸杞变温干燥工艺")])
    engine.refresh_words()
    assert reader.correct("枸起") == ["枸杞"]
    assert [path.name for path in engine_folder(engine).glob("words*")] == ["words.db"]


def engine_folder(engine):
    """The folder of the current generation."""
    return next(
        path for path in engine._folder.glob("gen-*") if path.name == engine.stats().generation
    )


def test_only_the_writer_refreshes(open_index, engine):
    with pytest.raises(ReadOnly):
        open_index().refresh_words()


def test_a_damaged_file_of_words_means_no_corrections(filled):
    (engine_folder(filled) / "words.db").write_bytes(b"no database" * 500)
    assert filled.correct("杀清") == []
    (engine_folder(filled) / "words.db").unlink()
    assert filled.correct("杀清") == []
    filled.refresh_words()
    assert filled.correct("杀清") == ["杀青"]


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        " ",
        "\x00",
        "\ud800",
        "杀\ud800清",
        "😀🌾",
        "'; DROP TABLE words; --",
        "? * % _ =",
        "=shaqing",
        "-",
        '"',
        "水" * 10_000,
        "杀清 " * 3_000,
        "x" * 10_000,
        "杀清 沙青 物连 合测 盐减 水道 枸起 秸杆 茶夜",
        "-杀清 OR 或 | “",
        "ZL201910123456.7",
        "\x1c\x1e\x1f",
    ],
)
def test_any_text_is_answered(filled, nonsense):
    for found in (filled.suggest(nonsense), filled.correct(nonsense)):
        assert isinstance(found, list)
        assert all(text.encode() for text in found)


def test_a_reading_process_never_loads_the_pinyin_package(filled, name, folder):
    code = """
import sys
from search_index import open_engine
from tests.service.search_index.conftest import SCHEMA
with open_engine(sys.argv[1], sys.argv[2], SCHEMA) as engine:
    print(engine.correct("杀清"), engine.suggest("shaq"), "pypinyin" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, name, str(folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["['杀青']", "['杀青']", "False"]


def test_a_word_that_joins_others_is_found_when_it_stands_alone(engine, find):
    engine.apply([doc("a", "玉米或者小麦"), doc("b", "玉米"), doc("c", "小麦")])
    assert find("或者") == ["a"]
    assert sorted(find("玉米 或者 小麦")) == ["a", "b", "c"]
