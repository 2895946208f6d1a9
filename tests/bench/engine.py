"""Speed and memory of the search engine on generated documents.

    python -m tests.bench.engine [documents]

Prints how fast documents are indexed, p50 / p95 of a full page (20 hits, 5 facets, up to three
filters, highlights) and of suggestions, and the memory of a process that only reads.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence

from search_index import (
    Document,
    Engine,
    FacetRequest,
    IndexSchema,
    Range,
    SearchRequest,
    open_engine,
)
from tests.bench.figures import memory_megabytes, percentiles
from tests.bench.generator import OWNERS, PLACES, WAYS, Vocabulary

SCHEMA = IndexSchema(
    filters=("kind", "region", "field", "maturity", "mode"),
    numbers=("date", "price"),
    parts=("summary", "problem", "keywords", "owner"),
)
SYNONYMS = (
    ("技术经理人", "技术经纪人", "科技经纪人"),
    ("中试", "中间试验"),
    ("高企", "高新技术企业"),
)
REQUESTS = 1_000


class Generator:
    """Documents and queries recombined from a vocabulary, the same for the same seed."""

    def __init__(self, seed: int = 7) -> None:
        self._vocabulary = Vocabulary(seed)
        self._owners = [place + owner for place in PLACES for owner in OWNERS]

    def documents(self, count: int, seed: int = 1) -> Iterator[Document]:
        """Yield `count` documents."""
        chance = random.Random(seed)
        for number in range(count):
            yield self._document(number, chance)

    def _document(self, number: int, chance: random.Random) -> Document:
        words = self._vocabulary.some(chance, 60)
        title = self._vocabulary.title(chance, words[:3])
        sentences = self._vocabulary.sentences(chance, words[3:57])
        province, county = chance.randrange(31), chance.randrange(100)
        city = county // 10
        numbers = {"date": 19_000 + chance.randrange(1_500)}
        if chance.random() < 0.6:
            numbers["price"] = chance.randrange(1, 500) * 1_000_000
        owner = chance.choice(self._owners)
        return Document(
            key=f"achievement:{number}",
            version=str(number % 7),
            title=title,
            parts={
                "summary": "".join(sentences[:7]),
                "problem": "".join(sentences[7:]),
                "keywords": " ".join(words[:5]),
                "owner": owner,
            },
            names=(owner,),
            codes=(f"ZL2019{chance.randrange(10**8):08}.{number % 10}", f"CG{number:08}"),
            phrases=tuple(words[:5]),
            filters={
                "kind": [chance.choice(("achievement", "demand"))],
                "region": [f"{province}", f"{province}.{city}", f"{province}.{county}"],
                "field": chance.sample([f"f{i}" for i in range(12)], chance.choice((1, 1, 2))),
                "maturity": [f"trl{chance.randrange(1, 10)}"],
                "mode": chance.sample([f"m{i}" for i in range(6)], 2),
            },
            numbers=numbers,
            stored={"no": f"CG{number:08}", "url": f"/achievements/CG{number:08}", "title": title},
        )

    def requests(self, count: int, seed: int = 2) -> Iterator[SearchRequest]:
        """Yield full-page requests of one to three words with up to three filters."""
        chance = random.Random(seed)
        facets = [FacetRequest(name) for name in SCHEMA.filters]
        for _ in range(count):
            filters = {
                "kind": ["achievement"],
                "region": [f"{chance.randrange(31)}"],
                "field": [f"f{i}" for i in chance.sample(range(12), 2)],
            }
            chosen = chance.sample(sorted(filters), chance.randrange(4))
            yield SearchRequest(
                query=self._vocabulary.query(chance, ("ZL20191234",)),
                filters={name: filters[name] for name in chosen},
                ranges={"price": Range(lte=300_000_000)} if chance.random() < 0.1 else {},
                facets=facets,
                sort=chance.choice(("relevance", "relevance", "relevance", "-date", "price")),
            )

    def prefixes(self, count: int, seed: int = 3) -> Iterator[str]:
        """Yield beginnings of words and names as typed."""
        chance = random.Random(seed)
        names = ("sichuan", "cd", "shandong")
        known = (*self._vocabulary.words, *self._owners, *WAYS, *names)
        for _ in range(count):
            word = chance.choice(known)
            yield word[: chance.randrange(1, len(word) + 1)]


def read(folder: str, requests: int = REQUESTS) -> None:
    """Measure reading in a process of its own."""
    generator = Generator()
    before = memory_megabytes("self", "RssAnon")
    with open_engine("tantivy", folder, SCHEMA, synonyms=SYNONYMS) as engine:
        engine.search(SearchRequest("开门"))
        opened = memory_megabytes("self", "RssAnon")
        for name, times in _times(engine, generator, requests):
            print(f"{name:12} {percentiles(times)}")
        print(
            f"anonymous memory: {before:.0f} MB before, {opened:.0f} MB after the first request, "
            f"{memory_megabytes('self', 'RssAnon'):.0f} MB after {requests} pages and {requests} suggestions"
        )
        print("pypinyin loaded:", "pypinyin" in sys.modules)


def _times(
    engine: Engine, generator: Generator, count: int
) -> Iterator[tuple[str, Sequence[float]]]:
    pages = []
    for request in generator.requests(count):
        start = time.perf_counter()
        engine.search(request)
        pages.append(time.perf_counter() - start)
    yield "full page", pages
    suggestions = []
    for prefix in generator.prefixes(count):
        start = time.perf_counter()
        engine.suggest(prefix)
        suggestions.append(time.perf_counter() - start)
    yield "suggestions", suggestions


def main() -> None:
    """Build an index, then measure reading, checking and small changes."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    generator = Generator()
    with tempfile.TemporaryDirectory() as folder:
        with open_engine("tantivy", folder, SCHEMA, writable=True) as engine:
            documents = list(generator.documents(count))
            start = time.perf_counter()
            engine.rebuild(documents)
            spent = time.perf_counter() - start
            print(f"rebuild      {count / spent:,.0f} documents/s ({spent:.1f} s)", engine.stats())
            start = time.perf_counter()
            report = engine.check((document.key, document.version) for document in documents)
            print(f"check        {time.perf_counter() - start:.2f} s, ok: {report.ok}")
            times = []
            for batch in range(20):
                start = time.perf_counter()
                engine.apply(documents[batch * 50 : batch * 50 + 50])
                times.append(time.perf_counter() - start)
            print(f"apply of 50  {percentiles(times)}", engine.stats())
        # A fresh process: what building left in memory is not the reader's.
        process = multiprocessing.get_context("spawn").Process(target=read, args=(folder,))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
