"""Whom to send a demand to: owners of published achievements that fit it, with the points for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select

from market.accounts.people.models import RoleGrant
from market.accounts.people.sessions import in_force
from market.accounts.queries import OrganisationView
from market.accounts.roles import EDITORS
from market.catalogue import queries as catalogue
from market.catalogue.queries import ListingView
from market.core.db import db
from market.core.permissions import Actor
from market.discovery import related
from market.matching.dispatch import rules
from market.matching.dispatch.models import Dispatch
from market.matching.dispatch.rules import Part, Record, Side
from market.regions.models import path_ids
from search_index import IndexMissing, IndexOutdated

MOST_LISTINGS = 60  # achievements that are compared
MOST = 15  # recipients that are proposed
NAMED = 3  # achievements that a proposal names
_NOT_ASKED = ("office",)  # kinds of organisations to which nobody sends a demand
_TREES = ("field", "industry")


@dataclass(frozen=True)
class Proposal:
    """A recipient with the points of the achievement that fits best; `listings`: all that fit."""

    organisation: OrganisationView
    parts: Sequence[Part]
    listings: Sequence[ListingView]
    has_account: bool

    @property
    def score(self) -> int:
        return rules.score_of(self.parts)


@dataclass(frozen=True)
class Proposals:
    """What the search proposes; `building`: the index is not there yet."""

    rows: Sequence[Proposal]
    building: bool = False


def of(actor: Actor, demand: ListingView, most: int = MOST) -> Proposals:
    """Recipients for a demand, those with the most points first: one search, four statements."""
    try:
        shared = related.fitting(actor, demand, MOST_LISTINGS)
    except (IndexMissing, IndexOutdated):
        return Proposals((), building=True)
    offers = catalogue.several(actor, list(shared)) if shared else {}
    by_owner: dict[int, list[ListingView]] = {}
    for no in shared:
        offer = offers.get(no)
        if offer is not None and _may_be_asked(offer.owner, demand):
            by_owner.setdefault(offer.owner.id, []).append(offer)
    records, reachable = records_of(by_owner), with_account(by_owner)
    wanted, labels = side_of(demand), _labels()
    found = []
    for owner, listings in by_owner.items():
        record = records.get(owner, Record())
        scored = [
            (rules.parts_of(wanted, side_of(one), shared[one.no], record, labels), one)
            for one in listings
        ]
        scored.sort(key=lambda pair: rules.score_of(pair[0]), reverse=True)
        best, first = scored[0]
        named = [one for _, one in scored]
        found.append(Proposal(first.owner, best, named, owner in reachable))
    found.sort(key=lambda one: (-one.score, one.organisation.name))
    return Proposals(found[:most])


def _may_be_asked(owner: OrganisationView, demand: ListingView) -> bool:
    return owner.id != demand.owner.id and owner.kind not in _NOT_ASKED


def side_of(listing: ListingView) -> Side:
    """What of a listing is compared."""
    content: Mapping[str, Any] = listing.content
    low, high = content.get("price_min_fen"), content.get("price_max_fen")
    return Side(
        fields=tuple(content.get("fields") or ()),
        industries=[
            (*catalogue.above("industry", code), code) for code in content.get("industries") or ()
        ],
        stage=content.get("stage") or "",
        price_mode=content.get("price_mode") or "",
        price=(low, high) if low is not None and high is not None else None,
        path=path_ids(listing.region.path),
    )


def _labels() -> dict[str, Mapping[str, str]]:
    return {name: catalogue.vocabulary(name) for name in (*_TREES, "stage")}


def records_of(recipients: Iterable[int]) -> dict[int, Record]:
    """What organisations did with earlier dispatches; those withdrawn or not due yet do not count."""
    answered = Dispatch.answered_at.is_not(None)
    counted = Dispatch.state.not_in(("withdrawn", "sent"))
    query = (
        select(
            Dispatch.recipient_id,
            func.count(),
            func.sum(case((answered, 1), else_=0)),
            func.avg(case((answered, Dispatch.answer_minutes))),
        )
        .where(Dispatch.recipient_id.in_(list(recipients)), counted)
        .group_by(Dispatch.recipient_id)
    )
    return {
        key: Record(sent, int(done or 0), None if minutes is None else round(minutes))
        for key, sent, done, minutes in db.session.execute(query)
    }


def with_account(organisations: Iterable[int]) -> set[int]:
    """Which of these organisations have somebody who can answer on this site."""
    query = select(RoleGrant.organisation_id).where(
        RoleGrant.organisation_id.in_(list(organisations)),
        RoleGrant.role.in_(EDITORS),
        in_force(),
    )
    return {key for key in db.session.scalars(query.distinct()) if key is not None}
