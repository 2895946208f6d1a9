"""Listings: achievements and demands. Content lives in revisions, a listing points at one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation
from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.models import ImportRun
from market.regions.models import Region

KINDS = {"achievement": "科技成果", "demand": "技术需求"}
# Six steps of practice in the five words readers know; the last covers 产业化 and 已推广.
STAGES = {
    "lab": "实验室",
    "small_trial": "小试",
    "pilot": "中试",
    "production": "可批量生产",
    "adopted": "已推广",
}
PRICE_MODES = {
    "negotiable": "面议",
    "fixed": "定价",
    "range": "区间",
    "entry_royalty": "入门费+提成",
}

# Promotion law art. 16 names more; these four are what readers filter by.
TRANSFER_MODES = {
    "joint": "合作开发",
    "assignment": "转让",
    "licence": "许可",
    "equity": "作价投资",
}
COOPERATION_MODES = TRANSFER_MODES | {"consulting": "技术咨询", "service": "技术服务"}


class Term(Base):
    """An entry of a code list: fields, industries, disciplines; editable by import."""

    __tablename__ = "term"
    __table_args__ = (Index("ix_term_label", "scheme", "label"),)
    scheme: Mapped[str] = mapped_column(String(30), primary_key=True)
    code: Mapped[str] = mapped_column(String(30), primary_key=True)
    label: Mapped[str] = mapped_column(String(100))
    label_en: Mapped[str | None] = mapped_column(String(200))
    parent_code: Mapped[str | None] = mapped_column(String(30))
    position: Mapped[int] = mapped_column(default=0)
    # Other names under which people write the same thing, separated by "|".
    aliases: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(String(200))
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]


class Listing(Base):
    """What has a public number and an address. What it says is in its current revision."""

    __tablename__ = "listing"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind"),
        CheckConstraint("state IN ('staged', 'published', 'withdrawn')", name="state"),
        CheckConstraint("(state = 'staged') = (current_id IS NULL)", name="current"),
        Index("ix_listing_owner", "owner_id", "state", "id"),
        Index("ix_listing_key", "owner_id", "kind", "folded_title"),
        Index("ix_listing_source", "owner_id", "kind", "source_id"),
        Index("ix_listing_import", "import_id"),
        Index("ix_listing_state", "state", "kind", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    folded_title: Mapped[str] = mapped_column(String(300))
    source_id: Mapped[str | None] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20))
    # Without a foreign key: the two tables would each need the other first.
    current_id: Mapped[int | None] = mapped_column(BigInteger)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    owner: Mapped[Organisation] = relationship()
    region: Mapped[Region] = relationship()
    current: Mapped[Revision | None] = relationship(
        primaryjoin="foreign(Listing.current_id) == Revision.id", viewonly=True
    )


class Revision(Base):
    """One version of a listing's content; never changed after it was written."""

    __tablename__ = "listing_revision"
    __table_args__ = (
        UniqueConstraint("listing_id", "version"),
        Index("ix_listing_revision_import", "import_id"),
        CheckConstraint("price_min_fen >= 0", name="price_min"),
        CheckConstraint("price_max_fen >= price_min_fen", name="price_range"),
        CheckConstraint("trl BETWEEN 1 AND 9", name="trl"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    version: Mapped[int]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200))
    content_hash: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(300))
    folded_title: Mapped[str] = mapped_column(String(300))
    summary: Mapped[str] = mapped_column(Text)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    stage: Mapped[str | None] = mapped_column(String(20))
    trl: Mapped[int | None]
    price_mode: Mapped[str | None] = mapped_column(String(20))
    price_min_fen: Mapped[int | None] = mapped_column(BigInteger)
    price_max_fen: Mapped[int | None] = mapped_column(BigInteger)
    valid_until: Mapped[date | None]
    completeness: Mapped[int]
    # All other fields of the kind's schema, as JSON values.
    details: Mapped[dict[str, Any]] = mapped_column(Document)

    listing: Mapped[Listing] = relationship()
    import_run: Mapped[ImportRun | None] = relationship()
