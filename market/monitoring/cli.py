"""`market desk`: putting right what desks show."""

from __future__ import annotations

import click

from market.monitoring import acts, checks


@click.group()
def desk() -> None:
    """工作台的事项。"""


@desk.command()
@click.pass_obj
def rebuild(obj: object) -> None:
    """把工作台与各类办件核对一遍，不一致的改正。"""
    with obj.app.app_context():  # type: ignore[attr-defined]
        count = checks.rebuild(acts.workflows())
    click.echo(f"已改正 {count} 条。" if count else "工作台与各类办件一致。")
