"""What an organisation declares of itself, and the cases in which an office looks at it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, Text, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation, OwnedBy
from market.core.db import Base, RowId, UtcDateTime, under
from market.core.languages import N_
from market.regions.models import Region

STATES = {
    "submitted": N_("待核验"),
    "returned": N_("待修改"),
    "verified": N_("已核验"),
    "rejected": N_("核验未通过"),
}
OPEN = ("submitted", "returned")


class Profile(OwnedBy, Base):
    """What is not public of an organisation; every value is sealed (`core.secrets`).

    `shareholders` seals a JSON list of [name, hundredths of a percent].
    """

    __tablename__ = "organisation_profile"
    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, autoincrement=False
    )
    legal_representative: Mapped[str | None] = mapped_column(Text)
    registered_address: Mapped[str | None] = mapped_column(Text)
    shareholders: Mapped[str | None] = mapped_column(Text)
    bank: Mapped[str | None] = mapped_column(Text)
    account: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_by: Mapped[str] = mapped_column(String(200))

    owner: Mapped[Organisation] = relationship()


class Verification(OwnedBy, Base):
    """A case: the papers of an organisation, looked at by the office of its place.

    `due` is a target that offices set themselves (three working days); no rule names a term.
    """

    __tablename__ = "verification"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(STATES)}", name="state"),
        CheckConstraint("(state = 'submitted') = (due IS NOT NULL)", name="due"),
        CheckConstraint(
            "state <> 'returned' OR (returned_field IS NOT NULL AND returned_rule IS NOT NULL)",
            name="returned",
        ),
        Index("ix_verification_organisation", "organisation_id", "id"),
        Index(
            "uq_verification_open",
            "organisation_id",
            unique=True,
            sqlite_where=text("state IN ('submitted', 'returned')"),
            postgresql_where=text("state IN ('submitted', 'returned')"),
        ),
        Index("ix_verification_state", "state", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    # The uploaded licence that was handed in, by the number of the file.
    licence_no: Mapped[str | None] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(20))
    due: Mapped[date | None]
    provisional: Mapped[bool] = mapped_column(default=False)
    # What has to be mended and by which rule, as long as it was returned.
    returned_field: Mapped[str | None] = mapped_column(String(30))
    returned_rule: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    owner: Mapped[Organisation] = relationship()

    @property
    def area_path(self) -> str | None:
        """Where the organisation lies, for the policy."""
        return self.owner.area_path

    @classmethod
    def within(cls, path: str) -> ColumnElement[bool]:
        """SQL: cases of organisations at or below a region."""
        below = select(Organisation.id).join(Organisation.region).where(under(Region.path, path))
        return cls.organisation_id.in_(below)
