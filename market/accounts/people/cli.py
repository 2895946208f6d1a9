"""`market token`: tokens of organisations from the command line."""

from __future__ import annotations

import click
from sqlalchemy import select

from market.accounts.models import Organisation
from market.accounts.people import tokens
from market.accounts.people.schemas import LONGEST_DAYS, TOKEN_ROLES
from market.core import clock
from market.core.db import db
from market.core.errors import NotFound
from market.core.permissions import SYSTEM


@click.group()
def token() -> None:
    """单位的接口令牌。"""


@token.command()
@click.option("--organisation", metavar="USCC", required=True, help="统一社会信用代码或本站编号。")
@click.option("--scope", "scopes", multiple=True, required=True, help="范围，可重复。")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=90, show_default=True)
@click.option("--role", type=click.Choice(list(TOKEN_ROLES)), default="viewer", show_default=True)
@click.option("--label", default="命令行", show_default=True, help="给什么程序用。")
def create(organisation: str, scopes: tuple[str, ...], days: int, role: str, label: str) -> None:
    """新建一个令牌，只显示这一次。"""
    values = {"scopes": scopes, "days": days, "role": role, "label": label}
    with click.get_current_context().obj.app.app_context():
        word = tokens.create(SYSTEM, _organisation(organisation), values)
    click.echo(word)


@token.command("list")
def list_() -> None:
    """列出令牌（最近 200 个）。"""
    with click.get_current_context().obj.app.app_context():
        for one in tokens.listed(SYSTEM):
            until = f"{clock.local(one.expires_at):%Y-%m-%d}"
            said = f"{one.id}  {one.hint}…  {one.state}  至 {until}  {one.role_label}"
            click.echo(f"{said}  {one.organisation}  {one.label}  {' '.join(one.scopes)}")


@token.command()
@click.argument("token_id", type=click.IntRange(1, 2**31 - 1))
def revoke(token_id: int) -> None:
    """撤销一个令牌。"""
    with click.get_current_context().obj.app.app_context():
        tokens.revoke(SYSTEM, token_id)
    click.echo("已撤销。")


def _organisation(code: str) -> int:
    """The id of the organisation with this credit code or number. Raises NotFound."""
    meant = (Organisation.uscc == code.strip().upper()) | (Organisation.no == code.strip())
    found = db.session.scalar(select(Organisation.id).where(meant, Organisation.state == "active"))
    if found is None:
        raise NotFound(f"没有代码为 {code} 的单位。")
    return found
