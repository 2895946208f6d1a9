"""A backup made while others write is whole: after kill -9 it comes back on another machine."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.concurrency.conftest import Machine, descendants

pytestmark = [pytest.mark.net, pytest.mark.long]
EDITOR = Path(__file__).parent / "edit_forever.py"
EDITORS = 3


@pytest.fixture
def editors(demo_machine, tmp_path):
    """Files into which editors at work write what was committed."""
    logs = [tmp_path / f"editor-{number}" for number in range(EDITORS)]
    for number, log in enumerate(logs):
        command = [sys.executable, str(EDITOR), str(number), str(number), str(EDITORS)]
        with log.open("wb") as file:
            process = subprocess.Popen(
                command,
                env=demo_machine.environment,
                stdout=file,
                stderr=subprocess.PIPE,
            )
        process.stdout = process.stderr  # `end` closes it
        demo_machine.started.append(process)
    return logs


def _acknowledged(logs):
    """The newest version of each listing that an editor was told is committed."""
    newest = {}
    for log in logs:
        for line in log.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                no, version = line.split()
                newest[no] = max(int(version), newest.get(no, 0))
    return newest


def _wait_for_edits(logs, count):
    end = time.monotonic() + 60
    while sum(log.read_text().count("\n") for log in logs) < count:
        assert time.monotonic() < end, "the editors do not write"
        time.sleep(0.05)


def _kill_all(machine):
    for process in machine.started:
        for pid in [*descendants(process.pid), process.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_backup_kill_9_restore(demo_machine, editors, tmp_path, port):
    demo_machine.start("up")
    demo_machine.wait_for("/readyz")
    _wait_for_edits(editors, 60)
    before = _acknowledged(editors)
    path, keys = tmp_path / "backup.tar.gz", tmp_path / "keys.json"
    backed_up = demo_machine.run("backup", str(path), "--keys", str(keys))
    assert backed_up.returncode == 0, backed_up.stdout + backed_up.stderr
    after = _acknowledged(editors)
    assert sum(after.values()) > sum(before.values())  # writers went on meanwhile
    assert demo_machine.get("/search") == 200
    _wait_for_edits(editors, 100)
    _kill_all(demo_machine)

    new = Machine(tmp_path / "elsewhere", port)
    try:
        restored = new.run("restore", str(path), "--keys", str(keys))
        assert restored.returncode == 0, restored.stdout + restored.stderr
        _all_is_there(tmp_path / "elsewhere" / "market.db", before)
        for command in (("search", "check"), ("audit", "verify")):
            checked = new.run(*command)
            assert checked.returncode == 0, checked.stdout + checked.stderr
        new.start("up")
        new.wait_for("/readyz")
        new.wait_for("/search?q=%E8%8C%B6")
        # The worker goes on where the backup was made: it seals the rows of the last moment.
        end = time.monotonic() + 30
        while "未封存 0 条" not in (said := new.run("audit", "verify").stdout):
            assert time.monotonic() < end, said
    finally:
        new.end()


def _all_is_there(database, acknowledged):
    query = """SELECT listing.no, version FROM listing_revision
               JOIN listing ON listing.current_id = listing_revision.id"""
    with closing(sqlite3.connect(database)) as connection:
        versions = dict(connection.execute(query).fetchall())
    assert {no for no, version in acknowledged.items() if versions[no] < version} == set()


def test_a_killed_restore_is_done_again(demo_machine, tmp_path, port):
    path, keys = tmp_path / "backup.tar.gz", tmp_path / "keys.json"
    assert demo_machine.run("backup", str(path), "--keys", str(keys)).returncode == 0
    new = Machine(tmp_path / "elsewhere", port)
    try:
        killed = new.start("restore", str(path), "--keys", str(keys))
        for line in killed.stdout:  # in the middle of building the index
            if "检索索引" in line.decode():
                break
        killed.kill()
        killed.wait()
        for command in (("up", "--prepare"), ("serve",), ("worker",)):
            refused = new.run(*command)
            assert refused.returncode == 1
            assert "没有完成" in refused.stderr
        restored = new.run("restore", str(path), "--keys", str(keys))
        assert restored.returncode == 0, restored.stdout + restored.stderr
        assert new.run("search", "check").returncode == 0
        again = new.run("restore", str(path), "--keys", str(keys))
        assert again.returncode == 1
        assert "恢复只写入空的数据目录" in again.stderr
    finally:
        new.end()


def test_no_restore_under_a_running_site(demo_machine, tmp_path):
    path = tmp_path / "backup.tar.gz"
    assert demo_machine.run("backup", str(path)).returncode == 0
    demo_machine.start("up")
    demo_machine.wait_for("/readyz")
    refused = demo_machine.run("restore", str(path))
    assert refused.returncode == 1
    assert "后台进程正在运行" in refused.stderr
    assert demo_machine.get("/search") == 200
