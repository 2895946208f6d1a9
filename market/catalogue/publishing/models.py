"""An edit of a listing in progress. What readers see lives in revisions, untouched meanwhile."""

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
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation, OwnedBy
from market.catalogue.models import Listing
from market.core.db import Base, Document, RowId, UtcDateTime
from market.regions.models import InRegion, Region

SUBMISSION_STATES = {
    "draft": "草稿",
    "signing": "待本单位签发",
    "submitted": "待审核",
    "returned": "待修改",
    "published": "已发布",
    "discarded": "已放弃",
}
OPEN = ("draft", "signing", "submitted", "returned")
IN_HAND = ("draft", "returned")  # its author may write in it
SOURCES = {
    "web": "网上填写",
    "telephone": "电话代录",
    "visit": "来访代录",
    "wechat": "微信代录",
    "paper": "纸质代录",
    "api": "数据接口",
    "import": "批量导入",
}
# An officer typed it for somebody else (代录).
FOR_OTHERS = ("telephone", "visit", "wechat", "paper")
# Whose achievements and demands go out on their own sign-off, once they are verified.
OWN_SIGN_OFF = ("institute", "office", "institution")


class Submission(OwnedBy, InRegion, Base):
    """One edit of a listing, from its first word to its publishing.

    `content` holds the texts as they were typed, by the field's `data_key`, half-finished ones too.
    `base_revision_id` is the revision that the edit started from, None where nothing was published.
    `authors` are the ids of the people who wrote in it. `notes` say what was sent back:
    `[{"field", "reason", "rule"}, …]`.
    """

    __tablename__ = "listing_submission"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(SUBMISSION_STATES)}", name="state"),
        CheckConstraint(f"source IN {tuple(SOURCES)}", name="source"),
        CheckConstraint("(state = 'published') = (revision_id IS NOT NULL)", name="revision"),
        CheckConstraint("state <> 'submitted' OR submitted_at IS NOT NULL", name="submitted"),
        # One open edit of a listing at a time: two would overwrite each other.
        Index(
            "ix_listing_submission_open",
            "listing_id",
            unique=True,
            sqlite_where=text("state IN ('draft', 'signing', 'submitted', 'returned')"),
            postgresql_where=text("state IN ('draft', 'signing', 'submitted', 'returned')"),
        ),
        Index("ix_listing_submission_listing", "listing_id", "id"),
        Index("ix_listing_submission_owner", "organisation_id", "state", "updated_at"),
        Index("ix_listing_submission_region", "region_id", "state"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    state: Mapped[str] = mapped_column(String(20), default="draft")
    title: Mapped[str] = mapped_column(String(300), default="")
    content: Mapped[dict[str, str]] = mapped_column(Document)
    base_revision_id: Mapped[int | None] = mapped_column(BigInteger)
    revision_id: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(20), default="web")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_by: Mapped[str] = mapped_column(String(200))
    authors: Mapped[list[int]] = mapped_column(Document)
    # 保密审查: nothing secret may be published; who looked, and the number of the paper.
    cleared: Mapped[bool] = mapped_column(default=False)
    cleared_no: Mapped[str | None] = mapped_column(String(100))
    cleared_by: Mapped[str | None] = mapped_column(String(60))
    notes: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The office's own target for its review; provisional where holidays are not announced yet.
    due: Mapped[date | None]
    provisional: Mapped[bool] = mapped_column(default=False)

    listing: Mapped[Listing] = relationship()
    owner: Mapped[Organisation] = relationship()
    region: Mapped[Region] = relationship()

    @property
    def kind(self) -> str:
        """Achievement or demand."""
        return self.listing.kind

    @property
    def publishes_itself(self) -> bool:
        """Whether its owner publishes on its own sign-off."""
        return self.owner.kind in OWN_SIGN_OFF and self.owner.verified_at is not None

    @property
    def for_others(self) -> bool:
        """Whether an officer typed it for a caller."""
        return self.source in FOR_OTHERS

    @classmethod
    def owner_where(cls, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        """SQL: submissions whose owner is like this."""
        return cls.organisation_id.in_(select(Organisation.id).where(*conditions))
