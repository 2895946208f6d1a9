"""Making a backup: the database as of one moment, uploaded files, a signed manifest.

The database comes first and the files after it: files are never changed once written, so every
file that the database names is there.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from market.core import clock, instance
from market.core.backups import archive, snapshots
from market.core.backups.archive import DATABASES, FILES, BackupRefused, Manifest
from market.core.settings import Settings

SUFFIX = ".tar.gz"
NAME = "market-{:%Y%m%d-%H%M%S}" + SUFFIX
PATTERN = "market-[0-9]*-[0-9]*" + SUFFIX
WORK, LOCK = "backup.work", "backup.lock"
KEYS_FORMAT = "market-keys"


def make(settings: Settings, target: Path) -> tuple[Path, Manifest, int]:
    """Back the instance up while it runs.

    Args:
        settings: of the instance.
        target: the file to make, or a folder in which it gets a name by date and time.

    Returns:
        Where it lies, its manifest, its bytes.

    Raises:
        BackupRefused: there is nothing to back up, no room for it, or a file of that name.
        Busy: what is here came from a restore that did not come to its end.
    """
    instance.refuse_unfinished(settings.instance)
    started = clock.now()
    if target.is_dir():
        target = target / NAME.format(clock.local(started))
    _check_target(settings, target)
    with _alone(settings.instance) as work:
        database = work / DATABASES[_engine(settings)]
        facts = snapshots.take(settings, database)
        sources = {database.name: database} | dict(_files(settings.instance / FILES))
        manifest = Manifest(
            id=uuid.uuid4().hex,
            program=version("county-market"),
            schema=facts.schema,
            engine=_engine(settings),
            created_at=started.isoformat(timespec="seconds"),
            site=settings.base_url,
            counts=facts.counts,
            seals=facts.seals,
            head=facts.head,
            members=tuple(archive.describe(name, path) for name, path in sources.items()),
        ).signed(settings.secret_key)
        size = archive.write(target, manifest, sources)
    note = {"at": manifest.created_at, "file": str(target.absolute())}
    instance.write_note(settings.instance, instance.LAST_BACKUP, note)
    return target, manifest, size


def _engine(settings: Settings) -> str:
    return "sqlite" if settings.is_sqlite else "postgresql"


def _check_target(settings: Settings, target: Path) -> None:
    if target.exists():
        raise BackupRefused(f"{target} 已存在：请换一个文件名，备份从不覆盖已有文件。")
    if not target.name.endswith(SUFFIX):  # most often a folder that is not there
        raise BackupRefused(f"没有目录 {target}：请先建立，或写出以 {SUFFIX} 结尾的文件名。")
    if not target.parent.is_dir():
        raise BackupRefused(f"目录 {target.parent} 不存在：请先建立，或换一个位置。")
    if not os.access(target.parent, os.W_OK):
        raise BackupRefused(f"目录 {target.parent} 不可写：请改权限，或换一个位置。")
    needed = snapshots.size(settings)
    for folder in (settings.instance, target.parent):
        if (free := shutil.disk_usage(folder).free) < needed:
            raise BackupRefused(
                f"{folder} 所在磁盘剩余 {free / 1e6:,.0f} MB，备份需要约 {needed / 1e6:,.0f} MB："
                "请先清理，或换一个位置。"
            )


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """A working folder for one backup at a time; what a killed one left is removed."""
    with open(folder / LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupRefused("另一个备份正在进行，请等它结束。") from error
        work = folder / WORK
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Uploaded files, by their names in the backup."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield f"{FILES}/{path.relative_to(folder).as_posix()}", path


def prune(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest backups that carry names of ours; returns what was deleted."""
    for cut_off in folder.glob(PATTERN + ".partial"):  # a backup that was killed
        cut_off.unlink()
    old = sorted(folder.glob(PATTERN))[:-keep]
    for path in old:
        path.unlink()
    return old


def write_keys(settings: Settings, path: Path) -> bool:
    """Write the secret key to a file of its own, for its owner alone; False if it is there already.

    Raises:
        BackupRefused: the file holds something else.
    """
    if path.exists():
        if read_keys(path) == settings.secret_key:
            return False
        raise BackupRefused(f"{path} 中是另一把密钥：请换一个文件名，旧密钥还要用于旧备份。")
    text = json.dumps({"format": KEYS_FORMAT, "secret_key": settings.secret_key})
    try:
        instance.write_private(path, text)
    except OSError as error:
        raise BackupRefused(f"密钥文件 {path} 无法写入（{error.strerror}）。") from error
    return True


def read_keys(path: Path) -> str:
    """The secret key in a file that `write_keys` wrote.

    Raises:
        BackupRefused: it is no such file.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] == KEYS_FORMAT and len(values["secret_key"]) >= 32:
            return str(values["secret_key"])
    except OSError as error:
        raise BackupRefused(f"密钥文件 {path} 打不开（{error.strerror}）。") from error
    except (ValueError, KeyError, TypeError):
        pass
    raise BackupRefused(f"{path} 不是 market backup --keys 写的密钥文件。")
