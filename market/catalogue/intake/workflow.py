"""The life of a first demand, and what is told about it."""

from __future__ import annotations

from market.accounts.roles import OFFICES
from market.catalogue.intake.models import OPEN, STATES, Intake
from market.core.languages import N_
from market.core.messages import MessageKind
from market.core.permissions import Always, InArea, policy
from market.core.workflow import Item, Transition, Workflow

_OFFICES = dict.fromkeys(OFFICES, InArea())
OFFER = policy.declare("catalogue:intake:offer", public=Always())
# Whoever has the address of a receipt; whoever has telephone and code.
FOLLOW = policy.declare("catalogue:intake:follow", public=Always())
CLAIM = policy.declare("catalogue:intake:claim", public=Always())
READ = policy.declare("catalogue:intake:read", **_OFFICES)
HANDLE = policy.declare("catalogue:intake:handle", **_OFFICES)
ENTER = policy.declare("catalogue:intake:enter", **_OFFICES)
UNMASK = policy.declare("catalogue:intake:unmask", **_OFFICES)
FORGET = policy.declare("catalogue:intake:forget")

WORDS = {
    "begin": "已收到",
    "accept": "甄别通过",
    "call": "回访",
    "complete": "完成代录",
    "drop": "不受理",
    "duplicate": "并入另一件",
    "reopen": "恢复办理",
    "unmask": "查看完整信息",
    "code": "发送认领码",
    "claimed": "已认领",
    "erase": "按本人要求删除联系方式",
}
_NEXT = {"new": "给来电人回电话", "doubtful": "甄别是否真实", "calling": "再次回访，或完成代录"}


def item(case: Intake) -> Item:
    """What desks show."""
    open_ = case.state in OPEN
    return Item(
        no=case.no,
        title=f"{case.firm}：{case.problem}",
        url=f"/intakes/{case.no}",
        side="office" if open_ else "",
        next_step=_NEXT.get(case.state, ""),
        # Not on the firm's own pages: what was said on the telephone is the office's note.
        organisation_id=None,
        region_path=case.area_path,
        due=case.due if open_ else None,
        provisional=case.provisional and open_,
    )


INTAKE = Workflow(
    "intake",
    N_("来电与代录"),
    Intake,
    STATES,
    [
        Transition("accept", "甄别通过，转回访", ("doubtful",), "new", HANDLE),
        Transition("call", "记录回访", ("new", "doubtful", "calling"), "calling", HANDLE),
        Transition("complete", "完成代录", ("new", "calling"), "completed", HANDLE),
        Transition(
            "duplicate", "与另一件重复", ("new", "doubtful", "calling"), "duplicate", HANDLE
        ),
        Transition(
            "drop", "不受理", ("new", "doubtful", "calling"), "dropped", HANDLE,
            reason=True, tone="stop",
        ),
        Transition(
            "reopen", "恢复办理", ("dropped", "duplicate"), "new", HANDLE,
            reason=True, tone="plain",
        ),
    ],
    item,
    room="catalogue",
    start="new",
)  # fmt: skip
# Those that need nothing but a press or a reason; the others have forms of their own.
PLAIN_ACTS = ("accept", "drop", "reopen")

RECEIVED = MessageKind(
    "intake.received",
    N_("有人报来难题"),
    N_("%(firm)s报来难题，请回电话"),
    N_("编号 %(no)s，%(firm)s：%(problem)s\n请在 %(due)s 前回电话。"),
)
CLAIM_CODE = MessageKind(
    "intake.claim_code",
    N_("单位认领码"),
    N_("%(firm)s的认领码"),
    N_(
        "您的认领码是 %(code)s，24 小时内有效。打开 %(address)s，填手机号和认领码，就能自己管理「%(firm)s」"
        "发布的需求。不是您本人报的，请不要理会。"
    ),
    sms=True,
    must=True,
    secret=True,
)
