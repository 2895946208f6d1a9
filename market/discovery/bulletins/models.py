"""Bulletins, what stands in them, and who wants to hear of new ones."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.people.models import Person
from market.catalogue.models import Listing
from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.languages import N_
from market.regions.models import InRegion, Region

STATES = {
    "draft": N_("草稿"),
    "issued": N_("已发布"),
    "withdrawn": N_("已撤回"),
    "dropped": N_("已作废"),
}
PUBLIC = ("issued", "withdrawn")
LANGUAGES = {"zh": "中文", "en": "English"}
MOST_ITEMS = 60
HIGHEST = 999  # number of a bulletin in its year


class Bulletin(InRegion, Base):
    """A numbered bulletin (第 n 期) of an office, by the place it is for.

    `number` is what the clerk typed. `issued_number` is the same once it is issued, so that the
    database itself keeps a place from having one number twice in a year, while drafts may agree.
    `told_through`: the last subscription that was told; empty when nobody is left to tell.
    """

    __tablename__ = "bulletin"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(STATES)}", name="state"),
        CheckConstraint(f"(state IN {PUBLIC}) = (issued_number IS NOT NULL)", name="issued_number"),
        CheckConstraint(f"(state IN {PUBLIC}) = (issued_at IS NOT NULL)", name="issued_at"),
        CheckConstraint("(state = 'withdrawn') = (reason IS NOT NULL)", name="withdrawn"),
        CheckConstraint(f"number BETWEEN 1 AND {HIGHEST}", name="number"),
        UniqueConstraint("region_id", "year", "issued_number"),
        Index("ix_bulletin_issued", "state", "issued_at"),
        Index("ix_bulletin_region", "region_id", "state", "issued_at"),
        Index("ix_bulletin_told", "told_through"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    year: Mapped[int]
    number: Mapped[int]
    issued_number: Mapped[int | None]
    title: Mapped[str] = mapped_column(String(100))
    foreword: Mapped[str] = mapped_column(Text, default="")
    # The search by which listings are proposed, as it stands behind `/search?`.
    query: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(20), default="draft")
    issued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(Text)
    told_through: Mapped[int | None] = mapped_column(RowId)
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lock_version: Mapped[int] = mapped_column(default=1)

    region: Mapped[Region] = relationship()


class BulletinItem(Base):
    """A listing in a bulletin. `content`: its texts as they were when the bulletin was issued."""

    __tablename__ = "bulletin_item"
    __table_args__ = (
        UniqueConstraint("bulletin_id", "listing_id"),
        Index("ix_bulletin_item_listing", "listing_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    bulletin_id: Mapped[int] = mapped_column(ForeignKey("bulletin.id"))
    position: Mapped[int]
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    content: Mapped[dict[str, Any] | None] = mapped_column(Document)

    listing: Mapped[Listing] = relationship()


class BulletinSubscription(Base):
    """A person who wants to hear of a place's bulletins."""

    __tablename__ = "bulletin_subscription"
    __table_args__ = (
        CheckConstraint(f"language IN {tuple(LANGUAGES)}", name="language"),
        UniqueConstraint("person_id", "region_id"),
        Index("ix_bulletin_subscription_region", "region_id", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    language: Mapped[str] = mapped_column(String(2))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    person: Mapped[Person] = relationship()
    region: Mapped[Region] = relationship()
