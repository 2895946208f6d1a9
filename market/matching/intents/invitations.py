"""A broker or a service point is invited: one party proposes, the other agrees, the invited answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from market.accounts import queries as accounts
from market.accounts.models import Organisation
from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.permissions import Actor, policy
from market.core.text import fold
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching.intents import messages
from market.matching.intents.locking import OTHER, locked, moved, party_of, side_of, touch
from market.matching.intents.models import LIVE, ROLES, Intent, IntentInvitation
from market.matching.intents.rules import MOST_INVITED
from market.matching.intents.workflow import INVITATION, INVITE, SEE_INVITATION

_WAITS = ("proposed", "invited", "joined")


def invite(actor: Actor, no: str, values: Mapping[str, Any], version: int | None = None) -> int:
    """Propose to invite an organisation; the other party must agree first. Gives its id.

    Args:
        values: organisation (name or credit code), role ("broker", "point"), perhaps note.

    Raises:
        Invalid: no such organisation, or a party itself. Conflict: it is invited already.
    """
    if values.get("role") not in ROLES:
        raise Invalid({"role": ["请选择邀请谁。"]})
    found = _named(values.get("organisation") or "")
    with unit_of_work(actor) as work:
        intent = locked(actor, no, version)
        work.require(INVITE, intent)
        side = party_of(actor, intent)
        if intent.state not in LIVE or intent.state == "proposed":
            raise Conflict("双方开始洽谈以后才能邀请；已结束的意向不能邀请。")
        if found in intent.parties.values():
            raise Invalid({"organisation": ["这是对接双方之一，不用邀请。"]})
        _refuse_again(intent, found)
        now = clock.now()
        row = IntentInvitation(
            intent_id=intent.id,
            organisation_id=found,
            role=values["role"],
            by_side=side,
            note=values.get("note"),
            state="proposed",
            created_at=now,
            updated_at=now,
        )
        db.session.add(row)
        db.session.flush()
        flow.begin(work, INVITATION, row)
        _note(work, intent, "invite", row)
        messages.tell_side(messages.INVITED, intent, OTHER[side], helper=row.owner.name)
        return row.id


def _named(text: str) -> int:
    """The one active organisation with this name, number or credit code."""
    by_code = accounts.by_code(text.strip().upper())
    if by_code is not None:
        return by_code.id
    found = accounts.owners_by_name([text]).get(fold(text), [])
    if len(found) == 1:
        return found[0].id
    if found:
        raise Invalid({"organisation": ["有几家单位同名，请写统一社会信用代码。"]})
    numbered = select(Organisation.id).where(
        Organisation.no == text.strip(), Organisation.state == "active"
    )
    if (one := db.session.scalar(numbered)) is not None:
        return one
    raise Invalid({"organisation": ["没有找到这家单位：请写全称，或统一社会信用代码。"]})


def _refuse_again(intent: Intent, organisation_id: int) -> None:
    waiting = [one for one in intent.invitations if one.state in _WAITS]
    if any(one.organisation_id == organisation_id for one in waiting):
        raise Conflict("这家单位已经受邀或正在参与。")
    if len(waiting) >= MOST_INVITED:
        raise Conflict(f"一件意向最多请 {MOST_INVITED} 家参与，请先请出不再需要的。")


def _note(work: UnitOfWork, intent: Intent, action: str, row: IntentInvitation) -> None:
    """A line of the intent's own timeline, and a new version of it."""
    flow.add_event(work, "intent", intent.id, action, note=row.owner.name)
    touch(work, intent, **moved())


def get(actor: Actor, key: int) -> IntentInvitation:
    """An invitation. Raises NotFound."""
    found = db.session.scalar(
        select(IntentInvitation).where(
            IntentInvitation.id == key, policy.where(actor, SEE_INVITATION, IntentInvitation)
        )
    )
    if found is None:
        raise NotFound("没有这个邀请。")
    return found


def act(actor: Actor, key: int, action: str, version: int | None = None) -> None:
    """Agree or object as the other party, join, refuse or leave as the invited, remove, ask again.

    Raises:
        NotFound: no such invitation, or not for this actor. Conflict: its state does not allow it.
    """
    with unit_of_work(actor) as work:
        seen = get(actor, key)
        intent = _held(seen.intent_id)
        if version is not None and version != intent.lock_version:
            raise Conflict("这件意向刚有新的进展，请先看新内容，再办理。")
        row = db.session.get_one(IntentInvitation, key, populate_existing=True)
        if intent.state not in LIVE and action not in {"remove", "leave", "refuse", "object"}:
            raise Conflict("这件意向已结束，不能再邀请或参与。")
        values: dict[str, Any] = {"updated_at": clock.now()}
        if action == "again":
            _refuse_again(intent, row.organisation_id)
            values["by_side"] = party_of(actor, intent)
        flow.fire(work, INVITATION, row, action, values=values)
        db.session.expire(intent, ["invitations"])
        _note(work, intent, action, row)
        _tell(actor, intent, row, action)


def _held(intent_id: int) -> Intent:
    return db.session.scalars(
        select(Intent)
        .where(Intent.id == intent_id)
        .with_for_update(of=Intent)
        .execution_options(populate_existing=True)
    ).one()


def _tell(actor: Actor, intent: Intent, row: IntentInvitation, action: str) -> None:
    helper = row.owner.name
    if action == "consent":
        messages.tell_invited(row)
    elif action == "again":
        side = side_of(actor, intent)
        messages.tell_side(messages.INVITED, intent, OTHER[side], helper=helper)
    elif action == "object":
        messages.tell_side(messages.HELPER_MOVED, intent, row.by_side, helper=helper)
    else:
        messages.tell_parties(messages.HELPER_MOVED, intent, helper=helper)
        if action == "remove":
            messages.tell_invited(row, messages.HELPER_MOVED)
