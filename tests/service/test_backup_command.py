"""`market backup` and `market restore` as an operator meets them."""

import json
import sqlite3
from dataclasses import replace

import psycopg
import pytest
from click.testing import CliRunner

from market.cli import cli
from market.core import instance
from market.core.backups import archive, snapshots
from market.core.backups.archive import BackupRefused
from market.core.errors import Busy


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


@pytest.fixture
def run(monkeypatch):
    """Runs a command on an instance."""

    def on(settings, *words):
        monkeypatch.setenv("MARKET_INSTANCE", str(settings.instance))
        monkeypatch.setenv("MARKET_DATABASE_URL", settings.database_url)
        monkeypatch.setenv("MARKET_LOG_LEVEL", "CRITICAL")
        return CliRunner().invoke(cli, [str(word) for word in words])

    return on


def test_there_and_back(run, demo_settings, empty, tmp_path):
    folder, keys = tmp_path / "backups", tmp_path / "keys.json"
    folder.mkdir()
    made = run(demo_settings, "backup", folder, "--keys", keys, "--keep", "1")
    assert made.exit_code == 0, made.output
    assert "密钥已写入" in made.output
    assert "信息 120 条" in made.output
    [path] = folder.iterdir()
    assert json.loads(keys.read_text())["secret_key"] == demo_settings.secret_key
    checked = run(demo_settings, "backup", "--check", path)
    assert "备份完整，可以恢复" in checked.output
    restored = run(empty, "restore", path, "--keys", keys)
    assert restored.exit_code == 0, restored.output
    assert "检索索引 120 条，与数据库一致" in restored.output
    assert isinstance(run(empty, "restore", path, "--keys", keys).exception, BackupRefused)


def test_a_damaged_backup_does_not_pass_the_check(run, demo_settings, tmp_path):
    path = tmp_path / "backup.tar.gz"
    assert run(demo_settings, "backup", path).exit_code == 0
    path.write_bytes(path.read_bytes()[:-9])
    checked = run(demo_settings, "backup", "--check", path)
    assert isinstance(checked.exception, BackupRefused)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--keep", "2"), "--keep 只用于备份到目录"),
        (("--keep", "0"), "--keep"),
        (("--keys", "b.tar.gz"), "密钥不能写进备份文件"),
    ],
)
def test_options_that_make_no_sense(run, settings, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    done = run(settings, "backup", "b.tar.gz", *words)
    assert done.exit_code == 2
    assert says in done.output


@pytest.mark.parametrize("line", ["db upgrade", "import regions x.csv", "audit verify", "worker"])
def test_what_a_restore_left_half_way_is_not_built_upon(run, empty, line):
    """An upgrade would make an empty database here, which no restore would overwrite."""
    instance.write_note(empty.instance, instance.RESTORING, {"database": empty.database_url})
    done = run(empty, *line.split())
    assert isinstance(done.exception, Busy)
    assert "再运行一次 market restore" in str(done.exception)
    assert not (empty.instance / "market.db").exists()


@pytest.mark.parametrize("fault", [sqlite3.OperationalError, psycopg.OperationalError])
def test_a_database_that_stops_is_a_sentence(run, settings, tmp_path, monkeypatch, fault):
    def stops(*_arguments):
        raise fault("database or disk is full")

    monkeypatch.setattr(snapshots, "take", stops)
    done = run(settings, "backup", tmp_path / "b.tar.gz")
    assert done.exit_code == 1
    assert "没有完成这一步（database or disk is full）" in done.output


def test_a_key_file_is_written_whole_or_not_at_all(run, settings, tmp_path, monkeypatch):
    def full(_handle):
        raise OSError(28, "No space left on device")

    keys = tmp_path / "keys.json"
    monkeypatch.setattr(instance.os, "fsync", full)
    done = run(settings, "backup", tmp_path / "b.tar.gz", "--keys", keys)
    assert isinstance(done.exception, BackupRefused)
    assert list(tmp_path.glob("keys*")) == []


def test_a_file_that_is_no_database(run, settings, tmp_path):
    broken = tmp_path / "other.db"
    broken.write_bytes(b"not a database" * 100)
    other = replace(settings, database_url=f"sqlite:///{broken}")
    done = run(other, "backup", tmp_path / "b.tar.gz")
    assert isinstance(done.exception, BackupRefused)
    assert "已损坏" in str(done.exception)


def test_numbers_no_import_can_have(run, settings):
    assert run(settings, "undo", "9" * 30).exit_code == 2


def test_a_disk_that_fills_up_is_a_sentence(run, settings, tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device", "/backups/x")

    monkeypatch.setattr(archive, "write", full)
    done = run(settings, "backup", tmp_path / "b.tar.gz")
    assert done.exit_code == 1
    assert "读写 /backups/x 时出错：No space left on device" in done.output
    assert not list(settings.instance.glob("backup.work"))
