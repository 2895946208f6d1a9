"""From what a room asked to tell to rows: one per inbox, one per mail and SMS. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from flask import current_app

from market.core import clock
from market.core.messages import MessageKind, said_in
from market.core.secrets import pseudonym, seal, unseal
from market.notifications import receivers, rules
from market.notifications.models import CHANNELS, Delivery, InboxMessage
from market.notifications.receivers import Receiver

SEALED = "delivery.content"
CONTACT = "message.contact"  # the purpose for which rooms seal contacts (`core.messages.tell`)
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Asked:
    """An outbox row, in plain values."""

    id: int
    kind: str
    object_id: int
    payload: Mapping[str, Any]


@dataclass
class Plan:
    """Rows to be written; each delivery to a person comes only with its inbox message."""

    inbox: list[tuple[InboxMessage, list[Delivery]]] = field(default_factory=list)
    contacts: list[Delivery] = field(default_factory=list)

    @property
    def deliveries(self) -> list[Delivery]:
        """All deliveries."""
        return [*self.contacts, *(one for _, found in self.inbox for one in found)]


def plan(rows: Sequence[Asked]) -> Plan:
    """What these rows ask for; one whose kind nobody knows is logged and left out."""
    kinds = current_app.extensions["market"].messages
    made = Plan()
    named: list[tuple[Asked, MessageKind, list[int]]] = []
    for row in rows:
        if (kind := kinds.get(row.kind)) is None:
            log.error("unknown kind of message", kind=row.kind)
            continue
        named.append((row, kind, receivers.ids_of(row.payload)))
    ids = {key for _, _, found in named for key in found}
    people, chosen = receivers.load(ids), receivers.choices(ids)
    for row, kind, found in named:
        for key in found:
            if key in people:
                made.inbox.append(_to_person(row, kind, people[key], chosen))
        made.contacts += _to_contact(row, kind)
    return made


def channels(
    kind: MessageKind, who: Receiver, chosen: Mapping[tuple[int, str, str], bool]
) -> tuple[list[str], bool]:
    """By which channels a kind is sent to somebody at once, and whether the morning mail has it."""
    by = [
        channel
        for channel in CHANNELS
        if getattr(kind, channel)
        and getattr(who, channel)
        and (kind.must or chosen.get((who.id, kind.name, channel), True))
    ]
    daily = "mail" in by and not kind.must and chosen.get((who.id, "", "digest"), False)
    return [channel for channel in by if not (daily and channel == "mail")], daily


def _to_person(
    row: Asked, kind: MessageKind, who: Receiver, chosen: Mapping[tuple[int, str, str], bool]
) -> tuple[InboxMessage, list[Delivery]]:
    now = clock.now()
    language = str(row.payload.get("spoken") or who.language)
    content = _content(row, kind, language)
    about, event = str(row.payload["about"]), rules.event_key(str(row.payload["event"]))
    by, daily = channels(kind, who, chosen)
    message = InboxMessage(
        person_id=who.id,
        kind=kind.name,
        about=about,
        about_id=row.object_id,
        event=event,
        subject=content.subject,
        text=content.text,
        url=content.url,
        created_at=now,
        digest_day=rules.digest_day(now) if daily else None,
    )
    return message, [
        new_delivery(
            rules.key(channel, who.id, kind.name, about, row.object_id, event),
            channel,
            kind.name,
            content,
            language,
            now,
            person_id=who.id,
        )
        for channel in by
    ]


def _to_contact(row: Asked, kind: MessageKind) -> Iterator[Delivery]:
    """The delivery to somebody without an account, by the one way the contact names."""
    if not (sealed := row.payload.get("contact")):
        return
    contact = unseal(sealed, CONTACT)
    channel = rules.channel_of(contact) if contact else None
    if contact is None or channel is None:
        log.warning("contact cannot be reached", kind=kind.name, readable=contact is not None)
        return
    language = str(row.payload["language"])
    stands_for = pseudonym(contact, CONTACT)
    about, event = row.payload["about"], row.payload["event"]
    yield new_delivery(
        rules.key(channel, stands_for, kind.name, about, row.object_id, event),
        channel,
        kind.name,
        _content(row, kind, language),
        language,
        clock.now(),
        contact=sealed,
    )


def _content(row: Asked, kind: MessageKind, language: str) -> rules.Content:
    url, values = said_in(row.payload)
    subject, text = rules.render(kind.subject, kind.text, values, language)
    return rules.Content(subject, text, url[:300], str(row.payload.get("stop") or ""))


def new_delivery(
    key: str,
    channel: str,
    kind: str,
    content: rules.Content,
    language: str,
    now: datetime,
    *,
    person_id: int | None = None,
    contact: str | None = None,
) -> Delivery:
    """A delivery that waits to be sent."""
    return Delivery(
        key=key,
        channel=channel,
        kind=kind,
        person_id=person_id,
        contact=contact,
        language=language,
        content=seal(content.packed(), SEALED),
        state="waiting",
        tries=0,
        next_try_at=now,
        created_at=now,
    )
