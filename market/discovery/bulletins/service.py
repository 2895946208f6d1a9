"""Changes to bulletins: drafting, issuing, withdrawing; subscribing and stopping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from market.catalogue import queries as catalogue
from market.catalogue.models import Listing
from market.catalogue.queries import ListingView
from market.core import clock, numbers
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import PUBLIC, Actor
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.core.workflow import begin, fire, show_on_desks
from market.discovery.bulletins import queries
from market.discovery.bulletins.content import frozen
from market.discovery.bulletins.models import (
    MOST_ITEMS,
    Bulletin,
    BulletinItem,
    BulletinSubscription,
)
from market.discovery.bulletins.workflow import BULLETIN, STOP, SUBSCRIBE, WRITE
from market.regions import queries as regions

SERIES = "CF"  # those of earlier releases begin with JB, as calls do, and keep it
CHANGED = "同事刚改过这一期：您填的还在下面，核对后再保存一次。"
NOT_DRAFT = "这一期已不是草稿，不能再改内容。"


def draft(actor: Actor, code: str, number: int | None = None, *, demo: bool = False) -> str:
    """Begin a bulletin with what is proposed for its place; returns its public number.

    Args:
        code: of the place; number: 第几期, by default the next one.

    Raises:
        NotFound: the place is not in the actor's area.
    """
    place = queries.place(actor, code)
    region = regions.find(code)
    proposed = [no for no, _title in queries.proposals(region, set())[: queries.PROPOSED]]
    query = queries.search_of(region).address().partition("?")[2]
    with unit_of_work(actor) as work:
        work.require(WRITE, place)
        now, year = clock.now(), queries.this_year()
        series = f"{SERIES}{year}"
        row = Bulletin(
            no=f"{series}{numbers.take(series)[0]:06d}",
            region_id=place.id,
            year=year,
            number=number or queries.next_number(place.id, year),
            title="适合本地产业的科技成果与需求",
            foreword="",
            query=query,
            state="draft",
            demo=demo,
            created_at=now,
            updated_at=now,
        )
        db.session.add(row)
        db.session.flush()
        _put(row, proposed)
        begin(work, BULLETIN, row)
        return row.no


def _put(row: Bulletin, nos: Sequence[str]) -> None:
    """Let these listings stand in a draft, in this order."""
    db.session.execute(delete(BulletinItem).where(BulletinItem.bulletin_id == row.id))
    rows = db.session.execute(select(Listing.no, Listing.id).where(Listing.no.in_(nos)))
    ids = {no: key for no, key in rows}  # noqa: C416  (rows are not pairs to mypy)
    db.session.add_all(
        BulletinItem(bulletin_id=row.id, position=position, listing_id=ids[no])
        for position, no in enumerate(nos, 1)
    )
    db.session.flush()


def save(
    actor: Actor, no: str, values: Mapping[str, Any], order: Sequence[str], seen: int | None = None
) -> None:
    """Keep what the clerk wrote and which listings stand in it.

    Args:
        values: title, number, foreword.
        order: numbers of the listings, in order.
        seen: the version that the clerk looked at.

    Raises:
        NotFound: it is not in the actor's area. Conflict: it changed meanwhile, or is issued.
        Invalid: a listing that is not public, too many, none twice.
    """
    with unit_of_work(actor) as work:
        row = queries.find(actor, no, WRITE)
        work.require(WRITE, row)
        _unchanged(row, seen)
        if row.state != "draft":
            raise Conflict(NOT_DRAFT)
        nos = list(dict.fromkeys(one.upper() for one in order))
        _judge(row, nos)
        _put(row, nos)
        row.title, row.number = values["title"], values["number"]
        row.foreword = values.get("foreword") or ""
        row.updated_at = clock.now()
        row.lock_version += 1
        db.session.flush()
        show_on_desks(BULLETIN, row)
        work.record("bulletin.save", "bulletin", row.id, no=row.no, after={"items": len(nos)})


def _unchanged(row: Bulletin, seen: int | None) -> None:
    if seen is not None and seen != row.lock_version:
        raise Conflict(CHANGED)


def _judge(row: Bulletin, nos: Sequence[str]) -> None:
    """What is new to a draft must be public; what stood in it may wait for the clerk to see.

    Raises:
        Invalid: at the field `add`.
    """
    if len(nos) > MOST_ITEMS:
        raise Invalid({"add": [f"一期最多 {MOST_ITEMS} 条，现在有 {len(nos)} 条。"]})
    there = {one.no for one in queries.lines(row)}
    if wrong := [no for no in nos if no not in there and no not in _public(nos)]:
        raise Invalid({"add": [f"没有公开的信息 {'、'.join(wrong)}：请核对编号。"]})


def _public(nos: Sequence[str]) -> dict[str, ListingView]:
    found = catalogue.several(PUBLIC, nos)
    return {no: one for no, one in found.items() if one.outcome is None}


def issue(actor: Actor, no: str, seen: int | None = None) -> None:
    """Issue a bulletin: its number is taken, its texts are copied, its subscribers will be told.

    Raises:
        NotFound: it is not in the actor's area.
        Conflict: another bulletin of the place has this number in this year; or it changed.
        Invalid: it names nothing, or a listing that is not public any more.
    """
    try:
        with unit_of_work(actor) as work:
            row = queries.find(actor, no, WRITE)
            _unchanged(row, seen)
            year = queries.this_year()
            if row.state == "draft":
                _refuse_taken(row, year)
                _freeze(row)
            values = {
                "issued_number": row.number,
                "year": year,
                "issued_at": clock.now(),
                "updated_at": clock.now(),
                "told_through": 0,
                "lock_version": row.lock_version + 1,
            }
            fire(work, BULLETIN, row, "issue", values=values)
    except IntegrityError as error:
        raise Conflict("同事刚用同一个期号发布了一期：请换一个期号，您填的都还在。") from error


def _refuse_taken(row: Bulletin, year: int) -> None:
    other = queries.taken(row.region_id, year, row.number)
    if other is not None:
        free = queries.next_number(row.region_id, year)
        raise Conflict(
            f"{year} 年第 {row.number} 期已经用过（{other.no}，现为「{BULLETIN.states[other.state]}」），"
            f"期号不能重复：请改为第 {free} 期再发布，您填的都还在。"
        )


def _freeze(row: Bulletin) -> None:
    items = db.session.execute(
        select(BulletinItem, Listing.no)
        .join(Listing, Listing.id == BulletinItem.listing_id)
        .where(BulletinItem.bulletin_id == row.id)
    ).all()
    if not items:
        raise Invalid({"add": ["这一期还没有内容：请按编号添加信息。"]})
    public = _public([no for _, no in items])
    if gone := [no for _, no in items if no not in public]:
        raise Invalid({"add": [f"{'、'.join(gone)} 已不公开：请移出后再发布。"]})
    for one, no in items:
        one.content = frozen(public[no])
    db.session.flush()


def act(
    actor: Actor, no: str, action: str, reason: str | None = None, seen: int | None = None
) -> None:
    """Issue, withdraw or drop a bulletin.

    Raises:
        As `issue`. Invalid: withdrawing without a reason.
    """
    if action == "issue":
        issue(actor, no, seen)
        return
    with unit_of_work(actor) as work:
        row = queries.find(actor, no, WRITE)
        _unchanged(row, seen)
        values: dict[str, Any] = {
            "updated_at": clock.now(),
            "told_through": None,
            "lock_version": row.lock_version + 1,
        }
        if action == "withdraw":
            values["reason"] = (reason or "").strip()
        fire(work, BULLETIN, row, action, reason=reason, values=values)


# -- subscriptions


def subscribe(actor: Actor, code: str, language: str) -> None:
    """Hear of a place's bulletins from now on; again is no mistake.

    Raises:
        NotFound: no region has this code.
    """
    region = regions.find(code)
    key = region.id
    with unit_of_work(actor) as work:
        work.require(SUBSCRIBE)
        row = db.session.scalar(
            select(BulletinSubscription).where(
                BulletinSubscription.person_id == actor.id, BulletinSubscription.region_id == key
            )
        )
        if row is None:
            row = BulletinSubscription(
                person_id=actor.id, region_id=key, language=language, created_at=clock.now()
            )
            db.session.add(row)
        row.language = language
        db.session.flush()
        work.record("bulletin.subscribe", "bulletin_subscription", row.id)


def unsubscribe(actor: Actor, code: str) -> None:
    """Hear of them no more. Raises NotFound."""
    key = regions.find(code).id
    with unit_of_work(actor) as work:
        work.require(SUBSCRIBE)
        rows = select(BulletinSubscription).where(
            BulletinSubscription.person_id == actor.id, BulletinSubscription.region_id == key
        )
        for row in db.session.scalars(rows):
            _end(work, row)


def _end(work: UnitOfWork, row: BulletinSubscription) -> None:
    work.record("bulletin.unsubscribe", "bulletin_subscription", row.id)
    db.session.delete(row)


def stop(word: str) -> None:
    """End the subscription that the address of its mail names; the address is the proof (RFC 8058).

    Raises:
        NotFound: nobody made this word.
    """
    found = queries.by_stop_word(word)
    if found is None:
        return
    with unit_of_work(PUBLIC) as work:
        work.require(STOP)
        row = db.session.get(BulletinSubscription, found[0])
        if row is not None:
            _end(work, row)
