"""Who may do what with an inquiry, and the table of its states."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, select

from market.accounts.people.models import Person, RoleGrant
from market.accounts.people.sessions import in_force
from market.accounts.roles import EDITORS, MEMBERS, OFFICES
from market.core import calendar, clock, holidays
from market.core.db import db
from market.core.languages import N_
from market.core.permissions import (
    Actor,
    Always,
    Condition,
    Grant,
    InArea,
    Own,
    policy,
)
from market.core.workflow import Item, Transition, Workflow
from market.matching.models import OPEN, STATES, Inquiry
from market.matching.rules import REOPENED_WITHIN, TARGET_DAYS

# Held by nobody's grant in the database: the queries give it to whoever has a visitor's address.
BY_ADDRESS = "asker_by_address"


class Asked(Condition):
    """Holds for what the organisation of the grant asked."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        own = grant.organisation_id
        return own is not None and (target is None or target.asker_id == own)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        own = grant.organisation_id
        return false() if own is None else model.asked_by(own)


class AskedMyself(Condition):
    """Holds for what a person asked in his own name: an organisation's case stays with it."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        if actor.kind != "person":
            return False
        return target is None or (target.asker_id is None and target.asker_person_id == actor.id)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        if actor.kind != "person":
            return false()
        return and_(model.asker_id.is_(None), model.asker_person_id == actor.id)


class ByAddress(Condition):
    """Holds for the one inquiry whose address a visitor has."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return actor.kind == "visitor" and (target is None or target.id == actor.id)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        return model.id == actor.id if actor.kind == "visitor" else false()


def has_answerers(owner_id: Any) -> ColumnElement[bool]:
    """SQL: an organisation has somebody with an account who may answer for it."""
    held = (
        select(RoleGrant.id)
        .join(Person, Person.id == RoleGrant.person_id)
        .where(
            RoleGrant.organisation_id == owner_id,
            RoleGrant.role.in_(EDITORS),
            in_force(),
            Person.state == "active",
        )
    )
    return held.exists()


def nobody_answers(organisation_id: int) -> bool:
    """Whether nobody has an account who may answer for an organisation."""
    return not db.session.scalar(select(has_answerers(organisation_id)))


def unclaimed(case: Any) -> bool:
    """Whether nobody of a case's owner has an account: its office acts in its place (代答)."""
    return nobody_answers(case.owner_id)


class Unclaimed(Condition):
    """Holds for what was asked of an organisation that has no account yet."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or unclaimed(target)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        return ~has_answerers(model.owner_id)


@dataclass(frozen=True)
class ClosedLately(Condition):
    """Holds for cases that ended within this time."""

    within: timedelta

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        if target is None:
            return True
        return target.closed_at is not None and target.closed_at > clock.now() - self.within

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.closed_at > clock.now() - self.within
        return found


_LATELY = ClosedLately(REOPENED_WITHIN)
_OWNERS: dict[str, Condition] = dict.fromkeys(EDITORS, Own())
_AREA: dict[str, Condition] = dict.fromkeys(OFFICES, InArea())
_IN_ITS_PLACE: dict[str, Condition] = dict.fromkeys(OFFICES, InArea() & Unclaimed())
_ASKERS: dict[str, Condition] = {
    **dict.fromkeys(EDITORS, Asked()),
    "person": AskedMyself(),
    BY_ADDRESS: ByAddress(),
}

CREATE = policy.declare("matching:inquiry:create", public=Always())
ASK = policy.declare("matching:inquiry:ask", **dict.fromkeys(EDITORS, Asked()))
FOLLOW = policy.declare("matching:inquiry:follow", public=Always())
LIST = policy.declare("matching:inquiry:list", person=Always())
READ = policy.declare(
    "matching:inquiry:read",
    **dict.fromkeys(MEMBERS, Own() | Asked()),
    person=AskedMyself(),
    **{BY_ADDRESS: ByAddress()},
    **_AREA,
)
AREA = policy.declare("matching:inquiry:area", **_AREA)
ANSWER = policy.declare("matching:inquiry:answer", **_OWNERS)
ANSWER_FOR = policy.declare("matching:inquiry:answer_for", **_IN_ITS_PLACE)
WRITE = policy.declare("matching:inquiry:write", **_ASKERS)
CLOSE = policy.declare("matching:inquiry:close", **_OWNERS)
CLOSE_FOR = policy.declare("matching:inquiry:close_for", **_IN_ITS_PLACE)
CLOSE_OWN = policy.declare("matching:inquiry:close_own", **_ASKERS)
REOPEN = policy.declare(
    "matching:inquiry:reopen", **{role: one & _LATELY for role, one in _OWNERS.items()}
)
REOPEN_OWN = policy.declare(
    "matching:inquiry:reopen_own", **{role: one & _LATELY for role, one in _ASKERS.items()}
)
WITHDRAW = policy.declare("matching:inquiry:withdraw", **_ASKERS)
REMOVE = policy.declare("matching:inquiry:remove", **_OWNERS, **_AREA)
RESTORE = policy.declare("matching:inquiry:restore", **_AREA)
ASSIGN = policy.declare("matching:inquiry:assign", **_OWNERS)
NOTE = policy.declare("matching:inquiry:note", **_AREA)
REMIND = policy.declare("matching:inquiry:remind", **_AREA)
CONTACT = policy.declare("matching:inquiry:contact", **_OWNERS, **_AREA)
TEMPLATES = policy.declare("matching:reply_template:edit", **_OWNERS)
FORGET = policy.declare("matching:inquiry:forget")
COUNT = policy.declare("matching:reply_time:count")
FOLLOW_OWNERS = policy.declare("matching:inquiry:follow_owners")

# What each side calls the same act.
SIDE_ACTIONS = {
    "close": {"owner": "close", "asker": "close_own", "office": "close_for"},
    "reopen": {"owner": "reopen", "asker": "reopen_own"},
}


def due(inquiry: Inquiry) -> calendar.DueDate:
    """The day by which the owner should answer: three working days after the asker's word."""
    start = clock.local(inquiry.waiting_since).date()
    days = holidays.overrides(start, start + timedelta(days=30))
    return calendar.add_working_days(start, TARGET_DAYS, days)


def next_step(inquiry: Inquiry) -> tuple[str, str]:
    """Who acts next ("owner", "asker", "") and what that is."""
    if inquiry.state == "new":
        return "owner", "答复咨询"
    if inquiry.state == "answered":
        return "asker", "看答复；再问，或办结"
    return "", ""


def _item(inquiry: Inquiry) -> Item:
    waits = inquiry.state == "new"
    until = due(inquiry) if waits else None
    by_office = waits and unclaimed(inquiry)
    return Item(
        no=inquiry.no,
        title=inquiry.title,
        url=f"/inquiries/{inquiry.no}",
        side=("office" if by_office else "owner") if waits else "",
        next_step="代为答复：发布单位还没有账号" if by_office else next_step(inquiry)[1],
        organisation_id=inquiry.owner_id,
        region_path=inquiry.area_path,
        due=until.day if until else None,
        provisional=until.provisional if until else False,
    )


INQUIRY = Workflow(
    name="inquiry",
    label=N_("对接咨询"),
    model=Inquiry,
    states=STATES,
    room="matching",
    start="new",
    item=_item,
    transitions=(
        Transition("answer", N_("发送答复"), OPEN, "answered", ANSWER),
        Transition("answer_for", N_("代为答复"), OPEN, "answered", ANSWER_FOR),
        Transition("write", N_("再问一句"), OPEN, "new", WRITE),
        Transition("close", N_("办结"), OPEN, "closed", CLOSE),
        Transition("close_for", N_("代为办结"), OPEN, "closed", CLOSE_FOR),
        Transition("close_own", N_("办结"), OPEN, "closed", CLOSE_OWN),
        Transition("reopen", N_("重新打开"), ("closed",), "new", REOPEN, tone="plain"),
        Transition("reopen_own", N_("重新打开"), ("closed",), "new", REOPEN_OWN, tone="plain"),
        Transition("withdraw", N_("撤回"), OPEN, "withdrawn", WITHDRAW, tone="plain"),
        Transition("remove", N_("标为垃圾信息"), OPEN, "spam", REMOVE, reason=True, tone="stop"),
        Transition("restore", N_("恢复"), ("spam",), "new", RESTORE, tone="plain"),
    ),
)
