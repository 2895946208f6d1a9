"""Whom to send a demand to, with the points for each: owners of published achievements that fit it,
and transfer institutions, brokers and experts of the directory who know its field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import joinedload, selectinload

from market.accounts.models import Organisation
from market.catalogue import queries as catalogue
from market.catalogue.queries import ListingView
from market.core.db import db
from market.core.permissions import Actor
from market.discovery import related
from market.matching.dispatch import recipients, rules
from market.matching.dispatch.models import Dispatch
from market.matching.dispatch.recipients import Recipient
from market.matching.dispatch.rules import Part, Record, Side
from market.regions.models import path_ids
from market.service_points.models import Admission, AdmissionTopic, Specialist, SpecialistTopic
from search_index import IndexMissing, IndexOutdated

MOST_LISTINGS = 60  # achievements that are compared
MOST = 15  # recipients that are proposed
_MOST_OF_DIRECTORY = 60  # entries of each kind that are compared
_MOST_TOPICS = 500
Key = tuple[str, int]  # "organisation" or "specialist", and its id


@dataclass(frozen=True)
class Proposal:
    """A recipient with its points; `listings`: its achievements that fit, the best first."""

    recipient: Recipient
    parts: Sequence[Part]
    listings: Sequence[ListingView]

    @property
    def score(self) -> int:
        return rules.score_of(self.parts)


@dataclass(frozen=True)
class Proposals:
    """What the search proposes; `building`: the index is not there yet."""

    rows: Sequence[Proposal]
    building: bool = False


@dataclass(frozen=True)
class _Offer:
    """What speaks for a recipient: an achievement, or what the directory says it knows."""

    side: Side
    shared: Sequence[str]
    listing: ListingView | None = None


def of(actor: Actor, demand: ListingView, most: int = MOST) -> Proposals:
    """Recipients for a demand, those with the most points first: one search, some statements."""
    offers: dict[Key, list[_Offer]] = {}
    building = False
    try:
        _from_listings(actor, demand, offers)
    except (IndexMissing, IndexOutdated):
        building = True
    _from_directory(actor, demand, offers)
    offers.pop(("organisation", demand.owner.id), None)
    found = _scored(demand, offers)
    found.sort(key=lambda pair: -rules.score_of(pair[1][0][0]))
    found = found[:most]
    people = _recipients([key for key, _ in found])
    rows = [
        Proposal(people[key], best[0][0], [one.listing for _, one in best if one.listing])
        for key, best in found
        if key in people
    ]
    rows.sort(key=lambda one: (-one.score, one.recipient.name))
    return Proposals(rows, building)


def _from_listings(actor: Actor, demand: ListingView, offers: dict[Key, list[_Offer]]) -> None:
    shared = related.fitting(actor, demand, MOST_LISTINGS)
    there = catalogue.several(actor, list(shared)) if shared else {}
    for no, words in shared.items():
        if no in there and there[no].owner.kind != "office":
            one = there[no]
            offers.setdefault(("organisation", one.owner.id), []).append(
                _Offer(side_of(one), words, one)
            )


def _from_directory(actor: Actor, demand: ListingView, offers: dict[Key, list[_Offer]]) -> None:
    """Those of the directory who know a field of the demand, or an industry that it names."""
    fields = list(demand.content.get("fields") or ())
    words = " ".join([demand.title, *(demand.content.get("keywords") or ()), demand.summary])
    institutions = (
        select(Admission)
        .join(Admission.owner)
        .where(
            Admission.kind == "transfer_institution",
            Admission.state == "active",
            Organisation.state == "active",
            Admission.id.in_(_knowing(AdmissionTopic, AdmissionTopic.admission_id, fields, words)),
        )
        .options(joinedload(Admission.region), selectinload(Admission.topics))
    )
    for admission in db.session.scalars(institutions.limit(_MOST_OF_DIRECTORY)):
        key = ("organisation", admission.organisation_id)
        offers.setdefault(key, []).append(_known(admission, words))
    people = (
        select(Specialist)
        .where(
            recipients.visible(actor),
            Specialist.id.in_(
                _knowing(SpecialistTopic, SpecialistTopic.specialist_id, fields, words)
            ),
        )
        .options(joinedload(Specialist.region), selectinload(Specialist.topics))
    )
    for specialist in db.session.scalars(people.limit(_MOST_OF_DIRECTORY)):
        offers.setdefault(("specialist", specialist.id), []).append(_known(specialist, words))


def _knowing(model: Any, key: Any, fields: Sequence[str], words: str) -> Any:
    """SQL: ids of entries with a topic of the demand."""
    names = select(model.value).where(model.sort == "industry").distinct().limit(_MOST_TOPICS)
    named = [name for name in db.session.scalars(names) if name in words]
    fits = ((model.sort == "field") & model.value.in_(fields)) | (
        (model.sort == "industry") & model.value.in_(named)
    )
    return select(key).where(fits)


def _known(entry: Admission | Specialist, words: str) -> _Offer:
    topics = {(one.sort, one.value) for one in entry.topics}
    return _Offer(
        Side(
            fields=[value for sort, value in topics if sort == "field"],
            path=path_ids(entry.region.path),
        ),
        sorted(value for sort, value in topics if sort == "industry" and value in words),
    )


def _scored(
    demand: ListingView, offers: Mapping[Key, Sequence[_Offer]]
) -> list[tuple[Key, list[tuple[list[Part], _Offer]]]]:
    """For each recipient what speaks for it, the best first."""
    records, wanted, labels = records_of(offers), side_of(demand), _labels()
    found = []
    for key, those in offers.items():
        record = records.get(key, Record())
        scored = [
            (rules.parts_of(wanted, one.side, one.shared, record, labels), one) for one in those
        ]
        scored.sort(key=lambda pair: -rules.score_of(pair[0]))
        found.append((key, scored))
    return found


def _labels() -> dict[str, Mapping[str, str]]:
    return {name: catalogue.vocabulary(name) for name in ("field", "industry", "stage")}


def parts_for(demand: ListingView, offer: ListingView, shared: Sequence[str]) -> list[Part]:
    """The points of one achievement for a demand, when its owner was never asked before."""
    return rules.parts_of(side_of(demand), side_of(offer), shared, Record(), _labels())


def side_of(listing: ListingView) -> Side:
    """What of a listing is compared."""
    content: Mapping[str, Any] = listing.content
    # A demand is met where it lies; who has an achievement comes from where he is at home.
    place = listing.region if listing.kind == "demand" else listing.owner.region
    low, high = content.get("price_min_fen"), content.get("price_max_fen")
    return Side(
        fields=tuple(content.get("fields") or ()),
        industries=[
            (*catalogue.above("industry", code), code) for code in content.get("industries") or ()
        ],
        stage=content.get("stage") or "",
        price_mode=content.get("price_mode") or "",
        price=(low, high) if low is not None and high is not None else None,
        path=path_ids(place.path),
    )


def _ids(keys: Iterable[Key], sort: str) -> list[int]:
    return [key for kind, key in keys if kind == sort]


def _recipients(keys: Sequence[Key]) -> dict[Key, Recipient]:
    """The recipients themselves."""
    own = select(Organisation).where(Organisation.id.in_(_ids(keys, "organisation")))
    rows = db.session.scalars(own.options(joinedload(Organisation.region))).all()
    reachable = recipients.with_account(row.id for row in rows)
    found: dict[Key, Recipient] = {
        ("organisation", row.id): recipients.of_organisation(row, row.id in reachable)
        for row in rows
        if row.state == "active" and row.kind != "office"
    }
    people = select(Specialist).where(Specialist.id.in_(_ids(keys, "specialist")))
    people = people.options(joinedload(Specialist.region), joinedload(Specialist.organisation))
    for one in db.session.scalars(people):
        found["specialist", one.id] = recipients.of_specialist(one)
    return found


def records_of(keys: Iterable[Key]) -> dict[Key, Record]:
    """What recipients did with earlier dispatches; those withdrawn or still waiting do not count."""
    keys = list(keys)
    answered = Dispatch.answered_at.is_not(None)
    found: dict[Key, Record] = {}
    for sort, column in (
        ("organisation", Dispatch.recipient_id),
        ("specialist", Dispatch.specialist_id),
    ):
        query = (
            select(
                column,
                func.count(),
                func.sum(case((answered, 1), else_=0)),
                func.avg(case((answered, Dispatch.answer_minutes))),
            )
            .where(column.in_(_ids(keys, sort)), Dispatch.state.not_in(("withdrawn", "sent")))
            .group_by(column)
        )
        for key, sent, done, minutes in db.session.execute(query):
            usual = None if minutes is None else round(minutes)
            found[sort, key] = Record(sent, int(done or 0), usual)
    return found
