"""Inquiries on listings, what was said in them, and how fast owners answer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation, OwnedBy
from market.accounts.people.models import Person
from market.catalogue.models import Listing
from market.core.db import Base, RowId, UtcDateTime
from market.core.languages import N_
from market.regions.models import InRegion, Region

STATES = {
    "new": N_("待答复"),
    "answered": N_("已答复"),
    "closed": N_("已办结"),
    "withdrawn": N_("已撤回"),
    "spam": N_("已移除"),
}
OPEN = ("new", "answered")
OUTCOMES = {"solved": N_("已解决"), "unsolved": N_("未解决"), "elsewhere": N_("站外解决")}
SIDES = ("asker", "owner", "office")
MOST_TEMPLATES = 20  # reply templates that an organisation may keep


class Inquiry(OwnedBy, InRegion, Base):
    """Somebody asks the owner of a listing.

    Who asks is an organisation by one of its people, a person, or a visitor. What identifies a
    visitor (name, telephone or e-mail) is sealed in `contact` and forgotten when it is not needed
    any more; `contact_key` stands for the telephone or address. `waiting_since` is the asker's
    first word that nobody has answered. `open_until`: how long a visitor's address opens the page.
    Who of the owner looks after it is in its work item alone.
    """

    __tablename__ = "inquiry"
    OWNER = "owner_id"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(STATES)}", name="state"),
        CheckConstraint(f"outcome IN {tuple(OUTCOMES)}", name="outcome"),
        CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="closed_with_outcome"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
        CheckConstraint("outcome_amount_fen >= 0", name="outcome_amount"),
        CheckConstraint(
            "outcome_amount_fen IS NULL OR outcome IN ('solved', 'elsewhere')", name="amount_of"
        ),
        CheckConstraint("state <> 'answered' OR first_answer_at IS NOT NULL", name="answered"),
        CheckConstraint(
            "(first_answer_at IS NULL) = (answer_minutes IS NULL)", name="answer_minutes"
        ),
        CheckConstraint(
            "asker_id IS NOT NULL OR asker_person_id IS NOT NULL OR contact_key IS NOT NULL",
            name="asker",
        ),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
        Index("ix_inquiry_owner", "owner_id", "state", "updated_at"),
        Index("ix_inquiry_asker", "asker_id", "state", "updated_at"),
        Index("ix_inquiry_person", "asker_person_id", "state", "updated_at"),
        Index("ix_inquiry_region", "region_id", "state", "updated_at"),
        Index("ix_inquiry_contact", "contact_key", "created_at"),
        Index("ix_inquiry_answer", "owner_id", "first_answer_at"),
        Index("ix_inquiry_listing", "listing_id"),
        Index("ix_inquiry_updated", "updated_at"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    # The listing's title on the day of asking: the case keeps its name when the listing changes.
    title: Mapped[str] = mapped_column(String(300))
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    asker_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    asker_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    # Shown to the other side: a visitor's name is masked in it.
    asker_label: Mapped[str] = mapped_column(String(200))
    contact: Mapped[str | None] = mapped_column(Text)
    contact_shown: Mapped[str | None] = mapped_column(String(100))
    contact_key: Mapped[str | None] = mapped_column(String(32))
    reach: Mapped[str | None] = mapped_column(String(100))
    language: Mapped[str] = mapped_column(String(2), default="zh")
    state: Mapped[str] = mapped_column(String(10), default="new")
    outcome: Mapped[str | None] = mapped_column(String(10))
    outcome_with: Mapped[str | None] = mapped_column(String(200))
    outcome_with_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    outcome_amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    first_answer_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answer_minutes: Mapped[int | None]
    waiting_since: Mapped[datetime] = mapped_column(UtcDateTime)
    open_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    listing: Mapped[Listing] = relationship()
    owner: Mapped[Organisation] = relationship(foreign_keys=[owner_id])
    asker: Mapped[Organisation | None] = relationship(foreign_keys=[asker_id])
    asker_person: Mapped[Person | None] = relationship(foreign_keys=[asker_person_id])
    region: Mapped[Region] = relationship()

    @classmethod
    def asked_by(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: what this organisation asked."""
        return cls.asker_id == organisation_id


class InquiryMessage(Base):
    """What one side wrote; never changed."""

    __tablename__ = "inquiry_message"
    __table_args__ = (
        CheckConstraint(f"side IN {SIDES}", name="side"),
        Index("ix_inquiry_message_inquiry", "inquiry_id", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    inquiry_id: Mapped[int] = mapped_column(ForeignKey("inquiry.id"))
    side: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    author: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReplyTemplate(OwnedBy, Base):
    """An answer that an organisation gives often."""

    __tablename__ = "reply_template"
    __table_args__ = (Index("ix_reply_template_organisation", "organisation_id", "id"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    title: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_by: Mapped[str] = mapped_column(String(200))

    owner: Mapped[Organisation] = relationship()


class OwnerReply(Base):
    """How fast an organisation answered within the last year: a copy for pages, made of `inquiry`."""

    __tablename__ = "owner_reply"
    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, autoincrement=False
    )
    count: Mapped[int]
    median_minutes: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
