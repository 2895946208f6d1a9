"""The `market` command."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from flask import Flask

from market.core.errors import Invalid, MarketError
from market.core.settings import Settings, SettingsError, load
from market.core.sheets import FileRefused

SHOWN_PROBLEMS = 20


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
    from market.core import metrics
    from market.up import supervise

    settings = obj.settings
    lock = metrics.prepare(settings.instance / "metrics")  # a second one stops here
    if prepare:
        _upgrade(obj)
        if settings.demo:
            _load_demo(obj)
    click.echo(f"{settings.site_name}：{settings.base_url}  （Ctrl-C 停止）")
    sys.exit(supervise(lock))


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


KIND = click.Choice(["regions", "terms", "organisations", "achievements", "demands"])
FILE = click.Path(dir_okay=False, path_type=Path)


@cli.command("import")
@click.argument("kind", type=KIND)
@click.argument("file", type=FILE)
@click.option("--organisation", metavar="USCC", help="没有写明单位的行属于这家单位。")
@click.option("--region", metavar="CODE", help="没有写明地区的行属于这个地区。")
@click.option(
    "--scheme", help="代码表（terms）中没有写明的行属于这个表：field、industry、discipline。"
)
@click.option("--dry-run", is_flag=True, help="只检查，不导入。")
@click.option("--report", type=FILE, metavar="OUT.xlsx", help="把全部问题写入表格。")
@click.pass_obj
def import_(
    obj: _Context,
    kind: str,
    file: Path,
    organisation: str | None,
    region: str | None,
    scheme: str | None,
    dry_run: bool,
    report: Path | None,
) -> None:
    """导入表格（XLSX、XLS、CSV、JSONL、JSON）：全部检查无误才生效。"""
    from market.core.importing import Options, run_import
    from market.core.permissions import SYSTEM
    from market.core.sheets import Problem, check_target, write_problems
    from market.rooms import KINDS

    if report is not None:
        check_target(report)
        if report.exists() and file.exists() and report.samefile(file):
            raise click.UsageError("--report 不能写到要导入的文件上，请换一个文件名。")
    options = Options(organisation, region, scheme)
    try:
        with obj.app.app_context():
            result = run_import(
                KINDS[kind], file, options, SYSTEM, dry_run=dry_run, progress=_tell_progress
            )
    except FileRefused as error:
        if report is not None:
            write_problems(report, [Problem(0, "", file.name, "", str(error))])
        raise
    if report is not None:
        write_problems(report, result.problems)
    for problem in result.problems[:SHOWN_PROBLEMS]:
        click.echo(f"{'提醒' if problem.warning else '错误'} {problem}", err=True)
    if len(result.problems) > SHOWN_PROBLEMS:
        click.echo(f"……共 {len(result.problems)} 条，--report 可写入表格。", err=True)
    if result.refused:
        click.echo("文件有错，什么都没有导入；改正后请再导入一次。", err=True)
    elif dry_run:
        click.echo("检查通过，尚未导入（--dry-run）。", err=True)
    elif (result.imported or result.updated) and KINDS[kind].undoable:
        click.echo(f"如需撤销：market undo {result.run_id}", err=True)
    click.echo(result.line())
    sys.exit(1 if result.refused else 0)


def _tell_progress(rows: int) -> None:
    if rows % 5000 == 0:
        click.echo(f"已检查 {rows:,} 行……", err=True)


@cli.command()
@click.argument("import_id", type=int)
@click.pass_obj
def undo(obj: _Context, import_id: int) -> None:
    """撤销一次已完成的成果或需求导入。"""
    from market.core.importing import undo_import
    from market.core.permissions import SYSTEM
    from market.rooms import KINDS

    with obj.app.app_context():
        run = undo_import(import_id, KINDS, SYSTEM)
        click.echo(
            f"已撤销导入 {import_id}：新增 {run.imported} 条已撤回，更新 {run.updated} 条已复原。"
        )


@cli.command()
@click.argument("kind", type=KIND)
@click.argument("file", type=FILE)
@click.pass_obj
def export(obj: _Context, kind: str, file: Path) -> None:
    """导出表格，列与导入相同。"""
    from market.core.sheets import write_table
    from market.rooms import KINDS

    with obj.app.app_context():
        count = write_table(file, KINDS[kind].columns(), KINDS[kind].rows())
    click.echo(f"已导出 {count} 行到 {file}。")


@cli.command()
@click.argument("kind", type=KIND)
@click.argument("file", type=FILE)
def template(kind: str, file: Path) -> None:
    """生成空白的 XLSX 模板，带说明和下拉列表。"""
    from market.core.sheets import write_template
    from market.rooms import KINDS

    write_template(file, KINDS[kind].columns())
    click.echo(f"模板已写入 {file}。")


@cli.command()
@click.pass_obj
def doctor(obj: _Context) -> None:
    """列出全部设置，检查数据库、后台进程、索引和磁盘。"""
    from market.doctor import findings, settings_lines

    for line in settings_lines(obj.settings):
        click.echo(line)
    click.echo("")
    results = list(findings(obj.app, obj.settings))
    for well, sentence in results:
        click.echo(f"{'正常' if well else '注意'}  {sentence}")
    sys.exit(0 if all(well for well, _ in results) else 1)


@cli.group()
def demo() -> None:
    """演示数据。"""


@demo.command("load")
@click.pass_obj
def demo_load(obj: _Context) -> None:
    """装入演示数据；已有的不重复装入。"""
    _load_demo(obj)


def _load_demo(obj: _Context) -> None:
    from market.core.instance import maintenance
    from market.demo.load import load_demo

    with maintenance(obj.settings.instance), obj.app.app_context():
        for line in load_demo():
            click.echo(line)


def main() -> None:
    """Run the command with those of all rooms; errors meant for people are printed as one sentence."""
    from market.rooms import ROOMS

    for room in ROOMS:
        for command in room.commands:
            cli.add_command(command)
    try:
        cli(prog_name="market")
    except SettingsError as error:
        sys.exit(f"设置有误：{error}")
    except Invalid as error:
        for name, messages in error.fields.items():
            click.echo(f"{name}：{'；'.join(messages)}", err=True)
        sys.exit(2)
    except FileRefused as error:
        click.echo(str(error), err=True)
        click.echo("imported 0, updated 0, unchanged 0, rejected 0")
        sys.exit(1)
    except MarketError as error:
        sys.exit(error.message)


if __name__ == "__main__":
    main()
