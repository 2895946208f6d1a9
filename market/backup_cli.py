"""`market backup` and `market restore`."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from market.core import clock

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("target", type=FILE, metavar="FILE_OR_DIR")
@click.option(
    "--keys", type=FILE, metavar="KEYFILE", help="把密钥另写入一个文件；请与备份分开保管。"
)
@click.option("--keep", type=click.IntRange(1), help="目录中只留最新的几份备份。")
@click.option("--check", "check_only", is_flag=True, help="只核对一份已有的备份，不制作。")
@click.option("--without-keys", is_flag=True, help="核对时不核对签名（密钥已丢失）。")
@click.pass_obj
def backup(
    obj: Any,
    target: Path,
    keys: Path | None,
    keep: int | None,
    check_only: bool,
    without_keys: bool,
) -> None:
    """备份数据库和附件；网站照常运行。密钥从不写入备份文件。"""
    from market.core.backups import backup as making
    from market.core.backups.restore import check

    settings = obj.settings
    if check_only:
        manifest = check(settings, target, keys, without_keys=without_keys)
        click.echo(f"备份完整，可以恢复：{_about(manifest)}")
        return
    if keep and not target.is_dir():
        raise click.UsageError("--keep 只用于备份到目录。")
    if keys and keys.absolute() == target.absolute():
        raise click.UsageError("密钥不能写进备份文件，请换一个文件名。")
    started = time.monotonic()
    if keys:
        new = making.write_keys(settings, keys)
        click.echo(f"密钥{'已写入' if new else '已在'} {keys}：请与备份分开保管，缺它不能恢复。")
    path, manifest, size = making.make(settings, target)
    seconds = time.monotonic() - started
    click.echo(f"已备份到 {path}（{size / 1e6:,.1f} MB，{seconds:.1f} 秒）：{_about(manifest)}")
    for old in making.prune(target, keep) if keep else ():
        click.echo(f"已删除旧备份 {old}")


@click.command()
@click.argument("file", type=FILE)
@click.option("--keys", type=FILE, metavar="KEYFILE", help="备份时用 --keys 写的密钥文件。")
@click.option("--without-keys", is_flag=True, help="密钥确已丢失：不核对签名。")
@click.pass_obj
def restore(obj: Any, file: Path, keys: Path | None, without_keys: bool) -> None:
    """把备份恢复到空的数据目录（和空的数据库），并重建索引。"""
    from market.app import create_app
    from market.core.backups.restore import Hands
    from market.core.backups.restore import restore as bring_back
    from market.discovery import engine

    settings = obj.settings
    if engine.is_written(settings):
        raise click.ClickException("这个数据目录的后台进程正在运行：请先停止它，再恢复。")
    started = time.monotonic()
    hands = Hands(make_app=create_app, index=_index, say=click.echo)
    done = bring_back(settings, file, keys, hands, without_keys=without_keys)
    click.echo(f"已恢复：{_about(done.manifest)}")
    click.echo(
        f"检索索引 {done.documents} 条，与数据库一致；"
        f"操作记录封存 {done.verdict.seals} 批 {done.verdict.rows} 条。"
    )
    if done.verdict.broken is not None:
        raise click.ClickException(
            f"操作记录第 {done.verdict.broken} 批封存不符：备份之前记录已被改动或删除。"
        )
    click.echo(f"用时 {time.monotonic() - started:.0f} 秒。现在可以启动网站（market up）。")


def _index() -> int:
    """Build the index of the restored database as the worker would, and compare the two."""
    from market.discovery import indexer
    from market.discovery.engine import reader

    own = indexer.Indexer()
    own.run()  # an unknown node builds its index
    own.close()
    report = indexer.check(reader())
    reader().close()
    if not report.ok:
        raise click.ClickException("索引与数据库不一致：请重新运行 market restore。")
    return report.expected


def _about(manifest: Any) -> str:
    """What is in a backup, in one line."""
    rows = sum(manifest.counts.values())
    files = len(manifest.members) - 1
    listings = manifest.counts.get("listing", 0)
    moment = clock.local(datetime.fromisoformat(manifest.created_at))
    return (
        f"{moment:%Y-%m-%d %H:%M} 的数据，数据库结构 {manifest.schema}，"
        f"信息 {listings:,} 条，共 {rows:,} 行，附件 {files:,} 个"
    )
