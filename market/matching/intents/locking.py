"""What every change of an intent begins and ends with: holding it, comparing versions, touching it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Denied, NotFound
from market.core.permissions import Actor, policy
from market.core.unit_of_work import UnitOfWork
from market.matching.intents.models import Intent
from market.matching.intents.workflow import HELPERS, INTENT, READ

OTHER = {"buyer": "seller", "seller": "buyer"}


def locked(actor: Actor, no: str, version: int | None = None) -> Intent:
    """The intent, held until the commit: of two who act at once the second sees the first.

    Args:
        version: of the case as the actor saw it; None: not asked.

    Raises:
        NotFound: no such intent, or not for this actor. Conflict: it moved since it was seen.
    """
    found = db.session.scalar(
        select(Intent)
        .where(Intent.no == no, policy.where(actor, READ, Intent))
        .with_for_update(of=Intent)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的对接意向。")
    if version is not None and version != found.lock_version:
        raise Conflict("这件意向刚有新的进展，请先看新内容；您写的还在，仍要提交请再点一次。")
    return found


def side_of(actor: Actor, intent: Intent) -> str:
    """On which side the actor is: "buyer", "seller", "helper" or "office".

    Somebody who works for both parties acts for the one whose turn it is.
    """
    own = actor.organisations(*HELPERS, "certifier", "viewer")
    mine = [side for side, key in intent.parties.items() if key in own]
    if mine:
        return intent.turn if intent.turn in mine else mine[0]
    return "helper" if intent.joined_ids & set(own) else "office"


def party_of(actor: Actor, intent: Intent) -> str:
    """The side of a party. Raises Denied for anybody else."""
    side = side_of(actor, intent)
    if side not in OTHER:
        raise Denied
    return side


def author_of(actor: Actor, intent: Intent, side: str) -> str:
    """The name under which somebody writes."""
    if side in OTHER:
        organisation = intent.buyer if side == "buyer" else intent.seller
        return f"{organisation.name} · {actor.label}"[:200]
    if side == "helper":
        own = actor.organisations()
        names = [one.owner.name for one in intent.invitations if one.organisation_id in own]
        return f"{names[0]} · {actor.label}"[:200] if names else actor.label
    return actor.label


def moved(side: str = "", **values: Any) -> dict[str, Any]:
    """Columns that change with every step. side: the party that made it; then it is the other's turn."""
    now = clock.now()
    found = {"updated_at": now, "lock_version": Intent.lock_version + 1}
    if side:
        found |= {"turn": OTHER[side], "said_at": now}
    return {**found, **values}


def touch(work: UnitOfWork, intent: Intent, **values: Any) -> None:
    """Write what changed where the state stays, and bring the desks up to date."""
    db.session.flush()
    db.session.execute(
        update(Intent)
        .where(Intent.id == intent.id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(intent)
    flow.show_on_desks(INTENT, intent)
