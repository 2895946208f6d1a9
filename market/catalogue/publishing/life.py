"""The published life of a listing: renewed, closed, withdrawn, taken down, put back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from marshmallow import Schema, ValidationError
from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select, update

from market.catalogue.content import content_of
from market.catalogue.models import OUTCOMES, Listing, Revision
from market.catalogue.publishing import messages, policies, rules
from market.catalogue.publishing.listing_queries import asked_back
from market.catalogue.publishing.models import OPEN, Submission
from market.catalogue.publishing.workflow import LISTING
from market.catalogue.service import next_version
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Gone, Invalid, NotFound
from market.core.fields import Choice, Line, Yuan
from market.core.messages import tell
from market.core.money import format_yuan
from market.core.permissions import SYSTEM, Actor, policy
from market.core.secrets import pseudonym
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.core.workflow import Fired, fire

BATCH = 200
UNKNOWN = "金额不详"
_LATE = 60  # days after the end of validity in which a missed message is still sent
_PURPOSE = "listing.renew"


class ClosingSchema(Schema):
    """How a demand ended."""

    outcome = Choice(OUTCOMES, required=True, metadata={"label": "结果"})
    outcome_with = Line(200, metadata={"label": "与哪家单位"})
    outcome_fen = Yuan(data_key="outcome_yuan", metadata={"label": "金额（元）"})


def listing_act(
    actor: Actor,
    no: str,
    action: str,
    reason: str | None = None,
    closing: Mapping[str, Any] | None = None,
) -> None:
    """Move a published listing by one action of its workflow.

    Args:
        closing: for `close`: outcome, outcome_with and outcome_yuan as typed.

    Raises:
        NotFound: no such listing that the actor may manage.
        Denied: not his to do. Conflict: its state does not allow it.
        Invalid: a reason or the outcome is missing.
    """
    seen = (Listing.no == no, policy.where(actor, policies.MANAGE, Listing))
    listing = db.session.scalar(select(Listing).where(*seen))
    if listing is None or listing.current_id is None:
        raise NotFound(f"没有编号为 {no} 的记录。")
    values = _closing(closing or {}) if action == "close" else {}
    _move(actor, listing.id, action, reason, values)


def _closing(typed: Mapping[str, Any]) -> dict[str, Any]:
    try:
        loaded = dict(ClosingSchema().load({key: str(typed[key] or "") for key in typed}))
    except ValidationError as error:
        raise Invalid(error.normalized_messages()) from error
    if loaded["outcome"] == "elsewhere" and not loaded.get("outcome_with"):
        raise Invalid({"outcome_with": ["请写是与哪家单位解决的。"]})
    if loaded["outcome"] == "unsolved":
        loaded |= {"outcome_with": None, "outcome_fen": None}
    return loaded


def _move(
    actor: Actor, listing_id: int, action: str, reason: str | None, values: dict[str, Any]
) -> None:
    with unit_of_work(actor) as work:
        listing = db.session.get_one(Listing, listing_id, with_for_update=True)
        one = LISTING.find(listing.state, action)
        if one is not None:
            work.require(one.permission, listing)
        note = None
        if action == "ask_back" and asked_back(listing.id):
            raise Conflict("已经请求过，科技管理部门还没有答复；急事请打电话。")
        if one is not None and action == "renew":
            values, note = _renewal(work, listing)
        elif action == "restore":
            values = {"outcome": None, "outcome_with": None, "outcome_fen": None}
        elif action == "close" and values:
            note = _closed_words(values)
        after = {key: value for key, value in values.items() if key.startswith("outcome")}
        fired = fire(
            work, LISTING, listing, action, reason=reason, note=note, values=values, after=after
        )
        _tell(listing, fired)


def _tell(listing: Listing, fired: Fired) -> None:
    """Tell the owner that it was taken down, and the office that the owner asks for it back."""
    down = fired.transition.action == "take_down"
    if not down and fired.transition.action != "ask_back":
        return
    current = db.session.get_one(Revision, listing.current_id)
    tell(
        messages.TAKEN_DOWN if down else messages.ASKED_BACK,
        about=("listing", listing.id),
        url=f"/my/listings/{listing.no}",
        values={
            "title": current.title,
            "no": listing.no,
            "reason": fired.reason,
            "owner": listing.owner.name,
        },
        organisation_id=listing.owner_id if down else None,
        roles=("owner", "editor") if down else (),
        region_path=None if down else listing.region.path,
        event=str(fired.event.id),
    )


def _closed_words(values: Mapping[str, Any]) -> str:
    words = [OUTCOMES[values["outcome"]], values.get("outcome_with"), _money_words(values)]
    return "，".join(word for word in words if word)


def _money_words(values: Mapping[str, Any]) -> str:
    """For how much a demand was solved; elsewhere an amount that nobody told is said to be unknown."""
    fen = values.get("outcome_fen")
    if fen is not None:
        return f"{format_yuan(fen)} 元"
    return UNKNOWN if values["outcome"] == "elsewhere" else ""


def _renewal(work: UnitOfWork, listing: Listing) -> tuple[dict[str, Any], str]:
    """A version that holds for twelve months more; an open edit goes on from it."""
    before = db.session.get_one(Revision, listing.current_id)
    until = rules.renewed_until(before.valid_until, clock.today())
    content = content_of(before) | {"valid_until": until}
    revision = next_version(listing.id, listing.kind, content, work.actor)
    db.session.execute(
        update(Submission)
        .where(
            Submission.listing_id == listing.id,
            Submission.base_revision_id == before.id,
            Submission.state.in_(OPEN),
        )
        .values(base_revision_id=revision.id)
        .execution_options(synchronize_session=False)
    )
    return {"current_id": revision.id, "reminded": None}, f"有效期至 {until.isoformat()}"


# The link in a message, which opens one page with one button.


def link_of(no: str, until: date | None) -> str:
    """The word of a listing's link for renewing; it ends when the listing is renewed."""
    return f"{no}-{pseudonym(f'{no}:{until}', _PURPOSE)}"


def of_link(token: str) -> Listing:
    """The listing that a link renews.

    Raises:
        NotFound: it is no link of ours, or the listing is not public.
        Gone: the listing was renewed or changed since.
    """
    no = token.split("-", 1)[0]
    listing = db.session.scalar(select(Listing).where(Listing.no == no))
    if listing is None or listing.current is None or listing.state != "published":
        raise NotFound("这个链接已不能用：信息不再公开，或链接不完整。")
    if token != link_of(no, listing.current.valid_until):
        raise Gone("这个链接已经用过，或信息的有效期已另行修改。")
    return listing


def renew_by_link(token: str) -> None:
    """Renew a listing for whoever has the link of a message. Raises as `of_link`."""
    listing = of_link(token)
    holder = Actor("system", f"{listing.owner.name}（消息中的链接）")
    _move(holder, listing.id, "renew", None, {})


# Telling owners in time.


def remind() -> bool:
    """Tell owners whose listings end within 30 days or have ended; True when more wait."""
    today = clock.today()
    soon = Revision.valid_until.between(today, today + timedelta(days=rules.REMIND_BEFORE))
    over = Revision.valid_until.between(today - timedelta(days=_LATE), today - timedelta(days=1))
    query = (
        select(Listing.id)
        .join(Revision, Revision.id == Listing.current_id)
        .where(
            Listing.state == "published",
            or_(and_(soon, _not_told(":soon")), and_(over, _not_told(":over"))),
        )
        .order_by(Listing.id)
        .limit(BATCH)
    )
    ids = list(db.session.scalars(query))
    if not ids:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(policies.REMIND)
        for listing in db.session.scalars(select(Listing).where(Listing.id.in_(ids))):
            _tell_of_end(listing, today)
    return len(ids) == BATCH


def _not_told(mark: str) -> ColumnElement[bool]:
    return func.coalesce(Listing.reminded, "") != cast(Revision.valid_until, String).concat(mark)


def _tell_of_end(listing: Listing, today: date) -> None:
    assert listing.current is not None
    assert listing.current.valid_until is not None
    until = listing.current.valid_until
    over = until < today
    listing.reminded = f"{until.isoformat()}:{'over' if over else 'soon'}"
    tell(
        messages.EXPIRED if over else messages.EXPIRING,
        about=("listing", listing.id),
        url=f"/renew/{link_of(listing.no, until)}",
        values={"title": listing.current.title, "no": listing.no, "day": until.isoformat()},
        organisation_id=listing.owner_id,
        roles=("owner", "editor"),
        event=listing.reminded,
    )
