"""What an operator watches, for /metrics and `market doctor`: queues, heartbeats, backups, room."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import current_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from market.core import clock, instance
from market.core.backups import snapshots
from market.core.db import db
from market.core.models import AuditEntry, Node, OutboxRow
from market.core.ports import Market


@dataclass(frozen=True)
class Waiting:
    """Things that wait to be done: how many, and seconds since the oldest came."""

    count: int
    oldest: float


def _age(moment: datetime | None) -> float:
    return 0.0 if moment is None else max(0.0, (clock.now() - moment).total_seconds())


def outbox_waiting() -> dict[str, Waiting]:
    """What each consumer of the outbox still has to carry out and may by now."""
    query = (
        select(OutboxRow.consumer, func.count(), func.min(OutboxRow.created_at))
        .where(OutboxRow.not_before.is_(None) | (OutboxRow.not_before <= clock.now()))
        .group_by(OutboxRow.consumer)
        .order_by(OutboxRow.consumer)
    )
    return {name: Waiting(count, _age(oldest)) for name, count, oldest in db.session.execute(query)}


def audit_unsealed() -> Waiting:
    """Audit rows that no seal covers yet."""
    query = select(func.count(), func.min(AuditEntry.at)).where(AuditEntry.seal_no.is_(None))
    count, oldest = db.session.execute(query).one()
    return Waiting(count, _age(oldest))


def heartbeat_age(node: str) -> float | None:
    """Seconds since the worker of a node gave a sign of life; None when it never did."""
    moment = db.session.scalar(select(Node.heartbeat).where(Node.name == node))
    return None if moment is None else _age(moment)


def backup_age(market: Market) -> float | None:
    """Seconds since the last backup began; None when there was none."""
    note = instance.read_note(market.settings.instance, instance.LAST_BACKUP)
    try:
        return None if note is None else _age(datetime.fromisoformat(note["at"]).astimezone(UTC))
    except (KeyError, TypeError, ValueError):
        return None


class Vitals(Collector):
    """The gauges of /metrics that are looked up when asked for."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All gauges; those of the database only while it answers."""
        market: Market = current_app.extensions["market"]
        usage = shutil.disk_usage(market.settings.instance)
        yield _gauge("market_disk_free_bytes", "Free room where the data lies", usage.free)
        if (age := backup_age(market)) is not None:
            yield _gauge("market_backup_age_seconds", "Since the last backup began", age)
        try:
            found = list(_of_the_database(market))
        except SQLAlchemyError:
            found = []
            db.session.rollback()
        yield _gauge("market_database_up", "1 while the database answers", bool(found))
        yield from found


def _of_the_database(market: Market) -> Iterator[GaugeMetricFamily]:
    rows = GaugeMetricFamily("market_outbox_rows", "Effects to carry out", labels=["consumer"])
    oldest = GaugeMetricFamily(
        "market_outbox_oldest_seconds", "Since the oldest of them came", labels=["consumer"]
    )
    for consumer, waiting in outbox_waiting().items():
        rows.add_metric([consumer], waiting.count)
        oldest.add_metric([consumer], waiting.oldest)
    yield rows
    yield oldest
    unsealed = audit_unsealed()
    yield _gauge("market_audit_unsealed_rows", "Audit rows without a seal", unsealed.count)
    yield _gauge("market_audit_unsealed_seconds", "Since the oldest of them", unsealed.oldest)
    if (age := heartbeat_age(market.settings.node)) is not None:
        yield _gauge("market_worker_heartbeat_age_seconds", "Since the worker's last sign", age)
    yield _gauge("market_database_bytes", "Size of the database", snapshots.size(market.settings))
    for room in market.rooms:
        for gauge in room.gauges:
            if (value := gauge.read()) is not None:
                yield _gauge(gauge.name, gauge.meaning, value)


def _gauge(name: str, meaning: str, value: Any) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, float(value))
