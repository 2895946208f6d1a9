"""`market admin`: the first administrators, who then give all other roles on their pages."""

from __future__ import annotations

import sys

import click

from market.accounts.administration import queries, service
from market.accounts.administration.permissions import SEE_GRANTS
from market.accounts.people.rules import password_fault, read_contact
from market.accounts.roles import ADMINISTRATORS, ROLES
from market.core.masking import mask_contact
from market.core.permissions import SYSTEM
from market.core.text import clean_line


@click.group()
def admin() -> None:
    """平台管理员。"""


@admin.command()
@click.option("--role", type=click.Choice(ADMINISTRATORS), required=True, help="哪一种管理员。")
@click.option("--name", required=True, help="姓名。")
@click.option("--mobile", help="手机号。")
@click.option("--email", help="邮箱；与手机号只填一个。")
@click.pass_obj
def create(obj: object, role: str, name: str, mobile: str | None, email: str | None) -> None:
    """建立一位管理员；三种管理员须是三个人，都不能兼任其他角色。"""
    if bool(mobile) == bool(email):
        raise click.UsageError("--mobile 和 --email 请填其中一个。")
    contact = read_contact(mobile or email or "")
    if contact is None or contact.kind != ("mobile" if mobile else "email"):
        raise click.UsageError("手机号或邮箱不完整。")
    name = clean_line(name)
    if not 2 <= len(name) <= 60:
        raise click.UsageError("姓名应为 2 到 60 个字。")
    with obj.app.app_context():  # type: ignore[attr-defined]
        there = queries.find_person(SYSTEM, contact, SEE_GRANTS) is not None
        kept = None if there else _hash(_ask())
        new = service.create_administrator(role, name, contact, kept)
    account = mask_contact(contact.value)
    label = ROLES[role].label
    click.echo(
        f"已建立{label} {account}。" if new else f"{account} 已有账号，现为{label}，密码不变。"
    )
    click.echo("请登录后在「账号」中设好两步验证，管理权限才生效。")


def _ask() -> str:
    """The password: typed twice, or the first line of what is piped in."""
    if sys.stdin.isatty():
        password: str = click.prompt("密码", hide_input=True, confirmation_prompt="再输一次")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if (sentence := password_fault(password)) is not None:
        raise click.UsageError(sentence)
    return password


def _hash(password: str) -> str:
    from pwdlib import PasswordHash

    from market.core.db import db

    db.session.rollback()  # no transaction is open while it takes its tenth of a second
    return PasswordHash.recommended().hash(password)
