"""Who may do what with voucher money, and the tables of its states."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, false, select

from market.accounts.roles import EDITORS, MEMBERS, OFFICES
from market.core.db import db
from market.core.languages import N_
from market.core.permissions import Actor, Always, Condition, Grant, InArea, Own, StateIn, policy
from market.core.workflow import Item, Transition, Workflow
from market.vouchers.claim_models import BATCH_STATES, CLAIM_STATES, Batch, Claim
from market.vouchers.models import (
    APPLICATION_STATES,
    ORDER_STATES,
    SCHEME_STATES,
    VOUCHER_STATES,
    Application,
    Order,
    Scheme,
    Voucher,
)
from market.vouchers.telling import telling


class _Side(Condition):
    """Holds where a column names the organisation of the grant."""

    def __init__(self, column: str) -> None:
        self.column = column

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        own = grant.organisation_id
        return own is not None and (target is None or getattr(target, self.column) == own)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        own = grant.organisation_id
        return false() if own is None else getattr(model, self.column) == own


class _Orders(Condition):
    """Holds for vouchers that an order at the grant's organisation uses."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        own = grant.organisation_id
        if own is None or target is None:
            return own is not None
        query = select(Order.id).where(Order.voucher_id == target.id, Order.provider_id == own)
        return db.session.scalar(query.limit(1)) is not None

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        own = grant.organisation_id
        used = select(Order.voucher_id).where(Order.provider_id == own)
        found: ColumnElement[bool] = (
            false() if own is None else model.id.in_(used.where(Order.voucher_id.is_not(None)))
        )
        return found


FIRM, PROVIDER = _Side("organisation_id"), _Side("provider_id")
_SENT = tuple(state for state in CLAIM_STATES if state != "draft")


def _editors(condition: Condition) -> dict[str, Condition]:
    return dict.fromkeys(EDITORS, condition)


def _offices(condition: Condition | None = None) -> dict[str, Condition]:
    return dict.fromkeys(OFFICES, condition or InArea())


_FINANCE: dict[str, Condition] = {"finance": InArea()}
LIST = policy.declare("vouchers:scheme:list", public=Always())
VIEW = policy.declare("vouchers:scheme:view", public=StateIn(("live", "closed")))
MANAGE = policy.declare("vouchers:scheme:manage", **_offices())
READ_BOOKS = policy.declare("vouchers:scheme:books", **_offices(), **_FINANCE)

APPLY = policy.declare("vouchers:application:submit", **_editors(Own()))
READ_APPLICATION = policy.declare(
    "vouchers:application:read", **dict.fromkeys(MEMBERS, Own()), **_offices()
)
GRANT = policy.declare("vouchers:application:grant", **_offices())
READ_VOUCHER = policy.declare(
    "vouchers:voucher:read", **dict.fromkeys(MEMBERS, Own()), **_offices()
)
# A voucher follows its orders and claims: also when the provider is who claims.
FOLLOW_VOUCHER = policy.declare(
    "vouchers:voucher:follow", **_editors(Own() | _Orders()), **_offices()
)
FREEZE = policy.declare("vouchers:voucher:freeze", **_offices())

READ_ORDER = policy.declare(
    "vouchers:order:read", **dict.fromkeys(MEMBERS, FIRM | PROVIDER), **_offices()
)
ORDER_SERVICE = policy.declare("vouchers:order:place", **_editors(FIRM))
PROVIDE = policy.declare("vouchers:order:provide", **_editors(PROVIDER))
END_ORDER = policy.declare("vouchers:order:end", **_offices())

READ_CLAIM = policy.declare(
    "vouchers:claim:read",
    **dict.fromkeys(MEMBERS, Own()),
    **_offices(InArea() & StateIn(_SENT)),
    finance=InArea() & StateIn(_SENT),
)
CLAIM_MONEY = policy.declare("vouchers:claim:submit", **_editors(Own()))
REVIEW = policy.declare("vouchers:claim:review", **_offices())
# An award that the office enters for a provider: another colleague reviews it.
OPEN_AWARD = policy.declare("vouchers:claim:award", **_offices())
CHECK = policy.declare("vouchers:claim:check", **_offices())
SETTLE = policy.declare("vouchers:claim:settle", **_offices(), **_FINANCE)
UNMASK = policy.declare("vouchers:claim:unmask", **_offices(), **_FINANCE)
BAR = policy.declare("vouchers:bar:set", **_offices())

# What an organisation sees of itself: its list, its bars, what it declared of its owners.
OWN_LIST = policy.declare("vouchers:own:list", person=Always())
OWN_BARS = policy.declare("vouchers:bar:own", **dict.fromkeys(MEMBERS, FIRM))
DECLARE = policy.declare("vouchers:party:declare", **_editors(FIRM))

READ_BATCH = policy.declare("vouchers:batch:read", **_offices(), **_FINANCE)
MAKE_BATCH = policy.declare("vouchers:batch:make", **_offices())
COUNTERSIGN = policy.declare("vouchers:batch:countersign", **_FINANCE)
PAY = policy.declare("vouchers:batch:pay", **_FINANCE)
PROVE = policy.declare("vouchers:ledger:job")


def _none(_case: Any) -> Item | None:
    return None


def _item(url: str, steps: dict[str, tuple[str, str]], title: str) -> Any:
    def shown(case: Any) -> Item:
        side, words = steps.get(case.state, ("", ""))
        owner = None if isinstance(case, Batch) else case.organisation_of
        if isinstance(case, Order) and case.state in {"placed", "confirmed"}:
            owner = case.provider_id  # whose turn it is
        return Item(
            no=case.no, title=f"{title}：{case.scheme.title}", url=f"{url}/{case.no}", side=side,
            next_step=words, organisation_id=owner,
            region_path=None if case.state == "draft" else case.area_path,
            returned=case.state == "returned",
        )  # fmt: skip

    return shown


SCHEME = Workflow(
    name="voucher_scheme", label=N_("创新券办法"), model=Scheme, states=SCHEME_STATES,
    room="vouchers", item=_none,
    transitions=(
        Transition("publish", N_("施行"), ("draft", "live"), "live", MANAGE),
        Transition("close", N_("停止受理"), ("live",), "closed", MANAGE, reason=True, tone="stop"),
        Transition("reopen", N_("恢复受理"), ("closed",), "live", MANAGE, reason=True, tone="plain"),
    ),
)  # fmt: skip
APPLICATION = Workflow(
    name="voucher_application", label=N_("创新券申领"), model=Application,
    states=APPLICATION_STATES, room="vouchers", start="submitted",
    item=_item("/vouchers/applications", {"submitted": ("office", "审核申领")}, "创新券申领"),
    transitions=telling(
        Transition("grant", N_("发放"), ("submitted",), "granted", GRANT, not_by=("begin",)),
        Transition("refuse", N_("不予发放"), ("submitted",), "refused", GRANT, reason=True,
                   not_by=("begin",), tone="stop"),
        Transition("withdraw", N_("撤回"), ("submitted",), "withdrawn", APPLY, tone="plain"),
    ),
)  # fmt: skip
VOUCHER = Workflow(
    name="voucher", label=N_("创新券"), model=Voucher, states=VOUCHER_STATES, room="vouchers",
    start="issued", item=_none,
    transitions=telling(
        Transition("use", N_("使用"), ("issued", "used"), "used", FOLLOW_VOUCHER, button=False),
        Transition("redeem", N_("兑付"), ("issued", "used"), "redeemed", FOLLOW_VOUCHER, button=False),
        Transition("restore", N_("恢复"), ("redeemed",), "used", FOLLOW_VOUCHER, button=False),
        Transition("expire", N_("过期"), ("issued", "used"), "expired", PROVE, button=False),
        Transition("release", N_("额度退回"), ("issued", "used"), "released", FREEZE, reason=True,
                   tone="plain"),
        Transition("freeze", N_("冻结"), ("issued", "used"), "frozen", FREEZE, reason=True,
                   tone="stop"),
        Transition("thaw", N_("解除冻结"), ("frozen",), "used", FREEZE, reason=True, tone="plain"),
    ),
)  # fmt: skip
RUNNING = ("placed", "confirmed", "delivered", "accepted")
_ORDER_STEPS = {
    "placed": ("owner", "接单，或写明原因不接"),
    "confirmed": ("owner", "做完后点交付"),
    "delivered": ("owner", "验收，或退回重做"),
}
ORDER = Workflow(
    name="voucher_order", label=N_("服务订单"), model=Order, states=ORDER_STATES,
    room="vouchers", start="placed", item=_item("/vouchers/orders", _ORDER_STEPS, "服务订单"),
    transitions=telling(
        Transition("confirm", N_("接单"), ("placed",), "confirmed", PROVIDE),
        Transition("refuse", N_("不接单"), ("placed",), "refused", PROVIDE, reason=True, tone="stop"),
        Transition("deliver", N_("交付"), ("confirmed",), "delivered", PROVIDE),
        Transition("accept", N_("验收"), ("delivered",), "accepted", ORDER_SERVICE),
        Transition("dispute", N_("退回重做"), ("delivered",), "confirmed", ORDER_SERVICE,
                   reason=True, tone="plain"),
        # Both are refused where a claim for the order counts.
        Transition("cancel", N_("取消订单"), RUNNING, "cancelled", ORDER_SERVICE, reason=True,
                   tone="stop"),
        Transition("end", N_("终止订单（额度退回）"), RUNNING, "cancelled", END_ORDER, reason=True,
                   tone="stop"),
        Transition("lapse", N_("券过期取消"), RUNNING, "cancelled", PROVE, button=False),
    ),
)  # fmt: skip
_CLAIM_STEPS = {
    "draft": ("owner", "填写后提交"),
    "submitted": ("office", "审核"),
    "returned": ("owner", "补齐后重新提交"),
    "reviewed": ("office", "公示并列入拨付批次"),
    "notice": ("office", "公示期满后报会议审定"),
    "payable": ("office", "财政会签"),
    "batched": ("office", "拨付并登记国库凭证号"),
    "bounced": ("office", "核对账户后重新拨付"),
}
_LATE = ("reviewed", "notice", "payable", "batched", "bounced")
CLAIM = Workflow(
    name="voucher_claim", label=N_("创新券兑付"), model=Claim, states=CLAIM_STATES,
    room="vouchers", item=_item("/vouchers/claims", _CLAIM_STEPS, "申请兑付"),
    transitions=telling(
        Transition("submit", N_("申请兑付"), ("draft", "returned"), "submitted", CLAIM_MONEY),
        Transition("enter", N_("录入奖励"), ("draft",), "submitted", OPEN_AWARD, button=False),
        Transition("withdraw", N_("撤回"), ("draft", "submitted", "returned"), "withdrawn",
                   CLAIM_MONEY, tone="plain"),
        Transition("auto", N_("免审通过"), ("submitted",), "reviewed", CLAIM_MONEY, button=False),
        Transition("review", N_("本级通过"), ("submitted",), "submitted", REVIEW,
                   not_by=("submit", "enter", "review")),
        Transition("approve", N_("审核通过"), ("submitted",), "reviewed", REVIEW,
                   not_by=("submit", "enter", "review")),
        Transition("return", N_("退回补正（一次性告知）"), ("submitted",), "returned", REVIEW,
                   reason=True, not_by=("submit", "enter"), tone="plain"),
        Transition("refuse", N_("不通过"), ("submitted", "returned", *_LATE), "refused", REVIEW,
                   reason=True, not_by=("submit", "enter"), tone="stop"),
        Transition("notice", N_("列入公示"), ("reviewed",), "notice", SETTLE, button=False),
        Transition("decide", N_("审定"), ("notice",), "payable", SETTLE, button=False),
        Transition("batch", N_("会签"), ("payable",), "batched", SETTLE, button=False),
        Transition("pay", N_("拨付"), ("batched", "bounced"), "paid", SETTLE, button=False),
        Transition("unpay", N_("撤销拨付登记"), ("paid",), "batched", SETTLE, button=False),
        Transition("bounce", N_("退票"), ("paid",), "bounced", SETTLE, reason=True, tone="plain"),
        Transition("recover", N_("追回"), ("paid",), "recovered", SETTLE, reason=True, tone="stop"),
    ),
)  # fmt: skip
_BATCH_STEPS = {
    "open": ("office", "登记会议纪要和文号"),
    "countersigned": ("office", "拨付并登记国库凭证号"),
    "sent": ("office", "登记国库凭证号"),
}
BATCH = Workflow(
    name="voucher_batch", label=N_("拨付批次"), model=Batch, states=BATCH_STATES,
    room="vouchers", start="open", item=_item("/desk/vouchers/batches", _BATCH_STEPS, "拨付批次"),
    transitions=(
        Transition("decide", N_("登记会议审定"), ("open",), "open", MAKE_BATCH),
        Transition("countersign", N_("财政会签"), ("open",), "countersigned", COUNTERSIGN,
                   not_by=("begin", "decide")),
        Transition("pay", N_("登记拨付"), ("countersigned", "sent"), "sent", PAY),
        Transition("close", N_("办结"), ("sent",), "closed", PAY),
        Transition("reopen", N_("退票重办"), ("closed", "sent"), "sent", PAY, button=False),
        Transition("settle", N_("办结"), ("countersigned", "sent"), "closed", MAKE_BATCH,
                   button=False),
        Transition("discard", N_("作废"), ("open", "countersigned", "sent"), "discarded", MAKE_BATCH,
                   button=False, tone="stop"),
    ),
)  # fmt: skip
WORKFLOWS = (SCHEME, APPLICATION, VOUCHER, ORDER, CLAIM, BATCH)
