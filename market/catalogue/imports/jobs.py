"""The worker's part: files checked and imported one by one, in a thread beside the index.

A worker that has a file says every hundred rows that it is alive. One that fell silent has died:
what it checked is checked again, what it was importing is imported anew, since an import shows
all its rows or none, and notes its run in the transaction that shows them.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, current_app
from sqlalchemy import or_, select, update

from market.accounts.people.models import ApiToken, Person
from market.accounts.people.sessions import actor_of, actor_of_token
from market.catalogue.imports import queries, rules, storage
from market.catalogue.imports.models import ImportJob
from market.catalogue.imports.service import kind_of
from market.catalogue.imports.workflow import RUN, WORK, WORKFLOW
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, MarketError
from market.core.importing import (
    Checked,
    Importable,
    Importer,
    Options,
    Result,
    run_import,
)
from market.core.models import ImportRun
from market.core.permissions import SYSTEM, Actor, policy
from market.core.reading import as_text
from market.core.sheets import FileRefused, Row, open_table
from market.core.sheets.model import readable
from market.core.unit_of_work import unit_of_work
from market.core.workflow import fire
from market.regions.models import Region

log = structlog.get_logger(__name__)
_SHOWN_CELLS = 6


class Lost(Exception):
    """Another took the file over, or its owner gave it up."""


class Runner:
    """Starts a thread when a file waits; one at a time."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def run(self) -> bool:
        """Look once; returns at once."""
        if self._thread is not None and self._thread.is_alive():
            return False
        free_dead()
        if _next() is None:
            return False
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=_work, args=(app,), name="imports", daemon=True)
        self._thread.start()
        return False

    def wait(self) -> None:
        """Let the work at hand come to its end."""
        if self._thread is not None:
            self._thread.join()


def _work(app: Flask) -> None:
    with app.app_context():
        while run_one():
            pass


def run_one() -> bool:
    """Carry out the oldest file that waits; False when there was none."""
    db.session.rollback()
    found = _next()
    if found is None:
        return False
    word = secrets.token_hex(16)
    try:
        mode = _claim(found, word)
        (_import if mode else _check)(_Held(found, word))
    except (Lost, Conflict):
        log.info("import job taken by another", job=found)
    except Exception:
        log.exception("import job failed", job=found)
        _fail(found, word, "系统出错，没有导入任何内容。请再试一次；仍不行，请联系管理员。")
    return True


def _silent() -> Any:
    return or_(
        ImportJob.heartbeat_at.is_(None), ImportJob.heartbeat_at < clock.now() - rules.SILENT
    )


def _next() -> int | None:
    waits = or_(ImportJob.state == "waiting", (ImportJob.state == "importing") & _silent())
    return db.session.scalar(select(ImportJob.id).where(waits).order_by(ImportJob.id).limit(1))


def free_dead() -> None:
    """Let files be checked again whose worker fell silent; give up after three times."""
    query = select(ImportJob.id).where(ImportJob.state == "checking", _silent())
    for key in db.session.scalars(query).all():
        with unit_of_work(SYSTEM) as work:
            job = db.session.get_one(ImportJob, key)
            if job.state != "checking":
                continue
            if job.tries >= rules.MOST_TRIES:
                words = f"检查中断了 {job.tries} 次，请把文件分小一些再上传。"
                fire(work, WORKFLOW, job, "fail", values=_ended(fault=words))
            else:
                fire(work, WORKFLOW, job, "restart", values={"holder": None, "rows_seen": 0})


def _claim(key: int, word: str) -> str | None:
    """Take a file in hand; returns what was decided on it, None when it is to be checked."""
    now = clock.now()
    with unit_of_work(SYSTEM) as work:
        work.require(WORK)
        job = db.session.get_one(ImportJob, key)
        held = {"holder": word, "heartbeat_at": now, "tries": job.tries + 1}
        if job.state == "waiting":
            fire(work, WORKFLOW, job, "check", values=held)
            return None
        taken = db.session.execute(
            update(ImportJob)
            .where(ImportJob.id == key, ImportJob.state == "importing", _silent())
            .values(held)
        )
        if not taken.rowcount:  # type: ignore[attr-defined]
            raise Lost
        return job.mode


class _Held:
    """A file in hand: what the worker knows of it while objects come and go."""

    def __init__(self, key: int, word: str) -> None:
        job = db.session.get_one(ImportJob, key)
        self.key, self.word = key, word
        self.mode = job.mode or ("publish" if job.publishes else "drafts")
        self.run_id = job.run_id
        self.path: Path | None = storage.folder() / job.stored if job.stored else None
        self.importable = queries.importables().get(job.kind)
        self.actor = _actor(job)
        self.allowed = self.importable is not None and (
            policy.allows(self.actor, self.importable.permission, job)
            and policy.allows(self.actor, RUN, job)
        )
        self.options = _options(job, self.importable)

    def beat(self, **values: Any) -> None:
        """Say that the worker is alive, and how far it is.

        Raises:
            Lost: the file is not in its hand any more.
        """
        with unit_of_work(SYSTEM) as work:
            work.require(WORK)
            self.note(heartbeat_at=clock.now(), **values)

    def note(self, **values: Any) -> None:
        """Write to the row as long as it is in hand. Inside a unit of work."""
        mine = (ImportJob.id == self.key) & (ImportJob.holder == self.word)
        held = mine & ImportJob.state.in_(("checking", "importing"))
        done = db.session.execute(update(ImportJob).where(held).values(values))
        if not done.rowcount:  # type: ignore[attr-defined]
            raise Lost

    def end(self, action: str, **values: Any) -> None:
        """Move the state by which the worker lets go of it."""
        with unit_of_work(SYSTEM) as work:
            work.require(WORK)
            self.note(heartbeat_at=clock.now())
            job = db.session.get_one(ImportJob, self.key, populate_existing=True)
            version = {"lock_version": job.lock_version + 1}
            fire(work, WORKFLOW, job, action, values=values | {"holder": None} | version)


def _actor(job: ImportJob) -> Actor:
    """Who brought the file, with what he may do now."""
    nobody = Actor("person", job.actor_label, job.person_id)
    if job.token_id is not None:
        return actor_of_token(db.session.get_one(ApiToken, job.token_id)) or nobody
    person = db.session.get(Person, job.person_id) if job.person_id is not None else None
    return actor_of(person) if person is not None and person.state == "active" else nobody


def _options(job: ImportJob, importable: Importable | None) -> Options:
    if job.region_id is None:
        return Options(only_organisation_id=job.organisation_id)
    region = db.session.get_one(Region, job.region_id)
    own = importable is not None and importable.county and region.level == "county"
    return Options(region=region.code if own else None, only_area=region.path)


def _ended(**values: Any) -> dict[str, Any]:
    return {"finished_at": clock.now(), "holder": None, **values}


def _fail(key: int, word: str, sentence: str) -> None:
    db.session.rollback()
    with unit_of_work(SYSTEM) as work:
        work.require(WORK)
        job = db.session.get_one(ImportJob, key, populate_existing=True)
        if job.holder == word and WORKFLOW.find(job.state, "fail"):
            fire(work, WORKFLOW, job, "fail", values=_ended(fault=sentence))


class _Watched:
    """An importer under watch: the first good rows are kept, the run is noted when it shows."""

    def __init__(self, inner: Importer, held: _Held) -> None:
        self._inner, self._held = inner, held
        self.preview: list[dict[str, Any]] = []

    def foresee(self, rows: Sequence[Row]) -> None:
        getattr(self._inner, "foresee", lambda rows: None)(rows)

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        checked = self._inner.check(rows)
        room = rules.PREVIEWED - len(self.preview)
        self.preview += [_shown(self._held.importable, one) for one in checked[: max(room, 0)]]
        return checked

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        self._inner.stage(run_id, rows)

    def publish(self, run_id: int) -> None:
        self._inner.publish(run_id)
        self._held.note(run_id=run_id)

    def discard(self, run_id: int) -> bool:
        return self._inner.discard(run_id)

    def undo(self, run_id: int) -> Sequence[str]:
        return self._inner.undo(run_id)


def _shown(importable: Importable | None, checked: Checked) -> dict[str, Any]:
    if importable is not None and importable.shown is not None:
        cells = importable.shown(checked)
    else:
        row = checked.row
        filled = [key for key, value in row.values.items() if value not in ("", None)]
        cells = {
            row.labels.get(key, key): readable(as_text(row.values[key]))
            for key in filled[:_SHOWN_CELLS]
        }
    return {"row": checked.row.number, "action": checked.action, "cells": dict(cells)}


def _carry_out(held: _Held, *, dry_run: bool) -> tuple[Result, list[dict[str, Any]]]:
    assert held.importable is not None
    assert held.path is not None
    kind = kind_of(held.importable, held.mode, held.actor)
    make, watched = kind.importer, []

    def importer(options: Options) -> Importer:
        watched.append(_Watched(make(options), held))
        return watched[-1]

    result = run_import(
        replace(kind, importer=importer),
        held.path,
        held.options,
        held.actor,
        dry_run=dry_run,
        progress=lambda seen: held.beat(rows_seen=seen),
        permission=RUN,
        batch=rules.AT_A_TIME,
    )
    return result, watched[-1].preview if watched else []


def _check(held: _Held) -> None:
    if (sentence := _hindrance(held)) is not None:
        held.end("fail", **_ended(fault=sentence))
        return
    try:
        assert held.importable is not None
        assert held.path is not None
        rows = open_table(held.path, held.importable.kind.columns()).rows
        total = sum(1 for _ in islice(rows, rules.MOST_ROWS + 1))
        if total > rules.MOST_ROWS:
            raise FileRefused(rules.too_many_rows())
        held.beat(rows_total=total, rows_seen=0)
        result, preview = _carry_out(held, dry_run=True)
    except FileRefused as error:
        held.end("refuse", **_ended(fault=str(error)))
        return
    except MarketError as error:
        held.end("fail", **_ended(fault=error.message))
        return
    found = _told(result) | {"preview": preview, "rows_seen": total}
    if result.refused:
        held.end("refuse", **_ended(**found))
    else:
        held.end("pass", tries=0, **found)


def _import(held: _Held) -> None:
    if _shown_already(held):
        held.end("finish", **_ended())
        return
    if (sentence := _hindrance(held)) is not None:
        held.end("fail", **_ended(fault=sentence))
        return
    held.beat(rows_seen=0)
    try:
        result, _ = _carry_out(held, dry_run=False)
    except (FileRefused, MarketError) as error:
        sentence = error.message if isinstance(error, MarketError) else str(error)
        held.end("fail", **_ended(fault=sentence))
        return
    if result.refused:
        words = "检查之后情况有变，没有导入任何内容。请看问题清单。"
        held.end("refuse", **_ended(fault=words, **_told(result)))
    else:
        counts = {"added": result.imported, "changed": result.updated}
        held.end("finish", **_ended(unchanged=result.unchanged, **counts))


def _shown_already(held: _Held) -> bool:
    """Whether a worker that died had shown the rows before."""
    run = db.session.get(ImportRun, held.run_id) if held.run_id is not None else None
    return run is not None and run.state == "done"


def _hindrance(held: _Held) -> str | None:
    if not held.allowed:
        return "上传的人现在没有导入的权限，没有导入任何内容。"
    if held.path is None or not held.path.is_file():
        return "文件已不在服务器上，请重新上传。"
    return None


def _told(result: Result) -> dict[str, Any]:
    kept = [asdict(problem) for problem in result.problems[: rules.KEPT_PROBLEMS]]
    return {
        "added": result.imported,
        "changed": result.updated,
        "unchanged": result.unchanged,
        "rejected": result.rejected,
        "warned": sum(problem.warning for problem in result.problems),
        "problem_count": len(result.problems) + max(result.left_out - 1, 0),
        "problems": kept,
        "sheet": result.sheet[:100],
    }
