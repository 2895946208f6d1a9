"""Changing dispatches that are there: answering, following up, ending; what an office usually gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from market.core import calendar, clock, files, holidays
from market.core import workflow as flow
from market.core.calendar import DueDate
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.files import Upload
from market.core.permissions import Actor, policy
from market.core.secrets import seal
from market.core.unit_of_work import unit_of_work
from market.matching.dispatch import messages, queries, rules
from market.matching.dispatch.models import (
    ANSWERS,
    OPEN,
    ContactLine,
    Dispatch,
    DispatchSetting,
)
from market.matching.dispatch.queries import FILES, side_of
from market.matching.dispatch.workflow import ACTION_OF, DISPATCH, HANDLE, READ, SETTING
from market.matching.rules import minutes_between

_SAME = "这件推荐刚有新的进展，请先看上面的新内容；您填的还在，仍要提交请再点一次。"


def working_days_from(start: date, days: int) -> DueDate:
    """The last of so many working days after a day."""
    known = holidays.overrides(start, start + timedelta(days=days * 3 + 30))
    return calendar.add_working_days(start, days, known)


def moved(**values: Any) -> dict[str, Any]:
    """Columns that change with every step."""
    return {"updated_at": clock.now(), "lock_version": Dispatch.lock_version + 1, **values}


def locked(actor: Actor, no: str) -> Dispatch:
    """The dispatch, held until the commit: of two who answer at once the second sees the first.

    Raises:
        NotFound: no such dispatch, or not for this actor.
    """
    found = db.session.scalar(
        select(Dispatch)
        .where(Dispatch.no == no, policy.where(actor, READ, Dispatch))
        .with_for_update(of=Dispatch)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的推荐对接。")
    return found


def _as_seen(row: Dispatch, version: int | None) -> None:
    """Refuse when somebody moved the case since the page was opened. None: not asked."""
    if version is not None and version != row.lock_version:
        raise Conflict(_SAME)


def sealed_person(name: str | None, telephone: str | None, purpose: str) -> dict[str, Any] | None:
    """Whom to ask, sealed, and the same masked; None when nobody was named."""
    if not name and not telephone:
        return None
    kept = {"name": name or "", "telephone": telephone or ""}
    return {
        "sealed": seal(json.dumps(kept, ensure_ascii=False), purpose),
        "shown": rules.shown_contact(name or "", telephone or ""),
    }


def answer(actor: Actor, no: str, values: Mapping[str, Any], version: int | None = None) -> None:
    """Answer as the recipient, or write down as the office what it said on the telephone.

    An answer after the day it was asked for is taken like any other, and marked late.

    Args:
        values: answer ("interested", "declined", "referred"), text, contact, telephone, referral;
            of a clerk perhaps `day`, on which it was said.
        version: of the case as the writer saw it; when it moved since, nothing is written.

    Raises:
        NotFound: no such dispatch, or not for this actor.
        Conflict: it moved, has ended, or the same demand was sent again meanwhile.
        Invalid: the day lies in the future or before the sending.
    """
    with unit_of_work(actor) as work:
        row = locked(actor, no)
        _as_seen(row, version)
        state = values["answer"]
        if state == "interested":
            _refuse_second_open(row)
        columns = moved(**_answered(actor, row, values))
        told = {"answer": ANSWERS[state], "late": columns["answered_on"] > row.due}
        flow.fire(
            work,
            DISPATCH,
            row,
            ACTION_OF[state],
            note=_note_of(columns, row),
            values=columns,
            after=told,
        )
        messages.tell_office(messages.ANSWERED, row, answer=ANSWERS[state])


def _answered(actor: Actor, row: Dispatch, values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of an answer; a later one takes the place of an earlier one, whose words the
    timeline and the audit keep."""
    now, today = clock.now(), clock.today()
    by_office = side_of(actor, row) == "office"
    day = (values.get("day") if by_office else None) or today
    if not clock.local(row.created_at).date() <= day <= today:
        raise Invalid({"day": ["应在推荐那天以后、今天以前。"]})
    person = sealed_person(values.get("contact"), values.get("telephone"), messages.CONTACT)
    follows = values["answer"] in {"interested", "referred"}
    referral = values.get("referral") if values["answer"] == "referred" else None
    named = queries.organisation_by(referral) if referral else None
    if named is not None and named.id == row.recipient_id:
        raise Invalid({"referral": ["这是收到推荐的单位自己，请写另一家。"]})
    return {
        "answer": values.get("text"),
        "answered_at": now,
        "answered_on": day,
        "answered_by": row.recipient_label if by_office else actor.label,
        "recorded_by": actor.label if by_office else None,
        "answer_minutes": row.answer_minutes
        if row.answer_minutes is not None
        else minutes_between(row.created_at, now),
        "contact": person["sealed"] if person else row.contact,
        "contact_shown": person["shown"] if person else row.contact_shown,
        "referral_id": named.id if named else None,
        "referral": (named.name if named else referral) if referral else None,
        "next_call": working_days_from(today, rules.FOLLOW_UP).day if follows else None,
    }


def _note_of(columns: Mapping[str, Any], row: Dispatch) -> str | None:
    """What the timeline says of an answer."""
    said = [columns["answer"] or ""]
    if columns["referral"]:
        said.insert(0, f"推荐：{columns['referral']}")
    if columns["recorded_by"]:
        said.append("（代录）")
    if columns["answered_on"] > row.due:
        said.append(f"（迟答：应在 {row.due.isoformat()} 前）")
    return "\n".join(one for one in said if one) or None


def _refuse_second_open(row: Dispatch) -> None:
    """After a dispatch ended, the same demand may have been sent again: that one is answered."""
    if row.state in OPEN:
        return
    query = select(Dispatch.no).where(
        Dispatch.listing_id == row.listing_id,
        queries.same_recipient(row),
        Dispatch.state.in_(OPEN),
    )
    other = db.session.scalar(query)
    if other is not None:
        raise Conflict(
            f"这项需求后来又推荐过一次，请在 {other} 里答复；您写的还在这里，可以复制过去。"
        )


def do(
    actor: Actor, no: str, action: str, reason: str | None = None, version: int | None = None
) -> None:
    """Begin to talk, note that nobody answered, or withdraw.

    Raises:
        Conflict: the state does not allow it, it moved, or the day for the answer has not passed.
        Invalid: a reason is missing.
    """
    with unit_of_work(actor) as work:
        row = locked(actor, no)
        _as_seen(row, version)
        if action == "miss" and row.due >= clock.today():
            raise Conflict(f"答复时限 {row.due.isoformat()} 还没有过；要提前结束，请「撤回推荐」。")
        flow.fire(work, DISPATCH, row, action, reason=reason, values=moved())
        if action == "withdraw":
            messages.tell_recipient(messages.ENDED, row)


def close(
    actor: Actor,
    no: str,
    values: Mapping[str, Any],
    version: int | None = None,
    proof: Upload | None = None,
) -> None:
    """End a dispatch with what came of it, and perhaps a file that proves it.

    Args:
        values: outcome ("matched", "failed") and text.
        proof: taken in before (`core.files.take_in`).

    Raises:
        Conflict: it moved, or is in a state in which nothing can have come of it.
    """
    with unit_of_work(actor) as work:
        row = locked(actor, no)
        _as_seen(row, version)
        work.require(HANDLE, row)
        if proof is not None:
            files.attach(work, proof, FILES, row.id, purpose="proof")
        told = {"outcome": values["outcome"], "outcome_text": values.get("text")}
        columns = moved(next_call=None, **told)
        flow.fire(work, DISPATCH, row, "close", note=values.get("text"), values=columns, after=told)
        messages.tell_recipient(messages.ENDED, row)


def log(actor: Actor, no: str, values: Mapping[str, Any]) -> None:
    """Note a call, a message, a visit or a remark about a dispatch, and when to ring again.

    Args:
        values: kind, text; perhaps day, contact, telephone, next_call.

    Raises:
        NotFound: no such dispatch in the area. Invalid: a day that cannot be.
    """
    with unit_of_work(actor) as work:
        row = locked(actor, no)
        work.require(HANDLE, row)
        line = new_line(actor, values, region_id=row.region_id, dispatch_id=row.id)
        following = _next_call(row, line)
        changed = moved(last_word=line.text[:200], last_word_on=line.day, next_call=following)
        db.session.execute(update(Dispatch).where(Dispatch.id == row.id).values(**changed))
        db.session.refresh(row)
        flow.show_on_desks(DISPATCH, row)
        work.record("dispatch.log", DISPATCH.name, row.id, no=row.no, after=told_of(line))


def _next_call(row: Dispatch, line: ContactLine) -> date | None:
    """When to ring again: as planned, else in some days where the next step is the office's."""
    if line.kind == "note" and line.next_call is None:
        return row.next_call
    if line.next_call is None and row.state in {"interested", "talking", "referred"}:
        return working_days_from(clock.today(), rules.FOLLOW_UP).day
    return line.next_call if row.state in {*OPEN, "referred"} else None


def new_line(actor: Actor, values: Mapping[str, Any], **about: int) -> ContactLine:
    """Add a line to a log. Call inside a unit of work that asked the policy.

    Raises:
        Invalid: it is to have happened tomorrow, or the next call lies in the past or too far off.
    """
    today = clock.today()
    day, next_call = values.get("day") or today, values.get("next_call")
    wrong = {}
    if day > today or day < today - rules.LINE_KEPT:
        wrong["day"] = ["应是今天或以前（一年以内）。"]
    if next_call is not None and not today <= next_call <= today + rules.LATEST_CALL:
        wrong["next_call"] = ["下次联系应在今天以后、三个月以内。"]
    if wrong:
        raise Invalid(wrong)
    person = sealed_person(values.get("contact"), values.get("telephone"), messages.LINE)
    line = ContactLine(
        kind=values["kind"],
        day=day,
        person=person["sealed"] if person else None,
        person_shown=person["shown"] if person else None,
        text=values["text"],
        next_call=next_call,
        by_id=actor.id if actor.kind == "person" else None,
        by=actor.label,
        at=clock.now(),
        **about,
    )
    db.session.add(line)
    db.session.flush()
    return line


def told_of(line: ContactLine) -> dict[str, Any]:
    """What the audit keeps of a line; whom it names stays sealed."""
    following = line.next_call.isoformat() if line.next_call else None
    return {"line": line.id, "kind": line.kind, "next_call": following}


def set_usual_days(actor: Actor, days: int | None) -> None:
    """Set how many working days the own office usually gives; None: it has to be typed each time.

    Raises:
        Denied: no office.
    """
    path = queries.own_area(actor)
    if path is None:
        raise Denied
    region_id = int(path.strip("/").split("/")[-1])
    with unit_of_work(actor) as work:
        query = select(DispatchSetting).where(DispatchSetting.region_id == region_id)
        row = db.session.scalar(query.options(joinedload(DispatchSetting.region)))
        now = clock.now()
        before = row.days if row else None
        if row is None:
            row = DispatchSetting(
                region_id=region_id, days=days or 1, updated_at=now, updated_by=actor.label
            )
            db.session.add(row)
            db.session.flush()
        work.require(SETTING, row)
        if days is None:
            db.session.delete(row)
        else:
            row.days, row.updated_at, row.updated_by = days, now, actor.label
        work.record(
            "dispatch.usual_days",
            "region",
            region_id,
            before={"days": before},
            after={"days": days},
        )
