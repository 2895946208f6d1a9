"""Messages in tests: carry them out once and read the files that were written."""

from __future__ import annotations

import email
from dataclasses import replace
from email import policy
from pathlib import Path

from market.core.db import db
from market.core.messages import said_in, tell
from market.core.permissions import SYSTEM
from market.core.permissions import policy as permissions
from market.core.ports import Room
from market.core.unit_of_work import unit_of_work
from market.notifications.notifying import notify
from market.notifications.sending import send

TELL = permissions.declare("tests:message:tell")


def declare(app, *kinds, alone=False):
    """Make kinds of messages known to the application; alone: in place of those of its rooms."""
    market = app.extensions["market"]
    rooms = [replace(room, messages=()) for room in market.rooms] if alone else market.rooms
    app.extensions["market"] = replace(market, rooms=[*rooms, Room("tests", messages=kinds)])


def ask(kind, **more):
    """Ask for a message in a unit of work of its own."""
    given = {"about": ("case", 1), "url": "/my/cases/1", "values": {}, **more}
    with unit_of_work(SYSTEM) as work:
        work.require(TELL)
        tell(kind, **given)


def values_of(row):
    """The values of a message that was asked for."""
    return said_in(row.payload)[1]


def files(app, channel):
    """The files of a channel, "mail" or "sms", by name."""
    folder = Path(app.extensions["market"].settings.instance) / "outbox" / channel
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*"))}


def mails(app):
    """The mails that were written, as messages."""
    return [
        email.message_from_string(text, policy=policy.default)
        for text in files(app, "mail").values()
    ]


def plain(message):
    """The text of a mail."""
    return message.get_body(("plain",)).get_content()


def sent(app):
    """Carry out what was asked to tell, once; returns the contents of all files: mails and SMS.

    A mail's content is its subject and its text, an SMS's the whole file.
    """
    with app.app_context():
        notify()
        send()
        db.session.rollback()
    written = [f"{one['Subject']}\n\n{plain(one)}" for one in mails(app)]
    return written + list(files(app, "sms").values())
