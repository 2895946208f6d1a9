"""Messages in inboxes, what is sent of them by mail and SMS, and who wants what."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from market.core.db import Base, RowId, UtcDateTime

CHANNELS = ("sms", "mail")
DELIVERY_STATES = ("waiting", "failed", "sent", "given_up")


class InboxMessage(Base):
    """A message to one person; one for an event, however often it is asked for.

    `digest_day` is the day whose morning mail carries it; empty when none has to.
    """

    __tablename__ = "inbox_message"
    __table_args__ = (
        UniqueConstraint("person_id", "kind", "about", "about_id", "event"),
        Index("ix_inbox_message_unread", "person_id", "read_at"),
        Index("ix_inbox_message_created", "created_at"),
        Index("ix_inbox_message_digest", "digest_day", "person_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(40))
    about: Mapped[str] = mapped_column(String(40))
    about_id: Mapped[int] = mapped_column(BigInteger)
    event: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    digest_day: Mapped[date | None]


class Delivery(Base):
    """One mail or SMS: to a person, or to a contact (sealed) of somebody without an account.

    `key` tells what it is for, so that it is made once. `content` is sealed (`rules.Content`), since
    it may hold a code or an address that opens something; it is dropped with the contact once there
    is nothing more to send.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint(f"channel IN {CHANNELS}", name="channel"),
        CheckConstraint(f"state IN {DELIVERY_STATES}", name="state"),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
        CheckConstraint(
            "(state IN ('waiting', 'failed')) = (next_try_at IS NOT NULL)", name="next_try"
        ),
        CheckConstraint("(next_try_at IS NULL) = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint("next_try_at IS NULL OR content IS NOT NULL", name="content"),
        Index("ix_delivery_next_try", "next_try_at"),
        Index("ix_delivery_ended", "ended_at", "state"),
        Index("ix_delivery_person", "person_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    channel: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(40))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    contact: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(2))
    content: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class MessageChoice(Base):
    """What a person chose differently from the usual: a kind by a channel, or mail once a day."""

    __tablename__ = "message_choice"
    __table_args__ = (
        CheckConstraint("channel IN ('sms', 'mail', 'digest')", name="channel"),
        CheckConstraint("(channel = 'digest') = (kind = '')", name="digest"),
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    channel: Mapped[str] = mapped_column(String(10), primary_key=True)
    wanted: Mapped[bool]
