"""The only place that commits: one transaction for the change, its audit and its outbox rows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError

from market.core import audit, outbox
from market.core.db import WRITE_OPTION, db
from market.core.errors import Busy
from market.core.languages import translate
from market.core.permissions import Actor, policy

LONGEST_WRITE = 1.0  # seconds; a longer hold of the write lock is logged
_KEY = "unit_of_work"
log = structlog.get_logger(__name__)


class UnitOfWork:
    """A write in progress on behalf of `actor`."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.asked = False
        self.wrote = False

    def require(self, permission: str, target: Any = None) -> None:
        """Ask the policy; a write that asked nothing is refused at the end.

        Raises:
            Denied: the actor may not do this.
        """
        policy.require(self.actor, permission, target)
        self.asked = True

    def record(
        self,
        action: str,
        kind: str,
        object_id: int,
        *,
        no: str | None = None,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        """Write an audit row: the actor did `action` to the object; values before and after."""
        audit.add(self.actor, action, kind, object_id, no=no, before=before, after=after)

    def announce(self, kind: str, object_id: int) -> None:
        """Tell every search node, after the commit, that this object changed."""
        outbox.announce(kind, object_id)


def in_unit_of_work() -> bool:
    """Whether a unit of work is open: slow work is refused then."""
    return _KEY in db.session().info


@contextmanager
def unit_of_work(actor: Actor, *, may_be_long: bool = False) -> Iterator[UnitOfWork]:
    """Do several writes as one. Re-entrant: inner ones join, the outermost alone commits.

    Leaving by an exception rolls back. No parsing, file or network work belongs in here: on
    SQLite the write lock of the whole database is held.

    Args:
        may_be_long: under the maintenance lock, when the site answers 503 meanwhile.

    Raises:
        Busy: the write lock was not to be had within the timeout.
        RuntimeError: something was changed outside, or written without asking a permission.
    """
    session = db.session()
    if current := session.info.get(_KEY):
        yield current
        return
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("objects were changed outside a unit of work")
    session.rollback()  # ends the request's read transaction; what was read is read again
    work = UnitOfWork(actor)
    session.info[_KEY] = work
    try:
        _begin(work)
        started = time.monotonic()
        yield work
        session.flush()
        if work.wrote and not work.asked:
            raise RuntimeError("a write that asked no permission")
        session.commit()
        held = time.monotonic() - started
        if held > LONGEST_WRITE and not may_be_long:
            log.warning("write lock held long", seconds=round(held, 2))
    finally:
        session.info.pop(_KEY, None)
        session.rollback()


def _begin(work: UnitOfWork) -> None:
    try:
        db.session().connection(execution_options={WRITE_OPTION: work})
    except OperationalError as error:
        raise Busy(translate("系统正忙，您的内容没有丢失，请稍后再提交一次。")) from error
