"""The two tables of publishing: of an edit in progress, and of a listing's published life."""

from __future__ import annotations

from typing import Any

from market.catalogue.models import LISTING_STATES, Listing
from market.catalogue.publishing import policies
from market.catalogue.publishing.models import IN_HAND, SUBMISSION_STATES, Submission
from market.catalogue.service import WITHDRAW
from market.core.unit_of_work import UnitOfWork
from market.core.workflow import Fired, Item, Transition, Workflow

UNTITLED = "（还没有名称）"
_NEXT = {
    "draft": ("owner", "填写完整后送出"),
    "signing": ("owner", "本单位签发"),
    "submitted": ("office", "审核后发布或退回"),
    "returned": ("owner", "按退回意见修改后再送出"),
}


def _seen_by_offices(case: Submission) -> bool:
    """Whether the office of the place may open the case (`policies.READ`)."""
    return case.for_others or case.state in policies.OFFICES_SEE


def _item(case: Submission) -> Item:
    side, words = _NEXT.get(case.state, ("", ""))
    if case.for_others and case.state in IN_HAND:
        side = "office"
    return Item(
        no=case.no,
        title=case.title or UNTITLED,
        url=f"/submissions/{case.no}",
        side=side,
        next_step=words,
        organisation_id=case.organisation_id,
        # A draft is nobody's business but its owner's: desks show what their office may open.
        region_path=case.region.path if _seen_by_offices(case) else None,
        due=case.due if case.state == "submitted" else None,
        provisional=case.provisional and case.state == "submitted",
        returned=case.state == "returned",
    )


SUBMISSION = Workflow(
    name="submission",
    label="成果与需求的发布",
    model=Submission,
    states=SUBMISSION_STATES,
    room="catalogue",
    item=_item,
    transitions=(
        Transition("send_inside", "送本单位审核", IN_HAND, "signing", policies.SEND_INSIDE),
        Transition("submit", "提交审核", IN_HAND, "submitted", policies.SUBMIT),
        Transition("publish", "发布", IN_HAND, "published", policies.PUBLISH),
        Transition("sign", "签发并发布", ("signing",), "published", policies.SIGN),
        Transition("sign_on", "签发并提交审核", ("signing",), "submitted", policies.SIGN_ON),
        Transition(
            "return", "退回修改", ("signing",), "returned", policies.RETURN_INSIDE,
            reason=True, tone="plain",
        ),
        Transition("publish", "发布", ("submitted",), "published", policies.REVIEW),
        Transition(
            "return", "退回修改", ("submitted",), "returned", policies.REVIEW,
            reason=True, tone="plain",
        ),
        Transition(
            "take_back", "取回修改", ("signing", "submitted"), "draft", policies.TAKE_BACK,
            tone="plain",
        ),
        Transition(
            "discard", "放弃这次填写", IN_HAND, "discarded", policies.DISCARD, tone="stop"
        ),
    ),
)  # fmt: skip
# Actions after which readers see the new version, and those for which it must be complete.
PUBLISHING = ("publish", "sign")
SENDING = ("send_inside", "submit", "publish", "sign", "sign_on")
WORDS = {
    "begin": "开始填写",
    "send_inside": "送本单位审核",
    "submit": "提交审核",
    "publish": "发布",
    "sign": "签发并发布",
    "sign_on": "签发并提交审核",
    "return": "退回修改",
    "take_back": "取回修改",
    "discard": "放弃这次填写",
    "rebase": "已与公开的版本核对",
    "file": "附件",
}


def _announce(work: UnitOfWork, case: Any, fired: Fired) -> None:
    """The index follows: only published listings are found."""
    work.announce("listing", case.id)


_FOLLOW = (_announce,)
LISTING = Workflow(
    name="listing",
    label="已发布的信息",
    model=Listing,
    states=LISTING_STATES,
    room="catalogue",
    item=lambda listing: None,
    start="published",
    transitions=(
        Transition(
            "renew", "确认仍有效", ("published",), "published", policies.RENEW, effects=_FOLLOW
        ),
        Transition(
            "close", "结束需求", ("published",), "closed", policies.CLOSE, effects=_FOLLOW,
            tone="plain",
        ),
        Transition(
            "withdraw", "撤回", ("published",), "withdrawn", WITHDRAW,
            reason=True, effects=_FOLLOW, tone="stop",
        ),
        Transition(
            "take_down", "下架", ("published",), "taken_down", policies.TAKE_DOWN,
            reason=True, effects=_FOLLOW, tone="stop",
        ),
        Transition(
            "restore", "恢复公开", ("withdrawn", "closed"), "published", policies.RESTORE,
            effects=_FOLLOW,
        ),
        Transition(
            "restore", "恢复公开", ("taken_down",), "published", policies.PUT_BACK,
            effects=_FOLLOW,
        ),
        Transition(
            "ask_back", "请求恢复公开", ("taken_down",), "taken_down", policies.ASK_BACK, reason=True
        ),
    ),
)  # fmt: skip
LISTING_WORDS = {
    "publish": "发布",
    "renew": "确认仍有效",
    "close": "结束需求",
    "withdraw": "撤回",
    "take_down": "下架",
    "restore": "恢复公开",
    "ask_back": "请求恢复公开",
}
