"""Entries of yearly lists (名单库), found by credit code, whoever has it and since when."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    and_,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import FormerUscc, Organisation
from market.core.db import Base, RowId, UtcDateTime, db, under
from market.core.languages import N_
from market.core.models import ImportRun
from market.regions.models import Region

KINDS = {
    "tech_sme": N_("科技型中小企业入库"),
    "high_tech": N_("高新技术企业"),
    "specialised": N_("专精特新"),
    "above_scale": N_("规上企业"),
    "incubated": N_("在孵企业"),
    "other": N_("其他"),
}
STATES = ("staged", "active", "replaced", "undone")


class RosterEntry(Base):
    """That an organisation stands on a list of a year.

    Rows are never changed: a later import that says something else replaces one by another, and
    undoing it brings the first back. `region_id` is where the credit code was given out; it tells
    the place as long as no organisation with this code is known here.
    """

    __tablename__ = "roster_entry"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("(kind = 'other') = (title <> '')", name="title"),
        CheckConstraint("(state = 'replaced') = (replaced_by_id IS NOT NULL)", name="replaced"),
        CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="period"),
        Index(
            "uq_roster_entry_key",
            "uscc",
            "kind",
            "year",
            "title",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
        Index("ix_roster_entry_list", "state", "year", "id"),
        Index("ix_roster_entry_import", "import_id"),
        Index("ix_roster_entry_replaced", "replaced_by_id"),
        Index("ix_roster_entry_region", "region_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    # What a list is called that is none of the five known ones.
    title: Mapped[str] = mapped_column(String(100), default="")
    uscc: Mapped[str] = mapped_column(String(18))
    name: Mapped[str] = mapped_column(String(200))
    folded_name: Mapped[str] = mapped_column(String(200))
    year: Mapped[int]
    number: Mapped[str | None] = mapped_column(String(100))
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    source: Mapped[str | None] = mapped_column(String(200))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    state: Mapped[str] = mapped_column(String(10))
    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"))
    # The import that replaced it.
    replaced_by_id: Mapped[int | None] = mapped_column(BigInteger)
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    region: Mapped[Region | None] = relationship()
    import_run: Mapped[ImportRun] = relationship()

    def holder(self) -> Organisation | None:
        """The organisation that has this code, or had it before."""
        former = select(FormerUscc.organisation_id).where(FormerUscc.code == self.uscc)
        query = select(Organisation).where(
            Organisation.state == "active",
            or_(Organisation.uscc == self.uscc, Organisation.id.in_(former)),
        )
        return db.session.scalar(query)

    @property
    def organisation_of(self) -> int | None:
        """Whose it is, for the policy."""
        holder = self.holder()
        return holder.id if holder else None

    @property
    def area_path(self) -> str | None:
        """Where its organisation lies, else where the code was given out, for the policy."""
        holder = self.holder()
        if holder is not None:
            return holder.area_path
        return self.region.path if self.region else None

    @classmethod
    def of_organisations(cls, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        """SQL: entries whose code an active organisation has or had that fits."""
        fits = (Organisation.state == "active", *conditions)
        now = select(Organisation.uscc).where(Organisation.uscc.is_not(None), *fits)
        former = (
            select(FormerUscc.code)
            .join(Organisation, Organisation.id == FormerUscc.organisation_id)
            .where(*fits)
        )
        return or_(cls.uscc.in_(now), cls.uscc.in_(former))

    @classmethod
    def owned_by(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: entries of this organisation."""
        return cls.of_organisations(Organisation.id == organisation_id)

    @classmethod
    def within(cls, path: str) -> ColumnElement[bool]:
        """SQL: entries that lie at or below a region."""
        below = select(Region.id).where(under(Region.path, path))
        active = select(Organisation.id).where(Organisation.state == "active")
        former = active.join(FormerUscc, FormerUscc.organisation_id == Organisation.id)
        unknown = ~or_(
            active.where(Organisation.uscc == cls.uscc).exists(),
            former.where(FormerUscc.code == cls.uscc).exists(),
        )
        return or_(
            cls.of_organisations(Organisation.region_id.in_(below)),
            and_(cls.region_id.in_(below), unknown),
        )
