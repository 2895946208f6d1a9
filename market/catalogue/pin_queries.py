"""Reading what counties put first on their pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from market.catalogue.display import price_text
from market.catalogue.models import STAGES, Listing, Pin, Revision
from market.catalogue.queries import PATHS, READ
from market.core.db import db
from market.core.permissions import Actor, policy
from market.regions import queries as regions
from market.regions.models import Region


@dataclass(frozen=True)
class PinView:
    """A pinned listing as a short list shows it; `note` says why the county recommends it."""

    no: str
    kind: str
    title: str
    note: str | None
    region_name: str
    stage_label: str
    price_label: str
    updated: datetime
    demo: bool

    @property
    def url(self) -> str:
        return f"/{PATHS[self.kind]}/{self.no}"


def pins(actor: Actor, region_id: int) -> list[PinView]:
    """What a county put first and the reader may see, in its order."""
    query = (
        select(Listing, Revision, Region, Pin.note)
        .join(Listing, Listing.id == Pin.listing_id)
        .join(Revision, Revision.id == Listing.current_id)
        .join(Region, Region.id == Listing.region_id)
        .where(Pin.region_id == region_id)
        .order_by(Pin.position)
    )
    return [
        PinView(
            no=listing.no,
            kind=listing.kind,
            title=revision.title,
            note=note,
            region_name=regions.view(place).short_name,
            stage_label=STAGES.get(revision.stage or "", ""),
            price_label=_price(revision) or "",
            updated=revision.created_at,
            demo=listing.demo,
        )
        for listing, revision, place, note in db.session.execute(query)
        if policy.allows(actor, READ, listing)
    ]


def _price(revision: Revision) -> str | None:
    names = ("price_mode", "price_min_fen", "price_max_fen")
    return price_text({name: getattr(revision, name) for name in names})
