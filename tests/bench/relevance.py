"""How well search finds a paper by its own keywords.

The measure: for each paper one query of a random keyword, one of two random keywords and one
of all its keywords joined with blanks; only that paper counts as found. MRR@10 is the mean of
1/rank (0 beyond the tenth place), Recall@10 the share found among the first ten; both are means
over seeded draws. Titles and summaries are indexed, keywords are not.

    MARKET_BENCH_ABSTRACTS=abstracts.jsonl python -m tests.bench.relevance
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import tantivy

from search_index import Document, IndexSchema, SearchRequest, open_engine
from search_index.text import fold, words

FILE = "MARKET_BENCH_ABSTRACTS"
TOP = 10
KINDS = ("one keyword", "two keywords", "all keywords")
REQUIRED_MRR = (0.79, 0.95, 0.99)


@dataclass(frozen=True)
class Paper:
    """A paper; its key is made from its place in the file."""

    key: str
    title: str
    summary: str
    keywords: tuple[str, ...]


@dataclass(frozen=True)
class Quality:
    """Means over all papers and draws."""

    mrr: float
    recall: float


def read_papers(path: Path) -> list[Paper]:
    """Read a file of one JSON object per line with title, summary and keywords."""
    papers = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            row = json.loads(line)
            papers.append(
                Paper(f"P-{number}", row["title"], row["summary"], tuple(row["keywords"]))
            )
    return papers


def queries(paper: Paper, chance: random.Random) -> tuple[str, str, str]:
    """Draw the three queries of a paper, in the order of KINDS."""
    words = paper.keywords
    return (
        chance.choice(words),
        " ".join(chance.sample(words, min(2, len(words)))),
        " ".join(words),
    )


def measure(
    search: Callable[[str], list[str]], papers: Sequence[Paper], draws: int = 5
) -> dict[str, Quality]:
    """Measure a search function.

    Args:
        search: query → keys of at least the first ten hits, best first.
        papers: what was indexed.
        draws: number of seeded draws of keywords.

    Returns:
        Quality by kind of query.
    """
    ranks: dict[str, list[int]] = {kind: [] for kind in KINDS}
    with_keywords = [paper for paper in papers if paper.keywords]
    for seed in range(draws):
        chance = random.Random(seed)
        for paper in with_keywords:
            for kind, query in zip(KINDS, queries(paper, chance), strict=True):
                found = search(query)[:TOP]
                ranks[kind].append(found.index(paper.key) + 1 if paper.key in found else 0)
    return {
        kind: Quality(
            sum(1 / rank for rank in of_kind if rank) / len(of_kind),
            sum(1 for rank in of_kind if rank) / len(of_kind),
        )
        for kind, of_kind in ranks.items()
    }


def documents(papers: Sequence[Paper]) -> Iterator[Document]:
    """Yield what is indexed of the papers: title and summary."""
    for paper in papers:
        yield Document(paper.key, "1", paper.title, {"summary": paper.summary})


def measure_engines(papers: Sequence[Paper], draws: int = 5) -> dict[str, dict[str, Quality]]:
    """Measure our search, and beside it the engine's own BM25 over dictionary words."""
    schema = IndexSchema(parts=("summary",))
    with (
        tempfile.TemporaryDirectory() as folder,
        open_engine("tantivy", folder, schema, writable=True) as engine,
    ):
        engine.rebuild(documents(papers))

        def ours(query: str) -> list[str]:
            page = engine.search(SearchRequest(query, limit=TOP, highlight=False))
            return [hit.key for hit in page.hits]

        results = {"market search": measure(ours, papers, draws)}
    return results | {"plain BM25": measure(plain_bm25(papers), papers, draws)}


def plain_bm25(papers: Sequence[Paper]) -> Callable[[str], list[str]]:
    """Return a search by the engine alone: dictionary words of title and summary, any word."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
    schema = builder.build()
    index = tantivy.Index(schema)
    writer = index.writer(30_000_000, 1)
    for paper in papers:
        text = " ".join(words(fold(f"{paper.title}\n{paper.summary}")))
        writer.add_document(tantivy.Document(key=paper.key, text=text))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    def search(query: str) -> list[str]:
        clauses = [
            (tantivy.Occur.Should, tantivy.Query.term_query(schema, "text", word, "freq"))
            for word in words(fold(query))
        ]
        hits = searcher.search(tantivy.Query.boolean_query(clauses), TOP).hits
        return [str(searcher.doc(address).get_first("key")) for _, address in hits]

    return search


def main() -> int:
    """Print the figures; 1 when one is below what is required."""
    path = os.environ.get(FILE)
    if not path:
        print(f"{FILE} names no file; relevance is not measured")
        return 0
    results = measure_engines(read_papers(Path(path)))
    for name, by_kind in results.items():
        for kind, quality in by_kind.items():
            print(f"{name:14} {kind:13} MRR@10 {quality.mrr:.4f}  Recall@10 {quality.recall:.4f}")
    figures = [results["market search"][kind].mrr for kind in KINDS]
    return int(any(got < least for got, least in zip(figures, REQUIRED_MRR, strict=True)))


if __name__ == "__main__":
    sys.exit(main())
