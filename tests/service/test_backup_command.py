"""`market backup` and `market restore` as an operator meets them."""

import json

import pytest
from click.testing import CliRunner

from market.cli import cli
from market.core import archive
from market.core.archive import BackupRefused


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


def test_a_disk_that_fills_up_is_a_sentence(run, settings, tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device", "/backups/x")

    monkeypatch.setattr(archive, "write", full)
    done = run(settings, "backup", tmp_path / "b.tar.gz")
    assert done.exit_code == 1
    assert "读写 /backups/x 时出错：No space left on device" in done.output
    assert not list(settings.instance.glob("backup.work"))
