"""Inquiries that are there: answering, writing again, closing, assigning."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, func, select, update

from market.accounts import queries as accounts
from market.core import clock, limits
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.languages import translate as _
from market.core.messages import MessageKind
from market.core.models import CaseEvent, WorkItem
from market.core.permissions import Actor, policy
from market.core.secrets import unseal
from market.core.text import fold
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching import messages, reply_times, rules
from market.matching.models import Inquiry, InquiryMessage
from market.matching.queries import assignee_of, colleagues, office_name, side_of
from market.matching.workflow import (
    ASSIGN,
    INQUIRY,
    NOTE,
    READ,
    REMIND,
    SIDE_ACTIONS,
)

SERIES = "DJ"
_FORGOTTEN_AT_ONCE = 500


def write_down(inquiry: Inquiry, side: str, person_id: int | None, author: str, text: str) -> None:
    """Add a message to the thread. Call inside a unit of work."""
    said = InquiryMessage(
        inquiry_id=inquiry.id,
        side=side,
        person_id=person_id,
        author=author[:200],
        text=text,
        at=clock.now(),
    )
    db.session.add(said)
    db.session.flush()


def _locked(actor: Actor, no: str) -> Inquiry:
    """The inquiry, held until the commit: of two who write at once the second sees the first."""
    found = db.session.scalar(
        select(Inquiry)
        .where(Inquiry.no == no, policy.where(actor, READ, Inquiry))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(_("没有编号为 %(no)s 的咨询。", no=no))
    return found


def _as_seen(inquiry: Inquiry, version: int | None) -> None:
    """Refuse when somebody moved the case since the page was opened. None: not asked."""
    if version is not None and version != inquiry.lock_version:
        raise Conflict(
            _("这件咨询刚有新的进展，请先看上面的新内容；您写的还在，仍要发送请再点一次。")
        )


def _moved(**values: Any) -> dict[str, Any]:
    """Columns that change with every step."""
    return {"updated_at": clock.now(), "lock_version": Inquiry.lock_version + 1, **values}


def _said_just_now(inquiry: Inquiry, side: str, text: str) -> bool:
    """Whether the last message is this very one, sent twice by a double click."""
    query = select(InquiryMessage).where(InquiryMessage.inquiry_id == inquiry.id)
    last = db.session.scalar(query.order_by(InquiryMessage.id.desc()).limit(1))
    if last is None or last.at < clock.now() - rules.SAME_AGAIN:
        return False
    return (last.side, last.text) == (side, text)


def say(actor: Actor, no: str, text: str, version: int | None = None) -> None:
    """Answer as the owner, write again as the asker, or leave a note as the office.

    Args:
        version: of the case as the writer saw it; when it moved since, nothing is written.

    Raises:
        NotFound: no such inquiry, or not for this actor. Conflict: it moved, or is closed.
    """
    with unit_of_work(actor) as work:
        inquiry = _locked(actor, no)
        side = side_of(actor, inquiry)
        if _said_just_now(inquiry, side, text):
            work.require(READ, inquiry)
            return
        _as_seen(inquiry, version)
        {"owner": _answer, "asker": _write_again, "office": _note}[side](work, inquiry)
        name = f"{inquiry.owner.name} · {actor.label}" if side == "owner" else actor.label
        author = inquiry.asker_label if side == "asker" else name
        write_down(inquiry, side, actor.id if actor.kind == "person" else None, author, text)


def answer_for(actor: Actor, no: str, text: str, version: int | None = None) -> None:
    """Answer in the place of an owner that has no account yet, as the office of the place (代答).

    Raises:
        NotFound: no such inquiry. Denied: the owner can answer itself. Conflict: as for `say`.
    """
    with unit_of_work(actor) as work:
        inquiry = _locked(actor, no)
        if _said_just_now(inquiry, "owner", text):
            work.require(READ, inquiry)
            return
        _as_seen(inquiry, version)
        if side_of(actor, inquiry) != "office":
            raise Denied
        _answer(work, inquiry, "answer_for")
        author = f"{office_name(actor, inquiry)}代答 · {actor.label}"
        write_down(inquiry, "owner", actor.id if actor.kind == "person" else None, author, text)


def _answer(work: UnitOfWork, inquiry: Inquiry, action: str = "answer") -> None:
    now, first = clock.now(), inquiry.first_answer_at is None
    values = _moved()
    if first:
        minutes = rules.minutes_between(inquiry.created_at, now)
        values |= {"first_answer_at": now, "answer_minutes": minutes}
    if inquiry.open_until is not None:
        values["open_until"] = now + rules.ADDRESS_OPENS
    flow.fire(work, INQUIRY, inquiry, action, values=values)
    if first:
        reply_times.count_again(inquiry.owner_id)
    _tell_asker(messages.ANSWERED, inquiry)


def _write_again(work: UnitOfWork, inquiry: Inquiry) -> None:
    if inquiry.contact_key is not None:
        sentence = _("您刚才已写了很多条，请过一会儿再写。")
        limits.take(rules.MESSAGES, inquiry.no, sentence)
    values = _moved()
    if inquiry.state == "answered":
        values["waiting_since"] = clock.now()
    flow.fire(work, INQUIRY, inquiry, "write", values=values)
    messages.tell_owner(messages.ASKED_AGAIN, inquiry, _answering(inquiry))


def _note(work: UnitOfWork, inquiry: Inquiry) -> None:
    work.require(NOTE, inquiry)
    flow.add_event(work, INQUIRY.name, inquiry.id, "note")
    work.record("inquiry.note", INQUIRY.name, inquiry.id, no=inquiry.no)
    _touch(inquiry)
    messages.tell_owner(messages.OFFICE_WORD, inquiry, _answering(inquiry))
    _tell_asker(messages.OFFICE_WORD, inquiry)


def _touch(inquiry: Inquiry) -> None:
    db.session.execute(update(Inquiry).where(Inquiry.id == inquiry.id).values(**_moved()))
    db.session.refresh(inquiry)


def _answering(inquiry: Inquiry) -> int | None:
    """The colleague who has the case, as long as he may answer for the owner."""
    found = assignee_of(inquiry)
    return found if found in dict(colleagues(inquiry.owner_id)) else None


def _tell_asker(kind: MessageKind, inquiry: Inquiry) -> None:
    own, person = inquiry.asker_id, inquiry.asker_person_id
    left = own is not None and person is not None and person not in dict(colleagues(own))
    messages.tell_asker(kind, inquiry, _contact_of(inquiry), left=left)


def _contact_of(inquiry: Inquiry) -> str | None:
    """A visitor's telephone or e-mail, to send a message to."""
    if inquiry.contact is None:
        return None
    kept = _unsealed(inquiry.contact)
    return kept.get("mobile") or kept.get("email")


def _unsealed(token: str) -> dict[str, str]:
    text = unseal(token, messages.CONTACT)
    found: dict[str, str] = json.loads(text) if text else {}
    return found


def remind(actor: Actor, no: str) -> None:
    """Remind the owner to answer, once a day at most.

    Raises:
        Conflict: it is answered, or was reminded today.
    """
    with unit_of_work(actor) as work:
        inquiry = _locked(actor, no)
        work.require(REMIND, inquiry)
        if inquiry.state != "new":
            raise Conflict("这件咨询现在不用答复，不必提醒。")
        last = select(func.max(CaseEvent.at)).where(
            CaseEvent.kind == INQUIRY.name,
            CaseEvent.object_id == inquiry.id,
            CaseEvent.action == "remind",
        )
        at = db.session.scalar(last)
        if at is not None and clock.local(at).date() == clock.today():
            raise Conflict("今天已提醒过一次，请明天再提醒，或打电话给发布单位。")
        flow.add_event(work, INQUIRY.name, inquiry.id, "remind")
        work.record("inquiry.remind", INQUIRY.name, inquiry.id, no=no)
        messages.tell_owner(messages.OFFICE_WORD, inquiry, _answering(inquiry))


def close(actor: Actor, no: str, values: Mapping[str, Any], version: int | None = None) -> None:
    """End a case with its outcome, as the owner or the asker, or as the office in the owner's place.

    Args:
        values: outcome; where solved perhaps outcome_with and amount (fen).

    Raises:
        Conflict: it moved meanwhile or is closed already.
        Denied: an office does not close for an owner that can.
    """
    with unit_of_work(actor) as work:
        inquiry = _locked(actor, no)
        _as_seen(inquiry, version)
        told = _outcome(inquiry, values)
        side = _party(actor, inquiry, "close")
        columns = _moved(closed_at=clock.now(), **told)
        flow.fire(work, INQUIRY, inquiry, SIDE_ACTIONS["close"][side], values=columns, after=told)
        _tell_other(messages.ENDED, inquiry, side)


def _party(actor: Actor, inquiry: Inquiry, action: str) -> str:
    side = side_of(actor, inquiry)
    if side not in SIDE_ACTIONS[action]:
        raise Denied
    return side


def _outcome(inquiry: Inquiry, values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of an outcome; solved here without a name: by whoever had the technology."""
    outcome, named = values["outcome"], values.get("outcome_with")
    if outcome == "elsewhere" and not named:
        raise Invalid({"outcome_with": [_("请写明与谁解决的（单位或个人）。")]})
    if outcome == "unsolved":
        return {"outcome": outcome, "outcome_with": None, "outcome_amount_fen": None}
    by_owner = inquiry.listing.kind == "achievement"
    solver = inquiry.owner if by_owner else inquiry.asker
    solver_name = inquiry.owner.name if by_owner else inquiry.asker_label
    if outcome == "solved" and not named:
        solver_id = solver.id if solver is not None else None
        named = solver.name if solver is not None else solver_name
    else:
        solver_id = _named_organisation(named or "")
    return {
        "outcome": outcome,
        "outcome_with": named,
        "outcome_with_id": solver_id,
        "outcome_amount_fen": values.get("amount"),
    }


def _named_organisation(name: str) -> int | None:
    """The one organisation of the register that bears this name."""
    found = accounts.owners_by_name([name]).get(fold(name), [])
    return found[0].id if len(found) == 1 else None


def _tell_other(kind: MessageKind, inquiry: Inquiry, side: str) -> None:
    if side != "asker":
        _tell_asker(kind, inquiry)
    else:
        messages.tell_owner(kind, inquiry, _answering(inquiry))


def act(
    actor: Actor, no: str, action: str, reason: str | None = None, version: int | None = None
) -> None:
    """Reopen, withdraw, remove or restore a case.

    Raises:
        Conflict: the state does not allow it, it moved, or it ended too long ago to be reopened.
        Invalid: a reason is missing.
    """
    with unit_of_work(actor) as work:
        inquiry = _locked(actor, no)
        _as_seen(inquiry, version)
        side, columns = side_of(actor, inquiry), _moved()
        if action == "reopen":
            _refuse_old(inquiry)
            action = SIDE_ACTIONS["reopen"][_party(actor, inquiry, "reopen")]
            columns |= dict.fromkeys(
                ("outcome", "outcome_with", "outcome_with_id", "outcome_amount_fen", "closed_at")
            )
        if INQUIRY.find("closed", action) or action == "restore":
            columns["waiting_since"] = clock.now()
        flow.fire(work, INQUIRY, inquiry, action, reason=reason, values=columns)
        if action in {"remove", "restore"} and inquiry.first_answer_at is not None:
            reply_times.count_again(inquiry.owner_id)
        _tell_of_act(inquiry, action, side)


def _refuse_old(inquiry: Inquiry) -> None:
    ended = inquiry.closed_at
    if ended is not None and ended < clock.now() - rules.REOPENED_WITHIN:
        raise Conflict(_("办结已超过 90 天，不能重新打开；请另发一件咨询。"))


def _tell_of_act(inquiry: Inquiry, action: str, side: str) -> None:
    if action == "restore" or (action.startswith("reopen") and side == "asker"):
        messages.tell_owner(messages.ASKED_AGAIN, inquiry, _answering(inquiry))
    elif action == "remove":
        _tell_asker(messages.ENDED, inquiry)
    elif action == "withdraw":
        messages.tell_owner(messages.ENDED, inquiry, _answering(inquiry))


def assign(actor: Actor, no: str, person_id: int | None) -> None:
    """Give a case to a colleague who may answer, or back to all.

    Raises:
        Invalid: that is no such colleague.
    """
    with unit_of_work(actor) as work:
        inquiry = _locked(actor, no)
        work.require(ASSIGN, inquiry)
        names = dict(colleagues(inquiry.owner_id))
        if person_id is not None and person_id not in names:
            raise Invalid({"person": ["请从本单位的管理员和编辑中选一位。"]})
        before = assignee_of(inquiry)
        if before == person_id:
            return
        item = and_(WorkItem.kind == INQUIRY.name, WorkItem.object_id == inquiry.id)
        db.session.execute(update(WorkItem).where(item).values(owner_assignee_id=person_id))
        told = names[person_id] if person_id is not None else "不指定"
        flow.add_event(work, INQUIRY.name, inquiry.id, "assign", note=told)
        work.record(
            "inquiry.assign",
            INQUIRY.name,
            inquiry.id,
            no=no,
            before={"person_id": before},
            after={"person_id": person_id},
        )
        if person_id is not None and person_id != actor.id:
            messages.tell_owner(messages.RECEIVED, inquiry, person_id)


def do(actor: Actor, no: str, action: str, values: Mapping[str, Any]) -> None:
    """Carry out what a form on the page of a case asks for; values: as its schema loaded them."""
    version = values.get("version")
    if action == "say":
        say(actor, no, values["text"], version)
    elif action == "answer_for":
        answer_for(actor, no, values["text"], version)
    elif action == "close":
        close(actor, no, values, version)
    elif action == "remind":
        remind(actor, no)
    elif action == "assign":
        assign(actor, no, values.get("person"))
    else:
        act(actor, no, action, values.get("reason"), version)
