"""Reading rosters: who stood on which list on a day, and whole lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, or_, select

from market.accounts.models import Organisation
from market.accounts.queries import codes_of
from market.accounts.roles import MEMBERS, OFFICES
from market.accounts.rosters.importer import file_row
from market.accounts.rosters.models import KINDS, RosterEntry
from market.core.db import db
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, InArea, Own, policy
from market.core.text import fold

READ = policy.declare(
    "accounts:roster:read",
    **dict.fromkeys(MEMBERS, Own()),
    **dict.fromkeys(OFFICES, InArea()),
)
OVERSEE = policy.declare("accounts:roster:oversee", **dict.fromkeys(OFFICES, InArea()))
MOST_ROWS = 20_000  # of a table to take away


@dataclass(frozen=True)
class Entry:
    """That an organisation stands on a list; `organisation_no` when it is known here."""

    kind: str
    title: str
    uscc: str
    name: str
    year: int
    number: str | None
    valid_from: date | None
    valid_to: date | None
    source: str | None
    organisation_no: str | None = None

    @property
    def list_name(self) -> str:
        return self.title or KINDS[self.kind]

    @property
    def validity(self) -> str:
        """The period in words; without one it is the year."""
        if self.valid_from is None and self.valid_to is None:
            return f"{self.year} 年度"
        begin = self.valid_from.isoformat() if self.valid_from else ""
        return f"{begin} 至 {self.valid_to.isoformat() if self.valid_to else '长期'}"

    def holds_on(self, day: date) -> bool:
        """Whether it counts on this day: within its period, else within its year."""
        if self.valid_from is None and self.valid_to is None:
            return self.year == day.year
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day <= self.valid_to)


_SAME = "kind title uscc name year number valid_from valid_to source"


def _view(row: RosterEntry, no: str | None = None) -> Entry:
    return Entry(**{name: getattr(row, name) for name in _SAME.split()}, organisation_no=no)


def on_roster(uscc: str, kind: str, on: date, title: str = "") -> list[Entry]:
    """The entries by which an organisation stands on a list on a day; empty: it does not.

    Args:
        uscc: its credit code, a present or a former one.
        kind: of `rosters.models.KINDS`; title: which list, where the kind is "other".
    """
    query = _active().where(RosterEntry.uscc.in_(codes_of(uscc)), RosterEntry.kind == kind)
    rows = db.session.scalars(query.where(RosterEntry.title == title))
    return [entry for entry in map(_view, rows) if entry.holds_on(on)]


def of_organisation(actor: Actor, uscc: str | None) -> list[Entry]:
    """All lists on which an organisation stands or stood, newest first."""
    if not uscc:
        return []
    query = _active().where(
        RosterEntry.uscc.in_(codes_of(uscc)), policy.where(actor, READ, RosterEntry)
    )
    query = query.order_by(RosterEntry.year.desc(), RosterEntry.kind, RosterEntry.id)
    return [_view(row) for row in db.session.scalars(query.limit(100))]


def _active() -> Select[RosterEntry]:
    return select(RosterEntry).where(RosterEntry.state == "active")


def _chosen(actor: Actor, kind: str, year: int | None, q: str) -> Select[RosterEntry]:
    query = _active().where(policy.where(actor, OVERSEE, RosterEntry))
    if kind:
        query = query.where(RosterEntry.kind == kind)
    if year:
        query = query.where(RosterEntry.year == year)
    if q:
        named = RosterEntry.folded_name.contains(fold(q), autoescape=True)
        code = RosterEntry.uscc == q.strip().upper()
        titled = RosterEntry.title.contains(q, autoescape=True)
        query = query.where(or_(named, code, titled))
    return query


def page(
    actor: Actor,
    *,
    kind: str = "",
    year: int | None = None,
    q: str = "",
    page: int = 1,
    per_page: int = ROWS_PER_PAGE,
) -> PageOf[Entry]:
    """Entries of the area, newest year first, and within it those that came last."""
    query = _chosen(actor, kind, year, q)
    limited = query.with_only_columns(RosterEntry.id).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(limited)) or 0
    ordered = query.order_by(RosterEntry.year.desc(), RosterEntry.id.desc())
    rows = db.session.scalars(ordered.limit(per_page).offset((page - 1) * per_page)).all()
    known = _known(rows)
    items = [_view(row, known.get(row.uscc)) for row in rows]
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    return PageOf(items, min(total, EXACT_UP_TO), page, per_page, total_is)


def _known(rows: Sequence[RosterEntry]) -> dict[str, str]:
    """Numbers of the organisations with these codes, by code."""
    query = select(Organisation.uscc, Organisation.no).where(
        Organisation.uscc.in_({row.uscc for row in rows}), Organisation.state == "active"
    )
    return {code: no for code, no in db.session.execute(query) if code}


def years() -> list[int]:
    """Years from the newest entry back to the oldest; looked up at the ends of an index."""
    ends = select(func.max(RosterEntry.year)), select(func.min(RosterEntry.year))
    last, first = (db.session.scalar(one.where(RosterEntry.state == "active")) for one in ends)
    return [] if last is None or first is None else list(range(last, first - 1, -1))


def rows(actor: Actor, kind: str, year: int | None, q: str) -> Iterator[Mapping[str, Any]]:
    """The whole list as rows of a file, up to 20,000."""
    query = _chosen(actor, kind, year, q).order_by(RosterEntry.year.desc(), RosterEntry.id.desc())
    for row in db.session.scalars(query.limit(MOST_ROWS)).yield_per(500):
        yield file_row(row)
