"""The indexer: carries changes from the outbox into the index. The one writer of a node.

A batch of outbox rows is read, the things they name are read afresh and written to the engine,
which commits; only then the rows are deleted. Killed anywhere, the work is simply done again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import structlog
from flask import current_app

from market.core import clock, outbox
from market.core.bulk import fewer_collections
from market.core.db import db
from market.core.models import Node
from market.core.permissions import SYSTEM, policy
from market.core.ports import Market
from market.core.unit_of_work import unit_of_work
from market.discovery.engine import open_for
from market.discovery.word_writer import WordWriter
from search_index import CheckReport, Document, Engine, IndexMissing, IndexOutdated, WriterBusy

ROWS = 500  # outbox rows a batch
HEARTBEAT = 60.0  # seconds

INDEX = policy.declare("discovery:index:write")
log = structlog.get_logger(__name__)


def _market() -> Market:
    market: Market = current_app.extensions["market"]
    return market


class Indexer:
    """Owns the writing engine of this process; one per worker."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._words: WordWriter | None = None
        self._beat = 0.0

    def run(self) -> bool:
        """One batch; True when more rows wait."""
        if self._engine is None and not self._open():
            return False
        self._stay_alive()
        more = self.work_off()
        if not more and self._words is not None:
            self._words.tend()
        return more

    def become_writer(self) -> bool:
        """Open the index for writing; False when another process of this node holds it."""
        try:
            self._engine = open_for(_market(), writable=True)
        except WriterBusy:
            return False
        self._words = WordWriter(self._engine)
        return True

    def _open(self) -> bool:
        """Become the writer; build the index where there is none that fits."""
        if not self.become_writer():
            return False
        assert self._engine is not None
        known = self._register()
        try:
            empty = self._engine.stats().documents == 0
        except (IndexMissing, IndexOutdated):
            empty = True
        if empty or not known:
            self.rebuild()
        return True

    def _register(self) -> bool:
        """Note this node, so that changes leave rows for it; False when it was unknown."""
        with unit_of_work(SYSTEM) as work:
            work.require(INDEX)
            known = db.session.get(Node, _market().settings.node) is not None
            db.session.merge(Node(name=_market().settings.node, heartbeat=clock.now()))
            return known

    def _stay_alive(self) -> None:
        if time.monotonic() - self._beat < HEARTBEAT:
            return
        self._beat = time.monotonic()
        if not self._register():
            self.rebuild()  # silent for so long that its rows were dropped

    def work_off(self) -> bool:
        """Carry out a batch of outbox rows; True when more wait."""
        consumer = outbox.index_consumer(_market().settings.node)
        rows = [(row.id, row.kind, row.object_id) for row in outbox.read(consumer, ROWS)]
        db.session.rollback()  # no transaction is held while the engine commits
        if not rows:
            return False
        if any(kind == outbox.REBUILD for _, kind, _ in rows):
            self.rebuild()
        else:
            self._write(rows)
        with unit_of_work(SYSTEM) as work:
            work.require(INDEX)
            outbox.remove([key for key, _, _ in rows])
        return len(rows) == ROWS

    def _write(self, rows: Sequence[tuple[int, str, int]]) -> None:
        """Write what the rows name in one commit; what is not public any more is deleted."""
        assert self._engine is not None
        gone: list[str] = []
        with fewer_collections():
            self._engine.apply(_documents(rows, gone), gone)
        if self._words is not None:
            self._words.changed()

    def rebuild(self) -> int:
        """Build a new index from the database and put it in place; returns the documents."""
        assert self._engine is not None
        if self._words is not None:
            self._words.wait()  # both would write the words of the new index
        started = time.monotonic()
        with fewer_collections():
            count = self._engine.rebuild(_all_documents())
        log.info("index rebuilt", documents=count, seconds=round(time.monotonic() - started, 1))
        return count

    def close(self) -> None:
        """Let the writer's lock go."""
        if self._words is not None:
            self._words.wait()
            self._words = None
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def _documents(rows: Sequence[tuple[int, str, int]], gone: list[str]) -> Iterator[Document]:
    """Documents that the rows name, read afresh; keys without one are added to `gone`."""
    for searchable in _market().searchables.values():
        named = sorted({key for _, kind, key in rows if kind == searchable.kind})
        wider = [searchable.expand[kind](key) for _, kind, key in rows if kind in searchable.expand]
        for ids in chain([named] if named else [], *wider):
            documents = searchable.load(ids)
            db.session.rollback()  # no transaction is held while the engine works
            db.session.expunge_all()
            gone += [searchable.key(key) for key in ids if key not in documents]
            yield from documents.values()


def _all_documents() -> Iterator[Document]:
    for searchable in _market().searchables.values():
        for ids in searchable.batches():
            documents: Mapping[int, Document] = searchable.load(ids)
            db.session.rollback()
            db.session.expunge_all()
            yield from documents.values()


def check(engine: Engine) -> CheckReport:
    """Compare index and database both ways; call it once the node's rows are gone."""
    expected = chain.from_iterable(s.versions() for s in _market().searchables.values())
    return engine.check(expected)


def wait_until_done(seconds: float) -> bool:
    """Wait until this node's outbox rows are carried out; False when time ran out."""
    consumer = outbox.index_consumer(_market().settings.node)
    end = time.monotonic() + seconds
    while outbox.pending(consumer):
        db.session.rollback()
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    db.session.rollback()
    return True


def ask_rebuild() -> None:
    """Leave a row that asks every node's worker for a new index."""
    with unit_of_work(SYSTEM) as work:
        work.require(INDEX)
        outbox.announce(outbox.REBUILD, 0)
