"""Both engines on a small market: the first 10,000 listings, the same searches, in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from search_index import ENGINES, Document, Engine, IndexSchema, open_engine
from tests.bench.figures import Figure, interleaved, plain, timed
from tests.bench.speed import Case

LISTINGS = 10_000
ROUNDS = 3


def figures(
    folder: Path,
    schema: IndexSchema,
    documents: Iterable[Document],
    count: int,
    found: Sequence[Case],
) -> Iterator[Figure]:
    """How fast each engine is filled, and answers the requests of the search pages alone.

    Args:
        folder: for the two indexes.
        schema: fields of the documents.
        documents: at least `count`; the first ones are taken.
        count: how many.
        found: search pages, with the requests they send.
    """
    some = list(islice(documents, count))
    with ExitStack() as opened:
        engines: dict[str, Engine] = {}
        for name in ENGINES:
            engine = open_engine(name, folder / name, schema, writable=True)
            engines[name] = opened.enter_context(engine)
            started = time.perf_counter()
            engine.rebuild(some)
            rate = len(some) / (time.perf_counter() - started)
            yield plain(f"{name} at {len(some):,}, rebuilt", f"{rate:,.0f} documents/s")

        def way(engine: Engine) -> Callable[[int], float]:
            return lambda number: timed(
                lambda: [engine.search(one) for one in found[number].requests]
            )

        ways = {name: way(engine) for name, engine in engines.items()}
        for name, times in interleaved(ways, len(found), ROUNDS).items():
            yield plain(f"{name} at {len(some):,}, raw p50 / p95", times)
