"""Administrative divisions: a tree of ids; codes are labels with dates."""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from market.core.db import Base, Document, RowId, path_column, under

LEVELS = ("province", "prefecture", "county", "township")
MOST_INDUSTRIES = 5  # leading industries that a county may name


def path_ids(path: str) -> list[int]:
    """Ids on a materialised path, from the province down."""
    return [int(part) for part in path.strip("/").split("/")]


class Region(Base):
    """A province, prefecture, county, township or functional zone.

    `path` is the chain of ids from the province down to the region itself (`/1/23/456/`); a
    region that was replaced lies below its successor, so that its rows count there.
    """

    __tablename__ = "region"
    __table_args__ = (
        CheckConstraint(f"level IN {LEVELS}", name="level"),
        CheckConstraint("(successor_id IS NULL) OR (valid_to IS NOT NULL)", name="successor"),
        Index("ix_region_parent", "parent_id"),
        Index("ix_region_path", "path"),
        Index("ix_region_name", "name"),
        Index("ix_region_short_name", "short_name"),
        Index("ix_region_pinyin", "pinyin"),
        Index("ix_region_initials", "initials"),
        Index("ix_region_level", "level"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    short_name: Mapped[str] = mapped_column(String(60))
    full_name: Mapped[str] = mapped_column(String(200))
    pinyin: Mapped[str] = mapped_column(String(100))
    initials: Mapped[str] = mapped_column(String(30))
    level: Mapped[str] = mapped_column(String(12))
    kind: Mapped[str] = mapped_column(String(30))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    path: Mapped[str] = mapped_column(path_column())
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))

    @property
    def path_ids(self) -> list[int]:
        """Ids from the province down to this region."""
        return path_ids(self.path)


class InRegion:
    """A row that lies in a region (`region_id`, relationship `region`), as the policy asks it."""

    @property
    def area_path(self) -> str | None:
        """The path of its region."""
        region: Region | None = getattr(self, "region", None)
        return region.path if region is not None else None

    @classmethod
    def within(cls, path: str) -> ColumnElement[bool]:
        """SQL: rows that lie at or below a region."""
        below = select(Region.id).where(under(Region.path, path))
        found: ColumnElement[bool] = cls.region_id.in_(below)  # type: ignore[attr-defined]
        return found


class FormerCode(Base):
    """A code that a region bore before; what readers and old files still type."""

    __tablename__ = "region_former_code"
    code: Mapped[str] = mapped_column(String(12), primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    valid_to: Mapped[date | None]
    source: Mapped[str] = mapped_column(String(200))


class LeadingIndustry(Base):
    """An industry that a county builds on (主导产业), with the words that tell it.

    `position` is one of five places, so that a county never has more.
    """

    __tablename__ = "leading_industry"
    __table_args__ = (
        UniqueConstraint("region_id", "position"),
        UniqueConstraint("region_id", "name"),
        CheckConstraint(f"position BETWEEN 1 AND {MOST_INDUSTRIES}", name="position"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(60))
    keywords: Mapped[list[str]] = mapped_column(Document)
    source: Mapped[str | None] = mapped_column(String(200))
