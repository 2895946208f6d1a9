"""Telling people: a room declares kinds of messages and asks for one; the sending comes later.

A message is an outbox row written with the change. The notifications room finds the receivers,
puts it into their inbox, and sends SMS and mail to those who want them, in each one's language.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from market.core import clock
from market.core.db import db
from market.core.models import OutboxRow
from market.core.secrets import seal, unseal

CONSUMER = "notify"
_SEALED = "message.said"
# While an act runs that can be undone: until when its messages wait, and the rows themselves.
_held: ContextVar[tuple[datetime, list[OutboxRow]] | None] = ContextVar("held", default=None)


@contextmanager
def held(until: datetime) -> Iterator[list[OutboxRow]]:
    """Let every message asked for meanwhile wait until a moment; gives the rows, for undoing."""
    rows: list[OutboxRow] = []
    token = _held.set((until, rows))
    try:
        yield rows
    finally:
        _held.reset(token)


@dataclass(frozen=True)
class MessageKind:
    """A kind of message.

    Args:
        name: `<room>.<event>`, e.g. "inquiry.received".
        label: what it is about, for the switches in the account, in Chinese (`N_`).
        subject: one line, and text: some lines; Chinese (`N_`), with `%(name)s` for values.
        sms, mail: whether it is sent that way unless the receiver switched it off.
        must: may not be switched off (a code, a decision with a term for objecting).
        link: without its address the message is of no use, so that an SMS carries it too.
        secret: its values or link let whoever has them in (a code, an invitation): until it is
            written to its receiver they lie sealed.
    """

    name: str
    label: str
    subject: str
    text: str
    sms: bool = False
    mail: bool = True
    must: bool = False
    link: bool = False
    secret: bool = False


def tell(
    kind: MessageKind,
    *,
    about: tuple[str, int],
    url: str,
    values: Mapping[str, Any],
    people: Sequence[int] = (),
    organisation_id: int | None = None,
    roles: Sequence[str] = (),
    region_path: str | None = None,
    contact: str | None = None,
    language: str = "zh",
    spoken: str = "",
    stop: str = "",
    event: str = "",
    not_before: datetime | None = None,
) -> None:
    """Ask for a message. Call inside a unit of work.

    Args:
        about: kind and id of the object it is about.
        url: where its link leads, on this site.
        values: for the names in subject and text; plain values.
        people: ids of receivers; and, or:
        organisation_id: its members who hold one of `roles` (any when empty) receive it.
        region_path: the officers of the nearest region at or above it that has any receive it.
        contact: somebody without an account: a telephone or an e-mail address, sealed for the
            purpose "message.contact" (`core.secrets.seal`), in `language`.
        spoken: the language of this message, where it is not the receiver's own.
        stop: an address of this site that stops just this (a page with a button, and one-click by
            POST, RFC 8058), instead of the one that stops the kind.
        event: tells this event from others of the kind about the same object, so that nobody
            receives it twice; by default the moment.
        not_before: waits until then; inside `held`, at least as long as the act can be undone.
    """
    holding = _held.get()
    if holding is not None:
        not_before = max(holding[0], not_before or holding[0])
    row = OutboxRow(
        consumer=CONSUMER,
        kind=kind.name,
        object_id=about[1],
        payload={
            "about": about[0],
            **_said(kind, url, {name: str(value) for name, value in values.items()}),
            "people": list(people),
            "organisation_id": organisation_id,
            "roles": list(roles),
            "region_path": region_path,
            "contact": contact,
            "language": language,
            "spoken": spoken,
            "stop": stop,
            "event": event or clock.now().isoformat(),
        },
        created_at=clock.now(),
        not_before=not_before,
    )
    db.session.add(row)
    if holding is not None:
        holding[1].append(row)


def _said(kind: MessageKind, url: str, values: dict[str, str]) -> dict[str, Any]:
    said = {"url": url, "values": values}
    return {"sealed": seal(json.dumps(said), _SEALED)} if kind.secret else said


def said_in(payload: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    """Link and values of a message that was asked for.

    Raises:
        ValueError: they were sealed under another secret key.
    """
    if "sealed" in payload:
        text = unseal(str(payload["sealed"]), _SEALED)
        if text is None:
            raise ValueError("a message is sealed under another key")
        payload = json.loads(text)
    return str(payload["url"]), payload["values"]
