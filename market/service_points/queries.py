"""Reading admissions: the public directory, an office's list, and what the next rooms ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import joinedload

from market.accounts.models import Organisation
from market.core import clock
from market.core.db import db, under
from market.core.errors import Conflict, NotFound
from market.core.languages import N_, translate
from market.core.masking import mask_name
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.text import fold
from market.regions import queries as regions
from market.regions.models import Region, path_ids
from market.regions.queries import RegionView
from market.service_points import rules
from market.service_points.finding import powers_held, topics_of
from market.service_points.models import (
    BODY,
    KINDS,
    POINT,
    POWERS,
    Admission,
    AdmissionArea,
    AdmissionStaff,
    AdmissionTopic,
    AdmissionUnit,
)
from market.service_points.specialists import queries as specialist_queries
from market.service_points.specialists.queries import SpecialistView
from market.service_points.workflow import LIST, READ


@dataclass(frozen=True)
class Asked:
    """What the directory is asked for."""

    q: str = ""
    kind: str = ""
    region: RegionView | None = None
    field: str = ""
    industry: str = ""


@dataclass(frozen=True)
class Entry:
    """An admission as lists show it. how: why it stands among the nearest."""

    no: str
    title: str
    kind: str
    organisation: str
    organisation_no: str
    region: RegionView
    address: str | None
    telephone: str | None
    hours: str | None
    valid_from: date
    valid_to: date | None
    state: str
    reason: str | None
    demo: bool
    how: str = ""

    @property
    def kind_label(self) -> str:
        return KINDS[self.kind]

    @property
    def url(self) -> str:
        return f"/service-points/{self.no}"

    @property
    def expired(self) -> bool:
        return self.valid_to is not None and self.valid_to < clock.today()

    @property
    def soon(self) -> bool:
        """Whether its validity ends within sixty days."""
        today = clock.today()
        return self.valid_to is not None and today <= self.valid_to <= today + rules.SOON


@dataclass(frozen=True)
class StaffMember:
    """Somebody who works there, as the public may know him."""

    id: int
    name: str
    duty: str
    ab_role: str | None
    certificate: str | None
    trained_on: date | None
    listed: bool


@dataclass(frozen=True)
class Detail:
    """An admission with everything on its page."""

    entry: Entry
    powers: Sequence[str]
    areas: Sequence[RegionView]
    units: Sequence[tuple[str, str]]
    parent: Entry | None
    below: Sequence[Entry]
    staff: Sequence[StaffMember]
    fields: Sequence[str]
    industries: Sequence[str]
    row: Admission


def entry_of(row: Admission, how: str = "") -> Entry:
    """An admission as lists show it."""
    same = "no title kind address telephone hours valid_from valid_to state reason demo"
    return Entry(
        organisation=row.owner.name,
        organisation_no=row.owner.no,
        region=regions.view(row.region),
        how=how,
        **{name: getattr(row, name) for name in same.split()},
    )


def whole_rows() -> Select[Admission]:
    return (
        select(Admission)
        .join(Admission.owner)
        .join(Region, Region.id == Admission.region_id)
        .options(joinedload(Admission.owner), joinedload(Admission.region))
    )


def says(words: str) -> list[ColumnElement[bool]]:
    """SQL: each word stands in a name, the address, or is an industry."""
    found = []
    for word in words.split():
        text = fold(word)
        industry = select(AdmissionTopic.admission_id).where(
            AdmissionTopic.sort == "industry", AdmissionTopic.value == word
        )
        found.append(
            or_(
                Admission.folded.contains(text, autoescape=True),
                Organisation.folded_name.contains(text, autoescape=True),
                Admission.id.in_(industry),
            )
        )
    return found


def _about(sort: str, value: str) -> ColumnElement[bool]:
    rows = select(AdmissionTopic.admission_id)
    rows = rows.where(AdmissionTopic.sort == sort, AdmissionTopic.value == value)
    return Admission.id.in_(rows)


def chosen(actor: Actor, asked: Asked, *, any_kind: bool = False) -> Select[Admission]:
    query = whole_rows().where(
        policy.where(actor, LIST, Admission), Admission.running(clock.today())
    )
    query = query.where(*says(asked.q))
    if asked.kind and not any_kind:
        query = query.where(Admission.kind == asked.kind)
    if asked.region is not None:
        query = query.where(under(Region.path, asked.region.path))
    if asked.field:
        query = query.where(_about("field", asked.field))
    if asked.industry:
        query = query.where(_about("industry", asked.industry))
    return query


BY_KIND = case({kind: at for at, kind in enumerate(KINDS)}, value=Admission.kind)


def search(
    actor: Actor, asked: Asked, page: int = 1, per_page: int = ROWS_PER_PAGE
) -> PageOf[Entry]:
    """What is in force now and fits, bodies first, then points, then the others by name."""
    query = chosen(actor, asked)
    return page_of(query.order_by(BY_KIND, Organisation.folded_name, Admission.id), page, per_page)


def page_of(query: Select[Admission], page: int, per_page: int) -> PageOf[Entry]:
    limited = query.order_by(None).with_only_columns(Admission.id).limit(EXACT_UP_TO + 1)
    total = db.session.scalar(select(func.count()).select_from(limited.subquery())) or 0
    rows = db.session.scalars(query.limit(per_page).offset((page - 1) * per_page))
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    found = [entry_of(row) for row in rows]
    return PageOf(found, min(total, EXACT_UP_TO), page, per_page, total_is)


def counts(actor: Actor, asked: Asked) -> dict[str, int]:
    """How many of each kind there would be with the same other conditions."""
    query = chosen(actor, asked, any_kind=True).with_only_columns(Admission.kind, func.count())
    found = {row[0]: row[1] for row in db.session.execute(query.group_by(Admission.kind))}
    return {kind: found[kind] for kind in KINDS if kind in found}


def topics(sort: str) -> list[str]:
    """The fields or industries that something in force works for, for the choices of a page."""
    query = (
        select(AdmissionTopic.value)
        .distinct()
        .join(Admission, Admission.id == AdmissionTopic.admission_id)
    )
    query = query.where(AdmissionTopic.sort == sort, Admission.running(clock.today()))
    return list(db.session.scalars(query.order_by(AdmissionTopic.value).limit(200)))


def near(actor: Actor, asked: Asked, limit: int = 10) -> list[Entry]:
    """What lies nearest beyond a region: its county's, what serves it, its prefecture's."""
    place = asked.region
    if place is None or place.level not in {"county", "township"}:
        return []
    ids = path_ids(place.path)
    above = ["/" + "/".join(map(str, ids[:depth])) + "/" for depth in (2, 3)]
    serves = Admission.id.in_(
        select(AdmissionArea.admission_id).where(AdmissionArea.region_id.in_(ids))
    )
    county, prefecture = under(Region.path, above[1]), under(Region.path, above[0])
    rank = case((county, 1), (serves, 2), else_=3)
    everywhere = Asked(asked.q, asked.kind, None, asked.field, asked.industry)
    query = (
        chosen(actor, everywhere)
        .where(or_(serves, prefecture), ~under(Region.path, place.path))
        .add_columns(rank.label("rank"))
        .order_by("rank", BY_KIND, Admission.id)
        .limit(limit)
    )
    words = {1: N_("本县"), 2: N_("服务本地"), 3: N_("同市（州）")}
    return [entry_of(row, words[at]) for row, at in db.session.execute(query)]


def find(actor: Actor, no: str) -> Admission:
    """The admission with this number, whatever its state. Raises NotFound."""
    query = whole_rows().where(Admission.no == no.upper(), policy.where(actor, READ, Admission))
    row = db.session.scalar(query)
    if row is None:
        raise NotFound(translate("没有编号为 %(no)s 的机构或服务点。", no=no))
    return row


def load(actor: Actor, permission: str, no: str) -> Admission:
    """The admission with this number on which the actor has the permission. Raises NotFound."""
    query = whole_rows().where(
        Admission.no == no.upper(), policy.where(actor, permission, Admission)
    )
    row = db.session.scalar(query)
    if row is None:
        raise NotFound(f"没有编号为 {no} 的机构或服务点。")
    return row


def refuse_ended(row: Admission) -> None:
    """Refuse changes to what has ended. Raises Conflict."""
    if row.state == "ended":
        raise Conflict("已终止的不能再改；重新设立请另录一条。")


def get(actor: Actor, no: str) -> Detail:
    """Everything on the page of an admission. Raises NotFound."""
    row = find(actor, no)
    below = whole_rows().where(Admission.parent_id == row.id, Admission.running(clock.today()))
    areas = select(AdmissionArea).where(AdmissionArea.admission_id == row.id)
    units = select(AdmissionUnit).where(AdmissionUnit.admission_id == row.id)
    return Detail(
        entry=entry_of(row),
        powers=powers_held(row),
        areas=[
            regions.view(one.region)
            for one in db.session.scalars(areas.options(joinedload(AdmissionArea.region)))
        ],
        units=[
            (one.organisation.no, one.organisation.name)
            for one in db.session.scalars(units.options(joinedload(AdmissionUnit.organisation)))
        ],
        parent=entry_of(row.parent) if row.parent is not None else None,
        below=[
            entry_of(one) for one in db.session.scalars(below.order_by(Admission.id).limit(100))
        ],
        staff=[_staff(one) for one in row.staff],
        fields=topics_of(row.topics, "field"),
        industries=topics_of(row.topics, "industry"),
        row=row,
    )


def _staff(row: AdmissionStaff) -> StaffMember:
    """Without the consent of somebody his name is masked (titles and names only with consent)."""
    name = row.person.name if row.person is not None else row.name or ""
    plain, mark, more = name.partition("（")  # （演示） stays to be seen
    shown = name if row.listed else mask_name(plain) + mark + more
    same = "id duty ab_role certificate trained_on listed"
    return StaffMember(name=shown, **{key: getattr(row, key) for key in same.split()})


def of_organisation(organisation_id: int) -> list[Entry]:
    """What an organisation is admitted as now, for its page."""
    query = whole_rows().where(
        Admission.organisation_id == organisation_id, Admission.state != "ended"
    )
    until = or_(Admission.valid_to.is_(None), Admission.valid_to >= clock.today())
    return [entry_of(row) for row in db.session.scalars(query.where(until).order_by(BY_KIND))]


def count_in(region: RegionView) -> int:
    """How many bodies, points and institutions are in force in a region."""
    rows = (
        select(Admission.id)
        .join(Admission.region)
        .where(Admission.running(clock.today()), under(Region.path, region.path))
    )
    return db.session.scalar(select(func.count()).select_from(rows.limit(1000).subquery())) or 0


# -- what the next rooms ask


def bodies_for(organisation: Organisation, day: date) -> list[Admission]:
    """The bodies that register what this organisation sells, on a day.

    A body serves whom its area covers (regions with all below) and the units it names; those that
    name it come first, then the smaller area.
    """
    return _bodies(organisation.region.path_ids, organisation.id, day)


def _bodies(ids: Sequence[int], unit_id: int | None, day: date) -> list[Admission]:
    unit = select(AdmissionUnit.admission_id).where(AdmissionUnit.organisation_id == unit_id)
    area = select(AdmissionArea.admission_id, func.max(func.length(Region.path)).label("depth"))
    area = area.join(Region, Region.id == AdmissionArea.region_id)
    covering = area.where(AdmissionArea.region_id.in_(ids)).group_by(AdmissionArea.admission_id)
    depth = covering.subquery()
    named = Admission.id.in_(unit)
    query = (
        whole_rows()
        .outerjoin(depth, depth.c.admission_id == Admission.id)
        .where(Admission.kind == BODY, Admission.running(day))
        .where(or_(named, depth.c.admission_id.is_not(None)))
        .order_by(case((named, 0), else_=1), depth.c.depth.desc(), Admission.id)
    )
    return list(db.session.scalars(query))


def beside(region: RegionView, seller_id: int | None) -> dict[str, Any]:
    """Who registers contracts of a place and who helps with them, for the page of a listing.

    Args:
        seller_id: whose contracts; None where the owner buys, or is not to be known.
    """
    ids = path_ids(region.path)
    county = "/" + "/".join(map(str, ids[:3])) + "/"
    points = whole_rows().where(
        Admission.kind == POINT, Admission.running(clock.today()), under(Region.path, county)
    )
    return {
        "bodies": [entry_of(row) for row in _bodies(ids, seller_id, clock.today())[:2]],
        "points": [
            entry_of(row) for row in db.session.scalars(points.order_by(Admission.id).limit(3))
        ],
        "region": region,
    }


def powers_of(admission: Admission) -> frozenset[str]:
    """What a body or a point may do; nothing for the other kinds, nor while it is not in force."""
    if admission.kind not in POWERS or not admission.runs_on(clock.today()):
        return frozenset()
    return frozenset(powers_held(admission))


def institutions_in(
    region: RegionView, industry: str = "", kind: str = "transfer_institution"
) -> list[Admission]:
    """Institutions in force in a region or that serve it, for an industry; those in it first."""
    serves = Admission.id.in_(
        select(AdmissionArea.admission_id).where(AdmissionArea.region_id.in_(path_ids(region.path)))
    )
    inside = under(Region.path, region.path)
    query = whole_rows().where(Admission.kind == kind, Admission.running(clock.today()))
    query = query.where(or_(inside, serves))
    if industry:
        query = query.where(_about("industry", industry))
    return list(db.session.scalars(query.order_by(case((inside, 0), else_=1), Admission.id)))


def specialists(
    *,
    region: RegionView | None = None,
    kind: str = "",
    field: str = "",
    industry: str = "",
    q: str = "",
    limit: int = 50,
) -> list[SpecialistView]:
    """Brokers and experts whom everybody may see, for proposals."""
    asked = specialist_queries.Asked(q, kind, region, field, industry)
    return specialist_queries.listed(asked, limit)
