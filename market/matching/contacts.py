"""Reading who asked and how to reach him in full, and forgetting it in time."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import select, update

from market.core import clock
from market.core.db import db
from market.core.errors import Invalid, NotFound
from market.core.permissions import SYSTEM, Actor, policy
from market.core.secrets import unseal
from market.core.unit_of_work import unit_of_work
from market.matching import rules
from market.matching.messages import CONTACT as SEALED
from market.matching.models import Inquiry
from market.matching.workflow import CONTACT, FORGET, READ

_AT_ONCE = 500


@dataclass(frozen=True)
class Contact:
    """Who asked, in full. `lost`: it was forgotten in time, or the site's key was changed."""

    name: str
    telephone: str
    email: str

    @property
    def lost(self) -> bool:
        return not (self.telephone or self.email)


def read(actor: Actor, no: str, reason: str | None) -> Contact:
    """Name and telephone or e-mail of who asked; each reading is audited.

    Raises:
        NotFound: no such inquiry. Invalid: no reason was given.
    """
    with unit_of_work(actor) as work:
        query = select(Inquiry).where(Inquiry.no == no, policy.where(actor, READ, Inquiry))
        inquiry = db.session.scalar(query)
        if inquiry is None:
            raise NotFound(f"没有编号为 {no} 的咨询。")
        work.require(CONTACT, inquiry)
        if not reason:
            raise Invalid({"reason": ["请写明为什么要看，会记入操作记录。"]})
        after = {"reason": reason}
        work.record("inquiry.contact_read", "inquiry", inquiry.id, no=no, after=after)
        return _of(inquiry)


def _of(inquiry: Inquiry) -> Contact:
    person = inquiry.asker_person
    if person is not None:
        telephone = unseal(person.mobile, "person.mobile") if person.mobile else None
        email = unseal(person.email, "person.email") if person.email else None
        return Contact(person.name, telephone or "", email or "")
    text = unseal(inquiry.contact, SEALED) if inquiry.contact else None
    kept: dict[str, str] = json.loads(text) if text else {}
    asker = inquiry.asker
    name = kept.get("name") or (asker.contact if asker else None) or inquiry.asker_label
    telephone = kept.get("mobile") or (asker.telephone if asker else None) or ""
    return Contact(name, telephone, kept.get("email", ""))


def forget() -> bool:
    """Erase what visitors left in cases that have rested for half a year; True when more wait."""
    old = Inquiry.contact.is_not(None), Inquiry.updated_at < clock.now() - rules.CONTACT_KEPT
    ids = list(db.session.scalars(select(Inquiry.id).where(*old).limit(_AT_ONCE)))
    if not ids:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(FORGET)
        nothing = {"contact": None, "contact_shown": None}
        db.session.execute(update(Inquiry).where(Inquiry.id.in_(ids)).values(**nothing))
        work.record("inquiry.contacts_forgotten", "inquiry", 0, after={"contacts": len(ids)})
    return len(ids) == _AT_ONCE
