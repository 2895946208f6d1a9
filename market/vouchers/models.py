"""Schemes and their versions, applications, vouchers, orders: what comes before a claim."""

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

from market.accounts.models import Organisation, OwnedBy
from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.languages import N_
from market.regions.models import InRegion, Region

SCHEME_STATES = {"draft": N_("草稿"), "live": N_("施行中"), "closed": N_("已停止")}
VERSION_STATES = {"draft": N_("草稿"), "live": N_("施行中"), "replaced": N_("已被新版代替")}
APPLICATION_STATES = {
    "submitted": N_("申领中"),
    "granted": N_("已发放"),
    "refused": N_("不予发放"),
    "withdrawn": N_("已撤回"),
}
VOUCHER_STATES = {
    "issued": N_("已发放（待使用）"),
    "used": N_("已使用"),
    "redeemed": N_("已兑付"),
    "expired": N_("已过期"),
    "released": N_("额度已退回"),
    "frozen": N_("已冻结"),
}
ORDER_STATES = {
    "placed": N_("已下单"),
    "confirmed": N_("服务中"),
    "delivered": N_("已交付"),
    "accepted": N_("已验收"),
    "refused": N_("机构未接单"),
    "cancelled": N_("已取消"),
}
HOLDERS = ("voucher", "order", "claim", "top_up")
STARS = {5: N_("很满意"), 4: N_("满意"), 3: N_("一般"), 2: N_("不满意"), 1: N_("很不满意")}


class Scheme(InRegion, Base):
    """A voucher scheme (创新券办法) of a region. `version`: the one that is in force, 0 before."""

    __tablename__ = "voucher_scheme"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(SCHEME_STATES)}", name="state"),
        Index("ix_voucher_scheme_region", "region_id", "state"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    state: Mapped[str] = mapped_column(String(10), default="draft")
    version: Mapped[int] = mapped_column(default=0)
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    region: Mapped[Region] = relationship()


class SchemeVersion(Base):
    """What a scheme says (第×版); never changed once it is in force. `hash` freezes it then."""

    __tablename__ = "voucher_scheme_version"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(VERSION_STATES)}", name="state"),
        CheckConstraint("(state = 'draft') = (published_at IS NULL)", name="published"),
        UniqueConstraint("scheme_id", "version"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    scheme_id: Mapped[int] = mapped_column(ForeignKey("voucher_scheme.id"))
    version: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(Document)
    state: Mapped[str] = mapped_column(String(10), default="draft")
    edited_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    scheme: Mapped[Scheme] = relationship()


class CapUse(Base):
    """What an organisation holds and has claimed, counted by guarded updates.

    `scope`: `scheme:<id>`, `owner:<region id>` or `award:<scheme id>`; year 0 counts over all years.
    """

    __tablename__ = "voucher_cap_use"
    __table_args__ = (
        CheckConstraint("held_fen >= 0", name="held"),
        CheckConstraint("issued_fen >= 0", name="issued"),
        CheckConstraint("claimed_fen >= 0", name="claimed"),
    )
    scope: Mapped[str] = mapped_column(String(40), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, index=True
    )
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    held_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    issued_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    claimed_fen: Mapped[int] = mapped_column(BigInteger, default=0)


class Hold(Base):
    """What is reserved of a pot for a voucher, an order, a claim, or what others add to a claim."""

    __tablename__ = "voucher_hold"
    __table_args__ = (
        CheckConstraint(f"kind IN {HOLDERS}", name="kind"),
        CheckConstraint("fen >= 0", name="fen"),
    )
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    object_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), primary_key=True)
    scheme_id: Mapped[int] = mapped_column(ForeignKey("voucher_scheme.id"))
    year: Mapped[int]
    fen: Mapped[int] = mapped_column(BigInteger)


class Application(OwnedBy, InRegion, Base):
    """A firm asks for vouchers (申领). `facts`: what it declared; `outcome`: what the rules said."""

    __tablename__ = "voucher_application"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(APPLICATION_STATES)}", name="state"),
        CheckConstraint("asked_fen > 0", name="asked"),
        CheckConstraint("(state = 'granted') = (granted_fen IS NOT NULL)", name="granted"),
        Index("ix_voucher_application_scheme", "scheme_id", "state", "id"),
        Index("ix_voucher_application_organisation", "organisation_id", "id"),
        Index("ix_voucher_application_region", "region_id", "state"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    scheme_id: Mapped[int] = mapped_column(ForeignKey("voucher_scheme.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("voucher_scheme_version.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    # The office that decides: the scheme's region.
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    asked_fen: Mapped[int] = mapped_column(BigInteger)
    granted_fen: Mapped[int | None] = mapped_column(BigInteger)
    purpose: Mapped[str | None] = mapped_column(String(300))
    facts: Mapped[dict[str, Any]] = mapped_column(Document)
    outcome: Mapped[dict[str, Any]] = mapped_column(Document)
    state: Mapped[str] = mapped_column(String(12), default="submitted")
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    owner: Mapped[Organisation] = relationship()
    region: Mapped[Region] = relationship()
    scheme: Mapped[Scheme] = relationship()
    version: Mapped[SchemeVersion] = relationship()


class Voucher(OwnedBy, InRegion, Base):
    """An electronic voucher: `face_fen` = left + held by orders and claims + spent."""

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(VOUCHER_STATES)}", name="state"),
        CheckConstraint("held_fen >= 0 AND spent_fen >= 0", name="parts"),
        CheckConstraint("face_fen > 0 AND held_fen + spent_fen <= face_fen", name="face"),
        Index("ix_voucher_organisation", "organisation_id", "state"),
        Index("ix_voucher_scheme", "scheme_id", "state", "ends_on"),
        Index("ix_voucher_application", "application_id"),
        Index("ix_voucher_ends", "state", "ends_on"),
        Index("ix_voucher_region", "region_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(30), unique=True)
    scheme_id: Mapped[int] = mapped_column(ForeignKey("voucher_scheme.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("voucher_scheme_version.id"))
    application_id: Mapped[int] = mapped_column(ForeignKey("voucher_application.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    year: Mapped[int]
    face_fen: Mapped[int] = mapped_column(BigInteger)
    held_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    spent_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    issued_on: Mapped[date]
    # None: the sheet does not say how long it is valid, or its clock starts with the order.
    ends_on: Mapped[date | None]
    # The last reminder before that day: so many days before. None: none yet.
    reminded_days: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(10), default="issued")
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    owner: Mapped[Organisation] = relationship()
    region: Mapped[Region] = relationship()
    scheme: Mapped[Scheme] = relationship()
    version: Mapped[SchemeVersion] = relationship()

    @property
    def left_fen(self) -> int:
        """What may still be used of it: nothing once it has ended."""
        if self.state in {"expired", "released"}:
            return 0
        return self.face_fen - self.held_fen - self.spent_fen


class Order(OwnedBy, InRegion, Base):
    """A service bought from a provider of the directory. `voucher_fen`: what the voucher bears."""

    __tablename__ = "voucher_order"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(ORDER_STATES)}", name="state"),
        CheckConstraint("price_fen > 0", name="price"),
        CheckConstraint("voucher_fen >= 0 AND voucher_fen <= price_fen", name="voucher"),
        CheckConstraint("organisation_id <> provider_id", name="sides"),
        CheckConstraint(
            "service_from IS NULL OR service_to IS NULL OR service_from <= service_to",
            name="period",
        ),
        Index("ix_voucher_order_organisation", "organisation_id", "state"),
        Index("ix_voucher_order_provider", "provider_id", "state"),
        Index("ix_voucher_order_voucher", "voucher_id"),
        Index("ix_voucher_order_scheme", "scheme_id", "state"),
        Index("ix_voucher_order_region", "region_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    scheme_id: Mapped[int] = mapped_column(ForeignKey("voucher_scheme.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("voucher_scheme_version.id"))
    voucher_id: Mapped[int | None] = mapped_column(ForeignKey("voucher.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    provider_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    year: Mapped[int]
    service: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    note: Mapped[str | None] = mapped_column(Text)
    price_fen: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[int | None]
    voucher_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    contract_no: Mapped[str | None] = mapped_column(String(100))
    service_from: Mapped[date | None]
    service_to: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(12), default="placed")
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    owner: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
    provider: Mapped[Organisation] = relationship(foreign_keys=[provider_id])
    region: Mapped[Region] = relationship()
    scheme: Mapped[Scheme] = relationship()
    version: Mapped[SchemeVersion] = relationship()
    voucher: Mapped[Voucher | None] = relationship()


class Rating(Base):
    """What a firm says of a service after it accepted it; it may say so once."""

    __tablename__ = "voucher_rating"
    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),)
    order_id: Mapped[int] = mapped_column(
        ForeignKey("voucher_order.id"), primary_key=True, autoincrement=False
    )
    stars: Mapped[int]
    words: Mapped[str | None] = mapped_column(String(500))
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
