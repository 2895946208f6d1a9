"""Sending a demand to recipients: who gets it, what is refused, the points that are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from market.accounts.models import Organisation
from market.catalogue.models import Listing
from market.catalogue.queries import ListingView
from market.core import clock, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.models import WorkItem
from market.core.permissions import Actor, policy
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching.dispatch import messages, proposals, queries, rules
from market.matching.dispatch.models import OPEN, STATES, Dispatch
from market.matching.dispatch.service import moved, working_days_from
from market.matching.dispatch.workflow import DISPATCH, SEND

SERIES = "TJ"
_ENDED = "已按另荐推荐给%s"


@dataclass(frozen=True)
class Sending:
    """One recipient of a sending, with the points by which it was proposed."""

    organisation: Organisation
    parts: Sequence[rules.Part]


def send(actor: Actor, no: str, recipients: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """Recommend a demand to several organisations at once; returns the numbers of the dispatches.

    Args:
        recipients: numbers of organisations.
        values: days (working days until the answer is asked for), perhaps words.

    Raises:
        NotFound: no such demand in the area. Conflict: it is not public any more.
        Invalid: an organisation is not there, has the demand already, or is its owner.
    """
    demand = queries.demand(actor, no)
    if demand.listing is None or not demand.published:
        raise Conflict("这项需求已不在公开发布，不能再推荐。")
    proposed = _proposed(actor, demand.listing)
    with unit_of_work(actor) as work:
        listing = _locked_listing(actor, no)
        work.require(SEND, listing)
        chosen = [
            Sending(one, proposed.get(one.id, ())) for one in _recipients(listing, recipients)
        ]
        _refuse_twice(listing, chosen)
        made = [_send_one(work, demand.listing, listing, one, values) for one in chosen]
        _close_referrals(work, listing, chosen)
        return made


def _proposed(actor: Actor, listing: ListingView) -> dict[int, Sequence[rules.Part]]:
    """The points of the recipients that the search proposes, by id; asked before the transaction."""
    found = proposals.of(actor, listing, proposals.MOST_LISTINGS)
    return {one.organisation.id: one.parts for one in found.rows}


def _locked_listing(actor: Actor, no: str) -> Listing:
    """The demand, held until the commit: of two clerks who send at once the second sees the first."""
    query = select(Listing).where(
        Listing.no == no, Listing.kind == "demand", policy.where(actor, SEND, Listing)
    )
    found = db.session.scalar(query.with_for_update())
    if found is None:
        raise NotFound(f"本地区没有编号为 {no} 的技术需求。")
    if found.state != "published":
        raise Conflict("这项需求已不在公开发布，不能再推荐。")
    return found


def _recipients(listing: Listing, wanted: Sequence[str]) -> list[Organisation]:
    codes = list(dict.fromkeys(one.upper() for one in wanted))
    query = select(Organisation).where(Organisation.no.in_(codes), Organisation.state == "active")
    found = {row.no: row for row in db.session.scalars(query)}
    missing = [code for code in codes if code not in found]
    if missing:
        raise Invalid({"to": [f"没有编号为 {'、'.join(missing)} 的单位，请重新查找。"]})
    if any(row.id == listing.owner_id for row in found.values()):
        raise Invalid({"to": ["这是提出需求的单位自己，不能推荐给它。"]})
    return [found[code] for code in codes]


def _refuse_twice(listing: Listing, chosen: Sequence[Sending]) -> None:
    ids = [one.organisation.id for one in chosen]
    query = select(Dispatch).where(
        Dispatch.listing_id == listing.id, Dispatch.recipient_id.in_(ids), Dispatch.state.in_(OPEN)
    )
    there = [
        f"{one.recipient_label}（{one.no}，{STATES[one.state]}）"
        for one in db.session.scalars(query.order_by(Dispatch.id))
    ]
    if there:
        words = "、".join(there)
        raise Invalid(
            {"to": [f"{words}已经收到这项需求，还没有结束，不能再发一次：请去掉它再发送。"]}
        )


def _send_one(
    work: UnitOfWork,
    view: ListingView,
    listing: Listing,
    to: Sending,
    values: Mapping[str, Any],
) -> str:
    now, series = clock.now(), f"{SERIES}{clock.today().year}"
    until = working_days_from(clock.today(), values["days"])
    before = select(Dispatch).where(
        Dispatch.listing_id == listing.id, Dispatch.recipient_id == to.organisation.id
    )
    earlier = db.session.scalar(before.order_by(Dispatch.id.desc()).limit(1))
    row = Dispatch(
        no=f"{series}{numbers.take(series)[0]:06d}",
        listing_id=listing.id,
        title=view.title,
        region_id=listing.region_id,
        recipient_id=to.organisation.id,
        recipient_label=to.organisation.name,
        sent_by_id=work.actor.id if work.actor.kind == "person" else None,
        sent_by=work.actor.label,
        words=values.get("words"),
        score=rules.score_of(to.parts) if to.parts else None,
        parts=rules.stored(to.parts) if to.parts else None,
        days=values["days"],
        due=until.day,
        provisional=until.provisional,
        state="sent",
        demo=listing.demo,
        created_at=now,
        updated_at=now,
    )
    db.session.add(row)
    db.session.flush()
    again = f"此前推荐过：{earlier.no}，{STATES[earlier.state]}" if earlier else None
    flow.begin(work, DISPATCH, row, note=again)
    if row.sent_by_id is not None:
        item = (WorkItem.kind == DISPATCH.name) & (WorkItem.object_id == row.id)
        db.session.execute(update(WorkItem).where(item).values(assignee_id=row.sent_by_id))
    messages.tell_recipient(messages.SENT, row)
    return row.no


def _close_referrals(work: UnitOfWork, listing: Listing, chosen: Sequence[Sending]) -> None:
    """Those who named one of these recipients have done their part."""
    names = {one.organisation.id: one.organisation.name for one in chosen}
    query = select(Dispatch).where(
        Dispatch.listing_id == listing.id,
        Dispatch.state == "referred",
        Dispatch.referral_id.in_(names),
    )
    for row in db.session.scalars(query).all():
        assert row.referral_id is not None
        told = _ENDED % names[row.referral_id]
        changed = moved(outcome="failed", outcome_text=told)
        flow.fire(work, DISPATCH, row, "close", note=told, values=changed)
