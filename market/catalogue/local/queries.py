"""What local settings hold now, and which counties an officer sets them for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import joinedload

from market.accounts.roles import OFFICES
from market.catalogue.models import MOST_PINS, Listing, Pin, ReviewTarget, Term
from market.catalogue.synonyms import SCHEME
from market.core.db import db, under
from market.core.errors import NotFound
from market.core.permissions import Actor, Always, Condition, Grant, InArea, policy
from market.regions.models import MOST_INDUSTRIES, LeadingIndustry, Region

EDIT = policy.declare("catalogue:local:edit", **dict.fromkeys(OFFICES, InArea()))


@dataclass(frozen=True)
class WrittenHere(Condition):
    """Holds for synonyms that the office wrote; with `below`, also for those of all places in its
    area and for those that no office wrote."""

    below: bool = False

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        area = grant.region_path
        if area is None or target is None:
            return area is not None
        path = target.region.path if target.region is not None else None
        return path == area or (self.below and (path is None or path.startswith(area)))

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        area = grant.region_path
        if area is None:
            return false()
        if not self.below:
            return model.region.has(Region.path == area)
        return or_(model.region_id.is_(None), model.region.has(under(Region.path, area)))


READ_SYNONYMS = policy.declare("catalogue:synonym:read", **dict.fromkeys(OFFICES, Always()))
EDIT_SYNONYMS = policy.declare(
    "catalogue:synonym:edit",
    county=WrittenHere(),
    prefecture=WrittenHere(),
    province=WrittenHere(below=True),
)


@dataclass(frozen=True)
class County:
    """A county or functional zone whose settings are edited."""

    id: int
    code: str
    name: str
    full_name: str
    area_path: str

    @property
    def url(self) -> str:
        """Its page of settings."""
        return f"/desk/settings/{self.code}"


def _counties(actor: Actor) -> list[Region]:
    areas = [under(Region.path, path) for path in actor.areas(*OFFICES)]
    if not areas:
        return []
    county = or_(Region.level == "county", Region.kind == "zone")
    query = select(Region).where(or_(*areas), county, Region.valid_to.is_(None))
    return list(db.session.scalars(query.order_by(Region.code)))


def _view(row: Region) -> County:
    return County(row.id, row.code, row.short_name, row.full_name, row.path)


def counties(actor: Actor) -> list[County]:
    """The counties that the actor looks after, by code."""
    return [_view(row) for row in _counties(actor)]


def county(actor: Actor, code: str) -> County:
    """One of them.

    Raises:
        NotFound: it is no county, or not in the actor's area.
    """
    row = db.session.scalar(select(Region).where(Region.code == code, Region.valid_to.is_(None)))
    if row is None or (row.level != "county" and row.kind != "zone"):
        raise NotFound("没有这个县（市、区）。")
    found = _view(row)
    if not policy.allows(actor, EDIT, found):
        raise NotFound("没有这个县（市、区）。")
    return found


@dataclass(frozen=True)
class Held:
    """What stands in the places of a county: position → field → text; and which version that is."""

    places: dict[int, dict[str, str]]

    @property
    def version(self) -> str:
        """Changes whenever something in the places does."""
        return hashlib.sha256(repr(sorted(self.places.items())).encode()).hexdigest()[:16]

    def field(self, name: str) -> str:
        """What a field of the form, `<field>_<position>`, holds now."""
        key, _, position = name.rpartition("_")
        return self.places.get(int(position), {}).get(key, "")


def industries(region_id: int) -> Held:
    """The leading industries of a county."""
    query = select(LeadingIndustry).where(LeadingIndustry.region_id == region_id)
    rows = db.session.scalars(query.execution_options(populate_existing=True))
    return Held(
        {
            row.position: {
                "name": row.name,
                "keywords": "；".join(row.keywords),
                "source": row.source or "",
            }
            for row in rows
        }
    )


def pins(region_id: int) -> Held:
    """What a county recommends."""
    query = select(Pin).where(Pin.region_id == region_id).options(joinedload(Pin.listing))
    rows = db.session.scalars(query.execution_options(populate_existing=True))
    return Held({row.position: {"no": row.listing.no, "note": row.note or ""} for row in rows})


def review_target(region_id: int) -> str:
    """The target of days for reviews that a county's office set itself; empty: the platform's."""
    found = db.session.get(ReviewTarget, region_id, populate_existing=True)
    return "" if found is None else str(found.days)


def titles(nos: Sequence[str]) -> dict[str, str]:
    """Titles of published listings by number."""
    query = select(Listing).where(Listing.no.in_(nos), Listing.state == "published")
    rows = db.session.scalars(query.options(joinedload(Listing.current)))
    return {row.no: row.current.title for row in rows if row.current is not None}


def groups() -> list[Term]:
    """The groups of synonyms in force."""
    query = select(Term).where(Term.scheme == SCHEME, Term.valid_to.is_(None))
    return list(db.session.scalars(query.options(joinedload(Term.region)).order_by(Term.label)))


def codes() -> list[str]:
    """The codes of all groups there were."""
    return list(db.session.scalars(select(Term.code).where(Term.scheme == SCHEME)))


def group(code: str) -> Term:
    """A group in force.

    Raises:
        NotFound: there is none.
    """
    found = db.session.get(Term, (SCHEME, code))
    if found is None or found.valid_to is not None:
        raise NotFound("没有这一组同义词。")
    return found


INDUSTRY_PLACES = range(1, MOST_INDUSTRIES + 1)
PIN_PLACES = range(1, MOST_PINS + 1)
