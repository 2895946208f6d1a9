"""Writing: what is applied is there, once, for every reader, whatever dies meanwhile."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from search_index import (
    ENGINES,
    IndexMissing,
    IndexOutdated,
    IndexSchema,
    ReadOnly,
    SearchRequest,
    WriterBusy,
    open_engine,
)
from tests.service.search_index.conftest import SCHEMA, doc, keys

ROOT = Path(__file__).parents[3]


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start another process that runs `code` with the schema and the folder at hand."""
    head = """
import sys
from search_index import Document, SearchRequest, WriterBusy, open_engine
from tests.service.search_index.conftest import SCHEMA, doc
name, folder = sys.argv[1:3]
"""
    command = [sys.executable, "-c", head + code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_upserts_replace_and_deletes_remove(engine, find):
    engine.apply([doc("a", "水稻"), doc("b", "水稻"), doc("c", "小麦")])
    engine.apply([doc("a", "玉米")], ["b", "unknown"])
    assert find("水稻") == []
    assert find("玉米") == ["a"]
    assert sorted(find("")) == ["a", "c"]


def test_of_equal_keys_the_last_wins(engine, find):
    engine.apply([doc("a", "水稻"), doc("a", "玉米")], ["a"])
    assert (find("水稻"), find("玉米"), find("")) == ([], ["a"], ["a"])
    engine.rebuild([doc("a", "玉米"), doc("b"), doc("a", "水稻")])
    assert (find("水稻"), find("玉米"), sorted(find(""))) == (["a"], [], ["a", "b"])


def test_applying_the_same_again_changes_nothing_visible(engine):
    documents = [doc(str(n), "水稻种植", "小麦" * n) for n in range(20)]
    engine.apply(documents)
    before = engine.search(SearchRequest("水稻 小麦"))
    for _ in range(3):
        engine.apply(documents[5:], ["none"])
    assert engine.search(SearchRequest("水稻 小麦")).total == before.total
    assert engine.stats().documents == 20
    assert engine.check((d.key, d.version) for d in documents).ok


@pytest.mark.parametrize(
    "bad",
    [
        doc("", "水稻"),
        doc("bad", filters={"x": ["1"]}),
        doc("bad", numbers={"x": 1}),
        doc("bad", parts={"x": ""}),
        doc("bad", numbers={"price": 2**63}),
    ],
)
def test_a_bad_document_refuses_the_whole_call(engine, find, bad):
    engine.apply([doc("a", "水稻")])
    with pytest.raises(ValueError):
        engine.apply([doc("good", "水稻"), bad], ["a"])
    assert find("") == ["a"]
    engine.apply([doc("good", "水稻")])
    assert sorted(find("")) == ["a", "good"]


def test_readers_see_commits_and_generations(engine, open_index):
    reader = open_index()
    assert reader.search(SearchRequest()).total == 0
    engine.apply([doc("a", "水稻")])
    assert keys(reader.search(SearchRequest("水稻"))) == ["a"]
    for round_ in range(3):
        engine.rebuild([doc(f"r{round_}", "水稻")])
        assert keys(reader.search(SearchRequest("水稻"))) == [f"r{round_}"]
    engine.apply([doc("late", "小麦")])
    assert keys(reader.search(SearchRequest("小麦"))) == ["late"]


def test_there_is_one_writer(engine, open_index, name, folder):
    with pytest.raises(WriterBusy, match="already has a writer"):
        open_engine(name, folder, SCHEMA, writable=True)
    code = """
try:
    open_engine(name, folder, SCHEMA, writable=True)
except WriterBusy:
    print("busy")
"""
    assert python(code, name, folder).communicate(timeout=30)[0] == "busy\n"
    engine.close()
    engine.close()
    open_index(writable=True).apply([doc("a")])


def test_readers_cannot_write(engine, open_index):
    reader = open_index()
    for change in (lambda: reader.apply([doc("a")]), lambda: reader.rebuild([])):
        with pytest.raises(ReadOnly):
            change()


def test_without_an_index_reading_says_so(open_index, engine, folder):
    reader = open_index()
    engine.close()
    (folder / "current").unlink()
    for read in (
        lambda: reader.search(SearchRequest()),
        lambda: reader.suggest("a"),
        reader.stats,
        lambda: reader.check([]),
    ):
        with pytest.raises(IndexMissing, match="rebuild"):
            read()


def test_other_fields_ask_for_a_rebuild(open_index, engine):
    engine.apply([doc("a")])
    engine.close()
    other = IndexSchema(filters=("kind", "colour"))
    writer = open_index(writable=True, schema=other)
    with pytest.raises(IndexOutdated):
        writer.search(SearchRequest())
    with pytest.raises(IndexOutdated):
        writer.apply([])
    writer.rebuild([doc("b", parts={}, filters={"colour": ["青"]})])
    assert keys(writer.search(SearchRequest(filters={"colour": ["青"]}))) == ["b"]


def test_a_rebuild_that_fails_leaves_the_index_as_it_was(engine, find, folder):
    engine.apply([doc("a", "水稻")])

    def broken():
        yield doc("b", "水稻")
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        engine.rebuild(broken())
    assert find("水稻") == ["a"]
    assert len(list(folder.glob("gen-*"))) == 1
    engine.apply([doc("c", "水稻")])
    assert sorted(find("水稻")) == ["a", "c"]


@pytest.mark.long
def test_old_generations_and_files_are_collected(engine, folder):
    for n in range(5):
        engine.rebuild([doc(str(n))])
    assert len(list(folder.glob("gen-*"))) == 2
    for n in range(120):
        engine.apply([doc(str(n % 10), "水稻" * n)])
    current = folder / (folder / "current").read_text()
    assert len(list(current.iterdir())) < 200
    assert engine.stats().documents == 10


def test_check_compares_both_ways(engine):
    engine.apply([doc("same"), doc("old"), doc("extra"), doc("gone")], [])
    engine.apply([], ["gone"])
    report = engine.check([("same", "1"), ("old", "2"), ("gone", "1")])
    assert (report.expected, report.missing, report.stale, report.surplus) == (
        3,
        ("gone",),
        ("old",),
        ("extra",),
    )
    assert not report.ok


def test_suggestions_are_beginnings_of_what_is_there(engine):
    engine.apply(
        [
            doc("1", "秸秆还田技术", phrases=("秸秆", "还田"), names=("四川大学",)),
            doc("2", "秸稈利用", phrases=("秸秆",)),
        ]
    )
    assert engine.suggest("秸秆")[0] == "秸秆"
    assert set(engine.suggest("秸")) == {"秸秆", "秸秆还田技术", "秸稈利用"}
    assert engine.suggest("秸", 2) == engine.suggest("秸")[:2]
    assert (
        engine.suggest("sc") == engine.suggest("SiChuan") == engine.suggest("四川") == ["四川大学"]
    )
    for nothing in ("", " ", "大学", "\x1f", "\x00", "*", ".*"):
        assert engine.suggest(nothing) == []
    engine.apply([doc("2", "别的")], ["1"])
    assert engine.suggest("秸") == engine.suggest("sc") == []
    assert engine.suggest("别") == ["别的"]


def test_threads_search_while_the_writer_writes(engine, open_index):
    reader = open_index()
    engine.apply([doc("base", "水稻")])
    stop, errors = threading.Event(), []

    def read():
        while not stop.is_set():
            try:
                page = reader.search(SearchRequest("水稻"))
                assert page.total == len(page.hits) > 0
            except Exception as error:
                errors.append(error)
                return

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(15):
        engine.apply([doc(str(n), "水稻")])
        if n % 5 == 4:
            engine.rebuild([doc("base", "水稻")])
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []


def _in_child(engine, sender):
    try:
        for _ in range(2):
            sender.send(engine.search(SearchRequest("水稻")).total)
            sender.recv()
        engine.apply([doc("child")])
    except ReadOnly:
        sender.send("read only")


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("name", ENGINES)
def test_a_forked_child_sees_commits_and_never_writes(name, tmp_path):
    folder = tmp_path / "index"
    # No writer lives while we fork: a lock that one of its threads held would stay with the child.
    with open_engine(name, folder, SCHEMA, writable=True) as writer:
        writer.apply([doc("a", "水稻")])
    with open_engine(name, folder, SCHEMA) as reader:
        assert reader.search(SearchRequest("水稻")).total == 1
        here, there = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(
            target=_in_child, args=(reader, there), daemon=True
        )
        child.start()
        assert here.poll(20)
        assert here.recv() == 1
        with open_engine(name, folder, SCHEMA, writable=True) as writer:
            writer.apply([doc("b", "水稻")])
        here.send("next")
        assert here.poll(20)
        assert here.recv() == 2
        here.send("next")
        assert here.poll(20)
        assert here.recv() == "read only"
        child.join(20)
        assert child.exitcode == 0


@pytest.mark.long
@pytest.mark.parametrize("name", ENGINES)
def test_a_killed_writer_leaves_a_readable_index_and_a_free_lock(name, tmp_path):
    folder = tmp_path / "index"
    code = """
engine = open_engine(name, folder, SCHEMA, writable=True)
n = 0
while True:
    engine.apply([doc(str(n), "水稻"), doc(f"x{n}", "小麦")], [f"x{n - 1}"])
    if n % 7 == 6:
        engine.rebuild([doc(str(i), "水稻") for i in range(n + 1)] + [doc(f"x{n}", "小麦")])
    print(n, flush=True)
    n += 1
"""
    done = -1
    for round_ in range(3):
        process = python(code.replace("n = 0", f"n = {done + 1}"), name, folder)
        for _ in range(4 + 5 * round_):
            line = process.stdout.readline()
            done = int(line)
        time.sleep(0.01 * round_)
        os.kill(process.pid, signal.SIGKILL)
        rest, _ = process.communicate()
        done = int(rest.split()[-1]) if rest.split() else done
        with open_engine(name, folder, SCHEMA, writable=True) as engine:
            found = set(keys(engine.search(SearchRequest("水稻", limit=200))))
            assert {str(n) for n in range(done + 1)} <= found
            assert found <= {str(n) for n in range(done + 2)}
            assert len(keys(engine.search(SearchRequest("小麦")))) == 1
            engine.apply([doc("check", "玉米")])
            assert keys(engine.search(SearchRequest("玉米"))) == ["check"]
            engine.apply([], ["check"])


@pytest.mark.parametrize("name", ENGINES)
def test_readers_never_load_pypinyin(name, folder, engine):
    engine.apply([doc("a", names=("四川大学",))])
    code = """
engine = open_engine(name, folder, SCHEMA)
import json
total = engine.search(SearchRequest("scdx")).total
print(json.dumps([total, engine.suggest("sc"), "pypinyin" in sys.modules]))
"""
    out, _ = python(code, name, folder).communicate(timeout=30)
    assert json.loads(out) == [1, ["四川大学"], False]


def test_unknown_engines_are_named(folder):
    with pytest.raises(ValueError, match="known: tantivy, whoosh"):
        open_engine("lucene", folder, SCHEMA)
