"""Reading organisations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from market.accounts.models import KINDS, FormerName, FormerUscc, Organisation
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
    lock_version: int
    verified: bool

    @property
    def kind_label(self) -> str:
        return KINDS[self.kind]

    @property
    def region_code(self) -> str:
        return self.region.code

    @property
    def url(self) -> str:
        """Its page; empty for one that stands there without its name."""
        return f"/organisations/{self.no}" if self.no else ""


@dataclass(frozen=True)
class Contact:
    """Who answers the telephone for a region or a listing."""

    name: str
    telephone: str
    hours: str | None
    url: str


_SAME_NAME = "id no uscc name kind supervising telephone contact address hours website intro demo lock_version"


def view(row: Organisation, region: RegionView | None = None) -> OrganisationView:
    """The view of a row."""
    values = {name: getattr(row, name) for name in _SAME_NAME.split()}
    values["verified"] = row.verified_at is not None
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


def with_code(code: str) -> ColumnElement[bool]:
    """SQL: the organisation that has this credit code, or had it before."""
    former = select(FormerUscc.organisation_id).where(FormerUscc.code == code)
    return or_(Organisation.uscc == code, Organisation.id.in_(former))


def with_name(words: str) -> ColumnElement[bool]:
    """SQL: organisations whose name, or a former one, has these words in it."""
    text = fold(words)
    former = select(FormerName.organisation_id).where(
        FormerName.folded_name.contains(text, autoescape=True)
    )
    now: ColumnElement[bool] = Organisation.folded_name.contains(text, autoescape=True)
    return or_(now, Organisation.id.in_(former))


def former_names(organisation_id: int) -> list[str]:
    """The names that an organisation bore before, oldest first."""
    query = select(FormerName.name).where(FormerName.organisation_id == organisation_id)
    return list(db.session.scalars(query.order_by(FormerName.id)))


def by_code(code: str) -> Organisation | None:
    """The active organisation that has this credit code, or had it before."""
    query = select(Organisation).where(Organisation.state == "active", with_code(code))
    return db.session.scalar(query.options(joinedload(Organisation.region)))


def codes_of(code: str) -> list[str]:
    """This credit code and all others, former ones too, of the organisation that has or had it."""
    holder = by_code(code)
    if holder is None:
        return [code]
    former = select(FormerUscc.code).where(FormerUscc.organisation_id == holder.id)
    return list(
        dict.fromkeys([code, *([holder.uscc] if holder.uscc else []), *db.session.scalars(former)])
    )


def find(actor: Actor, permission: str, no: str) -> Organisation:
    """The active organisation with this number on which the actor has the permission.

    Raises:
        NotFound: there is none for him.
    """
    query = select(Organisation).where(
        Organisation.no == no.upper(),
        Organisation.state == "active",
        policy.where(actor, permission, Organisation),
    )
    row = db.session.scalar(query.options(joinedload(Organisation.region)))
    if row is None:
        raise NotFound(translate("没有编号为 %(no)s 的单位。", no=no))
    return row


def merged_into(no: str) -> str | None:
    """The number of the organisation that this one was merged into."""
    target = aliased(Organisation)
    query = (
        select(target.no)
        .join(Organisation, Organisation.merged_into_id == target.id)
        .where(Organisation.no == no, target.state == "active")
    )
    return db.session.scalar(query)


def own(actor: Actor, no: str = "") -> Organisation | None:
    """The organisation that somebody acts for: the named one of his own, else the first."""
    ids = actor.organisations()
    query = select(Organisation).where(Organisation.id.in_(ids), Organisation.state == "active")
    rows = db.session.scalars(query.options(joinedload(Organisation.region))).all()
    rows = sorted(rows, key=lambda row: ids.index(row.id))
    if no:
        return next((row for row in rows if row.no == no), None)
    return rows[0] if rows else None


def all_own(actor: Actor) -> list[OrganisationView]:
    """All organisations that somebody acts for, by name."""
    query = select(Organisation).where(
        Organisation.id.in_(actor.organisations()), Organisation.state == "active"
    )
    query = query.options(joinedload(Organisation.region)).order_by(Organisation.folded_name)
    return [view(row) for row in db.session.scalars(query)]


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
        query = query.where(or_(with_name(q), with_code(q.strip().upper())))
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


def office_name(path_ids: Sequence[int]) -> str | None:
    """The name of the office that answers for a place: the nearest one upwards."""
    nearest = case({key: depth for depth, key in enumerate(path_ids)}, value=Organisation.region_id)
    query = select(Organisation.name).where(
        Organisation.region_id.in_(path_ids),
        Organisation.kind == "office",
        Organisation.state == "active",
    )
    return db.session.scalar(query.order_by(nearest.desc(), Organisation.id).limit(1))


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
    """Active organisations by credit code, present or former."""
    wanted = set(codes)
    columns = (
        Organisation.id,
        Organisation.region_id,
        Organisation.name,
        Organisation.telephone,
    )
    active = Organisation.state == "active"
    former = (
        select(FormerUscc.code, *columns)
        .join(Organisation, Organisation.id == FormerUscc.organisation_id)
        .where(FormerUscc.code.in_(wanted), active)
    )
    now = select(Organisation.uscc, *columns).where(Organisation.uscc.in_(wanted), active)
    rows = [*db.session.execute(former), *db.session.execute(now)]
    return {row[0]: Owner(*row[1:]) for row in rows if row[0]}


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
