"""What is said in an intent."""

from __future__ import annotations

from sqlalchemy import func, select

from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict
from market.core.models import CaseEvent
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work
from market.matching.intents import messages, rules
from market.matching.intents.locking import OTHER, author_of, locked, moved, side_of, touch
from market.matching.intents.models import LIVE, Intent, IntentMessage
from market.matching.intents.workflow import INTENT, NOTE, READ, REMIND, WRITE


def write_down(actor: Actor, intent: Intent, side: str, text: str) -> None:
    """Add a message to the thread. Call inside a unit of work."""
    said = IntentMessage(
        intent_id=intent.id,
        side=side,
        person_id=actor.id if actor.kind == "person" else None,
        author=author_of(actor, intent, side),
        text=text,
        at=clock.now(),
    )
    db.session.add(said)
    db.session.flush()


def _said_just_now(intent: Intent, side: str, text: str) -> bool:
    """Whether the last message is this very one, sent twice by a double click."""
    query = select(IntentMessage).where(IntentMessage.intent_id == intent.id)
    last = db.session.scalar(query.order_by(IntentMessage.id.desc()).limit(1))
    if last is None or last.at < clock.now() - rules.SAME_AGAIN:
        return False
    return (last.side, last.text) == (side, text)


def say(actor: Actor, no: str, text: str, version: int | None = None) -> None:
    """Write into the thread as a party, as who was invited, or as an office.

    Raises:
        NotFound: no such intent, or not for this actor. Conflict: it moved, or has ended.
    """
    with unit_of_work(actor) as work:
        intent = locked(actor, no)
        side = side_of(actor, intent)
        if _said_just_now(intent, side, text):
            work.require(READ, intent)
            return
        locked(actor, no, version)
        work.require(NOTE if side == "office" else WRITE, intent)
        if intent.state not in LIVE:
            raise Conflict("这件意向已结束，不能再留言；要接着谈请先「重新洽谈」。")
        write_down(actor, intent, side, text)
        if side == "office":
            flow.add_event(work, INTENT.name, intent.id, "note")
            work.record("intent.note", INTENT.name, intent.id, no=no)
            messages.tell_parties(messages.OFFICE_WORD, intent)
        elif side == "helper":
            messages.tell_parties(messages.SAID, intent, other=author_of(actor, intent, side))
        else:
            messages.tell_other(messages.SAID, intent, side)
            messages.tell_helpers(messages.SAID, intent, other=author_of(actor, intent, side))
        # Before it is accepted, and once it is agreed, a word moves nobody's turn.
        turns = side if side in OTHER and intent.state == "talking" and not intent.latest else ""
        values = moved(turns)
        if side in OTHER:
            values["said_at"] = clock.now()
        touch(work, intent, **values)


def remind(actor: Actor, no: str) -> None:
    """Remind the party whose turn it is, once a day at most.

    Raises:
        Conflict: nobody's turn, or it was reminded today.
    """
    with unit_of_work(actor) as work:
        intent = locked(actor, no)
        work.require(REMIND, intent)
        if intent.state not in {"proposed", "talking"}:
            raise Conflict("这件意向现在不用对方办理，不必提醒。")
        query = select(func.max(CaseEvent.at)).where(
            CaseEvent.kind == INTENT.name,
            CaseEvent.object_id == intent.id,
            CaseEvent.action == "remind",
        )
        at = db.session.scalar(query)
        if at is not None and clock.local(at).date() == clock.today():
            raise Conflict("今天已提醒过一次，请明天再提醒，或打电话给双方。")
        flow.add_event(work, INTENT.name, intent.id, "remind")
        work.record("intent.remind", INTENT.name, intent.id, no=no)
        messages.tell_side(messages.OFFICE_WORD, intent, intent.turn)
