"""An intent's way: accepted, declined, withdrawn, ended, taken up again; sides and who may read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import case, select, update

from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import Actor
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching.intents import messages, outcomes
from market.matching.intents.beginning import there
from market.matching.intents.locking import OTHER, locked, moved, party_of, side_of, touch
from market.matching.intents.models import (
    CLASSES,
    ENDINGS,
    LIVE,
    Intent,
    IntentInvitation,
    IntentMessage,
    Question,
)
from market.matching.intents.rules import REOPENED_WITHIN
from market.matching.intents.workflow import INTENT, OFFER, SHOW, SWAP

_NOT_AGREED: dict[str, Any] = {"frozen": None, "agreed_at": None, "buyer_yes": 0, "seller_yes": 0}


def act(actor: Actor, no: str, action: str, values: Mapping[str, Any] | None = None) -> None:
    """Carry out one of `rules.ACTIONS`.

    Args:
        values: version of the case as the actor saw it; for an end: ending, perhaps reason.

    Raises:
        NotFound: no such intent, or not for this actor. Denied: not this one's to do.
        Conflict: the state does not allow it, or it moved. Invalid: the reason is missing.
    """
    values = values or {}
    with unit_of_work(actor) as work:
        intent = locked(actor, no, values.get("version"))
        if action in {"decline", "end"}:
            _end(work, intent, action, values)
        elif action == "reopen":
            _reopen(work, intent)
        elif action == "swap":
            _swap(work, intent)
        elif action in {"show", "hide"}:
            _show(work, intent, action == "show")
        else:
            _plain(work, intent, action)


def _plain(work: UnitOfWork, intent: Intent, action: str) -> None:
    """Accept, or withdraw."""
    side = side_of(work.actor, intent)
    columns = moved(side if side in OTHER else "")
    if action == "accept":
        columns["accepted_at"] = clock.now()
    flow.fire(work, INTENT, intent, action, values=columns)
    messages.tell_other(messages.MOVED, intent, side)


def _end(work: UnitOfWork, intent: Intent, action: str, values: Mapping[str, Any]) -> None:
    ending, words = values.get("ending"), (values.get("reason") or "").strip()
    if ending not in ENDINGS:
        raise Invalid({"ending": ["请选择原因，对方会看到。"]})
    if ending == "other" and not words:
        raise Invalid({"reason": ["选了「其他」，请写明原因。"]})
    reason = f"{ENDINGS[ending]}：{words}" if words else ENDINGS[ending]
    columns = moved(ending=ending, ended_at=clock.now(), **_NOT_AGREED)
    side = side_of(work.actor, intent)
    flow.fire(work, INTENT, intent, action, reason=reason, values=columns, after={"ending": ending})
    outcomes.drop_open(work, intent)
    messages.tell_other(messages.MOVED, intent, side)
    messages.tell_helpers(messages.MOVED, intent, other=_party_name(intent, side))


def _party_name(intent: Intent, side: str) -> str:
    return intent.buyer.name if side == "buyer" else intent.seller.name


def _reopen(work: UnitOfWork, intent: Intent) -> None:
    """Take up an ended intent; who was asked and declined takes it up by accepting it."""
    if intent.ended_at is not None and intent.ended_at < clock.now() - REOPENED_WITHIN:
        raise Conflict("终止已超过 90 天，不能重新洽谈；请另发一件咨询。")
    if (other := there(work.actor, intent.source_kind, intent.source_id)) is not None:
        raise Conflict(f"同一件咨询已另有对接意向 {other}，请到那里接着谈。")
    side = party_of(work.actor, intent)
    met = intent.accepted_at or clock.now()
    columns = moved(side, ending=None, ended_at=None, accepted_at=met, **_NOT_AGREED)
    flow.fire(work, INTENT, intent, "reopen", values=columns)
    messages.tell_other(messages.MOVED, intent, side)


def _swap(work: UnitOfWork, intent: Intent) -> None:
    """Exchange buyer and seller, as long as nothing was offered."""
    work.require(SWAP, intent)
    side = party_of(work.actor, intent)
    if intent.state not in {"proposed", "talking"} or intent.latest or _asked(intent):
        raise Conflict("已提出过方案或问过结果，不能再对调买方和卖方；请终止后重新发起。")
    before = {"buyer_id": intent.buyer_id, "seller_id": intent.seller_id}
    after = {"buyer_id": intent.seller_id, "seller_id": intent.buyer_id}
    regions = {
        "buyer_region_id": intent.seller_region_id,
        "seller_region_id": intent.buyer_region_id,
        "buyer_shows": intent.seller_shows,
        "seller_shows": intent.buyer_shows,
    }
    ends = {"begun_by": OTHER[intent.begun_by], "turn": OTHER[intent.turn]}
    flow.add_event(work, INTENT.name, intent.id, "swap")
    work.record("intent.swap", INTENT.name, intent.id, no=intent.no, before=before, after=after)
    touch(work, intent, **(moved() | after | regions | ends))
    for column in (IntentMessage.side, IntentInvitation.by_side):
        model = column.class_
        db.session.execute(
            update(model)
            .where(model.intent_id == intent.id, column.in_(OTHER))
            .values({column.key: case(OTHER, value=column)})
            .execution_options(synchronize_session=False)
        )
    messages.tell_other(messages.MOVED, intent, OTHER[side])


def _asked(intent: Intent) -> bool:
    """Whether a side was asked what became of it."""
    query = select(Question.id).where(Question.intent_id == intent.id).limit(1)
    return db.session.scalar(query) is not None


def _show(work: UnitOfWork, intent: Intent, shows: bool) -> None:
    """Let the offices of one's own area read the terms, or no more."""
    work.require(SHOW, intent)
    side = party_of(work.actor, intent)
    column = f"{side}_shows"
    if getattr(intent, column) == shows:
        return
    flow.add_event(work, INTENT.name, intent.id, "show" if shows else "hide")
    work.record(
        "intent.show", INTENT.name, intent.id, no=intent.no, after={"side": side, "shows": shows}
    )
    touch(work, intent, **(moved() | {column: shows}))


def classify(actor: Actor, no: str, contract_class: str | None, version: int | None = None) -> None:
    """Say which kind of technology contract it is to become; both sides may.

    Raises:
        Conflict: it is agreed or has ended, or it moved. Invalid: no such kind.
    """
    if contract_class is not None and contract_class not in CLASSES:
        raise Invalid({"contract_class": ["没有这种技术合同。"]})
    with unit_of_work(actor) as work:
        intent = locked(actor, no, version)
        work.require(OFFER, intent)
        if intent.state not in LIVE or intent.state == "agreed":
            raise Conflict("已达成或已结束的意向不能再改合同类别。")
        before, after = {"class": intent.contract_class}, {"class": contract_class}
        if before == after:
            return
        note = CLASSES[contract_class] if contract_class else "不指定"
        flow.add_event(work, INTENT.name, intent.id, "classify", note=note)
        work.record("intent.classify", INTENT.name, intent.id, no=no, before=before, after=after)
        touch(work, intent, **moved(contract_class=contract_class))
