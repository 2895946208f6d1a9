"""Codes sent to a telephone or an e-mail address: six digits, ten minutes, five tries.

A code for a contact that must not learn whether it has an account is issued all the same and never
sent: pages behave alike. A step that waits for its code is a row too; the browser's signed form
cookie names the row.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update

from market.accounts.people.messages import CODE, KNOWN
from market.accounts.people.models import OneTimeCode
from market.accounts.people.rules import Contact
from market.core import clock
from market.core.db import db
from market.core.errors import TooMany
from market.core.languages import is_english
from market.core.languages import translate as _
from market.core.limits import Limit, alone, count, used
from market.core.messages import MessageKind, tell
from market.core.permissions import SYSTEM, policy
from market.core.secrets import pseudonym, seal, unseal
from market.core.unit_of_work import UnitOfWork, unit_of_work

LIFE = timedelta(minutes=10)
MOST_TRIES = 5
KEPT = timedelta(days=1)  # after it expired, so that another can be sent in its place
CLEAN = policy.declare("accounts:code:clean")
_CONTACT = "code.contact"
_OF_CONTACT = (
    Limit("code_minute", 1, timedelta(minutes=1)),
    Limit("code_hour", 5, timedelta(hours=1)),
)
_OF_NETWORK = Limit("code_network", 20, timedelta(hours=1))


def refuse_too_many(contact: Contact, network: str) -> None:
    """Refuse when this contact or this network asked for too many codes.

    Raises:
        TooMany: with a sentence that says when it works again.
    """
    minute, hour = _OF_CONTACT
    if used(hour, contact.key) >= hour.most:
        raise _too_many(hour, _("这个号码或邮箱一小时内已发过 5 次验证码，请一小时后再试。"))
    if used(minute, contact.key) >= minute.most:
        raise _too_many(minute, _("验证码一分钟只能发一次，请一分钟后再试。"))
    if network and used(_OF_NETWORK, network) >= _OF_NETWORK.most:
        raise _too_many(_OF_NETWORK, _("这个网络一小时内发的验证码太多，请一小时后再试。"))


def _too_many(limit: Limit, sentence: str) -> TooMany:
    refused = TooMany(sentence)
    refused.retry_after = int(limit.span.total_seconds())
    return refused


def issue(
    _work: UnitOfWork,
    purpose: str,
    contact: Contact,
    *,
    network: str = "",
    subject: Mapping[str, Any] | None = None,
    send: MessageKind | None = CODE,
) -> int:
    """Send a code; returns the id of its row. Inside a unit of work.

    Args:
        purpose: what it opens, e.g. "register"; a code is good for its own purpose only.
        network: the address of who asks; empty when nobody asks over the network.
        subject: what is to be done when the code is right; plain values, personal ones sealed.
        send: another message in place of the code (then nobody learns it), or None for none.

    Raises:
        TooMany: too often.
    """
    alone(_OF_CONTACT[0], contact.key)
    if network:
        alone(_OF_NETWORK, network)
    refuse_too_many(contact, network)
    for limit in _OF_CONTACT:
        count(limit, contact.key)
    if network:
        count(_OF_NETWORK, network)
    code = f"{secrets.randbelow(10**6):06d}"
    sealed = seal(f"{contact.kind}:{contact.value}", _CONTACT)
    kept = {**(subject or {}), "contact": sealed, "send": send.name if send else ""}
    row = _add(purpose, contact.key, code if send is CODE else secrets.token_urlsafe(), kept)
    if send is not None:
        tell(
            send,
            about=("code", row.id),
            url="/login",
            values={"code": code} if send is CODE else {},
            contact=seal(contact.value, "message.contact"),
            language="en" if is_english() else "zh",
        )
    return row.id


def again(work: UnitOfWork, row_id: int | None, purpose: str, network: str) -> int | None:
    """Send another code in place of one that did not arrive; None when there was none. In a unit of work.

    Raises:
        TooMany: too often.
    """
    row = db.session.get(OneTimeCode, row_id) if isinstance(row_id, int) else None
    if row is None or row.purpose != purpose or row.used_at is not None or not row.subject:
        return None
    contact = contact_of(row)
    if contact is None:
        return None
    row.used_at = clock.now()
    send = {kind.name: kind for kind in (CODE, KNOWN)}.get(row.subject["send"])
    return issue(work, purpose, contact, network=network, subject=row.subject, send=send)


def contact_of(row: OneTimeCode) -> Contact | None:
    """Where the row's code was sent to."""
    text = unseal((row.subject or {}).get("contact", ""), _CONTACT)
    kind, _colon, value = (text or "").partition(":")
    return Contact(kind, value) if value else None


def wait_for(_work: UnitOfWork, purpose: str, who: str, subject: Mapping[str, Any]) -> int:
    """A step that waits ten minutes for something else than a code of ours. In a unit of work."""
    return _add(purpose, pseudonym(who, purpose), secrets.token_urlsafe(), subject).id


def _add(purpose: str, who: str, code: str, subject: Mapping[str, Any] | None) -> OneTimeCode:
    now = clock.now()
    row = OneTimeCode(
        purpose=purpose,
        who=who,
        code_hash=_hash(purpose, who, code),
        subject=dict(subject) if subject is not None else None,
        created_at=now,
        expires_at=now + LIFE,
    )
    db.session.add(row)
    db.session.flush()
    return row


def _hash(purpose: str, who: str, code: str) -> str:
    # Keyed: six digits are found from a plain hash in no time.
    return pseudonym(f"{purpose}:{who}:{code}", "code")


def waiting(row_id: int | None, purpose: str) -> OneTimeCode | None:
    """The row of a step that still waits for its code."""
    row = db.session.get(OneTimeCode, row_id) if isinstance(row_id, int) else None
    if row is None or row.purpose != purpose or row.used_at is not None:
        return None
    return row if row.expires_at > clock.now() and row.tries < MOST_TRIES else None


def take_try(_work: UnitOfWork, row_id: int | None, purpose: str) -> OneTimeCode | None:
    """Count one try; None when none is left. In a unit of work that is kept, right or wrong."""
    row = waiting(row_id, purpose)
    if row is None:
        return None
    left = (OneTimeCode.id == row.id) & (OneTimeCode.tries < MOST_TRIES)
    left &= OneTimeCode.used_at.is_(None)
    tried = db.session.execute(update(OneTimeCode).where(left).values(tries=OneTimeCode.tries + 1))
    return row if tried.rowcount else None  # type: ignore[attr-defined]


def fits(row: OneTimeCode, typed: str) -> bool:
    """Whether this is the row's code."""
    return secrets.compare_digest(row.code_hash, _hash(row.purpose, row.who, typed))


def use_up(_work: UnitOfWork, row: OneTimeCode) -> bool:
    """Mark the code used; False when somebody else did at the same moment. In a unit of work."""
    unused = (OneTimeCode.id == row.id) & OneTimeCode.used_at.is_(None)
    taken = db.session.execute(update(OneTimeCode).where(unused).values(used_at=clock.now()))
    return bool(taken.rowcount)  # type: ignore[attr-defined]


def redeem(
    work: UnitOfWork, row_id: int | None, purpose: str, typed: str
) -> tuple[OneTimeCode | None, str]:
    """Try a code, once. In a unit of work that is kept, right or wrong.

    Returns:
        the row, now used, and no sentence; or None and why not.
    """
    row = take_try(work, row_id, purpose)
    if row is None:
        return None, _("验证码已失效，请重新获取一个。")
    if fits(row, typed) and use_up(work, row):
        return row, ""
    db.session.refresh(row)
    if row.tries >= MOST_TRIES:
        return None, _("验证码不对，已试了 5 次，这个验证码作废了，请重新获取一个。")
    left = MOST_TRIES - row.tries
    return None, _("验证码不对，还可以试 %(left)s 次。", left=left)


def void(_work: UnitOfWork, *conditions: ColumnElement[bool]) -> None:
    """Make open codes useless, e.g. those that were sent for a password that was changed since."""
    open_ones = update(OneTimeCode).where(OneTimeCode.used_at.is_(None), *conditions)
    db.session.execute(open_ones.values(used_at=clock.now()))


def forget_old() -> bool:
    """Delete codes a day after they expired."""
    old = OneTimeCode.expires_at < clock.now() - KEPT
    if db.session.scalar(select(OneTimeCode.id).where(old).limit(1)) is None:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(CLEAN)
        db.session.execute(delete(OneTimeCode).where(old))
    return False
