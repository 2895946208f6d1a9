"""Reading bulletins: public ones with their frozen lines, drafts as they would look, subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import joinedload

from market.accounts.roles import OFFICES
from market.catalogue import pin_queries
from market.catalogue import queries as catalogue
from market.catalogue.models import Listing
from market.catalogue.naming import neutral_names
from market.core import clock
from market.core.db import db, under
from market.core.errors import NotFound
from market.core.languages import translate as _
from market.core.models import CaseEvent
from market.core.pagination import LISTINGS_PER_PAGE, ROWS_PER_PAGE, PageOf
from market.core.permissions import PUBLIC, Actor, policy
from market.core.workflow import timeline
from market.discovery import queries as discovery
from market.discovery.bulletins.content import Line, frozen, line
from market.discovery.bulletins.messages import read_stop_word
from market.discovery.bulletins.models import (
    STATES,
    Bulletin,
    BulletinItem,
    BulletinSubscription,
)
from market.discovery.bulletins.workflow import LIST, READ, SUBSCRIBE, WRITE
from market.discovery.forms import SearchForm
from market.regions import queries as regions
from market.regions.models import Region
from market.regions.queries import RegionView
from search_index import IndexMissing, IndexOutdated

FEED = 30  # entries
PROPOSED = 20  # listings that a new draft begins with
LEVELS = ("province", "prefecture", "county")


@dataclass(frozen=True)
class Place:
    """A place that an officer issues for, as the policy asks it."""

    id: int
    code: str
    name: str
    area_path: str


@dataclass(frozen=True)
class BulletinView:
    """A bulletin as pages, tables and the API show it; `lines` only where one is read whole."""

    no: str
    region: RegionView
    year: int
    number: int
    title: str
    foreword: str
    state: str
    issued_at: datetime | None
    updated_at: datetime
    reason: str | None
    version: int
    demo: bool
    lines: Sequence[Line] = ()

    @property
    def url(self) -> str:
        return f"/bulletins/{self.no}"

    @property
    def heading(self) -> str:
        """Whose and which, in the language of the page."""
        return _(
            "%(place)s成果信息简报 %(year)s 年第 %(number)s 期",
            place=self.region.name,
            year=self.year,
            number=self.number,
        )

    @property
    def state_label(self) -> str:
        return STATES[self.state]


def _view(row: Bulletin, lines: Sequence[Line] = ()) -> BulletinView:
    return BulletinView(
        no=row.no,
        region=regions.view(row.region),
        year=row.year,
        number=row.issued_number or row.number,
        title=row.title,
        foreword=row.foreword,
        state=row.state,
        issued_at=row.issued_at,
        updated_at=row.updated_at,
        reason=row.reason,
        version=row.lock_version,
        demo=row.demo,
        lines=lines,
    )


# -- public


def _of_place(code: str) -> list[ColumnElement[bool]]:
    return [Bulletin.region_id == regions.find(code).id] if code else []


def listed(
    actor: Actor, code: str = "", page: int = 1, size: int = LISTINGS_PER_PAGE
) -> PageOf[BulletinView]:
    """Issued bulletins, the newest first; of one place where a code is given.

    Raises:
        NotFound: no region has this code.
    """
    policy.require(actor, LIST)
    conditions = [Bulletin.state == "issued", *_of_place(code)]
    total = db.session.scalar(select(func.count(Bulletin.id)).where(*conditions)) or 0
    query = (
        select(Bulletin)
        .where(*conditions)
        .options(joinedload(Bulletin.region))
        .order_by(Bulletin.issued_at.desc(), Bulletin.id.desc())
    )
    rows = db.session.scalars(query.limit(size).offset((page - 1) * size))
    return PageOf([_view(row) for row in rows], total, page, size)


def find(actor: Actor, no: str, permission: str = READ) -> Bulletin:
    """The row with this public number.

    Raises:
        NotFound: there is none that the actor may see.
    """
    query = select(Bulletin).where(Bulletin.no == no, policy.where(actor, permission, Bulletin))
    row = db.session.scalar(query.options(joinedload(Bulletin.region)))
    if row is None:
        raise NotFound(_("没有编号为 %(no)s 的简报。", no=no))
    return row


def get(actor: Actor, no: str) -> BulletinView:
    """A bulletin with its lines; those of one that was withdrawn are not shown. Raises NotFound."""
    row = find(actor, no)
    return _view(row, () if row.state == "withdrawn" else lines(row))


def lines(row: Bulletin) -> list[Line]:
    """What stands in a bulletin: frozen texts once it is issued, the present ones in a draft."""
    query = (
        select(BulletinItem.content, Listing.no, Listing.state)
        .join(Listing, Listing.id == BulletinItem.listing_id)
        .where(BulletinItem.bulletin_id == row.id)
        .order_by(BulletinItem.position, BulletinItem.id)
    )
    found = db.session.execute(query).all()
    kept_back = neutral_names([one.no for one in found if one.content is not None])
    fresh = [one.no for one in found if one.content is None or one.no in kept_back]
    live = catalogue.several(PUBLIC, fresh)
    made = []
    for content, no, state in found:
        if content is None:
            content = frozen(live[no]) if no in live else _unknown(no)
        elif no in kept_back:  # the firm keeps its name back by now; the office is called for it
            reached = (
                frozen(live[no]) if no in live else dict.fromkeys(("contact", "telephone"), "")
            )
            same = {key: reached[key] for key in ("contact", "telephone")}
            content = {**content, "owner": kept_back[no], **same}
        made.append(line(content, state))
    return made


def _unknown(no: str) -> dict[str, object]:
    """A listing of a draft that readers may not see any more."""
    texts = ("solves", "best", "stage", "price", "contact", "telephone", "owner", "region")
    kind = "demand" if no.startswith("XQ") else "achievement"
    return {"no": no, "kind": kind, "title": no, "demo": False} | dict.fromkeys(texts, "")


# -- desk


def places(actor: Actor) -> list[Place]:
    """Where an officer may issue: the places of his grants, and the counties below them."""
    areas = [under(Region.path, path) for path in actor.areas(*OFFICES)]
    if not areas:
        return []
    query = select(Region).where(or_(*areas), Region.level.in_(LEVELS), Region.valid_to.is_(None))
    rows = db.session.scalars(query.order_by(Region.code))
    return [Place(one.id, one.code, one.full_name, one.path) for one in rows]


def place(actor: Actor, code: str) -> Place:
    """One of them.

    Raises:
        NotFound: it is not in the actor's area.
    """
    row = db.session.scalar(select(Region).where(Region.code == code, Region.valid_to.is_(None)))
    if row is None or row.level not in LEVELS:
        raise NotFound("没有这个地区。")
    found = Place(row.id, row.code, row.full_name, row.path)
    if not policy.allows(actor, WRITE, found):
        raise NotFound("这个地区不在您的辖区内。")
    return found


def desk(actor: Actor, page: int = 1) -> PageOf[BulletinView]:
    """All bulletins of the actor's area, drafts first, then the newest."""
    own = policy.where(actor, WRITE, Bulletin)
    total = db.session.scalar(select(func.count(Bulletin.id)).where(own)) or 0
    query = (
        select(Bulletin)
        .where(own)
        .options(joinedload(Bulletin.region))
        .order_by(
            Bulletin.issued_at.is_(None).desc(), Bulletin.updated_at.desc(), Bulletin.id.desc()
        )
        .limit(ROWS_PER_PAGE)
        .offset((page - 1) * ROWS_PER_PAGE)
    )
    return PageOf([_view(row) for row in db.session.scalars(query)], total, page, ROWS_PER_PAGE)


@dataclass(frozen=True)
class Case:
    """A bulletin on the desk: the row, what stands in it, what happened to it."""

    row: Bulletin
    view: BulletinView
    events: Sequence[CaseEvent]
    more: Sequence[tuple[str, str]]


def case(actor: Actor, no: str) -> Case:
    """A bulletin of the actor's area; of a draft also what else fits. Raises NotFound."""
    row = find(actor, no, WRITE)
    made = lines(row)
    there = {one.no for one in made}
    more = proposals(row.region, there)[:PROPOSED] if row.state == "draft" else []
    return Case(row, _view(row, made), timeline("bulletin", row.id), more)


def next_number(region_id: int, year: int) -> int:
    """The first number after those that a place has issued in a year."""
    query = select(func.max(Bulletin.issued_number)).where(
        Bulletin.region_id == region_id, Bulletin.year == year
    )
    return (db.session.scalar(query) or 0) + 1


def taken(region_id: int, year: int, number: int) -> Bulletin | None:
    """The bulletin that has a number already."""
    return db.session.scalar(
        select(Bulletin).where(
            Bulletin.region_id == region_id,
            Bulletin.year == year,
            Bulletin.issued_number == number,
        )
    )


def search_of(region: Region) -> SearchForm:
    """The search by which listings are proposed: the place's leading industries, else the place."""
    values = tuple(one.value for one in regions.leading_industries([region.id]))
    if values:
        return SearchForm(leading=values, sort="newest")
    return SearchForm(region=(region.code,), sort="newest")


def proposals(region: Region, without: set[str]) -> list[tuple[str, str]]:
    """Number and title of what a bulletin might name: pins first, then what the search finds.

    Left out is what stood in an earlier bulletin of the place, unless it is pinned. While the index
    is being built there are the pins alone.
    """
    found = {one.no: one.title for one in pin_queries.pins(PUBLIC, region.id)}
    form = search_of(region).but(per_page=PROPOSED * 3)
    try:
        cards = discovery.cards(PUBLIC, form).items
    except (IndexMissing, IndexOutdated):
        cards = []
    before = _named_before(region.id, [one.no for one in cards])
    found |= {one.no: one.title for one in cards if one.no not in before and one.no not in found}
    return [(no, title) for no, title in found.items() if no not in without]


def _named_before(region_id: int, nos: Sequence[str]) -> set[str]:
    query = (
        select(Listing.no)
        .join(BulletinItem, BulletinItem.listing_id == Listing.id)
        .join(Bulletin, Bulletin.id == BulletinItem.bulletin_id)
        .where(Bulletin.region_id == region_id, Bulletin.state == "issued", Listing.no.in_(nos))
    )
    return set(db.session.scalars(query))


# -- subscriptions


def subscriptions(actor: Actor) -> list[BulletinSubscription]:
    """One's own, by place."""
    query = select(BulletinSubscription).where(policy.where(actor, SUBSCRIBE, BulletinSubscription))
    rows = db.session.scalars(query.options(joinedload(BulletinSubscription.region)))
    return sorted(rows, key=lambda one: one.region.code)


def by_stop_word(word: str) -> tuple[int, str] | None:
    """The id of the subscription that a word ends and its place; None when it has ended.

    Raises:
        NotFound: nobody made this word.
    """
    key = read_stop_word(word)
    if key is None:
        raise NotFound(_("这个停止订阅的地址不完整，请从邮件里重新打开。"))
    row = db.session.get(BulletinSubscription, key)
    return (row.id, regions.view(row.region).full_name) if row is not None else None


def this_year() -> int:
    """The year in which numbers are given now."""
    return clock.today().year
