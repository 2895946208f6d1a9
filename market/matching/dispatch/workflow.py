"""Who may do what with dispatches, escalations and firms looked after, and the tables of their states."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, false, select

from market.accounts.roles import EDITORS, MEMBERS, OFFICES
from market.core.languages import N_
from market.core.permissions import Actor, Condition, Grant, InArea, Mine, Own, policy
from market.core.workflow import Item, Transition, Workflow
from market.matching.dispatch.models import (
    ESCALATION_STATES,
    OFFICER_STATES,
    STATES,
    ContactOfficer,
    Dispatch,
    Escalation,
)
from market.regions.models import Region


@dataclass(frozen=True)
class FromArea(Condition):
    """Holds for what the region of the grant, or one below it, passed up."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        area = grant.region_path
        if area is None or target is None:
            return area is not None
        return str(target.from_region.path).startswith(area)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        if grant.region_path is None:
            return false()
        below = select(Region.id).where(
            Region.path >= grant.region_path, Region.path < grant.region_path[:-1] + "0"
        )
        found: ColumnElement[bool] = model.from_region_id.in_(below)
        return found


class SentFrom(FromArea):
    """Holds for what the very region of the grant passed up: the office above only answers."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        own = grant.region_path
        return own is not None and (target is None or target.from_region.path == own)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        if grant.region_path is None:
            return false()
        own = select(Region.id).where(Region.path == grant.region_path)
        found: ColumnElement[bool] = model.from_region_id.in_(own)
        return found


_AREA: dict[str, Condition] = dict.fromkeys(OFFICES, InArea())
_EDITORS: dict[str, Condition] = dict.fromkeys(EDITORS, Own())
_MYSELF: dict[str, Condition] = {"person": Mine("recipient_person_id")}

# About a demand: send it out, pass it up.
SEND = policy.declare("matching:dispatch:send", **_AREA)
PASS_UP = policy.declare("matching:dispatch:pass_up", county=InArea(), prefecture=InArea())
# About a dispatch.
READ = policy.declare("matching:dispatch:read", **dict.fromkeys(MEMBERS, Own()), **_AREA, **_MYSELF)
# The owner of a demand: to whom it was sent and what was answered (asked about the listing).
TOLD = policy.declare("matching:dispatch:told", **dict.fromkeys(MEMBERS, Own()))
AREA = policy.declare("matching:dispatch:area", **_AREA)
# A clerk writes down what he was told on the telephone (代录).
ANSWER = policy.declare("matching:dispatch:answer", **_EDITORS, **_AREA, **_MYSELF)
HANDLE = policy.declare("matching:dispatch:handle", **_AREA)
CONTACT = policy.declare("matching:dispatch:contact", **_AREA)
REMIND = policy.declare("matching:dispatch:remind")
FORGET = policy.declare("matching:dispatch:forget")
SETTING = policy.declare("matching:dispatch_setting:edit", **_AREA)
# About a demand that was passed up.
ESCALATION = policy.declare(
    "matching:escalation:read", **dict.fromkeys(OFFICES, InArea() | FromArea())
)
TAKE_BACK = policy.declare("matching:escalation:withdraw", county=SentFrom(), prefecture=SentFrom())
REPLY = policy.declare("matching:escalation:answer", prefecture=InArea(), province=InArea())
# About a firm (an organisation), and about who looks after it.
FIRM = policy.declare("matching:firm:read", **_AREA)
LOG = policy.declare("matching:firm:log", **_AREA)
FIRM_CONTACT = policy.declare("matching:firm:contact", **_AREA)
ASSIGN = policy.declare("matching:firm:assign", **_AREA)
OFFICER = policy.declare("matching:contact_officer:keep", **_AREA)

_NEXT = {
    "interested": "联系对方，开始洽谈",
    "talking": "跟进洽谈，记下结果",
    "referred": "看另荐的是谁：再推荐，或办结",
}


def _short(day: date) -> str:
    return f"{day.month} 月 {day.day} 日"


def _item(case: Dispatch) -> Item:
    waits, ours = case.state == "sent", case.state in _NEXT
    step = f"答复推荐对接（{_short(case.due)}前）" if waits else _NEXT.get(case.state, "")
    asked = case.due if waits else None
    return Item(
        no=case.no,
        # Desks name the organisation in a column of its own.
        title=case.title if case.recipient_id else f"{case.recipient_label}：{case.title}",
        url=f"/dispatches/{case.no}",
        side="owner" if waits else "office" if ours else "",
        next_step=step,
        organisation_id=case.recipient_id,
        person_id=case.recipient_person_id,
        region_path=case.area_path,
        due=(case.next_call or asked) if waits or ours else None,
        provisional=waits and case.next_call is None and case.provisional,
    )


_UNANSWERED = ("sent", "no_answer")
DISPATCH = Workflow(
    name="dispatch",
    label=N_("推荐对接"),
    model=Dispatch,
    states=STATES,
    room="matching",
    start="sent",
    item=_item,
    transitions=(
        Transition("interest", N_("有意向"), (*_UNANSWERED, "declined", "referred"), "interested", ANSWER),
        Transition("decline", N_("不对口"), (*_UNANSWERED, "interested"), "declined", ANSWER),
        Transition("refer", N_("另荐他人"), (*_UNANSWERED, "interested"), "referred", ANSWER),
        Transition("talk", N_("开始洽谈"), ("interested",), "talking", HANDLE),
        Transition("close", N_("办结"), ("interested", "talking", "referred"), "closed", HANDLE),
        Transition("miss", N_("记为未答复"), ("sent",), "no_answer", HANDLE, tone="plain"),
        Transition(
            "withdraw", N_("撤回推荐"), ("sent", "interested"), "withdrawn", HANDLE,
            reason=True, tone="stop",
        ),
    ),
)  # fmt: skip
# The transition that leads to an answer.
ACTION_OF = {"interested": "interest", "declined": "decline", "referred": "refer"}


def _escalation_item(case: Escalation) -> Item:
    waits = case.state == "open"
    return Item(
        no=case.no,
        title=case.title,
        url=f"/desk/demands/{case.listing.no}/dispatch",
        side="office" if waits else "",
        next_step="另找合适的单位推荐，把结果答复县里" if waits else "",
        region_path=case.area_path,
    )


ESCALATED = Workflow(
    name="escalation",
    label=N_("上报需求"),
    model=Escalation,
    states=ESCALATION_STATES,
    room="matching",
    start="open",
    item=_escalation_item,
    transitions=(
        Transition("answer", N_("答复县里"), ("open",), "answered", REPLY),
        Transition("withdraw", N_("撤回上报"), ("open",), "withdrawn", TAKE_BACK, tone="plain"),
    ),
)


def _officer_item(case: ContactOfficer) -> Item | None:
    """A firm is on the desk as long as somebody wants to ring it."""
    if case.state == "ended" or case.next_call is None:
        return None
    return Item(
        no=case.owner.no,
        title=f"联系企业：{case.owner.name}",
        url=f"/desk/contacts/{case.owner.no}",
        side="office",
        next_step="按约定的日子联系企业",
        region_path=case.area_path,
        due=case.next_call,
    )


OFFICERS = Workflow(
    name="contact_officer",
    label=N_("联系企业"),
    model=ContactOfficer,
    states=OFFICER_STATES,
    room="matching",
    start="current",
    item=_officer_item,
    transitions=(
        Transition("end", N_("不再联系"), ("current",), "ended", ASSIGN, tone="plain"),
    ),
)  # fmt: skip
