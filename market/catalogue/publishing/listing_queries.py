"""Listings as those see them who look after them: their own people, and the offices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import aliased, joinedload

from market.accounts.models import KINDS as OWNER_KINDS
from market.accounts.models import Organisation
from market.accounts.roles import EDITORS, OFFICES
from market.catalogue.models import KINDS, LISTING_STATES, OUTCOMES, Listing, Revision
from market.catalogue.publishing import policies
from market.catalogue.publishing.models import (
    OPEN,
    SUBMISSION_STATES,
    Submission,
)
from market.catalogue.publishing.workflow import LISTING, SUBMISSION, UNTITLED
from market.catalogue.queries import PATHS
from market.core import clock
from market.core.db import db
from market.core.errors import NotFound
from market.core.models import CaseEvent
from market.core.pagination import ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.workflow import Transition, timeline
from market.regions.models import Region

TABS = {
    "all": "全部",
    "drafts": "草稿",
    "waiting": "审核中",
    "returned": "待修改",
    "published": "已发布",
    "expired": "已到期",
}


@dataclass(frozen=True)
class OwnRow:
    """A line of 成果与需求: a listing with the edit that is open, if one is."""

    no: str
    kind: str
    title: str
    state: str
    submission_no: str | None
    url: str
    next_step: str
    valid_until: date | None
    expired: bool
    updated: datetime
    owner_name: str

    @property
    def kind_label(self) -> str:
        return KINDS[self.kind]


_Open = aliased(Submission)
_JOINED = and_(_Open.listing_id == Listing.id, _Open.state.in_(OPEN))


def _tabs() -> dict[str, ColumnElement[bool]]:
    """SQL: which rows stand under which tab."""
    today = clock.today()
    over = and_(Listing.state == "published", Revision.valid_until < today)
    return {
        "all": Listing.id.is_not(None),
        "drafts": _Open.state == "draft",
        "waiting": _Open.state.in_(("signing", "submitted")),
        "returned": _Open.state == "returned",
        "published": and_(
            Listing.state == "published", func.coalesce(Revision.valid_until, today) >= today
        ),
        "expired": over,
    }


def _own(actor: Actor) -> Any:
    """SQL: the actor's listings with their open edits; discarded drafts are not among them."""
    shown = (Listing.state != "staged") & ((Listing.state != "draft") | _Open.id.is_not(None))
    return (
        select(Listing)
        .outerjoin(_Open, _JOINED)
        .outerjoin(Revision, Revision.id == Listing.current_id)
        .where(policy.where(actor, policies.OWN_LISTINGS, Listing), shown)
    )


def own_counts(actor: Actor) -> dict[str, int]:
    """How many of the actor's listings stand under each tab."""
    sums = [func.sum(case((rule, 1), else_=0)) for rule in _tabs().values()]
    row = db.session.execute(_own(actor).with_only_columns(*sums)).one()
    return {name: int(count or 0) for name, count in zip(TABS, row, strict=True)}


def own_listings(actor: Actor, tab: str = "all", page: int = 1) -> PageOf[OwnRow]:
    """Listings of the actor's organisations under a tab, the last changed first, 25 a page."""
    rule = _tabs()[tab]
    query = _own(actor).where(rule)
    total = db.session.scalar(query.with_only_columns(func.count())) or 0
    changed = func.coalesce(_Open.updated_at, Revision.created_at, Listing.created_at)
    found = db.session.execute(
        query.add_columns(_Open, Revision.title, Revision.valid_until, changed)
        .options(joinedload(Listing.owner), joinedload(_Open.region))
        .order_by(changed.desc(), Listing.id.desc())
        .limit(ROWS_PER_PAGE)
        .offset((page - 1) * ROWS_PER_PAGE)
    )
    return PageOf([_own_row(*row) for row in found], total, page, ROWS_PER_PAGE)


def _own_row(
    listing: Listing, edit: Submission | None, title: str | None, until: date | None, at: datetime
) -> OwnRow:
    expired = listing.state == "published" and until is not None and until < clock.today()
    item = SUBMISSION.item(edit) if edit is not None else None
    state = SUBMISSION_STATES[edit.state] if edit is not None else _state(listing, expired)
    next_step = "改好后请求恢复公开" if listing.state == "taken_down" else ""
    if expired:
        next_step = "确认是否仍有效"
    return OwnRow(
        no=listing.no,
        kind=listing.kind,
        title=(edit.title if edit is not None else title) or UNTITLED,
        state=state,
        submission_no=edit.no if edit is not None else None,
        url=f"/submissions/{edit.no}" if edit is not None else f"/my/listings/{listing.no}",
        next_step=item.next_step if item else next_step,
        valid_until=until,
        expired=expired,
        updated=at,
        owner_name=listing.owner.name,
    )


def _state(listing: Listing, expired: bool) -> str:
    if expired:
        return "已到期"
    if listing.outcome:
        return OUTCOMES[listing.outcome]
    return LISTING_STATES[listing.state]


def own_organisations(actor: Actor) -> list[tuple[int, str]]:
    """Organisations for which the actor may write: id and name."""
    ids = actor.organisations(*EDITORS, *OFFICES)
    query = select(Organisation.id, Organisation.name).where(
        Organisation.id.in_(ids), Organisation.state == "active"
    )
    return [(key, name) for key, name in db.session.execute(query.order_by(Organisation.id))]


def signing_settings(actor: Actor) -> list[Organisation]:
    """Organisations whose way of signing off the actor may set."""
    mine = policy.where(actor, policies.SETTINGS, Organisation)
    return list(db.session.scalars(select(Organisation).where(mine).order_by(Organisation.id)))


@dataclass(frozen=True)
class ManagedView:
    """A listing as those see it who look after it: its life, and what they may do."""

    id: int
    no: str
    kind: str
    title: str
    state: str
    state_label: str
    owner_name: str
    region_name: str
    published: datetime | None
    version: int
    valid_until: date | None
    expired: bool
    outcome: str | None
    outcome_with: str | None
    outcome_fen: int | None
    editable: bool
    asked_back: bool
    for_caller: bool
    others: bool
    open_no: str | None
    actions: Sequence[Transition]
    events: Sequence[CaseEvent]

    @property
    def url(self) -> str:
        return f"/{PATHS[self.kind]}/{self.no}"

    @property
    def kind_label(self) -> str:
        return KINDS[self.kind]


def managed(actor: Actor, no: str) -> ManagedView:
    """A listing by its number, for its own people and the offices of its place.

    Raises:
        NotFound: there is none that the actor looks after.
    """
    from market.catalogue.service import EDIT

    seen = (Listing.no == no, policy.where(actor, policies.MANAGE, Listing))
    listing = db.session.scalar(select(Listing).where(*seen))
    if listing is None or listing.current is None:
        raise NotFound(f"没有编号为 {no} 的记录。")
    current = listing.current
    expired = (
        listing.state == "published"
        and current.valid_until is not None
        and current.valid_until < clock.today()
    )
    edit = db.session.scalar(
        select(Submission).where(
            Submission.listing_id == listing.id,
            Submission.state.in_(OPEN),
            policy.where(actor, policies.READ, Submission),
        )
    )
    editable = listing.state not in {"closed"} and policy.allows(actor, EDIT, listing)
    waits = listing.state == "taken_down" and asked_back(listing.id)
    return ManagedView(
        id=listing.id,
        no=listing.no,
        kind=listing.kind,
        title=current.title,
        state=listing.state,
        state_label=_state(listing, expired),
        owner_name=listing.owner.name,
        region_name=listing.region.full_name,
        published=listing.published_at,
        version=current.version,
        valid_until=current.valid_until,
        expired=expired,
        outcome=listing.outcome,
        outcome_with=listing.outcome_with,
        outcome_fen=listing.outcome_fen,
        editable=editable,
        asked_back=waits,
        for_caller=editable and listing.owner_id not in actor.organisations(),
        others=listing.owner_id not in actor.organisations(),
        open_no=edit.no if edit is not None else None,
        actions=[
            one
            for one in LISTING.actions(actor, listing)
            if not (one.action == "ask_back" and waits)
        ],
        events=timeline(LISTING.name, listing.id),
    )


@dataclass(frozen=True)
class SpotRow:
    """A line of 信息抽查."""

    no: str
    kind: str
    title: str
    owner_name: str
    owner_kind: str
    region_name: str
    published: datetime
    url: str


def spot_check(actor: Actor, state: str = "published", page: int = 1) -> PageOf[SpotRow]:
    """The newest listings of the actor's area, published or taken down, 25 a page."""
    rules_ = (policy.where(actor, policies.SPOT_CHECK, Listing), Listing.state == state)
    total = db.session.scalar(select(func.count()).select_from(Listing).where(*rules_)) or 0
    query = (
        select(Listing)
        .where(*rules_)
        .options(joinedload(Listing.owner), joinedload(Listing.region), joinedload(Listing.current))
        .order_by(Listing.published_at.desc(), Listing.id.desc())
        .limit(ROWS_PER_PAGE)
        .offset((page - 1) * ROWS_PER_PAGE)
    )
    rows = [
        SpotRow(
            no=one.no,
            kind=one.kind,
            title=one.current.title if one.current else one.no,
            owner_name=one.owner.name,
            owner_kind=OWNER_KINDS[one.owner.kind],
            region_name=one.region.name,
            published=one.published_at or one.created_at,
            url=f"/{PATHS[one.kind]}/{one.no}",
        )
        for one in db.session.scalars(query)
    ]
    return PageOf(rows, total, page, ROWS_PER_PAGE)


def own_region(actor: Actor) -> str:
    """Where the actor's first organisation lies: the form begins with it."""
    query = select(Region.full_name).join(Organisation, Organisation.region_id == Region.id)
    ids = actor.organisations(*EDITORS, *OFFICES)
    return db.session.scalar(query.where(Organisation.id.in_(ids[:1]))) or ""


def asked_back(listing_id: int) -> bool:
    """Whether its owner asked for it back since it was taken down last."""
    last = (
        select(CaseEvent.action)
        .where(
            CaseEvent.kind == LISTING.name,
            CaseEvent.object_id == listing_id,
            CaseEvent.action.in_(("take_down", "ask_back")),
        )
        .order_by(CaseEvent.id.desc())
        .limit(1)
    )
    return db.session.scalar(last) == "ask_back"
