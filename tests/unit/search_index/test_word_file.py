"""The file of words that corrections are made from."""

import sqlite3

import pytest

from search_index import suggesting, word_file
from search_index.word_file import WordFile, is_word, near_keys, write


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("技术", True),
        ("术计", False),  # a pair of characters across words
        ("示范区", True),
        ("非常非常长的一个词", False),
        ("lorawan", True),
        ("abc", False),
        ("2026", False),
        ("pm2", False),
        ("naïve", False),
    ],
)
def test_what_counts_as_a_word(term, expected):
    assert is_word(term) is expected


def test_words_meet_when_one_character_is_lost():
    assert near_keys("合作社") == ["作社", "合社", "合作"]
    assert near_keys("aab") == ["ab", "aa"]
    assert near_keys("技术") == []
    assert set(near_keys("lorawan")) & set(near_keys("lorawam"))


def test_what_is_written_is_found(tmp_path):
    path = tmp_path / "a folder?#%" / "words.db"
    path.parent.mkdir()
    assert write(path, [("技术", 5), ("合作社", 2), ("术计", 9), ("的", 9)]) == 2
    with WordFile(path) as words:
        assert words.documents(["技术", "合作社", "术计"]) == {"技术": 5, "合作社": 2}
        assert words.near(["=jishu", "合社", "x"]) == {"=jishu": ["技术"], "合社": ["合作社"]}
        assert words.readings("重") == {"重": {"zhong", "chong", "tong"}}
        assert {"技", "计", "记"} <= words.sounding(["ji"])
        assert words.documents(f"无{n}" for n in range(2_000)) == {}
    assert [one.name for one in path.parent.iterdir()] == ["words.db"]


def test_a_half_written_file_of_before_is_no_hindrance(tmp_path):
    (tmp_path / "words.db.new").write_bytes(b"half")
    assert write(tmp_path / "words.db", [("技术", 1)]) == 1


def test_a_writing_that_fails_leaves_the_words_of_before(tmp_path):
    write(tmp_path / "words.db", [("技术", 1)])

    def broken():
        yield "合作社", 1
        raise OSError("the index is gone")

    with pytest.raises(OSError, match="gone"):
        write(tmp_path / "words.db", broken())
    with WordFile(tmp_path / "words.db") as words:
        assert words.documents(["技术", "合作社"]) == {"技术": 1}


def test_of_too_many_words_those_of_most_documents_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(word_file, "MOST_WORDS", 2)
    terms = [("示范区", 3), ("示范县", 5), ("示范点", 1), ("示范田", 1)]
    assert write(tmp_path / "words.db", terms) == 2
    with WordFile(tmp_path / "words.db") as words:
        assert words.documents(term for term, _ in terms) == {"示范区": 3, "示范县": 5}


def test_without_a_file_nothing_is_opened(tmp_path):
    with pytest.raises(sqlite3.OperationalError):
        WordFile(tmp_path / "words.db")
    assert list(tmp_path.iterdir()) == []


def test_what_is_typed_is_looked_up_in_this_order():
    assert suggesting.lookups("秸秆") == ["秸秆", "\x1c秸秆", "\x1e秸秆"]
    assert suggesting.lookups("sc") == ["sc", "\x1esc"]  # titles only from three letters on
    assert suggesting.lookups("Xi'an")[:2] == ["xi'an", "xian"]
    assert suggesting.lookups(" \ud800 ") == []
