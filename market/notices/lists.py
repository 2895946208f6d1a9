"""Lists of notices and announcements: public, one's own, an office's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import joinedload

from market.accounts.roles import OFFICES
from market.core import clock
from market.core.db import db
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.notices.models import (
    Announcement,
    Notice,
)
from market.notices.queries import JOINED, View, views
from market.notices.workflow import (
    READ,
    READ_ANNOUNCEMENT,
    VIEW,
    VIEW_ANNOUNCEMENT,
)
from market.regions import queries as regions
from market.regions.models import Region


def _by_tab(tab: str) -> ColumnElement[bool]:
    now = clock.now()
    running = and_(Notice.state == "running", Notice.ends_at > now)
    if tab == "running":
        return running
    return or_(
        Notice.state.in_(("ended", "concluded")),
        and_(Notice.state == "running", Notice.ends_at <= now),
    )


def _in_place(model: Any, code: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = model.within(regions.find(code).path)
    return found


def wanted(actor: Actor, asked: Mapping[str, Any]) -> ColumnElement[bool]:
    """SQL: the public notices that a list is asked for. Raises NotFound: no such region."""
    found = policy.where(actor, VIEW, Notice) & _by_tab(asked.get("tab") or "running")
    if asked.get("kind"):
        found &= Notice.kind == asked["kind"]
    if asked.get("region"):
        found &= _in_place(Notice, asked["region"])
    if asked.get("q"):
        found &= Notice.title.contains(asked["q"], autoescape=True)
    return found


def listed(actor: Actor, asked: Mapping[str, Any], per_page: int = ROWS_PER_PAGE) -> PageOf[View]:
    """Public notices: of running ones those that end first, else the latest first."""
    condition = wanted(actor, asked)
    ends = Notice.ends_at if (asked.get("tab") or "running") == "running" else Notice.ends_at.desc()
    page, rows = _page(Notice, condition, (ends, Notice.id), asked.get("page") or 1, per_page)
    return PageOf(views(rows), *page)


def newest(actor: Actor, asked: Mapping[str, Any], most: int) -> list[View]:
    """Public notices of any tab, the last started first."""
    every = {**asked, "tab": "running"}, {**asked, "tab": "ended"}
    condition = or_(*(wanted(actor, one) for one in every))
    query = select(Notice).where(condition).options(*JOINED)
    ordered = query.order_by(Notice.started_at.desc(), Notice.id.desc())
    return views(db.session.scalars(ordered.limit(most)).all())


def _page(
    model: Any, condition: ColumnElement[bool], order: Sequence[Any], number: int, size: int
) -> tuple[tuple[int, int, int, str], Sequence[Any]]:
    limited = select(model.id).where(condition).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(limited)) or 0
    query = select(model).where(condition).order_by(*order).limit(size).offset((number - 1) * size)
    joined = (joinedload(model.owner), joinedload(model.region))
    rows = db.session.scalars(query.options(*joined)).all()
    exact = "exact" if total <= EXACT_UP_TO else "at_least"
    return (min(total, EXACT_UP_TO), number, size, exact), rows


def announced(actor: Actor, asked: Mapping[str, Any]) -> PageOf[Announcement]:
    """Published announcements, the latest first."""
    condition = policy.where(actor, VIEW_ANNOUNCEMENT, Announcement)
    condition &= Announcement.state == "published"
    if asked.get("region"):
        condition &= _in_place(Announcement, asked["region"])
    if asked.get("q"):
        condition &= Announcement.title.contains(asked["q"], autoescape=True)
    order = (Announcement.published_at.desc(), Announcement.id.desc())
    page, rows = _page(Announcement, condition, order, asked.get("page") or 1, ROWS_PER_PAGE)
    return PageOf(rows, *page)


_MINE = {
    "open": Notice.state.in_(("draft", "running", "ended")),
    "closed": Notice.state.in_(("concluded", "withdrawn")),
}


def mine(actor: Actor, tab: str, number: int, size: int = ROWS_PER_PAGE) -> PageOf[View]:
    """Notices of the actor's organisations. tab: "open", "closed", or empty for all."""
    own = Notice.owner_id.in_(actor.organisations())
    states = _MINE.get(tab, Notice.state != "discarded")
    return _seen(policy.where(actor, READ, Notice) & own & states, number, size)


def in_area(actor: Actor, tab: str, number: int) -> PageOf[View]:
    """Notices of an office's area."""
    area = or_(*(Notice.within(path) for path in actor.areas(*OFFICES)))
    return _seen(policy.where(actor, READ, Notice) & area & _MINE[tab], number, ROWS_PER_PAGE)


def _seen(condition: ColumnElement[bool], number: int, size: int) -> PageOf[View]:
    order = (Notice.updated_at.desc(), Notice.id.desc())
    page, rows = _page(Notice, condition, order, number, size)
    return PageOf(views(rows), *page)


def places(actor: Actor) -> list[tuple[str, str]]:
    """Code and name of the regions that have public notices, for the filter."""
    there = select(Notice.region_id).where(policy.where(actor, VIEW, Notice)).distinct()
    query = select(Region.code, Region.full_name).where(Region.id.in_(there))
    return [(code, name) for code, name in db.session.execute(query.order_by(Region.code))]


def announcements_in_area(actor: Actor, number: int) -> PageOf[Announcement]:
    """Announcements of an office's area, drafts too."""
    condition = policy.where(actor, READ_ANNOUNCEMENT, Announcement)
    order = (Announcement.updated_at.desc(), Announcement.id.desc())
    page, rows = _page(Announcement, condition, order, number, ROWS_PER_PAGE)
    return PageOf(rows, *page)
