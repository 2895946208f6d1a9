"""Schemes as pages and programs read them: known for a place, versions, budgets, past cases."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from market.accounts.models import Organisation
from market.accounts.roles import OFFICES
from market.core import clock
from market.core.db import db
from market.core.errors import NotFound
from market.core.permissions import Actor, policy
from market.regions import queries as regions
from market.regions.models import Region, path_ids
from market.regions.queries import RegionView
from market.vouchers import preview
from market.vouchers.content import OpenPoint, open_points
from market.vouchers.describing import Change, Entry, changes, describe
from market.vouchers.models import SCHEME_STATES, VERSION_STATES, Scheme, SchemeVersion
from market.vouchers.preview import Tried
from market.vouchers.scheme_pages import books
from market.vouchers.scheme_pages.books import Budget
from market.vouchers.sheet import Sheet, read
from market.vouchers.shipped import Shipped, by_code, shipped
from market.vouchers.workflow import READ_BOOKS, VIEW

_PLACES = {"owner_region", "applicant_regions", "payers", "top_ups"}
_CODE = re.compile(r"\b\d{6}\b")
_SERVICE_FIELDS = {"rate_bp", "rate_max_bp", "band_mode"}
MOST = 200  # schemes of a list


def address(no: str, version: int) -> str:
    """Where a scheme is read."""
    return f"/vouchers/{no}" if version else f"/desk/vouchers/schemes/{no}"


@dataclass(frozen=True)
class Line:
    """A scheme in a list. budget: of this year, where the office publishes it."""

    no: str
    title: str
    region: str
    region_code: str
    state: str
    version: int
    demo: bool
    open_points: int = 0
    has_draft: bool = False
    budget: Budget | None = None

    @property
    def url(self) -> str:
        """Its public page; the desk's, while it is in force nowhere."""
        return address(self.no, self.version)

    @property
    def state_label(self) -> str:
        """The state in words."""
        return SCHEME_STATES[self.state]


@dataclass(frozen=True)
class VersionShown:
    """A version and what it says otherwise than the one before."""

    version: int
    state: str
    content: Mapping[str, Any]
    published_at: Any
    changes: Sequence[Change]

    @property
    def state_label(self) -> str:
        """The state in words."""
        return VERSION_STATES[self.state]

    @property
    def from_day(self) -> str:
        """The day from which it holds, as it says itself."""
        return str(self.content.get("effective_from") or "")


@dataclass(frozen=True)
class Told:
    """A content in words, as a page tells it."""

    content: Mapping[str, Any]
    sheet: Sheet
    entries: Sequence[Entry]
    open: Sequence[OpenPoint]
    examples: Sequence[Tried]


def told(content: Mapping[str, Any]) -> Told:
    """What a page says of a content."""
    made = preview.examples(content, clock.today())
    return Told(
        content,
        read(content),
        entries(content),
        open_points(content),
        preview.preview(content, made),
    )


def entries(content: Mapping[str, Any]) -> list[Entry]:
    """A content in words, as it was chosen to be read, with names of places for their codes."""
    said = describe(as_chosen(content))
    codes = {code for one in said if one.field in _PLACES for code in _CODE.findall(one.words)}
    names = regions.full_names(codes) if codes else {}
    return [
        replace(one, words=_CODE.sub(lambda found: names.get(found[0], found[0]), one.words))
        if one.field in _PLACES
        else one
        for one in said
    ]


def as_chosen(content: Mapping[str, Any]) -> dict[str, Any]:
    """A content with what the chosen readings set, for telling it in words."""
    found = dict(content)
    for row in content.get("readings", ()):
        chosen = [
            one.get("sets") or {} for one in row["options"] if one["code"] == row.get("chosen")
        ]
        for name, value in (chosen[0] if chosen else {}).items():
            if name in _SERVICE_FIELDS:
                found["services"] = [{**one, name: value} for one in found.get("services", ())]
            else:
                found[name] = value
    return found


def find(actor: Actor, no: str, permission: str = VIEW) -> Scheme:
    """A scheme that the actor may see.

    Raises:
        NotFound: none that he may know.
    """
    found = db.session.scalar(
        select(Scheme).where(Scheme.no == no, policy.where(actor, permission, Scheme))
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的创新券办法。")
    return found


def sheet_named(code: str) -> Shipped:
    """A shipped sheet. Raises NotFound."""
    found = by_code(code)
    if found is None:
        raise NotFound("没有收录这份办法。")
    return found


def versions(scheme: Scheme, drafts: bool = False) -> list[VersionShown]:
    """The versions, newest first, each with what it changed."""
    query = select(SchemeVersion).where(SchemeVersion.scheme_id == scheme.id)
    if not drafts:
        query = query.where(SchemeVersion.state != "draft")
    found: list[VersionShown] = []
    before: Mapping[str, Any] | None = None
    for row in db.session.scalars(query.order_by(SchemeVersion.version)):
        said = as_chosen(row.content)
        differs = changes(before, said) if before is not None else []
        found.append(VersionShown(row.version, row.state, row.content, row.published_at, differs))
        before = said
    return found[::-1]


def public_version(scheme: Scheme) -> SchemeVersion:
    """What the public reads: the version in force, or the last that was. Raises NotFound."""
    found = db.session.scalar(
        select(SchemeVersion).where(
            SchemeVersion.scheme_id == scheme.id, SchemeVersion.version == scheme.version
        )
    )
    if found is None:
        raise NotFound(f"没有编号为 {scheme.no} 的创新券办法。")
    return found


def working_version(scheme: Scheme) -> SchemeVersion:
    """What an office works on: the draft, else the newest."""
    query = select(SchemeVersion).where(SchemeVersion.scheme_id == scheme.id)
    return db.session.scalars(query.order_by(SchemeVersion.version.desc()).limit(1)).one()


def both_versions(scheme: Scheme) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """What is written, and what is in force beside it; None: nothing else is."""
    written = working_version(scheme)
    beside_it = written.state == "draft" and scheme.version > 0
    return written.content, public_version(scheme).content if beside_it else None


def known_in(actor: Actor, region_ids: Sequence[int] | None) -> list[Line]:
    """Schemes of a place's offices and of those above it, closed ones last; None: of all places."""
    query = select(Scheme).where(policy.where(actor, VIEW, Scheme))
    if region_ids is not None:
        query = query.where(Scheme.region_id.in_(region_ids))
    query = query.order_by(Scheme.state.desc(), Scheme.title, Scheme.id).limit(MOST)
    rows = db.session.scalars(query.options(joinedload(Scheme.region))).all()
    if not rows:
        return []
    contents = _contents(rows)
    shown = books.budgets([row.id for row in rows if contents[row.id].get("budget_public")])
    year = clock.today().year
    return [
        _line(
            row,
            contents[row.id],
            next((one for one in shown.get(row.id, ()) if one.year == year), None),
        )
        for row in rows
    ]


def _contents(rows: Sequence[Scheme]) -> dict[int, Mapping[str, Any]]:
    query = (
        select(SchemeVersion.scheme_id, SchemeVersion.content)
        .join(Scheme, Scheme.id == SchemeVersion.scheme_id)
        .where(Scheme.id.in_([row.id for row in rows]), SchemeVersion.version == Scheme.version)
    )
    return {key: value for key, value in db.session.execute(query)}  # noqa: C416


def _line(
    row: Scheme, content: Mapping[str, Any], budget: Budget | None = None, has_draft: bool = False
) -> Line:
    return Line(
        row.no, row.title, row.region.full_name, row.region.code, row.state, row.version, row.demo,
        len(open_points(content)) if content else 0, has_draft, budget,
    )  # fmt: skip


def of_office(actor: Actor) -> list[Line]:
    """The schemes of one's area, drafts too."""
    query = select(Scheme).where(policy.where(actor, READ_BOOKS, Scheme))
    query = query.order_by(Scheme.id.desc()).limit(MOST)
    rows = db.session.scalars(query.options(joinedload(Scheme.region))).all()
    newest = (
        select(func.max(SchemeVersion.version))
        .where(SchemeVersion.scheme_id == Scheme.id)
        .correlate(Scheme)
        .scalar_subquery()
    )
    last = {
        version.scheme_id: version
        for version in db.session.scalars(
            select(SchemeVersion)
            .join(Scheme, Scheme.id == SchemeVersion.scheme_id)
            .where(Scheme.id.in_([row.id for row in rows]), SchemeVersion.version == newest)
        )
    }
    shown, year = books.budgets([row.id for row in rows]), clock.today().year
    return [
        _line(
            row,
            last[row.id].content,
            next((one for one in shown.get(row.id, ()) if one.year == year), None),
            last[row.id].state == "draft",
        )
        for row in rows
    ]


def areas(actor: Actor) -> list[Region]:
    """Where an office may begin a scheme."""
    ids = [path_ids(path)[-1] for path in actor.areas(*OFFICES)]
    return [db.session.get_one(Region, one) for one in ids]


def place_of_reader(actor: Actor) -> RegionView | None:
    """Where somebody signed in is at home: his office's area, or his organisation's place."""
    office = areas(actor)
    if office:
        return regions.view(office[0])
    own = actor.organisations()
    if not own:
        return None
    query = select(Region).join(Organisation, Organisation.region_id == Region.id)
    home = db.session.scalars(query.where(Organisation.id == own[0])).one()
    return regions.view(home)


def sheets_for(codes: Sequence[str] | None) -> list[Shipped]:
    """Shipped sheets of a place and those above it; None: all of them."""
    return [one for one in shipped() if codes is None or one.sheet.owner_region in codes]


def sheet_places() -> dict[str, str]:
    """Where the shipped sheets come from: full name of the region by code."""
    codes = {one.sheet.owner_region for one in shipped()} - {None}
    query = select(Region.code, Region.full_name).where(Region.code.in_(codes))
    return {key: value for key, value in db.session.execute(query)}  # noqa: C416
