"""The table of a verification: an owner hands in, the office of the place decides."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from market.accounts.models import Organisation
from market.accounts.roles import MEMBERS, OFFICES
from market.accounts.verification.models import STATES, Verification
from market.core import clock
from market.core.db import db
from market.core.languages import N_
from market.core.messages import MessageKind, tell
from market.core.permissions import InArea, Own, policy
from market.core.unit_of_work import UnitOfWork
from market.core.workflow import Fired, Item, Transition, Workflow

NAME = "verification"
_OFFICES = dict.fromkeys(OFFICES, InArea())
READ = policy.declare("accounts:verification:read", **dict.fromkeys(MEMBERS, Own()), **_OFFICES)
SUBMIT = policy.declare("accounts:verification:submit", owner=Own())
DECIDE = policy.declare("accounts:verification:decide", **_OFFICES)
UNMASK = policy.declare("accounts:profile:unmask", owner=Own(), **_OFFICES)

SUBMITTED = MessageKind(
    "verification.submitted",
    N_("单位提交核验"),
    N_("%(name)s提交了单位核验"),
    N_("请在 %(due)s 前核验执照和登记信息。编号 %(no)s。"),
)
DECIDED = MessageKind(
    "verification.decided",
    N_("单位核验的结果"),
    N_("单位核验：%(state)s"),
    N_("%(name)s的单位核验（编号 %(no)s）：%(state)s。%(reason)s"),
    sms=True,
    must=True,
)


def _verified(work: UnitOfWork, case: Verification, fired: Fired) -> None:
    mark_verified(work, case.owner)


def mark_verified(work: UnitOfWork, organisation: Organisation) -> None:
    """Note that an office saw the licence; listings are announced by the rooms that show it."""
    now = clock.now()
    db.session.execute(
        update(Organisation)
        .where(Organisation.id == organisation.id)
        .values(verified_at=now, updated_at=now, lock_version=Organisation.lock_version + 1)
    )
    work.record("organisation.verified", "organisation", organisation.id, no=organisation.no)
    work.announce("organisation", organisation.id)


def _tell_owner(work: UnitOfWork, case: Verification, fired: Fired) -> None:
    words = STATES[fired.transition.target]
    values = {"name": case.owner.name, "no": case.no, "state": words, "reason": fired.reason or ""}
    tell(
        DECIDED,
        about=(NAME, case.id),
        url=address(case),
        values=values,
        organisation_id=case.organisation_id,
        roles=("owner",),
    )


def _tell_office(work: UnitOfWork, case: Verification, fired: Fired) -> None:
    tell_office(case)


def tell_office(case: Verification) -> None:
    """Tell the officers of the place that something waits for them."""
    values = {"name": case.owner.name, "no": case.no, "due": case.due}
    tell(
        SUBMITTED,
        about=(NAME, case.id),
        url=address(case),
        values=values,
        region_path=case.owner.area_path,
    )


def address(case: Verification) -> str:
    """The page of a case."""
    return f"/verifications/{case.no}"


_STEPS = {
    "submitted": ("office", "由科技管理部门核对执照与填报信息，决定是否通过"),
    "returned": ("owner", "按退回的意见修改后重新提交"),
    "verified": ("", "已办结"),
    "rejected": ("", "已办结；情况有变可以重新提交"),
}


def next_step(state: str) -> str:
    """What comes next, in words."""
    return _STEPS[state][1]


def _item(case: Any) -> Item:
    side, step = _STEPS[case.state]
    return Item(
        no=case.no,
        title=f"单位核验：{case.owner.name}",
        url=address(case),
        side=side,
        next_step=step,
        organisation_id=case.organisation_id,
        region_path=case.owner.area_path,
        due=case.due,
        provisional=case.provisional,
        returned=case.state == "returned",
    )


_HANDED_IN = ("begin", "submit")  # who did this may not decide on it
VERIFICATION = Workflow(
    NAME,
    "单位核验",
    Verification,
    STATES,
    (
        Transition(
            "verify", N_("核验通过"), ("submitted",), "verified", DECIDE,
            not_by=_HANDED_IN, effects=(_verified, _tell_owner),
        ),
        Transition(
            "return", N_("退回修改"), ("submitted",), "returned", DECIDE,
            reason=True, not_by=_HANDED_IN, effects=(_tell_owner,), tone="plain",
        ),
        Transition(
            "reject", N_("不予通过"), ("submitted",), "rejected", DECIDE,
            reason=True, not_by=_HANDED_IN, effects=(_tell_owner,), tone="stop",
        ),
        Transition(
            "submit", N_("重新提交"), ("returned",), "submitted", SUBMIT,
            effects=(_tell_office,),
        ),
    ),
    _item,
    room="accounts",
    start="submitted",
)  # fmt: skip
