"""What people are told about calls and answers."""

from __future__ import annotations

from typing import Any

from market.accounts.roles import EDITORS
from market.core.languages import N_
from market.core.messages import MessageKind, tell
from market.matching.calls.models import Call, CallAnswer
from market.matching.workflow import unclaimed

RECEIVED = MessageKind(
    "call.received",
    N_("本单位的揭榜有了应答"),
    N_("「%(title)s」有了新的应答"),
    N_("揭榜 %(no)s「%(title)s」收到一份应答或应答的新版本，请打开查看。"),
    sms=True,
)
CLOSED = MessageKind(
    "call.closed",
    N_("本单位的揭榜已截止"),
    N_("「%(title)s」的揭榜已截止"),
    N_("揭榜 %(no)s「%(title)s」已截止，请查看应答并选定应答方，或流榜。"),
)
EXTENDED = MessageKind(
    "call.extended",
    N_("应答的揭榜延期"),
    N_("「%(title)s」的截止日改为 %(deadline)s"),
    N_("揭榜 %(no)s「%(title)s」的截止日改为 %(deadline)s，截止前可以修改应答。"),
)
CHOSEN = MessageKind(
    "call.chosen",
    N_("本单位的应答被选中"),
    N_("本单位对「%(title)s」的应答被选中"),
    N_("揭榜 %(no)s「%(title)s」选定了本单位的应答，需求方会与您联系。"),
    sms=True,
)
LOST = MessageKind(
    "call.lost",
    N_("本单位的应答未被选中"),
    N_("「%(title)s」的揭榜已有结果"),
    N_("揭榜 %(no)s「%(title)s」没有选定本单位的应答，感谢参与；理由请打开查看。"),
)
ENDED = MessageKind(
    "call.ended",
    N_("应答的揭榜已撤回"),
    N_("「%(title)s」的揭榜已撤回"),
    N_("揭榜 %(no)s「%(title)s」已撤回，原因请打开查看。"),
)
PROPOSED = MessageKind(
    "call.proposed",
    N_("本单位的应答拟选中"),
    N_("本单位对「%(title)s」的应答拟选中"),
    N_("揭榜 %(no)s「%(title)s」拟选定本单位的应答，公示期满无异议或异议不成立即为选定。"),
)
CONFIRMED = MessageKind(
    "call.confirmed",
    N_("本单位的揭榜结果已确定"),
    N_("「%(title)s」的揭榜结果已确定"),
    N_("揭榜 %(no)s「%(title)s」的结果公示已结束，选定生效，请与选定的应答方对接。"),
)
REOPENED = MessageKind(
    "call.reopened",
    N_("本单位的揭榜须重新选定"),
    N_("「%(title)s」的揭榜须重新选定"),
    N_("揭榜 %(no)s「%(title)s」的结果公示异议成立或已撤回，请重新选定应答方，或流榜。"),
)
BACK = MessageKind(
    "call.back",
    N_("应答的揭榜重新选定"),
    N_("「%(title)s」的揭榜将重新选定"),
    N_("揭榜 %(no)s「%(title)s」原拟选定本单位的应答，现将重新选定，原因请打开查看。"),
)
KINDS = (RECEIVED, CLOSED, EXTENDED, CHOSEN, LOST, ENDED, PROPOSED, CONFIRMED, REOPENED, BACK)


def tell_owner(kind: MessageKind, call: Call) -> None:
    """Tell who looks after a call: its owner's people, or the office. In a unit of work."""
    whom: dict[str, Any] = {"organisation_id": call.owner_id, "roles": EDITORS}
    if unclaimed(call):
        whom = {"region_path": call.area_path}
    _tell(kind, call, ("call", call.id), f"/calls/{call.no}", whom)


def tell_answerer(kind: MessageKind, answer: CallAnswer) -> None:
    """Tell an answerer's people. Inside a unit of work."""
    whom = {"organisation_id": answer.organisation_id, "roles": EDITORS}
    _tell(kind, answer.call, ("call_answer", answer.id), f"/answers/{answer.no}", whom)


def _tell(
    kind: MessageKind, call: Call, about: tuple[str, int], url: str, whom: dict[str, Any]
) -> None:
    values = {"no": call.no, "title": call.title, "deadline": call.deadline.isoformat()}
    tell(kind, about=about, url=url, values=values, **whom)
