"""Taking first demands, ringing back, making a demand of them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update

from market.accounts import service as accounts
from market.catalogue import naming
from market.catalogue.intake import rules, telephones
from market.catalogue.intake.models import OPEN, Intake
from market.catalogue.intake.queries import (
    CONTACT,
    TELEPHONE,
    find,
    receipt_hash,
    telephone_key,
    unsealed,
)
from market.catalogue.intake.workflow import (
    ENTER,
    FORGET,
    HANDLE,
    INTAKE,
    OFFER,
    RECEIVED,
    UNMASK,
)
from market.catalogue.problems import sender_on
from market.catalogue.publishing import service as publishing
from market.core import calendar, clock, numbers
from market.core.db import db
from market.core.errors import Invalid, NotFound
from market.core.holidays import overrides
from market.core.languages import translate as _
from market.core.limits import Limit, take
from market.core.messages import tell
from market.core.permissions import SYSTEM, Actor
from market.core.secrets import pseudonym, seal
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.core.workflow import add_event, begin, fire

SERIES = "DL"
RING_WITHIN = 1  # working days
LATEST_CALL = timedelta(days=90)
AGAIN = timedelta(days=30)  # in which the same text is one said again
# A whole office or a mobile network may sit behind one address, so the first is not tighter.
FROM_NETWORK = Limit("intake.network", 10, timedelta(hours=1))
FROM_TELEPHONE = Limit("intake.telephone", 6, timedelta(days=1))
_STAMP = "intake.opened"


def opened_stamp(moment: datetime | None = None) -> str:
    """For the form: when it was opened (now), signed."""
    return rules.stamp(moment or clock.now(), pseudonym("form", _STAMP))


def offer(actor: Actor, values: Mapping[str, Any], region_id: int, *, address: str) -> str:
    """Take a first demand from the open form; returns the word for the receipt's address.

    Args:
        values: of `OfferSchema`; region_id: of the county; address: the sender's network address.

    Raises:
        TooMany: from this network or this telephone.
    """
    now = clock.now()
    network = sender_on(address, now)
    key = secrets.token_urlsafe(24)
    telephone = values["telephone"]
    with unit_of_work(actor) as work:
        sentence = _("这个网络一小时内报得太多，请过一小时再试，或直接打电话给本县科技管理部门。")
        take(FROM_NETWORK, network, sentence)
        sentence = _("这个电话今天已报了很多次，我们会回电话；急事请直接打本县科技管理部门的电话。")
        take(FROM_TELEPHONE, telephones.line_of(telephone), sentence)
        doubts = _doubts(values, telephone)
        row = _row(values, region_id, "web", actor.label)
        row.state = "doubtful" if doubts else "new"
        row.doubts, row.network = doubts, network
        row.receipt_hash, row.receipt_until = receipt_hash(key), now + rules.RECEIPT_KEPT
        _begin(work, row, OFFER)
        if not doubts:
            _tell_office(row)
    return key


def _doubts(values: Mapping[str, Any], telephone: str) -> list[str]:
    now = clock.now()
    same_text = select(Intake.id).where(
        Intake.text_key == rules.text_key(values["problem"]), Intake.created_at > now - AGAIN
    )
    open_cases = select(func.count()).where(
        Intake.telephone_key == telephone_key(telephone), Intake.state.in_(OPEN)
    )
    said = ("problem", "product", "target", "firm", "contact")
    return rules.doubts(
        [values[name] for name in said if values.get(name)],
        seconds=rules.seconds_since(values.get("opened") or "", now, pseudonym("form", _STAMP)),
        trapped=bool(values.get("subject")),
        repeated=db.session.scalar(same_text.limit(1)) is not None,
        open_cases=(db.session.scalar(open_cases) or 0) + 1,
    )


def _row(values: Mapping[str, Any], region_id: int, source: str, sender: str) -> Intake:
    """A new case, not in the session yet; to be rung back within the target."""
    now, today = clock.now(), clock.today()
    due = calendar.add_working_days(
        today, RING_WITHIN, overrides(today, today + timedelta(days=30))
    )
    year = today.year
    return Intake(
        no=f"{SERIES}{year}{numbers.take(f'{SERIES}{year}')[0]:06d}",
        source=source,
        state="new",
        problem=values["problem"],
        product=values["product"],
        target=values.get("target"),
        firm=values["firm"],
        uscc=values.get("uscc"),
        name_hidden=bool(values.get("name_hidden")),
        region_id=region_id,
        text_key=rules.text_key(values["problem"]),
        doubts=[],
        consent_at=now,
        sender=sender,
        due=due.day,
        provisional=due.provisional,
        created_at=now,
        updated_at=now,
        **_sealed(values),
    )


def _sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "contact": seal(values["contact"], CONTACT),
        "telephone": seal(values["telephone"], TELEPHONE),
        "telephone_key": telephone_key(values["telephone"]),
    }


def _begin(work: UnitOfWork, row: Intake, permission: str, note: str | None = None) -> None:
    db.session.add(row)
    db.session.flush()
    work.require(permission, row)
    begin(work, INTAKE, row, note=note)


def _tell_office(row: Intake) -> None:
    tell(
        RECEIVED,
        about=(INTAKE.name, row.id),
        url=f"/intakes/{row.no}",
        values={"no": row.no, "firm": row.firm, "problem": row.problem[:80], "due": row.due},
        region_path=row.region.path,
        event="received",
    )


def enter(actor: Actor, values: Mapping[str, Any], region_id: int) -> str:
    """代录: an officer types for a caller; returns the number. Nobody has rung back yet.

    Args:
        values: of `EntrySchema`.

    Raises:
        Denied: the place lies outside the officer's area.
    """
    with unit_of_work(actor) as work:
        row = _row(values, region_id, values["source"], actor.label)
        _begin(work, row, ENTER)
        return row.no


def enter_and_complete(actor: Actor, values: Mapping[str, Any], region_id: int) -> str:
    """代录 in one go; returns the number of the draft. Raises as `enter` and `complete` do."""
    with unit_of_work(actor):
        no = enter(actor, values, region_id)
        return complete(actor, no, values, region_id)


def note_call(actor: Actor, no: str, values: Mapping[str, Any]) -> None:
    """Note that somebody was rung up, reached or not, and when to ring again.

    Raises:
        NotFound: no such case in the area. Conflict: it is closed.
        Invalid: the next call lies in the past or too far off.
    """
    reached, said = values["result"] == "reached", values.get("note")
    with unit_of_work(actor) as work:
        row = find(actor, no)
        due, provisional = _next_call(values.get("next_call"))
        words = "已接通" if reached else "未接通"
        note = f"{words}；下次回访 {due.isoformat()}" + (f"\n{said}" if said else "")
        now = clock.now()
        changed = {"calls": Intake.calls + 1, "due": due, "provisional": provisional}
        after = {"result": values["result"], "next_call": due.isoformat()}
        fire(
            work, INTAKE, row, "call",
            note=note, values={**changed, "updated_at": now}, after=after,
        )  # fmt: skip


def _next_call(chosen: date | None) -> tuple[date, bool]:
    """The day of the next call: as chosen, else the next working day."""
    today = clock.today()
    if chosen is None:
        known = overrides(today, today + timedelta(days=30))
        due = calendar.add_working_days(today, RING_WITHIN, known)
        return due.day, due.provisional
    if not today <= chosen <= today + LATEST_CALL:
        raise Invalid({"next_call": ["下次回访应在今天以后、三个月以内。"]})
    return chosen, False


def complete(actor: Actor, no: str, values: Mapping[str, Any], region_id: int) -> str:
    """Make a demand of a case: finds or founds the organisation, begins the draft.

    Args:
        values: of `CompletionSchema`; contact and telephone stay as they are where empty.

    Returns:
        the number of the draft, whose page is `/submissions/<no>/edit`.

    Raises:
        NotFound: no such case in the area.
        Conflict: it is closed, or the credit code belongs to an organisation that is gone.
        Denied: the place lies outside the officer's area.
    """
    with unit_of_work(actor) as work:
        row = find(actor, no)
        work.require(HANDLE, row)
        # Before anything is founded: two clerks at once make one organisation, and one draft.
        if INTAKE.find(row.state, "complete") is None:
            fire(work, INTAKE, row, "complete")  # raises Conflict with the present state
        owner_id = _owner(actor, values, region_id)
        draft = publishing.create_draft(
            actor,
            "demand",
            owner_id,
            _content(values),
            region_id=region_id,
            source=_source(values, row),
        )
        changed: dict[str, Any] = {
            "problem": values["problem"],
            "product": values["product"],
            "target": values.get("target"),
            "firm": values["firm"],
            "uscc": values.get("uscc"),
            "name_hidden": bool(values.get("name_hidden")),
            "region_id": region_id,
            "organisation_id": owner_id,
            "submission_no": draft,
            "updated_at": clock.now(),
            **_new_contact(values),
        }
        note = f"需求草稿 {draft}；已告知用途并征得同意"
        fire(work, INTAKE, row, "complete", note=note, values=changed, after={"draft": draft})
        return draft


def _new_contact(values: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if values.get("contact"):
        changed["contact"] = seal(values["contact"], CONTACT)
    if values.get("telephone"):
        changed["telephone"] = seal(values["telephone"], TELEPHONE)
        changed["telephone_key"] = telephone_key(values["telephone"])
    return changed


def _owner(actor: Actor, values: Mapping[str, Any], region_id: int) -> int:
    """The caller's organisation. His own telephone does not become public with it."""
    uscc = values.get("uscc")
    known = accounts.same_organisation(uscc, values["firm"], region_id)
    if known is not None:
        return known
    founded = {
        "name": values["firm"],
        "kind": values.get("kind") or "enterprise",
        "region_id": region_id,
        "uscc": uscc,
    }
    return accounts.found(actor, founded, by_office=True)


def _source(values: Mapping[str, Any], row: Intake) -> str:
    """How the clerk came to know what he types; of a web form: he rang back."""
    return values.get("source") or ("telephone" if row.source == "web" else row.source)


def _content(values: Mapping[str, Any]) -> dict[str, str]:
    """The draft's texts, by the `data_key` of the schema of demands."""
    texts = {
        "title": rules.title_of(values["product"], values["problem"]),
        "summary": values["problem"],
        "problem": values["problem"],
        "targets": values.get("target"),
        "keywords": values["product"],
        naming.HIDDEN: "是" if values.get("name_hidden") else None,
    }
    return {name: text for name, text in texts.items() if text}


def act(actor: Actor, no: str, action: str, reason: str | None = None) -> None:
    """One of the plain transitions: accept, drop, reopen.

    Raises:
        NotFound, Conflict, Invalid: no such case, not in this state, without a reason.
    """
    with unit_of_work(actor) as work:
        row = find(actor, no)
        changed: dict[str, Any] = {"updated_at": clock.now()}
        if action == "reopen":
            changed["duplicate_of_id"] = None
            changed["due"], changed["provisional"] = _next_call(None)
        fire(work, INTAKE, row, action, reason=reason, values=changed)


def mark_duplicate(actor: Actor, no: str, of: str) -> None:
    """Close a case that repeats another of the same area.

    Raises:
        NotFound: no such case. Invalid: the other is not there, or is this one.
    """
    with unit_of_work(actor) as work:
        row = find(actor, no)
        try:
            other = find(actor, of.upper())
        except NotFound as error:
            raise Invalid({"of": ["本地区没有这个编号，请核对。"]}) from error
        if other.id == row.id:
            raise Invalid({"of": ["这是它自己的编号，请填另一件的。"]})
        changed = {"duplicate_of_id": other.id, "updated_at": clock.now()}
        fire(work, INTAKE, row, "duplicate", note=f"与 {other.no} 重复", values=changed)


def unmask(actor: Actor, no: str, reason: str | None) -> tuple[str | None, str | None]:
    """Name and telephone of a caller; who looked and why is recorded.

    Raises:
        Invalid: no reason was given.
    """
    if not reason:
        raise Invalid({"reason": ["请写明为什么要看，查看有记录。"]})
    with unit_of_work(actor) as work:
        row = find(actor, no)
        work.require(UNMASK, row)
        work.record("intake.unmask", INTAKE.name, row.id, no=row.no, after={"reason": reason})
        add_event(work, INTAKE.name, row.id, "unmask", reason=reason)
        return unsealed(row.contact, CONTACT), unsealed(row.telephone, TELEPHONE)


_ERASED = {"contact": None, "telephone": None, "telephone_key": None}


def erase(actor: Actor, no: str, reason: str | None) -> None:
    """Erase name and telephone because the caller asks for it (个人信息保护法 art. 47).

    Raises:
        Invalid: no reason was given.
    """
    if not reason:
        raise Invalid({"reason": ["请写明来电人怎样提出的，有记录。"]})
    with unit_of_work(actor) as work:
        row = find(actor, no)
        work.require(HANDLE, row)
        for name, value in _ERASED.items():
            setattr(row, name, value)
        row.updated_at = clock.now()
        work.record("intake.erase", INTAKE.name, row.id, no=row.no, after={"reason": reason})
        add_event(work, INTAKE.name, row.id, "erase", reason=reason)


def forget() -> bool:
    """Erase what is not needed any more: networks after two days, callers of closed cases later."""
    now = clock.now()
    networks = (Intake.created_at < now - rules.NETWORK_KEPT) & (Intake.network > "")
    callers = (
        Intake.state.in_(("dropped", "duplicate"))
        & (Intake.updated_at < now - rules.PEOPLE_KEPT)
        & Intake.telephone.is_not(None)
    )
    if db.session.scalar(select(Intake.id).where(or_(networks, callers)).limit(1)) is None:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(FORGET)
        db.session.execute(update(Intake).where(networks).values(network=""))
        gone = db.session.execute(update(Intake).where(callers).values(_ERASED))
        count = gone.rowcount  # type: ignore[attr-defined]
        work.record("intake.callers_forgotten", INTAKE.name, 0, after={"callers": count})
    return False


def move(source_id: int, target_id: int) -> None:
    """Give what callers asked for an organisation to the one that it becomes part of. Inside a unit of work."""
    db.session.execute(
        update(Intake)
        .where(Intake.organisation_id == source_id)
        .values(organisation_id=target_id)
        .execution_options(synchronize_session=False)
    )
