"""Who may do what with an intent, and the tables of its states."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from market.accounts.roles import EDITORS, MEMBERS, OFFICES
from market.core import calendar, clock, holidays
from market.core.languages import N_
from market.core.permissions import (
    Actor,
    Always,
    Condition,
    Grant,
    Own,
    StateIn,
    policy,
)
from market.core.workflow import Item, Transition, Workflow
from market.matching.intents.messages import HELPERS, address
from market.matching.intents.models import (
    ASKED,
    INVITED,
    STATES,
    Intent,
    IntentInvitation,
    Question,
)
from market.matching.intents.rules import ANSWER_DAYS, REOPENED_WITHIN


class _OfOrganisation(Condition):
    """Holds for rows to which the organisation of the grant stands in some relation."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        own = grant.organisation_id
        return own is not None and (target is None or self._holds(target, own))

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        own = grant.organisation_id
        return false() if own is None else self._sql(model, own)

    def _holds(self, target: Any, own: int) -> bool:
        raise NotImplementedError

    def _sql(self, model: Any, own: int) -> ColumnElement[bool]:
        raise NotImplementedError


class Party(_OfOrganisation):
    """Holds for the buyer and the seller."""

    def _holds(self, target: Any, own: int) -> bool:
        intent = target if isinstance(target, Intent) else target.intent
        return own in (intent.buyer_id, intent.seller_id)

    def _sql(self, model: Any, own: int) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.of_party(own)
        return found


class Asked(_OfOrganisation):
    """Holds for the party that was asked to accept."""

    def _holds(self, target: Any, own: int) -> bool:
        return bool(target.asked_id == own)

    def _sql(self, model: Any, own: int) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.asked_of(own)
        return found


class Beginner(_OfOrganisation):
    """Holds for the party that began the intent."""

    def _holds(self, target: Any, own: int) -> bool:
        return bool(target.begun_by_id == own)

    def _sql(self, model: Any, own: int) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.begun_of(own)
        return found


class Helping(_OfOrganisation):
    """Holds for who was invited and joined: in this intent alone."""

    def _holds(self, target: Any, own: int) -> bool:
        return own in target.joined_ids

    def _sql(self, model: Any, own: int) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.helped_by(own)
        return found


class OtherParty(_OfOrganisation):
    """Holds for the party that did not propose an invitation."""

    def _holds(self, target: Any, own: int) -> bool:
        return bool(target.other_id == own)

    def _sql(self, model: Any, own: int) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.agreed_by(own)
        return found


class InEitherArea(Condition):
    """Holds for offices of the buyer's or the seller's area."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        area = grant.region_path
        if area is None or target is None:
            return area is not None
        return any(path.startswith(area) for path in self._paths(target))

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        area = grant.region_path
        if area is None:
            return false()
        return or_(*(self._sql(model, side, area) for side in ("buyer", "seller")))

    def _paths(self, target: Any) -> list[str]:
        return [target.buyer_region.path, target.seller_region.path]

    def _sql(self, model: Any, side: str, area: str) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.side_within(side, area)
        return found


class ShownToArea(InEitherArea):
    """Holds for offices of the area of a side that lets them read the terms."""

    def _paths(self, target: Any) -> list[str]:
        sides = (
            (target.buyer_shows, target.buyer_region),
            (target.seller_shows, target.seller_region),
        )
        return [region.path for shows, region in sides if shows]

    def _sql(self, model: Any, side: str, area: str) -> ColumnElement[bool]:
        shows = model.buyer_shows if side == "buyer" else model.seller_shows
        return and_(shows, model.side_within(side, area))


class EndedLately(Condition):
    """Holds for intents that ended within the time in which they can be reopened."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        if target is None:
            return True
        return target.ended_at is not None and target.ended_at > clock.now() - REOPENED_WITHIN

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.ended_at > clock.now() - REOPENED_WITHIN
        return found


class BothMet(Condition):
    """Holds for intents that the other party had accepted."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or target.accepted_at is not None

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.accepted_at.is_not(None)
        return found


def _editors(condition: Condition) -> dict[str, Condition]:
    return dict.fromkeys(EDITORS, condition)


_AREA: dict[str, Condition] = dict.fromkeys(OFFICES, InEitherArea())
_HELPERS = ("broker", "point_staff")
_INSIDE = {**dict.fromkeys(MEMBERS, Party() | Helping()), **dict.fromkeys(_HELPERS, Helping())}

LIST = policy.declare("matching:intent:list", person=Always())
READ = policy.declare("matching:intent:read", **_INSIDE, **_AREA)
# Terms, messages and files: an office sees them only where a side of its area lets it.
TERMS = policy.declare("matching:intent:terms", **_INSIDE, **dict.fromkeys(OFFICES, ShownToArea()))
AREA = policy.declare("matching:intent:area", **_AREA)
BEGIN = policy.declare("matching:intent:begin", **_editors(Party()))
ACCEPT = policy.declare("matching:intent:accept", **_editors(Asked()))
WITHDRAW = policy.declare("matching:intent:withdraw", **_editors(Beginner()))
SWAP = policy.declare("matching:intent:swap", **_editors(Party()))
WRITE = policy.declare(
    "matching:intent:write",
    **_editors(Party() | Helping()),
    **dict.fromkeys(_HELPERS, Helping()),
)
OFFER = policy.declare("matching:intent:offer", **_editors(Party()))
AGREE = policy.declare("matching:intent:agree", **_editors(Party()))
END = policy.declare("matching:intent:end", **_editors(Party()))
REOPEN = policy.declare(
    "matching:intent:reopen", **_editors(EndedLately() & (Asked() | (Party() & BothMet())))
)
SHOW = policy.declare("matching:intent:show", **_editors(Party()))
INVITE = policy.declare("matching:intent:invite", **_editors(Party()))
TELL_OUTCOME = policy.declare("matching:intent:outcome", **_editors(Party()))
NOTE = policy.declare("matching:intent:note", **_AREA)
REMIND = policy.declare("matching:intent:remind", **_AREA)

SEE_INVITATION = policy.declare(
    "matching:intent_invitation:read",
    **dict.fromkeys(MEMBERS, Own() | Party()),
    **dict.fromkeys(_HELPERS, Own()),
)
CONSENT = policy.declare("matching:intent_invitation:consent", **_editors(OtherParty()))
JOIN = policy.declare("matching:intent_invitation:join", **dict.fromkeys(HELPERS, Own()))
REMOVE = policy.declare("matching:intent_invitation:remove", **_editors(Party()))
LEAVE = policy.declare("matching:intent_invitation:leave", **dict.fromkeys(HELPERS, Own()))
AGAIN = policy.declare("matching:intent_invitation:again", **_editors(Party()))

ANSWER = policy.declare("matching:intent_question:answer", **_editors(Own() & StateIn(("open",))))
ASK = policy.declare("matching:intent_question:ask")
DROP = policy.declare("matching:intent_question:drop", **_editors(Party()))


def due_from(moment: Any) -> calendar.DueDate:
    """The day by which an intent or an invitation should be answered."""
    start = clock.local(moment).date()
    return calendar.add_working_days(
        start, ANSWER_DAYS, holidays.overrides(start, start + timedelta(days=30))
    )


def next_step(intent: Intent) -> tuple[str, str]:
    """Which side acts next ("buyer", "seller", "" for both or nobody) and what that is."""
    if intent.state == "proposed":
        return intent.turn, "接受，或说明不合适的原因"
    if intent.state == "talking":
        if not intent.latest:
            return intent.turn, "提出方案，或留言接着谈"
        return intent.turn, f"答复第 {intent.latest} 版方案：同意，或另提方案"
    return ("", "签订技术合同") if intent.state == "agreed" else ("", "")


def _item(intent: Intent) -> Item:
    side, words = next_step(intent)
    region = intent.buyer_region if intent.turn == "buyer" else intent.seller_region
    until = due_from(intent.updated_at) if intent.state == "proposed" else None
    return Item(
        no=intent.no,
        title=intent.title,
        url=address(intent),
        side="owner" if side else "",
        next_step=words,
        organisation_id=intent.parties[intent.turn],
        region_path=region.path,
        due=until.day if until else None,
        provisional=until.provisional if until else False,
    )


def _invitation_item(one: IntentInvitation) -> Item:
    intent, waits = one.intent, one.state in {"proposed", "invited"}
    until = due_from(one.updated_at) if waits else None
    to_party = one.state == "proposed"
    return Item(
        no=one.no,
        title=f"邀请参与对接：{intent.title}",
        url=address(intent) if to_party else f"/intents/invitations/{one.id}",
        side="owner" if waits else "",
        next_step=("同意或不同意邀请" if to_party else "答复是否参与") if waits else "",
        organisation_id=one.other_id if to_party else one.organisation_id,
        due=until.day if until else None,
        provisional=until.provisional if until else False,
    )


def _question_item(one: Question) -> Item:
    is_open = one.state == "open"
    return Item(
        no=one.no,
        title=one.intent.title,
        url=f"{address(one.intent)}#outcome",
        side="owner" if is_open else "",
        next_step="告诉我们对接结果" if is_open else "",
        organisation_id=one.organisation_id,
        region_path=(
            one.intent.buyer_region if one.side == "buyer" else one.intent.seller_region
        ).path,
        due=one.due if is_open else None,
    )


INTENT = Workflow(
    name="intent",
    label=N_("对接意向"),
    model=Intent,
    states=STATES,
    room="matching",
    start="proposed",
    item=_item,
    transitions=(
        Transition("accept", N_("接受，开始洽谈"), ("proposed",), "talking", ACCEPT),
        Transition("decline", N_("暂不对接"), ("proposed",), "ended", ACCEPT, reason=True),
        Transition("withdraw", N_("撤回"), ("proposed",), "withdrawn", WITHDRAW, tone="plain"),
        Transition("offer", N_("提出方案"), ("talking",), "talking", OFFER),
        Transition("agree", N_("同意这版方案"), ("talking",), "agreed", AGREE),
        Transition(
            "end", N_("终止"), ("talking", "agreed"), "ended", END, reason=True, tone="stop"
        ),
        Transition("reopen", N_("重新洽谈"), ("ended",), "talking", REOPEN, tone="plain"),
    ),
)
INVITATION = Workflow(
    name="intent_invitation",
    label=N_("邀请参与对接"),
    model=IntentInvitation,
    states=INVITED,
    room="matching",
    start="proposed",
    item=_invitation_item,
    transitions=(
        Transition("consent", N_("同意邀请"), ("proposed",), "invited", CONSENT),
        Transition("object", N_("不同意"), ("proposed",), "refused", CONSENT, tone="plain"),
        Transition("join", N_("参与"), ("invited",), "joined", JOIN),
        Transition("refuse", N_("不参与"), ("invited",), "refused", JOIN, tone="plain"),
        Transition("leave", N_("退出"), ("joined",), "removed", LEAVE, tone="plain"),
        Transition(
            "remove", N_("请出"), ("proposed", "invited", "joined"), "removed", REMOVE, tone="stop"
        ),
        Transition(
            "again", N_("再次邀请"), ("refused", "removed"), "proposed", AGAIN, tone="plain"
        ),
    ),
)
QUESTION = Workflow(
    name="intent_question",
    label=N_("对接结果"),
    model=Question,
    states=ASKED,
    room="matching",
    start="open",
    item=_question_item,
    transitions=(
        Transition("answer", N_("告诉结果"), ("open",), "answered", ANSWER),
        Transition("drop", N_("不再需要"), ("open",), "dropped", DROP, tone="plain"),
    ),
)
