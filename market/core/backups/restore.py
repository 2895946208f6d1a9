"""Bringing a backup back into an empty instance.

Everything is checked before anything is written. The database is made ready under another name
and gets its own name last, so an instance has either nothing or all of it; a note in the folder
says meanwhile that a restore is under way.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from flask import Flask
from sqlalchemy import MetaData, create_engine, delete, make_url, text

from market.core import audit, instance, metrics, migrate, outbox
from market.core.backups import archive, snapshots
from market.core.backups.archive import DATABASES, FILES, BackupRefused, Manifest
from market.core.backups.backup import read_keys
from market.core.db import db, driver_url
from market.core.models import Lease
from market.core.permissions import SYSTEM, policy
from market.core.settings import Settings
from market.core.unit_of_work import unit_of_work

WORK = "restore.work"
RESTORE = policy.declare("core:instance:restore")


@dataclass(frozen=True)
class Restored:
    """What came back: the backup's manifest, what the audit's chain says, what `finish` gave."""

    manifest: Manifest
    verdict: audit.Verdict
    documents: int


@dataclass(frozen=True)
class Hands:
    """What a restore needs from above this room.

    Args:
        make_app: the application for given settings.
        index: builds the search index of the application in force; returns its documents.
        say: tells the operator what goes on.
    """

    make_app: Callable[[Settings], Flask]
    index: Callable[[], int]
    say: Callable[[str], None]


def check(settings: Settings, path: Path, keys: Path | None, *, without_keys: bool) -> Manifest:
    """Read a whole backup, and say whether this instance could take it, were it empty.

    Raises:
        BackupRefused: the file is no whole backup, or not one for this program or this key.
    """
    manifest = archive.read_manifest(path)
    _check_signature(settings, path, manifest, keys, without_keys=without_keys)
    if manifest.engine != ("sqlite" if settings.is_sqlite else "postgresql"):
        raise BackupRefused(
            f"这个备份来自 {manifest.engine} 数据库，MARKET_DATABASE_URL 现在指向另一种："
            "请改为同一种数据库再恢复。"
        )
    if not migrate.knows(settings, manifest.schema):
        raise BackupRefused(
            f"备份的数据库结构 {manifest.schema} 比本程序（{migrate.newest(settings)}）新："
            f"请先安装制作它的版本（{manifest.program}）或更新的版本。"
        )
    archive.read(path)
    return manifest


def _check_signature(
    settings: Settings, path: Path, manifest: Manifest, keys: Path | None, *, without_keys: bool
) -> None:
    if without_keys:
        return
    secret = read_keys(keys) if keys else settings.secret_key
    if secret != settings.secret_key and settings.sources["SECRET_KEY"] == "environment":
        raise BackupRefused(
            f"MARKET_SECRET_KEY 与 {keys} 中的密钥不同：请改为相同，或去掉这个设置。"
        )
    if manifest.is_signed_by(secret):
        return
    if manifest.key == archive.key_id(secret):
        raise archive.damaged(path, "签名")
    if keys:
        raise BackupRefused(f"{path.name} 不是用 {keys} 中的密钥签署的：请找出对应的密钥文件。")
    raise BackupRefused(
        f"{path.name} 由另一把密钥签署：请用 --keys 给出随它保存的密钥文件。"
        "密钥确已丢失时用 --without-keys：无法再确认备份未被改动，加密的个人信息也读不出。"
    )


def restore(
    settings: Settings, path: Path, keys: Path | None, hands: Hands, *, without_keys: bool = False
) -> Restored:
    """Restore a backup into an empty instance.

    Args:
        settings: of the empty instance.
        path: the backup.
        keys: the file with its secret key; not needed when the instance has that key already.
        hands: what is needed from above.
        without_keys: the key is lost.

    Raises:
        BackupRefused: the file is not in order, or the instance is not empty or runs.
        Busy: another maintenance command is at work.
    """
    _is_free(settings)  # the commonest mistake is told first
    hands.say("核对备份……")
    manifest = check(settings, path, keys, without_keys=without_keys)
    if metrics.site_runs(settings.instance / "metrics"):
        raise BackupRefused("这个数据目录的网站正在运行：请先停止它，再恢复。")
    with instance.maintenance(settings.instance):
        again = _is_free(settings)
        _check_room(settings, manifest)
        note = {"database": _shown(settings)}
        instance.write_note(settings.instance, instance.RESTORING, note)
        with _work(settings) as work:
            hands.say(f"写入数据库（{manifest.size / 1e6:,.0f} MB）……")
            if archive.read(path, work) != manifest:
                raise archive.damaged(path)
            inner = _put_database(settings, work, manifest, again=again)
            secret = read_keys(keys) if keys else settings.secret_key
            done = _complete(replace(inner, secret_key=secret), manifest, hands)
            _put_in_place(settings, inner, work, secret)
        note = {"at": manifest.created_at, "file": str(path.absolute())}
        instance.write_note(settings.instance, instance.LAST_BACKUP, note)
        (settings.instance / instance.RESTORING).unlink()
        archive.sync_folder(settings.instance)
    return done


def _shown(settings: Settings) -> str:
    return make_url(settings.database_url).render_as_string(hide_password=True)


def _is_free(settings: Settings) -> bool:
    """Make sure that nothing is overwritten; True when an earlier restore stopped half-way."""
    note = instance.read_note(settings.instance, instance.RESTORING)
    again = note is not None and note.get("database") == _shown(settings)
    full = _sqlite_tables(settings) if settings.is_sqlite else _postgres_tables(settings)
    if full and (settings.is_sqlite or not again):
        raise BackupRefused(
            f"{_shown(settings)} 中已有数据（{'、'.join(full[:3])} 等 {len(full)} 张表），"
            "恢复只写入空的数据目录和空的数据库：请设 MARKET_INSTANCE 为一个新目录"
            "（PostgreSQL：另设 MARKET_DATABASE_URL 为一个新库），或先把旧的移走。"
        )
    files = settings.instance / FILES
    if files.exists() and not again and any(files.iterdir()):
        raise BackupRefused(f"{files} 中已有附件：恢复只写入空的数据目录，请换一个新目录。")
    return again


def _sqlite_tables(settings: Settings) -> list[str]:
    """The tables of the database, if there is one."""
    path = snapshots.sqlite_path(settings)
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(path)) as connection:
            query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            return [name for (name,) in connection.execute(query)]
    except sqlite3.DatabaseError as error:
        raise BackupRefused(f"{path} 已存在，但不是可读的数据库：请先把它移走。") from error


def _postgres_tables(settings: Settings) -> list[str]:
    query = (
        b"SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
    )
    with psycopg.connect(settings.database_url) as connection:
        return [name for (name,) in connection.execute(query).fetchall()]


def _check_room(settings: Settings, manifest: Manifest) -> None:
    """The unpacked backup and an index of about the same size must fit."""
    free, needed = shutil.disk_usage(settings.instance).free, 2 * manifest.size
    if free < needed:
        raise BackupRefused(
            f"{settings.instance} 所在磁盘剩余 {free / 1e6:,.0f} MB，"
            f"恢复需要约 {needed / 1e6:,.0f} MB：请先清理，或换一个位置。"
        )


@contextmanager
def _work(settings: Settings) -> Iterator[Path]:
    work = settings.instance / WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _put_database(settings: Settings, work: Path, manifest: Manifest, *, again: bool) -> Settings:
    """Bring the database back as it was; returns settings under which it can be used."""
    source = work / DATABASES[manifest.engine]
    if settings.is_sqlite:
        with closing(sqlite3.connect(source)) as connection:
            facts = snapshots.facts_of_sqlite(connection)
        inner = replace(settings, database_url=f"sqlite:///{source}")
    else:
        if again:
            _empty_postgres(settings)
        snapshots.put_postgres(settings.database_url, source)
        with psycopg.connect(settings.database_url) as connection:
            facts = snapshots.facts_of_postgres(connection)
        inner = settings
    told = (manifest.schema, manifest.counts, manifest.seals, manifest.head)
    if (facts.schema, facts.counts, facts.seals, facts.head) != told:
        raise BackupRefused("恢复的行数与备份清单不符：请换一份备份。这里的数据目录还是空的。")
    return inner


# Of the tables' triggers; those of extensions stay. Names come quoted.
_OWN_FUNCTIONS = """
SELECT f.oid::regprocedure::text FROM pg_proc f
WHERE f.pronamespace = current_schema()::regnamespace AND NOT EXISTS (
    SELECT 1 FROM pg_depend d WHERE d.objid = f.oid AND d.deptype = 'e'
)
"""


def _empty_postgres(settings: Settings) -> None:
    """Remove what a restore of ours left half-way in a database that was empty before it."""
    engine = create_engine(driver_url(settings.database_url))
    held = MetaData()
    held.reflect(engine)
    held.drop_all(engine)
    with engine.begin() as connection:
        for name in connection.scalars(text(_OWN_FUNCTIONS)).all():
            connection.execute(text(f"DROP FUNCTION {name}"))
    engine.dispose()


def _complete(settings: Settings, manifest: Manifest, hands: Hands) -> Restored:
    """Upgrade what came back, free it from the machine it came from, index it, verify it."""
    migrate.upgrade(settings)
    app = hands.make_app(settings)
    with app.app_context():
        try:
            return _come_alive(app, manifest, hands)
        finally:
            db.session.remove()
            db.engine.dispose()


def _come_alive(app: Flask, manifest: Manifest, hands: Hands) -> Restored:
    with unit_of_work(SYSTEM, may_be_long=True) as work:
        work.require(RESTORE)
        outbox.forget_all_nodes()
        db.session.execute(delete(Lease))
        after = {"backup": manifest.id, "created_at": manifest.created_at}
        work.record("restore", "instance", 0, after=after)
    for room in app.extensions["market"].rooms:
        for seed in room.seeds:
            seed()
    hands.say("建立检索索引……")
    documents = hands.index()
    hands.say("核对操作记录……")
    return Restored(manifest, audit.verify(), documents)


def _put_in_place(settings: Settings, inner: Settings, work: Path, secret: str) -> None:
    """Files and key first, the database last: its name is what makes the instance whole."""
    if (work / FILES).exists():
        shutil.rmtree(settings.instance / FILES, ignore_errors=True)
        os.replace(work / FILES, settings.instance / FILES)
    if settings.sources["SECRET_KEY"] != "environment":
        instance.write_private(settings.instance / "secret_key", secret)
    if not settings.is_sqlite:
        return
    source, target = snapshots.sqlite_path(inner), snapshots.sqlite_path(settings)
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # all of it in the one file
    beside = target.with_name(target.name + ".new")
    shutil.move(source, beside)  # a copy, when the database lies on another disk
    with beside.open("rb+") as file:
        os.fsync(file.fileno())
    for old in ("", "-wal", "-shm"):  # of the empty one; a foreign -wal would be read into ours
        target.with_name(target.name + old).unlink(missing_ok=True)
    os.replace(beside, target)
    archive.sync_folder(target.parent)
