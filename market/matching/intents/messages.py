"""What people are told about intents."""

from __future__ import annotations

from typing import Any

from market.accounts.roles import EDITORS
from market.catalogue.naming import NOBODY, Receiver, veiled
from market.core.languages import N_
from market.core.messages import MessageKind, tell
from market.matching.intents.models import Intent, IntentInvitation, Question

HELPERS = (*EDITORS, "broker", "point_staff")  # who writes for an organisation that was invited

PROPOSED = MessageKind(
    "intent.proposed",
    N_("对方想转为对接意向"),
    N_("%(other)s 想就「%(title)s」转为对接意向"),
    N_("%(other)s 提出对接意向 %(no)s。接受后双方可以提方案、谈条款；不合适也请答复。"),
    sms=True,
)
MOVED = MessageKind(
    "intent.moved",
    N_("对接意向有新的进展"),
    N_("对接意向 %(no)s 有新的进展"),
    N_("「%(title)s」的对接意向 %(no)s 有新的进展（%(other)s），请打开查看。"),
)
OFFERED = MessageKind(
    "intent.offered",
    N_("对方提出了新的方案"),
    N_("%(other)s 对「%(title)s」提出了新方案"),
    N_("对接意向 %(no)s 有了第 %(version)s 版方案，请打开查看：同意、另提方案，或留言。"),
    sms=True,
)
AGREED = MessageKind(
    "intent.agreed",
    N_("双方达成意向"),
    N_("「%(title)s」已达成意向"),
    N_("对接意向 %(no)s 双方同意了第 %(version)s 版方案。下一步：签订技术合同。"),
    sms=True,
)
SAID = MessageKind(
    "intent.said",
    N_("对接意向中的新留言"),
    N_("对接意向 %(no)s 有新留言"),
    N_("%(other)s 在「%(title)s」的对接意向 %(no)s 中留了言。"),
)
OFFICE_WORD = MessageKind(
    "intent.office_word",
    N_("科技管理部门对意向的提醒和留言"),
    N_("请看对接意向 %(no)s 中科技管理部门的留言"),
    N_("科技管理部门在「%(title)s」的对接意向 %(no)s 中留了言或提醒办理。"),
)
IN_AREA = MessageKind(
    "intent.in_area",
    N_("本地区有新的对接意向或达成意向"),
    N_("本地区对接意向：%(title)s"),
    N_("%(buyer)s（买方）与 %(seller)s（卖方）的对接意向 %(no)s 有新的进展。"),
    mail=False,
)
INVITED = MessageKind(
    "intent.invited",
    N_("请技术经理人或服务点参与对接"),
    N_("邀请 %(helper)s 参与对接意向 %(no)s"),
    N_("「%(title)s」的对接意向 %(no)s 邀请 %(helper)s 参与，请打开查看并答复。"),
)
HELPER_MOVED = MessageKind(
    "intent.helper_moved",
    N_("受邀的技术经理人或服务点有了变化"),
    N_("对接意向 %(no)s：%(helper)s 的参与有了变化"),
    N_("「%(title)s」的对接意向 %(no)s：%(helper)s 参与、不参与、退出或被请出，请打开查看。"),
)
ASKED = MessageKind(
    "intent.outcome_asked",
    N_("询问对接结果"),
    N_("「%(title)s」后来怎么样了？"),
    N_("对接意向 %(no)s 已过 %(days)s 天，请用半分钟告诉我们结果：签了合同、还在谈、没谈成。"),
    sms=True,
)
KINDS = (
    PROPOSED,
    MOVED,
    OFFERED,
    AGREED,
    SAID,
    OFFICE_WORD,
    IN_AREA,
    INVITED,
    HELPER_MOVED,
    ASKED,
)


def address(intent: Intent) -> str:
    """The page of an intent."""
    return f"/intents/{intent.no}"


def _values(intent: Intent, **more: Any) -> dict[str, Any]:
    return {
        "no": intent.no,
        "title": intent.title,
        "buyer": intent.buyer.name,
        "seller": intent.seller.name,
        "version": intent.latest,
        **more,
    }


def tell_side(kind: MessageKind, intent: Intent, side: str, **values: Any) -> None:
    """Tell those who act for the buyer or the seller. In a unit of work."""
    _tell(kind, intent, values, organisation_id=intent.parties[side], roles=EDITORS)


def tell_other(kind: MessageKind, intent: Intent, side: str) -> None:
    """Tell the party across from `side` what that side did."""
    acting = intent.buyer.name if side == "buyer" else intent.seller.name
    tell_side(kind, intent, "seller" if side == "buyer" else "buyer", other=acting)


def tell_parties(kind: MessageKind, intent: Intent, **values: Any) -> None:
    """Tell both parties."""
    for side in intent.parties:
        tell_side(kind, intent, side, **values)


def tell_helpers(kind: MessageKind, intent: Intent, **values: Any) -> None:
    """Tell those who take part by invitation."""
    for one in sorted(intent.joined_ids):
        _tell(kind, intent, values, organisation_id=one, roles=HELPERS)


def tell_areas(intent: Intent) -> None:
    """Tell the officers of both areas; those of one area once."""
    for path in sorted({intent.buyer_region.path, intent.seller_region.path}):
        _tell(IN_AREA, intent, {}, region_path=path)


def tell_invited(invitation: IntentInvitation, kind: MessageKind = INVITED) -> None:
    """Tell the organisation that is invited."""
    page = f"/intents/invitations/{invitation.id}"
    whom: dict[str, Any] = {"organisation_id": invitation.organisation_id, "roles": HELPERS}
    _tell(kind, invitation.intent, {"helper": invitation.owner.name}, page=page, **whom)


def tell_question(question: Question) -> None:
    """Ask one side what became of it."""
    tell(
        ASKED,
        about=("intent_question", question.id),
        url=f"{address(question.intent)}#outcome",
        values=veiled(
            question.intent.listing,
            _values(question.intent, days=question.days),
            Receiver(organisation_id=question.organisation_id),
        ),
        organisation_id=question.organisation_id,
        roles=EDITORS,
        event="asked",
    )


def _tell(
    kind: MessageKind, intent: Intent, values: dict[str, Any], *, page: str = "", **whom: Any
) -> None:
    told = _values(intent, **values)
    if whom.get("organisation_id") is not None:  # a party, or who was invited
        receiver = Receiver(organisation_id=whom["organisation_id"])
        told = veiled(intent.listing, told, receiver)
    elif not (intent.listing.area_path or "").startswith(whom.get("region_path") or "-"):
        told = veiled(intent.listing, told, NOBODY)
    tell(kind, about=("intent", intent.id), url=page or address(intent), values=told, **whom)
