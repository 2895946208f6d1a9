"""What somebody should do next for himself or his organisation, told on 我的事项."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from market.accounts.members.queries import sent_to
from market.accounts.models import Organisation
from market.accounts.people.models import Invitation
from market.accounts.roles import ROLES
from market.accounts.rules import licence_word
from market.accounts.verification.models import OPEN, Verification
from market.core import clock
from market.core.db import db
from market.core.permissions import Actor

_STEPS = 10  # of each kind


@dataclass(frozen=True)
class Step:
    """What somebody should do next for himself or his organisation, and where."""

    words: str
    url: str
    act: str


def next_steps(actor: Actor) -> list[Step]:
    """Invitations to take up, and organisations of one's own that nobody has verified yet."""
    if actor.kind != "person" or actor.id is None:
        return []
    invited = db.session.scalars(
        select(Invitation)
        .where(
            sent_to(actor.id),
            Invitation.used_at.is_(None),
            Invitation.withdrawn_at.is_(None),
            Invitation.expires_at > clock.now(),
        )
        .options(joinedload(Invitation.organisation))
        .limit(_STEPS)
    )
    found = [
        Step(
            f"{one.organisation.name}邀请您担任{ROLES[one.role].label}",
            f"/my/invitations/{one.id}",
            "看邀请",
        )
        for one in invited
        if one.organisation.state == "active"
    ]
    if not (owned := actor.organisations("owner")):
        return found
    handed_in = select(Verification.id).where(
        Verification.organisation_id == Organisation.id, Verification.state.in_(OPEN)
    )
    unverified = db.session.scalars(
        select(Organisation)
        .where(
            Organisation.id.in_(owned),
            Organisation.verified_at.is_(None),
            Organisation.state == "active",
            ~handed_in.exists(),
        )
        .limit(_STEPS)
    )
    return found + [
        Step(
            f"{one.name}还没有核验：提交{licence_word(one.kind)}，由所在县的科技管理部门核对",
            f"/my/organisation/verification?no={one.no}",
            "提交核验",
        )
        for one in unverified
    ]
