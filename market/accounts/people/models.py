"""People, what they were granted, their sessions, codes and keys."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation, OwnedBy
from market.accounts.roles import ROLES
from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.languages import N_
from market.regions.models import Region

PERSON_STATES = {"active": N_("正常"), "suspended": N_("已停用"), "closed": N_("已注销")}


class Person(Base):
    """Somebody with an account.

    Telephone and e-mail are sealed; `…_key` is a keyed hash by which they are looked up. `data_key`
    seals this person's values in the audit; closing the account destroys it.
    """

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(PERSON_STATES)}", name="state"),
        CheckConstraint(
            "state = 'closed' OR mobile_key IS NOT NULL OR email_key IS NOT NULL", name="reachable"
        ),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    mobile: Mapped[str | None] = mapped_column(Text)
    mobile_key: Mapped[str | None] = mapped_column(String(32), unique=True)
    email: Mapped[str | None] = mapped_column(Text)
    email_key: Mapped[str | None] = mapped_column(String(32), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    password_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    totp: Mapped[str | None] = mapped_column(Text)
    totp_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    totp_last_step: Mapped[int | None]
    data_key: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(2), default="zh")
    state: Mapped[str] = mapped_column(String(10), default="active")
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RoleGrant(Base):
    """A role given to a person, for an organisation or a region and a period; never deleted."""

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint(f"role IN {tuple(ROLES)}", name="role"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="period"),
        Index("ix_role_grant_person", "person_id", "ended_at"),
        Index("ix_role_grant_organisation", "organisation_id", "ended_at"),
        Index("ix_role_grant_region", "region_id", "role"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str] = mapped_column(String(20))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    granted_by: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str | None] = mapped_column(String(200))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str | None] = mapped_column(String(200))
    ended_reason: Mapped[str | None] = mapped_column(String(200))

    person: Mapped[Person] = relationship()
    organisation: Mapped[Organisation | None] = relationship()
    region: Mapped[Region | None] = relationship()

    @property
    def organisation_of(self) -> int | None:
        """Whose member it makes, for the policy."""
        return self.organisation_id

    @property
    def area_path(self) -> str | None:
        """Where that organisation lies, for the policy."""
        return self.organisation.region.path if self.organisation else None

    @classmethod
    def owned_by(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: grants for this organisation."""
        return cls.organisation_id == organisation_id

    @classmethod
    def within(cls, path: str) -> ColumnElement[bool]:
        """SQL: grants for organisations at or below this region."""
        there = select(Organisation.id).where(Organisation.within(path))
        return cls.organisation_id.in_(there)


class LoginSession(Base):
    """A signed-in browser. The cookie holds a random word, the table its hash."""

    __tablename__ = "login_session"
    __table_args__ = (Index("ix_login_session_person", "person_id", "ended_at"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    second_factor_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Shown in the person's own list of sessions: browser and system, network with the end masked.
    device: Mapped[str] = mapped_column(String(100), default="")
    network: Mapped[str] = mapped_column(String(60), default="")

    person: Mapped[Person] = relationship()


class OneTimeCode(Base):
    """A code sent to a telephone or an e-mail address: for registering, a new password, claiming."""

    __tablename__ = "one_time_code"
    __table_args__ = (Index("ix_one_time_code_who", "purpose", "who", "created_at"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    purpose: Mapped[str] = mapped_column(String(30))
    who: Mapped[str] = mapped_column(String(32))
    code_hash: Mapped[str] = mapped_column(String(64))
    # What the code opens, e.g. an organisation and the intake it came by.
    subject: Mapped[dict[str, Any] | None] = mapped_column(Document)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecoveryCode(Base):
    """A code on paper that stands in for the second factor once."""

    __tablename__ = "recovery_code"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Invitation(Base):
    """A colleague asked to join an organisation in a role; open until used, withdrawn or too old."""

    __tablename__ = "invitation"
    __table_args__ = (
        Index("ix_invitation_organisation", "organisation_id", "used_at"),
        Index("ix_invitation_contact", "contact_key"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[str] = mapped_column(String(20))
    # Where it was sent: sealed, masked for lists, and as the keyed hash of a person's own.
    contact: Mapped[str] = mapped_column(Text)
    contact_hint: Mapped[str] = mapped_column(String(60), default="", server_default="")
    contact_key: Mapped[str | None] = mapped_column(String(32))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    organisation: Mapped[Organisation] = relationship()


class ApiToken(OwnedBy, Base):
    """A program's key: acts for an organisation in a role, within scopes, until it expires."""

    __tablename__ = "api_token"
    __table_args__ = (Index("ix_api_token_organisation", "organisation_id", "revoked_at"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[str] = mapped_column(String(20))
    label: Mapped[str] = mapped_column(String(100))
    hint: Mapped[str] = mapped_column(String(12))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(Document)
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    organisation: Mapped[Organisation] = relationship()
    region: Mapped[Region | None] = relationship()
