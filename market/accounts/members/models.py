"""Requests to join an organisation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, Text, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation, OwnedBy
from market.accounts.people.models import Person
from market.accounts.roles import ROLES
from market.core.db import Base, RowId, UtcDateTime, under
from market.core.languages import N_
from market.regions.models import Region

STATES = {
    "requested": N_("待接受"),
    "accepted": N_("已加入"),
    "refused": N_("未接受"),
    "withdrawn": N_("已撤回"),
}


class Joining(OwnedBy, Base):
    """Somebody asks to act for an organisation that is there already."""

    __tablename__ = "joining"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(STATES)}", name="state"),
        CheckConstraint(f"role IS NULL OR role IN {tuple(ROLES)}", name="role"),
        CheckConstraint("(state = 'accepted') = (role IS NOT NULL)", name="accepted"),
        Index("ix_joining_organisation", "organisation_id", "state"),
        Index(
            "uq_joining_open",
            "person_id",
            "organisation_id",
            unique=True,
            sqlite_where=text("state = 'requested'"),
            postgresql_where=text("state = 'requested'"),
        ),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    message: Mapped[str | None] = mapped_column(Text)
    # The role that was given with the acceptance.
    role: Mapped[str | None] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    owner: Mapped[Organisation] = relationship()
    person: Mapped[Person] = relationship()

    @property
    def area_path(self) -> str | None:
        """Where the organisation lies, for the policy."""
        return self.owner.area_path

    @classmethod
    def within(cls, path: str) -> ColumnElement[bool]:
        """SQL: requests to organisations at or below a region."""
        below = select(Organisation.id).join(Organisation.region).where(under(Region.path, path))
        return cls.organisation_id.in_(below)
