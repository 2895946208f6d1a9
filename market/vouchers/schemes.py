"""Schemes: creating, new versions, putting one in force, and budgets by year and payer's region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, update

from market.core import clock, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.money import show_yuan
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work
from market.regions.models import Region
from market.vouchers.content import SHARED_AT, open_points
from market.vouchers.ledger.posting import Move, Overdrawn, Pot, Subject, open_pot, post
from market.vouchers.ledger.queries import balances
from market.vouchers.locking import locked, moved
from market.vouchers.models import Scheme, SchemeVersion
from market.vouchers.sheet import Sheet, read, settled
from market.vouchers.workflow import MANAGE, SCHEME

SERIES = "QB"


def create(actor: Actor, region_code: str, content: Mapping[str, Any], demo: bool = False) -> str:
    """A new scheme with its first draft; returns its number.

    Args:
        content: in the stored form of `content.load`.

    Raises:
        Denied: the region is not the actor's. Invalid: no such region.
    """
    with unit_of_work(actor) as work:
        region = db.session.scalar(select(Region).where(Region.code == region_code))
        if region is None:
            raise Invalid({"region": ["没有这个行政区划。"]})
        now, series = clock.now(), f"{SERIES}{clock.today().year}"
        row = Scheme(
            no=f"{series}{numbers.take(series)[0]:05d}", title=content["title"],
            region_id=region.id, region=region, demo=demo, created_at=now, updated_at=now,
        )  # fmt: skip
        work.require(MANAGE, row)
        db.session.add(row)
        db.session.flush()
        _add_draft(row, content, 1, actor)
        flow.begin(work, SCHEME, row)
        return row.no


def _add_draft(scheme: Scheme, content: Mapping[str, Any], version: int, actor: Actor) -> None:
    db.session.add(
        SchemeVersion(
            scheme_id=scheme.id,
            version=version,
            content=dict(content),
            created_at=clock.now(),
            edited_by_id=actor.id if actor.kind == "person" else None,
        )
    )
    db.session.flush()


def save_draft(
    actor: Actor, no: str, content: Mapping[str, Any], version: int | None = None
) -> int:
    """Write the draft of the next version, begun when there is none; the number of the version."""
    with unit_of_work(actor) as work:
        scheme = locked(Scheme, actor, MANAGE, no, version)
        work.require(MANAGE, scheme)
        draft = draft_of(scheme)
        if draft is None:
            last = select(func.max(SchemeVersion.version)).where(
                SchemeVersion.scheme_id == scheme.id
            )
            number = (db.session.scalar(last) or 0) + 1
            _add_draft(scheme, content, number, actor)
        else:
            number, draft.content = draft.version, dict(content)
            draft.edited_by_id = actor.id if actor.kind == "person" else None
        if scheme.version == 0:
            scheme.title = content["title"]
        scheme.updated_at, scheme.lock_version = clock.now(), scheme.lock_version + 1
        work.record(
            "voucher_scheme.edit", "voucher_scheme", scheme.id, no=no, after={"version": number}
        )
        return number


def draft_of(scheme: Scheme) -> SchemeVersion | None:
    """The version that is being written."""
    query = select(SchemeVersion).where(
        SchemeVersion.scheme_id == scheme.id, SchemeVersion.state == "draft"
    )
    return db.session.scalar(query)


def live_version(scheme: Scheme) -> SchemeVersion:
    """The version in force.

    Raises:
        Conflict: none is, or the scheme was closed.
    """
    query = select(SchemeVersion).where(
        SchemeVersion.scheme_id == scheme.id, SchemeVersion.state == "live"
    )
    found = db.session.scalar(query)
    if found is None or scheme.state != "live":
        raise Conflict("这个办法现在不受理。")
    return found


def sheet_of(version: SchemeVersion) -> Sheet:
    """What a version says, as the office chose to read it."""
    return settled(version.content)


def publish(actor: Actor, no: str, version: int | None = None) -> int:
    """Put the draft in force; cases begun before keep their version.

    Raises:
        Conflict: there is no draft. Invalid: what decides over money is still open.
    """
    with unit_of_work(actor) as work:
        scheme = locked(Scheme, actor, MANAGE, no, version)
        work.require(MANAGE, scheme)
        draft = draft_of(scheme)
        if draft is None:
            raise Conflict("没有待施行的草稿。")
        sheet = sheet_of(draft)
        if sheet.reserve_at is None or sheet.payer_model is None or sheet.review_chain is None:
            blocking = [one.words for one in open_points(draft.content) if one.blocking]
            raise Invalid({"content": blocking or ["占用时点、兑付方式、审核层级须先确定。"]})
        if sheet.exhaustion == "pro_rata" and sheet.reserve_at != "approval":
            raise Invalid({"content": [f"{SHARED_AT}。"]})
        now = clock.now()
        db.session.execute(
            update(SchemeVersion)
            .where(SchemeVersion.scheme_id == scheme.id, SchemeVersion.state == "live")
            .values(state="replaced")
        )
        draft.state, draft.published_at = "live", now
        values = moved(Scheme, version=draft.version, title=draft.content["title"])
        flow.fire(work, SCHEME, scheme, "publish", values=values, after={"version": draft.version})
        return draft.version


def close(actor: Actor, no: str, reason: str) -> None:
    """Take no more applications; what is begun goes on."""
    with unit_of_work(actor) as work:
        scheme = locked(Scheme, actor, MANAGE, no)
        flow.fire(work, SCHEME, scheme, "close", reason=reason, values=moved(Scheme))


def _refuse_stranger(scheme: Scheme, payer: Region) -> None:
    """Who pays lies above or within the scheme's region, or is where its providers are."""
    near = payer.id in scheme.region.path_ids or scheme.region_id in payer.path_ids
    rows = select(SchemeVersion.content).where(SchemeVersion.scheme_id == scheme.id)
    sheets = [read(one) for one in db.session.scalars(rows)]
    named = {one.payer for sheet in sheets for one in sheet.payers}
    named |= {one.payer for sheet in sheets for one in sheet.top_ups}
    if not (near or payer.code in named or "provider_region" in named):
        raise Invalid({"payer": [f"{payer.full_name}不是这个办法的出资方，请核对。"]})


def reopen(actor: Actor, no: str, reason: str) -> None:
    """Take applications again, by the version that was in force."""
    with unit_of_work(actor) as work:
        scheme = locked(Scheme, actor, MANAGE, no)
        flow.fire(work, SCHEME, scheme, "reopen", reason=reason, values=moved(Scheme))


def set_budget(
    actor: Actor, no: str, year: int, amount_fen: int, region_code: str = "", *, key: str
) -> None:
    """Set the budget of a year and payer's region: raised or cut to this amount.

    Args:
        region_code: who pays; empty: the scheme's own region. key: the same key does it once.

    Raises:
        Conflict: it would be cut below what is reserved, approved and paid.
    """
    with unit_of_work(actor) as work:
        scheme = locked(Scheme, actor, MANAGE, no)
        work.require(MANAGE, scheme)
        if type(amount_fen) is not int or amount_fen < 0:
            raise Invalid({"amount": ["预算须是不小于零的金额。"]})
        region_id = scheme.region_id
        if region_code:
            found = db.session.scalar(select(Region).where(Region.code == region_code))
            if found is None:
                raise NotFound("没有这个行政区划。")
            _refuse_stranger(scheme, found)
            region_id = found.id
        pot = Pot(scheme.id, year, region_id)
        accounts, before = open_pot(pot), -balances(pot)["funding"]
        change = amount_fen - before
        if not change:
            return
        moves = [Move(accounts["funding"], -change), Move(accounts["available"], change)]
        kind = "budget" if change > 0 else "cut"
        try:
            post(work, f"budget:{scheme.id}:{key}", kind, moves, Subject("budget", scheme.id))
        except Overdrawn:
            bound = before - balances(pot)["available"]
            raise Conflict(
                f"已占用、审定和拨付 {show_yuan(bound)}，预算不能低于这个数，没有改动。"
            ) from None
        work.record(
            "voucher_scheme.budget", "voucher_scheme", scheme.id, no=no,
            before={"year": year, "fen": before}, after={"year": year, "fen": amount_fen},
        )  # fmt: skip
