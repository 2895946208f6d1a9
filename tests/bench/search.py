"""Section `search`: 100,000 listings, searched, rendered, edited; and how well papers are found."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from market.accounts.importer import KIND as ORGANISATIONS
from market.catalogue.documents import SEARCHABLE
from market.catalogue.importer import ACHIEVEMENTS, DEMANDS
from market.catalogue.models import Listing
from market.core.db import db
from market.core.importing import Kind, Options, run_import
from market.core.permissions import PUBLIC, SYSTEM
from market.demo.load import load_demo
from market.discovery import queries
from market.discovery.engine import reader, schema
from market.discovery.forms import SearchForm
from market.discovery.indexer import Indexer
from market.regions.models import Region
from search_index import Document
from tests.bench import following, pages, relevance, small_market, speed, words
from tests.bench.figures import ROUNDS, Figure, at_least, plain
from tests.bench.fts import Fts
from tests.bench.instance import BenchError, Instance
from tests.bench.listings import Row, World, write_jsonl

LISTINGS, SEARCHES, REQUESTS, EDITS = 100_000, 300, 1_000, 20
TYPED = 1_000  # listings whose beginnings are typed
DEMANDS_SHARE = 0.3
DEFINITIONS = """\
raw        the engine requests of a search page, noted while it was made, sent again directly
discovery  the same page's data by market.discovery.queries.search, database included
bare       the page's template rendered by a Flask application without our hooks from ready data
page       GET /search?… by Flask's test client, all hooks, uncompressed unless said
FTS5       the words found by MATCH in one column, 20 rows by rank, all facets by GROUP BY
p50 / p95  medians over five rounds of each round's p50 and p95; all ways take turns
edit       from calling service.revise until a search for a new word finds it, worker running
publish    likewise from an office's 发布 of a firm's demand; withdraw, until it is not found any more
slips      words of listings with one character exchanged; mended: right word in the first three
at 10,000  an index of each engine over the first 10,000 listings, the same raw requests in turns
memory     RssAnon of the gunicorn worker of `market serve` with one process, four clients
MRR@10     mean of 1/rank of the paper, 0 beyond the tenth place; five draws of keywords"""


def run(folder: Path, scale: float) -> Iterator[Figure]:
    """All figures of this section; `scale` shortens it."""
    instance = Instance(folder / "market")
    yield from fill(instance, _some(LISTINGS, scale, 300))
    found = speed.cases(instance.app, _forms(instance, _some(SEARCHES, scale, 30)))
    yield from _speed(instance, found)
    yield from _words(instance, scale)
    kinds = pages.kinds_of_pages(instance.app)
    yield from pages.count_statements(instance.app, kinds)
    addresses = [*kinds.values(), *(case.address for case in found[:60])]
    yield from pages.web_process_memory(instance, addresses, _some(REQUESTS, scale, 100))
    yield from following.figures(instance, _some(EDITS, scale, 2))
    with instance.app.app_context():
        fields = schema(instance.app.extensions["market"])
        small = _some(small_market.LISTINGS, scale, 300)
        yield from small_market.figures(folder / "small", fields, _documents(), small, found)
    instance.close()
    yield from _relevance(folder / "papers", scale)


def _some(count: int, scale: float, least: int) -> int:
    return max(least, round(count * scale))


def load(kind: Kind, path: Path) -> int:
    """Import a file by the importer; returns the new rows.

    Raises:
        BenchError: it was refused.
    """
    result = run_import(kind, path, Options(), SYSTEM)
    if result.refused:
        raise BenchError(f"{path.name}: {result.problems[0]}")
    return result.imported


def fill(instance: Instance, count: int) -> Iterator[Figure]:
    """Demonstration data and generated listings, indexed."""
    demands = round(count * DEMANDS_SHARE)
    with instance.app.app_context():
        for _ in load_demo():
            pass
        world = World.read()
        load(ORGANISATIONS, write_jsonl(instance.folder / "owners.jsonl", world.owners))
        for kind, rows in (
            (ACHIEVEMENTS, world.rows("achievement", count - demands, 1)),
            (DEMANDS, world.rows("demand", demands, 2)),
        ):
            path = write_jsonl(instance.folder / f"{kind.name}.jsonl", rows)
            load(kind, path)
            path.unlink()
        indexer = Indexer()
        started = time.perf_counter()
        indexer.run()  # finds an empty index, so it rebuilds
        spent = time.perf_counter() - started
        indexer.close()
        documents = reader().stats().documents
    yield plain("listings", f"{documents:,}")
    yield plain("index rebuilt", f"{documents / spent:,.0f} documents/s")


def _forms(instance: Instance, count: int) -> Iterator[SearchForm]:
    with instance.app.app_context():
        world = World.read()
    return world.searches(count)


def _documents() -> Iterator[Document]:
    for ids in SEARCHABLE.batches():
        yield from SEARCHABLE.load(ids).values()
        db.session.remove()


def _speed(instance: Instance, found: list[speed.Case]) -> list[Figure]:
    with instance.app.app_context():
        regions = {
            code: str(key) for code, key in db.session.execute(select(Region.code, Region.id))
        }
        fts = Fts(instance.folder / "fts.db", regions)
        fts.fill(_documents())
    times = speed.measure(instance.app, found, fts, ROUNDS)
    fts.close()
    return speed.figures(times, found)


def _words(instance: Instance, scale: float) -> Iterator[Figure]:
    """Suggestions and corrections among all listings."""
    with instance.app.app_context():
        demo, all_of_them = (
            db.session.scalars(select(Listing.id).where(condition).order_by(Listing.id)).all()
            for condition in (Listing.demo.is_(True), Listing.state == "published")
        )
        sample = all_of_them[:: max(1, len(all_of_them) // TYPED)]
        written, sampled = (list(SEARCHABLE.load(ids).values()) for ids in (demo, sample))
        db.session.remove()
        yield from words.helping(instance.app, written, sampled, scale)


def _relevance(folder: Path, scale: float) -> Iterator[Figure]:
    """How well papers are found among the demonstration data."""
    name = os.environ.get(relevance.FILE)
    if not name:
        yield plain("relevance", f"skipped: {relevance.FILE} is unset")
        return
    papers = relevance.read_papers(Path(name))
    papers = papers[: _some(len(papers), scale, 20)]
    instance = Instance(folder)
    with instance.app.app_context():
        for _ in load_demo():
            pass
        load(ACHIEVEMENTS, write_jsonl(folder / "papers.jsonl", _rows_of(papers)))
        indexer = Indexer()
        indexer.run()
        indexer.close()
        found = select(Listing.no, Listing.source_id).where(Listing.demo.is_(False))
        keys = dict(db.session.execute(found).all())

        def ours(query: str) -> list[str]:
            form = SearchForm(q=query, per_page=relevance.TOP)
            cards = queries.cards(PUBLIC, form).items
            db.session.remove()
            return [keys.get(card.no) or card.no for card in cards]

        qualities = relevance.measure(ours, papers)
        known = words.words_of(f"{paper.title}\n{paper.summary}" for paper in papers)
        count = words.scaled(words.SLIPS, scale)
        yield from words.mending(reader().correct, known, "abstracts", count)
    instance.close()
    beside = relevance.measure(relevance.plain_bm25(papers), papers)
    for kind, least in zip(relevance.KINDS, relevance.REQUIRED_MRR, strict=True):
        yield at_least(f"MRR@10, {kind}", qualities[kind].mrr, least, "", 3)
        yield plain(f"MRR@10, {kind}, plain BM25", f"{beside[kind].mrr:.3f}")
        yield plain(f"Recall@10, {kind}", f"{qualities[kind].recall:.3f}")
        yield plain(f"Recall@10, {kind}, plain BM25", f"{beside[kind].recall:.3f}")


def _rows_of(papers: list[relevance.Paper]) -> Iterator[Row]:
    """Papers as achievements, without their keywords."""
    from market.accounts.models import Organisation

    owner = db.session.scalar(
        select(Organisation.uscc).where(Organisation.kind == "institute").limit(1)
    )
    for paper in papers:
        yield {
            "source_id": paper.key,
            "title": paper.title,
            "summary": paper.summary,
            "owner_uscc": owner,
            "region": "510000",
        }
