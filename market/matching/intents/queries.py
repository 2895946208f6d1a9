"""Reading intents: one with all that its page shows, lists of parties, invited and offices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from market.accounts.models import Organisation
from market.catalogue import queries as catalogue
from market.catalogue.models import Listing
from market.catalogue.naming import OwnerShown, owner_shown
from market.catalogue.queries import PATHS
from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Gone, NotFound
from market.core.models import CaseEvent, StoredFile, WorkItem
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.text import fold
from market.core.workflow import Transition
from market.matching.intents import rules
from market.matching.intents.attachments import FILES
from market.matching.intents.locking import side_of
from market.matching.intents.models import (
    LIVE,
    MODES,
    OPEN,
    STATES,
    Intent,
    IntentInvitation,
    IntentMessage,
    Offer,
    Outcome,
    Question,
)
from market.matching.intents.offers import Agreed, agreed
from market.matching.intents.workflow import AREA, INTENT, INVITATION, READ, TERMS

__all__ = ["Agreed", "agreed"]  # what a contract asks, beside the rest
_JOINED = (
    joinedload(Intent.buyer),
    joinedload(Intent.seller),
    joinedload(Intent.listing).joinedload(Listing.current),
    joinedload(Intent.buyer_region),
    joinedload(Intent.seller_region),
    selectinload(Intent.invitations),
)
_MOST_MESSAGES = 200  # of a thread that a page shows, the newest


@dataclass(frozen=True)
class Row:
    """An intent in a list. side: which the reader is on."""

    intent: Intent
    side: str
    until: date | None
    shown: Mapping[str, OwnerShown]

    @property
    def late(self) -> bool:
        return self.until is not None and self.until < clock.today()


@dataclass(frozen=True)
class OfferView:
    """An offer in words. warnings: what both sides should look at again."""

    offer: Offer
    words: Mapping[str, str]
    warnings: Sequence[str]
    files: Sequence[StoredFile]


@dataclass(frozen=True)
class InvitationView:
    """An invitation and what the reader may do with it."""

    invitation: IntentInvitation
    actions: Sequence[Transition]


@dataclass(frozen=True)
class Case:
    """An intent with all that its page shows, for one reader.

    terms: whether he may read offers and messages; where not, these are empty but for an office's
    own words. shown: "buyer" and "seller" as he may know them, and the "owner" of the listing.
    """

    intent: Intent
    side: str
    terms: bool
    offers: Sequence[OfferView]
    messages: Sequence[IntentMessage]
    events: Sequence[CaseEvent]
    actions: Sequence[Transition]
    invitations: Sequence[InvitationView]
    outcomes: Sequence[Outcome]
    question: Question | None
    until: date | None
    shown: Mapping[str, OwnerShown]

    @property
    def may(self) -> set[str]:
        return {one.action for one in self.actions}

    @property
    def state_label(self) -> str:
        return STATES[self.intent.state]

    @property
    def listing_url(self) -> str:
        return f"/{PATHS[self.intent.listing.kind]}/{self.intent.listing.no}"

    @property
    def latest(self) -> OfferView | None:
        return self.offers[0] if self.offers else None

    @property
    def source_shown(self) -> bool:
        """Whether the reader may open what it grew from: a dispatch only who was asked in it."""
        party = self.side in ("buyer", "seller")
        return party and (
            self.intent.source_kind != "dispatch" or self.side == self.intent.begun_by
        )

    @property
    def my_turn(self) -> bool:
        return self.side == self.intent.turn and self.intent.state in OPEN

    @property
    def said_yes(self) -> bool:
        """Whether the reader's side says yes to the latest offer already."""
        yes = {"buyer": self.intent.buyer_yes, "seller": self.intent.seller_yes}.get(self.side)
        return bool(self.intent.latest) and yes == self.intent.latest

    @property
    def late(self) -> bool:
        return self.until is not None and self.until < clock.today()


def get(actor: Actor, no: str) -> Case:
    """An intent with all that its reader may see. Raises NotFound."""
    query = select(Intent, WorkItem.due).outerjoin(WorkItem, _its_item())
    query = query.where(Intent.no == no, policy.where(actor, READ, Intent)).options(*_JOINED)
    found = db.session.execute(query).first()
    if found is None:
        raise NotFound(f"没有编号为 {no} 的对接意向。")
    intent, until = found
    side, terms = side_of(actor, intent), policy.allows(actor, TERMS, intent)
    return Case(
        intent=intent,
        side=side,
        terms=terms,
        offers=_offers(intent) if terms else (),
        messages=_messages(intent, terms),
        events=flow.timeline(INTENT.name, intent.id),
        actions=INTENT.actions(actor, intent),
        invitations=[
            InvitationView(one, INVITATION.actions(actor, one)) for one in intent.invitations
        ],
        outcomes=_outcomes(intent.id),
        question=_question(intent.id, side),
        until=until,
        shown=shown(actor, intent),
    )


def shown(actor: Actor, intent: Intent) -> dict[str, OwnerShown]:
    """Both parties as a reader may know them: the owner of a demand may keep its name back."""
    return {
        "buyer": owner_shown(actor, intent.listing, intent.buyer),
        "seller": owner_shown(actor, intent.listing, intent.seller),
        "owner": owner_shown(actor, intent.listing),
    }


def _its_item() -> ColumnElement[bool]:
    return (WorkItem.kind == INTENT.name) & (WorkItem.object_id == Intent.id)


def _offers(intent: Intent) -> list[OfferView]:
    """All versions, the latest first."""
    query = select(Offer).where(Offer.intent_id == intent.id).order_by(Offer.version.desc())
    rows = db.session.scalars(query).all()
    attached = _files([row.id for row in rows])
    return [_view(row, attached.get(row.id, ())) for row in rows]


def _view(row: Offer, attached: Sequence[StoredFile]) -> OfferView:
    values = values_of(row)
    return OfferView(
        row, rules.in_words(values), rules.warnings(values, clock.local(row.at).date()), attached
    )


def values_of(row: Offer) -> dict[str, Any]:
    """The terms of an offer by the names of their columns."""
    return {column.key: getattr(row, column.key) for column in Offer.__table__.columns}


def _files(ids: Sequence[int]) -> dict[int, list[StoredFile]]:
    query = select(StoredFile).where(
        StoredFile.kind == FILES, StoredFile.object_id.in_(ids), StoredFile.removed_at.is_(None)
    )
    found: dict[int, list[StoredFile]] = {}
    for row in db.session.scalars(query.order_by(StoredFile.id)):
        found.setdefault(row.object_id, []).append(row)
    return found


def _messages(intent: Intent, terms: bool) -> list[IntentMessage]:
    said = select(IntentMessage).where(IntentMessage.intent_id == intent.id)
    if not terms:
        said = said.where(IntentMessage.side == "office")
    newest = said.order_by(IntentMessage.id.desc()).limit(_MOST_MESSAGES)
    return list(db.session.scalars(newest))[::-1]


def _outcomes(intent_id: int) -> Sequence[Outcome]:
    query = select(Outcome).where(Outcome.intent_id == intent_id)
    return db.session.scalars(query.order_by(Outcome.id)).all()


def _question(intent_id: int, side: str) -> Question | None:
    return db.session.scalar(
        select(Question).where(
            Question.intent_id == intent_id, Question.side == side, Question.state == "open"
        )
    )


def compared(case: Case, first: int, second: int) -> list[tuple[str, str, str, bool]]:
    """Two versions side by side: label, both texts, whether they differ.

    Raises:
        NotFound: there is no such version, or the reader may not read them.
    """
    by_version = {one.offer.version: one.words for one in case.offers}
    if first not in by_version or second not in by_version:
        raise NotFound("没有这一版方案。")
    old, new = by_version[first], by_version[second]
    rows = [(label, old.get(name, ""), new.get(name, "")) for name, label in rules.LABELS.items()]
    return [(label, a, b, a != b) for label, a, b in rows if a or b]


def draft(actor: Actor, case: Case) -> dict[str, Any]:
    """What a new offer begins with: the latest one, else what the listing asks."""
    if case.latest is not None:
        return values_of(case.latest.offer)
    listing = case.intent.listing
    try:
        content = catalogue.get(actor, listing.kind, listing.no).content
    except (NotFound, Gone):
        return {}
    modes = content.get("transfer_modes") or content.get("cooperation_modes") or []
    found: dict[str, Any] = {"transfer_mode": modes[0] if len(modes) == 1 else None}
    found["price_mode"] = content.get("price_mode")
    low, high = content.get("price_min_fen"), content.get("price_max_fen")
    if found["price_mode"] == "entry_royalty":
        found["entry_fen"] = low
    else:
        found |= {"price_min_fen": low, "price_max_fen": high}
    if found["transfer_mode"] not in MODES:
        found["transfer_mode"] = None
    return found


TABS = {"open": "进行中", "agreed": "已达成意向", "ended": "已结束"}


def _tab(tab: str) -> ColumnElement[bool]:
    if tab == "open":
        return Intent.state.in_(OPEN)
    return Intent.state == "agreed" if tab == "agreed" else Intent.state.not_in(LIVE)


def mine(actor: Actor, tab: str, page: int = 1) -> PageOf[Row]:
    """Intents of one's organisations, as parties or invited; those whose turn is one's own first."""
    return _page(actor, _own(actor) & _tab(tab), page, ROWS_PER_PAGE)


def _own(actor: Actor) -> ColumnElement[bool]:
    own = actor.organisations()
    joined = select(IntentInvitation.intent_id).where(
        IntentInvitation.organisation_id.in_(own), IntentInvitation.state == "joined"
    )
    ours = or_(Intent.buyer_id.in_(own), Intent.seller_id.in_(own), Intent.id.in_(joined))
    return policy.where(actor, READ, Intent) & ours


def in_area(actor: Actor, tab: str, page: int = 1) -> PageOf[Row]:
    """Intents of which the buyer or the seller sits in an office's area."""
    return _page(actor, policy.where(actor, AREA, Intent) & _tab(tab), page, ROWS_PER_PAGE)


def for_programs(actor: Actor, state: str, page: int, per_page: int) -> PageOf[Row]:
    """Intents of the token's organisation. state: any when empty."""
    wanted = _own(actor)
    return _page(actor, wanted & (Intent.state == state) if state else wanted, page, per_page)


def _page(actor: Actor, wanted: ColumnElement[bool], page: int, per_page: int) -> PageOf[Row]:
    limited = select(Intent.id).where(wanted).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(limited)) or 0
    own = actor.organisations()
    our_turn = or_(
        (Intent.turn == "buyer") & Intent.buyer_id.in_(own),
        (Intent.turn == "seller") & Intent.seller_id.in_(own),
    )
    query = (
        select(Intent, WorkItem.due)
        .outerjoin(WorkItem, _its_item())
        .where(wanted)
        .options(*_JOINED)
        .order_by(case((our_turn, 0), else_=1), Intent.updated_at.desc(), Intent.id.desc())
    )
    found = db.session.execute(query.limit(per_page).offset((page - 1) * per_page))
    rows = [Row(one, side_of(actor, one), until, shown(actor, one)) for one, until in found.all()]
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    return PageOf(rows, min(total, EXACT_UP_TO), page, per_page, total_is)


def candidates(text: str) -> list[tuple[str, str]]:
    """Organisations that a party may invite, for a part of the name: number and name."""
    words = fold(text)
    if len(words) < 2:
        return []
    like = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    query = (
        select(Organisation.no, Organisation.name)
        .where(Organisation.state == "active", Organisation.folded_name.like(like, escape="\\"))
        .order_by(Organisation.folded_name)
        .limit(8)
    )
    return [(no, name) for no, name in db.session.execute(query)]
