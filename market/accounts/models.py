"""Organisations as owners of listings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.core.db import Base, RowId, UtcDateTime
from market.core.languages import N_
from market.core.models import ImportRun
from market.regions.models import Region

KINDS = {
    "enterprise": N_("企业"),
    "institute": N_("高校院所"),
    "cooperative": N_("合作社"),
    "office": N_("科技管理部门"),
    "institution": N_("其他机构"),
}


class Organisation(Base):
    """An enterprise, institute, cooperative, office or other institution."""

    __tablename__ = "organisation"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind"),
        CheckConstraint("state IN ('staged', 'active')", name="state"),
        CheckConstraint("state = 'active' OR import_id IS NOT NULL", name="staged_by_import"),
        UniqueConstraint("uscc"),
        Index("ix_organisation_region", "region_id", "kind"),
        Index("ix_organisation_folded_name", "folded_name"),
        Index("ix_organisation_source", "source_id"),
        Index("ix_organisation_import", "import_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    uscc: Mapped[str | None] = mapped_column(String(18))
    name: Mapped[str] = mapped_column(String(200))
    folded_name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    supervising: Mapped[str | None] = mapped_column(String(200))
    telephone: Mapped[str | None] = mapped_column(String(60))
    contact: Mapped[str | None] = mapped_column(String(100))
    address: Mapped[str | None] = mapped_column(String(300))
    hours: Mapped[str | None] = mapped_column(String(100))
    website: Mapped[str | None] = mapped_column(String(300))
    intro: Mapped[str | None] = mapped_column(Text)
    source_id: Mapped[str | None] = mapped_column(String(100))
    demo: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(10), default="active")
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    region: Mapped[Region] = relationship()
    import_run: Mapped[ImportRun | None] = relationship()
