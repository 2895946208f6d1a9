"""Who may do what with notices, objections and announcements, and the tables of their states."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from market.accounts.roles import EDITORS, MEMBERS, OFFICES
from market.core.languages import N_
from market.core.permissions import (
    Actor,
    Always,
    Condition,
    Grant,
    InArea,
    Mine,
    Own,
    StateIn,
    policy,
)
from market.core.workflow import Item, Transition, Workflow
from market.notices.models import (
    ANNOUNCED,
    ANNOUNCEMENT_STATES,
    OBJECTION_STATES,
    OVER,
    PUBLIC_STATES,
    STATES,
    Announcement,
    Notice,
    Objection,
)


class ByOffice(Condition):
    """Holds for what an office puts up, drafts too: an office above it sees how it works."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or target.by_office

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.by_office.is_(True)
        return found


# An officer acts for the office at which he works, and only within his area.
_OFFICE: dict[str, Condition] = dict.fromkeys(OFFICES, Own() & InArea())
_RUN: dict[str, Condition] = {**dict.fromkeys(EDITORS, Own()), **_OFFICE}
_SIGN: dict[str, Condition] = {**_RUN, "certifier": Own()}
_AREA: dict[str, Condition] = dict.fromkeys(OFFICES, InArea())

LIST = policy.declare("notices:notice:list", public=Always())
LIST_OWN = policy.declare("notices:notice:list_own", person=Always())
VIEW = policy.declare("notices:notice:view", public=StateIn(PUBLIC_STATES))
READ = policy.declare(
    "notices:notice:read",
    **dict.fromkeys(MEMBERS, Own()),
    **dict.fromkeys(OFFICES, InArea() & (ByOffice() | StateIn(PUBLIC_STATES))),
)
AREA = policy.declare("notices:notice:area", **_AREA)
CREATE = policy.declare("notices:notice:create", **_RUN)
EDIT = policy.declare(
    "notices:notice:edit", **{role: one & StateIn(("draft",)) for role, one in _RUN.items()}
)
START = policy.declare("notices:notice:start", **_SIGN)
WITHDRAW = policy.declare("notices:notice:withdraw", **_RUN)
TAKE_DOWN = policy.declare("notices:notice:take_down", **_AREA)
CONCLUDE = policy.declare("notices:notice:conclude", **_RUN)
DISCARD = policy.declare("notices:notice:discard", **_RUN)
KEEP_TIME = policy.declare("notices:notice:keep_time")

OBJECT = policy.declare("notices:objection:create", public=Always())
FOLLOW = policy.declare("notices:objection:follow", public=Always())
READ_OBJECTION = policy.declare(
    "notices:objection:read", **dict.fromkeys(MEMBERS, Own()), **_AREA, person=Mine()
)
ANSWER = policy.declare("notices:objection:answer", **_RUN)
CONTACT = policy.declare("notices:objection:contact", **_RUN)
FORGET = policy.declare("notices:objection:forget")

VIEW_ANNOUNCEMENT = policy.declare("notices:announcement:view", public=StateIn(ANNOUNCED))
READ_ANNOUNCEMENT = policy.declare("notices:announcement:read", **_AREA)
WRITE_ANNOUNCEMENT = policy.declare("notices:announcement:write", **_OFFICE)


def _side(notice: Notice) -> str:
    return "office" if notice.by_office else "owner"


def next_step(notice: Notice) -> str:
    """What comes next, in Chinese; empty when nothing does."""
    if notice.state == "draft":
        return "填写并开始公示" if notice.held == "here" else "填写并登记公示记录"
    return {"running": "公示期满后公布结果", "ended": "公布公示结果"}.get(notice.state, "")


def _item(notice: Notice) -> Item:
    step = next_step(notice)
    running = notice.state == "running"
    return Item(
        no=notice.no,
        title=notice.title,
        url=f"/my/notices/{notice.no}",
        side=_side(notice) if step else "",
        next_step=step,
        organisation_id=notice.owner_id,
        region_path=notice.area_path if notice.by_office else None,
        due=notice.end_on if running else None,
        provisional=notice.provisional and running,
    )


NOTICE = Workflow(
    name="notice",
    label=N_("公示"),
    model=Notice,
    states=STATES,
    room="notices",
    item=_item,
    transitions=(
        Transition("start", N_("开始公示"), ("draft",), "running", START),
        Transition("record", N_("登记公示记录"), ("draft",), "ended", START),
        Transition("discard", N_("作废草稿"), ("draft",), "discarded", DISCARD, tone="stop"),
        Transition("end", N_("公示期满"), ("running",), "ended", KEEP_TIME),
        Transition("conclude", N_("公布结果"), ("ended",), "concluded", CONCLUDE),
        Transition(
            "withdraw", N_("撤回公示"), ("running",), "withdrawn", WITHDRAW,
            reason=True, tone="stop",
        ),
        Transition(
            "take_down", N_("下架"), ("running", "ended", "concluded"), "withdrawn", TAKE_DOWN,
            reason=True, tone="stop",
        ),
    ),
)  # fmt: skip


def _objection_item(objection: Objection) -> Item:
    notice = objection.notice
    open_ = objection.state == "received"
    return Item(
        no=objection.no,
        title=f"异议：{notice.title}",
        url=f"/my/notices/{notice.no}#objection-{objection.no}",
        side=_side(notice) if open_ else "",
        next_step="答复异议" if open_ else "",
        organisation_id=objection.owner_id,
        region_path=objection.area_path if notice.by_office else None,
        urgent=open_ and notice.state in OVER,
    )


OBJECTION = Workflow(
    name="objection",
    label=N_("异议"),
    model=Objection,
    states=OBJECTION_STATES,
    room="notices",
    start="received",
    item=_objection_item,
    transitions=(Transition("answer", N_("答复异议"), ("received",), "answered", ANSWER),),
)


def _announcement_item(row: Announcement) -> Item:
    draft = row.state == "draft"
    return Item(
        no=row.no,
        title=row.title,
        url=f"/desk/announcements/{row.no}",
        side="office" if draft else "",
        next_step="发布公告" if draft else "",
        organisation_id=row.owner_id,
        region_path=row.area_path,
    )


ANNOUNCEMENT = Workflow(
    name="announcement",
    label=N_("公告"),
    model=Announcement,
    states=ANNOUNCEMENT_STATES,
    room="notices",
    item=_announcement_item,
    transitions=(
        Transition("publish", N_("发布公告"), ("draft",), "published", WRITE_ANNOUNCEMENT),
        Transition(
            "withdraw", N_("撤回公告"), ("published",), "withdrawn", WRITE_ANNOUNCEMENT,
            reason=True, tone="stop",
        ),
    ),
)  # fmt: skip
