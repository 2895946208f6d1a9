"""/metrics and `market doctor` say what an operator needs."""

import logging
import threading
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text

from market.core import audit, clock, instance, vitals
from market.core.backups import backup
from market.core.calendar import is_announced
from market.core.db import db
from market.core.models import AuditEntry, CalendarDay, Node, OutboxRow
from market.core.permissions import SYSTEM
from market.core.ports import Task
from market.core.unit_of_work import unit_of_work
from market.core.worker import NODES, Worker
from market.doctor import findings


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case, so that nothing waits to be sent."""
    return prepared_quiet


def _write(*rows):
    with unit_of_work(SYSTEM) as work:
        work.require(NODES)
        for row in rows:
            db.session.merge(row)


def _figures(client):
    lines = client.get("/metrics").text.splitlines()
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    }


def test_figures_of_the_moment(demo, demo_settings):
    moment = clock.now() - timedelta(minutes=10)
    later = clock.now() + timedelta(hours=1)
    common = {"kind": "listing", "object_id": 1, "created_at": moment}
    _write(
        OutboxRow(id=1, consumer="index:local", **common),
        OutboxRow(id=2, consumer="index:local", not_before=later, **common),
        Node(name="local", heartbeat=moment),
    )
    note = {"at": (clock.now() - timedelta(hours=3)).isoformat(), "file": "x"}
    instance.write_note(demo_settings.instance, instance.LAST_BACKUP, note)
    found = _figures(demo.test_client())
    assert found['market_outbox_rows{consumer="index:local"}'] == 1
    assert found['market_outbox_oldest_seconds{consumer="index:local"}'] == pytest.approx(600, 0.2)
    assert found["market_worker_heartbeat_age_seconds"] == pytest.approx(600, 0.2)
    assert found["market_backup_age_seconds"] == pytest.approx(3 * 3600, 0.1)
    assert found["market_listings"] == found["market_index_documents"] == 120
    unsealed = select(AuditEntry).where(AuditEntry.seal_no.is_(None))
    assert found["market_audit_unsealed_rows"] == len(db.session.scalars(unsealed).all()) > 0
    assert found["market_database_bytes"] > 1e6
    assert found["market_database_up"] == 1


def test_figures_while_the_database_is_away(app, client, monkeypatch):
    def away():
        db.session.execute(text("SELECT 1 FROM no_such_table"))

    monkeypatch.setattr(vitals, "outbox_waiting", away)
    found = _figures(client)
    assert found["market_database_up"] == 0
    assert found["market_disk_free_bytes"] > 0
    assert "market_listings" not in found


def _wrong(app, settings):
    """What the doctor complains of."""
    return [says for well, says in findings(app, settings) if not well]


@pytest.fixture
def healthy(demo, demo_settings, tmp_path):
    """Settings of a public site that lacks nothing but the worker, which a test cannot run."""
    settings = replace(
        demo_settings,
        demo=False,
        base_url="https://market.example.gov.cn",
        host_organisation="某县科技管理部门",
        telephone="0000-0000000",
        icp_number="某ICP备00000000号",
        police_number="00000000000000",
        mail_url="smtps://mail.example.gov.cn",
        sms_url="https://sms.example.gov.cn/",
    )
    settings.instance.chmod(0o700)
    backup.make(settings, tmp_path / "backup.tar.gz")
    _write(Node(name="local", heartbeat=clock.now()))
    return settings


def test_a_healthy_site(demo, healthy):
    # What the market was made of has waited since the tests began.
    with unit_of_work(SYSTEM) as work:
        work.require(NODES)
        while audit.seal_batch():
            pass
    [only] = _wrong(demo, healthy)
    assert only.startswith("后台进程没有运行")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"base_url": "http://market.example.gov.cn"}, "不是 https"),
        ({"base_url": "http://127.0.0.1:8000"}, "只能在本机打开"),
        ({"bind": "0.0.0.0:8000"}, "绕过 nginx"),
        ({"secret_key": "ab" * 20}, "像是手写的"),
        ({"node": "second"}, "从未"),
    ],
)
def test_unsafe_settings(demo, healthy, change, says):
    assert any(says in sentence for sentence in _wrong(demo, replace(healthy, **change)))


def test_an_open_folder_and_an_open_key(demo, healthy):
    healthy.instance.chmod(0o755)
    (healthy.instance / "secret_key").chmod(0o644)
    wrong = _wrong(demo, healthy)
    assert any("权限是 755" in sentence for sentence in wrong)
    assert any("权限是 644" in sentence for sentence in wrong)


def test_things_left_lying(demo, healthy):
    long_ago = clock.now() - timedelta(days=3)
    note = {"at": long_ago.isoformat(), "file": "x"}
    instance.write_note(healthy.instance, instance.LAST_BACKUP, note)
    instance.write_note(healthy.instance, instance.RESTORING, {"database": "x"})
    row = OutboxRow(consumer="mail", kind="letter", object_id=1, created_at=long_ago)
    _write(row, Node(name="local", heartbeat=long_ago))
    with unit_of_work(SYSTEM) as work:
        work.require(NODES)
        db.session.scalars(select(AuditEntry).limit(1)).one().at = long_ago
        db.session.execute(text("UPDATE listing SET state = 'withdrawn' WHERE id = 1"))
    wrong = "\n".join(_wrong(demo, healthy))
    for words in (
        "72 小时前",
        "没有完成",
        "mail 待办 1 条",
        "259200 秒前",
        "未封存的操作记录",
        "索引中 120 条，应有 119 条",
    ):
        assert words in wrong, words


def test_a_clock_that_is_behind(demo, healthy):
    with unit_of_work(SYSTEM) as work:
        work.require(NODES)
        entry = db.session.scalars(select(AuditEntry).limit(1)).one()
        entry.at = clock.now() + timedelta(hours=1)
    assert any("早于最后一条操作记录" in sentence for sentence in _wrong(demo, healthy))


@pytest.mark.parametrize("entered", [False, True])
def test_the_holidays_of_a_year_that_is_not_announced(demo, healthy, monkeypatch, entered):
    future = datetime(2099, 12, 1, tzinfo=UTC)
    assert not is_announced(2100)
    assert is_announced(2025)
    monkeypatch.setattr(clock, "today", lambda: future.date())
    if entered:
        _write(CalendarDay(day=date(2100, 1, 1), works=False, source="notice"))
    told = [says for says in _wrong(demo, healthy) if "节假日安排" in says]
    assert bool(told) is not entered
    assert all("2100 年" in says for says in told)


def test_a_schema_that_is_behind(demo, healthy):
    with unit_of_work(SYSTEM) as work:
        work.require(NODES)
        db.session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert any("请运行 market db upgrade" in sentence for sentence in _wrong(demo, healthy))


def test_slow_requests_and_statements_are_warnings(app, client, monkeypatch, caplog):
    monkeypatch.setattr("market.core.http.SLOW", 0.0)
    monkeypatch.setattr("market.core.db.SLOW", 0.0)
    with caplog.at_level(logging.WARNING):
        client.get("/readyz")
    told = {record.msg["event"]: record.msg for record in caplog.records}
    assert told["slow request"]["path"] == "/readyz"
    assert "SELECT" in told["slow statement"]["statement"]


def test_the_worker_rests_under_maintenance(app, settings):
    ran = []

    def once():
        ran.append(1)
        worker.stop()
        return False

    worker = Worker(app, [Task("once", 0.0, once)])
    thread = threading.Thread(target=worker.run)
    with instance.maintenance(settings.instance):
        thread.start()
        time.sleep(0.2)
        assert ran == []
    thread.join(10)
    assert ran == [1]
