"""A list of results as a table to take away: exactly what the search page shows, in its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from market.core import clock
from market.core.languages import N_
from market.core.languages import translate as _
from market.core.pagination import PageOf
from market.core.permissions import Actor, Always, policy
from market.core.sheets import Column, write_table
from market.discovery import facets
from market.discovery.asking import places_of, request_for
from market.discovery.cards import Card, card
from market.discovery.engine import ask
from market.discovery.forms import SearchForm
from market.discovery.near import in_order
from search_index import SearchRequest

EXPORT = policy.declare("discovery:listing:export", public=Always())
MOST_ROWS = 5_000
_BATCH = 200  # hits that the engine hands out at once, at most

COLUMNS = {
    "no": N_("编号"),
    "kind": N_("类别"),
    "title": N_("名称"),
    "problem": N_("解决的问题"),
    "best": N_("结果或指标"),
    "stage": N_("所处阶段"),
    "price": N_("价格或投入"),
    "modes": N_("合作方式"),
    "region": N_("所在地区"),
    "owner": N_("单位"),
    "updated": N_("更新日期"),
    "call_until": N_("揭榜截止日"),
    "demo": N_("备注"),
    "url": N_("网址"),
}


@dataclass(frozen=True)
class Export:
    """What will be written. `cut` says that the list is longer than the rows."""

    sentence: str
    rows: Iterator[Mapping[str, Any]]
    cut: bool


def export(actor: Actor, form: SearchForm, base_url: str) -> Export:
    """The whole list of a search, up to 5,000 rows, read in batches.

    Args:
        form: the search; its page does not matter.
        base_url: what stands before the listings' addresses.

    Raises:
        IndexMissing: there is no index yet.
    """
    policy.require(actor, EXPORT)
    places = places_of(form)
    request = replace(request_for(form.but(), places, ()), limit=_BATCH, highlight=False)
    counted = ask(replace(request, limit=0))
    listed: PageOf[Card] = PageOf((), counted.total, 1, form.per_page, counted.total_is)
    # A search that found nothing, since its region does not exist, has no rings either.
    requests = in_order(form, places, request) if counted.total else []
    rows = (_row(one, base_url) for one in islice(_cards(requests), MOST_ROWS))
    cut = counted.total_is != "exact" or counted.total > MOST_ROWS
    sentence = facets.sentence(listed, form, places, loosened=facets.holds_parts(form, counted))
    return Export(sentence, rows, cut)


def _cards(requests: Sequence[SearchRequest]) -> Iterator[Card]:
    today = clock.today()
    for request in requests:
        page = ask(request)
        while True:
            yield from (card(hit, today) for hit in page.hits)
            if page.next_after is None:
                break
            page = ask(replace(request, after=page.next_after))


def _row(one: Card, base_url: str) -> dict[str, Any]:
    return {
        "no": one.no,
        "kind": _(one.kind_label),
        "title": one.title,
        "problem": one.problem,
        "best": one.best,
        "stage": _(one.stage_label),
        "price": one.price_label,
        "modes": "、".join(_(mode) for mode in one.mode_labels),
        "region": one.region_name,
        "owner": one.owner_name,
        "updated": one.updated.isoformat(),
        "call_until": one.call_until.isoformat() if one.call_until else None,
        "demo": _("演示数据") if one.demo else None,
        "url": base_url + one.url,
    }


def write(found: Export, path: Path) -> int:
    """Write the rows to a new .xlsx or .csv; returns how many.

    In a workbook a second sheet says what was searched and when, so that the first holds nothing
    but the table.
    """
    columns = [Column(key, _(label)) for key, label in COLUMNS.items()]
    return write_table(path, columns, found.rows, notes=_notes(found))


def _notes(found: Export) -> Sequence[tuple[str, str]]:
    notes = [
        (_("查找条件"), found.sentence),
        (_("导出时间"), f"{clock.local(clock.now()):%Y-%m-%d %H:%M}"),
    ]
    if found.cut:
        notes.append(
            (
                _("行数"),
                _("只导出前 %(n)s 行，请加筛选条件后分几次导出。") % {"n": f"{MOST_ROWS:,}"},
            )
        )
    return notes
