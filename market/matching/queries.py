"""Reading inquiries: one with its thread, lists of both sides and of offices."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import joinedload

from market.accounts import queries as accounts
from market.accounts.models import Organisation
from market.accounts.people.models import Person, RoleGrant
from market.accounts.people.sessions import in_force
from market.accounts.queries import Contact
from market.accounts.roles import EDITORS, MEMBERS, OFFICES
from market.catalogue.models import Listing
from market.catalogue.naming import OwnerShown, owner_shown
from market.catalogue.queries import PATHS
from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Gone, NotFound
from market.core.languages import translate as _
from market.core.models import CaseEvent, WorkItem
from market.core.money import format_yuan
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, Grant, policy
from market.core.workflow import Transition
from market.matching.messages import secret_of
from market.matching.models import OPEN, OUTCOMES, Inquiry, InquiryMessage
from market.matching.workflow import AREA, BY_ADDRESS, INQUIRY, READ, unclaimed

_JOINED = (
    joinedload(Inquiry.owner),
    joinedload(Inquiry.asker),
    joinedload(Inquiry.listing).joinedload(Listing.current),
)
MOST_EXPORTED = 1_000  # of a kind, the newest
_MOST_MESSAGES = 200  # of a thread that a page shows, the newest


@dataclass(frozen=True)
class Row:
    """An inquiry in a list. side: which the reader is on; until: when an answer is due."""

    inquiry: Inquiry
    side: str
    assignee: str | None
    until: date | None
    owner: OwnerShown

    @property
    def late(self) -> bool:
        return self.until is not None and self.until < clock.today()


@dataclass(frozen=True)
class Case:
    """An inquiry with all that its page shows, for one reader."""

    inquiry: Inquiry
    side: str
    messages: Sequence[InquiryMessage]
    events: Sequence[CaseEvent]
    actions: Sequence[Transition]
    assignee_id: int | None
    until: date | None
    unclaimed: bool  # nobody of the owner has an account: the office answers in its place
    owner: OwnerShown

    @property
    def may(self) -> set[str]:
        """Names of the actions, without the side in them."""
        names = {one.action.removesuffix("_own") for one in self.actions}
        return names | ({"close"} if "close_for" in names else set())

    @property
    def listing_url(self) -> str:
        return f"/{PATHS[self.inquiry.listing.kind]}/{self.inquiry.listing.no}"

    @property
    def listing_open(self) -> bool:
        return self.inquiry.listing.state == "published"

    @property
    def late(self) -> bool:
        return self.until is not None and self.until < clock.today()

    @property
    def state_label(self) -> str:
        return INQUIRY.states[self.inquiry.state]


def side_of(actor: Actor, inquiry: Inquiry) -> str:
    """Which side of a case the actor is on: "owner", "asker" or "office"."""
    own = actor.organisations(*MEMBERS)
    if inquiry.owner_id in own:
        return "owner"
    by_person = inquiry.asker_id is None and actor.kind == "person"
    myself = by_person and inquiry.asker_person_id == actor.id
    if inquiry.asker_id in own or myself or actor.kind == "visitor":
        return "asker"
    return "office"


def by_address(word: str) -> Actor:
    """The visitor who has the address of an inquiry's page.

    Raises:
        NotFound: there is no such address. Gone: it opened the page for thirty days.
    """
    no, _dash, secret = word.partition("-")
    query = select(Inquiry).where(Inquiry.no == no, Inquiry.contact_key.is_not(None))
    if secret.isascii() and hmac.compare_digest(secret, secret_of(no)):
        found = db.session.scalar(query)
        if found is not None and found.open_until is not None:
            if found.open_until < clock.now():
                raise Gone(_("这个网址只用 30 天，现已失效。要接着问，请打电话并说编号。"))
            return Actor("visitor", found.asker_label, found.id, (Grant(BY_ADDRESS),))
    raise NotFound(_("没有这个网址；请核对是否复制完整。"))


def number_of(visitor: Actor) -> str:
    """The number of the inquiry that a visitor's address opens."""
    found = db.session.scalar(select(Inquiry.no).where(Inquiry.id == visitor.id))
    if found is None:
        raise NotFound
    return found


def get(actor: Actor, no: str) -> Case:
    """An inquiry with its thread. Raises NotFound."""
    query = select(Inquiry, WorkItem.owner_assignee_id, WorkItem.due).outerjoin(
        WorkItem, _its_item()
    )
    query = query.where(Inquiry.no == no, policy.where(actor, READ, Inquiry))
    found = db.session.execute(query.options(*_JOINED, joinedload(Inquiry.region))).first()
    if found is None:
        raise NotFound(_("没有编号为 %(no)s 的咨询。", no=no))
    inquiry, assignee, until = found
    said = select(InquiryMessage).where(InquiryMessage.inquiry_id == inquiry.id)
    newest = db.session.scalars(said.order_by(InquiryMessage.id.desc()).limit(_MOST_MESSAGES))
    return Case(
        inquiry=inquiry,
        side=side_of(actor, inquiry),
        messages=list(newest)[::-1],
        events=flow.timeline(INQUIRY.name, inquiry.id),
        actions=INQUIRY.actions(actor, inquiry),
        assignee_id=assignee,
        until=until,
        unclaimed=unclaimed(inquiry),
        owner=_owner(actor, inquiry),
    )


def _owner(actor: Actor, inquiry: Inquiry) -> OwnerShown:
    """The owner as the reader may know it: a firm may keep its name back from who asks."""
    return owner_shown(actor, inquiry.listing, inquiry.owner, inquiry.no)


def _its_item() -> ColumnElement[bool]:
    return and_(WorkItem.kind == INQUIRY.name, WorkItem.object_id == Inquiry.id)


def received(actor: Actor) -> ColumnElement[bool]:
    """SQL: inquiries that the actor's organisations received."""
    return Inquiry.owner_id.in_(actor.organisations(*MEMBERS))


def sent(actor: Actor) -> ColumnElement[bool]:
    """SQL: inquiries that the actor or his organisations sent."""
    by_ours = Inquiry.asker_id.in_(actor.organisations(*MEMBERS))
    if actor.kind != "person":
        return by_ours
    return or_(by_ours, and_(Inquiry.asker_id.is_(None), Inquiry.asker_person_id == actor.id))


def mine(actor: Actor, tab: str, page: int = 1, per_page: int = ROWS_PER_PAGE) -> PageOf[Row]:
    """Open inquiries "received" or "sent", or "closed" ones of both; unanswered first."""
    still = Inquiry.state.in_(OPEN)
    whose = {
        "received": and_(received(actor), still),
        "sent": and_(sent(actor), still),
        "closed": and_(or_(received(actor), sent(actor)), ~still),
    }
    return _page(actor, policy.where(actor, READ, Inquiry) & whose[tab], page, per_page)


def asked_lately(actor: Actor, most: int) -> list[Row]:
    """What the actor or his organisations asked and has not ended, the latest news first."""
    wanted = policy.where(actor, READ, Inquiry) & sent(actor) & Inquiry.state.in_(OPEN)
    query = select(Inquiry).where(wanted).options(*_JOINED)
    newest = query.order_by(Inquiry.updated_at.desc(), Inquiry.id.desc()).limit(most)
    return [Row(one, "asker", None, None, _owner(actor, one)) for one in db.session.scalars(newest)]


def in_area(actor: Actor, tab: str, page: int = 1) -> PageOf[Row]:
    """Inquiries on listings of an office's area: "new", "answered" or "closed"."""
    states = {"new": ("new",), "answered": ("answered",)}.get(tab)
    which = Inquiry.state.in_(states) if states else Inquiry.state.not_in(OPEN)
    return _page(actor, policy.where(actor, AREA, Inquiry) & which, page, ROWS_PER_PAGE)


def of_sides(actor: Actor, side: str, state: str, page: int, per_page: int) -> PageOf[Row]:
    """Inquiries for programs. side: "received", "sent" or both when empty; state: any when empty."""
    whose = {"received": received(actor), "sent": sent(actor)}.get(
        side, or_(received(actor), sent(actor))
    )
    wanted = whose & (Inquiry.state == state) if state else whose
    return _page(actor, policy.where(actor, READ, Inquiry) & wanted, page, per_page)


def _page(actor: Actor, wanted: ColumnElement[bool], page: int, per_page: int) -> PageOf[Row]:
    limited = select(Inquiry.id).where(wanted).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(limited)) or 0
    query: Any = select(Inquiry, Person.name, WorkItem.due).outerjoin(WorkItem, _its_item())
    query = query.outerjoin(Person, Person.id == WorkItem.owner_assignee_id).where(wanted)
    found = db.session.execute(
        _unanswered_first(query).options(*_JOINED).limit(per_page).offset((page - 1) * per_page)
    )
    rows = [
        Row(one, side_of(actor, one), name, until, _owner(actor, one))
        for one, name, until in found.all()
    ]
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    return PageOf(rows, min(total, EXACT_UP_TO), page, per_page, total_is)


def _unanswered_first(query: Select[Any]) -> Select[Any]:
    """Those that wait longest first, then the others, the latest first."""
    waits = Inquiry.state == "new"
    return query.order_by(
        case((waits, 0), else_=1),
        case((waits, Inquiry.waiting_since)),
        Inquiry.updated_at.desc(),
        Inquiry.id.desc(),
    )


def unanswered(actor: Actor) -> int:
    """How many received inquiries wait for an answer."""
    waits = select(Inquiry.id).where(received(actor), Inquiry.state == "new").limit(EXACT_UP_TO)
    return db.session.scalar(select(func.count()).select_from(waits.subquery())) or 0


def assignee_of(inquiry: Inquiry) -> int | None:
    """The owner's colleague who looks after a case; the office's handler is another person."""
    return db.session.scalar(
        select(WorkItem.owner_assignee_id).where(
            WorkItem.kind == INQUIRY.name, WorkItem.object_id == inquiry.id
        )
    )


def colleagues(organisation_id: int) -> list[tuple[int, str]]:
    """Who may answer for an organisation: id and name."""
    query = (
        select(Person.id, Person.name)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(
            RoleGrant.organisation_id == organisation_id,
            RoleGrant.role.in_(EDITORS),
            in_force(),
            Person.state == "active",
        )
        .distinct()
        .order_by(Person.name, Person.id)
    )
    return [(key, name) for key, name in db.session.execute(query)]


def own_organisations(actor: Actor) -> list[Organisation]:
    """The organisations in whose name the actor may ask and answer, by name."""
    ids = actor.organisations(*EDITORS)
    if not ids:
        return []
    query = select(Organisation).where(Organisation.id.in_(ids), Organisation.state == "active")
    return list(db.session.scalars(query.order_by(Organisation.folded_name)))


def office_of(inquiry: Inquiry) -> Contact | None:
    """Who answers the telephone for the place of a case."""
    return accounts.contact_for(inquiry.region.path_ids)


def office_name(actor: Actor, inquiry: Inquiry) -> str:
    """The office that an officer acts for in a case: the nearest he works at, else the place's."""
    offices = {
        grant.organisation_id: grant.region_path
        for grant in actor.grants
        if grant.role in OFFICES
        and grant.organisation_id is not None
        and (inquiry.area_path or "").startswith(grant.region_path or "-")
    }
    if offices:
        nearest = max(offices, key=lambda key: len(offices[key] or ""))
        return db.session.get_one(Organisation, nearest).name
    place = office_of(inquiry)
    return place.name if place is not None else "科技管理部门"


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """What a person asked, and what he wrote in inquiries, for the export of his own data."""
    asked = select(Inquiry).where(Inquiry.asker_person_id == person_id).order_by(Inquiry.id.desc())
    wrote = (
        select(InquiryMessage, Inquiry.no)
        .join(Inquiry, Inquiry.id == InquiryMessage.inquiry_id)
        .where(InquiryMessage.person_id == person_id)
        .order_by(InquiryMessage.id.desc())
    )
    return {
        "发出的咨询": [
            {
                "编号": one.no,
                "信息": one.title,
                "署名": one.asker_label,
                "方便联系的时间": one.reach,
                **_ended(one),
                "状态": INQUIRY.states[one.state],
                "时间": one.created_at.isoformat(),
            }
            for one in db.session.scalars(asked.limit(MOST_EXPORTED))
        ],
        "咨询里写的话": [
            {"咨询": no, "署名": said.author, "内容": said.text, "时间": said.at.isoformat()}
            for said, no in db.session.execute(wrote.limit(MOST_EXPORTED))
        ],
    }


def _ended(one: Inquiry) -> dict[str, Any]:
    """How an inquiry ended: an amount that nobody told is empty."""
    if one.outcome is None:
        return {}
    fen = one.outcome_amount_fen
    return {
        "结果": OUTCOMES[one.outcome],
        "与谁解决的": one.outcome_with,
        "金额（元）": None if fen is None else format_yuan(fen),
    }
