"""Sending a demand to recipients: who gets it, what is refused, the points that are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select, update

from market.catalogue.models import Listing
from market.core import clock, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.models import WorkItem
from market.core.permissions import Actor, policy
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching.dispatch import messages, proposals, queries, rules
from market.matching.dispatch.models import OPEN, STATES, Dispatch
from market.matching.dispatch.recipients import Recipient, by_numbers
from market.matching.dispatch.service import moved, working_days_from
from market.matching.dispatch.workflow import DISPATCH, SEND

SERIES = "TJ"
_ENDED = "已按另荐推荐给%s"


Points = Mapping[str, Sequence[rules.Part]]  # by number of the recipient


def points(actor: Actor, no: str) -> Points:
    """The points of those whom the search proposes. Call before the transaction: it searches.

    Raises:
        NotFound: no such demand in the area.
    """
    demand = queries.demand(actor, no)
    if demand.listing is None or not demand.published:
        return {}
    found = proposals.of(actor, demand.listing, proposals.MOST_LISTINGS)
    return {one.recipient.no: one.parts for one in found.rows}


def send(
    actor: Actor, no: str, recipients: Sequence[str], values: Mapping[str, Any], proposed: Points
) -> list[str]:
    """Recommend a demand to several recipients at once; returns the numbers of the dispatches.

    Args:
        recipients: numbers of organisations and specialists.
        values: days (working days until the answer is asked for), perhaps words.
        proposed: of `points`; who is not in it, was added by hand.

    Raises:
        NotFound: no such demand in the area. Conflict: it is not public any more.
        Invalid: a recipient is not there, has the demand already, or is its owner.
    """
    demand = queries.demand(actor, no)
    if demand.listing is None or not demand.published:
        raise Conflict("这项需求已不在公开发布，不能再推荐。")
    title = demand.listing.title
    with unit_of_work(actor) as work:
        listing = _locked_listing(actor, no)
        work.require(SEND, listing)
        chosen = _recipients(actor, listing, recipients)
        _refuse_twice(listing, chosen)
        made = [
            _send_one(work, title, listing, one, proposed.get(one.no, ()), values) for one in chosen
        ]
        _close_referrals(work, listing, chosen)
        return made


def _locked_listing(actor: Actor, no: str) -> Listing:
    """The demand, held until the commit: of two clerks who send at once the second sees the first."""
    query = select(Listing).where(
        Listing.no == no, Listing.kind == "demand", policy.where(actor, SEND, Listing)
    )
    found = db.session.scalar(query.with_for_update(of=Listing))
    if found is None:
        raise NotFound(f"本地区没有编号为 {no} 的技术需求。")
    if found.state != "published":
        raise Conflict("这项需求已不在公开发布，不能再推荐。")
    return found


def _recipients(actor: Actor, listing: Listing, wanted: Sequence[str]) -> list[Recipient]:
    codes = list(dict.fromkeys(one.upper() for one in wanted))
    found = by_numbers(actor, codes)
    missing = [code for code in codes if code not in found]
    if missing:
        raise Invalid({"to": [f"没有编号为 {'、'.join(missing)} 的单位或专家，请重新查找。"]})
    if any(one.organisation_id == listing.owner_id for one in found.values()):
        raise Invalid({"to": ["这是提出需求的单位自己，不能推荐给它。"]})
    return [found[code] for code in codes]


def _refuse_twice(listing: Listing, chosen: Sequence[Recipient]) -> None:
    query = select(Dispatch).where(
        Dispatch.listing_id == listing.id,
        Dispatch.state.in_(OPEN),
        or_(
            Dispatch.recipient_id.in_([one.organisation_id for one in chosen]),
            Dispatch.specialist_id.in_([one.specialist_id for one in chosen]),
        ),
    )
    there = [
        f"{one.recipient_label}（{one.no}，{STATES[one.state]}）"
        for one in db.session.scalars(query.order_by(Dispatch.id))
    ]
    if there:
        words = "、".join(there)
        raise Invalid(
            {"to": [f"{words}已经收到这项需求，还没有结束，不能再发一次：请去掉再发送。"]}
        )


def _send_one(
    work: UnitOfWork,
    title: str,
    listing: Listing,
    to: Recipient,
    parts: Sequence[rules.Part],
    values: Mapping[str, Any],
) -> str:
    now, series = clock.now(), f"{SERIES}{clock.today().year}"
    until = working_days_from(clock.today(), values["days"])
    row = Dispatch(
        no=f"{series}{numbers.take(series)[0]:06d}",
        listing_id=listing.id,
        title=title,
        region_id=listing.region_id,
        recipient_id=to.organisation_id,
        specialist_id=to.specialist_id,
        recipient_person_id=to.person_id,
        recipient_label=to.name,
        sent_by_id=work.actor.id if work.actor.kind == "person" else None,
        sent_by=work.actor.label,
        words=values.get("words"),
        score=rules.score_of(parts) if parts else None,
        parts=rules.stored(parts) if parts else None,
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
    before = select(Dispatch).where(
        Dispatch.listing_id == listing.id, queries.same_recipient(row), Dispatch.id < row.id
    )
    earlier = db.session.scalar(before.order_by(Dispatch.id.desc()).limit(1))
    again = f"此前推荐过：{earlier.no}，{STATES[earlier.state]}" if earlier else None
    flow.begin(work, DISPATCH, row, note=again)
    if row.sent_by_id is not None:
        item = (WorkItem.kind == DISPATCH.name) & (WorkItem.object_id == row.id)
        db.session.execute(update(WorkItem).where(item).values(assignee_id=row.sent_by_id))
    messages.tell_recipient(messages.SENT, row)
    return row.no


def _close_referrals(work: UnitOfWork, listing: Listing, chosen: Sequence[Recipient]) -> None:
    """Those who named one of these recipients have done their part."""
    names = {one.organisation_id: one.name for one in chosen if one.organisation_id}
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
