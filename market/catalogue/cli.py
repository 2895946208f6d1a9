"""`market reports`: what readers reported about listings, until offices sign in."""

from __future__ import annotations

import click

from market.catalogue import queries, service
from market.core import clock
from market.core.permissions import SYSTEM
from market.regions import queries as regions

MOST = 200  # reports shown


@click.command()
@click.option("--region", metavar="CODE", help="只列这个地区和它下面的。")
@click.option("--contacts", is_flag=True, help="同时显示报告人的联系方式；每次查看都记入操作记录。")
def reports(region: str | None, contacts: bool) -> None:
    """列出读者报告的错误（待处理的，先报先列）。"""
    with click.get_current_context().obj.app.app_context():
        path = regions.find(region).path if region else None
        found = queries.open_reports(SYSTEM, path, MOST)
        masked = [one.id for one in found if one.masked]
        shown = service.unmask_contacts(SYSTEM, masked) if contacts and masked else {}
    for one in found:
        click.echo(f"{one.no}  {clock.local(one.created):%Y-%m-%d %H:%M}  {one.reason}")
        click.echo(f"  {one.listing_no} {one.title}（{one.region_name}，{one.owner_name}）")
        if one.text:
            click.echo("  " + one.text.replace("\n", "\n  "))
        if one.id in shown:
            click.echo(f"  联系方式：{shown[one.id] or '密钥已更换，无法读出'}")
        elif one.masked:
            click.echo("  留有联系方式（加 --contacts 查看）")
    click.echo(f"待处理 {len(found)} 条。" + ("还有更多未列出。" if len(found) == MOST else ""))
