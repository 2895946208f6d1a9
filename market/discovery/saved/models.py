"""Searches that people keep, and which listings they were told of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.people.models import Person
from market.core.db import Base, RowId, UtcDateTime
from market.core.languages import N_

RHYTHMS = {"daily": N_("每天"), "weekly": N_("每周一")}
LANGUAGES = {"zh": "中文", "en": "English"}


class SavedSearch(Base):
    """A search that a person keeps. `query` is what stands behind `/search?`, put in order.

    `told_until`: what was first visible up to then was told or is old news; a whole second.
    `next_at`: when the next digest is due; empty while it is paused.
    """

    __tablename__ = "saved_search"
    __table_args__ = (
        CheckConstraint(f"rhythm IN {tuple(RHYTHMS)}", name="rhythm"),
        CheckConstraint(f"language IN {tuple(LANGUAGES)}", name="language"),
        CheckConstraint("(paused_at IS NULL) = (next_at IS NOT NULL)", name="paused"),
        Index("ix_saved_search_person", "person_id", "id"),
        Index("ix_saved_search_next", "next_at", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(String(100))
    query: Mapped[str] = mapped_column(Text)
    # The search in words, as its owner saw it when saving.
    said: Mapped[str] = mapped_column(Text)
    rhythm: Mapped[str] = mapped_column(String(10))
    language: Mapped[str] = mapped_column(String(2))
    told_until: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lock_version: Mapped[int] = mapped_column(default=1)

    person: Mapped[Person] = relationship()

    @property
    def rhythm_label(self) -> str:
        """How often, in Chinese."""
        return RHYTHMS[self.rhythm]

    @property
    def url(self) -> str:
        """Its page: what was new."""
        return f"/my/searches/{self.id}"

    @property
    def search_url(self) -> str:
        """The search itself."""
        return f"/search?{self.query}" if self.query else "/search"


class SavedHit(Base):
    """A listing that a digest named; the key keeps it from being told again."""

    __tablename__ = "saved_hit"
    __table_args__ = (Index("ix_saved_hit_told", "search_id", "told_at", "position"),)
    search_id: Mapped[int] = mapped_column(ForeignKey("saved_search.id"), primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), primary_key=True)
    # The end of the time that the digest was about.
    told_at: Mapped[datetime] = mapped_column(UtcDateTime)
    position: Mapped[int]
