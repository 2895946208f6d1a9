"""What a public listing page shows beside the content: pictures, files, ways to look after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from market.catalogue.models import Listing
from market.catalogue.publishing import policies
from market.catalogue.publishing.attachments import shown_with
from market.catalogue.queries import ListingView
from market.catalogue.service import EDIT
from market.core.db import db
from market.core.models import StoredFile
from market.core.permissions import Actor, policy


@dataclass(frozen=True)
class Around:
    """Pictures and files of a listing, and what this reader may do with it."""

    pictures: Sequence[StoredFile]
    files: Sequence[StoredFile]
    may_edit: bool = False
    may_take_down: bool = False


def around(actor: Actor, listing: ListingView) -> Around:
    """What belongs around a public listing."""
    found = shown_with(listing.id)
    pictures = [one for one in found if one.derived]
    files = [one for one in found if not one.derived]
    if not actor.signed_in:
        return Around(pictures, files)
    row = db.session.get_one(Listing, listing.id)
    return Around(
        pictures,
        files,
        policy.allows(actor, EDIT, row),
        policy.allows(actor, policies.TAKE_DOWN, row) and row.state == "published",
    )
