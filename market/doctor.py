"""`market doctor`: the settings in force and what is wrong with this instance, in sentences."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from market.core import audit, migrate, outbox
from market.core.db import db
from market.core.settings import DECLARED, Settings
from market.discovery import engine
from search_index import WriterBusy
from search_index.generations import WriterLock

LEAST_DISK = 1024**3  # bytes


def settings_lines(settings: Settings) -> Iterator[str]:
    """Each setting: variable, where its value came from, value, meaning."""
    for one in DECLARED:
        value = str(getattr(settings, one.name.lower()))
        if one.name == "DATABASE_URL":
            value = make_url(value).render_as_string(hide_password=True)
        shown = ("（已设置）" if value else "（空）") if one.secret else value or "（空）"
        source = "环境变量" if settings.sources[one.name] == "environment" else "默认"
        yield f"{one.variable} = {shown}  [{source}] {one.meaning}"


def findings(app: Flask, settings: Settings) -> Iterator[tuple[bool, str]]:
    """Each check: whether it is well, and a sentence that says what to do if not."""
    free = shutil.disk_usage(settings.instance).free
    yield free > LEAST_DISK, f"磁盘剩余 {free / 1024**3:.1f} GB（少于 1 GB 时请清理）"
    with app.app_context():
        try:
            version = db.session.scalar(text("SELECT version_num FROM alembic_version"))
        except SQLAlchemyError:
            yield False, "数据库打不开或还没有建立：请运行 market db upgrade"
            return
        newest = ScriptDirectory.from_config(migrate.config(settings)).get_current_head()
        yield (
            version == newest,
            f"数据库结构 {version}（程序需要 {newest}，不同时请 market db upgrade）",
        )
        yield from _worker(settings)
        yield engine.ready(), "检索索引可用（不可用时：启动后台进程，或 market search rebuild）"
        tail = audit.verify()
        yield tail.broken is None, f"操作记录 {tail.rows} 条已封存，{tail.tail} 条未封存"


def _worker(settings: Settings) -> Iterator[tuple[bool, str]]:
    yield (
        _worker_holds_index(settings),
        "后台进程在运行（没有运行时更新不会进入检索：请启动 market worker 或 market up）",
    )
    waiting = outbox.pending(outbox.index_consumer(settings.node))
    yield waiting < 1000, f"待写入检索的更新 {waiting} 条"


def _worker_holds_index(settings: Settings) -> bool:
    """Whether a process is the writer of the index; a worker is, from its start to its end."""
    folder = engine.folder(settings)
    if not (folder / "lock").exists():
        return False
    try:
        WriterLock(folder).release()
    except WriterBusy:
        return True
    return False
