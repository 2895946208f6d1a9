"""A bulletin as a table, and the bulletins of a place as news."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from market.core import clock
from market.core.languages import N_
from market.core.languages import translate as _
from market.core.permissions import Actor
from market.core.sheets import Column, write_table
from market.discovery.bulletins import queries
from market.discovery.bulletins.queries import BulletinView
from market.regions import queries as regions

COLUMNS = {
    "position": N_("序号"),
    "no": N_("编号"),
    "kind": N_("类别"),
    "title": N_("名称"),
    "solves": N_("解决的问题"),
    "best": N_("结果或指标"),
    "stage": N_("所处阶段"),
    "price": N_("价格或投入"),
    "owner": N_("单位"),
    "region": N_("所在地区"),
    "contact": N_("联系人"),
    "telephone": N_("电话"),
    "note": N_("备注"),
    "url": N_("网址"),
}
_NEVER = datetime(2026, 1, 1, tzinfo=UTC)
_TAGGED = "2026"  # a tag URI (RFC 4151) names a day on which the site had its name


def table(found: BulletinView, base_url: str) -> BytesIO:
    """The lines of a bulletin as a workbook."""
    columns = [Column(key, _(label)) for key, label in COLUMNS.items()]
    notes = [
        (_("简报"), found.heading),
        (_("标题"), found.title),
        (_("卷首语"), found.foreword),
        (_("导出时间"), f"{clock.local(clock.now()):%Y-%m-%d %H:%M}"),
    ]
    if found.state != "issued":
        notes.append((_("状态"), _(found.state_label)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bulletin.xlsx"
        write_table(path, columns, _rows(found, base_url), notes=notes)
        return BytesIO(path.read_bytes())


def _rows(found: BulletinView, base_url: str) -> Iterator[Mapping[str, Any]]:
    for position, one in enumerate(found.lines, 1):
        notes = [_(one.note)] if one.note else []
        if one.demo:
            notes.append(_("演示数据"))
        yield {
            "position": position,
            "no": one.no,
            "kind": _(one.kind_label),
            "title": one.title,
            "solves": one.solves,
            "best": one.best,
            "stage": _(one.stage_label),
            "price": one.price,
            "owner": one.owner,
            "region": one.region,
            "contact": one.contact,
            "telephone": one.telephone,
            "note": " ".join(notes),
            "url": base_url + one.url if one.url else "",
        }


@dataclass(frozen=True)
class Entry:
    """A bulletin in a feed: its id never changes."""

    id: str
    bulletin: BulletinView


@dataclass(frozen=True)
class Feed:
    """The newest bulletins, of one place or of all."""

    id: str
    title: str
    address: str
    page: str
    updated: datetime
    entries: list[Entry]


def feed(actor: Actor, code: str, base_url: str) -> Feed:
    """The newest bulletins of a place; of all without a code. Raises NotFound."""
    found = queries.listed(actor, code, size=queries.FEED).items
    tag = f"tag:{urlsplit(base_url).hostname},{_TAGGED}:"
    asked = f"?region={code}" if code else ""
    place = regions.get(code).full_name if code else ""
    title = _("%(place)s成果信息简报", place=place) if place else _("成果信息简报")
    return Feed(
        id=f"{tag}bulletins{asked}",
        title=title,
        address=f"/bulletins.atom{asked}",
        page=f"/bulletins{asked}",
        updated=max((one.updated_at for one in found), default=_NEVER),
        entries=[Entry(tag + one.no, one) for one in found],
    )
