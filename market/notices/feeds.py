"""Notices to take away and to follow: a table, a news feed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from market.core.languages import N_
from market.core.languages import translate as _
from market.core.pagination import MOST_PER_PAGE
from market.core.permissions import Actor
from market.core.sheets import Column, write_table
from market.notices import lists
from market.notices.models import KINDS
from market.notices.queries import View
from market.notices.rules import UNITS

ENTRIES = 30
MOST_ROWS = 5000
COLUMNS = {
    "no": N_("公示编号"),
    "kind": N_("类别"),
    "title": N_("标题"),
    "owner": N_("公示单位"),
    "region": N_("地区"),
    "days": N_("公示天数"),
    "unit": N_("按什么日计算"),
    "start_on": N_("开始"),
    "end_on": N_("最后一日"),
    "state": N_("状态"),
    "objections": N_("异议"),
    "hash": N_("内容指纹"),
    "demo": N_("演示数据"),
    "url": N_("网址"),
}
_NEVER = datetime(2026, 1, 1, tzinfo=UTC)  # a feed without entries has to say something


@dataclass(frozen=True)
class Feed:
    """The notices of a list, the last started first."""

    id: str
    address: str
    page: str
    updated: datetime
    entries: list[tuple[str, View]]


def feed(actor: Actor, asked: Mapping[str, Any], base_url: str) -> Feed:
    """The newest notices that fit. base_url: the site's own, for ids."""
    views = lists.newest(actor, asked, ENTRIES)
    # A tag URI (RFC 4151) names a day on which the site had its name.
    tag = f"tag:{urlsplit(base_url).hostname},2026:"
    pairs = urlencode([(name, asked[name]) for name in ("kind", "region", "q") if asked.get(name)])
    query = f"?{pairs}" if pairs else ""
    return Feed(
        id=f"{tag}notices{query}",
        address=f"/notices.atom{query}",
        page=f"/notices{query}",
        updated=max((one.notice.updated_at for one in views), default=_NEVER),
        entries=[(tag + one.no, one) for one in views],
    )


def write(actor: Actor, asked: Mapping[str, Any], base_url: str, path: Path) -> int:
    """Write the notices of a list to a new .csv; returns how many."""
    columns = [Column(key, _(label)) for key, label in COLUMNS.items()]
    return write_table(path, columns, _rows(actor, asked, base_url))


def _rows(actor: Actor, asked: Mapping[str, Any], base_url: str) -> Iterator[dict[str, Any]]:
    for number in range(1, MOST_ROWS // MOST_PER_PAGE + 1):
        page = lists.listed(actor, {**asked, "page": number}, MOST_PER_PAGE)
        yield from (_row(one, base_url) for one in page.items)
        if number >= page.pages:
            return


def _row(one: View, base_url: str) -> dict[str, Any]:
    notice = one.notice
    return {
        "no": notice.no,
        "kind": _(KINDS[notice.kind]),
        "title": notice.title,
        "owner": notice.owner.name,
        "region": notice.region.full_name,
        "days": notice.days,
        "unit": _(UNITS[notice.unit or "natural"]),
        "start_on": notice.start_on.isoformat() if notice.start_on else None,
        "end_on": notice.end_on.isoformat() if notice.end_on else None,
        "state": _(one.state_label),
        "objections": one.counts.all,
        "hash": notice.hash,
        "demo": _("演示数据") if notice.demo else None,
        "url": base_url + one.url,
    }
