"""Reading listings: one by its number, as pages and the API show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from market.accounts import queries as accounts
from market.accounts.models import KINDS as OWNER_KINDS
from market.accounts.models import Organisation
from market.accounts.queries import Contact, OrganisationView
from market.catalogue import naming, rules, terms
from market.catalogue.content import content_of
from market.catalogue.display import Shown, displayed
from market.catalogue.models import (
    CALLS,
    COOPERATION_MODES,
    KINDS,
    OUTCOMES,
    PRICE_BANDS,
    PRICE_MODES,
    REPORT_REASONS,
    REPORT_STATES,
    STAGES,
    Listing,
    ProblemReport,
    Revision,
)
from market.catalogue.schemas import SCHEMAS
from market.core import clock
from market.core.db import db, under
from market.core.errors import Gone, NotFound
from market.core.languages import N_, translate
from market.core.permissions import Actor, Always, StateIn, policy
from market.regions import queries as regions
from market.regions.models import Region
from market.regions.queries import RegionView

# A demand that was closed stays to be read, with how it ended; it is found no more.
READ = policy.declare("catalogue:listing:read", public=StateIn(("published", "closed")))
FOLLOW = policy.declare("catalogue:report:follow", public=Always())
READ_REPORTS = policy.declare("catalogue:report:read")
# Names of the searchable parts of a listing, for reasons and highlights.
PART_LABELS = {
    "title": N_("名称"),
    "problem": N_("解决的问题"),
    "result": N_("结果"),
    "summary": N_("简介"),
    "keywords": N_("关键词"),
    "targets": N_("指标"),
    "advantage": N_("对比"),
    "background": N_("背景"),
    "use": N_("使用条件"),
    "adoption": N_("应用"),
    "owner": N_("单位"),
    "place": N_("地区"),
    "terms": N_("分类"),
    "codes": N_("编号"),
    "names": N_("名称拼音"),
}
PATHS = {"achievement": "achievements", "demand": "demands"}
_FIXED: Mapping[str, Mapping[str, str]] = {
    "kind": KINDS,
    "call": CALLS,
    "stage": STAGES,
    "mode": COOPERATION_MODES,
    "price_band": {
        **{key: label for key, (label, *_) in PRICE_BANDS.items()},
        "negotiable": PRICE_MODES["negotiable"],
    },
    "owner_kind": OWNER_KINDS,
}


@dataclass(frozen=True)
class ListingView:
    """A listing with everything a reader may see.

    content: raw values by field (codes, fen, ISO dates). shown: the same as display text, labels
    resolved, empty fields left out. labels: the Chinese name of each field.
    """

    id: int
    kind: str
    no: str
    title: str
    summary: str
    owner: OrganisationView
    region: RegionView
    phone: Contact | None
    content: Mapping[str, Any]
    shown: Mapping[str, Shown]
    labels: Mapping[str, str]
    published: datetime
    updated: datetime
    valid_until: date | None
    call_until: date | None  # the last day for answers, while it is out as a call
    completeness: int
    advice: str | None
    version: int
    demo: bool
    outcome: str | None = None
    name_hidden: bool = False  # this reader is not told whose it is

    @property
    def outcome_label(self) -> str:
        """How a closed demand ended; empty while it is open."""
        return OUTCOMES.get(self.outcome or "", "")

    @property
    def kind_label(self) -> str:
        return KINDS[self.kind]

    @property
    def stage_label(self) -> str:
        return STAGES.get(self.content.get("stage") or "", "")

    @property
    def url(self) -> str:
        return f"/{PATHS[self.kind]}/{self.no}"

    @property
    def expired(self) -> bool:
        over = self.valid_until is not None and self.valid_until < clock.today()
        return over and self.outcome is None


def moments(numbers: Sequence[str]) -> dict[str, tuple[datetime, datetime]]:
    """When listings were first published and last revised, by number."""
    published = func.coalesce(Listing.published_at, Listing.created_at)
    query = select(Listing.no, published, Revision.created_at).join(Listing.current)
    rows = db.session.execute(query.where(Listing.no.in_(numbers)))
    return {no: (first, last) for no, first, last in rows}


def last_id(actor: Actor) -> int:
    """The highest row number of a public listing; 0 when there is none."""
    query = select(func.max(Listing.id)).where(policy.where(actor, READ, Listing))
    return db.session.scalar(query) or 0


def addresses(actor: Actor, above: int, to: int) -> list[tuple[str, datetime]]:
    """Addresses of the public listings with these row numbers, each with its last revision."""
    query = select(Listing.kind, Listing.no, Revision.created_at).join(Listing.current)
    public = policy.where(actor, READ, Listing)
    within = (Listing.id > above, Listing.id <= to, Listing.state == "published", public)
    rows = db.session.execute(query.where(*within).order_by(Listing.id))
    return [(f"/{PATHS[kind]}/{no}", revised) for kind, no, revised in rows]


_LOADED = (
    joinedload(Listing.owner).joinedload(Organisation.region),
    joinedload(Listing.region),
    joinedload(Listing.current),
)


# Why a listing that was public is not any more.
_GONE = {
    "withdrawn": N_("%(kind)s %(no)s 已撤回，不再公开。"),
    "taken_down": N_("%(kind)s %(no)s 已由科技管理部门下架，不再公开。"),
}


def get(actor: Actor, kind: str, no: str) -> ListingView:
    """The listing with this public number.

    Raises:
        NotFound: there is none of this kind.
        Gone: it was public once and was withdrawn or taken down.
    """
    listing = db.session.scalar(
        select(Listing).where(Listing.no == no, Listing.kind == kind).options(*_LOADED)
    )
    if listing is None or listing.current is None:
        raise NotFound(_no_such(kind, no))
    if not policy.allows(actor, READ, listing):
        if listing.published_at is not None and listing.state in _GONE:
            words = translate(_GONE[listing.state], kind=translate(KINDS[kind]), no=no)
            raise Gone(words)
        raise NotFound(_no_such(kind, no))
    place = regions.view(listing.region, regions.trail(listing.region))
    owner, content, hidden = naming.owner_view(actor, listing, content_of(listing.current), place)
    return _view(listing, content, owner, place, _phone(content, owner, listing), hidden)


def _no_such(kind: str, no: str) -> str:
    return translate("没有编号为 %(no)s 的%(kind)s。", no=no, kind=translate(KINDS[kind]))


def several(actor: Actor, numbers: Sequence[str]) -> dict[str, ListingView]:
    """The public ones of these numbers, by number, by one statement.

    So their regions come without the trail, and their telephones are their own or the owner's.
    """
    query = select(Listing).where(Listing.no.in_(numbers), policy.where(actor, READ, Listing))
    found = {}
    for listing in db.session.scalars(query.options(*_LOADED)):
        if listing.current is not None:
            place, content = regions.view(listing.region), content_of(listing.current)
            owner, content, hidden = naming.owner_view(actor, listing, content, place)
            phone = _own_phone(content, owner)
            found[listing.no] = _view(listing, content, owner, place, phone, hidden)
    return found


def _open_call(listing: Listing) -> date | None:
    """Until when answers to its call are taken; the worker may not have noted yet that it is over."""
    until = listing.call_until
    over = until is None or until < clock.today() or listing.state != "published"
    return None if over else until


def _view(
    listing: Listing,
    content: Mapping[str, Any],
    owner: OrganisationView,
    place: RegionView,
    phone: Contact | None,
    name_hidden: bool,
) -> ListingView:
    revision = listing.current
    assert revision is not None
    schema = SCHEMAS[listing.kind]
    advice = rules.next_improvement(listing.kind, content)
    return ListingView(
        id=listing.id,
        kind=listing.kind,
        no=listing.no,
        title=revision.title,
        summary=revision.summary,
        owner=owner,
        region=place,
        phone=phone,
        content=content,
        shown=displayed(listing.kind, content),
        labels={f.attribute or key: f.metadata["label"] for key, f in schema.fields.items()},
        published=listing.published_at or listing.created_at,
        updated=revision.created_at,
        valid_until=revision.valid_until,
        call_until=_open_call(listing),
        completeness=revision.completeness,
        advice=translate("%(advice)s（完整度 +%(n)s）", advice=translate(advice[0]), n=advice[1])
        if advice
        else None,
        version=revision.version,
        demo=listing.demo,
        outcome=listing.outcome,
        name_hidden=name_hidden,
    )


def _phone(content: Mapping[str, Any], owner: OrganisationView, listing: Listing) -> Contact | None:
    """A telephone that answers: of the listing, its owner, the office of its place, the site."""
    if own := _own_phone(content, owner):
        return own
    if office := accounts.contact_for(listing.region.path_ids):
        return office
    settings = current_app.extensions["market"].settings
    return (
        Contact(settings.site_name, settings.telephone, None, "/") if settings.telephone else None
    )


def _own_phone(content: Mapping[str, Any], owner: OrganisationView) -> Contact | None:
    telephone = content.get("contact_phone") or owner.telephone
    return Contact(owner.name, telephone, owner.hours, owner.url) if telephone else None


def synonym_groups() -> tuple[tuple[str, ...], ...]:
    """Groups of words that mean the same to a search; at most a minute old."""
    return terms.synonym_groups()


def vocabulary(name: str) -> Mapping[str, str]:
    """Labels by code of a filter: kind, stage, price_band, … or a code list (field, industry, …)."""
    if name not in _FIXED:
        return terms.names(name)
    return {code: translate(label) for code, label in _FIXED[name].items()}


def vocabulary_parents(name: str) -> Mapping[str, str | None]:
    """The code above each one of a code list."""
    return terms.scheme(name).parents


def above(name: str, code: str) -> list[str]:
    """Codes that lie above one in a code list, the highest first."""
    parents = vocabulary_parents(name)
    found: list[str] = []
    while (code := parents.get(code) or "") and code not in found:
        found.insert(0, code)
    return found


@dataclass(frozen=True)
class ReportView:
    """A reader's report about a listing; `masked` says that a telephone or address was left."""

    id: int
    no: str
    reason: str
    state: str
    text: str | None
    masked: bool
    created: datetime
    listing_no: str
    listing_url: str
    title: str
    region_name: str
    owner_name: str
    office: Contact | None = None


def report_view(report: ProblemReport, office: Contact | None = None) -> ReportView:
    """A report with what it is about; needs its listing with region and owner."""
    listing = report.listing
    return ReportView(
        id=report.id,
        no=report.no,
        reason=REPORT_REASONS[report.reason],
        state=REPORT_STATES[report.state],
        text=report.text,
        masked=report.contact is not None,
        created=report.created_at,
        listing_no=listing.no,
        listing_url=f"/{PATHS[listing.kind]}/{listing.no}",
        title=listing.current.title if listing.current else listing.no,
        region_name=regions.view(listing.region).full_name,
        owner_name=listing.owner.name,
        office=office,
    )


_WITH_LISTING = joinedload(ProblemReport.listing).options(
    joinedload(Listing.current), joinedload(Listing.region), joinedload(Listing.owner)
)


def follow_report(actor: Actor, no: str) -> ReportView:
    """How a report stands, for whoever has its number. Raises NotFound."""
    policy.require(actor, FOLLOW)
    found = select(ProblemReport).where(ProblemReport.no == no.upper()).options(_WITH_LISTING)
    report = db.session.scalar(found)
    if report is None:
        raise NotFound(translate("没有编号为 %(no)s 的报告。", no=no))
    found_of = report_view(report, accounts.contact_for(report.listing.region.path_ids))
    # A withdrawn listing's name is as little public as the rest of it.
    open_to_all = policy.allows(actor, READ, report.listing)
    return found_of if open_to_all else replace(found_of, title=report.listing.no)


def open_reports(actor: Actor, path: str | None = None, limit: int = 200) -> list[ReportView]:
    """Reports nobody has dealt with, oldest first; `path`: of the region they lie in or below."""
    policy.require(actor, READ_REPORTS)
    query = select(ProblemReport).where(ProblemReport.state == "new").options(_WITH_LISTING)
    if path is not None:
        query = query.join(ProblemReport.listing).join(Listing.region)
        query = query.where(under(Region.path, path))
    rows = db.session.scalars(query.order_by(ProblemReport.id).limit(limit))
    return [report_view(report) for report in rows]
