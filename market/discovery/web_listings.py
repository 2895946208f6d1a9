"""Pages of listings: one with what is akin to it, several side by side."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, render_template, request

from market.catalogue import queries as catalogue
from market.catalogue.publishing import public_queries
from market.catalogue.queries import READ
from market.core.errors import Gone
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.text import clean_line
from market.discovery import compare as comparing
from market.discovery import related
from market.service_points import queries as service_points

blueprint = Blueprint("listing_pages", __name__)


@blueprint.get("/achievements/<string:no>")
@requires(READ)
def achievement(no: str) -> str | tuple[str, int]:
    """A research outcome."""
    return _page("achievement", no)


@blueprint.get("/demands/<string:no>")
@requires(READ)
def demand(no: str) -> str | tuple[str, int]:
    """A demand."""
    return _page("demand", no)


def _page(kind: str, no: str) -> str | tuple[str, int]:
    actor = current_actor()
    try:
        listing = catalogue.get(actor, kind, no)
    except Gone as gone:
        return render_template("catalogue/gone.html", no=no, message=gone.message), 410
    akin = related.of(actor, listing)
    market = current_app.extensions["market"]
    return render_template(
        "catalogue/listing.html",
        listing=listing,
        related=akin,
        around=public_queries.around(actor, listing),
        owner_notes=[] if listing.name_hidden else market.owner_notes(listing.owner.id),
        beside=market.beside_listing(actor, listing.id),
        registering=_who_registers(kind, listing),
    )


def _who_registers(kind: str, listing: catalogue.ListingView) -> dict[str, Any]:
    """Of what is sold its owner's bodies; a demand's owner buys, so only its place tells."""
    known = kind == "achievement" and not listing.name_hidden
    seller = listing.owner.id if known else None
    return service_points.beside(listing.region, seller)


@blueprint.get("/compare")
@requires(READ)
def compare() -> str:
    """Up to four listings side by side; which ones is in the address."""
    asked = [clean_line(no)[:20].upper() for no in request.args.getlist("no")]
    found = comparing.compare(current_actor(), [no for no in asked if no])
    return render_template("discovery/compare.html", compared=found)
