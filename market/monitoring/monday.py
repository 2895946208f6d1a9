"""周一简表: what an office talks about on Monday, each figure with the desk it was counted from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, case, func, select

from market.accounts.people.models import Person
from market.core import clock
from market.core.db import db
from market.core.errors import NotFound
from market.core.models import WorkItem
from market.core.permissions import Actor, policy
from market.core.sheets import Column
from market.monitoring import queries
from market.monitoring.queries import DESK, ItemView, Place, local_day
from market.monitoring.rules import AGES, covers, week_of

MOST_PEOPLE = 15  # named on the sheet, those with most open cases first
LINES = 40  # of all tables together, so that they fit on one sheet of A4
LEAST_LATE, MOST_LATE = 5, 25  # overdue cases named on the sheet
COLUMNS = [
    Column("group", "分组"),
    Column("name", "项目"),
    Column("measure", "指标"),
    Column("count", "件数"),
]


@dataclass(frozen=True)
class Figure:
    """A number and the desk that shows exactly these cases."""

    label: str
    count: int
    url: str


@dataclass(frozen=True)
class Line:
    """A row of a table of the sheet."""

    name: str
    figures: Sequence[Figure]


@dataclass(frozen=True)
class Sheet:
    """The sheet of one place and week."""

    place: Place
    places: Sequence[Place]
    today: date
    week: tuple[date, date]
    last_week: tuple[date, date]
    totals: Sequence[Figure]
    kinds: Sequence[Line]
    people: Sequence[Line]
    unassigned: Sequence[Line]
    offices: Sequence[Line]
    late: Sequence[ItemView]
    late_more: int


def sheet(actor: Actor, code: str, today: date, kinds: Mapping[str, str]) -> Sheet:
    """The sheet of a place in the own area; without a code, of the first own area.

    Raises:
        NotFound: the place lies outside the own area.
    """
    policy.require(actor, DESK)
    choices = queries.places(actor, code)
    wanted = code or _first(actor, choices)
    place = next((one for one in choices if one.code == wanted), None)
    if place is None:
        raise NotFound("这个地区不在您的辖区内。")
    counting = _Counting(actor, place, today)
    by_kind, people = counting.by_kind(kinds), counting.by_person()
    unassigned = counting.unassigned()
    offices = counting.by_office(choices)
    used = len(by_kind) + min(len(people), MOST_PEOPLE) + len(unassigned) + len(offices)
    late, late_count = counting.late(min(max(LINES - used, LEAST_LATE), MOST_LATE))
    return Sheet(
        place=place,
        places=choices,
        today=today,
        week=counting.week,
        last_week=counting.last,
        totals=counting.totals(),
        kinds=by_kind,
        people=people,
        unassigned=unassigned,
        offices=offices,
        late=late,
        late_more=max(0, late_count - len(late)),
    )


def _first(actor: Actor, choices: Sequence[Place]) -> str:
    area = actor.areas()[0]
    return next((one.code for one in choices if one.path == area), "")


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


class _Counting:
    """Counts cases of one place, as the desk's filters would."""

    def __init__(self, actor: Actor, place: Place, today: date) -> None:
        self.place, self.today = place, today
        self.week = week_of(today)
        self.last = week_of(today - timedelta(days=7))
        self.own = [policy.where(actor, DESK, WorkItem), WorkItem.within(place.path)]
        is_open = WorkItem.side.in_(("office", "owner"))
        start, end = local_day(self.last[0]), local_day(self.last[1], after=True)
        # Name → condition, and the parameters of the desk that mean the same.
        self.measures: dict[str, tuple[str, ColumnElement[bool], dict[str, str]]] = {
            "open": ("在办", is_open, {"tab": "open"}),
            "late": ("已逾期", is_open & (WorkItem.due < today), _late(today)),
            "due": (
                "本周到期",
                is_open & WorkItem.due.between(*self.week),
                {"tab": "open", **_span("due", self.week)},
            ),
            "new": (
                "上周新收",
                (WorkItem.opened_at >= start) & (WorkItem.opened_at < end),
                _span("opened", self.last),
            ),
            "closed": (
                "上周办结",
                (WorkItem.side == "") & (WorkItem.closed_at >= start) & (WorkItem.closed_at < end),
                {"tab": "closed", **_span("closed", self.last)},
            ),
        }
        for key, label, least, most in AGES:
            newest = today - timedelta(days=least)
            condition = is_open & (WorkItem.opened_at < local_day(newest, after=True))
            asked = {"tab": "open", "opened_to": newest.isoformat()}
            if most is not None:
                oldest = today - timedelta(days=most)
                condition &= WorkItem.opened_at >= local_day(oldest)
                asked["opened_from"] = oldest.isoformat()
            if least == 0:
                del asked["opened_to"]
                condition = is_open & (WorkItem.opened_at >= local_day(oldest))
            self.measures[f"age{key}"] = (label, condition, asked)

    def _figure(self, name: str, count: int, **more: Any) -> Figure:
        label, _, asked = self.measures[name]
        values = {"place": self.place.code, **asked, **more}
        return Figure(label, count, f"/desk?{urlencode(values)}")

    def _columns(self, names: Sequence[str]) -> list[Any]:
        return [_sum(self.measures[name][1]).label(name) for name in names]

    def totals(self) -> list[Figure]:
        """The five numbers at the top."""
        names = ["open", "late", "due", "new", "closed"]
        row = db.session.execute(select(*self._columns(names)).where(*self.own)).one()
        found = [self._figure(name, getattr(row, name)) for name in names]
        # New ones are open or closed by now: the desk shows each in its tab, so both are linked.
        return [one for one in found if one.label != "上周新收"] + self._new()

    def _new(self) -> list[Figure]:
        _, condition, asked = self.measures["new"]
        sides = select(
            _sum(condition & (WorkItem.side != "")), _sum(condition & (WorkItem.side == ""))
        )
        still, done = db.session.execute(sides.where(*self.own)).one()
        return [
            Figure("上周新收，在办", still, self._url(tab="open", **asked)),
            Figure("上周新收，已办结", done, self._url(tab="closed", **asked)),
        ]

    def _url(self, **values: str) -> str:
        return f"/desk?{urlencode({'place': self.place.code, **values})}"

    def by_kind(self, kinds: Mapping[str, str]) -> list[Line]:
        """Open cases by kind and age."""
        names = ["open", *(f"age{key}" for key, *_ in AGES), "late"]
        query = select(WorkItem.kind, *self._columns(names)).where(*self.own, WorkItem.side != "")
        found = db.session.execute(query.group_by(WorkItem.kind).order_by(WorkItem.kind))
        return [
            Line(
                kinds.get(row.kind, row.kind),
                [self._figure(name, getattr(row, name), kind=row.kind) for name in names],
            )
            for row in found
        ]

    def by_person(self) -> list[Line]:
        """Open and closed cases of each who has any."""
        names = ["open", "late", "closed"]
        query = (
            select(Person.id, Person.name, *self._columns(names))
            .join(WorkItem, WorkItem.assignee_id == Person.id)
            .where(*self.own)
            .group_by(Person.id, Person.name)
            .order_by(self._columns(["open"])[0].desc(), Person.name, Person.id)
        )
        lines = []
        for row in db.session.execute(query):
            numbers = [getattr(row, name) for name in names]
            if any(numbers):
                pairs = zip(names, numbers, strict=True)
                figures = [self._figure(name, count, assignee=row.id) for name, count in pairs]
                lines.append(Line(row.name, figures))
        return lines

    def unassigned(self) -> list[Line]:
        """What nobody was given, so that the people's lines and this one make the whole; or nothing."""
        names = ["open", "late", "closed"]
        nobody = WorkItem.assignee_id.is_(None)
        row = db.session.execute(select(*self._columns(names)).where(*self.own, nobody)).one()
        figures = [self._figure(name, getattr(row, name), assignee=0) for name in names]
        return [Line("未分配", figures)] if any(one.count for one in figures) else []

    def by_office(self, choices: Sequence[Place]) -> list[Line]:
        """The places directly below, each with its figures; none for a county."""
        if self.place.level == "county":
            return []
        names = ["open", "late", "due", "closed"]
        query = select(WorkItem.region_path, *self._columns(names)).where(*self.own)
        rows = db.session.execute(query.group_by(WorkItem.region_path)).all()
        depth = self.place.path.count("/") + 1
        lines = []
        for one in choices:
            if one.path.count("/") != depth or not covers(self.place.path, one.path):
                continue
            inside = [row for row in rows if covers(one.path, row.region_path)]
            figures = [
                self._figure(name, sum(getattr(row, name) for row in inside), place=one.code)
                for name in names
            ]
            if any(figure.count for figure in figures):
                lines.append(Line(one.name, figures))
        return lines

    def late(self, most: int) -> tuple[list[ItemView], int]:
        """The cases longest overdue with names, and how many are overdue at all."""
        condition = self.measures["late"][1]
        ids = db.session.scalars(
            select(WorkItem.id)
            .where(*self.own, condition)
            .order_by(WorkItem.due, WorkItem.id)
            .limit(most)
        ).all()
        count = db.session.scalar(select(func.count(WorkItem.id)).where(*self.own, condition))
        return queries.rows(ids), count or 0


def _late(today: date) -> dict[str, str]:
    return {"tab": "open", "due_to": (today - timedelta(days=1)).isoformat()}


def _span(name: str, days: tuple[date, date]) -> dict[str, str]:
    return {f"{name}_from": days[0].isoformat(), f"{name}_to": days[1].isoformat()}


def rows(found: Sheet) -> Iterator[dict[str, Any]]:
    """All figures of a sheet, one a row."""
    for figure in found.totals:
        yield {
            "group": "合计",
            "name": found.place.name,
            "measure": figure.label,
            "count": figure.count,
        }
    people = [*found.people, *found.unassigned]
    for group, lines in (("类别", found.kinds), ("经办人", people), ("地区", found.offices)):
        for line in lines:
            for figure in line.figures:
                label, count = figure.label, figure.count
                yield {"group": group, "name": line.name, "measure": label, "count": count}
    for item in found.late:
        words = item.term.words if item.term else ""
        yield {"group": "已逾期", "name": f"{item.no} {item.title}", "measure": words, "count": 1}


def notes(found: Sheet) -> list[tuple[str, str]]:
    """What the table says of itself."""
    return [
        ("地区", found.place.name),
        ("统计日期", f"{clock.local(clock.now()):%Y-%m-%d %H:%M}"),
        ("本周", f"{found.week[0]} 至 {found.week[1]}"),
        ("上周", f"{found.last_week[0]} 至 {found.last_week[1]}"),
    ]
