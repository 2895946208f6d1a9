"""`market search`: rebuild, check, figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from market.core import outbox
from market.discovery import indexer
from market.discovery.engine import reader
from market.discovery.indexer import Indexer
from search_index import IndexMissing, IndexOutdated

LONGEST_WAIT = 1800.0  # seconds for a rebuild by the worker


@click.group()
def search() -> None:
    """检索索引。"""


@contextmanager
def _context() -> Iterator[None]:
    with click.get_current_context().obj.app.app_context():
        try:
            yield
        except (IndexMissing, IndexOutdated):
            raise click.ClickException(
                "还没有合用的检索索引（新站，或换了检索引擎、版本）："
                "请启动后台进程，或运行 market search rebuild。"
            ) from None


@search.command()
def rebuild() -> None:
    """重建索引；后台进程在运行时由它重建。"""
    with _context():
        own = Indexer()
        try:
            if own.become_writer():
                click.echo(f"索引已重建，共 {own.rebuild()} 条。")
                while own.work_off():
                    pass
                return
        finally:
            own.close()
        indexer.ask_rebuild()
        click.echo("后台进程正在重建……")
        if not indexer.wait_until_done(LONGEST_WAIT):
            raise click.ClickException("半小时内没有完成，请查看后台进程的日志。")
        click.echo(f"索引已重建，共 {reader().stats().documents} 条。")


@search.command()
@click.option("--wait", default=30.0, help="最多等待未完成的更新多少秒。")
def check(wait: float) -> None:
    """核对索引与数据库是否一致。"""
    with _context():
        if not indexer.wait_until_done(wait):
            raise click.ClickException("还有更新没有写入索引：后台进程是否在运行？")
        report = indexer.check(reader())
    for name, keys in (
        ("缺少", report.missing),
        ("过期", report.stale),
        ("多余", report.surplus),
    ):
        if keys:
            click.echo(f"{name} {len(keys)} 条：{'、'.join(keys[:10])}")
    if not report.ok:
        raise click.ClickException("索引与数据库不一致，可用 market search rebuild 重建。")
    click.echo(f"索引与数据库一致，共 {report.expected} 条。")


@search.command()
def stats() -> None:
    """索引的数字。"""
    with _context():
        figures = reader().stats()
        settings = click.get_current_context().obj.settings
        waiting = outbox.pending(outbox.index_consumer(settings.node))
    click.echo(f"引擎 {figures.engine}，版本目录 {figures.generation}")
    click.echo(f"文档 {figures.documents}，分段 {figures.segments}，{figures.bytes:,} 字节")
    click.echo(f"待写入的更新 {waiting}")
