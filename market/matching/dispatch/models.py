"""Dispatches of demands, what was said on the telephone about them, and who looks after which firm."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation, OwnedBy
from market.accounts.people.models import Person
from market.catalogue.models import Listing
from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.languages import N_
from market.regions.models import InRegion, Region
from market.service_points.models import Specialist

STATES = {
    "sent": N_("待对方答复"),
    "interested": N_("有意向"),
    "declined": N_("不对口"),
    "referred": N_("另荐他人"),
    "talking": N_("洽谈中"),
    "no_answer": N_("未答复"),
    "closed": N_("已办结"),
    "withdrawn": N_("已撤回"),
}
# While it is in one of these, the same demand does not go to the same recipient again.
OPEN = ("sent", "interested", "talking")
# What a recipient answers: state → words of the choice.
ANSWERS = {"interested": "有意向", "declined": "不对口", "referred": "另荐他人"}
OUTCOMES = {"matched": N_("已对接"), "failed": N_("未成")}
ESCALATION_STATES = {
    "open": N_("待市级办理"),
    "answered": N_("市级已办"),
    "withdrawn": N_("已撤回"),
}
LINE_KINDS = {"call": "电话", "message": "微信或短信", "visit": "走访", "note": "备注"}
OFFICER_STATES = {"current": N_("联系中"), "ended": N_("已结束")}
MOST_DAYS = 60  # working days that a recipient may be given
MOST_RECIPIENTS = 20  # of one sending
_OPEN_SQL = text("state IN ('sent', 'interested', 'talking')")


class Dispatch(OwnedBy, InRegion, Base):
    """An office recommends a demand to one recipient and waits for the answer.

    `parts` are the points by which the recipient was proposed, as they were on the day; empty when
    a clerk added it by hand. `contact` is whom to ask at the recipient, sealed; `contact_shown` the
    same, masked. `recorded_by` names the clerk who wrote down an answer given on the telephone.
    `next_call` is the day on which the office wants to ring (again); it drives the desk.
    """

    __tablename__ = "dispatch"
    OWNER = "recipient_id"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(STATES)}", name="state"),
        CheckConstraint(f"outcome IN {tuple(OUTCOMES)}", name="outcome"),
        CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="closed_with_outcome"),
        CheckConstraint("(recipient_id IS NULL) <> (specialist_id IS NULL)", name="one_recipient"),
        CheckConstraint("(score IS NULL) = (parts IS NULL)", name="parts"),
        CheckConstraint("(answered_at IS NULL) = (answered_on IS NULL)", name="answered"),
        CheckConstraint(
            "state NOT IN ('interested', 'declined', 'referred', 'talking') "
            "OR answered_at IS NOT NULL",
            name="state_with_answer",
        ),
        CheckConstraint(
            "state <> 'referred' OR referral_id IS NOT NULL OR referral IS NOT NULL",
            name="referral",
        ),
        CheckConstraint(f"days BETWEEN 1 AND {MOST_DAYS}", name="days"),
        Index(
            "uq_dispatch_open",
            "listing_id",
            "recipient_id",
            unique=True,
            sqlite_where=_OPEN_SQL,
            postgresql_where=_OPEN_SQL,
        ),
        Index(
            "uq_dispatch_open_specialist",
            "listing_id",
            "specialist_id",
            unique=True,
            sqlite_where=_OPEN_SQL,
            postgresql_where=_OPEN_SQL,
        ),
        Index("ix_dispatch_listing", "listing_id", "id"),
        Index("ix_dispatch_recipient", "recipient_id", "state"),
        Index("ix_dispatch_specialist", "specialist_id", "state"),
        Index("ix_dispatch_person", "recipient_person_id", "state"),
        Index("ix_dispatch_referral", "referral_id"),
        Index("ix_dispatch_region", "region_id", "state", "id"),
        Index("ix_dispatch_due", "state", "reminded_at", "due"),
        Index("ix_dispatch_contact", "updated_at"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    # The demand's title on the day of sending.
    title: Mapped[str] = mapped_column(String(300))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    recipient_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    specialist_id: Mapped[int | None] = mapped_column(ForeignKey("specialist.id"))
    # The person who answers for himself, where the recipient is one with an account.
    recipient_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    recipient_label: Mapped[str] = mapped_column(String(200))
    sent_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    sent_by: Mapped[str] = mapped_column(String(200))
    words: Mapped[str | None] = mapped_column(Text)
    score: Mapped[int | None]
    parts: Mapped[list[dict[str, Any]] | None] = mapped_column(Document)
    days: Mapped[int]
    due: Mapped[date]
    provisional: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(12), default="sent")
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # From sending until the first answer, by the clock.
    answer_minutes: Mapped[int | None]
    # The day on which the recipient said it; a clerk may write it down later.
    answered_on: Mapped[date | None]
    answered_by: Mapped[str | None] = mapped_column(String(200))
    recorded_by: Mapped[str | None] = mapped_column(String(200))
    contact: Mapped[str | None] = mapped_column(Text)
    contact_shown: Mapped[str | None] = mapped_column(String(100))
    referral_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    referral: Mapped[str | None] = mapped_column(String(200))
    next_call: Mapped[date | None]
    last_word: Mapped[str | None] = mapped_column(String(200))
    last_word_on: Mapped[date | None]
    outcome: Mapped[str | None] = mapped_column(String(10))
    outcome_text: Mapped[str | None] = mapped_column(Text)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    listing: Mapped[Listing] = relationship()
    owner: Mapped[Organisation | None] = relationship(foreign_keys=[recipient_id])
    specialist: Mapped[Specialist | None] = relationship()
    referred_to: Mapped[Organisation | None] = relationship(foreign_keys=[referral_id])
    region: Mapped[Region] = relationship()

    @property
    def recipient_no(self) -> str:
        """The number of the organisation or specialist that it went to."""
        if self.owner is not None:
            return self.owner.no
        return self.specialist.no if self.specialist is not None else ""

    @property
    def late(self) -> bool:
        """Whether the answer came after the day it was asked for."""
        return self.answered_on is not None and self.answered_on > self.due


class Escalation(InRegion, Base):
    """A county passes a demand up (上报市级): it lies with the office of `region_id`, above the county."""

    __tablename__ = "dispatch_escalation"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(ESCALATION_STATES)}", name="state"),
        CheckConstraint("(state = 'answered') = (answer IS NOT NULL)", name="answer"),
        Index(
            "uq_dispatch_escalation_open",
            "listing_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_dispatch_escalation_listing", "listing_id", "id"),
        Index("ix_dispatch_escalation_region", "region_id", "state"),
        Index("ix_dispatch_escalation_from", "from_region_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    title: Mapped[str] = mapped_column(String(300))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    from_region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    asked_by: Mapped[str] = mapped_column(String(200))
    words: Mapped[str] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12), default="open")
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    listing: Mapped[Listing] = relationship()
    region: Mapped[Region] = relationship(foreign_keys=[region_id])
    from_region: Mapped[Region] = relationship(foreign_keys=[from_region_id])


class ContactOfficer(OwnedBy, InRegion, Base):
    """联系企业制度: the officer who looks after a firm of his area, and when he wants to ring."""

    __tablename__ = "contact_officer"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(OFFICER_STATES)}", name="state"),
        CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name="ended"),
        Index(
            "uq_contact_officer_current",
            "organisation_id",
            unique=True,
            sqlite_where=text("state = 'current'"),
            postgresql_where=text("state = 'current'"),
        ),
        Index("ix_contact_officer_region", "region_id", "state"),
        Index("ix_contact_officer_person", "person_id", "state"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    state: Mapped[str] = mapped_column(String(10), default="current")
    next_call: Mapped[date | None]
    assigned_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    owner: Mapped[Organisation] = relationship()
    region: Mapped[Region] = relationship()
    person: Mapped[Person] = relationship()


class ContactLine(InRegion, Base):
    """A call, a message, a visit or a note, about a dispatch or a firm; never changed.

    `person` is who was spoken to, sealed: name and telephone; `person_shown` the same, masked.
    """

    __tablename__ = "contact_log"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(LINE_KINDS)}", name="kind"),
        CheckConstraint("dispatch_id IS NOT NULL OR organisation_id IS NOT NULL", name="about"),
        Index("ix_contact_log_dispatch", "dispatch_id", "id"),
        Index("ix_contact_log_organisation", "organisation_id", "id"),
        Index("ix_contact_log_region", "region_id", "id"),
        Index("ix_contact_log_at", "at"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    dispatch_id: Mapped[int | None] = mapped_column(ForeignKey("dispatch.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    kind: Mapped[str] = mapped_column(String(10))
    day: Mapped[date]
    person: Mapped[str | None] = mapped_column(Text)
    person_shown: Mapped[str | None] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text)
    next_call: Mapped[date | None]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    region: Mapped[Region] = relationship()

    @property
    def kind_label(self) -> str:
        return LINE_KINDS[self.kind]


class DispatchSetting(InRegion, Base):
    """How many working days an office usually gives recipients: its own target, no rule of law."""

    __tablename__ = "dispatch_setting"
    __table_args__ = (CheckConstraint(f"days BETWEEN 1 AND {MOST_DAYS}", name="days"),)
    region_id: Mapped[int] = mapped_column(
        ForeignKey("region.id"), primary_key=True, autoincrement=False
    )
    days: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_by: Mapped[str] = mapped_column(String(200))

    region: Mapped[Region] = relationship()
