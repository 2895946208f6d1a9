"""What only whoosh has to prove: the same lists as tantivy, bounded memory, tidy files."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from search_index import SearchRequest, open_engine, whoosh_store, whoosh_writing
from tests.service.search_index.conftest import SCHEMA, SYNONYMS, doc, keys
from tests.service.search_index.test_keeping import ROOT
from tests.service.search_index.test_lists import FACETS, random_documents, random_request

# Nothing that comes as a binary wheel: the search has to do without.
WITHOUT_WHEELS = """
import sys
for name in ("tantivy", "rjieba", "opencc"):
    sys.modules[name] = None
from search_index import Document, SearchRequest, open_engine
from tests.service.search_index.conftest import SCHEMA, doc
with open_engine("whoosh", sys.argv[1], SCHEMA, writable=True) as engine:
    engine.apply([
        doc("a", "秸秆粉碎后还田的技术", phrases=("秸秆还田",), names=("四川大学",)),
        doc("b", "水稻育种"),
        doc("c", "育种的水稻小麦"),
    ])
    engine.refresh_words()
    for query in ("碎后", "秸秆还田技术", "“水稻育种”", "scdx", "水稻 -小麦", "b超"):
        print(*(hit.key for hit in engine.search(SearchRequest(query)).hits))
    print(engine.suggest("秸秆")[0], engine.correct("水到"))
"""


@pytest.fixture
def name() -> str:
    return "whoosh"


def test_both_engines_give_the_same_lists(tmp_path):
    documents = random_documents(1, 150)
    engines = [
        open_engine(name, tmp_path / name, SCHEMA, synonyms=SYNONYMS, writable=True)
        for name in ("tantivy", "whoosh")
    ]
    for engine in engines:
        for start in range(0, 150, 40):
            engine.apply(documents[start : start + 40], [f"k{n}" for n in range(start)][::9])
    chance = random.Random(1)
    for _ in range(40):
        query, filters, ranges = random_request(chance)
        for sort in ("relevance", "price", "-date"):
            request = SearchRequest(query, filters, ranges, FACETS, sort, limit=200)
            one, other = [engine.search(request) for engine in engines]
            assert (one.total, one.total_all, one.matched) == (
                other.total,
                other.total_all,
                other.matched,
            )
            assert one.facets == other.facets
            if sort == "relevance":
                assert set(keys(one)) == set(keys(other))
            else:
                assert keys(one) == keys(other)
            assert {hit.key: hit.reasons for hit in one.hits} == {
                hit.key: hit.reasons for hit in other.hits
            }
    for engine in engines:
        engine.close()


def test_it_runs_without_binary_wheels(folder):
    command = [sys.executable, "-c", WITHOUT_WHEELS, str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.stderr == ""
    found = run.stdout.splitlines()
    assert found[:5] == ["a", "a", "b", "a", "b"]
    assert found[5] == ""
    assert found[6] == "秸秆还田 ['水稻']"


def test_an_index_cut_without_the_dictionary_is_built_anew_with_it(engine, folder, open_index):
    engine.close()
    command = [sys.executable, "-c", WITHOUT_WHEELS, str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "IndexOutdated" in run.stderr


def test_little_memory_changes_no_answer(engine, open_index, monkeypatch):
    engine.apply(random_documents(2, 80))
    requests = [SearchRequest(query, facets=FACETS) for query in ("水稻 小麦", "“育种技术”", "")]
    before = [engine.search(request) for request in requests]
    monkeypatch.setattr(whoosh_store, "CACHE_BYTES", 2_000)
    reader = open_index()
    for request, page in zip(requests, before, strict=True):
        assert reader.search(request) == page
    assert 0 < reader._cache._bytes <= 2_000


def test_segments_are_merged_and_deleted_documents_leave(engine):
    for number in range(60):
        engine.apply([doc(str(number), "水稻" + "说明" * number)])
    assert engine.stats().segments <= 12
    full = engine.stats().bytes
    engine.apply([], [str(number) for number in range(58)])
    engine.apply([doc("last", "小麦")])
    figures = engine.stats()
    assert figures.documents == 3
    assert figures.bytes < full / 3


def test_a_large_change_is_one_commit_of_several_segments(engine, open_index, monkeypatch):
    monkeypatch.setattr(whoosh_writing, "MOST_DOCUMENTS", 10)
    reader = open_index()
    engine.apply([doc("x", "小麦")])
    seen = []

    def documents():
        for number in range(35):
            seen.append(reader.stats().documents)
            yield doc(str(number), "水稻")
        yield doc("3", "玉米")  # once more, long after its segment was finished

    engine.apply(documents(), ["x"])
    assert set(seen) == {1}
    assert engine.stats().segments >= 4
    assert reader.search(SearchRequest("水稻")).total == 34
    assert keys(reader.search(SearchRequest("玉米"))) == ["3"]
    assert reader.search(SearchRequest("小麦")).total == 0


def test_what_a_killed_writer_left_is_removed(engine, folder):
    engine.apply([doc("a", "水稻")])
    current = folder / (folder / "current").read_text()
    for left in ("MAIN_abc.trm", "_MAIN_9.toc.123.4", "MAIN_abc.seg"):
        (current / left).write_bytes(b"half")
    (current / "MAIN.tmp").mkdir()
    engine.apply([doc("b", "小麦")])
    names = {path.name for path in current.iterdir()}
    assert all(name.endswith((".seg", ".toc", ".json")) for name in names)
    assert not any("abc" in name for name in names)
    assert engine.search(SearchRequest()).total == 2
