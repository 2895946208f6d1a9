"""What firms and providers are told about their vouchers: an effect of each step of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from market.accounts.roles import EDITORS
from market.core.languages import N_
from market.core.messages import MessageKind, tell
from market.core.money import show_yuan
from market.core.unit_of_work import UnitOfWork
from market.core.workflow import Fired, Transition
from market.vouchers.claim_models import CLAIM_STATES, Claim
from market.vouchers.models import (
    APPLICATION_STATES,
    ORDER_STATES,
    VOUCHER_STATES,
    Application,
    Order,
    Voucher,
)

MOVED = MessageKind(
    "voucher.moved",
    N_("创新券有新的进展"),
    N_("%(what)s %(no)s：%(state)s"),
    N_("%(what)s %(no)s（%(title)s）：%(step)s。现在的状态：%(state)s。%(reason)s"),
)
RETURNED = MessageKind(
    "voucher.returned",
    N_("兑付申请需要补正"),
    N_("请补正：兑付申请 %(no)s"),
    N_("兑付申请 %(no)s（%(title)s）需要补正，已一次列齐，请打开逐项补齐后重新提交。"),
    sms=True,
    must=True,
)
DECIDED = MessageKind(
    "voucher.decided",
    N_("创新券申领、兑付的结果"),
    N_("%(what)s %(no)s：%(state)s"),
    N_("%(what)s %(no)s（%(title)s）：%(state)s。%(reason)s请打开查看。"),
    sms=True,
    must=True,
)
ORDERED = MessageKind(
    "voucher.ordered",
    N_("收到创新券服务订单"),
    N_("服务订单待接单：%(title)s"),
    N_("%(firm)s 下了服务订单 %(no)s（%(title)s），请确认接单，或写明原因不接。"),
    sms=True,
)
ENDING = MessageKind(
    "voucher.ending",
    N_("创新券快到期"),
    N_("创新券 %(no)s 还有 %(days)s 天到期"),
    N_(
        "创新券 %(no)s（%(title)s）%(last)s 到期，还有 %(left)s没有使用。"
        "请在到期以前下单、验收并申请兑付；过期的额度收回。"
    ),
    sms=True,
)
KINDS = (MOVED, RETURNED, DECIDED, ORDERED, ENDING)

# What only follows from another case that is told itself.
_SILENT = {"use", "redeem", "restore", "publish", "close", "reopen"}
_RESULTS = {"granted", "refused", "paid", "bounced", "recovered", "frozen"}
_SHOWN: Mapping[type, tuple[str, str, Mapping[str, str]]] = {
    Application: ("创新券申领", "/vouchers/applications", APPLICATION_STATES),
    Voucher: ("创新券", "/my/vouchers", VOUCHER_STATES),
    Order: ("服务订单", "/vouchers/orders", ORDER_STATES),
    Claim: ("兑付申请", "/vouchers/claims", CLAIM_STATES),
}


def telling(*rows: Transition) -> tuple[Transition, ...]:
    """Rows of a table, each of which tells those whom it concerns, in the same transaction."""
    return tuple(
        row if row.action in _SILENT else replace(row, effects=(*row.effects, _tell))
        for row in rows
    )


def _tell(work: UnitOfWork, case: Any, fired: Fired) -> None:
    for organisation_id in _receivers(case, fired.transition.action):
        if organisation_id not in work.actor.organisations(*EDITORS):
            _say(_kind_of(case, fired.transition), case, organisation_id, fired)


def _receivers(case: Any, action: str) -> list[int]:
    """Whose case it is, and who is on its other side where that concerns him."""
    if isinstance(case, Order):
        sides = [case.organisation_id, case.provider_id]
        theirs = {"confirm": sides[:1], "refuse": sides[:1], "deliver": sides[:1]}
        ours = {"accept": sides[1:], "dispute": sides[1:], "cancel": sides[1:]}
        # Ended by the office or with its voucher: both sides.
        return theirs.get(action) or ours.get(action) or sides
    if isinstance(case, Claim):
        both = [case.claimant_id, case.organisation_id, case.provider_id]
        known = action in {"submit", "pay", "recover"} and case.order_id is not None
        return [one for one in dict.fromkeys(both if known else both[:1]) if one is not None]
    return [case.organisation_id]


def _kind_of(case: Any, step: Transition) -> MessageKind:
    if isinstance(case, Claim) and step.action == "return":
        return RETURNED
    return DECIDED if not isinstance(case, Order) and step.target in _RESULTS else MOVED


def _say(kind: MessageKind, case: Any, organisation_id: int, fired: Fired) -> None:
    what, address, states = _SHOWN[type(case)]
    url = f"{address}/{case.no}"
    if isinstance(case, Claim) and organisation_id != case.claimant_id and case.order is not None:
        url = f"/vouchers/orders/{case.order.no}"  # the claim itself is the claimant's
    tell(
        kind,
        about=(case.__tablename__, case.id),
        url=url,
        values={
            "what": what,
            "no": case.no,
            "title": case.title if isinstance(case, Order) else case.scheme.title,
            "step": fired.transition.label,
            "state": states[fired.transition.target],
            "reason": f"原因：{fired.reason}。" if fired.reason else "",
        },
        organisation_id=organisation_id,
        roles=EDITORS,
    )


def tell_ordered(order: Order) -> None:
    """Tell the provider that it got an order. In a unit of work."""
    values = {"firm": order.owner.name, "no": order.no, "title": order.title}
    tell(
        ORDERED,
        about=("voucher_order", order.id),
        url=f"/vouchers/orders/{order.no}",
        values=values,
        organisation_id=order.provider_id,
        roles=EDITORS,
    )


def tell_ending(voucher: Voucher, days: int, step: int) -> None:
    """Tell the holder that a voucher ends in some days; step: which reminder it is."""
    tell(
        ENDING,
        about=("voucher", voucher.id),
        url=f"/my/vouchers/{voucher.no}",
        values={
            "no": voucher.no,
            "title": voucher.scheme.title,
            "days": days,
            "last": voucher.ends_on,
            "left": show_yuan(voucher.left_fen + voucher.held_fen),
        },
        organisation_id=voucher.organisation_id,
        roles=EDITORS,
        event=f"{voucher.ends_on}:{step}",
    )
