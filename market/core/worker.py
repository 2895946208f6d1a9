"""The worker: carries out what the outbox and the timetable ask, in one small loop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from flask import Flask
from sqlalchemy import select

from market.core import audit, leases, lifeline, outbox
from market.core.db import db
from market.core.instance import under_maintenance
from market.core.models import AuditEntry
from market.core.permissions import SYSTEM, policy
from market.core.ports import Task
from market.core.unit_of_work import unit_of_work

SWEEP = 0.5  # seconds
PATIENCE = 5.0  # seconds a failed task waits
SEAL = policy.declare("core:audit:seal")
NODES = policy.declare("core:nodes:clean")
log = structlog.get_logger(__name__)


def seal_audit(holder: str) -> bool:
    """Seal waiting audit rows, one process at a time."""
    waiting = select(AuditEntry.id).where(AuditEntry.seal_no.is_(None)).limit(1)
    if db.session.scalar(waiting) is None:
        return False
    if not leases.hold("sealer", holder, timedelta(seconds=30)):
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(SEAL)
        return audit.seal_batch() == audit.BATCH


def clean_nodes() -> bool:
    """Forget nodes that have been silent for a day."""
    with unit_of_work(SYSTEM) as work:
        work.require(NODES)
        outbox.forget_silent_nodes()
    return False


def own_tasks(holder: str) -> list[Task]:
    """The tasks that belong to no room."""
    return [
        Task("seal audit", 2.0, lambda: seal_audit(holder)),
        Task("clean nodes", 3600.0, clean_nodes),
    ]


class Worker:
    """Runs tasks in turn until told to stop; a failing task is logged and tried again later."""

    def __init__(self, app: Flask, tasks: Sequence[Task]) -> None:
        self.app = app
        self.tasks = tasks
        self.stopping = threading.Event()
        self._due = dict.fromkeys((task.name for task in tasks), 0.0)

    def run(self) -> None:
        """Loop until SIGTERM or SIGINT, or until `stop` is called."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self.stop)
            lifeline.hold()
        log.info("worker started", tasks=[task.name for task in self.tasks])
        instance = self.app.extensions["market"].settings.instance
        while not self.stopping.is_set():
            if under_maintenance(instance):  # an upgrade or a restore has the database alone
                self.stopping.wait(SWEEP)
                continue
            more = [self._run_if_due(task) for task in self.tasks]
            if not any(more):
                self.stopping.wait(SWEEP)
        log.info("worker stopped")

    def stop(self, *_signal: Any) -> None:
        """Finish the piece of work at hand, then return from `run`."""
        self.stopping.set()

    def _run_if_due(self, task: Task) -> bool:
        if self.stopping.is_set() or time.monotonic() < self._due[task.name]:
            return False
        pause, more = task.every, False
        with self.app.app_context():
            try:
                more = task.run()
            except Exception:
                log.exception("task failed", task=task.name)
                pause = max(PATIENCE, task.every)
        self._due[task.name] = time.monotonic() + (0 if more else pause)
        return more
