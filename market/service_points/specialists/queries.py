"""Reading specialists: those who agreed to be listed, and all of an office's area."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from market.accounts.models import Organisation
from market.core import clock
from market.core.db import db, under
from market.core.errors import NotFound
from market.core.languages import translate
from market.core.masking import mask_contact
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.secrets import unseal
from market.core.text import fold
from market.regions import queries as regions
from market.regions.models import Region
from market.regions.queries import RegionView
from market.service_points import rules
from market.service_points.finding import field_names, topics_of
from market.service_points.models import GRADES, SPECIALIST_KINDS, Specialist, SpecialistTopic
from market.service_points.workflow import DESCRIBE_SELF, OVERSEE_SPECIALISTS, READ_SPECIALIST

CERTIFICATE, CONTACT = "specialist.certificate", "specialist.contact"  # purposes of seals


@dataclass(frozen=True)
class Asked:
    """What the list is asked for."""

    q: str = ""
    kind: str = ""
    region: RegionView | None = None
    field: str = ""
    industry: str = ""


@dataclass(frozen=True)
class SpecialistView:
    """A specialist as pages show him; certificate and contact are masked."""

    id: int
    no: str
    kind: str
    name: str
    organisation: str | None
    organisation_no: str | None
    region: RegionView
    grade: str | None
    rank: str | None
    fields: Sequence[str]
    field_labels: list[str]
    industries: list[str]
    certificate: str
    issuer: str | None
    valid_to: date | None
    intro: str | None
    public: bool
    consented_on: date | None
    consent_how: str | None
    demo: bool

    @property
    def kind_label(self) -> str:
        return SPECIALIST_KINDS[self.kind]

    @property
    def grade_label(self) -> str:
        return GRADES.get(self.grade or "", "")

    @property
    def expired(self) -> bool:
        """Whether the certificate is not valid any more."""
        return self.valid_to is not None and self.valid_to < clock.today()

    @property
    def url(self) -> str:
        return f"/specialists/{self.no}"


def mask_certificate(number: str) -> str:
    """The last four characters of a certificate's number."""
    return f"****{number[-4:]}" if len(number) > 6 else "****"


def view(row: Specialist) -> SpecialistView:
    """The view of a row, for whoever may read it."""
    number = unseal(row.certificate, CERTIFICATE) if row.certificate else None
    same = "id no kind name grade rank issuer valid_to intro public consented_on consent_how demo"
    owner, names = row.organisation, field_names()
    fields = topics_of(row.topics, "field")
    return SpecialistView(
        organisation=owner.name if owner else None,
        organisation_no=owner.no if owner else None,
        region=regions.view(row.region),
        fields=fields,
        field_labels=[names.get(code, code) for code in fields],
        industries=topics_of(row.topics, "industry"),
        certificate=mask_certificate(number) if number else "",
        **{name: getattr(row, name) for name in same.split()},
    )


def contact_of(row: Specialist) -> str | None:
    """His telephone or mail, for comparing; who shows it in full audits that."""
    return unseal(row.contact, CONTACT) if row.contact else None


def masked_contact(row: Specialist) -> str:
    """His telephone or mail, enough to recognise it."""
    contact = contact_of(row)
    return mask_contact(contact) if contact else ""


def _rows() -> Select[Specialist]:
    return (
        select(Specialist)
        .join(Region, Region.id == Specialist.region_id)
        .outerjoin(Organisation, Organisation.id == Specialist.organisation_id)
        .options(
            joinedload(Specialist.organisation),
            joinedload(Specialist.region),
            selectinload(Specialist.topics),
        )
    )


def _about(sort: str, value: str) -> Any:
    rows = select(SpecialistTopic.specialist_id)
    rows = rows.where(SpecialistTopic.sort == sort, SpecialistTopic.value == value)
    return Specialist.id.in_(rows)


def _fitting(query: Select[Specialist], asked: Asked) -> Select[Specialist]:
    for word in asked.q.split():
        text = fold(word)
        named = Specialist.folded_name.contains(text, autoescape=True)
        employed = Organisation.folded_name.contains(text, autoescape=True)
        query = query.where(or_(named, employed, _about("industry", word)))
    if asked.kind:
        query = query.where(Specialist.kind == asked.kind)
    if asked.region is not None:
        query = query.where(under(Region.path, asked.region.path))
    if asked.field:
        query = query.where(_about("field", asked.field))
    if asked.industry:
        query = query.where(_about("industry", asked.industry))
    return query


def _page(query: Select[Specialist], page: int, per_page: int) -> PageOf[SpecialistView]:
    limited = query.with_only_columns(Specialist.id).limit(EXACT_UP_TO + 1)
    total = db.session.scalar(select(func.count()).select_from(limited.subquery())) or 0
    ordered = query.order_by(Specialist.kind, Specialist.folded_name, Specialist.id)
    rows = db.session.scalars(ordered.limit(per_page).offset((page - 1) * per_page))
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    found = [view(row) for row in rows]
    return PageOf(found, min(total, EXACT_UP_TO), page, per_page, total_is)


def search(asked: Asked, page: int = 1, per_page: int = ROWS_PER_PAGE) -> PageOf[SpecialistView]:
    """Those who agreed to be listed, by kind and name."""
    return _page(_fitting(_rows().where(Specialist.listed()), asked), page, per_page)


def listed(asked: Asked, limit: int) -> list[SpecialistView]:
    """The first of those who agreed to be listed."""
    query = _fitting(_rows().where(Specialist.listed()), asked)
    ordered = query.order_by(Specialist.kind, Specialist.folded_name, Specialist.id)
    return [view(row) for row in db.session.scalars(ordered.limit(limit))]


def counts(asked: Asked) -> dict[str, int]:
    """How many of each kind the public list would have with the same other conditions."""
    everywhere = Asked(asked.q, "", asked.region, asked.field, asked.industry)
    query = _fitting(_rows().where(Specialist.listed()), everywhere)
    counted = query.with_only_columns(Specialist.kind, func.count(Specialist.id))
    found = {row[0]: row[1] for row in db.session.execute(counted.group_by(Specialist.kind))}
    return {kind: found[kind] for kind in SPECIALIST_KINDS if kind in found}


def find(actor: Actor, permission: str, no: str) -> Specialist:
    """The specialist with this number on whom the actor has the permission. Raises NotFound."""
    query = _rows().where(
        Specialist.no == no.upper(),
        Specialist.removed_at.is_(None),
        policy.where(actor, permission, Specialist),
    )
    row = db.session.scalar(query)
    if row is None:
        raise NotFound(
            translate("没有编号为 %(no)s 的技术经理人或专家，或者本人没有同意公开。", no=no)
        )
    return row


def get(actor: Actor, no: str) -> SpecialistView:
    """A specialist on his page: for everybody who may know of him. Raises NotFound."""
    return view(find(actor, READ_SPECIALIST, no))


def desk(actor: Actor, asked: Asked, page: int = 1) -> PageOf[SpecialistView]:
    """All of the office's area, those without consent too."""
    query = _rows().where(
        policy.where(actor, OVERSEE_SPECIALISTS, Specialist), Specialist.removed_at.is_(None)
    )
    return _page(_fitting(query, asked), page, ROWS_PER_PAGE)


def own(actor: Actor) -> list[SpecialistView]:
    """The entries of somebody who is signed in, listed or not."""
    query = _rows().where(
        policy.where(actor, DESCRIBE_SELF, Specialist), Specialist.removed_at.is_(None)
    )
    return [view(row) for row in db.session.scalars(query.order_by(Specialist.id).limit(50))]


def of_organisation(organisation_id: int) -> list[SpecialistView]:
    """Those of an organisation who agreed to be listed."""
    query = _rows().where(Specialist.organisation_id == organisation_id, Specialist.listed())
    return [view(row) for row in db.session.scalars(query.order_by(Specialist.id).limit(50))]


def words_of(row: Specialist) -> dict[str, Any]:
    """A specialist as forms and files write him; what is sealed stays sealed and is left empty."""
    names = field_names()
    same = "no kind name grade rank issuer valid_to intro consented_on consent_how"
    owner = row.organisation
    return {key: getattr(row, key) for key in same.split()} | {
        "organisation": (owner.uscc or owner.no) if owner else None,
        "region": row.region.full_name,
        "fields": [names.get(code, code) for code in topics_of(row.topics, "field")],
        "industries": topics_of(row.topics, "industry"),
        "certificate": None,
        "contact": None,
    }


def export(asked: Asked) -> Iterator[Mapping[str, Any]]:
    """The whole public list as rows of a file, up to 20,000."""
    query = _fitting(_rows().where(Specialist.listed()), asked)
    for row in db.session.scalars(query.order_by(Specialist.no).limit(rules.MOST_ROWS)):
        yield words_of(row)


def all_of(kind: str) -> Iterator[Mapping[str, Any]]:
    """All of a kind as rows of a file, for the operator."""
    query = _rows().where(Specialist.kind == kind, Specialist.removed_at.is_(None))
    for row in db.session.scalars(query.order_by(Specialist.no).limit(rules.MOST_ROWS)):
        yield words_of(row)
