"""Reading organisations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import joinedload

from market.accounts.models import KINDS, Organisation
from market.core.db import db, under
from market.core.errors import NotFound
from market.core.languages import translate
from market.core.pagination import EXACT_UP_TO, PageOf
from market.core.permissions import Actor, Always, StateIn, policy
from market.core.text import fold
from market.regions import queries as regions
from market.regions.models import Region
from market.regions.queries import RegionView

READ = policy.declare("accounts:organisation:read", public=StateIn(("active",)))
LIST = policy.declare("accounts:organisation:list", public=Always())


@dataclass(frozen=True)
class OrganisationView:
    """An organisation as pages and the API show it."""

    id: int
    no: str
    uscc: str | None
    name: str
    kind: str
    region: RegionView
    supervising: str | None
    telephone: str | None
    contact: str | None
    address: str | None
    hours: str | None
    website: str | None
    intro: str | None
    demo: bool

    @property
    def kind_label(self) -> str:
        return KINDS[self.kind]

    @property
    def region_code(self) -> str:
        return self.region.code

    @property
    def url(self) -> str:
        return f"/organisations/{self.no}"


@dataclass(frozen=True)
class Contact:
    """Who answers the telephone for a region or a listing."""

    name: str
    telephone: str
    hours: str | None
    url: str


_SAME_NAME = "id no uscc name kind supervising telephone contact address hours website intro demo"


def view(row: Organisation, region: RegionView | None = None) -> OrganisationView:
    """The view of a row."""
    values = {name: getattr(row, name) for name in _SAME_NAME.split()}
    return OrganisationView(region=region or regions.view(row.region), **values)


def get(actor: Actor, no: str) -> OrganisationView:
    """The organisation with this public number.

    Raises:
        NotFound: there is none, or the actor may not know of it.
    """
    query = select(Organisation).where(
        Organisation.no == no, policy.where(actor, READ, Organisation)
    )
    row = db.session.scalar(query.options(joinedload(Organisation.region)))
    if row is None:
        raise NotFound(translate("没有编号为 %(no)s 的单位。", no=no))
    return view(row, regions.view(row.region, regions.trail(row.region)))


def page(
    actor: Actor,
    *,
    q: str = "",
    kind: str = "",
    region: Region | None = None,
    page: int = 1,
    per_page: int = 25,
) -> PageOf[OrganisationView]:
    """Organisations by name, filtered by words of the name, kind and region subtree."""
    query = select(Organisation).where(policy.where(actor, READ, Organisation))
    if q:
        text = fold(q)
        by_code = Organisation.uscc == q.strip().upper()
        query = query.where(or_(Organisation.folded_name.contains(text, autoescape=True), by_code))
    if kind:
        query = query.where(Organisation.kind == kind)
    if region is not None:
        query = query.join(Organisation.region).where(under(Region.path, region.path))
    limited = query.with_only_columns(Organisation.id).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(limited)) or 0
    rows = db.session.scalars(
        query.options(joinedload(Organisation.region))
        .order_by(Organisation.folded_name, Organisation.id)
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    items = [view(row) for row in rows]
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    return PageOf(items, min(total, EXACT_UP_TO), page, per_page, total_is)


def count(actor: Actor) -> int:
    """How many organisations there are, counted up to 10,000."""
    rows = select(Organisation.id).where(policy.where(actor, READ, Organisation))
    query = select(func.count()).select_from(rows.limit(EXACT_UP_TO).subquery())
    return db.session.scalar(query) or 0


def contact_for(path_ids: Sequence[int]) -> Contact | None:
    """The office that answers for a place: the nearest one upwards that has a telephone."""
    nearest = case({key: depth for depth, key in enumerate(path_ids)}, value=Organisation.region_id)
    query = (
        select(Organisation)
        .where(
            Organisation.region_id.in_(path_ids),
            Organisation.kind == "office",
            Organisation.state == "active",
            Organisation.telephone.is_not(None),
        )
        .order_by(nearest.desc(), Organisation.id)
        .limit(1)
    )
    office = db.session.scalar(query)
    if office is None or office.telephone is None:
        return None
    return Contact(office.name, office.telephone, office.hours, f"/organisations/{office.no}")


def in_region(actor: Actor, region: RegionView, limit: int = 8) -> list[OrganisationView]:
    """Some organisations of a region and what lies below, offices first, then by name."""
    query = (
        select(Organisation)
        .join(Organisation.region)
        .where(policy.where(actor, READ, Organisation), under(Region.path, region.path))
        .options(joinedload(Organisation.region))
        .order_by(case((Organisation.kind == "office", 0), else_=1), Organisation.id)
        .limit(limit)
    )
    return [view(row) for row in db.session.scalars(query)]


@dataclass(frozen=True)
class Owner:
    """What an importer needs to know of an owner."""

    id: int
    region_id: int
    name: str
    telephone: str | None


def owner_by_id(organisation_id: int) -> Owner | None:
    """The active organisation with this id."""
    query = select(
        Organisation.id, Organisation.region_id, Organisation.name, Organisation.telephone
    ).where(Organisation.id == organisation_id, Organisation.state == "active")
    row = db.session.execute(query).first()
    return Owner(*row) if row else None


def owners_by_uscc(codes: Iterable[str]) -> dict[str, Owner]:
    """Active organisations by credit code."""
    query = select(
        Organisation.uscc,
        Organisation.id,
        Organisation.region_id,
        Organisation.name,
        Organisation.telephone,
    ).where(Organisation.uscc.in_(set(codes)), Organisation.state == "active")
    return {row[0]: Owner(*row[1:]) for row in db.session.execute(query) if row[0]}


def owners_by_name(names: Iterable[str]) -> dict[str, list[Owner]]:
    """Active organisations by folded name."""
    wanted = {fold(name) for name in names}
    query = select(
        Organisation.folded_name,
        Organisation.id,
        Organisation.region_id,
        Organisation.name,
        Organisation.telephone,
    ).where(Organisation.folded_name.in_(wanted), Organisation.state == "active")
    found: dict[str, list[Owner]] = {}
    for row in db.session.execute(query):
        found.setdefault(row[0], []).append(Owner(*row[1:]))
    return found
