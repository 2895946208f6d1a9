"""Importing a file: checked whole, staged in small batches, shown by one last update.

Nothing shows unless every row is good. The write lock is held for one batch at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import select, update

from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, NotFound
from market.core.models import ImportRun
from market.core.permissions import Actor, policy
from market.core.sheets import Column, Problem, Row, open_table
from market.core.unit_of_work import unit_of_work

BATCH = 500
KEPT_PROBLEMS = 2000
ABANDONED = timedelta(minutes=2)

RUN = policy.declare("core:import:run")


@dataclass(frozen=True)
class Options:
    """What the importer is told beside the file: values for rows that name none."""

    organisation: str | None = None
    region: str | None = None
    scheme: str | None = None
    demo: bool = False


@dataclass(frozen=True)
class Checked:
    """A good row: what to do with it ("new", "changed", "unchanged") and its clean content."""

    row: Row
    action: str
    content: Mapping[str, Any] = field(default_factory=dict)
    existing_id: int | None = None


class Importer(Protocol):
    """How rows of one kind are checked, staged and shown. One object serves one import."""

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Validate a batch; problems are reported on the rows. Reads only."""

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        """Write a batch where nobody sees it. Inside a unit of work."""

    def publish(self, run_id: int) -> None:
        """Show what was staged. Inside a unit of work."""

    def discard(self, run_id: int) -> bool:
        """Remove up to a batch of what was staged; False when nothing is left."""

    def undo(self, run_id: int) -> None:
        """Take back a shown import. Inside a unit of work."""


@dataclass(frozen=True)
class Kind:
    """A kind of file: its name on the command line, its columns, how to import and export."""

    name: str
    label: str
    columns: Callable[[], Sequence[Column]]
    importer: Callable[[Options], Importer]
    rows: Callable[[], Iterator[Mapping[str, Any]]]


@dataclass
class Result:
    """What an import did. `problems` holds at most 2,000; `rejected` counts all bad rows."""

    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    run_id: int | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether the file was refused, so that nothing of it shows."""
        return self.rejected > 0

    def line(self) -> str:
        """The last line of the command."""
        return (
            f"imported {self.imported}, updated {self.updated}, "
            f"unchanged {self.unchanged}, rejected {self.rejected}"
        )


def run_import(
    kind: Kind,
    path: Path,
    options: Options,
    actor: Actor,
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda rows: None,
) -> Result:
    """Import a file.

    Args:
        kind: what the file holds.
        progress: called with the number of rows checked so far.

    Raises:
        FileRefused: the file as a whole cannot be read.
        Invalid: the options name an unknown organisation or region.
    """
    table = open_table(path, kind.columns())
    importer = kind.importer(options)
    result = Result(problems=list(table.warnings))
    if not dry_run:
        discard_abandoned({kind.name: importer})
        result.run_id = _start(kind, path, actor)
    done = False
    try:
        _check_and_stage(table.rows, importer, result, actor, progress)
        if result.refused:
            result.imported = result.updated = result.unchanged = 0
        elif not dry_run:
            _publish(importer, result, actor)
        done = True
    finally:
        if result.run_id is not None and (not done or result.refused):
            _discard(importer, result.run_id, actor, "refused" if done else "abandoned", result)
    return result


def _start(kind: Kind, path: Path, actor: Actor) -> int:
    moment = clock.now()
    with unit_of_work(actor) as work:
        work.require(RUN)
        run = ImportRun(
            kind=kind.name,
            file_name=path.name[:200],
            state="staging",
            actor_label=actor.label,
            started_at=moment,
            heartbeat_at=moment,
        )
        db.session.add(run)
        db.session.flush()
        return run.id


def _check_and_stage(
    rows: Iterator[Row],
    importer: Importer,
    result: Result,
    actor: Actor,
    progress: Callable[[int], None],
) -> None:
    seen = 0
    while batch := list(islice(rows, BATCH)):
        checked = importer.check(batch)
        _count(batch, checked, result)
        writes = [row for row in checked if row.action != "unchanged"]
        if result.run_id is not None and writes and not result.refused:
            with unit_of_work(actor) as work:
                work.require(RUN)
                importer.stage(result.run_id, writes)
                _beat(result.run_id)
        db.session.rollback()  # ends the reading transaction; objects of the batch are let go
        db.session.expunge_all()
        seen += len(batch)
        progress(seen)


def _count(batch: Sequence[Row], checked: Sequence[Checked], result: Result) -> None:
    for row in batch:
        result.rejected += row.rejected
        room = KEPT_PROBLEMS - len(result.problems)
        result.problems += row.problems[: max(0, room)]
    result.imported += sum(row.action == "new" for row in checked)
    result.updated += sum(row.action == "changed" for row in checked)
    result.unchanged += sum(row.action == "unchanged" for row in checked)


def _beat(run_id: int) -> None:
    db.session.execute(
        update(ImportRun).where(ImportRun.id == run_id).values(heartbeat_at=clock.now())
    )


def _finish(run_id: int, state: str, result: Result) -> None:
    values = {
        name: getattr(result, name) for name in ("imported", "updated", "unchanged", "rejected")
    }
    db.session.execute(
        update(ImportRun)
        .where(ImportRun.id == run_id)
        .values(state=state, finished_at=clock.now(), **values)
    )


def _publish(importer: Importer, result: Result, actor: Actor) -> None:
    assert result.run_id is not None
    with unit_of_work(actor) as work:
        work.require(RUN)
        if result.imported or result.updated:
            importer.publish(result.run_id)
        _finish(result.run_id, "done", result)
        work.record("import.done", "import", result.run_id, after={"line": result.line()})


def _discard(
    importer: Importer, run_id: int, actor: Actor, state: str, result: Result | None = None
) -> None:
    db.session.rollback()
    more = True
    while more:
        with unit_of_work(actor) as work:
            work.require(RUN)
            more = importer.discard(run_id)
    with unit_of_work(actor) as work:
        work.require(RUN)
        _finish(run_id, state, result or Result())


def discard_abandoned(importers: Mapping[str, Importer]) -> int:
    """Remove what imports of processes that died had staged; returns how many there were."""
    from market.core.permissions import SYSTEM

    query = select(ImportRun.id, ImportRun.kind).where(
        ImportRun.state == "staging", ImportRun.heartbeat_at < clock.now() - ABANDONED
    )
    dead = [(run_id, kind) for run_id, kind in db.session.execute(query) if kind in importers]
    for run_id, kind in dead:
        _discard(importers[kind], run_id, SYSTEM, "abandoned")
    return len(dead)


def undo_import(run_id: int, kinds: Mapping[str, Kind], actor: Actor) -> ImportRun:
    """Take back a finished import: new rows are withdrawn, changed ones as they were before.

    Raises:
        NotFound: there is no such import.
        Conflict: it is not a finished one.
    """
    run = db.session.get(ImportRun, run_id)
    if run is None:
        raise NotFound(f"没有编号为 {run_id} 的导入。")
    if run.state != "done":
        raise Conflict(f"导入 {run_id} 的状态是 {run.state}，只能撤销已完成的导入。")
    with unit_of_work(actor) as work:
        work.require(RUN)
        kinds[run.kind].importer(Options()).undo(run_id)
        db.session.execute(update(ImportRun).where(ImportRun.id == run_id).values(state="undone"))
        work.record("import.undone", "import", run_id)
    return db.session.get_one(ImportRun, run_id)
