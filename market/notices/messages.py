"""What people are told about notices and objections."""

from __future__ import annotations

from typing import Any

from market.accounts.roles import EDITORS, OFFICES
from market.core.languages import N_
from market.core.messages import MessageKind, tell
from market.core.secrets import pseudonym, seal
from market.notices.models import Notice, Objection

RECEIVED = MessageKind(
    "objection.received",
    N_("有人对本单位的公示提出异议"),
    N_("有人对公示「%(title)s」提出异议"),
    N_(
        "公示 %(no)s「%(title)s」收到异议 %(objection)s，请核实并答复；"
        "答复前，依赖这次公示的事项不能办。"
    ),
    sms=True,
    must=True,
)
ANSWERED = MessageKind(
    "objection.answered",
    N_("我提出的异议有了答复"),
    N_("您对公示「%(title)s」的异议有了答复"),
    N_("您的异议 %(objection)s 已有答复，请打开查看。"),
    sms=True,
    must=True,
)
ENDED = MessageKind(
    "notice.ended",
    N_("本单位的公示期满"),
    N_("公示「%(title)s」已期满"),
    N_("公示 %(no)s「%(title)s」已期满，请公布结果。"),
)
KINDS = (RECEIVED, ANSWERED, ENDED)
CONTACT = "objection.contact"  # purpose of the key that seals who objected

_ADDRESS = "objection.address"


def secret_of(no: str) -> str:
    """The part of a receipt's address that nobody can guess; drawn from the site's secret key."""
    return pseudonym(no, _ADDRESS)


def address_of(no: str) -> str:
    """The page that shows an objection and its answer, for whoever has its address."""
    return f"/objections/{no}-{secret_of(no)}"


def tell_owner(kind: MessageKind, notice: Notice, objection: Objection | None = None) -> None:
    """Tell those who may act for the owner. Call inside a unit of work."""
    about = ("objection", objection.id) if objection else ("notice", notice.id)
    _tell(
        kind,
        notice,
        objection,
        about=about,
        url=f"/my/notices/{notice.no}",
        organisation_id=notice.owner_id,
        roles=OFFICES if notice.by_office else EDITORS,
        event=kind.name,
    )


def tell_objector(objection: Objection, telephone: str | None) -> None:
    """Tell who objected that there is an answer. telephone: in plain, of one without an account."""
    whom: dict[str, Any] = {}
    if objection.person_id is not None:
        whom = {"people": [objection.person_id]}
    elif telephone:
        whom = {
            "contact": seal(telephone, "message.contact"),
            "language": objection.language,
        }
    if whom:
        notice = objection.notice
        about = ("objection", objection.id)
        page = ("/en" if objection.language == "en" else "") + address_of(objection.no)
        _tell(ANSWERED, notice, objection, about=about, url=page, event=ANSWERED.name, **whom)


def _tell(kind: MessageKind, notice: Notice, objection: Objection | None, **more: Any) -> None:
    values = {"no": notice.no, "title": notice.title, "objection": objection and objection.no}
    tell(kind, values=values, **more)
