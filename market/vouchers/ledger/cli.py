"""`market vouchers`: proving the ledger."""

from __future__ import annotations

import click

from market.core.money import format_yuan
from market.vouchers.ledger.models import KINDS
from market.vouchers.ledger.reconcile import reconcile


@click.group("vouchers")
def group() -> None:
    """创新券。"""


@group.command("reconcile")
@click.pass_obj
def reconcile_command(obj: object) -> None:
    """由分录重算全部余额，逐户列出；有差异时以 1 退出。"""
    with obj.app.app_context():  # type: ignore[attr-defined]
        report = reconcile()
    for one in report.accounts:
        words = "相符" if one.true else f"不符：分录合计 {format_yuan(one.lines_fen)}"
        click.echo(
            f"办法 {one.scheme_id} · {one.year} · {one.region_code} · {KINDS[one.kind]}"
            f" · {format_yuan(one.balance_fen)} 元 · {words}"
        )
    for entry in report.unbalanced:
        click.echo(f"分录 {entry} 借贷不平")
    if not report.true:
        raise SystemExit(1)
    click.echo(f"共 {len(report.accounts)} 个账户，全部相符。")
