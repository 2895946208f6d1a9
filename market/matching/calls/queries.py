"""Reading calls and answers: the owner's side, the answerer's, and what everybody sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import joinedload

from market.accounts.models import Organisation
from market.accounts.roles import EDITORS, MEMBERS
from market.catalogue import queries as catalogue
from market.catalogue.models import Listing
from market.catalogue.naming import OwnerShown, owner_shown
from market.catalogue.queries import ListingView
from market.core import files
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Gone, NotFound
from market.core.models import CaseEvent, StoredFile
from market.core.pagination import ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.workflow import Transition
from market.matching.calls.models import (
    ANSWER_STATES,
    LIVE,
    RESULT,
    SHOWN,
    STATES,
    Call,
    CallAnswer,
    CallAnswerVersion,
)
from market.matching.calls.rules import ANSWER_FILES, CALL_FILES, is_over, ties
from market.matching.calls.workflow import (
    ANSWER,
    BEGIN,
    CALL,
    CALL_ANSWER,
    READ,
    READ_ANSWER,
    VIEW,
    next_step,
)
from market.notices import queries as notices
from market.notices.queries import Standing

MOST_ANSWERS = 500
_NOTICE_WORDS = {
    "draft": "草稿，还没有开始",
    "running": "公示中",
    "objection_open": "有异议没有答复",
    "upheld": "异议成立",
    "clear": "已结束，没有异议或异议不成立",
    "gone": "已撤回或作废",
}
_NOTICE_STEPS = {
    "none": "",
    "draft": "填写并开始结果公示",
    "running": "等公示期满；有异议的及时答复",
    "objection_open": "答复公示收到的异议，答复后才有结果",
    "upheld": "异议成立，重新选定",
    "clear": "公示已结束，确定结果",
    "gone": "公示已撤回，重新选定",
}
# What has to wait for the notice, by its standing.
_NOT_NOW = {
    "running": {"confirm", "rechoose"},
    "objection_open": {"confirm", "rechoose"},
    "draft": {"confirm"},
    "upheld": {"confirm"},
    "gone": {"confirm"},
    "clear": {"rechoose"},
}


def shown_state(call: Call) -> str:
    """The state as readers are told it: past the deadline it says so at once."""
    return "closed" if call.state == "open" and is_over(call.deadline) else call.state


def takes_answers(call: Call) -> bool:
    """Whether an answer sent now would be taken."""
    return shown_state(call) == "open" and call.listing.state == "published"


@dataclass(frozen=True)
class AnswerView:
    """An answer with what was sent last. content: None for one that was withdrawn."""

    answer: CallAnswer
    content: CallAnswerVersion | None
    files: Sequence[StoredFile]
    ties: Sequence[str] = ()

    @property
    def state_label(self) -> str:
        return ANSWER_STATES[self.answer.state]


@dataclass(frozen=True)
class PublicCall:
    """A call as everybody sees it on the demand's page.

    chosen: names, where the result is shown; notice: number of the public notice of the result.
    """

    call: Call
    state: str
    files: Sequence[StoredFile]
    chosen: Sequence[str]
    notice: str | None = None
    shows_result: bool = False

    @property
    def state_label(self) -> str:
        return STATES[self.state]

    @property
    def open(self) -> bool:
        return self.state == "open"


@dataclass(frozen=True)
class Case:
    """A call for its owner or an office. answers: None for who may not read them."""

    call: Call
    state: str
    answers: Sequence[AnswerView] | None
    files: Sequence[StoredFile]
    events: Sequence[CaseEvent]
    actions: Sequence[Transition]
    owner: OwnerShown
    notice: Standing

    @property
    def state_label(self) -> str:
        return STATES[self.state]

    @property
    def next_words(self) -> str:
        if self.call.state == "proposed":
            return _NOTICE_STEPS[self.notice.code]
        return next_step(self.call)[1]

    @property
    def notice_words(self) -> str:
        """How the notice of the result stands."""
        return _NOTICE_WORDS.get(self.notice.code, "")

    @property
    def over(self) -> bool:
        """Whether the choice can be made."""
        return self.state == "closed"


_WITH = (
    joinedload(Call.listing),
    joinedload(Call.owner),
    joinedload(Call.region),
)


def find(actor: Actor, no: str) -> Call:
    """A call that the actor looks after or looks into. Raises NotFound."""
    query = select(Call).where(Call.no == no, policy.where(actor, READ, Call)).options(*_WITH)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound(f"没有编号为 {no} 的揭榜。")
    return found


def find_shown(actor: Actor, no: str) -> Call:
    """A call that everybody may see. Raises NotFound."""
    query = select(Call).where(Call.no == no, policy.where(actor, VIEW, Call)).options(*_WITH)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound(f"没有编号为 {no} 的揭榜。")
    return found


def get(actor: Actor, no: str) -> Case:
    """A call with its answers, files and history. Raises NotFound."""
    call = find(actor, no)
    state = shown_state(call)
    notice = notices.standing_of(call.notice_no) if call.notice_no else notices.Standing("none")
    hidden = {"close"} if state == call.state else {"close", "extend"}
    hidden |= _NOT_NOW.get(notice.code, set())
    actions = [one for one in CALL.actions(actor, call) if one.action not in hidden]
    return Case(
        call=call,
        state=state,
        answers=_received(actor, call) if policy.allows(actor, BEGIN, call) else None,
        files=files.files_of(CALL_FILES, call.id),
        events=flow.timeline(CALL.name, call.id),
        actions=actions,
        owner=owner_shown(actor, call.listing, call.owner),
        notice=notice,
    )


def _received(actor: Actor, call: Call) -> list[AnswerView]:
    query = (
        select(CallAnswer)
        .where(
            CallAnswer.call_id == call.id,
            CallAnswer.version > 0,
            policy.where(actor, READ_ANSWER, CallAnswer),
        )
        .options(joinedload(CallAnswer.owner))
        .order_by(CallAnswer.id)
        .limit(MOST_ANSWERS)
    )
    return [view_of(one) for one in db.session.scalars(query)]


def view_of(answer: CallAnswer) -> AnswerView:
    """An answer as it was sent last, with its files and what ties it to the owner."""
    content = None
    if answer.version and answer.state != "withdrawn":
        content = db.session.scalar(
            select(CallAnswerVersion).where(
                CallAnswerVersion.answer_id == answer.id,
                CallAnswerVersion.version == answer.version,
            )
        )
    sent = content.files if content else []
    attached = [one for one in files.files_of(ANSWER_FILES, answer.id) if one.no in sent]
    return AnswerView(answer, content, attached, ties(answer.call.owner, answer.owner))


def versions(answer: CallAnswer) -> Sequence[CallAnswerVersion]:
    """All that was sent, the latest first."""
    query = select(CallAnswerVersion).where(CallAnswerVersion.answer_id == answer.id)
    return db.session.scalars(query.order_by(CallAnswerVersion.version.desc())).all()


def answer(actor: Actor, no: str) -> CallAnswer:
    """An answer, for its organisation or the owner of the call. Raises NotFound."""
    query = select(CallAnswer).where(
        CallAnswer.no == no, policy.where(actor, READ_ANSWER, CallAnswer)
    )
    found = db.session.scalar(
        query.options(joinedload(CallAnswer.owner), joinedload(CallAnswer.call))
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的应答。")
    return found


def own_answer(call: Call, organisation_id: int) -> CallAnswer | None:
    """What an organisation answers to a call; of several (after a merger) the latest."""
    query = select(CallAnswer).where(
        CallAnswer.call_id == call.id, CallAnswer.organisation_id == organisation_id
    )
    return db.session.scalar(query.order_by(CallAnswer.id.desc()).limit(1))


def answerers(actor: Actor, call: Call) -> list[Organisation]:
    """The actor's organisations that may answer a call: all but its owner."""
    ids = [one for one in actor.organisations(*EDITORS) if one != call.owner_id]
    query = select(Organisation).where(Organisation.id.in_(ids), Organisation.state == "active")
    found = {one.id: one for one in db.session.scalars(query)}
    return [found[one] for one in ids if one in found]


def demand(actor: Actor, call: Call) -> ListingView | None:
    """The demand of a call as its page shows it; None when it is not public any more."""
    try:
        return catalogue.get(actor, "demand", call.listing.no)
    except (NotFound, Gone):
        return None


def live(listing_id: int) -> Call | None:
    """The call of a demand that is not over yet."""
    query = select(Call).where(Call.listing_id == listing_id, Call.state.in_(LIVE))
    return db.session.scalar(query.order_by(Call.id.desc()).limit(1))


def of_demand(listing_id: int) -> PublicCall | None:
    """The latest call of a demand that everybody may see."""
    query = select(Call).where(Call.listing_id == listing_id, Call.state.in_(SHOWN))
    call = db.session.scalar(query.order_by(Call.id.desc()).options(*_WITH).limit(1))
    return None if call is None else public(call)


def public(call: Call) -> PublicCall:
    """A call as everybody sees it."""
    shown = shows_result(call)
    names = [one.owner.name for one in _chosen(call.id)] if shown else []
    attached, notice = files.files_of(CALL_FILES, call.id), notice_of(call)
    return PublicCall(call, shown_state(call), attached, names, notice, shown)


def shows_result(call: Call) -> bool:
    """Whether everybody sees how a call came out: not before it did."""
    return call.shows_result and call.state in RESULT


def notice_of(call: Call, *, own: bool = False) -> str | None:
    """The number of the notice of the result; for others (not `own`) once it was put up."""
    if call.notice_no is None or own:
        return call.notice_no
    put_up = notices.standing_of(call.notice_no).code not in {"draft", "gone"}
    return call.notice_no if put_up else None


def notice_to_fill(actor: Actor, no: str) -> str | None:
    """The draft of a notice that has to be filled in now."""
    call = find(actor, no)
    if call.state != "proposed" or call.notice_no is None:
        return None
    return call.notice_no if notices.standing_of(call.notice_no).code == "draft" else None


def _chosen(call_id: int) -> list[CallAnswer]:
    query = select(CallAnswer).where(CallAnswer.call_id == call_id, CallAnswer.state == "chosen")
    return list(
        db.session.scalars(query.options(joinedload(CallAnswer.owner)).order_by(CallAnswer.id))
    )


def chosen(no: str) -> list[CallAnswer]:
    """The chosen answers of a call by its number: from each of them an intent can begin."""
    found = db.session.scalar(select(Call.id).where(Call.no == no))
    return [] if found is None else _chosen(found)


def beside_listing(actor: Actor, listing_id: int) -> tuple[str, Any] | None:
    """What the page of a demand shows of its call: a template with its values."""
    found, may = of_demand(listing_id), may_begin(actor, listing_id)
    if found is None and not may:
        return None
    return "calls/beside.html", {"found": found, "may_begin": may}


def may_begin(actor: Actor, listing_id: int) -> bool:
    """Whether the actor may put this demand out as a call now."""
    if not actor.grants:
        return False
    row = db.session.get_one(Listing, listing_id)
    if row.kind != "demand" or row.state != "published" or live(listing_id) is not None:
        return False
    return policy.allows(actor, BEGIN, _as_call(row))


def history(row: CallAnswer) -> Sequence[CaseEvent]:
    """What happened to an answer, oldest first."""
    return flow.timeline(CALL_ANSWER.name, row.id)


def _as_call(listing: Listing) -> Call:
    """A call that is not stored, to ask the policy about a demand."""
    with db.session.no_autoflush:
        return Call(owner_id=listing.owner_id, region_id=listing.region_id, region=listing.region)


def mine(actor: Actor, tab: str, number: int, size: int = ROWS_PER_PAGE) -> PageOf[Any]:
    """Calls ("calls") or answers ("answers") of the actor's organisations, the latest first."""
    own = actor.organisations(*MEMBERS)
    if tab == "answers":
        theirs = and_(
            CallAnswer.organisation_id.in_(own), policy.where(actor, READ_ANSWER, CallAnswer)
        )
        return _page(CallAnswer, theirs, number, size, joinedload(CallAnswer.call))
    ours = and_(Call.owner_id.in_(actor.organisations()), policy.where(actor, READ, Call))
    return _page(Call, ours, number, size, joinedload(Call.owner))


def in_area(actor: Actor, number: int) -> PageOf[Any]:
    """Calls of an office's area, the latest first."""
    condition = and_(
        or_(Call.state != "draft", Call.owner_id.in_(actor.organisations())),
        policy.where(actor, READ, Call),
    )
    return _page(Call, condition, number, ROWS_PER_PAGE, joinedload(Call.owner))


def _page(model: Any, wanted: Any, number: int, size: int, *options: Any) -> PageOf[Any]:
    total = db.session.scalar(select(func.count()).select_from(model).where(wanted)) or 0
    query = select(model).where(wanted).options(*options).order_by(model.id.desc())
    rows = db.session.scalars(query.limit(size).offset((number - 1) * size)).all()
    return PageOf(list(rows), total, number, size)


def may_answer(actor: Actor, call: Call) -> bool:
    """Whether one of the actor's organisations may answer."""
    return bool(answerers(actor, call)) and policy.allows(actor, ANSWER)


def answer_actions(actor: Actor, row: CallAnswer) -> list[Transition]:
    """What its organisation may do with an answer by a button of its own."""
    found = [one for one in CALL_ANSWER.actions(actor, row) if one.action == "withdraw"]
    return found if row.call.state in {"open", "closed"} else []
