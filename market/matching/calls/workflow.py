"""Who may do what with a call and its answers, and the tables of their states."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, false

from market.accounts.roles import EDITORS, MEMBERS, OFFICES
from market.core.languages import N_
from market.core.permissions import Actor, Always, Condition, Grant, InArea, Own, StateIn, policy
from market.core.workflow import Item, Transition, Workflow
from market.matching.calls.models import ANSWER_STATES, SHOWN, STATES, Call, CallAnswer
from market.matching.calls.rules import is_over
from market.matching.workflow import Unclaimed, unclaimed


class Received(Condition):
    """Holds for answers that were sent to a call of the grant's organisation."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        own = grant.organisation_id
        if own is None or target is None:
            return own is not None
        return bool(target.version > 0 and target.call.owner_id == own)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        own = grant.organisation_id
        return false() if own is None else and_(model.version > 0, model.received_by(own))


class ReceivedFor(Condition):
    """Holds for answers that were sent to a call of an owner without an account in the area."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        area = grant.region_path
        if area is None or target is None:
            return area is not None
        call = target.call
        inside = (call.area_path or "").startswith(area)
        return bool(target.version > 0 and inside and unclaimed(call))

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        area = grant.region_path
        return false() if area is None else and_(model.version > 0, model.received_for(area))


# The owner's people; an office for what is its own, and in the place of an owner that has none.
_OWNERS: dict[str, Condition] = {
    **dict.fromkeys(EDITORS, Own()),
    **dict.fromkeys(OFFICES, Own() | (InArea() & Unclaimed())),
}
_RECEIVERS: dict[str, Condition] = {
    **dict.fromkeys(EDITORS, Received()),
    **dict.fromkeys(OFFICES, Received() | ReceivedFor()),
}
_ANSWERERS: dict[str, Condition] = dict.fromkeys(EDITORS, Own())

LIST = policy.declare("matching:call:list", person=Always())
VIEW = policy.declare("matching:call:view", public=StateIn(SHOWN))
READ = policy.declare(
    "matching:call:read",
    **dict.fromkeys(MEMBERS, Own()),
    **dict.fromkeys(OFFICES, InArea() | Own()),
)
BEGIN = policy.declare("matching:call:begin", **_OWNERS)
EDIT = policy.declare(
    "matching:call:edit", **{role: one & StateIn(("draft",)) for role, one in _OWNERS.items()}
)
OPEN = policy.declare("matching:call:open", **_OWNERS)
EXTEND = policy.declare("matching:call:extend", **_OWNERS)
CLOSE = policy.declare("matching:call:close", **_OWNERS)
CHOOSE = policy.declare("matching:call:choose", **_OWNERS)
WITHDRAW = policy.declare("matching:call:withdraw", **_OWNERS)
FINISH = policy.declare("matching:call:finish", **_OWNERS)

ANSWER = policy.declare("matching:call_answer:send", **_ANSWERERS)
READ_ANSWER = policy.declare(
    "matching:call_answer:read",
    **dict.fromkeys(MEMBERS, Own() | Received()),
    **dict.fromkeys(OFFICES, Received() | ReceivedFor()),
)
GIVE_UP = policy.declare("matching:call_answer:withdraw", **_ANSWERERS)
DECIDE = policy.declare("matching:call_answer:decide", **_RECEIVERS)


def next_step(call: Call) -> tuple[str, str]:
    """Who acts next ("owner", "answerers", "") and what that is."""
    if call.state == "draft":
        return "owner", "填好截止日和条件，发布揭榜"
    if call.state == "open" and not is_over(call.deadline):
        return "answerers", "等待应答，截止后选定应答方"
    if call.state in {"open", "closed"}:
        return "owner", "查看应答，选定应答方，或流榜"
    if call.state == "proposed":
        return "owner", f"办理结果公示 {call.notice_no}，期满无异议或异议不成立即为选定"
    return ("owner", "与选定的应答方对接，谈定后办结") if call.state == "chosen" else ("", "")


def _item(call: Call) -> Item:
    # While answers come in it is the owner's still, and by the day on which he has to look.
    side, words = next_step(call)
    return Item(
        no=call.no,
        title=call.title,
        url=f"/calls/{call.no}",
        side=("office" if unclaimed(call) else "owner") if side else "",
        next_step=words,
        due=call.deadline if call.state == "open" else None,
        organisation_id=call.owner_id,
        region_path=call.area_path,
    )


def _answer_item(answer: CallAnswer) -> Item | None:
    call = answer.call
    waits = answer.state == "draft" and call.state == "open" and not is_over(call.deadline)
    sent = answer.state in {"sent", "proposed"}  # the word is with who called
    words = "写完应答，在截止前发送" if waits else "等待选定结果" if sent else ""
    return Item(
        no=answer.no,
        title=call.title,
        url=f"/calls/{call.no}/answer" if waits else f"/answers/{answer.no}",
        side="owner" if waits else "office" if sent else "",
        next_step=words,
        organisation_id=answer.organisation_id,
        due=call.deadline if waits else None,
    )


CALL = Workflow(
    name="call",
    label=N_("揭榜"),
    model=Call,
    states=STATES,
    room="matching",
    item=_item,
    transitions=(
        Transition("open", N_("发布揭榜"), ("draft",), "open", OPEN),
        Transition("extend", N_("延长截止日"), ("open",), "open", EXTEND, tone="plain"),
        Transition("close", N_("截止"), ("open",), "closed", CLOSE),
        Transition("choose", N_("选定应答方"), ("closed",), "chosen", CHOOSE, reason=True),
        Transition("propose", N_("拟选定应答方"), ("closed",), "proposed", CHOOSE, reason=True),
        Transition("confirm", N_("确定结果"), ("proposed",), "chosen", CHOOSE),
        Transition(
            "rechoose", N_("重新选定"), ("proposed",), "closed", CHOOSE, reason=True, tone="plain"
        ),
        Transition("fail", N_("流榜"), ("closed",), "none", CHOOSE, reason=True, tone="plain"),
        Transition("finish", N_("办结"), ("chosen", "none"), "done", FINISH),
        Transition(
            "withdraw",
            N_("撤回揭榜"),
            ("draft", "open", "closed"),
            "withdrawn",
            WITHDRAW,
            reason=True,
            tone="stop",
        ),
    ),
)
CALL_ANSWER = Workflow(
    name="call_answer",
    label=N_("应答"),
    model=CallAnswer,
    states=ANSWER_STATES,
    room="matching",
    item=_answer_item,
    transitions=(
        Transition("send", N_("发送应答"), ("draft", "sent"), "sent", ANSWER),
        Transition(
            "withdraw", N_("撤回应答"), ("draft", "sent"), "withdrawn", GIVE_UP, tone="plain"
        ),
        Transition("again", N_("重新应答"), ("withdrawn",), "draft", ANSWER, tone="plain"),
        Transition("propose", N_("拟选定"), ("sent",), "proposed", DECIDE),
        Transition("back", N_("重新选定"), ("proposed",), "sent", DECIDE),
        Transition("choose", N_("选定"), ("sent", "proposed"), "chosen", DECIDE),
        Transition("lose", N_("不选"), ("sent",), "lost", DECIDE),
    ),
)
