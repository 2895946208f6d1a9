"""Reading desks: only the table `work_item`, with the names that go with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import aliased

from market.accounts.models import Organisation
from market.accounts.people.models import Person, RoleGrant
from market.accounts.people.sessions import in_force
from market.accounts.roles import MEMBERS, OFFICES
from market.core import clock, holidays
from market.core.db import db, under
from market.core.errors import NotFound
from market.core.models import WorkItem
from market.core.pagination import EXACT_UP_TO, PageOf
from market.core.permissions import Actor, Always, InArea, Mine, Own, policy
from market.monitoring import rules
from market.monitoring.rules import Term
from market.monitoring.schemas import TABS, DeskForm
from market.regions.models import Region, path_ids

_IN_AREA = dict.fromkeys(OFFICES, InArea())
DESK = policy.declare("monitoring:desk:read", **_IN_AREA)
# Administrators are sent on to the pages that are theirs.
OPEN = policy.declare(
    "monitoring:desk:open",
    **_IN_AREA,
    **dict.fromkeys(("system_admin", "security_admin", "audit_admin"), Always()),
)
MY = policy.declare("monitoring:my:read", person=Mine(), **dict.fromkeys(MEMBERS, Own()))
ITEMS = policy.declare("monitoring:work_item:read", **_IN_AREA, **dict.fromkeys(MEMBERS, Own()))
MOST_COLLEAGUES = 300
MOST_PLACES = 300


@dataclass(frozen=True)
class ItemView:
    """A case as a row of a desk."""

    id: int
    no: str
    title: str
    url: str
    kind: str
    state: str
    side: str
    next_step: str
    organisation: str
    place: str
    assignee_id: int | None
    assignee: str
    owner_assignee: str
    due: date | None
    term: Term | None
    provisional: bool
    returned: bool
    urgent: bool
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None

    @property
    def waited(self) -> int:
        """Days since the last step: what is told where there is no due date."""
        return (clock.today() - clock.local(self.updated_at).date()).days


@dataclass(frozen=True)
class Place:
    """A region that the desk can be narrowed to."""

    code: str
    name: str
    path: str
    level: str


def local_day(day: date, *, after: bool = False) -> datetime:
    """The first moment of a day in China; with `after`, of the day behind it."""
    day += timedelta(days=after)
    return datetime(day.year, day.month, day.day, tzinfo=clock.SHANGHAI)


def conditions(actor: Actor, form: DeskForm, place: Place | None) -> list[ColumnElement[bool]]:
    """What the filters ask, without the tab."""
    found: list[ColumnElement[bool]] = []
    if form.kind:
        found.append(WorkItem.kind == form.kind)
    if place is not None:
        found.append(WorkItem.within(place.path))
    if form.assignee is not None:
        found.append(WorkItem.assignee_id == (form.assignee or None))
    if form.q:
        words = "%" + form.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        found.append(
            or_(WorkItem.title.ilike(words, escape="\\"), WorkItem.no.ilike(words, escape="\\"))
        )
    for column, start, end in (
        (WorkItem.opened_at, form.opened_from, form.opened_to),
        (WorkItem.closed_at, form.closed_from, form.closed_to),
    ):
        if start is not None:
            found.append(column >= local_day(start))
        if end is not None:
            found.append(column < local_day(end, after=True))
    if form.due_from is not None:
        found.append(WorkItem.due >= form.due_from)
    if form.due_to is not None:
        found.append(WorkItem.due <= form.due_to)
    return found


def tab_condition(tab: str, actor: Actor, today: date, soon: date) -> ColumnElement[bool]:
    """Which cases a tab holds."""
    is_open = WorkItem.side.in_(("office", "owner"))
    office = WorkItem.side == "office"
    me = actor.id if actor.kind == "person" else None
    return {
        "mine": office & (WorkItem.assignee_id == (me or 0)),
        "unassigned": office & WorkItem.assignee_id.is_(None),
        "soon": is_open & WorkItem.due.between(today, soon),
        "late": is_open & (WorkItem.due < today),
        "returned": (WorkItem.side == "owner") & WorkItem.returned,
        "closed": WorkItem.side == "",
        "open": is_open,
    }[tab]


def counts(
    limits: Sequence[ColumnElement[bool]],
    tabs: dict[str, ColumnElement[bool]],
    most: int = EXACT_UP_TO,
) -> dict[str, int]:
    """How many cases each tab holds, in one statement; counting stops beyond `most`.

    Each count reads an index alone and ends early, which one pass over all cases would not.
    """
    columns = []
    for name, condition in tabs.items():
        some = select(WorkItem.id).where(*limits, condition).limit(most + 1).subquery()
        columns.append(select(func.count()).select_from(some).scalar_subquery().label(name))
    return dict(db.session.execute(select(*columns)).one()._mapping)


MOST_WAITING = 999  # of a group of pages, as its head shows it
# Kinds of cases in the groups of an office's pages; all others belong to 办件.
_GROUPS = {
    "matching": (
        *("dispatch", "escalation", "inquiry", "intent", "call", "call_answer"),
        *("contact_officer", "intent_invitation", "intent_question"),
    ),
    "contracts": ("contract", "contract_change"),
    "vouchers": ("voucher_application", "voucher_claim", "voucher_batch"),
    "local": ("notice", "objection", "announcement", "admission", "bulletin"),
}


def waiting(actor: Actor) -> dict[str, int]:
    """How many cases wait for the actor's office, by group of its pages; one statement.

    Beyond `MOST_WAITING` the number says no more than that there are many: counting stops there.
    """
    grouped = [kind for kinds in _GROUPS.values() for kind in kinds]
    office = WorkItem.side == "office"
    tabs: dict[str, ColumnElement[bool]]
    tabs = {name: office & WorkItem.kind.in_(kinds) for name, kinds in _GROUPS.items()}
    tabs["work"] = office & WorkItem.kind.not_in(grouped)
    return counts([policy.where(actor, DESK, WorkItem)], tabs, MOST_WAITING)


def order_of(order: str, tab: str) -> list[Any]:
    if tab == "closed":
        return [WorkItem.closed_at.desc(), WorkItem.id.desc()]
    if order == "opened":
        return [WorkItem.opened_at, WorkItem.id]
    # A case without a due date comes after all that have one.
    return [WorkItem.due.is_(None), WorkItem.due, WorkItem.opened_at, WorkItem.id]


def ids_of(actor: Actor, form: DeskForm, place: Place | None, permission: str) -> Select[Any]:
    """The ids that a desk shows, in its order."""
    today = clock.today()
    soon = rules.last_soon_day(today, _days_off(today))
    return (
        select(WorkItem.id)
        .where(
            policy.where(actor, permission, WorkItem),
            *conditions(actor, form, place),
            tab_condition(form.tab, actor, today, soon),
        )
        .order_by(*order_of(form.order, form.tab))
    )


def _days_off(today: date) -> dict[date, bool]:
    return holidays.overrides(today - timedelta(days=366), today + timedelta(days=732))


def rows(ids: Sequence[int], overrides: dict[date, bool] | None = None) -> list[ItemView]:
    """Cases with the names that go with them, in the order of the ids: two statements."""
    colleague = aliased(Person)
    query = (
        select(WorkItem, Organisation.name, Person.name, colleague.name)
        .outerjoin(Organisation, Organisation.id == WorkItem.organisation_id)
        .outerjoin(Person, Person.id == WorkItem.assignee_id)
        .outerjoin(colleague, colleague.id == WorkItem.owner_assignee_id)
        .where(WorkItem.id.in_(ids))
    )
    found = {
        row.id: (row, owner, who, theirs) for row, owner, who, theirs in db.session.execute(query)
    }
    items: list[WorkItem] = [one[0] for one in found.values()]
    today = clock.today()
    places = _place_names(row.region_path for row in items)
    dues = [row.due for row in items if row.due and row.side]
    off = _days_off(today) if overrides is None else overrides
    words = rules.terms(dues, today, off)
    return [_view(*found[one], places, words) for one in ids if one in found]


def _view(
    row: WorkItem,
    owner: str | None,
    assignee: str | None,
    owner_assignee: str | None,
    places: dict[str, str],
    words: dict[date, Term],
) -> ItemView:
    return ItemView(
        id=row.id,
        no=row.no,
        title=row.title,
        url=row.url,
        kind=row.kind,
        state=row.state,
        side=row.side,
        next_step=row.next_step,
        organisation=owner or "",
        place=places.get(row.region_path or "", ""),
        assignee_id=row.assignee_id,
        assignee=assignee or "",
        owner_assignee=owner_assignee or "",
        due=row.due,
        term=words.get(row.due) if row.due and row.side else None,
        provisional=row.provisional,
        returned=row.returned,
        urgent=row.urgent,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        closed_at=row.closed_at,
    )


def _place_names(paths: Any) -> dict[str, str]:
    """Short names of the regions at the ends of paths."""
    ends = {path: path_ids(path)[-1] for path in paths if path}
    if not ends:
        return {}
    query = select(Region.id, Region.short_name).where(Region.id.in_(set(ends.values())))
    names = {key: name for key, name in db.session.execute(query)}  # noqa: C416  (rows are not pairs to mypy)
    return {path: names.get(key, "") for path, key in ends.items()}


@dataclass(frozen=True)
class Desk:
    """A page of the desk with all that stands around it."""

    form: DeskForm
    page: PageOf[ItemView]
    counts: dict[str, int]
    places: Sequence[Place]
    place: Place | None
    colleagues: Sequence[tuple[int, str]]


def desk(actor: Actor, form: DeskForm) -> Desk:
    """The desk as asked for. A place outside the own area finds nothing."""
    policy.require(actor, DESK)
    today = clock.today()
    overrides = _days_off(today)
    soon = rules.last_soon_day(today, overrides)
    choices = places(actor, form.place)
    place = chosen_place(choices, form.place)
    tabs = {name: tab_condition(name, actor, today, soon) for name in TABS}
    limits = [policy.where(actor, DESK, WorkItem), *conditions(actor, form, place)]
    numbers = counts(limits, tabs)
    ids = db.session.scalars(
        select(WorkItem.id)
        .where(*limits, tabs[form.tab])
        .order_by(*order_of(form.order, form.tab))
        .limit(form.per_page)
        .offset((form.page - 1) * form.per_page)
    ).all()
    total = numbers[form.tab]
    page = PageOf(
        rows(ids, overrides),
        min(total, EXACT_UP_TO),
        form.page,
        form.per_page,
        "exact" if total <= EXACT_UP_TO else "at_least",
    )
    return Desk(form, page, numbers, choices, place, colleagues(actor))


def items(
    actor: Actor, form: DeskForm, after: int, limit: int
) -> tuple[list[ItemView], int, int | None]:
    """A part of the list for programs: rows, total (at most 10,001), where the next part begins."""
    policy.require(actor, ITEMS)
    place = None
    if form.place:
        place = chosen_place(_with_code(form.place), form.place)
    query = ids_of(actor, form, place, ITEMS)
    total = db.session.scalar(
        select(func.count()).select_from(query.order_by(None).limit(EXACT_UP_TO + 1).subquery())
    )
    ids = db.session.scalars(query.limit(limit + 1).offset(after)).all()
    following = after + limit if len(ids) > limit else None
    return rows(ids[:limit]), total or 0, following


# Places and people


def item(actor: Actor, item_id: int) -> ItemView:
    """One case that the actor may see. Raises NotFound."""
    seen = (WorkItem.id == item_id, policy.where(actor, ITEMS, WorkItem))
    if db.session.scalar(select(WorkItem.id).where(*seen)) is None:
        raise NotFound("没有这件办件。")
    return rows([item_id])[0]


def places(actor: Actor, code: str = "") -> list[Place]:
    """Regions to narrow the desk to: the own areas, what lies directly below, the chosen one."""
    own = [path_ids(path)[-1] for path in actor.areas(*OFFICES)]
    chosen = select(Region.id).where(Region.code == code).scalar_subquery()
    query = (
        select(Region.code, Region.short_name, Region.path, Region.level)
        .where(
            or_(
                Region.id.in_(own),
                Region.parent_id.in_(own),
                Region.code == code,
                Region.parent_id == chosen,
            ),
            or_(Region.valid_to.is_(None), Region.code == code),
        )
        .order_by(Region.code)
        .limit(MOST_PLACES)
    )
    areas = actor.areas(*OFFICES)
    found = [Place(*row) for row in db.session.execute(query)]
    return [one for one in found if any(rules.covers(area, one.path) for area in areas)]


def _with_code(code: str) -> list[Place]:
    query = select(Region.code, Region.short_name, Region.path, Region.level)
    return [Place(*row) for row in db.session.execute(query.where(Region.code == code))]


_NOWHERE = Place("", "", "/0/", "")


def chosen_place(choices: Sequence[Place], code: str) -> Place | None:
    """The place of this code; one that is not among the choices stands for nowhere."""
    if not code:
        return None
    return next((one for one in choices if one.code == code), replace(_NOWHERE, code=code))


def colleagues(actor: Actor) -> list[tuple[int, str]]:
    """People of offices at or below the own areas, to whom cases may be given."""
    areas = actor.areas(*OFFICES)
    query = (
        select(Person.id, Person.name, Region.short_name)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .join(Region, Region.id == RoleGrant.region_id)
        .where(
            RoleGrant.role.in_(OFFICES),
            in_force(),
            Person.state == "active",
            or_(*(under(Region.path, area) for area in areas)) if areas else Region.id == 0,
        )
        .order_by(Region.path, Person.name, Person.id)
        .limit(MOST_COLLEAGUES)
    )
    found: dict[int, str] = {}
    for key, name, place in db.session.execute(query):
        found.setdefault(key, f"{name}（{place}）")
    return list(found.items())
