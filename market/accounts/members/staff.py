"""The staff of an organisation: inviting, roles, leaving with a hand-over."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import ColumnElement, insert, select, update

from market.accounts.members import grants
from market.accounts.members.queries import (
    offices_work,
    open_work,
    owners_work,
    person_with,
    sent_to,
    state_of,
)
from market.accounts.members.workflow import CHANGED, INVITED
from market.accounts.models import Organisation
from market.accounts.people.models import Invitation, Person, RoleGrant
from market.accounts.people.sessions import hashed
from market.accounts.queries import find
from market.accounts.roles import ROLES
from market.core import clock, limits
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.languages import N_
from market.core.languages import translate as _
from market.core.limits import Limit
from market.core.masking import mask_contact
from market.core.messages import tell
from market.core.models import CaseEvent, WorkItem
from market.core.permissions import Actor, Always, Mine, Own, policy
from market.core.secrets import pseudonym, seal
from market.core.unit_of_work import UnitOfWork, unit_of_work

MANAGE = policy.declare("accounts:member:manage", owner=Own())
# An office's owner gives the role of its own region, no wider one (`grants.offered`).
APPOINT = policy.declare("accounts:officer:appoint", owner=Own())
LEAVE = policy.declare("accounts:member:leave", person=Mine())
ACCEPT = policy.declare("accounts:invitation:accept", person=Always())
LASTS = timedelta(days=7)
_INVITING = Limit("invitation", 30, timedelta(days=1))
_USED = N_("这份邀请已经用过，每份只能用一次。")
_STALE = {
    "used": _USED,
    "withdrawn": N_("这份邀请已被撤回。"),
    "expired": N_("这份邀请已过期，请对方重新邀请。"),
}


def invite(actor: Actor, no: str, contact: str, role: str) -> str:
    """Invite a colleague; returns the word of the link, which is kept nowhere in the clear.

    Args:
        no: of the organisation.
        contact: a mobile number or an e-mail address, as `schemas.Contact` loads it.

    Raises:
        NotFound: not an organisation whose staff the actor manages.
        Invalid: a role that this organisation does not give.
        TooMany: too many invitations in a day.
    """
    organisation = find(actor, MANAGE, no)
    if role not in grants.offered(organisation):
        raise Invalid({"role": ["请选本单位可以给的角色。"]})
    organisation_id = organisation.id
    limits.take(_INVITING, no, "今天发出的邀请太多，请明天再发。")
    word, now = secrets.token_urlsafe(24), clock.now()
    purpose = "person.email" if "@" in contact else "person.mobile"
    with unit_of_work(actor) as work:
        organisation = db.session.get_one(Organisation, organisation_id)
        _require(work, role, organisation)
        row = Invitation(
            organisation_id=organisation_id,
            role=role,
            contact=seal(contact, "message.contact"),
            contact_hint=mask_contact(contact),
            contact_key=pseudonym(contact, purpose),
            token_hash=hashed(word),
            created_at=now,
            created_by=actor.label,
            expires_at=now + LASTS,
        )
        db.session.add(row)
        db.session.flush()
        after = {"role": role, "contact": row.contact_hint}
        work.record("member.invited", "organisation", organisation_id, no=no, after=after)
        known = person_with(row.contact_key)
        tell(
            INVITED,
            about=("invitation", row.id),
            url=f"/my/invitations/{row.id}" if known else f"/invitations/{word}",
            values={
                "organisation": organisation.name,
                "role": ROLES[role].label,
                "by": actor.label,
                "until": clock.local(row.expires_at).date(),
            },
            people=[known] if known else [],
            contact=None if known else row.contact,
        )
    return word


def _require(work: UnitOfWork, role: str, organisation: Organisation) -> None:
    work.require(APPOINT if ROLES[role].scope == "region" else MANAGE, organisation)


def withdraw_invitation(actor: Actor, no: str, invitation_id: int) -> None:
    """Take an invitation back.

    Raises:
        NotFound: there is no such open one of this organisation.
    """
    organisation_id = find(actor, MANAGE, no).id
    with unit_of_work(actor) as work:
        work.require(MANAGE, db.session.get_one(Organisation, organisation_id))
        gone = db.session.execute(
            update(Invitation)
            .where(
                Invitation.id == invitation_id,
                Invitation.organisation_id == organisation_id,
                Invitation.used_at.is_(None),
                Invitation.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=clock.now())
        )
        if not gone.rowcount:  # type: ignore[attr-defined]
            raise NotFound("没有这份未用的邀请。")
        after = {"invitation": invitation_id}
        work.record(
            "member.invitation_withdrawn", "organisation", organisation_id, no=no, after=after
        )


def accept_invitation(actor: Actor, word: str | int) -> str:
    """Take up an invitation; returns the organisation's number.

    Args:
        word: of its link; or its id, for the person whose confirmed contact was invited.

    Raises:
        NotFound: there is none.
        Conflict: it was used, withdrawn or is too old, or the person has the role.
        Denied: a role at an office goes only to the person whose number or address was invited.
    """
    if actor.id is None or actor.kind != "person":
        raise Denied
    person_id = actor.id
    with unit_of_work(actor) as work:
        work.require(ACCEPT)
        row = db.session.scalar(select(Invitation).where(_named(word, person_id)))
        if row is None:
            raise NotFound(_("没有这份邀请，请核对链接，或请对方重新邀请。"))
        if (state := state_of(row)) != "open":
            raise Conflict(_(_STALE[state]))
        organisation = grants.lock(row.organisation_id)
        if row.role not in grants.offered(organisation):
            raise Conflict(_("这家单位不再提供这个角色，请对方重新邀请。"))
        _require_addressee(row, organisation, person_id)
        taken = db.session.execute(
            update(Invitation)
            .where(Invitation.id == row.id, Invitation.used_at.is_(None))
            .values(used_at=clock.now(), used_by_id=person_id)
        )
        if not taken.rowcount:  # type: ignore[attr-defined]
            raise Conflict(_(_USED))
        grants.give(work, person_id, row.role, organisation, by=row.created_by)
        return organisation.no


def _named(word: str | int, person_id: int) -> ColumnElement[bool]:
    if isinstance(word, str):
        return Invitation.token_hash == hashed(word)
    return (Invitation.id == word) & sent_to(person_id)


def _require_addressee(row: Invitation, organisation: Organisation, person_id: int) -> None:
    if organisation.kind != "office":
        return
    person = db.session.get_one(Person, person_id)
    if row.contact_key is None or row.contact_key not in (person.mobile_key, person.email_key):
        raise Denied(_("这份邀请发给了另一个手机号或邮箱；科技管理部门的邀请只能由本人接受。"))


def set_roles(actor: Actor, no: str, person_id: int, roles: Collection[str]) -> None:
    """Give a member exactly these roles.

    Raises:
        NotFound: not an organisation whose staff the actor manages, or no member of it.
        Invalid: no role, or one that this organisation does not give.
        Conflict: it would leave nobody who manages the organisation.
    """
    organisation_id = find(actor, MANAGE, no).id
    with unit_of_work(actor) as work:
        organisation = grants.lock(organisation_id)
        work.require(MANAGE, organisation)
        before = {grant.role: grant for grant in grants.held(organisation_id, person_id)}
        if not before:
            raise NotFound("本单位没有这位成员。")
        new = [role for role in dict.fromkeys(roles) if role not in before]
        if not roles or not set(new) <= set(grants.offered(organisation)):
            raise Invalid({"roles": ["请选本单位可以给的角色，至少一个。"]})
        for role, grant in before.items():
            if role not in roles:
                grants.end(work, grant)
        for role in new:
            _require(work, role, organisation)
            grants.give(work, person_id, role, organisation)
        if "owner" in before and "owner" not in roles:
            grants.require_owner(organisation)
        _tell(actor, organisation, person_id, [ROLES[role].label for role in roles])


def _tell(actor: Actor, organisation: Organisation, person_id: int, roles: list[str]) -> None:
    values = {"organisation": organisation.name, "by": actor.label, "roles": "、".join(roles)}
    about = ("organisation", organisation.id)
    tell(CHANGED, about=about, url="/my/organisation", values=values, people=[person_id])


def end_membership(actor: Actor, no: str, person_id: int, colleague_id: int | None = None) -> int:
    """End all roles of a member and hand his open work over; returns how many cases.

    Owners end anybody's, everybody his own. Drafts and cases belong to the organisation and stay.

    Raises:
        NotFound: not the actor's organisation, or no member of it.
        Conflict: the last owner cannot leave.
        Invalid: open work, and no colleague named who could take it.
    """
    leaving = person_id == actor.id and actor.kind == "person"
    organisation_id = _own_id(actor, no) if leaving else find(actor, MANAGE, no).id
    with unit_of_work(actor) as work:
        organisation = grants.lock(organisation_id)
        own = grants.held(organisation_id, person_id)
        if not own:
            raise NotFound("本单位没有这位成员。")
        work.require(LEAVE if leaving else MANAGE, own[0] if leaving else organisation)
        for grant in own:
            grants.end(work, grant)
        if any(grant.role == "owner" for grant in own):
            grants.require_owner(organisation)
        count = _hand_over(work, organisation, own[0], colleague_id)
        if not leaving:
            _tell(actor, organisation, person_id, ["已不是成员"])
        return count


def _own_id(actor: Actor, no: str) -> int:
    query = select(Organisation.id).where(
        Organisation.no == no, Organisation.id.in_(actor.organisations())
    )
    found = db.session.scalar(query)
    if found is None:
        raise NotFound("您不是这家单位的成员。")
    return found


def _hand_over(
    work: UnitOfWork, organisation: Organisation, leaver: RoleGrant, colleague_id: int | None
) -> int:
    """Give the leaver's open cases to a colleague, with a line on each timeline."""
    which = open_work(organisation, leaver.person_id)
    cases = db.session.execute(select(WorkItem.kind, WorkItem.object_id).where(which)).all()
    if not cases:
        return 0
    taken_by = grants.held(organisation.id, colleague_id) if colleague_id else ()
    if not taken_by or colleague_id == leaver.person_id:
        raise Invalid({"colleague": [f"还有 {len(cases)} 件没办完，请选一位同事接办。"]})
    note = f"由{leaver.person.name}移交给{taken_by[0].person.name}"
    parts = {WorkItem.owner_assignee_id: owners_work(organisation, leaver.person_id)}
    if organisation.kind == "office":
        parts[WorkItem.assignee_id] = offices_work(organisation, leaver.person_id)
    for column, his in parts.items():
        db.session.execute(
            update(WorkItem)
            .where(his, WorkItem.closed_at.is_(None))
            .values({column.key: colleague_id})
            .execution_options(synchronize_session=False)
        )
    actor = work.actor
    db.session.execute(
        insert(CaseEvent),
        [
            {
                "kind": kind,
                "object_id": key,
                "action": "hand_over",
                "note": note,
                "actor_kind": actor.kind,
                "actor_id": actor.id,
                "actor_label": actor.label,
                "at": clock.now(),
            }
            for kind, key in cases
        ],
    )
    after = {"to": colleague_id, "cases": len(cases)}
    work.record("work.handed_over", "person", leaver.person_id, after=after)
    return len(cases)
