"""Leases: the right of one process among several to do a job alone, until it expires."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, text

from market.core import clock
from market.core.db import UtcDateTime, db
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work

HOLD = policy.declare("core:lease:hold")
_TAKE = text(
    "INSERT INTO lease (name, holder, expires_at) VALUES (:name, :holder, :until) "
    "ON CONFLICT (name) DO UPDATE SET holder = :holder, expires_at = :until "
    "WHERE lease.holder = :holder OR lease.expires_at < :now"
).bindparams(bindparam("until", type_=UtcDateTime()), bindparam("now", type_=UtcDateTime()))


def hold(name: str, holder: str, duration: timedelta) -> bool:
    """Take or prolong a lease; False when another process holds it."""
    moment = clock.now()
    values = {"name": name, "holder": holder, "now": moment, "until": moment + duration}
    with unit_of_work(SYSTEM) as work:
        work.require(HOLD)
        result = db.session.execute(_TAKE, values)
        return bool(result.rowcount)  # type: ignore[attr-defined]
