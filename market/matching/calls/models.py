"""Calls, the answers to them, and every version of an answer that was sent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation, OwnedBy
from market.catalogue.models import Listing
from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.languages import N_
from market.matching.workflow import has_answerers
from market.regions.models import InRegion, Region

STATES = {
    "draft": N_("草稿"),
    "open": N_("揭榜中"),
    "closed": N_("已截止"),
    "proposed": N_("拟选定"),
    "chosen": N_("已选定"),
    "none": N_("流榜"),
    "done": N_("已办结"),
    "withdrawn": N_("已撤回"),
}
LIVE = ("draft", "open", "closed", "proposed", "chosen")
SHOWN = ("open", "closed", "proposed", "chosen", "none", "done")  # what readers of the demand see
RESULT = ("chosen", "none", "done")  # it has come out
ANSWER_STATES = {
    "draft": N_("草稿"),
    "sent": N_("已应答"),
    "withdrawn": N_("已撤回"),
    "proposed": N_("拟选中"),
    "chosen": N_("已选中"),
    "lost": N_("未选中"),
}


class Call(OwnedBy, InRegion, Base):
    """A published demand put out for answers until the end of a day.

    What it asks for (budget, ownership, what solvers must be) stands in the demand; `conditions`
    adds only what is not there. `shows_result`: whether readers see who was chosen; `wants_notice`:
    whether the choice waits for a public notice (公示), which shows it too.
    """

    __tablename__ = "call"
    OWNER = "owner_id"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(STATES)}", name="state"),
        CheckConstraint("state IN ('draft', 'withdrawn') OR opened_at IS NOT NULL", name="opened"),
        CheckConstraint(
            "state NOT IN ('chosen', 'none') OR decided_at IS NOT NULL", name="decided"
        ),
        Index("ix_call_owner", "owner_id", "state", "updated_at"),
        Index("ix_call_region", "region_id", "state", "updated_at"),
        Index("ix_call_listing", "listing_id", "id"),
        Index("ix_call_deadline", "state", "deadline"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    # As it was on the day of beginning: the case keeps its name when the demand changes.
    title: Mapped[str] = mapped_column(String(300))
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    state: Mapped[str] = mapped_column(String(10), default="draft")
    # The last day for answers, until its end on the clock of China.
    deadline: Mapped[date]
    conditions: Mapped[str | None] = mapped_column(Text)
    shows_result: Mapped[bool] = mapped_column(default=False)
    wants_notice: Mapped[bool] = mapped_column(default=False)
    # Why these were chosen, or none; readers see it where the result is shown.
    decision: Mapped[str | None] = mapped_column(Text)
    # The last public notice (公示) of the result, where there is one.
    notice_no: Mapped[str | None] = mapped_column(String(20))
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    listing: Mapped[Listing] = relationship()
    owner: Mapped[Organisation] = relationship()
    region: Mapped[Region] = relationship()


class CallAnswer(OwnedBy, Base):
    """What an organisation answers to a call.

    `typed` is the draft as it was typed; what was sent stands in the versions. `version` is the
    number of the last one that was sent, 0 before.
    """

    __tablename__ = "call_answer"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(ANSWER_STATES)}", name="state"),
        CheckConstraint("state IN ('draft', 'withdrawn') OR version > 0", name="sent"),
        Index("ix_call_answer_call", "call_id", "state", "id"),
        Index("ix_call_answer_organisation", "organisation_id", "state", "updated_at"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    # Drawn at random: a running number would tell how many answered.
    no: Mapped[str] = mapped_column(String(20), unique=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    state: Mapped[str] = mapped_column(String(10), default="draft")
    typed: Mapped[dict[str, Any]] = mapped_column(Document)
    version: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    call: Mapped[Call] = relationship()
    owner: Mapped[Organisation] = relationship()

    @classmethod
    def received_by(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: answers to the calls of this organisation."""
        return cls.call_id.in_(select(Call.id).where(Call.owner_id == organisation_id))

    @classmethod
    def received_for(cls, path: str) -> ColumnElement[bool]:
        """SQL: answers to calls of owners without an account, at or below a region."""
        calls = select(Call.id).where(Call.within(path), ~has_answerers(Call.owner_id))
        return cls.call_id.in_(calls)


class CallAnswerVersion(Base):
    """What was sent; never changed. files: numbers of the files that went with it."""

    __tablename__ = "call_answer_version"
    __table_args__ = (
        UniqueConstraint("answer_id", "version"),
        CheckConstraint("price_fen >= 0", name="price"),
        CheckConstraint("months BETWEEN 1 AND 120", name="months"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("call_answer.id"))
    version: Mapped[int]
    approach: Mapped[str] = mapped_column(Text)
    # Empty: to be negotiated.
    price_fen: Mapped[int | None] = mapped_column(BigInteger)
    months: Mapped[int]
    team: Mapped[str] = mapped_column(Text)
    files: Mapped[list[str]] = mapped_column(Document)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_by: Mapped[str] = mapped_column(String(200))
