"""Who may do what with submissions and with published listings, as one declaration each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, false, func, not_, select, true

from market.accounts.models import Organisation
from market.accounts.people.models import RoleGrant
from market.accounts.people.sessions import in_force
from market.accounts.roles import EDITORS, MEMBERS, OFFICES
from market.catalogue.publishing.models import FOR_OTHERS, IN_HAND, OWN_SIGN_OFF
from market.core.db import db
from market.core.permissions import Actor, Always, Condition, Grant, InArea, Own, StateIn, policy


class ForOthers(Condition):
    """Holds for what an officer typed for a caller."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or target.for_others

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.source.in_(FOR_OTHERS)
        return found


@dataclass(frozen=True)
class SignsInside(Condition):
    """Holds where the owner wants a sign-off by another of its people (or, `wanted=False`, not)."""

    wanted: bool = True

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or target.owner.signs_inside == self.wanted

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.owner_where(Organisation.signs_inside == self.wanted)
        return found


@dataclass(frozen=True)
class PublishesItself(Condition):
    """Holds where the owner publishes on its own sign-off (or, `itself=False`, the office does)."""

    itself: bool = True

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or target.publishes_itself == self.itself

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        own = model.owner_where(
            Organisation.kind.in_(OWN_SIGN_OFF), Organisation.verified_at.is_not(None)
        )
        return own if self.itself else not_(own)


class NotAuthorAlone(Condition):
    """Holds for what somebody else wrote in too: nobody signs off what is his alone.

    Signing off is an act of a person: no program has it.
    """

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        if actor.kind != "person":
            return False
        return target is None or target.authors != [actor.id]

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        if actor.kind != "person":
            return false()
        return cast(model.authors, String) != f"[{actor.id}]"


class NotAuthor(Condition):
    """Holds for what the actor wrote nothing in: nobody reviews his own work."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or actor.kind != "person" or actor.id not in target.authors

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        held = func.replace(func.replace(cast(model.authors, String), "[", ","), "]", ",")
        return not_(func.replace(held, " ", "").contains(f",{actor.id},"))


class OfOthers(Condition):
    """Holds for what belongs to organisations at which the actor has no role: nobody reviews his own."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or target.organisation_of not in actor.organisations()

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        return and_(*(not_(model.owned_by(own)) for own in actor.organisations()), true())


class IsDemand(Condition):
    """Holds for demands."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or target.kind == "demand"

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.kind == "demand"
        return found


# What an office sees of an area's listings: whatever was public once.
NOT_PRIVATE = ("published", "withdrawn", "taken_down", "closed")
_THING = "catalogue:submission"
_OFFICERS_OWN = InArea() & ForOthers()


def _editors(condition: Condition, office: Condition) -> dict[str, Condition]:
    """Editors of the owner, with officers: for what they typed, and for their own office's."""
    roles: dict[str, Condition] = dict.fromkeys(EDITORS, Own() & condition)
    return roles | dict.fromkeys(OFFICES, (office | Own()) & condition)


OFFICES_SEE = ("submitted", "returned", "published")
_SEEN_BY_OFFICES = InArea() & (StateIn(OFFICES_SEE) | ForOthers())
READ = policy.declare(
    f"{_THING}:read",
    **dict.fromkeys(MEMBERS, Own()),
    **dict.fromkeys(OFFICES, _SEEN_BY_OFFICES | Own()),
)
CREATE = policy.declare(f"{_THING}:create", **_editors(Always(), _OFFICERS_OWN))
EDIT = policy.declare(f"{_THING}:edit", **_editors(StateIn(IN_HAND), _OFFICERS_OWN))
DISCARD = policy.declare(f"{_THING}:discard", **_editors(StateIn(IN_HAND), _OFFICERS_OWN))
SEND_INSIDE = policy.declare(
    f"{_THING}:send_inside",
    **dict.fromkeys((*EDITORS, *OFFICES), Own() & SignsInside()),
)
SUBMIT = policy.declare(
    f"{_THING}:submit",
    **dict.fromkeys((*EDITORS, *OFFICES), Own() & SignsInside(False) & PublishesItself(False)),
)
_ITSELF = Own() & SignsInside(False) & PublishesItself()
PUBLISH = policy.declare(
    f"{_THING}:publish",
    **dict.fromkeys(EDITORS, _ITSELF),
    **dict.fromkeys(OFFICES, _OFFICERS_OWN | _ITSELF),
)
_SIGNERS = ("owner", "certifier", *OFFICES)


def somebody_else_signs(organisation_id: int) -> bool:
    """Whether an organisation has two people of whom one signs what the other wrote."""
    query = select(RoleGrant.person_id, RoleGrant.role).where(
        RoleGrant.organisation_id == organisation_id, in_force()
    )
    rows = db.session.execute(query).all()
    signers = {person for person, role in rows if role in _SIGNERS}
    return bool(signers) and len(signers | {p for p, role in rows if role in EDITORS}) > 1


SIGN = policy.declare(
    f"{_THING}:sign",
    **dict.fromkeys(_SIGNERS, Own() & PublishesItself() & NotAuthorAlone()),
)
SIGN_ON = policy.declare(
    f"{_THING}:sign_on",
    **dict.fromkeys(_SIGNERS, Own() & PublishesItself(False) & NotAuthorAlone()),
)
RETURN_INSIDE = policy.declare(
    f"{_THING}:return_inside", **dict.fromkeys(_SIGNERS, Own() & NotAuthorAlone())
)
TAKE_BACK = policy.declare(f"{_THING}:take_back", **dict.fromkeys((*EDITORS, *OFFICES), Own()))
REVIEW = policy.declare(
    f"{_THING}:review", **dict.fromkeys(OFFICES, InArea() & NotAuthor() & OfOthers())
)

TAKE_DOWN = policy.declare("catalogue:listing:take_down", **dict.fromkeys(OFFICES, InArea()))
PUT_BACK = policy.declare("catalogue:listing:put_back", **dict.fromkeys(OFFICES, InArea()))
# An office took it down: its people put it right and ask the office to look again.
ASK_BACK = policy.declare(
    "catalogue:listing:ask_back", **dict.fromkeys((*EDITORS, *OFFICES), Own())
)
RESTORE = policy.declare("catalogue:listing:restore", **dict.fromkeys((*EDITORS, *OFFICES), Own()))
RENEW = policy.declare("catalogue:listing:renew", **dict.fromkeys((*EDITORS, *OFFICES), Own()))
CLOSE = policy.declare(
    "catalogue:listing:close",
    **dict.fromkeys(EDITORS, Own() & IsDemand()),
    **dict.fromkeys(OFFICES, (InArea() | Own()) & IsDemand()),
)
SPOT_CHECK = policy.declare("catalogue:listing:spot_check", **dict.fromkeys(OFFICES, InArea()))
OWN_LISTINGS = policy.declare("catalogue:listing:own", **dict.fromkeys((*MEMBERS, *OFFICES), Own()))
MANAGE = policy.declare(
    "catalogue:listing:manage",
    **dict.fromkeys(MEMBERS, Own()),
    **dict.fromkeys(OFFICES, Own() | (InArea() & StateIn(NOT_PRIVATE))),
)
OWN_PAGE = policy.declare("catalogue:listing:own_page", person=Always())
SETTINGS = policy.declare("catalogue:publishing:settings", owner=Own())
RENEW_BY_LINK = policy.declare("catalogue:listing:renew_by_link", public=Always())
REMIND = policy.declare("catalogue:listing:remind")
