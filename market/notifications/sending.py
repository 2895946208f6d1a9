"""The task that sends deliveries: outside of any transaction, at least once, in a thread of its own.

A server that does not answer would otherwise hold up the whole worker, the search index included.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

import structlog
from flask import Flask, current_app
from sqlalchemy import select

from market.accounts.people.models import Person
from market.core import channel_settings, clock, leases
from market.core.db import db
from market.core.instance import under_maintenance
from market.core.permissions import SYSTEM, policy
from market.core.secrets import unseal
from market.core.settings import Settings
from market.core.unit_of_work import unit_of_work
from market.notifications import channels, letters, rules
from market.notifications.channels import NotSent, Sms
from market.notifications.letters import Letter
from market.notifications.models import Delivery
from market.notifications.notifying import LEASE, alone, holder
from market.notifications.planning import CONTACT, SEALED

ROWS = 20  # deliveries a batch
SEND = policy.declare("notifications:delivery:send")
log = structlog.get_logger(__name__)
Note = Callable[[int, NotSent | None], None]


class Sender:
    """Sends what is due in a thread; one per worker."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def run(self) -> bool:
        """Start sending when something is due and nothing is being sent; returns at once."""
        if (self._thread is not None and self._thread.is_alive()) or not _something_due():
            return False
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=_send_all, args=(app,), name="send", daemon=True)
        self._thread.start()
        return False


def _send_all(app: Flask) -> None:
    instance = app.extensions["market"].settings.instance
    with app.app_context():
        try:
            while not under_maintenance(instance) and send():
                pass
        except Exception:
            log.exception("sending failed")


def _due(channel: str | None = None) -> Sequence[Delivery]:
    query = select(Delivery).where(Delivery.next_try_at <= clock.now())
    if channel is not None:
        query = query.where(Delivery.channel == channel)
    return db.session.scalars(query.order_by(Delivery.next_try_at, Delivery.id).limit(ROWS)).all()


def _something_due() -> bool:
    query = select(Delivery.id).where(Delivery.next_try_at <= clock.now()).limit(1)
    return db.session.scalar(query) is not None


def send() -> bool:
    """Send a batch of each channel; True when more may be due."""
    if not _something_due():
        return False
    with alone("send") as held:
        if not held:
            return False
        full = [_send_some("sms", _send_sms), _send_some("mail", _send_mail)]
    return any(full)


def _send_some(channel: str, send_them: Callable[[Settings, Iterable[Letter], Note], None]) -> bool:
    ready = [_letter(row) for row in _due(channel)]
    db.session.rollback()  # no transaction is held while servers answer
    waiting = {}
    for key, found in ready:
        if isinstance(found, NotSent):
            _note(key, found)
        else:
            waiting[key] = found

    def note(key: int, trouble: NotSent | None) -> None:
        _note(key, trouble)
        waiting.pop(key)

    if waiting:
        try:
            send_them(current_app.extensions["market"].settings, list(waiting.values()), note)
        except NotSent as trouble:  # the server's: none of the rest need be tried now
            for key in list(waiting):
                note(key, trouble)
            return False
    return len(ready) == ROWS


def _letter(row: Delivery) -> tuple[int, Letter | NotSent]:
    """What is to be sent, unsealed; the delivery itself is the record that it was used."""
    packed = unseal(row.content or "", SEALED)
    to = _address(row)
    if packed is None:
        return row.id, NotSent("内容不能解密（密钥换过）", for_good=True)
    if to is None:
        return row.id, NotSent("收信人已没有这种联系方式", for_good=True)
    content = rules.Content.unpacked(packed)
    return row.id, Letter(
        row.id, to, row.kind, row.person_id, row.language, content, row.created_at
    )


def _address(row: Delivery) -> str | None:
    """The telephone or mail address; None when there is none any more."""
    if row.contact is not None:
        return unseal(row.contact, CONTACT)
    person = db.session.get(Person, row.person_id)
    if person is None or person.state != "active":
        return None
    sealed = person.mobile if row.channel == "sms" else person.email
    purpose = "person.mobile" if row.channel == "sms" else "person.email"
    return unseal(sealed, purpose) if sealed else None


def _send_mail(settings: Settings, waiting: Iterable[Letter], note: Note) -> None:
    server = channel_settings.mail_server(settings.mail_url)
    with channels.mail_by(server, settings.instance) as send_one:
        for letter in waiting:
            try:
                made = letters.mail(letter)
            except Exception:  # an address that the mail parser of the library refuses
                log.error("mail cannot be made", delivery=letter.id, kind=letter.kind)
                note(letter.id, NotSent("邮箱地址或内容不能组成邮件", for_good=True))
                continue
            _try(lambda made=made: send_one(made), letter, note)  # type: ignore[misc]


def _send_sms(settings: Settings, waiting: Iterable[Letter], note: Note) -> None:
    gateway = channel_settings.sms_gateway(settings.sms_url)
    with channels.sms_by(gateway, settings.instance) as send_one:
        for letter in waiting:
            site = letters.site_title(settings, letter.language)
            link = letters.link_in_sms(settings, letter)
            text = rules.sms_text(site, letter.content.text, letter.language, link)
            sms = Sms(str(letter.id), letter.to, text, letter.created_at)
            _try(lambda sms=sms: send_one(sms), letter, note)  # type: ignore[misc]


def _try(send_it: Callable[[], None], letter: Letter, note: Note) -> None:
    """Send one and note what came of it; the server's own trouble ends the batch."""
    leases.hold("send", holder(), LEASE)  # one takes up to half of it, a batch may take longer
    try:
        send_it()
    except NotSent as trouble:
        if trouble.server:
            raise
        note(letter.id, trouble)
    else:
        note(letter.id, None)


def _note(key: int, trouble: NotSent | None) -> None:
    """Write what came of a try: sent, again later, or given up."""
    now = clock.now()
    with unit_of_work(SYSTEM) as work:
        work.require(SEND)
        row = db.session.get_one(Delivery, key)
        row.tries += 1
        pause = None if trouble is None or trouble.for_good else rules.pause_after(row.tries)
        row.error = trouble.sentence if trouble else None
        if trouble is not None and pause is not None:
            row.state, row.next_try_at = "failed", now + pause
        else:
            row.state = "sent" if trouble is None else "given_up"
            row.next_try_at, row.ended_at, row.content, row.contact = None, now, None, None
        state, tries = row.state, row.tries
    if trouble is not None:
        log.warning(
            "message not sent",
            delivery=key,
            state=state,
            tries=tries,
            trouble=trouble.sentence,
        )
