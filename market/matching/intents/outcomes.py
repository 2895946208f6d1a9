"""What became of it: asked 30 and 180 days on, told by both sides, kept as it was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, select

from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import SYSTEM, Actor
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching.intents import messages, rules
from market.matching.intents.locking import author_of, locked, moved, party_of, touch
from market.matching.intents.models import OUTCOMES, PARTIES, Intent, Outcome, Question
from market.matching.intents.workflow import ASK, INTENT, QUESTION, TELL_OUTCOME

_AT_ONCE = 50
_CONTRACT = ("contract_no", "signed_on", "amount_fen")
_FINAL = ("signed", "failed", "elsewhere")  # after these a side is asked no more


def ask() -> bool:
    """Ask both sides whose intents have been agreed, or silent, long enough; True when more wait.

    Safe to repeat: a side is asked once about one event and one number of days.
    """
    waiting = _waiting(_AT_ONCE)
    if not waiting:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(ASK)
        # Within the write lock once more: two workers may have found the same.
        for intent_id, side, days in _waiting(_AT_ONCE):
            _ask(work, db.session.get_one(Intent, intent_id), side, days)
    return len(waiting) >= _AT_ONCE


def _waiting(most: int) -> list[tuple[int, str, int]]:
    """Whom to ask: intent, side, and after how many days."""
    found: list[tuple[int, str, int]] = []
    for state, since in (("agreed", Intent.agreed_at), ("talking", Intent.said_at)):
        for place, days in enumerate(rules.ASKED_AFTER):
            later = rules.ASKED_AFTER[place + 1 :]
            for side in PARTIES:
                long_ago = since <= clock.now() - timedelta(days=days)
                query = select(Intent.id).where(
                    Intent.state == state, long_ago, ~_asked(side, days, since), ~_told(side, since)
                )
                if later:  # who is due for the later question is asked that one alone
                    query = query.where(since > clock.now() - timedelta(days=later[0]))
                rows = db.session.scalars(query.order_by(Intent.id).limit(most))
                found += [(key, side, days) for key in rows]
    return found[:most]


def _asked(side: str, days: int, since: Any) -> ColumnElement[bool]:
    return exists().where(
        Question.intent_id == Intent.id,
        Question.side == side,
        Question.days == days,
        Question.since == since,
    )


def _told(side: str, since: Any) -> ColumnElement[bool]:
    """Whether the side has said since then how it ended."""
    return exists().where(
        Outcome.intent_id == Intent.id,
        Outcome.side == side,
        Outcome.outcome.in_(_FINAL),
        Outcome.at >= since,
    )


def _ask(work: UnitOfWork, intent: Intent, side: str, days: int) -> None:
    agreed = intent.state == "agreed"
    since = intent.agreed_at if agreed else intent.said_at
    assert since is not None
    drop_open(work, intent, side)
    now = clock.now()
    row = Question(
        intent_id=intent.id,
        organisation_id=intent.parties[side],
        side=side,
        why="agreed" if agreed else "silent",
        days=days,
        since=since,
        due=clock.today() + timedelta(days=rules.OUTCOME_DAYS),
        state="open",
        created_at=now,
        updated_at=now,
    )
    db.session.add(row)
    db.session.flush()
    flow.begin(work, QUESTION, row)
    messages.tell_question(row)


def open_questions(intent: Intent, side: str = "") -> Sequence[Question]:
    """Questions that nobody answered yet, of one side or of both."""
    query = select(Question).where(Question.intent_id == intent.id, Question.state == "open")
    if side:
        query = query.where(Question.side == side)
    return db.session.scalars(query.order_by(Question.id)).all()


def drop_open(work: UnitOfWork, intent: Intent, side: str = "") -> None:
    """Close questions that need no answer any more. Inside a unit of work."""
    for one in open_questions(intent, side):
        flow.fire(work, QUESTION, one, "drop", values={"updated_at": clock.now()})


def tell(actor: Actor, no: str, values: Mapping[str, Any], version: int | None = None) -> None:
    """Say as a party what became of it; answers the question that is open, if one is.

    Args:
        values: outcome; where signed perhaps contract_no, signed_on, amount_fen; perhaps reason.

    Raises:
        Invalid: no outcome, a contract of tomorrow, facts of a contract without one, no reason.
        Conflict: nothing was negotiated, or it moved.
    """
    facts = checked(values)
    with unit_of_work(actor) as work:
        intent = locked(actor, no)
        side = party_of(actor, intent)
        if _told_just_now(intent, side, facts):
            work.require(TELL_OUTCOME, intent)
            return
        locked(actor, no, version)
        work.require(TELL_OUTCOME, intent)
        if intent.accepted_at is None:
            raise Conflict("双方还没有开始洽谈，没有结果可填。")
        waiting = open_questions(intent, side)
        row = Outcome(
            intent_id=intent.id,
            question_id=waiting[0].id if waiting else None,
            side=side,
            person_id=actor.id if actor.kind == "person" else None,
            author=author_of(actor, intent, side),
            at=clock.now(),
            **facts,
        )
        db.session.add(row)
        db.session.flush()
        for one in waiting:
            flow.fire(work, QUESTION, one, "answer", values={"updated_at": clock.now()})
        flow.add_event(work, INTENT.name, intent.id, "outcome", note=OUTCOMES[facts["outcome"]])
        after = {name: _plain(value) for name, value in facts.items()}
        work.record("intent.outcome", INTENT.name, intent.id, no=no, after=after)
        touch(work, intent, **moved())
        messages.tell_other(messages.MOVED, intent, side)


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _told_just_now(intent: Intent, side: str, facts: Mapping[str, Any]) -> bool:
    query = select(Outcome).where(Outcome.intent_id == intent.id, Outcome.side == side)
    last = db.session.scalar(query.order_by(Outcome.id.desc()).limit(1))
    if last is None or last.at < _recently():
        return False
    return all(getattr(last, name) == value for name, value in facts.items())


def _recently() -> datetime:
    return clock.now() - rules.SAME_AGAIN


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of an outcome. Raises Invalid."""
    outcome = values.get("outcome")
    facts = {name: values.get(name) for name in (*_CONTRACT, "reason")}
    wrong: dict[str, list[str]] = {}
    if outcome not in OUTCOMES:
        wrong["outcome"] = ["请选择结果。"]
    elif outcome != "signed":
        for name in _CONTRACT:
            if facts[name] is not None:
                wrong[name] = ["没有签合同的不用填，请清空。"]
    if outcome in {"failed", "elsewhere"} and not facts["reason"]:
        wrong["reason"] = ["请写明原因，或与谁解决的。"]
    if facts["signed_on"] is not None and facts["signed_on"] > clock.today():
        wrong["signed_on"] = ["签订日期不能晚于今天。"]
    if facts["amount_fen"] is not None and facts["amount_fen"] < 0:
        wrong["amount_fen"] = ["金额不能是负数。"]
    if wrong:
        raise Invalid(wrong)
    return {"outcome": outcome, **facts}
