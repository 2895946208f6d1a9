"""Up to four listings side by side, in the order of the listing's own page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from market.catalogue import queries as catalogue
from market.catalogue.models import KINDS
from market.catalogue.queries import ListingView, Shown
from market.core.languages import translate as _
from market.core.permissions import Actor

MOST = 4
MOST_NAMED = 20  # numbers of an address that are read at all
# The order of a listing's own page; both kinds of listing may stand in one table.
ORDER = (
    "problem",
    "targets",
    "result",
    "advantage",
    "summary",
    "background",
    "existing",
    "limits",
    "investment",
    "payback",
    "throughput",
    "equipment",
    "site",
    "licences",
    "stage",
    "trl",
    "level",
    "evaluation_method",
    "evaluation_by",
    "evaluation_date",
    "registration_no",
    "variety_approval_no",
    "variety_right_no",
    "suitable_region",
    "suitable_altitude",
    "suitable_salinity",
    "accumulated_temperature",
    "ip",
    "demand_type",
    "transfer_modes",
    "cooperation_modes",
    "price",
    "royalty",
    "trial",
    "terms",
    "deadline",
    "ip_ownership",
    "solver_requirements",
    "adoption",
    "valid_until",
)


@dataclass(frozen=True)
class Column:
    """A listing, and the address of the table without it."""

    listing: ListingView
    without: str


@dataclass(frozen=True)
class Row:
    """A property, and its value in each listing; None where one does not say."""

    key: str
    label: str
    values: Sequence[Shown | None]


@dataclass(frozen=True)
class Compared:
    """The table. `left_out`: a sentence for each number that is not in it."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    left_out: Sequence[str]

    @property
    def full(self) -> bool:
        return len(self.columns) >= MOST


def address(numbers: Sequence[str]) -> str:
    """The address of the table of these numbers."""
    return "/compare" + (f"?{urlencode([('no', no) for no in numbers])}" if numbers else "")


def compare(actor: Actor, numbers: Sequence[str]) -> Compared:
    """The table of the listings with these numbers, in the order named.

    Numbers beyond the fourth, unknown ones and those of withdrawn listings are left out, each
    with a sentence.
    """
    asked = list(dict.fromkeys(numbers))[:MOST_NAMED]
    found = catalogue.several(actor, asked)
    there = [no for no in asked if no in found]
    kept = [found[no] for no in there[:MOST]]
    left_out = [
        _("没有编号为 %(no)s 的公开信息，可能写错了或已撤回。", no=no)
        for no in asked
        if no not in found
    ]
    if len(there) > MOST:
        rest = "、".join(there[MOST:])
        left_out.append(_("一次最多对比 %(n)s 项，%(rest)s 没有放进来。", n=MOST, rest=rest))
    names = [one.no for one in kept]
    columns = [Column(one, address([no for no in names if no != one.no])) for one in kept]
    return Compared(columns, _rows(kept), left_out)


def _rows(listings: Sequence[ListingView]) -> list[Row]:
    """A row for each property that at least one listing has."""
    kinds = {one.kind for one in listings}
    kind = [Row("kind", _("类别"), [_(KINDS[one.kind]) for one in listings])]
    rows = kind if len(kinds) > 1 else []
    for key in ORDER:
        values = [one.shown.get(key) for one in listings]
        if any(values):
            labels = [one.labels[key] for one in listings if key in one.labels]
            rows.append(Row(key, labels[0], values))
    return rows
