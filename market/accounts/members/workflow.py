"""The table of a request to join an organisation, and what people are told about staff."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select

from market.accounts.members.models import STATES, Joining
from market.accounts.people.models import RoleGrant
from market.accounts.people.sessions import in_force
from market.accounts.roles import MEMBERS, OFFICES, ROLES
from market.core.db import db
from market.core.languages import N_
from market.core.messages import MessageKind, tell
from market.core.permissions import Actor, Always, Condition, Grant, InArea, Mine, Own, policy
from market.core.unit_of_work import UnitOfWork
from market.core.workflow import Fired, Item, Transition, Workflow


def _owners(organisation_id: Any) -> Any:
    return select(RoleGrant.id).where(
        RoleGrant.organisation_id == organisation_id, RoleGrant.role == "owner", in_force()
    )


def has_owner(organisation_id: int) -> bool:
    """Whether anybody manages an organisation."""
    return db.session.scalar(_owners(organisation_id).limit(1)) is not None


class WithoutOwner(Condition):
    """Holds for what belongs to an organisation that nobody manages."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or not has_owner(target.organisation_id)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = ~_owners(model.organisation_id).exists()
        return found


_AREA = dict.fromkeys(OFFICES, InArea())
ASK = policy.declare("accounts:joining:ask", person=Always())
# Colleagues see who asks to join; an owner answers.
READ = policy.declare(
    "accounts:joining:read", person=Mine(), **dict.fromkeys(MEMBERS, Own()), **_AREA
)
ANSWER = policy.declare(
    "accounts:joining:answer", owner=Own(), **dict.fromkeys(OFFICES, InArea() & WithoutOwner())
)
RETRACT = policy.declare("accounts:joining:retract", person=Mine())
# Two organisations become one; on requests: those that are made twice by that.
MERGE = policy.declare("accounts:organisation:merge", **_AREA)
LIST = policy.declare("accounts:member:list", **dict.fromkeys((*MEMBERS, *OFFICES), Own()))

REQUESTED = MessageKind(
    "joining.requested",
    N_("有人申请加入本单位"),
    N_("%(person)s申请加入%(organisation)s"),
    N_("请核对是不是本单位的人，再接受或不接受。编号 %(no)s。"),
    sms=True,
)
ANSWERED = MessageKind(
    "joining.answered",
    N_("加入单位的申请有了结果"),
    N_("加入%(organisation)s：%(state)s"),
    N_("您加入%(organisation)s的申请（编号 %(no)s）：%(state)s。%(reason)s"),
    sms=True,
    must=True,
)
RENAMED = MessageKind(
    "organisation.renamed",
    N_("科技管理部门更改了本单位名称"),
    N_("单位名称改为%(name)s"),
    N_(
        "%(by)s把「%(before)s」改为「%(name)s」，依据：%(reason)s。有出入请联系所在县的科技管理部门。"
    ),
)
INVITED = MessageKind(
    "member.invited",
    N_("邀请您加入单位"),
    N_("%(organisation)s邀请您担任%(role)s"),
    N_(
        "%(by)s邀请您加入%(organisation)s，角色是%(role)s。请在 %(until)s 前打开链接，登录或注册后接受。"
    ),
    sms=True,
    must=True,
    link=True,
    secret=True,
)
CHANGED = MessageKind(
    "member.changed",
    N_("您在单位的角色有变化"),
    N_("您在%(organisation)s的角色有变化"),
    N_("%(by)s把您在%(organisation)s的角色改为：%(roles)s。"),
    must=True,
)


def _tell_person(work: UnitOfWork, case: Joining, fired: Fired) -> None:
    tell(
        ANSWERED,
        about=("joining", case.id),
        url=address(case),
        values={
            "organisation": case.owner.name,
            "no": case.no,
            "state": STATES[fired.transition.target],
            "reason": fired.reason or "",
        },
        people=[case.person_id],
    )


def tell_owners(case: Joining) -> None:
    """Tell the owners of the organisation, or where it has none the office of its place."""
    managed = has_owner(case.organisation_id)
    tell(
        REQUESTED,
        about=("joining", case.id),
        url=address(case),
        values={"person": case.person.name, "organisation": case.owner.name, "no": case.no},
        organisation_id=case.organisation_id if managed else None,
        roles=("owner",),
        region_path=None if managed else case.owner.area_path,
    )


def address(case: Joining) -> str:
    """The page of a request."""
    return f"/my/joinings/{case.no}"


def _item(case: Any) -> Item:
    open_ = case.state == "requested"
    managed = has_owner(case.organisation_id)
    return Item(
        no=case.no,
        title=f"{case.person.name}申请加入{case.owner.name}",
        url=address(case),
        side=("owner" if managed else "office") if open_ else "",
        next_step="核对是不是本单位的人，接受或不接受" if open_ else "已办结",
        organisation_id=case.organisation_id,
        region_path=None if managed else case.owner.area_path,
    )


def role_label(role: str) -> str:
    """A role in words."""
    return ROLES[role].label


JOINING = Workflow(
    "joining",
    "加入单位",
    Joining,
    STATES,
    (
        Transition(
            "accept", N_("接受"), ("requested",), "accepted", ANSWER,
            not_by=("begin",), effects=(_tell_person,),
        ),
        Transition(
            "refuse", N_("不接受"), ("requested",), "refused", ANSWER,
            reason=True, effects=(_tell_person,), tone="stop",
        ),
        Transition("withdraw", N_("撤回申请"), ("requested",), "withdrawn", RETRACT, tone="plain"),
        Transition("drop", N_("因单位合并而结束"), ("requested",), "withdrawn", MERGE, tone="plain"),
    ),
    _item,
    room="accounts",
    start="requested",
)  # fmt: skip
