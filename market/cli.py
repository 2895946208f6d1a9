"""The `market` command."""

from __future__ import annotations

import os
import sys

import click
from flask import Flask

from market.core.errors import Invalid, MarketError
from market.core.settings import Settings, SettingsError, load


class _Context:
    """Settings and application, made when a command first needs them."""

    def __init__(self) -> None:
        self._app: Flask | None = None

    @property
    def settings(self) -> Settings:
        return load()

    @property
    def app(self) -> Flask:
        if self._app is None:
            from market.app import create_app

            self._app = create_app(self.settings)
        return self._app


@click.group()
@click.pass_context
def cli(context: click.Context) -> None:
    """县域技术市场的管理命令。"""
    context.obj = _Context()


@cli.command()
@click.pass_obj
def serve(obj: _Context) -> None:
    """只启动网站（不含后台进程）。"""
    from market.core import metrics
    from market.up import GUNICORN

    metrics.prepare(obj.settings.instance / "metrics")
    os.execv(sys.executable, [sys.executable, "-m", *GUNICORN])


@cli.command()
@click.pass_obj
def worker(obj: _Context) -> None:
    """只启动后台进程：检索更新、操作记录封存等。"""
    from market.core.worker import Worker, own_tasks

    holder = f"{obj.settings.node}:{os.getpid()}"
    tasks = [task for room in obj.app.extensions["market"].rooms for task in room.tasks]
    Worker(obj.app, [*tasks, *own_tasks(holder)]).run()


@cli.command()
@click.option("--prepare", is_flag=True, help="先升级数据库，演示站再装入演示数据。")
@click.pass_obj
def up(obj: _Context, prepare: bool) -> None:
    """启动网站和后台进程，一个退出则全部退出。"""
    from market.up import supervise

    settings = obj.settings
    if prepare:
        _upgrade(obj)
    click.echo(f"{settings.site_name}：{settings.base_url}  （Ctrl-C 停止）")
    sys.exit(supervise(settings))


@cli.group()
def db() -> None:
    """数据库结构。"""


@db.command("upgrade")
@click.pass_obj
def db_upgrade(obj: _Context) -> None:
    """升级到最新结构，并装入随版本发布的基础数据。"""
    _upgrade(obj)
    click.echo("数据库已是最新。")


def _upgrade(obj: _Context) -> None:
    from market.core import migrate
    from market.core.instance import maintenance

    with maintenance(obj.settings.instance):
        migrate.upgrade(obj.settings)
        with obj.app.app_context():
            for room in obj.app.extensions["market"].rooms:
                for seed in room.seeds:
                    seed()


@db.command("check")
@click.pass_obj
def db_check(obj: _Context) -> None:
    """检查数据库结构与程序是否一致。"""
    from market.core import migrate

    migrate.check(obj.settings)
    click.echo("数据库结构与程序一致。")


@cli.group()
def audit() -> None:
    """操作记录。"""


@audit.command("verify")
@click.pass_obj
def audit_verify(obj: _Context) -> None:
    """核对操作记录链是否被改动。"""
    from market.core.audit import verify

    with obj.app.app_context():
        verdict = verify()
    click.echo(f"封存 {verdict.seals} 批 {verdict.rows} 条，未封存 {verdict.tail} 条。")
    if verdict.broken is not None:
        raise click.ClickException(f"第 {verdict.broken} 批封存不符：记录被改动或删除。")


def main() -> None:
    """Run the command; errors meant for people are printed as one sentence."""
    try:
        cli(prog_name="market")
    except SettingsError as error:
        sys.exit(f"设置有误：{error}")
    except Invalid as error:
        for name, messages in error.fields.items():
            click.echo(f"{name}：{'；'.join(messages)}", err=True)
        sys.exit(2)
    except MarketError as error:
        sys.exit(error.message)


if __name__ == "__main__":
    main()
