"""What the owner of a demand sees of its dispatches: to whom it went, and what each answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from market.catalogue.models import Listing
from market.core import clock
from market.core.db import db
from market.core.errors import NotFound
from market.core.permissions import Actor, policy
from market.matching.dispatch.models import STATES, Dispatch
from market.matching.dispatch.recipients import visible
from market.matching.dispatch.workflow import TOLD
from market.service_points.models import Specialist

MOST = 100
_SOMEBODY = "一位专家"


@dataclass(frozen=True)
class Told:
    """One dispatch of an own demand. Words of the office, the log and contacts are not in it."""

    recipient: str
    recipient_no: str
    state: str
    sent_on: date
    due: date
    answered_on: date | None
    late: bool
    answer: str | None
    referral: str | None

    @property
    def state_label(self) -> str:
        return STATES[self.state]


def of_listing(actor: Actor, listing_id: int) -> Sequence[Told]:
    """The dispatches of a demand for its owner, the latest first; empty for everybody else."""
    seen = (Dispatch.listing_id == Listing.id, policy.where(actor, TOLD, Listing))
    query = (
        select(Dispatch)
        .join(Listing, Listing.id == Dispatch.listing_id)
        .where(Listing.id == listing_id, *seen)
        .options(joinedload(Dispatch.owner), joinedload(Dispatch.specialist))
        .order_by(Dispatch.id.desc())
        .limit(MOST)
    )
    rows = db.session.scalars(query).all()
    ids = {one.specialist_id for one in rows if one.specialist_id is not None}
    shown: set[int] = set()
    if ids:
        public = select(Specialist.id).where(Specialist.id.in_(ids), visible(actor))
        shown = set(db.session.scalars(public))
    return [_told(one, one.specialist_id is None or one.specialist_id in shown) for one in rows]


def of_demand(actor: Actor, no: str) -> Sequence[Told]:
    """As `of_listing`, by the number of the demand. Raises NotFound: it is not the actor's own."""
    own = (Listing.no == no, Listing.kind == "demand", policy.where(actor, TOLD, Listing))
    found = db.session.scalar(select(Listing.id).where(*own))
    if found is None:
        raise NotFound(f"没有编号为 {no} 的需求。")
    return of_listing(actor, found)


def beside_own(actor: Actor, listing_id: int) -> tuple[str, Any] | None:
    """What the page of an own demand shows: a template with its values."""
    rows = of_listing(actor, listing_id)
    return ("dispatch/told.html", rows) if rows else None


def _told(one: Dispatch, named: bool) -> Told:
    return Told(
        recipient=one.recipient_label if named else _SOMEBODY,
        recipient_no=one.recipient_no if named else "",
        state=one.state,
        sent_on=clock.local(one.created_at).date(),
        due=one.due,
        answered_on=one.answered_on,
        late=one.late,
        answer=one.answer,
        referral=one.referral,
    )
