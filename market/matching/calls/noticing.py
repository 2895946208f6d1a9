"""The public notice (公示) of a call's result: begun with the choice, asked before it holds."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from market.catalogue.naming import hidden
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.money import show_yuan
from market.core.permissions import Actor
from market.core.unit_of_work import UnitOfWork
from market.matching.calls.models import Call, CallAnswer, CallAnswerVersion
from market.notices import queries as notices
from market.notices import service
from market.notices.service import Subject

SUBJECT, KIND = "call", "challenge_result"
_LONGEST_TITLE = 100


def refuse_hidden(call: Call) -> None:
    """Refuse a notice of a firm that keeps its name back: it would be told by it. Raises Invalid."""
    if call.wants_notice and hidden(call.listing):
        words = "这项需求不公开单位名称，公示会写明单位：请先在需求里公开名称，或不公示结果。"
        raise Invalid({"wants_notice": [words]})


def begin(
    work: UnitOfWork, call: Call, won: Sequence[CallAnswer], reason: str, *, shows_price: bool
) -> str:
    """Begin the draft of the notice, filled in from the call; returns its number.

    Raises:
        Conflict: a notice of the call runs or has open objections, or the owner keeps its name
            back: a notice has to say whose it is. Denied: the actor acts for
            nobody who could put it up.
    """
    if hidden(call.listing):
        raise Conflict(
            "公示须写明需求单位的名称：请先公开单位名称（修改需求），或撤回这项揭榜，另发一项不公示结果的。"
        )
    content = [
        ["榜单名称", f"{call.title}（揭榜 {call.no}，需求 {call.listing.no}）"],
        ["需求单位", call.owner.name],
        ["揭榜单位", "、".join(one.owner.name for one in won)],
        ["选定理由", reason],
    ]
    if shows_price:
        content.append(["报价", "；".join(_price(one) for one in won)])
    title = f"{call.title[:_LONGEST_TITLE]}揭榜结果公示"
    subject = Subject(SUBJECT, call.id, call.no)
    return service.begin_for(work.actor, subject, KIND, title, content, owner_no=call.owner.no)


def _price(answer: CallAnswer) -> str:
    query = select(CallAnswerVersion.price_fen).where(
        CallAnswerVersion.answer_id == answer.id, CallAnswerVersion.version == answer.version
    )
    fen = db.session.scalar(query)
    return f"{answer.owner.name}：{'面议' if fen is None else show_yuan(fen)}"


def came_out(no: str | None, *, hold: bool = False) -> str | None:
    """Whether the notice has come out: why one has to choose again, "" when the choice holds.

    Returns:
        None while it waits.
    """
    code = notices.standing_of(no, hold=hold).code if no else "gone"
    if code in {"draft", "running", "objection_open"}:
        return None
    return {"clear": "", "upheld": f"公示 {no} 的异议成立。"}.get(code, f"公示 {no} 已撤回。")


def refuse_before_end(call: Call) -> None:
    """Refuse to take a choice as valid that its notice does not bear. Raises Conflict."""
    code = notices.standing_of(call.notice_no or "", hold=True).code
    words = {
        "draft": f"结果公示 {call.notice_no} 还没有开始，公示期满后才能确定结果。",
        "running": f"结果公示 {call.notice_no} 还没有期满，期满后才能确定结果。",
        "objection_open": f"结果公示 {call.notice_no} 有异议没有答复，答复后才能确定结果。",
        "upheld": f"结果公示 {call.notice_no} 的异议成立，请重新选定。",
        "gone": f"结果公示 {call.notice_no} 已撤回，请重新选定。",
    }
    if code in words:
        raise Conflict(words[code])


def refuse_while_running(call: Call) -> None:
    """Refuse to choose again while the notice binds. Raises Conflict."""
    code = notices.standing_of(call.notice_no or "", hold=True).code
    words = {
        "running": f"结果公示 {call.notice_no} 正在进行；确要重新选定，请先撤回公示并写明原因。",
        "objection_open": f"结果公示 {call.notice_no} 有异议没有答复，请先答复。",
        "clear": f"结果公示 {call.notice_no} 已结束，没有成立的异议，请确定结果。",
    }
    if code in words:
        raise Conflict(words[code])


def discard_draft(actor: Actor, no: str | None) -> None:
    """Discard a notice that was never started, with the choice that it told of."""
    if no and notices.standing_of(no).code == "draft":
        service.act(actor, no, "discard")
