"""What people are told about dispatches."""

from __future__ import annotations

from typing import Any

from market.accounts.roles import EDITORS
from market.core.languages import N_
from market.core.messages import MessageKind, tell
from market.matching.dispatch.models import Dispatch, Escalation

SENT = MessageKind(
    "dispatch.sent",
    N_("科技管理部门推荐需求给本单位"),
    N_("请看一项技术需求：%(title)s"),
    N_(
        "%(by)s把需求「%(title)s」推荐给%(recipient)s，编号 %(no)s。请在 %(due)s 前答复：有意向、不对口，或另荐他人。"
    ),
    sms=True,
)
ANSWERED = MessageKind(
    "dispatch.answered",
    N_("推荐对接有了答复"),
    N_("%(recipient)s答复：%(answer)s"),
    N_("%(recipient)s对推荐的需求「%(title)s」（%(no)s）答复：%(answer)s。请打开查看并跟进。"),
)
REMINDED = MessageKind(
    "dispatch.reminded",
    N_("推荐的需求到期还没有答复"),
    N_("请答复推荐的需求：%(title)s"),
    N_(
        "推荐给%(recipient)s的需求「%(title)s」（%(no)s）请在 %(due)s 前答复，现已过期。仍可以答复。"
    ),
    sms=True,
)
OVERDUE = MessageKind(
    "dispatch.overdue",
    N_("推荐对接到期没有答复"),
    N_("%(recipient)s还没有答复"),
    N_(
        "需求「%(title)s」推荐给%(recipient)s（%(no)s），%(due)s 已到期，还没有答复。已提醒对方一次，请打电话。"
    ),
    mail=False,
)
ENDED = MessageKind(
    "dispatch.ended",
    N_("推荐对接已撤回或办结"),
    N_("推荐对接 %(no)s 已结束"),
    N_("推荐给%(recipient)s的需求「%(title)s」（%(no)s）已撤回或办结，详情请打开查看。"),
    mail=False,
)
ESCALATED = MessageKind(
    "dispatch.escalated",
    N_("县里上报需求"),
    N_("%(place)s上报需求：%(title)s"),
    N_("%(by)s上报需求「%(title)s」（%(no)s）：%(words)s"),
)
ESCALATION_ANSWERED = MessageKind(
    "dispatch.escalation_answered",
    N_("上报的需求有了答复"),
    N_("上报的需求有了答复：%(title)s"),
    N_("您上报的需求「%(title)s」（%(no)s）有了答复：%(words)s"),
)
KINDS = (SENT, ANSWERED, REMINDED, OVERDUE, ENDED, ESCALATED, ESCALATION_ANSWERED)
CONTACT = "dispatch.contact"  # purpose of the key that seals whom to ask at a recipient
LINE = "contact_log.person"  # purpose of the key that seals who was spoken to
_SHORT = 100  # characters of free words in a message


def _values(case: Dispatch) -> dict[str, Any]:
    return {
        "no": case.no,
        "title": case.title,
        "recipient": case.recipient_label,
        "by": case.sent_by,
        "due": case.due.isoformat(),
    }


def tell_recipient(kind: MessageKind, case: Dispatch, event: str = "") -> None:
    """Tell all who may answer for the recipient. In a unit of work."""
    whom: dict[str, Any] = {}
    if case.recipient_id is not None:
        whom = {"organisation_id": case.recipient_id, "roles": EDITORS}
    elif case.recipient_person_id is not None:
        whom = {"people": [case.recipient_person_id]}
    else:
        return  # somebody without an account: the clerk rings him
    _tell(kind, case, event, _values(case), **whom)


def tell_office(kind: MessageKind, case: Dispatch, event: str = "", answer: str = "") -> None:
    """Tell the clerk who sent it, else the officers of the place. In a unit of work."""
    whom: dict[str, Any] = {"region_path": case.area_path}
    if case.sent_by_id is not None:
        whom = {"people": [case.sent_by_id]}
    _tell(kind, case, event, {**_values(case), "answer": answer}, **whom)


def _tell(
    kind: MessageKind, case: Dispatch, event: str, values: dict[str, Any], **whom: Any
) -> None:
    about, url = ("dispatch", case.id), f"/dispatches/{case.no}"
    tell(kind, about=about, url=url, values=values, event=event, **whom)


def tell_of_escalation(kind: MessageKind, case: Escalation, words: str, **whom: Any) -> None:
    """Tell the office above that a demand came, or the county what became of it. In a unit of work."""
    values = {
        "no": case.listing.no,
        "title": case.title,
        "place": case.from_region.short_name,
        "by": case.asked_by,
        "words": words[:_SHORT],
    }
    url = f"/desk/demands/{case.listing.no}/dispatch"
    tell(kind, about=("escalation", case.id), url=url, values=values, **whom)
