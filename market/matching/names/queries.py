"""Which receiver a case is about, and what its firm has let him know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from market.catalogue import naming
from market.catalogue.models import CONSENT_MEANS, Listing, NameConsent
from market.catalogue.naming import CONSENT, OwnerShown, Receiver
from market.core.db import db
from market.core.errors import NotFound
from market.core.permissions import Actor, policy
from market.matching import queries as inquiries
from market.matching.calls import queries as calls
from market.matching.calls.workflow import CALL_ANSWER
from market.matching.dispatch import queries as dispatches
from market.matching.dispatch.workflow import DISPATCH
from market.matching.intents import queries as intents
from market.matching.intents.workflow import INTENT
from market.matching.messages import receiver_of
from market.matching.workflow import INQUIRY

_MOST = 200  # consents of a listing that a page shows, the newest


@dataclass(frozen=True)
class Source:
    """A case from which a name can be told. receiver: None where nobody there can be told it."""

    kind: str
    no: str
    workflow: str
    object_id: int
    url: str
    listing: Listing
    receiver: Receiver | None
    label: str


@dataclass(frozen=True)
class Named:
    """What a reader of a case is told of the owner's name.

    may: he decides about it. by_office: he does so for the firm, and says how it consented.
    told: the consent of this receiver that holds. shown: the owner as this reader sees it;
    outside: as the receiver is shown it without a consent.
    """

    source: Source
    may: bool
    by_office: bool
    told: NameConsent | None
    shown: OwnerShown
    outside: str
    consents: Sequence[NameConsent]


def _of_inquiry(actor: Actor, no: str) -> Source:
    one = inquiries.get(actor, no).inquiry
    receiver, label = receiver_of(one), one.asker_label
    return Source("inquiry", no, INQUIRY.name, one.id, f"/inquiries/{no}", one.listing, receiver, label)  # fmt: skip


def _of_answer(actor: Actor, no: str) -> Source:
    one = calls.answer(actor, no)
    receiver, listing = Receiver(one.organisation_id), one.call.listing
    return Source("answer", no, CALL_ANSWER.name, one.id, f"/answers/{no}", listing, receiver, one.owner.name)  # fmt: skip


def _of_dispatch(actor: Actor, no: str) -> Source:
    one = dispatches.of(no, actor)
    receiver = None
    if one.recipient_id is not None:
        receiver = Receiver(one.recipient_id)
    elif one.recipient_person_id is not None:
        receiver = Receiver(person_id=one.recipient_person_id)
    return Source("dispatch", no, DISPATCH.name, one.id, f"/dispatches/{no}", one.listing, receiver, one.recipient_label)  # fmt: skip


def _of_intent(actor: Actor, no: str) -> Source:
    one = intents.get(actor, no).intent
    other = one.seller if one.buyer_id == one.listing.owner_id else one.buyer
    receiver = Receiver(other.id)
    return Source("intent", no, INTENT.name, one.id, f"/intents/{no}", one.listing, receiver, other.name)  # fmt: skip


SOURCES: Mapping[str, Callable[[Actor, str], Source]] = {
    "inquiry": _of_inquiry,
    "answer": _of_answer,
    "dispatch": _of_dispatch,
    "intent": _of_intent,
}


def source(actor: Actor, kind: str, no: str) -> Source:
    """A case that the actor may read, as the place where a name is told. Raises NotFound."""
    if kind not in SOURCES:
        raise NotFound
    return SOURCES[kind](actor, no)


def standing(listing: Listing, receiver: Receiver) -> NameConsent | None:
    """The consent that lets a receiver know a name now."""
    query = select(NameConsent).where(
        NameConsent.listing_id == listing.id, receiver.given(), NameConsent.withdrawn_at.is_(None)
    )
    return db.session.scalar(query.order_by(NameConsent.id.desc()).limit(1))


def get(actor: Actor, kind: str, no: str) -> Named:
    """What is to be said of the owner's name in a case. Raises NotFound."""
    found = source(actor, kind, no)
    listing, receiver = found.listing, found.receiver
    may = policy.allows(actor, CONSENT, listing) and receiver is not None
    case_no = no if kind == "inquiry" else None
    return Named(
        source=found,
        may=may,
        by_office=may and listing.owner_id not in actor.organisations(),
        told=standing(listing, receiver) if receiver is not None else None,
        shown=naming.owner_shown(actor, listing, case_no=case_no),
        outside=naming.neutral_of(listing),
        consents=_consents(listing) if may else (),
    )


def decided(actor: Actor, kind: str, no: str) -> Named:
    """The same for who decides about it. Raises NotFound: it is not his, or no name is kept back."""
    found = get(actor, kind, no)
    if not found.may or not (naming.hidden(found.source.listing) or found.consents):
        raise NotFound("这里没有不公开的单位名称。")
    return found


def _consents(listing: Listing) -> Sequence[NameConsent]:
    query = select(NameConsent).where(NameConsent.listing_id == listing.id)
    return db.session.scalars(query.order_by(NameConsent.id.desc()).limit(_MOST)).all()


def means_for(by_office: bool) -> list[tuple[str, str]]:
    """How an office came to know of a consent; none to choose for the firm itself."""
    return [one for one in CONSENT_MEANS.items() if one[0] != "site"] if by_office else []
