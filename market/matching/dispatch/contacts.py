"""Reading in full whom to ask and who was spoken to, and forgetting them in time."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select, update

from market.core import clock
from market.core.db import db
from market.core.errors import Invalid, NotFound
from market.core.permissions import SYSTEM, Actor
from market.core.secrets import unseal
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching.dispatch import firms, queries, rules
from market.matching.dispatch.messages import CONTACT as SEALED
from market.matching.dispatch.messages import LINE
from market.matching.dispatch.models import ContactLine, Dispatch
from market.matching.dispatch.workflow import CONTACT, FIRM_CONTACT, FORGET

_AT_ONCE = 500


@dataclass(frozen=True)
class Person:
    """Somebody in full; empty when he was forgotten in time, or the site's key was changed."""

    name: str
    telephone: str
    line: int | None = None

    @property
    def lost(self) -> bool:
        return not (self.name or self.telephone)


def _asked(reason: str | None) -> dict[str, str]:
    if not reason:
        raise Invalid({"reason": ["请写明为什么要看，会记入操作记录。"]})
    return {"reason": reason}


def of_dispatch(actor: Actor, no: str, reason: str | None, line: int | None = None) -> Person:
    """Whom to ask at the recipient, or who was spoken to in a line of the log; audited.

    Raises:
        NotFound: no such dispatch or line. Invalid: no reason was given.
    """
    with unit_of_work(actor) as work:
        dispatch = queries.of(no, actor)
        work.require(CONTACT, dispatch)
        told = _asked(reason)
        if line is not None:
            return _of_line(work, ContactLine.dispatch_id == dispatch.id, line, told, no)
        work.record("dispatch.contact_read", "dispatch", dispatch.id, no=no, after=told)
        return _read(dispatch.contact, SEALED)


def of_firm(actor: Actor, no: str, reason: str | None, line: int | None) -> Person:
    """Who was spoken to in a line of a firm's log; audited. Raises as `of_dispatch`."""
    with unit_of_work(actor) as work:
        firm = firms.find(actor, no)
        work.require(FIRM_CONTACT, firm)
        told = _asked(reason)
        return _of_line(work, ContactLine.organisation_id == firm.id, line or 0, told, no)


def _of_line(
    work: UnitOfWork, about: ColumnElement[bool], line: int, told: dict[str, str], no: str
) -> Person:
    row = db.session.scalar(select(ContactLine).where(ContactLine.id == line, about))
    if row is None:
        raise NotFound("没有这条联系记录。")
    work.record("contact_log.person_read", "contact_log", row.id, no=no, after=told)
    return _read(row.person, LINE, row.id)


def _read(token: str | None, purpose: str, line: int | None = None) -> Person:
    text = unseal(token, purpose) if token else None
    kept: dict[str, str] = json.loads(text) if text else {}
    return Person(kept.get("name", ""), kept.get("telephone", ""), line)


def forget() -> bool:
    """Erase people of dispatches that have rested for half a year, and of lines a year old.

    Returns:
        True when more wait.
    """
    now = clock.now()
    ended = Dispatch.state.in_(("declined", "no_answer", "closed", "withdrawn"))
    rested = and_(ended, Dispatch.updated_at < now - rules.CONTACT_KEPT)
    cases = select(Dispatch.id).where(rested, Dispatch.contact.is_not(None)).limit(_AT_ONCE)
    ids = list(db.session.scalars(cases))
    old = ContactLine.at < now - rules.LINE_KEPT
    lines = select(ContactLine.id).where(old, ContactLine.person.is_not(None)).limit(_AT_ONCE)
    line_ids = list(db.session.scalars(lines))
    if not ids and not line_ids:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(FORGET)
        nothing = {"contact": None, "contact_shown": None}
        db.session.execute(update(Dispatch).where(Dispatch.id.in_(ids)).values(**nothing))
        nobody = {"person": None, "person_shown": None}
        db.session.execute(update(ContactLine).where(ContactLine.id.in_(line_ids)).values(**nobody))
        count = len(ids) + len(line_ids)
        work.record("dispatch.contacts_forgotten", "dispatch", 0, after={"contacts": count})
    return len(ids) == _AT_ONCE or len(line_ids) == _AT_ONCE
