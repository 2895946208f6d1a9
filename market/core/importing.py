"""Importing a file: checked whole, staged in small batches, shown by one last update.

Nothing shows unless every row is good. The write lock is held for one batch at a time.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from market.core import clock
from market.core.bulk import fewer_collections
from market.core.db import db
from market.core.errors import Conflict, NotFound
from market.core.models import ImportRun
from market.core.permissions import SYSTEM, Actor, policy
from market.core.sheets import Column, Problem, Row, open_table
from market.core.sheets.model import readable
from market.core.unit_of_work import UnitOfWork, unit_of_work

BATCH = 500
KEPT_ERRORS = 20_000
MOST_COMPARED = 2_000  # rows; in longer files only a dry run looks for similar listings
KEPT_WARNINGS = 5_000
ABANDONED = timedelta(minutes=2)
BEAT = 20.0  # seconds after which a run says that it is alive

RUN = policy.declare("core:import:run")


@dataclass(frozen=True)
class Options:
    """What the importer is told beside the file: values for rows that name none."""

    organisation: str | None = None
    region: str | None = None
    scheme: str | None = None
    demo: bool = False
    # Whether rows are compared with what is published and with each other, which takes a search
    # for each of them.
    compare: bool = False
    # For whom people import: rows of another organisation, or outside an area, are refused.
    only_organisation_id: int | None = None
    only_area: str | None = None

    @property
    def by_people(self) -> bool:
        """Whether people bring it for themselves, not whoever runs the market."""
        return self.only_organisation_id is not None or self.only_area is not None


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

    def undo(self, run_id: int) -> Sequence[str]:
        """Take back a shown import; sentences on what was changed since. In a unit of work."""


@dataclass(frozen=True)
class Kind:
    """A kind of file: its name on the command line, its columns, how to import and export."""

    name: str
    label: str
    columns: Callable[[], Sequence[Column]]
    importer: Callable[[Options], Importer]
    rows: Callable[[], Iterator[Mapping[str, Any]]]
    undoable: bool = False


@dataclass(frozen=True)
class Importable:
    """A kind of file that people import on a page.

    Args:
        permission: asked for the organisation or the area that they import for.
        shown: what a good row will look like, by label; by default its first cells.
        since: sentences on what was changed after an import, which then cannot be undone.
        drafts: an importer that makes drafts; drafts_at: their page, of what is never but drafted.
        county: rows belong to a county, by default the importer's own; public: all see them at once.
    """

    kind: Kind
    permission: str
    shown: Callable[[Checked], Mapping[str, str]] | None = None
    since: Callable[[int], Sequence[str]] = lambda run_id: ()
    drafts: Callable[[Options, Actor], Importer] | None = None
    county: bool = False
    public: bool = True
    drafts_at: tuple[str, str] | None = None


@dataclass
class Result:
    """What an import did.

    `problems` holds errors first, at most 20,000 and 5,000 warnings, and says at its end when
    there were more; `rejected` counts all bad rows.
    """

    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    run_id: int | None = None
    problems: list[Problem] = field(default_factory=list)
    left_out: int = 0
    sheet: str = ""  # the name of the sheet that was read, of a workbook

    def take(self, problems: Sequence[Problem]) -> None:
        """Keep problems as far as there is room; warnings never push out errors."""
        errors = sum(not problem.warning for problem in self.problems)
        warnings = len(self.problems) - errors
        for problem in problems:
            room = warnings < KEPT_WARNINGS if problem.warning else errors < KEPT_ERRORS
            if room:
                self.problems.append(problem)
                warnings += problem.warning
                errors += not problem.warning
            else:
                self.left_out += 1

    def close(self) -> None:
        """Put errors first, and say how many problems are not in the list."""
        self.problems.sort(key=lambda problem: problem.warning)
        if self.left_out:
            message = f"另有 {self.left_out:,} 条没有列出，改正后再导入会看到。"
            self.problems.append(Problem(0, "", "全表", "", message, True))

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
    permission: str = RUN,
    batch: int = BATCH,
) -> Result:
    """Import a file.

    Args:
        kind: what the file holds.
        progress: called with the number of rows checked so far.
        permission: what is asked before each write.
        batch: rows checked and written at a time.

    Raises:
        FileRefused: the file as a whole cannot be read.
        Invalid: the options name an unknown organisation or region.
    """
    table = open_table(path, kind.columns())
    first = list(islice(table.rows, MOST_COMPARED + 1))
    rows = chain(first, table.rows)
    compare = dry_run or len(first) <= MOST_COMPARED
    importer = kind.importer(replace(options, compare=compare))
    # An importer may want to see the rows before it judges the first one.
    getattr(importer, "foresee", lambda rows: None)(first)
    result = Result(sheet=table.sheet)
    result.take(table.warnings)
    run = _Run(actor, progress, permission, batch)
    if dry_run:
        with fewer_collections():
            _check_and_stage(rows, importer, result, run)
        result.close()
        return result
    with _alone(kind.name), fewer_collections():
        _run(kind, path, rows, importer, result, run)
    result.close()
    return result


@dataclass(frozen=True)
class _Run:
    """By whom and how a file is imported."""

    actor: Actor
    progress: Callable[[int], None]
    permission: str
    batch: int

    @contextmanager
    def work(self) -> Iterator[UnitOfWork]:
        """A write of this import."""
        with unit_of_work(self.actor) as work:
            work.require(self.permission)
            yield work


def _run(
    kind: Kind,
    path: Path,
    rows: Iterator[Row],
    importer: Importer,
    result: Result,
    run: _Run,
) -> None:
    discard_abandoned({kind.name: importer}, alone=True)
    result.run_id = _start(kind, path, run)
    done = False
    try:
        _check_and_stage(rows, importer, result, run)
        if not result.refused:
            _publish(importer, result, run)
        done = True
    except IntegrityError as error:
        raise Conflict("导入期间数据被他人改动，什么都没有导入，请再导入一次。") from error
    finally:
        if not done or result.refused:
            _discard(importer, result.run_id, "refused" if done else "abandoned", result)


@contextmanager
def _alone(kind: str) -> Iterator[None]:
    """Hold the right to import this kind on this machine; others wait for it.

    The lock ends with the process, however it ends: who holds it knows that runs of this
    machine that are still staging are dead.
    """
    folder: Path = current_app.extensions["market"].settings.instance
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"import-{kind}.lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _start(kind: Kind, path: Path, run: _Run) -> int:
    moment = clock.now()
    with run.work():
        row = ImportRun(
            kind=kind.name,
            file_name=readable(path.name),
            state="staging",
            actor_label=run.actor.label,
            started_at=moment,
            heartbeat_at=moment,
        )
        db.session.add(row)
        db.session.flush()
        return row.id


def _check_and_stage(
    rows: Iterator[Row],
    importer: Importer,
    result: Result,
    run: _Run,
) -> None:
    seen, beaten = 0, time.monotonic()
    while batch := list(islice(rows, run.batch)):
        checked = importer.check(batch)
        _count(batch, checked, result)
        writes = [row for row in checked if row.action != "unchanged"]
        if result.run_id is not None and writes and not result.refused:
            with run.work():
                importer.stage(result.run_id, writes)
                _beat(result.run_id)
            beaten = time.monotonic()
        elif result.run_id is not None and time.monotonic() - beaten > BEAT:
            with run.work():
                _beat(result.run_id)
            beaten = time.monotonic()
        db.session.rollback()  # ends the reading transaction; objects of the batch are let go
        db.session.expunge_all()
        seen += len(batch)
        run.progress(seen)
    if result.refused:
        result.imported = result.updated = result.unchanged = 0


def _count(batch: Sequence[Row], checked: Sequence[Checked], result: Result) -> None:
    for row in batch:
        result.rejected += row.rejected
        if row.problems:
            result.take(row.problems)
    result.imported += sum(row.action == "new" for row in checked)
    result.updated += sum(row.action == "changed" for row in checked)
    result.unchanged += sum(row.action == "unchanged" for row in checked)


def _beat(run_id: int) -> None:
    """Say that the run is alive; a run that another process removed must not go on."""
    staging = (ImportRun.id == run_id) & (ImportRun.state == "staging")
    beat = db.session.execute(update(ImportRun).where(staging).values(heartbeat_at=clock.now()))
    if not beat.rowcount:  # type: ignore[attr-defined]
        raise Conflict("这次导入停顿太久，已被当作中断而清除，请再导入一次。")


def _finish(run_id: int, state: str, result: Result) -> None:
    values = {
        name: getattr(result, name) for name in ("imported", "updated", "unchanged", "rejected")
    }
    db.session.execute(
        update(ImportRun)
        .where(ImportRun.id == run_id)
        .values(state=state, finished_at=clock.now(), **values)
    )


def _publish(importer: Importer, result: Result, run: _Run) -> None:
    assert result.run_id is not None
    with run.work() as work:
        _beat(result.run_id)
        if result.imported or result.updated:
            importer.publish(result.run_id)
        _finish(result.run_id, "done", result)
        work.record("import.done", "import", result.run_id, after={"line": result.line()})


def _discard(importer: Importer, run_id: int, state: str, result: Result | None = None) -> None:
    """Clean up; by the system, since whoever imported may have lost the right meanwhile."""
    db.session.rollback()
    more = True
    while more:
        with unit_of_work(SYSTEM) as work:
            work.require(RUN)
            more = importer.discard(run_id)
    with unit_of_work(SYSTEM) as work:
        work.require(RUN)
        _finish(run_id, state, result or Result())


def discard_abandoned(importers: Mapping[str, Importer], *, alone: bool = False) -> int:
    """Remove what imports of processes that died had staged; returns how many there were.

    Args:
        importers: by kind; runs of other kinds are left.
        alone: nobody else on this machine imports these kinds. With SQLite, which serves one
            machine, all runs that are still staging are dead then; else a stopped heartbeat says.
    """
    query = select(ImportRun.id, ImportRun.kind).where(ImportRun.state == "staging")
    if not (alone and db.engine.dialect.name == "sqlite"):
        query = query.where(ImportRun.heartbeat_at < clock.now() - ABANDONED)
    dead = [(run_id, kind) for run_id, kind in db.session.execute(query) if kind in importers]
    for run_id, kind in dead:
        _discard(importers[kind], run_id, "abandoned")
    return len(dead)


def undo_import(
    run_id: int, kinds: Mapping[str, Kind], actor: Actor, permission: str = RUN
) -> tuple[ImportRun, Sequence[str]]:
    """Take back a finished import: new rows are withdrawn, changed ones as they were before.

    Returns:
        The import, and sentences on rows that were changed again since.

    Raises:
        NotFound: there is no such import. Conflict: it is not a finished one.
    """
    run = db.session.get(ImportRun, run_id)
    if run is None or run.kind not in kinds:
        raise NotFound(f"没有编号为 {run_id} 的导入。")
    kind, state = kinds[run.kind], run.state
    if state != "done":
        raise Conflict(f"导入 {run_id} {_STATES[state]}，只能撤销已完成的导入。")
    with unit_of_work(actor) as work:
        work.require(permission)
        done = (ImportRun.id == run_id) & (ImportRun.state == "done")
        taken = db.session.execute(update(ImportRun).where(done).values(state="undone"))
        if not taken.rowcount:  # type: ignore[attr-defined]
            raise Conflict(f"导入 {run_id} 刚被他人撤销。")
        since = kind.importer(Options()).undo(run_id)
        work.record("import.undone", "import", run_id)
    return db.session.get_one(ImportRun, run_id), since


_STATES = {
    "staging": "还在进行",
    "refused": "没有通过检查",
    "abandoned": "已中断",
    "undone": "已经撤销过",
}
