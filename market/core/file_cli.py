"""`market files`: stored files as a whole."""

from __future__ import annotations

import click

from market.core import files


@click.group("files")
def group() -> None:
    """附件。"""


@group.command()
@click.pass_obj
def encrypt(obj: object) -> None:
    """设了 MARKET_FILES_KEY 之后，把以前未加密的附件逐个加密。"""
    app = obj.app  # type: ignore[attr-defined]
    if not app.extensions["market"].settings.files_keys:
        raise click.ClickException("还没有设 MARKET_FILES_KEY：没有密钥，附件不加密。")
    with app.app_context():
        done, already = files.lock_plain()
    click.echo(f"已加密 {done} 个，原先已加密的 {already} 个。")
