"""What people are told about inquiries."""

from __future__ import annotations

from typing import Any

from market.accounts.roles import EDITORS
from market.catalogue.naming import Receiver, veiled
from market.core.languages import N_
from market.core.messages import MessageKind, tell
from market.core.secrets import pseudonym, seal
from market.matching.models import Inquiry

RECEIVED = MessageKind(
    "inquiry.received",
    N_("有人想对接本单位的成果或需求"),
    N_("有人想对接「%(title)s」"),
    N_("%(asker)s 就「%(title)s」提出咨询，编号 %(no)s。请在三个工作日内答复。"),
    sms=True,
)
IN_AREA = MessageKind(
    "inquiry.in_area",
    N_("本地区有新的对接咨询"),
    N_("本地区新咨询：%(title)s"),
    N_("%(asker)s 就「%(title)s」提出咨询，编号 %(no)s，由发布单位答复。"),
    mail=False,
)
ANSWERED = MessageKind(
    "inquiry.answered",
    N_("我的咨询有了答复"),
    N_("「%(title)s」有了答复"),
    N_("%(owner)s 答复了您的咨询 %(no)s，请打开查看。"),
    sms=True,
    secret=True,
)
ASKED_AGAIN = MessageKind(
    "inquiry.asked_again",
    N_("对方又来咨询"),
    N_("对方又问了「%(title)s」"),
    N_("%(asker)s 在咨询 %(no)s 中又写了一条，请答复。"),
)
OFFICE_WORD = MessageKind(
    "inquiry.office_word",
    N_("科技管理部门的提醒和留言"),
    N_("请看咨询 %(no)s 中科技管理部门的留言"),
    N_("科技管理部门在「%(title)s」的咨询 %(no)s 中留了言或提醒答复。"),
    secret=True,
)
ENDED = MessageKind(
    "inquiry.ended",
    N_("咨询已结束"),
    N_("咨询 %(no)s 已结束"),
    N_("「%(title)s」的咨询 %(no)s 已办结、撤回或移除，详情请打开查看。"),
    secret=True,
)
KINDS = (RECEIVED, IN_AREA, ANSWERED, ASKED_AGAIN, OFFICE_WORD, ENDED)
_ADDRESS = "inquiry.address"
_TO_ASKERS = (ANSWERED, OFFICE_WORD, ENDED)  # perhaps not told whose the listing is
CONTACT = "inquiry.contact"  # purpose of the key that seals a visitor's name and telephone


def secret_of(no: str) -> str:
    """The part of a visitor's address that nobody can guess; drawn from the site's secret key."""
    return pseudonym(no, _ADDRESS)


def address_of(no: str) -> str:
    """The page of a visitor's inquiry, for whoever has its address."""
    return f"/inquire/{no}-{secret_of(no)}"


def receiver_of(inquiry: Inquiry) -> Receiver:
    """Who asked, as the one to whom a firm may tell its name."""
    if inquiry.asker_id is not None:
        return Receiver(organisation_id=inquiry.asker_id)
    if inquiry.asker_person_id is not None:
        return Receiver(person_id=inquiry.asker_person_id)
    return Receiver(case_no=inquiry.no)


def _values(inquiry: Inquiry) -> dict[str, Any]:
    return {
        "no": inquiry.no,
        "title": inquiry.title,
        "asker": inquiry.asker_label,
        "owner": inquiry.owner.name,
    }


def tell_owner(kind: MessageKind, inquiry: Inquiry, assignee: int | None = None) -> None:
    """Tell the colleague who has the case, else all who may answer. In a unit of work."""
    whom: dict[str, Any] = {"organisation_id": inquiry.owner_id, "roles": EDITORS}
    if assignee is not None:
        whom = {"people": [assignee]}
    _tell(kind, inquiry, f"/inquiries/{inquiry.no}", **whom)


def tell_asker(
    kind: MessageKind, inquiry: Inquiry, contact: str | None = None, *, left: bool = False
) -> None:
    """Tell who asked. Call inside a unit of work.

    Args:
        contact: a visitor's telephone or e-mail, in plain.
        left: the person who asked works for the asking organisation no more: its others are told.
    """
    page = f"/inquiries/{inquiry.no}"
    if inquiry.asker_person_id is not None and not left:
        _tell(kind, inquiry, page, people=[inquiry.asker_person_id])
    elif inquiry.asker_id is not None:
        _tell(kind, inquiry, page, organisation_id=inquiry.asker_id, roles=EDITORS)
    elif contact is not None:
        page = ("/en" if inquiry.language == "en" else "") + address_of(inquiry.no)
        sealed = seal(contact, "message.contact")
        _tell(kind, inquiry, page, contact=sealed, language=inquiry.language)


def tell_area(kind: MessageKind, inquiry: Inquiry) -> None:
    """Tell the officers of the nearest region. In a unit of work."""
    _tell(kind, inquiry, f"/inquiries/{inquiry.no}", region_path=inquiry.area_path)


def _tell(kind: MessageKind, inquiry: Inquiry, url: str, **whom: Any) -> None:
    values = _values(inquiry)
    if kind in _TO_ASKERS:
        values = veiled(inquiry.listing, values, receiver_of(inquiry))
    tell(kind, about=("inquiry", inquiry.id), url=url, values=values, **whom)
