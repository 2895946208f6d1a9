"""上报市级: a county passes a demand up, the office above answers what came of it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from market.core import clock, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Denied, NotFound
from market.core.permissions import Actor, policy
from market.core.unit_of_work import unit_of_work
from market.matching.dispatch import messages, queries
from market.matching.dispatch.models import Escalation
from market.matching.dispatch.workflow import ESCALATED, ESCALATION, PASS_UP
from market.regions.models import Region, path_ids

SERIES = "SB"
_LEVELS = ("county", "prefecture")  # offices that have one above them


def above(actor: Actor, path: str) -> tuple[int, int] | None:
    """Ids of the own region and of the one above it, for a demand that lies there; None: nobody."""
    own = [area for area in actor.areas(*_LEVELS) if path.startswith(area)]
    if not own:
        return None
    ids = path_ids(min(own, key=len))
    return (ids[-1], ids[-2]) if len(ids) > 1 else None


def target(actor: Actor, path: str) -> str:
    """The short name of the region to whose office a demand may be passed up; empty: to none."""
    found = above(actor, path)
    if found is None:
        return ""
    return db.session.scalar(select(Region.short_name).where(Region.id == found[1])) or ""


def escalate(actor: Actor, no: str, words: str) -> str:
    """Pass a demand up to the office above; returns the number of the case.

    Raises:
        NotFound: no such demand in the area. Conflict: it is there already, or not public any more.
        Denied: there is no office above.
    """
    title = queries.demand(actor, no).title
    with unit_of_work(actor) as work:
        listing = queries.find_demand(actor, no)
        work.require(PASS_UP, listing)
        levels = above(actor, listing.region.path)
        if levels is None:
            raise Denied
        if listing.state != "published":
            raise Conflict("这项需求已不在公开发布，不能上报。")
        open_ = (Escalation.listing_id == listing.id) & (Escalation.state == "open")
        if db.session.scalar(select(Escalation.id).where(open_)) is not None:
            raise Conflict("这项需求已经上报，还没有答复；有新情况请打电话，或先撤回上报。")
        now, series = clock.now(), f"{SERIES}{clock.today().year}"
        row = Escalation(
            no=f"{series}{numbers.take(series)[0]:06d}",
            listing_id=listing.id,
            title=title,
            from_region_id=levels[0],
            region_id=levels[1],
            asked_by_id=actor.id if actor.kind == "person" else None,
            asked_by=actor.label,
            words=words,
            state="open",
            demo=listing.demo,
            created_at=now,
            updated_at=now,
        )
        db.session.add(row)
        db.session.flush()
        flow.begin(work, ESCALATED, row, note=words)
        messages.tell_of_escalation(messages.ESCALATED, row, words, region_path=row.region.path)
        return row.no


def _locked(actor: Actor, no: str) -> Escalation:
    query = select(Escalation).where(
        Escalation.no == no, policy.where(actor, ESCALATION, Escalation)
    )
    found = db.session.scalar(
        query.options(joinedload(Escalation.listing)).with_for_update(of=Escalation)
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的上报。")
    return found


def answer(actor: Actor, no: str, words: str) -> None:
    """Tell the county what came of it. Raises NotFound, Denied, Conflict (answered already)."""
    with unit_of_work(actor) as work:
        row = _locked(actor, no)
        changed = {"answer": words, "updated_at": clock.now()}
        flow.fire(work, ESCALATED, row, "answer", note=words, values=changed)
        whom = {"people": [row.asked_by_id]} if row.asked_by_id else {}
        place = {} if whom else {"region_path": row.from_region.path}
        messages.tell_of_escalation(messages.ESCALATION_ANSWERED, row, words, **whom, **place)


def withdraw(actor: Actor, no: str) -> None:
    """Take it back. Raises NotFound, Denied, Conflict (answered already)."""
    with unit_of_work(actor) as work:
        row = _locked(actor, no)
        flow.fire(work, ESCALATED, row, "withdraw", values={"updated_at": clock.now()})


def get(actor: Actor, no: str) -> Escalation:
    """A case of the own area. Raises NotFound."""
    query = select(Escalation).where(
        Escalation.no == no, policy.where(actor, ESCALATION, Escalation)
    )
    found = db.session.scalar(query.options(joinedload(Escalation.listing)))
    if found is None:
        raise NotFound(f"没有编号为 {no} 的上报。")
    return found


def demand_of(actor: Actor, no: str) -> str:
    """The number of the demand that a case is about. Raises NotFound."""
    return get(actor, no).listing.no
