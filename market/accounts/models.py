"""Organisations as owners of listings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.core.db import Base, RowId, UtcDateTime
from market.core.languages import N_
from market.core.models import ImportRun
from market.regions.models import InRegion, Region

KINDS = {
    "enterprise": N_("企业"),
    "institute": N_("高校院所"),
    "cooperative": N_("合作社"),
    "office": N_("科技管理部门"),
    "institution": N_("其他机构"),
}


class Organisation(InRegion, Base):
    """An enterprise, institute, cooperative, office or other institution."""

    __tablename__ = "organisation"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind"),
        CheckConstraint("state IN ('staged', 'active', 'merged', 'closed')", name="state"),
        CheckConstraint("state <> 'staged' OR import_id IS NOT NULL", name="staged_by_import"),
        CheckConstraint("(state = 'merged') = (merged_into_id IS NOT NULL)", name="merged"),
        UniqueConstraint("uscc"),
        Index("ix_organisation_region", "region_id", "kind"),
        Index("ix_organisation_folded_name", "folded_name"),
        Index("ix_organisation_source", "source_id"),
        Index("ix_organisation_import", "import_id"),
        Index("ix_organisation_supervisor", "supervisor_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    uscc: Mapped[str | None] = mapped_column(String(18))
    name: Mapped[str] = mapped_column(String(200))
    folded_name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    supervising: Mapped[str | None] = mapped_column(String(200))
    # The supervising body (隶属关系) where it is in the register itself.
    supervisor_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    # When an office saw its licence, or an authority's list brought it; empty: not verified.
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    telephone: Mapped[str | None] = mapped_column(String(60))
    contact: Mapped[str | None] = mapped_column(String(100))
    address: Mapped[str | None] = mapped_column(String(300))
    hours: Mapped[str | None] = mapped_column(String(100))
    website: Mapped[str | None] = mapped_column(String(300))
    intro: Mapped[str | None] = mapped_column(Text)
    source_id: Mapped[str | None] = mapped_column(String(100))
    # Whether what its editors write is signed off by another of its people before it goes out.
    signs_inside: Mapped[bool] = mapped_column(default=False, server_default=false())
    demo: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(10), default="active")
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    region: Mapped[Region] = relationship()
    import_run: Mapped[ImportRun | None] = relationship()

    @property
    def organisation_of(self) -> int:
        """Whose it is, for the policy: its own."""
        return self.id

    @property
    def supervisor_of(self) -> int | None:
        """Who supervises its owner, for the policy."""
        return self.supervisor_id

    @classmethod
    def owned_by(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: this organisation itself."""
        return cls.id == organisation_id

    @classmethod
    def supervised_by(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: organisations that this one supervises."""
        return cls.supervisor_id == organisation_id


class FormerUscc(Base):
    """A credit code that an organisation bore before: it changed, or it came with a merger."""

    __tablename__ = "organisation_former_code"
    code: Mapped[str] = mapped_column(String(18), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    ended_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by: Mapped[str] = mapped_column(String(200))


class FormerName(Base):
    """A name that an organisation bore until an office entered a new one (名称变更)."""

    __tablename__ = "organisation_former_name"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    folded_name: Mapped[str] = mapped_column(String(200), index=True)
    ended_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by: Mapped[str] = mapped_column(String(200))


class OwnedBy:
    """A row that belongs to an organisation, as the policy asks it.

    `OWNER` names the column with the organisation's id; a relationship `owner` leads to it.
    """

    OWNER = "organisation_id"

    @property
    def organisation_of(self) -> int | None:
        """Whose it is."""
        found: int | None = getattr(self, self.OWNER)
        return found

    @property
    def supervisor_of(self) -> int | None:
        """Who supervises its owner."""
        owner: Organisation | None = getattr(self, "owner", None)
        return owner.supervisor_id if owner is not None else None

    @classmethod
    def owned_by(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: rows of this organisation."""
        found: ColumnElement[bool] = getattr(cls, cls.OWNER) == organisation_id
        return found

    @classmethod
    def supervised_by(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: rows of organisations that this one supervises."""
        below = select(Organisation.id).where(Organisation.supervisor_id == organisation_id)
        found: ColumnElement[bool] = getattr(cls, cls.OWNER).in_(below)
        return found
