"""`make bench` at a hundredth of its size prints every figure, and says what was missed."""

import json
import os
import random
import subprocess
import sys

import pytest

from tests.bench.__main__ import SECTIONS, failed
from tests.bench.figures import Figure, at_least, at_most, interleaved, table
from tests.bench.generator import Vocabulary

MISSED = Figure("hits", "≤ 1", "2", False)

FIGURES = {
    "search": [
        "listings",
        "index rebuilt",
        "searches / engine requests",
        "searches that find nothing",
        "engine requests of the page alone (raw) p50 / p95",
        "same template from ready data (bare) p50 / p95",
        "SQLite FTS5, same searches p50 / p95",
        "HTML page, compressed p50 / p95",
        "discovery p50 / p95",
        "HTML page p50 / p95",
        "suggestions p50",
        "suggestions p95",
        "20 slips mended, same sound, demonstration data",
        "20 slips mended, any character, demonstration data",
        "SQL statements of a page, at most",
        "writes of all GETs",
        "kinds of pages / of these API",
        "memory of a web process after 100 requests",
        "edit found, slowest of 2",
        "publish found, slowest of 2",
        "withdraw followed, slowest of 2",
        "tantivy at 300, rebuilt",
        "whoosh at 300, rebuilt",
        "tantivy at 300, raw p50 / p95",
        "whoosh at 300, raw p50 / p95",
        "20 slips mended, same sound, abstracts",
        "20 slips mended, any character, abstracts",
        *(
            f"{measure}@10, {kind}{engine}"
            for kind in ("one keyword", "two keywords", "all keywords")
            for measure in ("MRR", "Recall")
            for engine in ("", ", plain BM25")
        ),
    ],
    "import": [
        "rows / size of the file",
        "rows imported and indexed",
        "of this the command alone",
        "of this indexing after it",
        "peak memory of the import",
        "longest wait for the write lock",
        "longest write logged (none below 1 s)",
        "same file again, unchanged",
    ],
    "backup": [
        "listings",
        "size of database / index / backup",
        "the same per 10,000 listings",
        "backup made while others write",
        "longest wait for the write lock",
        "peak memory of the backup",
        "restored, index and checks included",
        "peak memory of the restore",
    ],
    "desk": [
        "open cases",
        "SQL statements of the desk, at most",
        "desk with all cases p50 / p95",
        "desk with 50 cases p50 / p95",
        "p95 with all cases / with 50",
        "the same, worst tab",
        "500 cases assigned / undone",
        "longest transaction of these",
    ],
    "saved": [
        "searches / new listings",
        "digests / listings in them",
        "all searches told, in the worker",
        "longest transaction of these",
        "their messages into inboxes",
        "digests other than searching each one",
    ],
    "contracts": [
        "open / registered",
        "SQL statements of the page, at most",
        "desk with all contracts p50 / p95",
        "desk with few contracts p50 / p95",
        "p95 with all / with few",
        "the same, worst tab or register",
    ],
    "papers": [
        "first paper of a process",
        "certificate, one page, p95",
        "information sheet, one page, p95",
        "signing a certificate, p50 / p95",
    ],
    "ledger": [
        "SQL statements of a claim approved",
        "claim approved through the service, p50",
        "its statements through SQLAlchemy Core, p50",
        "its statements through the driver, p50",
        "speed of the service beside Core",
        "speed of the service beside the driver",
        "lines of the ledger",
        "page of balances with all lines p50 / p95",
        "page of balances with few lines p50 / p95",
        "balances, p95 with all / with few",
        "the same, worst page of entries too",
        "reconcile over all lines",
    ],
    "dispatch": [
        "open dispatches",
        "SQL statements of the page, at most",
        "page with all dispatches p50 / p95",
        "page with 50 dispatches p50 / p95",
        "p95 with all dispatches / with 50",
        "the same, worst tab",
    ],
}


@pytest.fixture
def abstracts(tmp_path):
    """A file of papers with keywords that stand in them."""
    chance, vocabulary = random.Random(5), Vocabulary()
    path = tmp_path / "abstracts.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(40):
            words = vocabulary.some(chance, 40)
            paper = {
                "title": f"{vocabulary.title(chance, words[:3])}{number}",
                "summary": "".join(vocabulary.sentences(chance, words)),
                "keywords": sorted(set(words[:4])),
            }
            file.write(json.dumps(paper, ensure_ascii=False) + "\n")
    return path


def _bench(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "tests.bench", *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.long
@pytest.mark.net
@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_prints_all_its_figures(section, abstracts, tmp_path):
    done = _bench(
        section,
        MARKET_BENCH_SCALE="0.01",
        MARKET_BENCH_ABSTRACTS=str(abstracts),
        TMPDIR=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    rows = {}
    for line in done.stdout.splitlines():
        cells = [cell.strip() for cell in line.split(" | ")]
        if len(cells) >= 3:
            rows[cells[0]] = cells[2]
    expected = [*FIGURES[section], f"section {section}, time", f"section {section}, disk"]
    assert [name for name in rows if name != "figure"] == expected
    assert all(rows.values())
    assert [path.name for path in tmp_path.iterdir()] == ["abstracts.jsonl"]


def test_an_unknown_section_is_refused():
    done = _bench("serach")
    assert done.returncode == 2
    assert "serach" in done.stderr


def test_a_missed_figure_fails_only_when_strict():
    assert not failed([MISSED], strict=False)
    assert failed([MISSED], strict=True)
    assert not failed([Figure("hits", "≤ 1", "1", True), Figure("note", "", "5")], strict=True)


def test_limits_belong_to_what_is_asked():
    assert at_most("memory", 200, 200, "MB").ok
    assert not at_most("memory", 200.1, 200, "MB").ok
    assert at_least("speed", 1000, 1000, "rows/s").ok
    assert not at_least("speed", 999.9, 1000, "rows/s").ok


def test_all_ways_take_turns_and_the_median_round_counts():
    order = []

    def way(name, seconds):
        def once(case):
            order.append((name, case))
            # One round disturbed by something else does not matter.
            return 9.0 if len(order) <= 8 else seconds

        return once

    times = interleaved({"quick": way("quick", 0.001), "slow": way("slow", 0.004)}, 4)
    assert (times["quick"].p50, times["slow"].p95) == (pytest.approx(1.0), pytest.approx(4.0))
    assert order[:4] == [("quick", 0), ("slow", 0), ("slow", 1), ("quick", 1)]


def test_the_table_shows_what_was_missed():
    lines = table([MISSED, Figure("a figure", "", "5 条")]).splitlines()
    assert lines[2].split(" | ") == ["hits    ", "≤ 1  ", "2       ", "NO"]
    assert lines[0].startswith("figure   | asked")
