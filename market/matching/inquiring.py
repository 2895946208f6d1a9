"""Putting an inquiry to the owner of a listing: who asks, what is refused, how much is too much."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from market.catalogue import queries as catalogue
from market.catalogue.models import Listing
from market.catalogue.queries import ListingView
from market.core import clock, limits, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict
from market.core.languages import N_, is_english
from market.core.languages import translate as _
from market.core.masking import mask_contact, mask_name
from market.core.permissions import Actor
from market.core.secrets import pseudonym, seal
from market.core.unit_of_work import unit_of_work
from market.matching import messages, rules
from market.matching.models import Inquiry
from market.matching.service import write_down
from market.matching.workflow import ASK, CREATE, INQUIRY

OVER = N_("这条信息已结束或已撤回，不再接受咨询。")
SERIES = "DJ"


@dataclass(frozen=True)
class Asker:
    """Who asks, as kept: an organisation, a person, or a visitor by what he left."""

    label: str
    organisation_id: int | None = None
    person_id: int | None = None
    contact: str | None = None  # sealed
    contact_shown: str | None = None
    contact_key: str | None = None

    def same(self) -> ColumnElement[bool]:
        """SQL: what the same asker sent."""
        if self.organisation_id is not None:
            return Inquiry.asker_id == self.organisation_id
        if self.person_id is not None:
            return and_(Inquiry.asker_person_id == self.person_id, Inquiry.asker_id.is_(None))
        return Inquiry.contact_key == self.contact_key


def visitor(values: Mapping[str, Any]) -> Asker:
    """A visitor, from what `VisitorSchema` loaded: name, contact, perhaps a firm."""
    name, contact = values["name"], values["contact"]
    mailed = "@" in contact
    shown = mask_name(name)
    label = f"{values['firm']} · {shown}" if values.get("firm") else shown
    kept = {"name": name, "email" if mailed else "mobile": contact}
    return Asker(
        label=label,
        contact=seal(json.dumps(kept, ensure_ascii=False), messages.CONTACT),
        contact_shown=mask_contact(contact),
        contact_key=pseudonym(contact, "person.email" if mailed else "person.mobile"),
    )


def member(actor: Actor, organisation: tuple[int, str] | None, firm: str | None = None) -> Asker:
    """Somebody signed in, or a program. organisation: id and name of the one he asks for."""
    person_id = actor.id if actor.kind == "person" else None
    if organisation is not None:
        key, name = organisation
        label = f"{name} · {actor.label}" if person_id else name
        return Asker(label[:200], key, person_id)
    return Asker(f"{firm} · {actor.label}" if firm else actor.label, None, person_id)


def ask(
    actor: Actor,
    kind: str,
    no: str,
    asker: Asker,
    values: Mapping[str, Any],
    *,
    address: str = "",
) -> str:
    """Put an inquiry to the owner of a listing; returns its number.

    Args:
        kind, no: of the listing.
        values: text, perhaps reach.
        address: the network address it came from; empty for a program with a token.

    Raises:
        NotFound, Gone: the listing is not public (any more).
        Conflict: it is the asker's own, or the owner removed what he sent before.
        TooMany: from this network or this sender, for now.
    """
    listing = catalogue.get(actor, kind, no)
    with unit_of_work(actor) as work:
        _refuse_own(actor, listing, asker)
        _refuse_removed(listing, asker)
        _limit(asker, address)
        row = _insert(listing, asker, values)
        work.require(ASK if asker.organisation_id is not None else CREATE, row)
        write_down(row, "asker", asker.person_id, asker.label, values["text"])
        flow.begin(work, INQUIRY, row)
        messages.tell_owner(messages.RECEIVED, row)
        messages.tell_area(messages.IN_AREA, row)
        return row.no


def _refuse_own(actor: Actor, listing: ListingView, asker: Asker) -> None:
    if listing.owner.id in {asker.organisation_id, *actor.organisations()}:
        raise Conflict(_("这是您所在单位发布的信息，不用向自己咨询。"))


def _refuse_removed(listing: ListingView, asker: Asker) -> None:
    """Refuse whose inquiries were removed: by this owner once, or several anywhere."""
    lately = Inquiry.updated_at > clock.now() - rules.BLOCKED
    removed = select(Inquiry.owner_id).where(asker.same(), Inquiry.state == "spam", lately)
    owners = list(db.session.scalars(removed.limit(100)))
    if listing.owner.id in owners or len(owners) >= rules.MOST_REMOVED:
        raise Conflict(
            _("您先前的咨询被移除过，现在不能从网上再发；确有需要，请打这条信息上的电话。")
        )


def _limit(asker: Asker, address: str) -> None:
    if address:
        sentence = _("您这里一小时内已发出很多咨询，请过一会儿再发；急事请直接打电话。")
        limits.take(rules.BY_NETWORK, rules.network_of(address), sentence)
    sentence = _("今天发出的咨询已经很多，请明天再发；急事请直接打电话。")
    if asker.contact_key is not None:
        limits.take(rules.BY_SENDER, asker.contact_key, sentence)
    else:
        limits.take(rules.BY_MEMBER, f"{asker.organisation_id}:{asker.person_id}", sentence)


def _insert(listing: ListingView, asker: Asker, values: Mapping[str, Any]) -> Inquiry:
    now, series = clock.now(), f"{SERIES}{clock.today().year}"
    published = select(Listing.id).where(Listing.id == listing.id, Listing.state == "published")
    if db.session.scalar(published) is None:
        raise Conflict(_(OVER))
    row = Inquiry(
        no=f"{series}{numbers.take(series)[0]:06d}",
        listing_id=listing.id,
        title=listing.title,
        owner_id=listing.owner.id,
        region_id=listing.region.id,
        asker_id=asker.organisation_id,
        asker_person_id=asker.person_id,
        asker_label=asker.label,
        contact=asker.contact,
        contact_shown=asker.contact_shown,
        contact_key=asker.contact_key,
        reach=values.get("reach"),
        language="en" if is_english() else "zh",
        state="new",
        waiting_since=now,
        open_until=now + rules.ADDRESS_OPENS if asker.contact_key else None,
        demo=listing.demo,
        created_at=now,
        updated_at=now,
    )
    db.session.add(row)
    db.session.flush()
    return row
