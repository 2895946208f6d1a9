"""Reading dispatches: one with all of its page, those of a demand, an office's list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import joinedload

from market.accounts import queries as accounts
from market.accounts.models import Organisation
from market.accounts.people.models import Person
from market.accounts.roles import MEMBERS, OFFICES
from market.catalogue import queries as catalogue
from market.catalogue.models import Listing
from market.catalogue.queries import PATHS, ListingView
from market.core import clock, files
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Gone, NotFound
from market.core.models import CaseEvent, StoredFile, WorkItem
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import SYSTEM, Actor, policy
from market.core.text import fold
from market.core.workflow import Transition
from market.matching.dispatch.models import (
    OPEN,
    STATES,
    ContactLine,
    Dispatch,
    DispatchSetting,
    Escalation,
)
from market.matching.dispatch.rules import Part, read_parts
from market.matching.dispatch.workflow import AREA, DISPATCH, ESCALATED, ESCALATION, READ, SEND
from market.regions.models import Region, path_ids

FILES = "dispatch"  # kind of the files that prove an outcome
TABS = {
    "waiting": "待对方答复",
    "ours": "待我们跟进",
    "late": "已逾期",
    "closed": "已结束",
}
_MOST_LINES = 200  # of a log that a page shows, the newest
_MOST_OF_DEMAND = 100  # dispatches of one demand on its page
_JOINED = (
    joinedload(Dispatch.owner),
    joinedload(Dispatch.specialist),
    joinedload(Dispatch.listing),
    joinedload(Dispatch.region),
)


@dataclass(frozen=True)
class Case:
    """A dispatch with all that its page shows, for one reader. side: "recipient" or "office"."""

    dispatch: Dispatch
    demand: ListingView | None
    side: str
    lines: Sequence[ContactLine]
    events: Sequence[CaseEvent]
    actions: Sequence[Transition]
    proofs: Sequence[StoredFile]
    earlier: Sequence[Dispatch]

    @property
    def may(self) -> set[str]:
        return {one.action for one in self.actions}

    @property
    def state_label(self) -> str:
        return STATES[self.dispatch.state]

    @property
    def parts(self) -> list[Part]:
        return read_parts(self.dispatch.parts)

    @property
    def overdue(self) -> bool:
        return self.dispatch.state == "sent" and self.dispatch.due < clock.today()


def side_of(actor: Actor, dispatch: Dispatch) -> str:
    """Which side of a case the actor is on: "recipient" or "office"."""
    own = dispatch.recipient_id is not None and dispatch.recipient_id in actor.organisations(
        *MEMBERS
    )
    myself = actor.kind == "person" and dispatch.recipient_person_id == actor.id
    return "recipient" if own or myself else "office"


def _no_such(no: str) -> NotFound:
    return NotFound(f"没有编号为 {no} 的推荐对接。")


def of(no: str, actor: Actor = SYSTEM) -> Dispatch:
    """The dispatch with this number, for rooms that build on it (an intent grows from it).

    Its `state` is "interested" or "talking" while an intent may begin; `listing_id`, `recipient_id`,
    `answer` and `answered_by` are what the intent begins with.

    Raises:
        NotFound: there is none, or not for this actor.
    """
    query = select(Dispatch).where(Dispatch.no == no, policy.where(actor, READ, Dispatch))
    found = db.session.scalar(query.options(*_JOINED))
    if found is None:
        raise _no_such(no)
    return found


def get(actor: Actor, no: str) -> Case:
    """A dispatch with its demand, log and timeline. Raises NotFound."""
    dispatch = of(no, actor)
    side = side_of(actor, dispatch)
    office = side == "office"
    return Case(
        dispatch=dispatch,
        demand=_demand_view(actor, dispatch.listing.no),
        side=side,
        # The office's own notes are not for the recipient.
        lines=lines_of(ContactLine.dispatch_id == dispatch.id) if office else (),
        events=flow.timeline(DISPATCH.name, dispatch.id),
        actions=DISPATCH.actions(actor, dispatch),
        proofs=files.files_of(FILES, dispatch.id),
        earlier=_earlier(dispatch) if office else (),
    )


def _demand_view(actor: Actor, no: str) -> ListingView | None:
    """The demand as it stands now; None when it is not public any more."""
    try:
        return catalogue.get(actor, "demand", no)
    except (NotFound, Gone):
        return None


def _earlier(dispatch: Dispatch) -> Sequence[Dispatch]:
    """The same demand to the same recipient, before."""
    query = select(Dispatch).where(
        Dispatch.listing_id == dispatch.listing_id,
        same_recipient(dispatch),
        Dispatch.id < dispatch.id,
    )
    return db.session.scalars(query.order_by(Dispatch.id.desc()).limit(10)).all()


def same_recipient(dispatch: Dispatch) -> ColumnElement[bool]:
    """SQL: what went to the recipient of this one."""
    if dispatch.recipient_id is not None:
        return Dispatch.recipient_id == dispatch.recipient_id
    return Dispatch.specialist_id == dispatch.specialist_id


def lines_of(about: ColumnElement[bool]) -> Sequence[ContactLine]:
    """The lines of a log, newest first."""
    query = select(ContactLine).where(about).order_by(ContactLine.id.desc())
    return db.session.scalars(query.limit(_MOST_LINES)).all()


def may_have_file(actor: Actor, row: StoredFile) -> bool:
    """Whether somebody may have a proof: whoever may read the dispatch."""
    dispatch = db.session.get(Dispatch, row.object_id)
    return dispatch is not None and policy.allows(actor, READ, dispatch)


# A demand and all that was sent of it.


@dataclass(frozen=True)
class DemandPage:
    """A demand with its dispatches, newest first, and what was passed up."""

    no: str
    title: str
    state: str
    region: Region
    listing: ListingView | None
    dispatches: Sequence[Dispatch]
    escalations: Sequence[Escalation]

    @property
    def published(self) -> bool:
        return self.state == "published" and self.listing is not None

    @property
    def open_to(self) -> dict[str, Dispatch]:
        """Recipients that have it now, by number."""
        return {one.recipient_no: one for one in self.dispatches if one.state in OPEN}

    @property
    def ended_with(self) -> dict[str, Dispatch]:
        """Recipients that had it before and may get it again, with the last time."""
        ended: dict[str, Dispatch] = {}
        for one in self.dispatches:
            ended.setdefault(one.recipient_no, one)
        return {no: one for no, one in ended.items() if no not in self.open_to}


def find_demand(actor: Actor, no: str) -> Listing:
    """A demand that was published once and that the actor's office may send out. Raises NotFound."""
    query = select(Listing).where(
        Listing.no == no,
        Listing.kind == "demand",
        Listing.published_at.is_not(None),
        policy.where(actor, SEND, Listing),
    )
    found = db.session.scalar(query.options(joinedload(Listing.region)))
    if found is None:
        raise NotFound(f"本地区没有编号为 {no} 的技术需求。")
    return found


def demand(actor: Actor, no: str) -> DemandPage:
    """A demand of the office's area with what was done about it. Raises NotFound."""
    row = find_demand(actor, no)
    view = _demand_view(actor, no)
    sent = (
        select(Dispatch)
        .where(Dispatch.listing_id == row.id)
        .options(
            joinedload(Dispatch.owner),
            joinedload(Dispatch.specialist),
            joinedload(Dispatch.referred_to),
        )
    )
    up = select(Escalation).where(
        Escalation.listing_id == row.id, policy.where(actor, ESCALATION, Escalation)
    )
    up = up.options(joinedload(Escalation.region), joinedload(Escalation.from_region))
    return DemandPage(
        no=row.no,
        title=view.title if view else row.no,
        state=row.state,
        region=row.region,
        listing=view,
        dispatches=db.session.scalars(
            sent.order_by(Dispatch.id.desc()).limit(_MOST_OF_DEMAND)
        ).all(),
        escalations=db.session.scalars(up.order_by(Escalation.id.desc()).limit(20)).all(),
    )


def escalation_actions(actor: Actor, row: Escalation) -> list[Transition]:
    """What may be done with a demand that was passed up."""
    return ESCALATED.actions(actor, row)


# An office's list. Which ones, in which order, says the table of desks alone: its index holds all.


@dataclass(frozen=True)
class Row:
    """A dispatch in the office's list."""

    dispatch: Dispatch
    due: date | None
    late: bool
    assignee: str


@dataclass(frozen=True)
class Desk:
    """A page of the office's list, with how many each tab holds."""

    page: PageOf[Row]
    counts: dict[str, int]


def _tabs(today: date) -> dict[str, ColumnElement[bool]]:
    is_open = WorkItem.side.in_(("owner", "office"))
    return {
        "waiting": WorkItem.side == "owner",
        "ours": WorkItem.side == "office",
        "late": is_open & (WorkItem.due < today),
        "closed": WorkItem.side == "",
    }


def desk(actor: Actor, tab: str, q: str = "", page: int = 1) -> Desk:
    """Dispatches of an office's area: those whose day comes first are the first."""
    today = clock.today()
    limits = [policy.where(actor, AREA, WorkItem), WorkItem.kind == DISPATCH.name]
    if q:
        limits.append(_named(q))
    tabs = _tabs(today)
    counts = _counts(limits, tabs)
    query = select(WorkItem.object_id).where(*limits, tabs[tab])
    ids = db.session.scalars(
        _in_order(query, tab).limit(ROWS_PER_PAGE).offset((page - 1) * ROWS_PER_PAGE)
    ).all()
    total = counts[tab]
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    rows = _rows(ids, today)
    return Desk(PageOf(rows, min(total, EXACT_UP_TO), page, ROWS_PER_PAGE, total_is), counts)


def _named(q: str) -> ColumnElement[bool]:
    """Dispatches whose demand, number or recipient holds these words."""
    escaped = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    words = f"%{escaped}%"
    recipient = select(Dispatch.id).where(Dispatch.recipient_label.ilike(words, escape="\\"))
    return or_(
        WorkItem.title.ilike(words, escape="\\"),
        WorkItem.no.ilike(words, escape="\\"),
        WorkItem.object_id.in_(recipient),
    )


def _counts(
    limits: Sequence[ColumnElement[bool]], tabs: dict[str, ColumnElement[bool]]
) -> dict[str, int]:
    """How many each tab holds, in one statement; counting stops beyond 10,000."""
    columns = []
    for name, condition in tabs.items():
        some = select(WorkItem.id).where(*limits, condition).limit(EXACT_UP_TO + 1).subquery()
        columns.append(select(func.count()).select_from(some).scalar_subquery().label(name))
    return dict(db.session.execute(select(*columns)).one()._mapping)


def _in_order(query: Select[Any], tab: str) -> Select[Any]:
    if tab == "closed":
        return query.order_by(WorkItem.closed_at.desc(), WorkItem.id.desc())
    return query.order_by(WorkItem.due.is_(None), WorkItem.due, WorkItem.opened_at, WorkItem.id)


def _rows(ids: Sequence[int], today: date) -> list[Row]:
    item = and_(WorkItem.kind == DISPATCH.name, WorkItem.object_id == Dispatch.id)
    query = (
        select(Dispatch, WorkItem.due, Person.name)
        .join(WorkItem, item)
        .outerjoin(Person, Person.id == WorkItem.assignee_id)
        .where(Dispatch.id.in_(ids))
        .options(*_JOINED)
    )
    found = {one.id: (one, due, name) for one, due, name in db.session.execute(query)}
    rows = []
    for key in ids:
        if key in found:
            one, due, name = found[key]
            late = due is not None and due < today
            rows.append(Row(one, due, late, name or one.sent_by))
    return rows


def usual_days(path: str) -> int | None:
    """The working days that the office of a place usually gives: of the nearest region upwards."""
    query = (
        select(DispatchSetting.days)
        .join(DispatchSetting.region)
        .where(DispatchSetting.region_id.in_(path_ids(path)))
        .order_by(Region.path.desc())
    )
    return db.session.scalar(query.limit(1))


def own_area(actor: Actor) -> str | None:
    """The path of the region that the actor's office looks after first."""
    return next(iter(actor.areas(*OFFICES)), None)


# For programs.


def of_sides(
    actor: Actor, side: str, state: str, page: int, per_page: int
) -> PageOf[tuple[Dispatch, str]]:
    """Dispatches that came to the own organisation ("received") or lie in the area ("area")."""
    received = Dispatch.recipient_id.in_(actor.organisations(*MEMBERS))
    wanted = policy.where(actor, READ, Dispatch)
    if side:
        wanted = wanted & (received if side == "received" else policy.where(actor, AREA, Dispatch))
    if state:
        wanted = wanted & (Dispatch.state == state)
    limited = select(Dispatch.id).where(wanted).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(limited)) or 0
    query = select(Dispatch).where(wanted).options(*_JOINED).order_by(Dispatch.id.desc())
    rows = db.session.scalars(query.limit(per_page).offset((page - 1) * per_page))
    items = [(one, side_of(actor, one)) for one in rows]
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    return PageOf(items, min(total, EXACT_UP_TO), page, per_page, total_is)


def demand_url(dispatch: Dispatch) -> str:
    """The public page of the demand."""
    return f"/{PATHS['demand']}/{dispatch.listing.no}"


def organisation_by(text: str) -> Organisation | None:
    """The one active organisation with this number, credit code or full name."""
    number = select(Organisation).where(
        Organisation.no == text.upper(), Organisation.state == "active"
    )
    found = db.session.scalar(number) or accounts.by_code(text.upper())
    if found is not None:
        return found
    named = accounts.owners_by_name([text]).get(fold(text), [])
    return db.session.get(Organisation, named[0].id) if len(named) == 1 else None
